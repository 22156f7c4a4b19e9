"""Parts of pages that are kept from one look to the next are never out of date."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.template import Context, Template

from accounts.models import User
from athletes import decisions
from athletes.models import Condition, Inclusion, Session
from dashboard.plain_charts.kept import KeptByContent
from dashboard.templatetags import display, plain_charts


def forget() -> None:
    """As a process that has shown nothing yet."""
    for kept in (
        display._mini_chart,
        display._value_drawn,
        display._average_tile,
        display._metric_tile,
    ):
        kept.cache_clear()
    for one in (plain_charts._words, plain_charts._table_drawn):
        one._kept.clear()


def exclude(session: Session, user: User) -> None:
    swing = session.movements.filter(is_swing=True).in_session_order()[0]
    decisions.set_inclusion(
        movement=swing, inclusion=Inclusion.EXCLUDED, reason="A miss", user=user
    )


def move_an_event(session: Session, user: User) -> None:
    swing = session.movements.filter(is_swing=True).in_session_order()[1]
    time_s = swing.automatic_events["foot_down"]["time_s"] - 0.02
    decisions.move_event(
        movement=swing, event="foot_down", time_s=time_s, reason="Late", user=user
    )


def state_a_setup(session: Session, user: User) -> None:
    session.condition = Condition.TEE
    decisions.save_conditions(session)


def choose_units(session: Session, user: User) -> None:
    user.units = "metric"
    user.save()


CHANGES = [exclude, move_an_event, state_a_setup, choose_units]


def pages(client: Any, session: Session) -> list[str]:
    swings = list(session.movements.filter(is_swing=True).in_session_order()[:2])
    paths = [
        f"/athletes/{session.player_id}/",
        f"/athletes/sessions/{session.pk}/",
        *(f"/athletes/swings/{swing.pk}/?tables=all&numbers=all" for swing in swings),
        f"/athletes/compare/?items=swing-{swings[0].pk},swing-{swings[1].pk}",
    ]
    found = [client.get(path) for path in paths]
    assert {answer.status_code for answer in found} == {200}
    # Tokens of forms are new each time.
    return [
        re.sub(r'[A-Za-z0-9_-]{40,64}(?=["&])', "", answer.content.decode())
        for answer in found
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES)
def test_pages_after_a_change_are_those_of_a_process_that_kept_nothing(
    client: Any, coach: Any, session: Session, change: Callable[..., None]
) -> None:
    before = pages(client, session)
    assert pages(client, session) == before
    change(session, coach)
    after = pages(client, session)
    assert after != before
    forget()
    assert pages(client, session) == after


@pytest.mark.django_db
def test_an_athlete_of_others_stays_out_of_sight_when_their_page_is_kept(
    client: Any, coach: Any, session: Session
) -> None:
    pages(client, session)
    coach.limited_to_teams = True
    coach.save()
    assert client.get(f"/athletes/sessions/{session.pk}/").status_code == 404


def test_another_content_is_found_anew_and_the_oldest_is_forgotten() -> None:
    asked = []

    def find(figure: Any, text: str) -> str:
        asked.append((figure["n"], text))
        return f"{figure['n']} {text}"

    kept = KeptByContent(find, most=2)
    assert [kept({"n": n}, "a") for n in (1, 2, 1)] == ["1 a", "2 a", "1 a"]
    assert kept({"n": 1}, "b") == "1 b"
    assert asked == [(1, "a"), (2, "a"), (1, "b")]
    # The second was asked for longest ago.
    kept({"n": 2}, "a")
    assert asked[-1] == (2, "a")
    kept({"n": 1.0}, "b")
    assert asked[-1] == (1.0, "b")
    assert len(asked) == 5


@pytest.mark.parametrize("units", ["imperial", "metric"])
def test_an_average_is_drawn_as_its_component(units: str) -> None:
    from athletes.analysis.metric_reading import MetricReading
    from biomechanics.definitions import METRICS

    one = MetricReading(METRICS["peak_hand_speed"], 9.5, n=3, sd=0.4)
    for reading in (
        one,
        MetricReading(METRICS["peak_bat_omega"], None, reason="<none>"),
    ):
        context = Context({"reading": reading, "units": units, "counted": 4})
        drawn = Template("{% load display %}{% average_tile reading counted %}").render(
            context
        )
        included = Template('{% include "components/metric_tile.html" %}').render(
            context
        )
        assert drawn == included


def test_a_tile_with_the_same_goal_said_otherwise_is_drawn_anew() -> None:
    from types import SimpleNamespace

    from athletes.analysis.metric_reading import MetricReading
    from biomechanics.definitions import METRICS

    reading = MetricReading(METRICS["peak_hand_speed"], 9.5, n=3, sd=0.4)
    tag = "{% load display %}{% metric_tile reading=reading goals=goals href='?a=1' %}"
    for words in ("Goal 20 mph by Mar 1", "Goal 21 mph by Mar 1"):
        goals = (SimpleNamespace(words=words, setup="tee"),)
        context = Context({"reading": reading, "goals": goals, "units": "imperial"})
        drawn = Template(tag).render(context)
        context["href"] = "?a=1"
        included = Template('{% include "components/metric_tile.html" %}')
        assert drawn == included.render(context)
        assert words in drawn


def test_an_address_is_that_of_where_the_site_lies() -> None:
    from django.urls import set_script_prefix

    tag = Template("{% load display %}{% address 'dashboard:athlete' 7 %}")
    assert tag.render(Context()) == "/athletes/7/"
    set_script_prefix("/swings/")
    try:
        assert tag.render(Context()) == "/swings/athletes/7/"
    finally:
        set_script_prefix("/")


def test_a_day_is_that_of_the_zone_in_which_it_is_asked_for() -> None:
    late = dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC)
    later = late.astimezone(dt.timezone(dt.timedelta(hours=2)))
    assert late == later
    assert ["Mar 1, 2026" in display.day(at) for at in (late, later)] == [True, False]
    assert "Mar 2, 2026" in display.day(later)
    assert display.day(dt.date(2026, 3, 2)) == (
        '<time datetime="2026-03-02" class="nowrap">Mar 2, 2026</time>'
    )
