"""Turn rates and angles from lines between joint centres.

Signs are the same for both hands: rotation + is open towards the pitcher,
separation + is pelvis ahead, side bend + is towards the rear side, forward bend + is
over the plate. `hand` is +1 for a hitter whose left leg leads, −1 for the other.
"""

from dataclasses import dataclass

import numpy as np

from athletes.biomechanics import axes, signals
from athletes.biomechanics.results import FloatArray
from athletes.biomechanics.units import DEG_PER_RAD


def turn(line: FloatArray, *, sampling_rate_hz: float) -> FloatArray:
    """Turn-rate vector of a body line.

    Parameters
    ----------
    line : ndarray, shape (n, 3)
        Unit vectors, any frame of reference, any length unit before normalising.

    Returns
    -------
    ndarray, shape (n, 3)
        Ω = u × du/dt in deg/s; its length is ‖du/dt‖. Spin about the line itself is
        not seen.
    """
    rate = signals.derivative(line, sampling_rate_hz=sampling_rate_hz)
    return axes.cross(line, rate) * DEG_PER_RAD


def main_axis(turning: FloatArray, low: int, high: int) -> FloatArray | None:
    """Return unit(ΣΩ) over samples `low` to `high`, ``None`` if there is no turn."""
    rows = turning[max(low, 0) : high + 1]
    total = np.nansum(rows, axis=0) if rows.size else np.zeros(3)
    size = float(np.sqrt(total @ total))
    return total / size if size > 0.0 else None


def flexion(a: FloatArray, joint: FloatArray, c: FloatArray) -> FloatArray:
    """Bend at `joint` between `a` and `c` in degrees, 0 = straight; shapes (n, 3).

    Uses atan2 of sine and cosine: arccos loses half its digits near straight.
    """
    first, second = joint - a, c - joint
    sine = axes.length(axes.cross(first, second))
    answer: FloatArray = np.arctan2(sine, axes.dot(first, second)) * DEG_PER_RAD
    return answer


def twist(
    pelvis: FloatArray, shoulders: FloatArray, trunk: FloatArray, *, hand: float
) -> FloatArray:
    """Hip-shoulder separation: twist about the trunk line, degrees.

    Parameters
    ----------
    pelvis, shoulders : ndarray, shape (n, 3)
        Unit lines from rear to lead.
    trunk : ndarray, shape (n, 3)
        Unit line from mid-hip to mid-shoulder.

    Returns
    -------
    ndarray, shape (n,)
        + = pelvis ahead of the shoulders.

    Notes
    -----
    Not the difference of two headings seen from above: for one pose 27° forward and
    7° sideways that reads 27° where the twist is 22°.
    """
    p = pelvis - axes.dot(pelvis, trunk)[:, None] * trunk
    q = shoulders - axes.dot(shoulders, trunk)[:, None] * trunk
    sine = axes.dot(trunk, axes.cross(q, p))
    answer: FloatArray = hand * np.arctan2(sine, axes.dot(q, p)) * DEG_PER_RAD
    return answer


def unwrapped(angle_deg: FloatArray) -> FloatArray:
    """Unwrap degrees along time, stepping over NaN."""
    there = np.isfinite(angle_deg)
    if there.all():
        whole: FloatArray = np.unwrap(angle_deg, period=360.0)
        return whole
    answer = angle_deg.copy()
    answer[there] = np.unwrap(angle_deg[there], period=360.0)
    return answer


def rotation(
    line: FloatArray, *, forward: FloatArray, vertical: FloatArray, hand: float
) -> FloatArray:
    """Heading of a rear-to-lead line to the forward direction, degrees, unwrapped.

    0 = parallel to `forward` (sideways to the pitcher), + = open.
    """
    sine = axes.cross(np.broadcast_to(forward, line.shape), line) @ vertical
    return unwrapped(hand * np.arctan2(sine, line @ forward) * DEG_PER_RAD)


def on_branch(angle_deg: FloatArray, position: float | None) -> FloatArray:
    """Shift an unwrapped angle by whole turns so that it lies in (−180, 180] there."""
    if position is None:
        return angle_deg
    value = signals.value_at(angle_deg, position)
    if value is None:
        return angle_deg
    return angle_deg - 360.0 * float(np.ceil((value - 180.0) / 360.0))


def side_bend(
    trunk: FloatArray, shoulders: FloatArray, *, vertical: FloatArray
) -> FloatArray:
    """Sideways lean of the trunk line in degrees, + towards the rear side."""
    level = axes.unit(axes.horizontal(shoulders, vertical))
    answer: FloatArray = (
        np.arctan2(-axes.dot(trunk, level), trunk @ vertical) * DEG_PER_RAD
    )
    return answer


def forward_bend(
    trunk: FloatArray, shoulders: FloatArray, *, vertical: FloatArray, hand: float
) -> FloatArray:
    """Lean of the trunk line towards the plate in degrees."""
    ahead = axes.unit(
        hand * axes.cross(shoulders, np.broadcast_to(vertical, shoulders.shape))
    )
    answer: FloatArray = (
        np.arctan2(axes.dot(trunk, ahead), trunk @ vertical) * DEG_PER_RAD
    )
    return answer


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Lines of one hitter once it is known which side leads.

    Lines are unit vectors, shape (n, 3); `*_turn` are turn-rate vectors in deg/s.
    """

    hand: float
    pelvis: FloatArray
    shoulders: FloatArray
    trunk: FloatArray
    mid_hip: FloatArray
    mid_shoulder: FloatArray
    pelvis_turn: FloatArray
    torso_turn: FloatArray


def body_lines(
    hips: tuple[FloatArray, FloatArray],
    shoulders: tuple[FloatArray, FloatArray],
    *,
    hand: float,
    sampling_rate_hz: float,
) -> Body:
    """Build the lines from (lead, rear) joint centres, each of shape (n, 3)."""
    pelvis = axes.unit(hips[0] - hips[1])
    across = axes.unit(shoulders[0] - shoulders[1])
    mid_hip = 0.5 * (hips[0] + hips[1])
    mid_shoulder = 0.5 * (shoulders[0] + shoulders[1])
    return Body(
        hand=hand,
        pelvis=pelvis,
        shoulders=across,
        trunk=axes.unit(mid_shoulder - mid_hip),
        mid_hip=mid_hip,
        mid_shoulder=mid_shoulder,
        pelvis_turn=turn(pelvis, sampling_rate_hz=sampling_rate_hz),
        torso_turn=turn(across, sampling_rate_hz=sampling_rate_hz),
    )
