"""The one place where the sync asks for the time, and where it waits.

Everything in `syncing` reads the clock and sleeps through the functions below, so that
a test can put another clock in use for the whole process, its threads included, and
let hours pass in an instant:

    with clock.use(ManualClock()) as time_by_hand:
        ...
        time_by_hand.advance(timedelta(hours=6))

What no clock of ours can hold up stays on the machine's time: sockets, other
processes, locks that they hold, and the timeouts of Django's cache.
"""

from __future__ import annotations

import threading
import time as machine
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar


class Clock:
    """The machine's clock. A subclass in tests moves by hand."""

    def now(self) -> datetime:
        """Return the time as it is written to rows: aware, in UTC."""
        return datetime.now(UTC)

    def time(self) -> float:
        """Return seconds since the epoch, for what other machines read too."""
        return machine.time()

    def monotonic(self) -> float:
        """Return seconds that never go back, for durations within this process."""
        return machine.monotonic()

    def since_boot(self) -> float:
        """Return seconds that never go back and count while the machine sleeps.

        The monotonic clock of Linux stands still while a laptop sleeps, but the leases
        in the database run out. A process that wakes up has to see how long it was
        away, or it goes on with jobs that others have taken up. Where there is no such
        clock, the monotonic one has to do.
        """
        boottime = getattr(machine, "CLOCK_BOOTTIME", None)
        if boottime is None:
            return machine.monotonic()
        return machine.clock_gettime(boottime)

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        machine.sleep(seconds)

    def wait(self, event: threading.Event, seconds: float | None = None) -> bool:
        """Wait until an event is set, at most for some seconds; return if it is set."""
        return event.wait(seconds)

    def wait_for_change(
        self, condition: threading.Condition, seconds: float | None = None
    ) -> bool:
        """Wait for a notice of a condition that the caller holds.

        Return False when the seconds went by without one.
        """
        return condition.wait(seconds)


_switching = threading.Lock()
_in_use = Clock()


class ClockInUse(Clock):
    """Whichever clock is in use when it is asked, for objects that live for long."""

    def now(self) -> datetime:
        """Return the time as it is written to rows: aware, in UTC."""
        return _in_use.now()

    def time(self) -> float:
        """Return seconds since the epoch, for what other machines read too."""
        return _in_use.time()

    def monotonic(self) -> float:
        """Return seconds that never go back, for durations within this process."""
        return _in_use.monotonic()

    def since_boot(self) -> float:
        """Return seconds that never go back and count while the machine sleeps."""
        return _in_use.since_boot()

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        _in_use.sleep(seconds)

    def wait(self, event: threading.Event, seconds: float | None = None) -> bool:
        """Wait until an event is set, at most for some seconds; return if it is set."""
        return _in_use.wait(event, seconds)

    def wait_for_change(
        self, condition: threading.Condition, seconds: float | None = None
    ) -> bool:
        """Wait for a notice of a condition; False when the seconds went by."""
        return _in_use.wait_for_change(condition, seconds)


AnyClock = TypeVar("AnyClock", bound=Clock)


@contextmanager
def use(other: AnyClock) -> Iterator[AnyClock]:
    """Put another clock in use for all threads of this process, then the old again.

    A thread that waits already goes on waiting by the clock it began with.
    """
    global _in_use
    with _switching:
        before, _in_use = _in_use, other
    try:
        yield other
    finally:
        with _switching:
            _in_use = before


_current = ClockInUse()
now = _current.now
time = _current.time
monotonic = _current.monotonic
since_boot = _current.since_boot
sleep = _current.sleep
wait = _current.wait
wait_for_change = _current.wait_for_change
