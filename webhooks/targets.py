"""Checks addresses of webhooks: https, on the public internet, not inside.

A name is looked up at each delivery, every address it has must be a public one, and
the connection goes to an address that was looked at. A name that changes its address
between look-up and connection therefore gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.encoding import iri_to_uri

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Public by their number, but they lead to an IPv4 address that is written in them.
_TRANSLATORS = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48")
)


#: Names that are never of the public internet.
_INSIDE = ("localhost", ".local", ".internal", ".localdomain", ".home.arpa")


class RefusedTargetError(Exception):
    """An address that is not to be called; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL, and the addresses that may be connected to."""

    is_https: bool
    host: str
    port: int
    path: str
    addresses: tuple[str, ...] = ()

    @property
    def host_header(self) -> str:
        """Return the Host header: the host, and the port unless it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.is_https else 80
        return host if self.port == usual else f"{host}:{self.port}"


def check_url(url: str) -> Target:
    """Return the target of a URL, checked without asking the network."""
    if any(character.isspace() or not character.isprintable() for character in url):
        raise RefusedTargetError("The address contains spaces or control characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RefusedTargetError("The address cannot be read.") from error
    host = _as_looked_up((parts.hostname or "").rstrip("."))
    if not host:
        raise RefusedTargetError("The address has no host name.")
    if parts.username is not None or parts.password is not None:
        raise RefusedTargetError("The address must not contain a username or password.")
    if parts.fragment:
        raise RefusedTargetError("The address must not contain a fragment (#…).")
    is_https = parts.scheme == "https"
    if not is_https and not (parts.scheme == "http" and _is_allowed_loopback(host)):
        raise RefusedTargetError("The address must begin with https://.")
    try:
        literal = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        literal = None
    if literal is not None:
        _require_public(literal)
    elif host.endswith(_INSIDE) and not _is_allowed_loopback(host):
        raise RefusedTargetError("The address is inside this network.")
    path = parts.path or "/"
    if parts.query:
        path = f"{path}?{parts.query}"
    # Other letters than those of ASCII do not travel in the head of a request.
    return Target(is_https, host, port or (443 if is_https else 80), iri_to_uri(path))


def _as_looked_up(host: str) -> str:
    """The name as the network knows it: `münchen.de` is `xn--mnchen-3ya.de` there."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise RefusedTargetError("The address has an invalid host name.") from error


def resolve(url: str) -> Target:
    """Look the host up; refuse it when any of its addresses is inside."""
    target = check_url(url)
    try:
        found = socket.getaddrinfo(
            target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except (OSError, UnicodeError) as error:
        raise LookupError("The host name could not be looked up.") from error
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise LookupError("The host name has no address.")
    for text in addresses:
        _require_public(ipaddress.ip_address(text.partition("%")[0]))
    return Target(target.is_https, target.host, target.port, target.path, addresses)


def _require_public(address: IpAddress) -> None:
    if not is_public(address):
        if address.is_loopback and settings.WEBHOOKS_ALLOW_LOOPBACK:
            return
        raise RefusedTargetError("The address is inside this network.")


def is_public(address: IpAddress) -> bool:
    """Whether an address is on the public internet, for certain."""
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _TRANSLATORS):
            return False
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return bool(
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
    )


def _is_allowed_loopback(host: str) -> bool:
    """Whether this host is allowed to try webhooks out: this machine, without https."""
    if not settings.WEBHOOKS_ALLOW_LOOPBACK:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
