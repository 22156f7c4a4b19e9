"""The bat of four real swings against its published values.

Skipped where the recordings are missing.
"""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.biomechanics.test_real_motions import DATA, RENAMED, analyze, on_frames

SWINGS = DATA / "real-swings-360hz.csv.gz"
PUBLISHED = DATA / "real-hitting-poi.csv.gz"
M_PER_S_PER_MPH = 0.44704


def rows_of(path: Path):
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def swings():
    if not (SWINGS.exists() and PUBLISHED.exists()):
        pytest.skip(f"the recordings {SWINGS.name} are not beside the project")
    published = {row["session_swing"]: row for row in rows_of(PUBLISHED)}
    rows = rows_of(SWINGS)
    found = []
    for key in sorted({row["session_swing"] for row in rows}):
        own = [row for row in rows if row["session_swing"] == key]
        columns = {"time": np.arange(len(own)) / 360.0}
        for name in own[0]:
            if name in ("session_swing", "time") or name.endswith("_time"):
                continue
            point, axis = name.rsplit("_", 1)
            values = np.array([float(row[name] or "nan") for row in own])
            if point in ("sweet_spot", "blast_hand"):
                values = on_frames(values)
            columns[f"{RENAMED.get(point, point)}_{axis}"] = values
        found.append((columns, float(own[0]["contact_time"]), published[key]))
    return found


def at_rate(columns, every, start=0):
    """Every second or third frame, or two of three (240 Hz) by interpolation."""
    if every == int(every):
        return {name: values[start :: int(every)] for name, values in columns.items()}
    frames = np.arange(columns["time"].size)
    chosen = np.arange(0.5 * start, frames.size - 1, every)
    return {name: np.interp(chosen, frames, v) for name, v in columns.items()}


@pytest.mark.parametrize("joint", ["hjc", "kjc", "ajc", "sjc", "ejc", "wjc"])
def test_a_joint_with_left_and_right_exchanged_is_found(swings, joint):
    for columns, *_ in swings:
        exchanged = dict(columns)
        for axis in "xyz":
            left, right = f"l{joint}_{axis}", f"r{joint}_{axis}"
            exchanged[left], exchanged[right] = columns[right], columns[left]
        assert "joint_exchanged" not in analyze(columns).quality.codes
        found = analyze(exchanged).quality
        assert (found.grade, "joint_exchanged" in found.codes) == ("poor", True)


@pytest.mark.parametrize("every", [1, 1.5])
def test_attack_angle_and_bat_speed_as_published(swings, every):
    angles = []
    for columns, contact_s, published in swings:
        analysis = analyze(at_rate(columns, every))
        reference = analysis.events["reference"]
        assert reference.rule == "bat_impact"
        assert reference.time_s == pytest.approx(contact_s, abs=0.004)
        value = analysis.metrics
        assert not value["attack_angle"].flagged
        assert value["attack_angle"].uncertainty < 1.5
        angles.append(
            value["attack_angle"].value - float(published["attack_angle_contact_x"])
        )
        top = float(published["bat_speed_mph_max_x"]) * M_PER_S_PER_MPH
        assert value["bat_speed_max"].value == pytest.approx(top, abs=1.5)
        assert value["bat_speed_ref"].value == pytest.approx(top, abs=1.5)
    assert abs(np.mean(angles)) < 4.0


@pytest.mark.parametrize("start", [0, 1, 2])
def test_third_of_the_frames_says_the_same(swings, start):
    for columns, _, _ in swings:
        fine = analyze(columns).metrics
        coarse = analyze(at_rate(columns, 3, start)).metrics
        angle = coarse["attack_angle"].value - fine["attack_angle"].value
        assert abs(angle) < 3.0
        assert abs(angle) < 3.0 * coarse["attack_angle"].uncertainty
        assert coarse["bat_speed_ref"].value == pytest.approx(
            fine["bat_speed_ref"].value, abs=1.0
        )


@pytest.mark.parametrize("every", [1, 1.5, 3])
@pytest.mark.parametrize("first", [-3, -1, 1])
@pytest.mark.parametrize("count", [3, 4])
def test_missing_frames_at_the_impact(swings, every, first, count):
    for columns, _, _ in swings:
        whole = at_rate(columns, every)
        analysis = analyze(whole)
        rate = 360.0 / every
        clean = int((analysis.events["reference"].time_s - whole["time"][0]) * rate)
        damaged = {
            name: values.copy()
            if name.startswith(("sweet_spot", "blast_hand"))
            else values
            for name, values in whole.items()
        }
        for name, values in damaged.items():
            if name.startswith(("sweet_spot", "blast_hand")):
                values[clean + first : clean + first + count] = np.nan
        after = analyze(damaged).metrics
        for name in ("attack_angle", "attack_direction", "bat_speed_ref"):
            value, truth = after[name], analysis.metrics[name].value
            if value.value is not None and not value.flagged:
                assert abs(value.value - truth) < 3.0 * value.uncertainty, name


@pytest.mark.parametrize("frames_off", [-1, 0, 1])
def test_contact_set_by_hand(swings, frames_off):
    for columns, contact_s, _ in swings:
        fine = analyze(columns).metrics
        at = contact_s + frames_off / 360.0
        moved = analyze(columns, event_overrides={"reference": at}).metrics
        for name in ("attack_angle", "bat_speed_ref", "bat_speed_max"):
            assert moved[name].value == pytest.approx(fine[name].value, abs=0.2), name


def changed_rows(columns, points, rows, make):
    """The columns with some rows of points changed; `make` gets a copy of a column."""
    changed = dict(columns)
    for name, values in columns.items():
        if name[:-2] in points:
            changed[name] = values.copy()
            changed[name][rows] = make(values)
    return changed


@pytest.mark.parametrize(("first_s", "count"), [(-0.045, 14), (-0.020, 6)])
def test_a_bat_that_is_held_for_some_frames_moves_nothing(swings, first_s, count):
    for columns, *_ in swings:
        whole = analyze(columns)
        first = int((whole.events["reference"].time_s + first_s) * 360.0)
        held = changed_rows(
            columns,
            ("sweet_spot", "blast_hand"),
            slice(first, first + count),
            lambda values, at=first - 1: values[at],
        )
        after = analyze(held).metrics
        for name in ("attack_angle", "bat_speed_ref", "pelvis_rot_ref", "time_to_ref"):
            value, truth = after[name], whole.metrics[name]
            if value.value is None or value.flagged or value.basis != truth.basis:
                continue
            assert abs(value.value - truth.value) < 3.0 * value.uncertainty, name


def test_bat_against_trunk_is_marked_where_the_bat_was_lost_at_contact(swings):
    for columns, *_ in swings:
        whole = analyze(columns)
        first = int((whole.events["reference"].time_s - 0.011) * 360.0)
        lost = changed_rows(
            columns,
            ("sweet_spot", "blast_hand"),
            slice(first, first + 4),
            lambda values: np.nan,
        )
        found = analyze(lost).metrics["bat_torso_ref"]
        assert found.value is None or found.flagged
        assert not whole.metrics["bat_torso_ref"].flagged


def test_exchanged_hands_give_way_to_the_wrists(swings):
    for columns, *_ in swings:
        exchanged = dict(columns)
        for axis in "xyz":
            left, right = f"lhand_{axis}", f"rhand_{axis}"
            exchanged[left], exchanged[right] = columns[right], columns[left]
        assert analyze(columns).findings.value("hands") == "hands"
        assert analyze(exchanged).findings.value("hands") == "wrists"
