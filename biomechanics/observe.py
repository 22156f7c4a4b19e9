"""Reading one movement: what is told apart, checked and found, in this order."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from biomechanics import (
    angle_columns,
    axes,
    bat,
    events,
    kinematics,
    momentum,
    peaks,
    side,
    signals,
)
from biomechanics.analysis_types import Finding, FloatArray, Kind
from biomechanics.clock import ClockError, read_clock
from biomechanics.events import HandPeak
from biomechanics.find_events import find_events, no_events
from biomechanics.kinematics import Body
from biomechanics.motion import Motion, read_motion
from biomechanics.observed_swing import Reading, Unreadable
from biomechanics.points import Columns, Points, spoken
from biomechanics.side import Bats
from biomechanics.vendor_clock import read_vendor_clock

SHORTEST_S = 0.4
AROUND_HANDS_S = 0.05
HANDS_APART_ARMS = 1.5
"""Wrists further apart than this many upper arms do not hold one bat (choice)."""
# Below two of these three nothing is swung (choice; a good half of the plausible
# minimum of a swing).
SWING_PELVIS_DEG_PER_S = 180.0
SWING_TORSO_DEG_PER_S = 250.0
SWING_HAND_M_PER_S = 3.0


def read(
    columns: Columns,
    energetics: Columns | None,
    *,
    bats: Bats | None,
    contact_time_s: float | None,
    overrides: Mapping[str, float],
    forward_axis: Sequence[float] | None,
) -> Reading | Unreadable:
    """Read one movement; see `swing.analyze_swing` for the parameters."""
    if "time" not in columns:
        return Unreadable("no_clock", "The file has no time column.", None)
    try:
        clock = read_clock(columns["time"])
    except ClockError as error:
        return Unreadable("no_clock", f"The clock cannot be read: {error}.", None)
    length_s = clock.step_s * (clock.count - 1)
    if length_s < SHORTEST_S:
        return Unreadable(
            "too_short",
            f"The clip is {length_s:.2f} s long; a swing needs {SHORTEST_S} s.",
            clock,
        )
    motion = read_motion(columns, clock)
    for needed in ("lhjc", "rhjc", "lsjc", "rsjc"):
        if needed in motion.absent:
            return Unreadable(
                "no_points",
                f"The {spoken(needed)} is not in the file; without hips and shoulders "
                "there is nothing to measure.",
                clock,
            )
    rate = motion.rate_hz
    edge = math.ceil(signals.EDGE_S * rate - 1e-6)
    low, high = edge, motion.count - 1 - edge
    vendor = read_vendor_clock((columns, energetics), step_s=clock.step_s)
    vendor_position = (
        None if vendor.max_hand_s is None else motion.index(vendor.max_hand_s)
    )
    if vendor_position is not None and not 0 <= vendor_position <= motion.count - 1:
        vendor_position = None

    left, right = _hands(motion.limbs, motion.hand_is == "hands")
    both = np.hstack((left, right, 0.5 * (left + right)))
    velocity = signals.derivative(both, sampling_rate_hz=rate)
    left_speed = axes.length(velocity[:, :3])
    right_speed = axes.length(velocity[:, 3:6])
    hand_speed = axes.length(velocity[:, 6:])

    def peak_of(speed: FloatArray) -> HandPeak | None:
        return events.find_hand_peak(
            speed,
            sampling_rate_hz=rate,
            low=low,
            high=high,
            vendor_position=vendor_position,
        )

    hand_peak = peak_of(hand_speed)
    one_handed = False
    if hand_peak is not None:
        apart = _hands_apart(motion, hand_peak.peak.index)
        if apart is not None and apart > HANDS_APART_ARMS:
            one_handed = True
            choices = [
                (found.peak.value, found, speed)
                for speed in (left_speed, right_speed)
                if (found := peak_of(speed)) is not None
            ]
            if choices:
                _, hand_peak, hand_speed = max(choices, key=lambda item: item[0])
    contact_given = overrides.get("contact", contact_time_s)
    anchor: float | None = None
    if hand_peak is not None:
        anchor = hand_peak.peak.top
    elif contact_given is not None:
        anchor = motion.index(contact_given)
    elif "reference" in overrides:
        anchor = motion.index(overrides["reference"])
    if anchor is None:
        why = next(
            (
                f"the {spoken(name)} is not in the file"
                for name in ("lwjc", "rwjc")
                if name in motion.absent
            ),
            "the hands could not be followed",
        )
        return Unreadable("no_hands", f"No swing was found: {why}.", clock)

    # The lines do not depend on the side but for their sign: left leads until known.
    before = math.floor(anchor - 0.6 * rate)
    at = math.ceil(anchor)
    exchange = side.names_exchanged(motion, before, at)
    exchanged = exchange.value is True
    trunk = Points(motion.trunk.values, exchanged)
    limbs = Points(motion.limbs.values, exchanged)
    body = kinematics.body_lines(
        (trunk["lhjc"], trunk["rhjc"]),
        (trunk["lsjc"], trunk["rsjc"]),
        hand=1.0,
        sampling_rate_hz=rate,
    )
    turn_low, turn_high = max(low, math.floor(anchor - 0.3 * rate)), min(high, at)
    share, _ = side.turn_direction(body, turn_low, turn_high)
    kind, kind_reason = _kind(
        body,
        hand_peak,
        motion,
        low=turn_low,
        high=min(high, at + round(0.05 * rate)),
        one_handed=one_handed,
    )
    verdict = side.find_side(share, bats=bats, moving=kind != "not_swing")
    if verdict.hand < 0:
        body = kinematics.Body(
            hand=-1.0,
            pelvis=-body.pelvis,
            shoulders=-body.shoulders,
            trunk=body.trunk,
            mid_hip=body.mid_hip,
            mid_shoulder=body.mid_shoulder,
            pelvis_turn=body.pelvis_turn,
            torso_turn=body.torso_turn,
        )
    left_leads = (verdict.hand > 0) != exchanged
    energy = momentum.read_energetics(energetics, kinematics=columns, clock=clock)
    reading = Reading(
        motion=motion,
        kind=kind,
        kind_reason=kind_reason,
        low=low,
        high=high,
        side=verdict,
        exchanged=exchanged,
        raw=Points(motion.raw.values, exchanged),
        trunk=trunk,
        limbs=limbs,
        body=body,
        hand_peak=hand_peak,
        hand_speed=hand_speed,
        lead_hand_speed=left_speed if left_leads else right_speed,
        rear_hand_speed=right_speed if left_leads else left_speed,
        vendor=vendor,
        energetics=energy,
        bat=None,
        bat_reason=None,
        events={},
        automatic={},
        vertical=None,
        forward=None,
        pelvis_rate=_nothing(motion.count),
        torso_rate=_nothing(motion.count),
        separation=kinematics.twist(
            body.pelvis, body.shoulders, body.trunk, hand=body.hand
        ),
    )
    reading.findings |= {
        "side": verdict.finding,
        "mirrored": verdict.mirror_finding,
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
    }
    _find_vertical(reading, before, at)
    _signed_rates(reading, turn_low, turn_high)
    if kind != "not_swing":
        _find_bat(reading, anchor, contact_given)
        find_events(reading, contact_time_s, overrides)
    else:
        reading.events = no_events(kind_reason or "this is not a swing")
        reading.automatic = dict(reading.events)
    _find_forward(reading, forward_axis)
    _read_angles(reading, columns, anchor)
    return reading


def _hands_apart(motion: Motion, index: int) -> float | None:
    reach = round(AROUND_HANDS_S * motion.rate_hz)
    rows = slice(max(index - reach, 0), index + reach + 1)
    p = motion.limbs
    apart = axes.length(p["lwjc"][rows] - p["rwjc"][rows])
    arm = axes.length(p["lsjc"][rows] - p["lejc"][rows])
    if not (np.isfinite(apart).all() and np.isfinite(arm).all()):
        return None
    size = signals.median(arm)
    return signals.median(apart) / size if size > 0 else None


def _kind(
    body: Body,
    hand_peak: HandPeak | None,
    motion: Motion,
    *,
    low: int,
    high: int,
    one_handed: bool,
) -> tuple[Kind, str | None]:
    tops: list[tuple[float, float, str]] = []
    for turning, least, what in (
        (body.pelvis_turn, SWING_PELVIS_DEG_PER_S, "the pelvis turns at"),
        (body.torso_turn, SWING_TORSO_DEG_PER_S, "the shoulders turn at"),
    ):
        size = axes.length(turning[low : high + 1])
        size = size[np.isfinite(size)]
        if size.size:
            tops.append((float(size.max()), least, what))
    slow = [item for item in tops if item[0] < item[1]]
    words = [f"{what} {top:.0f} °/s" for top, _, what in slow]
    if hand_peak is not None and motion.scale is not None:
        tops.append((hand_peak.peak.value, SWING_HAND_M_PER_S, ""))
        if hand_peak.peak.value < SWING_HAND_M_PER_S:
            slow.append(tops[-1])
            words.append(f"the hands move at {hand_peak.peak.value:.1f} m/s")
    if len(slow) >= 2 or (slow and len(tops) < 2):
        return "not_swing", ("this is not a swing: at most " + " and ".join(words))
    if one_handed:
        return "one_handed", "the hands are apart at their fastest: not a bat swing"
    return "swing", None


def _find_vertical(reading: Reading, low: int, high: int) -> None:
    p = reading.motion.limbs
    rows = slice(max(low, 0), high + 1)
    ankles = 0.5 * (p["lajc"][rows] + p["rajc"][rows])
    if {"lajc", "rajc"} & reading.motion.absent:
        ankles = reading.body.mid_hip[rows]
    found = axes.find_vertical(reading.body.mid_shoulder[rows] - ankles)
    reading.vertical = found.axis
    lean = found.lean_deg
    reading.findings["vertical"] = Finding(
        found.name,
        f"Up is {found.name}."
        if found.name
        else "No axis of the file points up along the standing body; numbers that "
        "need the vertical are left out.",
        {"body_lean_deg": None if lean is None else round(lean, 1)},
    )


def _signed_rates(reading: Reading, low: int, high: int) -> None:
    body = reading.body
    for name in ("pelvis", "torso"):
        turning = body.pelvis_turn if name == "pelvis" else body.torso_turn
        axis = kinematics.main_axis(turning, low, high)
        rate = _nothing(reading.motion.count) if axis is None else turning @ axis
        if name == "pelvis":
            reading.pelvis_rate = rate
        else:
            reading.torso_rate = rate


def _find_bat(reading: Reading, anchor: float, contact_s: float | None) -> None:
    motion, rate = reading.motion, reading.rate_hz
    check = bat.check_bat(
        motion.bat, hand_peak=anchor, sampling_rate_hz=rate, scale=motion.scale
    )
    reason = check.reason
    out_of_range = momentum.bat_out_of_range(
        reading.energetics,
        low=math.floor(anchor - 0.2 * rate),
        high=math.ceil(anchor + 0.1 * rate),
    )
    if out_of_range is not None:
        reason = out_of_range
    elif reading.kind == "one_handed":
        reason = "not a bat swing"
    if reason is None and motion.bat is not None:
        reading.bat = bat.bat_motion(
            motion.bat,
            sampling_rate_hz=rate,
            scale=motion.scale,
            contact=None if contact_s is None else motion.index(contact_s),
        )
    reading.bat_reason = reason
    reading.findings["bat"] = Finding(
        reading.bat is not None,
        "The bat was tracked."
        if reading.bat is not None
        else f"No bat numbers from points: {reason}.",
        {**check.evidence, "points": list(motion.bat.names) if motion.bat else []},
    )


def _find_forward(reading: Reading, forward_axis: Sequence[float] | None) -> None:
    """Set the forward direction, then sign the rates over the real window."""
    window = reading.sequence_window()
    if window is not None and window[1] > window[0]:
        _signed_rates(reading, *window)
    vertical = reading.vertical
    if vertical is None:
        reading.findings["forward"] = Finding(
            None, "Without a vertical there is no forward direction."
        )
        return
    if forward_axis is not None:
        given = axes.horizontal(np.asarray(forward_axis, dtype=np.float64), vertical)
        size = float(np.sqrt(given @ given))
        if not size > 1e-6:
            raise ValueError(
                f"forward_axis {tuple(forward_axis)} must have a level part"
            )
        reading.forward = given / size
        reading.findings["forward"] = Finding(
            [round(float(v), 4) for v in reading.forward],
            "Forward is the given axis.",
            {"source": "given"},
        )
        return
    down = reading.position("foot_down")
    line: FloatArray | None = None
    if down is not None:
        ankles = reading.limbs[reading.lead("ajc")] - reading.limbs[reading.rear("ajc")]
        line = peaks.rows_at(ankles, down)
    if line is None:
        reading.findings["forward"] = Finding(
            None,
            "The forward direction is the line of the feet at foot down, and that "
            "could not be found.",
        )
        return
    level = axes.horizontal(line, vertical)
    size = float(np.sqrt(level @ level))
    if size <= 0.0:
        reading.findings["forward"] = Finding(None, "The feet stand on one point.")
        return
    forward = level / size
    reading.forward = forward
    vendor_y = axes.horizontal(np.array([0.0, 1.0, 0.0]), vertical)
    off = None
    if float(vendor_y @ vendor_y) > 0.5:
        off = math.degrees(
            math.acos(max(-1.0, min(1.0, float(forward @ axes.unit(vendor_y)))))
        )
    reading.findings["forward"] = Finding(
        [round(float(v), 4) for v in forward],
        "Forward is the line of the feet at foot down (stride line), not the field's.",
        {
            "source": "stride_line",
            "off_axis_y_deg": None if off is None else round(off, 1),
        },
    )


def _read_angles(reading: Reading, columns: Columns, anchor: float) -> None:
    rate = reading.rate_hz
    flexions = {}
    for column_side, letter in (("left", "l"), ("right", "r")):
        leads = reading.lead("kjc").startswith(letter) != reading.exchanged
        which = "lead" if leads else "rear"
        for joint in ("knee", "elbow"):
            if f"{column_side}_{joint}" in columns:
                flexions[f"{column_side}_{joint}"] = reading.flexion(which, joint)
    verdict = angle_columns.read_angle_columns(
        columns,
        reading.clock,
        flexions=flexions,
        pelvis_rate=reading.pelvis_rate,
        torso_rate=reading.torso_rate,
        separation=reading.separation,
        low=max(reading.low, math.floor(anchor - 0.5 * rate)),
        high=min(reading.high, math.ceil(anchor + 0.15 * rate)),
    )
    reading.angle_unit = verdict.unit
    reading.angle_doubtful = verdict.doubtful
    reading.findings |= verdict.findings


def _hands(points: Points, hands: bool) -> tuple[FloatArray, FloatArray]:
    kind = "hand" if hands else "wjc"
    return points["l" + kind], points["r" + kind]


def _nothing(count: int) -> FloatArray:
    return np.full(count, np.nan)
