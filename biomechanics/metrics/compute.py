"""Compute all numbers of one swing: unit, window and, when missing, the reason."""

from biomechanics.analysis_types import MetricValue
from biomechanics.basis import STRIDE_LINE, Part
from biomechanics.definitions import METRICS
from biomechanics.metrics import (
    bat_body,
    body,
    hands_bat,
    momentum_energy,
    turning,
    uncertainty,
    unsure_events,
)
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.metrics.values import MetricValues, empty_metrics
from biomechanics.momentum_kind import OWN
from biomechanics.motion import BAT_LOW_RATE_HZ
from biomechanics.observed_swing import ObservedSwing

# What still means something when the turn was a throw.
ONE_HANDED = frozenset(
    {
        "peak_pelvis_omega",
        "peak_torso_omega",
        "t_peak_pelvis",
        "t_peak_torso",
        "gap_pelvis_torso",
        "gain_torso_pelvis",
        "decel_pelvis",
        "pelvis_rot_fd",
        "pelvis_rot_ref",
        "torso_rot_fd",
        "torso_rot_ref",
        "pelvis_turn_fd_ref",
        "torso_turn_fd_ref",
        "x_factor_fd",
        "x_factor_ref",
        "x_factor_max",
        "t_x_factor_max",
        "stride_spread_pct",
        "stride_spread_leg",
        "stride_travel_pct",
        "stride_direction",
        "lead_knee_flex_fd",
        "lead_knee_flex_ref",
        "lead_knee_ext",
        "lead_knee_ext_rate",
        "side_bend_ref",
        "side_bend_max",
        "fwd_bend_fd",
        "fwd_bend_ref",
        "head_fwd",
        "head_drop",
        "head_excursion",
        "pelvis_fwd",
        "pelvis_fwd_fd_ref",
        "com_speed_max",
        "time_to_ref",
        "tempo_load_fd",
        "tempo_fd_ref",
    }
)


def compute_metrics(
    swing: ObservedSwing, *, height_m: float | None, mass_kg: float | None
) -> dict[str, MetricValue]:
    """Return all metrics of a swing, in the order of `definitions.METRICS`.

    `height_m` and `mass_kg` are the athlete's.
    """
    if swing.kind == "not_swing":
        return empty_metrics(swing.kind_reason or "this is not a swing")
    measure = measure_swing(swing, height_m=height_m, mass_kg=mass_kg)
    uncertainty.put_uncertainties(measure)
    values = measure.values
    if swing.kind == "one_handed":
        reason = swing.kind_reason or "not a bat swing"
        for metric_id in METRICS:
            if metric_id not in ONE_HANDED and not METRICS[metric_id].retired:
                values.put(metric_id, None, reason)
    return {metric_id: values.by_id[metric_id] for metric_id in METRICS}


def measure_swing(
    swing: ObservedSwing, *, height_m: float | None, mass_kg: float | None
) -> SwingMeasurer:
    """Return what measured a swing, with all its values and their flags.

    Parameters are those of `compute_metrics`. The values have no uncertainty yet.
    """
    foot_down = swing.events.found["foot_down"]
    values = MetricValues(
        swing.events.reference_rule,
        None if foot_down.position is None else foot_down.rule,
        found_parts(swing),
    )
    measure = SwingMeasurer(swing, values, height_m, mass_kg)
    for step in (
        turning.put_turn_rates,
        turning.put_order,
        body.put_rotation,
        body.put_separation,
        body.put_stride,
        body.put_stride_direction,
        body.put_joints,
        body.put_posture,
        body.put_travel,
        body.put_body_speed,
        hands_bat.put_hands,
        hands_bat.put_bat,
        bat_body.put_bat_and_body,
        hands_bat.put_timing,
        momentum_energy.put_momentum,
        momentum_energy.put_energy,
        momentum_energy.put_energy_rates,
        momentum_energy.put_energy_per_kg,
    ):
        step(measure)
    for definition in METRICS.values():
        if definition.retired:
            values.put(definition.id, None, f"no longer measured: {definition.retired}")
    unsure_events.flag_unsure(swing.events, values)
    unsure_events.flag_forward(swing, values)
    unsure_events.flag_unseen_ball(swing, values)
    unsure_events.flag_smoothed(swing, values)
    unsure_events.flag_tilted(swing, values)
    window = measure.bat_window()
    unsure_events.flag_bat_lost(
        swing,
        values,
        last_of_peak=None if window is None or measure.at_contact else window[1],
    )
    unsure_events.flag_other_clock(swing.energetics, values)
    return measure


def found_parts(swing: ObservedSwing) -> tuple[tuple[Part, str], ...]:
    """Return what each part of a basis is in this swing.

    An event that a person moved is still the same event, only better placed: it keeps
    the rule by which it was found. Only where nothing was found it is ``manual``.
    """
    motion = swing.hitter.motion
    low_rate = swing.hitter.rate_hz <= BAT_LOW_RATE_HZ
    found: dict[Part, str | None] = {
        "reference": _rule_of(swing, "reference"),
        "foot_down": _rule_of(swing, "foot_down"),
        "forward": None
        if swing.forward is None
        else str(swing.findings["forward"].evidence.get("source", STRIDE_LINE)),
        "hands": motion.hand_is,
        "head": _HEAD_POINTS[motion.head_is],
        "bat": None
        if motion.bat is None
        else "six_inches"
        if motion.bat.sweet_spot is None
        else "sweet_spot",
        "frame_rate": "to_150_hz" if low_rate else "over_150_hz",
        "energy": _LOWER_HALF.get(swing.energetics.segments.get("KE_lower", "")),
        "mass": "profile" if swing.energetics.mass_kg is None else "file",
        "momentum": OWN if swing.findings["momentum"].value == OWN else None,
    }
    return tuple((part, value) for part, value in found.items() if value is not None)


_HEAD_POINTS = {
    "head": "head",
    "base of the skull": "skull",
    "middle of the eyes": "eyes",
    "middle of the shoulders": "shoulders",
}
# Both legs added up are the legs.
_LOWER_HALF = {"lowerhalf": "lowerhalf", "legs": "legs", "lleg+rleg": "legs"}


def _rule_of(swing: ObservedSwing, event: str) -> str | None:
    """Return the rule of an event as the basis has it, ``None`` without the event."""
    found = swing.events.found[event]
    if found.position is None:
        return None
    automatic = swing.events.automatic[event]
    if found.rule == "manual" and automatic.position is not None:
        return automatic.rule
    return found.rule
