"""The stick figure's points and bones."""

import numpy as np
import pytest

from biomechanics import skeleton
from tests.biomechanics.synthetic import make_swing, moved


def test_bones_of_a_swing_with_a_bat():
    columns = make_swing().columns
    bones = skeleton.figure_bones(columns, side="right")
    assert ("bhandle", "bhead", "bat") in bones
    assert ("lsjc", "lejc", "lead_arm") in bones
    assert ("rsjc", "rejc", "rear_arm") in bones
    assert ("midhip", "neck", "torso") in bones
    assert ("neck", "head", "head") in bones
    assert not any("heel" in a + b for a, b, _ in bones)
    left = skeleton.figure_bones(columns, side="left")
    assert ("rsjc", "rejc", "lead_arm") in left


def test_arm_without_an_elbow_is_drawn_straight():
    columns = {k: v for k, v in make_swing().columns.items() if "lejc" not in k}
    bones = skeleton.figure_bones(columns, side="right")
    assert ("lsjc", "lwjc", "lead_arm") in bones


def test_positions_are_meters_whatever_the_file_says():
    columns = make_swing().columns
    bones = skeleton.figure_bones(columns, side="right")
    names = skeleton.figure_points(bones)
    got = skeleton.figure_positions(columns, names)
    assert got.shape == (columns["time"].size, len(names), 3)
    assert got.dtype == np.float32
    scaled = skeleton.figure_positions(moved(columns, factor=1000.0), names)
    np.testing.assert_allclose(scaled, got, atol=1e-5)
    neck = got[:, names.index("neck")]
    middle = 0.5 * (got[:, names.index("lsjc")] + got[:, names.index("rsjc")])
    np.testing.assert_allclose(neck, middle, atol=1e-6)
    flipped = skeleton.figure_positions(columns, names, mirrored=True)
    np.testing.assert_allclose(flipped[..., 0], -got[..., 0])
    np.testing.assert_allclose(flipped[..., 1:], got[..., 1:])


def test_unknown_point_is_named():
    with pytest.raises(ValueError, match="tail"):
        skeleton.figure_positions(make_swing().columns, ["tail"])
