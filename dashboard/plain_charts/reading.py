"""A chart's JSON as arrays: what its words, its table and its still picture read.

The layout of the JSON is in docs/design.md. Everything is in the units that the chart
shows; dates are counted in days (`datetime.date.toordinal`).
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Json = Mapping[str, Any]

BANDS = ("band", "noise", "goal")
_NONE: FloatArray = np.empty(0)

# Other units have one; an angle is not known better than to a degree.
_DECIMALS = {"°/s": 0, "°": 0, "J": 0, "W": 0, "ms": 0, "%": 0, "cm": 0}


def decimals_of(unit: str) -> int:
    """How many decimals a value of a chart is printed with."""
    return _DECIMALS.get(unit, 1)


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve or band of a chart; missing values are NaN.

    A band has `lower` and `upper` and no `y`; `spread` is empty without bars; `n` is
    over how many swings a mean is, 0 where that is not said.
    """

    key: str
    part: str
    letter: str
    role: str
    name: str
    unit: str
    is_hidden: bool
    x: FloatArray
    y: FloatArray
    lower: FloatArray
    upper: FloatArray
    spread: FloatArray
    n: int

    @property
    def is_band(self) -> bool:
        """Whether it is an area and not a line."""
        return self.role in BANDS

    def at(self, x: float) -> float | None:
        """The value of the line at one place of the axis; None where it has none."""
        if len(self.x) == 0 or not self.x[0] <= x <= self.x[-1]:
            return None
        value = float(np.interp(x, self.x, self.y))
        return value if np.isfinite(value) else None


@dataclass(frozen=True)
class Mark:
    """An event at its place on the axis; `sign` tells whose of several sides it is."""

    name: str
    at: float
    label: str
    sign: str


@dataclass(frozen=True)
class Peak:
    """A peak that the chart marks on its curve, with the spread of both over swings."""

    key: str
    part: str
    name: str
    at: float
    value: float
    unit: str
    sd: float | None
    at_sd: float | None


@dataclass(frozen=True, eq=False)
class ReadChart:
    """All that a chart shows, without its looks."""

    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    peaks: tuple[Peak, ...]
    labels: Mapping[str, str]
    x_title: str
    y_title: str
    x_unit: str
    y_unit: str
    zero: str
    x_range: tuple[float, float] | None
    is_dated: bool

    @property
    def lines(self) -> list[Curve]:
        """The lines that are drawn at first."""
        return [one for one in self.curves if not (one.is_band or one.is_hidden)]

    @property
    def is_path(self) -> bool:
        """Whether the x axis is a length and not a time."""
        return not self.is_dated and self.x_unit not in ("ms", "%")

    def name_of(self, curve: Curve) -> str:
        """The short name of a line: that of the legend where it alone has it."""
        alone = sum(one.key == curve.key for one in self.curves if not one.is_band) == 1
        return (
            self.labels[curve.key]
            if alone and curve.key in self.labels
            else (curve.name)
        )

    @cached_property
    def ends(self) -> tuple[float, float]:
        """From and to where the chart shows."""
        if self.x_range is not None:
            return self.x_range
        found = [one.x for one in self.curves if len(one.x) and not one.is_hidden]
        if not found:
            return 0.0, 1.0
        low = min(float(np.nanmin(x)) for x in found)
        high = max(float(np.nanmax(x)) for x in found)
        return (low, high) if low < high else (low - 1.0, high + 1.0)

    def seen(self, curve: Curve) -> npt.NDArray[np.bool_]:
        """Which places of a curve lie in what the chart shows."""
        low, high = self.ends
        return (curve.x >= low - 1e-9) & (curve.x <= high + 1e-9)


def read_chart(figure: Json) -> ReadChart:
    """The chart of a page, from the JSON that its script reads."""
    layout, meta = figure.get("layout") or {}, figure.get("meta") or {}
    x_axis = layout.get("xaxis") or {}
    y_unit = str(meta.get("y_unit") or "")
    return ReadChart(
        curves=tuple(_curve(trace, y_unit) for trace in figure["data"]),
        marks=tuple(
            Mark(
                str(one.get("name") or ""),
                float(one["time"]),
                str(one["label"]),
                str(one.get("sign") or ""),
            )
            for one in figure.get("events") or ()
        ),
        peaks=tuple(
            Peak(
                str(one["key"]),
                str(one["part"]),
                str(one["name"]),
                float(one["time"]),
                float(one["value"]),
                str(one.get("unit") or y_unit),
                one.get("sd"),
                one.get("time_sd"),
            )
            for one in figure.get("peaks") or ()
        ),
        labels={one["key"]: one["label"] for one in figure.get("legend") or ()},
        x_title=_title(x_axis),
        y_title=_title(layout.get("yaxis") or {}),
        x_unit=str(meta.get("x_unit") or ""),
        y_unit=y_unit,
        zero=str(meta.get("zero") or "time zero"),
        x_range=_range(x_axis.get("range")),
        is_dated=x_axis.get("type") == "date",
    )


def _title(axis: Json) -> str:
    title = axis.get("title")
    return str(title.get("text") or "") if isinstance(title, Mapping) else ""


def _range(ends: Sequence[Any] | None) -> tuple[float, float] | None:
    if ends is None:
        return None
    low, high = _numbers(ends)
    return float(low), float(high)


def _curve(trace: Json, y_unit: str) -> Curve:
    y, lower, upper = (_numbers(trace.get(name)) for name in ("y", "lower", "upper"))
    spread = trace.get("error_y")
    if isinstance(spread, Mapping) and "array" in spread:
        spread = spread["array"]
    x = _numbers(trace.get("x"))
    if len(x) == 0:
        places = np.arange(max(len(y), len(lower)), dtype=np.float64)
        x = float(trace.get("x0", 0.0)) + float(trace.get("dx", 1.0)) * places
    return Curve(
        key=str(trace.get("key") or ""),
        part=str(trace.get("part") or ""),
        letter=str(trace.get("side") or ""),
        role=str(trace.get("role") or "line"),
        name=str(trace.get("name") or ""),
        unit=str(trace.get("unit") or y_unit),
        is_hidden=bool(trace.get("hidden")),
        x=x,
        y=y,
        lower=lower,
        upper=upper,
        spread=_numbers(spread),
        n=int(trace.get("n") or 0),
    )


def _numbers(values: Any) -> FloatArray:
    """A list or a typed array of the JSON as numbers; dates as days."""
    if values is None:
        return _NONE
    if isinstance(values, Mapping):
        raw = base64.b64decode(values["bdata"])
        return np.frombuffer(raw, dtype="<f4").astype(np.float64)
    return np.array(
        [
            float(dt.date.fromisoformat(value).toordinal())
            if isinstance(value, str)
            else np.nan
            if value is None
            else float(value)
            for value in values
        ]
    )
