"""Counts of calls in a span of time, shared by all processes, and their limit.

`count_calls` is the one counter of the product. API tokens go through `Throttle`,
which asks it seldom; share links and requests for a new password ask it each time.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import BaseCache, cache

WINDOW_S = 60


def count_calls(
    name: str, *, lifetime_s: int, calls: int = 1, store: BaseCache | None = None
) -> int:
    """Add calls to a shared count, and return how many it holds now.

    Parameters
    ----------
    name
        Key of the count in the cache.
    lifetime_s
        Seconds after its first call at which the count starts again from zero.
    calls
        Calls to add.
    store
        Cache that holds the count; Django's default cache unless given.
    """
    store = cache if store is None else store
    store.add(name, 0, lifetime_s)
    try:
        return store.incr(name, calls)
    except ValueError:  # the entry ended or was evicted between the two
        return calls


@dataclass(slots=True)
class _Window:
    number: int
    shared: int = 0  # calls of all processes, as last read
    own: int = 0  # calls of this process since


class Throttle:
    """Counts calls in windows of a minute, over all processes.

    The shared count is brought up to date only every few calls: with the
    database as cache it costs as much as the answer itself. So a token may get
    past the limit by a few calls for each process, which harms nobody.

    Parameters
    ----------
    limit
        Calls allowed in a minute.
    """

    def __init__(
        self,
        limit: int,
        *,
        store: BaseCache | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.limit = limit
        self._step = max(1, limit // 30)
        self._store = cache if store is None else store
        self._clock = clock
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()

    def wait_s(self, key: str) -> int | None:
        """Count one call; whole seconds to wait when it is one too many."""
        now = self._clock()
        number = int(now // WINDOW_S)
        with self._lock:
            window = self._windows.get(key)
            if window is None or window.number != number:
                window = self._windows[key] = _Window(number)
                self._forget_before(number)
            window.own += 1
            is_due = window.own >= self._step or window.shared == 0
            if is_due and window.shared < self.limit:
                window.shared = self._add(key, number, window.own)
                window.own = 0
            if window.shared + window.own <= self.limit:
                return None
        return max(1, math.ceil((number + 1) * WINDOW_S - now))

    def take_back(self, key: str) -> None:
        """Uncount one call of this minute: it cost next to nothing."""
        with self._lock:
            window = self._windows.get(key)
            if window is not None:
                window.own -= 1

    def _add(self, key: str, number: int, calls: int) -> int:
        return count_calls(
            f"token-calls:{key}:{number}",
            lifetime_s=2 * WINDOW_S,
            calls=calls,
            store=self._store,
        )

    def _forget_before(self, number: int) -> None:
        for key in [k for k, w in self._windows.items() if w.number < number]:
            del self._windows[key]
