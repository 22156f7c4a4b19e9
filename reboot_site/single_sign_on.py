"""Checks the settings of single sign-on (OIDC_…) when the product starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_LIKE = "https://login.example.com/realms/facility"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def check_single_sign_on(issuer: str, needed: Mapping[str, str], only: bool) -> None:
    """Check that what belongs together is set together.

    Parameters
    ----------
    issuer
        OIDC_ISSUER; without it single sign-on is off.
    needed
        Settings that single sign-on cannot do without, by name.
    only
        Whether everybody but superusers has to use it.
    """
    if not issuer:
        for name, value in {**needed, "OIDC_ONLY": "1" if only else ""}.items():
            if value:
                raise ImproperlyConfigured(
                    f"{name} is set without OIDC_ISSUER: set the provider's address "
                    f"too, such as {_LIKE}, or neither."
                )
        return
    _check_issuer(issuer)
    for name, value in needed.items():
        if not value:
            raise ImproperlyConfigured(
                f"{name} is not set, and OIDC_ISSUER is: copy it from where the "
                "provider registered this dashboard."
            )


def _check_issuer(issuer: str) -> None:
    try:
        parts = urlsplit(issuer)
        is_right = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
        parts = urlsplit("")
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in _LOOPBACK
    )
    if not (is_right and is_safe) or parts.query or parts.fragment or parts.username:
        raise ImproperlyConfigured(
            f"OIDC_ISSUER must be an address such as {_LIKE}: https, and what stands "
            "before /.well-known/openid-configuration."
        )


def check_domains(name: str, values: Iterable[str]) -> None:
    """Check domains of mail addresses."""
    for value in values:
        if set(value) & set("@/: ") or "." not in value.strip("."):
            raise ImproperlyConfigured(
                f"{name} holds {value!r}: use domains such as example.com."
            )


def teams_of_groups(name: str, values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return pairs of a group at the provider and the name of a team.

    Raises `ImproperlyConfigured` for what is no such pair.
    """
    pairs = []
    for value in values:
        group, separator, team = (part.strip() for part in value.rpartition("="))
        if not (group and separator and team):
            raise ImproperlyConfigured(
                f"{name} holds {value!r}: use group=Team, or group=* for a group "
                "that sees all athletes."
            )
        pairs.append((group, team))
    return tuple(pairs)
