"""The curves and the figure of one swing, on one time axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from athletes import display
from athletes.analysis.event_rules import event_time
from athletes.frames.curves import Curves, load_curves
from athletes.models import Movement
from athletes.phrases import EVENTS, MOVABLE, rule_in_words
from biomechanics.definitions import SERIES
from biomechanics.units import MS_PER_S
from dashboard import charts
from dashboard.selectors.swing_figure import (
    DRAWN_AFTER_S,
    DRAWN_BEFORE_S,
    FigurePoints,
    SeriesRow,
    SwingChart,
    figure_of,
    load_points,
    no_figure,
    path_chart,
)
from dashboard.selectors.swing_page import CLIP_START, reference_of, zero_of
from dashboard.selectors.vendor_angles import (
    VENDOR_GROUPS,
    TimeAxis,
    VendorAngles,
    VendorGroup,
    vendor_angles,
)

SHOWN_BEFORE_S, SHOWN_AFTER_S = 0.6, 0.15
# Events closer than this are one line in a chart.
SAME_INSTANT_S = 0.001

SEQUENCE = ("pelvis_omega", "torso_omega", "lead_arm_omega", "bat_omega")


@dataclass(frozen=True)
class SwingTab:
    """One further chart of the swing: its series, and which are drawn at first."""

    key: str
    label: str
    title: str
    y_name: str
    series: tuple[str, ...]
    first: int
    empty: str


_NO_ENERGETICS = "No momentum and energy data of this swing have come from the vendor."

SWING_TABS: dict[str, SwingTab] = {
    tab.key: tab
    for tab in (
        SwingTab(
            "angles",
            "Angles",
            "Angles",
            "Angle",
            (
                "pelvis_rotation",
                "torso_rotation",
                "side_bend",
                "forward_bend",
                "lead_knee_flexion",
                "rear_knee_flexion",
                "lead_elbow_flexion",
                "rear_elbow_flexion",
            ),
            2,
            "The file gives no angles.",
        ),
        SwingTab(
            "separation",
            "Separation",
            "Hip-shoulder separation",
            "Separation",
            ("x_factor",),
            1,
            "The file does not hold both hips and both shoulders.",
        ),
        SwingTab(
            "hands",
            "Hands and bat",
            "Speed of hands and bat",
            "Speed",
            ("hand_speed", "bat_speed"),
            2,
            "Without a known length unit no speeds can be shown.",
        ),
        SwingTab(
            "path",
            "Path",
            "Path of hands and bat, seen from the side",
            "Height",
            (),
            2,
            "The file holds neither hands nor bat, or no direction to the pitcher.",
        ),
        SwingTab(
            "energy",
            "Energy",
            "Kinetic energy",
            "Energy",
            ("ke_total", "ke_lower", "ke_torso", "ke_arms", "ke_bat"),
            5,
            _NO_ENERGETICS,
        ),
        SwingTab(
            "momentum",
            "Momentum",
            "Angular momentum",
            "Angular momentum",
            ("l_pelvis", "l_torso", "l_arms", "l_bat"),
            4,
            _NO_ENERGETICS,
        ),
    )
}

# Two curves of one part in one chart differ by dash.
_PAIR_LETTERS = {
    "rear_knee_flexion": "b",
    "rear_elbow_flexion": "b",
    "forward_bend": "c",
    "side_bend": "b",
    "ke_lower": "b",
}


@dataclass(frozen=True, eq=False)
class SwingCurves:
    """The charts and the figure of one swing."""

    sequence: SwingChart
    tab: SwingTab
    detail: SwingChart
    vendor: VendorAngles | None
    figure: charts.Json | None
    figure_missing: str


def load_swing_curves(movement: Movement) -> Curves | None:
    """The kept curves of one movement, None where there are none."""
    return load_curves([movement.pk]).get(movement.pk)


def swing_curves(
    movement: Movement, *, tab: str = "", vendor: str = "", system: str = "imperial"
) -> SwingCurves:
    """Charts and figure; two queries for curves and points.

    `vendor` asks for a group of the vendor's own angles in place of ours, which
    takes two queries more.
    """
    chosen = SWING_TABS.get(tab) or SWING_TABS["angles"]
    curves = load_swing_curves(movement)
    points = load_points(movement)
    delivered = (
        _delivered(movement, VENDOR_GROUPS[vendor])
        if chosen.key == "angles" and vendor in VENDOR_GROUPS
        else None
    )
    return SwingCurves(
        sequence=series_chart(
            movement,
            curves,
            SEQUENCE,
            title="Turn rates" if movement.is_swing is False else "Kinematic sequence",
            y_name="Turn rate",
            system=system,
            empty=_no_curves(movement),
        ),
        tab=chosen,
        detail=delivered.chart
        if delivered
        else detail_chart(movement, curves, points, chosen, system),
        vendor=delivered,
        figure=figure_of(movement, points),
        figure_missing=no_figure(points),
    )


def _delivered(movement: Movement, group: VendorGroup) -> VendorAngles:
    """The vendor's angles on the time axis of the swing's other charts."""
    zero_s, label = zero_of(movement.events)
    return vendor_angles(
        movement,
        group,
        TimeAxis(
            zero_s=zero_s,
            zero_label=label,
            marks=[] if zero_s is None else marks_of(movement, zero_s),
            table_events=_table_events(movement),
            x_range=_shown_range(zero_s),
        ),
    )


def detail_chart(
    movement: Movement,
    curves: Curves | None,
    points: FigurePoints,
    tab: SwingTab,
    system: str,
) -> SwingChart:
    """The chart under one tab."""
    if tab.key == "path":
        return path_chart(
            movement, points, title=tab.title, empty=tab.empty, system=system
        )
    return series_chart(
        movement,
        curves,
        tab.series,
        title=tab.title,
        y_name=tab.y_name,
        system=system,
        empty=tab.empty if curves is not None else _no_curves(movement),
        first=tab.first,
    )


def _no_curves(movement: Movement) -> str:
    """Why the swing has no curves, in words."""
    if movement.analysed_at is None:
        return "The frames of this movement are not here yet, or not analysed."
    return "Nothing could be drawn from this file; its quality reasons say why."


# --- Curves over time ---------------------------------------------------------------


def marks_of(movement: Movement, zero_s: float) -> list[charts.Mark]:
    """The swing's events as marks, in ms from zero; each instant is named once."""
    marks: list[charts.Mark] = []
    reference_s, _ = reference_of(movement.events)
    for name, (_, short, _) in EVENTS.items():
        at = event_time(movement.events, name)
        if at is None:
            continue
        if name in {"peak_hand_speed", "bat_peak", "contact"} and (
            reference_s is not None and abs(at - reference_s) < SAME_INSTANT_S
        ):
            continue
        entry = movement.events[name]
        if name == "reference":
            short = _reference_short(movement.events) or short
        marks.append(
            charts.Mark(
                name,
                (at - zero_s) * MS_PER_S,
                short,
                rule_in_words(str(entry.get("rule") or "")),
                name in MOVABLE,
            )
        )
    return marks


def _reference_short(events: Mapping[str, Any]) -> str:
    """What happens at the reference, as a short label; empty where it is unknown."""
    reference_s, _ = reference_of(events)
    for name in ("contact", "bat_peak", "peak_hand_speed"):
        at = event_time(events, name)
        if (
            at is not None
            and reference_s is not None
            and abs(at - reference_s) < SAME_INSTANT_S
        ):
            return EVENTS[name][1]
    return ""


def series_chart(
    movement: Movement,
    curves: Curves | None,
    names: Sequence[str],
    *,
    title: str,
    y_name: str,
    system: str,
    empty: str,
    first: int = 99,
) -> SwingChart:
    """The named series over the time from peak hand speed, with their table.

    The first `first` are drawn at once. Without any of them the chart is `empty`, which
    says why.
    """
    there = [name for name in names if curves is not None and name in curves.values]
    if curves is None or not there:
        return SwingChart(None, title, empty)
    known_zero_s, label = zero_of(movement.events)
    zero_s = float(curves.time_s[0]) if known_zero_s is None else known_zero_s
    unit = SERIES[there[0]].unit
    factor = display.unit_factor(unit, system)
    shown_unit = display.unit_label(unit, system)
    lines, legend, rows = [], [], []
    table_events = _table_events(movement)
    for place, name in enumerate(there):
        definition = SERIES[name]
        x0, values = charts.trim(
            (float(curves.time_s[0]) - zero_s) * MS_PER_S,
            curves.step_s * MS_PER_S,
            curves.values[name] * factor,
            *(_drawn(known_zero_s, curves)),
        )
        letter, hidden = _PAIR_LETTERS.get(name, ""), place >= first
        lines.append(
            charts.Line(
                key=name,
                part=definition.part,
                name=definition.name,
                x0=x0,
                dx=curves.step_s * MS_PER_S,
                y=values,
                letter=letter,
                unit=shown_unit,
                hidden=hidden,
            )
        )
        legend.append(
            charts.LegendItem(name, short_series(name), definition.part, letter, hidden)
        )
        rows.append(
            series_row(
                name, curves, zero_s, [time_s for _, time_s in table_events], letter
            )
        )
    zero_name = label or CLIP_START
    chart = charts.Chart(
        lines=lines,
        legend=legend,
        x_title=charts.axis_title(f"Time from {zero_name}", "ms"),
        y_title=charts.axis_title(y_name, shown_unit),
        y_unit=shown_unit,
        marks=marks_of(movement, zero_s),
        x_range=_shown_range(known_zero_s),
        time_zero_s=zero_s,
        time_per_x_s=0.001,
    )
    return SwingChart(
        chart.to_json(), title, "", tuple(rows), tuple(word for word, _ in table_events)
    )


_SHORT = {
    "pelvis_omega": "Pelvis",
    "torso_omega": "Shoulder line",
    "lead_arm_omega": "Lead arm",
    "bat_omega": "Bat",
}


def short_series(series: str) -> str:
    """The short name of a series in a chart that already says what is measured."""
    name = SERIES[series].name
    for beginning in ("Kinetic energy, ", "Angular momentum, "):
        if name.startswith(beginning):
            return name.removeprefix(beginning).capitalize()
    return _SHORT.get(series, name)


def _drawn(zero_s: float | None, curves: Curves) -> tuple[float, float]:
    """From and to where curves are drawn, in ms from zero."""
    if zero_s is None:
        return -math.inf, math.inf
    return -DRAWN_BEFORE_S * MS_PER_S, DRAWN_AFTER_S * MS_PER_S


def _shown_range(zero_s: float | None) -> tuple[float, float] | None:
    """From and to where the chart shows at first, in ms; None for all."""
    if zero_s is None:
        return None
    return -SHOWN_BEFORE_S * MS_PER_S, SHOWN_AFTER_S * MS_PER_S


def _table_events(movement: Movement) -> list[tuple[str, float]]:
    """The events at which the table gives each curve's value."""
    found = []
    for name in ("first_move", "foot_down", "reference"):
        at = event_time(movement.events, name)
        if at is not None:
            found.append((EVENTS[name][0], at))
    return found


def series_row(
    name: str,
    curves: Curves,
    zero_s: float,
    times: Iterable[float],
    letter: str = "",
) -> SeriesRow:
    """A curve's largest value, its time (ms), and its values at `times` (s)."""
    definition = SERIES[name]
    values, clock = curves.values[name], curves.time_s
    window = (clock >= zero_s - SHOWN_BEFORE_S) & (clock <= zero_s + SHOWN_AFTER_S)
    usable = np.where(window & np.isfinite(values), values, -np.inf)
    place = int(np.argmax(usable))
    peak = float(usable[place])
    return SeriesRow(
        name=definition.name,
        part=definition.part,
        letter=letter,
        unit=definition.unit,
        decimals=definition.decimals,
        peak=peak if math.isfinite(peak) else None,
        peak_ms=(float(clock[place]) - zero_s) * MS_PER_S
        if math.isfinite(peak)
        else None,
        at=tuple(
            charts.finite(float(np.interp(time_s, clock, values))) for time_s in times
        ),
    )
