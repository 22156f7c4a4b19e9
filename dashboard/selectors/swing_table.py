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
from dashboard.selectors.table_order import LARGEST_FIRST, TableOrder, order_from

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
    def numeric(self) -> bool:
        """Whether the column holds numbers, which stand to the right."""
        return self.metric is not None and self.metric.unit != "text"

    @property
    def descending_words(self) -> str:
        """What a first click does with numbers: the largest come first."""
        return LARGEST_FIRST if self.numeric else ""


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
    order: TableOrder

    @property
    def sort(self) -> str:
        """The order as the address names it; nothing for the order of the session."""
        return _in_address(self.order)

    @property
    def sort_choices(self) -> tuple[tuple[str, str], ...]:
        """Orders to choose from on a phone, which shows no heads."""
        return tuple(
            (_in_address(order), label)
            for order, label in self.order.choices(SWING_COLUMNS)
        )


def _in_address(order: TableOrder) -> str:
    """The order as the address names it: the session's own needs no name."""
    return "" if order == TableOrder(SWING) else order.text


def swing_table(page: SessionPage, sort: str = "") -> SwingTable:
    """The swings of `page` in the order of `sort`: `-bat_speed_max` is fastest first.

    An unknown `sort` is the order of the session.
    """
    order = order_from(sort, {column.key for column in SWING_COLUMNS}, SWING)
    return SwingTable(
        rows=tuple(
            _sorted(page.swings, _key_of(order.key), descending=order.descending)
        ),
        means=tuple(_mean_row(part, page.columns) for part in page.parts),
        order=order,
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
