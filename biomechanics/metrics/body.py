"""Measure rotation, separation, legs, posture and travel of the body."""

import numpy as np

from biomechanics import axes, peaks, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.metrics.measure import SwingMeasurer

HIPS_AND_SHOULDERS = ("lhjc", "rhjc", "lsjc", "rsjc")
COM_AFTER_REFERENCE_S = 0.15
KNEE_RATE_CUTOFF_HZ = 10.0
"""The largest of a derivative reads noise as speed: 8 % high at 2 mm with 15 Hz."""


def put_rotation(measure: SwingMeasurer) -> None:
    """Measure how far pelvis and torso are turned to the stride line, and their turn.

    Degrees at foot down and at the reference.
    """
    swing, values = measure.swing, measure.values
    no_axis = measure.no_forward
    for part, points in (
        ("pelvis", ("lhjc", "rhjc")),
        ("torso", ("lsjc", "rsjc")),
    ):
        angle = swing.rotation(part)
        at_foot_down = measure.put_value_at(
            f"{part}_rot_fd", angle, "foot_down", points, reason=no_axis
        )
        at_reference = measure.put_value_at(
            f"{part}_rot_ref", angle, "reference", points, reason=no_axis
        )
        if angle is None and swing.vertical is not None:
            # A turn needs no zero: any level direction does.
            heading = swing.heading(part)
            at_foot_down, at_reference = (
                None
                if (at := swing.events.position(event)) is None
                else peaks.value_at(heading, at)
                for event in ("foot_down", "reference")
            )
        values.put(
            f"{part}_turn_fd_ref",
            None
            if at_foot_down is None or at_reference is None
            else at_reference - at_foot_down,
            measure.missing_event("reference", "foot_down")
            or values.reason(f"{part}_rot_fd", f"{part}_rot_ref"),
        )


def put_separation(measure: SwingMeasurer) -> None:
    """Measure hip-shoulder separation: at events, its maximum and stretch."""
    swing, values = measure.swing, measure.values
    x, four = swing.separation, HIPS_AND_SHOULDERS
    measure.put_value_at("x_factor_fd", x, "foot_down", four)
    measure.put_value_at("x_factor_ref", x, "reference", four)
    top, reason = measure.find_extreme(x, "load", "reference", four)
    values.put("x_factor_max", None if top is None else top[0], reason)
    values.put(
        "t_x_factor_max",
        None if top is None else measure.before_reference_ms(top[1]),
        reason,
    )
    growth = None
    after, reason = measure.find_extreme(x, "first_move", "reference", four)
    if after is not None and measure.first_move is not None:
        at_start = peaks.value_at(x, measure.first_move)
        if at_start is not None:
            growth = max(after[0], at_start) - at_start
        elif measure.reference is not None:
            window = swing.hitter.window(measure.first_move, measure.reference)
            reason = swing.hitter.why_missing(four, *window)
    values.put("x_factor_stretch", growth, reason)


def put_stride(measure: SwingMeasurer) -> None:
    """Measure the stride: width at foot down and way of the lead foot.

    In percent of leg length and of body height.
    """
    hitter, values = measure.hitter, measure.values
    vertical = measure.swing.vertical
    lead, rear = hitter.lead("ajc"), hitter.rear("ajc")
    lead_ankle, rear_ankle = hitter.limbs[lead], hitter.limbs[rear]
    reason = measure.missing_event("foot_down")
    spread = travel = None
    if vertical is None:
        reason = reason or measure.no_vertical
    elif measure.foot_down is not None and measure.start is not None:
        line = peaks.rows_at(lead_ankle - rear_ankle, measure.foot_down)
        here = peaks.rows_at(lead_ankle, measure.foot_down)
        there = peaks.rows_at(lead_ankle, measure.start)
        if line is not None:
            spread = _size(axes.horizontal(line, vertical))
        if here is not None and there is not None:
            travel = _size(axes.horizontal(here - there, vertical))
        if spread is None or travel is None:
            reason = hitter.why_missing((lead, rear), measure.start, measure.foot_down)
    leg = hitter.leg_length()
    values.put(
        "stride_spread_leg",
        None if spread is None or leg is None else spread / leg * 100.0,
        reason or hitter.why_missing([hitter.lead("kjc")], 0, 0),
    )
    no_height = measure.no_unit
    if no_height is None and measure.height_m is None:
        no_height = "the athlete's height is not known"
    for metric_id, value in (
        ("stride_spread_pct", spread),
        ("stride_travel_pct", travel),
    ):
        values.put(
            metric_id,
            None
            if value is None or no_height is not None or measure.height_m is None
            else value / measure.height_m * 100.0,
            reason or no_height,
        )


def put_joints(measure: SwingMeasurer) -> None:
    """Measure the bend of the lead knee and its extension, and of the rear elbow."""
    hitter, values = measure.hitter, measure.values
    knee = hitter.flexion("lead", "knee")
    chain = [hitter.lead(name) for name in ("hjc", "kjc", "ajc")]
    at_foot_down = measure.put_value_at("lead_knee_flex_fd", knee, "foot_down", chain)
    at_reference = measure.put_value_at("lead_knee_flex_ref", knee, "reference", chain)
    values.put(
        "lead_knee_ext",
        None
        if at_foot_down is None or at_reference is None
        else at_foot_down - at_reference,
        values.reason("lead_knee_flex_fd", "lead_knee_flex_ref"),
    )
    straightening = -signals.smooth_rate(
        knee, cutoff_hz=KNEE_RATE_CUTOFF_HZ, sampling_rate_hz=hitter.rate_hz
    )
    top, reason = None, measure.missing_event("foot_down", "reference")
    if reason is None:
        top, reason = measure.find_extreme(
            straightening, "foot_down", "reference", chain
        )
    values.put("lead_knee_ext_rate", None if top is None else top[0], reason)
    measure.put_value_at(
        "rear_elbow_flex_fd",
        hitter.flexion("rear", "elbow"),
        "foot_down",
        [hitter.rear(name) for name in ("sjc", "ejc", "wjc")],
    )


def put_posture(measure: SwingMeasurer) -> None:
    """Measure the bends of the trunk in degrees."""
    swing, points = measure.swing, HIPS_AND_SHOULDERS
    no_up = measure.no_vertical
    sideways, ahead = swing.bend("side"), swing.bend("forward")
    measure.put_value_at("side_bend_ref", sideways, "reference", points, reason=no_up)
    measure.put_value_at("fwd_bend_fd", ahead, "foot_down", points, reason=no_up)
    measure.put_value_at("fwd_bend_ref", ahead, "reference", points, reason=no_up)
    top, reason = measure.find_extreme(
        sideways, "load", "reference", points, reason=no_up
    )
    measure.values.put("side_bend_max", None if top is None else top[0], reason)


def put_travel(measure: SwingMeasurer) -> None:
    """Measure how far head and pelvis move between events, in meters."""
    swing, hitter = measure.swing, measure.hitter
    no_head = "head" in hitter.motion.absent
    head = hitter.body.mid_shoulder if no_head else hitter.trunk["head"]
    pelvis = hitter.body.mid_hip
    note = (
        "measured at the middle of the shoulders: no head was tracked"
        if no_head
        else None
    )
    forward, down = swing.forward, None if swing.vertical is None else -swing.vertical
    no_forward = measure.no_unit or measure.no_forward
    no_up = measure.no_unit or measure.no_vertical
    swung, step = ("first_move", "reference"), ("start", "foot_down")
    turned = ("foot_down", "reference")
    _put_way(measure, "head_fwd", head, swung, forward, no_forward, note)
    _put_way(measure, "head_drop", head, swung, down, no_up, note)
    _put_way(measure, "pelvis_fwd", pelvis, step, forward, no_forward, None)
    _put_way(measure, "pelvis_fwd_fd_ref", pelvis, turned, forward, no_forward, None)


def _put_way(
    measure: SwingMeasurer,
    metric_id: str,
    points: FloatArray,
    events: tuple[str, str],
    direction: FloatArray | None,
    reason: str | None,
    note: str | None,
) -> None:
    """Set how far a point moves along a direction between two events.

    Parameters
    ----------
    points : ndarray, shape (n, 3)
    events : (str, str)
        ``start`` is 1.5 s before the reference.
    direction : ndarray, shape (3,), or None
        ``None`` for `reason`.
    note : str or None
        Said beside a number that is there.
    """
    start, end = events
    names = [name for name in events if name != "start"]
    reason = measure.missing_event("reference", *names) or reason
    value = None
    first = measure.start if start == "start" else measure.swing.events.position(start)
    last = measure.swing.events.position(end)
    if (
        reason is None
        and direction is not None
        and first is not None
        and last is not None
    ):
        a, b = peaks.rows_at(points, first), peaks.rows_at(points, last)
        if a is not None and b is not None:
            value = float((b - a) @ direction)
        else:
            reason = "the point is missing at one of the events"
    measure.values.put(metric_id, value, note if value is not None else reason)


def put_body_speed(measure: SwingMeasurer) -> None:
    """Measure the largest speed of the center of mass, m/s."""
    speed = measure.swing.center_of_mass_speed()
    value, reason = None, measure.missing_event("reference")
    if speed is None:
        reason = measure.swing.energetics.missing.get("center_of_mass")
    elif measure.reference is not None and measure.start is not None:
        end = measure.reference + COM_AFTER_REFERENCE_S * measure.hitter.rate_hz
        found = peaks.find_peak(speed, *measure.hitter.window(measure.start, end))
        value = None if found is None else found.value
        reason = None if found else "the centre of mass has gaps"
    measure.values.put("com_speed_max", value, reason)


def _size(vector: FloatArray) -> float:
    """Return the length of one vector, shape (3,)."""
    return float(np.sqrt(vector @ vector))
