"""Measure rotation, separation, legs, posture and travel of the body."""

import math

import numpy as np

from biomechanics import axes, peaks, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.events import LEG_M
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.motion import LIMB_CUTOFF_HZ
from biomechanics.units import DEG_PER_RAD

HIPS_AND_SHOULDERS = ("lhjc", "rhjc", "lsjc", "rsjc")
COM_AFTER_REFERENCE_S = 0.15
REST_M_PER_S = 0.2
REST_S = 0.1
"""A foot at rest before the stride is slower than this for so long (choice)."""
NOISE_BAND = 1.04
"""Width of the band of white noise that two passes leave, in cutoffs: the integral of
1 ⁄ (1 + x⁴)² is 3·π ⁄ (8·√2), and the cutoff of one pass is 1 ⁄ 0.802 of theirs."""
LEAST_DIRECTION_DEG = 0.05
"""No direction of the feet is surer, however still the points are: half a millimeter
between ankles (choice)."""
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
        measure.add_forward_error(f"{part}_rot_fd", f"{part}_rot_ref")
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
        turning = None if swing.vertical is None else swing.heading(part)
        for event in ("foot_down", "reference"):
            measure.add_event_error(f"{part}_turn_fd_ref", turning, event)


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
    if top is not None:
        measure.add_error_at_reference("x_factor_max", x, top[1])
    values.add_variance("t_x_factor_max", measure.error_ms("reference"))
    measure.add_event_error("x_factor_stretch", x, "first_move")
    growth = None
    after, reason = measure.find_extreme(x, "first_move", "reference", four)
    if after is not None:
        measure.add_error_at_reference("x_factor_stretch", x, after[1])
    if after is not None and measure.first_move is not None:
        at_start = peaks.value_at(x, measure.first_move)
        if at_start is not None:
            growth = max(after[0], at_start) - at_start
        elif measure.reference is not None:
            window = swing.hitter.window(measure.first_move, measure.reference)
            reason = swing.hitter.why_missing(four, *window)
    values.put("x_factor_stretch", growth, reason)


def stance_before_stride(
    measure: SwingMeasurer, *, limit: float = REST_M_PER_S
) -> tuple[float | None, str | None]:
    """Return the last sample at which the lead foot rests before its stride.

    Its ankle then was slower than `limit` for `REST_S`: longer than a tap of the
    toes. Not the start of the clip, which is wherever somebody cut it.

    Parameters
    ----------
    limit : float
        Meters a second.

    Returns
    -------
    sample : float or None
    reason : str or None
        Why there is none.
    """
    reason = measure.missing_event("foot_down")
    hitter, foot_down, start = measure.hitter, measure.foot_down, measure.start
    if reason is not None or foot_down is None or start is None:
        return None, reason
    rate_hz, ankle = hitter.rate_hz, hitter.lead("ajc")
    velocity = signals.derivative(hitter.limbs[ankle], sampling_rate_hz=rate_hz)
    rows = slice(math.ceil(start), math.floor(foot_down) + 1)
    speed = axes.length(velocity)[rows]
    if not np.isfinite(speed).all():
        return None, hitter.why_missing([ankle], start, foot_down)
    if hitter.motion.scale is None:
        leg = hitter.leg_length()
        limit *= 1.0 if leg is None else leg / LEG_M
    needed = math.ceil(REST_S * rate_hz)
    rests = [end for begin, end in signals.runs(speed < limit) if end - begin >= needed]
    # A rest that ends with foot down itself is no stance before it.
    rests = [end for end in rests if end < speed.size - 1]
    if not rests:
        return None, "the clip starts after the stance"
    return float(rows.start + rests[-1] - 1), None


def _other_stances(measure: SwingMeasurer, stance: float) -> list[float]:
    """Return where the stance may as well end, by the noise of the lead ankle.

    Its speed is read against a limit; noise makes it larger and smaller. Without a rest
    below the lower limit, the stance may have ended a whole rest earlier.
    """
    hitter = measure.hitter
    noise_m = hitter.noise_mm([hitter.lead("ajc")]) / 1000.0
    if not noise_m > 0.0:
        return []
    shaken = math.sqrt(2.0) * signals.noise_of_rate(
        noise_m, cutoff_hz=LIMB_CUTOFF_HZ, sampling_rate_hz=hitter.rate_hz
    )
    found = []
    for limit in (REST_M_PER_S - shaken, REST_M_PER_S + shaken):
        other, _ = stance_before_stride(measure, limit=limit)
        if other is None and limit < REST_M_PER_S:
            other = max(stance - REST_S * hitter.rate_hz, float(hitter.low))
        if other is not None:
            found.append(other)
    return found


def put_stride(measure: SwingMeasurer) -> None:
    """Measure the stride: width at foot down and way of the lead foot.

    In percent of leg length and of body height.
    """
    hitter, values = measure.hitter, measure.values
    vertical = measure.swing.vertical
    lead, rear = hitter.lead("ajc"), hitter.rear("ajc")
    lead_ankle, rear_ankle = hitter.limbs[lead], hitter.limbs[rear]
    reason = measure.missing_event("foot_down")
    stance, no_stance = stance_before_stride(measure)
    spread = travel = None
    if vertical is None:
        reason = reason or measure.no_vertical
    elif measure.foot_down is not None:
        line = peaks.rows_at(lead_ankle - rear_ankle, measure.foot_down)
        if line is not None:
            spread = _size(axes.horizontal(line, vertical))
        else:
            at = measure.foot_down
            reason = hitter.why_missing((lead, rear), at, at)
        here = peaks.rows_at(lead_ankle, measure.foot_down)
        there = None if stance is None else peaks.rows_at(lead_ankle, stance)
        if here is not None and there is not None:
            travel = _size(axes.horizontal(here - there, vertical))
    foot_down = measure.foot_down
    leg = no_leg = None
    if foot_down is not None:
        # The median of what is left beside a gap is the leg at another instant.
        joints = [hitter.lead(name) for name in ("hjc", "kjc", "ajc")]
        no_leg = hitter.why_missing(joints, foot_down, foot_down)
        leg = None if no_leg else hitter.leg_length(around=foot_down)
    values.put(
        "stride_spread_leg",
        None if spread is None or leg is None else spread / leg * 100.0,
        reason or no_leg,
    )
    if spread is not None and leg is not None and foot_down is not None:
        left = hitter.leg_error(foot_down) * spread / leg**2 * 100.0
        values.add_variance("stride_spread_leg", left)
    no_height = measure.no_unit
    if no_height is None and measure.height_m is None:
        no_height = "the athlete's height is not known"
    other_height = hitter.why_other_height(measure.height_m)
    for metric_id, value, lost in (
        ("stride_spread_pct", spread, None),
        ("stride_travel_pct", travel, no_stance),
    ):
        values.put(
            metric_id,
            None
            if value is None or no_height is not None or measure.height_m is None
            else value / measure.height_m * 100.0,
            reason or lost or no_height or other_height,
            flagged=other_height is not None,
        )
    _add_stride_errors(measure, lead_ankle - rear_ankle, lead_ankle, leg)
    if travel is not None and stance is not None and measure.height_m is not None:
        _add_stance_error(
            measure, "stride_travel_pct", lead_ankle / measure.height_m * 100.0, stance
        )


def put_stride_direction(measure: SwingMeasurer) -> None:
    """Measure how open the line of the feet is at foot down, by a checked axis."""
    swing, hitter, values = measure.swing, measure.hitter, measure.values
    up, field, at = swing.vertical, swing.field, measure.foot_down
    if up is None or field is None or at is None:
        values.put(
            "stride_direction",
            None,
            swing.findings["field"].text
            if field is None
            else measure.no_vertical or measure.missing_event("foot_down"),
        )
        return
    ankles = hitter.lead("ajc"), hitter.rear("ajc")
    feet = axes.horizontal(hitter.limbs[ankles[0]] - hitter.limbs[ankles[1]], up)
    pull = hitter.hand * axes.cross(up, field)
    heading = np.arctan2(feet @ pull, feet @ field) * DEG_PER_RAD
    measure.put_value_at("stride_direction", heading, "foot_down", ankles)
    line = peaks.rows_at(feet, at)
    if line is None:
        return
    # Both ends of the line shake, as far as the filter of the points leaves it.
    noise = math.sqrt(2.0) * hitter.noise_in_unit(ankles)
    left = math.sqrt(2.0 * NOISE_BAND * LIMB_CUTOFF_HZ / hitter.rate_hz)
    turned = noise * min(left, 1.0) / _size(line) * DEG_PER_RAD
    values.add_variance("stride_direction", turned, LEAST_DIRECTION_DEG)


def _add_stance_error(
    measure: SwingMeasurer, metric_id: str, points: FloatArray, stance: float
) -> None:
    """Add how far a point is elsewhere where the stance may as well end.

    Parameters
    ----------
    points : ndarray, shape (n, 3)
        In the unit of the metric.
    stance : float
        Sample.
    """
    here = peaks.rows_at(points, stance)
    others = (peaks.rows_at(points, at) for at in _other_stances(measure, stance))
    away = [_size(row - here) for row in others if row is not None and here is not None]
    measure.values.add_variance(metric_id, max(away, default=0.0))


def _add_stride_errors(
    measure: SwingMeasurer, between: FloatArray, ankle: FloatArray, leg: float | None
) -> None:
    """Add to the stride what the feet move within the error of foot down.

    Parameters
    ----------
    between, ankle : ndarray, shape (n, 3)
        From the rear to the lead ankle, and the lead ankle.
    leg : float or None
        Length of a leg.
    """
    for metric_id, line, whole in (
        ("stride_spread_leg", between, leg),
        ("stride_spread_pct", between, measure.height_m),
        ("stride_travel_pct", ankle, measure.height_m),
    ):
        here = (
            None
            if measure.foot_down is None
            else peaks.rows_at(between, measure.foot_down)
        )
        if here is None or whole is None:
            continue
        along = line @ (here / _size(here)) / whole * 100.0
        measure.add_event_error(metric_id, along, "foot_down")


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
    for event in ("foot_down", "reference"):
        measure.add_event_error("lead_knee_ext", knee, event)
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
    if top is not None:
        measure.add_error_at_reference("side_bend_max", sideways, top[1])


def put_travel(measure: SwingMeasurer) -> None:
    """Measure how far head and pelvis move by and between events, in meters."""
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
    swung, turned = ("first_move", "reference"), ("foot_down", "reference")
    _put_way(measure, "head_fwd", head, swung, forward, no_forward, note)
    _put_way(measure, "head_drop", head, swung, down, no_up, note)
    _put_excursion(measure, head, note)
    _put_step_of_pelvis(measure, pelvis, no_forward)
    _put_way(measure, "pelvis_fwd_fd_ref", pelvis, turned, forward, no_forward, None)


def _put_excursion(measure: SwingMeasurer, head: FloatArray, note: str | None) -> None:
    """Set how far the head gets from where it is at load, in meters.

    Parameters
    ----------
    head : ndarray, shape (n, 3)
    note : str or None
        Said beside a number that is there.
    """
    values, name = measure.values, "head_excursion"
    reason = measure.missing_event("load", "reference") or measure.no_unit
    start = None if measure.load is None else peaks.rows_at(head, measure.load)
    if reason is None and start is None:
        reason = "the point is missing at load"
    top = None
    if reason is None and start is not None:
        away = axes.length(head - start)
        top, reason = measure.find_extreme(away, "load", "reference", ("head",))
    values.put(name, None if top is None else top[0], note if top else reason)
    if top is None or start is None or top[0] <= 0.0:
        return
    furthest = peaks.rows_at(head, top[1])
    if furthest is not None:
        along = (head - start) @ ((furthest - start) / _size(furthest - start))
        measure.add_event_error(name, along, "load")
        measure.add_error_at_reference(name, along, top[1])


def _put_step_of_pelvis(
    measure: SwingMeasurer, pelvis: FloatArray, reason: str | None
) -> None:
    """Set how far the pelvis moves forward from the stance to foot down, in meters."""
    stance, no_stance = stance_before_stride(measure)
    reason = reason or no_stance
    forward, value = measure.swing.forward, None
    end = measure.foot_down
    if (
        reason is None
        and forward is not None
        and stance is not None
        and end is not None
    ):
        a, b = peaks.rows_at(pelvis, stance), peaks.rows_at(pelvis, end)
        if a is not None and b is not None:
            value = float((b - a) @ forward)
        else:
            reason = "the hips are missing at one of the events"
    measure.values.put("pelvis_fwd", value, reason)
    if forward is not None:
        measure.add_event_error("pelvis_fwd", pelvis @ forward, "foot_down")
    if value is not None and stance is not None:
        _add_stance_error(measure, "pelvis_fwd", pelvis, stance)


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
    direction : ndarray, shape (3,), or None
        ``None`` for `reason`.
    note : str or None
        Said beside a number that is there.
    """
    start, end = events
    reason = measure.missing_event("reference", *events) or reason
    value = None
    first = measure.swing.events.position(start)
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
    if direction is not None:
        for event in events:
            measure.add_event_error(metric_id, points @ direction, event)


def put_body_speed(measure: SwingMeasurer) -> None:
    """Measure the largest speed of the center of mass, m/s."""
    speed = measure.swing.center_of_mass_speed()
    value, reason, edge = None, measure.missing_event("reference"), False
    if speed is None:
        reason = measure.swing.energetics.missing.get("center_of_mass")
    elif measure.reference is not None and measure.start is not None:
        end = measure.reference + COM_AFTER_REFERENCE_S * measure.hitter.rate_hz
        found = peaks.find_peak(speed, *measure.hitter.window(measure.start, end))
        value = None if found is None else found.value
        if found is not None:
            left = measure.swing.left_of_center_speed(found.index)
            measure.values.add_variance("com_speed_max", left)
        edge = found is not None and found.at_edge
        reason = None if found else "the center of mass has gaps"
        if edge:
            reason = (
                "still rising at the edge of its window: the true peak may be higher"
            )
    measure.values.put("com_speed_max", value, reason, flagged=edge)


def _size(vector: FloatArray) -> float:
    """Return the length of one vector, shape (3,)."""
    return float(np.sqrt(vector @ vector))
