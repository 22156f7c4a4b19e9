"""Put several swings on one axis: mean, spread, difference, the typical swing.

For looking, not for reading off peaks: the peak of a mean curve is lower than the
mean of the peaks, so numbers are computed per swing and averaged afterward.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biomechanics.analysis_types import FloatArray
from biomechanics.change import Z_95
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD

STEP_S = 0.002
BEFORE_S = 0.6
AFTER_S = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One swing's curve with the instants by which it is aligned.

    Attributes
    ----------
    time_s, values : ndarray, shape (n,)
    zero_s : float or None
        The event at which the common axis is zero (or 100 % for `align_percent`).
    start_s : float or None
        First move, 0 % of `align_percent`.
    """

    time_s: FloatArray
    values: FloatArray
    zero_s: float | None
    start_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Curves on a common grid.

    Attributes
    ----------
    grid : ndarray, shape (m,)
        Seconds from the event, or percent from first move to reference.
    rows : ndarray, shape (n_swings, m)
        NaN where a swing gives nothing.
    mean, sd : ndarray, shape (m,)
        NaN where fewer than `LEAST_SWINGS_FOR_SPREAD` swings contribute; sd with n − 1.
    count : ndarray of int, shape (m,)
    """

    grid: FloatArray
    rows: FloatArray
    mean: FloatArray
    sd: FloatArray
    count: np.ndarray[tuple[int, ...], np.dtype[np.int_]]


def _statistics(grid: FloatArray, rows: FloatArray) -> Aligned:
    """Return curves on a grid with mean and spread at each of its points."""
    known = np.isfinite(rows)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, rows, 0.0).sum(axis=0) / count
        squares = np.where(known, rows - mean, 0.0) ** 2
        sd = np.sqrt(squares.sum(axis=0) / (count - 1))
    few = count < LEAST_SWINGS_FOR_SPREAD
    return Aligned(
        grid=grid,
        rows=rows,
        mean=np.where(few, np.nan, mean),
        sd=np.where(few, np.nan, sd),
        count=count,
    )


def _sample(wanted: FloatArray, curve: Curve) -> FloatArray:
    """Return a curve at the `wanted` times, NaN outside of it."""
    answer: FloatArray = np.interp(
        wanted, curve.time_s, curve.values, left=np.nan, right=np.nan
    )
    return answer


def align(
    curves: Sequence[Curve],
    *,
    before_s: float = BEFORE_S,
    after_s: float = AFTER_S,
    step_s: float = STEP_S,
) -> Aligned:
    """Return curves on a common time grid around an event.

    Linear interpolation; a curve without the event is left out (its row is NaN).

    Raises
    ------
    ValueError
        A negative reach or a step that is not positive.
    """
    if before_s < 0 or after_s < 0 or not step_s > 0:
        raise ValueError(
            f"before_s ({before_s}) and after_s ({after_s}) must not be negative, and "
            f"step_s ({step_s}) must be positive."
        )
    grid: FloatArray = step_s * np.arange(
        -round(before_s / step_s), round(after_s / step_s) + 1, dtype=np.float64
    )
    rows = np.full((len(curves), grid.size), np.nan)
    for place, curve in enumerate(curves):
        if curve.zero_s is not None and curve.time_s.size > 1:
            rows[place] = _sample(grid + curve.zero_s, curve)
    return _statistics(grid, rows)


def align_percent(
    curves: Sequence[Curve],
    *,
    low: float = -50.0,
    high: float = 120.0,
    step: float = 1.0,
) -> Aligned:
    """Return curves on percent of the swing: 0 = first move, 100 = reference.

    Time is stretched, so rates must be read with the time axis of `align` instead.
    """
    if not (high > low and step > 0):
        raise ValueError(
            f"A grid needs low < high and a positive step, not {low}, {high}, {step}."
        )
    grid: FloatArray = low + step * np.arange(
        math.floor((high - low) / step + 1e-9) + 1, dtype=np.float64
    )
    rows = np.full((len(curves), grid.size), np.nan)
    for place, curve in enumerate(curves):
        if curve.zero_s is None or curve.start_s is None or curve.time_s.size < 2:
            continue
        lasting = curve.zero_s - curve.start_s
        if lasting > 0:
            rows[place] = _sample(curve.start_s + grid / 100.0 * lasting, curve)
    return _statistics(grid, rows)


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """B minus A with the band inside which it is noise.

    Attributes
    ----------
    delta : ndarray, shape (m,)
    band : ndarray, shape (m,)
        Half-width: 1.96·√(sd²/n_A + sd²/n_B) of the pooled standard deviation.
    clear : ndarray of bool, shape (m,)
    """

    grid: FloatArray
    delta: FloatArray
    band: FloatArray
    clear: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def difference(a: Aligned, b: Aligned) -> Difference:
    """Return the difference of two sets of aligned curves, B minus A.

    Raises
    ------
    ValueError
        The grids differ.
    """
    if a.grid.shape != b.grid.shape or not np.allclose(a.grid, b.grid):
        raise ValueError("Both sets of curves must be aligned on the same grid.")
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = a.count + b.count - 2
        pooled = (a.sd**2 * (a.count - 1) + b.sd**2 * (b.count - 1)) / freedom
        band = Z_95 * np.sqrt(pooled / a.count + pooled / b.count)
    delta = b.mean - a.mean
    with np.errstate(invalid="ignore"):
        clear = np.abs(delta) > band
    return Difference(a.grid, delta, band, clear)


def band_width(aligned: Aligned, *, low: float, high: float) -> float | None:
    """Return the root-mean-square spread from `low` to `high` on the grid.

    ``None`` where there is no spread.
    """
    chosen = aligned.sd[(aligned.grid >= low) & (aligned.grid <= high)]
    chosen = chosen[np.isfinite(chosen)]
    return float(np.sqrt((chosen**2).mean())) if chosen.size else None


def representative(sets: Sequence[Aligned]) -> int | None:
    """Return which swing is nearest to the mean over several curves.

    Parameters
    ----------
    sets : sequence of Aligned
        One per curve, the same swings in the same order.

    Returns
    -------
    int or None
        Index of the swing with the smallest root-mean-square distance, each curve in
        units of its own band width so that degrees do not outweigh meters per
        second; ``None`` with fewer than `LEAST_SWINGS_FOR_SPREAD` swings.
    """
    if not sets:
        return None
    swings = sets[0].rows.shape[0]
    total, used = np.zeros(swings), np.zeros(swings)
    for item in sets:
        if item.rows.shape[0] != swings:
            raise ValueError(
                "Every set of curves must hold the same swings in the same order."
            )
        there = np.isfinite(item.mean) & np.isfinite(item.sd)
        if not there.any():
            continue
        width = float(np.sqrt((item.sd[there] ** 2).mean())) or 1.0
        off = (item.rows[:, there] - item.mean[there]) / width
        known = np.isfinite(off)
        enough = known.sum(axis=1) > 0.5 * there.sum()
        squares = np.where(known, off, 0.0) ** 2
        mean_square = squares.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        total += np.where(enough, mean_square, 0.0)
        used += enough
    whole = used == used.max()
    if used.max() == 0 or np.count_nonzero(whole) < LEAST_SWINGS_FOR_SPREAD:
        return None
    return int(np.where(whole, total, np.inf).argmin())
