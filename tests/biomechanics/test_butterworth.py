"""The filter is that of SciPy to the last bit, and does not load it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from biomechanics import butterworth


def test_it_is_the_filter_of_scipy_to_the_last_bit():
    signal = pytest.importorskip("scipy.signal")
    numbers = np.random.default_rng(1)
    for _ in range(300):
        rate = float(numbers.uniform(60.0, 2000.0))
        cutoff = float(numbers.uniform(0.002, 0.45)) * rate
        b, a, state = butterworth.design(cutoff, rate)
        expected = signal.butter(2, cutoff, btype="low", fs=rate)
        assert np.array_equal(b, expected[0])
        assert np.array_equal(a, expected[1])
        assert np.array_equal(state, signal.lfilter_zi(*expected))
    values = numbers.normal(size=(5, 200))
    zi = state * values[:, :1]
    expected = signal.lfilter(b, a, values, zi=zi)[0]
    assert np.array_equal(butterworth.run(b, a, values, zi), expected)
    assert butterworth._filter is signal._signaltools._sigtools._linear_filter


@pytest.mark.processes
def test_a_process_that_filters_does_not_load_the_signal_package():
    code = (
        "import sys, numpy as np; from biomechanics import signals; "
        "signals.lowpass(np.ones((50, 2)), cutoff_hz=12, sampling_rate_hz=240); "
        "assert 'scipy.signal' not in sys.modules; assert 'scipy.stats' not in "
        "sys.modules; import scipy.signal; scipy.signal.convolve2d([[1]], [[2]])"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
