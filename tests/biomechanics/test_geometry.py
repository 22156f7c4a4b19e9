"""Angles, signs, axes and lengths on poses with known answers."""

import numpy as np
import pytest

from biomechanics import axes, bat, kinematics
from biomechanics.points import BatPoints

UP = np.array([0.0, 0.0, 1.0])
TO_PITCHER = np.array([0.0, 1.0, 0.0])


def about(axis, degrees):
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    a = np.radians(degrees)
    k = np.array(
        [[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]]
    )
    return np.eye(3) + np.sin(a) * k + (1 - np.cos(a)) * k @ k


def test_turn_of_a_known_rotation_about_a_leaning_axis():
    rate = 480.0
    axis = about([1, 0, 0], 30) @ UP
    start = np.array([1.0, 0.0, 0.0])  # square to the axis
    t = np.arange(240) / rate
    line = np.stack([about(axis, 927 * value) @ start for value in t])
    got = kinematics.turn(line, sampling_rate_hz=rate)[5:-5]
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 927, rtol=1e-4)
    np.testing.assert_allclose(got @ axis, 927, rtol=1e-4)


@pytest.mark.parametrize("degrees", [0.0, 0.001, 30.0, 90.0, 140.0])
def test_flexion(degrees):
    bent = about([0, 1, 0], degrees) @ np.array([0, 0, -0.4])
    hip, knee = np.array([[0, 0, 0.9]]), np.array([[0, 0, 0.5]])
    got = kinematics.flexion(hip, knee, knee + bent)[0]
    assert got == pytest.approx(degrees, abs=1e-9)


def pose(hand, *, pelvis=0.0, shoulders=0.0, forward=0.0, sideways=0.0):
    """Lines of a hitter, built for a right-hander, mirrored for the other."""
    trunk = about(UP, 0) @ UP
    # Forward is toward the plate (+x); sideways is toward the rear foot (−y).
    lean = about([0, 1, 0], forward) @ about([1, 0, 0], sideways)
    trunk = lean @ UP
    p = lean @ about(UP, pelvis) @ TO_PITCHER
    q = lean @ about(UP, shoulders) @ TO_PITCHER
    if hand < 0:
        flip = np.array([-1.0, 1.0, 1.0])
        trunk, p, q = trunk * flip, p * flip, q * flip
    return trunk[None], p[None], q[None]


@pytest.mark.parametrize("hand", [1.0, -1.0])
def test_signs_are_the_same_for_both_hands(hand):
    trunk, p, q = pose(hand, pelvis=40, shoulders=10)
    assert kinematics.twist(p, q, trunk, hand=hand)[0] == pytest.approx(30)
    turned = kinematics.rotation(p, forward=TO_PITCHER, vertical=UP, hand=hand)
    assert turned[0] == pytest.approx(40)
    trunk, p, q = pose(hand, forward=25)
    bend = kinematics.forward_bend(trunk, q, vertical=UP, hand=hand)
    assert bend[0] == pytest.approx(25)
    assert kinematics.side_bend(trunk, q, vertical=UP)[0] == pytest.approx(0, abs=1e-9)
    trunk, p, q = pose(hand, sideways=20)
    assert kinematics.side_bend(trunk, q, vertical=UP)[0] == pytest.approx(20)


@pytest.mark.parametrize("forward", [0, 20, 35])
def test_bending_forward_adds_nothing_to_side_bend(forward):
    # As a projection, 30° read 35.2° at 35° of forward bend.
    trunk, _, _ = pose(1.0, forward=forward, sideways=30)
    shoulders = np.array([TO_PITCHER])
    bend = kinematics.side_bend(trunk, shoulders, vertical=UP)
    assert bend[0] == pytest.approx(30)
    bend = kinematics.forward_bend(trunk, shoulders, vertical=UP, hand=1.0)
    assert bend[0] == pytest.approx(forward, abs=1e-9)


def test_twist_is_about_the_trunk_not_seen_from_above():
    for forward, sideways in ((0, 0), (27, 7), (27, 33)):
        trunk, p, q = pose(
            1.0, pelvis=30, shoulders=8, forward=forward, sideways=sideways
        )
        assert kinematics.twist(p, q, trunk, hand=1.0)[0] == pytest.approx(22)


def test_angles_unwrap_and_choose_their_branch():
    angles = np.arange(0, 700, 10.0)
    lines = np.stack([about(UP, a) @ TO_PITCHER for a in angles])
    got = kinematics.rotation(lines, forward=TO_PITCHER, vertical=UP, hand=1.0)
    np.testing.assert_allclose(got, angles, atol=1e-9)
    shifted = kinematics.on_branch(got, 40.0)
    assert shifted[40] == pytest.approx(40.0)


def test_vertical_is_accepted_within_25_degrees():
    standing = np.tile(about([1, 0, 0], 20) @ UP, (50, 1))
    found = axes.find_vertical(standing)
    assert found.name == "+z"
    assert found.lean_deg == pytest.approx(20)
    assert axes.find_vertical(-standing).name == "−z"
    leaning = np.tile(about([1, 0, 0], 30) @ UP, (50, 1))
    assert axes.find_vertical(leaning).axis is None


@pytest.mark.parametrize("scale", axes.SCALES)
def test_length_unit(scale):
    found, _ = axes.find_scale(upper_arm=0.30 / scale, hips=0.18 / scale)
    assert found == scale


@pytest.mark.parametrize("sizes", [(0.9, 0.18), (0.30, 0.9), (3.0, 1.8), (None, 0.2)])
def test_unknown_length_unit(sizes):
    assert axes.find_scale(upper_arm=sizes[0], hips=sizes[1])[0] is None


def moving_bat(velocity, rate=480.0):
    t = np.arange(200) / rate
    knob = np.zeros((200, 3)) + t[:, None] * np.asarray(velocity)
    tip = knob + np.array([0.0, 0.0, 0.84])
    return BatPoints(knob, tip, None, np.zeros(200, dtype=bool), ("bhandle", "bhead"))


def test_attack_angle_and_direction_of_a_straight_path():
    velocity = 30.0 * np.array(
        [-np.sin(0.1) * np.cos(0.2), np.cos(0.1) * np.cos(0.2), np.sin(0.2)]
    )
    moving = bat.bat_motion(
        moving_bat(velocity),
        sampling_rate_hz=480,
        scale=1.0,
        hand_peak=None,
        contact=None,
    )
    assert moving.speed[100] == pytest.approx(30.0)
    fitted = moving.fit(100.0)
    angle = bat.attack_angle_at(moving.along, UP)(fitted, 100.0)
    assert angle == pytest.approx(np.degrees(0.2))
    # Toward −x is the pull side of a right-handed hitter.
    direction = bat.attack_direction_at(moving.along, UP, TO_PITCHER, 1.0)
    assert direction(fitted, 100.0) == pytest.approx(np.degrees(0.1))


@pytest.mark.parametrize("rate", [60, 120, 480])
def test_tilt_and_length_of_a_circle(rate):
    tilt = 35.0
    angle = 20.0 * np.arange(rate) / rate
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    plane = circle @ about([1, 0, 0], tilt).T
    points = BatPoints(
        plane * 0.2, plane * 1.04, plane * 0.9, np.zeros(rate, dtype=bool), ("a", "b")
    )
    moving = bat.bat_motion(
        points, sampling_rate_hz=rate, scale=1.0, hand_peak=None, contact=None
    )
    got = bat.swing_tilt(moving, at=0.51 * rate, vertical=UP)
    assert got == pytest.approx(tilt, abs=0.1)
    if rate < 480:
        return
    assert moving.rate[240] == pytest.approx(np.degrees(20.0), rel=2e-3)
    way = bat.path_length(moving.tip, start=120.0, end=360.0)
    assert way == pytest.approx(1.04 * 20.0 * 0.5, rel=3e-3)


def test_bat_ends_one_sample_after_contact():
    moving = bat.bat_motion(
        moving_bat([0.0, 30.0, 0.0]),
        sampling_rate_hz=480,
        scale=1.0,
        hand_peak=None,
        contact=100.4,
    )
    assert (moving.clean, moving.last) == (99, 101)
    assert moving.speed[: moving.last + 1] == pytest.approx(30.0)
    assert np.isnan(moving.speed[moving.last + 1 :]).all()


@pytest.mark.parametrize("known", [True, False])
def test_lines_without_a_turn_have_no_rate_at_any_sample(known):
    frames = 50
    level = np.zeros((frames, 3)) if known else np.full((frames, 3), np.nan)
    hips = [level + np.array([x, 0.0, 1.0]) for x in (0.15, -0.15)]
    shoulders = [level + np.array([x, 0.0, 1.5]) for x in (0.2, -0.2)]
    body = kinematics.body_lines(hips, shoulders, hand=1.0, sampling_rate_hz=240.0)
    rates = kinematics.signed_rates(body, 0, frames - 1)
    for rate in (rates.pelvis, rates.torso):
        assert rate.shape == (frames,)
        assert np.isnan(rate).all()
