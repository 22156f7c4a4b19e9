"""The scale of an uncertainty, and the noise that it is fitted with."""

import numpy as np
import pytest

from accuracy.calibrate import (
    SCALE_MOST,
    SCALE_MOST_ONCE,
    SCALES,
    ScaledError,
    scale_of,
)
from accuracy.swings import ENERGY_NOISE, clean_swing, with_noise
from biomechanics.measurement_error import scale_of as stored_scale
from biomechanics.metrics import uncertainty
from biomechanics.metrics.compute import measure_swing
from biomechanics.observe import observe


def errors(sizes, rate_hz=240.0, number=0):
    return [ScaledError(rate_hz, float(size), number) for size in sizes]


def test_seven_of_ten_errors_lie_within_a_scaled_uncertainty():
    found = scale_of(errors(np.arange(1, 101) / 80))
    assert found == pytest.approx(0.7 * 100 / 80, abs=0.02)
    assert scale_of(errors(np.arange(1, 101) / 60)) == pytest.approx(
        found * 80 / 60, rel=0.01
    )


def test_the_worst_error_comes_before_the_share():
    usual = errors([0.5] * 98)
    two = errors([3.5], number=1) + errors([3.6], number=2)
    assert scale_of(usual + two) == pytest.approx(3.5 / SCALE_MOST, rel=0.01)
    # One hitter alone may be a chance.
    one = scale_of(usual + errors([3.5, 3.6], number=1))
    assert one == pytest.approx(3.6 / SCALE_MOST_ONCE, rel=0.01)
    # Slow files say nothing of fast ones.
    slow = errors([0.9] * 99) + errors([3.5] * 9, rate_hz=120.0)
    assert scale_of(slow) == pytest.approx(0.9)


def test_errors_that_are_mostly_one_bias_get_a_little_room():
    # A little less than a scale that seven of ten are within holds only half of them.
    biases = np.linspace(0.95, 1.05, 101)
    assert scale_of(errors(biases)) == pytest.approx(1.03, rel=0.002)
    assert scale_of(errors(np.linspace(0.0, 2.0, 101))) == pytest.approx(1.4, rel=0.002)


def test_a_scale_stays_within_its_limits():
    assert scale_of(errors([0.01] * 50)) == SCALES[0]
    assert scale_of(errors([50.0] * 50)) == SCALES[1]


def test_noise_is_on_all_that_is_delivered():
    clean = clean_swing(1, "hit", "right", 300.0)
    noisy = with_noise(clean, 2.0, 1)
    for name, values in clean.energetics.items():
        off = noisy.energetics[name] - values
        if name.startswith("center_of_mass"):
            assert off.std() == pytest.approx(0.002, rel=0.2), name
        elif name.endswith("_energy"):
            expected = 2.0 * ENERGY_NOISE * np.abs(values).max()
            assert off.std() == pytest.approx(expected, rel=0.2), name
        elif name == "time":
            assert not off.any()


def test_what_is_fitted_is_scaled():
    swing = clean_swing(1, "hit", "right", 300.0)

    def stated(*, scaled):
        seen = observe(
            swing.kinematics,
            swing.energetics,
            bats=swing.hand,
            contact_time_s=None,
            overrides={},
            forward_axis=None,
        )
        measure = measure_swing(seen, height_m=swing.height_m, mass_kg=swing.mass_kg)
        uncertainty.put_uncertainties(measure, scaled=scaled)
        return seen.events.reference_class, measure.values.by_id

    reference, plain = stated(scaled=False)
    _, found = stated(scaled=True)
    for name in ("lead_knee_flex_fd", "peak_L_torso", "com_speed_max"):
        scale = stored_scale(name, reference)
        assert scale > 1.1
        assert found[name].uncertainty == pytest.approx(scale * plain[name].uncertainty)
