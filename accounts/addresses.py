"""The network address of whoever sends a request, also behind a trusted proxy."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Address of whoever asks; empty where there is none, as behind a Unix socket.

    Behind a proxy of FORWARDED_ALLOW_IPS it is the one that the proxy names: all
    people would share the proxy's own, and lock each other out of the login. Where
    that is another proxy of the list, such as a balancer behind one for the outside,
    it is the one that this proxy names.
    """
    address = _bare(str(request.META.get("REMOTE_ADDR") or ""))
    named = request.headers.get("X-Forwarded-For", "").split(",")
    if "*" in settings.FORWARDED_ALLOW_IPS:
        # The last entry is the proxy's own; what stands before it anybody could send.
        return _bare(named[-1].strip()) or address
    while named and _is_proxy(address):
        client = _bare(named.pop().strip())
        if not client:
            break
        address = client
    return address


def _is_proxy(address: str) -> bool:
    """Whether FORWARDED_ALLOW_IPS names an address, or a network that it is in."""
    if not address:
        return False
    return any(
        ip_address(address) in ip_network(_bare(proxy) or proxy)
        for proxy in settings.FORWARDED_ALLOW_IPS
    )


# Azure's gateways and some balancers send the port as well.
_WITH_PORT = re.compile(r"\[(?P<v6>[^][]*)\](?::\d*)?|(?P<v4>[\d.]+):\d*")


def _bare(text: str) -> str:
    """Return an address without port and interface; empty where the text is none."""
    if found := _WITH_PORT.fullmatch(text):
        text = found["v6"] or found["v4"] or ""
    try:
        # An interface's name may be anything, and the database takes addresses alone.
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    # A server that listens on IPv6 sees IPv4 so; all of it would be one network.
    return str(getattr(address, "ipv4_mapped", None) or address)


def network_of(address: str) -> str:
    """The network that one caller has to themselves, by its first address.

    That is the address itself for IPv4, and the /64 for IPv6, in which a caller has
    as many addresses as they like.
    """
    return _first_of(address, v4=32, v6=64)


def wider_network_of(address: str) -> str:
    """The network that one provider's customer can have, by its first address."""
    return _first_of(address, v4=24, v6=48)


def _first_of(address: str, *, v4: int, v6: int) -> str:
    if not address:
        return ""
    bits = v6 if isinstance(ip_address(address), IPv6Address) else v4
    return str(ip_network(f"{address}/{bits}", strict=False).network_address)


def network_or_none(request: HttpRequest) -> str | None:
    """The caller's network for django-axes, whose column takes no empty text."""
    return network_of(client_address(request)) or None
