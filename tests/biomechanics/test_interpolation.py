"""The curves are those of SciPy to the last bit, and do not load its packages."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from biomechanics import compiled, interpolation


def _known(numbers: np.random.Generator, fewest: int, spread: float):
    count = int(numbers.integers(fewest, 40))
    known_at = np.cumsum(numbers.integers(1, 9, count)) * spread
    # Many alike, so that slopes of zero and of both signs stand side by side.
    known = np.round(numbers.normal(size=(count, 4)), int(numbers.integers(0, 9)))
    wanted = numbers.uniform(known_at[0] - spread, known_at[-1] + spread, 25)
    return known_at, known, np.concatenate((wanted, known_at))


def test_curves_without_overshoot_are_those_of_scipy():
    interpolate = pytest.importorskip("scipy.interpolate")
    numbers = np.random.default_rng(1)
    for fewest in (2, 2, 2, 3, 3) * 60:
        spread = float(numbers.choice([1.0, 1 / 240]))
        known_at, known, wanted = _known(numbers, fewest, spread)
        expected = interpolate.PchipInterpolator(known_at, known)(wanted)
        found = interpolation.without_overshoot(known_at, known, wanted)
        assert np.array_equal(found, expected)
        alone = interpolation.without_overshoot(known_at, known[:, 0], wanted)
        assert np.array_equal(alone, expected[:, 0])
    two = interpolation.without_overshoot([0.0, 2.0], np.array([1.0, 5.0]), [0.5])
    assert two.tolist() == [2.0]


def test_smooth_curves_are_those_of_scipy():
    interpolate = pytest.importorskip("scipy.interpolate")
    numbers = np.random.default_rng(2)
    for _ in range(300):
        known_at, known, wanted = _known(numbers, 4, 1.0)
        expected = interpolate.CubicSpline(known_at, known)(wanted)
        assert np.array_equal(interpolation.smooth(known_at, known, wanted), expected)
    with pytest.raises(ValueError, match="4 samples"):
        interpolation.smooth([0.0, 1.0, 2.0], np.zeros((3, 1)), [0.5])


def test_what_scipy_does_not_have_is_none():
    assert compiled.compiled("scipy.signal._nothing", "f") is None
    assert compiled.compiled("scipy.linalg._flapack", "no_such_function") is None


@pytest.mark.processes
@pytest.mark.processes
def test_a_process_that_fills_gaps_does_not_load_the_packages():
    code = (
        "import sys, numpy as np\n"
        "from biomechanics import interpolation, signals\n"
        "values = np.arange(300.0)[:, None] ** 2 / 300\n"
        "values[100:140] = np.nan\n"
        "filled, _ = signals.fill_gaps(values, sampling_rate_hz=240.0)\n"
        "assert np.isfinite(filled).all()\n"
        "known = np.arange(9.0)\n"
        "interpolation.smooth(known, known[:, None], [2.5])\n"
        "loaded = {'scipy.interpolate', 'scipy.linalg', 'scipy.special'}\n"
        "assert not loaded & set(sys.modules)\n"
        "import scipy.linalg, scipy.interpolate\n"
        "scipy.interpolate.CubicSpline(known, known)(2.5)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
