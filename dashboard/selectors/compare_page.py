"""Two to six swings, sessions or athletes on one axis, and what differs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from athletes import display
from athletes.access import Viewer, visible_sessions
from athletes.analysis.changes import scatter_of_points
from athletes.analysis.event_rules import commonest, event_rules, event_time
from athletes.analysis.history import (
    Basis,
    History,
    histories,
)
from athletes.analysis.means_by_side import metric_rule
from athletes.analysis.metric_reading import reading_of
from athletes.frames.curves import Curves, load_curves
from athletes.models import Movement
from athletes.phrases import rule_name
from biomechanics import curves as curve_tools
from biomechanics.change import Z_95, is_real, smallest_detectable_change
from biomechanics.definitions import (
    METRICS,
    NUMERIC_HEADLINES,
    SERIES,
    MetricDefinition,
    SeriesDefinition,
)
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from biomechanics.units import MS_PER_S
from dashboard import charts
from dashboard.phrases import number_of
from dashboard.selectors.aligned_curves import DEFAULT_SERIES, zero_label
from dashboard.selectors.compare_items import (
    LEAST,
    MOST,
    Item,
    ItemKey,
    load_items,
)

PERCENT = "percent"

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CompareCell:
    """One metric of one item, and how it differs from the first item."""

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
        return self.definition.unit

    @property
    def decimals(self) -> int:
        return self.definition.decimals


@dataclass(frozen=True)
class CompareRow:
    """One metric over all items."""

    definition: MetricDefinition
    cells: tuple[CompareCell, ...]


@dataclass(frozen=True)
class CompareCurveRow:
    """The curves' table at one place of the axis."""

    at: int
    values: tuple[float | None, ...]


@dataclass(frozen=True, eq=False)
class ComparePage:
    """Everything that the page of a comparison prints."""

    items: tuple[Item, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    series: SeriesDefinition
    available: tuple[SeriesDefinition, ...]
    align: str
    overlay: charts.Json | None
    delta: charts.Json | None
    delta_note: str
    curve_rows: tuple[CompareCurveRow, ...]
    rows: tuple[CompareRow, ...]

    @property
    def is_ready(self) -> bool:
        return len(self.items) >= LEAST

    @property
    def is_full(self) -> bool:
        return len(self.items) >= MOST


def compare_page(
    user: Viewer,
    keys: Sequence[ItemKey],
    *,
    series: str,
    align: str,
    system: str,
    problems: Sequence[str] = (),
) -> ComparePage:
    """At most twelve queries, whatever is compared."""
    items, missing = load_items(user, keys)
    stored = load_curves(
        {swing.pk for item in items for swing in (*item.swings, *item.around)}
    )
    available = tuple(
        definition
        for name, definition in SERIES.items()
        if any(name in curves.values for curves in stored.values())
    )
    names = [definition.id for definition in available]
    if series not in names:
        series = DEFAULT_SERIES if DEFAULT_SERIES in names or not names else names[0]
    picture = _Picture(
        items=items,
        stored=stored,
        series=SERIES[series],
        align=align,
        rule=_common_rule(items, _zero(align)),
        system=system,
    )
    aligned = [picture.aligned(item.swings) for item in items]
    delta, note = _delta(picture, aligned)
    return ComparePage(
        items=items,
        problems=(*problems, *missing),
        remarks=_remarks(items),
        series=picture.series,
        available=available,
        align=align,
        overlay=_overlay(picture, aligned),
        delta=delta,
        delta_note=note,
        curve_rows=_curve_rows(aligned, align),
        rows=_rows(user, items),
    )


# --- Remarks ---------------------------------------------------------------------


def _remarks(items: Sequence[Item]) -> tuple[str, ...]:
    """Why two of them may differ without the athlete having changed."""
    remarks = []
    rule = _common_rule(items, "reference")
    for item in items:
        others = [swing for swing in item.swings if _rule(swing, "reference") != rule]
        if others:
            remarks.append(
                f"{item.letter}: {number_of(len(others), 'swing')} left out, "
                f"because times are from {rule_name(rule) or 'the reference'} and "
                "that was not found there."
            )
    if len({item.condition for item in items}) > 1 or any(
        item.condition == "mixed" for item in items
    ):
        remarks.append("The hitting conditions are not the same.")
    if len({item.source for item in items}) > 1:
        remarks.append("The capture systems are not the same.")
    if (
        len({swing.method_version for item in items for swing in item.swings} - {""})
        > 1
    ):
        remarks.append("The numbers were computed by different versions of the method.")
    if len({item.player.pk for item in items}) > 1:
        remarks.append(
            "These are different athletes: a clear difference is not a change, and "
            "more is not better."
        )
    of_player: dict[int, set[str]] = {}
    for item in items:
        if item.swings:
            of_player.setdefault(item.player.pk, set()).add(item.side)
    if any(len(sides) > 1 for sides in of_player.values()):
        remarks.append(
            "Swings from both sides of one athlete: a clear difference between them is "
            "not a change."
        )
    empty = [item.letter for item in items if not item.swings]
    if empty:
        remarks.append(f"{' and '.join(empty)} has no counted swings.")
    return tuple(remarks)


# --- Curves -----------------------------------------------------------------------


def _zero(align: str) -> str:
    return "reference" if align == PERCENT else align


def _rule(swing: Movement, event: str) -> str:
    return event_rules(swing).get(event, "")


def _common_rule(items: Sequence[Item], event: str) -> str:
    """The rule behind an event in most of all swings."""
    return commonest(
        _rule(swing, event)
        for item in items
        for swing in item.swings
        if event_time(swing.events, event) is not None
    )


@dataclass(frozen=True, eq=False)
class _Picture:
    """What is drawn of whom, and how."""

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
            curve_tools.Curve(
                time_s=self.stored[swing.pk].time_s,
                values=self.stored[swing.pk].values[name],
                zero_s=event_time(swing.events, zero),
                start_s=event_time(swing.events, "first_move"),
            )
            for swing in swings
            if swing.pk in self.stored
            and name in self.stored[swing.pk].values
            and event_time(swing.events, zero) is not None
            and _rule(swing, zero) == self.rule
        ]
        if not curves:
            return None
        if self.align == PERCENT:
            return curve_tools.align_percent(curves)
        return curve_tools.align(curves)

    def spread(self, item: Item) -> FloatArray | None:
        """Standard deviation from swing to swing along the axis."""
        aligned = self.aligned(item.around)
        if aligned is None or not np.isfinite(aligned.sd).any():
            return None
        return aligned.sd

    def chart(
        self,
        grid: FloatArray,
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
        return display.unit_label(self.series.unit, self.system)

    @property
    def factor(self) -> float:
        return display.unit_factor(self.series.unit, self.system)

    def axis(self, grid: FloatArray) -> tuple[float, float]:
        """Start and step of the axis in its own unit."""
        scale = 1.0 if self.align == PERCENT else MS_PER_S
        return float(grid[0]) * scale, float(grid[1] - grid[0]) * scale


def _middle(aligned: curve_tools.Aligned) -> FloatArray:
    """The mean, or the curves themselves where they are too few for one."""
    if aligned.rows.shape[0] >= LEAST_SWINGS_FOR_SPREAD:
        return aligned.mean
    known = np.isfinite(aligned.rows)
    total = np.where(known, aligned.rows, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    answer: FloatArray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return answer


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
            mean=_middle(one) * picture.factor,
            sd=one.sd * picture.factor,
            unit=picture.unit,
            letter=item.line_letter,
        )
        legend.append(
            charts.LegendItem(
                item.line_letter, name, picture.series.part, item.line_letter
            )
        )
    return picture.chart(first.grid, lines, legend, picture.series.name)


def _delta(
    picture: _Picture, aligned: Sequence[curve_tools.Aligned | None]
) -> tuple[charts.Json | None, str]:
    """Each item minus the first, with the band inside which the first two agree."""
    items = picture.items
    if len(items) < LEAST:
        return None, ""
    base = aligned[0]
    if base is None:
        return None, "A has no such curve to hold the others against."
    x0, dx = picture.axis(base.grid)
    lines: list[charts.Line] = []
    legend = []
    note = "Too few swings around them to say how large a difference is clear."
    spread_a = picture.spread(items[0])
    for item, one in zip(items[1:], aligned[1:], strict=True):
        if one is None:
            continue
        spread_b = picture.spread(item)
        if not lines and (spread_a is not None or spread_b is not None):
            band = _noise(base, one, spread_a, spread_b) * picture.factor
            lines.append(
                charts.Line(
                    key="noise",
                    part="value",
                    name="no clear difference",
                    x0=x0,
                    dx=dx,
                    lower=-band,
                    upper=band,
                    role="noise",
                )
            )
            note = (
                f"Inside the grey band A and {item.letter} do not differ clearly: 1.96 "
                "times the standard error of their difference, from the scatter of "
                "the swings of the same sessions."
            )
        name = f"{item.letter} minus A"
        lines.append(
            charts.Line(
                key=item.line_letter,
                part=picture.series.part,
                name=name,
                x0=x0,
                dx=dx,
                y=(_middle(one) - _middle(base)) * picture.factor,
                letter=item.line_letter,
                unit=picture.unit,
            )
        )
        legend.append(
            charts.LegendItem(
                item.line_letter, name, picture.series.part, item.line_letter
            )
        )
    if not legend:
        return None, "None of the others has this curve."
    return picture.chart(base.grid, lines, legend, "Difference"), note


def _noise(
    a: curve_tools.Aligned,
    b: curve_tools.Aligned,
    spread_a: FloatArray | None,
    spread_b: FloatArray | None,
) -> FloatArray:
    """Half-width of the band: 1.96 standard errors of the difference of means."""
    known = [spread for spread in (spread_a, spread_b) if spread is not None]
    pooled = np.mean([spread**2 for spread in known], axis=0)
    n_a, n_b = np.maximum(a.count, 1), np.maximum(b.count, 1)
    band: FloatArray = Z_95 * np.sqrt(pooled / n_a + pooled / n_b)
    return band


def _curve_rows(
    aligned: Sequence[curve_tools.Aligned | None], align: str
) -> tuple[CompareCurveRow, ...]:
    first = next((one for one in aligned if one is not None), None)
    if first is None:
        return ()
    scale, every = (1.0, 10) if align == PERCENT else (MS_PER_S, 25)
    middles = [None if one is None else _middle(one) for one in aligned]
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


# --- Numbers ------------------------------------------------------------------------


def _rows(user: Viewer, items: Sequence[Item]) -> tuple[CompareRow, ...]:
    if len(items) < LEAST:
        return ()
    history = histories(
        visible_sessions(user), {item.player.pk for item in items}, NUMERIC_HEADLINES
    )
    rows = (_row(METRICS[name], items, history) for name in NUMERIC_HEADLINES)
    return tuple(row for row in rows if any(cell.n for cell in row.cells))


def _values(swings: Iterable[Movement], name: str, rule: str) -> list[float]:
    """Values that hang on the same event, found by the same rule."""
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
    reason = "" if real else "The difference is inside swing-to-swing scatter."
    return CompareCell(
        item.letter, definition, mean, sd, n, delta, smallest, real, reason
    )


def _scatter(
    definition: MetricDefinition,
    items: Sequence[Item],
    history: Mapping[int, History],
) -> float | None:
    """Scatter inside sessions of the athletes that are compared, pooled."""
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
