"""How often one token may call in a minute."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import BaseCache, cache

WINDOW_S = 60


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

    def _add(self, key: str, number: int, calls: int) -> int:
        name = f"token-calls:{key}:{number}"
        self._store.add(name, 0, 2 * WINDOW_S)
        try:
            return self._store.incr(name, calls)
        except ValueError:  # evicted between the two
            return calls

    def _forget_before(self, number: int) -> None:
        for key in [k for k, w in self._windows.items() if w.number < number]:
            del self._windows[key]
