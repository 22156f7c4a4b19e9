"""Clock, gaps, filter, derivative and peaks against closed forms."""

import warnings

import numpy as np
import pytest

from biomechanics import leaps, peaks, signals
from biomechanics.clock import ClockError, on_clock, read_clock


def test_derivative_of_a_sine():
    rate = 240.0
    t = np.arange(480) / rate
    w = 2 * np.pi * 5.0
    got = signals.derivative(np.sin(w * t), sampling_rate_hz=rate)
    # Five-point differences: relative error (w·dt)⁴/30 = 1e-5 here.
    np.testing.assert_allclose(got[2:-2], w * np.cos(w * t[2:-2]), atol=2e-5 * w)


def test_derivative_keeps_speed_on_a_circle_at_a_low_rate():
    rate, omega = 120.0, np.radians(2500.0)
    t = np.arange(120) / rate
    circle = np.stack([np.cos(omega * t), np.sin(omega * t)], axis=1)
    got = np.linalg.norm(signals.derivative(circle, sampling_rate_hz=rate), axis=1)
    three_point = np.linalg.norm(np.gradient(circle, 1 / rate, axis=0), axis=1)
    assert three_point[5] == pytest.approx(0.978 * omega, rel=1e-3)
    assert got[5] == pytest.approx(omega, rel=1e-3)


@pytest.mark.parametrize("rate_hz", [120.0, 240.0, 480.0])
@pytest.mark.parametrize("cutoff_hz", [12.0, 15.0, 30.0])
def test_lowpass_halves_the_power_at_its_cutoff(cutoff_hz, rate_hz):
    t = np.arange(round(4 * rate_hz)) / rate_hz
    wave = np.sin(2 * np.pi * cutoff_hz * t)[:, None]
    got = signals.lowpass(wave, cutoff_hz=cutoff_hz, sampling_rate_hz=rate_hz)[:, 0]
    middle = slice(round(rate_hz), round(3 * rate_hz))
    gain = got[middle] @ wave[middle, 0] / (wave[middle, 0] @ wave[middle, 0])
    # Amplitude 1/√2 for both passes together, and no lag.
    assert gain == pytest.approx(1 / np.sqrt(2), abs=0.01)
    square = np.sqrt((got[middle] ** 2).mean() / (wave[middle] ** 2).mean())
    assert square == pytest.approx(gain, abs=0.002)


@pytest.mark.parametrize("size", [1, 2, 7, 600])
def test_statistics_are_those_of_numpy(size):
    values = np.random.default_rng(size).normal(3.0, 2.0, size)
    assert signals.mean(values) == pytest.approx(np.mean(values), rel=1e-12)
    assert signals.deviation(values) == pytest.approx(np.std(values), rel=1e-12)
    assert signals.median(values) == np.median(values)


def test_lowpass_leaves_a_line_alone():
    line = np.stack([np.linspace(0, 5, 300), np.full(300, 7.0)], axis=1)
    got = signals.lowpass(line, cutoff_hz=12, sampling_rate_hz=240)
    np.testing.assert_allclose(got, line, atol=1e-9)


def test_lowpass_is_that_of_scipy():
    from scipy.signal import butter, sosfiltfilt

    rng = np.random.default_rng(1)
    x = np.cumsum(rng.normal(size=(500, 4)), axis=0)
    corrected = 240 / np.pi * np.arctan(np.tan(np.pi * 12 / 240) / (2**0.5 - 1) ** 0.25)
    sos = butter(2, corrected, fs=240, output="sos")
    expected = sosfiltfilt(sos, x, axis=0, padtype="odd", padlen=60)
    got = signals.lowpass(x, cutoff_hz=12, sampling_rate_hz=240)
    np.testing.assert_allclose(got, expected, atol=1e-10)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: signals.lowpass(np.zeros((2, 1)), cutoff_hz=5, sampling_rate_hz=99),
            "3 samples or more",
        ),
        (
            lambda: signals.lowpass(np.zeros((9, 1)), cutoff_hz=0, sampling_rate_hz=99),
            "positive",
        ),
        (
            lambda: signals.derivative(np.zeros(2), sampling_rate_hz=99),
            "3 samples or more",
        ),
    ],
)
def test_wrong_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(("rate_hz", "digits"), [(360, 4), (240, 3), (600, 3)])
def test_rounded_stamps_do_not_change_the_rate(rate_hz, digits):
    t = np.round(np.arange(611) / rate_hz, digits)
    clock = read_clock(t)
    assert clock.sampling_rate_hz == pytest.approx(rate_hz, rel=1e-3)
    assert clock.row_times_s is None
    assert clock.irregular_share == 0.0
    if rate_hz == 360:
        # The median step alone would have said 357.
        assert 1 / np.median(np.diff(t)) == pytest.approx(357.1, abs=0.1)


def test_dropped_frames_leave_holes_in_the_clock():
    whole = np.arange(300) / 240
    keep = np.ones(300, dtype=bool)
    keep[[50, 120, 121]] = False
    clock = read_clock(whole[keep])
    assert clock.count == 300
    values = on_clock(np.arange(300.0)[keep][:, None], clock)
    assert np.flatnonzero(np.isnan(values[:, 0])).tolist() == [50, 120, 121]


def test_unsteady_clock_is_interpolated_and_told():
    rng = np.random.default_rng(2)
    t = np.cumsum(rng.uniform(0.003, 0.0055, 400))
    clock = read_clock(t)
    assert clock.irregular_share > 0.02
    got = on_clock(np.sin(4 * t)[:, None], clock)[:, 0]
    np.testing.assert_allclose(got[1:-1], np.sin(4 * clock.times()[1:-1]), atol=1e-4)


def test_stacked_movements_are_refused():
    t = np.concatenate([np.arange(200) / 240] * 2)
    with pytest.raises(ClockError, match=r"twice|stacked"):
        read_clock(t)


def test_clock_in_milliseconds_is_refused():
    with pytest.raises(ClockError, match=r"4.17 s apart"):
        read_clock(np.arange(300) / 240 * 1000)


def test_shuffled_rows_are_put_in_order():
    t = np.arange(100) / 240
    order = np.random.default_rng(3).permutation(100)
    clock = read_clock(t[order])
    got = on_clock((7 * t)[order][:, None], clock)[:, 0]
    np.testing.assert_allclose(got, 7 * t)


def test_gaps_up_to_20_ms_are_filled():
    t = np.arange(240) / 240
    x = np.sin(6 * t)
    holed = x.copy()
    holed[50:54] = np.nan  # 17 ms
    holed[100:106] = np.nan  # 25 ms
    holed[:3] = np.nan
    filled, unknown = signals.fill_gaps(holed[:, None], sampling_rate_hz=240)
    np.testing.assert_allclose(filled[50:54, 0], x[50:54], atol=1e-3)
    assert np.flatnonzero(unknown[:, 0]).tolist() == [0, 1, 2, *range(100, 106)]


def test_peak_of_a_bell():
    t = np.arange(200) / 240
    for at in (0.4, 0.4013, 0.4029):
        y = 700 * np.exp(-0.5 * ((t - at) / 0.06) ** 2)
        peak = peaks.find_peak(y, 10, 190)
        assert peak.value == pytest.approx(700, rel=1e-4)
        assert peak.position / 240 == pytest.approx(at, abs=2e-4)
        assert peak.top / 240 == pytest.approx(at, abs=2e-4)
        assert not peak.at_edge


def test_peak_at_the_edge_of_its_window_is_told():
    y = np.linspace(1, 100, 100)
    assert peaks.find_peak(y, 10, 50).at_edge
    assert peaks.find_peak(y, 60, 50) is None
    y[30] = np.nan
    assert peaks.find_peak(y, 10, 50) is None


def test_crossings():
    y = np.array([0.0, 5.0, 0.0, 0.0, 4.0, 8.0])
    assert peaks.last_crossing(y, 2.0, 0, 5) == pytest.approx(3.5)
    assert peaks.last_crossing(y, -1.0, 0, 5) is None


def test_peak_time_is_the_centroid_of_the_top_15_percent():
    t = np.arange(-200.0, 101.0)
    y = np.where(t < 0, 1 + t / 200, 1 - t / 100)
    # From −30 to +15 it stands above 0.85: a triangle, centroid a third of the sum.
    peak = peaks.find_peak(y, 0, 300)
    assert peak.position - 200 == pytest.approx((-30 + 15) / 3, abs=0.1)
    assert peak.top - 200 == pytest.approx(0.0, abs=0.5)


def with_gaps(numbers, shape):
    """Numbers of which some are alike and some missing, in a column all."""
    values = np.round(numbers.normal(size=shape), 1)
    values[numbers.uniform(size=shape) < 0.2] = np.nan
    values[:, -1] = np.nan
    return values


def test_medians_and_quantiles_are_those_of_numpy():
    numbers = np.random.default_rng(3)
    for count in (*range(1, 9), 40, 41):
        values = numbers.normal(size=(count, 5))
        assert np.array_equal(signals.medians(values), np.median(values, axis=0))
        for share in (0.0, 0.05, 0.1, 0.5, 0.95, 1.0, float(numbers.uniform())):
            expected = np.quantile(values, share, axis=0)
            assert np.array_equal(signals.quantile(values, share), expected)
            alone = signals.quantile(values[:, 0], share)
            assert alone == expected[0]
        values = with_gaps(numbers, (count, 5))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of columns without a number
            expected = np.nanmedian(values, axis=0)
        assert np.array_equal(signals.medians(values), expected, equal_nan=True)


def test_the_middle_of_four_takes_a_gap_for_the_highest():
    numbers = np.random.default_rng(4)
    four = with_gaps(numbers, (4, 500)).T.reshape(500, 4).T
    middle = np.sort(four, axis=0)
    expected = 0.5 * (middle[1] + middle[2])
    found = leaps._middle_of_four(*four)
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.isnan(found).any()
    assert np.isfinite(found[np.isnan(four).sum(axis=0) == 1]).all()


@pytest.mark.parametrize("are_whole", [True, False])
def test_rough_noise_is_the_median_of_what_is_there(are_whole):
    numbers = np.random.default_rng(5)
    values = numbers.normal(size=(40, 3, 3))
    if not are_whole:
        values[7, 0, 0] = np.nan
        values[:33, 1] = np.nan
    fourth = np.abs(np.diff(values, n=4, axis=0))
    for place in np.ndindex(3, 3):
        known = np.sort(fourth[(slice(None), *place)])
        known = known[np.isfinite(known)]
        expected = 0.0
        if known.size >= 5:
            expected = known[known.size // 2] * signals.MAD_TO_SD / np.sqrt(70.0)
        assert signals.rough_noise(values)[place] == pytest.approx(expected, rel=1e-9)


def test_noise_of_a_rate_is_that_of_a_filtered_curve():
    noise = np.random.default_rng(1).normal(0.0, 0.004, (20_000, 1))
    smooth = signals.lowpass(noise, cutoff_hz=15.0, sampling_rate_hz=240.0)
    rate = signals.derivative(smooth, sampling_rate_hz=240.0)
    said = signals.noise_of_rate(0.004, cutoff_hz=15.0, sampling_rate_hz=240.0)
    assert said == pytest.approx(float(rate.std()), rel=0.15)
