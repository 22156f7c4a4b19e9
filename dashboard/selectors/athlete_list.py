"""The list of athletes: filters, orders, one page of rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef

from athletes.analysis.metric_reading import MetricReading
from athletes.models import Hand, Player, Session
from athletes.querysets import PlayerQuerySet
from biomechanics.definitions import METRICS
from dashboard.selectors.freshness import Freshness, freshness_of, of_freshness
from dashboard.selectors.paging import (
    COUNT_LIMIT,
    Page,
    RowOrder,
    bounded_count,
    page_of,
)
from dashboard.selectors.setup_choice import setup_of
from dashboard.selectors.table_order import LARGEST_FIRST, TableOrder, order_from

PAGE_SIZE = 50

_NAME = ("last_name", "first_name", "id")
ORDERS: dict[str, RowOrder] = {
    "name": RowOrder(_NAME),
    "bats": RowOrder(("dominant_hand_hitting", "id"), nullable=True),
    "last_session": RowOrder(("last_session_on", "id"), nullable=True),
    "sessions": RowOrder(("session_count", "id")),
    "swings": RowOrder(("swing_count", "id")),
    "data": RowOrder(("data_state", "id")),
    "hand_speed": RowOrder(("latest_hand_speed_m_per_s", "id"), nullable=True),
    "bat_speed": RowOrder(("latest_bat_speed_m_per_s", "id"), nullable=True),
}


@dataclass(frozen=True)
class AthleteColumn:
    """A column of the athlete table; a click on its head sorts by it."""

    key: str
    label: str
    metric: str = ""
    numeric: bool = False
    # What a first click means: names from A, numbers from the top.
    descending_words: str = ""


ATHLETE_COLUMNS = (
    AthleteColumn("name", "Athlete"),
    AthleteColumn("bats", "Bats"),
    AthleteColumn("last_session", "Last session", descending_words="newest first"),
    AthleteColumn("sessions", "Sessions", numeric=True, descending_words=LARGEST_FIRST),
    AthleteColumn("swings", "Swings", numeric=True, descending_words=LARGEST_FIRST),
    AthleteColumn("data", "Data"),
    AthleteColumn(
        "hand_speed",
        METRICS["peak_hand_speed"].short,
        metric="peak_hand_speed",
        numeric=True,
        descending_words=LARGEST_FIRST,
    ),
    AthleteColumn(
        "bat_speed",
        METRICS["bat_speed_max"].short,
        metric="bat_speed_max",
        numeric=True,
        descending_words=LARGEST_FIRST,
    ),
)


@dataclass(frozen=True)
class AthleteFilter:
    """What the list is narrowed to; empty means everything."""

    q: str = ""
    bats: str = ""
    state: str = ""
    tag: str = ""
    setup: str = ""
    freshness: str = ""
    start: dt.date | None = None
    end: dt.date | None = None

    @property
    def is_active(self) -> bool:
        """Whether the list is narrowed at all."""
        return any(
            (
                *(self.q, self.bats, self.state, self.tag, self.setup),
                *(self.freshness, self.start, self.end),
            )
        )


@dataclass(frozen=True)
class AthleteRow:
    """One athlete as a line of the table."""

    id: int
    name: str
    bats: str
    last_session_on: dt.date | None
    session_count: int
    swing_count: int
    freshness: Freshness
    data_state: str
    data_label: str
    missing_since: dt.datetime | None
    readings: tuple[MetricReading, ...]


@dataclass(frozen=True)
class AthleteList:
    """One page of the athlete table, with what its links need."""

    rows: tuple[AthleteRow, ...]
    filter: AthleteFilter
    order: TableOrder
    total: int
    has_previous: bool
    has_next: bool
    first_id: int | None
    last_id: int | None
    # Nobody has the name that was searched; these have it but for a typing error.
    is_nearly: bool = False

    @property
    def has_switch_hitter(self) -> bool:
        """Whether a speed that is shown may be over the swings of both sides."""
        return any(row.bats == Hand.SWITCH.label for row in self.rows)

    @property
    def total_is_more(self) -> bool:
        """Whether there are more matches than are counted."""
        return self.total > COUNT_LIMIT

    @property
    def total_shown(self) -> int:
        """The number of matches that the page names."""
        return min(self.total, COUNT_LIMIT)


def filtered(players: PlayerQuerySet, wanted: AthleteFilter) -> PlayerQuerySet:
    """The athletes that the filter lets through, whatever they are called."""
    if wanted.bats == "unknown":
        players = players.filter(dominant_hand_hitting__isnull=True)
    elif wanted.bats:
        players = players.filter(dominant_hand_hitting=wanted.bats)
    if wanted.tag:
        players = players.filter(tags__name=wanted.tag)
    if wanted.setup:
        sessions = Session.objects.present().of_setup(setup_of(wanted.setup))
        players = players.filter(Exists(sessions.filter(player=OuterRef("pk"))))
    if wanted.state:
        players = players.filter(data_state=wanted.state)
    if wanted.freshness:
        players = of_freshness(players, wanted.freshness)
    if wanted.start:
        players = players.filter(last_session_on__gte=wanted.start)
    if wanted.end:
        players = players.filter(last_session_on__lte=wanted.end)
    return players


def athlete_list(
    players: PlayerQuerySet,
    wanted: AthleteFilter,
    *,
    sort: str = "name",
    after: int | None = None,
    before: int | None = None,
    size: int = PAGE_SIZE,
) -> AthleteList:
    """One page of athletes in the wanted order; at most six queries.

    A search that finds nobody looks for typing errors, with two queries more.
    """
    order = order_from(sort, ORDERS, "name")
    rows_order = replace(ORDERS[order.key], descending=order.descending)
    among = filtered(players, wanted)
    matching = among.named_like(wanted.q)
    page = page_of(
        matching, rows_order, among=players, size=size, after=after, before=before
    )
    is_nearly = bool(wanted.q) and not page.rows and after is None and before is None
    if is_nearly:
        matching = among.nearly_named(wanted.q)
        page = page_of(matching, rows_order, among=players, size=size)
    return AthleteList(
        rows=tuple(_row(player) for player in page.rows),
        filter=wanted,
        order=order,
        total=_total(matching, page),
        has_previous=page.has_previous,
        has_next=page.has_next,
        first_id=page.first_id,
        last_id=page.last_id,
        is_nearly=is_nearly and bool(page.rows),
    )


def _total(matching: PlayerQuerySet, page: Page[Player]) -> int:
    """How many match; a list of one page is counted already."""
    if page.has_previous or page.has_next:
        return bounded_count(matching)
    return len(page.rows)


def _row(player: Player) -> AthleteRow:
    """The athlete as a line of the table; no query."""
    return AthleteRow(
        id=player.pk,
        name=player.list_name,
        bats=player.get_dominant_hand_hitting_display() or "",
        last_session_on=player.last_session_on,
        session_count=player.session_count,
        swing_count=player.swing_count,
        freshness=freshness_of(player.last_session_on),
        data_state=player.data_state,
        data_label=player.get_data_state_display(),
        missing_since=player.missing_since,
        readings=(
            _latest("peak_hand_speed", player.latest_hand_speed_m_per_s),
            _latest("bat_speed_max", player.latest_bat_speed_m_per_s),
        ),
    )


def _latest(metric: str, value: float | None) -> MetricReading:
    """A speed kept with the athlete, as a reading."""
    reason = "" if value is not None else "No included swing has it yet."
    return MetricReading(METRICS[metric], value, reason=reason)
