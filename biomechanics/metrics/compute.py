"""Compute all numbers of one swing: unit, window and, when missing, the reason."""

from biomechanics.analysis_types import MetricValue
from biomechanics.definitions import METRICS
from biomechanics.metrics import body, hands_bat, momentum_energy, turning
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.metrics.values import MetricValues, empty_metrics
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
        "pelvis_fwd",
        "pelvis_fwd_fd_ref",
        "com_speed_max",
        "time_to_ref",
        "tempo",
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
    foot_down = swing.events.found["foot_down"]
    values = MetricValues(
        swing.events.reference_rule,
        None if foot_down.position is None else foot_down.rule,
    )
    measure = SwingMeasurer(swing, values, height_m, mass_kg)
    for step in (
        turning.put_turn_rates,
        turning.put_order,
        body.put_rotation,
        body.put_separation,
        body.put_stride,
        body.put_joints,
        body.put_posture,
        body.put_travel,
        body.put_body_speed,
        hands_bat.put_hands,
        hands_bat.put_bat,
        hands_bat.put_timing,
        momentum_energy.put_momentum,
        momentum_energy.put_energy,
        momentum_energy.put_energy_rates,
        momentum_energy.put_energy_per_kg,
    ):
        step(measure)
    if swing.kind == "one_handed":
        reason = swing.kind_reason or "not a bat swing"
        for metric_id in METRICS:
            if metric_id not in ONE_HANDED:
                values.put(metric_id, None, reason)
    return {metric_id: values.by_id[metric_id] for metric_id in METRICS}
