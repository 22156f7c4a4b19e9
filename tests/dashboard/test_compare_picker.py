"""Athletes and sessions that the page of a comparison offers for a name."""

from __future__ import annotations

import datetime as dt

import pytest

from dashboard.selectors.compare_picker import pickable
from tests.factories import make_player, make_session, make_staff

pytestmark = pytest.mark.django_db


def test_six_athletes_and_five_sessions_of_each_are_offered():
    players = [make_player(last_name=f"Pickable{place}") for place in range(7)]
    days = [dt.date(2026, 3, day) for day in range(1, 8)]
    for day in days:
        make_session(player=players[0], session_date=day, swing_count=4)
    found = pickable(make_staff(), "pickable")
    assert [athlete.key for athlete in found] == [
        f"athlete-{p.pk}" for p in players[:6]
    ]
    assert [len(athlete.sessions) for athlete in found] == [5, 0, 0, 0, 0, 0]
    newest = found[0].sessions[0]
    assert "7" in newest.label
    assert newest.detail == "4 swings"


def test_a_session_without_swings_is_not_offered():
    player = make_player(last_name="Pickable")
    make_session(player=player, swing_count=0)
    with_swings = make_session(player=player, swing_count=1)
    (athlete,) = pickable(make_staff(), "pickable")
    assert [session.key for session in athlete.sessions] == [
        f"session-{with_swings.pk}"
    ]


@pytest.mark.parametrize("text", ["", "  ", "Nobody"])
def test_without_a_match_nobody_is_offered(text):
    make_player(last_name="Pickable")
    assert pickable(make_staff(), text) == ()
