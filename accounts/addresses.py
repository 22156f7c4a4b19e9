"""Who asks: the address of a request, also behind a proxy that we believe."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Address of whoever asks; empty where there is none, as behind a Unix socket.

    Behind a proxy of FORWARDED_ALLOW_IPS it is the one that the proxy names: all
    people would share the proxy's own, and lock each other out of the login.
    """
    address = str(request.META.get("REMOTE_ADDR") or "")
    trusted = settings.FORWARDED_ALLOW_IPS
    # The last entry is the proxy's own; what stands before it anybody could send.
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if address in trusted or "*" in trusted:
        address = _bare(forwarded) or address
    return _bare(address)


def _bare(text: str) -> str:
    """An address alone; empty for what is none (names, `unknown`, with a port)."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    # An interface's name may be anything, and the database takes addresses alone.
    scoped = getattr(address, "scope_id", None)
    return text.partition("%")[0] if scoped else str(address)


def address_or_none(request: HttpRequest) -> str | None:
    """The same for django-axes, whose column of addresses takes no empty text."""
    return client_address(request) or None
