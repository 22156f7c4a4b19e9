"""Hands, bat and the time between events."""

import math

from biomechanics import bat as bat_tools
from biomechanics import signals
from biomechanics.analysis_types import FloatArray
from biomechanics.metrics.measure import Taker
from biomechanics.metrics.values import EVENT_WORDS
from biomechanics.observed_swing import AFTER_HAND_PEAK_S
from biomechanics.units import MS_PER_S


def hands(take: Taker) -> None:
    """Hand speed and smoothness."""
    r, sheet = take.r, take.sheet
    window = None
    if take.fm is not None and take.ref is not None:
        window = r.window(take.fm, take.ref + AFTER_HAND_PEAK_S * r.rate_hz)
    no_unit = r.motion.scale_finding.text if r.motion.scale is None else None
    kind = "hand" if r.motion.hand_is == "hands" else "wjc"
    left, right = "l" + kind, "r" + kind
    for metric, series, points in (
        ("peak_hand_speed", r.hand_speed, (left, right)),
        ("peak_hand_speed_lead", r.lead_hand_speed, (r.lead(kind),)),
        ("peak_hand_speed_rear", r.rear_hand_speed, (r.rear(kind),)),
    ):
        take.peak(metric, metric, None, series, window, points, reason=no_unit)
    position = r.position("peak_hand_speed")
    sheet.put(
        "t_peak_hand",
        None
        if position is None or take.ref is None
        else 0.0
        if r.reference_rule == "hand_peak"
        else take.before_ref_ms(position),
        take.missing_event("reference", "peak_hand_speed"),
    )
    value, reason = None, take.missing_event("first_move", "peak_hand_speed")
    if take.fm is not None and position is not None:
        value = _log_dimensionless_jerk(
            r.hand_speed, take.fm, position, sampling_rate_hz=r.rate_hz
        )
        reason = r.why((left, right), take.fm, position)
    sheet.put("hand_smoothness", value, reason)


def bat(take: Taker) -> None:
    """Speed, direction, plane and path of the bat."""
    r, sheet, moving = take.r, take.sheet, take.r.bat
    ids = (
        "bat_speed_max",
        "bat_speed_ref",
        "attack_angle",
        "attack_direction",
        "swing_tilt",
        "bat_path_length",
    )
    if moving is None:
        for metric_id in ids:
            sheet.put(metric_id, None, r.bat_reason or "no bat was tracked")
        return
    no_unit = r.motion.scale_finding.text if r.motion.scale is None else None
    no_up = r.findings["vertical"].text if r.vertical is None else None
    no_ref = take.missing_event("reference")
    early = None
    if r.reference_rule in ("hand_peak", "manual") and no_ref is None:
        early = (
            "the reference is peak hand speed, long before the bat is at its fastest"
            if r.reference_rule == "hand_peak"
            else None
        )
    no_spot = (
        "the sweet spot needs a length unit" if moving.sweet_spot is None else None
    )
    take.peak(
        "bat_speed",
        "bat_speed_max",
        None,
        r.hand_speed if moving.speed is None else moving.speed,
        take.bat_window(),
        (),
        limit=moving.last,
        open_end=r.reference_rule == "contact",
        reason=no_unit or no_spot or early,
    )
    take.at(
        "bat_speed_ref",
        moving.speed,
        "reference",
        (),
        reason=no_unit or no_spot or early,
    )
    angle = direction = tilt = None
    if take.ref is not None and r.vertical is not None and early is None:
        angle = bat_tools.attack_angle(
            moving,
            reference=take.ref,
            vertical=r.vertical,
            sampling_rate_hz=r.rate_hz,
        )
        tilt = bat_tools.swing_tilt(
            moving,
            reference=take.ref,
            vertical=r.vertical,
            sampling_rate_hz=r.rate_hz,
        )
        if r.forward is not None:
            direction = bat_tools.attack_direction(
                moving,
                reference=take.ref,
                vertical=r.vertical,
                forward=r.forward,
                hand=r.hand,
            )
    common = no_ref or no_up or no_spot or early
    lost = "the bat is lost just before the reference"
    sheet.put("attack_angle", angle, None if angle is not None else common or lost)
    sheet.put(
        "attack_direction",
        direction,
        None
        if direction is not None
        else common or (r.findings["forward"].text if r.forward is None else lost),
    )
    sheet.put(
        "swing_tilt",
        tilt,
        None if tilt is not None else common or "fewer than four samples in 40 ms",
    )
    length = None
    reason = take.missing_event("reference", "first_move") or no_unit or early
    if moving.tip is None:
        reason = reason or "the tip of the bat was not tracked"
    elif reason is None and take.fm is not None and take.ref is not None:
        length = bat_tools.path_length(moving.tip, start=take.fm, end=take.ref)
        reason = None if length is not None else lost
    sheet.put("bat_path_length", length, reason)


def timing(take: Taker) -> None:
    """Durations between events."""
    per_ms = MS_PER_S / take.r.rate_hz

    def between(metric_id: str, first: str, last: str) -> float | None:
        a, b = take.r.position(first), take.r.position(last)
        reason = take.missing_event(first, last)
        value = None if a is None or b is None else (b - a) * per_ms
        if value is not None and value < 0.0:
            value, reason = (
                None,
                (f"{EVENT_WORDS[first]} lies after {EVENT_WORDS[last]}"),
            )
        take.sheet.put(metric_id, value, reason)
        return value

    between("time_to_ref", "first_move", "reference")
    early = between("tempo_load_fd", "load", "foot_down")
    late = between("tempo_fd_ref", "foot_down", "reference")
    take.sheet.put(
        "tempo",
        early / late if early is not None and late else None,
        take.sheet.reason("tempo_load_fd", "tempo_fd_ref"),
    )


def _log_dimensionless_jerk(
    speed: FloatArray, start: float, end: float, *, sampling_rate_hz: float
) -> float | None:
    """Log dimensionless jerk of a speed between two positions; nearer 0 = smoother.

    ``−ln((t₂ − t₁)³ / v_peak² · ∫ (d²v/dt²)² dt)`` (doi 10.1186/s12984-015-0090-9).
    """
    low, high = math.ceil(start), math.floor(end)
    if high - low < 5:
        return None
    jerk = signals.derivative(
        signals.derivative(speed, sampling_rate_hz=sampling_rate_hz),
        sampling_rate_hz=sampling_rate_hz,
    )[low : high + 1]
    top = float(speed[low : high + 1].max())
    squares = jerk**2
    area = float((0.5 * (squares[1:] + squares[:-1])).sum()) / sampling_rate_hz
    lasting = (high - low) / sampling_rate_hz
    size = lasting**3 / top**2 * area if top > 0 else math.nan
    return -math.log(size) if math.isfinite(size) and size > 0 else None
