"""How sound the delivered points of a swing are: noise, leaps, and bones that change.

A marker-based system leaves about a millimeter of noise and bones that keep their
length within a few percent; numbers of a swing with several times that are wrong in
ways that no other check sees.
"""

import math
from dataclasses import dataclass

import numpy as np

from biomechanics import axes, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.hitter import Hitter
from biomechanics.points import PLACES, POINTS, spoken

NOISE_USABLE_M, NOISE_POOR_M = 0.004, 0.008
"""Of one coordinate. At 4 mm the pelvis peak scatters by 5 %, at 8 mm first move and
foot down are missed (invented swings)."""
DRIFT_USABLE, DRIFT_POOR = 0.06, 0.15
"""Of a bone, noise left out. Real swings with markers: 3 to 5 %."""
_BONES = (
    # Not the shoulder line: shoulder blades glide, and it really changes by 5 %.
    ("lhjc", "rhjc"),
    ("lsjc", "lejc"),
    ("rsjc", "rejc"),
    ("lejc", "lwjc"),
    ("rejc", "rwjc"),
    ("lhjc", "lkjc"),
    ("rhjc", "rkjc"),
    ("lkjc", "lajc"),
    ("rkjc", "rajc"),
)
_BONE_ENDS = (
    np.array([PLACES[a] for a, _ in _BONES]),
    np.array([PLACES[b] for _, b in _BONES]),
)


@dataclass(frozen=True, slots=True)
class Soundness:
    """What is wrong with the points of a stretch.

    Attributes
    ----------
    noise_m : float
        Standard deviation of a coordinate of the noisiest point, meters.
    noisy : str
        That point in words.
    drift : float
        By which share the length of a bone changes, noise left out; of the worst.
    leaping : str or None
        A point that leaps and does not come back.
    """

    noise_m: float
    noisy: str
    drift: float
    leaping: str | None


def point_noise(hitter: Hitter) -> FloatArray:
    """Return the noise of one coordinate of each point of `POINTS`, shape (n_points,).

    Root mean square of the three, over the whole clip, in the unit of the points.
    """
    noise = signals.rough_noise(hitter.motion.raw.values)
    answer: FloatArray = np.sqrt((noise**2).mean(axis=1))
    return answer


def find_soundness(hitter: Hitter, low: float, high: float) -> Soundness:
    """Return how sound the points are in samples low…high."""
    motion = hitter.motion
    noise = point_noise(hitter)
    rows = slice(max(math.floor(low), 0), math.ceil(high) + 1)
    worst = int(noise.argmax())
    lasting = np.flatnonzero(motion.lasting[rows].any(axis=0))
    return Soundness(
        noise_m=float(noise[worst]) if motion.scale is not None else 0.0,
        noisy=spoken(POINTS[worst]),
        drift=_drift(motion.raw.values[rows], noise),
        leaping=spoken(POINTS[int(lasting[0])]) if lasting.size else None,
    )


def _drift(points: FloatArray, noise: FloatArray) -> float:
    """Return by which share the length of the worst bone changes, beyond noise.

    Parameters
    ----------
    points : ndarray, shape (n, n_points, 3)
    noise : ndarray, shape (n_points,)
    """
    size = axes.length(points[:, _BONE_ENDS[0]] - points[:, _BONE_ENDS[1]])
    there = np.isfinite(size).all(axis=0)
    if size.shape[0] < 5 or not there.any():
        return 0.0
    of_noise = noise[_BONE_ENDS[0]] ** 2 + noise[_BONE_ENDS[1]] ** 2
    size, of_noise = size[:, there], of_noise[there]
    wander = np.sqrt(np.maximum(size.var(axis=0) - of_noise, 0.0))
    mean = size.mean(axis=0)
    return float(np.fmax.reduce(wander / np.where(mean > 0, mean, np.nan)))
