"""Stored frames of a movement to its numbers, in a process that knows no database."""

import numpy as np
import pytest

from athletes.analysis.swing_task import (
    SwingTask,
    compute_here,
)
from athletes.frames.format import header_size_of
from athletes.frames.packing import pack
from athletes.frames.unpacking import FrameParts
from biomechanics import momentum
from biomechanics.points import first_points
from biomechanics.swing import ENERGETIC_COLUMNS, KINEMATIC_COLUMNS, analyze_swing
from tests.biomechanics.synthetic import make_swing

EMPTY = np.nan


def parts_of(columns):
    data = pack(columns).data
    return FrameParts(data[: header_size_of(data)], [(0, data)])


def numbers_of(kinematics, energetics):
    """The same analysis from stored frames and from every column that there is."""
    task = SwingTask(
        kinematics=parts_of(kinematics),
        energetics=parts_of(energetics),
        bats="right",
        height_m=1.8,
        mass_kg=80.0,
        overrides={},
    )
    (done,) = compute_here([task])
    assert not done.error, done.trace
    every = analyze_swing(
        kinematics=parts_of(kinematics).columns(KINEMATIC_COLUMNS),
        energetics=parts_of(energetics).columns(ENERGETIC_COLUMNS),
        bats="right",
        height_m=1.8,
        mass_kg=80.0,
    )
    return done.plain, every.to_dict()


def with_spares(swing):
    """Malleoli beside each ankle, single arms beside both arms, legs beside all."""
    kinematics, energetics = dict(swing.columns), dict(swing.energetics)
    for side in "lr":
        for axis, off in zip("xyz", (0.04, 0.0, -0.01), strict=True):
            ankle = kinematics[f"{side}ajc_{axis}"]
            kinematics[f"{side}mmal_{axis}"] = ankle + off
            kinematics[f"{side}lmal_{axis}"] = ankle - 0.9 * off
    for axis in "xyz":
        energetics[f"arms_angular_momentum_{axis}"] = 1.1 * (
            energetics[f"larm_angular_momentum_{axis}"]
            + energetics[f"rarm_angular_momentum_{axis}"]
        )
    energetics["legs_kinetic_energy"] = 0.8 * energetics["lowerhalf_kinetic_energy"]
    return kinematics, energetics


def spoilt(columns, names, value):
    return columns | {name: columns[name] * 0.0 + value for name in names}


@pytest.mark.parametrize(
    ("of_motion", "of_energy", "value"),
    [
        ((), (), 0.0),
        (("lajc_x", "lajc_y", "lajc_z"), (), EMPTY),
        (("rajc_x", "rajc_y", "rajc_z"), (), EMPTY),
        (("bhandle_x",), (), EMPTY),
        ((), tuple(f"arms_angular_momentum_{axis}" for axis in "xyz"), 0.0),
        ((), ("arms_angular_momentum_y",), EMPTY),
        ((), ("lowerhalf_kinetic_energy",), 0.0),
        ((), ("lowerhalf_kinetic_energy",), EMPTY),
    ],
)
def test_what_stands_in_for_an_empty_column_is_read(of_motion, of_energy, value):
    kinematics, energetics = with_spares(make_swing(noise_m=0.001))
    plain, every = numbers_of(
        spoilt(kinematics, of_motion, value), spoilt(energetics, of_energy, value)
    )
    assert plain == every
    metrics = plain["metrics"]
    assert metrics["stride_spread_pct"]["value"] is not None
    assert metrics["peak_L_arms"]["value"] is not None
    assert metrics["peak_KE_lower"]["value"] is not None


def test_a_point_that_others_stand_in_for_comes_first():
    kinematics, _ = with_spares(make_swing())
    points = first_points(kinematics.keys())
    assert {"lajc", "rajc", "bhandle", "bhead", "skullbase"} <= set(points)
    assert not {"lmmal", "llmal", "rmmal", "rlmal"} & set(points)
    without = [name for name in kinematics if not name.startswith("lajc")]
    points = first_points(without)
    assert {"lmmal", "llmal", "rajc"} <= set(points)


def test_columns_of_energy_that_come_first():
    _, energetics = with_spares(make_swing())
    first = momentum.first_columns(tuple(energetics))
    assert set(energetics) - set(first.wanted) == {
        *(
            f"{arm}_angular_momentum_{axis}"
            for arm in ("larm", "rarm")
            for axis in "xyz"
        ),
        *(
            f"{segment}_angular_momentum_mag"
            for segment in ("lowertorso", "torso", "larm", "rarm", "bat")
        ),
        "legs_kinetic_energy",
    }
    assert first.are_tracked(energetics)
    assert not first.are_tracked(
        energetics | {"lowerhalf_kinetic_energy": np.zeros(energetics["time"].size)}
    )


def test_text_where_numbers_are_meant_counts_as_missing():
    kinematics, energetics = with_spares(make_swing())
    words = np.full(kinematics["time"].size, "lost", dtype=object)
    kinematics |= {f"lajc_{axis}": words for axis in "xyz"}
    (done,) = compute_here(
        [
            SwingTask(
                kinematics=parts_of(kinematics),
                energetics=parts_of(energetics),
                bats="right",
                height_m=1.8,
                mass_kg=80.0,
                overrides={},
            )
        ]
    )
    assert done.plain["metrics"]["stride_spread_pct"]["value"] is not None
