"""Reading the vendor's answers: bodies within limits, JSON, and errors by status."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from syncing.client.connections import Request, Timeouts
from syncing.client.errors import (
    AuthenticationError,
    ConfigurationError,
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    RebootError,
    SlowAnswerError,
    TooLargeError,
    UnavailableError,
    UnexpectedShapeError,
    UnexpectedStatusError,
)
from syncing.clock import Clock, ClockInUse

CHUNK_BYTES = 256 * 1024
ERROR_BODY_BYTES = 64 * 1024
#: What a gateway answers when the server behind it did not, or not in time.
GATEWAY_STATUSES = frozenset({502, 503, 504})


class AnswerReader:
    """Reads the bodies of answers within limits of size and time."""

    def __init__(
        self,
        *,
        timeouts: Timeouts | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self._clock = clock or ClockInUse()

    def body_chunks(
        self,
        response: requests.Response,
        request: Request,
        *,
        decode: bool,
        max_bytes: int,
        deadline_s: float,
    ) -> Iterator[bytes]:
        """Yield the body in pieces, within a size and a time; a cut body is an error.

        ``read1`` returns what has arrived. Waiting for full pieces would let a server
        that sends a byte now and then hold a worker for hours.
        """
        started = self._clock.monotonic()
        size = 0
        while True:
            fault: Exception | None = None
            chunk = b""
            try:
                chunk = response.raw.read1(CHUNK_BYTES, decode_content=decode)
            except (requests.RequestException, HTTPError, OSError) as caught:
                fault = caught
            if fault is not None:
                raise fault_of(fault, request)
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
            if self._clock.monotonic() - started > deadline_s:
                raise UnavailableError(
                    f"{request.route}: the answer was still arriving after "
                    f"{deadline_s:.0f} s and was dropped. It is requested again later.",
                    status=response.status_code,
                )
            yield chunk

    def read_json(
        self, response: requests.Response, request: Request, *, max_bytes: int
    ) -> object:
        """Return the JSON of a successful answer; raise an error for another one."""
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
            f"{response.status_code}). Check the address of Reboot Motion's API, and "
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
        """Return the error for an answer whose status is not a success."""
        status = response.status_code
        route = request.route
        if 300 <= status < 400:
            return UnexpectedStatusError(
                f"{route}: Reboot Motion redirects (HTTP {status}). Set "
                "REBOOT_BASE_URL "
                "to the address that it redirects to.",
                status=status,
            )
        if status == 429:
            return RateLimitedError(
                f"{route}: Reboot Motion asks for fewer requests (HTTP 429).",
                status=status,
                retry_after_s=self.retry_after_s(response),
            )
        if 500 <= status < 600:
            kind = SlowAnswerError if status in GATEWAY_STATUSES else UnavailableError
            return kind(
                f"{route}: Reboot Motion's server failed (HTTP {status}).",
                status=status,
                retry_after_s=self.retry_after_s(response),
            )
        if status == 401:
            return AuthenticationError(
                f"{route}: Reboot Motion refuses our login (HTTP 401). Check "
                "REBOOT_USERNAME and REBOOT_PASSWORD, or REBOOT_API_KEY.",
                status=status,
            )
        if status == 403:
            return ForbiddenError(
                f"{route}: Reboot Motion forbids the request (HTTP 403). Check the key "
                "or "
                "login, and that REBOOT_BASE_URL has no path such as /v1.",
                status=status,
            )
        if status == 404:
            return NotFoundError(
                f"{route}: not found (HTTP 404). The object is gone, or "
                "REBOOT_BASE_URL is not the address of Reboot Motion's API.",
                status=status,
            )
        payload = self.error_payload(response, request)
        fields = _fields_named(payload.get("detail"))
        named = f" It names: {', '.join(fields)}." if fields else ""
        return UnexpectedStatusError(
            f"{route}: Reboot Motion answered HTTP {status}, which this program does "
            "not "
            f"expect here.{named} Nothing was changed.",
            status=status,
            fields=fields,
        )

    def error_payload(
        self, response: requests.Response, request: Request
    ) -> dict[str, Any]:
        """Return the JSON object in an error's body; empty when there is none.

        A body that broke off raises: "no data" and an unknown address, or the field
        that is refused, differ by what would have followed.
        """
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
        except (TooLargeError, ValueError, RecursionError):
            # The status alone decides then.
            return {}
        return payload if isinstance(payload, dict) else {}

    def retry_after_s(self, response: requests.Response) -> float | None:
        """Return the answer's ``Retry-After`` in seconds; None when it has none."""
        return retry_after_s(response, self._clock.time())


def fault_of(fault: Exception, request: Request) -> RebootError:
    """Return the error for a failed connection, without the library's own words."""
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
    host = urlsplit(request.url).hostname or "Reboot Motion"
    if isinstance(fault, requests.exceptions.SSLError):
        what = f"a secure connection to {host} could not be made"
    elif isinstance(fault, requests.exceptions.ConnectTimeout):
        what = f"{host} could not be reached in time"
    elif isinstance(fault, requests.exceptions.ReadTimeout):
        return SlowAnswerError(f"{request.route}: {host} did not answer in time.")
    elif isinstance(fault, requests.exceptions.ConnectionError):
        what = f"{host} could not be reached or closed the connection"
    else:
        what = f"the answer from {host} was cut off"
    return UnavailableError(f"{request.route}: {what}.")


def retry_after_s(response: requests.Response, now: float) -> float | None:
    """Return ``Retry-After`` in seconds from now, at most a day; None if unreadable."""
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
    """Return JSON as both databases can keep it: without NaN and lone surrogates.

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
        return "an HTML page"
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


def positive_seconds(value: object) -> float | None:
    """Return seconds above zero from a number or digits; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) and 0 < value < 1e9:
        return float(value)
    if isinstance(value, str) and len(value) < 10 and value.isdecimal():
        return float(value) or None
    return None
