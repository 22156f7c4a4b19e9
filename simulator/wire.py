"""Requests and answers, the shapes of the vendor's refusals, and the way to WSGI."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, quote

HTML_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sorry</title></head><body>"
    b"<h1>Something went wrong</h1></body></html>\n"
)
REASONS = {
    200: "OK", 202: "Accepted", 206: "Partial Content", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 416: "Range Not Satisfiable",
    422: "Unprocessable Entity", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}  # fmt: skip


@dataclass
class Response:
    """An answer before it is sent."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: Iterator[bytes] | None = None
    length: int | None = None


def as_json(
    value: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    """Return an answer with a JSON body."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Response(status, text.encode(), headers=list(headers))


def detail(status: int, text: str | list[dict[str, Any]]) -> Response:
    """Return an error in the vendor's shape."""
    return as_json({"detail": text}, status)


def message(status: int, text: str) -> Response:
    """Return an error in the shape of the gateway in front of the API."""
    return as_json({"message": text}, status)


def html(status: int) -> Response:
    """Return an answer that is a web page, as a gateway gives it."""
    return Response(status, HTML_PAGE, "text/html; charset=utf-8")


def storage_error(status: int, code: str, text: str) -> Response:
    """Return an error in the shape of the file storage."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{text}</Message>"
        "<RequestId>SIMULATED</RequestId></Error>"
    )
    return Response(status, body.encode(), "application/xml")


class Refused(Exception):
    """Carries the answer that ends a request early."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def invalid(where: str, name: str, text: str, kind: str) -> dict[str, Any]:
    """Return one entry of a 422: where, what, and of which kind."""
    return {"loc": [where, name], "msg": text, "type": kind}


@dataclass
class Request:
    """A request after it was read."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    origin: str  # scheme and host that the client used
    raw_path: str

    def number(self, name: str) -> int | None:
        """Return a whole number of the query; None without one."""
        if name not in self.query:
            return None
        text = self.query[name][-1]
        try:
            return int(text)
        except ValueError:
            text = "Input should be a valid integer"
            raise Refused(
                detail(422, [invalid("query", name, text, "int_parsing")])
            ) from None

    def text(self, name: str) -> str | None:
        """Return a text of the query; None without one."""
        return self.query[name][-1] if name in self.query else None

    def json_object(self) -> dict[str, Any]:
        """Return the body as an object; answer 422 where it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            error = {"loc": ["body", 0], "msg": "JSON decode error",
                     "type": "json_invalid"}  # fmt: skip
            raise Refused(detail(422, [error])) from None
        if not isinstance(value, dict):
            error = {"loc": ["body"], "msg": "Input should be a valid dictionary",
                     "type": "model_attributes_type"}  # fmt: skip
            raise Refused(detail(422, [error]))
        return value


Handler = Callable[[Request], Response]


def read_request(environ: dict[str, Any]) -> Request:
    """Return the request that a WSGI environment holds."""
    raw = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    # A doubled slash is accepted, as the vendor's own client sends it.
    path = re.sub(r"/{2,}", "/", raw)
    headers = {
        name.removeprefix("HTTP_"): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    host = headers.get("HOST") or (f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    quoted = "/".join(quote(part, safe="") for part in raw.split("/"))
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True),
        headers=headers,
        body=environ["wsgi.input"].read(length),
        origin=f"{environ['wsgi.url_scheme']}://{host}",
        raw_path=quoted,
    )


def scheme(authorization: str | None) -> str | None:
    """Return the word before the secret of an Authorization header."""
    return None if authorization is None else authorization.partition(" ")[0]


class _Result:
    """The body, and a close that the server calls when it has been sent."""

    def __init__(self, pieces: Iterable[bytes], done: Callable[[], None]) -> None:
        self._pieces, self._done = pieces, done

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def close(self) -> None:
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()
        self._done()


def send(
    response: Response, start_response: Callable[..., Any], done: Callable[[], None]
) -> _Result:
    """Send an answer the WSGI way; `done` is called when its last byte is out."""
    length = len(response.body) if response.length is None else response.length
    start_response(
        f"{response.status} {REASONS[response.status]}",
        [
            ("Content-Type", response.content_type),
            ("Content-Length", str(length)),
            *response.headers,
        ],
    )
    return _Result(response.stream or [response.body], done)


def start_of(day: date) -> datetime:
    """Return midnight UTC of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def moment(name: str, text: str, where: str = "query") -> datetime:
    """Return the time that a parameter names; answer 422 where it is none."""
    try:
        if len(text) == 10:
            return start_of(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
    except ValueError:
        error = invalid(
            where, name, "Input should be a valid datetime", "datetime_parsing"
        )
        raise Refused(detail(422, [error])) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
