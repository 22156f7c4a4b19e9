"""Charts and figures as the dictionaries that the page's scripts read.

The layout of the dictionaries is in docs/design.md. Nothing here knows a row or a
request: curves come in as arrays in stored units, and what goes out holds typed
arrays (base64 float32), a start and a step, never a list of times. Colors, dashes
and fonts are the script's.
"""

from __future__ import annotations

import base64
import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from athletes import display

Array = npt.NDArray[Any]
Json = dict[str, Any]

#: Letters that tell lines of one part apart by dash; the scripts call them `side`.
LETTERS = "abcdef"


def typed(values: Array | Sequence[float]) -> Json:
    """An array as base64 of float32, which is finer than a screen or a camera."""
    flat = np.ascontiguousarray(values, dtype="<f4")
    return {"dtype": "f4", "bdata": base64.b64encode(flat.tobytes()).decode("ascii")}


def finite(value: float | None) -> float | None:
    """The value, or None where it is not finite: JSON has no NaN."""
    return value if value is not None and math.isfinite(value) else None


@dataclass(frozen=True)
class Mark:
    """An event on the time axis, at a place in the unit of the axis.

    Where several sides have it, each has a mark of its own: `sign` is what stands at
    it (`A`), `letter` the dash of its line.
    """

    name: str
    at: float
    label: str
    rule: str = ""
    movable: bool = False
    sign: str = ""
    letter: str = ""

    def to_json(self) -> Json:
        """The mark as the chart script reads it."""
        mark: Json = {
            "name": self.name,
            "time": round(self.at, 3),
            "label": self.label,
            "rule": self.rule,
            "movable": self.movable,
        }
        if self.sign:
            mark |= {"sign": self.sign, "side": self.letter}
        return mark


@dataclass(frozen=True, eq=False)
class Line:
    """One curve on a uniform axis, in the unit that the chart shows.

    With `lower` and `upper` it is a band and has no `y`. `letter` is the dash that
    tells it from other lines of the same `part`, `tag` what stands at its end, `n` over
    how many swings a mean and its band are (0 where it is no mean).
    """

    key: str
    part: str
    name: str
    x0: float
    dx: float
    y: Array | None = None
    lower: Array | None = None
    upper: Array | None = None
    role: str = "line"
    letter: str = ""
    unit: str = ""
    hidden: bool = False
    tag: str = ""
    n: int = 0

    def to_json(self) -> Json:
        """The trace as the chart script reads it; without what has its default."""
        trace: Json = {
            "key": self.key,
            "part": self.part,
            "name": self.name,
            "x0": round(self.x0, 4),
            "dx": round(self.dx, 6),
        }
        if self.role != "line":
            trace["role"] = self.role
        for name, value in (
            ("side", self.letter),
            ("unit", self.unit),
            ("hidden", self.hidden),
            ("tag", self.tag),
            ("n", self.n),
        ):
            if value:
                trace[name] = value
        for name in ("y", "lower", "upper"):
            if (values := getattr(self, name)) is not None:
                trace[name] = typed(values)
        return trace


@dataclass(frozen=True)
class Peak:
    """A peak that is marked on its curve, in the units of both axes."""

    key: str
    part: str
    name: str
    at: float
    value: float
    unit: str
    sd: float | None = None
    at_sd: float | None = None

    def to_json(self) -> Json:
        """The peak as the chart script reads it."""
        peak: Json = {
            "key": self.key,
            "part": self.part,
            "name": self.name,
            "time": round(self.at, 2),
            "value": round(self.value, 3),
            "unit": self.unit,
        }
        if self.sd is not None:
            peak["sd"] = round(self.sd, 3)
        if self.at_sd is not None:
            peak["time_sd"] = round(self.at_sd, 2)
        return peak


@dataclass(frozen=True)
class LegendItem:
    """One check box of the legend; it switches every line of its key."""

    key: str
    label: str
    part: str
    letter: str = ""
    hidden: bool = False

    def to_json(self) -> Json:
        """The box as the chart script reads it."""
        item: Json = {"key": self.key, "label": self.label, "part": self.part}
        if self.letter:
            item["side"] = self.letter
        if self.hidden:
            item["hidden"] = True
        return item


@dataclass(frozen=True, eq=False)
class Chart:
    """One chart: its lines, marked events, titles, legend and units.

    `peaks` are marked on their curves, `ties` are the stretches of peaks too close to
    tell apart. `against` is the key of the line that all others are held against.
    """

    lines: Sequence[Line]
    x_title: str
    y_title: str
    x_unit: str = "ms"
    y_unit: str = ""
    marks: Sequence[Mark] = ()
    legend: Sequence[LegendItem] = ()
    x_range: tuple[float, float] | None = None
    time_zero_s: float | None = None
    time_per_x_s: float | None = None
    #: What happens at 0 (at 100 of a percent axis), as sentences say it: `contact`.
    zero: str = ""
    extra: Sequence[Json] = field(default_factory=tuple)
    peaks: Sequence[Peak] = ()
    ties: Sequence[tuple[float, float]] = ()
    against: str = ""

    def to_json(self) -> Json:
        """The whole chart as the chart script reads it."""
        x_axis: Json = {"title": {"text": self.x_title}}
        if self.x_range is not None:
            x_axis["range"] = [round(end, 3) for end in self.x_range]
        meta: Json = {"x_unit": self.x_unit, "y_unit": self.y_unit}
        if self.zero:
            meta["zero"] = self.zero
        # Only a chart of one movement's clock takes part in the shared cursor.
        if self.time_zero_s is not None and self.time_per_x_s is not None:
            meta["time_zero_s"] = self.time_zero_s
            meta["time_per_x_s"] = self.time_per_x_s
        if self.against:
            meta["against"] = self.against
        written: Json = {}
        if self.peaks:
            written["peaks"] = [peak.to_json() for peak in self.peaks]
        if self.ties:
            written["ties"] = [
                {"from": round(start, 2), "to": round(end, 2)}
                for start, end in self.ties
            ]
        return {
            "data": [*(line.to_json() for line in self.lines), *self.extra],
            **written,
            "layout": {
                "xaxis": x_axis,
                "yaxis": {"title": {"text": self.y_title}},
            },
            "events": [mark.to_json() for mark in self.marks],
            "legend": [item.to_json() for item in self.legend]
            if len(self.legend) > 1
            else [],
            "meta": meta,
        }


def axis_title(name: str, unit: str) -> str:
    """The title of an axis: `Turn rate (°/s)`, or the name alone without a unit."""
    return f"{name} ({unit})" if unit else name


def band_lines(
    *,
    key: str,
    part: str,
    name: str,
    x0: float,
    dx: float,
    mean: Array,
    sd: Array,
    unit: str,
    letter: str = "",
    tag: str = "",
    n: int = 0,
) -> list[Line]:
    """A mean and the band of one standard deviation around it, over `n` swings."""
    common: Json = {
        "key": key,
        "part": part,
        "x0": x0,
        "dx": dx,
        "unit": unit,
        "letter": letter,
        "n": n,
    }
    lines = [Line(name=name, y=mean, role="mean", tag=tag, **common)]
    if np.isfinite(sd).any():
        band = Line(
            name=f"{name} ± SD", lower=mean - sd, upper=mean + sd, role="band", **common
        )
        lines.insert(0, band)
    return lines


def trim(
    x0: float, dx: float, values: Array, low: float, high: float
) -> tuple[float, Array]:
    """The start and the values of a curve between two places of its axis."""
    if dx <= 0 or len(values) == 0:
        return x0, values
    # Bounds may be infinite: then there is nothing to cut on that side.
    first = math.ceil((max(low, x0) - x0) / dx - 1e-9)
    last = math.floor((min(high, x0 + dx * len(values)) - x0) / dx + 1e-9) + 1
    last = min(last, len(values))
    return x0 + first * dx, values[first : max(first, last)]


def thinned(values: Array, count: int) -> list[float | None]:
    """About `count` values for a small picture, each the largest of its stretch.

    Taking every tenth value would cut peaks off; a small picture is about them. Of two
    that are as far from zero, one each way, the higher one.
    """
    if len(values) == 0:
        return []
    numbers = np.asarray(values, dtype=float)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    # Stretches as `np.array_split` makes them: the first ones are longer by one.
    count = min(count, len(numbers))
    short, longer = divmod(len(numbers), count)
    places = np.arange(count)
    starts = places * short + np.minimum(places, longer)
    highest = np.fmax.reduceat(numbers, starts)
    lowest = np.fmin.reduceat(numbers, starts)
    picked = np.where(np.abs(lowest) > np.abs(highest), lowest, highest)
    return [
        None if number != number else round(number, 2) for number in picked.tolist()
    ]


# --- Trends -----------------------------------------------------------------------


@dataclass(frozen=True)
class TrendLine:
    """Session averages on one basis, which may be joined by a line."""

    label: str
    dates: Sequence[dt.date]
    means: Sequence[float]
    spreads: Sequence[float | None]
    counts: Sequence[int]


def trend_chart(
    lines: Sequence[TrendLine],
    *,
    name: str,
    unit: str,
    system: str,
    decimals: int,
    band: tuple[float, float] | None = None,
    goals: Sequence[tuple[float, float, dt.date, str]] = (),
) -> Json:
    """Averages over dates with bars of one SD; each line has a symbol of its own.

    `band` holds the lowest and the highest average that would be nothing unusual; the
    axis always shows all of it, and of each goal: its ends, its day and its label.
    """
    factor = display.unit_factor(unit, system)
    label = display.unit_label(unit, system)
    symbols = ("circle", "circle-open", "square", "diamond")
    # Lines beyond the last letter go without one.
    letters = [*LETTERS, *("" for _ in lines)]
    traces: list[Json] = []
    dates = [date for line in lines for date in line.dates]
    if band is not None and dates:
        low, high = (end * factor for end in band)
        traces.append(
            {
                "key": "noise",
                "part": "value",
                "role": "noise",
                "name": "usual variation",
                "x": [min(dates).isoformat(), max(dates).isoformat()],
                "lower": [low, low],
                "upper": [high, high],
            }
        )
    for place, (low, high, by, words) in enumerate(goals if dates else ()):
        traces.append(
            {
                "key": f"goal{place}",
                "part": "value",
                "role": "goal",
                "name": words,
                "x": [min(dates).isoformat(), _goal_end(dates, by).isoformat()],
                "lower": [round(low * factor, decimals + 2)] * 2,
                "upper": [round(high * factor, decimals + 2)] * 2,
            }
        )
    for place, line in enumerate(lines):
        traces.append(
            {
                "key": f"line{place}",
                "part": "value",
                "side": letters[place] if len(lines) > 1 else "",
                "role": "trend",
                "name": line.label,
                "unit": label,
                "symbol": symbols[place % len(symbols)],
                "x": [date.isoformat() for date in line.dates],
                "y": [round(mean * factor, decimals + 2) for mean in line.means],
                "error_y": [
                    0 if spread is None else round(spread * factor, decimals + 2)
                    for spread in line.spreads
                ],
                "counts": list(line.counts),
                "text": [
                    f"{count} swing{'s' if count > 1 else ''}"
                    + (f" · {line.label}" if len(lines) > 1 else "")
                    for count in line.counts
                ],
            }
        )
    return {
        "data": traces,
        "layout": {
            "xaxis": _days(dates),
            "yaxis": {"title": {"text": axis_title(name, label)}},
        },
        "events": [],
        "legend": [
            {
                "key": f"line{place}",
                "label": line.label,
                "part": "value",
                "side": letters[place],
            }
            for place, line in enumerate(lines)
        ]
        if len(lines) > 1
        else [],
        "meta": {"x_unit": "", "y_unit": label},
    }


#: A goal far off must not press the sessions to the edge.
_GOAL_AHEAD = dt.timedelta(days=60)


def _goal_end(dates: Sequence[dt.date], by: dt.date) -> dt.date:
    """The day to which a goal is drawn: its own where it is near, and never a point."""
    last = max(dates)
    end = min(max(last, by), last + _GOAL_AHEAD)
    return max(end, min(dates) + dt.timedelta(days=7))


# Over fewer days than this an axis of its own choice would count hours.
FEW_DAYS = 6


def _days(dates: Sequence[dt.date]) -> Json:
    """The axis of dates; over few days it marks whole days only."""
    axis: Json = {"type": "date"}
    if dates and (max(dates) - min(dates)).days < FEW_DAYS:
        around = dt.timedelta(days=1)
        ends = (min(dates) - around, max(dates) + around)
        axis |= {"range": [end.isoformat() for end in ends], "dtick": "D1"}
    return axis


# --- The 3-D figure -----------------------------------------------------------------

#: Positions go out in whole millimeters within two bytes; this number says that a
#: point is missing.
FIGURE_STEP_M, FIGURE_MISSING = 0.001, -32768


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joint centers in meters: x to the pitcher, y to the left of that, z up."""

    names: Sequence[str]
    points: Array  # (n_frames, n_points, 3)
    bones: Sequence[tuple[int, int, str]]
    start_s: float
    dt_s: float
    head: int | None = None
    trails: Sequence[tuple[int, str]] = ()
    side: str = "right"  # of the motion as drawn: the open side looks at the chest
    # Lead and rear shoulder, middle of the hips, neck; points of the front foot.
    chest: Sequence[int | None] = (None, None, None, None)
    front_foot: Sequence[int] = ()
    plate: tuple[float, float] = (0.0, 0.0)
    plate_by: str = "feet"
    has_forward: bool = True


def figure3d(
    skeleton: Skeleton,
    *,
    events: Mapping[str, tuple[float, str]],
    zero_s: float,
    first_s: float,
    reference_label: str,
    notes: Mapping[str, str] | None = None,
    unit: str = "ms",
    per_s: float = 1000.0,
) -> Json:
    """The 3-D figure as its script reads it; times in seconds on the file's clock.

    `events` maps the name of each event to its time and label; `first_s` is the moment
    that is shown at first. The clock beside the figure shows `unit`, of which `per_s`
    are a second. `notes` are what the page has to say of the figure.
    """
    frames, points, _ = skeleton.points.shape
    answer: Json = {
        "points": millimeters(skeleton.points),
        "n_frames": frames,
        "n_points": points,
        "start_s": round(skeleton.start_s, 6),
        "dt_s": round(skeleton.dt_s, 8),
        "names": list(skeleton.names),
        "bones": [list(bone) for bone in skeleton.bones],
        "trails": [{"point": point, "part": part} for point, part in skeleton.trails],
        "events": [
            {"name": name, "time_s": round(time_s, 5), "label": label}
            for name, (time_s, label) in events.items()
        ],
        "zero_s": round(zero_s, 6),
        "first_s": round(first_s, 6),
        "unit": unit,
        "per_s": round(per_s, 6),
        "reference_label": reference_label,
        "contact_label": events["reference"][1] if "reference" in events else "",
        "notes": dict(notes or {}),
        "side": skeleton.side,
        "plate": {
            "x": round(skeleton.plate[0], 3),
            "y": round(skeleton.plate[1], 3),
            "by": skeleton.plate_by,
        },
        "has_forward": skeleton.has_forward,
        "chest": list(skeleton.chest),
        "front_foot": list(skeleton.front_foot),
    }
    if skeleton.head is not None:
        answer["head"] = skeleton.head
    return answer


def millimeters(points: Array) -> Json:
    """Positions in meters as whole millimeters of two bytes, base64.

    `points` are frames by points by three. What is missing, or more than 32 m away, is
    `FIGURE_MISSING`. Each frame after the first is sent as its difference to the one
    before, around the ends of two bytes: hitters move few millimeters in a frame, so
    that most differences take one byte (`_short`).
    """
    scaled = np.asarray(points, dtype=float) / FIGURE_STEP_M
    known = np.isfinite(scaled) & (np.abs(scaled) < -FIGURE_MISSING)
    whole = np.where(known, np.rint(np.where(known, scaled, 0.0)), FIGURE_MISSING)
    flat = whole.astype("<i2").reshape(len(whole), -1)
    # Numbers of two bytes wrap around, and wrap back where they are added up again.
    flat[1:] -= flat[:-1].copy()
    return {
        "dtype": "v2",
        "by": flat.shape[1],
        "bdata": base64.b64encode(_short(flat.ravel())).decode("ascii"),
    }


def _short(numbers: Array) -> bytes:
    """Numbers of two bytes: from -127 to 127 as one byte, others as three.

    Before the two bytes of a larger one stands -128.
    """
    is_large = np.abs(numbers.astype(int)) > 127
    starts = np.arange(len(numbers)) + 2 * (np.cumsum(is_large) - is_large)
    packed = np.empty(len(numbers) + 2 * int(is_large.sum()), dtype=np.int8)
    packed[starts] = np.where(is_large, -128, numbers)
    large = numbers[is_large].astype("<i2").view(np.int8).reshape(-1, 2)
    packed[starts[is_large, None] + (1, 2)] = large
    return packed.tobytes()
