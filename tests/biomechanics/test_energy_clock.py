"""Momentum and energy on a clock that is not that of the points."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from biomechanics.definitions import METRICS
from biomechanics.swing import ENERGETIC_COLUMNS, KINEMATIC_COLUMNS, analyze_swing
from tests.biomechanics import synthetic

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
MIXED = ("t_peak_KE_arms", "t_peak_L_torso", "KE_lower_drop", "peak_KE_lower")


def analyze(swing, late_s, **columns):
    energetics = swing.energetics | columns
    return analyze_swing(
        kinematics=swing.columns,
        energetics=energetics | {"time": energetics["time"] + late_s},
        bats="right",
        height_m=1.8,
        mass_kg=80.0,
    )


@pytest.mark.parametrize("rate_hz", [120.0, 240.0, 360.0])
@pytest.mark.parametrize("noise_m", [0.0, 0.003])
@pytest.mark.parametrize("bat", [True, False])
def test_one_clock_is_left_alone(rate_hz, noise_m, bat):
    swing = synthetic.make_swing(rate_hz=rate_hz, noise_m=noise_m, bat=bat)
    analysis = analyze(swing, 0.0)
    assert "energy_clock" not in analysis.quality.codes
    assert not any(analysis.metrics[name].flagged for name in MIXED)


@pytest.mark.parametrize("late_s", [-0.04, 0.02, 0.03, 0.06])
@pytest.mark.parametrize("rate_hz", [120.0, 240.0, 360.0])
def test_curves_apart_from_the_turn_are_flagged(late_s, rate_hz):
    swing = synthetic.make_swing(rate_hz=rate_hz, noise_m=0.001)
    analysis = analyze(swing, late_s)
    word = "late" if late_s > 0 else "early"
    for name, item in analysis.metrics.items():
        if METRICS[name].group in ("momentum", "energy") and item.value is not None:
            assert item.flagged, name
    reason = analysis.metrics["t_peak_L_pelvis"].reason
    assert f"ms {word} compared with the rotation of pelvis and torso" in reason
    assert "energy_clock" in analysis.quality.codes
    assert not analysis.metrics["peak_pelvis_omega"].flagged


def test_the_zeros_of_both_files_are_compared():
    swing = synthetic.make_swing(vendor_clock=True)
    zero = {"time_from_max_hand": swing.columns["time_from_max_hand"]}
    assert not analyze(swing, 0.0, **zero).metrics["t_peak_L_pelvis"].flagged
    item = analyze(swing, 0.012, **zero).metrics["t_peak_L_pelvis"]
    assert item.flagged
    assert item.reason == (
        "the momentum and energy file runs 12 ms late by Reboot Motion's own clock"
    )


def test_curves_that_are_not_alike_say_nothing():
    swing = synthetic.make_swing()
    rng = np.random.default_rng(2)
    odd = {
        name: rng.uniform(1.0, 2.0, values.size)
        for name, values in swing.energetics.items()
        if "angular_momentum" in name
    }
    assert "energy_clock" not in analyze(swing, 0.0, **odd).quality.codes


def test_a_delivered_file_that_runs_late_is_told():
    motion, energy = CASES / "base-ik.csv.gz", CASES / "f06-me-30ms-late.csv.gz"
    if not (motion.exists() and energy.exists()):
        pytest.skip("the delivered files are not beside the project")
    analysis = analyze_swing(
        kinematics=numbers_of(motion, KINEMATIC_COLUMNS),
        energetics=numbers_of(energy, ENERGETIC_COLUMNS),
        bats=None,
        height_m=1.8,
        mass_kg=80.0,
    )
    for name in ("peak_KE_lower", "t_peak_KE_arms"):
        assert analysis.metrics[name].flagged, name
        assert "30 ms late" in analysis.metrics[name].reason


def numbers_of(file, wanted):
    with gzip.open(file, "rt", newline="") as opened:
        rows = list(csv.DictReader(opened))
    names = {name.lower(): name for name in rows[0]}
    return {
        name: np.array([float(row[names[name]] or "nan") for row in rows])
        for name in wanted
        if name in names
    }
