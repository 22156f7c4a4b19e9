"""Smooth curves and their rates of change: gaps, low-pass filter, derivative.

Time is the first axis everywhere, and in memory the samples of a column lie side by
side: every step goes along time. All functions are pure.
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

# As attributes of `scipy` its parts are loaded when first used: interpolation brings
# half of SciPy, and swings without gaps go without.
import scipy

from biomechanics import butterworth
from biomechanics.analysis_types import FloatArray

GAP_FILLED_S = 0.020
"""Gaps up to this long are filled (choice)."""
GAP_BRIDGED_S = 0.080
"""Gaps up to this long are bridged by a polynomial, so that the filter beside them does
not notice."""
GAP_FIT_S = 0.040
"""Known stretch on each side that a gap is filled from."""
PADDING_S = 0.250
"""Odd extension at both ends before filtering."""
EDGE_S = 0.020
"""Ends of a clip in which no value is read."""
LEAST_REPEATED = 3
"""Fewer frames that repeat the one before may be chance (a body that just stops)."""
_TWO_PASS = (math.sqrt(2.0) - 1.0) ** 0.25
MAD_TO_SD = 1.4826
"""For normal scatter 1.4826·MAD estimates the standard deviation."""


# numpy's own look for axes, masks and NaN first, which on the few hundred samples of a
# swing takes several times as long as the arithmetic.
def mean(values: FloatArray) -> float:
    """Return the mean of `values`, shape (n,)."""
    return float(values.sum()) / values.size


def deviation(values: FloatArray) -> float:
    """Return the standard deviation of `values`, shape (n,), divided by n."""
    off = values - mean(values)
    return math.sqrt(float(off @ off) / values.size)


def median(values: FloatArray) -> float:
    """Return the median of finite `values`, shape (n,)."""
    ordered = np.sort(values)
    middle = ordered.size // 2
    if ordered.size % 2:
        return float(ordered[middle])
    return 0.5 * float(ordered[middle - 1] + ordered[middle])


def rough_noise(values: FloatArray) -> FloatArray:
    """Return the standard deviation of one frame of each column, from rough changes.

    Parameters
    ----------
    values : ndarray, shape (n, ...)
        NaN in gaps.

    Returns
    -------
    ndarray, shape (...)
        Zero where there are fewer than five runs of five frames.

    Notes
    -----
    The fourth difference of white noise has 70 times its variance, and that of a
    smooth motion next to none. The median leaves single jumps out.
    """
    if values.shape[0] < 9:
        return np.zeros(values.shape[1:])
    fourth = (
        values[:-4]
        - 4.0 * values[1:-3]
        + 6.0 * values[2:-2]
        - 4.0 * values[3:-1]
        + values[4:]
    )
    return noise_of_fourth(fourth)


def noise_of_fourth(fourth: FloatArray) -> FloatArray:
    """Return the noise behind fourth differences (n, ...); see `rough_noise`."""
    sizes = np.abs(fourth).reshape(fourth.shape[0], -1)
    # A sum is finite where all are; to look at each takes longer.
    whole = np.isfinite(sizes.sum(axis=0))
    if sizes.shape[0] < 5 or not whole.all():
        # NaN sorts to the end.
        ordered = np.sort(sizes, axis=0)
        known = np.isfinite(ordered).sum(axis=0)
        middle = np.where(known < 5, 0.0, ordered[known // 2, np.arange(known.size)])
    else:
        half = sizes.shape[0] // 2
        middle = np.partition(sizes, half, axis=0)[half]
    answer: FloatArray = (middle * (MAD_TO_SD / math.sqrt(70.0))).reshape(
        fourth.shape[1:]
    )
    return answer


def medians(values: FloatArray) -> FloatArray:
    """Return the median of each column of `values` (n, m), NaN left out.

    NaN for a column without a number.
    """
    # NaN sorts to the end.
    ordered = np.sort(values, axis=0)
    known = values.shape[0] - np.isnan(values).sum(axis=0)
    columns = np.arange(values.shape[1])
    low = ordered[np.maximum(known - 1, 0) // 2, columns]
    high = ordered[np.minimum(known // 2, values.shape[0] - 1), columns]
    answer: FloatArray = 0.5 * (low + high)
    return answer


def quantile(values: FloatArray, share: float) -> FloatArray:
    """Return a quantile of finite `values` (n,) or (n, m), along their first axis.

    Notes
    -----
    As `numpy.quantile` to the last bit, which looks at its arguments for several times
    as long as it takes.
    """
    place = (values.shape[0] - 1) * share
    low = min(int(place), max(values.shape[0] - 2, 0))
    ordered = np.sort(values, axis=0)
    below, above = ordered[low], ordered[min(low + 1, values.shape[0] - 1)]
    part = place - low
    answer: FloatArray = (
        below + (above - below) * part
        if part < 0.5
        else above - (above - below) * (1.0 - part)
    )
    return answer


def noise_of_rate(noise: float, *, cutoff_hz: float, sampling_rate_hz: float) -> float:
    """Return the standard deviation of the rate of a curve that was filtered.

    Parameters
    ----------
    noise : float
        Of one frame before the filter; from frame to frame there is nothing in common.
    cutoff_hz, sampling_rate_hz : float

    Notes
    -----
    White noise spreads evenly to half the frame rate. The square of each angular
    frequency times what two passes of the filter leave of its power adds up to a closed
    form, as the integral of x² ⁄ (1 + x⁴)² is π·√2 ⁄ 16.
    """
    corrected = cutoff_hz / _TWO_PASS
    power = 2.0 * corrected**3 / sampling_rate_hz * math.pi * math.sqrt(2.0) / 16.0
    return noise * 2.0 * math.pi * math.sqrt(power)


def fill_gaps(
    values: FloatArray, *, sampling_rate_hz: float
) -> tuple[FloatArray, npt.NDArray[np.bool_] | None]:
    """Return curves with short gaps filled, and long ones bridged for the filter.

    Parameters
    ----------
    values : ndarray, shape (n, m)

    Returns
    -------
    filled : ndarray, shape (n, m)
        No NaN, except in columns without two finite values.
    unknown : ndarray of bool, shape (n, m), or None
        True in gaps longer than `GAP_FILLED_S`: put NaN back there afterward.
        ``None`` when there is none.

    Notes
    -----
    A gap up to `GAP_BRIDGED_S` is given the polynomial of fifth degree that fits
    `GAP_FIT_S` on both sides best (least squares): with 2 mm of noise a fast wrist's
    20 ms are off by 1 mm, half of what PCHIP leaves, which also flattens every turning
    point. Longer ones, and those with too few samples beside them, are bridged by PCHIP
    (Fritsch and Carlson 1980), which does not overshoot.
    """
    missing = ~np.isfinite(values)
    if not missing.any():
        return values, None
    filled = np.array(values, dtype=np.float64)
    unknown = np.zeros(values.shape, dtype=bool)
    longest = GAP_FILLED_S * sampling_rate_hz + 1e-6
    # The coordinates of one point are lost together: fill them together.
    alike: dict[bytes, list[int]] = {}
    for column in np.flatnonzero(missing.any(axis=0)):
        alike.setdefault(missing[:, column].tobytes(), []).append(int(column))
    for columns in alike.values():
        gone = missing[:, columns[0]]
        there = np.flatnonzero(~gone)
        if there.size < 2:
            unknown[:, columns] = True
            continue
        known = values[there][:, columns]
        first, last = int(there[0]), int(there[-1])
        for start, end in runs(gone):
            inside = first < start and end <= last
            if not inside or end - start > longest:
                unknown[start:end, columns] = True
            if inside:
                filled[start:end, columns] = _bridge(
                    there, known, start, end, sampling_rate_hz=sampling_rate_hz
                )
            else:
                filled[start:end, columns] = known[0 if end <= first else -1]
    return filled, unknown if unknown.any() else None


def runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the stretches of true samples in `mask` (n,): first, past the last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _bridge(
    there: npt.NDArray[np.intp],
    known: FloatArray,
    start: int,
    end: int,
    *,
    sampling_rate_hz: float,
) -> FloatArray:
    """Return samples `start` up to `end` from the `known` rows at samples `there`."""
    reach = max(math.ceil(GAP_FIT_S * sampling_rate_hz - 1e-6), 4)
    low, middle, high = np.searchsorted(there, (start - reach, start, end + reach))
    beside = min(middle - low, high - middle)
    if (end - start) > GAP_BRIDGED_S * sampling_rate_hz or beside < 3:
        low, high = max(middle - 3, 0), min(middle + 3, there.size)
        bridged: FloatArray = scipy.interpolate.PchipInterpolator(
            there[low:high], known[low:high]
        )(np.arange(start, end, dtype=np.float64))
        return bridged
    degree = min(5, 2 * beside - 2)
    weights = _weights((there[low:high] - start).tobytes(), end - start, reach, degree)
    wanted: FloatArray = weights @ known[low:high]
    return wanted


@lru_cache(maxsize=256)
def _weights(beside: bytes, length: int, reach: int, degree: int) -> FloatArray:
    """Return by how much each known sample counts for each of a gap, shape (length, k).

    Of the fitted polynomial, which depends on the places of the samples alone: the gaps
    of points that are lost for some frames now and then are mostly alike.

    Parameters
    ----------
    beside
        Places of the known samples, counted from the first of the gap, as bytes.
    """
    places = np.frombuffer(beside, dtype=np.intp)
    center, size = 0.5 * (length - 1), 0.5 * length + reach
    powers = np.arange(degree + 1)
    fitted = ((places[:, None] - center) / size) ** powers
    factors = np.linalg.lstsq(fitted, np.eye(places.size), rcond=None)[0]
    wanted: FloatArray = (
        (np.arange(length)[:, None] - center) / size
    ) ** powers @ factors
    return wanted


def repeated_frames(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which frames (n, k) hold all of the frame before, in a body that moves.

    Several single ones, and frames after which the body stands elsewhere: one that
    stands still repeats frame after frame, and goes on from there.
    """
    before, after = values[:-1], values[1:]
    same = ((after == before) | (np.isnan(after) & np.isnan(before))).all(axis=1)
    alone = same[1:-1] & ~same[:-2] & ~same[2:]
    if np.count_nonzero(alone) < LEAST_REPEATED:
        alone[:] = False
    answer = np.concatenate(([False, False], alone, [False]))
    steps = np.nan_to_num(np.abs(after - before)).max(axis=1, initial=0.0)
    for start, end in runs(same):
        # Steps start … end − 1 stand; the one after makes up for them.
        if end >= steps.size - 1 or start == 0:
            continue
        usual = max(steps[start - 1], steps[end + 1])
        least = 1.5 if end - start == 1 else 0.5 * (end - start)
        if steps[end] > least * usual > 0.0:
            answer[start + 1 : end + 1] = True
    return answer


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
    """Return the coefficients b and a of the filter, and its start state."""
    cutoff = min(cutoff_hz, 0.4 * sampling_rate_hz)
    corrected = (sampling_rate_hz / math.pi) * math.atan(
        math.tan(math.pi * cutoff / sampling_rate_hz) / _TWO_PASS
    )
    return butterworth.design(corrected, sampling_rate_hz)


def lowpass(
    values: FloatArray, *, cutoff_hz: float, sampling_rate_hz: float
) -> FloatArray:
    """Return all columns after a low-pass filter that shifts nothing in time.

    Butterworth of second order, run forward and backward, so fourth order in all,
    with the cutoff corrected for two passes: `cutoff_hz` is where the amplitude is
    1/√2.

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
            f"A filter needs a positive cutoff_hz ({cutoff_hz}) and sampling_rate_hz "
            f"({sampling_rate_hz})."
        )
    count = values.shape[0]
    if count < 3:
        raise ValueError(f"A filter needs 3 samples or more, not {count}.")
    # A rate that differs in the ninth digit from file to file must not design anew.
    b, a, start = _design(float(cutoff_hz), round(float(sampling_rate_hz), 6))
    pad = min(math.ceil(PADDING_S * sampling_rate_hz), count - 1)
    # Columns as contiguous rows: one pass of the compiled filter for all of them.
    padded = np.empty((values.shape[1], count + 2 * pad))
    across = values.T
    padded[:, pad : pad + count] = across
    padded[:, :pad] = 2.0 * across[:, :1] - across[:, pad:0:-1]
    padded[:, pad + count :] = 2.0 * across[:, -1:] - across[:, -2 : -pad - 2 : -1]
    forward = butterworth.run(b, a, padded, start * padded[:, :1])
    smooth = butterworth.run(b, a, forward[:, ::-1], start * forward[:, -1:])
    return np.ascontiguousarray(smooth[:, ::-1][:, pad : pad + count]).T


def derivative(values: FloatArray, *, sampling_rate_hz: float) -> FloatArray:
    """Return the time derivative by five-point central differences.

    Parameters
    ----------
    values : ndarray, shape (n,) or (n, ...)
        n of at least 3. NaN makes its neighbors NaN.

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
        raise ValueError(f"A derivative needs 3 samples or more, not {count}.")
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


def smooth_rate(
    values: FloatArray, *, cutoff_hz: float, sampling_rate_hz: float
) -> FloatArray:
    """Return the derivative of one curve (n,) after a low-pass.

    NaN in long gaps and half a period of the filter's wave beside them.
    """
    filled, unknown = fill_gaps(values[:, None], sampling_rate_hz=sampling_rate_hz)
    if not np.isfinite(filled).all():
        return np.full(values.shape, np.nan)
    smooth = lowpass(filled, cutoff_hz=cutoff_hz, sampling_rate_hz=sampling_rate_hz)
    rate = derivative(smooth, sampling_rate_hz=sampling_rate_hz)[:, 0]
    if unknown is None:
        return rate
    unknown = widen(unknown, round(0.5 / cutoff_hz * sampling_rate_hz))
    return np.where(unknown[:, 0], np.nan, rate)
