"""Which logins are locked, the page that says so, and unlocking.

One login from one address may have several rows, one for each browser that was tried:
together they lock it.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db import transaction
from django.db.models import (
    CharField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import limits
from accounts.addresses import network_or_none
from accounts.attempts import kept_name, typed_name
from accounts.audit import record
from accounts.models import Action, FailedLogin, Pool, User


def with_lock(attempts: QuerySet[Any]) -> QuerySet[Any]:
    """Return the attempts, each with the counts that decide whether it is locked.

    `failures` are those of this name in this network that still count, `last_at` is
    when the last of them came; `strangers` are those of all devices and networks that
    are new to the account, `strangers_since` is when the first of them came.
    """
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
    strangers, first = limits.failures_from_elsewhere("username")
    annotated: QuerySet[Any] = attempts.annotate(address=address).annotate(
        failures=Subquery(counted.values("n")),
        last_at=Subquery(counted.values("last")),
        strangers=Subquery(strangers),
        strangers_since=Subquery(first),
    )
    return annotated


def locked(attempts: QuerySet[Any]) -> QuerySet[Any]:
    """Return the attempts whose login is locked now, with the counts of `with_lock`."""
    here = Q(failures__gte=settings.AXES_FAILURE_LIMIT)
    everywhere = Q(strangers__gte=limits.PER_HOUR[Pool.ELSEWHERE])
    return with_lock(attempts).filter(here | everywhere)


def locked_logins() -> QuerySet[Any]:
    """Return name and address of each login that is locked now, each once."""
    rows = locked(AccessAttempt.objects.all()).order_by()
    return rows.values("username", "ip_address").distinct()


def is_locked(attempt: Any) -> bool:
    """Whether the login of an attempt from `with_lock` is locked for anybody."""
    return is_locked_here(attempt) or is_locked_for_strangers(attempt)


def is_locked_here(attempt: Any) -> bool:
    """Whether the name of an attempt is locked in the network of the attempt."""
    return (attempt.failures or 0) >= settings.AXES_FAILURE_LIMIT


def is_locked_for_strangers(attempt: Any) -> bool:
    """Whether the name is locked on devices and in networks that are new to it."""
    return (attempt.strangers or 0) >= limits.PER_HOUR[Pool.ELSEWHERE]


def free_at(attempt: Any) -> Any:
    """Return the moment at which a locked login is unlocked by itself."""
    if is_locked_here(attempt):
        return attempt.last_at + _cool_off()
    return attempt.strangers_since + limits.HOUR


def locked_page(
    request: HttpRequest, answer: HttpResponse | None, credentials: dict[str, Any]
) -> HttpResponse:
    """Return the page (status 429) that tells how long a locked login has to wait."""
    name = typed_name(request, credentials)
    wait_s = max(limits.wait_s(request, name), 1)
    found = AccessAttempt.objects.filter(
        username=kept_name(request, credentials), ip_address=network_or_none(request)
    )
    attempt = with_lock(found).first()
    is_stranger = limits.failures_of_device(request, name) is None
    if is_stranger and attempt is not None and is_locked_here(attempt):
        left = attempt.last_at + _cool_off() - timezone.now()
        wait_s = max(wait_s, math.ceil(left.total_seconds()))
    context = {"wait": _in_words(wait_s)}
    page = render(request, "registration/locked.html", context, status=429)
    page["Retry-After"] = str(wait_s)
    return page


def _in_words(wait_s: int) -> str:
    if wait_s <= 1:
        return "1 second"
    minutes = math.ceil(wait_s / 60)
    return f"{wait_s} seconds" if wait_s <= 90 else f"{minutes} minutes"


@transaction.atomic
def unlock(attempt: Any, *, by: User) -> bool:
    """Forget the failures of one name and one network; False where there were none.

    The name is free everywhere then, and the network for all names.
    """
    rows = AccessAttempt.objects.filter(
        username=attempt.username, ip_address=attempt.ip_address
    )
    first = with_lock(rows).first()
    if first is None:
        return False
    was_locked = is_locked(first)
    rows.delete()
    of_name = Q(name=attempt.username)
    FailedLogin.objects.filter(of_name | Q(network=attempt.ip_address or "")).delete()
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
