"""The center of mass: its unit is told from where a body has it, never assumed."""

import numpy as np
import pytest

from biomechanics.swing import analyze_swing
from tests.biomechanics import synthetic


def analyze(columns, energetics):
    return analyze_swing(
        kinematics=columns,
        energetics=energetics,
        bats="right",
        height_m=1.8,
        mass_kg=80.0,
    )


def scaled(energetics, factor, offset=0.0):
    return {
        name: values * factor + offset if name.startswith("center_of_mass") else values
        for name, values in energetics.items()
    }


@pytest.fixture(scope="module")
def swing():
    return synthetic.make_swing(rate_hz=240.0)


@pytest.mark.parametrize("points", [1.0, 100.0, 1000.0])
@pytest.mark.parametrize("center", [1.0, 100.0, 1000.0])
def test_points_and_center_may_be_in_different_units(swing, points, center):
    true = analyze(swing.columns, swing.energetics).metrics["com_speed_max"]
    item = analyze(
        synthetic.moved(swing.columns, factor=points),
        scaled(swing.energetics, center),
    ).metrics["com_speed_max"]
    assert 0.3 < true.value < 0.7
    assert item.value == pytest.approx(true.value, rel=1e-6)


def test_a_center_outside_the_body_is_refused(swing):
    analysis = analyze(swing.columns, scaled(swing.energetics, 1.0, offset=3.0))
    item = analysis.metrics["com_speed_max"]
    assert item.value is None
    assert item.reason == ("the center of mass is outside the body in any length unit")
    assert "com_speed" not in analysis.series


def test_without_a_length_unit_there_is_no_speed_of_the_center(swing):
    item = analyze(
        synthetic.moved(swing.columns, factor=7.0), swing.energetics
    ).metrics["com_speed_max"]
    assert item.value is None
    assert "length unit" in item.reason


def test_without_a_center_that_is_the_reason(swing):
    energetics = {
        name: values
        for name, values in swing.energetics.items()
        if not name.startswith("center_of_mass")
    }
    item = analyze(swing.columns, energetics).metrics["com_speed_max"]
    assert item.reason == "the file has no center of mass"
    empty = {
        name: np.full_like(values, np.nan)
        if name.startswith("center_of_mass")
        else values
        for name, values in swing.energetics.items()
    }
    item = analyze(swing.columns, empty).metrics["com_speed_max"]
    assert item.reason == "the file has no center of mass"
