"""One clock, gaps, low-pass filter, derivative, peaks.

Time is the first axis everywhere, and in memory the samples of a column lie side by
side: every step goes along time. All functions are pure.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

# `scipy.signal` brings half of SciPy: 0.8 s and 60 MB. As attributes of `scipy` its
# parts are loaded when first used, and pages that filter nothing go without.
import scipy

from biomechanics.analysis_types import FloatArray

GAP_FILLED_S = 0.020
"""Gaps up to this long are filled (choice)."""
PADDING_S = 0.250
"""Odd extension at both ends before filtering."""
EDGE_S = 0.020
"""Ends of a clip in which no value is read."""
PEAK_LEVEL = 0.85
"""Share of the peak above which the centroid gives the peak time."""
_TWO_PASS = (math.sqrt(2.0) - 1.0) ** 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """The uniform clock of one movement and how the rows fall on it.

    Attributes
    ----------
    start_s, step_s : float
    count : int
        Samples of the uniform clock.
    rows : ndarray of int or None
        Order in which the delivered rows are taken; ``None``: as delivered.
    slots : ndarray of int or None
        Place of each row on the uniform clock; ``None``: one after the other.
    row_times_s : ndarray or None
        Given when the rows do not fall on a uniform clock and values must be
        interpolated.
    irregular_share : float
        Share of the steps that are off the median by more than 2 %, rounding of
        the stamps apart.
    """

    start_s: float
    step_s: float
    count: int
    rows: npt.NDArray[np.intp] | None
    slots: npt.NDArray[np.intp] | None
    row_times_s: FloatArray | None
    irregular_share: float

    @property
    def sampling_rate_hz(self) -> float:
        """Samples per second."""
        return 1.0 / self.step_s

    def times(self) -> FloatArray:
        """Return the uniform clock, shape (count,)."""
        return self.start_s + self.step_s * np.arange(self.count, dtype=np.float64)


# numpy's own look for axes, masks and NaN first, which on the few hundred samples of a
# swing takes several times as long as the arithmetic.
def mean(values: FloatArray) -> float:
    """Mean of `values`, shape (n,)."""
    return float(values.sum()) / values.size


def deviation(values: FloatArray) -> float:
    """Standard deviation of `values`, shape (n,), about their mean (divided by n)."""
    off = values - mean(values)
    return math.sqrt(float(off @ off) / values.size)


def median(values: FloatArray) -> float:
    """Median of finite `values`, shape (n,)."""
    ordered = np.sort(values)
    middle = ordered.size // 2
    if ordered.size % 2:
        return float(ordered[middle])
    return 0.5 * float(ordered[middle - 1] + ordered[middle])


RATES_HZ = (20.0, 5000.0)
"""Rates outside are no camera's: milliseconds taken for seconds, say."""


class ClockError(ValueError):
    """The stamps give no usable clock; the message is for people."""


def read_clock(time_s: npt.ArrayLike) -> Clock:
    """Find the uniform clock behind the time stamps of one movement.

    Exporters round stamps (0.1 ms in a public 360 Hz file): the median step then
    reads 2.8 ms instead of 2.778, a rate and every speed 0.8 % off. The step is
    therefore fitted to all stamps once the number of steps is known, and rounding is
    not mistaken for an unsteady clock.

    Parameters
    ----------
    time_s : array_like, shape (n_frames,)
        Seconds; NaN rows are left out.

    Returns
    -------
    Clock

    Raises
    ------
    ClockError
        Fewer than 20 stamps, or many rows with the same stamp (several movements
        stacked on one another).
    """
    stamps = np.asarray(time_s, dtype=np.float64)
    rows: npt.NDArray[np.intp] | None = None
    finite = np.isfinite(stamps)
    if not finite.all():
        rows = np.flatnonzero(finite)
        stamps = stamps[rows]
    if stamps.size < 20:
        raise ClockError(
            f"the clip has {stamps.size} frames with a time; 20 are needed"
        )
    steps = stamps[1:] - stamps[:-1]
    if steps.min() <= 0:
        order = np.argsort(stamps, kind="stable")
        if (
            np.count_nonzero(steps < 0) == 1
            and np.count_nonzero(np.diff(stamps[order]) <= 1e-9) > 0.2 * stamps.size
        ):
            raise ClockError("the clock runs twice over the same seconds")
        rows = order if rows is None else rows[order]
        stamps = stamps[order]
        keep = np.concatenate(([True], np.diff(stamps) > 1e-9))
        repeated = stamps.size - int(keep.sum())
        if repeated > 0.02 * stamps.size + 1:
            raise ClockError(
                f"{repeated} frames share their time with another frame; several "
                "movements seem to be stacked on one another"
            )
        rows, stamps = rows[keep], stamps[keep]
        steps = np.diff(stamps)
        if stamps.size < 20:
            raise ClockError(f"only {stamps.size} different times; 20 are needed")

    median_step = median(steps)
    counts = np.maximum(np.rint(steps / median_step), 1.0)
    slots = np.concatenate(([0.0], np.cumsum(counts)))
    # Least squares over all stamps: a rounded first or last one tilts nothing.
    middle, centre = mean(slots), mean(stamps)
    off_middle = slots - middle
    step = float(off_middle @ (stamps - centre) / (off_middle @ off_middle))
    start = centre - step * middle
    if not RATES_HZ[0] <= 1.0 / step <= RATES_HZ[1]:
        raise ClockError(
            f"its frames are {step:.3g} s apart; between {RATES_HZ[0]:.0f} and "
            f"{RATES_HZ[1]:.0f} a second are expected"
        )
    rounding = 0.0
    for quantum in (1e-3, 1e-4):
        scaled = stamps / quantum
        if float(np.abs(scaled - np.rint(scaled)).max()) < 1e-3:
            rounding = quantum
            break
    off = np.abs(steps - median_step) > 0.02 * median_step + 1.01 * rounding
    share = float(np.count_nonzero(off)) / steps.size
    residual = np.abs(stamps - (start + step * slots)).max()
    if residual <= 0.02 * step + 0.51 * rounding + 1e-9:
        whole = int(slots[-1]) + 1 == stamps.size
        return Clock(
            start_s=start,
            step_s=step,
            count=int(slots[-1]) + 1,
            rows=rows,
            slots=None if whole else slots.astype(np.intp),
            row_times_s=None,
            irregular_share=share,
        )
    count = math.floor((stamps[-1] - stamps[0]) / median_step + 1e-6) + 1
    if count > 20 * stamps.size:
        raise ClockError("the times of the frames are too far apart to be one clip")
    return Clock(
        start_s=float(stamps[0]),
        step_s=median_step,
        count=count,
        rows=rows,
        slots=None,
        row_times_s=stamps,
        irregular_share=max(share, 0.021),
    )


def on_clock(values: FloatArray, clock: Clock) -> FloatArray:
    """Put delivered rows on the uniform clock.

    Parameters
    ----------
    values : ndarray, shape (n_rows, n_columns)
    clock : Clock

    Returns
    -------
    ndarray, shape (clock.count, n_columns)
        NaN where no row stands; interpolated (PCHIP) if the clock is unsteady, but
        not across more than `GAP_FILLED_S`.
    """
    if clock.rows is not None:
        values = values[clock.rows]
    if clock.row_times_s is not None:
        grid = clock.times()
        times = clock.row_times_s
        answer = np.full((clock.count, values.shape[1]), np.nan)
        for column in range(values.shape[1]):
            there = np.isfinite(values[:, column])
            if np.count_nonzero(there) < 2:
                continue
            stamps = times[there]
            filled = scipy.interpolate.PchipInterpolator(stamps, values[there, column])(
                grid, extrapolate=False
            )
            after = np.searchsorted(stamps, grid, side="left").clip(1, stamps.size - 1)
            wide = stamps[after] - stamps[after - 1] > GAP_FILLED_S + clock.step_s
            filled[wide & (np.abs(grid - stamps[after]) > 1e-9)] = np.nan
            answer[:, column] = filled
        return answer
    if clock.slots is not None:
        answer = np.full((clock.count, values.shape[1]), np.nan)
        answer[clock.slots] = values
        return answer
    return values


def fill_gaps(
    values: FloatArray, *, sampling_rate_hz: float
) -> tuple[FloatArray, npt.NDArray[np.bool_] | None]:
    """Fill short gaps; bridge long ones only so that a filter can run.

    Parameters
    ----------
    values : ndarray, shape (n, m)

    Returns
    -------
    filled : ndarray, shape (n, m)
        No NaN, except in columns without two finite values.
    unknown : ndarray of bool, shape (n, m), or None
        True in gaps longer than `GAP_FILLED_S`: put NaN back there afterwards.
        ``None`` when there is none.

    Notes
    -----
    PCHIP (Fritsch and Carlson 1980) does not overshoot, unlike a cubic spline.
    """
    missing = ~np.isfinite(values)
    if not missing.any():
        return values, None
    filled = np.array(values, dtype=np.float64)
    unknown = np.zeros(values.shape, dtype=bool)
    count = values.shape[0]
    longest = GAP_FILLED_S * sampling_rate_hz + 1e-6
    index = np.arange(count)
    for column in np.flatnonzero(missing.any(axis=0)):
        there = np.flatnonzero(~missing[:, column])
        if there.size < 2:
            unknown[:, column] = True
            continue
        known = values[there, column]
        filled[:, column] = np.interp(index, there, known)
        gone = missing[:, column]
        inside = gone.copy()
        inside[: there[0]] = False
        inside[there[-1] + 1 :] = False
        if inside.any():
            filled[inside, column] = scipy.interpolate.PchipInterpolator(there, known)(
                index[inside]
            )
        after = np.searchsorted(there, index).clip(1, there.size - 1)
        # Length of a gap: from the last known to the next known sample, less one.
        length = there[after] - there[after - 1] - 1
        unknown[:, column] = gone & ((length > longest) | ~inside)
    return filled, unknown if unknown.any() else None


def widen(mask: npt.NDArray[np.bool_], count: int) -> npt.NDArray[np.bool_]:
    """Return `mask`, shape (n, m), grown by `count` samples both ways in time."""
    if count <= 0 or not mask.any():
        return mask
    total = np.cumsum(
        np.vstack((np.zeros((1, mask.shape[1]), dtype=int), mask)), axis=0
    )
    size = mask.shape[0]
    low = np.maximum(np.arange(size) - count, 0)
    high = np.minimum(np.arange(size) + count + 1, size)
    grown: npt.NDArray[np.bool_] = (total[high] - total[low]) > 0
    return grown


@lru_cache(maxsize=64)
def _design(
    cutoff_hz: float, sampling_rate_hz: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    cutoff = min(cutoff_hz, 0.4 * sampling_rate_hz)
    corrected = (sampling_rate_hz / math.pi) * math.atan(
        math.tan(math.pi * cutoff / sampling_rate_hz) / _TWO_PASS
    )
    b, a = scipy.signal.butter(2, corrected, btype="low", fs=sampling_rate_hz)
    return b, a, scipy.signal.lfilter_zi(b, a)


def lowpass(
    values: FloatArray, *, cutoff_hz: float, sampling_rate_hz: float
) -> FloatArray:
    """Zero-lag Butterworth low-pass of all columns at once.

    Second order, run forward and backward, so fourth order in all, with the cutoff
    corrected for two passes: `cutoff_hz` is where the amplitude is 1/√2.

    Parameters
    ----------
    values : ndarray, shape (n, m)
        Finite; see `fill_gaps`.
    cutoff_hz, sampling_rate_hz : float
        The cutoff is held to 0.4 of the rate.

    Returns
    -------
    ndarray, shape (n, m)

    Raises
    ------
    ValueError
        Fewer than three samples, or a cutoff or rate that is not positive.

    Notes
    -----
    Correction: Winter, Biomechanics and Motor Control of Human Movement, ch. 2:
    ``f_c' = (fs/π)·atan(tan(π·f_c/fs)/0.802)``. Ends are extended by odd
    reflection over `PADDING_S`.
    """
    if not (cutoff_hz > 0 and sampling_rate_hz > 0):
        raise ValueError(
            f"cutoff_hz {cutoff_hz} and sampling_rate_hz {sampling_rate_hz} must be "
            "positive"
        )
    count = values.shape[0]
    if count < 3:
        raise ValueError(f"{count} samples cannot be filtered; 3 are needed")
    # A rate that differs in the ninth digit from file to file must not design anew.
    b, a, start = _design(float(cutoff_hz), round(float(sampling_rate_hz), 6))
    pad = min(math.ceil(PADDING_S * sampling_rate_hz), count - 1)
    # Columns as contiguous rows: one pass of the compiled filter for all of them.
    padded = np.empty((values.shape[1], count + 2 * pad))
    across = values.T
    padded[:, pad : pad + count] = across
    padded[:, :pad] = 2.0 * across[:, :1] - across[:, pad:0:-1]
    padded[:, pad + count :] = 2.0 * across[:, -1:] - across[:, -2 : -pad - 2 : -1]
    # A single second-order section: `lfilter` is `sosfilt` up to rounding, and
    # checks its arguments in a tenth of the time, which a short clip notices.
    forward, _ = scipy.signal.lfilter(b, a, padded, zi=start * padded[:, :1])
    smooth, _ = scipy.signal.lfilter(b, a, forward[:, ::-1], zi=start * forward[:, -1:])
    return np.ascontiguousarray(smooth[:, ::-1][:, pad : pad + count]).T


def derivative(values: FloatArray, *, sampling_rate_hz: float) -> FloatArray:
    """Time derivative by five-point central differences.

    Parameters
    ----------
    values : ndarray, shape (n,) or (n, ...)
        n of at least 3. NaN makes its neighbours NaN.

    Returns
    -------
    ndarray, same shape, per second

    Notes
    -----
    Abramowitz and Stegun 25.3.6. The three-point difference cuts the corner of a
    circle: at 2500 °/s and 120 Hz it reads 2.2 % low, this one 0.1 %. The two
    samples at each end fall back to three and two points.
    """
    count = values.shape[0]
    if count < 3:
        raise ValueError(f"{count} samples cannot be differentiated; 3 are needed")
    answer = np.empty_like(values)
    answer[1] = (values[2] - values[0]) * (0.5 * sampling_rate_hz)
    answer[-2] = (values[-1] - values[-3]) * (0.5 * sampling_rate_hz)
    if count > 4:
        inner = answer[2:-2]
        np.subtract(values[3:-1], values[1:-3], out=inner)
        inner *= 8.0
        inner -= values[4:]
        inner += values[:-4]
        inner *= sampling_rate_hz / 12.0
    answer[0] = (values[1] - values[0]) * sampling_rate_hz
    answer[-1] = (values[-1] - values[-2]) * sampling_rate_hz
    return answer


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
        rising beyond it: the value is a bound, not a peak.
    """

    value: float
    position: float
    top: float
    index: int
    at_edge: bool


def _parabola(y: FloatArray, index: int) -> tuple[float, float]:
    if 0 < index < y.size - 1:
        before, here, after = y[index - 1 : index + 2].tolist()
        bend = before - 2.0 * here + after
        if bend < 0.0:
            shift = 0.5 * (before - after) / bend
            if abs(shift) <= 1.0:
                return here - 0.25 * (before - after) * shift, index + shift
    return float(y[index]), float(index)


def find_peak(
    y: FloatArray, low: int, high: int, *, limit: int | None = None
) -> Peak | None:
    """Find the maximum of `y` in samples `low` to `high`, both included.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Positive where it matters.
    low, high : int
    limit : int, optional
        Last sample that the centroid may use; without it the stretch above
        `PEAK_LEVEL` may reach beyond the window, so that a window that ends on a
        peak does not move its time.

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
    level = PEAK_LEVEL * top
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
    return Peak(
        value=value,
        position=position,
        top=summit,
        index=index,
        at_edge=bool(at_edge),
    )


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


def first_fall_through(
    y: FloatArray, level: float, low: int, high: int
) -> float | None:
    """Return the first place in `low`…`high` at which `y` falls to `level`."""
    low, high = max(low, 0), min(high, y.size - 1)
    if high <= low:
        return None
    under = np.flatnonzero(y[low : high + 1] <= level)
    if under.size == 0:
        return None
    index = low + int(under[0])
    if index == low:
        return float(index)
    before, here = float(y[index - 1]), float(y[index])
    if not math.isfinite(before) or before <= here:
        return float(index)
    return index - 1 + (before - level) / (before - here)
