"""The list of all sessions: filters, orders, one page of rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.db.models import IntegerField, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce

from athletes.models import DataState
from athletes.querysets import PlayerQuerySet, SessionQuerySet
from dashboard.selectors.changes import setup_note
from dashboard.selectors.paging import COUNT_LIMIT, RowOrder, bounded_count, page_of
from dashboard.selectors.seasons import season_of
from dashboard.selectors.session_cards import SessionCard, changes_of, session_card
from dashboard.selectors.setup_choice import setup_of
from dashboard.selectors.table_order import LARGEST_FIRST, TableOrder, order_from

PAGE_SIZE = 30
INCOMPLETE = (DataState.WAITING, DataState.PARTIAL, DataState.FAILED)

ORDERS: dict[str, RowOrder] = {
    "date": RowOrder(("session_date", "id"), nullable=True),
    # A session may have no day, so within an athlete they stand as they came.
    "athlete": RowOrder(("player__last_name", "player__first_name", "player_id", "id")),
    "swings": RowOrder(("swing_count", "id")),
}


@dataclass(frozen=True)
class SessionColumn:
    """A column of the session table; a click on its head sorts by it."""

    key: str
    label: str
    numeric: bool = False
    descending_words: str = ""


SESSION_COLUMNS = (
    SessionColumn("athlete", "Athlete"),
    SessionColumn("date", "Session", descending_words="newest first"),
    SessionColumn("swings", "Swings", numeric=True, descending_words=LARGEST_FIRST),
)

#: Spans of days that end today, by what the address calls them.
PERIODS = {
    "today": "Today",
    "week": "This week",
    "30": "Last 30 days",
    "season": "This season",
}


def days_of(period: str, today: dt.date) -> tuple[dt.date, dt.date] | None:
    """The first and last day of a named span; None for a name that is none.

    A week begins on Monday, a season on September 1.
    """
    first = {
        "today": today,
        "week": today - dt.timedelta(days=today.weekday()),
        "30": today - dt.timedelta(days=29),
        "season": season_of(today)[0],
    }.get(period)
    return None if first is None else (first, today)


@dataclass(frozen=True)
class SessionFilter:
    """What the list is narrowed to; empty means everything."""

    q: str = ""
    period: str = ""
    start: dt.date | None = None
    end: dt.date | None = None
    setup: str = ""
    tag: str = ""
    quality: str = ""

    @property
    def is_active(self) -> bool:
        """Whether the list is narrowed at all."""
        return any(vars(self).values())


@dataclass(frozen=True)
class SessionList:
    """One page of the session table, with what its links need."""

    cards: tuple[SessionCard, ...]
    filter: SessionFilter
    order: TableOrder
    total: int
    has_previous: bool
    has_next: bool
    first_id: int | None
    last_id: int | None

    @property
    def total_is_more(self) -> bool:
        """Whether there are more matches than are counted."""
        return self.total > COUNT_LIMIT

    @property
    def total_shown(self) -> int:
        """The number of matches that the page names."""
        return min(self.total, COUNT_LIMIT)

    @property
    def setup_note(self) -> str:
        """What is said where sessions without a setup are compared."""
        return setup_note(
            [change for card in self.cards for change in card.first_changes]
        )


def _swings_of(grade: str) -> Coalesce:
    """The number of a session's swings of a grade."""
    counted = KeyTextTransform(grade, KeyTransform("quality", "summary"))
    return Coalesce(Cast(counted, IntegerField()), Value(0))


def filtered(
    sessions: SessionQuerySet,
    players: PlayerQuerySet,
    wanted: SessionFilter,
    *,
    today: dt.date,
) -> SessionQuerySet:
    """The sessions that the filter lets through."""
    if wanted.q:
        sessions = sessions.filter(player__in=players.found_by_name(wanted.q))
    if days := days_of(wanted.period, today):
        sessions = sessions.filter(session_date__range=days)
    if wanted.start:
        sessions = sessions.filter(session_date__gte=wanted.start)
    if wanted.end:
        sessions = sessions.filter(session_date__lte=wanted.end)
    if wanted.setup:
        sessions = sessions.of_setup(setup_of(wanted.setup))
    if wanted.tag:
        sessions = sessions.filter(tags__name=wanted.tag)
    if wanted.quality == "good":
        sessions = sessions.annotate(
            good=_swings_of("good"),
            others=_swings_of("usable") + _swings_of("poor"),
        ).filter(good__gt=0, others=0)
    elif wanted.quality == "poor":
        sessions = sessions.annotate(poor=_swings_of("poor")).filter(poor__gt=0)
    elif wanted.quality == "incomplete":
        sessions = sessions.filter(data_state__in=INCOMPLETE)
    return sessions


def session_list(
    sessions: SessionQuerySet,
    players: PlayerQuerySet,
    wanted: SessionFilter,
    *,
    today: dt.date,
    sort: str = "-date",
    after: int | None = None,
    before: int | None = None,
    size: int = PAGE_SIZE,
) -> SessionList:
    """One page of sessions in the wanted order; at most ten queries.

    `sessions` and `players` are all that the reader may see.
    """
    order = order_from(sort, ORDERS, "date")
    rows_order = replace(ORDERS[order.key], descending=order.descending)
    matching = filtered(sessions, players, wanted, today=today)
    page = page_of(
        matching.select_related("player"),
        rows_order,
        among=sessions,
        size=size,
        after=after,
        before=before,
    )
    changes = changes_of(page.rows, sessions)
    has_more = page.has_previous or page.has_next
    return SessionList(
        cards=tuple(session_card(row, changes[row.pk]) for row in page.rows),
        filter=wanted,
        order=order,
        total=bounded_count(matching) if has_more else len(page.rows),
        has_previous=page.has_previous,
        has_next=page.has_next,
        first_id=page.first_id,
        last_id=page.last_id,
    )
