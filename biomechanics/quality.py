"""How far a swing can be trusted, in plain words.

A reason is ``poor`` (the numbers should not enter means), ``usable`` (look twice) or
``note`` (worth knowing; the grade stays). The grade is that of the worst reason.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from biomechanics import axes
from biomechanics.analysis_types import Grade, MetricValue, Quality
from biomechanics.definitions import METRICS
from biomechanics.observed_swing import Reading
from biomechanics.points import PLACES
from biomechanics.side import Bats

Severity = Literal["poor", "usable", "note"]

GAP_LIMIT_S = 0.025
LENGTH_WANDER = 0.03
IRREGULAR_SHARE = 0.02
LOW_RATE_HZ = 100.0
EDGE_ROOM_S = 0.03
CORE_METRICS = (
    "peak_pelvis_omega",
    "peak_torso_omega",
    "peak_lead_arm_omega",
    "peak_hand_speed",
)
_BONES = (
    # Not the shoulder line: shoulder blades glide, and it really changes by 5 %.
    ("lhjc", "rhjc"),
    ("lsjc", "lejc"),
    ("rsjc", "rejc"),
    ("lejc", "lwjc"),
    ("rejc", "rwjc"),
    ("lhjc", "lkjc"),
    ("rhjc", "rkjc"),
    ("lkjc", "lajc"),
    ("rkjc", "rajc"),
)
_BONE_ENDS = (
    np.array([PLACES[a] for a, _ in _BONES]),
    np.array([PLACES[b] for _, b in _BONES]),
)
_NEEDED = ("lhjc", "rhjc", "lsjc", "rsjc", "lwjc", "rwjc")


_Add = Callable[[str, str, Severity], None]


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
    reading: Reading,
    metrics: Mapping[str, MetricValue],
    *,
    bats: Bats | None,
    height_m: float | None,
) -> Quality:
    """Grade one swing."""
    reasons: list[Reason] = []

    def add(code: str, text: str, severity: Severity) -> None:
        reasons.append(Reason(code, text, severity))

    motion, rate = reading.motion, reading.rate_hz
    if reading.kind == "not_swing":
        add("not_swing", _sentence(reading.kind_reason or "Not a swing"), "poor")
        return graded(reasons)
    if reading.kind == "one_handed":
        add("one_handed", _sentence(reading.kind_reason or "Not a swing"), "poor")
    hand = reading.hand_peak
    if hand is not None and hand.efforts > 1:
        told = hand.agrees is True
        add(
            "several_swings",
            f"The clip holds {hand.efforts} separate efforts"
            + (
                "; the vendor's clock says which one is meant."
                if told
                else "; the fastest one was measured."
            ),
            "usable" if told else "poor",
        )
    if hand is not None and hand.agrees is False:
        add(
            "hand_peak_mismatch",
            "Peak hand speed in the points and in the vendor's clock are "
            f"{abs(hand.off_s or 0.0) * 1000:.0f} ms apart.",
            "usable",
        )
    for problem in reading.vendor.problems:
        add("vendor_clock", f"The vendor's {problem}; it was not used.", "note")
    if motion.clock.irregular_share > IRREGULAR_SHARE:
        add(
            "clock_irregular",
            f"{motion.clock.irregular_share * 100:.0f} % of the frames are not evenly "
            "spaced in time.",
            "usable",
        )
    if rate < LOW_RATE_HZ:
        add(
            "low_rate",
            f"{rate:.0f} frames a second are few: peaks read low and their times are "
            "coarse.",
            "usable",
        )
    reference = reading.position("reference")
    load = reading.position("load")
    for name, code, words in (
        ("first_move", "no_first_move", "First move"),
        ("foot_down", "no_foot_down", "Foot down"),
        ("load", "no_load", "The load"),
    ):
        found = reading.events.get(name)
        if found is None or found.position is None:
            why = f": {found.reason}" if found is not None and found.reason else ""
            add(code, f"{words} was not found{why}.", "usable")
        elif found.confidence == "low":
            add(f"low_{name}", f"{words} is unsure: {found.reason}.", "note")
    if reference is not None:
        start = load
        if start is None:
            start = reading.position("first_move")
        if start is None:
            start = reference - 0.5 * rate
        _gaps(reading, start, reference, add)
        _bones(reading, start, reference, add)
        first = reading.position("first_move")
        if first is not None and load is not None and not load <= first < reference:
            add(
                "event_order",
                "Load, first move and reference are out of order.",
                "usable",
            )
        if (
            reference - reading.low < 0.15 * rate
            or reading.high - reference < -EDGE_ROOM_S * rate
        ):
            add(
                "reference_at_edge",
                "The fastest moment lies at the very edge of the clip, so the swing "
                "may be cut off.",
                "poor",
            )
        elif reading.high - reference < EDGE_ROOM_S * rate:
            add(
                "clip_ends_early",
                "The clip ends right after the reference; late peaks may be cut off.",
                "usable",
            )
    flagged = [
        metric_id
        for metric_id, value in metrics.items()
        if value.flagged and METRICS[metric_id].plausible is not None
    ]
    if flagged:
        core = [metric_id for metric_id in flagged if metric_id in CORE_METRICS]
        names = ", ".join(METRICS[metric_id].short for metric_id in flagged)
        add(
            "implausible",
            f"Not plausible, so left out of means: {names}.",
            "poor" if len(core) >= 2 else "usable",
        )
    if reading.bat_reason not in (None, "no bat was tracked", "not a bat swing"):
        add(
            "bat_refused",
            f"No bat numbers: {reading.bat_reason}.",
            "note",
        )
    if reading.bat is not None and reading.bat.low_rate:
        add(
            "bat_low_rate",
            f"At {rate:.0f} frames a second the bat's peak reads a few percent low.",
            "note",
        )
    if motion.scale is None:
        add("length_unit_unknown", motion.scale_finding.text, "usable")
    if reading.vertical is None:
        add("no_vertical", reading.findings["vertical"].text, "usable")
    if reading.exchanged:
        add("names_exchanged", reading.findings["names_exchanged"].text, "note")
    unit = reading.findings["angle_unit"]
    if reading.angle_unit == "unknown" and unit.evidence:
        add("angle_unit_unknown", unit.text, "note")
    if reading.angle_doubtful:
        add(
            "angle_scale",
            "The vendor's pelvis angle and the points turn at different rates.",
            "note",
        )
    if reading.side.side is None:
        add("side_unknown", reading.side.finding.text, "usable")
    elif bats is None:
        add(
            "side_from_motion",
            "The profile does not say on which side he bats; it was told from the "
            "motion.",
            "note",
        )
    if height_m is None:
        add(
            "height_missing",
            "The athlete's height is not known, so strides are not given in body "
            "heights.",
            "note",
        )
    return graded(reasons)


def _sentence(text: str) -> str:
    text = text[0].upper() + text[1:]
    return text if text.endswith(".") else text + "."


def _gaps(reading: Reading, low: float, high: float, add: _Add) -> None:
    if reading.motion.unknown is None:
        return
    worst = max(
        (
            reading.gap_s(point, low, high)
            for point in _NEEDED
            if point not in reading.motion.absent
        ),
        default=0.0,
    )
    if worst > GAP_LIMIT_S:
        add(
            "gap",
            f"Hips, shoulders or wrists are missing for {worst * 1000:.0f} ms during "
            "the swing.",
            "poor",
        )


def _bones(reading: Reading, low: float, high: float, add: _Add) -> None:
    rows = reading.motion.raw.values[max(math.floor(low), 0) : math.ceil(high) + 1]
    size = axes.length(rows[:, _BONE_ENDS[0]] - rows[:, _BONE_ENDS[1]])
    there = np.isfinite(size).all(axis=0)
    if size.shape[0] < 5 or not there.any():
        return
    size = size[:, there]
    mean = size.mean(axis=0)
    off = size - mean
    scatter = np.sqrt((off * off).mean(axis=0))
    wander = scatter / np.where(mean > 0, mean, np.nan)
    worst = float(np.fmax.reduce(wander))
    if worst > LENGTH_WANDER:
        add(
            "segment_length",
            f"The length of a limb changes by {worst * 100:.1f} % during the swing; "
            "bones do not.",
            "usable",
        )
