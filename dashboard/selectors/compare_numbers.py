"""Headline numbers of two to six compared things, and which differences are real."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from athletes.access import Viewer, visible_sessions
from athletes.analysis.changes import MetricChange
from athletes.analysis.event_rules import commonest
from athletes.analysis.history import Basis, History, histories
from athletes.analysis.means_by_side import metrics_of
from athletes.analysis.pairs import PairDifference, SwingSet, pair_differences
from athletes.analysis.usual_scatter import Facility
from athletes.display import (
    PrintedDifference,
    decimals_that_add_up,
    difference_with,
    number_of,
)
from athletes.models import Movement
from biomechanics.analysis_types import MetricValue
from biomechanics.basis import without_setup
from biomechanics.change import INSIDE_MEASUREMENT
from biomechanics.definitions import (
    METHOD_VERSION,
    METRICS,
    NUMERIC_HEADLINES,
    MetricDefinition,
)
from biomechanics.metrics.values import said_of
from biomechanics.session_statistics import standard_deviation
from dashboard.phrases import lacking_words
from dashboard.selectors.compare_items import Item
from dashboard.selectors.compare_keys import LEAST_ITEMS


@dataclass(frozen=True)
class CompareCell:
    """One metric of one item, and how it differs from the first item.

    Values are in the metric's unit. `difference` is None for the first item and where
    one side has no value; then `reason` says why. `printed` are the two values and
    their difference in the reader's units, as they stand in the row. `remark` is what
    else has to be said beside the number.
    """

    letter: str
    definition: MetricDefinition
    mean: float | None
    sd: float | None
    n: int
    difference: PairDifference | None = None
    printed: PrintedDifference | None = None
    reason: str = ""
    remark: str = ""

    @property
    def change(self) -> MetricChange | None:
        """The verdict on the difference; None where there is none."""
        return self.difference.change if self.difference else None


@dataclass(frozen=True)
class CompareRow:
    """One metric of all items, in their order.

    `decimals` are as many, in the stored unit, as it takes that all values and
    differences of the row add up as printed. All values rest on one `rule` of contact.
    """

    definition: MetricDefinition
    cells: tuple[CompareCell, ...]
    decimals: int
    rule: str = ""

    @property
    def name(self) -> str:
        """The name of the metric, true of the rule that found contact."""
        return said_of(self.definition.name, self.rule)


def compare_numbers(
    user: Viewer, items: Sequence[Item], system: str
) -> tuple[CompareRow, ...]:
    """A row for each numeric headline that any item has; none for a single item.

    `system` is the reader's units. At most five queries, for the scatter of the
    sessions that `user` may see.
    """
    if len(items) < LEAST_ITEMS:
        return ()
    history = histories(
        visible_sessions(user), {item.player.pk for item in items}, NUMERIC_HEADLINES
    )
    sides = {name: _sides(name, items, history) for name in NUMERIC_HEADLINES}
    sides = {
        name: found
        for name, found in sides.items()
        if any(one.swings.values for one in found)
    }
    facility = Facility(history)
    of_item = [
        _differences(sides, place, history, facility) for place in range(1, len(items))
    ]
    return tuple(
        _row(
            METRICS[name],
            (
                _cell(name, items[0], found[0], None, None),
                *(
                    _cell(name, item, side, found[0], differences.get(name))
                    for item, side, differences in zip(
                        items[1:], found[1:], of_item, strict=True
                    )
                ),
            ),
            system,
            rule=found[0].swings.basis.rule,
        )
        for name, found in sides.items()
    )


@dataclass(frozen=True)
class SharedRemark:
    """What several numbers of one item have to say, said once.

    `numbers` are their names; empty where it is all that the item has.
    """

    letter: str
    text: str
    numbers: tuple[str, ...] = ()


def with_remarks_once(
    rows: Sequence[CompareRow],
) -> tuple[tuple[CompareRow, ...], tuple[SharedRemark, ...]]:
    """Return the rows without remarks that repeat, and these remarks once each."""
    named: dict[tuple[str, str], list[str]] = defaultdict(list)
    measured: Counter[str] = Counter()
    for row in rows:
        for cell in row.cells:
            measured[cell.letter] += cell.mean is not None
            if cell.remark and cell.mean is not None:
                named[cell.letter, cell.remark].append(row.name)
    shared = {key: names for key, names in named.items() if len(names) > 1}

    def quiet(cell: CompareCell) -> CompareCell:
        is_shared = cell.mean is not None and (cell.letter, cell.remark) in shared
        return replace(cell, remark="") if is_shared else cell

    return (
        tuple(replace(row, cells=tuple(map(quiet, row.cells))) for row in rows),
        tuple(
            SharedRemark(
                letter, text, () if len(names) == measured[letter] else tuple(names)
            )
            for (letter, text), names in shared.items()
        ),
    )


def _row(
    definition: MetricDefinition,
    cells: Sequence[CompareCell],
    system: str,
    *,
    rule: str,
) -> CompareRow:
    """The cells with their differences printed so that the whole row adds up."""
    pairs = [
        (cell.change.before, cell.change.now, cell.change.needed)
        for cell in cells
        if cell.change
        and cell.change.before is not None
        and cell.change.now is not None
    ]
    unit = definition.unit
    decimals = decimals_that_add_up(pairs, unit, system, decimals=definition.decimals)

    def printed(change: MetricChange | None) -> PrintedDifference | None:
        if change is None or change.before is None or change.now is None:
            return None
        return difference_with(
            *(change.before, change.now, unit, system),
            decimals=decimals,
            needed=change.needed,
        )

    return CompareRow(
        definition,
        tuple(replace(cell, printed=printed(cell.change)) for cell in cells),
        decimals,
        rule,
    )


@dataclass(frozen=True)
class _Side:
    """The values of one metric that stand for an item, all on one basis.

    `apart` says what keeps other values of the item out, and `left_out` how many these
    are. `lacking` are the positions of the swings that have no value.
    """

    swings: SwingSet
    left_out: int
    apart: str
    lacking: tuple[int, ...] = ()

    @property
    def remark(self) -> str:
        """The values that are left out beside those that stand here, in words."""
        if not self.swings.values:
            return ""
        told = []
        if self.left_out:
            told.append(f"{number_of(self.left_out, 'swing')} excluded: {self.apart}")
        if self.lacking:
            told.append(lacking_words(self.lacking))
        return "; ".join(told)


def _measured(item: Item, name: str) -> list[tuple[Movement, MetricValue]]:
    """The values of a metric of the item's swings that may enter an average."""
    found = ((swing, metrics_of(swing, (name,)).get(name)) for swing in item.swings)
    return [
        (swing, value)
        for swing, value in found
        if value is not None and value.number is not None
    ]


def _sides(
    name: str, items: Sequence[Item], history: Mapping[int, History]
) -> list[_Side]:
    """One metric of all items, over the swings whose basis is the commonest."""
    measured = [_measured(item, name) for item in items]
    basis = commonest(
        without_setup(value.basis) for values in measured for _, value in values
    )
    return [
        _side(item, values, _basis(item, basis, values))
        for item, values in zip(items, measured, strict=True)
    ]


def _basis(
    item: Item, measured: str, values: Sequence[tuple[Movement, MetricValue]]
) -> Basis:
    """What the values of an item rest on: its own swings say by which method.

    Where several did, the one of most values stands, of two that are level the newer.
    """
    versions = Counter(
        _version(swing)
        for swing, value in values
        if without_setup(value.basis) == measured
    )
    version = max(
        versions, key=lambda one: (versions[one], one), default=METHOD_VERSION
    )
    # All swings of an item have one setup, stated of them or of their session.
    return Basis(item.condition, measured, item.source, version, item.side)


def _version(swing: Movement) -> str:
    """The version of the method of a swing's numbers.

    Of numbers that wait to be computed again nobody knows it: they stand as present.
    """
    return swing.method_version or METHOD_VERSION


def _side(
    item: Item, values: Sequence[tuple[Movement, MetricValue]], rests_on: Basis
) -> _Side:
    """The values that are on this basis, and what is to be said of the others."""
    same = [
        (swing, value)
        for swing, value in values
        if _version(swing) == rests_on.method_version
        and without_setup(value.basis) == rests_on.measured
    ]
    held = {swing.pk for swing, _ in same}
    others = [(swing, value) for swing, value in values if swing.pk not in held]
    by_session: dict[int, tuple[float, ...]] = {}
    for swing, value in same:
        if value.number is not None:
            known = by_session.get(swing.session_id, ())
            by_session[swing.session_id] = (*known, value.number)
    return _Side(
        SwingSet(
            item.player.pk,
            rests_on,
            by_session,
            same[0][1].uncertainty if len(same) == 1 else None,
        ),
        left_out=len(others),
        apart=_apart(others, rests_on),
        lacking=_lacking(item, [swing.pk for swing, _ in values]),
    )


def _apart(others: Sequence[tuple[Movement, MetricValue]], rests_on: Basis) -> str:
    """What most of the values that are left out rest on instead; empty without any."""
    if not others:
        return ""
    bases = Counter(
        replace(
            rests_on,
            measured=without_setup(value.basis),
            method_version=_version(swing),
        )
        for swing, value in others
    )
    most = max(bases, key=lambda one: (bases[one], one.measured, one.method_version))
    return most.difference(rests_on)


def _lacking(item: Item, having: Sequence[int]) -> tuple[int, ...]:
    """The positions of the item's swings that lack a number."""
    known = set(having)
    return tuple(swing.position for swing in item.swings if swing.pk not in known)


def _differences(
    sides: Mapping[str, Sequence[_Side]],
    place: int,
    history: Mapping[int, History],
    facility: Facility,
) -> dict[str, PairDifference]:
    """How one item differs from the first, by metric: one look at one pair."""
    pairs = [
        (name, found[0].swings, found[place].swings)
        for name, found in sides.items()
        if found[0].swings.values and found[place].swings.values
    ]
    differences = pair_differences(pairs, history, facility)
    return {one.change.definition.id: one for one in differences}


def _cell(
    name: str,
    item: Item,
    side: _Side,
    base: _Side | None,
    difference: PairDifference | None,
) -> CompareCell:
    """One metric of `item` against the `base`, which is that of the first item.

    Without `base` it is the first item itself, which is held against nothing.
    """
    values = side.swings.every
    n = len(values)
    cell = CompareCell(
        letter=item.letter,
        definition=METRICS[name],
        mean=side.swings.mean,
        sd=standard_deviation(values),
        n=n,
        remark=side.remark,
    )
    if base is None:
        return replace(cell, remark=side.remark or side.apart)
    if difference is None:
        return replace(
            cell, reason=side.apart or base.apart or "One of them has no value."
        )
    if difference.change.reason == INSIDE_MEASUREMENT:
        cell = replace(cell, remark=INSIDE_MEASUREMENT)
    return replace(cell, difference=difference)
