"""The page of one session: its swings, their averages, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.text import capfirst

from athletes.analysis.effort import FULL_EFFORT_SHARE, SPEED, fastest_speeds
from athletes.analysis.history import SideChoice
from athletes.analysis.marked_swings import Fastest, fastest_swing
from athletes.analysis.means_by_side import SIDES, side_key, side_of
from athletes.analysis.metric_reading import MetricReading
from athletes.kept_questions import kept_question
from athletes.models import (
    BiomechanicsData,
    DataState,
    DataType,
    Movement,
    Session,
    Tag,
)
from athletes.phrases import basis_in_words, setup_words, side_in_words
from athletes.querysets import SessionQuerySet
from biomechanics.definitions import HEADLINES, METRICS, MetricDefinition
from dashboard.selectors.aligned_curves import zero_label
from dashboard.selectors.session_averages import (
    SessionPart,
    averages_by_group,
    computed_averages,
    stored_averages,
)
from dashboard.selectors.session_groups import SETUPS, Grouping, setup_key
from dashboard.selectors.set_aside import SetAsideLine, set_aside_lines
from dashboard.selectors.swing_rows import SwingRow, swing_row


@dataclass(frozen=True)
class DataTypeState:
    """How many movements have frames of one data type."""

    label: str
    stored: int
    expected: int
    explanation: str

    @property
    def is_complete(self) -> bool:
        """Whether every movement of the session has frames of this type."""
        return self.expected > 0 and self.stored >= self.expected

    @property
    def headline(self) -> str:
        """What is missing, as the page says it."""
        if not self.stored:
            return f"No {self.label.lower()} data yet"
        return f"{self.label} data for {self.stored} of {self.expected} movements"


# How the swings of a session that has both sides are shown.
APART, TOGETHER = "", "both"
# How the address names the swings that were taken hard.
FULL_EFFORT = "full"


@dataclass(frozen=True)
class EffortLimit:
    """The fastest bat speed, m/s; the side in words where there are several.

    `measured` says what it rests on, where swings from one side differ in that.
    """

    side: str
    fastest: float
    measured: str = ""

    @property
    def label(self) -> str:
        """What it is the limit of; empty where there is no other."""
        return ", ".join(filter(None, (self.side, self.measured)))

    @property
    def least(self) -> float:
        """The speed from which a swing is one at full effort, m/s."""
        return FULL_EFFORT_SHARE * self.fastest


@dataclass(frozen=True)
class EffortChoice:
    """The filter for swings taken at full effort, which is off unless asked for.

    `below` and `unknown` are how many swings it leaves out: slower ones, and those
    without a bat speed that counts.
    """

    is_on: bool
    limits: tuple[EffortLimit, ...] = ()
    below: int = 0
    unknown: int = 0

    @property
    def percent(self) -> int:
        """The least share of the fastest speed, in percent."""
        return round(100 * FULL_EFFORT_SHARE)


@dataclass(frozen=True)
class SessionPage:
    """Everything that the session's page prints.

    `side` is the side that is shown, as the address names it: one alone, both apart
    (nothing) or both together. `parts` are what is told of the swings, one for each
    side where these are apart.
    """

    session: Session
    swings: tuple[SwingRow, ...]
    not_swings: tuple[SwingRow, ...]
    unread: tuple[SwingRow, ...]
    # What the vendor no longer sends: kept to look at, in nothing else.
    gone: tuple[SwingRow, ...]
    columns: tuple[MetricDefinition, ...]
    side: str
    side_choices: tuple[SideChoice, ...]
    # The same of setups: one alone, or each apart (nothing). No mean is over several.
    setup: str
    setup_choices: tuple[SideChoice, ...]
    grouping: Grouping
    parts: tuple[SessionPart, ...]
    fastest: tuple[Fastest, ...]
    data_types: tuple[DataTypeState, ...]
    tags: tuple[Tag, ...]
    earlier_id: int | None
    later_id: int | None
    # Whether the vendor no longer has the session at all.
    is_gone: bool
    set_aside: tuple[SetAsideLine, ...]
    # None where no swing has a bat speed to go by.
    effort: EffortChoice | None = None

    @property
    def counted(self) -> int:
        """How many of the swings shown are included in averages."""
        return sum(swing.counted for swing in self.swings)

    @property
    def zero_words(self) -> str:
        """What contact is called, by the rules of the swings shown."""
        rules = {swing.rules.get("reference", "") for swing in self.swings} - {""}
        words = sorted({zero_label(rule, "reference") for rule in rules})
        return " or ".join(words) or "contact"

    @property
    def left_out(self) -> int:
        """How many of the swings shown are excluded from averages."""
        return len(self.swings) - self.counted

    @property
    def sides(self) -> tuple[tuple[str, int], ...]:
        """How many counted swings of each side are shown, where there are both."""
        counts = Counter(swing.side for swing in self.swings if swing.counted)
        return tuple(
            (side_in_words(side), counts[side])
            for side in SIDES
            if self.side_choices and side in counts
        )

    @property
    def is_together(self) -> bool:
        """Whether means are over swings of both sides."""
        return self.side == TOGETHER

    @property
    def is_apart(self) -> bool:
        """Whether each side, or setup, has means of its own beside the others'."""
        return len(self.parts) > 1

    @property
    def grouping_shown(self) -> Grouping:
        """How the swings shown are told apart; not at all where they are one part."""
        return self.grouping if self.is_apart else Grouping()

    @property
    def names_part(self) -> bool:
        """Whether each swing says its side or setup."""
        return bool(self.side_choices or self.setup_choices)

    def words_of(self, swing: SwingRow) -> str:
        """What of its part a swing says: its side, its setup, both or neither."""
        grouping = Grouping(bool(self.side_choices), bool(self.setup_choices))
        return grouping.words(swing.part)

    @property
    def has_spread(self) -> bool:
        """Whether any part has swings enough to show a standard deviation."""
        return any(part.has_spread for part in self.parts)

    @property
    def has_consistency(self) -> bool:
        """Whether every part has swings enough to speak of consistency."""
        return all(part.has_consistency for part in self.parts)

    @property
    def first_means(self) -> tuple[MetricReading, ...]:
        """The averages that stand large at the top, of one part after the other."""
        return tuple(reading for part in self.parts for reading in part.first_means)

    @property
    def is_empty(self) -> bool:
        """Whether the session has no recorded movement at all."""
        filtered = self.effort is not None and self.effort.is_on
        return not (
            self.swings or self.not_swings or self.unread or self.gone or filtered
        )


def session_page(
    session: Session,
    siblings: SessionQuerySet,
    side: str = APART,
    effort: str = "",
    setup: str = APART,
) -> SessionPage:
    """The session with its movements; ten queries whatever their number.

    `siblings` are the sessions of the same athlete that the user may see. `side`
    chooses among the sides of a switch hitter: `right`, `left`, `both` together, or
    nothing for both, but apart. With `effort` as `full` only swings near the athlete's
    own fastest are shown and averaged, which takes one query more. `setup` chooses
    among the setups of a session that has several, by `setup_key`.
    """
    movements: list[Movement] = []
    gone: list[Movement] = []
    for movement in _movements(session.pk):
        movement.session = session
        (gone if movement.missing_since else movements).append(movement)
    sides = _sides(movements)
    keys = [side_key(one) for one in sides]
    if side not in (*keys, TOGETHER) or not sides:
        side = APART
    setups = _setups(movements)
    if setup not in map(setup_key, setups):
        setup = APART
    rows = [(swing_row(movement), movement) for movement in movements]
    shown = [
        (row, item)
        for row, item in rows
        if item.is_swing
        and (side not in keys or side_key(row.side) == side)
        and setup in (APART, setup_key(row.setup))
    ]
    grouping = Grouping(bool(sides) and side != TOGETHER, bool(setups))
    choice, shown = _by_effort(session, siblings, shown, is_on=effort == FULL_EFFORT)
    swings = [row for row, _ in shown]
    earlier_id, later_id = _neighbors(siblings, session)
    return SessionPage(
        session=session,
        swings=tuple(swings),
        # What no machine takes for a swing, a person may count all the same.
        not_swings=tuple(row for row, item in rows if item.is_swing is False),
        unread=tuple(row for row, item in rows if item.is_swing is None),
        gone=tuple(map(swing_row, gone)),
        columns=tuple(METRICS[name] for name in HEADLINES),
        side=side,
        side_choices=_choices(sides, side),
        setup=setup,
        setup_choices=_setup_choices(setups, setup),
        grouping=grouping,
        parts=_parts(
            session, movements, shown, grouping, choice, TOGETHER if sides else ""
        ),
        fastest=_fastest(movements),
        data_types=_data_types(session, len(movements)),
        tags=tuple(_tags(session.pk)),
        earlier_id=earlier_id,
        later_id=later_id,
        is_gone=session.missing_since is not None
        and not Session.objects.filter(pk=session.pk).present().exists(),
        set_aside=set_aside_lines(session),
        effort=choice,
    )


@kept_question
def _movements(session_id: int) -> QuerySet[Movement]:
    """All that the session has, gone movements too."""
    every = Movement.objects.filter(session_id=session_id).in_session_order()
    return every.defer("verdict", "metadata", "vendor_metrics")


# A swing of the page, as a row and as it is stored.
_Shown = tuple[SwingRow, Movement]


def _by_effort(
    session: Session,
    siblings: SessionQuerySet,
    shown: Sequence[_Shown],
    *,
    is_on: bool,
) -> tuple[EffortChoice | None, list[_Shown]]:
    """The filter by effort, and the swings that it leaves."""
    if not is_on:
        has_speed = any(
            (item.metrics.get(SPEED) or {}).get("value") is not None
            for _, item in shown
        )
        return (EffortChoice(False) if has_speed else None), list(shown)
    speeds = fastest_speeds(session, siblings)
    judged = [(speeds.is_full_effort(item), row, item) for row, item in shown]
    sides = {side_of(item) for _, item in shown}
    several = len(sides) > 1
    return EffortChoice(
        True,
        limits=tuple(
            EffortLimit(
                side_in_words(one) if several else "",
                speed,
                basis_in_words(basis) if len(fastest) > 1 else "",
            )
            for one in SIDES
            if one in sides
            and (fastest := speeds.of_side(one, [item for _, item in shown]))
            for basis, speed in fastest.items()
        ),
        below=sum(full is False for full, _, _ in judged),
        unknown=sum(full is None for full, _, _ in judged),
    ), [(row, item) for full, row, item in judged if full]


def _parts(
    session: Session,
    movements: Sequence[Movement],
    shown: Sequence[_Shown],
    grouping: Grouping,
    effort: EffortChoice | None,
    key: str,
) -> tuple[SessionPart, ...]:
    """Averages of each group, or of all together; of the swings shown where filtered.

    `key` names what is together, where the swings are from both sides.
    """
    swings = [row for row, _ in shown]
    filtered = effort is not None and effort.is_on
    if filtered:
        movements = [item for _, item in shown]
    if grouping.is_apart:
        return averages_by_group(movements, swings, grouping)
    if filtered:
        return (computed_averages(movements, swings, key),)
    return (stored_averages(session, movements, swings, key),)


@kept_question
def _tags(session_id: int) -> QuerySet[Tag]:
    return Tag.objects.filter(sessions=session_id)


def _setups(movements: Iterable[Movement]) -> tuple[str, ...]:
    """The setups of the counted swings, where there are several; else nothing."""
    found = {movement.setup for movement in movements if movement.is_counted}
    return tuple(one for one in SETUPS if one in found) if len(found) > 1 else ()


def _setup_choices(setups: Sequence[str], chosen: str) -> tuple[SideChoice, ...]:
    """The ways to look at a session of several setups; none where there is one."""
    if not setups:
        return ()
    choices = [
        (APART, "All setups, apart"),
        *((setup_key(one), capfirst(setup_words(one))) for one in setups),
    ]
    return tuple(SideChoice(key, label, key == chosen) for key, label in choices)


def _sides(movements: Iterable[Movement]) -> tuple[str, ...]:
    """The sides of the counted swings, where there are several; else nothing."""
    found = {side_of(movement) for movement in movements if movement.is_counted}
    return tuple(side for side in SIDES if side in found) if len(found) > 1 else ()


def _choices(sides: Sequence[str], chosen: str) -> tuple[SideChoice, ...]:
    """The ways to look at a switch hitter's session; none where there is one side."""
    if not sides:
        return ()
    choices = [
        (APART, "Both sides, separately"),
        *((side_key(side), side_in_words(side).capitalize()) for side in sides),
        (TOGETHER, "Both together"),
    ]
    return tuple(SideChoice(key, label, key == chosen) for key, label in choices)


def _fastest(movements: Iterable[Movement]) -> tuple[Fastest, ...]:
    """The fastest of the counted swings, of each side and setup that has one."""
    by_part: dict[tuple[str, str], list[Movement]] = {}
    for movement in movements:
        if movement.is_counted:
            part = (side_of(movement), movement.setup)
            by_part.setdefault(part, []).append(movement)
    found = (fastest_swing(own) for own in by_part.values())
    return tuple(one for one in found if one is not None)


_EXPLANATIONS = {
    DataState.WAITING: "Reboot Motion is still preparing it; the next sync checks "
    "again.",
    DataState.NO_DATA: "Reboot Motion has none for this session.",
    DataState.FAILED: "The download failed; the Syncing page says why and can try "
    "again.",
    DataState.PARTIAL: "Some of it is missing; the next sync checks again.",
}


@kept_question
def _stored_types(session_id: int) -> QuerySet[BiomechanicsData, tuple[str, int]]:
    """Each data type, and of how many movements of the session it is stored."""
    of_present = BiomechanicsData.objects.filter(
        movement__session_id=session_id,
        movement__missing_since=None,
        missing_since=None,
    )
    return of_present.values_list("data_type").annotate(Count("id")).order_by()


def _data_types(session: Session, movements: int) -> tuple[DataTypeState, ...]:
    """For each data type how many of the session's `movements` have frames of it."""
    stored = dict(_stored_types(session.pk))
    explanation = _EXPLANATIONS.get(
        DataState(session.data_state), "It didn't arrive with the rest."
    )
    return tuple(
        DataTypeState(
            label=data_type.label,
            stored=stored.get(data_type.value, 0),
            expected=movements,
            explanation=explanation,
        )
        for data_type in DataType
    )


@kept_question
def _dated(
    siblings: SessionQuerySet, player_id: int
) -> QuerySet[Session, tuple[Any, int]]:
    """Days and keys of an athlete's sessions, oldest first."""
    return (
        siblings.filter(player_id=player_id, session_date__isnull=False)
        .order_by("session_date", "pk")
        .values_list("session_date", "pk")
    )


def _neighbors(
    siblings: SessionQuerySet, session: Session
) -> tuple[int | None, int | None]:
    """Ids of the athlete's sessions just before and after this one, where there are."""
    if session.session_date is None:
        return None, None
    own = (session.session_date, session.pk)
    # One short question about all of them instead of two long ones.
    dated = _dated(siblings, session.player_id)
    earlier = [one for one in dated if one < own]
    later = [one for one in dated if one > own]
    return (earlier[-1][1] if earlier else None), (later[0][1] if later else None)
