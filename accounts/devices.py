"""Devices on which somebody has logged in, known by a signed cookie.

Wrong passwords on such a device are counted apart from those of strangers, who cannot
lock its user out (OWASP: "Slow Down Online Guessing Attacks with Device Cookies").
The cookie logs nobody in.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User

COOKIE = "device"
_SALT = "accounts.devices"
_AGE = timedelta(days=365)
#: Users of one shared tablet that it is known for, the latest ones.
_MOST_USERS = 20
# A number of its own, then each user with the generation of their sessions.
_VALUE = re.compile(r"[0-9a-f]{32}(,\d+\.\d+)*")


def device_of(request: HttpRequest, user: User) -> str:
    """The number of this device when `user` has logged in on it; else nothing.

    "Log out on all devices", among others, ends it for all devices.
    """
    device, users = _read(request)
    return device if _mark(user) in users else ""


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Put a cookie into the answer that makes this a known device of `user`."""
    device, users = _read(request)
    others = [mark for mark in users if not mark.startswith(f"{user.pk}.")]
    kept = [*others, _mark(user)][-_MOST_USERS:]
    response.set_signed_cookie(
        COOKIE,
        ",".join([device or secrets.token_hex(16), *kept]),
        salt=_SALT,
        max_age=_AGE,
        path="/accounts/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _mark(user: User) -> str:
    return f"{user.pk}.{user.session_generation}"


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    value = request.get_signed_cookie(COOKIE, default="", salt=_SALT, max_age=_AGE)
    if not value or not _VALUE.fullmatch(value):
        return "", []
    device, *users = value.split(",")
    return device, users
