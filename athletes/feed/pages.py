"""What changed behind a place in the order, a page at a time."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Model, Q, QuerySet

from athletes.access import (
    Viewer,
    kept_movements,
    kept_sessions,
    sees_everybody,
    visible_players,
)
from athletes.feed.cursors import Cursor, in_microseconds
from athletes.feed.order import Settled
from athletes.models import FeedKind, FeedLeft, FeedRow, Movement, Player, Session

_MODELS: dict[str, type[Model]] = {
    FeedKind.PLAYER: Player,
    FeedKind.SESSION: Session,
    FeedKind.MOVEMENT: Movement,
}


@dataclass(frozen=True)
class Question:
    """Which changes somebody wants.

    `shown` are the rows that match the filters, among those that the caller may see;
    None: all of these. `told` is for rows that are gone: which of them may be told, and
    `told_left` the same for rows that a team no longer sees.
    """

    kind: FeedKind
    caller: Viewer
    shown: QuerySet[Any] | None = None
    told: Q = dataclasses.field(default_factory=Q)
    told_left: Q = dataclasses.field(default_factory=Q)


@dataclass(frozen=True)
class Page:
    """A page of changes: rows of the order, and where to go on."""

    rows: list[FeedRow]
    following: Cursor
    more: bool


def seen(kind: FeedKind, caller: Viewer) -> QuerySet[Any]:
    """All rows of a kind that the caller may see, gone ones too."""
    if kind == FeedKind.PLAYER:
        return visible_players(caller)
    if kind == FeedKind.SESSION:
        return kept_sessions(caller)
    return kept_movements(caller)


def of_session(session_pk: int) -> Q:
    """The condition on rows of movements that they were of one session."""
    return Q(parent_id=session_pk)


def of_player(kind: FeedKind, player_pks: Any) -> Q:
    """The condition on rows of the order that they are of these athletes.

    `player_pks` is a list of our keys, or a query for them.
    """
    if kind == FeedKind.PLAYER:
        return Q(row_id__in=player_pks)
    if kind == FeedKind.SESSION:
        return Q(parent_id__in=player_pks)
    sessions = FeedRow.objects.filter(kind=FeedKind.SESSION, parent_id__in=player_pks)
    return Q(parent_id__in=sessions.values("row_id"))


def _members(caller: Any) -> QuerySet[Any, Any]:
    """Our keys of all records in the caller's teams, merged ones too."""
    members: QuerySet[Any, Any] = Player.everyone.filter(teams__in=caller.team_limit())
    return members.values("pk")


def _wanted(question: Question) -> Q:
    """The condition on rows of the order that they answer the question."""
    is_limited = not sees_everybody(question.caller)
    if not is_limited and question.shown is None:
        return Q()
    every = seen(question.kind, question.caller)
    shown = every if question.shown is None else question.shown
    told = question.told
    if is_limited:
        told &= of_player(question.kind, _members(question.caller))
        told &= ~Q(row_id__in=every.order_by().values("pk"))
    else:
        told &= ~Q(gone="")
    return Q(row_id__in=shown.order_by().values("pk")) | told


def first_cursor(asked: str, since: dt.datetime | None, settled: Settled) -> Cursor:
    """Where a program begins that has nothing yet, or all up to a time."""
    start = Cursor(asked, epoch=settled.epoch)
    if since is None:
        return start
    return dataclasses.replace(start, since=in_microseconds(since), until=settled.last)


def changes(question: Question, cursor: Cursor) -> QuerySet[FeedRow]:
    """All that changed behind the cursor and answers the question, in order.

    Beside it stands what is told by `_left`.
    """
    found = FeedRow.objects.filter(
        _wanted(question), kind=question.kind, place__gt=cursor.place
    ).order_by("place")
    since = cursor.since_time
    if since is not None and cursor.place < cursor.until:
        found = found.filter(Q(place__gt=cursor.until) | Q(changed_at__gte=since))
    return found


def _left(
    question: Question, cursor: Cursor, limit: int | None = None
) -> Iterator[FeedRow]:
    """What went out of the caller's sight behind the cursor, in order.

    As rows of the order that are not stored: each once, where the last of the caller's
    teams lost it. Whoever sees it again, or sees its athlete, is told by `changes`.
    """
    if sees_everybody(question.caller):
        return
    caller: Any = question.caller
    every = seen(question.kind, caller).order_by().values("pk")
    own = FeedRow.objects.filter(
        of_player(question.kind, _members(caller)), kind=question.kind
    )
    found = (
        FeedLeft.objects.filter(
            question.told_left,
            kind=question.kind,
            team_id__in=caller.team_limit().values("pk"),
        )
        .exclude(row_id__in=every)
        .exclude(row_id__in=own.values("row_id"))
        .values("row_id")
        .annotate(last=Max("place"), at=Max("left_at"), why=Max("gone"))
        .filter(last__gt=cursor.place)
        .order_by("last")
    )
    since = cursor.since_time
    if since is not None and cursor.place < cursor.until:
        recent = Q(last__gt=cursor.until)
        found = found.filter(recent | Q(at__gte=since))
    for row in found[:limit].iterator():
        yield FeedRow(
            kind=question.kind,
            row_id=row["row_id"],
            place=row["last"],
            changed_at=row["at"],
            gone=row["why"],
            gone_at=row["at"],
        )


def reached_behind(cursor: Cursor, place: int) -> Cursor:
    """Where to go on from a place that was reached, at least that of the cursor."""
    place = max(place, cursor.place)
    if place >= cursor.until:
        return Cursor(cursor.asked, place, cursor.epoch)
    return dataclasses.replace(cursor, place=place, after=None)


def page(question: Question, cursor: Cursor, settled: Settled, limit: int) -> Page:
    """The next changes behind the cursor, at most `limit`."""
    rows = list(changes(question, cursor)[: limit + 1])
    rows += _left(question, cursor, limit + 1)
    rows.sort(key=lambda row: row.place)
    is_full = len(rows) > limit
    rows = rows[:limit]
    reached = rows[-1].place if rows else 0
    if not is_full:
        reached = max(reached, settled.last)
    return Page(rows, reached_behind(cursor, reached), is_full or settled.more)


def gone(question: Question, cursor: Cursor) -> Iterator[dict[str, Any]]:
    """What is told of rows that went away behind the cursor, a few at a time."""
    every = seen(question.kind, question.caller).order_by().values("pk")
    rows = changes(question, cursor).exclude(row_id__in=every)
    for row in rows.iterator():
        yield tombstones(question.kind, question.caller, [row])[row.row_id]
    for row in _left(question, cursor):
        yield tombstones(question.kind, question.caller, [row])[row.row_id]


def tombstones(
    kind: FeedKind, caller: Viewer, gone: list[FeedRow]
) -> dict[int, dict[str, Any]]:
    """What is told of rows that the caller cannot see, or no longer, by our key."""
    here: set[int] = set()
    is_limited = not sees_everybody(caller)
    unclear = [row.row_id for row in gone if not row.gone]
    if unclear and not is_limited:
        # A change that is under way: hidden by a merge, or erased a moment ago.
        rows = _MODELS[kind]._base_manager.filter(pk__in=unclear)
        here = set(rows.values_list("pk", flat=True))
    found = {}
    for row in gone:
        because = row.gone
        if not because and is_limited:
            because = "no_longer_visible"
        elif not because:
            because = "merged" if row.row_id in here else "erased"
        found[row.row_id] = {
            "id": row.row_id,
            "gone_at": row.gone_at or row.changed_at,
            "gone_because": because,
        }
    return found
