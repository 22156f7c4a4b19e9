"""Rotation, legs, posture and travel of the body."""

import math

import numpy as np

from biomechanics import axes, peaks, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.metrics.measure import Taker
from biomechanics.observed_swing import leg_length


def rotation(take: Taker) -> None:
    """Rotation to the stride line, turn, separation."""
    r, sheet = take.r, take.sheet
    no_axis = (
        str(r.findings["vertical"].text)
        if r.vertical is None
        else str(r.findings["forward"].text)
        if r.forward is None
        else None
    )
    for part, points in (
        ("pelvis", ("lhjc", "rhjc")),
        ("torso", ("lsjc", "rsjc")),
    ):
        angle = r.rotation(part)
        at_fd = take.at(f"{part}_rot_fd", angle, "foot_down", points, reason=no_axis)
        at_ref = take.at(f"{part}_rot_ref", angle, "reference", points, reason=no_axis)
        if angle is None and r.vertical is not None:
            # A turn needs no zero: any level direction does.
            heading = r.heading(part)
            at_fd, at_ref = (
                None
                if (at := r.position(event)) is None
                else peaks.value_at(heading, at)
                for event in ("foot_down", "reference")
            )
        sheet.put(
            f"{part}_turn_fd_ref",
            None if at_fd is None or at_ref is None else at_ref - at_fd,
            take.missing_event("reference", "foot_down")
            or sheet.reason(f"{part}_rot_fd", f"{part}_rot_ref"),
        )
    x = r.separation
    four = ("lhjc", "rhjc", "lsjc", "rsjc")
    take.at("x_factor_fd", x, "foot_down", four)
    take.at("x_factor_ref", x, "reference", four)
    top = None
    reason = take.missing_event("reference", "load")
    if reason is None and take.load is not None and take.ref is not None:
        window = r.window(take.load, take.ref)
        top = peaks.find_extreme(x, *window)
        reason = r.why(four, *window) if top is None else None
    sheet.put("x_factor_max", None if top is None else top[0], reason)
    sheet.put(
        "t_x_factor_max",
        None if top is None else take.before_ref_ms(top[1]),
        reason,
    )
    growth = None
    reason = take.missing_event("reference", "first_move")
    if reason is None and take.fm is not None and take.ref is not None:
        window = r.window(take.fm, take.ref)
        after = peaks.find_extreme(x, *window)
        at_start = peaks.value_at(x, take.fm)
        if after is not None and at_start is not None:
            growth = max(after[0], at_start) - at_start
        else:
            reason = r.why(four, *window)
    sheet.put("x_factor_stretch", growth, reason)
    zero, reason = None, sheet.reason("x_factor_max")
    if top is not None and take.ref is not None:
        if top[0] <= 0.0:
            reason = "the pelvis never gets ahead of the shoulders"
        else:
            position = peaks.first_fall_through(
                x, 0.0, math.ceil(top[1]), r.window(0, take.ref)[1]
            )
            if position is None:
                reason = "the shoulders have not caught up by the reference"
            else:
                zero = take.before_ref_ms(position)
    sheet.put("x_factor_zero", zero, reason)


def legs(take: Taker) -> None:
    """Feet, lead knee, rear elbow."""
    r, sheet = take.r, take.sheet
    lead_ankle, rear_ankle = r.limbs[r.lead("ajc")], r.limbs[r.rear("ajc")]
    ankles = (r.lead("ajc"), r.rear("ajc"))
    reason = take.missing_event("foot_down")
    spread = travel = None
    if r.vertical is None:
        reason = reason or r.findings["vertical"].text
    elif take.fd is not None and take.start is not None:
        line = peaks.rows_at(lead_ankle - rear_ankle, take.fd)
        here = peaks.rows_at(lead_ankle, take.fd)
        there = peaks.rows_at(lead_ankle, take.start)
        if line is not None:
            spread = _size(axes.horizontal(line, r.vertical))
        if here is not None and there is not None:
            travel = _size(axes.horizontal(here - there, r.vertical))
        if spread is None or travel is None:
            reason = r.why(ankles, take.start, take.fd)
    leg = leg_length(r)
    sheet.put(
        "stride_spread_leg",
        None if spread is None or leg is None else spread / leg * 100.0,
        reason or r.why([r.lead("kjc")], 0, 0),
    )
    no_height = None
    if r.motion.scale is None:
        no_height = r.motion.scale_finding.text
    elif take.height_m is None:
        no_height = "the athlete's height is not known"
    for metric, value in (
        ("stride_spread_pct", spread),
        ("stride_travel_pct", travel),
    ):
        sheet.put(
            metric,
            None
            if value is None or no_height is not None or take.height_m is None
            else value / take.height_m * 100.0,
            reason or no_height,
        )
    knee = r.flexion("lead", "knee")
    chain = [r.lead(name) for name in ("hjc", "kjc", "ajc")]
    at_fd = take.at("lead_knee_flex_fd", knee, "foot_down", chain)
    at_ref = take.at("lead_knee_flex_ref", knee, "reference", chain)
    sheet.put(
        "lead_knee_ext",
        None if at_fd is None or at_ref is None else at_fd - at_ref,
        sheet.reason("lead_knee_flex_fd", "lead_knee_flex_ref"),
    )
    rate, reason = None, take.missing_event("foot_down", "reference")
    if reason is None and take.fd is not None and take.ref is not None:
        window = r.window(take.fd, take.ref)
        top = peaks.find_extreme(
            -signals.derivative(knee, sampling_rate_hz=r.rate_hz), *window
        )
        rate = None if top is None else top[0]
        reason = r.why(chain, *window) if top is None else None
    sheet.put("lead_knee_ext_rate", rate, reason)
    take.at(
        "rear_elbow_flex_fd",
        r.flexion("rear", "elbow"),
        "foot_down",
        [r.rear(name) for name in ("sjc", "ejc", "wjc")],
    )


def posture(take: Taker) -> None:
    """Bends of the trunk, travel of head and pelvis, body speed."""
    r, sheet = take.r, take.sheet
    no_up = r.findings["vertical"].text if r.vertical is None else None
    points = ("lhjc", "rhjc", "lsjc", "rsjc")
    sideways, ahead = r.bend("side"), r.bend("forward")
    take.at("side_bend_ref", sideways, "reference", points, reason=no_up)
    take.at("fwd_bend_fd", ahead, "foot_down", points, reason=no_up)
    take.at("fwd_bend_ref", ahead, "reference", points, reason=no_up)
    top, reason = None, take.missing_event("reference", "load") or no_up
    if (
        reason is None
        and sideways is not None
        and take.load is not None
        and take.ref is not None
    ):
        window = r.window(take.load, take.ref)
        top = peaks.find_extreme(sideways, *window)
        reason = r.why(points, *window) if top is None else None
    sheet.put("side_bend_max", None if top is None else top[0], reason)

    head = r.body.mid_shoulder if "head" in r.motion.absent else r.trunk["head"]
    no_unit = r.motion.scale_finding.text if r.motion.scale is None else None
    no_forward = no_up or (r.findings["forward"].text if r.forward is None else None)
    note = (
        "measured at the middle of the shoulders: no head was tracked"
        if "head" in r.motion.absent
        else None
    )
    _travel(
        take,
        "head_fwd",
        head,
        "first_move",
        "reference",
        r.forward,
        no_unit or no_forward,
        note,
    )
    down = None if r.vertical is None else -r.vertical
    _travel(
        take, "head_drop", head, "first_move", "reference", down, no_unit or no_up, note
    )
    _travel(
        take,
        "pelvis_fwd",
        r.body.mid_hip,
        "start",
        "foot_down",
        r.forward,
        no_unit or no_forward,
        None,
    )
    _travel(
        take,
        "pelvis_fwd_fd_ref",
        r.body.mid_hip,
        "foot_down",
        "reference",
        r.forward,
        no_unit or no_forward,
        None,
    )

    speed = r.com_speed()
    value, reason = None, take.missing_event("reference")
    if speed is None:
        reason = "the file has no centre of mass"
    elif take.ref is not None and take.start is not None:
        found = peaks.find_peak(
            speed, *r.window(take.start, take.ref + 0.15 * r.rate_hz)
        )
        value = None if found is None else found.value
        reason = None if found else "the centre of mass has gaps"
    sheet.put("com_speed_max", value, reason)


def _travel(
    take: Taker,
    metric_id: str,
    points: FloatArray,
    start: str,
    end: str,
    direction: FloatArray | None,
    reason: str | None,
    note: str | None,
) -> None:
    """Put the way of a point along a direction between two events."""
    names = [name for name in (start, end) if name != "start"]
    reason = take.missing_event("reference", *names) or reason
    value = None
    first = take.start if start == "start" else take.r.position(start)
    last = take.r.position(end)
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
    take.sheet.put(metric_id, value, note if value is not None else reason)


def _size(vector: FloatArray) -> float:
    return float(np.sqrt(vector @ vector))
