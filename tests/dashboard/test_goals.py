"""Goals: set, shown on tile and trend, edited, ended, deleted; by whom."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Action, AuditEntry
from athletes.models import Goal
from dashboard.plain_charts.picture import still_picture
from dashboard.selectors.goals import goal_in_words
from tests.dashboard.page_contents import figure_of, history_of, text_of
from tests.factories import make_goal, make_player, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db

METRIC = "peak_torso_omega"


def login(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")


def in_days(days):
    return timezone.localdate() + dt.timedelta(days=days)


@pytest.fixture
def player():
    player = make_player()
    history_of(player, [900.0, 902.0, 898.0, 1000.0])
    return player


def test_a_goal_is_set_in_the_readers_units_and_kept_in_ours(client, coach, player):
    sent = {"metric": "peak_hand_speed", "low": "25", "by": in_days(30).isoformat()}
    answer = client.post(f"/athletes/{player.pk}/goals/", sent)
    assert answer.status_code == 302
    assert answer.url == f"/athletes/{player.pk}/?metric=peak_hand_speed#numbers"
    goal = Goal.objects.get()
    assert (goal.player, goal.created_by, goal.condition) == (player, coach, "")
    assert goal.low == goal.high == pytest.approx(25 * 0.44704)
    assert goal_in_words(goal, "imperial").startswith("Goal 25 mph by ")
    assert goal_in_words(goal, "metric").startswith("Goal 11.18 m/s by ")
    # Whoever edits only the note changes no value, whatever units they read.
    coach.units = "metric"
    coach.save()
    page = client.get(f"/athletes/goals/{goal.pk}/")
    assert page.context["form"]["low"].value() == 11.18
    sent = {**sent, "low": "11.18", "note": "after the break"}
    client.post(f"/athletes/goals/{goal.pk}/", sent)
    before = goal.low
    goal.refresh_from_db()
    assert (goal.low, goal.high, goal.note) == (before, before, "after the break")


def test_a_goal_is_kept_in_the_units_that_its_form_was_shown_in(client, coach, player):
    url = f"/athletes/{player.pk}/goals/"
    shown = client.get(url)
    assert (
        '<input type="hidden" name="units" value="imperial"' in shown.content.decode()
    )
    sent = {
        "metric": "peak_hand_speed",
        "low": "25",
        "by": in_days(30).isoformat(),
        "units": "imperial",
    }
    # The reader's units change in another tab while the form is open.
    coach.units = "metric"
    coach.save()
    answer = client.post(url, {**sent, "low": "nan"})
    assert answer.status_code == 422
    assert "Peak hand speed (mph)" in text_of(answer)
    assert client.post(url, sent).status_code == 302
    goal = Goal.objects.get()
    assert goal.low == goal.high == pytest.approx(25 * 0.44704)
    # What was not changed in such a form stays as it was.
    edited = f"/athletes/goals/{goal.pk}/"
    assert client.post(edited, {**sent, "note": "again"}).status_code == 302
    before = goal.low
    goal.refresh_from_db()
    assert (goal.low, goal.note) == (before, "again")
    refused = client.post(edited, {**sent, "low": "30", "units": "furlongs"})
    assert refused.status_code == 422
    assert "Not saved: the units are not known." in text_of(refused)
    goal.refresh_from_db()
    assert goal.low == before


def test_what_is_refused_is_said_and_nothing_typed_is_lost(client, coach, player):
    make_goal(player=player, metric=METRIC, condition="tee")
    url = f"/athletes/{player.pk}/goals/"
    good = {
        "metric": METRIC,
        "low": "1000",
        "high": "1100",
        "by": in_days(0).isoformat(),
        "note": "keep this",
    }
    for wrong, words in (
        ({"high": "900"}, "The upper end is below the lower one."),
        ({"by": in_days(-1).isoformat()}, "Choose today or a later day."),
        ({"by": "soon"}, "Enter the date as YYYY-MM-DD."),
        ({"low": "nan"}, "Enter a number."),
        ({"condition": "tee"}, "This number and setup already have a goal."),
        ({"metric": "kinematic_sequence"}, "Select a valid choice."),
    ):
        answer = client.post(url, {**good, **wrong})
        assert answer.status_code == 422, wrong
        assert words in text_of(answer)
        assert 'value="keep this"' in answer.content.decode()
    assert client.post(url, good).status_code == 302
    goal = Goal.objects.latest("pk")
    assert (goal.low, goal.high) == (1000.0, 1100.0)
    assert goal_in_words(goal, "imperial").startswith("Goal 1,000 to 1,100°/s by ")


def test_tile_and_trend_show_the_goal_of_their_setup(client, coach, player):
    by = in_days(400)
    shown = make_goal(player=player, metric=METRIC, low=1100.0, by=by)
    make_goal(player=player, metric=METRIC, low=1200.0, condition="live")
    make_goal(player=player, metric=METRIC, low=1300.0, ended_at=timezone.now())
    words = f"Goal 1,100°/s by {by:%b} {by.day}, {by.year}"
    page = client.get(f"/athletes/{player.pk}/?metric={METRIC}")
    html = page.content.decode()
    assert html.count(f'<span class="metric-tile__goal">{words}</span>') == 1
    assert "Goal 1,200" not in html[: html.index('id="goals"')]
    assert "Goal 1,300" not in html
    figure = figure_of(page, "trend-chart")
    (goal,) = [trace for trace in figure["data"] if trace["role"] == "goal"]
    assert (goal["name"], goal["lower"], goal["upper"]) == (
        words,
        [1100.0, 1100.0],
        [1100.0, 1100.0],
    )
    # A day far off does not press the sessions to the edge.
    days = [
        dt.date.fromisoformat(day) for trace in figure["data"] for day in trace["x"]
    ]
    last = max(
        dt.date.fromisoformat(day)
        for trace in figure["data"]
        if trace["role"] == "trend"
        for day in trace["x"]
    )
    assert max(days) == last + dt.timedelta(days=60)
    # The words below the chart and its picture without script say it too.
    assert f"{words}." in text_of(page)
    assert words in still_picture(figure, "Trend").decode()
    # Several setups drawn apart: a goal is for one of them.
    mixed = client.get(f"/athletes/{player.pk}/?metric={METRIC}&mixed=1")
    roles = {trace["role"] for trace in figure_of(mixed, "trend-chart")["data"]}
    assert "goal" not in roles
    shown.ended_at = timezone.now()
    shown.save()
    page = client.get(f"/athletes/{player.pk}/?metric={METRIC}")
    assert "metric-tile__goal" not in page.content.decode()


def test_who_may_set_end_and_delete(client, coach, player):
    goal = make_goal(player=player, created_by=coach)
    edit, end = f"/athletes/goals/{goal.pk}/", f"/athletes/goals/{goal.pk}/end/"
    delete = f"/athletes/goals/{goal.pk}/delete/"
    elsewhere = make_user(limited_to_teams=True)
    make_team(members=[elsewhere])
    login(client, elsewhere)
    for url in (edit, end, delete, f"/athletes/{player.pk}/goals/"):
        assert client.post(url).status_code == 404
    assert client.get(edit).status_code == 404
    # Coaches work together: each may end it, and show it again.
    login(client, make_user())
    assert client.post(end).status_code == 302
    goal.refresh_from_db()
    assert goal.ended_at is not None
    assert "Ended goals" in text_of(client.get(f"/athletes/{player.pk}/goals/"))
    client.post(end, {"undo": "1"})
    goal.refresh_from_db()
    assert goal.ended_at is None
    assert client.post(delete).status_code == 403
    login(client, make_staff())
    assert client.post(delete).status_code == 302
    assert not Goal.objects.exists()
    entries = AuditEntry.objects.filter(subject_type="athletes.goal").order_by("pk")
    assert [(e.action, e.player_number, e.detail["what"]) for e in entries] == [
        (Action.RECORD_CHANGED, player.pk, "goal ended"),
        (Action.RECORD_CHANGED, player.pk, "goal reopened"),
        (Action.RECORD_DELETED, player.pk, "goal deleted"),
    ]
