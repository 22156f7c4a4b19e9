"""Frames that hold the one before them once more are filled like gaps."""

import dataclasses

import numpy as np
import pytest

from accuracy.measure import analyze_made
from accuracy.swings import clean_swing
from biomechanics.swing import analyze_swing
from tests.biomechanics import synthetic


def analyze(swing, columns):
    return analyze_swing(
        kinematics=columns,
        energetics=swing.energetics,
        bats="right",
        height_m=1.8,
        mass_kg=80.0,
    )


def test_every_tenth_frame_repeated_is_repaired_and_said():
    swing = synthetic.make_swing(rate_hz=240.0, noise_m=0.001, bat=False)
    rows = np.arange(swing.columns["time"].size)
    rows[10::10] -= 1
    columns = {
        name: values if name == "time" else values[rows]
        for name, values in swing.columns.items()
    }
    whole, repaired = analyze(swing, swing.columns), analyze(swing, columns)
    assert "repeated_frames" not in whole.quality.codes
    text = dict(repaired.quality.reasons)["repeated_frames"]
    assert text.startswith("52 frames repeat the ones before")
    for name in ("peak_pelvis_omega", "peak_lead_arm_omega", "peak_hand_speed"):
        true, item = whole.metrics[name], repaired.metrics[name]
        assert item.value == pytest.approx(true.value, rel=0.01), name
        assert not item.flagged


def test_repeated_frames_make_numbers_less_sure():
    swing = clean_swing(0, "hit", "right", 240.0)
    rows = np.arange(swing.kinematics["time"].size)
    rows[3::3] -= 1
    columns = {
        name: values if name == "time" else values[rows]
        for name, values in swing.kinematics.items()
    }
    whole = analyze_made(swing).metrics
    repaired = analyze_made(dataclasses.replace(swing, kinematics=columns)).metrics
    for name in ("decel_pelvis", "gap_pelvis_torso", "gap_torso_arm"):
        assert repaired[name].uncertainty > 1.2 * whole[name].uncertainty, name


def test_a_body_that_stands_still_repeats_nothing():
    swing = synthetic.make_swing(rate_hz=240.0)
    assert "repeated_frames" not in analyze(swing, swing.columns).quality.codes
