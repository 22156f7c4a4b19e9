"""Measure hands, bat and the time between events."""

from biomechanics import bat
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.metrics.values import EVENT_WORDS
from biomechanics.units import MS_PER_S

_BAT_LOST = "the bat is lost just before the reference"


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
    _put_bat_speed(measure, moving)
    _put_bat_directions(measure, moving)
    _put_bat_path(measure, moving)


def _too_early(measure: SwingMeasurer) -> str | None:
    """Return why the reference says nothing about the bat, ``None`` if it does."""
    if measure.reference is None:
        return None
    if measure.swing.events.reference_rule != "hand_peak":
        return None
    return "the reference is peak hand speed, long before the bat is at its fastest"


def _no_sweet_spot(moving: bat.BatMotion) -> str | None:
    """Return why the sweet spot is not known, ``None`` if it is."""
    if moving.sweet_spot is None:
        return "the sweet spot needs a length unit"
    return None


def _put_bat_speed(measure: SwingMeasurer, moving: bat.BatMotion) -> None:
    """Measure the largest speed of the sweet spot and that at the reference."""
    swing = measure.swing
    reason = measure.no_unit or _no_sweet_spot(moving) or _too_early(measure)
    measure.put_peak(
        "bat_speed",
        "bat_speed_max",
        None,
        swing.hands.speed if moving.speed is None else moving.speed,
        measure.bat_window(),
        (),
        limit=moving.last,
        open_end=swing.events.reference_rule == "contact",
        reason=reason,
    )
    measure.put_value_at("bat_speed_ref", moving.speed, "reference", (), reason=reason)


def _put_bat_directions(measure: SwingMeasurer, moving: bat.BatMotion) -> None:
    """Measure attack angle, attack direction and tilt of the swing's plane."""
    swing, values = measure.swing, measure.values
    angle = direction = tilt = None
    early = _too_early(measure)
    if measure.reference is not None and swing.vertical is not None and early is None:
        angle = bat.attack_angle(
            moving,
            reference=measure.reference,
            vertical=swing.vertical,
            sampling_rate_hz=measure.hitter.rate_hz,
        )
        tilt = bat.swing_tilt(
            moving,
            reference=measure.reference,
            vertical=swing.vertical,
            sampling_rate_hz=measure.hitter.rate_hz,
        )
        if swing.forward is not None:
            direction = bat.attack_direction(
                moving,
                reference=measure.reference,
                vertical=swing.vertical,
                forward=swing.forward,
                hand=measure.hitter.hand,
            )
    common = (
        measure.missing_event("reference")
        or measure.no_vertical
        or _no_sweet_spot(moving)
        or early
    )
    for metric_id, value, otherwise in (
        ("attack_angle", angle, _BAT_LOST),
        ("attack_direction", direction, measure.no_forward or _BAT_LOST),
        ("swing_tilt", tilt, "fewer than four samples in 40 ms"),
    ):
        values.put(metric_id, value, None if value is not None else common or otherwise)


def _put_bat_path(measure: SwingMeasurer, moving: bat.BatMotion) -> None:
    """Measure the path of the bat's tip from first move to the reference."""
    length = None
    reason = (
        measure.missing_event("reference", "first_move")
        or measure.no_unit
        or _too_early(measure)
    )
    first, last = measure.first_move, measure.reference
    if moving.tip is None:
        reason = reason or "the tip of the bat was not tracked"
    elif reason is None and first is not None and last is not None:
        length = bat.path_length(moving.tip, start=first, end=last)
        reason = None if length is not None else _BAT_LOST
    measure.values.put("bat_path_length", length, reason)


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
                (f"{EVENT_WORDS[first]} lies after {EVENT_WORDS[last]}"),
            )
        measure.values.put(metric_id, value, reason)

    between("time_to_ref", "first_move", "reference")
    between("tempo_load_fd", "load", "foot_down")
    between("tempo_fd_ref", "foot_down", "reference")
