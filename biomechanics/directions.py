"""Tell which way is up, and which way is forward, from the body itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biomechanics import axes, peaks, signals
from biomechanics.analysis_types import Finding, FloatArray
from biomechanics.find_events import SwingEvents
from biomechanics.hitter import Hitter
from biomechanics.segments import center_of_mass

MOST_OFF_FIELD_DEG = 45.0
"""Between the line of the feet and the way to the pitcher: up to 10° in real swings,
up to about 30° with a wide open or closed stride (choice)."""
LEVEL_SINE = 0.1
LEAST_STANDING = 10
LOWEST_SHARE = 0.1
MOST_TILT_DEG = 2.5
"""Between the ankles of real swings: up to 0.6°. Ankles that are 2 cm off on feet half
a meter apart make 2.3°."""
CENTER_AWAY = 0.045
"""A delivered center of mass lies level with that of the segments within 2 cm in real
swings and 1 cm in invented ones, less than 4 cm: the limit is a share of a leg."""
CENTER_WANDERS = 0.25
STANDS_S = 0.15
STANDS_OVER = (-0.015, 0.205)
"""How far in front of its ankles a body may stand on average before foot down, in legs.
Real swings: 0.06 to 0.07, invented ones 0.12 to 0.16; quiet standing 0.05. Heels reach
0.05 behind the ankles and toes 0.2 in front of them."""


@dataclass(frozen=True, slots=True, eq=False)
class FileDirection:
    """A unit vector in the file's axes, and what it was told from.

    `axis` has shape (3,), and is ``None`` when the direction could not be told.
    """

    axis: FloatArray | None
    finding: Finding


def find_up(hitter: Hitter, low: int, high: int) -> FileDirection:
    """Return the axis of the file along which the body stands in samples low…high."""
    p = hitter.motion.limbs
    rows = slice(max(low, 0), high + 1)
    ankles = 0.5 * (p["lajc"][rows] + p["rajc"][rows])
    if {"lajc", "rajc"} & hitter.motion.absent:
        ankles = hitter.body.mid_hip[rows]
    found = axes.find_vertical(hitter.body.mid_shoulder[rows] - ankles)
    lean = found.lean_deg
    return FileDirection(
        found.axis,
        Finding(
            found.name,
            f"Up is {found.name}."
            if found.name
            else "No axis in the file points up along the standing body; numbers that "
            "need the vertical are not computed.",
            {"body_lean_deg": None if lean is None else round(lean, 1)},
        ),
    )


def why_tilted(
    hitter: Hitter,
    vertical: FloatArray | None,
    center: FloatArray | None,
    foot_down: float | None,
) -> str | None:
    """Return why the file's axes may be tilted to the ground, ``None`` if they fit it.

    Both feet stand on one level when each ankle is at its lowest. A delivered center of
    mass lies over that of the segments, unless points and center have different axes;
    and a body stands over its feet. These two show a tilt about the line of the feet,
    which the ankles do not.

    Parameters
    ----------
    vertical : ndarray, shape (3,), or None
    center : ndarray, shape (n, 3), or None
        Center of mass, meters.
    foot_down : float or None
        Sample.
    """
    if vertical is None:
        return None
    rows = slice(hitter.low, hitter.high + 1)
    feet = []
    for ankle in (hitter.lead("ajc"), hitter.rear("ajc")):
        place = hitter.limbs[ankle][rows]
        height = place @ vertical
        known = np.isfinite(height)
        if np.count_nonzero(known) < LEAST_STANDING:
            return None
        lowest = height[known] <= signals.quantile(height[known], LOWEST_SHARE)
        feet.append(signals.medians(place[known][lowest]))
    line = feet[0] - feet[1]
    rise = float(line @ vertical)
    level = float(np.linalg.norm(line - rise * vertical))
    angle = math.degrees(math.atan2(abs(rise), level))
    if angle > MOST_TILT_DEG:
        return f"the ground under the feet is tilted by {angle:.0f}° in the file's axes"
    leg = hitter.leg_length()
    if leg is None:
        return None
    toppling = _why_toppling(hitter, vertical, foot_down, leg)
    if toppling is not None or center is None:
        return toppling
    away = axes.horizontal(center - center_of_mass(hitter), vertical)[rows]
    away = away[np.isfinite(away).all(axis=1)]
    if away.shape[0] < LEAST_STANDING:
        return None
    early, late = signals.quantile(away, 0.05), signals.quantile(away, 0.95)
    if float(np.linalg.norm(late - early)) > CENTER_WANDERS * leg:
        # It does not go with the trunk, which no tilt of axes explains.
        return None
    off = signals.median(axes.length(away))
    if off <= CENTER_AWAY * leg:
        return None
    return (
        f"the center of mass is {off * 100:.0f} cm beside that of the points, so "
        "one of the two has tilted axes"
    )


def _why_toppling(
    hitter: Hitter, vertical: FloatArray, foot_down: float | None, leg: float
) -> str | None:
    """Return why the body does not stand over its feet before foot down.

    Its center of mass then lies between heels and toes, or it would fall.
    """
    if foot_down is None:
        return None
    rows = slice(hitter.low, math.floor(foot_down) + 1)
    if rows.stop - rows.start < STANDS_S * hitter.rate_hz:
        return None
    lead, rear = (
        hitter.limbs[name][rows] for name in (hitter.lead("ajc"), hitter.rear("ajc"))
    )
    line = axes.unit(axes.horizontal(lead - rear, vertical))
    to_plate = hitter.hand * axes.cross(line, vertical)
    ahead = axes.dot(center_of_mass(hitter)[rows] - 0.5 * (lead + rear), to_plate)
    ahead = ahead[np.isfinite(ahead)]
    if ahead.size < LEAST_STANDING:
        return None
    usual = signals.mean(ahead)
    if STANDS_OVER[0] * leg <= usual <= STANDS_OVER[1] * leg:
        return None
    where = "in front of its toes" if usual > 0.0 else "behind its heels"
    return f"the body stands {where} in the file's axes, so they are tilted"


def find_forward(
    hitter: Hitter,
    events: SwingEvents,
    *,
    vertical: FloatArray | None,
    given: Sequence[float] | None,
) -> FileDirection:
    """Return the level direction to the pitcher.

    Parameters
    ----------
    vertical : ndarray, shape (3,), or None
    given : sequence of three floats, or None
        A verified direction; without it forward is the line of the feet at foot down.

    Raises
    ------
    ValueError
        `given` points straight up or down.
    """
    if vertical is None:
        return FileDirection(
            None, Finding(None, "Without a vertical there is no forward direction.")
        )
    if given is not None:
        return _given_forward(given, vertical)
    down = events.position("foot_down")
    line: FloatArray | None = None
    if down is not None:
        ankles = hitter.limbs[hitter.lead("ajc")] - hitter.limbs[hitter.rear("ajc")]
        line = peaks.rows_at(ankles, down)
    if line is None:
        return FileDirection(
            None,
            Finding(
                None,
                "The forward direction is the line of the feet at foot down, which "
                "could not be found.",
            ),
        )
    level = axes.horizontal(line, vertical)
    size = float(np.sqrt(level @ level))
    if size <= 0.0:
        return FileDirection(None, Finding(None, "Both feet are at the same point."))
    forward = level / size
    off = _off_axis_y_deg(forward, vertical)
    return FileDirection(
        forward,
        Finding(
            [round(float(v), 4) for v in forward],
            "Forward is the line of the feet at foot down (stride line), not the "
            "field's.",
            {
                "source": "stride_line",
                "off_axis_y_deg": None if off is None else round(off, 1),
            },
        ),
    )


def find_field(
    verified: Sequence[float] | None,
    *,
    vertical: FloatArray | None,
    forward: FloatArray | None,
    hand: float,
) -> FileDirection:
    """Return the level direction to the pitcher by a verified axis of the files.

    ``axis`` is ``None`` where nobody has verified one, or where this file contradicts
    it: the axis is not level, or the feet stand more than `MOST_OFF_FIELD_DEG` off it.

    Parameters
    ----------
    verified : sequence of three floats, or None
        The axis that people of the facility have seen to point to the pitcher.
    vertical, forward : ndarray, shape (3,), or None
        Up, and the line of the feet.
    hand : float
        +1 for a right-handed hitter, −1 for a left-handed one.
    """
    if verified is None:
        return FileDirection(
            None,
            Finding(None, "It hasn't been confirmed which axis points to the pitcher."),
        )
    axis = axes.unit(np.asarray(verified, dtype=np.float64))
    if vertical is None or forward is None:
        return FileDirection(
            None,
            Finding(
                None, "The field's axis can't be checked against the line of the feet."
            ),
        )
    if abs(float(axis @ vertical)) > LEVEL_SINE:
        return FileDirection(
            None, Finding(None, "The axis that should point to the pitcher points up.")
        )
    sine = hand * float(axes.cross(axis, forward) @ vertical)
    off = math.degrees(math.atan2(sine, float(axis @ forward)))
    evidence: dict[str, object] = {"stride_to_pull_side_deg": round(off, 1)}
    if abs(off) > MOST_OFF_FIELD_DEG:
        return FileDirection(
            None,
            Finding(
                None,
                f"The feet stand {abs(off):.0f}° off the axis that should point to the "
                "pitcher, so it does not in this file.",
                evidence,
            ),
        )
    side = "pull side (open)" if off > 0.0 else "opposite side (closed)"
    return FileDirection(
        axis,
        Finding(
            [round(float(v), 4) for v in axis],
            "The facility has checked that this axis points to the pitcher. At foot "
            f"down the line of the feet points {abs(off):.0f}° to the {side}.",
            evidence,
        ),
    )


def _given_forward(given: Sequence[float], vertical: FloatArray) -> FileDirection:
    """Return the level part of a verified direction."""
    level = axes.horizontal(np.asarray(given, dtype=np.float64), vertical)
    size = float(np.sqrt(level @ level))
    if not size > 1e-6:
        raise ValueError(f"forward_axis must have a level part, not {tuple(given)}.")
    forward = level / size
    return FileDirection(
        forward,
        Finding(
            [round(float(v), 4) for v in forward],
            "Forward is the given axis.",
            {"source": "given"},
        ),
    )


def _off_axis_y_deg(forward: FloatArray, vertical: FloatArray) -> float | None:
    """Return the angle to the file's y axis, which the vendor points at the pitcher.

    Degrees; ``None`` when y is not level.
    """
    vendor_y = axes.horizontal(np.array([0.0, 1.0, 0.0]), vertical)
    if not float(vendor_y @ vendor_y) > 0.5:
        return None
    cosine = float(forward @ axes.unit(vendor_y))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
