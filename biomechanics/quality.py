"""Judge how far a swing can be trusted, in plain words.

A reason is ``poor`` (the numbers should not enter means), ``usable`` (look twice) or
``note`` (worth knowing; the grade stays). The grade is that of the worst reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from biomechanics.analysis_types import Grade, MetricValue, Quality
from biomechanics.definitions import METRICS
from biomechanics.hitter import Hitter
from biomechanics.observed_swing import ObservedSwing
from biomechanics.points import spoken
from biomechanics.ranges import within
from biomechanics.side import Bats
from biomechanics.soundness import (
    DRIFT_POOR,
    DRIFT_USABLE,
    NOISE_POOR_M,
    NOISE_USABLE_M,
    find_soundness,
)

Severity = Literal["poor", "usable", "note"]

IRREGULAR_SHARE = 0.02
LOW_RATE_HZ = 100.0
EDGE_ROOM_S = 0.03
CORE_METRICS = (
    "peak_pelvis_omega",
    "peak_torso_omega",
    "peak_lead_arm_omega",
    "peak_hand_speed",
)
_NEEDED = ("lhjc", "rhjc", "lsjc", "rsjc", "lwjc", "rwjc")


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for or against a swing."""

    code: str
    text: str
    severity: Severity


def graded(reasons: list[Reason]) -> Quality:
    """Return the grade of the worst reason, with the worst reasons first."""
    rank = {"poor": 0, "usable": 1, "note": 2}
    ordered = sorted(reasons, key=lambda reason: rank[reason.severity])
    grade: Grade = "good"
    if ordered and ordered[0].severity == "poor":
        grade = "poor"
    elif ordered and ordered[0].severity == "usable":
        grade = "usable"
    return Quality(grade, tuple((item.code, item.text) for item in ordered))


def judge(
    swing: ObservedSwing,
    metrics: Mapping[str, MetricValue],
    *,
    bats: Bats | None,
    height_m: float | None,
) -> Quality:
    """Return the grade of one swing, and every reason for or against it.

    Parameters
    ----------
    swing : ObservedSwing
    metrics : mapping of str to MetricValue
    bats : {'right', 'left', 'switch'} or None
        From the athlete's profile.
    height_m : float or None
        Of the athlete.
    """
    if swing.kind == "not_swing":
        return graded([_not_a_swing(swing)])
    reasons = [_not_a_swing(swing)] if swing.kind == "one_handed" else []
    for part in (_about_efforts, _about_clock, _about_events, _about_stretch):
        reasons.extend(part(swing))
    reasons.extend(_about_metrics(metrics))
    reasons.extend(_about_bat(swing))
    reasons.extend(_about_file(swing))
    reasons.extend(_about_athlete(swing, bats=bats, height_m=height_m))
    return graded(reasons)


def _not_a_swing(swing: ObservedSwing) -> Reason:
    """Return the reason why a movement is not a swing with a bat."""
    return Reason(swing.kind, _sentence(swing.kind_reason or "Not a swing"), "poor")


def _sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    text = text[0].upper() + text[1:]
    return text if text.endswith(".") else text + "."


def _about_efforts(swing: ObservedSwing) -> Iterator[Reason]:
    """Yield reasons if it is not sure which effort of the hands is the swing."""
    hand = swing.hands.peak
    if hand is None:
        return
    if hand.efforts > 1:
        told = hand.agrees is True
        yield Reason(
            "several_swings",
            f"The clip has {hand.efforts} separate swings"
            + (
                "; Reboot Motion's clock says which one to use."
                if told
                else "; the fastest one was measured."
            ),
            "usable" if told else "poor",
        )
    if hand.agrees is False:
        yield Reason(
            "hand_peak_mismatch",
            "Peak hand speed in the points and in Reboot Motion's clock are "
            f"{abs(hand.off_s or 0.0) * 1000:.0f} ms apart.",
            "usable",
        )


def _about_clock(swing: ObservedSwing) -> Iterator[Reason]:
    """Yield reasons if the times of the frames cannot be trusted."""
    clock, rate = swing.hitter.clock, swing.hitter.rate_hz
    for problem in swing.vendor.problems:
        yield Reason(
            "vendor_clock", f"Reboot Motion's {problem}; it was not used.", "note"
        )
    repeated = swing.hitter.motion.repeated_frames
    if repeated:
        yield Reason(
            "repeated_frames",
            f"{repeated} frames repeat the ones before; they were filled like gaps.",
            "note",
        )
    if clock.irregular_share > IRREGULAR_SHARE:
        yield Reason(
            "clock_irregular",
            f"{clock.irregular_share * 100:.0f}% of the frames are not evenly "
            "spaced in time.",
            "usable",
        )
    if rate < LOW_RATE_HZ:
        yield Reason(
            "low_rate",
            f"{rate:.0f} frames per second is low: peaks read low and times are "
            "coarse.",
            "usable",
        )


def _about_events(swing: ObservedSwing) -> Iterator[Reason]:
    """Yield reasons if events were not found or are unsure."""
    for name, code, words in (
        ("first_move", "no_first_move", "First move"),
        ("foot_down", "no_foot_down", "Foot down"),
        ("load", "no_load", "The load"),
    ):
        found = swing.events.found.get(name)
        if found is None or found.position is None:
            why = f": {found.reason}" if found is not None and found.reason else ""
            yield Reason(code, f"{words} was not found{why}.", "usable")
        elif found.confidence == "low":
            yield Reason(
                f"low_{name}", f"{words} is uncertain: {found.reason}.", "note"
            )


def _about_stretch(swing: ObservedSwing) -> Iterator[Reason]:
    """Yield reasons if points, order or ends of the swing's stretch are at fault."""
    hitter, rate = swing.hitter, swing.hitter.rate_hz
    reference = swing.events.position("reference")
    if reference is None:
        return
    load, first = swing.events.position("load"), swing.events.position("first_move")
    start = load
    if start is None:
        start = first
    if start is None:
        start = reference - 0.5 * rate
    yield from _about_gaps(hitter, start, reference)
    yield from _about_points(hitter, start, reference)
    if first is not None and load is not None and not load <= first < reference:
        yield Reason(
            "event_order",
            "Load, first move and contact are out of order.",
            "usable",
        )
    if (
        reference - hitter.low < 0.15 * rate
        or hitter.high - reference < -EDGE_ROOM_S * rate
    ):
        yield Reason(
            "reference_at_edge",
            "The fastest moment is at the very edge of the clip, so the swing may be "
            "cut off.",
            "poor",
        )
    elif hitter.high - reference < EDGE_ROOM_S * rate:
        yield Reason(
            "clip_ends_early",
            "The clip ends right after contact; late peaks may be cut off.",
            "usable",
        )


def _about_gaps(hitter: Hitter, low: float, high: float) -> Iterator[Reason]:
    """Yield a reason if hips, shoulders or wrists are lost in samples low…high."""
    if hitter.motion.unknown is None:
        return
    worst = max(
        (
            hitter.gap_s(point, low, high)
            for point in _NEEDED
            if point not in hitter.motion.absent
        ),
        default=0.0,
    )
    if worst > 0.0:
        yield Reason(
            "gap",
            f"Hips, shoulders or wrists are missing for {worst * 1000:.0f} ms during "
            "the swing.",
            "poor",
        )


def _about_points(hitter: Hitter, low: float, high: float) -> Iterator[Reason]:
    """Yield reasons if points leap, shake or drift in samples low…high."""
    motion = hitter.motion
    if motion.leapt:
        worst = max(motion.leapt, key=lambda name: motion.leapt[name])
        yield Reason(
            "point_jump",
            f"The {spoken(worst)} jumps in {motion.leapt[worst]} frames; "
            "they were filled like gaps.",
            "note",
        )
    if motion.leapt_frames:
        yield Reason(
            "frame_jump",
            f"In {motion.leapt_frames} frames the whole body jumps; they were filled "
            "like gaps.",
            "note",
        )
    sound = find_soundness(hitter, low, high)
    if sound.leaping is not None:
        yield Reason(
            "point_jump",
            f"The {sound.leaping} jumps during the swing and does not come back.",
            "poor",
        )
    if sound.exchanged is not None:
        yield Reason(
            "joint_exchanged",
            f"Left and right {sound.exchanged} are swapped: with the names swapped "
            "back, the bones keep their lengths.",
            "poor",
        )
    if sound.misplaced is not None:
        yield Reason(
            "point_misplaced",
            f"The length of the {sound.misplaced} doesn't fit the rest of the body; "
            "a point may be in a different unit.",
            "poor",
        )
    if sound.noise_m > NOISE_USABLE_M:
        yield Reason(
            "point_noise",
            f"The {sound.noisy} jitters by {sound.noise_m * 1000:.0f} mm from frame "
            "to frame.",
            "poor" if sound.noise_m > NOISE_POOR_M else "usable",
        )
    if sound.drift > DRIFT_USABLE:
        yield Reason(
            "segment_length",
            f"The length of a limb changes by {sound.drift * 100:.0f}% during the "
            "swing; bones don't.",
            "poor" if sound.drift > DRIFT_POOR else "usable",
        )


def _outside(metric_id: str, value: MetricValue) -> bool:
    """Return whether a number lies outside its plausible range."""
    if not isinstance(value.value, float):
        return False
    return not within(value.value, METRICS[metric_id].plausible)


def _about_metrics(metrics: Mapping[str, MetricValue]) -> Iterator[Reason]:
    """Yield a reason if numbers lie outside their plausible range."""
    flagged = [
        metric_id
        for metric_id, value in metrics.items()
        if value.flagged and _outside(metric_id, value)
    ]
    if flagged:
        core = [metric_id for metric_id in flagged if metric_id in CORE_METRICS]
        names = ", ".join(METRICS[metric_id].short for metric_id in flagged)
        yield Reason(
            "implausible",
            f"Not plausible, so excluded from averages: {names}.",
            "poor" if len(core) >= 2 else "usable",
        )


def _about_bat(swing: ObservedSwing) -> Iterator[Reason]:
    """Yield reasons if the bat was refused, or is read coarsely."""
    if swing.bat_reason not in (None, "no bat was tracked", "not a bat swing"):
        yield Reason("bat_refused", f"No bat numbers: {swing.bat_reason}.", "note")
    if swing.bat is not None and swing.bat.low_rate:
        yield Reason(
            "bat_low_rate",
            f"At {swing.hitter.rate_hz:.0f} frames a second the bat's peak reads a few "
            "percent low.",
            "note",
        )


def _about_file(swing: ObservedSwing) -> Iterator[Reason]:
    """Yield reasons if unit, vertical, names or angle columns are not as usual."""
    motion, findings = swing.hitter.motion, swing.findings
    if motion.scale is None:
        yield Reason("length_unit_unknown", motion.scale_finding.text, "usable")
    if swing.energetics.clock_fault is not None:
        yield Reason(
            "energy_clock",
            f"{_sentence(swing.energetics.clock_fault)} Its peaks are not used.",
            "note",
        )
    if swing.vertical is None:
        yield Reason("no_vertical", findings["vertical"].text, "usable")
    if swing.hitter.exchanged:
        yield Reason("names_exchanged", findings["names_exchanged"].text, "note")
    unit = findings["angle_unit"]
    if swing.angles.unit == "unknown" and unit.evidence:
        yield Reason("angle_unit_unknown", unit.text, "note")
    if swing.angles.doubtful:
        yield Reason(
            "angle_scale",
            "Reboot Motion's pelvis angle and the points rotate at different speeds.",
            "note",
        )


def _about_athlete(
    swing: ObservedSwing, *, bats: Bats | None, height_m: float | None
) -> Iterator[Reason]:
    """Yield reasons if the athlete's side or height is not known."""
    batting = swing.hitter.side
    if batting.side is None:
        yield Reason("side_unknown", batting.finding.text, "usable")
    elif bats is None:
        yield Reason(
            "side_from_motion",
            "The profile does not say on which side they bat; it was taken from the "
            "motion.",
            "note",
        )
    if height_m is None:
        yield Reason(
            "height_missing",
            "The athlete's height is not known, so stride width is not given by body "
            "height.",
            "note",
        )
    other_height = swing.hitter.why_other_height(height_m)
    if other_height is not None:
        yield Reason("height_unlikely", _sentence(other_height), "note")
