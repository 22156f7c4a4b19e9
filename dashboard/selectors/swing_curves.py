"""The curves and the figure of one swing, on one time axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from athletes import display
from athletes.analysis.event_rules import event_rule, event_time
from athletes.frames.curves import Curves, load_curves
from athletes.models import Movement
from athletes.phrases import EVENTS, MOVABLE, rule_in_words
from biomechanics.definitions import SERIES
from biomechanics.units import MS_PER_S
from dashboard import charts
from dashboard.selectors.aligned_curves import (
    Alignment,
    axis_words,
    event_label,
    zero_label,
)
from dashboard.selectors.body_positions import BodyPosition, body_positions
from dashboard.selectors.posed import pose
from dashboard.selectors.sequence_peaks import (
    SEGMENTS,
    SequencePeaks,
    peaks_of,
    sequence_peaks,
)
from dashboard.selectors.swing_figure import (
    FigurePoints,
    SeriesRow,
    SwingChart,
    figure_json,
    load_points,
    no_figure,
    path_chart,
)
from dashboard.selectors.swing_page import CLIP_START, reference_of
from dashboard.selectors.vendor_angles import (
    VENDOR_GROUPS,
    TimeAxis,
    VendorAngles,
    vendor_angles,
)

# What is drawn beyond both ends of the window, so that there is something to pan to.
BEYOND_S = 0.5
# Events closer than this are one line in a chart.
SAME_INSTANT_S = 0.001

SEQUENCE = tuple(segment.series for segment in SEGMENTS.values())


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


_NO_ENERGETICS = "Reboot Motion sent no momentum and energy data for this swing."

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
            "The file doesn't have both hips and both shoulders.",
        ),
        SwingTab(
            "hands",
            "Hands and bat",
            "Speed of hands and bat",
            "Speed",
            ("hand_speed", "bat_speed"),
            2,
            "Speeds can't be shown because the length unit is unknown.",
        ),
        SwingTab(
            "path",
            "Path",
            "Path of hands and bat, seen from the side",
            "Height",
            (),
            2,
            "The file has no hands or bat, or no direction to the pitcher.",
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
    peaks: SequencePeaks
    tab: SwingTab
    detail: SwingChart
    vendor: VendorAngles | None
    figure: charts.Json | None
    figure_missing: str
    positions: tuple[BodyPosition, ...]
    align: str
    # Why the axis is not the one that was asked for; empty where it is.
    align_note: str


def load_swing_curves(movement: Movement) -> Curves | None:
    """The kept curves of one movement, None where there are none."""
    return load_curves([movement.pk]).get(movement.pk)


def swing_curves(
    movement: Movement,
    *,
    tab: str = "",
    vendor: str = "",
    align: str = "reference",
    system: str = "imperial",
) -> SwingCurves:
    """Charts and figure; two queries for curves and points.

    `align` names the event at zero, or is `PERCENT`; without that event zero is
    contact, and without that the first frame. `vendor` asks for a group of the vendor's
    own angles in place of ours, which takes two queries more.
    """
    chosen = SWING_TABS.get(tab) or SWING_TABS["angles"]
    curves = load_swing_curves(movement)
    points = load_points(movement)
    posed = pose(movement, points.columns)
    axis, note = swing_axis(movement, curves, align)
    peaks = sequence_peaks(
        [(movement.events, peaks_of(movement.metrics))], axis.alignment
    )
    delivered = (
        vendor_angles(movement, VENDOR_GROUPS[vendor], axis)
        if chosen.key == "angles" and vendor in VENDOR_GROUPS
        else None
    )
    return SwingCurves(
        sequence=series_chart(
            axis,
            curves,
            SEQUENCE,
            title="Rotation speeds"
            if movement.is_swing is False
            else "Kinematic sequence",
            y_name="Rotation speed",
            system=system,
            empty=_no_curves(movement),
            peaks=peaks,
        ),
        peaks=peaks,
        tab=chosen,
        detail=delivered.chart
        if delivered
        else detail_chart(movement, axis, curves, points, chosen, system),
        vendor=delivered,
        figure=None
        if posed is None
        else figure_json(movement, posed, Alignment(align)),
        figure_missing=no_figure(points),
        positions=body_positions(
            movement,
            curves,
            posed,
            who=f"Swing {movement.position}",
            no_figure=no_figure(points),
        ),
        align=align,
        align_note=note,
    )


def swing_axis(
    movement: Movement, curves: Curves | None, align: str
) -> tuple[TimeAxis, str]:
    """The time axis of the swing's charts, and why it is not the one asked for."""
    events = movement.events
    alignment, note = Alignment(align), ""
    if alignment.clock(events) is None and align != "reference":
        if reference_of(events)[0] is not None:
            why = alignment.why_no_place(events)
            note = f"{why.capitalize()} in this swing, so times are from contact."
        alignment = Alignment("reference")
    clock = alignment.clock(events)
    if clock is not None and (unsure := alignment.unsure_words(events)):
        note = f"{note} In this swing {unsure}.".strip()
    rule = event_rule(movement, alignment.event)
    if clock is None:
        clock = (0.0 if curves is None else float(curves.time_s[0]), MS_PER_S)
        zero = CLIP_START
        title = charts.axis_title(f"Time from {zero}", "ms")
    else:
        zero = zero_label(rule, alignment.event)
        title = axis_words(alignment, zero)
    return (
        TimeAxis(
            alignment=alignment,
            zero_s=clock[0],
            per_s=clock[1],
            unit=alignment.unit,
            title=title,
            marks=marks_of(movement, *clock),
            table_events=_table_events(movement),
            x_range=alignment.window([events]),
            zero=zero,
        ),
        note,
    )


def detail_chart(
    movement: Movement,
    axis: TimeAxis,
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
        axis,
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
        return "This movement's frames haven't arrived or haven't been analyzed yet."
    return "Nothing can be drawn from this file; its quality reasons say why."


# --- Curves over time ---------------------------------------------------------------


def marks_of(movement: Movement, zero_s: float, per_s: float) -> list[charts.Mark]:
    """The swing's events as marks, each instant once.

    `zero_s` is the zero of the axis on the clock of the file, `per_s` how many of its
    units a second has.
    """
    marks: list[charts.Mark] = []
    reference_s, _ = reference_of(movement.events)
    for name in EVENTS:
        at = event_time(movement.events, name)
        if at is None:
            continue
        if name in {"peak_hand_speed", "bat_peak", "contact"} and (
            reference_s is not None and abs(at - reference_s) < SAME_INSTANT_S
        ):
            continue
        entry = movement.events[name]
        marks.append(
            charts.Mark(
                name,
                (at - zero_s) * per_s,
                event_label(name, event_rule(movement, name)),
                rule_in_words(str(entry.get("rule") or "")),
                name in MOVABLE,
            )
        )
    return marks


def series_chart(
    axis: TimeAxis,
    curves: Curves | None,
    names: Sequence[str],
    *,
    title: str,
    y_name: str,
    system: str,
    empty: str,
    first: int = 99,
    peaks: SequencePeaks | None = None,
) -> SwingChart:
    """The named series over the time of the swing, with their table.

    The first `first` are drawn at once, and `peaks` are marked. Without any of them the
    chart is `empty`, which says why.
    """
    there = [name for name in names if curves is not None and name in curves.values]
    if curves is None or not there:
        return SwingChart(None, title, empty)
    unit = SERIES[there[0]].unit
    factor = display.unit_factor(unit, system)
    shown_unit = display.unit_label(unit, system)
    lines, legend, rows = [], [], []
    dx = curves.step_s * axis.per_s
    for place, name in enumerate(there):
        definition = SERIES[name]
        x0, values = charts.trim(
            float(axis.place(curves.time_s[0])),
            dx,
            curves.values[name] * factor,
            *_drawn(axis),
        )
        letter, hidden = _PAIR_LETTERS.get(name, ""), place >= first
        lines.append(
            charts.Line(
                key=name,
                part=definition.part,
                name=definition.name,
                x0=x0,
                dx=dx,
                y=values,
                letter=letter,
                unit=shown_unit,
                hidden=hidden,
            )
        )
        legend.append(
            charts.LegendItem(name, short_series(name), definition.part, letter, hidden)
        )
        rows.append(series_row(name, curves, axis, letter))
    chart = charts.Chart(
        lines=lines,
        legend=legend,
        x_title=axis.title,
        y_title=charts.axis_title(y_name, shown_unit),
        x_unit=axis.unit,
        y_unit=shown_unit,
        marks=axis.marks,
        x_range=axis.x_range,
        time_zero_s=axis.zero_s,
        time_per_x_s=1.0 / axis.per_s,
        zero=axis.zero,
        peaks=[] if peaks is None else peaks.marks,
        ties=[] if peaks is None else peaks.ties,
    )
    return SwingChart(
        chart.to_json(),
        title,
        "",
        tuple(rows),
        tuple(word for word, _ in axis.table_events),
        axis.unit,
    )


_SHORT = {segment.series: segment.name for segment in SEGMENTS.values()}


def short_series(series: str) -> str:
    """The short name of a series in a chart that already says what is measured."""
    name = SERIES[series].name
    for beginning in ("Kinetic energy, ", "Angular momentum, "):
        if name.startswith(beginning):
            return name.removeprefix(beginning).capitalize()
    return _SHORT.get(series, name)


def _drawn(axis: TimeAxis) -> tuple[float, float]:
    """From and to where curves are drawn, in the unit of the axis."""
    if axis.x_range is None:
        return -math.inf, math.inf
    beyond = BEYOND_S * axis.per_s
    return axis.x_range[0] - beyond, axis.x_range[1] + beyond


def _table_events(movement: Movement) -> list[tuple[str, float]]:
    """The events at which the table gives each curve's value."""
    found = []
    for name in ("first_move", "foot_down", "reference"):
        at = event_time(movement.events, name)
        if at is not None:
            label = zero_label(event_rule(movement, name), name)
            found.append((label[0].upper() + label[1:], at))
    return found


def series_row(
    name: str, curves: Curves, axis: TimeAxis, letter: str = ""
) -> SeriesRow:
    """A curve's largest value that is shown, its place, and its values at events."""
    definition = SERIES[name]
    values, places = curves.values[name], axis.place(curves.time_s)
    low, high = axis.x_range or (-math.inf, math.inf)
    window = (places >= low) & (places <= high)
    usable = np.where(window & np.isfinite(values), values, -np.inf)
    place = int(np.argmax(usable))
    peak = float(usable[place])
    is_known = math.isfinite(peak)
    return SeriesRow(
        name=definition.name,
        part=definition.part,
        letter=letter,
        unit=definition.unit,
        decimals=definition.decimals,
        peak=peak if is_known else None,
        peak_at=float(places[place]) if is_known else None,
        at=tuple(
            charts.finite(float(np.interp(time_s, curves.time_s, values)))
            for _, time_s in axis.table_events
        ),
    )
