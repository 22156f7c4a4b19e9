"""Points that shake, leap or drift: repaired where that can be, else told."""

import numpy as np
import pytest

from biomechanics import leaps
from biomechanics.soundness import NOISE_POOR_M, NOISE_USABLE_M
from biomechanics.swing import analyze_swing
from tests.biomechanics import synthetic
from tests.biomechanics.hit_swings import hit_swing


def analyze(columns, energetics=None):
    return analyze_swing(
        kinematics=columns,
        energetics=energetics,
        bats="right",
        height_m=1.8,
        mass_kg=80.0,
    )


def moved(columns, point, rows, by):
    """The columns with a point moved by `by` (3,) in some rows."""
    answer = dict(columns)
    for axis, shift in zip("xyz", by, strict=True):
        values = answer[f"{point}_{axis}"].copy()
        values[rows] += shift
        answer[f"{point}_{axis}"] = values
    return answer


def row_at(swing, seconds, rate_hz=240.0):
    return round((swing.contact_s + seconds) * rate_hz)


@pytest.fixture(scope="module")
def swing():
    return synthetic.make_swing(rate_hz=240.0, noise_m=0.001)


@pytest.fixture(scope="module")
def whole(swing):
    return analyze(swing.columns)


def test_a_clean_swing_says_nothing(whole):
    told = {"point_jump", "frame_jump", "point_noise", "segment_length"}
    assert not told & set(whole.quality.codes)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("point", ["lhjc", "rsjc", "lwjc", "lajc", "bhead"])
def test_a_spike_is_filled_and_said(swing, whole, point, count):
    start = row_at(swing, -0.080)
    rows = slice(start, start + count)
    spiked = analyze(moved(swing.columns, point, rows, (0.08, -0.05, 0.06)))
    text = dict(spiked.quality.reasons).get("point_jump", "")
    if point != "bhead":
        assert f"jumps in {count} frames" in text
    for name in ("peak_pelvis_omega", "peak_lead_arm_omega", "bat_speed_max"):
        true, item = whole.metrics[name], spiked.metrics[name]
        assert item.value == pytest.approx(true.value, rel=0.02), name
        assert not item.flagged


def test_a_tilted_frame_is_filled_and_said(swing, whole):
    row = row_at(swing, -0.060)
    angle = np.radians(5.0)
    turn = np.array(
        [
            [1.0, 0.0, 0.0],
            [0.0, np.cos(angle), -np.sin(angle)],
            [0.0, np.sin(angle), np.cos(angle)],
        ]
    )
    columns = {name: values.copy() for name, values in swing.columns.items()}
    for name in [name[:-2] for name in columns if name.endswith("_x")]:
        place = np.array([columns[f"{name}_{axis}"][row] for axis in "xyz"])
        for axis, value in zip("xyz", turn @ place, strict=True):
            columns[f"{name}_{axis}"][row] = value
    tilted = analyze(columns)
    text = dict(tilted.quality.reasons)["frame_jump"]
    assert text.startswith("In 1 frames the whole body jumps")
    assert tilted.events["reference"].time_s == pytest.approx(
        whole.events["reference"].time_s, abs=0.001
    )
    for name in ("peak_torso_omega", "torso_rot_ref", "swing_tilt"):
        true, item = whole.metrics[name], tilted.metrics[name]
        assert item.value == pytest.approx(true.value, rel=0.02), name


def test_sides_exchanged_for_a_while_are_a_gap(swing):
    rows = slice(row_at(swing, -0.060), row_at(swing, -0.020))
    columns = {name: values.copy() for name, values in swing.columns.items()}
    for axis in "xyz":
        left, right = columns[f"lhjc_{axis}"], columns[f"rhjc_{axis}"]
        left[rows], right[rows] = right[rows].copy(), left[rows].copy()
    found = analyze(columns)
    assert found.quality.grade == "poor"
    assert found.metrics["peak_pelvis_omega"].value is None


def test_a_point_that_leaps_and_stays_away_makes_the_swing_poor(swing):
    rows = slice(row_at(swing, -0.060), None)
    found = analyze(moved(swing.columns, "lsjc", rows, (0.0, 0.0, 0.07)))
    assert found.quality.grade == "poor"
    assert "does not come back" in dict(found.quality.reasons)["point_jump"]


@pytest.mark.parametrize(
    ("noise_m", "grade"), [(0.002, "good"), (0.006, "usable"), (0.012, "poor")]
)
def test_noise_grades_a_swing(noise_m, grade):
    swing = synthetic.make_swing(rate_hz=240.0, noise_m=noise_m, bat=False)
    found = analyze(swing.columns)
    reasons = dict(found.quality.reasons)
    assert ("point_noise" in reasons) == (noise_m > NOISE_USABLE_M)
    if noise_m > NOISE_POOR_M:
        assert found.quality.grade == grade
    elif noise_m > NOISE_USABLE_M:
        assert found.quality.grade != "good"


@pytest.mark.parametrize(("share", "grade"), [(0.30, "usable"), (0.90, "poor")])
def test_a_bone_that_changes_its_length_grades_a_swing(swing, share, grade):
    columns = dict(swing.columns)
    time = columns["time"] - swing.contact_s
    growing = share * np.clip(time / 0.4 + 1.0, 0.0, 1.0)
    for axis in "xyz":
        hip, knee = columns[f"rhjc_{axis}"], columns[f"rkjc_{axis}"]
        columns[f"rkjc_{axis}"] = knee + growing * (knee - hip)
    found = analyze(columns)
    assert "segment_length" in found.quality.codes
    assert found.quality.grade == grade


def test_a_stretch_of_one_frame_is_no_measurement(swing):
    start = row_at(swing, -0.070)
    columns = {
        name: values if name == "time" else values.copy()
        for name, values in swing.columns.items()
    }
    for name, values in columns.items():
        if name != "time":
            values[start : start + 8] = values[start]
    found = analyze(columns)
    assert found.quality.grade == "poor"
    assert {"gap", "repeated_frames"} <= set(found.quality.codes)


def test_a_bat_lost_at_the_impact_leaves_no_number_of_it_in_means():
    swing = hit_swing(rate_hz=300.0)
    swing.lose_bat(swing.last_clean - 3, swing.last_clean + 4)
    found = analyze(swing.columns)
    assert found.events["reference"].rule != "bat_impact"
    for name in ("bat_speed_max", "attack_angle", "swing_tilt", "bat_path_length"):
        item = found.metrics[name]
        assert item.value is None or item.flagged, name
    assert not found.metrics["peak_pelvis_omega"].flagged


def test_a_fast_bat_and_its_impact_are_no_leap():
    for rate_hz in (120.0, 240.0, 360.0):
        columns = hit_swing(rate_hz=rate_hz, noise_m=0.001).columns
        points = np.stack(
            [
                columns[f"{name}_{axis}"]
                for name in ("bhandle", "bhead")
                for axis in "xyz"
            ],
            axis=1,
        ).reshape(-1, 2, 3)
        found = leaps.find_leaps(
            points,
            sampling_rate_hz=rate_hz,
            meter=1.0,
            step_share=leaps.BAT_STEP_SHARE,
        )
        assert not found.away.any()
        assert not found.lasting.any()
