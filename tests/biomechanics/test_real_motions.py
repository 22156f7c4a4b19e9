"""Motions that nobody here made; skipped where the recordings are missing."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import scipy

from biomechanics.metrics.compute import ONE_HANDED
from biomechanics.swing import analyze_swing

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SWING = DATA / "real-swing-landmarks-360hz.csv"
PITCH = DATA / "vendor-sample-pitch-303hz.trc"
# In this recording lhjc and rhjc are the hands.
RENAMED = {
    "lhjc": "lhand",
    "rhjc": "rhand",
    "left_hip": "lhjc",
    "right_hip": "rhjc",
    "centerofmass": "center_of_mass",
}


@pytest.fixture(scope="module")
def real_swing():
    if not SWING.exists():
        pytest.skip(f"the recording {SWING.name} is not beside the project")
    with SWING.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns, times = {}, {}
    for name in rows[0]:
        if name == "session_swing":
            continue
        values = np.array([float(row[name] or "nan") for row in rows])
        if name in ("fp_10_time", "fp_100_time", "contact_time"):
            times[name] = values[0]
        elif name == "time":
            columns[name] = values
        else:
            point, axis = name.rsplit("_", 1)
            if point in ("sweet_spot", "blast_hand"):
                values = on_frames(values)
            columns[f"{RENAMED.get(point, point)}_{axis}"] = values
    return columns, times


def on_frames(values):
    """The bat's values at the frames; they stand at times rounded to milliseconds."""
    frames = np.arange(values.size) / 360.0
    return scipy.interpolate.CubicSpline(np.round(frames, 3), values)(frames)


def analyze(columns, **changes):
    center = {n: v for n, v in columns.items() if n.startswith("center_of_mass")}
    return analyze_swing(
        **(
            {
                "kinematics": columns,
                "energetics": center | {"time": columns["time"]},
                "bats": None,
                "height_m": 67 * 0.0254,
                "mass_kg": 70.3,
            }
            | changes
        )
    )


def test_real_swing_is_read(real_swing):
    columns, _ = real_swing
    analysis = analyze(columns)
    assert (analysis.side, analysis.kind) == ("right", "swing")
    assert analysis.sampling_rate_hz == pytest.approx(360.0, rel=1e-5)
    assert analysis.findings.value("vertical") == "+z"
    assert analysis.findings.value("length_unit") == 1.0
    assert analysis.findings.value("names_exchanged") is False
    assert analysis.findings.value("bat") is True
    # Forward is +x here; the stride line is 6° off it.
    assert analysis.findings.value("forward")[0] > 0.99
    assert analysis.quality.grade in ("good", "usable")


def test_real_swing_events_against_its_own_times(real_swing):
    columns, times = real_swing
    events = analyze(columns).events
    # Bat speed tops just before the ball is hit.
    before = times["contact_time"] - events["bat_peak"].time_s
    assert 0.0 < before < 0.015
    # The ankle comes to rest with the full weight, not with the toes' touch.
    assert events["foot_down"].time_s == pytest.approx(times["fp_100_time"], abs=0.02)
    assert events["foot_down"].time_s > times["fp_10_time"] + 0.04
    assert events["peak_hand_speed"].time_s < events["bat_peak"].time_s - 0.03
    assert events["load"].time_s < events["first_move"].time_s < times["fp_10_time"]


def test_real_swing_numbers_are_those_of_a_swing(real_swing):
    columns, times = real_swing
    analysis = analyze(columns, contact_time_s=times["contact_time"])
    value = {name: item.value for name, item in analysis.metrics.items()}
    assert analysis.events["reference"].rule == "contact"
    assert not [n for n, item in analysis.metrics.items() if item.flagged]
    assert 600 < value["peak_pelvis_omega"] < 900
    assert 900 < value["peak_torso_omega"] < 1200
    assert 2200 < value["peak_bat_omega"] < 3000
    assert 28 < value["bat_speed_max"] < 34
    assert 80 < value["pelvis_rot_ref"] < 110
    assert 15 < value["lead_knee_ext"] < 40
    assert 0.8 < value["com_speed_max"] < 1.4
    assert value["bat_path_length"] is None


def test_real_swing_mirrored_and_turned(real_swing):
    columns, _ = real_swing
    plain = analyze(columns)
    mirrored = {}
    for name, values in columns.items():
        other = name
        for a, b in (("l", "r"), ("r", "l")):
            if name[0] == a and name[1:].split("_")[0] in (
                "hand",
                "hjc",
                "sjc",
                "ejc",
                "wjc",
                "kjc",
                "ajc",
            ):
                other = b + name[1:]
        mirrored[other] = -values if name.endswith("_y") else values
    twin = analyze(mirrored)
    assert twin.side == "left"
    for name, item in plain.metrics.items():
        if isinstance(item.value, float):
            assert twin.metrics[name].value == pytest.approx(
                item.value, rel=1e-6, abs=1e-6
            ), name


@pytest.fixture(scope="module")
def real_pitch():
    if not PITCH.exists():
        pytest.skip(f"the recording {PITCH.name} is not beside the project")
    lines = PITCH.read_text().splitlines()
    points = [name for name in lines[3].split("\t")[2:] if name]
    rows = np.array(
        [[float(v) for v in line.split("\t")[1:] if v] for line in lines[6:] if line]
    )
    columns = {"time": rows[:, 0]}
    for place, point in enumerate(points):
        for axis_place, axis in enumerate("xyz"):
            columns[f"{point.lower()}_{axis}"] = rows[:, 1 + 3 * place + axis_place]
    return columns


def test_real_pitch_is_told_from_a_swing(real_pitch):
    analysis = analyze(real_pitch, energetics=None)
    assert (analysis.kind, analysis.is_swing) == ("one_handed", False)
    assert analysis.quality.grade == "poor"
    assert "one_handed" in analysis.quality.codes
    assert analysis.findings.value("length_unit") == 0.001
    assert analysis.sampling_rate_hz == pytest.approx(303.03, rel=1e-3)
    value = {name: item.value for name, item in analysis.metrics.items()}
    assert 400 < value["peak_pelvis_omega"] < 1000
    assert 700 < value["peak_torso_omega"] < 1400
    for name, item in analysis.metrics.items():
        if name not in ONE_HANDED:
            assert item.value is None, name
            assert item.reason, name
    json.dumps(analysis.to_dict(), allow_nan=False)
