"""Read when the foot came down and the hands were fastest, by the vendor's columns."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from biomechanics import signals
from biomechanics.analysis_types import FloatArray
from biomechanics.points import Columns

CLOCK_COLUMNS = ("time_from_max_hand", "rel_frame", "norm_time")
"""The vendor's own time columns."""


@dataclass(frozen=True, slots=True)
class VendorClock:
    """The instants that the vendor's own time columns give, on the clock of the file.

    Attributes
    ----------
    max_hand_s, foot_down_s : float or None
    problems : tuple of str
        Columns that were there but could not be used, in plain words.
    """

    max_hand_s: float | None
    foot_down_s: float | None
    problems: tuple[str, ...]


def _zero_of(
    time_s: FloatArray, values: FloatArray, scale: float
) -> tuple[float, float] | None:
    """Return when a straight line of time is zero, and how far rows scatter about it.

    Seconds; `scale` makes `values` seconds. ``None`` with fewer than five rows.
    """
    there = np.isfinite(time_s) & np.isfinite(values)
    if np.count_nonzero(there) < 5:
        return None
    zeros = time_s[there] - values[there] * scale
    zero = signals.median(zeros)
    return zero, signals.median(np.abs(zeros - zero))


def read_vendor_clock(
    tables: Iterable[Columns | None], *, step_s: float
) -> VendorClock:
    """Return peak hand speed and foot down by the vendor's own time columns.

    These are ``time_from_max_hand``, ``rel_frame`` and ``norm_time``. Each is a
    straight line of time inside one movement, so its zero is found from
    all rows rather than from the one row nearest to it; a column that is not a
    straight line is refused.

    Parameters
    ----------
    tables : iterable of mappings
        In order of trust; the first that has a column gives it.
    step_s : float
        Step of the movement's clock.

    Notes
    -----
    ``norm_time`` is 0 at foot down and 100 at peak hand speed of the dominant hand.
    """
    max_hand: float | None = None
    foot_down: float | None = None
    problems: list[str] = []
    for table in tables:
        if table is None or "time" not in table:
            continue
        time_s = np.asarray(table["time"], dtype=np.float64)
        for name, scale in (("time_from_max_hand", 1.0), ("rel_frame", step_s)):
            if max_hand is not None or name not in table:
                continue
            zero = _zero_of(time_s, np.asarray(table[name], dtype=np.float64), scale)
            if zero is None:
                continue
            if zero[1] > 1.5 * step_s:
                problems.append(f"{name} does not run with the clock")
                continue
            max_hand = zero[0]
        if foot_down is None and "norm_time" in table:
            norm = np.asarray(table["norm_time"], dtype=np.float64)
            there = np.isfinite(norm) & np.isfinite(time_s)
            if np.count_nonzero(there) < 5:
                continue
            x, y = norm[there] / 100.0, time_s[there]
            x_mean, y_mean = signals.mean(x), signals.mean(y)
            off = x - x_mean
            spread = float(off @ off)
            if spread <= 0.0:
                problems.append("norm_time does not change")
                continue
            slope = float(off @ (y - y_mean)) / spread
            zero_s = y_mean - slope * x_mean
            worst = float(np.abs(y - zero_s - slope * x).max())
            if worst > 1.5 * step_s or slope <= 0.0:
                problems.append("norm_time does not run with the clock")
                continue
            foot_down = zero_s
            if max_hand is None:
                max_hand = zero_s + slope
    return VendorClock(max_hand, foot_down, tuple(problems))
