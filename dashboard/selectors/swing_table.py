"""The table of a session's swings: its columns, and the rows in a wanted order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from athletes.analysis.metric_reading import MetricReading
from athletes.models import QualityGrade
from biomechanics.definitions import HEADLINES, METRICS, MetricDefinition
from dashboard.selectors.session_averages import SessionPart
from dashboard.selectors.session_page import SessionPage
from dashboard.selectors.swing_rows import SwingRow

SWING = "swing"
QUALITY = "quality"

_GRADES = {grade.value: place for place, grade in enumerate(QualityGrade)}

# What a row is ordered by; None stands last, whichever the direction.
Key = float | str | None


@dataclass(frozen=True)
class SwingColumn:
    """A column of the swing table; a click on its head sorts by it."""

    key: str
    label: str
    metric: MetricDefinition | None = None

    @property
    def first_descending(self) -> bool:
        """Whether a first click sorts from the top: so for numbers."""
        return self.metric is not None and self.metric.unit != "text"

    @property
    def numeric(self) -> bool:
        """Whether the column holds numbers, which stand to the right."""
        return self.first_descending


SWING_COLUMNS = (
    SwingColumn(SWING, "Swing"),
    SwingColumn(QUALITY, "Quality"),
    *(SwingColumn(name, METRICS[name].short, METRICS[name]) for name in HEADLINES),
)


@dataclass(frozen=True)
class MeanRow:
    """A row of averages below the swings."""

    label: str
    counted: int
    has_spread: bool
    readings: tuple[MetricReading | None, ...]


@dataclass(frozen=True)
class SwingTable:
    """Swings in the wanted order, with the means below them."""

    rows: tuple[SwingRow, ...]
    means: tuple[MeanRow, ...]
    key: str
    descending: bool

    @property
    def sort(self) -> str:
        """The order as the URL says it; in the order of the session it says nothing."""
        if self.key == SWING and not self.descending:
            return ""
        return f"-{self.key}" if self.descending else self.key

    @property
    def sort_choices(self) -> tuple[tuple[str, str], ...]:
        """Sort keys and their labels for a phone, where the table has no heads.

        The present order is among them. A list of both directions of every column would
        be too long.
        """
        offered = {"": SWING_COLUMNS[0].label}
        for column in SWING_COLUMNS[1:]:
            sort = f"-{column.key}" if column.first_descending else column.key
            offered[sort] = column.label + (", largest first" * column.numeric)
        if self.sort not in offered:
            label = next(c.label for c in SWING_COLUMNS if c.key == self.key)
            offered[self.sort] = f"{label}, the other way round"
        return tuple(offered.items())

    def aria_sort(self, column: SwingColumn) -> str:
        """What a screen reader says of the head that sorts."""
        if column.key != self.key:
            return ""
        return "descending" if self.descending else "ascending"

    def next_sort(self, column: SwingColumn) -> str:
        """The order that a click on the head asks for."""
        descending = (
            not self.descending if column.key == self.key else column.first_descending
        )
        return f"-{column.key}" if descending else column.key


def swing_table(page: SessionPage, sort: str = "") -> SwingTable:
    """The swings of `page` in the order of `sort`: `-bat_speed_max` is fastest first.

    An unknown `sort` is the order of the session.
    """
    key, descending = sort.removeprefix("-"), sort.startswith("-")
    if key not in {column.key for column in SWING_COLUMNS}:
        key, descending = SWING, False
    return SwingTable(
        rows=tuple(_sorted(page.swings, _key_of(key), descending=descending)),
        means=tuple(_mean_row(part, page.columns) for part in page.parts),
        key=key,
        descending=descending,
    )


def _mean_row(part: SessionPart, columns: Sequence[MetricDefinition]) -> MeanRow:
    """A part's averages as the row below the swings."""
    means = {reading.metric: reading for reading in part.summary}
    return MeanRow(
        label=part.label,
        counted=part.counted,
        has_spread=part.has_spread,
        readings=tuple(means.get(column.id) for column in columns),
    )


def _key_of(key: str) -> Callable[[SwingRow], Key]:
    """What a row is sorted by, given the key of the column."""
    if key == SWING:
        return lambda swing: swing.position
    if key == QUALITY:
        return lambda swing: _GRADES.get(swing.grade)

    def of_metric(swing: SwingRow) -> Key:
        reading = swing.reading(key)
        return reading.value if reading is not None else None

    return of_metric


def _sorted(
    swings: Sequence[SwingRow], key: Callable[[SwingRow], Key], *, descending: bool
) -> list[SwingRow]:
    """The swings in order; those without a value last."""
    keyed = [(key(swing), swing) for swing in swings]
    known = [(value, swing) for value, swing in keyed if value is not None]
    # One column holds numbers or texts, never both. Equal ones stay in the order of
    # the session, whichever the direction.
    known.sort(key=lambda item: item[0], reverse=descending)
    missing = [swing for value, swing in keyed if value is None]
    return [swing for _, swing in known] + missing
