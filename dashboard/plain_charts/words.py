"""A chart in one sentence, with values and units, for who cannot see it.

`Pelvis peaks at 640°/s, 86 ms before contact; torso 880°/s, 60 ms.`
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from athletes import display
from athletes.display import Printed, number_of, number_text
from dashboard.phrases import list_in_words
from dashboard.plain_charts.reading import (
    Curve,
    Json,
    ReadChart,
    decimals_of,
    read_chart,
)

# More of them are counted, not told.
_MOST_TOLD = 6
# Quantities of which a largest value is what is asked for; of others it is the way.
_RATES = ("°/s", "mph", "m/s", "J", "W", "kg·m²/s")
# A curve that falls this far below zero, as a share of its peak, has no one peak.
_BELOW = 0.35


def summary(figure: Json) -> str:
    """The chart in one sentence, in the units and with the zero that it shows.

    Where the chart marks peaks it tells those: over several swings they are means of
    the swings' own peaks, which the peak of a mean curve is below.
    """
    chart = read_chart(figure)
    if any(one.role == "trend" for one in chart.curves):
        return _trend(chart)
    means = [one for one in chart.lines if one.role == "mean" and one.name]
    singles = [one for one in chart.lines if one.role == "single"]
    shown = means or [one for one in chart.lines if one.role != "mean"]
    told = _peaks(chart) or [text for one in shown if (text := _curve(chart, one))]
    if not told:
        return "No values to draw."
    words = "; ".join(_shortened(told[:_MOST_TOLD], chart))
    if len(told) > _MOST_TOLD:
        words += f"; and {number_of(len(told) - _MOST_TOLD, 'more curve')}"
    if means and (over := _over(means, len(singles))):
        words += f"; over {over}"
    return f"{words[0].upper()}{words[1:]}."


def _over(means: Sequence[Curve], singles: int) -> str:
    """Over how many swings the means are; `singles` of them are drawn too.

    A swing whose clip is too short is drawn and not in the mean.
    """
    counts = [one.n for one in means]
    if not all(counts):
        return number_of(singles, "swing") if singles else ""
    if len(set(counts)) > 1:
        return list_in_words([number_of(count, "swing") for count in counts])
    if len(counts) == 1 and counts[0] < singles:
        return f"{counts[0]} of {number_of(singles, 'swing')}"
    return number_of(counts[0], "swing")


_PEAKS_AT = " peaks at "


def _shortened(texts: Sequence[str], chart: ReadChart) -> list[str]:
    """The sentences, those after the first without the words that they share."""
    first, *rest = texts
    if _PEAKS_AT not in first:
        return list(texts)
    before = f" before {chart.zero}"
    found = [first]
    for text in rest:
        short = text.replace(_PEAKS_AT, " ", 1)
        found.append(short.removesuffix(before) if first.endswith(before) else short)
    return found


def _peaks(chart: ReadChart) -> list[str]:
    """The peaks that the chart marks, in words."""
    drawn = {one.key for one in chart.lines}
    return [
        f"{_lower(one.name)}{_PEAKS_AT}{_amount(one.value, one.unit)}"
        + ("" if one.sd is None else f" ± {_amount(one.sd, one.unit)}")
        + f", {_when(one.at, chart, one.at_sd)}"
        for one in chart.peaks
        if one.key in drawn
    ]


def _amount(value: float, unit: str) -> str:
    """A value of a chart with its unit: `1,170°/s`, `−3.2 mph`."""
    return str(Printed(number_text(value, decimals_of(unit)), unit))


def _when(x: float, chart: ReadChart, around: float | None = None) -> str:
    """A place on the axis in words: `86 ms before contact`, `at 82% of the swing`.

    With `around`, its spread over swings: `86 ± 4 ms before contact`.
    """
    spread = "" if around is None else f" ± {around:.0f}"
    if chart.x_unit == "%":
        return f"at {x:.0f}{spread}% of the swing"
    if round(x) == 0 and not spread:
        return f"at {chart.zero}"
    side = "before" if x < 0 else "after"
    return f"{abs(round(x)):,}{spread} {chart.x_unit} {side} {chart.zero}"


def _curve(chart: ReadChart, curve: Curve) -> str:
    """What one curve does: its peak, or from where to where it goes."""
    seen = np.isfinite(curve.y)
    if not chart.is_path:
        seen &= chart.seen(curve)
    if not seen.any():
        return ""
    name = _name(chart, curve)
    x, y = curve.x[seen], curve.y[seen]
    low, high = float(y.min()), float(y.max())
    if chart.is_path:
        between = f"{number_text(low, decimals_of(curve.unit))} to "
        return f"{name} {between}{_amount(high, curve.unit)} high"
    if curve.unit in _RATES and low > -_BELOW * high:
        at = float(x[int(np.argmax(y))])
        return (
            f"{name}{_PEAKS_AT}{_amount(high, curve.unit)}"
            f"{_spread(chart, curve, at)}, {_when(at, chart)}"
        )
    zero = 100.0 if chart.x_unit == "%" else 0.0
    ends = [_amount(end, curve.unit) for end in (low, high)]
    if ends[0] == ends[1]:
        return f"{name} {ends[0]} throughout"
    text = f"{name} from {ends[0]} to {ends[1]}"
    at_zero = curve.at(zero)
    if at_zero is not None:
        text += f", {_amount(at_zero, curve.unit)} at {chart.zero}"
    return text


def _name(chart: ReadChart, curve: Curve) -> str:
    """The curve's name as it stands in a sentence; letters of a comparison stay.

    A mean is named as one: its peak is below the mean of the swings' own peaks.
    """
    name = chart.name_of(curve)
    if curve.role == "mean" and curve.n != 1:
        of = name.removesuffix(" ± SD")
        # `Average`, `Batting left, average`, `Average, batting left`, or whose it is.
        if of.lower() == "average":
            return "the average curve"
        if of.endswith(", average") or of.startswith("Average, "):
            of = of.removesuffix(", average").removeprefix("Average, ")
            return f"the average curve {_lower(of)}"
        is_letter = of[:2] in {f"{letter} " for letter in "ABCDEF"}
        return f"the average curve of {of if is_letter else _lower(of)}"
    if curve.letter and name[:2] in {f"{letter} " for letter in "ABCDEF"}:
        return name
    return _lower(name)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _spread(chart: ReadChart, curve: Curve, at: float) -> str:
    """The half width of the band of a mean at one place: ` ± 42°/s`."""
    for band in chart.curves:
        if band.role != "band" or band.key != curve.key or len(band.x) == 0:
            continue
        half = (band.upper - band.lower) / 2.0
        width = float(half[int(np.argmin(np.abs(band.x - at)))])
        if np.isfinite(width):
            return f" ± {_amount(width, curve.unit)}"
    return ""


# --- Over dates -------------------------------------------------------------------


def _trend(chart: ReadChart) -> str:
    """How many sessions from when to when, the latest value and what is usual."""
    noise = next((one for one in chart.curves if one.role == "noise"), None)
    lines = [one for one in chart.curves if one.role == "trend" and len(one.x)]
    told = []
    for line in lines[:_MOST_TOLD]:
        order = np.argsort(line.x, kind="stable")
        days = [dt.date.fromordinal(int(line.x[place])) for place in order]
        text = (
            f"{number_of(len(days), 'session')} {_from_to(days[0], days[-1])}; "
            f"latest {_amount(float(line.y[order[-1]]), line.unit)}"
        )
        if len(lines) > 1:
            text = f"{line.name}: {text}"
        told.append(text)
    words = ". ".join(told)
    if noise is not None and len(noise.lower):
        words += f", usual {_usual(float(noise.lower[0]), float(noise.upper[0]))}"
    goals = [one.name for one in chart.curves if one.role == "goal"]
    return f"{'. '.join([words, *goals])}."


def _usual(low: float, high: float) -> str:
    """A range without its unit, with digits enough that its ends differ."""
    digits = 0 if high - low >= 3 else 1 if high - low >= 0.2 else 2
    return f"{number_text(low, digits)} to {number_text(high, digits)}"


def _from_to(first: dt.date, last: dt.date) -> str:
    """Two days as one phrase: `from Mar 3 to Oct 21, 2026`, `on Mar 3, 2026`."""
    end = f"{last:%b} {last.day}, {last.year}"
    if first == last:
        return f"on {end}"
    year = "" if first.year == last.year else f", {first.year}"
    return f"from {first:%b} {first.day}{year} to {end}"


def sparkline_words(
    values: Sequence[float],
    unit: str,
    system: str,
    *,
    decimals: int,
    band: tuple[float, float] | None = None,
) -> str:
    """A small line of session averages in words, oldest first.

    Values, `band` and `decimals` are in the stored `unit`, the words in the reader's:
    `7 sessions: first 58.3 mph, latest 62.1 mph, usual 58 to 63`.
    """
    ends = [
        display.value_text(value, unit, system, decimals=decimals)
        for value in (values[0], values[-1])
    ]
    text = f"{number_of(len(values), 'session')}: first {ends[0]}, latest {ends[1]}"
    if band is None:
        return text
    factor = display.unit_factor(unit, system)
    return f"{text}, usual {_usual(band[0] * factor, band[1] * factor)}"


_PARTS = {
    "pelvis": "pelvis",
    "torso": "torso",
    "lead_arm": "lead arm",
    "hands": "hands",
    "bat": "bat",
}


def small_chart_words(lines: Sequence[Mapping[str, Any]], unit: str) -> str:
    """The peaks of a swing's small curves: `Peaks: pelvis 640°/s and torso 880°/s`.

    `lines` are `{"part": "pelvis", "values": […]}` in `unit`.
    """
    told = []
    for line in lines:
        known = [value for value in line["values"] if value is not None]
        if known:
            name = _PARTS.get(line["part"], str(line["part"]).replace("_", " "))
            told.append(f"{name} {_amount(max(known), unit)}")
    return f"Peaks: {list_in_words(told)}" if told else "No values to draw"
