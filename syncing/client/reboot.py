"""The vendor's API as methods that return our dataclasses.

One client may be shared by many threads. It keeps no state but the token (in a store
that workers can share) and counters.
"""

import hashlib
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import IO, Any, Literal, Self, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import requests
from requests.auth import AuthBase

from syncing.client.errors import (
    AuthenticationError,
    ConfigurationError,
    ExpiredLinkError,
    ForbiddenHostError,
    RebootError,
    TooLargeError,
    UnavailableError,
    UnexpectedShapeError,
    UnexpectedStatusError,
)
from syncing.client.http import (
    CHUNK_BYTES,
    Exchange,
    Gate,
    HeaderAuth,
    NoAuth,
    Request,
    RequestCounter,
    RetryPolicy,
    Timeouts,
    Transport,
    retry_after_s,
)
from syncing.client.pagination import list_from, walk_pages
from syncing.client.tokens import (
    ApiKey,
    Credentials,
    MemoryTokenStore,
    PasswordLogin,
    Token,
    TokenStore,
    is_header_safe,
    token_key,
)
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

T = TypeVar("T")

#: Called with the error of one unreadable entry of a list; the walk goes on.
OnBadRecord = Callable[[UnexpectedShapeError], None]

#: Hosts of export links. ``*`` stands for one label of a name.
DOWNLOAD_HOSTS = (
    "reboot-motion-data-exports.s3.amazonaws.com",
    "reboot-motion-data-exports.s3.*.amazonaws.com",
)

#: Words with which a reply says that the export is still being made.
PENDING_WORDS = frozenset(
    {"pending", "queued", "processing", "requested", "running", "in_progress"}
)
FAILED_WORDS = frozenset({"failed", "error", "errored", "cancelled"})
LINK_NAMES = ("download_urls", "download_url", "urls", "url")

MAX_JSON_BYTES = 64 * 1024 * 1024
MAX_DOWNLOAD_BYTES = 1024 * 1024 * 1024
#: Where the vendor names no lifetime, ask again after an hour.
UNKNOWN_TOKEN_LIFE_S = 3600.0
LONGEST_TOKEN_MARGIN_S = 300.0


class RebootClient:
    """Reads the vendor's API.

    Files are fetched from ``download_hosts`` and from the API's own origin.
    ``plain_http_hosts`` names hosts (``127.0.0.1`` or ``127.0.0.1:8001``) that may be
    spoken to without TLS and may serve files, for the simulator; all others need
    https. ``gate`` is entered around every HTTP request, ``on_exchange`` is told of
    each one afterwards.
    """

    def __init__(
        self,
        *,
        base_url: str,
        credentials: Credentials,
        session: requests.Session | None = None,
        token_store: TokenStore | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
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
        self._plain_http_hosts = frozenset(host.lower() for host in plain_http_hosts)
        self._download_hosts = tuple(host.lower() for host in download_hosts)
        self._base_url = self._checked_base_url(base_url)
        self._page_limit = page_limit
        self._max_pages = max_pages
        self._transport = Transport(
            session=session,
            timeouts=timeouts,
            retry=retry,
            sleep=sleep,
            monotonic=monotonic,
            clock=clock,
            jitter=jitter,
            gate=gate,
            on_exchange=on_exchange,
            user_agent=user_agent,
        )
        self._key_auth: AuthBase | None = None
        self._login: _TokenLogin | None = None
        if isinstance(credentials, ApiKey):
            self._key_auth = HeaderAuth({"x-api-key": credentials.key})
        else:
            self._login = _TokenLogin(
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
        """Every athlete of the organisation, each once, in the vendor's order."""
        return self._walk(
            "/players", {}, ("players",), "org_player_id", parse_player, on_bad_record
        )

    def sessions(
        self,
        *,
        updated_since: datetime | None = None,
        on_bad_record: OnBadRecord | None = None,
    ) -> Iterator[RebootSession]:
        """Sessions of the whole organisation; ``players`` is None in this list."""
        params: dict[str, object] = {}
        if updated_since is not None:
            params["updated_since"] = _moment_text(updated_since)
        return self._walk(
            "/sessions", params, ("sessions",), "id", parse_session, on_bad_record
        )

    def movement_types(self) -> tuple[RebootMovementType, ...]:
        return tuple(
            parse_movement_type(item, "GET /movement_types")
            for item in self._lookup("/movement_types", ("movement_types",))
        )

    # One object

    def session(self, session_id: str) -> RebootSession:
        """One session with those who took part (singular path; reference 5.3)."""
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
                f'{route}: field "id" is not the session that was asked for. '
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
        """Ask a pending export's own address; only at the vendor's API."""
        url = urljoin(f"{self._base_url}/", status_url)
        if _origin(url) != _origin(self._base_url):
            raise ForbiddenHostError(
                "GET export status: the address leads away from the vendor's API and "
                "was not called, since it would have received our credentials."
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
        route = "GET export file"
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        for _ in range(4):
            self._check_link(url)
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
            f"{route}: the link redirects again and again. Ask for the export anew.",
            status=302,
        )

    # Below: how the calls are made.

    def _checked_base_url(self, base_url: str) -> str:
        text = base_url.strip().rstrip("/")
        parts = _split(text)
        if parts is None or not parts.hostname or parts.query or parts.fragment:
            raise ConfigurationError(
                "REBOOT_BASE_URL is not an address such as "
                "https://api.rebootmotion.com: correct it."
            )
        if parts.username is not None or parts.password is not None:
            raise ConfigurationError(
                "REBOOT_BASE_URL holds a user name or password: put them into "
                "REBOOT_USERNAME and REBOOT_PASSWORD."
            )
        if parts.scheme == "https" or self._may_be_plain(text):
            return text
        raise ConfigurationError(
            f"REBOOT_BASE_URL must begin with https:// ({parts.hostname} would "
            "receive the password in the clear)."
        )

    def _may_be_plain(self, url: str) -> bool:
        parts = _split(url)
        if parts is None or parts.scheme not in {"http", "https"}:
            return False
        host = (parts.hostname or "").lower()
        return (
            host in self._plain_http_hosts
            or f"{host}:{parts.port}" in self._plain_http_hosts
        )

    def _check_link(self, url: str) -> None:
        parts = _split(url)
        host = "" if parts is None else (parts.hostname or "").lower()
        if (
            parts is not None
            and parts.username is None
            and (self._may_be_plain(url) or _origin(url) == _origin(self._base_url))
        ):
            return
        if (
            parts is not None
            and parts.scheme == "https"
            and parts.username is None
            and parts.port in {None, 443}
            and any(_host_matches(host, pattern) for pattern in self._download_hosts)
        ):
            return
        named = host if host and len(host) < 100 else "an unreadable address"
        raise ForbiddenHostError(
            f"GET export file: the link leads to {named}, which is not on the list of "
            "download hosts (or not over https), and was not followed. If the vendor "
            "has moved its files, add the host to the setting."
        )

    def _auth(self) -> AuthBase:
        if self._key_auth is not None:
            return self._key_auth
        assert self._login is not None  # noqa: S101 - one of the two is always set
        return self._login.current()

    def _send(self, request: Request, read: Callable[[requests.Response], T]) -> T:
        """Send with credentials; on a 401 renew the token and repeat, once."""
        used: list[AuthBase] = []

        def auth() -> AuthBase:
            used.append(self._auth())
            return used[-1]

        try:
            return self._transport.send(request, auth=auth, read=read)
        except AuthenticationError as error:
            if self._login is None or error.status != 401 or not used:
                raise
        self._login.renew(used[-1])
        return self._transport.send(request, auth=self._auth, read=read)

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
            lambda response: self._transport.read_json(
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
                on_bad_record(error)
            else:
                yield parsed

    def _export_reply(self, request: Request) -> ExportReply:
        def read(response: requests.Response) -> ExportReply:
            status = response.status_code
            wait_s = retry_after_s(response, self._transport.clock())
            location = response.headers.get("Location")
            if status == 303 and location:
                return ExportReply("pending", status_url=location, retry_after_s=wait_s)
            if status == 404 and _says_no_data(
                self._transport.error_payload(response, request), request.method
            ):
                return ExportReply("no_data", reason="nothing_found")
            payload = self._transport.read_json(
                response, request, max_bytes=MAX_JSON_BYTES
            )
            return _read_export(payload, request.route, status, wait_s, location)

        try:
            return self._send(request, read)
        except UnexpectedStatusError as error:
            if error.status == 422 and error.fields == ("data_type",):
                return ExportReply("no_data", reason="not_offered")
            raise

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
                f"{request.route}: the answer does not tell its length, so a file that "
                "breaks off would look whole. It was not used.",
                status=status,
            )
        sink.seek(0)
        sink.truncate()
        digest = hashlib.sha256()
        size = 0
        for chunk in self._transport.body_chunks(
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
                self._transport.body_chunks(
                    response,
                    request,
                    decode=True,
                    max_bytes=CHUNK_BYTES,
                    deadline_s=self._transport.timeouts.body_s,
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
        return self._transport.status_error(response, request)


class _TokenLogin:
    """Buys a token with the password and keeps it in the store."""

    def __init__(
        self,
        transport: Transport,
        base_url: str,
        login: PasswordLogin,
        store: TokenStore,
    ) -> None:
        self._transport = transport
        self._url = f"{base_url}/oauth/token"
        self._password_login = login
        self._store = store
        self._key = token_key(base_url, login)

    def current(self) -> AuthBase:
        token = self._fresh()
        if token is None:
            with self._store.lock(self._key):
                token = self._fresh() or self._fetch()
        return _BearerAuth(token.access_token)

    def renew(self, refused: AuthBase) -> None:
        """Replace the token that was refused, unless another worker has done so."""
        with self._store.lock(self._key):
            token = self._fresh()
            if token is None or _BearerAuth(token.access_token) == refused:
                self._fetch()

    def _fresh(self) -> Token | None:
        token = self._store.get(self._key)
        if token is None or token.renew_at <= self._transport.clock():
            return None
        return token

    def _fetch(self) -> Token:
        route = "POST /oauth/token"
        request = Request(
            route,
            "POST",
            self._url,
            body={
                "username": self._password_login.username,
                "password": self._password_login.password,
            },
            headers={"Accept": "application/json"},
        )
        refused = AuthenticationError(
            f"{route}: the vendor refuses the login. Check REBOOT_USERNAME and "
            "REBOOT_PASSWORD.",
        )
        payload: object = None
        try:
            payload = self._transport.send(
                request,
                auth=NoAuth,
                read=lambda response: self._transport.read_json(
                    response, request, max_bytes=CHUNK_BYTES
                ),
            )
        except (AuthenticationError, UnexpectedStatusError) as error:
            # The status of a bad login is not recorded: 400 and 422 are possible.
            if error.status not in {400, 401, 403, 422}:
                raise
            refused.status = error.status
            payload = refused
        if payload is refused:
            raise refused
        token = self._token_from(payload, route)
        self._store.put(self._key, token)
        return token

    def _token_from(self, payload: object, route: str) -> Token:
        access = payload.get("access_token") if isinstance(payload, dict) else None
        if not isinstance(access, str) or not is_header_safe(access):
            raise UnexpectedShapeError(
                f'{route}: field "access_token" is missing or unusable. Check the '
                "address of the vendor's API.",
                fields=("access_token",),
            )
        assert isinstance(payload, dict)  # noqa: S101 - follows from the check above
        life_s = _seconds(payload.get("expires_in")) or UNKNOWN_TOKEN_LIFE_S
        now = self._transport.clock()
        margin_s = min(LONGEST_TOKEN_MARGIN_S, 0.1 * life_s)
        return Token(access, renew_at=now + life_s - margin_s, expires_at=now + life_s)


class _BearerAuth(HeaderAuth):
    def __init__(self, access_token: str) -> None:
        super().__init__({"Authorization": f"Bearer {access_token}"})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BearerAuth) and other._headers == self._headers

    __hash__ = None  # type: ignore[assignment]


def _says_no_data(payload: Mapping[str, Any], method: str) -> bool:
    """Whether a 404 is the vendor's "nothing found" and not a missing route.

    The words are recorded once only ("No data found matching query: …"), so to an
    export request any text counts but the framework's own "Not Found"; a gateway says
    ``message`` instead of ``detail``. A status address may itself be unknown.
    """
    detail = payload.get("detail")
    if not isinstance(detail, str):
        return False
    words = detail.strip().casefold()
    return words.startswith("no data") or (method == "POST" and words != "not found")


def _read_export(
    payload: object, route: str, status: int, wait_s: float | None, location: str | None
) -> ExportReply:
    """Tell ready, pending and empty apart (reference, section 10)."""
    if not isinstance(payload, dict):
        raise UnexpectedShapeError(
            f"{route}: an object was expected and something else arrived. The export "
            "was not used."
        )
    links, named = _links(payload)
    if links:
        return ExportReply("ready", download_urls=links)
    word = payload.get("status")
    word = word.strip().casefold().replace(" ", "_") if isinstance(word, str) else ""
    if word in FAILED_WORDS:
        raise UnavailableError(
            f"{route}: the vendor reports that making the export failed."
        )
    status_url = payload.get("status_url")
    if not isinstance(status_url, str) or not status_url:
        status_url = location
    if (
        status == 202
        or word in PENDING_WORDS
        or status_url
        or any(payload.get(name) for name in ("id", "export_id"))
    ):
        wait_s = wait_s if wait_s is not None else _seconds(payload.get("retry_after"))
        return ExportReply(
            "pending", status_url=status_url or None, retry_after_s=wait_s
        )
    if named:
        return ExportReply("no_data", reason="empty_list")
    found = ", ".join(sorted(str(name)[:40] for name in payload)[:12]) or "nothing"
    raise UnexpectedShapeError(
        f"{route}: the reply has no download links and does not say that it is still "
        f"at work. It holds: {found}.",
        fields=("download_urls",),
    )


def _links(payload: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    """The links of a reply, and whether a place for links was there at all."""
    named = False
    for name in LINK_NAMES:
        if name not in payload:
            continue
        named = True
        value = payload[name]
        if isinstance(value, str) and value:
            return (value,), True
        if isinstance(value, list):
            links = tuple(
                dict.fromkeys(link for link in value if isinstance(link, str) and link)
            )
            if links:
                return links, True
    return (), named


def _seconds(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) and 0 < value < 1e9:
        return float(value)
    if isinstance(value, str) and len(value) < 10 and value.isdecimal():
        return float(value) or None
    return None


def _moment_text(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a point in time needs its zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _split(url: str) -> Any:
    """The parts of an address; None when it cannot be taken apart."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = _split(url)
    if parts is None:
        return ("", "", None)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return (parts.scheme, (parts.hostname or "").lower(), port)


def _host_matches(host: str, pattern: str) -> bool:
    labels, wanted = host.split("."), pattern.split(".")
    return len(labels) == len(wanted) and all(
        want in {"*", label} for label, want in zip(labels, wanted, strict=True)
    )
