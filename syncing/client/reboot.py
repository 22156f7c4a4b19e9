"""The vendor's API as methods that return our dataclasses.

Many threads may share one client. It keeps no state but the token (in a store that
workers can share) and counters.
"""

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Literal, Self, TypeVar
from urllib.parse import quote, urljoin

import requests
from requests.auth import AuthBase

from syncing.client.addresses import DOWNLOAD_HOSTS, Addresses
from syncing.client.connections import HeaderAuth, Request, Timeouts
from syncing.client.downloads import MAX_DOWNLOAD_BYTES, Downloader
from syncing.client.errors import (
    AuthenticationError,
    ForbiddenError,
    ForbiddenHostError,
    UnexpectedShapeError,
    UnexpectedStatusError,
)
from syncing.client.export_replies import read_export_reply, says_no_data
from syncing.client.http import Exchange, Gate, RequestCounter, RetryPolicy, Transport
from syncing.client.login import TokenLogin
from syncing.client.pagination import entry_id, list_from, walk_pages
from syncing.client.tokens import ApiKey, Credentials, MemoryTokenStore, TokenStore
from syncing.client.types import (
    Download,
    ExportReply,
    RebootMovementType,
    RebootPlayer,
    RebootSession,
    parse_movement_type,
    parse_player,
    parse_session,
)
from syncing.clock import Clock

T = TypeVar("T")

#: Called with the error of one unreadable entry of a list; the walk goes on.
OnBadRecord = Callable[[UnexpectedShapeError], None]


MAX_JSON_BYTES = 64 * 1024 * 1024


class RebootClient:
    """Reads the vendor's API: lists, single sessions, export requests and files.

    Files are fetched from ``download_hosts`` and from the API's own origin.
    ``plain_http_hosts`` names hosts (``127.0.0.1`` or ``127.0.0.1:8001``) that may be
    spoken to without TLS and may serve files, for the simulator; all others need
    https. ``gate`` is entered around every HTTP request, ``on_exchange`` is told of
    each one afterward. Waits between tries are those of ``clock``.
    """

    def __init__(
        self,
        *,
        base_url: str,
        credentials: Credentials,
        session: requests.Session | None = None,
        token_store: TokenStore | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        gate: Gate | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        page_limit: int = 100,
        max_pages: int = 10_000,
        download_hosts: Collection[str] = DOWNLOAD_HOSTS,
        plain_http_hosts: Collection[str] = (),
        user_agent: str = "swing-dashboard",
    ) -> None:
        self._addresses = Addresses(
            base_url,
            download_hosts=download_hosts,
            plain_http_hosts=plain_http_hosts,
        )
        self._base_url = self._addresses.base_url
        self._page_limit = page_limit
        self._max_pages = max_pages
        self._transport = Transport(
            session=session,
            timeouts=timeouts,
            retry=retry,
            clock=clock,
            jitter=jitter,
            gate=gate,
            on_exchange=on_exchange,
            user_agent=user_agent,
        )
        self._downloader = Downloader(self._transport, self._addresses)
        self._key_auth: AuthBase | None = None
        self._login: TokenLogin | None = None
        if isinstance(credentials, ApiKey):
            self._key_auth = HeaderAuth({"x-api-key": credentials.key})
        else:
            self._login = TokenLogin(
                self._transport,
                self._base_url,
                credentials,
                MemoryTokenStore() if token_store is None else token_store,
            )

    def close(self) -> None:
        """Close the connections that this client opened."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def requests_sent(self) -> RequestCounter:
        """Every HTTP request of this client by route and status, downloads too."""
        return self._transport.counter

    # Lists

    def players(
        self, *, on_bad_record: OnBadRecord | None = None
    ) -> Iterator[RebootPlayer]:
        """Yield every athlete of the organization once, in the vendor's order."""
        return self._walk(
            "/players", {}, ("players",), "org_player_id", parse_player, on_bad_record
        )

    def sessions(
        self,
        *,
        updated_since: datetime | None = None,
        on_bad_record: OnBadRecord | None = None,
    ) -> Iterator[RebootSession]:
        """Yield the sessions of the organization, or those changed since a time."""
        params: dict[str, object] = {}
        if updated_since is not None:
            params["updated_since"] = _moment_text(updated_since)
        return self._walk(
            "/sessions", params, ("sessions",), "id", parse_session, on_bad_record
        )

    def movement_types(self) -> tuple[RebootMovementType, ...]:
        """Return the kinds of movements that the vendor knows."""
        return tuple(
            parse_movement_type(item, "GET /movement_types")
            for item in self._lookup("/movement_types", ("movement_types",))
        )

    # One object

    def session(self, session_id: str) -> RebootSession:
        """Return one session with those who took part in it (reference 5.3)."""
        route = "GET /session/{id}"
        request = Request(
            route, "GET", f"{self._base_url}/session/{quote(session_id, safe='')}"
        )
        payload = self._json(request)
        if isinstance(payload, dict) and isinstance(payload.get("session"), dict):
            payload = payload["session"]
        session = parse_session(payload, route)
        if session.id != session_id:
            raise UnexpectedShapeError(
                f'{route}: field "id" is not the session requested. '
                "The answer was not used.",
                fields=("id",),
            )
        return session

    # Exports

    def request_export(
        self,
        *,
        session_id: str,
        org_player_id: str,
        movement_type_id: int,
        data_type: str,
        data_format: Literal["parquet", "csv"] = "parquet",
        aggregate: bool = True,
        org_movement_id: str | None = None,
    ) -> ExportReply:
        """Ask for the files of one athlete, session and data type.

        The vendor answers at once as far as anybody knows. Should it ever queue, the
        reply is ``pending``: repeat this call, which changes nothing, or follow
        ``status_url`` with :meth:`export_status`.
        """
        body: dict[str, object] = {
            "session_id": session_id,
            "org_player_id": org_player_id,
            "movement_type_id": movement_type_id,
            "data_type": data_type,
            "data_format": data_format,
            "aggregate": aggregate,
        }
        if org_movement_id is not None:
            body["org_movement_id"] = org_movement_id
        request = Request(
            "POST /data_export", "POST", f"{self._base_url}/data_export", body=body
        )
        return self._export_reply(request)

    def export_status(self, status_url: str) -> ExportReply:
        """Ask at a pending export's own address, if it is at the vendor's API."""
        url = urljoin(f"{self._base_url}/", status_url)
        if not self._addresses.is_own(url):
            raise ForbiddenHostError(
                "GET export status: the address is outside Reboot Motion's API and "
                "was not called, because it would have received our credentials."
            )
        return self._export_reply(Request("GET export status", "GET", url))

    def download(
        self,
        url: str,
        sink: IO[bytes],
        *,
        max_bytes: int = MAX_DOWNLOAD_BYTES,
        deadline_s: float = 900.0,
    ) -> Download:
        """Stream an export file into ``sink``, a seekable file opened for writing.

        Our credentials are not sent. The bytes are kept as they come: whether they
        are packed is told by the bytes, not by a header. A cut download starts anew;
        when this raises, the content of ``sink`` is worthless.
        """
        return self._downloader.download(
            url, sink, max_bytes=max_bytes, deadline_s=deadline_s
        )

    # Below: how the calls are made.

    def _auth(self) -> AuthBase:
        if self._key_auth is not None:
            return self._key_auth
        assert self._login is not None  # noqa: S101 - one of the two is always set
        return self._login.current()

    def _send(self, request: Request, read: Callable[[requests.Response], T]) -> T:
        """Send with credentials; renew a refused token and repeat once.

        Gateways refuse a token that they no longer know with 403, which an object
        that this login may not see answers too: a new token tells them apart.
        """
        used: list[AuthBase] = []

        def auth() -> AuthBase:
            used.append(self._auth())
            return used[-1]

        try:
            return self._transport.send(request, auth=auth, read=read)
        except AuthenticationError as error:
            if self._login is None or error.status not in {401, 403} or not used:
                raise
            if not self._login.renew(used[-1], for_403=error.status == 403):
                raise
        refused: ForbiddenError | None = None
        try:
            return self._transport.send(request, auth=self._auth, read=read)
        except ForbiddenError as error:
            refused = error
        raise ForbiddenError(
            f"{request.route}: Reboot Motion forbids the request (HTTP 403), with a "
            "new "
            "token too. Ask Reboot Motion what this login can see, and check that "
            "REBOOT_BASE_URL has no path such as /v1.",
            status=refused.status,
        )

    def _json(self, request: Request) -> object:
        request = Request(
            request.route,
            request.method,
            request.url,
            request.params,
            request.body,
            {"Accept": "application/json", **request.headers},
        )
        return self._send(
            request,
            lambda response: self._transport.answers.read_json(
                response, request, max_bytes=MAX_JSON_BYTES
            ),
        )

    def _lookup(self, path: str, names: Sequence[str]) -> list[object]:
        route = f"GET {path}"
        payload = self._json(Request(route, "GET", self._base_url + path))
        return list_from(payload, route=route, names=names)

    def _walk(
        self,
        path: str,
        params: Mapping[str, object],
        names: Sequence[str],
        key: str,
        parse: Callable[[object, str], T],
        on_bad_record: OnBadRecord | None,
    ) -> Iterator[T]:
        route = f"GET {path}"

        def fetch(offset: int, limit: int) -> list[object]:
            request = Request(
                route,
                "GET",
                self._base_url + path,
                {**params, "limit": limit, "offset": offset},
            )
            return list_from(self._json(request), route=route, names=names)

        for item in walk_pages(
            fetch,
            route=route,
            key=key,
            limit=self._page_limit,
            max_pages=self._max_pages,
        ):
            try:
                parsed = parse(item, route)
            except UnexpectedShapeError as error:
                if on_bad_record is None:
                    raise
                error.entry_id = entry_id(item, key)
                on_bad_record(error)
            else:
                yield parsed

    def _export_reply(self, request: Request) -> ExportReply:
        def read(response: requests.Response) -> ExportReply:
            status = response.status_code
            wait_s = self._transport.answers.retry_after_s(response)
            location = response.headers.get("Location")
            if status == 303 and location:
                return ExportReply("pending", status_url=location, retry_after_s=wait_s)
            if status == 404 and says_no_data(
                self._transport.answers.error_payload(response, request), request.method
            ):
                return ExportReply("no_data", reason="nothing_found")
            payload = self._transport.answers.read_json(
                response, request, max_bytes=MAX_JSON_BYTES
            )
            return read_export_reply(payload, request.route, status, wait_s, location)

        try:
            return self._send(request, read)
        except UnexpectedStatusError as error:
            if error.status == 422 and error.fields == ("data_type",):
                return ExportReply("no_data", reason="not_offered")
            raise


def _moment_text(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("The time has no zone: pass an aware datetime.")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
