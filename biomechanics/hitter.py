"""The hitter of one movement: where their points are, and which limbs lead."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from biomechanics import axes, kinematics, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.clock import Clock
from biomechanics.events import LEG_M
from biomechanics.kinematics import Body
from biomechanics.measurement_error import noise_of
from biomechanics.motion import Motion
from biomechanics.points import PLACES, Points, other_side, spoken
from biomechanics.side import BattingSide
from biomechanics.units import DEG_PER_RAD

LEG_WITHIN_S = 0.050
LEG_OF_HEIGHT, ARM_OF_HEIGHT = 0.485, 0.316
"""Thigh and shank, upper arm and forearm, as shares of body height: 0.49 and 0.316 of
adults (de Leva 1996), 0.475 and 0.317 of a hitter with markers."""
HEIGHT_WITHIN = 0.10
"""Both together tell the height of adults within 3 % (one standard deviation)."""


@dataclass(frozen=True, slots=True, eq=False)
class Hitter:
    """Points and lines of one hitter once it is known which side leads.

    Positions are fractional samples of `clock`. Arrays have shape (n,) or (n, 3).

    Attributes
    ----------
    motion : Motion
    low, high : int
        First and last sample in which values are read.
    side : BattingSide
    exchanged : bool
        The file exchanges the names of left and right; all points here have the
        right ones.
    raw, trunk, limbs : Points
        As in `motion`.
    body : Body
    computed : dict of str to ndarray
        Curves that were asked for once already.
    """

    motion: Motion
    low: int
    high: int
    side: BattingSide
    exchanged: bool
    raw: Points
    trunk: Points
    limbs: Points
    body: Body
    computed: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        """The uniform clock of the movement."""
        return self.motion.clock

    @property
    def rate_hz(self) -> float:
        """Samples per second."""
        return self.motion.rate_hz

    @property
    def hand(self) -> float:
        """+1 when the left limbs lead, −1 when the right ones do."""
        return self.side.hand

    def lead(self, point: str) -> str:
        """Return the name of a leading joint center, e.g. ``lead("kjc")``."""
        return ("l" if self.hand > 0 else "r") + point

    def rear(self, point: str) -> str:
        """Return the name of a rear joint center."""
        return ("r" if self.hand > 0 else "l") + point

    def point_noise(self) -> FloatArray:
        """Return the noise of one coordinate of each point of `POINTS`, (n_points,).

        By the names in the file. Root mean square of the three, over the whole clip,
        in the unit of the points.
        """
        if "noise" not in self.computed:
            noise = signals.rough_noise(self.motion.raw.values)
            self.computed["noise"] = np.sqrt((noise**2).mean(axis=1))
        return self.computed["noise"]

    def noise_mm(self, names: Iterable[str]) -> float:
        """Return the noise of some points together, mm; see `measurement_error`.

        Where the length unit is not known, for legs of adult length.
        """
        found = self.noise_in_unit(names) * 1000.0
        if self.motion.scale is None:
            leg = self.leg_length()
            found *= 1.0 if leg is None else LEG_M / leg
        return found

    def noise_in_unit(self, names: Iterable[str]) -> float:
        """Return the noise of some points together, in the unit of the points."""
        chosen = [other_side(name) if self.exchanged else name for name in names]
        return noise_of(self.point_noise(), chosen) / 1000.0

    def window(self, start: float, end: float) -> tuple[int, int]:
        """Return first and last sample of a stretch, held to the usable clip."""
        return (
            max(math.ceil(start - 1e-6), self.low),
            min(math.floor(end + 1e-6), self.high),
        )

    def why_missing(self, names: Sequence[str], low: float, high: float) -> str | None:
        """Return which of the points is not in the file, or lost in samples low…high.

        ``None`` when all of them are there.
        """
        for name in names:
            delivered = other_side(name) if self.exchanged else name
            if delivered in self.motion.absent:
                return f"the {spoken(name)} is not in the file"
            gap = self.gap_s(delivered, low, high)
            if gap > 0.0:
                return f"the {spoken(name)} is missing for {gap * 1000:.0f} ms"
        return None

    def gap_s(self, delivered: str, low: float, high: float) -> float:
        """Return the longest stretch without a point that touches low…high, seconds.

        Parameters
        ----------
        delivered : str
            Name of the point in the file.
        low, high : float
            Samples.
        """
        unknown = self.motion.unknown
        if unknown is None:
            return 0.0
        rows = unknown[:, PLACES[delivered]]
        margin = self.motion.gap_margin
        start = max(math.floor(low) - margin, 0)
        end = min(math.ceil(high) + margin, rows.size - 1)
        if not rows[start : end + 1].any():
            return 0.0
        longest = 0
        for first, after in signals.runs(rows):
            if first <= end and after > start:
                longest = max(longest, after - first)
        return longest / self.rate_hz

    def flexion(self, which: str, joint: str) -> FloatArray:
        """Return the bend of a joint in degrees, 0 = straight, shape (n,).

        Parameters
        ----------
        which : {'lead', 'rear'}
        joint : {'knee', 'elbow'}
        """
        key = f"{which}_{joint}_flexion"
        if key not in self.computed:
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
                self.computed[f"{limb}_flexion"] = bends[:, place]
        return self.computed[key]

    def limb_rate(self, limb: str) -> FloatArray:
        """Return the rotation speed of a limb of the leading arm, deg/s, shape (n,).

        Parameters
        ----------
        limb : {'lead_arm', 'lead_forearm', 'hand'}
        """
        if limb not in self.computed:
            chain = self.limbs.several(
                *(self.lead(point) for point in ("sjc", "ejc", "wjc", "hand"))
            )
            lines = axes.unit(chain[:, 1:] - chain[:, :-1])
            # ‖du/dt‖ and ‖u × du/dt‖ are the same; this one needs no cross product.
            rates = DEG_PER_RAD * axes.length(
                signals.derivative(lines, sampling_rate_hz=self.rate_hz)
            )
            for place, name in enumerate(("lead_arm", "lead_forearm", "hand")):
                self.computed[name] = rates[:, place]
        return self.computed[limb]

    def body_height_m(self) -> float | None:
        """Return about how tall a body with these legs and arms is, meters.

        Over the whole clip; ``None`` without a length unit or one of the points.
        """
        if self.motion.scale is None:
            return None
        found = []
        for chain, share in (
            (("hjc", "kjc", "ajc"), LEG_OF_HEIGHT),
            (("sjc", "ejc", "wjc"), ARM_OF_HEIGHT),
        ):
            for side in "lr":
                ends = self.limbs.several(*(side + point for point in chain))
                size = axes.length(ends[:, 1:] - ends[:, :-1]).sum(axis=1)
                size = size[np.isfinite(size)]
                if not size.size:
                    return None
                found.append(signals.median(size) / share)
        return sum(found) / len(found)

    def why_other_height(self, height_m: float | None) -> str | None:
        """Return why a height is not that of this body, ``None`` if it may be."""
        body = self.body_height_m()
        if height_m is None or body is None:
            return None
        if abs(body / height_m - 1.0) <= HEIGHT_WITHIN:
            return None
        return (
            f"the recorded height of {height_m * 100:.0f} cm doesn't fit the body in "
            f"the file, about {body * 100:.0f} cm tall"
        )

    def leg_length(self, around: float | None = None) -> float | None:
        """Return the median thigh plus shank of the lead leg, in the points' unit.

        Over the whole clip, or so near to a sample that it does not hang on where the
        clip starts and ends: joint centers under moving skin change it by some percent.

        Parameters
        ----------
        around : float, optional
            Sample.
        """
        parts = self._leg_lengths(around, LEG_WITHIN_S)
        parts = parts[np.isfinite(parts)]
        return signals.median(parts) if parts.size else None

    def leg_error(self, around: float) -> float:
        """Return what lost frames near a sample leave open of `leg_length` there.

        By how much it changes about twice as near to the sample.
        """
        lost = float(np.isnan(self._leg_lengths(around, LEG_WITHIN_S)).mean())
        if lost == 0.0:
            return 0.0
        parts = self._leg_lengths(around, 2.0 * LEG_WITHIN_S)
        parts = parts[np.isfinite(parts)]
        return lost * float(parts.max() - parts.min()) if parts.size else 0.0

    def _leg_lengths(self, around: float | None, within_s: float) -> FloatArray:
        """Return thigh plus shank of the lead leg in the samples near one, or all."""
        rows = slice(None)
        if around is not None:
            reach = within_s * self.rate_hz
            rows = slice(max(math.floor(around - reach), 0), math.ceil(around + reach))
        hip, knee, ankle = (
            self.limbs[self.lead(name)][rows] for name in ("hjc", "kjc", "ajc")
        )
        return axes.length(hip - knee) + axes.length(knee - ankle)
