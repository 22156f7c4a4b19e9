"""A log of the simulator's requests, for tests that count them."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Entry:
    """One request. Query strings of download links are left out: they are secrets."""

    number: int
    method: str
    path: str
    query: str
    route: str
    started_at: float
    authorization: str | None  # scheme only: Bearer, Basic …
    api_key: bool
    status: int | None = None
    fault: str | None = None
    seconds: float | None = None
    # What a data export was asked of: {"session_id", "org_player_id", …}.
    body: str | None = None


class RequestLog:
    """Counts, a bounded list, and how many requests ran side by side."""

    def __init__(self, keep: int = 200_000) -> None:
        self._lock = threading.Lock()
        self._keep = keep
        self.reset()

    def reset(self) -> None:
        """Forget all but the requests that are under way."""
        with self._lock:
            self.entries: deque[Entry] = deque(maxlen=self._keep)
            self.routes: Counter[str] = Counter()
            self.statuses: Counter[int] = Counter()
            self.total = 0
            self.in_flight = getattr(self, "in_flight", 0)
            self.most_in_flight = self.in_flight

    def begin(self, entry: Entry) -> None:
        """Note that a request has come."""
        with self._lock:
            self.total += 1
            entry.number = self.total
            self.entries.append(entry)
            self.routes[entry.route] += 1
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def end(self, entry: Entry) -> None:
        """Note that a request was answered."""
        with self._lock:
            entry.seconds = time.monotonic() - entry.started_at
            if entry.status is not None:
                self.statuses[entry.status] += 1
            self.in_flight -= 1

    def find(self, route: str) -> list[Entry]:
        """Return the requests to one route, oldest first."""
        with self._lock:
            return [entry for entry in self.entries if entry.route == route]

    def summary(self) -> dict[str, Any]:
        """Return counts by route and status, and the most requests at once."""
        with self._lock:
            return {
                "total": self.total,
                "routes": dict(self.routes),
                "statuses": {str(k): v for k, v in self.statuses.items()},
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
                "faults": dict(
                    Counter(e.fault for e in self.entries if e.fault is not None)
                ),
            }

    def rows(self) -> list[dict[str, Any]]:
        """Return every request as a plain dictionary."""
        with self._lock:
            return [asdict(entry) for entry in self.entries]
