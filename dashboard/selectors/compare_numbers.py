"""Headline numbers of two to six compared things, and which differences are real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from athletes.access import Viewer, visible_sessions
from athletes.analysis.changes import MetricChange
from athletes.analysis.event_rules import commonest
from athletes.analysis.history import History, histories
from athletes.analysis.means_by_side import metrics_of
from athletes.analysis.pairs import INSIDE_UNCERTAINTY, SwingSet, pair_change
from athletes.phrases import basis_difference
from biomechanics.analysis_types import MetricValue
from biomechanics.definitions import METRICS, NUMERIC_HEADLINES, MetricDefinition
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from dashboard.phrases import number_of
from dashboard.selectors.compare_items import LEAST_ITEMS, Item


@dataclass(frozen=True)
class CompareCell:
    """One metric of one item, and how it differs from the first item.

    Values are in the metric's unit. `change` is None for the first item and where one
    side has no value; then `reason` says why. `remark` is what else has to be said
    beside the number.
    """

    letter: str
    definition: MetricDefinition
    mean: float | None
    sd: float | None
    n: int
    change: MetricChange | None = None
    reason: str = ""
    remark: str = ""


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


@dataclass(frozen=True)
class _Side:
    """The values of one metric that stand for an item, all on one basis.

    `apart` says what keeps other values of the item out, and `left_out` how many these
    are.
    """

    swings: SwingSet
    left_out: int
    apart: str

    @property
    def remark(self) -> str:
        """The values that are left out beside those that stand here, in words."""
        if not self.left_out or not self.swings.values:
            return ""
        return f"{number_of(self.left_out, 'swing')} left out: {self.apart}"


def _measured(item: Item, name: str) -> list[MetricValue]:
    """The values of a metric of the item's swings that may enter an average."""
    found = (metrics_of(swing, (name,)).get(name) for swing in item.swings)
    return [value for value in found if value is not None and value.number is not None]


def _side(item: Item, values: Sequence[MetricValue], basis: str) -> _Side:
    """The values that are on this basis, and what is to be said of the others."""
    same = [value for value in values if value.basis == basis]
    others = [value for value in values if value.basis != basis]
    most = commonest(value.basis for value in others)
    return _Side(
        SwingSet(
            item.player.pk,
            item.side,
            tuple(value.number for value in same if value.number is not None),
            same[0].uncertainty if len(same) == 1 else None,
        ),
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
    sides = [
        _side(item, values, basis) for item, values in zip(items, measured, strict=True)
    ]
    return CompareRow(
        definition,
        tuple(
            _cell(definition, item, side, sides[0] if place else None, history)
            for place, (item, side) in enumerate(zip(items, sides, strict=True))
        ),
    )


def _cell(
    definition: MetricDefinition,
    item: Item,
    side: _Side,
    base: _Side | None,
    history: Mapping[int, History],
) -> CompareCell:
    """One metric of `item` against the `base`, which is that of the first item.

    Without `base` it is the first item itself, which is held against nothing.
    """
    values = side.swings.values
    n = len(values)
    cell = CompareCell(
        letter=item.letter,
        definition=definition,
        mean=side.swings.mean,
        sd=float(np.std(values, ddof=1)) if n >= LEAST_SWINGS_FOR_SPREAD else None,
        n=n,
        remark=side.remark,
    )
    if base is None:
        return replace(cell, remark=side.remark or side.apart)
    if not base.swings.values or not values:
        return replace(
            cell, reason=side.apart or base.apart or "One side has no value."
        )
    change = pair_change(definition, base.swings, side.swings, history)
    if change.reason == INSIDE_UNCERTAINTY:
        cell = replace(cell, remark=INSIDE_UNCERTAINTY)
    return replace(cell, change=change)
