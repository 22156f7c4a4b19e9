"""Measure the bat against body and field: depth of contact, connection, its own slant.

All from tracked bat points; nothing is derived from hands or energy.
"""

import math

import numpy as np

from biomechanics import axes, bat, peaks
from biomechanics.analysis_types import FloatArray
from biomechanics.definitions import METRICS
from biomechanics.measurement_error import model_of
from biomechanics.metrics.hands_bat import (
    after_impact,
    no_sweet_spot,
    put_reading,
    read_bat,
    too_early,
)
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.metrics.uncertainty import Noises
from biomechanics.rod import RodMotion
from biomechanics.units import DEG_PER_RAD

TRUNK = ("lhjc", "rhjc", "lsjc", "rsjc")
CENTER_WITHIN_DEG = 15.0
"""Either side of straight to the pitcher: the middle third of the fair ground."""
MOST_ACROSS_DEG = 90.0
"""A bat that moves to the catcher has no direction of a hit."""


def put_bat_and_body(measure: SwingMeasurer) -> None:
    """Measure depth of contact in meters, angles of the bat in degrees, and its side.

    The side is pull, center or opposite, as text.
    """
    moving = measure.swing.bat
    if moving is None:
        for metric_id in (
            *("contact_depth_hip", "contact_depth_com", "vertical_bat_angle"),
            *("bat_torso_fm", "bat_torso_ref", "attack_side"),
        ):
            measure.values.put(
                metric_id, None, measure.swing.bat_reason or "no bat was tracked"
            )
        return
    at_reference = (
        measure.missing_event("reference")
        or too_early(measure)
        or after_impact(measure, moving)
    )
    _put_depths(measure, moving, at_reference)
    _put_vertical_angle(measure, moving, at_reference)
    _put_connection(measure, moving, at_reference)
    _put_side(measure, moving, at_reference)


def depth_before(origin: FloatArray, forward: FloatArray, along: float) -> bat.Read:
    """Return what reads how far the sweet spot is ahead of a point, in its unit.

    Parameters
    ----------
    origin, forward : ndarray, shape (3,)
        The point, and the level unit vector to the pitcher.
    along : float
        Distance of the sweet spot from the knob.
    """

    def read(motion: RodMotion, at: float) -> FloatArray:
        ahead = motion.points(np.array([at]), along)[..., 0, :] - origin
        answer: FloatArray = ahead @ forward
        return answer

    return read


def angle_above(plane_normal: FloatArray) -> bat.Read:
    """Return what reads how far the bat points out of a plane, degrees.

    Knob to tip; + = along `plane_normal`, a unit vector of shape (3,).
    """

    def read(motion: RodMotion, at: float) -> FloatArray:
        ends = motion.points(np.array([at]), 1.0) - motion.points(np.array([at]), 0.0)
        sine = axes.unit(ends)[..., 0, :] @ plane_normal
        answer: FloatArray = np.arcsin(np.clip(sine, -1.0, 1.0)) * DEG_PER_RAD
        return answer

    return read


def side_word(angle: float, error: float) -> str | None:
    """Return where a bat travels at the ball: ``pull``, ``center`` or ``opposite``.

    Each word that lies within one standard deviation, the likeliest first; ``None``
    where all three do, and for a bat that does not move to the field.

    Parameters
    ----------
    angle, error : float
        Degrees from the way to the pitcher, + = pull side.
    """
    if abs(angle) >= MOST_ACROSS_DEG:
        return None

    def word(degrees: float) -> str:
        if abs(degrees) <= CENTER_WITHIN_DEG:
            return "center"
        return "pull" if degrees > 0.0 else "opposite"

    words = dict.fromkeys(word(angle + step) for step in (0.0, -error, error))
    if {"pull", "opposite"} <= set(words):
        return None
    return " or ".join(words)


def _put_depths(
    measure: SwingMeasurer, moving: bat.BatMotion, at_reference: str | None
) -> None:
    """Measure how far ahead of the front hip and of the center of mass the bat is."""
    swing, hitter = measure.swing, measure.hitter
    common = at_reference or measure.no_unit or no_sweet_spot(moving)
    common = common or measure.no_forward
    hip = hitter.lead("hjc")
    no_center = swing.energetics.missing.get("center_of_mass")
    for metric_id, points, names, missing in (
        ("contact_depth_hip", hitter.trunk[hip], (hip,), None),
        ("contact_depth_com", swing.center_of_mass(), (), no_center),
    ):
        reason, reading, at = common, None, measure.bat_instant()
        if reason is None and points is None:
            reason = missing or "the file has no center of mass"
        if reason is None and points is not None and at is not None:
            origin = peaks.rows_at(points, at)
            if origin is None:
                reason = hitter.why_missing(names, at, at) if names else None
                reason = reason or "the center of mass has gaps"
            elif moving.along is not None and swing.forward is not None:
                read = depth_before(origin, swing.forward, moving.along)
                reading = read_bat(measure, moving, read)
                _add_turn_of_forward(measure, moving, metric_id, origin)
        put_reading(measure, moving, metric_id, reading, reason)


def _add_turn_of_forward(
    measure: SwingMeasurer, moving: bat.BatMotion, metric_id: str, origin: FloatArray
) -> None:
    """Add what a depth gains when the line of the feet is another one.

    The further to the side of a point the sweet spot is, the more.
    """
    swing, at = measure.swing, measure.bat_instant()
    spot = None
    if moving.sweet_spot is not None and at is not None:
        spot = peaks.rows_at(moving.sweet_spot, min(at, moving.last - 1e-6))
    if spot is None or swing.vertical is None or swing.forward is None:
        return
    across = float((spot - origin) @ axes.cross(swing.vertical, swing.forward))
    measure.add_forward_error(metric_id, per_degree=across / DEG_PER_RAD)


def _put_vertical_angle(
    measure: SwingMeasurer, moving: bat.BatMotion, at_reference: str | None
) -> None:
    """Measure how far the bat points up or down."""
    reason, reading = at_reference or measure.no_vertical, None
    if reason is None and measure.swing.vertical is not None:
        reading = read_bat(measure, moving, angle_above(measure.swing.vertical))
    put_reading(measure, moving, "vertical_bat_angle", reading, reason)


def _put_connection(
    measure: SwingMeasurer, moving: bat.BatMotion, at_reference: str | None
) -> None:
    """Measure the angle of bat and trunk at first move and at the reference."""
    trunk, at = measure.hitter.body.trunk, measure.bat_instant()
    reason, reading = at_reference, None
    if reason is None and at is not None:
        up = peaks.rows_at(trunk, at)
        if up is None:
            reason = measure.hitter.why_missing(TRUNK, at, at)
        else:
            read = angle_above(up / np.linalg.norm(up))
            reading = read_bat(
                measure, moving, lambda motion, when: 90.0 + read(motion, when)
            )
    put_reading(measure, moving, "bat_torso_ref", reading, reason)
    line = None if at is None else peaks.rows_at(moving.line, min(at, moving.clean))
    if line is not None:
        # The trunk moves on within the error of the instant too.
        leaning = np.arcsin(np.clip(trunk @ line, -1.0, 1.0)) * DEG_PER_RAD
        measure.add_event_error("bat_torso_ref", leaning, "reference")
    sine = np.clip(np.einsum("ij,ij->i", moving.line, trunk), -1.0, 1.0)
    first, lost = measure.first_move, None
    if first is not None and peaks.rows_at(moving.line, first) is None:
        lost = "the bat is lost at first move"
    curve = 90.0 + np.arcsin(sine) * DEG_PER_RAD
    measure.put_value_at("bat_torso_fm", curve, "first_move", TRUNK, reason=lost)


def _put_side(
    measure: SwingMeasurer, moving: bat.BatMotion, at_reference: str | None
) -> None:
    """Say to which side of the field the sweet spot travels, where that is known."""
    swing = measure.swing
    reason = at_reference or measure.no_vertical or no_sweet_spot(moving)
    if reason is None and swing.field is None:
        reason = swing.findings["field"].text
    words = None
    if (
        reason is None
        and swing.vertical is not None
        and swing.field is not None
        and moving.along is not None
    ):
        read = bat.attack_direction_at(
            moving.along, swing.vertical, swing.field, measure.hitter.hand
        )
        reading = read_bat(measure, moving, read)
        if reading is not None:
            error = _direction_error(measure, reading)
            words = side_word(reading.value, error)
            if words is None:
                reason = "the bat does not move to the field"
                if abs(reading.value) < MOST_ACROSS_DEG:
                    reason = f"uncertain by ±{error:.0f}°: it may be any side"
    if words is None:
        put_reading(measure, moving, "attack_side", None, reason)
        return
    measure.values.put("attack_side", words)
    direction = measure.values.by_id["attack_direction"]
    if direction.flagged:
        measure.values.flag("attack_side", direction.reason or "")


def _direction_error(measure: SwingMeasurer, reading: bat.Reading) -> float:
    """Return one standard deviation of a direction to the field, degrees."""
    model = model_of("attack_direction", measure.swing.events.reference_class)
    if model is None:
        return reading.uncertainty
    variance = model.variance(
        value=1.0,
        noise_mm=Noises(measure).of(METRICS["attack_direction"]),
        rate_hz=measure.hitter.rate_hz,
    )
    return math.sqrt(reading.uncertainty**2 + variance)
