"""The way the feet point at foot down, by an axis that people have checked."""

import math

import numpy as np
import pytest

from accuracy import truth
from accuracy.swings import clean_swing, movement_of, with_noise
from biomechanics.swing import analyze_swing
from tests.biomechanics.synthetic import make_swing

NAME = "stride_direction"


def analyze(swing, hand="right", **known):
    facts = {"energetics": swing.energetics, "height_m": 1.8, "mass_kg": 80.0}
    facts |= {"kinematics": swing.columns, "bats": hand}
    return analyze_swing(**(facts | known))


def axis_off(analysis, degrees, hand="right"):
    """An axis from which the line of the feet is so far to the pull side."""
    x, y, _ = analysis.findings.value("forward")
    # Pull is to the left of a right-handed hitter who looks at the pitcher.
    turn = math.radians(-degrees if hand == "right" else degrees)
    return (
        x * math.cos(turn) - y * math.sin(turn),
        x * math.sin(turn) + y * math.cos(turn),
        0.0,
    )


@pytest.mark.parametrize("hand", ["right", "left"])
@pytest.mark.parametrize("degrees", [-20.0, 0.0, 12.5])
def test_an_open_stride_is_positive_for_both_hands(hand, degrees):
    swing = make_swing(hand=hand)
    axis = axis_off(analyze(swing, hand), degrees, hand)
    found = analyze(swing, hand, field_axis=axis)
    item = found.metrics[NAME]
    assert item.value == pytest.approx(degrees, abs=0.02)
    assert (item.unit, item.flagged) == ("deg", False)
    assert item.basis.startswith("foot_down=")
    assert "forward" not in item.basis
    side = "open" if degrees > 0 else "closed"
    assert degrees == 0.0 or side in found.findings.to_dict()["field"]["text"]


def test_turning_everything_changes_nothing():
    swing = make_swing()
    axis = axis_off(analyze(swing), 9.0)
    plain = analyze(swing, field_axis=axis).metrics[NAME].value
    cosine, sine = math.cos(0.7), math.sin(0.7)
    for name in list(swing.columns):
        if name.endswith("_x"):
            x, y = swing.columns[name], swing.columns[name[:-1] + "y"]
            swing.columns[name] = cosine * x - sine * y
            swing.columns[name[:-1] + "y"] = sine * x + cosine * y
    turned = (
        cosine * axis[0] - sine * axis[1],
        sine * axis[0] + cosine * axis[1],
        0.0,
    )
    assert analyze(swing, field_axis=turned).metrics[NAME].value == pytest.approx(
        plain, abs=1e-6
    )


def test_it_is_that_of_the_event():
    swing = make_swing()
    first = analyze(swing)
    axis = axis_off(first, 5.0)
    at = first.events["foot_down"].time_s - 0.04
    moved = analyze(swing, field_axis=axis, event_overrides={"foot_down": at})
    feet = np.array(
        [
            np.interp(at, swing.columns["time"], swing.columns[f"lajc_{a}"])
            - np.interp(at, swing.columns["time"], swing.columns[f"rajc_{a}"])
            for a in "xy"
        ]
    )
    sine = axis[0] * feet[1] - axis[1] * feet[0]
    expected = math.degrees(math.atan2(sine, feet @ np.array(axis[:2])))
    assert moved.metrics[NAME].value == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("rate_hz", [120.0, 360.0])
@pytest.mark.parametrize("noise_m", [0.002, 0.004])
def test_noise_lies_within_the_uncertainty(rate_hz, noise_m):
    clean = analyze(make_swing(rate_hz=rate_hz))
    axis = axis_off(clean, 8.0)
    items = [
        analyze(
            make_swing(rate_hz=rate_hz, noise_m=noise_m, seed=seed), field_axis=axis
        ).metrics[NAME]
        for seed in range(100, 140)
    ]
    errors = np.array([item.value - 8.0 for item in items])
    stated = np.array([item.uncertainty for item in items])
    within = np.abs(errors) <= stated
    # Ends that are too wide say as little as ends that are too narrow.
    assert within.mean() >= 0.6
    assert np.abs(errors / stated).max() < 3.2
    assert np.median(stated) < 4.0 * np.sqrt((errors**2).mean())


@pytest.mark.parametrize("rate_hz", [120.0, 360.0])
@pytest.mark.parametrize("noise_mm", [0.0, 1.0, 3.0])
def test_against_truth_of_invented_hitters(rate_hz, noise_mm):
    shares = []
    for number in range(6):
        dense = truth._Dense(movement_of(number, "hit"))
        events = truth._find_events(dense)
        x, y, _ = truth._Values(dense, events, "contact", 0.0)._forward()
        swing = clean_swing(number, "hit", "right", rate_hz)
        if noise_mm:
            swing = with_noise(swing, noise_mm, number)
        item = analyze_swing(
            kinematics=swing.kinematics,
            energetics=swing.energetics,
            bats="right",
            height_m=swing.height_m,
            mass_kg=swing.mass_kg,
            field_axis=(0.0, 1.0, 0.0),
        ).metrics[NAME]
        error = item.value - math.degrees(math.atan2(-x, y))
        assert abs(error) < 0.02 + 0.15 * noise_mm
        shares.append(abs(error) / item.uncertainty)
    assert max(shares) < 3.0
    assert sorted(shares)[3] < 1.0


def test_without_a_checked_axis_the_reason_is_given():
    swing = make_swing()
    item = analyze(swing).metrics[NAME]
    assert item.value is None
    assert "hasn't been confirmed" in item.reason
    far = analyze(swing, field_axis=axis_off(analyze(swing), 50.0)).metrics[NAME]
    assert far.value is None
    assert "50° off the axis" in far.reason
