"""The clock of the model: moved by hand, or by the waits of whole runs."""

import threading
from datetime import UTC, datetime, timedelta

from syncing.clock import Clock

#: A thread that says nothing for so long waits for time to pass, or for the vendor.
_QUIET_S = 0.002


class ModelClock(Clock):
    """Time of one example.

    In steps, the one thread that there is moves the time by waiting; `on_wait` is
    called with the seconds and may divide them. While whole runs work (`threads`), a
    wait really blocks, and time goes on to the end of the shortest wait whenever all
    heartbeats wait and nobody has asked for the time for a moment.
    """

    def __init__(self):
        self._changed = threading.Condition()
        self._epoch = datetime.now(UTC).replace(microsecond=0, second=0)
        self._passed = 0.0
        self._asked = 0
        self._waits = {}
        self._beating = set()
        self._mover = None
        #: Called in steps instead of a wait.
        self.on_wait = self.advance

    def now(self):
        return self._epoch + timedelta(seconds=self._tell())

    def time(self):
        return self._epoch.timestamp() + self._tell()

    def monotonic(self):
        return self._tell()

    def since_boot(self):
        return self._tell()

    def _tell(self):
        self._asked += 1
        return self._passed

    @property
    def passed(self):
        """Seconds since the beginning; asking does not count as a sign of work."""
        return self._passed

    def advance(self, seconds):
        with self._changed:
            self._passed = round(self._passed + max(0.0, seconds), 6)
            self._changed.notify_all()

    def sleep(self, seconds):
        self._wait(seconds, lambda: False)

    def wait(self, event, seconds=None):
        assert seconds is not None, "a wait without a limit may never end"
        if not event.is_set():
            self._wait(seconds, event.is_set)
        return event.is_set()

    def wait_for_change(self, condition, seconds=None):
        assert seconds is not None, "a wait without a limit may never end"
        if self._mover is None:
            condition.release()
            try:
                self.on_wait(seconds)
            finally:
                condition.acquire()
            return False
        deadline = self._passed + seconds
        with self._as_waiting(deadline):
            while self._passed < deadline:
                if condition.wait(_QUIET_S):
                    return True
        return False

    def _wait(self, seconds, is_over):
        if self._mover is None:
            self.on_wait(seconds)
            return
        deadline = self._passed + seconds
        with self._as_waiting(deadline), self._changed:
            while self._passed < deadline and not is_over():
                self._changed.wait(_QUIET_S)

    def _as_waiting(self, deadline):
        return _Waiting(self, deadline)

    # Whole runs

    def __enter__(self):
        """Let waits block, and a thread move the time."""
        self._stop = threading.Event()
        self._mover = threading.Thread(target=self._move, name="clock", daemon=True)
        self._mover.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._mover.join()
        self._mover = None
        self._beating.clear()

    def _move(self):
        asked = -1
        while not self._stop.wait(_QUIET_S):
            with self._changed:
                quiet = asked == self._asked
                asked = self._asked
                alive = {thread for thread in self._beating if thread.is_alive()}
                waiting = {thread for thread, _ in self._waits.values()}
                if not quiet or not self._waits or alive - waiting:
                    continue
                self._passed = max(
                    self._passed, min(deadline for _, deadline in self._waits.values())
                )
                self._changed.notify_all()


class _Waiting:
    def __init__(self, clock, deadline):
        self._clock, self._deadline = clock, deadline

    def __enter__(self):
        thread = threading.current_thread()
        with self._clock._changed:
            self._clock._waits[id(self)] = (thread, self._deadline)
            if thread.name.endswith("-heartbeat"):
                self._clock._beating.add(thread)

    def __exit__(self, *_):
        with self._clock._changed:
            del self._clock._waits[id(self)]
