"""JSON paths that send many numbers or frames as files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
from django.core.cache import cache
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from ninja import Query, Router
from ninja.errors import AuthorizationError, HttpError

from accounts.api import ApiRequest, Problem, answers
from accounts.audit import record
from accounts.models import Action
from athletes.access import (
    get_session_or_404,
    kept_movements,
    may_export,
    visible_movements,
)
from athletes.api import metrics_table
from athletes.api.following import CursorText, Since, allow_only, asked_by, beginning
from athletes.api.kept_files import LIFETIME_S, kept_file
from athletes.api.lists import Metrics, OurId, chosen_metrics, chosen_movements
from athletes.api.parameters import LARGEST_ID, MOST_COLUMNS_TEXT, TEXT, Day, Id
from athletes.api.ranges import send_file
from athletes.api.session_frames import (
    ChangedMeanwhileError,
    SessionData,
    SessionFrames,
    UnknownColumnsError,
    session_frames,
)
from athletes.feed import pages
from athletes.feed.order import settle
from athletes.models import FeedKind
from biomechanics.definitions import METHOD_VERSION, METRICS

router = Router(tags=["athletes"])

#: How often a file is written while its frames change.
_TRIES = 3
PARQUET = "application/vnd.apache.parquet"
_FILE: dict[str, Any] = {
    "description": "A file.",
    "content": {
        "text/csv": {"schema": {"type": "string"}},
        PARQUET: {"schema": {"type": "string", "format": "binary"}},
    },
}


class TableFormat(StrEnum):
    """The file formats of tables."""

    CSV = "csv"
    PARQUET = "parquet"


def require_export(caller: Any) -> None:
    """Refuse (403) who may not download numbers and frames."""
    if not may_export(caller):
        raise AuthorizationError(message="You can't download numbers.")


def metrics_export(
    caller: Any,
    *,
    names: tuple[str, ...],
    player_id: int | None = None,
    session: int | None = None,
    start_date: Any = None,
    end_date: Any = None,
    updated_since: Any = None,
    cursor: str = "",
) -> metrics_table.Table:
    """The numbers of all swings that the caller may see and asked for."""
    while (settled := settle()).more:
        pass
    filters = {
        "player_id": player_id,
        "session": session,
        "start": start_date,
        "end": end_date,
    }
    asked = asked_by(caller, FeedKind.MOVEMENT, {**filters, "table": True})
    start = beginning(cursor, updated_since, asked=asked, settled=settled)
    chosen, told, left = chosen_movements(caller, player_id, session)
    movements = kept_movements(caller) if chosen is None else chosen
    if start_date:
        movements = movements.filter(session__session_date__gte=start_date)
    if end_date:
        movements = movements.filter(session__session_date__lte=end_date)
    if start_date or end_date:
        chosen = movements
    gone: Iterator[Mapping[str, Any]] = iter(())
    if cursor or updated_since:
        question = pages.Question(FeedKind.MOVEMENT, caller, chosen, told, left)
        changed = pages.changes(question, start)
        movements = movements.filter(pk__in=changed.order_by().values("row_id"))
        gone = pages.gone(question, start)
    following = pages.reached_behind(start, settled.last)
    return metrics_table.Table(
        movements=movements,
        names=names or tuple(METRICS),
        gone=gone,
        facts={
            "next": str(following),
            "more": "false",
            "method_version": f"v{METHOD_VERSION}",
        },
    )


@router.get(
    "/exports/metrics",
    response=answers(None),
    operation_id="export_metrics",
    openapi_extra={"responses": {200: _FILE}},
)
def export_metrics(
    request: ApiRequest,
    format: TableFormat = TableFormat.CSV,
    metrics: Metrics = "",
    player_id: OurId = None,
    session: Annotated[
        int | None,
        Query(ge=1, le=LARGEST_ID, description="The session's ID in this dashboard."),
    ] = None,
    start_date: Annotated[Day, Query(description="From this date.")] = None,
    end_date: Annotated[
        Day, Query(description="Up to and including this date.")
    ] = None,
    updated_since: Since = None,
    cursor: CursorText = "",
) -> HttpResponseBase:
    """Every number of every swing: one row per swing, one column per metric.

    The columns are always the same; `metrics` chooses which. To get only what changed
    next time, send the header `Next-Cursor` (in a Parquet file also `next` in its
    metadata) as `cursor`.
    """
    allow_only(
        request,
        (
            *("format", "metrics", "player_id", "session", "start_date", "end_date"),
            *("updated_since", "cursor"),
        ),
    )
    require_export(request.auth)
    table = metrics_export(
        request.auth,
        names=chosen_metrics(metrics),
        player_id=player_id,
        session=session,
        start_date=start_date,
        end_date=end_date,
        updated_since=updated_since,
        cursor=cursor,
    )
    said = "\n".join(
        # Who asks is in the cursor of the facts: it knows the teams.
        [format, pa.__version__, request.GET.urlencode(), *table.facts.values()]
    )
    etag = f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'
    unchanged: HttpResponse | None = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        unchanged["ETag"] = etag
        return unchanged
    record(
        Action.DATA_EXPORTED,
        by=request.auth,
        player_id=player_id,
        format=format,
        data_type="metrics",
    )
    is_csv = format == TableFormat.CSV
    write = metrics_table.csv_pieces if is_csv else metrics_table.parquet_pieces
    answer = StreamingHttpResponse(
        write(table), content_type="text/csv; charset=utf-8" if is_csv else PARQUET
    )
    answer["ETag"] = etag
    answer["Next-Cursor"] = table.facts["next"]
    answer["Next-More"] = "false"
    answer["Content-Disposition"] = f'attachment; filename="metrics.{format}"'
    return answer


def whole_file(
    session_pk: int,
    frames: SessionFrames,
    now: Callable[[], SessionFrames],
    *,
    is_csv: bool,
) -> tuple[Path, str]:
    """The file of a session's frames, and the digest of what it holds.

    Written again where frames came or went meanwhile; refuses (503) when they still do.
    """
    for _ in range(_TRIES):
        write = partial(frames.write, is_csv=is_csv, again=lambda: now().digest)
        name = f"{frames.digest}.{'csv' if is_csv else 'parquet'}"
        try:
            return kept_file(session_pk, name, write), frames.digest
        except ChangedMeanwhileError:
            frames = now()
    raise HttpError(503, "These frames are being stored. Try again in a minute.")


@router.get(
    "/sessions/{id}/data",
    response=answers(None) | {206: None, 416: Problem},
    operation_id="get_session_data",
    openapi_extra={
        "responses": {
            200: _FILE,
            206: {**_FILE, "description": "The part requested by Range."},
        }
    },
)
def get_session_data(
    request: ApiRequest,
    id: Id,
    data_type: SessionData = SessionData.INVERSE_KINEMATICS,
    columns: Annotated[
        str,
        Query(
            max_length=MOST_COLUMNS_TEXT,
            pattern=TEXT,
            description="Comma-separated names; all columns if empty.",
        ),
    ] = "",
    format: TableFormat = TableFormat.PARQUET,
) -> HttpResponseBase:
    """The frames of all movements of a session in one file.

    It stays the same as long as its `ETag` does, so `Range` and `If-Range` can fetch it
    in parts.
    """
    allow_only(request, ("data_type", "columns", "format"))
    session = get_session_or_404(request.auth, id)
    require_export(request.auth)
    wanted = [name for name in map(str.strip, columns.split(",")) if name]
    movements = visible_movements(request.auth).filter(session=session)
    is_csv = format == TableFormat.CSV

    def now() -> SessionFrames:
        try:
            found = session_frames(movements.all(), data_type, wanted)
        except UnknownColumnsError as error:
            raise HttpError(
                422, f"columns: not in these frames: {error}. Omit `columns`."
            ) from error
        if not found.parts:
            raise HttpError(404, f"No {data_type} frames are stored for this session.")
        return found

    frames = now()
    etag = f'"{frames.digest}-{format}"'
    unchanged: HttpResponse | None = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        unchanged["ETag"] = etag
        return unchanged
    path, digest = whole_file(session.pk, frames, now, is_csv=is_csv)
    etag = f'"{digest}-{format}"'
    # A program that reads in parts asks many times for one file.
    asker = f"{type(request.auth).__name__}-{request.auth.pk}"
    if cache.add(f"session-file:{asker}:{path.name}", 1, LIFETIME_S):
        record(
            Action.DATA_EXPORTED,
            by=request.auth,
            subject=session,
            player_id=session.player_id,
            format=format,
            data_type=data_type,
        )
    answer = send_file(
        request,
        path,
        etag=etag,
        content_type="text/csv; charset=utf-8" if is_csv else PARQUET,
    )
    if answer.status_code < 400:
        name = f"session-{session.pk}-{data_type}.{format}"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
