"""How many wrong passwords and codes one account and one network may have.

Every guess is written down before it is checked and taken back when it was right.
Guesses at the same moment therefore see each other, in whatever process they are.

An account has three separate budgets, so that strangers use up theirs alone: one for
devices on which its user has logged in, one for networks from which they have, and one
for everybody else. Together they allow fewer than the 100 failures an hour of OWASP
ASVS 2.2.1. A budget that is used up fills again by itself within the hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from axes.models import AccessLog
from django.conf import settings
from django.db.models import Count, Min, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.addresses import client_address, network_of, wider_network_of
from accounts.devices import device_of
from accounts.models import FailedLogin, Pool
from accounts.names import counted_name, find_user

HOUR = timedelta(hours=1)
#: Wrong passwords and codes in an hour, for one account. At most 100 together.
PER_HOUR = {Pool.DEVICE: 40, Pool.NETWORK: 30, Pool.ELSEWHERE: 30}
#: After so many, the next guess has to wait 2 s, then 4 s, 8 s, … More than one network
#: alone gets, so that its lock delays nobody elsewhere.
WITHOUT_DELAY = 10
LONGEST_DELAY_S = 60


@dataclass(frozen=True, slots=True)
class _Guesser:
    """One caller, and the account whose password or code they try to guess."""

    name: str
    pool: Pool
    device: str
    network: str
    wider: str


def wait_s(request: HttpRequest, username: str) -> int:
    """Whole seconds until this caller may guess at this account; 0 for now."""
    return _wait_s(_guesser(request, username), FailedLogin.objects.all())


def begin(request: HttpRequest, username: str) -> int:
    """Write a guess down before it is checked; seconds to wait when it may not be.

    It counts as wrong until `take_back` says that it was right.
    """
    guesser = _guesser(request, username)
    forget_old()
    row = FailedLogin.objects.create(
        name=guesser.name,
        pool=guesser.pool,
        device=guesser.device,
        network=guesser.network,
        wider=guesser.wider,
    )
    wait = _wait_s(guesser, FailedLogin.objects.exclude(pk=row.pk))
    if wait:
        row.delete()
        return wait
    request.begun_guess = row.pk  # type: ignore[attr-defined]
    return 0


def take_back(request: HttpRequest) -> None:
    """Say that the guess of this request was right."""
    begun: int | None = getattr(request, "begun_guess", None)
    if begun is not None:
        FailedLogin.objects.filter(pk=begun).delete()


def forget_old() -> int:
    """Delete failures that count no more; returns how many."""
    return FailedLogin.objects.filter(at__lt=timezone.now() - HOUR).delete()[0]


def failures_of_device(request: HttpRequest, username: str) -> int | None:
    """Failures of a device that counts for itself; None for any other."""
    guesser = _guesser(request, username)
    if not guesser.device:
        return None
    return len(_of_device(guesser, FailedLogin.objects.all()))


def used_up(request: HttpRequest, username: str) -> Pool | None:
    """The budget that this failure has used up; None when some of it is left."""
    guesser = _guesser(request, username)
    failures = len(_of_pool(guesser, FailedLogin.objects.all()))
    return guesser.pool if failures == PER_HOUR[guesser.pool] else None


def failures_from_elsewhere(outer_name: str) -> tuple[QuerySet, QuerySet]:  # type: ignore[type-arg]
    """Subqueries: how many failures strangers have with a name, and since when."""
    counted = (
        FailedLogin.objects.filter(
            name=OuterRef(outer_name),
            pool=Pool.ELSEWHERE,
            at__gte=timezone.now() - HOUR,
        )
        .order_by()
        .values("name")
        .annotate(n=Count("pk"), first=Min("at"))
    )
    return counted.values("n"), counted.values("first")


def _guesser(request: HttpRequest, username: str) -> _Guesser:
    known: dict[str, _Guesser] = request.__dict__.setdefault("_guessers", {})
    if username not in known:
        known[username] = _find_guesser(request, username)
    return known[username]


def _find_guesser(request: HttpRequest, username: str) -> _Guesser:
    address = client_address(request)
    name, network = counted_name(username), network_of(address)
    user = find_user(username)
    device = device_of(request, user) if user else ""
    # Also for names that nobody has: they are to take as long.
    logins = AccessLog.objects.filter(username=name, ip_address=network or None)
    has_logged_in_here = logins.exists() and network != ""
    if device:
        pool = Pool.DEVICE
    else:
        pool = Pool.NETWORK if has_logged_in_here else Pool.ELSEWHERE
    return _Guesser(name, pool, device, network, wider_network_of(address))


def _wait_s(guesser: _Guesser, rows: QuerySet[FailedLogin]) -> int:
    ends = [_end_of_pool(_of_pool(guesser, rows), PER_HOUR[guesser.pool])]
    if guesser.device:
        # It counts for itself: others in its network do not lock it out.
        times = _of_device(guesser, rows)
        if len(times) >= settings.AXES_FAILURE_LIMIT:
            first = times[settings.AXES_FAILURE_LIMIT - 1]
            ends.append(first + settings.AXES_COOLOFF_TIME)
    else:
        since = timezone.now() - settings.AXES_COOLOFF_TIME
        for column, value, limit in (
            ("network", guesser.network, settings.LOGIN_FAILURES_PER_NETWORK),
            ("wider", guesser.wider, settings.LOGIN_FAILURES_PER_WIDER_NETWORK),
        ):
            found = rows.filter(at__gte=since, **{column: value})
            times = list(found.order_by("-at").values_list("at", flat=True)[:limit])
            if len(times) == limit:
                ends.append(times[-1] + settings.AXES_COOLOFF_TIME)
    waits = [(end - timezone.now()).total_seconds() for end in ends if end]
    return max(0, *(math.ceil(wait) for wait in waits)) if waits else 0


def _end_of_pool(times: list[datetime], limit: int) -> datetime | None:
    if len(times) >= limit:
        return times[limit - 1] + HOUR
    if len(times) < WITHOUT_DELAY:
        return None
    delay_s = min(2 ** (len(times) - WITHOUT_DELAY + 1), LONGEST_DELAY_S)
    return times[0] + timedelta(seconds=delay_s)


def _of_pool(guesser: _Guesser, rows: QuerySet[FailedLogin]) -> list[datetime]:
    since = timezone.now() - HOUR
    found = rows.filter(name=guesser.name, pool=guesser.pool, at__gte=since)
    return list(found.order_by("-at").values_list("at", flat=True))


def _of_device(guesser: _Guesser, rows: QuerySet[FailedLogin]) -> list[datetime]:
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    found = rows.filter(name=guesser.name, device=guesser.device, at__gte=since)
    return list(found.order_by("-at").values_list("at", flat=True))
