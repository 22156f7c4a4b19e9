"""Threads that work on many things at once and leave nothing open behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from django.db import connections

from syncing.engine.context import RunContext

T = TypeVar("T")

#: A thread in the middle of a slow answer is left behind after this long: what it
#: held is released, and it finds that out when the answer comes.
STOP_GRACE_S = 8.0
#: How often it is looked whether the run is to stop.
_LOOK_S = 0.2


class Crew:
    """Threads of one run; the first error stops them all and is raised by `join`."""

    def __init__(self, ctx: RunContext, *, grace_s: float = STOP_GRACE_S) -> None:
        self._ctx = ctx
        self._grace_s = grace_s
        self._threads: list[threading.Thread] = []
        self.errors: list[BaseException] = []

    def start(self, work: Callable[[], None], *, name: str, count: int) -> None:
        """Start `count` threads that each call `work` once."""
        for number in range(count):
            thread = threading.Thread(
                target=self._run,
                args=(work,),
                name=f"run-{self._ctx.log.pk}-{name}-{number}",
                daemon=True,
            )
            self._threads.append(thread)
            thread.start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # raised again by join, whatever it is
            self.errors.append(error)
            self._ctx.end("error")
        finally:
            connections.close_all()

    def join(self) -> None:
        """Wait for all threads, then raise what one of them raised."""
        try:
            self._wait()
        except BaseException:
            # A signal: the threads must not go on without us.
            self._ctx.end("interrupted")
            self._wait()
            raise
        if self.errors:
            # A thread that was told to stop is not the reason.
            raise min(self.errors, key=lambda error: not isinstance(error, Exception))

    def _wait(self) -> None:
        # Real time, whatever clock is in use: a thread ends when its work does, so the
        # grace is counted in looks at threads that were still at it.
        looks_left = round(self._grace_s / _LOOK_S)
        for thread in self._threads:
            while thread.is_alive():
                thread.join(timeout=_LOOK_S)
                if self._ctx.stop.is_set() and thread.is_alive():
                    looks_left -= 1
                    if looks_left <= 0:
                        return


def side_by_side(
    ctx: RunContext, items: Iterable[T], work: Callable[[T], None], *, threads: int
) -> None:
    """Call `work` with each item, in threads; the first error ends it and is raised.

    Items that have not begun when the run's turn is over are left.
    """
    source: Iterator[T] = iter(items)
    taking = threading.Lock()

    def run() -> None:
        while not ctx.turn_is_over:
            ctx.check()
            with taking:
                item = next(source, None)
            if item is None:
                return
            work(item)

    crew = Crew(ctx)
    crew.start(run, name="details", count=threads)
    crew.join()
