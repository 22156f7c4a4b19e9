"""Where a hitter's joints and bat are over one swing, in one set of axes.

The stick figure, the stills of body positions and the pair of figures in a comparison
all begin here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from athletes.analysis.event_rules import event_time
from athletes.models import Movement
from biomechanics import skeleton

Array = npt.NDArray[Any]
Side = Literal["right", "left"]

# The figure's points are most of the page's bytes, so it shows the swing alone: from a
# little before the first of load and first move to a little after the reference.
BEFORE_S, AFTER_S = 0.15, 0.25
# Without either of them so long before the reference, and never longer than the last.
USUAL_S, LONGEST_S = 0.75, 3.0
# It needs no more frames a second than this to look smooth at quarter speed.
RATE_HZ = 240.0

#: Width of home plate (m), and from the tip of a bat to its sweet spot (m).
PLATE_M, TIP_TO_SWEET_M = 0.4318, 0.152
# Without a bat the plate's middle is drawn so far from the feet.
PLATE_FROM_FEET_M = 0.75
#: What a sensible leg measures, in meters: others are points in the wrong place.
_LEG_M = (0.4, 1.3)


@dataclass(frozen=True, eq=False)
class Posed:
    """Positions in equal time steps, in meters.

    `points` has shape (n_frames, n_points, 3): x to the pitcher, y to the left of who
    looks there, z up; NaN where a point is missing. `bones` name both ends and the
    part. `side` is the side that the drawn motion bats from. Without `has_forward` the
    file does not tell where the pitcher is, and x is a direction as good as any.
    """

    names: tuple[str, ...]
    bones: tuple[tuple[str, str, str], ...]
    points: Array
    start_s: float
    dt_s: float
    side: Side
    has_forward: bool

    @property
    def end_s(self) -> float:
        """The time of the last frame."""
        return self.start_s + self.dt_s * (len(self.points) - 1)

    @property
    def lead(self) -> str:
        """The letter that the file gives to the lead side: `l` or `r`."""
        letters = {a[0] for a, _, part in self.bones if part == "lead_arm"}
        return letters.pop() if letters else ("r" if self.side == "left" else "l")

    @property
    def lead_hand(self) -> str:
        """The lead hand's point, or the wrist where no hand was delivered."""
        hand = f"{self.lead}hand"
        return hand if hand in self.names else f"{self.lead}wjc"

    @property
    def leg_m(self) -> float | None:
        """Thigh and shank together, the mean of both legs; None where unknown."""
        legs = []
        for letter in "lr":
            hip, knee, ankle = (self.track(letter + part) for part in _LEG)
            if hip is None or knee is None or ankle is None:
                continue
            length = np.linalg.norm(hip - knee, axis=1)
            length = length + np.linalg.norm(knee - ankle, axis=1)
            length = length[np.isfinite(length)]
            if len(length):
                legs.append(float(np.median(length)))
        mean = float(np.mean(legs)) if legs else math.nan
        return mean if _LEG_M[0] <= mean <= _LEG_M[1] else None

    @property
    def chest(self) -> tuple[int | None, ...]:
        """Places of lead and rear shoulder, middle of the hips, neck; None missing."""
        rear = "r" if self.lead == "l" else "l"
        names = (f"{self.lead}sjc", f"{rear}sjc", "midhip", "neck")
        return tuple(
            self.names.index(name) if name in self.names else None for name in names
        )

    @property
    def front_foot(self) -> tuple[int, ...]:
        """Places of the lead foot's points that are there, the ankle first."""
        names = (f"{self.lead}{part}" for part in ("ajc", "heel", "btoe"))
        return tuple(self.names.index(name) for name in names if name in self.names)

    def track(self, name: str) -> Array | None:
        """The way of one point, shape (n_frames, 3); None for one that is not there."""
        return self.points[:, self.names.index(name)] if name in self.names else None

    def at(self, time_s: float) -> Array | None:
        """All points in the frame next to a time; None outside of the frames."""
        place = round((time_s - self.start_s) / self.dt_s)
        return self.points[place] if 0 <= place < len(self.points) else None

    def plate_at(self, reference_s: float | None) -> tuple[float, float, str]:
        """Where the plate is drawn (x, y), and by what: `bat` or `feet`.

        No file says where it is. Its front edge is drawn under the barrel at the
        reference; without a bat there it lies beside the feet.
        """
        points = None if reference_s is None else self.at(reference_s)
        if points is not None and {"bhead", "bhandle"} <= set(self.names):
            tip = points[self.names.index("bhead")].astype(float)
            along = tip - points[self.names.index("bhandle")]
            barrel = tip - along * (TIP_TO_SWEET_M / (np.linalg.norm(along) or 1.0))
            if np.isfinite(barrel).all():
                return float(barrel[0]) - PLATE_M / 2, float(barrel[1]), "bat"
        feet = [self.track(name) for name in ("lajc", "rajc")]
        there = [foot[:, :2] for foot in feet if foot is not None]
        middle = _median(np.concatenate(there)) if there else np.zeros(2)
        towards = 1.0 if self.side == "left" else -1.0
        return float(middle[0]), float(middle[1]) + towards * PLATE_FROM_FEET_M, "feet"


_LEG = ("hjc", "kjc", "ajc")


def _median(rows: Array) -> Array:
    """The median row of those that are known; zeros without any."""
    known = rows[np.isfinite(rows).all(axis=1)]
    return np.median(known, axis=0) if len(known) else np.zeros(rows.shape[1])


def verdict_value(movement: Movement, name: str) -> Any:
    """One finding about the file, None where there is none."""
    finding = (movement.verdict or {}).get(name)
    return finding.get("value") if isinstance(finding, Mapping) else None


def _axes(movement: Movement, mirrored: bool) -> tuple[Array, bool]:
    """Forward, left and up of the file as rows, and whether forward is known.

    Turned with the figure where that is mirrored.
    """
    name = str(verdict_value(movement, "vertical") or "+z")
    place = max("xyz".find(name[-1]), -1)
    up = np.zeros(3)
    up[place if place >= 0 else 2] = 1.0 if name[0] == "+" else -1.0
    told = verdict_value(movement, "forward")
    known = isinstance(told, list) and len(told) == 3
    if known:
        forward = np.array(told, dtype=float)
    else:
        forward = np.array([1.0, 0.0, 0.0] if place == 1 else [0.0, 1.0, 0.0])
    if mirrored:
        forward[0] *= -1.0
    return np.stack([forward, np.cross(up, forward), up]), known


def _window(movement: Movement, low: float, high: float) -> tuple[float, float]:
    """From and to where the figure is shown, of a clip from `low` to `high`."""
    reference_s = event_time(movement.events, "reference")
    if reference_s is None:
        return low, high
    begins = [
        at
        for name in ("load", "first_move")
        if (at := event_time(movement.events, name)) is not None and at < reference_s
    ]
    first = min(begins, default=reference_s - USUAL_S) - BEFORE_S
    return (
        max(low, first, reference_s - LONGEST_S),
        min(high, reference_s + AFTER_S),
    )


def pose(movement: Movement, columns: Mapping[str, Array] | None) -> Posed | None:
    """The hitter from before to after the swing; None with too few points.

    `columns` are the stored ones of joint centers and bat, with their clock.
    """
    if columns is None:
        return None
    mirrored = verdict_value(movement, "mirrored") is True
    exchanged = verdict_value(movement, "names_exchanged") is True
    side: Side = "left" if movement.side == "left" else "right"
    named: Side = side
    if mirrored != exchanged:
        # Bones are named as the file names them, and there the sides are swapped.
        named = "right" if side == "left" else "left"
    bones = skeleton.figure_bones(columns, side=named)
    names = skeleton.figure_points(bones)
    clock = np.asarray(columns["time"], dtype=float)
    known = np.isfinite(clock)
    if not bones or known.sum() < 2:
        return None
    order = np.flatnonzero(known)[np.argsort(clock[known], kind="stable")]
    clock = clock[order]
    steps = np.diff(clock)
    steps = steps[steps > 0]
    if len(steps) == 0:
        return None
    dt_s = float(np.median(steps))
    dt_s *= max(1, round(1.0 / dt_s / RATE_HZ))
    low, high = _window(movement, float(clock[0]), float(clock[-1]))
    grid = low + dt_s * np.arange(math.floor((high - low) / dt_s + 1e-6) + 1)
    axes, has_forward = _axes(movement, mirrored)
    raw = skeleton.figure_positions(columns, names, mirrored=mirrored)[order]
    raw = raw @ axes.T.astype(np.float32)
    points = np.empty((len(grid), len(names), 3), dtype=np.float32)
    for place in range(len(names)):
        for axis in range(3):
            points[:, place, axis] = np.interp(grid, clock, raw[:, place, axis])
    return Posed(
        names=names,
        bones=tuple((a, b, str(part)) for a, b, part in bones),
        points=points,
        start_s=low,
        dt_s=dt_s,
        # What was delivered mirrored is drawn as it was: from the hitter's own side.
        side=side,
        has_forward=has_forward,
    )
