"""The page of a comparison as a coach gets it."""

from __future__ import annotations

import datetime as dt

import pytest

from athletes.analysis import run
from tests.dashboard.page_contents import figure_of, history_of, swings_of, text_of
from tests.factories import (
    make_player,
    make_session,
    make_swing,
    make_synced_session,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db


def test_compare_holds_sessions_against_the_first(client, coach):
    player = make_player()
    keys = []
    for date, skip in ((dt.date(2026, 3, 1), 0), (dt.date(2026, 3, 8), 1)):
        session = make_session(player=player, session_date=date)
        store_simulated(session, simulated_movements()[skip:])
        run.analyze_session(session.pk)
        keys.append(f"session-{session.pk}")
    response = client.get(f"/athletes/compare/?items={','.join(keys)}")
    roles = [t.get("role") for t in figure_of(response, "overlay")["data"]]
    assert roles == ["band", "mean", "band", "mean"]
    delta = figure_of(response, "delta")["data"]
    assert [trace.get("role", "line") for trace in delta] == ["noise", "line"]
    assert "B against A" in text_of(response)


@pytest.mark.parametrize("align", ["load", "first_move", "foot_down", "percent"])
def test_compare_swings_of_both_hands_on_any_event(client, coach, align):
    keys = []
    for bats in ("R", "L"):
        session = make_session(player=make_player(dominant_hand_hitting=None))
        store_simulated(session, simulated_movements(bats=bats)[:1])
        run.analyze_session(session.pk)
        keys.append(f"swing-{swings_of(session)[0].pk}")
    response = client.get(
        f"/athletes/compare/?items={keys[0]}&items={keys[1]}&align={align}"
    )
    assert response.status_code == 200
    assert len(figure_of(response, "overlay")["data"]) == 2
    assert "These are different athletes" in text_of(response)


def test_compare_says_what_it_cannot_show(client, coach):
    player = make_player()
    response = client.get(
        f"/athletes/compare/?items=swing-999999,nonsense,athlete-{player.pk}"
    )
    text = text_of(response)
    assert "There is no swing 999999, or you may not see it." in text
    assert "“nonsense” is not something to compare." in text
    assert "Add a second swing, session or athlete" in text


def test_compare_finds_athletes_to_add(client, coach):
    player = make_player(last_name="Rowan")
    session = make_synced_session(player=player)
    response = client.get("/athletes/compare/?items=swing-1&q=row")
    assert f"session-{session.pk}" in response.content.decode()


def test_compare_of_the_same_numbers_finds_no_change(client, coach):
    player = make_player()
    sessions = history_of(player, [900.0, 900.0, 900.0])
    for session in sessions:
        session.movements.all().delete()
        for _ in range(3):
            make_swing({"peak_torso_omega": 900.0}, session=session)
    items = ",".join(f"session-{session.pk}" for session in sessions[:2])
    text = text_of(client.get(f"/athletes/compare/?items={items}"))
    assert "≈ no clear change" in text


@pytest.mark.parametrize("count", [2, 4])
def test_compare_takes_the_same_queries_for_any_number_of_items(
    client, coach, count, django_assert_num_queries
):
    player = make_player()
    sessions = history_of(player, [900.0] * count)
    items = ",".join(f"session-{session.pk}" for session in sessions)
    # session, user, sessions, movements, curves, history, sides
    with django_assert_num_queries(7):
        client.get(f"/athletes/compare/?items={items}")
