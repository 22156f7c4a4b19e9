"""Writes into the audit what Django and django-axes tell of logins."""

from __future__ import annotations

from typing import Any

from axes.helpers import get_failure_limit
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import limits
from accounts.audit import record
from accounts.models import Action, User
from accounts.names import find_user


@receiver(user_login_failed)
def record_failed_login(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    """Record wrong passwords and codes of known users, up to the one that locks.

    A name that nobody has is not recorded: people type passwords there. What comes
    while the login is locked is not either, or the audit would grow with whoever
    tries.
    """
    if request is None:
        return  # a command on the server
    name = credentials.get("username") or ""
    user = find_user(name)
    # django-axes comes before this app and has counted already.
    failures = getattr(request, "axes_failures_since_start", None)
    if user is None or failures is None:
        return
    # Who changes a password or the second factor is logged in and asked once more.
    logged_in = getattr(request, "user", None)
    by = logged_in if isinstance(logged_in, User) else AnonymousUser()
    limit = get_failure_limit(request, credentials)
    if failures <= limit:
        record(Action.LOGIN_FAILED, by=by, subject=user, failures=failures)
    if failures == limit:
        record(Action.LOGIN_LOCKED, by=by, subject=user)
    pool = limits.used_up(request, name)
    if pool is not None:
        record(Action.LOGIN_LOCKED, by=by, subject=user, locked_for=pool.label)
