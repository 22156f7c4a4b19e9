"""Points that are held, exchanged, tilted or shaken in ways that once went unseen."""

import dataclasses

import numpy as np
import pytest

from accuracy.damage import points_in
from accuracy.measure import analyze_made
from accuracy.swings import clean_swing, with_noise
from biomechanics import events, peaks, signals
from biomechanics.swing import analyze_swing

RATE_HZ = 240.0


@pytest.fixture(scope="module")
def swing():
    return clean_swing(1, "hit", "right", RATE_HZ)


@pytest.fixture(scope="module")
def plain(swing):
    return analyze_made(swing)


def held(swing, names, start_s, count):
    """Return the swing with points held in `count` frames; of both files."""
    start = round((swing.contact_s + start_s) * RATE_HZ)

    def hold(columns):
        changed = {}
        for key, values in columns.items():
            if key[:-2] in names:
                values = values.copy()
                values[start : start + count] = values[start - 1]
            changed[key] = values
        return changed

    return dataclasses.replace(
        swing, kinematics=hold(swing.kinematics), energetics=hold(swing.energetics)
    )


def test_a_bat_that_is_held_before_contact_moves_no_contact(swing, plain):
    found = analyze_made(held(swing, ("bhandle", "bhead"), -0.040, 8))
    here, there = found.events["reference"], plain.events["reference"]
    if here.rule == there.rule:
        assert here.time_s == pytest.approx(there.time_s, abs=0.002)
    for name in ("attack_angle", "bat_speed_ref", "pelvis_rot_ref"):
        value, true = found.metrics[name], plain.metrics[name]
        if value.value is not None and not value.flagged and value.basis == true.basis:
            assert abs(value.value - true.value) < 3.0 * value.uncertainty, name


def test_a_wrist_that_is_held_is_a_gap(swing):
    found = analyze_made(held(swing, ("lwjc",), -0.080, 10))
    assert "gap" in found.quality.codes
    assert found.quality.grade == "poor"


def test_a_center_of_mass_that_is_held_gives_no_larger_speed(swing, plain):
    found = analyze_made(held(swing, ("center_of_mass",), -0.150, 4))
    value, true = found.metrics["com_speed_max"], plain.metrics["com_speed_max"]
    assert value.value is None or value.value == pytest.approx(true.value, rel=0.01)


def test_one_repeated_frame_before_a_jump_is_found_and_a_rest_is_none():
    moving = np.cumsum(np.full((20, 3), 0.01), axis=0)
    moving[10] = moving[9]
    assert np.flatnonzero(signals.repeated_frames(moving)).tolist() == [10]
    resting = np.cumsum(np.full((20, 3), 0.01), axis=0)
    resting[8:] = resting[8]
    assert not signals.repeated_frames(resting).any()


def test_exchanged_hands_give_way_to_the_wrists(swing, plain):
    columns = dict(swing.kinematics)
    for point in ("hand", "thumb", "pinky"):
        for axis in "xyz":
            left, right = f"l{point}_{axis}", f"r{point}_{axis}"
            if left in columns:
                columns[left], columns[right] = columns[right], columns[left]
    found = analyze_made(dataclasses.replace(swing, kinematics=columns))
    assert plain.findings.value("hands") == "hands"
    assert found.findings.value("hands") == "wrists"


@pytest.mark.parametrize("degrees", [-14.0, 14.0])
def test_axes_in_which_the_body_would_fall_over_are_tilted(swing, plain, degrees):
    """Points and center of mass alike, about the line of the feet (y)."""
    angle = np.radians(degrees)
    turn = np.array(
        [
            [np.cos(angle), 0.0, np.sin(angle)],
            [0.0, 1.0, 0.0],
            [-np.sin(angle), 0.0, np.cos(angle)],
        ]
    )

    def turned(columns):
        changed = dict(columns)
        for name in points_in(columns):
            points = np.stack([columns[f"{name}_{a}"] for a in "xyz"], axis=1) @ turn.T
            changed |= {f"{name}_{a}": points[:, i] for i, a in enumerate("xyz")}
        return changed

    center = {
        name: values
        for name, values in swing.energetics.items()
        if name.startswith("center_of_mass")
    }
    energetics = swing.energetics | turned(center)
    found = analyze_made(
        dataclasses.replace(
            swing, kinematics=turned(swing.kinematics), energetics=energetics
        )
    )
    assert not plain.metrics["side_bend_ref"].flagged
    assert found.metrics["side_bend_ref"].flagged
    assert "stands" in found.metrics["side_bend_ref"].reason


@pytest.mark.parametrize(("factor", "fits"), [(1.0, True), (1.08, True), (1.2, False)])
def test_a_recorded_height_is_held_against_the_body(swing, factor, fits):
    found = analyze_swing(
        kinematics=swing.kinematics,
        energetics=swing.energetics,
        bats=swing.hand,
        height_m=swing.height_m * factor,
        mass_kg=swing.mass_kg,
    )
    item = found.metrics["stride_spread_pct"]
    assert item.flagged is not fits
    assert ("height_unlikely" in found.quality.codes) is not fits
    if not fits:
        assert "doesn't fit the body" in item.reason
    assert not found.metrics["stride_spread_leg"].flagged


def test_noise_of_the_ankle_makes_the_start_of_the_stride_less_sure(swing, plain):
    shaken = analyze_made(with_noise(swing, 3.0, 2)).metrics["pelvis_fwd"]
    quiet = plain.metrics["pelvis_fwd"]
    assert shaken.value is None or shaken.uncertainty > 1.5 * quiet.uncertainty


def test_a_flat_top_says_less_of_its_time_than_a_sharp_one():
    time = np.linspace(-1.0, 1.0, 201)
    errors = []
    for width in (0.1, 0.8):
        curve = 100.0 * np.exp(-((time / width) ** 2))
        # Cut off by an impact just after its top.
        found = peaks.find_peak(curve, 0, 104, limit=104)
        errors.append(peaks.time_error(curve, found, (0, 104), limit=104, noise=2.0))
    assert errors[1] > 3.0 * errors[0] > 0.0
    assert peaks.time_error(curve, found, (0, 104), limit=104, noise=0.0) == 0.0


@pytest.mark.parametrize("end_ratio", [0.852, 0.848])
def test_a_peak_of_which_one_sample_tells_whether_it_is_cut_off_is_unsure(end_ratio):
    # A steep way up and a slow one down, up to an impact at the last sample used.
    curve = 100.0 * np.exp(-(((np.arange(120.0) - 40.0) / 12.0) ** 2))
    down = np.linspace(1.0, end_ratio, 61)
    curve[40:101] = 100.0 * down
    curve[101:] = 60.0
    found = peaks.find_peak(curve, 0, 100, limit=100)
    error = peaks.time_error(curve, found, (0, 100), limit=100, noise=0.0)
    assert error == pytest.approx(18.0, abs=3.0)
    # Lower, it is a whole peak for sure.
    curve[80:] = 50.0
    found = peaks.find_peak(curve, 0, 100, limit=100)
    assert peaks.time_error(curve, found, (0, 100), limit=100, noise=0.0) == 0.0


@pytest.mark.parametrize(("bend", "at_least_s"), [(2000.0, 0.0), (2.0, 0.1)])
def test_noise_puts_the_load_anywhere_where_the_pelvis_hardly_turns(bend, at_least_s):
    rate_hz = 200.0
    time = np.arange(300) / rate_hz
    rate = bend * (time - 0.6)
    for noise, least_s in ((0.0, 0.0), (0.05, at_least_s)):
        found = events.find_load(
            rate, first_move=290.0, sampling_rate_hz=rate_hz, low=0, noise=noise
        )
        assert found.position == pytest.approx(120.0, abs=1.0)
        assert found.least_error_s >= least_s
        assert found.least_error_s < least_s + 0.2
