"""The page of an athlete as a coach gets it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from tests.dashboard.page_contents import figure_of, history_of, text_of
from tests.factories import (
    make_player,
    make_session,
)

pytestmark = pytest.mark.django_db


def test_athlete_without_sessions_says_what_will_come(client, coach):
    player = make_player(height_ft=None, date_of_birth=None)
    response = client.get(f"/athletes/{player.pk}/")
    assert "No sessions yet" in text_of(response)
    assert b'id="numbers"' not in response.content
    history_of(player, [900.0])
    assert b'id="numbers"' in client.get(f"/athletes/{player.pk}/").content


def test_athlete_page_tells_a_real_change_in_a_sentence(client, coach):
    player = make_player()
    history_of(player, [900.0, 902.0, 898.0, 1000.0])
    text = text_of(client.get(f"/athletes/{player.pk}/"))
    assert (
        "Peak torso rotation speed: 100°/s faster than the last 3 sessions "
        "(900°/s → 1,000°/s), more than their usual variation (needs ±" in text
    )


def test_findings_say_of_which_session_they_are(client, coach):
    player = make_player()
    newest = history_of(player, [700.0, 720.0])[-1]
    # The newest of all has no numbers yet.
    make_session(player=player, session_date=dt.date(2026, 9, 1))
    page = client.get(reverse("dashboard:athlete", args=[player.pk])).content.decode()
    link = reverse("dashboard:session", args=[newest.pk])
    head = page.split("Latest session</h2>")[1].split("</div>")[0]
    assert f'href="{link}"' in head
    assert "Mar 8, 2026" in head
    assert "6 included swings" in head


def test_athlete_page_tells_that_nothing_changed(client, coach):
    player = make_player()
    history_of(player, [900.0, 902.0, 898.0, 903.0])
    text = text_of(client.get(f"/athletes/{player.pk}/"))
    assert "Peak torso rotation speed: about the same (903°/s; a change" in text
    assert "more than their usual variation" not in text


def test_trend_never_mixes_conditions_unless_asked(client, coach):
    player = make_player()
    sessions = history_of(player, [900.0, 910.0, 920.0])
    sessions[0].condition = "machine"
    sessions[0].save()
    url = f"/athletes/{player.pk}/?metric=peak_torso_omega"
    apart = client.get(url)
    traces = [t for t in figure_of(apart, "trend-chart")["data"] if "y" in t]
    assert [trace["y"] for trace in traces] == [[910.0, 920.0]]
    assert "1 session with a different setup" in text_of(apart)
    mixed = client.get(url + "&mixed=1")
    traces = [t for t in figure_of(mixed, "trend-chart")["data"] if "y" in t]
    assert [trace["y"] for trace in traces] == [[900.0], [910.0, 920.0]]
    assert len({trace["symbol"] for trace in traces}) == 2


def test_athlete_fragment_is_what_the_tiles_swap(client, coach):
    player = make_player()
    history_of(player, [900.0, 910.0])
    response = client.get(
        f"/athletes/{player.pk}/?metric=peak_torso_omega",
        headers={"HX-Request": "true", "HX-Boosted": "true", "HX-Target": "numbers"},
    )
    assert b"<html" not in response.content
    assert figure_of(response, "trend-chart")["meta"]["y_unit"] == "°/s"


def test_athlete_of_two_hundred_sessions_pages_them(client, coach):
    player = make_player()
    for day in range(200):
        make_session(
            player=player, session_date=dt.date(2025, 1, 1) + dt.timedelta(days=day)
        )
    first = client.get(f"/athletes/{player.pk}/")
    assert first.content.decode().count("Waiting for Reboot Motion") == 20
    assert "page 1 of 10" in text_of(first)
    last = client.get(f"/athletes/{player.pk}/?page=99")
    assert "page 10 of 10" in text_of(last)
    assert "Jan 1, 2025" in text_of(last)


@pytest.mark.parametrize("count", [1, 3])
def test_athlete_page_takes_the_same_queries_for_any_history(
    client, coach, count, django_assert_num_queries
):
    player = make_player()
    history_of(player, [900.0] * count)
    # session, user, athlete, history, sides, scatter, count, sessions, their tags,
    # peers, tags, notes, goals, level
    with django_assert_num_queries(15):
        client.get(f"/athletes/{player.pk}/")
