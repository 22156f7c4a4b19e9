"""Speed, directions and path of the bat, from its tracked points alone.

Nothing about the bat is ever derived from hands or energy.
"""

import math
from dataclasses import dataclass

import numpy as np

from biomechanics import axes, kinematics, peaks, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.motion import BAT_CUTOFF_HZ, BAT_CUTOFF_LOW_RATE_HZ, BAT_LOW_RATE_HZ
from biomechanics.points import BatPoints
from biomechanics.units import DEG_PER_RAD

SWEET_SPOT_FROM_TIP_M = 0.1524
"""Six inches, the point that Statcast and Blast use."""
BAT_LENGTH_WANDER = 0.05
BAT_LENGTH_M = (0.35, 1.10)
AROUND_S = (-0.30, 0.10)
PEAK_AROUND_S = (-0.03, 0.15)
ATTACK_S = 0.010
TILT_S = 0.040


@dataclass(frozen=True, slots=True, eq=False)
class BatMotion:
    """Filtered bat on the movement's clock.

    Attributes
    ----------
    line : ndarray, shape (n, 3)
        Unit vectors from knob to tip. Rows after `last` are NaN.
    rate : ndarray, shape (n,)
        Turn rate, deg/s.
    sweet_spot, velocity : ndarray, shape (n, 3), or None
        ``None`` when the sweet spot cannot be placed without a length unit.
    speed : ndarray, shape (n,), or None
    tip : ndarray, shape (n, 3), or None
    last : int
        Last sample: the one after contact, or the end of the clip.
    """

    line: FloatArray
    rate: FloatArray
    sweet_spot: FloatArray | None
    velocity: FloatArray | None
    speed: FloatArray | None
    tip: FloatArray | None
    last: int
    low_rate: bool


@dataclass(frozen=True, slots=True)
class BatCheck:
    """Whether the points of a bat may be used.

    Attributes
    ----------
    reason : str or None
        Why not.
    evidence : dict
        Length of the bat in meters, and by which share of it the length changes.
    """

    usable: bool
    reason: str | None
    evidence: dict[str, float | None]


def check_bat(
    points: BatPoints | None,
    *,
    hand_peak: float,
    sampling_rate_hz: float,
    scale: float | None,
) -> BatCheck:
    """Return whether the bat was tracked well enough through the swing.

    Refused when points are missing around peak hand speed, when the distance of the
    two points wanders by more than 5 % of its median (95th percentile of the
    deviations), or when it is no bat's length.
    """
    if points is None:
        return BatCheck(False, "no bat was tracked", {})
    low = max(0, math.floor(hand_peak + AROUND_S[0] * sampling_rate_hz))
    high = math.ceil(hand_peak + AROUND_S[1] * sampling_rate_hz) + 1
    if points.unknown[low:high].any():
        return BatCheck(False, "the bat was lost during the swing", {})
    size = axes.length(points.end[low:high] - points.knob[low:high])
    median = signals.median(size) if size.size else 0.0
    if median <= 0.0:
        return BatCheck(False, "no bat was tracked: its points coincide", {})
    wander = float(np.sort(np.abs(size / median - 1.0))[int(0.95 * (size.size - 1))])
    evidence: dict[str, float | None] = {
        "length_m": round(median, 3) if scale else None,
        "wander": round(wander, 4),
    }
    if wander > BAT_LENGTH_WANDER:
        return BatCheck(
            False,
            f"the bat's length changes by {wander * 100:.0f} % during the swing, so "
            "its points cannot be trusted",
            evidence,
        )
    if scale is not None and not BAT_LENGTH_M[0] <= median <= BAT_LENGTH_M[1]:
        return BatCheck(
            False, f"the points taken for a bat are {median:.2f} m apart", evidence
        )
    return BatCheck(True, None, evidence)


def bat_motion(
    points: BatPoints,
    *,
    sampling_rate_hz: float,
    scale: float | None,
    contact: float | None,
) -> BatMotion:
    """Return the filtered bat with its rotation speed and the sweet spot's velocity.

    Parameters
    ----------
    contact : float or None
        Position of a real contact. The series then ends one sample later: a filter
        run across an impact takes speed from before it.
    """
    count = points.knob.shape[0]
    last = count - 1
    if contact is not None:
        last = max(3, min(last, math.ceil(contact) + 1))
    low_rate = sampling_rate_hz <= BAT_LOW_RATE_HZ
    cutoff = BAT_CUTOFF_LOW_RATE_HZ if low_rate else BAT_CUTOFF_HZ
    end = points.end
    blocks = [points.knob, end]
    if points.sweet_spot is not None and points.tip is not None:
        blocks.append(points.sweet_spot)
    smooth = signals.lowpass(
        np.hstack(blocks)[: last + 1],
        cutoff_hz=cutoff,
        sampling_rate_hz=sampling_rate_hz,
    )
    knob, end = smooth[:, :3], smooth[:, 3:6]
    line = axes.unit(end - knob)
    rate = axes.length(kinematics.turn(line, sampling_rate_hz=sampling_rate_hz))
    sweet: FloatArray | None = None
    if points.sweet_spot is not None:
        sweet = smooth[:, 6:9] if points.tip is not None else end
    elif scale is not None:
        sweet = end - SWEET_SPOT_FROM_TIP_M * line
    velocity = (
        None
        if sweet is None
        else signals.derivative(sweet, sampling_rate_hz=sampling_rate_hz)
    )

    def whole(values: FloatArray) -> FloatArray:
        hidden = points.unknown[: last + 1]
        if last == count - 1 and not hidden.any():
            return values
        answer = np.full((count, *values.shape[1:]), np.nan)
        answer[: last + 1] = values
        answer[: last + 1][hidden] = np.nan
        return answer

    return BatMotion(
        line=whole(line),
        rate=whole(rate),
        sweet_spot=None if sweet is None else whole(sweet),
        velocity=None if velocity is None else whole(velocity),
        speed=None if velocity is None else whole(axes.length(velocity)),
        tip=whole(end) if points.tip is not None else None,
        last=last,
        low_rate=low_rate,
    )


def attack_angle(
    bat: BatMotion, *, reference: float, vertical: FloatArray, sampling_rate_hz: float
) -> float | None:
    """Return the climb of the sweet spot over the 10 ms before the reference, degrees.

    ``None`` when the sweet spot is not known there.
    """
    if bat.velocity is None:
        return None
    low = math.ceil(reference - ATTACK_S * sampling_rate_hz - 1e-6)
    rows = bat.velocity[max(low, 0) : math.floor(reference + 1e-6) + 1]
    if rows.shape[0] == 0:
        row = peaks.rows_at(bat.velocity, reference)
        if row is None:
            return None
        rows = row[None]
    if not np.isfinite(rows).all():
        return None
    up = rows @ vertical
    level = axes.length(axes.horizontal(rows, vertical))
    return float(np.arctan2(up, level).mean()) * DEG_PER_RAD


def attack_direction(
    bat: BatMotion,
    *,
    reference: float,
    vertical: FloatArray,
    forward: FloatArray,
    hand: float,
) -> float | None:
    """Return the level direction of the sweet spot to `forward`, degrees.

    + = pull side; ``None`` when the sweet spot is not known at the reference.
    """
    if bat.velocity is None:
        return None
    row = peaks.rows_at(bat.velocity, reference)
    if row is None:
        return None
    sine = float(axes.cross(forward, row) @ vertical)
    return hand * math.atan2(sine, float(row @ forward)) * DEG_PER_RAD


def swing_tilt(
    bat: BatMotion, *, reference: float, vertical: FloatArray, sampling_rate_hz: float
) -> float | None:
    """Return the angle between the ground and the plane of the sweet spot's path.

    Degrees, over the 40 ms before the reference; ``None`` with fewer than four samples.
    """
    if bat.sweet_spot is None:
        return None
    low = math.ceil(reference - TILT_S * sampling_rate_hz - 1e-6)
    rows = bat.sweet_spot[max(low, 0) : math.floor(reference + 1e-6) + 1]
    if rows.shape[0] < 4 or not np.isfinite(rows).all():
        return None
    centered = rows - rows.mean(axis=0)
    normal = np.linalg.svd(centered, full_matrices=False)[2][2]
    return math.acos(min(1.0, abs(float(normal @ vertical)))) * DEG_PER_RAD


def path_length(points: FloatArray, *, start: float, end: float) -> float | None:
    """Return the length of the path of `points` (n, 3) between two samples.

    ``None`` when a point is missing on the way.
    """
    first, last = peaks.rows_at(points, start), peaks.rows_at(points, end)
    if first is None or last is None:
        return None
    inner = points[math.ceil(start) : math.floor(end) + 1]
    rows = np.vstack((first, inner, last))
    if not np.isfinite(rows).all():
        return None
    return float(axes.length(rows[1:] - rows[:-1]).sum())
