"""Peaks of momentum and energy: up to contact and no further, filtered before."""

import numpy as np
import pytest

from biomechanics.swing import analyze_swing
from tests.biomechanics import synthetic


def analyze(swing, energetics, **known):
    return analyze_swing(
        **(
            {
                "kinematics": swing.columns,
                "energetics": energetics,
                "bats": "right",
                "height_m": 1.8,
                "mass_kg": 80.0,
            }
            | known
        )
    )


def test_what_comes_after_contact_is_no_peak():
    swing = synthetic.make_swing(rate_hz=300.0)
    artefact = dict(swing.energetics)
    late = (artefact["time"] > 1.505) & (artefact["time"] < 1.513)
    artefact["bat_kinetic_energy"] = np.where(
        late, 591.0, artefact["bat_kinetic_energy"]
    )
    clean = analyze(swing, swing.energetics, contact_time_s=1.5).metrics
    item = analyze(swing, artefact, contact_time_s=1.5).metrics["peak_KE_bat"]
    assert item.value == pytest.approx(clean["peak_KE_bat"].value, rel=1e-9)
    assert item.value == pytest.approx(290.0, rel=0.015)
    assert not item.flagged


def test_with_peak_hand_speed_as_reference_peaks_may_follow_it():
    swing = synthetic.make_swing(rate_hz=300.0, bat=False)
    metrics = analyze(swing, swing.energetics).metrics
    # Energy of the arms is highest 20 ms before contact, hand speed 24 ms before.
    assert metrics["t_peak_KE_arms"].value == pytest.approx(-4.4, abs=1.0)
    assert metrics["peak_KE_arms"].value == pytest.approx(120.0, rel=0.01)


def test_noise_of_single_frames_is_filtered_before_the_peak():
    swing = synthetic.make_swing(rate_hz=300.0)
    rough = dict(swing.energetics)
    rng = np.random.default_rng(3)
    rough["torso_kinetic_energy"] = rough["torso_kinetic_energy"] + rng.normal(
        0.0, 5.0, rough["time"].size
    )
    item = analyze(swing, rough).metrics["peak_KE_torso"]
    assert item.value == pytest.approx(150.0, abs=5.0)


def test_energy_per_kilogram_is_of_the_mass_that_made_the_energy():
    swing = synthetic.make_swing()
    metrics = analyze(swing, swing.energetics, mass_kg=60.0).metrics
    assert metrics["KE_per_kg_total"].value == pytest.approx(
        metrics["peak_KE_total"].value / 80.0
    )
    without = {k: v for k, v in swing.energetics.items() if k != "mass_total"}
    metrics = analyze(swing, without, mass_kg=60.0).metrics
    assert metrics["KE_per_kg_total"].value == pytest.approx(
        metrics["peak_KE_total"].value / 60.0
    )
