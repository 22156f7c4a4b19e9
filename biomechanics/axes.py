"""Vectors: lengths, directions, the vertical, and the unit of length.

Nothing here trusts a column's name further than the geometry allows.
"""

import math
from dataclasses import dataclass

import numpy as np

from biomechanics.analysis_types import FloatArray
from biomechanics.units import M_PER_IN

VERTICAL_LIMIT_DEG = 25.0
"""An axis counts as vertical if the standing body is within this of it (choice)."""
SCALES = (1.0, 0.01, 0.001, M_PER_IN)
"""Meters, centimeters, millimeters, inches."""
UPPER_ARM_M = (0.20, 0.42)
HIPS_M = (0.12, 0.30)
_AXIS_NAMES = ("x", "y", "z")


def length(vectors: FloatArray) -> FloatArray:
    """Return the lengths of `vectors`, shape (n, 3) → (n,)."""
    answer: FloatArray = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return answer


def unit(vectors: FloatArray) -> FloatArray:
    """Return `vectors` (..., 3) at length one; NaN where there is no length."""
    size = length(vectors)
    size = np.where(size > 0.0, size, np.nan)
    answer: FloatArray = vectors / size[..., None]
    return answer


def together(*vectors: FloatArray) -> FloatArray:
    """Return k arrays of shape (n, 3) as one of shape (n, k, 3).

    One call then does for all of them: on the few hundred samples of a swing a call
    of numpy costs as much as its arithmetic.
    """
    answer: FloatArray = np.array([each.T for each in vectors]).transpose(2, 0, 1)
    return answer


def cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the cross product of (..., 3) with (..., 3).

    Several times quicker than numpy's general one on small arrays.
    """
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    first = ay * bz - az * by
    # The samples of a column side by side, as in all arrays here; see `signals`.
    answer = np.empty((3, *first.shape[::-1])).T
    answer[..., 0] = first
    answer[..., 1] = az * bx - ax * bz
    answer[..., 2] = ax * by - ay * bx
    return answer


def dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the dot product along the last axis."""
    if b.ndim == 1:
        answer: FloatArray = a @ b
        return answer
    rows: FloatArray = np.einsum("...i,...i->...", a, b)
    return rows


def mean_direction(vectors: FloatArray) -> FloatArray | None:
    """Return the mean direction of (n, 3) vectors, NaN rows left out, or ``None``."""
    rows = vectors[np.isfinite(vectors).all(axis=1)]
    if rows.shape[0] == 0:
        return None
    mean = rows.mean(axis=0)
    size = float(np.sqrt(mean @ mean))
    return mean / size if size > 1e-9 else None


@dataclass(frozen=True, slots=True)
class Vertical:
    """The axis of the file that points up.

    Attributes
    ----------
    axis : ndarray, shape (3,), or None
        ``None`` when no axis is near enough to the standing body.
    name : str or None
        Such as ``+z``.
    lean_deg : float or None
        Angle between the axis and the body.
    """

    axis: FloatArray | None
    name: str | None
    lean_deg: float | None


def find_vertical(standing: FloatArray) -> Vertical:
    """Return the coordinate axis along which the body stands.

    Parameters
    ----------
    standing : ndarray, shape (n, 3)
        Mid-shoulder minus mid-ankle over the stance.

    Returns
    -------
    Vertical
        Without axis if the nearest one is more than `VERTICAL_LIMIT_DEG` away.
    """
    up = mean_direction(unit(standing))
    if up is None:
        return Vertical(None, None, None)
    nearest = int(np.abs(up).argmax())
    sign = 1.0 if up[nearest] > 0 else -1.0
    lean = math.degrees(math.acos(min(1.0, abs(float(up[nearest])))))
    name = ("+" if sign > 0 else "−") + _AXIS_NAMES[nearest]
    if lean > VERTICAL_LIMIT_DEG:
        return Vertical(None, None, lean)
    axis = np.zeros(3)
    axis[nearest] = sign
    return Vertical(axis, name, lean)


def horizontal(vectors: FloatArray, vertical: FloatArray) -> FloatArray:
    """Return the level part of `vectors`, shape (..., 3)."""
    answer: FloatArray = vectors - (vectors @ vertical)[..., None] * vertical
    return answer


def find_scale(
    *, upper_arm: float | None, hips: float | None
) -> tuple[float | None, dict[str, float | None]]:
    """Return the factor that makes the coordinates meters.

    Parameters
    ----------
    upper_arm, hips : float or None
        Median distance shoulder to elbow and hip to hip, in the file's unit.

    Returns
    -------
    scale : float or None
        ``None`` if no factor puts both lengths where a person's are.
    evidence : dict
    """
    evidence = {"upper_arm": upper_arm, "hip_to_hip": hips}
    if upper_arm is None or hips is None:
        return None, evidence
    for scale in SCALES:
        if (
            UPPER_ARM_M[0] <= upper_arm * scale <= UPPER_ARM_M[1]
            and HIPS_M[0] <= hips * scale <= HIPS_M[1]
        ):
            return scale, evidence
    return None, evidence
