"""The hands of one movement: how fast they are, when most, and whether together."""

from dataclasses import dataclass, replace

import numpy as np

from biomechanics import axes, events, peaks, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.events import HandPeak
from biomechanics.motion import Motion
from biomechanics.peaks import Peak

AROUND_HAND_PEAK_S = 0.05
HANDS_APART_ARMS = 1.5
"""Wrists further apart than this many upper arms do not hold one bat (choice)."""
HIDDEN_PEAK_SHARE = 0.3
"""Hands slower than this share of their highest speed on both sides of a gap have no
peak in it."""
HIDDEN_PEAK_RISE_S = 0.05
"""Hands need at least this long from standing still to their highest speed (choice;
real swings need 0.15 s), which bounds what a gap can hide."""
HIDDEN_RISE_AND_FALL_S = 0.080
"""A gap longer than this may hide a peak and the start of the next rise."""
HIDDEN_PEAK_NEAR_S = 0.010
"""A peak this near to a gap may be the flank of a higher one."""


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
    if peak is not None:
        hole = _hidden_peak(speed, peak.peak, low=low, high=high, rate_hz=rate)
        if hole is not None:
            others = () if one_handed else (left_speed, right_speed)
            peak = _peak_in_hole(peak, hole, others, rate_hz=rate)
    return HandMotion(speed, left_speed, right_speed, peak, one_handed)


def _hidden_peak(
    speed: FloatArray, peak: Peak, *, low: int, high: int, rate_hz: float
) -> tuple[int, int] | None:
    """Return an unfilled gap that may hide the true peak: first, past the last sample.

    The known `peak` touches it; or hand speed beside it is so high that the rest of the
    way up fits into it, and it rises before and falls after it as far as that is known.
    The second rise of a follow-through may end a long gap, so that one may also rise.
    """
    near = HIDDEN_PEAK_NEAR_S * rate_hz
    for start, end in signals.runs(~np.isfinite(speed)):
        if end <= low or start > high:
            continue
        if start - near <= peak.top <= end - 1 + near:
            return start, end
        before, after = start - 1, end
        level, rises, falls = 0.0, True, True
        if before >= low:
            level = float(speed[before])
            rises = level > float(speed[max(before - 2, low)])
        if after <= high:
            level = max(level, float(speed[after]))
            falls = float(speed[after]) > float(speed[min(after + 2, high)])
        half = 0.5 * (end - start) / rate_hz / HIDDEN_PEAK_RISE_S
        long = (end - start) / rate_hz > HIDDEN_RISE_AND_FALL_S
        if level >= peak.value * max(1.0 - half, HIDDEN_PEAK_SHARE) and (
            long or (rises and falls)
        ):
            return start, end
    return None


def _peak_in_hole(
    peak: HandPeak,
    hole: tuple[int, int],
    hands: tuple[FloatArray, ...],
    *,
    rate_hz: float,
) -> HandPeak:
    """Return peak hand speed moved into a gap, by the other hand where that is known.

    Parameters
    ----------
    hands : tuple of ndarray
        Speeds of the single hands.
    """
    start, end = hole
    why = f"the hands are lost for {(end - start) / rate_hz * 1000:.0f} ms"
    known = peak.peak
    touching = start - 1 <= known.index <= end
    for speed in hands:
        found = peaks.find_peak(speed, start - 2, end + 1)
        if found is None:
            continue
        if touching or found.value > float(speed[known.index]):
            why += " near their fastest; the other hand's peak is used instead"
            return replace(peak, peak=found, unsure=why)
        return replace(peak, unsure=f"{why} where they may be fastest")
    if not touching:
        return replace(peak, unsure=f"{why} where they may be fastest")
    middle = 0.5 * (start + end - 1)
    why += " near their fastest; the middle of that gap is used instead"
    return replace(
        peak,
        peak=Peak(known.value, middle, middle, round(middle), at_edge=True),
        unsure=why,
    )


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
