"""Parts of a file over HTTP: the Range and If-Range headers (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from accounts.api import problem

_PIECE = 1 << 18
_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", re.ASCII | re.IGNORECASE)
#: More digits than any place in a file has.
_MANY_DIGITS = 18


def _pieces(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (piece := file.read(min(_PIECE, length))):
            length -= len(piece)
            yield piece


def wanted_part(header: str, size: int) -> tuple[int, int] | None:
    """The first byte and the number of bytes that a Range header asks for.

    None when the whole is to be sent: for no range, for several, and for what cannot
    be understood. A length of 0: nothing of the file lies there.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = (_place(text) for text in found.groups())
    if not first:
        length = min(int(last), size)
        return size - length, length
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    return (start, end - start + 1) if start < size else (0, 0)


def _place(text: str) -> str:
    """The number without leading zeros; one behind every file where it is longer."""
    text = text.lstrip("0") or text[:1]
    return "9" * _MANY_DIGITS if len(text) > _MANY_DIGITS else text


def send_file(
    request: HttpRequest, path: Path, *, etag: str, content_type: str
) -> HttpResponseBase:
    """The file, or the part of it that is asked for: 200, 206 or 416."""
    size = path.stat().st_size
    part = None
    # Of a HEAD, which is answered as a GET, the range means nothing (RFC 9110, 14.2). A
    # part of another version would not fit those that the program has.
    is_get = request.META["REQUEST_METHOD"] == "GET"
    if is_get and request.headers.get("If-Range", etag) == etag:
        part = wanted_part(request.headers.get("Range", ""), size)
    if part is not None and not part[1]:
        refused: HttpResponse = problem(416, f"The file has {size:,} bytes.")
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    start, length = part or (0, size)
    answer = StreamingHttpResponse(
        _pieces(path, start, length),
        content_type=content_type,
        status=200 if part is None else 206,
    )
    if part is not None:
        answer["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    answer["Content-Length"] = str(length)
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = etag
    return answer
