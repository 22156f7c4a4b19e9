"""Two figures of a comparison in step, matched in size, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from athletes.analysis import run
from athletes.analysis.marked_swings import typical_swing
from athletes.frames.curves import load_curves
from athletes.models import Inclusion
from dashboard.selectors.compare_figures import (
    DrawnSwing,
    compare_figures,
    size_match,
)
from dashboard.selectors.compare_items import load_items
from dashboard.selectors.compare_keys import parse_items
from tests.dashboard.page_contents import figure_of, swings_of, text_of
from tests.dashboard.test_posed import standing
from tests.factories import (
    make_player,
    make_session,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def left(session):
    """A session of another athlete, who bats left."""
    player = make_player(dominant_hand_hitting="left", height_ft=5.5)
    session = make_session(player=player)
    store_simulated(session, simulated_movements(bats="L"))
    run.analyze_session(session.pk)
    return session


def figures_of(coach, words, *, align="reference", second=""):
    """The figures of what an address names."""
    keys, _ = parse_items([words])
    items, _ = load_items(coach, keys)
    stored = load_curves({s.pk for item in items for s in (*item.swings, *item.around)})
    return compare_figures(items, stored, align=align, second=second, system="metric")


def swings_words(*swings):
    return ",".join(f"swing-{swing.pk}" for swing in swings)


def test_both_are_in_step_on_the_event_that_is_aligned(coach, session):
    swings = swings_of(session)[:2]
    pair = figures_of(coach, swings_words(*swings), align="foot_down").pair
    clock = pair.figure["clock"]
    assert (clock["unit"], clock["per"], clock["zero_label"]) == (
        "ms",
        1000,
        "foot down",
    )
    for body, swing, letter in zip(pair.figure["bodies"], swings, "AB", strict=True):
        zero = swing.events["foot_down"]["time_s"]
        assert body["clock"] == {
            "letter": letter,
            "zero_s": pytest.approx(zero, abs=1e-5),
            "per": 1,
        }
        end = body["start_s"] + (body["n_frames"] - 1) * body["dt_s"]
        # The common time runs over all frames of both.
        assert clock["start"] <= body["start_s"] - zero + 1e-5
        assert clock["end"] >= end - zero - 1e-5
    load = swings[0].events["load"]["time_s"]
    foot_down = swings[0].events["foot_down"]["time_s"]
    assert clock["first"] == pytest.approx(load - foot_down, abs=1e-5)


def test_in_percent_first_move_and_contact_meet_in_both(coach, session):
    swings = swings_of(session)[:2]
    pair = figures_of(coach, swings_words(*swings), align="percent").pair
    for body, swing in zip(pair.figure["bodies"], swings, strict=True):
        first_move = swing.events["first_move"]["time_s"]
        contact = swing.events["reference"]["time_s"]
        assert body["clock"]["zero_s"] == pytest.approx(first_move, abs=1e-5)
        assert body["clock"]["per"] == pytest.approx(contact - first_move, abs=1e-5)
    assert (pair.figure["clock"]["unit"], pair.figure["clock"]["per"]) == ("%", 100)


def test_a_session_stands_as_its_typical_swing_and_says_so(coach, session, left):
    figures = figures_of(coach, f"session-{session.pk},session-{left.pk}")
    counted = [swing for swing in swings_of(session) if swing.is_counted]
    typical = typical_swing(
        {swing.pk: swing.events for swing in counted},
        {swing.pk: swing.events["reference"]["rule"] for swing in counted},
        load_curves([swing.pk for swing in counted]),
    )
    assert figures.drawn[0].swing.pk == typical
    assert figures.drawn[0].why == f"typical of {len(counted)} included swings"
    # Two swings have no typical one.
    kept = swings_of(session)[0].pk, swings_of(session)[1].pk
    session.movements.exclude(pk__in=kept).update(inclusion=Inclusion.EXCLUDED)
    drawn = figures_of(coach, f"session-{session.pk},session-{left.pk}").drawn[0]
    assert drawn.swing.pk == kept[0]
    assert drawn.why == "the first of 2 included swings: no typical one is known"


def test_who_bats_from_the_other_side_is_mirrored_and_made_as_large(
    coach, session, left
):
    pair = figures_of(coach, f"session-{session.pk},session-{left.pk}").pair
    legs = [side.posed.leg_m for side in pair.sides]
    assert legs[0] > legs[1]
    assert pair.figure["size"] == pytest.approx(legs[0] / legs[1], abs=1e-4)
    assert f"B is drawn ×{legs[0] / legs[1]:.2f} to match leg length" in pair.size.words
    assert [body["side"] for body in pair.figure["bodies"]] == ["right", "left"]
    assert any("B bats left and is drawn mirrored" in note for note in pair.notes)


def drawn(letter, posed, **player):
    item = type("", (), {"letter": letter, "player": make_player(**player)})()
    return DrawnSwing(item, None, "", posed, "")


def test_size_is_matched_by_legs_else_by_height_else_not():
    larger = replace(standing(), points=standing().points * 1.1)
    without = standing(lkjc=(np.nan, 0, 0), rkjc=(np.nan, 0, 0))
    tall, short = {"height_ft": 6.0}, {"height_ft": 5.0}
    match = size_match(drawn("A", larger, **short), drawn("B", standing()), "metric")
    assert match.factor == pytest.approx(1.1, rel=1e-5)
    assert "×1.10 to match leg length (A 91 cm, B 82 cm)" in match.words
    match = size_match(drawn("A", standing()), drawn("B", standing()), "metric")
    assert match.factor == 1.0
    assert match.words == "Both are scaled to the same leg length (A 82 cm, B 82 cm)."
    match = size_match(
        drawn("A", without, **tall), drawn("B", standing(), **short), "metric"
    )
    assert match.factor == pytest.approx(1.2)
    assert "to match body height (A 183 cm, B 152 cm)" in match.words
    match = size_match(
        drawn("A", without, **tall), drawn("B", without, height_ft=None), "metric"
    )
    assert match.factor == 1.0
    assert "as recorded" in match.words


def test_an_event_that_one_lacks_is_said_and_contact_taken(coach, session):
    first, second = swings_of(session)[:2]
    second.events["foot_down"]["time_s"] = None
    second.save(update_fields=["events"])
    pair = figures_of(coach, swings_words(first, second), align="foot_down").pair
    assert pair.notes[0] == (
        "No foot down was found in B, so the figures are lined up on contact."
    )
    assert pair.figure["bodies"][0]["clock"]["zero_s"] == pytest.approx(
        first.events["reference"]["time_s"], abs=1e-5
    )
    second.events["reference"]["time_s"] = None
    second.save(update_fields=["events"])
    figures = figures_of(coach, swings_words(first, second), align="foot_down")
    assert figures.pair is None
    assert figures.missing == (
        "Contact is missing in one of them, so their times can't be lined up."
    )


def test_contact_that_is_not_the_same_instant_is_said(coach, session):
    with_bat, without = swings_of(session)[0], swings_of(session)[-1]
    pair = figures_of(coach, swings_words(with_bat, without)).pair
    assert pair.notes == (
        "Lined up at different events: A on contact (est.), B on peak hand.",
    )


def test_a_figure_that_may_face_any_way_says_so_and_has_no_plate(
    client, coach, session
):
    known, lost = swings_of(session)[:2]
    address = f"/athletes/compare/?items={swings_words(known, lost)}"
    plate = 'name="pair-place" value="plate"'
    words = "B: the file doesn't say where the pitcher is, so the figure may face any"
    response = client.get(address)
    assert plate in response.content.decode()
    assert words not in text_of(response)
    lost.verdict["forward"]["value"] = None
    lost.save(update_fields=["verdict"])
    response = client.get(address)
    assert words in text_of(response)
    assert "A: the file doesn't" not in text_of(response)
    assert plate not in response.content.decode()


def test_a_swing_without_frames_leaves_its_numbers_and_the_others(coach, session):
    swings = swings_of(session)[:3]
    swings[1].biomechanics.update(frames=b"broken")
    figures = figures_of(coach, swings_words(*swings))
    assert figures.pair is None
    assert figures.missing.startswith("B has no figure: The stored frames")
    row = next(row for row in figures.positions if row.event == "reference")
    stills = [position.still is not None for _, position in row.cells]
    assert stills == [True, False, True]
    assert [cell.value is not None for cell in row.numbers[0].cells] == [True] * 3
    # The third stands beside the first all the same.
    pair = figures_of(coach, swings_words(*swings), second="c").pair
    assert pair.sides[1].swing == swings[2]


def test_page_shows_both_figures_and_every_position(client, coach, session, left):
    response = client.get(
        f"/athletes/compare/?items=session-{session.pk},session-{left.pk}&second=b"
    )
    figure = figure_of(response, "pair")
    assert [body["clock"]["letter"] for body in figure["bodies"]] == ["A", "B"]
    text = text_of(response)
    assert "typical of" in text
    assert "to match leg length" in text
    assert "Starts at load. The file doesn't say where the plate is" in text
    body = response.content.decode()
    assert body.count('<svg class="still"') == 6
    assert "at contact (est.), seen from the open side" in body
    # The charts count the time that the figures do.
    assert figure_of(response, "overlay")["meta"]["time_zero_s"] == 0
    assert figure_of(response, "overlay")["meta"]["time_per_x_s"] == 0.001
