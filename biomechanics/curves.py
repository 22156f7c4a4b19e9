"""Put several swings on one axis: mean, spread, the typical swing.

For looking, not for reading off peaks: the peak of a mean curve is lower than the
mean of the peaks, so numbers are computed per swing and averaged afterward.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biomechanics.analysis_types import FloatArray
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD

STEP_S = 0.002
BEFORE_S = 0.6
"""How long before contact a window begins that neither load nor first move opens."""
AFTER_S = 0.15
"""How long after contact, or what stands in for it, a window ends."""
BEFORE_LOAD_S = 0.05
BEFORE_MOVE_S = 0.1

LEAST_SWING_S = 0.05
"""From first move to contact at least: percent of less stretches noise, not a swing."""

BoolArray = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Where the swing lies on an axis; None for an event that was not found.

    Attributes
    ----------
    load, first_move, contact : float or None
        Places on the axis; `contact` is that of the reference, which may stand in.
    per_s : float
        Units of the axis in one second: 1 for seconds, and 100 over the time from
        first move to contact for percent of the swing.
    """

    load: float | None
    first_move: float | None
    contact: float | None
    per_s: float = 1.0


def swing_window(swings: Sequence[Landmarks]) -> tuple[float, float] | None:
    """Return from and to where swings are drawn on their common axis.

    From 50 ms before load to 150 ms after contact, whatever the axis has at zero: what
    comes before load is waiting. Of several swings the load in the middle counts, since
    a batter who waits once should not make the others small; but the window begins at
    least 100 ms before each first move, so that it cuts no swing. Where neither event
    is known it begins 600 ms before contact. The last contact ends it.

    Returns
    -------
    tuple of float, or None
        ``None`` where no swing has a contact.
    """
    ends = [
        one.contact + AFTER_S * one.per_s for one in swings if one.contact is not None
    ]
    if not ends:
        return None
    loads = [
        one.load - BEFORE_LOAD_S * one.per_s for one in swings if one.load is not None
    ]
    starts = [
        one.first_move - BEFORE_MOVE_S * one.per_s
        for one in swings
        if one.first_move is not None
    ]
    if loads:
        starts.append(float(np.median(loads)))
    starts += [
        one.contact - BEFORE_S * one.per_s
        for one in swings
        if one.contact is not None and one.load is None and one.first_move is None
    ]
    return min(starts), max(ends)


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
        Over the swings of `kept`, where all of these give something: the average of
        other swings at each instant would step where one of them ends. NaN elsewhere
        and with fewer than `LEAST_SWINGS_FOR_SPREAD`; sd with n − 1.
    kept : ndarray of bool, shape (n_swings,)
        The swings that the mean is over (`_kept`).
    """

    grid: FloatArray
    rows: FloatArray
    mean: FloatArray
    sd: FloatArray
    kept: BoolArray


def _kept(known: BoolArray) -> BoolArray:
    """Return the swings that an average is over: all, or all but the shortest ones.

    As many as give the largest number of swings times instants that all of them have;
    never fewer than `LEAST_SWINGS_FOR_SPREAD`, nor half of those with anything.
    """
    length = known.sum(axis=1)
    order = np.argsort(-length, kind="stable")
    order = order[length[order] > 0]
    shared = np.logical_and.accumulate(known[order], axis=0).sum(axis=1)
    kept = np.zeros(known.shape[0], dtype=bool)
    if order.size:
        number = np.arange(1, order.size + 1)
        least = max(LEAST_SWINGS_FOR_SPREAD, order.size // 2 + 1)
        area = np.where(number >= min(least, order.size), number * shared, -1)
        # Of two that are level the one with more swings.
        best = order.size - int(area[::-1].argmax())
        kept[order[:best]] = True
    return kept


def middle(aligned: Aligned) -> FloatArray:
    """Return the average curve of the kept swings however few they are, shape (m,).

    NaN where one of them gives nothing.
    """
    rows = aligned.rows[aligned.kept]
    if not rows.shape[0]:
        return np.full(aligned.grid.shape, np.nan)
    answer: FloatArray = rows.mean(axis=0)
    return answer


def _statistics(grid: FloatArray, rows: FloatArray) -> Aligned:
    """Return curves on a grid with mean and spread of those that are kept."""
    kept = _kept(np.isfinite(rows))
    mean = sd = np.full(grid.shape, np.nan)
    if np.count_nonzero(kept) >= LEAST_SWINGS_FOR_SPREAD:
        mean = rows[kept].mean(axis=0)
        sd = rows[kept].std(axis=0, ddof=1)
    return Aligned(grid=grid, rows=rows, mean=mean, sd=sd, kept=kept)


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

    Time is stretched, so rates must be read with the time axis of `align` instead. A
    swing that lasts less than `LEAST_SWING_S` is left out.
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
        if lasting >= LEAST_SWING_S:
            rows[place] = _sample(curve.start_s + grid / 100.0 * lasting, curve)
    return _statistics(grid, rows)


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
