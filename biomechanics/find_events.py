"""The events of a reading: rule, confidence, and what a moved one moves with it."""

from collections.abc import Mapping

from biomechanics import bat, events, peaks, signals
from biomechanics.events import Found
from biomechanics.observed_swing import Reading, leg_length


def no_events(reason: str) -> dict[str, Found]:
    return {
        name: Found(None, rule, "low", reason)
        for name, rule in (
            ("load", "pelvis_most_closed"),
            ("first_move", "pelvis_rate_15_percent"),
            ("foot_down", "ankle_settles"),
            ("peak_hand_speed", "hand_peak"),
            ("reference", "hand_peak"),
        )
    }


def find_events(
    reading: Reading, contact_time_s: float | None, overrides: Mapping[str, float]
) -> None:
    """Fill `events` and `automatic`; a moved event moves what depends on it."""
    reading.automatic = _events(reading, contact_time_s, {})
    reading.events = (
        _events(reading, contact_time_s, overrides)
        if overrides
        else dict(reading.automatic)
    )


def _events(
    reading: Reading, contact_time_s: float | None, overrides: Mapping[str, float]
) -> dict[str, Found]:
    motion, rate, low = reading.motion, reading.rate_hz, reading.low
    found: dict[str, Found] = {}

    def moved(name: str) -> Found | None:
        if name not in overrides:
            return None
        return Found(motion.index(overrides[name]), "manual", "manual")

    hand = reading.hand_peak
    trusted = False
    if hand is None:
        found["peak_hand_speed"] = Found(
            None, "hand_peak", "low", "the hands could not be followed"
        )
    else:
        trusted = hand.agrees is True
        mismatch = hand.agrees is False
        found["peak_hand_speed"] = Found(
            hand.peak.top,
            "hand_peak",
            "low" if mismatch else "rule",
            f"the vendor puts peak hand speed {abs(hand.off_s or 0.0) * 1000:.0f} ms "
            f"{'earlier' if (hand.off_s or 0.0) > 0 else 'later'}"
            if mismatch
            else None,
        )
    found["peak_hand_speed"] = moved("peak_hand_speed") or found["peak_hand_speed"]
    hand_at = found["peak_hand_speed"].position

    manual_contact = moved("contact")
    usable_contact: float | None = None
    if manual_contact is not None:
        found["contact"] = manual_contact
        usable_contact = manual_contact.position
    elif contact_time_s is not None:
        position = motion.index(contact_time_s)
        inside = 0 <= position <= motion.count - 1
        after, until = events.CONTACT_AROUND_HAND_PEAK_S
        fits = hand_at is None or after <= (position - hand_at) / rate <= until
        found["contact"] = Found(
            position if inside else None,
            "contact",
            "vendor" if inside and fits else "low",
            None
            if inside and fits
            else "the delivered contact does not fit peak hand speed and was not used"
            if inside
            else "the delivered contact lies outside the clip",
        )
        usable_contact = position if inside and fits else None

    if reading.bat is not None and reading.bat.speed is not None:
        around = hand_at if hand_at is not None else usable_contact
        peak = None
        if around is not None:
            start, end = reading.window(
                around + bat.PEAK_AROUND_S[0] * rate,
                min(around + bat.PEAK_AROUND_S[1] * rate, reading.bat.last),
            )
            peak = peaks.find_peak(
                reading.bat.speed, start, end, limit=reading.bat.last
            )
        found["bat_peak"] = (
            Found(None, "bat_peak", "low", "bat speed has no peak near the hands'")
            if peak is None
            else Found(
                peak.top,
                "bat_peak",
                "low" if peak.at_edge and usable_contact is None else "rule",
                "bat speed is still rising where the search ends"
                if peak.at_edge and usable_contact is None
                else None,
            )
        )
    if "bat_peak" in overrides:
        found["bat_peak"] = Found(
            motion.index(overrides["bat_peak"]), "manual", "manual"
        )

    bat_peak = found.get("bat_peak")
    reference = moved("reference")
    if reference is not None:
        pass
    elif usable_contact is not None:
        chosen = found["contact"]
        reference = Found(usable_contact, "contact", chosen.confidence, chosen.reason)
    elif bat_peak is not None and bat_peak.position is not None:
        reference = Found(
            bat_peak.position, "bat_peak", bat_peak.confidence, bat_peak.reason
        )
    else:
        chosen = found["peak_hand_speed"]
        reference = Found(
            chosen.position, "hand_peak", chosen.confidence, chosen.reason
        )
    found["reference"] = reference
    at = reference.position
    if at is None:
        return found | {
            name: moved(name) or item
            for name, item in no_events("there is no reference event").items()
            if name in ("load", "first_move", "foot_down")
        }

    found["first_move"] = moved("first_move") or events.find_first_move(
        reading.pelvis_rate, reference=at, sampling_rate_hz=rate, low=low
    )
    first = found["first_move"].position
    found["load"] = moved("load") or (
        Found(None, "pelvis_most_closed", "low", "first move was not found")
        if first is None
        else events.find_load(
            reading.pelvis_rate, first_move=first, sampling_rate_hz=rate, low=low
        )
    )
    found["foot_down"] = moved("foot_down") or _foot_down(reading, at, trusted=trusted)
    return found


def _foot_down(reading: Reading, reference: float, *, trusted: bool) -> Found:
    motion, rate = reading.motion, reading.rate_hz
    ankle = reading.lead("ajc")
    if reading.vertical is None:
        rule = Found(
            None,
            "ankle_settles",
            "low",
            "which way is up could not be told, so the foot's landing neither",
        )
    else:
        height = reading.limbs[ankle] @ reading.vertical
        still = events.FOOT_STILL_M_PER_S
        if motion.scale is None:
            leg = leg_length(reading)
            still = still * (leg / events.LEG_M if leg is not None else 1.0)
        rule = events.find_foot_down(
            signals.derivative(height, sampling_rate_hz=rate),
            reference=reference,
            sampling_rate_hz=rate,
            low=reading.low,
            still=still,
        )
        if rule.position is None:
            why = reading.why([ankle], reference - rate, reference)
            if why is not None:
                rule = Found(None, rule.rule, "low", why)
    vendor_s = reading.vendor.foot_down_s
    return events.choose_foot_down(
        rule,
        vendor_position=None if vendor_s is None else motion.index(vendor_s),
        vendor_trusted=trusted,
        reference=reference,
        sampling_rate_hz=rate,
    )
