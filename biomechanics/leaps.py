"""Find frames in which points leap off their way and back.

A marker taken for another, left taken for right for a while, a frame in tilted axes:
the point is somewhere else within one frame, and returns within one. No joint moves
so. What lies between the two leaps is no measurement of that point.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biomechanics import axes, signals
from biomechanics.analysis_types import FloatArray

LEAST_M = 0.015
"""A step may differ by this from the steps around it (real joints: under 5 mm at 120
frames a second)."""
STEP_SHARE = 0.1
"""And by this share of them."""
BAT_STEP_SHARE = 0.35
"""A ball takes up to a third of the bat's speed within one step."""
NOISES = 10.0
"""And by so many standard deviations of a coordinate's noise."""
LONGEST_S = 0.120
"""A point that stays away longer has not leapt back."""
WHOLE_SHARE = 0.5
"""When so many points leap in a frame, the frame itself is at fault."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaps:
    """Frames in which points were off their way.

    Attributes
    ----------
    away : ndarray of bool, shape (n, k)
        Between the leap off and the leap back.
    lasting : ndarray of bool, shape (n, k)
        The first frame after a leap that no other takes back.
    """

    away: npt.NDArray[np.bool_]
    lasting: npt.NDArray[np.bool_]


def find_leaps(
    points: FloatArray,
    *,
    sampling_rate_hz: float,
    meter: float,
    step_share: float = STEP_SHARE,
) -> Leaps:
    """Return where points leap.

    Parameters
    ----------
    points : ndarray, shape (n, k, 3)
        As delivered, NaN in gaps.
    meter : float
        One meter in their unit.
    step_share : float
        Share of a step by which it may differ from its neighbors.
    """
    count, many = points.shape[:2]
    away = np.zeros((count, many), dtype=bool)
    lasting = np.zeros((count, many), dtype=bool)
    if count < 8:
        return Leaps(away, lasting)
    steps = points[1:] - points[:-1]
    usual = np.full(steps.shape, np.nan)
    usual[2:-2] = _middle_of_four(steps[:-4], steps[1:-3], steps[3:-1], steps[4:])
    off = steps - usual
    noise = axes.length(signals.rough_noise(points)) / np.sqrt(3.0)
    limit = (
        LEAST_M * meter
        + step_share * axes.length(usual)
        + NOISES * np.nan_to_num(noise)
    )
    leaping = axes.length(off) > limit
    longest = LONGEST_S * sampling_rate_hz + 1e-6
    for point in np.flatnonzero(leaping.any(axis=0)):
        start: int | None = None
        for step in np.flatnonzero(leaping[:, point]):
            frame = int(step) + 1
            if start is None:
                start = frame
                continue
            back = float(off[start - 1, point] @ off[step, point]) < 0.0
            if back and frame - start <= longest:
                away[start:frame, point] = True
                start = None
            else:
                lasting[start, point] = True
                start = frame
        if start is not None:
            lasting[start, point] = True
    return Leaps(away, lasting)


def _middle_of_four(
    a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray
) -> FloatArray:
    """Return the mean of the middle two of four values; NaN counts as the highest."""
    # `fmin` leaves NaN out and `maximum` keeps it, as the highest number would be.
    lower = np.maximum(np.fmin(a, b), np.fmin(c, d))
    higher = np.fmin(np.maximum(a, b), np.maximum(c, d))
    answer: FloatArray = 0.5 * (lower + higher)
    return answer


def whole_frames(away: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the frames (n,) in which most of the k points are `away`, shape (n, k)."""
    answer: npt.NDArray[np.bool_] = away.mean(axis=1) >= WHOLE_SHARE
    return answer
