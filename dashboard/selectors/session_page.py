"""One session: its swings, what they have in common, what is missing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from athletes.analysis.event_rules import event_rules
from athletes.analysis.history import (
    SideChoice,
)
from athletes.analysis.means_by_side import (
    SIDES,
    means_by_side,
    side_key,
    side_of,
)
from athletes.analysis.metric_reading import MetricReading, reading_of
from athletes.models import (
    BiomechanicsData,
    DataState,
    DataType,
    Movement,
    Note,
    Session,
    SessionMetric,
)
from athletes.phrases import (
    reason_texts,
    side_in_words,
)
from athletes.querysets import SessionQuerySet
from biomechanics.definitions import HEADLINES, METRICS, MetricDefinition

# Spread is only shown from three swings on, and called consistency from five.
SPREAD_FROM = 3
CONSISTENCY_FROM = 5

# So many means stand large at the top; the table below has all of them.
FIRST_MEANS = 6

GAPS = ("gap_pelvis_torso", "gap_torso_arm", "gap_arm_bat")


@dataclass(frozen=True)
class SwingRow:
    """One movement as a line of the table and a tile of the strip."""

    id: int
    position: int
    vendor_id: str
    side: str
    grade: str
    grade_label: str
    reasons: tuple[str, ...]
    counted: bool
    inclusion: str
    inclusion_label: str
    inclusion_reason: str
    missing: bool
    order: str
    events: Mapping[str, Any]
    rules: Mapping[str, str]
    readings: tuple[MetricReading, ...]

    @property
    def side_words(self) -> str:
        return side_in_words(self.side)

    def reading(self, metric: str) -> MetricReading | None:
        return next((item for item in self.readings if item.metric == metric), None)


@dataclass(frozen=True)
class SequenceCount:
    """How often one order of the peaks was seen."""

    order: str
    count: int
    total: int

    @property
    def percent(self) -> int:
        return round(100 * self.count / self.total)


@dataclass(frozen=True)
class GapReading:
    """A mean gap with its standard error over the counted swings."""

    reading: MetricReading
    standard_error: float | None

    @property
    def tie_limit_ms(self) -> float:
        """Peaks closer than this cannot be told apart."""
        return max(10.0, 2 * (self.standard_error or 0.0))

    @property
    def is_tie(self) -> bool:
        value = self.reading.value
        return isinstance(value, float | int) and abs(value) < self.tie_limit_ms


@dataclass(frozen=True)
class DataTypeState:
    """How many movements have frames of one data type."""

    label: str
    stored: int
    expected: int
    explanation: str

    @property
    def is_complete(self) -> bool:
        return self.expected > 0 and self.stored >= self.expected

    @property
    def headline(self) -> str:
        """What is missing, as the page says it."""
        if not self.stored:
            return f"{self.label} is not here"
        return f"{self.label} is here for {self.stored} of {self.expected} movements"


@dataclass(frozen=True)
class SessionPart:
    """What counted swings have in common: all of them, or those from one side."""

    key: str
    label: str
    counted: int
    summary: tuple[MetricReading, ...]
    orders: tuple[SequenceCount, ...]
    gaps: tuple[GapReading, ...]

    @property
    def has_spread(self) -> bool:
        return self.counted >= SPREAD_FROM

    @property
    def has_consistency(self) -> bool:
        return self.counted >= CONSISTENCY_FROM

    @property
    def gaps_have_spread(self) -> bool:
        """Whether any mean gap is over enough swings for a spread to be shown."""
        return any(gap.reading.sd_shown is not None for gap in self.gaps)

    @property
    def first_means(self) -> tuple[MetricReading, ...]:
        return tuple(r for r in self.summary if not r.is_missing)[:FIRST_MEANS]


# How the swings of a session that has both sides are shown.
APART, TOGETHER = "", "both"


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
    columns: tuple[MetricDefinition, ...]
    side: str
    side_choices: tuple[SideChoice, ...]
    parts: tuple[SessionPart, ...]
    representative_id: int | None
    data_types: tuple[DataTypeState, ...]
    notes: tuple[Note, ...]
    tags: tuple[str, ...]
    earlier_id: int | None
    later_id: int | None

    @property
    def counted(self) -> int:
        return sum(swing.counted for swing in self.swings)

    @property
    def left_out(self) -> int:
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
        """Whether each side has means of its own beside the other's."""
        return len(self.parts) > 1

    @property
    def has_spread(self) -> bool:
        return any(part.has_spread for part in self.parts)

    @property
    def has_consistency(self) -> bool:
        return all(part.has_consistency for part in self.parts)

    @property
    def first_means(self) -> tuple[MetricReading, ...]:
        return tuple(reading for part in self.parts for reading in part.first_means)

    @property
    def is_empty(self) -> bool:
        return not (self.swings or self.not_swings or self.unread)


def session_page(
    session: Session, siblings: SessionQuerySet, side: str = APART
) -> SessionPage:
    """The session with its movements; nine queries whatever their number.

    `siblings` are the sessions of the same athlete that the user may see. `side`
    chooses among the sides of a switch hitter: `right`, `left`, `both` together, or
    nothing for both, but apart.
    """
    movements = list(session.movements.in_session_order().defer("verdict", "metadata"))
    sides = _sides(movements)
    keys = [side_key(one) for one in sides]
    if side not in (*keys, TOGETHER) or not sides:
        side = APART
    rows = [(swing_row(movement), movement) for movement in movements]
    swings = [
        row
        for row, item in rows
        if item.is_swing and (side not in keys or side_key(row.side) == side)
    ]
    return SessionPage(
        session=session,
        swings=tuple(swings),
        # What no machine takes for a swing, a person may count all the same.
        not_swings=tuple(row for row, item in rows if item.is_swing is False),
        unread=tuple(row for row, item in rows if item.is_swing is None),
        columns=tuple(METRICS[name] for name in HEADLINES),
        side=side,
        side_choices=_choices(sides, side),
        parts=_parts(movements, swings, sides, side)
        if sides and side != TOGETHER
        else (_whole(session, swings, TOGETHER if sides else ""),),
        representative_id=representative_id(session),
        data_types=_data_types(session, len(movements)),
        notes=tuple(
            session.notes.select_related("created_by").order_by("-created_at", "-id")
        ),
        tags=tuple(session.tags.values_list("name", flat=True)),
        earlier_id=_neighbour(siblings, session, later=False),
        later_id=_neighbour(siblings, session, later=True),
    )


def _sides(movements: Iterable[Movement]) -> tuple[str, ...]:
    """The sides of the counted swings, where there are several; else nothing."""
    found = {side_of(movement) for movement in movements if movement.is_counted}
    return tuple(side for side in SIDES if side in found) if len(found) > 1 else ()


def _choices(sides: Sequence[str], chosen: str) -> tuple[SideChoice, ...]:
    if not sides:
        return ()
    choices = [
        (APART, "Both sides, apart"),
        *((side_key(side), side_in_words(side).capitalize()) for side in sides),
        (TOGETHER, "Both together"),
    ]
    return tuple(SideChoice(key, label, key == chosen) for key, label in choices)


def _parts(
    movements: Sequence[Movement],
    swings: Sequence[SwingRow],
    sides: Sequence[str],
    shown: str,
) -> tuple[SessionPart, ...]:
    """Means of each side that is shown, from its own swings."""
    found = means_by_side(movements, [*HEADLINES, *GAPS])
    parts = []
    for side in sides:
        if shown not in (APART, side_key(side)):
            continue
        means = [
            _Mean(metric, rule, one.n, one.mean, one.sd)
            for (metric, rule), one in found[side].items()
            if one.mean is not None
        ]
        own = [swing for swing in swings if swing.side == side]
        parts.append(
            _part(side_key(side), side_in_words(side).capitalize(), own, means)
        )
    return tuple(parts)


def _whole(session: Session, swings: Sequence[SwingRow], key: str) -> SessionPart:
    """What is stored: means of all swings together."""
    rows = session.session_metrics.filter(metric__in=[*HEADLINES, *GAPS])
    means = [_Mean(r.metric, r.event_rule, r.n, r.mean, r.sd) for r in rows]
    return _part(key, "Both sides together" if key else "", swings, means)


def _part(
    key: str, label: str, swings: Sequence[SwingRow], means: Sequence[_Mean]
) -> SessionPart:
    # Of several event rules the one with most swings.
    most_first = sorted(means, key=lambda mean: -mean.n)
    return SessionPart(
        key=key,
        label=label,
        counted=sum(swing.counted for swing in swings),
        summary=_summary(most_first),
        orders=sequence_counts(
            row.order for row in swings if row.counted and row.order
        ),
        gaps=_gaps(most_first),
    )


def representative_id(session: Session) -> int | None:
    """The swing closest to the mean curves, if there are enough to say."""
    entry = session.summary.get("representative")
    if isinstance(entry, dict):
        entry = entry.get("movement_id")
    return entry if isinstance(entry, int) else None


def sequence_counts(orders: Iterable[str]) -> tuple[SequenceCount, ...]:
    """Orders of the peaks with how often each was seen, commonest first."""
    counts = Counter(orders)
    total = sum(counts.values())
    return tuple(
        SequenceCount(order, count, total)
        for order, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def swing_row(movement: Movement) -> SwingRow:
    order = reading_of("seq_order", movement.metrics).value
    return SwingRow(
        id=movement.pk,
        position=movement.position,
        vendor_id=movement.org_movement_id,
        side=side_of(movement),
        grade=movement.quality_grade or "",
        grade_label=movement.get_quality_grade_display() or "",
        reasons=reason_texts(movement.quality_reasons),
        counted=movement.is_counted,
        inclusion=movement.inclusion,
        inclusion_label=movement.get_inclusion_display(),
        inclusion_reason=movement.inclusion_reason,
        missing=movement.missing_since is not None,
        order=order if isinstance(order, str) else "",
        events=movement.events,
        rules=event_rules(movement),
        readings=tuple(reading_of(name, movement.metrics) for name in HEADLINES),
    )


def reading_of_session(metric: SessionMetric) -> MetricReading:
    """A session's mean as a reading."""
    return MetricReading(
        METRICS[metric.metric],
        metric.mean,
        n=metric.n,
        sd=metric.sd,
        rule=metric.event_rule,
    )


@dataclass(frozen=True)
class _Mean:
    """One metric over counted swings that hang on one event rule."""

    metric: str
    rule: str
    n: int
    mean: float
    sd: float | None

    @property
    def reading(self) -> MetricReading:
        return MetricReading(
            METRICS[self.metric], self.mean, n=self.n, sd=self.sd, rule=self.rule
        )


def _summary(means: Sequence[_Mean]) -> tuple[MetricReading, ...]:
    """Headline means; of several event rules the first."""
    by_metric: dict[str, _Mean] = {}
    for mean in means:
        by_metric.setdefault(mean.metric, mean)
    return tuple(
        by_metric[name].reading
        if name in by_metric
        else MetricReading(
            METRICS[name], None, reason="No counted swing has this number."
        )
        for name in HEADLINES
        if METRICS[name].unit != "text"
    )


def _gaps(means: Sequence[_Mean]) -> tuple[GapReading, ...]:
    gaps = []
    for name in GAPS:
        mean = next((item for item in means if item.metric == name), None)
        if mean is None:
            continue
        error = None
        if mean.sd is not None and mean.n >= SPREAD_FROM:
            error = mean.sd / math.sqrt(mean.n)
        gaps.append(GapReading(mean.reading, error))
    return tuple(gaps)


_EXPLANATIONS = {
    DataState.WAITING: "The vendor is still preparing it; the next sync asks again.",
    DataState.NO_DATA: "The vendor has none for this session.",
    DataState.FAILED: "Getting it failed; the sync page says why and can try again.",
    DataState.PARTIAL: "Some of it is not here yet; the next sync asks again.",
}


def _data_types(session: Session, movements: int) -> tuple[DataTypeState, ...]:
    stored = dict(
        BiomechanicsData.objects.filter(movement__session=session)
        .values_list("data_type")
        .annotate(Count("id"))
        .order_by()
    )
    explanation = _EXPLANATIONS.get(
        DataState(session.data_state), "It did not come with the rest."
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


def _neighbour(
    siblings: SessionQuerySet, session: Session, *, later: bool
) -> int | None:
    """The athlete's session just before or after this one."""
    if session.session_date is None:
        return None
    step = "gt" if later else "lt"
    beyond = Q(**{f"session_date__{step}": session.session_date}) | Q(
        session_date=session.session_date, **{f"pk__{step}": session.pk}
    )
    order = ("session_date", "pk") if later else ("-session_date", "-pk")
    return (
        siblings.filter(beyond, player_id=session.player_id)
        .order_by(*order)
        .values_list("pk", flat=True)
        .first()
    )
