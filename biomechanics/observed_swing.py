"""One movement as it was read: clock, side, axes, events and curves.

`read` makes a `Reading`; numbers are taken from it by `metrics`, and its worth is
judged by `quality`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from biomechanics import axes, bat, kinematics, signals
from biomechanics.analysis_types import AngleUnit, Finding, FloatArray, Kind
from biomechanics.clock import Clock
from biomechanics.events import Found, HandPeak
from biomechanics.kinematics import Body
from biomechanics.momentum import Energetics
from biomechanics.motion import Motion
from biomechanics.points import PLACES, Points, spoken
from biomechanics.side import BattingSide
from biomechanics.units import DEG_PER_RAD
from biomechanics.vendor_clock import VendorClock

AFTER_HAND_PEAK_S = 0.030
AFTER_BAT_PEAK_S = 0.010
START_BACK_S = 1.5

REFERENCE_WORDS = {
    "contact": "contact",
    "bat_peak": "peak bat speed",
    "hand_peak": "peak hand speed",
    "manual": "set by hand",
}


@dataclass(eq=False)
class Reading:
    """What is known of one movement; filled in order by `read`.

    Positions are fractional samples of `clock`. Arrays have shape (n,) or (n, 3).
    """

    motion: Motion
    kind: Kind
    kind_reason: str | None
    low: int
    high: int
    side: BattingSide
    exchanged: bool
    raw: Points
    trunk: Points
    limbs: Points
    body: Body
    hand_peak: HandPeak | None
    hand_speed: FloatArray
    lead_hand_speed: FloatArray
    rear_hand_speed: FloatArray
    vendor: VendorClock
    energetics: Energetics
    bat: bat.BatMotion | None
    bat_reason: str | None
    events: dict[str, Found]
    automatic: dict[str, Found]
    vertical: FloatArray | None
    forward: FloatArray | None
    pelvis_rate: FloatArray
    torso_rate: FloatArray
    separation: FloatArray
    angle_unit: AngleUnit = "unknown"
    angle_doubtful: bool = False
    findings: dict[str, Finding] = field(default_factory=dict)
    cache: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        """The uniform clock."""
        return self.motion.clock

    @property
    def rate_hz(self) -> float:
        """Sampling rate."""
        return self.motion.rate_hz

    @property
    def hand(self) -> float:
        """+1 when the left limbs lead."""
        return self.side.hand

    def position(self, event: str) -> float | None:
        """Position of an event, ``None`` if it was not found."""
        found = self.events.get(event)
        return None if found is None else found.position

    @property
    def reference_rule(self) -> str:
        """The rule behind the reference."""
        return self.events["reference"].rule

    def lead(self, point: str) -> str:
        """Name of a leading joint centre, e.g. ``lead("kjc")``."""
        return ("l" if self.hand > 0 else "r") + point

    def rear(self, point: str) -> str:
        """Name of a rear joint centre."""
        return ("r" if self.hand > 0 else "l") + point

    def sequence_window(self) -> tuple[int, int] | None:
        """First move to reference, plus 30 ms when that is peak hand speed."""
        start, end = self.position("first_move"), self.position("reference")
        if start is None or end is None:
            return None
        if self.reference_rule == "hand_peak":
            end += AFTER_HAND_PEAK_S * self.rate_hz
        return self.window(start, end)

    def window(self, start: float, end: float) -> tuple[int, int]:
        """Samples from `start` to `end`, held to the usable part of the clip."""
        return (
            max(math.ceil(start - 1e-6), self.low),
            min(math.floor(end + 1e-6), self.high),
        )

    def why(self, names: Sequence[str], low: float, high: float) -> str | None:
        """Say which of the points is not in the file or lost in samples low…high."""
        for name in names:
            delivered = name
            if self.exchanged and name != "head":
                delivered = ("r" if name[0] == "l" else "l") + name[1:]
            if delivered in self.motion.absent:
                return f"the {spoken(name)} is not in the file"
            gap = self.gap_s(delivered, low, high)
            if gap > 0.0:
                return f"the {spoken(name)} is missing for {gap * 1000:.0f} ms"
        return None

    def gap_s(self, delivered: str, low: float, high: float) -> float:
        """Longest stretch without a point that touches samples low…high, seconds."""
        unknown = self.motion.unknown
        if unknown is None:
            return 0.0
        rows = unknown[:, PLACES[delivered]]
        margin = self.motion.gap_margin
        start = max(math.floor(low) - margin, 0)
        end = min(math.ceil(high) + margin, rows.size - 1)
        if not rows[start : end + 1].any():
            return 0.0
        edges = np.flatnonzero(np.diff(np.concatenate(([0], rows.view(np.int8), [0]))))
        longest = 0
        for first, after in edges.reshape(-1, 2):
            if first <= end and after > start:
                longest = max(longest, int(after - first))
        return longest / self.rate_hz

    def flexion(self, which: str, joint: str) -> FloatArray:
        """Bend of ``knee`` or ``elbow`` of the ``lead`` or ``rear`` limb, degrees."""
        key = f"{which}_{joint}_flexion"
        if key not in self.cache:
            # All four at once; each of them is wanted sooner or later.
            chains = (("hjc", "sjc"), ("kjc", "ejc"), ("ajc", "wjc"))
            bends = kinematics.flexion(
                *(
                    self.limbs.several(
                        *(name(end) for name in (self.lead, self.rear) for end in ends)
                    )
                    for ends in chains
                )
            )
            for place, limb in enumerate(
                ("lead_knee", "lead_elbow", "rear_knee", "rear_elbow")
            ):
                self.cache[f"{limb}_flexion"] = bends[:, place]
        return self.cache[key]

    def limb_rate(self, key: str) -> FloatArray:
        """Turn rate of ``lead_arm``, ``lead_forearm`` or ``hand``, deg/s."""
        if key not in self.cache:
            chain = self.limbs.several(
                *(self.lead(point) for point in ("sjc", "ejc", "wjc", "hand"))
            )
            lines = axes.unit(chain[:, 1:] - chain[:, :-1])
            # ‖du/dt‖ and ‖u × du/dt‖ are the same; this one needs no cross product.
            rates = DEG_PER_RAD * axes.length(
                signals.derivative(lines, sampling_rate_hz=self.rate_hz)
            )
            for place, limb in enumerate(("lead_arm", "lead_forearm", "hand")):
                self.cache[limb] = rates[:, place]
        return self.cache[key]

    def rotation(self, which: str) -> FloatArray | None:
        """Heading of ``pelvis`` or ``torso`` to forward, degrees, on FD's branch."""
        if self.vertical is None or self.forward is None:
            return None
        key = f"{which}_rotation"
        if key not in self.cache:
            line = self.body.pelvis if which == "pelvis" else self.body.shoulders
            angle = kinematics.rotation(
                line, forward=self.forward, vertical=self.vertical, hand=self.hand
            )
            self.cache[key] = kinematics.on_branch(
                angle, self.position("foot_down") or self.position("reference")
            )
        return self.cache[key]

    def heading(self, which: str) -> FloatArray:
        """Heading of ``pelvis`` or ``torso`` to some level direction, degrees."""
        if self.vertical is None:
            raise ValueError("a heading needs a vertical")
        axis = np.roll(self.vertical, 1)
        line = self.body.pelvis if which == "pelvis" else self.body.shoulders
        return kinematics.rotation(
            line, forward=axis, vertical=self.vertical, hand=self.hand
        )

    def bend(self, which: str) -> FloatArray | None:
        """``side`` or ``forward`` bend, degrees."""
        if self.vertical is None:
            return None
        key = f"{which}_bend"
        if key not in self.cache:
            self.cache[key] = (
                kinematics.side_bend(
                    self.body.trunk, self.body.shoulders, vertical=self.vertical
                )
                if which == "side"
                else kinematics.forward_bend(
                    self.body.trunk,
                    self.body.shoulders,
                    vertical=self.vertical,
                    hand=self.hand,
                )
            )
        return self.cache[key]

    def com_speed(self) -> FloatArray | None:
        """Speed of the delivered centre of mass, m/s."""
        centre = self.energetics.centre_of_mass
        if centre is None or not np.isfinite(centre).any():
            return None
        if "com_speed" not in self.cache:
            filled, unknown = signals.fill_gaps(centre, sampling_rate_hz=self.rate_hz)
            smooth = signals.lowpass(
                filled, cutoff_hz=12.0, sampling_rate_hz=self.rate_hz
            )
            speed = axes.length(
                signals.derivative(smooth, sampling_rate_hz=self.rate_hz)
            )
            if unknown is not None:
                speed = np.where(unknown.any(axis=1), np.nan, speed)
            self.cache["com_speed"] = speed
        return self.cache["com_speed"]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that gives no motion at all."""

    code: str
    reason: str
    clock: Clock | None


def leg_length(reading: Reading) -> float | None:
    """Median thigh plus shank of the lead leg, in the unit of the points."""
    p = reading.limbs
    hip, knee, ankle = (p[reading.lead(name)] for name in ("hjc", "kjc", "ajc"))
    parts = axes.length(hip - knee) + axes.length(knee - ankle)
    parts = parts[np.isfinite(parts)]
    return signals.median(parts) if parts.size else None
