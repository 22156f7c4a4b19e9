"""What an assistant is told: the same as a token of the JSON API, and no more."""

import datetime as dt
import json

import pytest
from django.http import Http404
from django.utils import timezone
from ninja.errors import HttpError

from accounts.models import Action, ApiToken, AuditEntry
from athletes.api import assistant
from athletes.decisions import set_setups
from athletes.identity import merging
from athletes.identity.session_parts import mark_parts
from athletes.models import Condition, Session
from biomechanics.definitions import METRICS, NUMERIC_HEADLINES
from tests import factories
from tests.athletes.test_api_changes import STEADY, sessions_of

pytestmark = pytest.mark.django_db

METRIC = "peak_torso_omega"


@pytest.fixture
def world():
    """An athlete of a team whose last session is faster, and one of no team."""
    team = factories.make_team()
    ours = factories.make_player(first_name="Larch", last_name="Ceres")
    theirs = factories.make_player(first_name="Rowan", last_name="Ceres")
    team.players.add(ours)
    made = sessions_of(ours, [*STEADY, 1000], METRIC, condition="tee")
    sessions_of(theirs, [900], METRIC)
    return team, ours, theirs, made


@pytest.fixture
def everybody(world):
    return ApiToken.objects.create(name="assistant", digest="0" * 64)


@pytest.fixture
def of_team(world):
    return ApiToken.objects.create(name="team", digest="1" * 64, team=world[0])


def test_athletes_are_found_by_name_with_nothing_but_their_name_and_side(
    world, everybody
):
    told = assistant.find_athletes(everybody, "ceres larch")
    assert told == {
        "total": 1,
        "athletes": [
            {
                "id": world[1].pk,
                "first_name": "Larch",
                "last_name": "Ceres",
                "dominant_hand_hitting": world[1].dominant_hand_hitting,
            }
        ],
    }
    assert assistant.find_athletes(everybody, "ceres", limit=1)["total"] == 2


def test_a_token_of_a_team_is_told_about_its_athletes_alone(world, of_team):
    _, ours, theirs, _ = world
    found = assistant.find_athletes(of_team)
    assert [row["id"] for row in found["athletes"]] == [ours.pk]
    assert found["total"] == 1
    other = theirs.sessions.get()
    for ask in (
        lambda: assistant.list_sessions(of_team, theirs.pk),
        lambda: assistant.what_changed(of_team, theirs.pk),
        lambda: assistant.what_changed(of_team, ours.pk, session=other.pk),
        lambda: assistant.metric_history(of_team, theirs.pk, METRIC),
    ):
        with pytest.raises(Http404):
            ask()


def test_sessions_come_latest_first_between_two_days(world, everybody):
    *_, ours, _, made = world
    told = assistant.list_sessions(
        everybody,
        ours.pk,
        since=made[1].session_date,
        until=made[3].session_date,
        limit=2,
    )
    assert told["total"] == 3
    assert [row["id"] for row in told["sessions"]] == [made[3].pk, made[2].pk]
    assert told["sessions"][0]["setup"] == "tee"


@pytest.mark.parametrize(
    ("own", "setup"), [(Condition.LIVE, "live"), ("", None)], ids=["live", "none"]
)
def test_a_session_of_several_setups_is_mixed_and_judged_by_that_of_most_swings(
    world, everybody, own, setup
):
    ours, name = world[1], "peak_pelvis_omega"
    session = factories.make_synced_session(
        player=ours, swings=5, condition="tee", session_date=dt.date(2026, 6, 1)
    )
    set_setups(movements=session.movements.order_by("position")[:3], setup=own)
    (row,) = assistant.list_sessions(everybody, ours.pk, since=session.session_date)[
        "sessions"
    ]
    assert (row["id"], row["setup"]) == (session.pk, "mixed")
    (told,) = assistant.what_changed(everybody, ours.pk, session=session.pk)["sessions"]
    (change,) = (one for one in told["changes"] if one["metric"] == name)
    assert (told["setup"], change["now"]) == (setup, {"mean": 620.0, "n": 3})
    points = assistant.metric_history(everybody, ours.pk, name)["points"]
    of_it = [one for one in points if one["session"] == session.pk]
    # Two averages that may not be compared with each other.
    assert sorted((one["mean"], one["swings"]) for one in of_it) == [
        (620.0, 3),
        (670.0, 2),
    ]
    assert len({one["comparable"] for one in of_it}) == 2


def test_what_the_vendor_no_longer_has_is_not_told(world, everybody):
    ours, made = world[1], world[3]
    last = made[-1]
    mark_parts(Session.objects.filter(pk=last.pk), timezone.now())
    told = assistant.list_sessions(everybody, ours.pk)
    assert told["total"] == len(made) - 1
    assert last.pk not in {row["id"] for row in told["sessions"]}
    with pytest.raises(Http404):
        assistant.what_changed(everybody, ours.pk, session=last.pk)
    (newest,) = assistant.what_changed(everybody, ours.pk)["sessions"]
    assert newest["session"] == made[-2].pk
    points = assistant.metric_history(everybody, ours.pk, METRIC)["points"]
    assert [one["session"] for one in points] == [one.pk for one in made[:-1]]


def test_a_merged_record_is_nobody_and_its_athlete_has_all(world, everybody):
    _, ours, theirs, made = world
    other = theirs.sessions.get()
    merging.merge(kept=ours, merged=theirs, by=None)
    assert assistant.find_athletes(everybody, "rowan")["athletes"] == []
    told = assistant.list_sessions(everybody, ours.pk)
    assert {row["id"] for row in told["sessions"]} == {
        other.pk,
        *(one.pk for one in made),
    }
    with pytest.raises(Http404):
        assistant.list_sessions(everybody, theirs.pk)


def test_an_athlete_without_a_name_has_none(everybody):
    player = factories.make_player(first_name="", last_name="")
    rows = assistant.find_athletes(everybody, limit=100)["athletes"]
    (row,) = (one for one in rows if one["id"] == player.pk)
    assert (row["first_name"], row["last_name"]) == (None, None)


def test_what_changed_is_what_the_json_path_says(client, world, everybody):
    *_, ours, _, made = world
    told = assistant.what_changed(everybody, ours.pk)
    headers = factories.make_token()
    path = client.get(f"/players/{ours.pk}/changes", headers=headers).json()
    (session,) = told["sessions"]
    assert session["changes"] == path["changes"]
    assert (session["session"], session["date"]) == (made[-1].pk, made[-1].session_date)
    (row,) = (row for row in session["changes"] if row["metric"] == METRIC)
    assert row["verdict"] == "real"
    assert told["method"] == path["method"]


def test_what_changed_since_a_day_has_every_session_from_it_on(
    monkeypatch, world, everybody
):
    *_, ours, _, made = world
    since = made[4].session_date
    told = assistant.what_changed(everybody, ours.pk, since=since)
    assert [one["session"] for one in told["sessions"]] == [
        made[6].pk,
        made[5].pk,
        made[4].pk,
    ]
    verdicts = [
        row["verdict"]
        for one in told["sessions"]
        for row in one["changes"]
        if row["metric"] == METRIC
    ]
    assert verdicts == ["real", "no_clear_change", "no_clear_change"]
    assert told["earlier_sessions_left_out"] == 0
    late = assistant.what_changed(everybody, ours.pk, since=dt.date(2027, 1, 1))
    assert late["sessions"] == []


def test_an_answer_says_how_many_sessions_it_left_out(world, everybody):
    *_, theirs, _ = world
    count = assistant.MOST_SESSIONS + 2
    for week in range(count):
        day = dt.date(2026, 6, 1) + dt.timedelta(weeks=week)
        factories.make_session(player=theirs, session_date=day)
    told = assistant.what_changed(everybody, theirs.pk, since=dt.date(2026, 6, 1))
    assert len(told["sessions"]) == assistant.MOST_SESSIONS
    assert told["earlier_sessions_left_out"] == 2


def test_a_history_says_which_points_may_be_compared(world, everybody):
    *_, ours, _, made = world
    made[0].condition = "live"
    made[0].save()
    told = assistant.metric_history(everybody, ours.pk, METRIC)
    assert [point["mean"] for point in told["points"]] == [*STEADY, 1000]
    assert [point["comparable"] for point in told["points"]] == [1, 2, 2, 2, 2, 2, 2]
    assert told["rests_on"]["1"]["in_words"] != told["rests_on"]["2"]["in_words"]
    assert (told["unit"], told["points"][0]["swings"]) == ("deg/s", 6)
    later = assistant.metric_history(
        everybody, ours.pk, METRIC, since=made[5].session_date, side="right"
    )
    assert [point["session"] for point in later["points"]] == [made[5].pk, made[6].pk]
    assert (
        assistant.metric_history(everybody, ours.pk, METRIC, side="left")["points"]
        == []
    )


def test_definitions_are_those_of_the_json_path(client, world, everybody):
    path = client.get("/definitions", headers=factories.make_token()).json()
    told = assistant.definitions(everybody, [METRIC])
    (own,) = (one for one in path["metrics"] if one["id"] == METRIC)
    assert json.loads(json.dumps(told["metrics"][0])) == own
    assert list(told["all_metrics"]) == list(METRICS)
    headline = assistant.definitions(everybody)["metrics"]
    assert [one["id"] for one in headline] == list(NUMERIC_HEADLINES)


def test_an_unknown_metric_is_refused(world, everybody):
    with pytest.raises(HttpError):
        assistant.definitions(everybody, ["no_such"])
    with pytest.raises(HttpError):
        assistant.metric_history(everybody, world[1].pk, "no_such")


def test_whatever_is_told_of_athletes_is_in_the_audit(world, of_team):
    ours = world[1]
    assistant.find_athletes(of_team, "Ceres")
    assistant.list_sessions(of_team, ours.pk)
    assistant.what_changed(of_team, ours.pk)
    assistant.metric_history(of_team, ours.pk, METRIC)
    assistant.definitions(of_team)
    entries = AuditEntry.objects.filter(action=Action.DATA_EXPORTED).order_by("pk")
    assert [
        (entry.token_id, entry.player_number, entry.detail) for entry in entries
    ] == [
        (of_team.pk, player, {"format": "mcp", "data_type": question})
        for player, question in (
            (None, "find_athletes"),
            (ours.pk, "list_sessions"),
            (ours.pk, "what_changed"),
            (ours.pk, "metric_history"),
        )
    ]
