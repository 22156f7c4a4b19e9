"""Observe one movement: from delivered columns to all that numbers are taken from.

Each part returns what it found; `observe` puts the parts together in their order.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from biomechanics import (
    bat,
    center_of_mass,
    directions,
    kinematics,
    momentum,
    side,
    signals,
)
from biomechanics.analysis_types import Finding, FloatArray
from biomechanics.angle_columns import AngleColumnMeaning, read_angle_columns
from biomechanics.clock import Clock, ClockError, read_clock
from biomechanics.energy_clock import check_energy_clock
from biomechanics.energy_size import energy_size
from biomechanics.find_events import EventClues, SwingEvents, find_events, no_events
from biomechanics.hands import HandMotion, follow_hands
from biomechanics.hitter import Hitter
from biomechanics.kinematics import TurnRates
from biomechanics.momentum import Energetics
from biomechanics.momentum_kind import momentum_kind
from biomechanics.motion import Motion, read_motion
from biomechanics.observed_swing import ObservedSwing
from biomechanics.points import Columns, Points, spoken
from biomechanics.segments import arms_energy
from biomechanics.side import Bats
from biomechanics.smoothing import find_smoothing
from biomechanics.swing_kind import SwingKind, find_kind
from biomechanics.vendor_clock import VendorClock, read_vendor_clock

SHORTEST_S = 0.4
NEEDED_POINTS = ("lhjc", "rhjc", "lsjc", "rsjc")
# Stretches around the fastest moment, by which everything else is found.
STANCE_BACK_S = 0.6
TURN_BACK_S = 0.3
TURN_ON_S = 0.05
ANGLES_AROUND_S = (-0.5, 0.15)


class UnreadableMotionError(ValueError):
    """Raised when a file gives no motion at all; `reason` is a sentence for people.

    Attributes
    ----------
    code : str
        Stable name of the reason.
    clock : Clock or None
        ``None`` when not even the clock could be read.
    """

    def __init__(self, code: str, reason: str, clock: Clock | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.clock = clock


def observe(
    columns: Columns,
    energetics: Columns | None,
    *,
    bats: Bats | None,
    contact_time_s: float | None,
    overrides: Mapping[str, float],
    forward_axis: Sequence[float] | None,
    field_axis: Sequence[float] | None = None,
) -> ObservedSwing:
    """Return hitter, events, bat and curves of one movement, before any numbers.

    Parameters are those of `swing.analyze_swing`.

    Raises
    ------
    UnreadableMotionError
        The file has no usable clock, or lacks hips, shoulders or hands.
    ValueError
        `forward_axis` points straight up or down.
    """
    motion = _read_motion(columns)
    vendor = read_vendor_clock((columns, energetics), step_s=motion.clock.step_s)
    usable = _usable_samples(motion)
    hands = follow_hands(
        motion,
        low=usable[0],
        high=usable[1],
        vendor_position=_vendor_hand_peak(vendor, motion),
    )
    contact_s = overrides.get("contact", contact_time_s)
    anchor = _fastest_moment(motion, hands, contact_s, overrides.get("reference"))
    around = _Stretches.around(anchor, motion.rate_hz, usable)
    exchange = side.names_exchanged(motion, *around.stance)
    hitter, kind = _find_hitter(motion, hands, bats, around, exchange)
    rates = kinematics.signed_rates(hitter.body, *around.turn)
    up = directions.find_up(hitter, *around.stance)
    energy = center_of_mass.placed(
        momentum.read_energetics(energetics, kinematics=columns, clock=motion.clock),
        motion,
    )
    if kind.kind == "not_swing":
        tracked = _NOT_LOOKED_FOR
        events = no_events(kind.reason or "this is not a swing")
    else:
        tracked = _find_bat(hitter, kind, energy, anchor=anchor, contact_s=contact_s)
        clues = EventClues(
            hitter=hitter,
            hand_peak=hands.peak,
            bat=tracked.motion,
            pelvis_rate=rates.pelvis,
            vertical=up.axis,
            vendor=vendor,
            contact_time_s=contact_time_s,
        )
        events = find_events(clues, overrides)
    rates = _rates_over_swing(hitter, events, rates)
    energy = replace(
        energy,
        clock_fault=check_energy_clock(
            rates,
            energy.momentum,
            arms=(arms_energy(hitter), energy.energy["arms"])
            if "arms" in energy.energy
            else None,
            anchor=anchor,
            sampling_rate_hz=motion.rate_hz,
            zeros_s=_zeros_of_each(columns, energetics, motion),
        ).fault,
    )
    forward = directions.find_forward(
        hitter, events, vertical=up.axis, given=forward_axis
    )
    field = directions.find_field(
        field_axis, vertical=up.axis, forward=forward.axis, hand=hitter.hand
    )
    separation = kinematics.separation(hitter.body)
    angles = _read_angles(columns, hitter, rates, separation, around.angles)
    return ObservedSwing(
        hitter=hitter,
        hands=hands,
        kind=kind.kind,
        kind_reason=kind.reason,
        vendor=vendor,
        energetics=energy,
        bat=tracked.motion,
        bat_reason=tracked.reason,
        events=events,
        vertical=up.axis,
        forward=forward.axis,
        field=field.axis,
        turn_rates=rates,
        separation=separation,
        angles=angles,
        findings=_findings_of_file(hitter, exchange)
        | tracked.findings
        | angles.findings
        | {
            "vertical": up.finding,
            "forward": forward.finding,
            "field": field.finding,
            "momentum": momentum_kind(hitter, energy, anchor=anchor),
            "energy": energy_size(hitter, energy, anchor=anchor),
        },
    )


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Stretches of a clip in which things are looked for, as first and last sample.

    `usable` is the clip without its ends; `stance` ends with the fastest moment and
    may begin before the clip; the others are held to the usable clip.
    """

    usable: tuple[int, int]
    stance: tuple[int, int]
    turn: tuple[int, int]
    turn_and_after: tuple[int, int]
    angles: tuple[int, int]

    @classmethod
    def around(cls, anchor: float, rate_hz: float, usable: tuple[int, int]) -> Self:
        """Return the stretches around the fastest moment, sample `anchor`."""
        low, high = usable
        at = math.ceil(anchor)
        start = max(low, math.floor(anchor - TURN_BACK_S * rate_hz))
        return cls(
            usable=usable,
            stance=(math.floor(anchor - STANCE_BACK_S * rate_hz), at),
            turn=(start, min(high, at)),
            turn_and_after=(start, min(high, at + round(TURN_ON_S * rate_hz))),
            angles=(
                max(low, math.floor(anchor + ANGLES_AROUND_S[0] * rate_hz)),
                min(high, math.ceil(anchor + ANGLES_AROUND_S[1] * rate_hz)),
            ),
        )


def _usable_samples(motion: Motion) -> tuple[int, int]:
    """Return first and last sample in which values are read."""
    edge = math.ceil(signals.EDGE_S * motion.rate_hz - 1e-6)
    return edge, motion.count - 1 - edge


def _read_motion(columns: Columns) -> Motion:
    """Return the motion on its clock, or say why there is none."""
    if "time" not in columns:
        raise UnreadableMotionError("no_clock", "The file has no time column.")
    try:
        clock = read_clock(columns["time"])
    except ClockError as error:
        raise UnreadableMotionError(
            "no_clock", f"The clock cannot be read: {error}."
        ) from error
    length_s = clock.step_s * (clock.count - 1)
    if length_s < SHORTEST_S:
        raise UnreadableMotionError(
            "too_short",
            f"The clip is {length_s:.2f} s long; a swing needs {SHORTEST_S} s.",
            clock,
        )
    motion = read_motion(columns, clock)
    for needed in NEEDED_POINTS:
        if needed in motion.absent:
            raise UnreadableMotionError(
                "no_points",
                f"The {spoken(needed)} is not in the file; without hips and shoulders "
                "nothing can be measured.",
                clock,
            )
    return motion


def _zeros_of_each(
    columns: Columns, energetics: Columns | None, motion: Motion
) -> tuple[float | None, float | None]:
    """Return the vendor's peak hand speed by the points' file and by the energies'."""
    step_s = motion.clock.step_s
    first, second = (
        read_vendor_clock((table,), step_s=step_s).max_hand_s
        for table in (columns, energetics)
    )
    return first, second


def _vendor_hand_peak(vendor: VendorClock, motion: Motion) -> float | None:
    """Return the sample of the vendor's peak hand speed, ``None`` outside the clip."""
    if vendor.max_hand_s is None:
        return None
    position = motion.index(vendor.max_hand_s)
    return position if 0 <= position <= motion.count - 1 else None


def _fastest_moment(
    motion: Motion,
    hands: HandMotion,
    contact_s: float | None,
    reference_s: float | None,
) -> float:
    """Return the sample of peak hand speed, else of contact or a moved reference."""
    if hands.peak is not None:
        return hands.peak.peak.top
    if contact_s is not None:
        return motion.index(contact_s)
    if reference_s is not None:
        return motion.index(reference_s)
    why = next(
        (
            f"the {spoken(name)} is not in the file"
            for name in ("lwjc", "rwjc")
            if name in motion.absent
        ),
        "the hands could not be followed",
    )
    raise UnreadableMotionError("no_hands", f"No swing was found: {why}.", motion.clock)


def _find_hitter(
    motion: Motion,
    hands: HandMotion,
    bats: Bats | None,
    around: _Stretches,
    exchange: Finding,
) -> tuple[Hitter, SwingKind]:
    """Return the hitter with the side that leads, and the kind of the movement.

    `exchange` says whether the file exchanges left and right.
    """
    exchanged = exchange.value is True
    trunk = Points(motion.trunk.values, exchanged)
    # The lines do not depend on the side but for their sign: left leads until known.
    body = kinematics.body_lines(
        (trunk["lhjc"], trunk["rhjc"]),
        (trunk["lsjc"], trunk["rsjc"]),
        hand=1.0,
        sampling_rate_hz=motion.rate_hz,
    )
    kind = find_kind(
        body,
        hands,
        in_meters=motion.scale is not None,
        low=around.turn_and_after[0],
        high=around.turn_and_after[1],
    )
    found = side.find_side(
        side.turn_direction(body, *around.turn),
        bats=bats,
        moving=kind.kind != "not_swing",
    )
    hitter = Hitter(
        motion=motion,
        low=around.usable[0],
        high=around.usable[1],
        side=found,
        exchanged=exchanged,
        raw=Points(motion.raw.values, exchanged),
        trunk=trunk,
        limbs=Points(motion.limbs.values, exchanged),
        body=kinematics.mirrored(body) if found.hand < 0 else body,
    )
    return hitter, kind


@dataclass(frozen=True, slots=True, eq=False)
class _TrackedBat:
    """The bat of a swing, or why there is none."""

    motion: bat.BatMotion | None
    reason: str | None
    findings: dict[str, Finding]


_NOT_LOOKED_FOR = _TrackedBat(None, None, {})


def _find_bat(
    hitter: Hitter,
    kind: SwingKind,
    energy: Energetics,
    *,
    anchor: float,
    contact_s: float | None,
) -> _TrackedBat:
    """Return the bat if it was tracked well enough around the fastest moment."""
    motion, rate = hitter.motion, hitter.rate_hz
    points, ends = motion.bat, "as named"
    if points is not None:
        kind_of_hand = "hand" if motion.hand_is == "hands" else "wjc"
        grip = 0.5 * (hitter.raw["l" + kind_of_hand] + hitter.raw["r" + kind_of_hand])
        ends = bat.which_ends(points, grip, hand_peak=anchor, sampling_rate_hz=rate)
        if ends == "exchanged":
            points = bat.exchanged(points)
        points = bat.without_turned_frames(points, grip)
    check = bat.check_bat(
        points, hand_peak=anchor, sampling_rate_hz=rate, scale=motion.scale
    )
    reason = check.reason
    if kind.kind == "one_handed":
        reason = "not a bat swing"
    elif reason is None and ends == "unclear":
        reason = "which end of the bat is the knob is unclear"
    found = None
    if reason is None and points is not None:
        found = bat.bat_motion(
            points,
            sampling_rate_hz=rate,
            scale=motion.scale,
            hand_peak=anchor,
            contact=None if contact_s is None else motion.index(contact_s),
        )
    doubt = momentum.bat_out_of_range(
        energy,
        low=math.floor(anchor + momentum.BAT_ENERGY_AROUND_S[0] * rate),
        high=math.ceil(anchor + momentum.BAT_ENERGY_AROUND_S[1] * rate),
    )
    finding = Finding(
        found is not None,
        "The bat was tracked."
        if found is not None
        else f"No bat numbers from points: {reason}.",
        {
            **check.evidence,
            "points": list(motion.bat.names) if motion.bat else [],
            "ends": ends,
            "impact": _impact_evidence(found),
            "delivered_energetics": doubt,
        },
    )
    return _TrackedBat(found, reason, {"bat": finding})


def _impact_evidence(found: bat.BatMotion | None) -> dict[str, float] | str | None:
    """Return how the bat shows its impact, or why it does not."""
    if found is None:
        return None
    impact = found.impact.impact
    if impact is None:
        return found.impact.reason
    return {
        "uncertainty_ms": round(impact.uncertainty_s * 1000.0, 2),
        "fall": round(impact.fall, 3),
    }


def _rates_over_swing(
    hitter: Hitter, events: SwingEvents, rates: TurnRates
) -> TurnRates:
    """Return rotation speeds about the main axis of the swing itself.

    Until its events are known, the axis is that of the last 0.3 s.
    """
    window = events.sequence_window(hitter)
    if window is None or window[1] <= window[0]:
        return rates
    return kinematics.signed_rates(hitter.body, *window)


def _read_angles(
    columns: Columns,
    hitter: Hitter,
    rates: TurnRates,
    separation: FloatArray,
    stretch: tuple[int, int],
) -> AngleColumnMeaning:
    """Return what the vendor's angle columns mean, told from the hitter's points."""
    flexions = {}
    for column_side, letter in (("left", "l"), ("right", "r")):
        leads = hitter.lead("kjc").startswith(letter) != hitter.exchanged
        which = "lead" if leads else "rear"
        for joint in ("knee", "elbow"):
            if f"{column_side}_{joint}" in columns:
                flexions[f"{column_side}_{joint}"] = hitter.flexion(which, joint)
    return read_angle_columns(
        columns,
        hitter.clock,
        flexions=flexions,
        pelvis_rate=rates.pelvis,
        torso_rate=rates.torso,
        separation=separation,
        low=stretch[0],
        high=stretch[1],
    )


def _findings_of_file(hitter: Hitter, exchange: Finding) -> dict[str, Finding]:
    """Return what was learned about side, names, unit, clock and points."""
    motion = hitter.motion
    rate, clock = motion.rate_hz, motion.clock
    return {
        "side": hitter.side.finding,
        "mirrored": hitter.side.mirror_finding,
        "names_exchanged": exchange,
        "length_unit": motion.scale_finding,
        "sampling_rate": Finding(
            round(rate, 4),
            f"The clip runs at {rate:.0f} frames a second.",
            {
                "irregular_share": round(clock.irregular_share, 4),
                "resampled": clock.row_times_s is not None,
            },
        ),
        "hands": Finding(
            motion.hand_is, f"Hand speed is that of the {motion.hand_is}."
        ),
        "head": Finding(motion.head_is, f"The head point is the {motion.head_is}."),
        "smoothing": find_smoothing(motion),
    }
