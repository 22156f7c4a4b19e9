"""At most N requests to the vendor at once, over all workers of all hosts.

The right to have a request under way is a row of `RequestSlot`, held with a lease. A
process keeps the slots it has between requests, so that a request costs no query, and
gives them back when it is idle or when another process asks. A process that dies
stops renewing, and its slots are free when the lease has run out.

Calls in a span of time are counted elsewhere (`accounts.throttle`): the vendor names
no such limit, and asks for a pause by itself when it wants one.
"""

from __future__ import annotations

import logging
import math
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q

from syncing import clock
from syncing.models import RequestSlot

logger = logging.getLogger(__name__)

LEASE_S = 60.0
#: Unused slots go back after this long.
UNUSED_S = 1.0
#: How long a process keeps to its smaller share after another one asked.
SHARE_S = 3.0

_WANTED_KEY = "syncing-slots-wanted"
_PAUSE_KEY = "syncing-pause-until"


def paused_until() -> datetime | None:
    """Return until when the vendor asked for no requests; None without a pause."""
    until = cache.get(_PAUSE_KEY)
    if not isinstance(until, float) or until <= clock.time():
        return None
    return datetime.fromtimestamp(until, UTC)


class RequestSlots:
    """Hands out the right to send a request to the threads of one process.

    `tend` must be called every second or two by a thread of its own: it renews the
    leases, gives idle slots back and listens to the other processes.
    """

    def __init__(
        self,
        limit: int,
        *,
        holder: str = "",
        check: Callable[[], None] = lambda: None,
        lease_s: float = LEASE_S,
    ) -> None:
        self._limit = limit
        self._check = check
        self._lease_s = lease_s
        self._holder = holder or uuid.uuid4().hex
        self._ready = threading.Condition()
        # Slot number -> when it was last used; busy ones are not in here.
        self._idle: dict[int, float] = {}
        self._busy: set[int] = set()
        self._share = limit
        self._share_until = 0.0
        self._pause_until = 0.0
        self._acquiring = threading.Lock()

    @contextmanager
    def gate(self, route: str) -> Iterator[None]:
        """Hold a slot for one request; wait until one is free."""
        number = self._take()
        try:
            yield
        finally:
            with self._ready:
                self._busy.discard(number)
                self._idle[number] = clock.monotonic()
                self._ready.notify()

    def pause(self, seconds: float) -> None:
        """Let no process begin a request for some seconds, as the vendor asked."""
        until = clock.time() + min(seconds, 3600.0)
        with self._ready:
            if until <= self._pause_until:
                return
            self._pause_until = until
        self._heed()
        if self._pause_until == until:
            cache.set(_PAUSE_KEY, until, timeout=math.ceil(seconds) + 60)

    def _heed(self) -> None:
        """Learn of a pause that the vendor asked another process for."""
        self._keep_pause(cache.get(_PAUSE_KEY))

    def _keep_pause(self, paused: object) -> None:
        """Note the end of a pause as another process stored it, if it did."""
        if isinstance(paused, float):
            with self._ready:
                self._pause_until = max(self._pause_until, paused)

    def tend(self) -> None:
        """Renew leases, give unused slots back, and make room for other processes."""
        stored = cache.get_many([_PAUSE_KEY, _WANTED_KEY])
        self._keep_pause(stored.get(_PAUSE_KEY))
        wanted = stored.get(_WANTED_KEY)
        asked = isinstance(wanted, str) and wanted != self._holder
        share = self._fair_share(str(wanted)) if asked else self._limit
        now = clock.monotonic()
        with self._ready:
            held = len(self._idle) + len(self._busy)
            if asked:
                self._share = share
                self._share_until = now + SHARE_S
            elif now >= self._share_until:
                self._share = self._limit
            surplus = held - self._share
            give = [
                number
                for number, used in sorted(self._idle.items(), key=lambda it: it[1])
                if now - used > UNUSED_S
            ]
            give += [number for number in self._idle if number not in give][
                : max(0, surplus - len(give))
            ]
            for number in give:
                del self._idle[number]
        self._release(give)
        if held > len(give):
            RequestSlot.objects.filter(holder=self._holder).update(
                held_until=clock.now() + timedelta(seconds=self._lease_s)
            )

    def _fair_share(self, wanted: str) -> int:
        """Return an equal share of the slots for each process that needs some."""
        holders = RequestSlot.objects.filter(held_until__gte=clock.now())
        names = set(holders.values_list("holder", flat=True))
        return max(1, self._limit // len(names | {wanted, self._holder}))

    def close(self) -> None:
        """Give back the slots not in use; the others end with their lease."""
        with self._ready:
            numbers = list(self._idle)
            self._idle.clear()
        self._release(numbers)

    def _release(self, numbers: list[int]) -> None:
        if numbers:
            RequestSlot.objects.filter(holder=self._holder, number__in=numbers).update(
                holder="", held_until=None
            )

    def _take(self) -> int:
        wait_s = 0.02
        while True:
            self._check()
            with self._ready:
                pause_s = self._pause_until - clock.time()
                if pause_s <= 0 and self._idle:
                    number = max(self._idle, key=lambda key: self._idle[key])
                    if len(self._busy) < self._share:
                        del self._idle[number]
                        self._busy.add(number)
                        return number
                may_ask = (
                    pause_s <= 0
                    and not self._idle
                    and len(self._busy) < min(self._share, self._limit)
                )
            # One thread at a time asks the database; the others wait for it or for
            # a slot that comes back.
            if may_ask and self._acquiring.acquire(blocking=False):
                try:
                    self._heed()
                    if self._pause_until > clock.time():
                        continue
                    number_or_none = self._claim()
                finally:
                    self._acquiring.release()
                if number_or_none is not None:
                    with self._ready:
                        self._busy.add(number_or_none)
                        self._ready.notify()
                    return number_or_none
                cache.set(_WANTED_KEY, self._holder, timeout=int(SHARE_S))
            with self._ready:
                if not self._idle or self._pause_until > clock.time():
                    clock.wait_for_change(self._ready, wait_s)
            wait_s = min(0.25, wait_s * 1.5)

    def _claim(self) -> int | None:
        """Return a free slot, or None; an update decides between processes."""
        now = clock.now()
        free = Q(holder="") | Q(held_until__isnull=True) | Q(held_until__lt=now)
        candidates = RequestSlot.objects.filter(free, number__lte=self._limit)
        for number in candidates.order_by("number").values_list("number", flat=True)[
            : self._limit
        ]:
            claimed = RequestSlot.objects.filter(free, number=number).update(
                holder=self._holder,
                held_until=now + timedelta(seconds=self._lease_s),
            )
            if claimed:
                return int(number)
        return self._add() if self._count() < self._limit else None

    def _count(self) -> int:
        return RequestSlot.objects.filter(number__lte=self._limit).count()

    def _add(self) -> int | None:
        """Create the rows that the limit asks for, and claim one."""
        with transaction.atomic():
            RequestSlot.objects.bulk_create(
                [RequestSlot(number=number) for number in range(1, self._limit + 1)],
                ignore_conflicts=True,
            )
        return self._claim()
