"""Rotation speeds and angles from lines between joint centers.

Signs are the same for both hands: rotation + is open toward the pitcher,
separation + is pelvis ahead, side bend + is toward the rear side, forward bend + is
over the plate. `hand` is +1 for a hitter whose left leg leads, −1 for the other.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from biomechanics import axes, peaks, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.units import DEG_PER_RAD


def turn(line: FloatArray, *, sampling_rate_hz: float) -> FloatArray:
    """Return the rotation-speed vector of a body line.

    Parameters
    ----------
    line : ndarray, shape (n, 3) or (n, k, 3)
        Unit vectors, any frame of reference, any length unit before normalizing.

    Returns
    -------
    ndarray, same shape
        Ω = u × du/dt in deg/s; its length is ‖du/dt‖. Spin about the line itself is
        not seen.
    """
    rate = signals.derivative(line, sampling_rate_hz=sampling_rate_hz)
    return axes.cross(line, rate) * DEG_PER_RAD


def main_axis(turning: FloatArray, low: int, high: int) -> FloatArray | None:
    """Return unit(ΣΩ) over samples `low` to `high`, ``None`` if there is no turn."""
    rows = turning[max(low, 0) : high + 1]
    total = rows.sum(axis=0)
    if not math.isfinite(total.sum()):
        total = np.nansum(rows, axis=0)
    size = float(np.sqrt(total @ total))
    return total / size if size > 0.0 else None


def flexion(a: FloatArray, joint: FloatArray, c: FloatArray) -> FloatArray:
    """Return the bend at `joint` between `a` and `c`, degrees, 0 = straight.

    All of shape (..., 3). Uses atan2 of sine and cosine: arccos loses half its digits
    near straight.
    """
    first, second = joint - a, c - joint
    sine = axes.length(axes.cross(first, second))
    answer: FloatArray = np.arctan2(sine, axes.dot(first, second)) * DEG_PER_RAD
    return answer


def twist(
    pelvis: FloatArray, shoulders: FloatArray, trunk: FloatArray, *, hand: float
) -> FloatArray:
    """Return hip-shoulder separation as the twist about the trunk line, degrees.

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
    # Between the parts of both lines square to the trunk. What lies along the trunk
    # adds nothing to the triple product and its product to the cosine.
    sine = axes.dot(trunk, axes.cross(shoulders, pelvis))
    along = axes.dot(pelvis, trunk) * axes.dot(shoulders, trunk)
    cosine = axes.dot(pelvis, shoulders) - along
    answer: FloatArray = hand * np.arctan2(sine, cosine) * DEG_PER_RAD
    return answer


def unwrapped(angle_deg: FloatArray) -> FloatArray:
    """Return angles in degrees without jumps of a whole turn, stepping over NaN."""
    there = np.isfinite(angle_deg)
    known = angle_deg[there]
    # Most angles never jump by half a turn, and then there is nothing to undo.
    if known.size < 2 or np.abs(known[1:] - known[:-1]).max() < 180.0:
        return angle_deg
    answer = angle_deg.copy()
    answer[there] = np.unwrap(known, period=360.0)
    return answer


def rotation(
    line: FloatArray, *, forward: FloatArray, vertical: FloatArray, hand: float
) -> FloatArray:
    """Return the heading of a rear-to-lead line to the forward direction, degrees.

    Unwrapped; 0 = parallel to `forward` (sideways to the pitcher), + = open.
    """
    # (forward × line) · vertical, with the product of the two that stand still.
    sine = line @ axes.cross(vertical, forward)
    return unwrapped(hand * np.arctan2(sine, line @ forward) * DEG_PER_RAD)


def on_branch(angle_deg: FloatArray, position: float | None) -> FloatArray:
    """Return an unwrapped angle shifted to (−180, 180] at a sample, by whole turns."""
    if position is None:
        return angle_deg
    value = peaks.value_at(angle_deg, position)
    if value is None:
        return angle_deg
    return angle_deg - 360.0 * float(np.ceil((value - 180.0) / 360.0))


def side_bend(
    trunk: FloatArray, shoulders: FloatArray, *, vertical: FloatArray
) -> FloatArray:
    """Return the sideways tilt of the trunk line in degrees, + toward the rear side.

    Out of the upright plane square to the shoulders, in which the trunk bends forward:
    bending forward does not change it.
    """
    level = axes.unit(axes.horizontal(shoulders, vertical))
    sideways = np.clip(-axes.dot(trunk, level), -1.0, 1.0)
    answer: FloatArray = np.arcsin(sideways) * DEG_PER_RAD
    return answer


def forward_bend(
    trunk: FloatArray, shoulders: FloatArray, *, vertical: FloatArray, hand: float
) -> FloatArray:
    """Return the lean of the trunk line toward the plate in degrees."""
    ahead = axes.unit(hand * axes.cross(shoulders, vertical))
    answer: FloatArray = (
        np.arctan2(axes.dot(trunk, ahead), trunk @ vertical) * DEG_PER_RAD
    )
    return answer


@dataclass(frozen=True, slots=True, eq=False)
class TurnRates:
    """Signed rotation speeds about the main axis of the swing's turn.

    Attributes
    ----------
    pelvis, torso : ndarray, shape (n,)
        Of the hip line and the shoulder line in deg/s, + in the direction of the
        swing; NaN when there is no turn.
    """

    pelvis: FloatArray
    torso: FloatArray


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
    """Return the lines of a body from its (lead, rear) joint centers.

    Joint centers have shape (n, 3).
    """
    mid_hip = 0.5 * (hips[0] + hips[1])
    mid_shoulder = 0.5 * (shoulders[0] + shoulders[1])
    lines = axes.unit(
        axes.together(
            hips[0] - hips[1], shoulders[0] - shoulders[1], mid_shoulder - mid_hip
        )
    )
    turning = turn(lines[:, :2], sampling_rate_hz=sampling_rate_hz)
    return Body(
        hand=hand,
        pelvis=lines[:, 0],
        shoulders=lines[:, 1],
        trunk=lines[:, 2],
        mid_hip=mid_hip,
        mid_shoulder=mid_shoulder,
        pelvis_turn=turning[:, 0],
        torso_turn=turning[:, 1],
    )


def mirrored(body: Body) -> Body:
    """Return the lines of a hitter whose other side leads."""
    return replace(
        body, hand=-body.hand, pelvis=-body.pelvis, shoulders=-body.shoulders
    )


def signed_rates(body: Body, low: int, high: int) -> TurnRates:
    """Return the rotation speeds about the main axis of samples `low` to `high`."""

    def about_main_axis(turning: FloatArray) -> FloatArray:
        axis = main_axis(turning, low, high)
        if axis is None:
            return np.full(turning.shape[0], np.nan)
        rate: FloatArray = turning @ axis
        return rate

    return TurnRates(
        pelvis=about_main_axis(body.pelvis_turn),
        torso=about_main_axis(body.torso_turn),
    )


def separation(body: Body) -> FloatArray:
    """Return the hip-shoulder separation in degrees, + = pelvis ahead, shape (n,)."""
    return twist(body.pelvis, body.shoulders, body.trunk, hand=body.hand)
