"""JSON paths that list sessions and movements of all athletes, by what changed."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from django.db.models import Q
from django.http import HttpResponse
from ninja import Query, Router
from ninja.errors import HttpError

from accounts.api import ApiRequest, JsonAnswer, answers
from athletes.access import kept_movements, kept_sessions
from athletes.api import rows, schemas
from athletes.api.following import CursorText, Limit, Since, allow_only, follow
from athletes.api.parameters import LARGEST_ID, MOST_COLUMNS_TEXT, TEXT, Day
from athletes.api.rows import Row
from athletes.feed import pages
from athletes.models import FeedKind
from athletes.querysets import MovementQuerySet, SessionQuerySet
from biomechanics.definitions import HEADLINES, METRICS

router = Router(tags=["athletes"])

OurId = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]
Metrics = Annotated[
    str,
    Query(
        max_length=MOST_COLUMNS_TEXT,
        pattern=TEXT,
        description="Comma-separated metric IDs.",
        examples=["bat_speed_max,attack_angle"],
    ),
]


def chosen_metrics(text: str) -> tuple[str, ...]:
    """The named metrics; none of them for an empty text. Refuses (422) others."""
    names = tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise HttpError(
            422, f"metrics: there is no metric {unknown[0][:60]}; see /definitions."
        )
    return names


@router.get(
    "/sessions",
    response=answers(schemas.SessionChanges),
    operation_id="list_sessions",
)
def list_sessions(
    request: ApiRequest,
    player_id: OurId = None,
    start_date: Annotated[Day, Query(description="From this date.")] = None,
    end_date: Annotated[
        Day, Query(description="Up to and including this date.")
    ] = None,
    limit: Limit = 100,
    updated_since: Since = None,
    cursor: CursorText = "",
) -> HttpResponse:
    """Sessions of all athletes, in the order in which they changed."""
    allow_only(
        request,
        ("player_id", "start_date", "end_date", "limit", "updated_since", "cursor"),
    )
    return JsonAnswer(
        session_changes(
            request.auth,
            player_id=player_id,
            start_date=start_date,
            end_date=end_date,
            limit=limit,
            updated_since=updated_since,
            cursor=cursor,
        )
    )


def session_changes(
    caller: Any,
    *,
    player_id: int | None,
    start_date: Any,
    end_date: Any,
    limit: int,
    updated_since: Any,
    cursor: str,
) -> Row:
    """The answer of `GET /sessions`."""
    filters = {"player_id": player_id, "start": start_date, "end": end_date}
    told, left = Q(), Q()
    shown: SessionQuerySet | None = None
    if any(filters.values()):
        shown = kept_sessions(caller)
        if player_id:
            shown = shown.filter(player_id=player_id)
            told = pages.of_player(FeedKind.SESSION, [player_id])
            left = Q(player_id=player_id)
        if start_date:
            shown = shown.filter(session_date__gte=start_date)
        if end_date:
            shown = shown.filter(session_date__lte=end_date)
    return follow(
        caller,
        FeedKind.SESSION,
        name="sessions",
        build=partial(rows.session_rows, with_player=False),
        cursor=cursor,
        since=updated_since,
        limit=limit,
        filters=filters,
        shown=shown,
        told=told,
        told_left=left,
    )


@router.get(
    "/movements",
    response=answers(schemas.MovementChanges),
    operation_id="list_movements",
)
def list_movements(
    request: ApiRequest,
    player_id: OurId = None,
    session: Annotated[
        int | None,
        Query(ge=1, le=LARGEST_ID, description="The session's ID in this dashboard."),
    ] = None,
    metrics: Metrics = "",
    limit: Limit = 100,
    updated_since: Since = None,
    cursor: CursorText = "",
) -> HttpResponse:
    """Movements of all athletes, in the order in which they changed.

    `metrics` chooses the metrics; none named: those that pages show first.
    """
    allow_only(
        request,
        ("player_id", "session", "metrics", "limit", "updated_since", "cursor"),
    )
    return JsonAnswer(
        movement_changes(
            request.auth,
            player_id=player_id,
            session=session,
            metrics=metrics,
            limit=limit,
            updated_since=updated_since,
            cursor=cursor,
        )
    )


def movement_changes(
    caller: Any,
    *,
    player_id: int | None,
    session: int | None,
    metrics: str,
    limit: int,
    updated_since: Any,
    cursor: str,
) -> Row:
    """The answer of `GET /movements`."""
    wanted = chosen_metrics(metrics) or HEADLINES
    shown, told, left = chosen_movements(caller, player_id, session)

    def build(found: MovementQuerySet) -> list[Row]:
        return [
            row
            | {"metrics": {n: row["metrics"][n] for n in wanted if n in row["metrics"]}}
            for row in rows.movement_rows(found)
        ]

    return follow(
        caller,
        FeedKind.MOVEMENT,
        name="movements",
        build=build,
        cursor=cursor,
        since=updated_since,
        limit=limit,
        filters={"player_id": player_id, "session": session},
        shown=shown,
        told=told,
        told_left=left,
    )


def player_changes(caller: Any, *, limit: int, updated_since: Any, cursor: str) -> Row:
    """All athletes, or those who changed, in the order of changes."""
    return follow(
        caller,
        FeedKind.PLAYER,
        name="players",
        build=rows.goable_player_rows,
        cursor=cursor,
        since=updated_since,
        limit=limit,
        filters={},
        shown=None,
        told=Q(),
        told_left=Q(),
    )


def chosen_movements(
    caller: Any, player_id: int | None, session: int | None
) -> tuple[MovementQuerySet | None, Q, Q]:
    """The movements of an athlete or a session, and which gone ones may be told.

    None: all that the caller may see. The last is for those that a team lost.
    """
    if not player_id and not session:
        return None, Q(), Q()
    shown, told, left = kept_movements(caller), Q(), Q()
    if player_id:
        shown = shown.filter(session__player_id=player_id)
        told &= pages.of_player(FeedKind.MOVEMENT, [player_id])
        left &= Q(player_id=player_id)
    if session:
        shown = shown.filter(session_id=session)
        told &= pages.of_session(session)
        left &= pages.of_session(session)
    return shown, told, left
