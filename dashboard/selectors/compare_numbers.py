"""Headline numbers of two to six compared things, and which differences are real."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from athletes.access import Viewer, visible_sessions
from athletes.analysis.changes import INSIDE_SCATTER, scatter_of_points
from athletes.analysis.event_rules import commonest
from athletes.analysis.history import Basis, History, histories
from athletes.analysis.means_by_side import metrics_of
from athletes.phrases import basis_difference
from biomechanics.analysis_types import MetricValue
from biomechanics.change import Z_95, is_real, smallest_detectable_change
from biomechanics.definitions import METRICS, NUMERIC_HEADLINES, MetricDefinition
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from dashboard.phrases import number_of
from dashboard.selectors.compare_items import LEAST_ITEMS, Item


@dataclass(frozen=True)
class CompareCell:
    """One metric of one item, and how it differs from the first item.

    Values are in the metric's unit. `real` tells whether the difference is larger than
    `smallest`, the smallest that can be told from scatter and from the uncertainty of
    the measurement; None, with the `reason`, where that is not known. `remark` is what
    else has to be said beside the number.
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
    remark: str = ""

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


#: Two single swings that lie closer than their measurement tells apart.
INSIDE_UNCERTAINTY = "The difference is within the measurement uncertainty."


@dataclass(frozen=True)
class _Side:
    """The values of one metric that stand for an item, all on one basis.

    `uncertainty` is that of a single value. `apart` says what keeps other values of the
    item out, and `left_out` how many these are.
    """

    values: tuple[float, ...]
    uncertainty: float | None
    left_out: int
    apart: str

    @property
    def remark(self) -> str:
        """The values that are left out beside those that stand here, in words."""
        if not self.left_out or not self.values:
            return ""
        return f"{number_of(self.left_out, 'swing')} left out: {self.apart}"


def _measured(item: Item, name: str) -> list[MetricValue]:
    """The values of a metric of the item's swings that may enter an average."""
    found = (metrics_of(swing, (name,)).get(name) for swing in item.swings)
    return [value for value in found if value is not None and value.number is not None]


def _side(values: Sequence[MetricValue], basis: str) -> _Side:
    """The values that are on this basis, and what is to be said of the others."""
    same = [value for value in values if value.basis == basis]
    others = [value for value in values if value.basis != basis]
    most = commonest(value.basis for value in others)
    return _Side(
        values=tuple(value.number for value in same if value.number is not None),
        uncertainty=same[0].uncertainty if len(same) == 1 else None,
        left_out=len(others),
        apart=basis_difference(most, basis) if others else "",
    )


def _row(
    definition: MetricDefinition,
    items: Sequence[Item],
    history: Mapping[int, History],
) -> CompareRow:
    """One metric of all items, over the swings whose basis is the commonest."""
    measured = [_measured(item, definition.id) for item in items]
    basis = commonest(value.basis for values in measured for value in values)
    sides = [_side(values, basis) for values in measured]
    return CompareRow(
        definition,
        tuple(
            _cell(
                definition, side, sides[0] if place else None, items[0], item, history
            )
            for place, (item, side) in enumerate(zip(items, sides, strict=True))
        ),
    )


def _cell(
    definition: MetricDefinition,
    side: _Side,
    base: _Side | None,
    first: Item,
    item: Item,
    history: Mapping[int, History],
) -> CompareCell:
    """One metric of `item` against the `base`, which is that of the `first` one.

    Without `base` it is the first item itself, which is held against nothing.
    """
    n = len(side.values)
    cell = CompareCell(
        letter=item.letter,
        definition=definition,
        mean=float(np.mean(side.values)) if n else None,
        sd=float(np.std(side.values, ddof=1)) if n >= LEAST_SWINGS_FOR_SPREAD else None,
        n=n,
        delta=None,
        smallest=None,
        real=None,
        reason="",
        remark=side.remark,
    )
    if base is None:
        return replace(cell, remark=side.remark or side.apart)
    if not base.values or cell.mean is None:
        return replace(
            cell, reason=side.apart or base.apart or "One side has no value."
        )
    delta = cell.mean - float(np.mean(base.values))
    cell = replace(cell, delta=delta)
    measured = _told_apart(side, base)
    if measured is not None and not is_real(delta, measured):
        return replace(
            cell,
            smallest=measured,
            real=False,
            reason=INSIDE_UNCERTAINTY,
            remark=INSIDE_UNCERTAINTY,
        )
    scatter = _scatter(definition, (first, item), history)
    if scatter is None:
        return replace(cell, reason="scatter not known yet")
    smallest = smallest_detectable_change(scatter, n_a=len(base.values), n_b=n)
    real = is_real(delta, smallest)
    return replace(
        cell, smallest=smallest, real=real, reason="" if real else INSIDE_SCATTER
    )


def _told_apart(side: _Side, base: _Side) -> float | None:
    """The smallest difference of two single values that their measurement tells.

    None unless both are single values of known uncertainty.
    """
    if side.uncertainty is None or base.uncertainty is None:
        return None
    return Z_95 * math.hypot(side.uncertainty, base.uncertainty)


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
