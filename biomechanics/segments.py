"""Masses of the body's segments: its center of mass and the energy of its arms.

Shares of the body's mass, and where each center lies on the way from the first to the
second end, after de Leva (1996, J Biomech 29:1223). Hand and foot are taken at wrist
and ankle. They only check delivered curves; no number is made of them.
"""

import numpy as np

from biomechanics import axes, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.hitter import Hitter

TRUNK, TRUNK_AT = 0.4346, 0.45
"""From the middle of the hips to that of the shoulders."""
HEAD, HEAD_AT = 0.0694, 1.4
"""On the same way, where no head was tracked."""
ARM = (
    ("sjc", "ejc", 0.0271, 0.577),
    ("ejc", "wjc", 0.0162, 0.457),
    ("wjc", "wjc", 0.0061, 0.0),
)
LEG = (
    ("hjc", "kjc", 0.1416, 0.410),
    ("kjc", "ajc", 0.0433, 0.446),
    ("ajc", "ajc", 0.0137, 0.0),
)


_ALL = slice(None)


def _centers(
    hitter: Hitter,
    segments: tuple[tuple[str, str, float, float], ...],
    samples: slice = _ALL,
) -> tuple[FloatArray, FloatArray]:
    """Return centers (n, k, 3) and masses (k,) of the segments of both sides."""
    points = hitter.limbs
    centers = []
    for side in "lr":
        for first, second, _, at in segments:
            start = points[side + first][samples]
            centers.append(start + at * (points[side + second][samples] - start))
    masses = np.array([mass for _, _, mass, _ in segments] * 2)
    return np.stack(centers, axis=1), masses


def center_of_mass(hitter: Hitter, samples: slice = _ALL) -> FloatArray:
    """Return the center of mass of the segments (n, 3), in the unit of the points."""
    hips = hitter.body.mid_hip[samples]
    trunk = hitter.body.mid_shoulder[samples] - hips
    head = hips + HEAD_AT * trunk
    if "head" not in hitter.motion.absent:
        head = hitter.trunk["head"][samples]
    limbs, masses = _centers(hitter, ARM + LEG, samples)
    total = TRUNK * (hips + TRUNK_AT * trunk) + HEAD * head
    total = total + np.einsum("nkj,k->nj", limbs, masses)
    answer: FloatArray = total / (TRUNK + HEAD + masses.sum())
    return answer


def arms_energy(hitter: Hitter) -> FloatArray:
    """Return the energy of both arms by the speed of their points, shape (n,).

    For a body of one kilogram, in the unit of the points; without the turn of a segment
    about its own center, a few percent.
    """
    centers, masses = _centers(hitter, ARM)
    velocity = signals.derivative(
        centers.reshape(centers.shape[0], -1), sampling_rate_hz=hitter.rate_hz
    ).reshape(centers.shape)
    energy: FloatArray = 0.5 * axes.length(velocity) ** 2 @ masses
    return energy


def arms_momentum(hitter: Hitter, samples: slice) -> FloatArray:
    """Return the size of both arms' angular momentum about the body's center, (k,).

    For a body of one kilogram, in the unit of the points squared per second; without
    the spin of a segment about its own center.
    """
    centers, masses = _centers(hitter, ARM, samples)
    off = centers - center_of_mass(hitter, samples)[:, None, :]
    velocity = signals.derivative(
        off.reshape(off.shape[0], -1), sampling_rate_hz=hitter.rate_hz
    ).reshape(off.shape)
    moment = np.einsum("nkj,k->nj", np.cross(off, velocity), masses)
    return axes.length(moment)
