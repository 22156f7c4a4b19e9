"""The hands of one movement: how fast they are, when most, and whether together."""

from dataclasses import dataclass

import numpy as np

from biomechanics import axes, events, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.events import HandPeak
from biomechanics.motion import Motion

AROUND_HAND_PEAK_S = 0.05
HANDS_APART_ARMS = 1.5
"""Wrists further apart than this many upper arms do not hold one bat (choice)."""


@dataclass(frozen=True, slots=True, eq=False)
class HandMotion:
    """Speeds of the hands and their peak.

    Attributes
    ----------
    speed : ndarray, shape (n,)
        Of the middle of both hands; of the faster hand when they are apart. In the
        unit of the points per second.
    left_speed, right_speed : ndarray, shape (n,)
        By the names in the file.
    peak : HandPeak or None
    one_handed : bool
        The hands are too far apart at their fastest to hold one bat.
    """

    speed: FloatArray
    left_speed: FloatArray
    right_speed: FloatArray
    peak: HandPeak | None
    one_handed: bool


def follow_hands(
    motion: Motion, *, low: int, high: int, vendor_position: float | None
) -> HandMotion:
    """Return the speeds of the hands, and their peak in samples `low` to `high`.

    Parameters
    ----------
    vendor_position : float or None
        Sample of peak hand speed by the vendor's clock.
    """
    rate = motion.rate_hz
    kind = "hand" if motion.hand_is == "hands" else "wjc"
    left, right = motion.limbs["l" + kind], motion.limbs["r" + kind]
    both = np.hstack((left, right, 0.5 * (left + right)))
    velocity = signals.derivative(both, sampling_rate_hz=rate)
    left_speed = axes.length(velocity[:, :3])
    right_speed = axes.length(velocity[:, 3:6])
    speed = axes.length(velocity[:, 6:])

    def peak_of(speed: FloatArray) -> HandPeak | None:
        return events.find_hand_peak(
            speed,
            sampling_rate_hz=rate,
            low=low,
            high=high,
            vendor_position=vendor_position,
        )

    peak = peak_of(speed)
    one_handed = False
    if peak is not None:
        apart = _upper_arms_apart(motion, peak.peak.index)
        if apart is not None and apart > HANDS_APART_ARMS:
            one_handed = True
            choices = [
                (found.peak.value, found, of_one)
                for of_one in (left_speed, right_speed)
                if (found := peak_of(of_one)) is not None
            ]
            if choices:
                _, peak, speed = max(choices, key=lambda item: item[0])
    return HandMotion(speed, left_speed, right_speed, peak, one_handed)


def _upper_arms_apart(motion: Motion, index: int) -> float | None:
    """Return the distance of the wrists around a sample, in upper arms."""
    reach = round(AROUND_HAND_PEAK_S * motion.rate_hz)
    rows = slice(max(index - reach, 0), index + reach + 1)
    p = motion.limbs
    apart = axes.length(p["lwjc"][rows] - p["rwjc"][rows])
    arm = axes.length(p["lsjc"][rows] - p["lejc"][rows])
    if not (np.isfinite(apart).all() and np.isfinite(arm).all()):
        return None
    size = signals.median(arm)
    return signals.median(apart) / size if size > 0 else None
