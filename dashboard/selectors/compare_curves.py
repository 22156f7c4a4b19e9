"""Curves of two to six compared things on one axis, and their differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from athletes import display
from athletes.analysis.event_rules import commonest, event_rules, event_time
from athletes.frames.curves import Curves
from athletes.models import Movement
from biomechanics import curves as curve_tools
from biomechanics.curve_differences import (
    CurveDifference,
    CurveSet,
    curve_difference,
)
from biomechanics.definitions import SeriesDefinition
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from dashboard import charts
from dashboard.selectors.aligned_curves import (
    Alignment,
    axis_words,
    curve_on_event,
    event_marks,
    on_axis,
    zero_label,
)
from dashboard.selectors.compare_items import Item, newest_swings
from dashboard.selectors.compare_keys import LEAST_ITEMS
from dashboard.selectors.difference_words import difference_words


@dataclass(frozen=True)
class CompareCurveRow:
    """The curves' table at one place of the axis: ms from zero, or percent.

    `differences` are of the others less the first, as they are printed.
    """

    at: int
    values: tuple[float | None, ...]
    differences: tuple[display.Printed | None, ...] = ()


@dataclass(frozen=True, eq=False)
class CompareCurves:
    """The chart of all curves, that of their differences, and the table of both.

    `delta_words` say of each difference where it is clear, `left_out` which swings
    have no place on the axis. `rows` have as many `decimals`, in the stored unit, as it
    takes that each adds up as printed.
    """

    overlay: charts.Json | None
    delta: charts.Json | None
    delta_words: tuple[str, ...]
    delta_note: str
    rows: tuple[CompareCurveRow, ...]
    decimals: int
    left_out: tuple[str, ...]
    x_unit: str


def compare_curves(
    items: tuple[Item, ...],
    stored: Mapping[int, Curves],
    *,
    series: SeriesDefinition,
    align: str,
    system: str,
    each: int = 0,
) -> CompareCurves:
    """Curves of one series over all items, as charts in the reader's units.

    `stored` holds curves by movement id; `align` names the event at zero, or is
    `PERCENT`; of the single swings behind the means the newest `each` are drawn too. No
    query.
    """
    alignment = Alignment(align)
    rule = rule_of_most(items, alignment.event)
    picture = _Picture(
        items=items,
        stored=stored,
        series=series,
        alignment=alignment,
        rule=rule,
        system=system,
        window=_window(items, alignment, rule),
    )
    aligned = [picture.aligned(item.swings) for item in items]
    delta, words, note = _delta(picture, aligned)
    rows, decimals = _with_differences(picture, _curve_rows(aligned, alignment))
    return CompareCurves(
        overlay=_overlay(picture, aligned, each=each),
        delta=delta,
        delta_words=words,
        delta_note=note,
        rows=rows,
        decimals=decimals,
        left_out=(*_left_out(picture, aligned), *_not_each(picture, each)),
        x_unit=alignment.unit,
    )


def _on_rule(
    swings: Iterable[Movement], alignment: Alignment, rule: str
) -> list[Movement]:
    """The swings that have a place on the axis, by an event that one rule found."""
    placed, _ = on_axis(swings, alignment)
    return [swing for swing in placed if rule_at(swing, alignment.event) == rule]


def _window(
    items: Sequence[Item], alignment: Alignment, rule: str
) -> tuple[float, float] | None:
    """The window that holds the windows of all items."""
    windows = [
        window
        for item in items
        if (
            window := alignment.window(
                swing.events for swing in _on_rule(item.swings, alignment, rule)
            )
        )
        is not None
    ]
    if not windows:
        return None
    return min(low for low, _ in windows), max(high for _, high in windows)


def _left_out(
    picture: _Picture, aligned: Sequence[curve_tools.Aligned | None]
) -> tuple[str, ...]:
    """Of each item how many swings are not drawn or not in its mean, and why."""
    alignment, number_of = picture.alignment, display.number_of
    event = zero_label("", alignment.event)
    words = []
    for item, one in zip(picture.items, aligned, strict=True):
        placed, reasons = on_axis(item.swings, alignment)
        on_rule = picture.on_rule(item.swings)
        words += [
            f"{item.letter}: {number_of(lost, 'swing')} excluded, because {why}."
            for why, lost in reasons.items()
        ]
        if len(placed) == 1 and (unsure := alignment.unsure_words(placed[0].events)):
            words.append(f"{item.letter}: in this swing {unsure}.")
        # Of the reference the page says it already: it matters to the numbers too.
        other = len(placed) - len(on_rule)
        if other and alignment.event != "reference":
            words.append(
                f"{item.letter}: {number_of(other, 'swing')} excluded, because "
                f"{event} was found there by a different rule."
            )
        bare = len(on_rule) - len(picture.drawn(item.swings))
        if bare:
            words.append(
                f"{item.letter}: {number_of(bare, 'swing')} excluded, without a curve "
                f"of {picture.series.name[0].lower()}{picture.series.name[1:]}."
            )
        if one is not None and not one.kept.all():
            words.append(
                f"{item.letter}: the average is over {one.kept.sum()} of "
                f"{number_of(len(one.kept), 'swing')}; the other clips are too short."
            )
    return tuple(words)


def rule_at(swing: Movement, event: str) -> str:
    """The rule that found an event of the swing; empty where it was not found."""
    return event_rules(swing).get(event, "")


def rule_of_most(items: Sequence[Item], event: str) -> str:
    """The rule that found an event in most swings of all items together."""
    return commonest(
        rule_at(swing, event)
        for item in items
        for swing in item.swings
        if event_time(swing.events, event) is not None
    )


@dataclass(frozen=True, eq=False)
class _Picture:
    """What every chart of the comparison needs: the items, their curves, the units."""

    items: tuple[Item, ...]
    stored: Mapping[int, Curves]
    series: SeriesDefinition
    alignment: Alignment
    rule: str
    system: str
    window: tuple[float, float] | None

    def aligned(self, swings: Iterable[Movement]) -> curve_tools.Aligned | None:
        """Curves that meet on one event, found by one rule in all of them."""
        name = self.series.id
        curves = [
            curve_on_event(
                self.stored[swing.pk], name, swing.events, self.alignment.event
            )
            for swing in self.drawn(swings)
        ]
        return self.alignment.align(curves, self.window) if curves else None

    def drawn(self, swings: Iterable[Movement]) -> list[Movement]:
        """The swings on the axis that have the curve, in the order of `aligned`."""
        return [
            swing
            for swing in self.on_rule(swings)
            if swing.pk in self.stored
            and self.series.id in self.stored[swing.pk].values
        ]

    def on_rule(self, swings: Iterable[Movement]) -> list[Movement]:
        """The swings that have a place on the axis, by the rule of most."""
        return _on_rule(swings, self.alignment, self.rule)

    @property
    def zero(self) -> str:
        """What the event at zero, or at 100 percent, is called."""
        return zero_label(self.rule, self.alignment.event)

    def curve_set(self, item: Item, shown: curve_tools.Aligned) -> CurveSet:
        """The curves of an item, with those that tell their scatter."""
        if np.count_nonzero(shown.kept) >= LEAST_SWINGS_FOR_SPREAD:
            return CurveSet(shown, shown)
        return CurveSet(shown, self.aligned(item.around) or shown)

    def chart(
        self,
        lines: Sequence[charts.Line],
        legend: Sequence[charts.LegendItem],
        y_name: str,
        *,
        against: str = "",
    ) -> charts.Json:
        """Lines on the common axis; the others are held against the key `against`."""
        return charts.Chart(
            lines=lines,
            legend=legend,
            x_title=axis_words(self.alignment, self.zero),
            y_title=charts.axis_title(y_name, self.unit),
            x_unit=self.alignment.unit,
            y_unit=self.unit,
            marks=self.marks(),
            x_range=self.window,
            zero=self.zero,
            against=against,
            # The common clock of the two figures: seconds, or shares of the swing.
            time_zero_s=0.0,
            time_per_x_s=0.01 if self.alignment.is_percent else 0.001,
        ).to_json()

    def marks(self) -> list[charts.Mark]:
        """All events of all items; the one at zero, where they meet, once."""
        alignment = self.alignment
        shared = {alignment.event}
        if alignment.is_percent:
            shared.add("first_move")
        marks: list[charts.Mark] = []
        for item in self.items:
            swings = self.drawn(item.swings)
            own = event_marks(
                alignment,
                [swing.events for swing in swings],
                rule=commonest(rule_at(swing, "reference") for swing in swings),
                sign=item.letter,
                letter=item.line_letter,
            )
            there = {mark.name for mark in marks}
            marks += [
                replace(mark, sign="", letter="") if mark.name in shared else mark
                for mark in own
                if mark.name not in shared or mark.name not in there
            ]
        return marks

    @property
    def unit(self) -> str:
        """The unit in which values are drawn, as the reader sees it."""
        return display.unit_label(self.series.unit, self.system)

    @property
    def factor(self) -> float:
        """What stored values are multiplied by to be drawn."""
        return display.unit_factor(self.series.unit, self.system)


# Of single swings, which stand behind their mean, every second value is enough.
_EACH_STEP = 2


def _not_each(picture: _Picture, most: int) -> tuple[str, ...]:
    """Of each item with more single swings than are drawn how many these are."""
    counts = [(item, len(picture.drawn(item.swings))) for item in picture.items]
    return tuple(
        f"{item.letter}: of {n} single swings the latest {most} are drawn."
        for item, n in counts
        if 0 < most < n
    )


def _each(
    picture: _Picture, item: Item, one: curve_tools.Aligned, most: int
) -> list[charts.Line]:
    """The newest single swings of an item, faint; none where it is one swing alone."""
    if len(one.rows) < 2:
        return []
    drawn = picture.drawn(item.swings)
    newest = {swing.pk for swing in newest_swings(drawn, most)}
    x0, dx = picture.alignment.step(one)
    return [
        charts.Line(
            key=item.line_letter,
            part=picture.series.part,
            name=f"{item.letter} swing {swing.position} of session {swing.session_id}",
            x0=x0,
            dx=dx * _EACH_STEP,
            y=row[::_EACH_STEP] * picture.factor,
            role="single",
            letter=item.line_letter,
            unit=picture.unit,
        )
        for swing, row in zip(drawn, one.rows, strict=True)
        if swing.pk in newest
    ]


def _overlay(
    picture: _Picture,
    aligned: Sequence[curve_tools.Aligned | None],
    *,
    each: int,
) -> charts.Json | None:
    """The mean of each item and its band, if it has three swings; `each` swing too."""
    first = next((one for one in aligned if one is not None), None)
    if first is None:
        return None
    x0, dx = picture.alignment.step(first)
    lines: list[charts.Line] = []
    legend = []
    for item, one in zip(picture.items, aligned, strict=True):
        if one is None:
            continue
        name = f"{item.letter} {item.label}"
        if each:
            lines += _each(picture, item, one, each)
        lines += charts.band_lines(
            key=item.line_letter,
            part=picture.series.part,
            name=name,
            x0=x0,
            dx=dx,
            mean=curve_tools.middle(one) * picture.factor,
            sd=one.sd * picture.factor,
            unit=picture.unit,
            letter=item.line_letter,
            tag=item.letter,
            n=int(one.kept.sum()),
        )
        legend.append(
            charts.LegendItem(
                item.line_letter, name, picture.series.part, item.line_letter
            )
        )
    against = picture.items[0].line_letter if len(legend) > 1 else ""
    return picture.chart(lines, legend, picture.series.name, against=against)


_NOTE = (
    "Gray: with no real difference, swings like these would stay inside the band in "
    "95 of 100 comparisons. The line is thick where it leaves the band. The band "
    "reflects variation between these swings, not between days."
)


# A swing's scatter says nothing of how days differ, which stands in the numbers.
_NO_WORDS = (
    "where they differ is not described, because several sessions are averaged and "
    "days vary too. See the numbers"
)


def _delta(
    picture: _Picture, aligned: Sequence[curve_tools.Aligned | None]
) -> tuple[charts.Json | None, tuple[str, ...], str]:
    """Each item minus the first, each with its band; words for all; a note on bands."""
    items = picture.items
    if len(items) < LEAST_ITEMS:
        return None, (), ""
    base = aligned[0]
    if base is None:
        return None, (), "A has no such curve to compare with."
    lines: list[charts.Line] = []
    legend = []
    words = []
    bands = False
    has_several = [_has_several_sessions(picture, item) for item in items]
    for place, (item, one) in enumerate(zip(items[1:], aligned[1:], strict=True), 1):
        if one is None:
            continue
        found = curve_difference(
            picture.curve_set(items[0], base),
            picture.curve_set(item, one),
            one_scatter=_is_one_scatter(items[0], item, base, one),
        )
        name = f"{item.letter} − A"
        step = picture.alignment.step(base)
        lines += _difference_lines(picture, item.line_letter, name, step, found)
        legend.append(
            charts.LegendItem(
                item.line_letter, name, picture.series.part, item.line_letter
            )
        )
        bands = bands or found.band is not None
        if has_several[0] or has_several[place]:
            told = _NO_WORDS
        else:
            told = difference_words(
                found,
                picture.series,
                zero=picture.zero,
                percent=picture.alignment.is_percent,
            )
        words.append(f"{item.letter} compared with A: {told}.")
    if not legend:
        return None, (), "None of the others has this curve."
    # The lines stand above all bands.
    lines.sort(key=lambda line: line.role != "noise")
    note = _NOTE if bands else ""
    return picture.chart(lines, legend, "Difference"), tuple(words), note


def _has_several_sessions(picture: _Picture, item: Item) -> bool:
    """Whether the mean of an item is over the swings of several sessions."""
    return len({swing.session_id for swing in picture.drawn(item.swings)}) > 1


def _is_one_scatter(
    a: Item, b: Item, shown_a: curve_tools.Aligned, shown_b: curve_tools.Aligned
) -> bool:
    """Whether the same swings tell how both scatter: single ones of one session."""
    few = all(
        np.count_nonzero(shown.kept) < LEAST_SWINGS_FOR_SPREAD
        for shown in (shown_a, shown_b)
    )
    return few and {s.pk for s in a.around} == {s.pk for s in b.around}


def _difference_lines(
    picture: _Picture,
    letter: str,
    name: str,
    place: tuple[float, float],
    found: CurveDifference,
) -> list[charts.Line]:
    """The band if there is one, the difference, and thick where that is clear."""
    x0, dx = place
    common: charts.Json = {"key": letter, "x0": x0, "dx": dx}
    delta = found.delta * picture.factor
    own: charts.Json = {
        **common,
        "part": picture.series.part,
        "letter": letter,
        "unit": picture.unit,
    }
    lines = [charts.Line(name=name, y=delta, tag=letter.upper(), **own)]
    if found.band is not None:
        band = found.band * picture.factor
        lines.append(
            charts.Line(
                part="value",
                name=f"no clear difference, {name}",
                lower=-band,
                upper=band,
                role="noise",
                **common,
            )
        )
    if found.clear.any():
        clear = np.where(found.clear, delta, np.nan)
        lines.append(charts.Line(name="", y=clear, role="mean", **own))
    return lines


def _with_differences(
    picture: _Picture, rows: Sequence[CompareCurveRow]
) -> tuple[tuple[CompareCurveRow, ...], int]:
    """The rows with the others less the first, and the digits that it takes."""
    unit, system = picture.series.unit, picture.system
    decimals = display.decimals_that_add_up(
        [
            (row.values[0], value, None)
            for row in rows
            for value in row.values[1:]
            if row.values[0] is not None and value is not None
        ],
        unit,
        system,
        decimals=picture.series.decimals,
    )

    def less(value: float | None, base: float | None) -> display.Printed | None:
        if value is None or base is None:
            return None
        shown = display.difference_with(base, value, unit, system, decimals=decimals)
        return shown.delta

    return tuple(
        replace(
            row,
            differences=tuple(less(value, row.values[0]) for value in row.values[1:]),
        )
        for row in rows
    ), decimals


# The table has a row at each multiple of so many ms, or so much percent.
_TABLE_STEP = {"ms": 25, "%": 10}


def _curve_rows(
    aligned: Sequence[curve_tools.Aligned | None], alignment: Alignment
) -> tuple[CompareCurveRow, ...]:
    """The value of each item's curve at round places, in stored units."""
    first = next((one for one in aligned if one is not None), None)
    if first is None:
        return ()
    middles = [None if one is None else curve_tools.middle(one) for one in aligned]
    return tuple(
        CompareCurveRow(
            at=at,
            values=tuple(
                None if middle is None else charts.finite(float(middle[place]))
                for middle in middles
            ),
        )
        for at, place in alignment.round_places(first, _TABLE_STEP[alignment.unit])
    )
