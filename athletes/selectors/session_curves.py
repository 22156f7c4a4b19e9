"""The curves of a session: one small picture per swing, and mean ± SD of one series."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from athletes import charts, display
from athletes.biomechanics import curves as curve_tools
from athletes.biomechanics.definitions import SERIES, SeriesDefinition
from athletes.curve_store import Curves, load_curves
from athletes.selectors import words
from athletes.selectors.events import commonest, event_time
from athletes.selectors.history import rule_words
from athletes.selectors.session_page import SessionPage, SwingRow

STRIP_SERIES = ("pelvis_omega", "torso_omega", "lead_arm_omega")
STRIP_POINTS = 48
DEFAULT_SERIES = "torso_omega"
TABLE_STEP_MS = 50
BEFORE_S, AFTER_S = curve_tools.BEFORE_S, curve_tools.AFTER_S


@dataclass(frozen=True)
class StripTile:
    """One swing in the strip."""

    swing: SwingRow
    lines: tuple[dict[str, Any], ...]
    events: tuple[float, ...]


@dataclass(frozen=True)
class TableRow:
    """The curves' table at one instant."""

    time_ms: int
    mean: float | None
    sd: float | None
    n: int


@dataclass(frozen=True)
class SessionCurves:
    """The chart of the session, with its words and its table."""

    series: SeriesDefinition
    align: str
    figure: charts.Json | None
    title: str
    caption: str
    note: str
    table: tuple[TableRow, ...]

    @property
    def unit(self) -> str:
        return self.series.unit

    @property
    def decimals(self) -> int:
        return self.series.decimals


@dataclass(frozen=True, eq=False)
class SessionPictures:
    """All that a session page draws."""

    strip: tuple[StripTile, ...]
    curves: SessionCurves
    available: tuple[SeriesDefinition, ...]


def session_pictures(
    page: SessionPage, *, series: str = "", align: str = "", system: str = "imperial"
) -> SessionPictures:
    """Strip and chart of the session; one query for all curves."""
    ids = [swing.id for swing in page.swings]
    stored = load_curves(ids)
    available = tuple(
        definition
        for name, definition in SERIES.items()
        if any(name in item.values for item in stored.values())
    )
    names = [definition.id for definition in available]
    if series not in names:
        series = DEFAULT_SERIES if DEFAULT_SERIES in names or not names else names[0]
    return SessionPictures(
        strip=tuple(_tile(swing, stored.get(swing.id)) for swing in page.swings),
        curves=session_curves(
            page.swings, stored, SERIES[series], align or "reference", system
        ),
        available=available,
    )


def _tile(swing: SwingRow, curves: Curves | None) -> StripTile:
    zero = event_time(swing.events, "reference")
    if curves is None or zero is None:
        return StripTile(swing, (), ())
    lines = []
    for name in STRIP_SERIES:
        if name not in curves.values:
            continue
        _, values = charts.trim(
            float(curves.time_s[0]) - zero,
            curves.step_s,
            curves.values[name],
            -BEFORE_S,
            AFTER_S,
        )
        lines.append(
            {"part": SERIES[name].part, "values": charts.thinned(values, STRIP_POINTS)}
        )
    marks = []
    for name in ("foot_down", "reference"):
        at = event_time(swing.events, name)
        if at is not None and -BEFORE_S <= at - zero <= AFTER_S:
            marks.append((at - zero + BEFORE_S) / (BEFORE_S + AFTER_S))
    return StripTile(swing, tuple(lines), tuple(marks))


def session_curves(
    swings: Sequence[SwingRow],
    stored: Mapping[int, Curves],
    series: SeriesDefinition,
    align: str,
    system: str,
) -> SessionCurves:
    """Every counted swing thin, their mean thick, one SD as a band."""
    usable = [
        swing
        for swing in swings
        if swing.counted
        and swing.id in stored
        and series.id in stored[swing.id].values
        and event_time(swing.events, align) is not None
    ]
    # Curves that meet on differently found events would be spread by that alone.
    rule = commonest(swing.rules.get(align, "") for swing in usable)
    counted = [swing for swing in usable if swing.rules.get(align, "") == rule]
    zero_words = zero_label(rule, align)
    has_band = len(counted) >= curve_tools.LEAST_SWINGS
    # A head that promises a mean and a spread only where both are drawn.
    title = f"{series.name}, mean ± SD" if has_band else series.name
    if not counted:
        return SessionCurves(
            series,
            align,
            None,
            title,
            "",
            "No counted swing has this curve and this event. Choose another series "
            "or event, or count a swing in.",
            (),
        )
    aligned = curve_tools.align(
        [
            curve_tools.Curve(
                time_s=stored[swing.id].time_s,
                values=stored[swing.id].values[series.id],
                zero_s=event_time(swing.events, align),
            )
            for swing in counted
        ]
    )
    factor = display.unit_factor(series.unit, system)
    label = display.unit_label(series.unit, system)
    x0 = float(aligned.grid[0]) * charts.MS_PER_S
    dx = float(aligned.grid[1] - aligned.grid[0]) * charts.MS_PER_S
    lines = [
        charts.Line(
            key="swings",
            part=series.part,
            name=f"Swing {swing.position}",
            x0=x0,
            dx=dx,
            y=row * factor,
            # Faint only beside a mean that stands out from them.
            role="single" if has_band else "line",
            unit=label,
        )
        for swing, row in zip(counted, aligned.rows, strict=True)
    ]
    if has_band:
        lines += charts.band_lines(
            key="mean",
            part=series.part,
            name="Mean",
            x0=x0,
            dx=dx,
            mean=aligned.mean * factor,
            sd=aligned.sd * factor,
            unit=label,
        )
    chart = charts.Chart(
        lines=lines,
        x_title=charts.axis_title(f"Time from {zero_words}", "ms"),
        y_title=charts.axis_title(series.name, label),
        y_unit=label,
        marks=_mean_marks(counted, align),
        x_range=(-BEFORE_S * charts.MS_PER_S, AFTER_S * charts.MS_PER_S),
        legend=(
            charts.LegendItem("mean", "Mean ± SD", series.part),
            charts.LegendItem("swings", "Each swing", series.part),
        )
        if has_band
        else (),
    )
    width = curve_tools.band_width(aligned, low=-BEFORE_S, high=0.0)
    note = "The band is for looking: peaks are taken per swing and then averaged. "
    if not has_band:
        note = "A mean and its spread are drawn from three counted swings on. "
    elif width is not None:
        spread = display.value_text(
            width, series.unit, system, decimals=series.decimals
        )
        note += f"Width of the band up to {zero_words}: ± {spread}. "
    if others := len(usable) - len(counted):
        note += (
            f"{words.counted(others, 'swing')} left out: the event was found there by "
            "another rule."
        )
    return SessionCurves(
        series=series,
        align=align,
        figure=chart.to_json(),
        title=title,
        caption=f"{len(counted)} swing{'s' if len(counted) > 1 else ''}, aligned on "
        f"{zero_words}",
        note=note.strip(),
        table=_table(aligned),
    )


def zero_label(rule: str, align: str) -> str:
    """What time zero is called; the reference by the rule that found it."""
    if align != "reference":
        return align.replace("_", " ")
    return rule_words(rule) if rule else "reference"


def _mean_marks(swings: Sequence[SwingRow], align: str) -> tuple[charts.Mark, ...]:
    """Mean places of foot down and first move against the event aligned on."""
    zero_words = zero_label(swings[0].rules.get(align, ""), align)
    marks = [charts.Mark("zero", 0.0, zero_words)]
    for name, label in (("first_move", "FM"), ("foot_down", "FD")):
        if name == align:
            continue
        offsets = [
            at - zero
            for swing in swings
            if (at := event_time(swing.events, name)) is not None
            and (zero := event_time(swing.events, align)) is not None
        ]
        if offsets:
            at_ms = float(np.mean(offsets)) * charts.MS_PER_S
            if -BEFORE_S * charts.MS_PER_S <= at_ms <= AFTER_S * charts.MS_PER_S:
                marks.append(charts.Mark(name, at_ms, label, "mean of the swings"))
    return tuple(marks)


def _table(aligned: curve_tools.Aligned) -> tuple[TableRow, ...]:
    every = max(1, round(TABLE_STEP_MS / 1000 / curve_tools.STEP_S))
    rows = []
    for place in range(0, len(aligned.grid), every):
        mean, sd = float(aligned.mean[place]), float(aligned.sd[place])
        rows.append(
            TableRow(
                time_ms=round(float(aligned.grid[place]) * charts.MS_PER_S),
                mean=mean if math.isfinite(mean) else None,
                sd=sd if math.isfinite(sd) else None,
                n=int(aligned.count[place]),
            )
        )
    return tuple(rows)
