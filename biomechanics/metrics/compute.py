"""The numbers of one swing, each with unit, window and, when missing, a reason."""

from biomechanics.analysis_types import MetricValue
from biomechanics.definitions import METRICS
from biomechanics.metrics import body, hands_bat, momentum_energy, turning
from biomechanics.metrics.measure import Taker
from biomechanics.metrics.values import Sheet, empty_metrics
from biomechanics.observed_swing import Reading

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
    reading: Reading, *, height_m: float | None, mass_kg: float | None
) -> dict[str, MetricValue]:
    """Return all metrics of a reading, in the order of `definitions.METRICS`."""
    if reading.kind == "not_swing":
        return empty_metrics(reading.kind_reason or "this is not a swing")
    foot_down = reading.events["foot_down"]
    sheet = Sheet(
        reading.reference_rule,
        None if foot_down.position is None else foot_down.rule,
    )
    take = Taker(reading, sheet, height_m, mass_kg)
    for step in (
        turning.turn_rates,
        turning.order,
        body.rotation,
        body.legs,
        body.posture,
        hands_bat.hands,
        hands_bat.bat,
        hands_bat.timing,
        momentum_energy.momentum,
        momentum_energy.energy,
    ):
        step(take)
    if reading.kind == "one_handed":
        reason = reading.kind_reason or "not a bat swing"
        for metric_id in METRICS:
            if metric_id not in ONE_HANDED:
                sheet.put(metric_id, None, reason)
    return {metric_id: sheet.values[metric_id] for metric_id in METRICS}
