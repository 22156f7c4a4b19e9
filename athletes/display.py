"""Numbers, dates and sizes as text, as pages, sheets and charts print them.

Stored values are in the units of `biomechanics.units`; printed are the units that the
user chose (`system`: imperial or metric).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from biomechanics import units

System = Literal["imperial", "metric"]

MISSING = "–"
MINUS = "−"


def number_of(number: int, noun: str, plural: str = "") -> str:
    """A quantity with its noun: `1 swing`, `12 swings`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


@dataclass(frozen=True)
class Printed:
    """The text of a number and of its unit, for pages that style them differently."""

    number: str
    unit: str = ""

    @property
    def is_tight(self) -> bool:
        """Whether the unit follows the number without a space, as ° and % do."""
        return self.unit.startswith(("°", "%"))

    def __str__(self) -> str:
        if not self.unit:
            return self.number
        return self.number + ("" if self.is_tight else " ") + self.unit


@dataclass(frozen=True)
class _Shown:
    """How a unit is printed: its label, a factor, and digits more or fewer."""

    label: str
    factor: float = 1.0
    more_decimals: int = 0


_BOTH = {
    "deg": _Shown("°"),
    "deg/s": _Shown("°/s"),
    "ratio": _Shown(""),
    "text": _Shown(""),
}
_IMPERIAL = _BOTH | {
    "m/s": _Shown("mph", units.MPH_PER_M_PER_S),
    # A centimeter is 0.4 in: one digit fewer is as exact.
    "m": _Shown("in", 1.0 / units.M_PER_IN, -1),
    "kg": _Shown("lb", 1.0 / units.KG_PER_LB),
}
# As in imperial units: nothing is known better than to a centimeter.
_METRIC = _BOTH | {"m": _Shown("cm", 100.0, -2)}
_SHOWN: dict[System, dict[str, _Shown]] = {"imperial": _IMPERIAL, "metric": _METRIC}


def _shown(unit: str, system: str) -> _Shown:
    """How a stored unit is printed; an unknown one is printed as it is."""
    table = _SHOWN["metric" if system == "metric" else "imperial"]
    return table.get(unit, _Shown(unit))


def unit_label(unit: str, system: str) -> str:
    """The printed unit of a value stored in `unit`: mph for m/s in imperial units."""
    return _shown(unit, system).label


def unit_factor(unit: str, system: str) -> float:
    """The factor from stored to printed values, to convert a whole curve."""
    return _shown(unit, system).factor


def number_text(value: float, decimals: int, *, signed: bool = False) -> str:
    """A number with grouped digits and a real minus sign; a zero has no sign."""
    text = f"{abs(value):,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    if value < 0:
        return MINUS + text
    return f"+{text}" if signed else text


def decimals_for(value: float) -> int:
    """How many decimals to print: three figures in all, and at most two decimals."""
    size = abs(value)
    return 0 if size >= 100 else 1 if size >= 10 else 2


def is_missing(value: object) -> bool:
    """Whether a value is None, an empty text, NaN or infinite."""
    return (
        value is None
        or value == ""
        or (isinstance(value, float) and not math.isfinite(value))
    )


def printed(
    value: float | str,
    unit: str = "",
    system: str = "imperial",
    *,
    decimals: int | None = None,
    signed: bool = False,
) -> Printed:
    """A value stored in `unit` as it is printed in this system of units.

    `decimals` is the number of decimals in the stored unit; without it a whole number
    has none, and others as `decimals_for` gives them.
    """
    if isinstance(value, str):
        return Printed(value)
    how = _shown(unit, system)
    shown = value * how.factor
    if isinstance(value, int) and how.factor == 1.0 and decimals is None:
        digits = 0
    elif decimals is None:
        digits = decimals_for(shown)
    else:
        digits = max(0, decimals + how.more_decimals)
    return Printed(number_text(shown, digits, signed=signed), how.label)


def value_text(
    value: float | str | None,
    unit: str = "",
    system: str = "imperial",
    *,
    decimals: int | None = None,
    signed: bool = False,
) -> str:
    """A value and its unit as one text, or a dash where it is missing."""
    if is_missing(value):
        return MISSING
    return str(printed(value, unit, system, decimals=decimals, signed=signed))  # type: ignore[arg-type]


@dataclass(frozen=True)
class PrintedDifference:
    """Two values and their difference as texts that add up.

    `needed` is the smallest difference that is clear; None where it is not known.
    """

    before: Printed
    now: Printed
    delta: Printed
    needed: Printed | None

    @property
    def size(self) -> Printed:
        """The difference without its sign: `2.1 mph`."""
        return Printed(self.delta.number.lstrip(f"+{MINUS}"), self.delta.unit)


# Beyond these a difference that is still not seen is of no use to anybody.
_MORE_DIGITS = 2


def decimals_that_add_up(
    pairs: Iterable[tuple[float, float, float | None]],
    unit: str,
    system: str,
    *,
    decimals: int,
) -> int:
    """Digits, in the stored unit, with which every difference is that of its values.

    Each pair is a value before, one now, and what is `needed` between them. 39.4 and
    37.6 are not `39° − 38° = 2°` but `39.4° − 37.6° = 1.8°`. Digits are also added
    where a difference would be printed on the wrong side of `needed`, or a clear one as
    nothing at all. `decimals` is the least number of them.
    """
    how = _shown(unit, system)
    least = max(0, decimals + how.more_decimals)
    shown = [
        (a * how.factor, b * how.factor, None if need is None else need * how.factor)
        for a, b, need in pairs
    ]
    found = least
    for digits in range(least, least + _MORE_DIGITS + 1):
        found = digits
        # With one digit more the difference is that of the printed numbers.
        if all(
            (digits > least or _delta(old, new, digits) == round(new - old, digits))
            and _on_its_side(_delta(old, new, digits), new - old, limit, digits)
            for old, new, limit in shown
        ):
            break
    return found - how.more_decimals


def _delta(old: float, new: float, digits: int) -> float:
    """The difference of two numbers as they are printed."""
    return round(round(new, digits) - round(old, digits), digits)


# Value, difference and what is needed are asked for one by one, in several places.
@lru_cache(maxsize=2048, typed=True)
def printed_difference(
    before: float,
    now: float,
    unit: str,
    system: str,
    *,
    decimals: int,
    needed: float | None = None,
) -> PrintedDifference:
    """Two values and `now` minus `before`, with digits enough to add up when printed.

    `decimals` is the least number of them, in the stored unit.
    """
    enough = decimals_that_add_up(
        [(before, now, needed)], unit, system, decimals=decimals
    )
    return difference_with(before, now, unit, system, decimals=enough, needed=needed)


def difference_with(
    before: float,
    now: float,
    unit: str,
    system: str,
    *,
    decimals: int,
    needed: float | None = None,
) -> PrintedDifference:
    """Two values and `now` minus `before` with so many `decimals` in the stored unit.

    The difference is that of the two as they are printed, and `needed` is printed on
    its own side of it.
    """
    how = _shown(unit, system)
    digits = max(0, decimals + how.more_decimals)
    old, new = before * how.factor, now * how.factor

    def text(value: float, *, signed: bool = False) -> Printed:
        return Printed(number_text(value, digits, signed=signed), how.label)

    delta = _delta(old, new, digits)
    limit = None if needed is None else needed * how.factor
    if limit is not None and not _on_its_side(delta, new - old, limit, digits):
        # A last digit off says less than a verdict that the numbers contradict.
        beyond = 0.0 if abs(new - old) >= limit else 10.0**-digits
        limit = abs(delta) + beyond
    return PrintedDifference(
        before=text(old),
        now=text(new),
        delta=text(delta, signed=True),
        needed=None if limit is None else text(limit),
    )


def _on_its_side(
    shown: float, difference: float, limit: float | None, digits: int
) -> bool:
    """Whether a rounded difference is on the same side of the limit as it really is."""
    if limit is None:
        return True
    is_clear = abs(difference) >= limit and difference != 0
    rounded = round(limit, digits)
    return (
        abs(shown) >= rounded and shown != 0 if is_clear else abs(shown) < rounded
    ) or difference == 0


def uncertainty_text(
    uncertainty: float | None,
    unit: str = "",
    system: str = "imperial",
    *,
    decimals: int | None = None,
) -> str:
    """A measurement uncertainty as it stands behind its value: `± 2°`, `± 0.4`.

    With one digit more than the value where it would else be 0; empty where unknown.
    """
    if uncertainty is None:
        return ""
    shown = printed(uncertainty, unit, system, decimals=decimals)
    if decimals is not None and not any(digit in shown.number for digit in "123456789"):
        shown = printed(uncertainty, unit, system, decimals=decimals + 1)
    return f"± {shown if shown.is_tight else shown.number}"


def height_text(height_ft: float, system: str) -> str:
    """A height in decimal feet as text: `6 ft 1 in` or `185 cm`."""
    if system == "metric":
        return f"{round(units.ft_to_m(height_ft) * 100)} cm"
    feet, inches = divmod(round(height_ft * 12), 12)
    return f"{feet} ft {inches} in"


def weight_text(weight_lbs: float, system: str) -> str:
    """A weight in pounds as text: `180 lb` or `82 kg`."""
    if system == "metric":
        return f"{round(units.lb_to_kg(weight_lbs))} kg"
    return f"{round(weight_lbs)} lb"


def age_on(born: dt.date, day: dt.date) -> int | None:
    """The age in whole years on `day`; None before birth: a date is then wrong."""
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if years >= 0 else None


def days_ago_text(day: dt.date, today: dt.date) -> str:
    """How long ago a day was, in the words of a coach: `yesterday`, `3 weeks ago`."""
    days = (today - day).days
    if days < 0:
        return "in the future"
    if days < 2:
        return ("today", "yesterday")[days]
    if days < 14:
        return f"{days} days ago"
    if days < 60:
        return f"{days // 7} weeks ago"
    if days < 730:
        return f"{round(days / 30.44)} months ago"
    return f"{days // 365} years ago"


def time_taken_text(seconds: float) -> str:
    """How long something took, as text: `8 s`, `12 min`, `2.1 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def since_text(moment: dt.datetime, now: dt.datetime) -> str:
    """The time since a moment, as text: `40 s`, `5 min`, `2 h`, `3 days`."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} days"
