"""The first page: newest sessions, real changes of a week, what needs attention."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from athletes.analysis.changes import MetricChange, change_at
from athletes.analysis.history import History, SessionAverage, histories
from athletes.models import DataState, Player, QualityGrade, Session
from athletes.querysets import PlayerQuerySet, SessionQuerySet
from biomechanics.definitions import NUMERIC_HEADLINES

NEWEST = 10
# Real changes are looked for in at most so many sessions of the last week of data.
CHANGED_SESSIONS = 40
CHANGES_SHOWN = 12
CHANGES_PER_SESSION = 2
WEEK = dt.timedelta(days=7)
# An athlete who hit within a month and then not for two weeks may have been missed.
STALE_AFTER = dt.timedelta(days=14)
STALE_UNTIL = dt.timedelta(days=45)
# Nobody misses who came only once or twice.
STALE_SESSIONS = 3
ATTENTION_SHOWN = 8


@dataclass(frozen=True)
class SessionCard:
    """One of the newest sessions with what changed in it."""

    session: Session
    player: Player
    counted: int
    grades: tuple[tuple[str, int], ...]
    changes: tuple[MetricChange, ...]
    compared: bool

    @property
    def more_changes(self) -> int:
        """How many real changes there are beyond those shown."""
        return max(0, len(self.changes) - CHANGES_PER_SESSION)

    @property
    def first_changes(self) -> tuple[MetricChange, ...]:
        """The largest real changes, as many as the card shows."""
        return self.changes[:CHANGES_PER_SESSION]


@dataclass(frozen=True)
class ChangeLine:
    """One real change: who, what, from what to what."""

    player: Player
    session: Session
    change: MetricChange


@dataclass(frozen=True)
class AttentionLine:
    """One thing that somebody should look at, and why."""

    text: str
    player: Player
    session: Session | None = None


@dataclass(frozen=True)
class HomePage:
    """Everything that the first page prints."""

    newest: tuple[SessionCard, ...]
    changes: tuple[ChangeLine, ...]
    changes_since: dt.date | None
    attention: tuple[AttentionLine, ...]
    has_athletes: bool


def home_page(
    players: PlayerQuerySet, sessions: SessionQuerySet, *, system: str
) -> HomePage:
    """The first page for who may see these athletes; nine queries at most."""
    recent = list(
        sessions.filter(session_date__isnull=False)
        .select_related("player")
        .order_by("-session_date", "-id")[:CHANGED_SESSIONS]
    )
    histories_of = histories(
        sessions, {session.player_id for session in recent}, NUMERIC_HEADLINES
    )
    changes = {
        session.pk: real_changes(histories_of.get(session.player_id, {}), session.pk)
        for session in recent
    }
    newest_day = recent[0].session_date if recent else None
    since = newest_day - WEEK if newest_day else None
    lines = [
        ChangeLine(session.player, session, change)
        for session in recent
        if since and session.session_date and session.session_date > since
        for change in changes[session.pk][0]
    ]
    lines.sort(key=lambda line: line.change.size, reverse=True)
    return HomePage(
        newest=tuple(_card(session, *changes[session.pk]) for session in recent)[
            :NEWEST
        ],
        changes=tuple(lines[:CHANGES_SHOWN]),
        changes_since=since,
        attention=attention(players, sessions),
        has_athletes=bool(recent) or players.exists(),
    )


def real_changes(
    history: History, session_id: int
) -> tuple[tuple[MetricChange, ...], bool]:
    """Real changes in one session, largest first, and whether anything was compared.

    `history` holds one athlete's session averages by metric.
    """
    found = []
    compared = False
    for points in history.values():
        # Of each side that was swung from, by the rule that most swings have.
        here: dict[str, SessionAverage] = {}
        for point in points:
            if point.session_id == session_id:
                kept = here.setdefault(point.basis.side, point)
                if point.n > kept.n:
                    here[point.basis.side] = point
        for point in here.values():
            change = change_at(points, point)
            compared = compared or change.real is not None
            if change.real:
                found.append(change)
    found.sort(key=lambda change: change.size, reverse=True)
    return tuple(found), compared


def _card(
    session: Session, changes: Sequence[MetricChange], compared: bool
) -> SessionCard:
    """A session as a card; no query."""
    quality = session.summary.get("quality") or {}
    return SessionCard(
        session=session,
        player=session.player,
        counted=int(session.summary.get("counted") or 0),
        grades=tuple(
            (grade.value, int(quality.get(grade.value) or 0)) for grade in QualityGrade
        ),
        changes=tuple(changes),
        compared=compared,
    )


def attention(
    players: PlayerQuerySet, sessions: SessionQuerySet
) -> tuple[AttentionLine, ...]:
    """Sessions whose data failed or are partly here, and athletes gone quiet."""
    lines = [
        AttentionLine(_data_words(session), session.player, session)
        for session in sessions.filter(
            data_state__in=[DataState.FAILED, DataState.PARTIAL]
        )
        .select_related("player")
        .newest_first()[:ATTENTION_SHOWN]
    ]
    today = timezone.localdate()
    quiet: Iterable[Player] = players.filter(
        last_session_on__lt=today - STALE_AFTER,
        last_session_on__gte=today - STALE_UNTIL,
        session_count__gte=STALE_SESSIONS,
    ).order_by("last_session_on", "id")[:ATTENTION_SHOWN]
    lines += [
        AttentionLine("no session for two weeks or more", player) for player in quiet
    ]
    return tuple(lines[: 2 * ATTENTION_SHOWN])


def _data_words(session: Session) -> str:
    """What is wrong with the session's data, in words."""
    if session.data_state == DataState.FAILED:
        return "swings could not be fetched"
    return "swings are only partly here"
