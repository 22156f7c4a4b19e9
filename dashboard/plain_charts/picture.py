"""A chart as a still SVG picture, for pages on which no script runs.

It shows what the chart shows at first: curves with the dashes of their parts, bands,
events, a legend, and axes with units. Nothing here knows a page or a row.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from athletes.display import number_text
from dashboard.plain_charts.reading import (
    Curve,
    FloatArray,
    Json,
    Mark,
    ReadChart,
    read_chart,
)
from dashboard.plain_charts.svg import COLORS, Drawing, Frame, Range

_DASHES = {
    "solid": "",
    "dash": "7 4",
    "dot": "2 3",
    "dashdot": "7 3 2 3",
    "longdash": "11 5",
    "longdashdot": "11 3 2 3",
}
# As in static/js/charts/traces.js.
_PART_DASH = {
    "torso": "longdash",
    "lead_arm": "dot",
    "hands": "dashdot",
    "bat": "dash",
}
_SIDE_LOOKS = {
    "a": ("solid", 1.0),
    "b": ("dash", 0.85),
    "c": ("dot", 0.8),
    "d": ("dashdot", 0.75),
    "e": ("longdash", 0.65),
    "f": ("longdashdot", 0.6),
}
_WIDTHS = {"line": 2.0, "mean": 3.0, "single": 1.0, "trend": 2.0, "points": 0.0}
_BAND_OPACITY = {"band": 0.18, "noise": 0.14}

_WIDE, _NARROW = (720.0, 340.0), (360.0, 300.0)
_LEFT, _RIGHT, _BOTTOM = 58.0, 14.0, 46.0
_ROW = 17.0  # height of a line of labels
_LETTER = 6.9  # width of a letter at the size of 12 px, roughly
_MOST_POINTS = 240  # more than that are closer together than a pixel is wide


def still_picture(
    figure: Json, title: str, *, theme: str = "light", narrow: bool = False
) -> bytes:
    """The chart as an SVG document.

    Parameters
    ----------
    figure : Json
        The chart as its script reads it (docs/design.md).
    title : str
        What it is called; the picture tells it to screen readers.
    theme : {"light", "dark"}
        Whose colors it has.
    narrow : bool
        For a phone: half as wide, with fewer ticks.
    """
    chart = read_chart(figure)
    width, height = _NARROW if narrow else _WIDE
    drawing = Drawing(width, height, theme)
    drawing.add("title", title)
    top = _legend(drawing, chart)
    events = _event_rows(chart, width)
    top += _ROW * (1 + max((row for _, row in events), default=-1)) + 6.0
    frame = _frame(chart, width, height, top)
    _axes(drawing, chart, frame)
    _curves(drawing, chart, frame)
    _peaks(drawing, chart, frame)
    _events(drawing, frame, events, top)
    return drawing.to_bytes()


# --- Legend and events --------------------------------------------------------------


def _legend(drawing: Drawing, chart: ReadChart) -> float:
    """Names with a piece of their line, in as many rows as it takes; its height."""
    named: dict[str, tuple[str, Curve]] = {}
    for curve in chart.curves:
        if curve.is_hidden or curve.is_band or not curve.name:
            continue
        label = chart.labels.get(curve.key) or curve.name
        named.setdefault(curve.key, (label, curve))
    if len(named) < 2:
        return 6.0
    x, y = 4.0, 14.0
    for label, curve in named.values():
        wide = 36.0 + _LETTER * len(label)
        if x > 4.0 and x + wide > drawing.width:
            x, y = 4.0, y + _ROW
        color, dash, opacity, weight = _look(curve)
        drawing.add(
            "line",
            x1=x,
            y1=y - 4,
            x2=x + 24,
            y2=y - 4,
            stroke=drawing.colors[color],
            stroke_width=max(weight, 1.5),
            stroke_dasharray=dash,
            stroke_opacity=opacity,
        )
        drawing.words(x + 30, y, label, "start")
        x += wide + 12
    return y + 8.0


def _named_marks(chart: ReadChart) -> dict[str, list[Mark]]:
    """The events that the chart shows, by name; several sides have their own each."""
    low, high = chart.ends
    named: dict[str, list[Mark]] = {}
    for mark in sorted(chart.marks, key=lambda one: one.at):
        if low <= mark.at <= high:
            named.setdefault(mark.name, []).append(mark)
    return named


def _event_rows(chart: ReadChart, width: float) -> list[tuple[list[Mark], int]]:
    """The events that the chart shows, each with the row in which its label fits."""
    low, high = chart.ends
    span = (width - _LEFT - _RIGHT) / (high - low)
    ends: list[float] = []
    found = []
    for marks in _named_marks(chart).values():
        middle = (_middle(marks) - low) * span
        half = _LETTER * len(marks[0].label) / 2 + 4
        row = next(
            (row for row, end in enumerate(ends) if middle - half > end), len(ends)
        )
        ends[row : row + 1] = [middle + half]
        found.append((marks, row))
    return found


def _middle(marks: list[Mark]) -> float:
    return sum(mark.at for mark in marks) / len(marks)


def _events(
    drawing: Drawing,
    frame: Frame,
    events: list[tuple[list[Mark], int]],
    top: float,
) -> None:
    """A line for each event, its name above, and at its top whose it is."""
    for place, (marks, row) in enumerate(events):
        y = top - 6.0 - row * _ROW
        label = marks[0].label
        half = _LETTER * len(label) / 2
        x = min(max(frame.x(_middle(marks)), half), drawing.width - half)
        for mark in marks:
            at = frame.x(mark.at)
            start = top if mark.sign else y + 3
            drawing.line((at, start), (at, frame.bottom), "event")
        drawing.words(x, y, label, font_weight="600")
        signs = [mark for mark in marks if mark.sign]
        if signs:
            is_word = any(len(mark.sign) > 1 for mark in signs)
            text = (", " if is_word else " ").join(mark.sign for mark in signs)
            drawing.words(frame.x(_middle(signs)), top + 12 + place % 2 * 13, text)


# --- Axes ---------------------------------------------------------------------------


def _frame(chart: ReadChart, width: float, height: float, top: float) -> Frame:
    """The axes as the script would choose them for what is drawn at first."""
    shown = [one for one in chart.curves if not one.is_hidden]
    values = [_NO_VALUES]
    for one in shown:
        seen = chart.seen(one) if not chart.is_dated else np.full(len(one.x), True)
        lines = (one.lower, one.upper) if one.is_band else _with_spread(one)
        values += [line[seen] for line in lines if len(line) == len(seen)]
    known = np.concatenate(values)
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if low == high:
        low, high = low - 1.0, high + 1.0
    room = (high - low) * 0.055
    xs = chart.ends
    if chart.is_dated:
        more = max((xs[1] - xs[0]) * 0.05, 1.0)
        xs = (xs[0] - more, xs[1] + more)
    frame = Frame(
        xs, (low - room, high + room), _LEFT, width - _RIGHT, top, height - _BOTTOM
    )
    return _in_proportion(frame) if chart.is_path else frame


_NO_VALUES: FloatArray = np.empty(0)


def _with_spread(curve: Curve) -> tuple[FloatArray, ...]:
    if len(curve.spread) != len(curve.y):
        return (curve.y,)
    return curve.y - curve.spread, curve.y + curve.spread


def _in_proportion(frame: Frame) -> Frame:
    """The frame with as many pixels to a length along as up."""
    wide, tall = frame.right - frame.left, frame.bottom - frame.top
    scale = min(wide / (frame.xs[1] - frame.xs[0]), tall / (frame.ys[1] - frame.ys[0]))

    def around(ends: Range, pixels: float) -> Range:
        middle, half = sum(ends) / 2.0, pixels / scale / 2.0
        return middle - half, middle + half

    return Frame(
        around(frame.xs, wide),
        around(frame.ys, tall),
        frame.left,
        frame.right,
        frame.top,
        frame.bottom,
    )


def _ticks(ends: Range, length: float, apart: float) -> list[tuple[float, str]]:
    """Round values along an axis with their labels."""
    low, high = ends
    rough = (high - low) / max(2.0, length / apart)
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(many for many in (1, 2, 5, 10) if many * power >= rough - 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [
        (place * step, number_text(place * step, digits))
        for place in range(first, last + 1)
    ]


def _days(chart: ReadChart, frame: Frame) -> list[tuple[float, str]]:
    """Some days of the sessions, each with room for its label."""
    days = sorted({float(x) for one in chart.curves for x in one.x})
    is_long = bool(days) and days[-1] - days[0] > 300
    found: list[tuple[float, str]] = []
    end = -math.inf
    for day in days:
        date = dt.date.fromordinal(int(day))
        text = f"{date:%b %Y}" if is_long else f"{date:%b} {date.day}"
        half = _LETTER * len(text) / 2 + 4
        if frame.x(day) - half > end:
            found.append((day, text))
            end = frame.x(day) + half
    return found


def _axes(drawing: Drawing, chart: ReadChart, frame: Frame) -> None:
    """Grid, ticks and titles with units."""
    wide, tall = frame.right - frame.left, frame.bottom - frame.top
    across = _days(chart, frame) if chart.is_dated else _ticks(frame.xs, wide, 80.0)
    for value, text in across:
        x = frame.x(value)
        drawing.line((x, frame.top), (x, frame.bottom), "grid")
        drawing.words(x, frame.bottom + 16, text)
    for value, text in _ticks(frame.ys, tall, 44.0):
        y = frame.y(value)
        drawing.line(
            (frame.left, y), (frame.right, y), "axis" if value == 0 else "grid"
        )
        drawing.words(frame.left - 6, y + 4, text, "end")
    corner = (frame.left, frame.bottom)
    drawing.line(corner, (frame.right, frame.bottom), "axis")
    drawing.line((frame.left, frame.top), corner, "axis")
    drawing.words((frame.left + frame.right) / 2, frame.bottom + 36, chart.x_title)
    middle = (frame.top + frame.bottom) / 2
    drawing.words(
        0, 0, chart.y_title, transform=f"translate(13 {middle:.1f}) rotate(-90)"
    )


# --- Curves -------------------------------------------------------------------------


def _look(curve: Curve) -> tuple[str, str, float, float]:
    """Color, dash, opacity and width of a line."""
    color = f"part-{(curve.part or 'value').replace('_', '-')}"
    if color not in COLORS["light"]:
        color = "part-value"
    dash, opacity = "solid", 1.0
    if curve.letter in _SIDE_LOOKS:
        dash, opacity = _SIDE_LOOKS[curve.letter]
    elif curve.role == "single":
        opacity = 0.4
    else:
        dash = _PART_DASH.get(curve.part, "solid")
    thick = 1.5 if curve.part == "separation" and curve.role != "single" else 0.0
    return color, _DASHES[dash], opacity, _WIDTHS.get(curve.role, 2.0) + thick


def _runs(known: npt.NDArray[np.bool_]) -> Iterator[slice]:
    """Stretches of known values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], known.astype(int), [0]))))
    for start, end in edges.reshape(-1, 2):
        yield slice(int(start), int(end))


def _points(frame: Frame, x: FloatArray, y: FloatArray) -> str:
    """Points as SVG writes them, no more than can be seen."""
    every = max(1, len(x) // _MOST_POINTS)
    places = [*range(0, len(x), every)]
    if places and places[-1] != len(x) - 1:
        places.append(len(x) - 1)
    return " ".join(
        f"{frame.x(float(x[place])):.1f},{frame.y(float(y[place])):.1f}"
        for place in places
    )


def _curves(drawing: Drawing, chart: ReadChart, frame: Frame) -> None:
    """Bands, then lines, in their order."""
    shown = [one for one in chart.curves if not one.is_hidden]
    for curve in sorted(shown, key=lambda one: not one.is_band):
        seen = chart.seen(curve)
        if curve.is_band:
            _band(drawing, frame, curve, seen)
        else:
            _line(drawing, frame, curve, seen)


def _band(
    drawing: Drawing, frame: Frame, band: Curve, seen: npt.NDArray[np.bool_]
) -> None:
    if band.role == "goal":
        _goal(drawing, frame, band)
        return
    noise = band.role == "noise"
    color = "muted" if noise else _look(band)[0]
    for run in _runs(seen & np.isfinite(band.lower) & np.isfinite(band.upper)):
        upper = _points(frame, band.x[run], band.upper[run])
        lower = _points(frame, band.x[run][::-1], band.lower[run][::-1])
        drawing.add(
            "polygon",
            points=f"{upper} {lower}",
            fill=drawing.colors[color],
            fill_opacity=f"{_BAND_OPACITY[band.role]}",
        )


def _goal(drawing: Drawing, frame: Frame, goal: Curve) -> None:
    """A dotted line at the goal, or two around its range, with its label."""
    ends = frame.x(float(goal.x[0])), min(frame.x(float(goal.x[-1])), frame.right)
    for value in dict.fromkeys((float(goal.upper[0]), float(goal.lower[0]))):
        y = frame.y(value)
        drawing.add(
            "polyline",
            points=f"{ends[0]:.1f},{y:.1f} {ends[1]:.1f},{y:.1f}",
            fill="none",
            stroke=drawing.colors["ink"],
            stroke_width=1.5,
            stroke_dasharray=_DASHES["dot"],
        )
    drawing.words(ends[0] + 4, frame.y(float(goal.upper[0])) - 5, goal.name, "start")


def _line(
    drawing: Drawing, frame: Frame, curve: Curve, seen: npt.NDArray[np.bool_]
) -> None:
    color, dash, opacity, width = _look(curve)
    known = seen & np.isfinite(curve.y)
    for run in _runs(known):
        drawing.add(
            "polyline",
            points=_points(frame, curve.x[run], curve.y[run]),
            fill="none",
            stroke=drawing.colors[color],
            stroke_width=width,
            stroke_dasharray=dash,
            stroke_opacity=f"{opacity:g}",
        )
    if curve.role not in ("trend", "points"):
        return
    for place in np.flatnonzero(known):
        x, y = frame.x(float(curve.x[place])), frame.y(float(curve.y[place]))
        if len(curve.spread) == len(curve.y) and curve.spread[place] > 0:
            low, high = (
                frame.y(float(curve.y[place] + sign * curve.spread[place]))
                for sign in (-1, 1)
            )
            drawing.line((x, low), (x, high), color, 1.25)
        drawing.add("circle", cx=x, cy=y, r=4.0, fill=drawing.colors[color])


def _peaks(drawing: Drawing, chart: ReadChart, frame: Frame) -> None:
    """A dot on each peak that the chart marks."""
    drawn = {one.key for one in chart.lines}
    for peak in chart.peaks:
        color = f"part-{peak.part.replace('_', '-')}"
        if peak.key in drawn and color in drawing.colors:
            drawing.add(
                "circle",
                cx=frame.x(peak.at),
                cy=frame.y(peak.value),
                r=4.0,
                fill=drawing.colors[color],
            )
