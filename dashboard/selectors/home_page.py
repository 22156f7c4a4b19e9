"""The first page: newest sessions, real changes of a week, what needs attention."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from athletes.analysis.changes import MetricChange
from athletes.display import number_of
from athletes.models import DataState, Player, SameRecording, Session, SetAside
from athletes.querysets import PlayerQuerySet, SessionQuerySet
from biomechanics.change import share_by_chance
from dashboard.phrases import gap_in_words
from dashboard.selectors.changes import setup_note
from dashboard.selectors.freshness import Freshness, of_freshness
from dashboard.selectors.session_cards import (
    SessionCard,
    changes_of,
    real_changes,
    session_card,
)

NEWEST = 10
# Real changes are looked for in at most so many sessions of the last week of data.
CHANGED_SESSIONS = 40
CHANGES_SHOWN = 12
WEEK = dt.timedelta(days=7)
# Nobody misses who came only once or twice.
STALE_SESSIONS = 3
ATTENTION_SHOWN = 8


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
    changes_found: int
    # The largest share of these that may be chance; None without any.
    by_chance: float | None
    changes_since: dt.date | None
    attention: tuple[AttentionLine, ...]
    has_athletes: bool

    @property
    def setup_note(self) -> str:
        """What is said where sessions without a setup are compared."""
        return setup_note(
            [
                *(line.change for line in self.changes),
                *(change for card in self.newest for change in card.first_changes),
            ]
        )

    @property
    def chance_words(self) -> str:
        """What share of the changes listed may be chance, in a sentence."""
        if self.by_chance is None:
            return ""
        share = f"{100 * self.by_chance:.0f}%"
        return (
            f"With this many athletes, up to {share} of these changes may be chance."
            if self.changes_found > 1
            else f"The odds that it is only chance may be up to {share}."
        )


def home_page(
    players: PlayerQuerySet, sessions: SessionQuerySet, *, system: str
) -> HomePage:
    """The first page for who may see these athletes; twelve queries at most."""
    recent = list(
        sessions.filter(session_date__isnull=False)
        .select_related("player")
        .order_by("-session_date", "-id")[:CHANGED_SESSIONS]
    )
    changes = changes_of(recent, sessions)
    newest_day = recent[0].session_date if recent else None
    since = newest_day - WEEK if newest_day else None
    lines = [
        ChangeLine(session.player, session, change)
        for session in recent
        if _is_since(session, since)
        for change in real_changes(changes[session.pk])
    ]
    lines.sort(key=lambda line: line.change.size, reverse=True)
    return HomePage(
        newest=tuple(
            session_card(session, changes[session.pk]) for session in recent[:NEWEST]
        ),
        changes=tuple(lines[:CHANGES_SHOWN]),
        changes_found=len(lines),
        by_chance=share_by_chance(
            [
                len(real_changes(one_look))
                for session in recent
                if _is_since(session, since)
                for one_look in _lists(changes[session.pk])
            ]
        ),
        changes_since=since,
        attention=attention(players, sessions),
        has_athletes=bool(recent) or players.exists(),
    )


def _is_since(session: Session, since: dt.date | None) -> bool:
    """Whether a session is of the last week of data."""
    return bool(since and session.session_date and session.session_date > since)


def _lists(changes: Iterable[MetricChange]) -> list[list[MetricChange]]:
    """The changes that were judged together: those of one side and one setup.

    As far as they can be judged.
    """
    found: dict[tuple[str, str], list[MetricChange]] = {}
    for change in changes:
        if change.real is not None:
            setup = change.basis.condition if change.basis else ""
            found.setdefault((change.side_key, setup), []).append(change)
    return list(found.values())


def attention(
    players: PlayerQuerySet, sessions: SessionQuerySet
) -> tuple[AttentionLine, ...]:
    """Sessions whose data or decisions want a look, and athletes gone quiet.

    Whether there is anything of a kind is asked first: mostly there is not, and who may
    see it is the longer question.
    """
    lines = [
        AttentionLine(_data_words(session), session.player, session)
        for session in sessions.needing_care()
        .select_related("player")
        .newest_first()[:ATTENTION_SHOWN]
    ]
    pairs = (
        SameRecording.objects.waiting()
        .of_present()
        .filter(session__in=sessions, other__in=sessions)
    )
    if SameRecording.objects.waiting().exists():
        lines += [
            AttentionLine(
                "same recording as another session, and both are used",
                pair.session.player,
                pair.session,
            )
            for pair in pairs.select_related("session__player").order_by("-id")[
                :ATTENTION_SHOWN
            ]
        ]
    open_decisions = SetAside.objects.filter(
        settled_at=None, movement__missing_since=None
    )
    if open_decisions.exists():
        lines += [
            AttentionLine(
                "decisions to review: Reboot Motion changed swings",
                session.player,
                session,
            )
            for session in sessions.filter(
                pk__in=open_decisions.values("movement__session")
            )
            .select_related("player")
            .newest_first()[:ATTENTION_SHOWN]
        ]
    # Who hit not long ago and then not for a while may have been missed.
    quiet: Iterable[Player] = (
        of_freshness(players, Freshness.AGING)
        .filter(session_count__gte=STALE_SESSIONS)
        .order_by("last_session_on", "id")[:ATTENTION_SHOWN]
    )
    words = f"no session for more than {number_of(settings.FRESH_DAYS, 'day')}"
    lines += [AttentionLine(words, player) for player in quiet]
    return tuple(lines[: 3 * ATTENTION_SHOWN])


def _data_words(session: Session) -> str:
    """What is wrong with the session's data, in words."""
    if session.data_state == DataState.FAILED:
        return "swings could not be downloaded"
    return gap_in_words(session.data_gap) or "swings are only partly imported"
