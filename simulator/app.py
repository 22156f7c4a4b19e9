"""The vendor's API as a WSGI application, with the data of ``data.World`` behind it.

One idea, though long: each of the vendor's routes and what it answers.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import math
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from simulator import population
from simulator.control import CONTROL_PREFIX, Control
from simulator.corrections import NotInData
from simulator.data import REFUSED, World
from simulator.exports import BUCKET_PREFIX, Exports
from simulator.faults import FaultPlan, Faults
from simulator.population import Session
from simulator.requestlog import Entry, RequestLog
from simulator.scenarios import Scenario
from simulator.wire import (
    Handler,
    Refused,
    Request,
    Response,
    as_json,
    detail,
    html,
    invalid,
    message,
    moment,
    read_request,
    scheme,
    send,
    start_of,
    storage_error,
)

CUT_KEY = "simulator.cut"
CUT_BEFORE, CUT_HEADERS, CUT_BODY = "before", "headers", "body"
UPLOAD_PREFIX = "/uploads-bucket"
DEFAULT_PAGE = 100
TOKEN_LIFE_S = 86_400.0


@dataclass(frozen=True)
class Config:
    """Size, behavior and credentials of one simulator."""

    players: int = 137
    sessions: int = 60
    swings: int = 5
    seed: int = 1
    scenario: str = ""
    rate_hz: float = 240.0
    duration_s: float = 2.4
    noise_mm: float = 0.0
    templates: int = 0
    day_scatter: float = 0.0
    last_day: date | None = None
    stories: bool = False
    latency_ms: float = 0.0
    username: str = "demo-user"
    password: str = "demo-password"
    api_key: str = "demo-api-key"
    faults: FaultPlan = field(default_factory=FaultPlan)


class SimulatorApp:
    """WSGI application. ``world``, ``log``, ``scenario`` and ``faults`` are open."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.scenario = Scenario.parse(config.scenario)
        self.world = World(
            population.Shape(
                players=config.players,
                sessions=config.sessions,
                swings=config.swings,
                seed=config.seed,
                rate_hz=config.rate_hz,
                duration_s=config.duration_s,
                templates=config.templates,
                plain="plain" in self.scenario,
                day_scatter=config.day_scatter,
                last_day=config.last_day,
                stories=config.stories,
            )
        )
        self.faults = Faults(config.faults)
        self.log = RequestLog()
        self.latency_s = config.latency_ms / 1000
        self.control = Control(self)
        self._tokens: dict[str, datetime] = {}
        #: By path: how many entries went from the list's start to its end.
        self._moves: Counter[str] = Counter()
        self._refresh: set[str] = set()
        self.exports = Exports(self)

    # Switches at run time

    def set_scenario(self, text: str) -> None:
        """Switch to the scenarios of a text such as `token-life=2,no-data`."""
        scenario = Scenario.parse(text)
        if ("plain" in scenario) != ("plain" in self.scenario):
            raise ValueError(
                "The scenario 'plain' can only be set at startup: restart the "
                "simulator with it."
            )
        self.scenario = scenario
        self._moves.clear()
        self.exports.forget_polls()

    def set_faults(self, plan: FaultPlan) -> None:
        """Begin a new plan of random faults."""
        self.faults = Faults(plan)

    def revoke_tokens(self) -> None:
        """Make all access tokens invalid; refresh tokens stay."""
        self._tokens.clear()

    def close(self) -> None:
        """Delete the export files that were built."""
        self.exports.cache.close()

    # WSGI

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one WSGI request."""
        request = read_request(environ)
        route, handler = self._find(request)
        if route == "control":
            return send(self._guarded(handler, request), start_response, lambda: None)
        entry = Entry(
            number=0,
            method=request.method,
            path=request.path,
            query="" if route == "download" else environ.get("QUERY_STRING", ""),
            route=route,
            started_at=time.monotonic(),
            authorization=scheme(request.headers.get("AUTHORIZATION")),
            api_key="X_API_KEY" in request.headers,
            body=request.body.decode(errors="replace")
            if route == "data_export"
            else None,
        )
        self.log.begin(entry)
        self.control.work_off(entry.number)
        try:
            if self.latency_s:
                time.sleep(self.latency_s)
            response = self._with_fault(environ, request, route, handler, entry)
            entry.status = response.status
        except BaseException:
            self.log.end(entry)
            raise
        return send(response, start_response, lambda: self.log.end(entry))

    def _with_fault(
        self,
        environ: dict[str, Any],
        request: Request,
        route: str,
        handler: Handler,
        entry: Entry,
    ) -> Response:
        what = f"{request.method} {request.path}"
        if route != "download":
            body = hashlib.sha256(request.body).hexdigest() if request.body else ""
            what += f" {environ.get('QUERY_STRING', '')} {body}"
        faults = self.faults
        kind = faults.draw(route, what)
        entry.fault = kind
        retry_after = [("Retry-After", str(faults.plan.retry_after_s))]
        if kind == "429":
            return as_json({"message": "Too Many Requests"}, 429, retry_after)
        if kind == "503":
            return as_json({"message": "Service Unavailable"}, 503, retry_after)
        if kind in ("500", "502"):
            return html(int(kind))
        if kind == "html-200":
            return html(200)
        if kind == "expired-token":
            return detail(401, "Token has expired")
        if kind == "expired-link":
            return storage_error(403, "AccessDenied", "Request has expired")
        if kind == "slow":
            time.sleep(faults.plan.slow_s)
        response = self._guarded(handler, request)
        if kind == "cut-before":
            environ[CUT_KEY] = CUT_BEFORE
        elif kind == "cut-headers":
            environ[CUT_KEY] = CUT_HEADERS
        elif kind == "cut-body":
            environ[CUT_KEY] = CUT_BODY
        elif kind == "truncated" and response.stream is not None:
            whole = b"".join(response.stream)
            half = whole[: len(whole) * 2 // 3]
            response = replace(response, stream=None, length=None, body=half)
        return response

    def _guarded(self, handler: Handler, request: Request) -> Response:
        try:
            return handler(request)
        except Refused as refusal:
            return refusal.response

    def _find(self, request: Request) -> tuple[str, Handler]:
        path, method = request.path, request.method
        if path.startswith(CONTROL_PREFIX + "/"):
            return "control", self.control.handle
        if path.startswith(BUCKET_PREFIX + "/"):
            return "download", self.exports.download
        if path.startswith(UPLOAD_PREFIX + "/"):
            return "upload", self.upload
        if path == "/v1" or path.startswith("/v1/"):
            return "unknown", lambda _: message(403, "Forbidden")
        session_id = re.fullmatch(r"/session/([^/]+)", path)
        if session_id is None and "session-plural" in self.scenario:
            session_id = re.fullmatch(r"/sessions/([^/]+)", path)
        if session_id is not None:
            wanted = session_id[1]
            return self._method(
                "session", request, {"GET": lambda r: self.session(r, wanted)}
            )
        export_id = re.fullmatch(r"/data_export/([^/]+)", path)
        if export_id is not None and "export-location" in self.scenario:
            wanted = export_id[1]
            return self._method(
                "data_export", request, {"GET": lambda r: self.exports.poll(r, wanted)}
            )
        table: dict[str, tuple[str, dict[str, Handler]]] = {
            "/oauth/token": ("token", {"POST": self.token}),
            "/players": (
                "players",
                {"GET": self.players, "POST": self.create_player},
            ),
            "/sessions": ("sessions", {"GET": self.sessions}),
            "/movement_types": ("lookups", {"GET": self.movement_types}),
            "/mocap_types": ("lookups", {"GET": self.mocap_types}),
            "/data_export": ("data_export", {"POST": self.exports.data_export}),
            "/processed_data": ("other", {"GET": self.processed_data}),
            "/reports": ("other", {"GET": self.reports}),
            "/mocap_session": ("other", {"POST": self.mocap_session}),
            "/mocap_session_file": ("other", {"POST": self.mocap_session_file}),
            "/player_group_segments": ("other", {"POST": self.group_segments}),
            "/requested_analyses": ("other", {"POST": self.requested_analyses}),
        }
        if path not in table:
            return "unknown", lambda _: detail(404, "Not Found")
        route, handlers = table[path]
        if method == "POST" and path == "/oauth/token":
            return route, self.token
        return self._method(route, request, handlers)

    def _method(
        self, route: str, request: Request, handlers: dict[str, Handler]
    ) -> tuple[str, Handler]:
        handler = handlers.get(request.method)
        if handler is None:
            allowed = [("Allow", ", ".join(handlers))]
            return route, lambda _: as_json(
                {"detail": "Method Not Allowed"}, 405, allowed
            )

        def checked(request: Request) -> Response:
            self._authorize(request)
            return handler(request)

        return route, checked

    # Access

    def _authorize(self, request: Request) -> None:
        given = request.headers.get("AUTHORIZATION")
        if given is not None:
            scheme, _, token = given.partition(" ")
            if scheme.lower() != "bearer":
                raise Refused(detail(401, "Not authenticated"))
            if token == self.config.api_key:
                raise Refused(message(403, "Forbidden"))
            expires = self._tokens.get(token)
            if expires is not None and expires > self.world.now():
                return
            if "bad-token-403" in self.scenario:
                raise Refused(message(403, "Forbidden"))
            if expires is None:
                raise Refused(detail(401, "Could not validate credentials"))
            raise Refused(detail(401, "Token has expired"))
        key = request.headers.get("X_API_KEY")
        if key is None:
            raise Refused(detail(401, "Not authenticated"))
        if "no-api-key" in self.scenario or not hmac.compare_digest(
            key.encode(), self.config.api_key.encode()
        ):
            raise Refused(message(403, "Forbidden"))

    def token(self, request: Request) -> Response:
        """Answer a login or a refresh with a new access token."""
        given = request.json_object()
        if given.get("grant_type") == "refresh_token":
            if given.get("refresh_token") not in self._refresh:
                return detail(401, "Invalid refresh token")
            return self._new_token()
        missing = [
            invalid("body", name, "Field required", "missing")
            for name in ("username", "password")
            if name not in given
        ]
        if missing:
            return detail(422, missing)
        if (given["username"], given["password"]) != (
            self.config.username,
            self.config.password,
        ):
            return detail(401, "Incorrect username or password")
        return self._new_token()

    def _new_token(self) -> Response:
        life = self.scenario.value("token-life", TOKEN_LIFE_S)
        token, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        now = self.world.now()
        if len(self._tokens) > 10_000:
            self._tokens = {t: e for t, e in self._tokens.items() if e > now}
        self._tokens[token] = now + timedelta(seconds=life)
        self._refresh.add(refresh)
        return as_json(
            {
                "access_token": token,
                "refresh_token": refresh,
                "token_type": "Bearer",
                "expires_in": math.floor(life),
            }
        )

    # Lists

    def _page(self, request: Request, records: list[Any]) -> list[Any]:
        limit, offset = request.number("limit"), request.number("offset")
        for name, value, least in (("limit", limit, 1), ("offset", offset, 0)):
            if value is not None and value < least:
                text = f"Input should be greater than or equal to {least}"
                raise Refused(
                    detail(422, [invalid("query", name, text, "greater_than_equal")])
                )
        if "lists-cut" in self.scenario:
            records = records[: int(self.scenario.value("lists-cut", 0))]
        size = DEFAULT_PAGE if limit is None else limit
        if "limit-rejected" in self.scenario:
            most = int(self.scenario.value("limit-rejected", 100))
            if size > most:
                text = f"Input should be less than or equal to {most}"
                raise Refused(
                    detail(422, [invalid("query", "limit", text, "less_than_equal")])
                )
        if "limit-clamped" in self.scenario:
            size = min(size, int(self.scenario.value("limit-clamped", 50)))
        start = 0 if "offset-ignored" in self.scenario else offset or 0
        if "list-moves" in self.scenario:
            moved = self._moves[request.path] % max(1, len(records))
            records = records[moved:] + records[:moved]
            if start == 0 and self._moves[request.path] < self.scenario.value(
                "list-moves", 1
            ):
                self._moves[request.path] += 1
        return records[start : start + size]

    def _listed(self, name: str, records: list[Any]) -> Response:
        return as_json({name: records} if "wrapped" in self.scenario else records)

    def players(self, request: Request) -> Response:
        """Answer one page of the athletes."""
        chosen = self._page(request, self.world.listed_athletes())
        records = [athlete.record() for athlete in chosen]
        if "missing-fields" in self.scenario:
            for record in records:
                for name in ("date_of_birth", "attributes", "created_at", "updated_at"):
                    del record[name]
        return self._listed("players", records)

    def create_player(self, request: Request) -> Response:
        """Add an athlete and answer with their record."""
        given = request.json_object()
        missing = [
            invalid("body", name, "Field required", "missing")
            for name in ("first_name", "last_name")
            if name not in given
        ]
        if missing:
            return detail(422, missing)
        org_player_id = self.world.add_player(
            str(given["first_name"]),
            str(given["last_name"]),
            given.get("date_of_birth"),
            given.get("attributes") or [],
        )
        return as_json(self.world.athlete(org_player_id).record())

    def sessions(self, request: Request) -> Response:
        """Answer one page of the sessions that the filters keep."""
        keep = self._session_filter(request)
        chosen = [s for s in self.world.listed_sessions() if keep(s)]
        page = self._page(request, chosen)
        return self._listed("sessions", [self._session_record(s) for s in page])

    def _session_filter(self, request: Request) -> Callable[[Session], bool]:
        """The vendor's query names; others are ignored."""
        query = request.query

        def wanted(name: str, text: str) -> datetime:
            found = moment(name, text)
            # A session has a day and no hour.
            by_day = name.startswith("session_date")
            return start_of(found.date()) if by_day else found

        since = {
            name: wanted(name, query[name][-1])
            for name in ("created_since", "updated_since", "session_date_since")
            if name in query
        }
        among = {
            name: {wanted(name, text) for text in query[name]}
            for name in ("created_at", "updated_at", "session_date", "session_date_in")
            if name in query
        }
        numbers = {
            name: request.number(name)
            for name in ("session_num", "session_type_id", "mocap_type_id")
            if name in query
        }
        players = set(query.get("org_player_ids", ()))
        if "comma-player-ids" in self.scenario:
            players = {part for text in players for part in text.split(",")}
        status = request.text("status")

        def keep(session: Session) -> bool:
            day = start_of(session.session_date)
            values = {
                "created": session.created_at,
                "updated": session.updated_at,
                "session_date": day,
            }
            facts = {
                "session_num": session.session_num,
                "session_type_id": session.session_type_id,
                "mocap_type_id": self.mocap_type()["id"],
            }
            return (
                all(
                    values[name.removesuffix("_since")] >= moment
                    for name, moment in since.items()
                )
                and all(
                    values[re.sub("_at$|_in$", "", name)] in moments
                    for name, moments in among.items()
                )
                and all(facts[name] == number for name, number in numbers.items())
                and (status is None or session.status == status)
                and (not players or bool(players & set(session.athletes)))
                # No session here is an official game.
                and "official_game_ids" not in query
            )

        return keep

    def mocap_type(self) -> dict[str, Any]:
        """Return the motion-capture system of all sessions."""
        wanted = "hawkeyehfr" if "hawkeye" in self.scenario else "rebootmotion"
        return next(m for m in population.MOCAP_TYPES if m["slug"] == wanted)

    def _session_record(self, session: Session) -> dict[str, Any]:
        total = session.swings + (2 if session.extras else 0)
        count = total * len(session.athletes)
        done = count if session.status == "processed" else 0
        when: str = session.session_date.isoformat()
        if "iso-dates" in self.scenario:
            when += "T00:00:00Z"
        as_text = "string-session-num" in self.scenario
        record: dict[str, Any] = {
            "id": session.id,
            "session_date": when,
            "session_num": str(session.session_num) if as_text else session.session_num,
            "session_name": None,
            "status": session.status,
            "session_type": population.SESSION_TYPES[session.session_type_id],
            "mocap_type": self.mocap_type(),
            "movement_type": None,
            "participant_ids": [],
            "num_players": len(session.athletes),
            "num_movements": count,
            "completed_movements": done,
            "total_movements": {session.slug: count},
            "created_at": population.stamp(session.created_at),
            "updated_at": population.stamp(session.updated_at),
        }
        if "missing-fields" in self.scenario:
            for name in ("session_name", "session_type", "mocap_type", "movement_type",
                         "total_movements", "num_players", "num_movements",
                         "completed_movements", "created_at"):  # fmt: skip
                del record[name]
        return record | copy.deepcopy(session.said)

    def session(self, request: Request, session_id: str) -> Response:
        """Answer one session with its athletes."""
        try:
            session = self.world.session(session_id)
        except NotInData:
            return detail(404, "Session not found")
        if session.damage == REFUSED:
            return message(403, "Forbidden")
        record = self._session_record(session)
        record["players"] = []
        for org_player_id in session.athletes:
            try:
                record["players"].append(self.world.athlete(org_player_id).brief())
            except NotInData:
                continue  # an athlete who was removed from the organization
        return as_json(record)

    def movement_types(self, request: Request) -> Response:
        """Answer the kinds of movement."""
        return self._listed("movement_types", list(population.MOVEMENT_TYPES))

    def mocap_types(self, request: Request) -> Response:
        """Answer the motion-capture systems."""
        return self._listed("mocap_types", list(population.MOCAP_TYPES))

    # The rest of the API, in outline

    def processed_data(self, request: Request) -> Response:
        """Answer 404, as the vendor does for sessions of its newer pipeline."""
        return detail(
            404,
            "This session was processed by Pipeline v2. Its data is in the "
            "inverse-kinematics and momentum-energy folders; use /data_export.",
        )

    def reports(self, request: Request) -> Response:
        """Answer an empty report for each movement type that was asked for."""
        slugs = {item["slug"] for item in population.MOVEMENT_TYPES}
        wrong = [t for t in request.query.get("movement_types", []) if t not in slugs]
        if wrong:
            return detail(400, f"Unsupported movement types: {wrong}")
        return as_json([])

    def mocap_session(self, request: Request) -> Response:
        """Answer the beginning of an upload."""
        given = request.json_object()
        missing = [
            invalid("body", name, "Field required", "missing")
            for name in ("mocap_type_id", "session_date", "session_type_id")
            if name not in given
        ]
        if missing:
            return detail(422, missing)
        day = moment("session_date", str(given["session_date"]), "body")
        players = [given["org_player_id"]] if given.get("org_player_id") else []
        try:
            session_id = self.world.add_session(
                players, status="pending", session_date=day.date().isoformat()
            )
        except NotInData:
            return detail(400, "org_player_id not valid")
        return as_json(self._session_record(self.world.session(session_id)))

    def mocap_session_file(self, request: Request) -> Response:
        """Answer the addresses to which files of an upload go."""
        given = request.json_object()
        missing = [
            invalid("body", name, "Field required", "missing")
            for name in ("session_id", "filenames")
            if name not in given
        ]
        if missing:
            return detail(422, missing)
        try:
            self.world.session(str(given["session_id"]))
            if given.get("org_player_id"):
                self.world.athlete(str(given["org_player_id"]))
        except NotInData:
            return detail(400, "org_player_id or session_id not valid")
        base = f"{request.origin}{UPLOAD_PREFIX}/{given['session_id']}"
        links = {
            str(name): f"{base}/{quote(str(name), safe='')}?X-Amz-Signature=simulated"
            for name in given["filenames"]
        }
        return as_json(links)

    def upload(self, request: Request) -> Response:
        """Take the bytes of an uploaded file and forget them."""
        if request.method != "PUT":
            return storage_error(403, "SignatureDoesNotMatch", "Signed for PUT")
        return Response(200, content_type="text/plain")

    def group_segments(self, request: Request) -> Response:
        """Answer how many movements a group would hold."""
        given = request.json_object()
        ids = given.get("org_movement_ids") or given.get("external_context_ids") or []
        return as_json(
            {"analysis_segment_id": 1, "num_players": 1, "num_movements": len(ids)}
        )

    def requested_analyses(self, request: Request) -> Response:
        """Answer that an analysis was ordered."""
        return as_json({"id": 1, **request.json_object()})
