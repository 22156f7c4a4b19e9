"""Measure hands, bat and the time between events."""

import math
from dataclasses import replace

from biomechanics import axes, bat, peaks
from biomechanics.definitions import METRICS
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.metrics.unsure_events import contact_not_shown, unseen_ball
from biomechanics.metrics.values import EVENT_WORDS
from biomechanics.ranges import within
from biomechanics.units import MS_PER_S

BAT_LOST = "the bat is lost just before contact"
"""Why a number of the bat is missing where its points are."""
MAY_BE_SMOOTHED_SHARE, MAY_BE_SMOOTHED_DEG = 0.035, 0.5
"""What points leave open that do not show a given contact, as they may have been
smoothed across it: of a speed, as a share, and of the swing's tilt. A filter of 20 Hz
takes 4 to 5 % and 0.8° (invented swings)."""


def put_hands(measure: SwingMeasurer) -> None:
    """Measure peaks of hand speed in m/s, and their time."""
    swing, hitter, values = measure.swing, measure.hitter, measure.values
    window = measure.window_past_reference()
    kind = "hand" if hitter.motion.hand_is == "hands" else "wjc"
    left, right = "l" + kind, "r" + kind
    for metric, series, points in (
        ("peak_hand_speed", swing.hands.speed, (left, right)),
        ("peak_hand_speed_lead", swing.hand_speed("lead"), (hitter.lead(kind),)),
        ("peak_hand_speed_rear", swing.hand_speed("rear"), (hitter.rear(kind),)),
    ):
        measure.put_peak(
            metric, metric, None, series, window, points, reason=measure.no_unit
        )
    for one in ("peak_hand_speed_lead", "peak_hand_speed_rear"):
        speed, limits = values.number(one), METRICS[one].plausible
        if speed is not None and not within(speed, limits):
            values.flag("peak_hand_speed", "one of the hands is implausibly fast")
    position = swing.events.position("peak_hand_speed")
    values.put(
        "t_peak_hand",
        None
        if position is None or measure.reference is None
        else 0.0
        if swing.events.reference_rule == "hand_peak"
        else measure.before_reference_ms(position),
        measure.missing_event("reference", "peak_hand_speed"),
    )
    if swing.events.reference_rule != "hand_peak":
        for event in ("reference", "peak_hand_speed"):
            values.add_variance("t_peak_hand", measure.error_ms(event))


def put_bat(measure: SwingMeasurer) -> None:
    """Measure speed in m/s, directions in degrees, and path in meters of the bat."""
    moving = measure.swing.bat
    if moving is None:
        for metric_id in (
            *("bat_speed_max", "bat_speed_ref", "bat_path_length"),
            *("attack_angle", "attack_direction", "swing_tilt"),
        ):
            measure.values.put(
                metric_id, None, measure.swing.bat_reason or "no bat was tracked"
            )
        return
    speed = _put_bat_speed(measure, moving)
    _put_peak_bat_speed(measure, moving, speed)
    _put_bat_directions(measure, moving)
    _put_bat_path(measure, moving)
    turn = measure.values.number("peak_bat_omega")
    if turn is not None and contact_not_shown(measure.swing):
        measure.values.add_variance("peak_bat_omega", MAY_BE_SMOOTHED_SHARE * turn)


def too_early(measure: SwingMeasurer) -> str | None:
    """Return why the reference says nothing about the bat, ``None`` if it does."""
    if measure.reference is None:
        return None
    if measure.swing.events.reference_rule != "hand_peak":
        return None
    return "timed from peak hand speed, well before the bat is at its fastest"


def no_sweet_spot(moving: bat.BatMotion) -> str | None:
    """Return why the sweet spot is not known, ``None`` if it is."""
    if moving.along is None:
        return "the sweet spot needs a length unit"
    return None


def _doubt(measure: SwingMeasurer) -> str | None:
    """Return why numbers of the bat at the reference are shown but not trusted."""
    events = measure.swing.events
    found = events.found["reference"]
    if events.reference_rule != "bat_peak":
        return None
    if found.confidence == "low":
        return found.reason
    return unseen_ball(measure.swing)


def after_impact(measure: SwingMeasurer, moving: bat.BatMotion) -> str | None:
    """Return why the bat cannot be read that late, ``None`` if it can."""
    impact, at = moving.impact.impact, measure.bat_instant()
    if impact is None or at is None or at <= impact.position:
        return None
    return "contact is after the bat hit the ball"


def read_bat(
    measure: SwingMeasurer,
    moving: bat.BatMotion,
    read: bat.Read,
) -> bat.Reading | None:
    """Return a number of the bat at the reference with its standard deviation."""
    at = measure.bat_instant()
    if at is None:
        return None
    return bat.read_at(
        moving, at, read, instant_error_s=_instant_error_s(measure, moving, at)
    )


def _instant_error_s(measure: SwingMeasurer, moving: bat.BatMotion, at: float) -> float:
    """Return one standard deviation of the instant at which the bat is read, seconds.

    That of the impact where the bat is read at the impact that it shows itself.
    """
    impact = moving.impact.impact
    if impact is not None and at == impact.position:
        return impact.uncertainty_s
    return measure.swing.events.error_s("reference")


def put_reading(
    measure: SwingMeasurer,
    moving: bat.BatMotion,
    metric_id: str,
    reading: bat.Reading | None,
    reason: str | None,
) -> None:
    """Set a number of the bat, or say why it is missing."""
    if reading is None:
        measure.values.put(metric_id, None, reason or BAT_LOST)
        return
    doubt = _doubt(measure)
    measure.values.put(
        metric_id,
        reading.value,
        doubt,
        flagged=doubt is not None,
    )
    measure.values.add_variance(metric_id, reading.uncertainty)


def _put_bat_speed(measure: SwingMeasurer, moving: bat.BatMotion) -> bat.Reading | None:
    """Measure and return the speed of the sweet spot at the reference."""
    reason = (
        measure.missing_event("reference")
        or measure.no_unit
        or no_sweet_spot(moving)
        or too_early(measure)
        or after_impact(measure, moving)
    )
    reading = None
    if reason is None and moving.along is not None:
        reading = read_bat(measure, moving, bat.speed_at(moving.along))
    if reading is not None and contact_not_shown(measure.swing):
        left_open = MAY_BE_SMOOTHED_SHARE * reading.value
        reading = replace(
            reading, uncertainty=math.hypot(reading.uncertainty, left_open)
        )
    if reading is not None and moving.along is not None:
        beyond = _beyond_seen(measure, moving, reading.value, moving.along)
        reading = replace(reading, uncertainty=math.hypot(reading.uncertainty, beyond))
    put_reading(measure, moving, "bat_speed_ref", reading, reason)
    return reading


def _beyond_seen(
    measure: SwingMeasurer, moving: bat.BatMotion, speed: float, along: float
) -> float:
    """Return what the speed changes from where the bat was last seen, m/s.

    Zero where that is the frame before the impact: only further on does a fitted
    motion say too little of how the bat went on. So it is where no impact shows.
    """
    at, impact = measure.bat_instant(), moving.impact.impact
    if at is None or impact is None or at != impact.position:
        return 0.0
    seen = moving.frames[moving.frames <= at]
    if seen.size == 0 or at - seen[-1] <= 1.0:
        return 0.0
    last = bat.read_at(
        moving, float(seen[-1]), bat.speed_at(along), instant_error_s=0.0
    )
    return 0.0 if last is None else abs(speed - last.value)


def _put_peak_bat_speed(
    measure: SwingMeasurer, moving: bat.BatMotion, speed: bat.Reading | None
) -> None:
    """Measure the largest speed of the sweet spot by the reference."""
    reason = measure.no_unit or no_sweet_spot(moving) or too_early(measure)
    measure.put_peak(
        "bat_speed",
        "bat_speed_max",
        None,
        measure.swing.hands.speed if moving.speed is None else moving.speed,
        measure.tracked_bat_window(),
        (),
        limit=moving.last,
        open_end=measure.at_contact,
        reason=reason,
        doubt=_doubt(measure),
    )
    top = measure.values.number("bat_speed_max")
    if speed is not None and top is not None and measure.at_contact:
        # Between the last frame and the impact the bat may still get faster.
        measure.values.put(
            "bat_speed_max",
            max(top, speed.value),
        )
    if speed is not None:
        measure.values.add_variance("bat_speed_max", speed.uncertainty)


def _put_bat_directions(measure: SwingMeasurer, moving: bat.BatMotion) -> None:
    """Measure attack angle, attack direction and tilt of the swing's plane."""
    swing = measure.swing
    common = (
        measure.missing_event("reference")
        or measure.no_vertical
        or no_sweet_spot(moving)
        or too_early(measure)
        or after_impact(measure, moving)
    )
    angle = direction = tilt = None
    along, vertical = moving.along, swing.vertical
    if common is None and along is not None and vertical is not None:
        angle = read_bat(measure, moving, bat.attack_angle_at(along, vertical))
        at = measure.bat_instant()
        steep = None if at is None else bat.swing_tilt(moving, at=at, vertical=vertical)
        if at is not None and steep is not None:
            left_open = MAY_BE_SMOOTHED_DEG if contact_not_shown(swing) else 0.0
            early = at - _instant_error_s(measure, moving, at) * moving.rate_hz
            before = bat.swing_tilt(moving, at=early, vertical=vertical)
            moves = 0.0 if before is None else steep - before
            tilt = bat.Reading(steep, math.hypot(left_open, moves))
        if swing.forward is not None:
            direction = read_bat(
                measure,
                moving,
                bat.attack_direction_at(
                    along, vertical, swing.forward, measure.hitter.hand
                ),
            )
    put_reading(measure, moving, "attack_angle", angle, common)
    put_reading(
        measure, moving, "attack_direction", direction, common or measure.no_forward
    )
    measure.add_forward_error("attack_direction")
    put_reading(measure, moving, "swing_tilt", tilt, common)


def _put_bat_path(measure: SwingMeasurer, moving: bat.BatMotion) -> None:
    """Measure the path of the bat's tip from first move to the reference."""
    length = None
    reason = (
        measure.missing_event("reference", "first_move")
        or measure.no_unit
        or too_early(measure)
        or after_impact(measure, moving)
    )
    first, last = measure.first_move, measure.bat_instant()
    if moving.tip is None:
        reason = reason or "the tip of the bat was not tracked"
    elif reason is None and first is not None and last is not None:
        end = min(last, moving.last - 1e-6)
        length = bat.path_length(moving.tip, start=first, end=end)
        reason = None if length is not None else BAT_LOST
    measure.values.put("bat_path_length", length, reason)
    if length is None or moving.tip is None:
        return
    for event, at in (("first_move", first), ("reference", last)):
        if at is None:
            continue
        here, before = (
            peaks.rows_at(moving.tip, min(at, moving.last) - back)
            for back in (1.0, 2.0)
        )
        if here is not None and before is not None:
            step = float(axes.length(here - before))
            error = measure.swing.events.error_s(event) * measure.hitter.rate_hz
            measure.values.add_variance("bat_path_length", step * error)


def put_timing(measure: SwingMeasurer) -> None:
    """Measure the durations between events in ms."""
    per_ms = MS_PER_S / measure.hitter.rate_hz

    def between(metric_id: str, first: str, last: str) -> None:
        a, b = measure.swing.events.position(first), measure.swing.events.position(last)
        reason = measure.missing_event(first, last)
        value = None if a is None or b is None else (b - a) * per_ms
        if value is not None and value < 0.0:
            value, reason = (
                None,
                (f"{EVENT_WORDS[first]} is after {EVENT_WORDS[last]}"),
            )
        measure.values.put(metric_id, value, reason)
        measure.values.add_variance(
            metric_id, measure.error_ms(first), measure.error_ms(last)
        )

    between("time_to_ref", "first_move", "reference")
    between("tempo_load_fd", "load", "foot_down")
    between("tempo_fd_ref", "foot_down", "reference")
