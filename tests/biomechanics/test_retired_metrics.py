"""Metrics that are no longer measured keep their key, without a value."""

from biomechanics.definitions import HEADLINES, METRICS, SHOWN_METRICS
from biomechanics.swing import analyze_swing
from tests.biomechanics import synthetic

RETIRED = {
    "peak_hand_omega",
    "t_peak_hand_omega",
    "gain_hand_arm",
    "gain_bat_hand",
    "x_factor_zero",
    "tempo",
    "hand_smoothness",
    "L_share_pelvis",
    "L_share_torso",
    "L_share_arms",
    "L_share_bat",
    "KE_ratio_torso_lower",
    "KE_share_bat_ref",
    "KE_per_kg_bat",
}


def test_retired_metrics_have_a_reason_instead_of_a_value():
    swing = synthetic.make_swing()
    analysis = analyze_swing(
        kinematics=swing.columns,
        energetics=swing.energetics,
        bats="right",
        height_m=1.8,
        mass_kg=80.0,
    )
    assert {name for name, item in METRICS.items() if item.retired} == RETIRED
    for name in RETIRED:
        item = analysis.metrics[name]
        assert item.value is None
        assert item.reason == f"no longer measured: {METRICS[name].retired}"


def test_retired_metrics_are_offered_nowhere():
    assert not RETIRED & {item.id for item in SHOWN_METRICS}
    assert len(SHOWN_METRICS) == len(METRICS) - len(RETIRED)
    assert not RETIRED & set(HEADLINES)
