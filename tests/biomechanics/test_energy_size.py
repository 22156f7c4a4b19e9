"""Delivered kinetic energy, held against that of the points."""

import pytest

from biomechanics.swing import analyze_swing
from tests.factories import simulated_columns, simulated_movements


def finding_of(bats="R", *, change=lambda kinematics, energetics: None):
    movement = simulated_movements(bats=bats)[0]
    kinematics = dict(simulated_columns(movement, "inverse-kinematics"))
    energetics = dict(simulated_columns(movement, "momentum-energy"))
    change(kinematics, energetics)
    found = analyze_swing(
        kinematics=kinematics,
        energetics=energetics,
        bats=None,
        height_m=1.8,
        mass_kg=None,
    )
    return found.findings.findings["energy"]


def times(factor):
    def change(kinematics, energetics):
        for name in energetics:
            if name.endswith("kinetic_energy"):
                energetics[name] = energetics[name] * factor

    return change


def without_mass(kinematics, energetics):
    del energetics["mass_total"]


@pytest.mark.parametrize("bats", ["R", "L"])
def test_energy_of_the_arms_is_that_of_their_points(bats):
    found = finding_of(bats)
    assert found.value is True
    # The simulator adds the turn of each segment about its own center.
    assert found.evidence["delivered_by_computed"] == pytest.approx(1.04, abs=0.03)
    assert found.evidence["mass_is"] == "file"
    assert finding_of(bats, change=without_mass).evidence["mass_kg"] == 75.0


@pytest.mark.parametrize("factor", [0.05, 3.0, 1000.0])
def test_energy_in_another_unit_or_of_other_segments_is_said(factor):
    found = finding_of(change=times(factor))
    assert found.value is False
    assert "another unit" in found.text
    assert found.evidence["delivered_by_computed"] == pytest.approx(
        1.04 * factor, rel=0.03
    )


def test_points_in_another_unit_are_no_fault_of_the_energy():
    def in_millimeters(kinematics, energetics):
        for name in kinematics:
            if name[-2:] in ("_x", "_y", "_z"):
                kinematics[name] = kinematics[name] * 1000.0

    assert finding_of(change=in_millimeters) == finding_of()


def test_without_arms_nothing_is_told():
    def armless(kinematics, energetics):
        for name in list(energetics):
            if name.endswith("kinetic_energy"):
                del energetics[name]

    assert finding_of(change=armless).value is None
