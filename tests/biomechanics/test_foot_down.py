"""Foot down: the lead ankle at rest, unsure where that hangs on the threshold."""

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from biomechanics.events import find_foot_down
from biomechanics.swing import analyze_swing
from tests.biomechanics import synthetic

SWINGS = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "real-swings-360hz.csv.gz"
)
RATE_HZ = 300.0


def found(speed):
    """Foot down of an ankle's vertical speed, m/s, from 0.5 s before the reference."""
    return find_foot_down(
        np.asarray(speed),
        reference=float(len(speed) - 1),
        sampling_rate_hz=RATE_HZ,
        low=0,
        still=0.2,
    )


def falling(*stretches):
    """Speeds that run straight from one to the next: (seconds, m/s at their end)."""
    speed = [0.0]
    for seconds, end in stretches:
        count = round(seconds * RATE_HZ)
        speed.extend(np.linspace(speed[-1], end, count + 1)[1:])
    return speed


def test_a_foot_that_stops_is_down_where_it_slows():
    event = found(falling((0.1, -1.5), (0.1, 0.0), (0.15, 0.0)))
    assert (event.confidence, event.reason) == ("rule", None)
    assert event.position / RATE_HZ == pytest.approx(0.2 - 0.1 * 0.2 / 1.5, abs=0.002)


def test_a_foot_that_sinks_on_slowly_is_unsure():
    event = found(
        falling((0.1, -1.5), (0.07, -0.14), (0.03, -0.11), (0.02, 0.0), (0.1, 0))
    )
    assert event.confidence == "low"
    assert "keeps sinking slowly for" in event.reason


def test_a_foot_that_pauses_in_the_air_is_unsure():
    event = found(
        falling(
            (0.1, -1.5), (0.05, 0.0), (0.04, 0.0), (0.05, -0.8), (0.05, 0.0), (0.1, 0)
        )
    )
    assert event.confidence == "low"
    assert event.reason == "the lead ankle pauses and then comes down further"


def test_an_unsure_foot_down_flags_what_is_read_there():
    swing = synthetic.make_swing(rate_hz=240.0)
    columns = dict(swing.columns)
    t = columns["time"] - swing.contact_s
    # The whole foot is 2 cm too high until 60 ms after its true landing.
    late = np.clip((t - synthetic.FOOT_DOWN_S - 0.04) / 0.05, 0.0, 1.0)
    columns["lajc_z"] = columns["lajc_z"] + 0.02 * (1.0 - late * late * (3 - 2 * late))
    analysis = analyze_swing(
        kinematics=columns,
        energetics=None,
        bats="right",
        height_m=1.8,
        mass_kg=80.0,
    )
    assert analysis.events["foot_down"].confidence == "low"
    for name in ("pelvis_rot_fd", "lead_knee_ext", "tempo_fd_ref", "stride_spread_pct"):
        assert analysis.metrics[name].flagged, name
    assert not analysis.metrics["peak_pelvis_omega"].flagged
    assert not analysis.metrics["side_bend_ref"].flagged


@pytest.fixture(scope="module")
def real_swings():
    if not SWINGS.exists():
        pytest.skip(f"the recording {SWINGS.name} is not beside the project")
    with gzip.open(SWINGS) as file:
        rows = list(csv.DictReader(io.TextIOWrapper(file)))
    return {
        name: [row for row in rows if row["session_swing"] == name]
        for name in sorted({row["session_swing"] for row in rows})
    }


@pytest.mark.parametrize("every", [1, 3])
def test_real_ankles_rest_with_the_full_weight(real_swings, every):
    renamed = {
        "left_hip": "lhjc",
        "right_hip": "rhjc",
        "lhjc": "lhand",
        "rhjc": "rhand",
    }
    assert len(real_swings) == 4
    for name, rows in real_swings.items():
        columns = {"time": np.array([float(row["time"]) for row in rows])}
        for key in rows[0]:
            if key.endswith(("_x", "_y", "_z")):
                point, axis = key.rsplit("_", 1)
                values = [float(row[key] or "nan") for row in rows]
                columns[f"{renamed.get(point, point)}_{axis}"] = np.array(values)
        analysis = analyze_swing(
            kinematics={key: values[::every] for key, values in columns.items()},
            energetics=None,
            bats="right",
            height_m=1.7,
            mass_kg=70.3,
        )
        event = analysis.events["foot_down"]
        planted_s = float(rows[0]["fp_100_time"])
        assert event.confidence == "rule", name
        assert event.time_s == pytest.approx(planted_s, abs=0.015), name
        assert event.time_s > float(rows[0]["fp_10_time"]) + 0.025, name
