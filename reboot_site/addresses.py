"""Checks settings that hold addresses, when the product starts.

A wrong one would be told late and elsewhere: each page answers 400, no mail goes out,
or the queue ends at its first task. Each check raises `ImproperlyConfigured` with the
setting's name; values of addresses that may hold a password are not told.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def check_url(
    name: str, value: str, *, like: str, schemes: Iterable[str] = ("https", "http")
) -> None:
    """Check the address of another service; none at all is right too."""
    try:
        parts = urlsplit(value)
        # Reading the port is what checks it.
        is_right = parts.scheme in schemes and parts.port != 0
    except ValueError:
        is_right = False
    needs = urlsplit(like)
    if is_right and parts.scheme in {"http", "https"}:
        is_right = bool(parts.hostname)
    if is_right and needs.username:
        is_right = bool(parts.username and parts.path.strip("/"))
    if value and not is_right:
        raise ImproperlyConfigured(f"{name} must be an address such as {like}.")


def check_hosts(name: str, values: Iterable[str]) -> None:
    """Check names of hosts, as a browser sends them without scheme and port."""
    for value in values:
        is_ipv6 = value.startswith("[") and value.endswith("]")
        if set(value) & set("/@ ") or (":" in value and not is_ipv6):
            raise ImproperlyConfigured(
                f"{name} holds {value!r}: use host names only, without https:// "
                "and port, such as dashboard.example.com, and IPv6 as [::1]."
            )


def check_origins(name: str, values: Iterable[str]) -> None:
    """Check origins: a scheme and a host."""
    for value in values:
        scheme, separator, host = value.partition("://")
        if scheme not in {"http", "https"} or not separator or not host.rstrip("/"):
            raise ImproperlyConfigured(
                f"{name} holds {value!r}: include the scheme, such as "
                "https://dashboard.example.com."
            )


def check_exact_origins(name: str, values: Iterable[str]) -> None:
    """Check origins that are compared with what browsers send, letter by letter."""
    values = list(values)
    check_origins(name, values)
    for value in values:
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            parts, port = urlsplit("https://dashboard.example.com"), None
        host = parts.netloc.rpartition("@")[2].removesuffix(f":{port}").lower()
        is_usual = port in {None, {"https": 443, "http": 80}.get(parts.scheme)}
        right = f"{parts.scheme}://{host}" + ("" if is_usual else f":{port}")
        if value != right or "*" in value:
            raise ImproperlyConfigured(
                f"{name} holds {value!r}: use the form browsers send, without a path, "
                f"in lower case: {right.replace('*', 'name')}."
            )


def check_proxies(name: str, values: Iterable[str]) -> None:
    """Check addresses of proxies, or the star that means any."""
    for value in values:
        try:
            if value != "*":
                ip_network(value)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} holds {value!r}: use proxy addresses, such as "
                "127.0.0.1, or * where a platform's router is the only way in."
            ) from error


def check_mail_addresses(name: str, values: Iterable[str]) -> None:
    """Check addresses of mail, each alone or behind a name in <>."""
    for value in values:
        _, separator, host = value.strip("<> ").rpartition("@")
        if not separator or not host or " " in host:
            raise ImproperlyConfigured(
                f"{name} holds {value!r}: use addresses such as staff@example.com."
            )
