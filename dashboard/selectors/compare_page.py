"""The page of a comparison: two to six swings, sessions, date ranges or athletes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from athletes.access import Viewer
from athletes.analysis.marked_swings import TYPICAL_BY
from athletes.display import number_of
from athletes.frames.curves import load_curves, stored_curve_names
from athletes.phrases import rule_name
from biomechanics.definitions import SeriesDefinition
from dashboard.phrases import list_in_words
from dashboard.selectors.aligned_curves import choose_series, series_among
from dashboard.selectors.body_positions import CURVES_READ
from dashboard.selectors.compare_curves import (
    CompareCurves,
    compare_curves,
    rule_at,
    rule_of_most,
)
from dashboard.selectors.compare_figures import CompareFigures, compare_figures
from dashboard.selectors.compare_items import (
    Item,
    are_in_time_order,
    load_items,
    of_newest,
)
from dashboard.selectors.compare_keys import (
    ATHLETE,
    LEAST_ITEMS,
    MOST_ITEMS,
    RANGE,
    ItemKey,
)
from dashboard.selectors.compare_numbers import (
    CompareRow,
    SharedRemark,
    compare_numbers,
    with_remarks_once,
)


@dataclass(frozen=True)
class DrawnLimits:
    """Of how many swings an item's curves are read and averaged, and each is drawn."""

    swings: int
    each: int


# An address may name years: their curves would not fit into memory.
DRAWN = DrawnLimits(swings=200, each=40)


@dataclass(frozen=True, eq=False)
class ComparePage:
    """Everything that the page of a comparison prints.

    `problems` are what the address names and cannot be shown, `remarks` why items may
    differ without the athlete having changed, `drawn_of` which items have more swings
    than are drawn.
    """

    items: tuple[Item, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    series: SeriesDefinition
    available: tuple[SeriesDefinition, ...]
    align: str
    drawn_of: tuple[str, ...]
    curves: CompareCurves
    figures: CompareFigures
    rows: tuple[CompareRow, ...]
    #: What several rows have to say.
    number_remarks: tuple[SharedRemark, ...]

    @property
    def is_ready(self) -> bool:
        """Whether there is something to hold against something else."""
        return len(self.items) >= LEAST_ITEMS

    @property
    def is_in_time_order(self) -> bool:
        """Whether items stand by date, so that nobody turns a difference round."""
        return are_in_time_order(self.items)

    @property
    def has_athletes(self) -> bool:
        """Whether an athlete or a time is among them, which stands for many swings."""
        return any(item.key.kind in (ATHLETE, RANGE) for item in self.items)

    @property
    def is_full(self) -> bool:
        """Whether no further item can be added."""
        return len(self.items) >= MOST_ITEMS


def compare_page(
    user: Viewer,
    keys: Sequence[ItemKey],
    *,
    series: str,
    align: str,
    system: str,
    each: bool = False,
    second: str = "",
    problems: Sequence[str] = (),
    limits: DrawnLimits = DRAWN,
) -> ComparePage:
    """The items that `user` may see, with curves and numbers; sixteen queries at most.

    `series`, `align` and `each` are as the address names them, `second` is the letter
    of the item whose figure stands beside the first, `system` the reader's units.
    Curves and figures are of no more swings than `limits` allow, numbers of all.
    """
    items, missing = load_items(user, keys)
    drawn = tuple(of_newest(item, limits.swings) for item in items)
    pks = {swing.pk for item in drawn for swing in (*item.swings, *item.around)}
    available = series_among(stored_curve_names(pks))
    shown = choose_series(series, available)
    stored = load_curves(pks, sorted({shown.id, *TYPICAL_BY, *CURVES_READ}))
    rows, number_remarks = with_remarks_once(compare_numbers(user, items, system))
    return ComparePage(
        items=items,
        problems=(*problems, *missing),
        remarks=_remarks(items),
        series=shown,
        available=available,
        align=align,
        drawn_of=_drawn_of(items, drawn),
        curves=compare_curves(
            drawn,
            stored,
            series=shown,
            align=align,
            system=system,
            each=limits.each if each else 0,
        ),
        figures=compare_figures(
            drawn, stored, align=align, second=second, system=system
        ),
        rows=rows,
        number_remarks=number_remarks,
    )


def _drawn_of(items: Sequence[Item], drawn: Sequence[Item]) -> tuple[str, ...]:
    """Of each item with more swings than are drawn how many these are, in words."""
    return tuple(
        f"{item.letter}: lines and figures are of the latest {len(few.swings)} of "
        f"{number_of(len(item.swings), 'swing')}; the numbers are of all."
        for item, few in zip(items, drawn, strict=True)
        if len(few.swings) < len(item.swings)
    )


def _remarks(items: Sequence[Item]) -> tuple[str, ...]:
    """Why two of them may differ without the athlete having changed."""
    empty = [item.letter for item in items if not item.swings]
    told = (
        *_other_reference(items),
        ("The setups differ.", _has_several_conditions(items)),
        (
            "None has a setup recorded, so the ball may have been pitched or placed "
            "differently.",
            bool(items) and not any(item.condition for item in items),
        ),
        (
            "The capture systems differ.",
            len({item.source for item in items if item.swings}) > 1,
        ),
        (
            "The numbers were computed with different versions of the method.",
            len({s.method_version for item in items for s in item.swings} - {""}) > 1,
        ),
        (
            "These are different athletes: a clear difference isn't a change, and "
            "more isn't better.",
            len({item.player.pk for item in items}) > 1,
        ),
        (
            "Swings from both sides of one athlete: a clear difference between them is "
            "not a change.",
            _has_both_sides_of_one(items),
        ),
        *_in_common(items),
        (
            f"{list_in_words(empty)} {'has' if len(empty) == 1 else 'have'} no swings "
            "included in averages.",
            bool(empty),
        ),
    )
    return tuple(remark for remark, applies in told if applies)


def _in_common(items: Sequence[Item]) -> list[tuple[str, bool]]:
    """For each two items, whether they share swings, which hides a difference."""
    remarks = []
    for first, second in combinations(items, 2):
        shared = {s.pk for s in first.swings} & {s.pk for s in second.swings}
        remark = (
            f"{first.letter} and {second.letter} have "
            f"{number_of(len(shared), 'swing')} in common, so they differ less than "
            "two separate sets would."
        )
        remarks.append((remark, bool(shared)))
    return remarks


def _other_reference(items: Sequence[Item]) -> list[tuple[str, bool]]:
    """For each item, whether swings are left out for the rule of their reference."""
    rule = rule_of_most(items, "reference")
    remarks = []
    for item in items:
        others = [swing for swing in item.swings if rule_at(swing, "reference") != rule]
        remark = (
            f"{item.letter}: {number_of(len(others), 'swing')} excluded, because times "
            f"are from {rule_name(rule) or 'contact'} and that was not found there."
        )
        remarks.append((remark, bool(others)))
    return remarks


def _has_several_conditions(items: Sequence[Item]) -> bool:
    """Whether items were hit with several setups."""
    return len({item.condition for item in items if item.swings}) > 1


def _has_both_sides_of_one(items: Sequence[Item]) -> bool:
    """Whether one athlete is compared with swings from both sides."""
    sides: dict[int, set[str]] = {}
    for item in items:
        if item.swings:
            sides.setdefault(item.player.pk, set()).add(item.side)
    return any(len(of_player) > 1 for of_player in sides.values())
