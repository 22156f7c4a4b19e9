"""Which logins are locked, and an end to it; django-axes keeps the count.

One login from one address may have several rows, one for each browser that was tried:
together they lock it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Max, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from accounts.audit import record
from accounts.models import Action, User


def with_lock(attempts: QuerySet[Any]) -> QuerySet[Any]:
    """With `failures`, those that count still, and `last_at`, when the last came."""
    # An address that nobody could tell is one too, and NULL would equal nothing.
    address = Coalesce(Cast("ip_address", CharField()), Value(""))
    counted = (
        AccessAttempt.objects.annotate(address=address)
        .filter(
            username=OuterRef("username"),
            address=OuterRef("address"),
            attempt_time__gte=timezone.now() - _cool_off(),
        )
        .order_by()
        .values("username", "address")
        .annotate(n=Sum("failures_since_start"), last=Max("attempt_time"))
    )
    annotated: QuerySet[Any] = attempts.annotate(address=address).annotate(
        failures=Subquery(counted.values("n")), last_at=Subquery(counted.values("last"))
    )
    return annotated


def locked(attempts: QuerySet[Any]) -> QuerySet[Any]:
    """Those of logins that are locked now."""
    return with_lock(attempts).filter(failures__gte=settings.AXES_FAILURE_LIMIT)


def locked_logins() -> QuerySet[Any]:
    """The logins themselves, each once."""
    rows = locked(AccessAttempt.objects.all()).order_by()
    return rows.values("username", "ip_address").distinct()


def is_locked(attempt: Any) -> bool:
    """Of one row `with_lock`."""
    return (attempt.failures or 0) >= settings.AXES_FAILURE_LIMIT


def free_at(attempt: Any) -> Any:
    """When a locked login is free again by itself."""
    return attempt.last_at + _cool_off()


@transaction.atomic
def unlock(attempt: Any, *, by: User) -> bool:
    """Count one login from one address from nought again; False when it did."""
    rows = AccessAttempt.objects.filter(
        username=attempt.username, ip_address=attempt.ip_address
    )
    first = with_lock(rows).first()
    if first is None:
        return False
    was_locked = is_locked(first)
    rows.delete()
    # A name that nobody has is not recorded: people type passwords there.
    record(
        Action.LOGIN_UNLOCKED,
        by=by,
        subject=User.objects.filter(username=attempt.username or "").first(),
        was_locked=was_locked,
    )
    return True


def _cool_off() -> timedelta:
    return settings.AXES_COOLOFF_TIME
