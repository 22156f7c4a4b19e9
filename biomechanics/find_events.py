"""Find all events of one swing, and let a moved event move what depends on it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from biomechanics import axes, bat, events, peaks, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.events import FoundEvent, HandPeak
from biomechanics.hitter import Hitter
from biomechanics.measurement_error import RATE_HZ, event_error_s
from biomechanics.motion import LIMB_CUTOFF_HZ
from biomechanics.units import DEG_PER_RAD
from biomechanics.vendor_clock import VendorClock

BAT_PEAK_APART_S = 0.015
"""A reference this near to the bat's highest speed of the clip needs no hands."""
FOOT_SLOPE_WITHIN_S, PELVIS_SLOPE_WITHIN_S = 0.010, 0.030
"""On both sides of an event, for its slope. That of the pelvis is shallow: over 10 ms
it is mostly noise from 4 mm on, which makes first move look three times as sure as it
is (invented swings)."""
FOOT_SLOPE, PELVIS_SLOPE = 20.0, 2000.0
"""Where a slope cannot be read: what the speed of an ankle (m/s) and the turn rate of
the pelvis (deg/s) change in a second at foot down and first move."""
END_WITHIN_S, END_ERROR_S = 0.050, 0.0015
"""A peak so near to the end of a clip is placed by a filter that has nothing to go by
beyond it, which leaves so much open (invented swings)."""
TRUNK_NOISE_LEFT = 0.32
"""Of the noise of a point, what the filter of the trunk leaves at `RATE_HZ`; less by
the square root of the rate."""
VENDOR_ERROR_S = 0.001
"""One standard deviation of an instant that the vendor's own clock gives."""


@dataclass(frozen=True, slots=True, eq=False)
class EventClues:
    """What the events of one swing are found from.

    Attributes
    ----------
    pelvis_rate : ndarray, shape (n,)
        Signed rotation speed of the hip line, deg/s.
    vertical : ndarray, shape (3,), or None
    contact_time_s : float or None
        A delivered contact, on the clock of the file.
    """

    hitter: Hitter
    hand_peak: HandPeak | None
    bat: bat.BatMotion | None
    pelvis_rate: FloatArray
    vertical: FloatArray | None
    vendor: VendorClock
    contact_time_s: float | None


@dataclass(frozen=True, slots=True)
class SwingEvents:
    """The events of one swing by name.

    Attributes
    ----------
    found : mapping of str to FoundEvent
        With those that a person moved, and what follows from them.
    automatic : mapping of str to FoundEvent
        As the rules alone give them.
    reference_class : str
        What the reference is to the uncertainties: see `measurement_error.model_of`.
    """

    found: Mapping[str, FoundEvent]
    automatic: Mapping[str, FoundEvent]
    reference_class: str = "hand_peak"

    def error_s(self, event: str) -> float:
        """Return one standard deviation of an event in seconds, 0 where not known."""
        found = self.found.get(event)
        return 0.0 if found is None else found.uncertainty_s or 0.0

    def position(self, event: str) -> float | None:
        """Return the sample of an event, ``None`` if it was not found."""
        found = self.found.get(event)
        return None if found is None else found.position

    @property
    def reference_rule(self) -> str:
        """The rule behind the reference, e.g. ``contact``."""
        return self.found["reference"].rule

    def sequence_window(self, hitter: Hitter) -> tuple[int, int] | None:
        """Return the samples in which rotation speeds have their peaks.

        First move to reference, plus 30 ms when that is peak hand speed; ``None``
        without these events.
        """
        start, end = self.position("first_move"), self.position("reference")
        if start is None or end is None:
            return None
        if self.reference_rule == "hand_peak":
            end += events.AFTER_HAND_PEAK_S * hitter.rate_hz
        return hitter.window(start, end)


def no_events(reason: str) -> SwingEvents:
    """Return events of which none was found, for one reason."""
    found = _none_found(reason)
    return SwingEvents(found, found)


def _none_found(reason: str) -> dict[str, FoundEvent]:
    """Return every event that each swing has, as not found."""
    return {
        name: FoundEvent(None, rule, "low", reason)
        for name, rule in events.EVENT_RULES.items()
    }


def find_events(clues: EventClues, overrides: Mapping[str, float]) -> SwingEvents:
    """Return the events of one swing.

    Parameters
    ----------
    clues : EventClues
    overrides : mapping of str to float
        Events that a person moved, seconds on the clock of the file.
    """
    automatic = _find_all(clues, {})
    if not overrides:
        kind = reference_class(clues, automatic["reference"])
        return SwingEvents(automatic, automatic, kind)
    motion = clues.hitter.motion
    moved = {
        name: FoundEvent(
            motion.index(time_s),
            "manual",
            "manual",
            uncertainty_s=events.GIVEN_CONTACT_FRAMES / motion.rate_hz,
        )
        for name, time_s in overrides.items()
    }
    found = _find_all(clues, moved)
    return SwingEvents(found, automatic, reference_class(clues, found["reference"]))


def _find_all(
    clues: EventClues, moved: Mapping[str, FoundEvent]
) -> dict[str, FoundEvent]:
    """Return the events by name; one in `moved` stands, and others follow from it."""
    found: dict[str, FoundEvent] = {}
    hand = found["peak_hand_speed"] = moved.get(
        "peak_hand_speed"
    ) or _find_peak_hand_speed(clues.hand_peak)
    contact = moved.get("contact") or _find_contact(clues, hand.position)
    if contact is not None:
        found["contact"] = contact
    # A delivered contact that failed its check is shown, and nothing follows from it.
    used = None if contact is None or contact.confidence == "low" else contact
    bat_peak = moved.get("bat_peak") or _find_bat_peak(
        clues,
        hand=hand.position,
        contact=None if used is None else used.position,
    )
    if bat_peak is not None:
        found["bat_peak"] = bat_peak
    found["reference"] = moved.get("reference") or _choose_reference(
        used, bat_peak, hand
    )
    if found["reference"].confidence in ("rule", "vendor"):
        found["reference"] = _checked_reference(clues, found["reference"])
    found |= _find_before(clues, found["reference"], moved)
    return {
        name: _with_error(clues, name, event, found) for name, event in found.items()
    }


def reference_class(clues: EventClues, reference: FoundEvent) -> str:
    """Return what the reference is to the uncertainties: see `measurement_error`."""
    if reference.rule == "hand_peak":
        return "hand_peak"
    if reference.rule != "bat_peak":
        return "contact"
    moving = clues.bat
    unseen = moving is None or moving.impact.hidden or moving.low_rate
    return "unseen_ball" if unseen or reference.confidence == "low" else "bat_peak"


def _with_error(
    clues: EventClues, name: str, event: FoundEvent, found: Mapping[str, FoundEvent]
) -> FoundEvent:
    """Return an event with its uncertainty, by its cause where none is known yet."""
    if event.position is None or event.uncertainty_s is not None:
        return event
    if event.rule == "vendor_norm_time":
        # A straight line through all rows: far surer than a frame.
        return replace(event, uncertainty_s=VENDOR_ERROR_S)
    key, noise = event_noise(clues, name, event)
    error_s = event_error_s(
        key,
        reference_class(clues, found["reference"]),
        noise=noise,
        rate_hz=clues.hitter.rate_hz,
    )
    left = min(event.position, clues.hitter.motion.count - 1 - event.position)
    if error_s is not None and left < END_WITHIN_S * clues.hitter.rate_hz:
        error_s = math.hypot(error_s, END_ERROR_S)
    if error_s is not None:
        error_s = max(error_s, event.least_error_s)
    return replace(event, uncertainty_s=error_s)


def event_noise(clues: EventClues, name: str, event: FoundEvent) -> tuple[str, float]:
    """Return the event that the constants know, and the noise behind it.

    In mm of the points that show it. Of an event that is a crossing or a turning of a
    curve, by the slope there: noise moves it the further the flatter the curve is.
    """
    hitter, rate, position = clues.hitter, clues.hitter.rate_hz, event.position or 0.0
    if name == "foot_down":
        ankle = hitter.lead("ajc")
        slope = None
        if clues.vertical is not None:
            height = hitter.limbs[ankle] @ clues.vertical
            speed = signals.derivative(height, sampling_rate_hz=rate)
            slope = _slope(speed, position, rate, FOOT_SLOPE_WITHIN_S)
        return name, hitter.noise_mm((ankle,)) / (slope or FOOT_SLOPE)
    if name in ("first_move", "load"):
        slope = _slope(clues.pelvis_rate, position, rate, PELVIS_SLOPE_WITHIN_S)
        return name, hitter.noise_mm(("lhjc", "rhjc")) / (slope or PELVIS_SLOPE)
    if event.rule == "bat_peak":
        return "bat_peak", 0.0 if clues.bat is None else clues.bat.noise_mm
    kind = "hand" if hitter.motion.hand_is == "hands" else "wjc"
    return "hand_peak", hitter.noise_mm(("l" + kind, "r" + kind))


def _slope(
    curve: FloatArray, position: float, rate: float, within_s: float
) -> float | None:
    """Return how fast a curve changes around a sample, a second.

    Not negative; of one side alone at the ends, and ``None`` where neither is known or
    the curve does not change at all.
    """
    reach = max(1.0, within_s * rate)
    known = [
        (at, value)
        for at in (position - reach, position, position + reach)
        if (value := peaks.value_at(curve, at)) is not None
    ]
    if len(known) < 2:
        return None
    (start, before), (end, after) = known[0], known[-1]
    return abs(after - before) * rate / (end - start) or None


def _find_peak_hand_speed(hand: HandPeak | None) -> FoundEvent:
    """Return peak hand speed as an event, unsure if the vendor puts it elsewhere."""
    if hand is None:
        return FoundEvent(None, "hand_peak", "low", "the hands could not be followed")
    if hand.unsure is not None:
        return FoundEvent(hand.peak.top, "hand_peak", "low", hand.unsure)
    if hand.peak.at_edge:
        why = "the hands are still getting faster where the clip ends"
        return FoundEvent(hand.peak.top, "hand_peak", "low", why)
    if hand.agrees is not False:
        return FoundEvent(hand.peak.top, "hand_peak", "rule")
    off_s = hand.off_s or 0.0
    return FoundEvent(
        hand.peak.top,
        "hand_peak",
        "low",
        f"Reboot Motion puts peak hand speed {abs(off_s) * 1000:.0f} ms "
        f"{'earlier' if off_s > 0 else 'later'}",
    )


def _find_contact(clues: EventClues, hand: float | None) -> FoundEvent | None:
    """Return the delivered contact if it passes its checks, else the bat's impact.

    ``None`` when nothing was delivered and the bat shows no impact.
    """
    impact = None if clues.bat is None else clues.bat.impact.impact
    seen = None
    if impact is not None:
        seen = FoundEvent(
            impact.position, "bat_impact", "rule", uncertainty_s=impact.uncertainty_s
        )
    if clues.contact_time_s is None:
        return seen
    motion = clues.hitter.motion
    position = motion.index(clues.contact_time_s)
    if not 0 <= position <= motion.count - 1:
        return seen or FoundEvent(
            None, "contact", "low", "Reboot Motion's contact is outside the clip"
        )
    earliest, latest = events.CONTACT_AROUND_HAND_PEAK_S
    fits = hand is None or earliest <= (position - hand) / motion.rate_hz <= latest
    if seen is not None and impact is not None:
        off_s = (position - impact.position) / motion.rate_hz
        if not fits or abs(off_s) > events.CONTACT_NEAR_IMPACT_S:
            return replace(
                seen,
                reason=f"Reboot Motion's contact is {abs(off_s) * 1000:.0f} ms "
                f"{'later' if off_s > 0 else 'earlier'} and was not used",
            )
    if not fits:
        return FoundEvent(
            position,
            "contact",
            "low",
            "Reboot Motion's contact does not fit peak hand speed and was not used",
        )
    return FoundEvent(
        position,
        "contact",
        "vendor",
        uncertainty_s=events.GIVEN_CONTACT_FRAMES / motion.rate_hz,
    )


def _find_bat_peak(
    clues: EventClues, *, hand: float | None, contact: float | None
) -> FoundEvent | None:
    """Return peak bat speed near peak hand speed, ``None`` without a bat speed."""
    moving = clues.bat
    if moving is None or moving.speed is None:
        return None
    around = hand if hand is not None else contact
    peak = None
    rate = clues.hitter.rate_hz
    if around is not None:
        start, end = clues.hitter.window(
            around + bat.PEAK_AROUND_S[0] * rate,
            min(around + bat.PEAK_AROUND_S[1] * rate, moving.last),
        )
        peak = peaks.find_peak(moving.speed, start, end, limit=moving.last)
    if peak is None:
        return FoundEvent(
            None, "bat_peak", "low", "bat speed has no peak near the peak of hand speed"
        )
    if contact is not None:
        return FoundEvent(peak.top, "bat_peak", "rule")
    if peak.at_edge or peak.index >= moving.last - 1:
        return FoundEvent(
            None,
            "bat_peak",
            "low",
            "bat speed is still rising where the bat is last seen",
        )
    doubt = bat.why_no_peak(moving, peak)
    return FoundEvent(peak.top, "bat_peak", "rule" if doubt is None else "low", doubt)


def _choose_reference(
    contact: FoundEvent | None, bat_peak: FoundEvent | None, hand: FoundEvent
) -> FoundEvent:
    """Return contact, else peak bat speed, else peak hand speed as the reference."""
    if contact is not None:
        rule = "bat_impact" if contact.rule == "bat_impact" else "contact"
        return replace(contact, rule=rule)
    if bat_peak is not None and bat_peak.position is not None:
        return bat_peak
    return replace(hand, rule="hand_peak")


def _checked_reference(clues: EventClues, reference: FoundEvent) -> FoundEvent:
    """Return the reference, unsure when the hands that lead to it are.

    The bat alone shows the swing too: at its fastest in the whole clip. A contact at
    which the bat is well below its highest speed is unsure as well.
    """
    slow = _why_too_slow(clues, reference)
    if slow is not None:
        return replace(reference, confidence="low", reason=slow)
    if reference.confidence != "rule":
        return reference
    unsure = None if clues.hand_peak is None else clues.hand_peak.unsure
    if unsure is None or reference.position is None:
        return reference
    if reference.rule == "bat_impact":
        return reference
    if reference.rule == "bat_peak" and clues.bat is not None:
        speed = clues.bat.speed
        if speed is not None and np.isfinite(speed).any():
            apart = abs(int(np.nanargmax(speed)) - reference.position)
            if apart <= BAT_PEAK_APART_S * clues.hitter.rate_hz:
                return reference
    return replace(reference, confidence="low", reason=unsure)


def _why_too_slow(clues: EventClues, reference: FoundEvent) -> str | None:
    """Return why the bat is too slow at a contact for one, ``None`` if it is not."""
    moving, position = clues.bat, reference.position
    if moving is None or position is None:
        return None
    if reference.rule not in ("contact", "bat_impact"):
        return None
    if moving.impact.impact is not None:
        position = moving.impact.impact.position
    rate, start = clues.hitter.rate_hz, position
    if clues.hand_peak is not None:
        start = clues.hand_peak.peak.top
    return bat.why_too_slow(moving, position, start=start + bat.PEAK_AROUND_S[0] * rate)


def _find_before(
    clues: EventClues, event: FoundEvent, moved: Mapping[str, FoundEvent]
) -> dict[str, FoundEvent]:
    """Return load, first move and foot down, which come before the reference."""
    reference = event.position
    names = ("first_move", "load", "foot_down")
    if reference is None:
        none = _none_found("there is no contact")
        return {name: moved.get(name) or none[name] for name in names}
    rate, low = clues.hitter.rate_hz, clues.hitter.low
    first_move = moved.get("first_move") or events.find_first_move(
        clues.pelvis_rate, reference=reference, sampling_rate_hz=rate, low=low
    )
    load = moved.get("load") or (
        FoundEvent(None, events.EVENT_RULES["load"], "low", "first move was not found")
        if first_move.position is None
        else events.find_load(
            clues.pelvis_rate,
            first_move=first_move.position,
            sampling_rate_hz=rate,
            low=low,
            noise=_noise_of_pelvis_deg(clues.hitter),
        )
    )
    foot_down = moved.get("foot_down") or _find_foot_down(clues, event, reference)
    return dict(zip(names, (first_move, load, foot_down), strict=True))


def _noise_of_pelvis_deg(hitter: Hitter) -> float:
    """Return the noise of the angle of the hip line, as much as its filter leaves."""
    hips = hitter.trunk["lhjc"] - hitter.trunk["rhjc"]
    width = axes.length(hips)
    width = width[np.isfinite(width)]
    if not width.size:
        return 0.0
    noise = hitter.noise_in_unit(("lhjc", "rhjc"))
    left = TRUNK_NOISE_LEFT * math.sqrt(RATE_HZ / hitter.rate_hz)
    return DEG_PER_RAD * math.sqrt(2.0) * noise * left / signals.median(width)


def _find_foot_down(
    clues: EventClues, reference: FoundEvent, position: float
) -> FoundEvent:
    """Return the vendor's foot down or that of the lead ankle, whichever is better.

    `position` is that of the reference.
    """
    motion, rate = clues.hitter.motion, clues.hitter.rate_hz
    vendor_s = clues.vendor.foot_down_s
    return events.choose_foot_down(
        _find_ankle_at_rest(clues, position),
        vendor_position=None if vendor_s is None else motion.index(vendor_s),
        vendor_trusted=clues.hand_peak is not None and clues.hand_peak.agrees is True,
        reference=position,
        shortest_s=events.FOOT_DOWN_BEFORE_HANDS_S
        if reference.rule == "hand_peak"
        else events.FOOT_DOWN_BEFORE_REF_S[0],
        sampling_rate_hz=rate,
    )


def _find_ankle_at_rest(clues: EventClues, reference: float) -> FoundEvent:
    """Return when the lead ankle comes to rest, from its height."""
    hitter, rate = clues.hitter, clues.hitter.rate_hz
    if clues.vertical is None:
        return FoundEvent(
            None,
            events.EVENT_RULES["foot_down"],
            "low",
            "which way is up is unclear, so foot down is too",
        )
    ankle = hitter.lead("ajc")
    height = hitter.limbs[ankle] @ clues.vertical
    still = events.FOOT_STILL_M_PER_S
    if hitter.motion.scale is None:
        leg = hitter.leg_length()
        still = still * (leg / events.LEG_M if leg is not None else 1.0)
    noise_m_per_s = signals.noise_of_rate(
        hitter.noise_mm((ankle,)) / 1000.0,
        cutoff_hz=LIMB_CUTOFF_HZ,
        sampling_rate_hz=rate,
    )
    found = events.find_foot_down(
        signals.derivative(height, sampling_rate_hz=rate),
        reference=reference,
        sampling_rate_hz=rate,
        low=hitter.low,
        still=still,
        noise=noise_m_per_s * still / events.FOOT_STILL_M_PER_S,
    )
    if found.position is None:
        why = hitter.why_missing([ankle], reference - rate, reference)
        if why is not None:
            return FoundEvent(None, found.rule, "low", why)
    return found
