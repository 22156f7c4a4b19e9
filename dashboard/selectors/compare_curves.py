"""Curves of two to six compared things on one axis, and their differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
from biomechanics.units import MS_PER_S
from dashboard import charts
from dashboard.selectors.aligned_curves import curve_on_event, zero_label
from dashboard.selectors.compare_items import LEAST_ITEMS, Item
from dashboard.selectors.difference_words import difference_words

#: Alignment on first move and reference at once: time in percent of the swing.
PERCENT = "percent"

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CompareCurveRow:
    """The curves' table at one place of the axis: ms from zero, or percent."""

    at: int
    values: tuple[float | None, ...]


@dataclass(frozen=True, eq=False)
class CompareCurves:
    """The chart of all curves, that of their differences, and the table of both.

    `delta_words` say of each difference where it is clear.
    """

    overlay: charts.Json | None
    delta: charts.Json | None
    delta_words: tuple[str, ...]
    delta_note: str
    rows: tuple[CompareCurveRow, ...]


def compare_curves(
    items: tuple[Item, ...],
    stored: Mapping[int, Curves],
    *,
    series: SeriesDefinition,
    align: str,
    system: str,
) -> CompareCurves:
    """Curves of one series over all items, as charts in the reader's units.

    `stored` holds curves by movement id; `align` names the event at zero, or is
    `PERCENT`. No query.
    """
    picture = _Picture(
        items=items,
        stored=stored,
        series=series,
        align=align,
        rule=rule_of_most(items, _zero(align)),
        system=system,
    )
    aligned = [picture.aligned(item.swings) for item in items]
    delta, words, note = _delta(picture, aligned)
    return CompareCurves(
        overlay=_overlay(picture, aligned),
        delta=delta,
        delta_words=words,
        delta_note=note,
        rows=_curve_rows(aligned, align),
    )


def _zero(align: str) -> str:
    """The event at zero, or at 100 percent."""
    return "reference" if align == PERCENT else align


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
    align: str
    rule: str
    system: str

    def aligned(self, swings: Iterable[Movement]) -> curve_tools.Aligned | None:
        """Curves that meet on one event, found by one rule in all of them."""
        zero, name = _zero(self.align), self.series.id
        curves = [
            curve_on_event(self.stored[swing.pk], name, swing.events, zero)
            for swing in swings
            if swing.pk in self.stored
            and name in self.stored[swing.pk].values
            and event_time(swing.events, zero) is not None
            and rule_at(swing, zero) == self.rule
        ]
        if not curves:
            return None
        if self.align == PERCENT:
            return curve_tools.align_percent(curves)
        return curve_tools.align(curves)

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
    ) -> charts.Json:
        """Lines on the common axis."""
        words = zero_label(self.rule, _zero(self.align))
        marks = [charts.Mark("zero", 0.0, words)]
        title, unit = charts.axis_title(f"Time from {words}", "ms"), "ms"
        if self.align == PERCENT:
            title, unit = f"Swing (%): 0 first move, 100 {words}", "%"
            marks = [
                charts.Mark("first_move", 0.0, "FM"),
                charts.Mark("zero", 100.0, words),
            ]
        return charts.Chart(
            lines=lines,
            legend=legend,
            x_title=title,
            y_title=charts.axis_title(y_name, self.unit),
            x_unit=unit,
            y_unit=self.unit,
            marks=marks,
        ).to_json()

    @property
    def unit(self) -> str:
        """The unit in which values are drawn, as the reader sees it."""
        return display.unit_label(self.series.unit, self.system)

    @property
    def factor(self) -> float:
        """What stored values are multiplied by to be drawn."""
        return display.unit_factor(self.series.unit, self.system)

    def axis(self, grid: FloatArray) -> tuple[float, float]:
        """Start and step of the axis in its own unit."""
        scale = 1.0 if self.align == PERCENT else MS_PER_S
        return float(grid[0]) * scale, float(grid[1] - grid[0]) * scale


def _overlay(
    picture: _Picture, aligned: Sequence[curve_tools.Aligned | None]
) -> charts.Json | None:
    """The mean of each item, with a band from three swings on."""
    first = next((one for one in aligned if one is not None), None)
    if first is None:
        return None
    x0, dx = picture.axis(first.grid)
    lines: list[charts.Line] = []
    legend = []
    for item, one in zip(picture.items, aligned, strict=True):
        if one is None:
            continue
        name = f"{item.letter} {item.label}"
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
        )
        legend.append(
            charts.LegendItem(
                item.line_letter, name, picture.series.part, item.line_letter
            )
        )
    return picture.chart(lines, legend, picture.series.name)


_NOTE = (
    "Gray: if nothing differed, swings like these would stay inside over the whole "
    "swing in 95 of 100 comparisons. The line is thick where it is outside. The band "
    "knows how these swings scatter, not how one day differs from another."
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
        return None, (), "A has no such curve to hold the others against."
    lines: list[charts.Line] = []
    legend = []
    words = []
    zero = zero_label(picture.rule, _zero(picture.align))
    bands = False
    for item, one in zip(items[1:], aligned[1:], strict=True):
        if one is None:
            continue
        found = curve_difference(
            picture.curve_set(items[0], base),
            picture.curve_set(item, one),
            one_scatter=_is_one_scatter(items[0], item, base, one),
        )
        name = f"{item.letter} minus A"
        lines += _difference_lines(picture, item.line_letter, name, found)
        legend.append(
            charts.LegendItem(
                item.line_letter, name, picture.series.part, item.line_letter
            )
        )
        bands = bands or found.band is not None
        told = difference_words(
            found, picture.series, zero=zero, percent=picture.align == PERCENT
        )
        words.append(f"{item.letter} compared with A: {told}.")
    if not legend:
        return None, (), "None of the others has this curve."
    # The lines stand above all bands.
    lines.sort(key=lambda line: line.role != "noise")
    note = _NOTE if bands else ""
    return picture.chart(lines, legend, "Difference"), tuple(words), note


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
    picture: _Picture, letter: str, name: str, found: CurveDifference
) -> list[charts.Line]:
    """The band if there is one, the difference, and thick where that is clear."""
    x0, dx = picture.axis(found.grid)
    common: charts.Json = {"key": letter, "x0": x0, "dx": dx}
    delta = found.delta * picture.factor
    own: charts.Json = {
        **common,
        "part": picture.series.part,
        "letter": letter,
        "unit": picture.unit,
    }
    lines = [charts.Line(name=name, y=delta, **own)]
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


def _curve_rows(
    aligned: Sequence[curve_tools.Aligned | None], align: str
) -> tuple[CompareCurveRow, ...]:
    """Every 25 ms (or 10 percent) the value of each item's curve in stored units."""
    first = next((one for one in aligned if one is not None), None)
    if first is None:
        return ()
    scale, every = (1.0, 10) if align == PERCENT else (MS_PER_S, 25)
    middles = [None if one is None else curve_tools.middle(one) for one in aligned]
    return tuple(
        CompareCurveRow(
            at=round(float(first.grid[place]) * scale),
            values=tuple(
                None if middle is None else charts.finite(float(middle[place]))
                for middle in middles
            ),
        )
        for place in range(0, len(first.grid), every)
    )
