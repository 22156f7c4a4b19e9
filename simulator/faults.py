"""Seeded faults: which request fails, and how.

The decision hangs on the seed, the request (route, path, body) and how often this
very request came before. Order and concurrency of other requests do not matter, so
a run can be repeated, and a request that is made again gets through in the end.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass

ROUTES = (
    "token",
    "players",
    "sessions",
    "session",
    "lookups",
    "data_export",
    "download",
)
KINDS = {
    "429": "429 with Retry-After",
    "500": "500 with a page of HTML",
    "502": "502 with a page of HTML",
    "503": "503 with Retry-After",
    "cut-before": "connection closed without an answer",
    "cut-headers": "connection closed inside the headers",
    "cut-body": "connection closed halfway through the body",
    "slow": "the correct answer, late",
    "html-200": "200 with HTML where JSON or a file should be",
    "expired-token": "401 for a valid token",
    "expired-link": "403 with XML for a valid link",
    "truncated": "a download cut short, with the length to match",
}
# Some faults make no sense everywhere.
ONLY_DOWNLOAD = {"expired-link", "truncated"}
NEVER_DOWNLOAD = {"429", "expired-token"}
NEVER_TOKEN = {"expired-token"}
# A client may rightly give up when these come twice in a row.
ONCE_IN_A_ROW = {"expired-token", "expired-link"}


@dataclass(frozen=True)
class FaultPlan:
    """Which faults may be drawn, and how likely each is."""

    probability: float = 0.0
    seed: int = 1
    kinds: tuple[str, ...] = tuple(KINDS)
    routes: tuple[str, ...] = ROUTES
    max_in_a_row: int = 2
    retry_after_s: int = 1
    slow_s: float = 0.5

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise ValueError(
                    f"There is no fault {kind!r}. Take one of: {', '.join(KINDS)}."
                )
        for route in self.routes:
            if route not in ROUTES:
                raise ValueError(
                    f"No fault has the route {route!r}. Take one of "
                    f"these: {', '.join(ROUTES)}."
                )
        if not 0 <= self.probability <= 1:
            raise ValueError(
                f"The probability of a fault is 0 to 1, not {self.probability}."
            )


class Faults:
    """Draws the fault of each request from a seed, and counts those that it drew."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self.done: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()
        self._streak: dict[str, list[str]] = {}

    def draw(self, route: str, request: str) -> str | None:
        """The fault for this request, or None."""
        plan = self.plan
        if not plan.probability or route not in plan.routes:
            return None
        key = f"{route} {request}"
        with self._lock:
            count = self._seen[key]
            self._seen[key] += 1
            streak = self._streak.setdefault(key, [])
            kind = self._choose(route, key, count, streak)
            if kind is None:
                streak.clear()
            else:
                streak.append(kind)
                self.done[kind] += 1
            return kind

    def _choose(
        self, route: str, key: str, count: int, streak: list[str]
    ) -> str | None:
        plan = self.plan
        text = f"{plan.seed} {key} {count}".encode()
        digest = hashlib.sha256(text).digest()
        chance = int.from_bytes(digest[:8], "big") / 2**64
        if chance >= plan.probability or len(streak) >= plan.max_in_a_row:
            return None
        kinds = [
            kind
            for kind in plan.kinds
            if not (kind in ONLY_DOWNLOAD and route != "download")
            and not (kind in NEVER_DOWNLOAD and route == "download")
            and not (kind in NEVER_TOKEN and route == "token")
            and not (kind in ONCE_IN_A_ROW and kind in streak)
        ]
        if not kinds:
            return None
        return kinds[int.from_bytes(digest[8:12], "big") % len(kinds)]
