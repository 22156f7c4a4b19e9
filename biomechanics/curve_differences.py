"""Tell where the curves of two sets of swings differ by more than swings scatter.

A curve has hundreds of instants, and among so many one differs by chance. So the band
is simultaneous: curves of equal sets leave it anywhere in at most 5 % of cases. Its
height comes from the theory of random fields (Worsley et al. 1996, Hum Brain Mapp
4:58; Pataky 2016, J Biomech 49:1496, on curves of movements): the expected Euler
characteristic of a t field, whose smoothness is learned from the gradients of the
residuals (Kiebel et al. 1999, NeuroImage 10:756). Both sides have a scatter of their
own, so the field is Welch's, with the degrees of freedom of Satterthwaite (1946).

The band knows the scatter of the swings that it is given and nothing of days.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy  # By its parts when first used; see `signals`.

from biomechanics.analysis_types import FloatArray
from biomechanics.curves import Aligned, middle
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD

FALSE_ALARM = 0.05
"""The chance that curves of equal sets leave the band anywhere."""
LEAST_FREEDOM = 5.0
"""Degrees of freedom below which there is no band.

At four it stands 6 to 15 standard errors away from zero, for curves as smooth as
250 and 40 ms: nothing is ever outside.
"""
LEAST_SWINGS = 5
"""Swings on each side from which there usually is a band, as long as both scatter
alike."""


@dataclass(frozen=True, slots=True, eq=False)
class CurveSet:
    """Curves of one side, and the swings that tell how they scatter.

    Attributes
    ----------
    shown : Aligned
        The swings whose average is compared; one is enough.
    scatter : Aligned
        The same swings, or, of one or two, all swings of their session.
    """

    shown: Aligned
    scatter: Aligned


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the grid, both ends included, where a difference is clear.

    `start` and `end` are in the unit of the grid; `is_higher` says the sign of now
    minus before.
    """

    start: float
    end: float
    is_higher: bool


@dataclass(frozen=True, slots=True, eq=False)
class CurveDifference:
    """Now minus before, with the band that equal sets stay inside of.

    Attributes
    ----------
    grid, delta : ndarray, shape (m,)
        `delta` is NaN where one side has no average.
    band : ndarray of shape (m,), or None
        Half-width; NaN where the scatter of a side is not known, ``None`` where that is
        everywhere or there are too few swings.
    freedom : float
        Degrees of freedom of the field; 0 where no scatter is known.
    critical : float
        Standard errors on each side that the band holds; 0 without a band.
    swings_needed : int
        From so many swings on each side there will be a band; 0 where there is one.
    """

    grid: FloatArray
    delta: FloatArray
    band: FloatArray | None
    freedom: float = 0.0
    critical: float = 0.0
    swings_needed: int = 0

    @property
    def clear(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Where the difference is outside of the band, shape (m,)."""
        if self.band is None:
            return np.zeros(self.grid.shape, dtype=bool)
        with np.errstate(invalid="ignore"):
            outside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = (
                np.abs(self.delta) > self.band
            )
        return outside

    def stretches(self) -> tuple[Stretch, ...]:
        """Return where the band is left, from the first instant to the last."""
        sign = np.where(self.clear, np.sign(self.delta), 0.0)
        edges = np.flatnonzero(np.diff(sign)) + 1
        starts = [0, *edges.tolist()]
        ends = [*(edges - 1).tolist(), sign.size - 1]
        return tuple(
            Stretch(float(self.grid[a]), float(self.grid[b]), bool(sign[a] > 0.0))
            for a, b in zip(starts, ends, strict=True)
            if sign.size and sign[a] != 0.0
        )


def curve_difference(
    before: CurveSet, now: CurveSet, *, one_scatter: bool = False
) -> CurveDifference:
    """Return how the average curves of two sets differ, now minus before.

    Parameters
    ----------
    before, now : CurveSet
        On the same grid; numbers of swings, scatter and lengths may differ.
    one_scatter : bool
        Both sides' scatter is that of the same swings, as of two swings of one session.

    Raises
    ------
    ValueError
        The grids differ.
    """
    grid = before.shown.grid
    for other in (before.scatter, now.shown, now.scatter):
        if other.grid.shape != grid.shape or not np.allclose(other.grid, grid):
            raise ValueError("All curves must be aligned on the same grid.")
    delta = middle(now.shown) - middle(before.shown)
    times = 1.0 / _swings(before.shown), 1.0 / _swings(now.shown)
    if one_scatter:
        parts = [(now.scatter, times[0] + times[1])]
    else:
        parts = [(before.scatter, times[0]), (now.scatter, times[1])]
    counts = [_swings(scatter) for scatter, _ in parts]
    if min(counts) < LEAST_SWINGS_FOR_SPREAD:
        return CurveDifference(grid, delta, None, swings_needed=LEAST_SWINGS)
    variances = [scatter.sd**2 * share for scatter, share in parts]
    variance: FloatArray = np.sum(variances, axis=0)
    known = np.isfinite(delta) & np.isfinite(variance)
    # Where all swings are one to the last bit there is no field.
    known &= np.where(known, variance, 0.0) > 0.0
    if not known.any():
        return CurveDifference(grid, delta, None, swings_needed=LEAST_SWINGS)
    doubt = sum(
        part[known] ** 2 / (count - 1)
        for part, count in zip(variances, counts, strict=True)
    )
    freedom = float((variance[known] ** 2 / doubt).mean())
    if freedom < LEAST_FREEDOM:
        shares = [float((part[known] / variance[known]).mean()) for part in variances]
        needed = _swings_needed(shares, counts)
        return CurveDifference(grid, delta, None, freedom, swings_needed=needed)
    pieces, resels = _extent(parts, variance, known)
    critical = critical_t(freedom, pieces, resels)
    band = np.where(known, critical * np.sqrt(np.where(known, variance, 0.0)), np.nan)
    return CurveDifference(grid, delta, band, freedom, critical)


def _swings(aligned: Aligned) -> int:
    """Return how many swings an average is over; 1 where there is none."""
    return max(int(aligned.kept.sum()), 1)


def _extent(
    parts: list[tuple[Aligned, float]],
    variance: FloatArray,
    known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> tuple[int, float]:
    """Return the Euler characteristic of the known instants, and their resels.

    A resel is a stretch as long as the full width at half maximum of the kernel that
    makes noise so smooth: √(4·ln 2 ⁄ v) for the variance v of the slope of a field of
    unit variance. Stretches, of which each is one piece, are parted by what is missing.
    """
    linked = known[1:] & known[:-1]
    slopes = np.zeros(linked.shape)
    for scatter, share in parts:
        rows = scatter.rows[scatter.kept]
        rest = rows - rows.mean(axis=0)
        steps = np.diff(rest, axis=1)
        slopes += (steps**2).sum(axis=0) / (rows.shape[0] - 1) * share
    between = (variance[1:] + variance[:-1]) / 2.0
    unit = slopes[linked] / between[linked]
    resels = float(np.sqrt(unit / (4.0 * math.log(2.0))).sum())
    return int(known.sum() - linked.sum()), resels


def critical_t(freedom: float, pieces: int, resels: float) -> float:
    """Return how many standard errors a t field exceeds in 5 % of cases, either way.

    Where the expected Euler characteristic of what lies above is half of
    `FALSE_ALARM`: pieces·P(T > u) + resels·√(4·ln 2)⁄2π·(1 + u²⁄ν)^(−(ν−1)⁄2).

    Parameters
    ----------
    freedom : float
        ν, more than 1.
    pieces : int
        Stretches without a gap.
    resels : float
        Length of all of them over the smoothness of the field.
    """
    scale = math.sqrt(4.0 * math.log(2.0)) / (2.0 * math.pi)

    def excess(u: float) -> float:
        density = scale * (1.0 + u * u / freedom) ** (-(freedom - 1.0) / 2.0)
        above = float(scipy.special.stdtr(freedom, -u))
        expected: float = pieces * above + resels * density
        return expected - FALSE_ALARM / 2.0

    high = 2.0
    while excess(high) > 0.0:
        high *= 2.0
    return float(scipy.optimize.brentq(excess, 0.0, high, xtol=1e-9))


def _swings_needed(shares: list[float], counts: list[int]) -> int:
    """Return from how many swings on each side the degrees of freedom will do.

    As long as the sides' `shares` in the variance stay as they are.
    """
    needed = LEAST_SWINGS
    while (
        sum(
            share**2 / (max(count, needed) - 1)
            for share, count in zip(shares, counts, strict=True)
        )
        > 1.0 / LEAST_FREEDOM
    ):
        needed += 1
    # The shares that were seen promise more than they keep: never fewer than there are.
    return max(needed, min(counts) + 1)
