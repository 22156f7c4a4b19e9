"""Downloading an export file into a file of ours, whole or not at all."""

import hashlib
from functools import partial
from typing import IO
from urllib.parse import urljoin

import requests

from syncing.client.addresses import Addresses
from syncing.client.answers import CHUNK_BYTES
from syncing.client.connections import NoAuth, Request
from syncing.client.errors import (
    ExpiredLinkError,
    RebootError,
    TooLargeError,
    UnavailableError,
    UnexpectedStatusError,
)
from syncing.client.http import Transport
from syncing.client.types import Download

MAX_DOWNLOAD_BYTES = 1024 * 1024 * 1024
#: Redirects of one link that are followed, its first address included.
_MOST_HOPS = 4


class Downloader:
    """Streams export files, without our credentials and from allowed hosts alone."""

    def __init__(self, transport: Transport, addresses: Addresses) -> None:
        self._transport = transport
        self._addresses = addresses

    def download(
        self,
        url: str,
        sink: IO[bytes],
        *,
        max_bytes: int,
        deadline_s: float,
    ) -> Download:
        """Stream an export file into ``sink``, a seekable file opened for writing.

        Our credentials are not sent. The bytes are kept as they come: whether they
        are packed is told by the bytes, not by a header. A cut download starts anew;
        when this raises, the content of ``sink`` is worthless.
        """
        route = "GET export file"
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        for _ in range(_MOST_HOPS):
            self._addresses.check_link(url)
            request = Request(route, "GET", url, headers=headers)
            read = partial(
                self._store,
                request=request,
                sink=sink,
                max_bytes=max_bytes,
                deadline_s=deadline_s,
            )
            outcome = self._transport.send(request, auth=NoAuth, read=read)
            if isinstance(outcome, Download):
                return outcome
            url = urljoin(url, outcome)
        raise UnexpectedStatusError(
            f"{route}: the link redirects again and again. Request the export again.",
            status=302,
        )

    def _store(
        self,
        response: requests.Response,
        request: Request,
        sink: IO[bytes],
        max_bytes: int,
        deadline_s: float,
    ) -> Download | str:
        """Write the body into ``sink``, or return the target of a redirect."""
        status = response.status_code
        location = response.headers.get("Location")
        if status in {301, 302, 303, 307, 308} and location:
            return location
        if status != 200:
            raise self._download_error(response, request)
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > max_bytes:
            raise TooLargeError(
                f"{request.route}: the file has {int(length)} bytes, above the limit "
                f"of {max_bytes}, and was not downloaded. Raise the limit if files of "
                "this size are expected.",
                status=status,
            )
        chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if not length.isdecimal() and not chunked:
            raise UnavailableError(
                f"{request.route}: the answer doesn't give its length, so a file cut "
                "short would look complete. It was not used.",
                status=status,
            )
        sink.seek(0)
        sink.truncate()
        digest = hashlib.sha256()
        size = 0
        for chunk in self._transport.answers.body_chunks(
            response,
            request,
            decode=False,
            max_bytes=max_bytes,
            deadline_s=deadline_s,
        ):
            sink.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        if length.isdecimal() and int(length) != size:
            # An adapter may not check this itself.
            raise UnavailableError(
                f"{request.route}: the download broke off after {size} of "
                f"{int(length)} bytes.",
                status=status,
            )
        sink.flush()
        return Download(
            size=size,
            sha256=digest.hexdigest(),
        )

    def _download_error(
        self, response: requests.Response, request: Request
    ) -> RebootError:
        status = response.status_code
        if status in {400, 401, 403}:
            start = next(
                self._transport.answers.body_chunks(
                    response,
                    request,
                    decode=True,
                    max_bytes=CHUNK_BYTES,
                    deadline_s=self._transport.answers.timeouts.body_s,
                ),
                b"",
            )
            # Storage says 403 to an old link, and 400 to one whose temporary
            # credentials have run out.
            if status != 400 or b"ExpiredToken" in start:
                return ExpiredLinkError(
                    f"{request.route}: the link has expired or is refused (HTTP "
                    f"{status}). Ask for the export again.",
                    status=status,
                )
        if status == 404:
            return ExpiredLinkError(
                f"{request.route}: the file is no longer there (HTTP 404). Ask for "
                "the export again.",
                status=status,
            )
        return self._transport.answers.status_error(response, request)
