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
from biomechanics.points import PLACES, POINTS, SPOKEN, other_side, spoken

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
_BESIDE = {
    "kjc": ("hjc", "ajc"),
    "ajc": ("kjc",),
    "ejc": ("sjc", "wjc"),
    "wjc": ("ejc",),
    "hjc": ("kjc",),
    "sjc": ("ejc",),
}
EXCHANGED_FROM, EXCHANGED_SHARE = 0.02, 0.5
"""Bones beside an exchanged joint change by more than the first, and by less than this
share of it once the names are right. Exchanged shoulders of an invented swing change
the upper arms by 3 to 4 % only."""
HUMAN_M = {
    ("lhjc", "rhjc"): 0.18,
    ("lsjc", "rsjc"): 0.36,
    ("lsjc", "lejc"): 0.29,
    ("rsjc", "rejc"): 0.29,
    ("lejc", "lwjc"): 0.26,
    ("rejc", "rwjc"): 0.26,
    ("lhjc", "lkjc"): 0.42,
    ("rhjc", "rkjc"): 0.42,
    ("lkjc", "lajc"): 0.41,
    ("rkjc", "rajc"): 0.41,
}
"""Lengths of an adult (de Leva 1996); children's are alike in proportion."""
MOST_APART = 2.2
"""A bone so many times too long or too short beside the others is none."""
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
    exchanged : str or None
        A joint of which left and right are exchanged: bones keep their lengths then.
    misplaced : str or None
        A bone of no human length beside the others, in words.
    """

    noise_m: float
    noisy: str
    drift: float
    leaping: str | None
    exchanged: str | None
    misplaced: str | None


def find_soundness(hitter: Hitter, low: float, high: float) -> Soundness:
    """Return how sound the points are in samples low…high."""
    motion = hitter.motion
    noise = hitter.point_noise()
    rows = slice(max(math.floor(low), 0), math.ceil(high) + 1)
    worst = int(noise.argmax())
    lasting = np.flatnonzero(motion.lasting[rows].any(axis=0))
    return Soundness(
        noise_m=float(noise[worst]) if motion.scale is not None else 0.0,
        noisy=spoken(POINTS[worst]),
        drift=_drift(motion.raw.values[rows], noise),
        leaping=spoken(POINTS[int(lasting[0])]) if lasting.size else None,
        exchanged=_exchanged_joint(motion.raw.values[rows]),
        misplaced=_misplaced(motion.raw.values[rows]),
    )


def _lengths(points: FloatArray, pairs: list[tuple[str, str]]) -> FloatArray:
    """Return the lengths of bones of points (n, n_points, 3), shape (n, n_bones)."""
    first, second = ([PLACES[pair[i]] for pair in pairs] for i in (0, 1))
    return axes.length(points[:, first] - points[:, second])


def _exchanged_joint(points: FloatArray) -> str | None:
    """Return the joint whose left and right are exchanged for the whole stretch.

    With the two names exchanged back, the bones beside it keep their lengths much
    better.
    """
    for joint, beside in _BESIDE.items():
        names = [
            (side + joint, side + next_one) for next_one in beside for side in "lr"
        ]
        crossed = [(other_side(a), b) for a, b in names]
        named, back = _lengths(points, names), _lengths(points, crossed)
        there = np.isfinite(named).all(axis=0) & np.isfinite(back).all(axis=0)
        if points.shape[0] < 5 or not there.any():
            continue
        wander = named[:, there].std(axis=0) / named[:, there].mean(axis=0)
        kept = back[:, there].std(axis=0) / back[:, there].mean(axis=0)
        # Over the bones together: a real thigh may wander by 5 % under its skin, named
        # rightly or not.
        if (
            wander.max() > EXCHANGED_FROM
            and kept.mean() < EXCHANGED_SHARE * wander.mean()
        ):
            return SPOKEN[joint]
    return None


def _misplaced(points: FloatArray) -> str | None:
    """Return in words a bone that is far too long or short beside the others."""
    size = _lengths(points, list(HUMAN_M))
    known = [i for i in range(size.shape[1]) if np.isfinite(size[:, i]).any()]
    if not known:
        return None
    usual = np.array(list(HUMAN_M.values()))[known]
    ratio = signals.medians(size[:, known]) / usual
    apart = ratio / np.median(ratio)
    worst = int(np.abs(np.log(np.maximum(apart, 1e-9))).argmax())
    if 1.0 / MOST_APART <= apart[worst] <= MOST_APART:
        return None
    first, second = list(HUMAN_M)[known[worst]]
    return f"distance from {spoken(first)} to {spoken(second)}"


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
