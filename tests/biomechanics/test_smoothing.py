"""Whether points were smoothed before delivery, told from the points alone."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from biomechanics.smoothing import residual_analysis
from biomechanics.swing import analyze_swing
from tests.biomechanics.synthetic import make_swing

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
JOINTS = [side + name for name in ("hjc", "sjc", "ejc", "wjc") for side in "lr"]


def coordinates(columns, names=JOINTS):
    return np.stack([columns[f"{n}_{a}"] for n in names for a in "xyz"], axis=1)


def filtered(values, cutoff_hz, rate_hz):
    # Two passes of second order, 3 dB down at the cutoff.
    sections = scipy.signal.butter(2, cutoff_hz / 0.802, output="sos", fs=rate_hz)
    return scipy.signal.sosfiltfilt(sections, values, axis=0)


def smoothing_of(columns, **known):
    facts = {"bats": "right", "height_m": 1.8, "mass_kg": 80.0, "energetics": None}
    findings = analyze_swing(kinematics=columns, **(facts | known)).findings
    return findings.to_dict()["smoothing"]


@pytest.mark.parametrize("rate_hz", [120.0, 240.0, 360.0])
@pytest.mark.parametrize("noise_m", [0.001, 0.004])
def test_white_noise_is_found_and_nothing_is_smoothed(rate_hz, noise_m):
    swing = make_swing(rate_hz=rate_hz, noise_m=noise_m)
    found = smoothing_of(swing.columns)
    assert found["value"] is False
    assert found["evidence"]["noise_mm"] == pytest.approx(noise_m * 1000, rel=0.08)
    assert "not smoothed" in found["text"]
    # Winter's cutoff lies above the movement and below the noise.
    assert 5 <= found["evidence"]["winter_cutoff_hz"] <= 20


@pytest.mark.parametrize("rate_hz", [120.0, 240.0, 360.0])
@pytest.mark.parametrize("cutoff_hz", [8.0, 12.0, 20.0])
def test_smoothed_points_hold_nothing_above_some_frequency(rate_hz, cutoff_hz):
    columns = make_swing(rate_hz=rate_hz, noise_m=0.003).columns
    for name in list(columns):
        if name[-2:] in ("_x", "_y", "_z"):
            columns[name] = filtered(columns[name], cutoff_hz, rate_hz)
    found = smoothing_of(columns)
    assert found["value"] is True
    above = found["evidence"]["under_0.1_mm_above_hz"]
    # 3 mm of noise fall to 0.1 mm at about 1.7 cutoffs.
    assert cutoff_hz < above < 2.2 * cutoff_hz
    assert "bat_noise_mm" in found["evidence"]


def test_a_filter_takes_off_what_the_spectrum_says():
    rate_hz = 240.0
    values = coordinates(make_swing(rate_hz=rate_hz, noise_m=0.002).columns)
    noise, cutoff, _ = residual_analysis(values, sampling_rate_hz=rate_hz)
    rest = values - filtered(values, cutoff, rate_hz)
    # By filtering itself, over the middle of the clip where the window looks most.
    taken = np.sqrt((rest[100:-100] ** 2).mean())
    assert taken == pytest.approx(noise, rel=0.15)


def test_what_cannot_be_told_is_not():
    columns = dict(make_swing().columns)
    columns |= {n: v * 3.3 for n, v in columns.items() if n[-2:] in ("_x", "_y", "_z")}
    assert smoothing_of(columns)["value"] is None
    assert residual_analysis(np.full((300, 3), np.nan), sampling_rate_hz=240.0) is None
    assert residual_analysis(np.zeros((40, 3)), sampling_rate_hz=240.0) is None


def test_laboratory_swings_are_filtered_at_20_hz_as_published():
    path = DATA / "real-swings-360hz.csv.gz"
    if not path.exists():
        pytest.skip(f"the recording {path.name} is not beside the project")
    with gzip.open(path, "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["session_swing"] == "509_1"]
    names = ("left_hip", "right_hip", "lsjc", "rsjc", "lejc", "rejc", "lwjc", "rwjc")
    columns = {
        f"{name}_{axis}": np.array([float(row[f"{name}_{axis}"]) for row in rows])
        for name in names
        for axis in "xyz"
    }
    noise, _, above = residual_analysis(
        coordinates(columns, names), sampling_rate_hz=360.0
    )
    assert 20 <= above <= 27
    # They are written to a tenth of a millimeter, and that is all their noise.
    assert noise == pytest.approx(0.0001 / np.sqrt(12), rel=0.1)


def test_a_sample_of_the_vendor_is_hardly_smoothed():
    path = DATA / "vendor-sample-pitch-303hz.trc"
    if not path.exists():
        pytest.skip(f"the recording {path.name} is not beside the project")
    rows = [line.split("\t")[2:41] for line in path.read_text().splitlines()[5:]]
    values = np.array(
        [[float(x or "nan") for x in row] for row in rows if len(row) > 9]
    )
    noise, _, above = residual_analysis(values / 1000.0, sampling_rate_hz=303.03)
    assert above > 0.8 * 303.03 / 2
    assert 0.0004 < noise < 0.0009
