"""Errors summed up, kept, and held against what was kept."""

import dataclasses

import pytest

from accuracy import document, real, stored
from accuracy.measure import Accuracy, Case, Outcome, measure, summarize
from biomechanics.definitions import METHOD_VERSION


def outcome(error, *, state="counted", uncertainty=None):
    return Outcome("attack_angle", state, error, uncertainty)


def test_only_numbers_that_count_are_summed_up():
    found = summarize(
        [
            outcome(1.0, uncertainty=2.0),
            outcome(-3.0, uncertainty=1.0),
            outcome(5.0),
            outcome(90.0, state="flagged"),
            outcome(None, state="missing"),
        ]
    )
    assert found == Accuracy(
        n=3, bias=1.0, sd=4.0, worst=5.0, stated=2, within=0.5, flagged=1, missing=1
    )


def test_nothing_to_sum_up_has_no_bias():
    found = summarize([outcome(None, state="missing")])
    assert (found.n, found.bias, found.sd, found.worst) == (0, None, None, None)


@pytest.fixture(scope="module")
def measured():
    return measure(
        [
            Case(0, "hit", "right", 240.0, 1.0),
            Case(0, "dry", "left", 120.0, 0.0),
        ]
    )


def test_what_is_kept_can_be_read_and_told(measured, tmp_path):
    small = {"attack_angle": summarize([outcome(1.0), outcome(2.0)])}
    kept = stored.as_stored(measured, small, None, None)
    file = tmp_path / "accuracy.json"
    stored.write(kept, file)
    assert stored.read(file) == kept
    assert kept["metrics"]["bat_speed_max"]["hit"]["240"]["n"] == 1
    document.write(kept, tmp_path / "accuracy.md")
    text = (tmp_path / "accuracy.md").read_text(encoding="utf-8")
    assert "| `bat_speed_max` | m/s | 240 |" in text
    assert "| `bat_speed_max` | m/s | 120 |" in text
    assert "Not measured yet" in text


def test_real_rows_stay_where_no_recordings_are(measured):
    before = {"real": {"method_version": "1", "metrics": {"attack_angle": {}}}}
    assert stored.as_stored(measured, {}, None, before)["real"] == before["real"]


def kept_small(**changes):
    found = Accuracy(12, 0.5, 1.0, 2.0, 0, None, 0, 0)
    return {
        "method_version": METHOD_VERSION,
        "small": {"attack_angle": dataclasses.asdict(found) | changes},
    }


NOW = {"attack_angle": Accuracy(12, 0.5, 1.0, 2.0, 0, None, 0, 0)}


def test_same_accuracy_is_no_drift():
    assert stored.drifted(kept_small(), NOW) == []
    # Another machine's last digits are none either.
    assert stored.drifted(kept_small(bias=0.5001, sd=0.999), NOW) == []


@pytest.mark.parametrize(
    "changes", [{"bias": 0.8}, {"sd": 0.7}, {"n": 11, "flagged": 1}, {"bias": None}]
)
def test_drift_under_one_version_is_told(changes):
    problems = stored.drifted(kept_small(**changes), NOW)
    assert problems
    assert all("attack_angle" in problem for problem in problems)


def test_new_and_lost_metrics_are_told():
    assert stored.drifted(kept_small(), {}) == ["attack_angle is gone."]
    both = NOW | {"swing_tilt": NOW["attack_angle"]}
    assert stored.drifted(kept_small(), both) == ["swing_tilt is new."]


def test_another_version_asks_for_a_new_measurement():
    old = kept_small(bias=9.0) | {"method_version": "2000.1"}
    assert stored.drifted(old, NOW) == [
        f"The accuracy was measured with method 2000.1 and the code is "
        f"{METHOD_VERSION}: run make accuracy."
    ]


def test_every_unit_has_a_limit_of_drift():
    from accuracy.hostile import TOLERANCE
    from biomechanics.definitions import METRICS

    units = {item.unit for item in METRICS.values()} - {"text"}
    assert units <= set(stored.DRIFT)
    assert units <= set(TOLERANCE)


@pytest.fixture
def recordings():
    if not real.are_at_hand():
        pytest.skip("the recorded swings are not beside the project")
    return real.read_swings()


def test_bat_of_real_swings_is_put_on_the_clock_of_the_joints(recordings):
    import numpy as np

    for swing in recordings:
        sweet = np.stack([swing.columns[f"sweet_spot_{a}"] for a in "xyz"], axis=1)
        speed = np.linalg.norm(np.diff(sweet, axis=0), axis=1) * 360.0
        top = int(np.nanargmax(speed))
        before = speed[top - 36 : top - 6]
        bend = np.abs(np.diff(before, 2)) / before[1:-1]
        # At face value the speed ripples by 16 %.
        assert np.median(bend) < 0.03


def test_real_swings_are_near_the_published_values(recordings):
    found = real.measure_real()
    assert found["lead_knee_flex_fd"]["360"].n == 4
    assert abs(found["peak_pelvis_omega"]["360"].bias) < 40
    assert abs(found["bat_speed_max"]["360"].bias) < 1.5
    assert found["bat_speed_max"]["120"].n == 12
