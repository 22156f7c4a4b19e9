"""Rules for the events of a swing: when each happens, and how sure that is.

Positions are fractional samples of the movement's clock. Thresholds are ours where
no source is named; all are in time or relative to the swing's own peak, never in
frames.
"""

import math
from dataclasses import dataclass

import numpy as np

from biomechanics import peaks
from biomechanics.analysis_types import Confidence, Event, FloatArray
from biomechanics.peaks import Peak

EVENT_RULES = {
    "load": "pelvis_most_closed",
    "first_move": "pelvis_rate_15_percent",
    "foot_down": "ankle_settles",
    "peak_hand_speed": "hand_peak",
    "reference": "hand_peak",
}
"""The events that every swing has, and the rule that looks for each. A bat or a
contact gives the reference another rule, and the vendor may give foot down."""
SECOND_SWING_SHARE = 0.6
SECOND_SWING_APART_S = 0.3
"""A real swing's follow-through has a second rise of the hands, 0.15 s on and at
69 % of the first in a public recording: only a rise further away is another swing."""
HAND_PEAK_TOLERANCE_S = 0.015
FIRST_MOVE_SHARE = 0.15
FIRST_MOVE_BACK_S = 0.8
LOAD_BACK_S = 1.0
FOOT_STILL_M_PER_S = 0.2
FOOT_STILL_S = 0.020
FOOT_BACK_S = 1.0
FOOT_SINKS_M = 0.006
"""An ankle that sinks further than this was not at rest (2 to 4 mm in real swings)."""
FOOT_LINGERS_S = 0.020
"""From under 0.2 to under 0.1 m/s real ankles take 8 to 14 ms."""
FOOT_NOISES = 1.2
"""By so many standard deviations of the ankle's speed the threshold is moved to see how
far foot down moves with it. Without a rest at the lower one it is unsure: of invented
swings with up to 9 mm of noise, the others are less than 2.4 uncertainties off, and
these up to 90 ms (`accuracy`)."""
FOOT_DOWN_BEFORE_REF_S = (0.060, 0.450)
FOOT_DOWN_BEFORE_HANDS_S = 0.020
"""Peak hand speed comes 40 to 60 ms before the bat's, and real feet as little as 48 ms
before it."""
VENDOR_FOOT_DOWN_APART_S = 0.100
"""The ankles of real swings come to rest about 40 ms (up to 60) after the toes touch:
a touch-down and this rule may differ by that without either being wrong."""
CONTACT_AROUND_HAND_PEAK_S = (-0.030, 0.200)
CONTACT_NEAR_IMPACT_S = 0.015
"""A contact and the impact that the bat shows are one event within this (choice)."""
GIVEN_CONTACT_FRAMES = 0.75
"""One standard deviation of a contact that was delivered or set by hand."""
AFTER_HAND_PEAK_S = 0.030
"""Peaks may follow this long after peak hand speed when that is the reference."""
LOAD_NOISES = 2.0
"""Within so many standard deviations of its lowest the pelvis may be most closed."""
LEG_M = 0.85
"""Adult leg length, to apply `FOOT_STILL_M_PER_S` where no length unit is known."""


@dataclass(frozen=True, slots=True)
class HandPeak:
    """Peak hand speed, by which the movement is read.

    Attributes
    ----------
    peak : Peak
    efforts : int
        Separate rises of hand speed above `SECOND_SWING_SHARE` of the highest.
    agrees : bool or None
        Whether it lies within `HAND_PEAK_TOLERANCE_S` of the vendor's zero; ``None``
        without one.
    off_s : float or None
        Ours minus the vendor's.
    unsure : str or None
        Why it may lie elsewhere: the hands are lost where they are fast.
    """

    peak: Peak
    efforts: int
    agrees: bool | None
    off_s: float | None
    unsure: str | None = None


def find_hand_peak(
    speed: FloatArray,
    *,
    sampling_rate_hz: float,
    low: int,
    high: int,
    vendor_position: float | None,
) -> HandPeak | None:
    """Return peak hand speed and the number of efforts, ``None`` without any movement.

    The vendor's zero chooses between several efforts; it never moves the peak.

    Parameters
    ----------
    speed : ndarray, shape (n,)
    low, high : int
        First and last usable sample.
    vendor_position : float or None
        Sample of the vendor's zero.
    """
    masked = np.where(np.isfinite(speed), speed, -math.inf)
    apart = round(SECOND_SWING_APART_S * sampling_rate_hz)
    places: list[int] = []
    top = 0.0
    open_rows = np.zeros(speed.size, dtype=bool)
    open_rows[max(low, 0) : high + 1] = True
    while len(places) < 20:
        candidates = np.where(open_rows, masked, -math.inf)
        place = int(candidates.argmax())
        value = float(candidates[place])
        if not math.isfinite(value) or value <= 0.0:
            break
        if not places:
            top = value
        elif value < SECOND_SWING_SHARE * top:
            break
        neighbors = masked[max(place - 1, 0) : place + 2]
        if not places or value >= float(neighbors.max()):
            places.append(place)
            open_rows[max(place - apart, 0) : place + apart + 1] = False
        else:
            # The flank of a rise already taken, not a rise of its own.
            open_rows[place] = False
    if not places:
        return None
    near = round(0.05 * sampling_rate_hz)
    rises = []
    for place in places:
        peak = peaks.find_peak(masked, max(place - near, low), min(place + near, high))
        if peak is not None:
            rises.append(peak)
    if not rises:
        return None
    chosen, agrees, off = rises[0], None, None
    if vendor_position is not None:
        nearest = min(
            rises,
            key=lambda item: abs(item.top - vendor_position),
        )
        off = (nearest.top - vendor_position) / sampling_rate_hz
        tolerance = HAND_PEAK_TOLERANCE_S + 0.5 / sampling_rate_hz
        agrees = abs(off) <= tolerance
        if agrees:
            chosen = nearest
        else:
            off = (chosen.top - vendor_position) / sampling_rate_hz
    return HandPeak(chosen, len(places), agrees, off)


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event by its sample.

    Attributes
    ----------
    position : float or None
        Fractional sample; ``None`` when no rule found it.
    rule : str
        The rule that found it, or would have.
    confidence : {'vendor', 'rule', 'low', 'manual'}
    reason : str or None
        Why it was not found, or which check failed.
    uncertainty_s : float or None
        One standard deviation in seconds; ``None`` where it is not known.
    least_error_s : float
        What that is at least, by the motion itself.
    """

    position: float | None
    rule: str
    confidence: Confidence
    reason: str | None = None
    uncertainty_s: float | None = None
    least_error_s: float = 0.0

    def event(self, *, start_s: float, step_s: float) -> Event:
        """Return the event by its time on the clock of the file."""
        time = None if self.position is None else start_s + step_s * self.position
        return Event(time, self.rule, self.confidence, self.reason)


def find_first_move(
    pelvis_rate: FloatArray, *, reference: float, sampling_rate_hz: float, low: int
) -> FoundEvent:
    """Return first move: the pelvis rises through 15 % of its peak rotation speed.

    Parameters
    ----------
    pelvis_rate : ndarray, shape (n,)
        Signed rate of the hip line, deg/s.
    reference : float
        Position of the reference event.
    low : int
        First usable sample.
    """
    rule = EVENT_RULES["first_move"]
    end = math.floor(reference + 0.03 * sampling_rate_hz)
    peak = peaks.find_peak(
        pelvis_rate, max(low, math.floor(reference - 0.3 * sampling_rate_hz)), end
    )
    if peak is None:
        return FoundEvent(
            None, rule, "low", "the rotation of the pelvis could not be followed"
        )
    start = max(low, math.floor(peak.index - FIRST_MOVE_BACK_S * sampling_rate_hz))
    position = peaks.last_crossing(
        pelvis_rate, FIRST_MOVE_SHARE * peak.value, start, peak.index
    )
    if position is None:
        return FoundEvent(
            None,
            rule,
            "low",
            "the pelvis turns from the start of the clip on, so it misses the start "
            "of the swing",
        )
    if np.isnan(pelvis_rate[math.floor(position) : peak.index + 1]).any():
        return FoundEvent(None, rule, "low", "hip points are missing around first move")
    return FoundEvent(position, rule, "rule")


def find_load(
    pelvis_rate: FloatArray,
    *,
    first_move: float,
    sampling_rate_hz: float,
    low: int,
    noise: float = 0.0,
) -> FoundEvent:
    """Return the load: the pelvis is most closed, in the second before first move.

    The pelvis angle is the running sum of its signed rate, so no axis is needed. Where
    it stays near its lowest for long, noise puts the load anywhere in that stretch.

    Parameters
    ----------
    noise : float
        One standard deviation of the pelvis angle by the noise of the hips, deg.
    """
    rule = EVENT_RULES["load"]
    start = max(low, math.floor(first_move - LOAD_BACK_S * sampling_rate_hz))
    end = math.floor(first_move)
    if end - start < 3:
        return FoundEvent(
            None, rule, "low", "the clip starts too late to show the load"
        )
    stretch = pelvis_rate[start : end + 1]
    if np.isnan(stretch).any():
        return FoundEvent(None, rule, "low", "hip points are missing before first move")
    angle = np.concatenate(([0.0], np.cumsum(0.5 * (stretch[1:] + stretch[:-1]))))
    found = peaks.find_extreme(-angle, 0, angle.size - 1)
    if found is None:
        return FoundEvent(None, rule, "low", "the pelvis angle could not be followed")
    position = start + found[1]
    if int(angle.argmin()) == 0:
        return FoundEvent(
            position,
            rule,
            "low",
            "the pelvis is most closed at the very start of the time searched",
        )
    if not noise > 0.0:
        return FoundEvent(position, rule, "rule")
    near = LOAD_NOISES * noise * sampling_rate_hz
    as_low = start + np.flatnonzero(angle <= angle.min() + near)
    away_s = float(np.abs(as_low - position).max()) / sampling_rate_hz
    return FoundEvent(position, rule, "rule", least_error_s=away_s / LOAD_NOISES)


def find_foot_down(
    ankle_height_rate: FloatArray,
    *,
    reference: float,
    sampling_rate_hz: float,
    low: int,
    still: float,
    noise: float,
) -> FoundEvent:
    """Return foot down: the lead ankle comes to rest, told from its vertical speed.

    After the largest downward speed, the first time the vertical speed stays under
    `still` for `FOOT_STILL_S`, before the reference. In real swings that is the
    full-weight foot plant (within 15 ms), about 40 ms after the toes touch.

    Unsure (``low``) where that instant hangs on the threshold: the ankle pauses and
    then sinks by more than `FOOT_SINKS_M`, or only later comes under half the speed;
    and where noise alone may keep it from the threshold. How far it moves with a
    threshold that is moved by the noise is the least of its uncertainty.

    Parameters
    ----------
    ankle_height_rate : ndarray, shape (n,)
        Vertical speed of the lead ankle, up positive.
    still : float
        0.2 m/s in the unit of `ankle_height_rate`.
    noise : float
        One standard deviation of `ankle_height_rate` by the noise of the ankle.

    Notes
    -----
    After the rule published at docs.uplift.ai (five frames at about 240 Hz).
    """
    rule = EVENT_RULES["foot_down"]
    start = max(low, math.floor(reference - FOOT_BACK_S * sampling_rate_hz))
    end = math.floor(reference)
    if end - start < 5:
        return FoundEvent(
            None, rule, "low", "the clip starts too late to show foot down"
        )
    speed = ankle_height_rate[start : end + 1]
    if np.isnan(speed).any():
        return FoundEvent(
            None, rule, "low", "the lead ankle is missing before the swing"
        )
    fastest = int(speed.argmin())
    if float(speed[fastest]) > -still:
        return FoundEvent(
            None,
            rule,
            "low",
            "the lead foot does not come down: its ankle never falls faster than "
            "0.2 m/s",
        )
    needed = max(2, math.ceil(FOOT_STILL_S * sampling_rate_hz - 1e-6))
    found = _comes_to_rest(speed, still, fastest, needed)
    if found is None:
        return FoundEvent(
            None,
            rule,
            "low",
            "the lead ankle does not come to rest before contact",
        )
    first, at_rest = found
    slow = np.flatnonzero(speed[first:] > -0.5 * still)
    later_s = (int(slow[0]) if slow.size else speed.size - first) / sampling_rate_hz
    sinks = -float(np.cumsum(speed[first:]).min()) / sampling_rate_hz
    if sinks > FOOT_SINKS_M * still / FOOT_STILL_M_PER_S:
        why = "the lead ankle pauses and then comes down further"
    elif later_s > FOOT_LINGERS_S:
        why = f"the lead ankle keeps sinking slowly for {later_s * 1000:.0f} ms"
    else:
        moved = [
            _comes_to_rest(speed, still + by * FOOT_NOISES * noise, fastest, needed)
            for by in (-1.0, 1.0)
        ]
        moves = [abs(other[1] - at_rest) for other in moved if other is not None]
        if len(moves) == len(moved):
            least_s = max(moves) / sampling_rate_hz
            return FoundEvent(start + at_rest, rule, "rule", least_error_s=least_s)
        why = "the lead ankle jitters too much to show when it comes to rest"
    return FoundEvent(start + at_rest, rule, "low", why)


def _comes_to_rest(
    speed: FloatArray, limit: float, start: int, needed: int
) -> tuple[int, float] | None:
    """Return the first of `needed` samples slower than `limit`, and the instant."""
    first = _first_quiet(speed, limit, start, needed)
    if first is None:
        return None
    return first, _crossing(np.abs(speed), limit, first)


def _first_quiet(
    speed: FloatArray, limit: float, start: int, needed: int
) -> int | None:
    """Return the first of `needed` samples in a row slower than `limit`."""
    quiet = np.abs(speed) < limit
    run = 0
    for place in range(start, speed.size):
        run = run + 1 if quiet[place] else 0
        if run == needed:
            return place - needed + 1
    return None


def _crossing(size: FloatArray, level: float, first: int) -> float:
    """Return where `size` falls through `level`, just before sample `first`."""
    if first == 0:
        return float(first)
    before, here = float(size[first - 1]), float(size[first])
    if before <= level or before <= here:
        return float(first)
    return first - 1 + (before - level) / (before - here)


def choose_foot_down(
    rule: FoundEvent,
    *,
    vendor_position: float | None,
    vendor_trusted: bool,
    reference: float,
    shortest_s: float,
    sampling_rate_hz: float,
) -> FoundEvent:
    """Return the vendor's foot down or the rule's, with a check of the choice.

    Parameters
    ----------
    rule : FoundEvent
        From `find_foot_down`.
    vendor_position : float or None
        Sample of the vendor's foot down.
    vendor_trusted : bool
        The vendor's clock fits peak hand speed.
    reference : float
        Sample of the reference event.
    shortest_s : float
        Least time from foot down to it.
    """
    chosen = rule
    if vendor_position is not None:
        ahead = (reference - vendor_position) / sampling_rate_hz
        if vendor_position < 0 or ahead <= 0.0:
            chosen = FoundEvent(
                rule.position,
                rule.rule,
                "low",
                rule.reason or "Reboot Motion's foot down is outside the swing",
            )
        elif not vendor_trusted and rule.position is not None:
            chosen = FoundEvent(
                rule.position,
                rule.rule,
                "low",
                "Reboot Motion's clock does not fit the motion, so its foot down was "
                "not used",
            )
        else:
            confidence: Confidence = "vendor"
            reason = None
            if not vendor_trusted:
                confidence = "low"
                reason = "Reboot Motion's clock does not fit the motion"
            elif rule.position is not None:
                apart = (rule.position - vendor_position) / sampling_rate_hz
                if abs(apart) > VENDOR_FOOT_DOWN_APART_S:
                    confidence = "low"
                    reason = (
                        f"the lead ankle comes to rest {abs(apart) * 1000:.0f} ms "
                        f"{'later' if apart > 0 else 'earlier'}"
                    )
            chosen = FoundEvent(vendor_position, "vendor_norm_time", confidence, reason)
    if chosen.position is None:
        return chosen
    ahead = (reference - chosen.position) / sampling_rate_hz
    shortest, longest = shortest_s, FOOT_DOWN_BEFORE_REF_S[1]
    if not shortest <= ahead <= longest:
        return FoundEvent(
            chosen.position,
            chosen.rule,
            "low",
            f"foot down is {ahead * 1000:.0f} ms before contact; "
            f"{shortest * 1000:.0f} to {longest * 1000:.0f} ms is usual",
        )
    return chosen
