"""Where hitters stand and how they are drawn: axes, sides, plate, leg length."""

from __future__ import annotations

import numpy as np
import pytest

from athletes.analysis import run
from athletes.frames import store
from athletes.frames.packing import PackedMovement, pack
from athletes.models import DataType
from dashboard.selectors.posed import PLATE_M, Posed, pose
from dashboard.selectors.swing_figure import figure_json, load_points, load_points_of
from simulator.columns import Options, inverse_kinematics
from tests.dashboard.page_contents import figure_of, swings_of, unpacked_figure
from tests.factories import make_player, make_session, simulated_movements

NAMES = ("lhjc", "lkjc", "lajc", "rhjc", "rkjc", "rajc", "bhandle", "bhead")
POINTS = {
    "lhjc": (0.1, 0.0, 0.9),
    "lkjc": (0.2, 0.0, 0.5),
    "lajc": (0.3, 0.0, 0.1),
    "rhjc": (-0.1, 0.0, 0.9),
    "rkjc": (-0.2, 0.0, 0.5),
    "rajc": (-0.3, 0.0, 0.1),
    "bhandle": (0.0, -0.4, 0.8),
    "bhead": (0.8, -0.4, 0.8),
}


def standing(**changes):
    """Five frames of a hitter who does not move; `changes` move single points."""
    row = np.array([(POINTS | changes)[name] for name in NAMES], dtype=np.float32)
    return Posed(
        names=NAMES,
        bones=(("lhjc", "lkjc", "legs"),),
        points=np.repeat(row[None], 5, axis=0),
        start_s=1.0,
        dt_s=0.1,
        side="right",
        has_forward=True,
    )


def test_leg_is_thigh_and_shank_of_both_legs():
    leg = 2 * np.hypot(0.1, 0.4)
    assert standing().leg_m == pytest.approx(leg, abs=1e-5)
    # One knee that was lost: the other leg tells.
    lost = standing(rkjc=(np.nan, 0.0, 0.5))
    assert lost.leg_m == pytest.approx(leg, abs=1e-5)
    assert standing(lkjc=(5.0, 0, 0), rkjc=(5.0, 0, 0)).leg_m is None


def test_plate_lies_under_the_barrel_or_beside_the_feet():
    x, y, by = standing().plate_at(1.2)
    assert (x, y, by) == (
        pytest.approx(0.8 - 0.152 - PLATE_M / 2),
        pytest.approx(-0.4),
        "bat",
    )
    beside = (pytest.approx(0.0), pytest.approx(-0.75), "feet")
    assert standing().plate_at(None) == beside
    assert standing(bhead=(np.nan, 0, 0)).plate_at(1.2) == beside


def test_a_time_outside_of_the_frames_has_no_points():
    posed = standing()
    assert posed.at(1.44).shape == (8, 3)
    assert posed.at(0.9) is None
    assert posed.at(1.5) is None


def toes_of(posed):
    """Where both feet point in the stance, to the left of the pitcher."""
    return sum(
        float(posed.track(f"{letter}btoe")[3, 1] - posed.track(f"{letter}ajc")[3, 1])
        for letter in "lr"
    )


@pytest.mark.django_db
@pytest.mark.parametrize("bats", ["R", "L"])
@pytest.mark.parametrize("lefty", ["raw", "mirrored"])
def test_every_hitter_is_drawn_from_the_side_they_bat_from(bats, lefty):
    side = {"R": "right", "L": "left"}[bats]
    session = make_session(player=make_player(dominant_hand_hitting=side))
    movement = simulated_movements(bats=bats)[0]
    columns = inverse_kinematics(movement, Options(lefty=lefty))
    numbers = {
        name: values
        for name, values in columns.items()
        if isinstance(values, np.ndarray) and values.dtype.kind == "f"
    }
    store.store_frames(
        session_pk=session.pk,
        data_type=DataType.INVERSE_KINEMATICS,
        movements=[PackedMovement(movement.org_movement_id, pack(numbers))],
    )
    run.analyze_session(session.pk)
    swing = session.movements.get()
    assert swing.verdict["mirrored"]["value"] is (bats == "L" and lefty == "mirrored")

    posed = pose(swing, load_points(swing).columns)
    assert posed.side == swing.side == side
    # A right-hander faces to the right of the pitcher, toward minus y.
    assert (toes_of(posed) > 0) == (side == "left")
    # The lead foot is the one that is nearer to the pitcher.
    rear = "r" if posed.lead == "l" else "l"
    assert posed.track(f"{posed.lead}ajc")[3, 0] > posed.track(f"{rear}ajc")[3, 0]
    # So is the mark on the chest: square to shoulders and trunk, by the side.
    lead, rear_shoulder, hip, neck = figure_json(swing, posed)["chest"]
    across = posed.points[3, lead] - posed.points[3, rear_shoulder]
    facing = np.cross(across, posed.points[3, neck] - posed.points[3, hip])
    # The script turns it round for a left-hander.
    assert facing[1] < 0


@pytest.mark.django_db
def test_figure_runs_from_before_load_to_after_contact_and_starts_at_load(
    client, coach, session
):
    swing = swings_of(session)[0]
    figure = figure_of(client.get(f"/athletes/swings/{swing.pk}/"), "figure")
    load, contact = (swing.events[name]["time_s"] for name in ("load", "reference"))
    end = figure["start_s"] + figure["dt_s"] * (figure["n_frames"] - 1)
    assert figure["first_s"] == pytest.approx(load, abs=1e-5)
    assert figure["start_s"] == pytest.approx(load - 0.15, abs=1e-5)
    assert end == pytest.approx(contact + 0.25, abs=0.005)
    assert [event["name"] for event in figure["events"]] == [
        "load",
        "first_move",
        "foot_down",
        "peak_hand_speed",
        "reference",
    ]
    assert figure["events"][-1]["label"] == "Contact (est.)"
    assert figure["names"][figure["front_foot"][0]] == "lajc"
    assert figure["plate"]["by"] == "bat"
    assert figure["notes"] == {
        "start": "Starts at load.",
        "plate": "The file doesn't say where the plate is: it is drawn under the "
        "barrel at "
        "contact (est.).",
    }
    sent = unpacked_figure(figure["points"])
    assert len(sent) == figure["n_frames"] * figure["n_points"] * 3


@pytest.mark.django_db
def test_figure_without_load_starts_at_first_move_and_without_both_at_the_start(
    session,
):
    swing = swings_of(session)[0]
    columns = load_points(swing).columns
    swing.events["load"]["time_s"] = None
    first_move = swing.events["first_move"]["time_s"]
    assert figure_json(swing, pose(swing, columns))["first_s"] == pytest.approx(
        first_move, abs=1e-5
    )
    swing.events["first_move"]["time_s"] = None
    figure = figure_json(swing, pose(swing, columns))
    assert figure["first_s"] == figure["start_s"]
    assert figure["notes"]["start"] == "Starts at the start of the clip."
    swing.verdict["forward"]["value"] = None
    figure = figure_json(swing, pose(swing, columns))
    assert "where the pitcher is" in figure["notes"]["plate"]
    assert figure["has_forward"] is False
    # Peak hand speed as stand-in for contact is one event, not two.
    swing.events["reference"] |= {"rule": "hand_peak"}
    names = {event["name"]: event["label"] for event in figure["events"]}
    assert "peak_hand_speed" in names
    names = {
        event["name"]: event["label"]
        for event in figure_json(swing, pose(swing, columns))["events"]
    }
    assert names["reference"] == "Peak hand"
    assert "peak_hand_speed" not in names


@pytest.mark.django_db
def test_clock_of_the_figure_counts_from_where_the_charts_do(client, coach, session):
    swing = swings_of(session)[0]
    address = f"/athletes/swings/{swing.pk}/"
    times = {name: entry["time_s"] for name, entry in swing.events.items()}
    figure = figure_of(client.get(address), "figure")
    assert (figure["zero_s"], figure["unit"], figure["per_s"]) == (
        pytest.approx(times["reference"], abs=1e-5),
        "ms",
        1000,
    )
    figure = figure_of(client.get(f"{address}?align=foot_down"), "figure")
    assert figure["zero_s"] == pytest.approx(times["foot_down"], abs=1e-5)
    assert figure["reference_label"] == "foot down"
    figure = figure_of(client.get(f"{address}?align=percent"), "figure")
    assert figure["zero_s"] == pytest.approx(times["first_move"], abs=1e-5)
    assert figure["unit"] == "%"
    assert figure["per_s"] == pytest.approx(
        100 / (times["reference"] - times["first_move"]), rel=1e-4
    )


@pytest.mark.django_db
def test_one_damaged_swing_leaves_the_others_their_figure(session):
    first, second = swings_of(session)[:2]
    first.biomechanics.update(frames=b"broken")
    found = load_points_of([first, second])
    assert found[first.pk].columns is None
    assert "can't be read" in found[first.pk].problem
    assert "time" in found[second.pk].columns
