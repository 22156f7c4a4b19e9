"""A clock that stands still until a test, or a wait of the product, moves it."""

import threading
from datetime import UTC, datetime, timedelta

from syncing.clock import Clock

#: The day on which tests with a clock of their own begin.
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class ManualClock(Clock):
    """Time passes by waiting and by `advance` only; nothing ever really waits.

    `slept` holds the seconds of each sleep and wait, in order. A wait without a limit
    could never end, so it is refused. Threads may share the clock.
    """

    def __init__(self, start=START):
        self._start = start
        self._lock = threading.Lock()
        #: Seconds since the start, and how many of them the machine was asleep.
        self._passed = 0.0
        self._asleep = 0.0
        self.slept = []

    def now(self):
        with self._lock:
            return self._start + timedelta(seconds=self._passed)

    def time(self):
        with self._lock:
            return self._start.timestamp() + self._passed

    def monotonic(self):
        with self._lock:
            return self._passed - self._asleep

    def since_boot(self):
        with self._lock:
            return self._passed

    def sleep(self, seconds):
        with self._lock:
            self.slept.append(round(seconds, 3))
            self._passed += max(0.0, seconds)

    def wait(self, event, seconds=None):
        if event.is_set():
            return True
        self._wait(seconds)
        return event.is_set()

    def wait_for_change(self, condition, seconds=None):
        # Others may take the condition meanwhile, as in a real wait.
        condition.release()
        try:
            self._wait(seconds)
        finally:
            condition.acquire()
        return False

    def _wait(self, seconds):
        assert seconds is not None, "a wait without a limit would never end here"
        self.sleep(seconds)

    def advance(self, by):
        """Let a timedelta, or seconds, pass."""
        with self._lock:
            self._passed += _seconds(by)

    def fall_asleep(self, by):
        """Let the machine sleep: the day goes on, the monotonic clock does not."""
        with self._lock:
            self._passed += _seconds(by)
            self._asleep += _seconds(by)


def _seconds(by):
    seconds = by.total_seconds() if isinstance(by, timedelta) else float(by)
    assert seconds >= 0, "time does not go back"
    return seconds
