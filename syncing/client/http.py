"""One HTTP call to the vendor, with retries, limits and redaction.

All calls of this client are reads or documented as repeatable (a token request, an
export request), so all are retried: on connection faults, cut bodies, 429 and 5xx.
Anything else fails at once, since it means that we misread the contract.
"""

import json
import logging
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from syncing.client.errors import (
    AuthenticationError,
    ConfigurationError,
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    RebootError,
    TooLargeError,
    UnavailableError,
    UnexpectedShapeError,
    UnexpectedStatusError,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

CHUNK_BYTES = 256 * 1024
ERROR_BODY_BYTES = 64 * 1024
#: Hosts whose settings are remembered.
MOST_HOSTS = 64

#: Entered around every single HTTP request, its body included, and never around a
#: wait. The argument is the route. A shared concurrency limit plugs in here.
Gate = Callable[[str], AbstractContextManager[object]]


class _QueryRedactor(logging.Filter):
    """Takes the query out of what urllib3 logs: a presigned query is a key."""

    _query = re.compile(r"\?[^\s\"']*")

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                self._query.sub("?…", argument)
                if isinstance(argument, str)
                else argument
                for argument in record.args
            )
        return True


# A filter works on the logger that a line is written to, not on its parents.
for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_QueryRedactor())


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long a call is tried again."""

    max_attempts: int = 5
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    #: Sum of waits and of answers waited for; time spent at the gate is not counted.
    total_s: float = 120.0

    def wait_s(self, attempt: int, hint_s: float | None, jitter: float) -> float:
        """Time before the next attempt; ``jitter`` is in 0…1.

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
        with self._lock:
            self._counts[(route, "fault" if status is None else str(status))] += 1

    @property
    def total(self) -> int:
        with self._lock:
            return sum(self._counts.values())

    def by_route(self) -> dict[str, dict[str, int]]:
        with self._lock:
            routes: dict[str, dict[str, int]] = {}
            for (route, status), count in sorted(self._counts.items()):
                routes.setdefault(route, {})[status] = count
            return routes


class HeaderAuth(AuthBase):
    """Sets headers on a request.

    Passing any such object also keeps requests from reading ``~/.netrc``, which would
    replace our header.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._headers)})"


class NoAuth(AuthBase):
    """Sends no credentials at all, whatever the session or the machine holds."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        for name in ("Authorization", "x-api-key", "Cookie"):
            request.headers.pop(name, None)
        return request


@dataclass(frozen=True)
class Request:
    """A request as the client means it; ``route`` is its name without ids."""

    route: str
    method: str
    url: str = field(repr=False)
    params: Mapping[str, object] | None = field(default=None, repr=False)
    body: Mapping[str, object] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class _Session(requests.Session):
    """Looks for proxies and certificates in the environment once for each host.

    requests does so for every call, which takes a fifth of the call's processor time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[tuple[Any, ...], Any] = {}

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        if proxies:
            return super().merge_environment_settings(
                url, proxies, stream, verify, cert
            )
        key = (*urlsplit(url)[:2], stream, verify, cert)
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= MOST_HOSTS:
                self._found.clear()
            found = super().merge_environment_settings(
                url, proxies, stream, verify, cert
            )
            self._found[key] = found
        return {**found}


def new_session(pool_size: int = 32) -> requests.Session:
    """A session that many threads may share: no cookies, a pool for all of them."""
    session = _Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=8, pool_maxsize=pool_size, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


@dataclass(frozen=True)
class Timeouts:
    connect_s: float = 10.0
    #: The longest silence while reading.
    read_s: float = 60.0
    #: The longest a JSON answer may take in all.
    body_s: float = 120.0


class Transport:
    """Sends requests; knows nothing of the vendor's objects."""

    def __init__(
        self,
        *,
        session: requests.Session | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        gate: Gate | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        user_agent: str = "swing-dashboard",
    ) -> None:
        self._session = new_session() if session is None else session
        self._owns_session = session is None
        self.timeouts = timeouts or Timeouts()
        self.retry = retry or RetryPolicy()
        self._sleep = sleep
        self.monotonic = monotonic
        self.clock = clock
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
        """Send until ``read`` returns, a lasting error comes up or patience ends.

        ``auth`` is asked before each attempt and outside the gate, because it may
        send a request of its own.
        """
        spent_s = 0.0
        attempt = 0
        while True:
            attempt += 1
            credentials = auth()
            with self._gate(request.route):
                started = self.monotonic()
                error, result = self._attempt(request, credentials, read)
                spent_s += self.monotonic() - started
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
                "%s: %s (status %s); attempt %d of %d follows in %.1f s",
                request.route,
                error.code,
                error.status,
                attempt + 1,
                self.retry.max_attempts,
                wait_s,
            )
            self._sleep(wait_s)
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
        started = self.monotonic()
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
                timeout=(self.timeouts.connect_s, self.timeouts.read_s),
                stream=True,
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError, OSError) as fault:
            error = _fault(fault, request)
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
            seconds = self.monotonic() - started
            self._on_exchange(Exchange(request.route, status, seconds, hint))
        return error, result

    # What ``read`` functions are made of.

    def body_chunks(
        self,
        response: requests.Response,
        request: Request,
        *,
        decode: bool,
        max_bytes: int,
        deadline_s: float,
    ) -> Iterator[bytes]:
        """The body in pieces, within a size and a time; a cut body is an error.

        ``read1`` returns what has arrived. Waiting for full pieces would let a server
        that sends a byte now and then hold a worker for hours.
        """
        started = self.monotonic()
        size = 0
        while True:
            fault: Exception | None = None
            chunk = b""
            try:
                chunk = response.raw.read1(CHUNK_BYTES, decode_content=decode)
            except (requests.RequestException, HTTPError, OSError) as caught:
                fault = caught
            if fault is not None:
                raise _fault(fault, request)
            if not chunk:
                return
            size += len(chunk)
            if size > max_bytes:
                raise TooLargeError(
                    f"{request.route}: the answer is larger than the limit of "
                    f"{max_bytes} bytes and was dropped. Raise the limit if files of "
                    "this size are expected.",
                    status=response.status_code,
                )
            if self.monotonic() - started > deadline_s:
                raise UnavailableError(
                    f"{request.route}: the answer was still arriving after "
                    f"{deadline_s:.0f} s and was dropped. It is asked for again later.",
                    status=response.status_code,
                )
            yield chunk

    def read_json(
        self, response: requests.Response, request: Request, *, max_bytes: int
    ) -> object:
        """The JSON of a success; everything else is raised as an error."""
        if not 200 <= response.status_code < 300:
            raise self.status_error(response, request)
        body = b"".join(
            self.body_chunks(
                response,
                request,
                decode=True,
                max_bytes=max_bytes,
                deadline_s=self.timeouts.body_s,
            )
        )
        try:
            return parse_json(body)
        except (ValueError, RecursionError):
            problem = _what_is_it(body, response)
        error = UnexpectedShapeError(
            f"{request.route}: {problem} arrived where JSON was expected (HTTP "
            f"{response.status_code}). Check the address of the vendor's API, and "
            "whether a proxy or login page stands in between.",
            status=response.status_code,
        )
        # Gateways send such pages for a moment with status 200, and an answer that
        # broke off without a length looks like this too: worth asking again.
        error.temporary = True
        raise error

    def status_error(
        self, response: requests.Response, request: Request
    ) -> RebootError:
        """The error for a status that is not a success."""
        status = response.status_code
        route = request.route
        if 300 <= status < 400:
            return UnexpectedStatusError(
                f"{route}: the vendor redirects (HTTP {status}). Set REBOOT_BASE_URL "
                "to the address that it redirects to.",
                status=status,
            )
        if status == 429:
            return RateLimitedError(
                f"{route}: the vendor asks for fewer requests (HTTP 429).",
                status=status,
                retry_after_s=retry_after_s(response, self.clock()),
            )
        if 500 <= status < 600:
            return UnavailableError(
                f"{route}: the vendor's server failed (HTTP {status}).",
                status=status,
                retry_after_s=retry_after_s(response, self.clock()),
            )
        if status == 401:
            return AuthenticationError(
                f"{route}: the vendor refuses our login (HTTP 401). Check "
                "REBOOT_USERNAME and REBOOT_PASSWORD, or REBOOT_API_KEY.",
                status=status,
            )
        if status == 403:
            return ForbiddenError(
                f"{route}: the vendor forbids the request (HTTP 403). Check the key or "
                "login, and that REBOOT_BASE_URL has no path such as /v1.",
                status=status,
            )
        if status == 404:
            return NotFoundError(
                f"{route}: not found (HTTP 404). The object is gone, or "
                "REBOOT_BASE_URL is not the address of the vendor's API.",
                status=status,
            )
        payload = self.error_payload(response, request)
        fields = _fields_named(payload.get("detail"))
        named = f" It names: {', '.join(fields)}." if fields else ""
        return UnexpectedStatusError(
            f"{route}: the vendor answered HTTP {status}, which this program does not "
            f"expect here.{named} Nothing was changed.",
            status=status,
            fields=fields,
        )

    def error_payload(
        self, response: requests.Response, request: Request
    ) -> dict[str, Any]:
        """The object in an error's body; empty when there is none."""
        try:
            body = b"".join(
                self.body_chunks(
                    response,
                    request,
                    decode=True,
                    max_bytes=ERROR_BODY_BYTES,
                    deadline_s=self.timeouts.body_s,
                )
            )
            payload = parse_json(body)
        except (RebootError, ValueError, RecursionError):
            # The status alone decides then; the body only adds to the message.
            return {}
        return payload if isinstance(payload, dict) else {}


def _final(
    error: RebootError, route: str, attempts: int, spent_s: float
) -> RebootError:
    """The last error, saying how often it was tried."""
    told = ""
    if error.retry_after_s is not None:
        told = f" It asks to wait {error.retry_after_s:.0f} s."
    times = "once" if attempts == 1 else f"{attempts} times in {spent_s:.0f} s"
    final = type(error)(
        f"{error.message}{told} Tried {times}; the next run tries again.",
        status=error.status,
        retry_after_s=error.retry_after_s,
        fields=error.fields,
    )
    final.temporary = error.temporary
    return final


def _fault(fault: Exception, request: Request) -> RebootError:
    """What a fault of the connection means, without the library's own words."""
    if isinstance(
        fault,
        requests.exceptions.InvalidURL
        | requests.exceptions.InvalidSchema
        | requests.exceptions.MissingSchema
        | requests.exceptions.InvalidHeader,
    ):
        return ConfigurationError(
            f"{request.route}: the address or a header cannot be used "
            f"({type(fault).__name__}). Check REBOOT_BASE_URL and the credentials."
        )
    host = urlsplit(request.url).hostname or "the vendor"
    if isinstance(fault, requests.exceptions.SSLError):
        what = f"no secure connection to {host} came about"
    elif isinstance(fault, requests.exceptions.ConnectTimeout):
        what = f"{host} could not be reached in time"
    elif isinstance(fault, requests.exceptions.ReadTimeout):
        what = f"{host} did not answer in time"
    elif isinstance(fault, requests.exceptions.ConnectionError):
        what = f"{host} could not be reached or hung up"
    else:
        what = f"the answer of {host} broke off"
    return UnavailableError(f"{request.route}: {what}.")


def retry_after_s(response: requests.Response, now: float) -> float | None:
    """``Retry-After`` as seconds from now, at most a day; None when unreadable."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text, re.ASCII):
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.fromtimestamp(now, UTC)).total_seconds()
    return min(max(0.0, seconds), 86_400.0)


def parse_json(body: bytes) -> Any:
    """JSON as our databases can keep it.

    Python reads NaN and lone surrogates; PostgreSQL refuses both, and NUL besides.
    NaN becomes None, the characters become U+FFFD.
    """
    payload = json.loads(body.decode("utf-8-sig"), parse_constant=lambda name: None)
    if b"\\u" in body:
        return _clean(payload)
    return payload


_unstorable = re.compile("[\x00\ud800-\udfff]")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _unstorable.sub("\ufffd", value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _what_is_it(body: bytes, response: requests.Response) -> str:
    start = body[:512].lstrip().lower()
    if not start:
        return "an empty answer"
    if start.startswith((b"<!doctype html", b"<html")) or (
        start.startswith(b"<")
        and "html" in response.headers.get("Content-Type", "").lower()
    ):
        return "a page of HTML"
    if start.startswith(b"<"):
        return "an XML document"
    if start.startswith((b"{", b"[")):
        return "broken JSON"
    return "something else"


def _fields_named(detail: object) -> tuple[str, ...]:
    """Names of the request fields that a 422 complains about.

    ``detail`` is a list of ``{loc, msg, type}`` or free text (reference, section 3).
    Only short names leave this function: ``msg`` may echo what was sent.
    """
    names: list[str] = []
    if isinstance(detail, list):
        for entry in detail:
            location = entry.get("loc") if isinstance(entry, dict) else None
            if isinstance(location, list) and location:
                name = str(location[-1])
                if re.fullmatch(r"[A-Za-z0-9_]{1,40}", name) and name not in names:
                    names.append(name)
    elif isinstance(detail, str) and re.search(r"\blimit\b", detail):
        names.append("limit")
    return tuple(names[:10])
