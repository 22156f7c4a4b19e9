"""Read a curve: peaks, crossings, and values between two samples.

Positions are fractional samples; time is the first axis.
"""

import math
from dataclasses import dataclass

import numpy as np

from biomechanics.analysis_types import FloatArray

PEAK_LEVEL = 0.85
"""Share of the peak above which the centroid gives the peak time."""
NOISES_OF_TOP = 2.5
"""A top is flat within so many standard deviations of the curve."""
CUT_NEAR, CUT_NOISES = 0.01, 2.0
"""A curve that ends within this share of its peak, and so many standard deviations, of
`PEAK_LEVEL` may have its time by either rule: that of a peak cut off, or of a whole
one."""


@dataclass(frozen=True, slots=True)
class Peak:
    """A maximum inside a window.

    Attributes
    ----------
    value : float
        Through the three highest samples (parabola).
    position : float
        Centroid time in samples: steadier under noise than the highest sample.
    top : float
        Position of the maximum itself (parabola).
    index : int
        Highest sample.
    at_edge : bool
        The highest sample is the first or last of the window and the curve goes on
        rising beyond it, or the part of the peak that gives its time ends at a gap:
        the value is a bound, not a peak.
    """

    value: float
    position: float
    top: float
    index: int
    at_edge: bool


def _parabola(y: FloatArray, index: int) -> tuple[float, float]:
    """Return value and sample of the top of a parabola through three samples."""
    if 0 < index < y.size - 1:
        before, here, after = y[index - 1 : index + 2].tolist()
        bend = before - 2.0 * here + after
        if bend < 0.0:
            shift = 0.5 * (before - after) / bend
            if abs(shift) <= 1.0:
                return here - 0.25 * (before - after) * shift, index + shift
    return float(y[index]), float(index)


def find_peak(
    y: FloatArray,
    low: int,
    high: int,
    *,
    limit: int | None = None,
    share: float = PEAK_LEVEL,
) -> Peak | None:
    """Return the maximum of `y` in samples `low` to `high`, both included.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Positive where it matters.
    low, high : int
    limit : int, optional
        Last sample that the centroid may use; without it the stretch above
        `PEAK_LEVEL` may reach beyond the window, so that a window that ends on a
        peak does not move its time.
    share : float
        Of the peak, above which the centroid is taken.

    Returns
    -------
    Peak or None
        ``None`` if the window is empty, holds NaN, or the maximum is not positive.
    """
    low, high = max(low, 0), min(high, y.size - 1)
    if high < low:
        return None
    index = low + int(y[low : high + 1].argmax())
    top = float(y[index])
    # NaN counts as the highest: there is one in the window when it is the maximum.
    if not math.isfinite(top) or top <= 0.0:
        return None
    value, summit = _parabola(y, index)
    last = y.size - 1 if limit is None else min(limit, y.size - 1)
    level = share * top
    above = y > level
    # The maximum itself is above, so a count of zero says that all are.
    back = int(above[index::-1].argmin())
    left = index - back + 1 if back else 0
    on = int(above[index : last + 1].argmin())
    right = index + on - 1 if on else last
    weight = y[left : right + 1] - level
    total = float(weight.sum())
    position = (
        float(weight @ np.arange(left, right + 1, dtype=np.float64)) / total
        if total > 0.0
        else float(index)
    )
    if right == last < y.size - 1 and y[last] > level:
        # Cut off by an impact: the centroid of half a peak lies too early.
        position = summit
    at_edge = (index == low and low > 0 and y[low - 1] > top) or (
        index == high and high < y.size - 1 and y[high + 1] > top
    )
    at_edge = at_edge or (left > 0 and math.isnan(y[left - 1]))
    at_edge = at_edge or (right < last and math.isnan(y[right + 1]))
    return Peak(
        value=value,
        position=position,
        top=summit,
        index=index,
        at_edge=bool(at_edge),
    )


def time_error(
    y: FloatArray,
    found: Peak,
    window: tuple[int, int],
    *,
    limit: int | None,
    noise: float,
) -> float:
    """Return how far noise moves the time of a peak, in samples.

    Noise lifts and lowers what lies above the share of the peak whose centroid is its
    time, so the centroids of a higher and a lower share tell. Where the time is that of
    the maximum itself, it may be anywhere on a top as flat as the noise.

    Parameters
    ----------
    y, window, limit
        Those of `find_peak`.
    noise : float
        One standard deviation of the curve.
    """
    return math.hypot(
        _noise_error(y, found, window, limit=limit, noise=noise),
        _cut_error(y, found, window, limit=limit, noise=noise),
    )


def _cut_error(
    y: FloatArray,
    found: Peak,
    window: tuple[int, int],
    *,
    limit: int | None,
    noise: float,
) -> float:
    """Return how far a peak's time moves if the other rule held for it, in samples.

    Whether an impact cuts it off hangs on one sample, the last; see `time_error`.
    """
    if limit is None or not found.index < limit < y.size - 1:
        return 0.0
    near = CUT_NEAR * found.value + CUT_NOISES * max(noise, 0.0)
    level, end = PEAK_LEVEL * found.value, float(y[limit])
    if not abs(end - level) <= near:
        return 0.0
    if found.position != found.top:
        return abs(found.top - found.position)
    share = min(max(end, level) / found.value + 0.1 * CUT_NEAR, 1.0 - CUT_NEAR)
    whole = find_peak(y, *window, limit=limit, share=share)
    return 0.0 if whole is None else abs(whole.position - found.position)


def _noise_error(
    y: FloatArray,
    found: Peak,
    window: tuple[int, int],
    *,
    limit: int | None,
    noise: float,
) -> float:
    """Return how far noise moves the time of a peak, in samples; see `time_error`."""
    if noise <= 0.0:
        return 0.0
    if found.position == found.top:
        rows = np.arange(max(window[0], 0), min(window[1], y.size - 1) + 1)
        # The maximum is that of the curve and its noise, which may hide it by as much.
        near = rows[y[rows] > found.value - NOISES_OF_TOP * noise]
        return 0.5 * float(near[-1] - near[0]) if near.size else 0.0
    part = min(noise / found.value, 0.1)
    others = [
        find_peak(y, *window, limit=limit, share=PEAK_LEVEL + change)
        for change in (-part, part)
    ]
    away = [abs(one.position - found.position) for one in others if one is not None]
    return max(away, default=0.0)


def find_extreme(y: FloatArray, low: int, high: int) -> tuple[float, float] | None:
    """Return value and position (samples) of the maximum through a parabola.

    For angles, which have no meaningful zero: the centroid rule needs one.
    ``None`` if the window is empty or holds NaN.
    """
    low, high = max(low, 0), min(high, y.size - 1)
    if high < low:
        return None
    index = low + int(y[low : high + 1].argmax())
    # NaN counts as the highest.
    if math.isnan(y[index]):
        return None
    value, position = _parabola(y, index)
    return value, min(max(position, float(low)), float(high))


def value_at(y: FloatArray, position: float) -> float | None:
    """Return `y` at a fractional sample (linear); ``None`` outside or at a gap."""
    if not 0.0 <= position <= y.size - 1:
        return None
    low = min(int(position), y.size - 2)
    part = position - low
    value = (
        float(y[low]) if part == 0.0 else float(y[low] + (y[low + 1] - y[low]) * part)
    )
    return value if math.isfinite(value) else None


def rows_at(values: FloatArray, position: float) -> FloatArray | None:
    """Return the row of `values` (n, m) at a fractional sample; ``None`` at a gap."""
    if not 0.0 <= position <= values.shape[0] - 1:
        return None
    low = min(int(position), values.shape[0] - 2)
    part = position - low
    row: FloatArray = values[low] + (values[low + 1] - values[low]) * part
    return row if bool(np.isfinite(row).all()) else None


def last_crossing(y: FloatArray, level: float, low: int, high: int) -> float | None:
    """Return the last place in `low`…`high` at which `y` rises through `level`."""
    low, high = max(low, 0), min(high, y.size - 1)
    if high <= low:
        return None
    under = np.flatnonzero(y[low:high] < level)
    if under.size == 0:
        return None
    index = low + int(under[-1])
    here, after = float(y[index]), float(y[index + 1])
    if not (math.isfinite(here) and math.isfinite(after)) or after <= here:
        return float(index)
    return index + min((level - here) / (after - here), 1.0)
