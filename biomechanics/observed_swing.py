"""One movement as it was observed: hitter, events, bat, directions and curves.

`observe.observe` makes an `ObservedSwing`; `metrics` takes numbers from it, and
`quality` judges how far it can be trusted.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from biomechanics import axes, bat, kinematics, signals
from biomechanics.analysis_types import Finding, FloatArray, MovementKind
from biomechanics.angle_columns import AngleColumnMeaning
from biomechanics.find_events import SwingEvents
from biomechanics.hands import HandMotion
from biomechanics.hitter import Hitter
from biomechanics.kinematics import TurnRates
from biomechanics.momentum import Energetics
from biomechanics.vendor_clock import VendorClock

COM_CUTOFF_HZ = 12.0
"""Low-pass of the delivered center of mass."""


@dataclass(frozen=True, slots=True, eq=False)
class ObservedSwing:
    """All that is known of one movement before any number is taken from it.

    Attributes
    ----------
    hitter : Hitter
    hands : HandMotion
    kind : {'swing', 'one_handed', 'not_swing'}
    kind_reason : str or None
        Why it is not a swing.
    vendor : VendorClock
    energetics : Energetics
    bat : BatMotion or None
    bat_reason : str or None
        Why there is no bat.
    events : SwingEvents
    vertical, forward : ndarray, shape (3,), or None
        Unit vectors, up and to the pitcher; ``None`` when they could not be told.
    field : ndarray, shape (3,), or None
        Level unit vector to the pitcher by the field, where that is verified.
    turn_rates : TurnRates
    separation : ndarray, shape (n,)
        Hip-shoulder separation in degrees, + = pelvis ahead.
    angles : AngleColumnMeaning
    findings : mapping of str to Finding
    computed : dict of str to ndarray
        Curves that were asked for once already.
    """

    hitter: Hitter
    hands: HandMotion
    kind: MovementKind
    kind_reason: str | None
    vendor: VendorClock
    energetics: Energetics
    bat: bat.BatMotion | None
    bat_reason: str | None
    events: SwingEvents
    vertical: FloatArray | None
    forward: FloatArray | None
    field: FloatArray | None
    turn_rates: TurnRates
    separation: FloatArray
    angles: AngleColumnMeaning
    findings: Mapping[str, Finding]
    computed: dict[str, FloatArray] = dataclasses.field(default_factory=dict)

    def hand_speed(self, which: str) -> FloatArray:
        """Return the speed of the ``lead`` or ``rear`` hand, shape (n,)."""
        left_leads = (self.hitter.hand > 0) != self.hitter.exchanged
        if left_leads == (which == "lead"):
            return self.hands.left_speed
        return self.hands.right_speed

    def rotation(self, which: str) -> FloatArray | None:
        """Return the heading of ``pelvis`` or ``torso`` to forward, degrees, + = open.

        In (−180, 180] at foot down, unwrapped from there; ``None`` without a vertical
        or a forward direction.
        """
        if self.vertical is None or self.forward is None:
            return None
        key = f"{which}_rotation"
        if key not in self.computed:
            angle = kinematics.rotation(
                self._line(which),
                forward=self.forward,
                vertical=self.vertical,
                hand=self.hitter.hand,
            )
            self.computed[key] = kinematics.on_branch(
                angle,
                self.events.position("foot_down") or self.events.position("reference"),
            )
        return self.computed[key]

    def heading(self, which: str) -> FloatArray:
        """Return the heading of ``pelvis`` or ``torso`` to some level direction.

        Degrees; only its change means anything.

        Raises
        ------
        ValueError
            There is no vertical.
        """
        if self.vertical is None:
            raise ValueError("A heading needs a vertical; check for it first.")
        return kinematics.rotation(
            self._line(which),
            forward=np.roll(self.vertical, 1),
            vertical=self.vertical,
            hand=self.hitter.hand,
        )

    def _line(self, which: str) -> FloatArray:
        """Return the unit line of ``pelvis`` or ``torso``, rear to lead."""
        body = self.hitter.body
        return body.pelvis if which == "pelvis" else body.shoulders

    def bend(self, which: str) -> FloatArray | None:
        """Return the ``side`` or ``forward`` bend of the trunk, degrees.

        ``None`` without a vertical.
        """
        if self.vertical is None:
            return None
        key = f"{which}_bend"
        if key not in self.computed:
            body = self.hitter.body
            self.computed[key] = (
                kinematics.side_bend(body.trunk, body.shoulders, vertical=self.vertical)
                if which == "side"
                else kinematics.forward_bend(
                    body.trunk,
                    body.shoulders,
                    vertical=self.vertical,
                    hand=self.hitter.hand,
                )
            )
        return self.computed[key]

    def center_of_mass(self) -> FloatArray | None:
        """Return where the delivered center of mass is, m, ``None`` without one.

        Filtered, shape (n, 3); NaN in gaps.
        """
        if self.energetics.center_of_mass is None:
            return None
        self._follow_center(self.energetics.center_of_mass)
        return self.computed["com"]

    def center_of_mass_speed(self) -> FloatArray | None:
        """Return the speed of the delivered center of mass, m/s, ``None`` without."""
        if self.energetics.center_of_mass is None:
            return None
        self._follow_center(self.energetics.center_of_mass)
        return self.computed["com_speed"]

    def left_of_center_speed(self, sample: int) -> float:
        """Return what the filter takes off the speed of the center of mass, m/s.

        About as much as it takes off once more: little of a wide peak, more of a
        narrow one. 0 in a gap.
        """
        speed, rate = self.computed["com_speed"], self.hitter.rate_hz
        filled, _ = signals.fill_gaps(self.computed["com"], sampling_rate_hz=rate)
        if not np.isfinite(filled).all():
            return 0.0
        twice = signals.lowpass(filled, cutoff_hz=COM_CUTOFF_HZ, sampling_rate_hz=rate)
        again = axes.length(signals.derivative(twice, sampling_rate_hz=rate))
        left = abs(float(speed[sample] - again[sample]))
        return left if math.isfinite(left) else 0.0

    def _follow_center(self, center: FloatArray) -> None:
        """Compute place and speed of the center of mass, (n, 3), once."""
        if "com" in self.computed:
            return
        rate = self.hitter.rate_hz
        filled, unknown = signals.fill_gaps(center, sampling_rate_hz=rate)
        smooth = signals.lowpass(filled, cutoff_hz=COM_CUTOFF_HZ, sampling_rate_hz=rate)
        speed = axes.length(signals.derivative(smooth, sampling_rate_hz=rate))
        if unknown is not None:
            speed = np.where(unknown.any(axis=1), np.nan, speed)
            smooth = np.where(unknown.any(axis=1, keepdims=True), np.nan, smooth)
        self.computed.update({"com": smooth, "com_speed": speed})
