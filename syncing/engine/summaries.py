"""Summaries of athletes, brought up to date while a run goes on.

Where an athlete's numbers lie among everybody's takes a look at all their sessions. An
athlete has several sessions and each several files, so the look is taken for all who
changed within a few seconds together and not after each file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime

from athletes.analysis.summaries import refresh_player_summaries, time_of_rows
from syncing import clock

#: Pages are this far behind at most while a run goes on.
EVERY_S = 2.0


class Summaries:
    """Athletes whose summaries are due; used by all threads of a process.

    What a process that is killed leaves undone is made good by the next run, which
    looks at all athletes whose sessions changed since the last one that ended.
    """

    def __init__(self, *, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._lock = threading.Lock()
        self._due: set[int] = set()
        self._refreshed_at = clock.monotonic()
        # When each athlete was last refreshed, by the clock that dates rows.
        self._refreshed: dict[int, datetime] = {}
        # One thread at a time: two would wait for each other's rows.
        self._turn = threading.Lock()

    def touch(self, player_ids: Iterable[int]) -> None:
        """Note athletes whose sessions changed, and refresh when it is time."""
        with self._lock:
            self._due.update(player_ids)
        is_time = clock.monotonic() - self._refreshed_at >= self._every_s
        if is_time and self._turn.acquire(blocking=False):
            try:
                self._refresh()
            finally:
                self._turn.release()

    def flush(self) -> None:
        """Refresh all athletes that are due."""
        with self._turn:
            self._refresh()

    def _refresh(self) -> None:
        with self._lock:
            ids, self._due = self._due, set()
        if not ids:
            return
        began = time_of_rows()
        try:
            refresh_player_summaries(ids)
        except BaseException:
            with self._lock:
                self._due |= ids
            raise
        self._refreshed.update(dict.fromkeys(ids, began))
        self._refreshed_at = clock.monotonic()

    def is_refreshed(self, player_id: int, changed_at: datetime) -> bool:
        """Whether this process refreshed an athlete after a change of that moment."""
        refreshed = self._refreshed.get(player_id)
        return refreshed is not None and refreshed > changed_at
