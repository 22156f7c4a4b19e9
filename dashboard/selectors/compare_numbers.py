"""Headline numbers of two to six compared things, and which differences are real."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from athletes.access import Viewer, visible_sessions
from athletes.analysis.changes import INSIDE_SCATTER, scatter_of_points
from athletes.analysis.event_rules import commonest
from athletes.analysis.history import Basis, History, histories
from athletes.analysis.means_by_side import metric_rule
from athletes.analysis.metric_reading import reading_of
from athletes.models import Movement
from biomechanics.change import is_real, smallest_detectable_change
from biomechanics.definitions import METRICS, NUMERIC_HEADLINES, MetricDefinition
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from dashboard.selectors.compare_items import LEAST_ITEMS, Item


@dataclass(frozen=True)
class CompareCell:
    """One metric of one item, and how it differs from the first item.

    Values are in the metric's unit. `real` tells whether the difference is larger than
    `smallest`, the smallest that can be told from scatter; None, with the `reason`,
    where that is not known.
    """

    letter: str
    definition: MetricDefinition
    mean: float | None
    sd: float | None
    n: int
    delta: float | None
    smallest: float | None
    real: bool | None
    reason: str

    @property
    def unit(self) -> str:
        """The unit in which the values are stored."""
        return self.definition.unit

    @property
    def decimals(self) -> int:
        """Decimals that the metric is printed with."""
        return self.definition.decimals


@dataclass(frozen=True)
class CompareRow:
    """One metric of all items, in their order."""

    definition: MetricDefinition
    cells: tuple[CompareCell, ...]


def compare_numbers(user: Viewer, items: Sequence[Item]) -> tuple[CompareRow, ...]:
    """A row for each numeric headline that any item has; none for a single item.

    At most four queries, for the scatter inside the sessions that `user` may see.
    """
    if len(items) < LEAST_ITEMS:
        return ()
    history = histories(
        visible_sessions(user), {item.player.pk for item in items}, NUMERIC_HEADLINES
    )
    rows = (_row(METRICS[name], items, history) for name in NUMERIC_HEADLINES)
    return tuple(row for row in rows if any(cell.n for cell in row.cells))


def _values(swings: Iterable[Movement], name: str, rule: str) -> list[float]:
    """Values of those swings whose event for this metric was found by `rule`."""
    readings = (
        reading_of(name, swing.metrics)
        for swing in swings
        if metric_rule(swing, name) == rule
    )
    return [
        float(reading.value)
        for reading in readings
        if isinstance(reading.value, int | float) and not reading.flagged
    ]


def _row(
    definition: MetricDefinition,
    items: Sequence[Item],
    history: Mapping[int, History],
) -> CompareRow:
    """One metric of all items, over the swings whose event rule is the commonest."""
    rule = commonest(
        metric_rule(swing, definition.id)
        for item in items
        for swing in item.swings
        if not reading_of(definition.id, swing.metrics).is_missing
    )
    base = _values(items[0].swings, definition.id, rule)
    cells = []
    for place, item in enumerate(items):
        values = _values(item.swings, definition.id, rule)
        cells.append(
            _cell(definition, values, base if place else None, items[0], item, history)
        )
    return CompareRow(definition, tuple(cells))


def _cell(
    definition: MetricDefinition,
    values: Sequence[float],
    base: Sequence[float] | None,
    first: Item,
    item: Item,
    history: Mapping[int, History],
) -> CompareCell:
    """One metric of `item` against the values `base` of the `first` one.

    Without `base` it is the first item itself, which is held against nothing.
    """
    n = len(values)
    mean = float(np.mean(values)) if values else None
    sd = float(np.std(values, ddof=1)) if n >= LEAST_SWINGS_FOR_SPREAD else None
    if base is None or not base or mean is None:
        reason = "" if base is None else "One side has no value."
        return CompareCell(
            item.letter, definition, mean, sd, n, None, None, None, reason
        )
    delta = mean - float(np.mean(base))
    scatter = _scatter(definition, (first, item), history)
    if scatter is None:
        reason = "scatter not known yet"
        return CompareCell(
            item.letter, definition, mean, sd, n, delta, None, None, reason
        )
    smallest = smallest_detectable_change(scatter, n_a=len(base), n_b=n)
    real = is_real(delta, smallest)
    reason = "" if real else INSIDE_SCATTER
    return CompareCell(
        item.letter, definition, mean, sd, n, delta, smallest, real, reason
    )


def _scatter(
    definition: MetricDefinition,
    items: Sequence[Item],
    history: Mapping[int, History],
) -> float | None:
    """Standard deviation inside sessions, pooled over the athletes compared.

    The published one where none has sessions enough of their own.
    """
    squares = []
    for player, side in sorted({(item.player.pk, item.side) for item in items}):
        found = history.get(player, {}).get(definition.id, [])
        points = [point for point in found if point.basis.side == side]
        by_basis: dict[Basis, int] = {}
        for point in points:
            by_basis[point.basis] = by_basis.get(point.basis, 0) + point.n
        if not by_basis:
            continue
        # Of the things that the athlete's numbers rest on, the commonest.
        commonest = max(by_basis, key=lambda basis: by_basis[basis])
        scatter = scatter_of_points([p for p in points if p.basis == commonest])
        if scatter is not None:
            squares.append(scatter.sd**2)
    if not squares:
        return definition.published_sd
    return math.sqrt(sum(squares) / len(squares))
