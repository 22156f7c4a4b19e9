"""Sending one HTTP request to the vendor, and trying again where that can help.

All calls of this client are reads or documented as repeatable (a token request, an
export request), so all are retried: on connection faults, cut bodies, 429 and 5xx.
Anything else fails at once, since it means that we misread the contract.
"""

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from syncing.client.answers import AnswerReader, fault_of
from syncing.client.connections import Request, Timeouts, new_session
from syncing.client.errors import RebootError
from syncing.clock import Clock, ClockInUse

logger = logging.getLogger(__name__)

T = TypeVar("T")


#: Entered around every single HTTP request, its body included, and never around a
#: wait. The argument is the route. A shared concurrency limit plugs in here.
Gate = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True)
class RetryPolicy:
    """How many times, and for how long, a call is tried again."""

    max_attempts: int = 5
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    #: Sum of waits and of answers waited for; time spent at the gate is not counted.
    total_s: float = 120.0

    def wait_s(self, attempt: int, hint_s: float | None, jitter: float) -> float:
        """Return the seconds to wait before the next attempt; ``jitter`` is in 0…1.

        A hint of the server is a minimum: coming back earlier would be impolite, and
        a little later keeps the workers from coming back all at once.
        """
        backoff = min(self.longest_wait_s, self.first_wait_s * 2.0 ** (attempt - 1))
        spread: float = backoff * (0.5 + 0.5 * jitter)
        if hint_s is None:
            return spread
        return hint_s + jitter * min(1.0, 0.5 * self.first_wait_s + 0.1 * hint_s)


@dataclass(frozen=True)
class Exchange:
    """One finished HTTP request, as told to ``on_exchange``."""

    route: str
    status: int | None
    seconds: float
    retry_after_s: float | None = None


class RequestCounter:
    """Counts requests by route and status ("fault" where no status arrived)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, route: str, status: int | None) -> None:
        """Count one request; without a status it counts as "fault"."""
        with self._lock:
            self._counts[(route, "fault" if status is None else str(status))] += 1

    @property
    def total(self) -> int:
        """Number of requests in all."""
        with self._lock:
            return sum(self._counts.values())

    def by_route(self) -> dict[str, dict[str, int]]:
        """Numbers of requests as ``{route: {status: number}}``."""
        with self._lock:
            routes: dict[str, dict[str, int]] = {}
            for (route, status), count in sorted(self._counts.items()):
                routes.setdefault(route, {})[status] = count
            return routes


class Transport:
    """Sends requests and tries them again; it knows nothing of the vendor's objects."""

    def __init__(
        self,
        *,
        session: requests.Session | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        gate: Gate | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        user_agent: str = "swing-dashboard",
    ) -> None:
        self._session = new_session() if session is None else session
        self._owns_session = session is None
        self.retry = retry or RetryPolicy()
        self.clock = clock or ClockInUse()
        #: Reads the bodies of answers, with the time limits of this transport.
        self.answers = AnswerReader(timeouts=timeouts, clock=self.clock)
        self._jitter = jitter
        self._gate: Gate = gate or (lambda route: nullcontext())
        self._on_exchange = on_exchange
        self._user_agent = user_agent
        self.counter = RequestCounter()

    def close(self) -> None:
        """Close the connections, unless the session was handed in."""
        if self._owns_session:
            self._session.close()

    def send(
        self,
        request: Request,
        *,
        auth: Callable[[], AuthBase],
        read: Callable[[requests.Response], T],
    ) -> T:
        """Return what ``read`` makes of the answer, after as many tries as it takes.

        ``auth`` is asked before each attempt and outside the gate, because it may
        send a request of its own.
        """
        spent_s = 0.0
        attempt = 0
        while True:
            attempt += 1
            credentials = auth()
            with self._gate(request.route):
                started = self.clock.monotonic()
                error, result = self._attempt(request, credentials, read)
                spent_s += self.clock.monotonic() - started
            if error is None:
                return result[0]
            if not error.temporary:
                raise error
            wait_s = self.retry.wait_s(attempt, error.retry_after_s, self._jitter())
            if (
                attempt >= self.retry.max_attempts
                or wait_s > self.retry.longest_wait_s + 1.0
                or spent_s + wait_s > self.retry.total_s
            ):
                raise _final(error, request.route, attempt, spent_s)
            logger.info(
                "%s failed (%s, status %s); attempt %d of %d in %.1f s.",
                request.route,
                error.code,
                error.status,
                attempt + 1,
                self.retry.max_attempts,
                wait_s,
            )
            self.clock.sleep(wait_s)
            spent_s += wait_s

    def _attempt(
        self,
        request: Request,
        credentials: AuthBase,
        read: Callable[[requests.Response], T],
    ) -> tuple[RebootError | None, tuple[T, ...]]:
        """One exchange: an error, or a result in a tuple.

        The error is returned rather than raised inside the ``except`` clause: the HTTP
        library puts the whole address, query included, into its own messages, and a
        chained traceback would print them.
        """
        started = self.clock.monotonic()
        timeouts = self.answers.timeouts
        status: int | None = None
        error: RebootError | None = None
        result: tuple[T, ...] = ()
        try:
            response = self._session.request(
                request.method,
                request.url,
                params=request.params,  # type: ignore[arg-type]
                json=request.body,
                headers={"User-Agent": self._user_agent, **request.headers},
                auth=credentials,
                timeout=(timeouts.connect_s, timeouts.read_s),
                stream=True,
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError, OSError) as fault:
            error = fault_of(fault, request)
        else:
            status = response.status_code
            try:
                result = (read(response),)
            except RebootError as found:
                error = found
            finally:
                response.close()
        self.counter.add(request.route, status)
        if self._on_exchange is not None:
            hint = None if error is None else error.retry_after_s
            seconds = self.clock.monotonic() - started
            self._on_exchange(Exchange(request.route, status, seconds, hint))
        return error, result


def _final(
    error: RebootError, route: str, attempts: int, spent_s: float
) -> RebootError:
    """Return the last error of a call, with how many times it was tried."""
    told = ""
    if error.retry_after_s is not None:
        told = f" It asks us to wait {error.retry_after_s:.0f} s."
    times = "once" if attempts == 1 else f"{attempts} times in {spent_s:.0f} s"
    final = type(error)(
        f"{error.message}{told} Tried {times}; the next run tries again.",
        status=error.status,
        retry_after_s=error.retry_after_s,
        fields=error.fields,
    )
    final.temporary = error.temporary
    return final
