"""The one chart of a sheet, as lines and texts on a plane: page and PDF draw the same.

Lengths are in units of the view box, `WIDTH` × `HEIGHT`, y downwards. Nothing here
knows a page, a file or a row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from athletes.display import MISSING, number_text

FloatArray = npt.NDArray[np.float64]
Scale = Callable[[float], float]

WIDTH, HEIGHT = 720.0, 252.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 8.0, 40.0, 34.0
#: A label this close above or below another one would cover it.
LABEL_ROOM = 14.0
#: Events closer than this have labels that touch.
EVENT_ROOM = 90.0
#: How wide a letter of a label is, on average.
LETTER = 6.1

# The part colors of tokens.css on paper, and its dashes (docs/design.md).
COLORS = {"pelvis": "#d05a00", "torso": "#008a64", "lead_arm": "#0072b2"}
DASHES: dict[str, tuple[float, ...]] = {
    "pelvis": (),
    "torso": (11.0, 4.0),
    "lead_arm": (2.0, 3.0),
}
GRID, AXIS, INK, MUTED = "#e7eaee", "#7b8692", "#000000", "#3d4650"


@dataclass(frozen=True)
class Plane:
    """The size of a drawing. A narrow one names its curves at their peaks alone."""

    width: float = WIDTH
    height: float = HEIGHT
    top: float = TOP
    is_narrow: bool = False


SHEET = Plane()
#: About as wide as a phone, so that its letters are as large as those of the page.
PHONE = Plane(width=310.0, height=270.0, top=56.0, is_narrow=True)


@dataclass(frozen=True, eq=False)
class MeanCurve:
    """One mean curve over a uniform axis in ms; `sd` is None without a band.

    `n` is over how many swings it is: the clips of others may be too short for it.
    `peak_mean` is the average of the swings' own peaks, which is what is written at the
    peak: that of the mean curve is lower, because the swings peak at different times.
    """

    part: str
    name: str
    x_ms: FloatArray
    mean: FloatArray
    sd: FloatArray | None
    unit: str
    peak_mean: float | None = None
    n: int = 1

    def peak_words(self, highest: float) -> str:
        """What is written at the peak of the curve, whose own value is `highest`."""
        value = highest if self.peak_mean is None else self.peak_mean
        return _amount(value, self.unit)

    @property
    def peak(self) -> tuple[float, float] | None:
        """Where the curve is highest: ms and value."""
        if not np.isfinite(self.mean).any():
            return None
        place = int(np.nanargmax(self.mean))
        return float(self.x_ms[place]), float(self.mean[place])


@dataclass(frozen=True)
class EventMark:
    """An instant that all curves share, as an upright line with its name."""

    at_ms: float
    label: str


@dataclass(frozen=True)
class Stroke:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    color: str
    width: float
    dash: tuple[float, ...] = ()

    @property
    def svg_points(self) -> str:
        """The points as SVG's `points` attribute wants them."""
        return _svg_points(self.points)

    @property
    def svg_dash(self) -> str:
        """The dash as SVG's `stroke-dasharray` wants it; empty for a whole line."""
        return " ".join(f"{length:g}" for length in self.dash)


@dataclass(frozen=True)
class Area:
    """A filled outline; `tint` of its color on white."""

    points: tuple[tuple[float, float], ...]
    color: str
    tint: float = 0.18

    @property
    def svg_points(self) -> str:
        """The points as SVG's `points` attribute wants them."""
        return _svg_points(self.points)


def _svg_points(points: Sequence[tuple[float, float]]) -> str:
    """Points as SVG writes them: `1.0,2.0 3.0,4.0`."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


@dataclass(frozen=True)
class Label:
    """Text; `anchor` is start, middle or end, y the base line."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    color: str = INK
    strong: bool = False


@dataclass(frozen=True)
class Drawing:
    """The chart as shapes, back to front, with a sentence and a table of the same.

    `rows` hold the time in ms and the value of each of the `columns`, as texts.
    """

    title: str
    caption: str
    description: str
    time_head: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    areas: tuple[Area, ...]
    strokes: tuple[Stroke, ...]
    labels: tuple[Label, ...]
    plane: Plane = SHEET


def draw(
    series: Sequence[MeanCurve],
    events: Sequence[EventMark],
    *,
    title: str,
    caption: str,
    x_title: str,
    y_title: str,
    plane: Plane = SHEET,
) -> Drawing:
    """Curves with bands, events as upright lines, a legend and labels at the peaks."""
    width, base = plane.width, plane.height - BOTTOM
    x_low, x_high = float(series[0].x_ms[0]), float(series[0].x_ms[-1])
    low, high, step = _range(series)

    def x_of(ms: float) -> float:
        return LEFT + (ms - x_low) / (x_high - x_low) * (width - LEFT - RIGHT)

    def y_of(value: float) -> float:
        return base - (value - low) / (high - low) * (base - plane.top)

    areas, strokes, labels = [], [], []
    tick = low
    while tick <= high + step / 2:
        y = y_of(tick)
        strokes.append(Stroke(((LEFT, y), (width - RIGHT, y)), GRID, 0.8))
        text = f"{tick:,.0f}".replace("-", "−")
        labels.append(Label(LEFT - 6, y + 4, text, "end", MUTED))
        tick += step
    for ms in range(math.ceil(x_low / 100) * 100, int(x_high) + 1, 100):
        text = f"{ms}".replace("-", "−")
        labels.append(Label(x_of(ms), base + 15, text, "middle", MUTED))
    strokes.append(Stroke(((LEFT, base), (width - RIGHT, base)), AXIS, 1.0))
    labels.append(
        Label((LEFT + width - RIGHT) / 2, plane.height - 4, x_title, "middle", MUTED)
    )
    labels.append(Label(0, 11, y_title, "start", MUTED))
    event_strokes, event_labels = _marks(events, plane, (x_low, x_high), x_of)
    strokes += event_strokes
    labels += event_labels
    for one in series:
        if one.sd is not None:
            areas += _band(one, x_of, y_of)
    for one in series:
        for run in _runs(one.mean):
            points = tuple(
                (x_of(float(one.x_ms[i])), y_of(float(one.mean[i]))) for i in run
            )
            strokes.append(Stroke(points, COLORS[one.part], 2.0, DASHES[one.part]))
    peak_strokes, peak_labels = _peaks(series, x_of, y_of, plane)
    legend_strokes, legend_labels = ([], []) if plane.is_narrow else _legend(series)
    return Drawing(
        title=title,
        caption=caption,
        description=_description(series, title, caption),
        time_head=x_title,
        columns=tuple(f"{one.name} ({one.unit})" for one in series),
        rows=_rows(series, x_low, x_high),
        areas=tuple(areas),
        strokes=(*strokes, *peak_strokes, *legend_strokes),
        labels=(*labels, *peak_labels, *legend_labels),
        plane=plane,
    )


def _marks(
    events: Sequence[EventMark],
    plane: Plane,
    shown_ms: tuple[float, float],
    x_of: Scale,
) -> tuple[list[Stroke], list[Label]]:
    """An upright line for each event on the axis, with its name above."""
    low, high = shown_ms
    shown = sorted(
        (event for event in events if low <= event.at_ms <= high),
        key=lambda event: event.at_ms,
    )
    places = [x_of(event.at_ms) for event in shown]
    strokes, labels = [], []
    for place, (event, x) in enumerate(zip(shown, places, strict=True)):
        ends = ((x, plane.top - 6), (x, plane.height - BOTTOM))
        strokes.append(Stroke(ends, AXIS, 0.9, (1.5, 2.5)))
        if plane.is_narrow:
            # Names take turns on two lines, and stay on the plane.
            half = LETTER * len(event.label) / 2
            at = min(max(x, half), plane.width - half)
            y = plane.top - 10 - LABEL_ROOM * (place % 2)
            labels.append(Label(at, y, event.label, "middle", MUTED))
            continue
        # Two that are close are written away from each other.
        after = place > 0 and x - places[place - 1] < EVENT_ROOM
        before = place + 1 < len(places) and places[place + 1] - x < EVENT_ROOM
        anchor = "middle" if before == after else "start" if after else "end"
        labels.append(Label(x, plane.top - 10, event.label, anchor, MUTED))
    return strokes, labels


def _range(series: Sequence[MeanCurve]) -> tuple[float, float, float]:
    """Lowest tick, highest tick and the round distance between ticks of the values."""
    lows, highs = [0.0], [1.0]
    for one in series:
        spread = np.zeros_like(one.mean) if one.sd is None else np.nan_to_num(one.sd)
        lows.append(float(np.nanmin(one.mean - spread)))
        highs.append(float(np.nanmax(one.mean + spread)))
    low, high = min(lows), max(highs)
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * k for k in (1, 2, 2.5, 5, 10) if size * k >= rough)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step


def _runs(values: FloatArray) -> list[range]:
    """Stretches of at least two known values, as ranges of places."""
    known = np.flatnonzero(np.isfinite(values))
    if len(known) == 0:
        return []
    breaks = np.flatnonzero(np.diff(known) > 1) + 1
    groups = np.split(known, breaks)
    return [range(int(g[0]), int(g[-1]) + 1) for g in groups if len(g) > 1]


def _band(one: MeanCurve, x_of: Scale, y_of: Scale) -> list[Area]:
    """The band of one standard deviation around a curve, a shape for each stretch."""
    assert one.sd is not None  # noqa: S101  # asked for with a band only
    found = []
    for run in _runs(one.mean + one.sd):
        upper = [
            (x_of(float(one.x_ms[i])), y_of(float(one.mean[i] + one.sd[i])))
            for i in run
        ]
        lower = [
            (x_of(float(one.x_ms[i])), y_of(float(one.mean[i] - one.sd[i])))
            for i in run
        ]
        found.append(Area((*upper, *reversed(lower)), COLORS[one.part]))
    return found


def _peaks(
    series: Sequence[MeanCurve], x_of: Scale, y_of: Scale, plane: Plane
) -> tuple[list[Stroke], list[Label]]:
    """Name and height of each peak, left of where the curves rise, with a line to it.

    Beside the peak itself a label would lie on another curve.
    """
    peaks = [(one, peak) for one in series if (peak := one.peak) is not None]
    if not peaks:
        return [], []
    highest = max(value for _, (_, value) in peaks)
    rises = [
        float(one.x_ms[int(np.argmax(np.nan_to_num(one.mean) > 0.25 * highest))])
        for one, (_, value) in peaks
        if value > 0.25 * highest
    ]
    longest = max(
        LETTER * len(f"{one.name} {one.peak_words(value)}") for one, (_, value) in peaks
    )
    room = longest if plane.is_narrow else 150
    x = max(x_of(min(rises, default=peaks[0][1][0])) - 12, LEFT + room)
    strokes, labels = [], []
    last = -math.inf
    for one, (at_ms, value) in sorted(peaks, key=lambda item: -item[1][1]):
        y = max(y_of(value), last + LABEL_ROOM)
        last = y
        end = (x_of(at_ms), y_of(value))
        strokes.append(Stroke(((x + 4, y), end), COLORS[one.part], 0.6, (1.0, 2.0)))
        text = f"{one.name} {one.peak_words(value)}"
        labels.append(Label(x, y + 4, text, "end", COLORS[one.part], True))
    return strokes, labels


def _amount(value: float, unit: str) -> str:
    """A value with its unit and a real minus sign: `720°/s`."""
    space = "" if unit.startswith("°") else " "
    return f"{value:,.0f}{space}{unit}".replace("-", "−")


def _legend(series: Sequence[MeanCurve]) -> tuple[list[Stroke], list[Label]]:
    """A sample of each line with its name, in one row from the right edge."""
    strokes, labels = [], []
    x = WIDTH - RIGHT
    for one in reversed(series):
        x -= 8 + LETTER * len(one.name)
        labels.append(Label(x, 11, one.name))
        strokes.append(
            Stroke(((x - 34, 7), (x - 6, 7)), COLORS[one.part], 2.0, DASHES[one.part])
        )
        x -= 40
    return strokes, labels


# The table behind the chart has a row for so many ms.
TABLE_STEP_MS = 50


def _rows(
    series: Sequence[MeanCurve], low: float, high: float
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The value of each curve at round times, a dash where it has none."""
    return tuple(
        (
            f"{ms}".replace("-", "−"),
            tuple(_number(float(np.interp(ms, one.x_ms, one.mean))) for one in series),
        )
        for ms in range(
            math.ceil(low / TABLE_STEP_MS) * TABLE_STEP_MS,
            int(high) + 1,
            TABLE_STEP_MS,
        )
    )


def _number(value: float) -> str:
    """A value of the table; a zero has no sign."""
    return number_text(value, 0) if math.isfinite(value) else MISSING


def _description(series: Sequence[MeanCurve], title: str, caption: str) -> str:
    """The chart in one sentence: what peaks how high, and when."""
    told = [
        f"{one.name} peaks at {one.peak_words(peak[1])}, "
        f"{abs(peak[0]):.0f} ms {'before' if peak[0] <= 0 else 'after'} time zero"
        for one in series
        if (peak := one.peak) is not None
    ]
    return f"{title}, {caption}. {'; '.join(told)}."
