"""Angular momentum about the body's center of mass, or about each segment's own."""

from __future__ import annotations

import numpy as np
import pytest

from athletes.phrases import basis_in_words
from biomechanics.definitions import METRICS
from biomechanics.swing import ENERGETIC_COLUMNS, KINEMATIC_COLUMNS, analyze_swing
from tests.factories import simulated_columns, simulated_movements

ARM = ("ar", "fa", "ha")
MOMENTUM = [item.id for item in METRICS.values() if item.group == "momentum"]


def files(bats):
    movement = simulated_movements(bats=bats)[0]
    kinematics = simulated_columns(movement, "inverse-kinematics")
    energetics = simulated_columns(movement, "momentum-energy")
    return kinematics, energetics


def spin_alone(energetics):
    """The same file as a vendor would deliver it who gives each segment's spin."""
    groups = {
        "larm": [f"l{part}" for part in ARM],
        "rarm": [f"r{part}" for part in ARM],
    }
    groups["arms"] = groups["larm"] + groups["rarm"]
    groups |= {name: [name] for name in ("lowertorso", "torso", "bat")}
    changed = dict(energetics)
    for name, parts in groups.items():
        vector = [
            sum(energetics[f"{part}_local_angular_momentum_{axis}"] for part in parts)
            for axis in "xyz"
        ]
        for axis, values in zip("xyz", vector, strict=True):
            changed[f"{name}_angular_momentum_{axis}"] = values
        changed[f"{name}_angular_momentum_mag"] = np.linalg.norm(vector, axis=0)
    return changed


def analyze(kinematics, energetics):
    return analyze_swing(
        kinematics={k: v for k, v in kinematics.items() if k in KINEMATIC_COLUMNS},
        energetics={k: v for k, v in energetics.items() if k in ENERGETIC_COLUMNS},
        bats=None,
        height_m=1.8,
        mass_kg=None,
    )


@pytest.mark.parametrize("bats", ["R", "L"])
def test_momentum_about_the_body_is_told_by_its_size(bats):
    kinematics, energetics = files(bats)
    found = analyze(kinematics, energetics)
    finding = found.findings.findings["momentum"]
    assert finding.value == "body_center"
    assert finding.evidence["delivered_by_computed"] == pytest.approx(1.0, abs=0.05)
    assert all("momentum=" not in found.metrics[name].basis for name in MOMENTUM)
    # A body without a mass is taken for one of the usual: the answer is the same.
    without = {k: v for k, v in energetics.items() if k != "mass_total"}
    assert analyze(kinematics, without).findings.value("momentum") == "body_center"


@pytest.mark.parametrize("bats", ["R", "L"])
def test_spin_alone_is_told_and_a_basis_of_its_own(bats):
    kinematics, energetics = files(bats)
    about_body = analyze(kinematics, energetics)
    found = analyze(kinematics, spin_alone(energetics))
    assert found.findings.value("momentum") == "own_center"
    assert "spin of each segment" in found.findings.findings["momentum"].text
    for name, item in found.metrics.items():
        assert ("momentum=own_center" in item.basis) == (
            METRICS[name].group == "momentum" and not METRICS[name].retired
        ), name
        if METRICS[name].group != "momentum":
            assert item.basis == about_body.metrics[name].basis
    words = basis_in_words(found.metrics["peak_L_arms"].basis)
    assert "momentum about: each segment's own center" in words


def test_what_is_neither_is_not_called_either():
    kinematics, energetics = files("R")
    third = {
        name: values / 3.0 if "_angular_momentum_" in name else values
        for name, values in energetics.items()
    }
    finding = analyze(kinematics, third).findings.findings["momentum"]
    assert finding.value is None
    assert "fits neither" in finding.text


def test_without_arms_or_a_length_unit_it_is_not_told():
    kinematics, energetics = files("R")
    armless = {k: v for k, v in energetics.items() if "arm" not in k}
    finding = analyze(kinematics, armless).findings.findings["momentum"]
    assert finding.value is None
    assert "doesn't show" in finding.text
