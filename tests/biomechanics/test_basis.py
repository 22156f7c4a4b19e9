"""What each number rests on, and that the basis of a value says it."""

import pytest

from biomechanics.basis import (
    PARTS,
    basis_of,
    parts_in,
    parts_of,
    setup_in,
    with_setup,
    without_setup,
)
from biomechanics.definitions import METRICS
from biomechanics.swing import analyze_swing
from tests.biomechanics import synthetic

# A new metric is added here by who has thought of what it rests on.
PARTS_OF = """
peak_pelvis_omega: reference
peak_torso_omega: reference
peak_lead_arm_omega: reference
peak_lead_forearm_omega: reference
peak_hand_omega: reference
peak_bat_omega: reference frame_rate
t_peak_pelvis: reference
t_peak_torso: reference
t_peak_lead_arm: reference
t_peak_lead_forearm: reference
t_peak_hand_omega: reference
t_peak_bat: reference frame_rate
seq_order: reference
gap_pelvis_torso: reference
gap_torso_arm: reference
gap_arm_bat: reference frame_rate
gain_torso_pelvis: reference
gain_arm_torso: reference
gain_hand_arm: reference
gain_bat_hand: reference frame_rate
gain_bat_torso: reference frame_rate
decel_pelvis: reference
pelvis_rot_fd: foot_down forward
pelvis_rot_ref: reference foot_down forward
torso_rot_fd: foot_down forward
torso_rot_ref: reference foot_down forward
pelvis_turn_fd_ref: reference foot_down
torso_turn_fd_ref: reference foot_down
x_factor_fd: foot_down
x_factor_ref: reference
x_factor_max: reference
t_x_factor_max: reference
x_factor_stretch: reference
x_factor_zero: reference
stride_spread_pct: foot_down
stride_spread_leg: foot_down
stride_travel_pct: foot_down
stride_direction: foot_down
lead_knee_flex_fd: foot_down
lead_knee_flex_ref: reference
lead_knee_ext: reference foot_down
lead_knee_ext_rate: reference foot_down
rear_elbow_flex_fd: foot_down
side_bend_ref: reference
side_bend_max: reference
fwd_bend_fd: foot_down
fwd_bend_ref: reference
head_fwd: reference foot_down forward head
head_drop: reference head
head_excursion: reference head
pelvis_fwd: foot_down forward
pelvis_fwd_fd_ref: reference foot_down forward
com_speed_max: reference
peak_hand_speed: reference hands
peak_hand_speed_lead: reference hands
peak_hand_speed_rear: reference hands
t_peak_hand: reference hands
bat_speed_max: reference bat frame_rate
bat_speed_ref: reference bat frame_rate
attack_angle: reference bat frame_rate
attack_direction: reference foot_down forward bat frame_rate
attack_side: reference bat frame_rate
swing_tilt: reference bat frame_rate
bat_path_length: reference frame_rate
contact_depth_hip: reference foot_down forward bat frame_rate
contact_depth_com: reference foot_down forward bat frame_rate
vertical_bat_angle: reference frame_rate
bat_torso_fm: frame_rate
bat_torso_ref: reference frame_rate
time_to_ref: reference
tempo: reference foot_down
tempo_load_fd: foot_down
tempo_fd_ref: reference foot_down
hand_smoothness: reference hands
peak_L_pelvis: reference momentum
peak_L_torso: reference momentum
peak_L_arms: reference momentum
peak_L_bat: reference frame_rate momentum
t_peak_L_pelvis: reference momentum
t_peak_L_torso: reference momentum
t_peak_L_arms: reference momentum
t_peak_L_bat: reference frame_rate momentum
L_ratio_torso_pelvis: reference momentum
L_ratio_arms_torso: reference momentum
L_ratio_bat_arms: reference frame_rate momentum
L_share_pelvis: reference momentum
L_share_torso: reference momentum
L_share_arms: reference momentum
L_share_bat: reference frame_rate momentum
peak_KE_lower: reference energy
peak_KE_torso: reference
peak_KE_arms: reference
peak_KE_bat: reference frame_rate
peak_KE_total: reference
t_peak_KE_lower: reference energy
t_peak_KE_torso: reference
t_peak_KE_arms: reference
t_peak_KE_bat: reference frame_rate
t_peak_KE_total: reference
KE_ratio_torso_lower: reference energy
KE_ratio_arms_torso: reference
KE_ratio_bat_arms: reference frame_rate
KE_share_bat_ref: reference frame_rate
KE_rate_max_lower: reference energy
KE_rate_max_torso: reference
KE_rate_max_arms: reference
KE_rate_max_bat: reference frame_rate
KE_rate_max_total: reference
KE_lower_drop: reference energy
KE_per_kg_lower: reference energy mass
KE_per_kg_torso: reference mass
KE_per_kg_arms: reference mass
KE_per_kg_bat: reference frame_rate mass
KE_per_kg_total: reference mass
"""
TOLD = dict(line.split(":") for line in PARTS_OF.strip().splitlines())


@pytest.mark.parametrize("metric", METRICS)
def test_parts_of_every_metric(metric):
    assert metric in TOLD, "say in PARTS_OF what this metric rests on"
    assert sorted(parts_of(metric)) == sorted(TOLD[metric].split())


def test_the_text_has_the_parts_in_one_order_and_only_those_that_matter():
    found = (
        ("mass", "profile"),
        ("frame_rate", "over_150_hz"),
        ("bat", "sweet_spot"),
        ("hands", "wrists"),
        ("forward", "stride_line"),
        ("foot_down", "ankle_settles"),
        ("reference", "bat_impact"),
    )
    assert basis_of("pelvis_rot_ref", found) == (
        "reference=bat_impact foot_down=ankle_settles forward=stride_line"
    )
    assert basis_of("attack_angle", found) == (
        "reference=bat_impact bat=sweet_spot frame_rate=over_150_hz"
    )
    assert basis_of("x_factor_fd", found) == "foot_down=ankle_settles"
    assert basis_of("KE_per_kg_total", found) == "reference=bat_impact mass=profile"
    assert parts_in(basis_of("peak_hand_speed", found)) == {
        "reference": "bat_impact",
        "hands": "wrists",
    }


def test_what_counts_from_the_hands_peak_rests_on_the_point_of_the_hands():
    found = (("reference", "hand_peak"), ("hands", "wrists"))
    assert basis_of("side_bend_ref", found) == "reference=hand_peak hands=wrists"
    assert basis_of("x_factor_fd", found) == ""


def test_a_given_direction_owes_nothing_to_the_feet():
    found = (
        ("reference", "contact"),
        ("foot_down", "ankle_settles"),
        ("forward", "given"),
    )
    assert basis_of("pelvis_rot_ref", found) == "reference=contact forward=given"
    assert "foot_down=ankle_settles" in basis_of("pelvis_rot_fd", found)


def test_the_longest_basis_fits_its_column():
    longest = (
        ("reference", "bat_impact"),
        ("foot_down", "vendor_norm_time"),
        ("forward", "stride_line"),
        ("hands", "wrists"),
        ("head", "shoulders"),
        ("bat", "sweet_spot"),
        ("frame_rate", "over_150_hz"),
        ("energy", "lowerhalf"),
        ("mass", "profile"),
        ("momentum", "own_center"),
    )
    assert tuple(part for part, _ in longest) == PARTS
    text = " ".join(f"{part}={value}" for part, value in longest)
    # athletes.models.BASIS_LENGTH
    assert len(with_setup(text, "front_toss")) <= 200


def test_setup_ends_a_basis_and_is_none_of_its_parts():
    for basis in ("", "hand_peak", "reference=contact hands=wrists"):
        own = with_setup(basis, "live")
        assert (setup_in(basis), setup_in(own)) == (None, "live")
        assert without_setup(own) == without_setup(basis) == basis
        assert parts_in(own) == parts_in(basis)
    # No setup is one too, where the session has another.
    assert setup_in(with_setup("hand_peak", "")) == ""


def analyzed(swing, **given):
    return analyze_swing(
        kinematics=swing.columns,
        energetics=swing.energetics,
        **(
            {"bats": "right", "height_m": 1.85, "mass_kg": 90.0, "contact_time_s": None}
            | given
        ),
    )


def basis(analysis, metric):
    return parts_in(analysis.metrics[metric].basis)


def test_every_value_of_a_swing_says_what_it_rests_on():
    analysis = analyzed(synthetic.make_swing())
    having = {name for name, item in analysis.metrics.items() if item.value is not None}
    assert len(having) > 80
    for name, item in analysis.metrics.items():
        # The parts of the file that matter, and of a missing value none.
        told = set(parts_in(item.basis))
        assert told <= parts_of(name) | {"hands"}
        assert bool(told) == (name in having), name
    assert basis(analysis, "peak_hand_speed")["hands"] == "wrists"
    assert basis(analysis, "head_drop")["head"] == "skull"
    assert basis(analysis, "pelvis_rot_ref")["foot_down"] == "ankle_settles"
    assert basis(analysis, "pelvis_rot_ref")["forward"] == "stride_line"
    assert basis(analysis, "bat_speed_max")["bat"] == "six_inches"
    assert basis(analysis, "bat_speed_max")["frame_rate"] == "over_150_hz"
    assert basis(analysis, "peak_KE_lower")["energy"] == "lowerhalf"
    assert basis(analysis, "KE_per_kg_lower")["mass"] == "file"


def test_the_source_of_a_value_is_in_its_basis():
    swing = synthetic.make_swing(rate_hz=150.0, vendor_clock=True)
    for axis in "xyz":
        middle = 0.5 * (swing.columns[f"lwjc_{axis}"] + swing.columns[f"rwjc_{axis}"])
        for side in "lr":
            swing.columns[f"{side}hand_{axis}"] = middle
            swing.columns[f"{side}eye_{axis}"] = swing.columns[f"skullbase_{axis}"]
        knob, tip = swing.columns[f"bhandle_{axis}"], swing.columns[f"bhead_{axis}"]
        swing.columns[f"sweet_spot_{axis}"] = knob + 0.8 * (tip - knob)
        del swing.columns[f"skullbase_{axis}"]
    swing.energetics["legs_kinetic_energy"] = swing.energetics.pop(
        "lowerhalf_kinetic_energy"
    )
    del swing.energetics["mass_total"]
    analysis = analyzed(swing, contact_time_s=swing.contact_s)
    assert basis(analysis, "peak_hand_speed") == {
        "reference": "contact",
        "hands": "hands",
    }
    assert basis(analysis, "head_drop")["head"] == "eyes"
    assert basis(analysis, "x_factor_fd") == {"foot_down": "vendor_norm_time"}
    assert basis(analysis, "bat_speed_max")["bat"] == "sweet_spot"
    assert basis(analysis, "bat_speed_max")["frame_rate"] == "to_150_hz"
    assert basis(analysis, "peak_KE_lower")["energy"] == "legs"
    assert basis(analysis, "KE_per_kg_lower")["mass"] == "profile"


def test_an_event_that_a_person_moved_keeps_the_basis_of_the_rule():
    swing = synthetic.make_swing()
    automatic = analyzed(swing)
    down = automatic.events["foot_down"].time_s
    moved = analyzed(
        swing,
        event_overrides={
            "foot_down": down + 0.01,
            "reference": automatic.events["reference"].time_s - 0.004,
        },
    )
    assert moved.events["foot_down"].rule == "manual"
    for name in ("x_factor_fd", "pelvis_rot_ref", "lead_knee_ext"):
        assert moved.metrics[name].value != automatic.metrics[name].value
        assert moved.metrics[name].basis == automatic.metrics[name].basis


def test_an_event_that_only_a_person_found_is_a_basis_of_its_own():
    swing = synthetic.make_swing()
    del swing.columns["lajc_z"]
    assert analyzed(swing).events["foot_down"].time_s is None
    moved = analyzed(swing, event_overrides={"foot_down": swing.contact_s - 0.19})
    assert basis(moved, "x_factor_fd") == {"foot_down": "manual"}
