"""Largest values between two events: the ends count, and the head is followed."""

import dataclasses

import numpy as np
import pytest

from accuracy.measure import analyze_made
from accuracy.swings import clean_swing, with_noise
from accuracy.truth import truth_of
from biomechanics.swing import analyze_swing

RATE_HZ = 240.0
HEAD = ("skullbase", "head", "leye", "reye")


@pytest.mark.parametrize("hand", ["right", "left"])
@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("rate_hz", [120.0, 240.0])
def test_largest_side_bend_is_no_less_than_at_the_reference(hand, number, rate_hz):
    swing = with_noise(clean_swing(number, "dry", hand, rate_hz), 2.0, number)
    found = analyze_made(swing).metrics
    for largest, there in (
        ("side_bend_max", "side_bend_ref"),
        ("x_factor_max", "x_factor_ref"),
        ("x_factor_max", "x_factor_fd"),
    ):
        values = found[largest].value, found[there].value
        if None not in values and found["tempo_load_fd"].value:
            assert values[0] >= values[1] - 1e-9, (largest, there)


def moved_head(swing, away):
    """The swing with its head moved by `away`, (n, 3), meters."""
    columns = dict(swing.kinematics)
    for name in HEAD:
        for i, axis in enumerate("xyz"):
            key = f"{name}_{axis}"
            if key in columns:
                columns[key] = columns[key] + away[:, i]
    return dataclasses.replace(swing, kinematics=columns)


@pytest.mark.parametrize("hand", ["right", "left"])
@pytest.mark.parametrize("rate_hz", [120.0, 240.0, 360.0])
def test_head_movement_against_truth(hand, rate_hz):
    found = analyze_made(clean_swing(3, "hit", hand, rate_hz))
    true = truth_of(3, "hit").of(found.events["reference"].rule)["head_excursion"]
    assert found.metrics["head_excursion"].value == pytest.approx(true, abs=0.006)
    assert "head=skull" in found.metrics["head_excursion"].basis


def still_head(swing):
    """The swing with its head where it is in the first frame."""
    columns = dict(swing.kinematics)
    for name in HEAD:
        for axis in "xyz":
            key = f"{name}_{axis}"
            if key in columns:
                columns[key] = np.full_like(columns[key], columns[key][0])
    return dataclasses.replace(swing, kinematics=columns)


def test_a_dip_that_comes_back_is_movement_but_no_drop():
    swing = still_head(clean_swing(3, "hit", "right", RATE_HZ))
    whole = analyze_made(swing)
    assert whole.metrics["head_excursion"].value == pytest.approx(0.0, abs=1e-6)
    first = whole.events["first_move"].time_s
    last = whole.events["reference"].time_s
    time = swing.kinematics["time"]
    part = np.clip((time - first) / (last - first), 0.0, 1.0)
    away = np.zeros((time.size, 3))
    away[:, 2] = -0.06 * np.sin(np.pi * part) ** 2
    found = analyze_made(moved_head(swing, away)).metrics
    assert found["head_excursion"].value == pytest.approx(0.06, abs=0.003)
    assert found["head_drop"].value == pytest.approx(0.0, abs=0.003)


def test_movement_before_first_move_counts_too():
    swing = still_head(clean_swing(3, "hit", "right", RATE_HZ))
    whole = analyze_made(swing)
    load, first = (whole.events[n].time_s for n in ("load", "first_move"))
    time = swing.kinematics["time"]
    away = np.zeros((time.size, 3))
    # 8 cm along x and back, all of it between load and first move.
    part = np.clip((time - load) / (0.9 * (first - load)), 0.0, 1.0)
    away[:, 0] = 0.08 * np.sin(np.pi * part) ** 2
    found = analyze_made(moved_head(swing, away)).metrics
    assert found["head_excursion"].value == pytest.approx(0.08, abs=0.006)
    assert abs(found["head_drop"].value) < 0.003


def test_a_load_at_the_start_of_the_clip_marks_it():
    swing = clean_swing(3, "hit", "right", RATE_HZ)
    whole = analyze_made(swing)
    start = int((whole.events["load"].time_s + 0.1) * RATE_HZ)
    cut = dataclasses.replace(
        swing,
        kinematics={n: v[start:] for n, v in swing.kinematics.items()},
        energetics={n: v[start:] for n, v in swing.energetics.items()},
    )
    found = analyze_made(cut).metrics["head_excursion"]
    assert found.value is None or found.flagged


def test_what_grows_up_to_an_unsure_reference_is_no_surer_than_it():
    """At the reference and largest there, so both hang on its instant alike."""
    swing = clean_swing(1, "hit", "right", 120.0)
    found = analyze_made(swing).metrics
    largest, there = found["side_bend_max"], found["side_bend_ref"]
    assert largest.value == pytest.approx(there.value)
    assert there.uncertainty > 0.5
    assert largest.uncertainty == pytest.approx(there.uncertainty, rel=0.3)


def test_stretch_that_still_grows_at_the_reference_is_no_surer_than_the_maximum():
    swing = clean_swing(1, "no_bat", "right", 120.0)
    whole = analyze_made(swing)
    top_s = (
        whole.events["reference"].time_s
        - whole.metrics["t_x_factor_max"].value / 1000.0
    )
    found = analyze_swing(
        kinematics=swing.kinematics,
        energetics=swing.energetics,
        bats=swing.hand,
        height_m=swing.height_m,
        mass_kg=swing.mass_kg,
        event_overrides={"reference": top_s - 0.03},
    ).metrics
    largest, stretch = found["x_factor_max"], found["x_factor_stretch"]
    assert largest.value == pytest.approx(found["x_factor_ref"].value)
    assert largest.uncertainty > 0.5
    assert stretch.uncertainty > 0.9 * largest.uncertainty
