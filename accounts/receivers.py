"""What Django and django-axes tell of logins, into the audit."""

from __future__ import annotations

from typing import Any

from axes.helpers import get_failure_limit
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.attempts import find_user
from accounts.audit import record
from accounts.models import Action, User
from accounts.throttle import count_failed_login


@receiver(user_login_failed)
def record_failed_login(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    """Record wrong passwords and codes of known users, up to the one that locks.

    A name that nobody has is not recorded: people type passwords there. What comes
    while the login is locked is not either, or the audit would grow with whoever
    tries. Both are among the failed logins (django-axes) for as long as those are kept.
    """
    if request is None:
        return  # a command on the server
    count_failed_login(request)
    user = find_user(credentials.get("username") or "")
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
