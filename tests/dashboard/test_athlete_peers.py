"""Percentiles on the athlete's page: what is said, to whom, and from how many on."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from athletes import decisions
from athletes.analysis import peer_numbers, summaries
from athletes.models import Player
from tests.factories import (
    make_player,
    make_session,
    make_session_metric,
    make_team,
    make_user,
)

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 3, 1)


def crowd(number, *, metric="peak_hand_speed", start=20.0, years=14, **fields):
    """Athletes with one session each, 0.1 apart, the lowest first."""
    players = []
    for place in range(number):
        player = make_player(
            date_of_birth=dt.date(2026 - years, 1, 5),
            last_name=f"Neighbor {place}",
        )
        session = make_session(player=player, session_date=DAY, **fields)
        make_session_metric(
            session=session,
            metric=metric,
            mean=start + place / 10,
            basis="reference=hand_peak",
        )
        players.append(player)
    summaries.refresh_player_summaries(player.pk for player in players)
    return players


def words(client, player, user=None, query="", **headers):
    client.force_login(user or make_user(units="metric"))
    answer = client.get(f"/athletes/{player.pk}/{query}", headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_from_twenty_athletes_on_the_percentile_stands_there_with_n(client):
    players = crowd(20)
    page = words(client, players[12])
    assert "<strong>12 of 20</strong> lower" in page
    assert 'class="place__dot" cx="62.5%"' in page
    assert "among 20 athletes aged 13 to 14" in page
    assert "not a grade" in page


def test_from_a_hundred_athletes_on_it_is_a_percentile(client):
    players = crowd(100)
    page = words(client, players[62])
    assert (
        '<strong>63rd</strong> percentile <span class="muted">of 100 athletes</span>'
        in page
    )


def test_a_recorded_setup_does_not_make_percentiles_vanish(client):
    players = crowd(20)
    session = players[12].sessions.get()
    session.condition = "tee"
    decisions.save_conditions(session)
    page = words(client, players[12])
    assert "<strong>12 of 20</strong> lower" in page
    assert "Too few have this setup, so all setups count here" in page
    # The others are still compared with those who have none recorded either.
    other = words(client, players[3])
    assert "So far 19 have" not in other
    assert "<strong>3 of 20</strong> lower" in other
    crowd(19, condition="tee", start=10.0)
    again = words(client, players[12])
    assert "all setups are together" not in again
    assert "<strong>19 of 20</strong> lower" in again


def test_of_two_swings_there_is_no_percentile(client):
    players = crowd(20)
    session = make_session(player=players[0], session_date=dt.date(2026, 3, 8))
    make_session_metric(
        session=session,
        metric="peak_hand_speed",
        mean=25.0,
        n=2,
        basis="reference=hand_peak",
    )
    summaries.refresh_player_summaries([players[0].pk])
    page = words(client, players[0])
    assert "No percentile: needs 3 swings or more." in page


def test_among_nineteen_there_is_none_and_the_page_says_why(client):
    players = crowd(19)
    page = words(client, players[12])
    assert "appear once 20 athletes have a number" in page
    assert "So far 19 have." in page
    assert "place__dot" not in page


def test_one_number_of_too_few_says_so_beside_the_others(client):
    players = crowd(20)
    for player in players[:3]:
        make_session_metric(
            session=player.sessions.get(), metric="attack_angle", mean=9.0
        )
    summaries.refresh_player_summaries(player.pk for player in players)
    page = words(client, players[0])
    assert "3 athletes on the same basis; shown from 20 on." in page
    assert page.count("place__dot") == 1


def test_of_too_few_of_an_age_all_ages_are_the_group_and_the_page_says_so(client):
    players = crowd(15, years=14) + crowd(6, years=17, start=30.0)
    page = words(client, players[0])
    assert "among 21 athletes of all ages" in page
    assert "All ages are together." in page
    assert "15 athletes, needs 20" in page


def test_a_number_of_another_age_is_not_among_those_of_the_named_age(client):
    crowd(20, years=13)
    crowd(20, metric="peak_torso_omega", years=11, start=30.0)
    player = make_player(date_of_birth=dt.date(2013, 1, 5))
    for day, metric, mean in (
        (DAY, "peak_hand_speed", 21.05),
        (dt.date(2025, 6, 1), "peak_torso_omega", 31.05),
    ):
        make_session_metric(
            session=make_session(player=player, session_date=day),
            metric=metric,
            mean=mean,
            basis="reference=hand_peak",
        )
    summaries.refresh_player_summaries([player.pk])
    own = words(client, player)
    assert "among 21 athletes aged 13 to 14" in own
    assert own.count("place__dot") == 1
    assert "<strong>11 of 21</strong> lower" in own
    assert "Not compared: measured at a different age." in own
    everyone = words(client, player, query="?among=all")
    assert "Not compared: measured" not in everyone
    assert everyone.count("<strong>11 of 21</strong> lower") == 2


def test_age_or_everyone_as_the_reader_wishes(client):
    players = crowd(20, years=14, start=20.0) + crowd(20, years=17, start=10.0)
    own = words(client, players[0])
    assert "<strong>0 of 20</strong> lower" in own
    everyone = words(client, players[0], query="?among=all")
    assert "<strong>20 of 40</strong> lower" in everyone
    assert "among 40 athletes of all ages" in everyone


def test_an_unknown_wish_is_the_usual_group(client):
    players = crowd(20)
    assert "aged 13 to 14" in words(client, players[0], query="?among=nonsense")


def test_the_middle_half_of_the_chosen_number(client):
    players = crowd(20)
    page = words(client, players[0], query="?metric=peak_hand_speed")
    assert page.count("half of the 20 athletes lie between") == 1
    middle = page.split("lie between")[1].split("</p>")[0]
    for value in ("20.4", "21.4", "20.9"):
        assert value in middle


def test_conditions_are_named_and_not_mixed(client):
    players = crowd(20, condition="tee")
    crowd(5, condition="machine")
    page = words(client, players[0])
    assert "Tee · times from: peak hand speed · single-camera" in page
    assert "among 20 athletes" in page


def limited(players):
    coach = make_user(limited_to_teams=True, units="metric")
    make_team(players=players, members=[coach])
    return coach


def test_a_coach_of_one_team_is_compared_with_whom_he_sees(client):
    players = crowd(30)
    coach = limited(players[::2] + players[1:11:2])
    page = words(client, players[4], user=coach, query="?metric=peak_hand_speed")
    assert "Among the athletes you see" in page
    assert "among 20 athletes you see, aged 13 to 14" in page
    # 0 to 10 are theirs, then every second one.
    assert "<strong>4 of 20</strong> lower" in page
    middle = page.split("lie between")[1].split("</p>")[0]
    for value in ("20.4", "20.9", "21.8"):
        assert value in middle
    staff = words(client, players[4])
    assert "Among this facility’s athletes" in staff
    assert "among 30 athletes aged 13 to 14" in staff
    assert "<strong>4 of 30</strong> lower" in staff


def test_of_fewer_than_twenty_seen_a_coach_is_told_no_place(client):
    players = crowd(40)
    coach = limited(players[:19])
    page = words(client, players[4], user=coach)
    assert "appear once 20 athletes you see have a number" in page
    assert "So far 19 have." in page
    assert "place__dot" not in page


def test_nothing_that_a_coach_of_one_team_is_told_hangs_on_others(client):
    players = crowd(24)
    coach = limited(players[2:22])
    pages = [f"?metric=peak_hand_speed&among={among}" for among in ("age", "all")]
    # Of the forms, new each time.
    secrets = re.compile(r'\b\w{64}\b|(?<=name="once" value=")[^"]*')

    def told():
        return [
            secrets.sub("", words(client, player, user=coach, query=query))
            for player in (players[2], players[12])
            for query in pages
        ]

    before = told()
    # Others go, come, and swing as nobody did before.
    crowd(3, start=0.0)
    crowd(3, start=90.0)
    make_session_metric(
        session=make_session(player=players[0], session_date=DAY + dt.timedelta(1)),
        metric="peak_hand_speed",
        mean=21.15,
        basis="reference=hand_peak",
    )
    summaries.refresh_player_summaries([players[0].pk])
    peer_numbers.withdraw([players[23].pk])
    assert told() == before


def test_who_is_no_longer_listed_is_not_compared(client):
    players = crowd(21)
    Player.objects.filter(pk=players[0].pk).update(missing_since="2026-03-02T00:00Z")
    peer_numbers.refresh([players[0].pk])
    assert "aren't compared with others" in words(client, players[0])
    assert "among 20 athletes" in words(client, players[1])


def test_an_athlete_without_numbers_has_no_such_part(client):
    assert 'id="peers"' in words(client, crowd(1)[0])
    assert 'id="peers"' not in words(client, make_player())


def test_the_definition_opens_in_place_and_has_a_page(client):
    players = crowd(20)
    url = "/athletes/definitions/facility_percentile/"
    assert f'hx-get="{url}"' in words(client, players[0])
    inside = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "mid-rank" in inside
    assert "<h1" not in inside
    assert "<h1>Percentile within the facility</h1>" in client.get(url).content.decode()
    assert "mid-rank" in client.get("/athletes/definitions/").content.decode()


def test_the_page_asks_the_same_questions_of_any_number_of_athletes(client):
    players = crowd(20)
    client.force_login(make_user())
    counts = []
    for _ in range(2):
        client.get(f"/athletes/{players[0].pk}/")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/athletes/{players[0].pk}/")
        counts.append(len(queries))
        crowd(20)
    assert counts[0] == counts[1]


def test_by_itself_the_part_is_what_htmx_asks_for(client):
    players = crowd(20)
    assert "<h1" in words(client, players[0])
    part = words(client, players[0], **{"HX-Request": "true"})
    assert "place__dot" in part
    assert "<h1" not in part


def test_names_are_true_of_the_event_that_stands_in_for_contact(client):
    players = crowd(20, metric="time_to_ref", start=140.0)
    page = words(client, players[12], query="?metric=time_to_ref")
    assert "<strong>12 of 20</strong> lower" in page
    assert "Time to peak hand speed: half of the 20 athletes" in page
    assert "Time to peak hand speed by session, newest first" in page
    assert "Time to contact" not in page
