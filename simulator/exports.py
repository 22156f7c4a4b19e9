"""``/data_export`` and the presigned links that it answers with."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlencode

from simulator import files, population
from simulator.corrections import NotInData
from simulator.data import REFUSED
from simulator.population import Session
from simulator.wire import (
    Refused,
    Request,
    Response,
    as_json,
    detail,
    html,
    invalid,
    message,
    storage_error,
)
from simulator.words import words

if TYPE_CHECKING:
    from simulator.app import SimulatorApp

BUCKET_PREFIX = "/exports-bucket"
LINK_LIFE_S = 3600.0
METRICS = "hitting-processed-metrics"
DATA_TYPES = ("inverse-kinematics", "momentum-energy", "metadata", METRICS)
FRAMES = DATA_TYPES[:2]
# Names that the vendor knows and this organization has no data for.
OTHER_DATA_TYPES = words(
    "hitting-processed-series hitting-lite-processed-metrics "
    "hitting-lite-processed-series metrics ik-at-time-points "
    "metrics-baseball-pitching metrics-baseball-hitting "
    "metrics-baseball-pitching-v1-0-0 metrics-baseball-hitting-v1-0-0 "
    "metrics-baseball-pitching-v2-0-0 metrics-baseball-hitting-v2-0-0"
)
SHORT_TYPE = {
    "inverse-kinematics": "ik",
    "momentum-energy": "me",
    "metadata": "metadata",
    METRICS: "m",
}


class Exports:
    """Export requests, links and downloads of one simulator."""

    def __init__(self, app: SimulatorApp) -> None:
        self.app = app
        self.cache = files.BodyCache()
        self._polls: Counter[str] = Counter()
        self._export_ids: dict[str, dict[str, Any]] = {}
        secret = f"links {app.config.seed}".encode()
        self._link_secret = hashlib.sha256(secret).digest()

    def forget_polls(self) -> None:
        """Let every export begin to be prepared again."""
        self._polls.clear()

    def data_export(self, request: Request) -> Response:
        """Answer an order of files: links, not ready yet, or no data."""
        given = request.json_object()
        query = _export_query(given)
        if query["data_type"] not in (*DATA_TYPES, *OTHER_DATA_TYPES):
            text = "Input should be one of the data types"
            return detail(422, [invalid("body", "data_type", text, "enum")])
        if query["data_type"] == METRICS and "metrics-refused" in self.app.scenario:
            return _refusal(int(self.app.scenario.value("metrics-refused", 422)))
        if not self._numbers(query):
            return detail(404, f"No data found matching query: {query}")
        if self.app.world.session(query["session_id"]).damage == REFUSED:
            return message(403, "Forbidden")
        if (
            "export-times-out" in self.app.scenario
            and query["data_type"] in FRAMES
            and len(self._numbers(query)) > 1
        ):
            return html(504)
        waiting = self._waiting(request, query)
        return waiting or as_json(self._export_answer(request, query))

    def _numbers(self, query: dict[str, Any]) -> list[int]:
        """Places of the movements asked for; empty for no data."""
        slug = population.SLUG_OF_TYPE.get(query["movement_type_id"])
        if query["data_type"] not in DATA_TYPES or slug is None:
            return []
        if query["data_type"] == METRICS and "metrics-no-data" in self.app.scenario:
            return []
        if query["data_type"] == "momentum-energy" and "no-energy" in self.app.scenario:
            return []
        try:
            session = self.app.world.session(query["session_id"])
        except NotInData:
            return []
        org_player_id = query["org_player_id"]
        if not self.app.world.has_data(session, org_player_id, slug):
            return []
        movements = self.app.world.movements(session, org_player_id)
        wanted = query.get("org_movement_id")
        if wanted is None or "no-movement-filter" in self.app.scenario:
            return list(range(len(movements)))
        return [i for i, m in enumerate(movements) if m.org_movement_id == wanted]

    def _waiting(self, request: Request, query: dict[str, Any]) -> Response | None:
        """The answer of an export that is not ready, under the polled switches."""
        switch = next(
            (
                name
                for name in ("export-polled", "export-status", "export-location")
                if name in self.app.scenario
            ),
            None,
        )
        if switch is None:
            return None
        session = self.app.world.session(query["session_id"])
        text = json.dumps([query, session.revision], sort_keys=True)
        export_id = hashlib.sha256(text.encode()).hexdigest()[:24]
        self._export_ids[export_id] = query
        self._polls[export_id] += 1
        if self._polls[export_id] > self.app.scenario.value(switch, 2):
            return None
        answer = {**query, "status": "processing"}
        if switch == "export-status":
            return as_json(answer)
        answer["export_id"] = export_id
        headers = []
        if switch == "export-location":
            answer["status_url"] = f"{request.origin}/data_export/{export_id}"
            headers = [("Location", f"/data_export/{export_id}")]
        return as_json(answer, 202, headers)

    def poll(self, request: Request, export_id: str) -> Response:
        """Answer how far an export that was ordered is."""
        query = self._export_ids.get(export_id)
        if query is None:
            return detail(404, "Export not found")
        if not self._numbers(query):
            return detail(404, f"No data found matching query: {query}")
        return self._waiting(request, query) or as_json(
            self._export_answer(request, query)
        )

    def _export_answer(self, request: Request, query: dict[str, Any]) -> dict[str, Any]:
        if query["return_column_info"]:
            return {**query, "column_info": self._column_info(query)}
        numbers = self._numbers(query)
        session = self.app.world.session(query["session_id"])
        whole = query["aggregate"] or (
            "export-one-url" in self.app.scenario
            and query.get("org_movement_id") is None
        )
        names: list[tuple[str, int | None]]
        if whole and query.get("org_movement_id") is None:
            names = [(self._file_name(session, query), None)]
        else:
            movements = self.app.world.movements(session, query["org_player_id"])
            short = SHORT_TYPE[query["data_type"]]
            names = [
                (f"{n:03d}_{movements[n].org_movement_id}_{short}", n) for n in numbers
            ]
        links = [self._link(request, query, name) for name, _ in names]
        # The order of links is not promised, so it is not kept either.
        if len(links) > 2:
            links = links[1::2] + links[0::2]
        if "export-empty" in self.app.scenario:
            links = []
        if "export-single-key" in self.app.scenario:
            return {**query, "download_url": links[0] if links else None}
        return {**query, "download_urls": links}

    def _file_name(self, session: Session, query: dict[str, Any]) -> str:
        day = session.session_date.strftime("%Y%m%d")
        slug = population.SLUG_OF_TYPE[query["movement_type_id"]]
        return (
            f"{day}_session_{session.session_num}_{self.app.mocap_type()['slug']}_"
            f"{query['org_player_id']}_{slug}_{query['data_type']}"
        )

    def _column_info(self, query: dict[str, Any]) -> list[dict[str, str]]:
        session = self.app.world.session(query["session_id"])
        movements = self.app.world.movements(session, query["org_player_id"])[:1]
        parts = files.tables(
            movements,
            query["data_type"],
            self.app.scenario.options(self.app.config.noise_mm),
            damage=None,
        )
        return [
            {"name": name, "type": "str" if isinstance(values, list) else "float"}
            for name, values in next(parts).items()
        ]

    # Links and files

    def _link(self, request: Request, query: dict[str, Any], name: str) -> str:
        extension = query["data_format"]
        zipped = "plain-csv" not in self.app.scenario
        if extension == "parquet":
            zipped = "parquet-gz" in self.app.scenario
        slug = population.SLUG_OF_TYPE[query["movement_type_id"]]
        parts = (
            query["session_id"],
            query["org_player_id"],
            slug,
            query["data_type"],
            extension,
            f"{name}.{extension}{'.gz' if zipped else ''}",
        )
        path = BUCKET_PREFIX + "".join("/" + quote(part, safe="") for part in parts)
        # Whole seconds, as in S3, rounded so that a link lives at least its life.
        made = self.app.world.now() + timedelta(seconds=1)
        life = self.app.scenario.value("link-life", LINK_LIFE_S)
        signed = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"SIMULATED/{made:%Y%m%d}/us-west-2/s3/aws4_request",
            "X-Amz-Date": f"{made:%Y%m%dT%H%M%SZ}",
            "X-Amz-Expires": str(max(0, math.floor(life))),
            "X-Amz-SignedHeaders": "host",
        }
        signed["X-Amz-Signature"] = self._signature(path, signed)
        origin = request.origin
        if "links-other-host" in self.app.scenario:
            origin = origin.replace("127.0.0.1", "localhost")
        return f"{origin}{path}?{urlencode(signed)}"

    def _signature(self, path: str, signed: dict[str, str]) -> str:
        text = f"{path} {signed['X-Amz-Date']} {signed['X-Amz-Expires']}"
        return hmac.new(self._link_secret, text.encode(), "sha256").hexdigest()

    def download(self, request: Request) -> Response:
        """Answer one signed link with the file's bytes."""
        if "AUTHORIZATION" in request.headers:
            return storage_error(
                400,
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query "
                "parameter, Signature query string parameter or the Authorization "
                "header should be specified",
            )
        if request.method != "GET":
            return storage_error(403, "SignatureDoesNotMatch", "Signed for GET")
        signed = {name: values[-1] for name, values in request.query.items()}
        try:
            made = datetime.strptime(signed["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
            life = int(signed["X-Amz-Expires"])
            expected = self._signature(request.raw_path, signed)
            good = hmac.compare_digest(expected, signed["X-Amz-Signature"])
        except (KeyError, ValueError):
            return storage_error(403, "AccessDenied", "Access Denied")
        if not good:
            return storage_error(
                403, "SignatureDoesNotMatch", "The signature does not match"
            )
        if made + timedelta(seconds=life) <= self.app.world.now():
            return storage_error(403, "AccessDenied", "Request has expired")
        found = self._body(request.path)
        if found is None:
            return storage_error(404, "NoSuchKey", "The specified key does not exist.")
        return self._ranged(request, *found)

    def _body(self, path: str) -> tuple[files.Body, str] | None:
        parts = path.removeprefix(BUCKET_PREFIX + "/").split("/", 5)
        if len(parts) != 6:
            return None
        session_id, org_player_id, slug, data_type, data_format, name = parts
        try:
            session = self.app.world.session(session_id)
        except NotInData:
            return None
        if not self.app.world.has_data(session, org_player_id, slug):
            return None
        number = re.match(r"(\d{3})_", name)
        only = int(number[1]) if number is not None else None
        zipped = name.endswith(".gz")
        scenario = self.app.scenario
        damage = session.damage or next(
            (name for name in scenario.values if name.startswith("bad-")), None
        )
        movements = self.app.world.movements(session, org_player_id)
        if only is not None:
            movements = movements[only : only + 1]
        # All that decides the bytes: other simulators of this process share them.
        options = scenario.options(self.app.config.noise_mm)
        written = scenario.of_tables()
        switches = (written.text, options)
        key = (tuple(movements), data_type, data_format, zipped, damage, switches)

        def build(sink: BinaryIO) -> None:
            files.write(
                sink,
                files.tables(movements, data_type, options, damage=damage),
                data_format=data_format,
                zipped=zipped,
                scenario=written,
                damage=damage,
            )

        body = self.cache.get(key, build)
        if damage == "bad-truncated":
            whole = body.read()
            body = files.Body(whole[: len(whole) * 2 // 3], None, len(whole) * 2 // 3)
        etag = hashlib.sha256(repr(key).encode()).hexdigest()[:32]
        return body, etag

    def _ranged(self, request: Request, body: files.Body, etag: str) -> Response:
        headers = [
            ("ETag", f'"{etag}"'),
            ("Accept-Ranges", "bytes"),
            ("Last-Modified", "Mon, 06 Jan 2025 12:00:00 GMT"),
            ("x-amz-request-id", "SIMULATED"),
        ]
        if "content-encoding" in self.app.scenario and request.path.endswith(".gz"):
            headers.append(("Content-Encoding", "gzip"))
        start, stop, status = 0, body.size, 200
        asked = request.headers.get("RANGE")
        if asked is not None:
            found = _byte_range(asked, body.size)
            if found is None:
                response = storage_error(416, "InvalidRange", "Range not satisfiable")
                response.headers = [("Content-Range", f"bytes */{body.size}")]
                return response
            start, stop = found
            status = 206
            shown = f"bytes {start}-{stop - 1}/{body.size}"
            headers.append(("Content-Range", shown))
        return Response(
            status,
            content_type="binary/octet-stream",
            headers=headers,
            stream=body.chunks(start, stop),
            length=stop - start,
        )


def _refusal(status: int) -> Response:
    """How the vendor may say that it does not offer a data type."""
    text = "Input should be one of the data types"
    if status == 422:
        return detail(422, [invalid("body", "data_type", text, "enum")])
    if status == 403:
        return message(403, "Forbidden")
    return detail(status, "Not Found" if status == 404 else text)


def _byte_range(text: str, size: int) -> tuple[int, int] | None:
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", text)
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        count = int(match[2])
        return (max(0, size - count), size) if count else None
    start = int(match[1])
    stop = min(int(match[2]) + 1, size) if match[2] else size
    return (start, stop) if start < stop else None


def _export_query(given: dict[str, Any]) -> dict[str, Any]:
    """The body as the vendor validates it, defaults filled in."""
    errors: list[dict[str, Any]] = []
    query: dict[str, Any] = {}

    def wrong(name: str, text: str, kind: str) -> None:
        errors.append(invalid("body", name, text, kind))

    for name in ("session_id", "movement_type_id", "org_player_id", "data_type"):
        if given.get(name) is None:
            wrong(name, "Field required", "missing")
            continue
        value = given[name]
        if name == "movement_type_id":
            if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
                wrong(name, "Input should be a valid integer", "int_parsing")
                continue
            value = int(value)
        elif not isinstance(value, str):
            wrong(name, "Input should be a valid string", "string_type")
            continue
        query[name] = value
    query["data_format"] = given.get("data_format") or "csv"
    if query["data_format"] not in ("csv", "parquet"):
        wrong("data_format", "Input should be 'csv' or 'parquet'", "enum")
    for name in ("aggregate", "return_column_info"):
        value = given.get(name, False)
        if not isinstance(value, bool):
            wrong(name, "Input should be a valid boolean", "bool_parsing")
        query[name] = value
    movement = given.get("org_movement_id")
    if movement is not None:
        if not isinstance(movement, str):
            wrong("org_movement_id", "Input should be a valid string", "string_type")
        query["org_movement_id"] = movement
    if errors:
        raise Refused(detail(422, errors))
    return query
