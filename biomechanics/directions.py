"""Tell which way is up, and which way is forward, from the body itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biomechanics import axes, peaks
from biomechanics.analysis_types import Finding, FloatArray
from biomechanics.find_events import SwingEvents
from biomechanics.hitter import Hitter


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
            else "No axis of the file points up along the standing body; numbers that "
            "need the vertical are left out.",
            {"body_lean_deg": None if lean is None else round(lean, 1)},
        ),
    )


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
                "The forward direction is the line of the feet at foot down, and that "
                "could not be found.",
            ),
        )
    level = axes.horizontal(line, vertical)
    size = float(np.sqrt(level @ level))
    if size <= 0.0:
        return FileDirection(None, Finding(None, "The feet stand on one point."))
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
