"""JSON paths about athletes, their sessions and movements."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

from django.db.models import Q
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from ninja import Query, Router
from ninja.errors import AuthorizationError, HttpError

from accounts.api import ApiRequest, JsonAnswer, Problem, answers, problem
from accounts.audit import record
from accounts.models import Action
from athletes.access import (
    folded_into,
    get_movement_or_404,
    get_session_or_404,
    kept_movements,
    kept_sessions,
    may_export,
    merged_into,
    sees_everybody,
    visible_movements,
    visible_players,
    visible_sessions,
)
from athletes.analysis.totals import player_total
from athletes.api import changes, following, frames, rows, schemas
from athletes.api.parameters import (
    LARGEST_ID,
    MOST_COLUMNS_TEXT,
    TEXT,
    Day,
    Gone,
    Id,
    Skip,
)
from athletes.api.session_frames import units_of
from athletes.feed import pages
from athletes.feed.cursors import Cursor
from athletes.feed.order import settle
from athletes.frames.load import load_columns
from athletes.models import BiomechanicsData, DataType, FeedKind, Movement, Side
from athletes.querysets import PlayerQuerySet
from biomechanics.definitions import METHOD_VERSION, METRICS, SERIES

router = Router(tags=["athletes"])


class FileFormat(StrEnum):
    """The formats that frames can be downloaded in."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


# --- Athletes -------------------------------------------------------------------

_LED_ON = {307: Problem}


def _led_on(request: ApiRequest, old: int, new: int, what: str) -> HttpResponse:
    """Answer with a redirect (307) to what a record was merged into.

    The redirect is temporary, because a merge can be undone.
    """
    answer = problem(307, f"{what.capitalize()} {old} was merged into {new}.")
    path = request.get_full_path()
    answer["Location"] = path.replace(f"/{old}", f"/{new}", 1)
    return answer


def _of_kept_athlete(request: ApiRequest, id: int) -> HttpResponse:
    """Answer with a redirect to the athlete that this record was merged into."""
    kept = merged_into(request.auth, id)
    if kept is None:
        raise Http404("That athlete doesn't exist, or you can't see them.")
    return _led_on(request, id, kept, "athlete")


@router.get(
    "/players", response=answers(schemas.PlayerPage), operation_id="list_players"
)
def list_players(
    request: ApiRequest,
    skip: Skip = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    search: Annotated[
        str, Query(max_length=200, pattern=TEXT, description="Words in the name.")
    ] = "",
    after: Annotated[
        int | None,
        Query(
            ge=1,
            le=LARGEST_ID,
            description="Start after the athlete with this id, instead of `skip`: "
            "these pages neither repeat nor miss an athlete when others "
            "are added or removed in between. The Link header of each "
            "page names the next one.",
        ),
    ] = None,
    updated_since: following.Since = None,
    cursor: following.CursorText = "",
) -> HttpResponse:
    """Athletes by last name, first name and id.

    With `updated_since` or `cursor`: those who changed, in the order in which they did.
    """
    if updated_since or cursor:
        # Who asks in the old way may send anything else: that is kept.
        following.allow_only(
            request,
            ("skip", "limit", "search", "after", "updated_since", "cursor"),
        )
    settled = settle()
    words = search.lower().split()
    asked = following.asked_by(request.auth, FeedKind.PLAYER, {"search": words})
    start = following.beginning(cursor, updated_since, asked=asked, settled=settled)
    visible = visible_players(request.auth)
    if start.after is not None and not visible.filter(pk=start.after).exists():
        # The way by name is lost: all, as they changed.
        start = Cursor(asked, epoch=settled.epoch)
    matching = visible.named_like(search).in_name_order()
    counts_all = sees_everybody(request.auth) and not words
    answer = {
        "total": player_total() if counts_all else matching.count(),
        "players": [],
        "page": skip // limit + 1,
        "limit": limit,
    }
    if (cursor or updated_since) and start.after is None:
        question = pages.Question(
            FeedKind.PLAYER, request.auth, matching if words else None
        )
        found = pages.page(question, start, settled, limit)
        answer["players"] = following.changed_rows(
            question, rows.goable_player_rows, found.rows
        )
        return JsonAnswer(answer | _going_on(found.following, found.more))
    if cursor:
        skip, after = 0, start.after
    if after is not None:
        matching = _behind(matching, visible, after)
    page = rows.player_rows(matching[skip : skip + limit])
    is_full = len(page) == limit
    # First through the rest of the names, then what changed since the first page.
    going_on = Cursor(
        asked,
        epoch=settled.epoch,
        place=start.place if start.after is not None else settled.last,
        after=page[-1]["id"] if is_full else None,
    )
    more = is_full or settled.more or going_on.place < settled.last
    response = JsonAnswer(answer | {"players": page} | _going_on(going_on, more))
    if is_full:
        behind = request.GET.copy()
        behind.pop("skip", None)
        behind.pop("cursor", None)
        behind["limit"] = str(limit)
        behind["after"] = str(page[-1]["id"])
        response["Link"] = f'<{request.path}?{behind.urlencode()}>; rel="next"'
    return response


def _going_on(cursor: Cursor, more: bool) -> dict[str, Any]:
    return {"next": str(cursor), "more": more}


def _behind(
    matching: PlayerQuerySet, visible: PlayerQuerySet, after: int
) -> PlayerQuerySet:
    """The athletes of `matching` that come after one athlete in name order."""
    last = visible.filter(pk=after).values("last_name", "first_name").first()
    if last is None:
        raise HttpError(
            422,
            f"after: there is no athlete {after} anymore; start over without `after`.",
        )
    same = Q(last_name=last["last_name"])
    return matching.filter(
        Q(last_name__gt=last["last_name"])
        | same & Q(first_name__gt=last["first_name"])
        | same & Q(first_name=last["first_name"], pk__gt=after)
    )


@router.get(
    "/players/{id}",
    response=answers(schemas.PlayerDetail) | _LED_ON,
    operation_id="get_player",
)
def get_player(request: ApiRequest, id: Id) -> HttpResponse:
    """One athlete, with the ids of records that were merged into them."""
    found = rows.player_rows(visible_players(request.auth).filter(pk=id))
    if not found:
        return _of_kept_athlete(request, id)
    return JsonAnswer(found[0] | {"merged_records": rows.merged_records(id)})


@router.get(
    "/players/{id}/sessions",
    response=answers(schemas.SessionList) | _LED_ON,
    operation_id="list_player_sessions",
)
def list_player_sessions(
    request: ApiRequest,
    id: Id,
    start_date: Annotated[Day, Query(description="From this date.")] = None,
    end_date: Annotated[
        Day, Query(description="Up to and including this date.")
    ] = None,
    skip: Skip = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    gone: Gone = False,
) -> HttpResponse:
    """An athlete's sessions, newest first; undated ones come last."""
    player = visible_players(request.auth).filter(pk=id).first()
    if player is None:
        return _of_kept_athlete(request, id)
    seen = kept_sessions(request.auth) if gone else visible_sessions(request.auth)
    sessions = seen.filter(player=player).newest_first()
    if start_date:
        sessions = sessions.filter(session_date__gte=start_date)
    if end_date:
        sessions = sessions.filter(session_date__lte=end_date)
    return JsonAnswer(
        {
            "sessions": rows.session_rows(sessions[skip : skip + limit]),
            "total": sessions.count(),
            "player_id": player.pk,
        }
    )


@router.get(
    "/players/{id}/changes",
    response=answers(schemas.Changes) | _LED_ON,
    operation_id="list_player_changes",
)
def list_player_changes(
    request: ApiRequest,
    id: Id,
    session: Annotated[
        int | None,
        Query(
            ge=1,
            le=LARGEST_ID,
            description="The session's ID in this dashboard; without it, the latest "
            "session with numbers.",
        ),
    ] = None,
    side: Annotated[
        Side | None,
        Query(
            description="The side of a switch hitter's swings; without it, the side "
            "with the most swings in the session."
        ),
    ] = None,
) -> HttpResponse:
    """What changed in a session, compared with the comparable sessions before it."""
    following.allow_only(request, ("session", "side"))
    player = visible_players(request.auth).filter(pk=id).first()
    if player is None:
        return _of_kept_athlete(request, id)
    sessions = visible_sessions(request.auth).filter(player=player)
    if session is not None and not sessions.filter(pk=session).exists():
        into = folded_into(request.auth, session)
        if into is None or not sessions.filter(pk=into).exists():
            raise Http404("This athlete doesn't have that session.")
        session = into
    return JsonAnswer(changes.player_changes(player, sessions, session, side))


# --- Sessions -------------------------------------------------------------------


@router.get(
    "/sessions/{id}",
    response=answers(schemas.SessionOut) | _LED_ON,
    operation_id="get_session",
)
def get_session(request: ApiRequest, id: Id) -> HttpResponse:
    """One athlete's part in one session."""
    found = rows.session_rows(kept_sessions(request.auth).filter(pk=id))
    if not found:
        into = folded_into(request.auth, id)
        if into is None:
            raise Http404("That session doesn't exist, or you can't see it.")
        return _led_on(request, id, into, "session")
    return JsonAnswer(found[0])


@router.get(
    "/sessions/{id}/metrics",
    response=answers(schemas.SessionMetrics),
    operation_id="get_session_metrics",
)
def get_session_metrics(request: ApiRequest, id: Id) -> HttpResponse:
    """Each metric of a session: average, spread, count, and every swing's value."""
    following.allow_only(request, ())
    session = get_session_or_404(request.auth, id)
    return JsonAnswer(
        {
            "id": session.pk,
            "session_id": session.session_id,
            "player_id": session.player_id,
            **rows.session_metrics(request.auth, session),
        }
    )


@router.get(
    "/sessions/{id}/movements",
    response=answers(schemas.MovementList),
    operation_id="list_session_movements",
)
def list_session_movements(
    request: ApiRequest, id: Id, gone: Gone = False
) -> HttpResponse:
    """The movements of a session in the order in which they were recorded."""
    following.allow_only(request, ("gone",))
    session = get_session_or_404(request.auth, id)
    seen = kept_movements(request.auth) if gone else visible_movements(request.auth)
    movements = rows.movement_rows(seen.filter(session=session).in_session_order())
    return JsonAnswer({"movements": movements, "total": len(movements)})


# --- Movements ------------------------------------------------------------------


@router.get(
    "/movements/{id}",
    response=answers(schemas.MovementOut),
    operation_id="get_movement",
)
def get_movement(request: ApiRequest, id: Id) -> HttpResponse:
    """One movement with its events and metrics."""
    following.allow_only(request, ())
    found = rows.movement_rows(kept_movements(request.auth).filter(pk=id))
    if not found:
        raise Http404("That movement doesn't exist, or you can't see it.")
    return JsonAnswer(found[0])


@router.get(
    "/movements/{id}/data",
    response=answers(schemas.FrameColumns),
    operation_id="get_movement_data",
    openapi_extra={
        "responses": {
            200: {
                "content": {
                    "text/csv": {"schema": {"type": "string"}},
                    "application/vnd.apache.parquet": {
                        "schema": {"type": "string", "format": "binary"}
                    },
                }
            }
        }
    },
)
def get_movement_data(
    request: ApiRequest,
    id: Id,
    data_type: DataType = DataType.INVERSE_KINEMATICS,
    columns: Annotated[
        str,
        Query(
            max_length=MOST_COLUMNS_TEXT,
            pattern=TEXT,
            description="Comma-separated names; all columns if empty.",
        ),
    ] = "",
    format: FileFormat = FileFormat.JSON,
) -> HttpResponseBase:
    """The stored frames of one movement, as Reboot Motion sent them, by column."""
    following.allow_only(request, ("data_type", "columns", "format"))
    movement = get_movement_or_404(request.auth, id)
    if not may_export(request.auth):
        raise AuthorizationError(message="You can't download frames.")
    stored = (
        BiomechanicsData.objects.without_frames()
        .filter(movement=movement, data_type=data_type)
        .first()
    )
    if stored is None:
        raise HttpError(404, f"No {data_type} frames are stored for this movement.")
    wanted = [name for name in map(str.strip, columns.split(",")) if name] or None
    units = None
    if format == FileFormat.PARQUET:
        units = units_of(Movement.objects.filter(pk=movement.pk), data_type)
    etag = _etag(stored.content_sha256, wanted, format, units)
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        unchanged["ETag"] = etag
        return unchanged
    values = load_columns([movement.pk], data_type, wanted).get(movement.pk, {})
    missing = [name for name in wanted or () if name not in values]
    if missing:
        raise HttpError(
            422,
            f"columns: not in these frames: {', '.join(missing[:10])}. "
            "Omit `columns` to see all names.",
        )
    record(
        Action.DATA_EXPORTED,
        by=request.auth,
        subject=movement,
        player_id=movement.session.player_id,
        format=format,
        data_type=data_type,
    )
    pieces: Iterator[bytes]
    if format == FileFormat.JSON:
        pieces = frames.json_pieces(
            values, movement_id=movement.pk, data_type=data_type
        )
        content_type = "application/json"
    elif format == FileFormat.CSV:
        pieces = frames.csv_pieces(values)
        content_type = "text/csv; charset=utf-8"
    else:
        pieces = frames.parquet_pieces(
            values,
            movement_id=movement.pk,
            data_type=data_type,
            units=units or {},
        )
        content_type = "application/vnd.apache.parquet"
    answer = StreamingHttpResponse(pieces, content_type=content_type)
    answer["ETag"] = etag
    if format != FileFormat.JSON:
        # The name has only our own numbers and words, so any file system takes it.
        name = f"movement-{movement.pk}-{data_type}.{format}"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _etag(
    content: str,
    columns: list[str] | None,
    format: FileFormat,
    units: dict[str, str] | None,
) -> str:
    """A tag that is equal for equal frames, columns, format, and units in the file."""
    said = [content, format, *(columns or ())]
    if units is not None:
        # The unit of angles is found anew with each analysis.
        said.append(repr(sorted(units.items())))
    parts = "\n".join(said)
    return f'"{hashlib.sha256(parts.encode()).hexdigest()[:32]}"'


# --- Definitions ----------------------------------------------------------------


@router.get(
    "/definitions",
    response=answers(schemas.Definitions),
    operation_id="list_metric_definitions",
    tags=["definitions"],
)
def list_metric_definitions(request: ApiRequest) -> HttpResponse:
    """The definitions of all metrics and curves: words, formula, unit and source."""
    following.allow_only(request, ())
    return JsonAnswer(
        {
            "metrics": [rows.definition(one) for one in METRICS.values()],
            "curves": [rows.curve_definition(one) for one in SERIES.values()],
            "method_version": METHOD_VERSION,
        }
    )
