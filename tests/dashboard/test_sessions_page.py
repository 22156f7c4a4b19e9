"""The list of all sessions as a coach gets it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import timezone

from athletes.models import DataState, Session, Tag
from dashboard.selectors.session_list import days_of
from tests.dashboard.page_contents import history_of, text_of
from tests.factories import make_player, make_session, make_team

pytestmark = pytest.mark.django_db


def listed(client, **query):
    """The athletes' names and the days of the rows, in their order."""
    body = client.get("/athletes/sessions/", query).content.decode()
    rows = re.findall(
        r'<tr role="row" class="row-of-link">\s*<th scope="row".*?</tr>', body, re.S
    )
    found = []
    for row in rows:
        words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).split()
        day = re.search(r'datetime="([\d-]+)"', row)
        found.append((words[1].rstrip(","), day[1] if day else ""))
    return found


def session_on(name, day, **fields):
    """A session of an athlete with this first name."""
    return make_session(
        player=make_player(first_name=name, last_name=f"of {name}"),
        session_date=day and dt.date.fromisoformat(day),
        **fields,
    )


@pytest.fixture
def three(db):
    """Three athletes' sessions, the last one without a day."""
    return [
        session_on("Ash", "2026-03-01", condition="tee", swing_count=4),
        session_on("Bay", "2026-03-08", condition="live", swing_count=9),
        session_on("Elm", None, swing_count=2),
    ]


@pytest.mark.both
@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("", "Bay Ash Elm"),
        ("date", "Ash Bay Elm"),
        ("-date", "Bay Ash Elm"),
        ("athlete", "Ash Bay Elm"),
        ("-athlete", "Elm Bay Ash"),
        ("-swings", "Bay Ash Elm"),
        ("nonsense", "Ash Bay Elm"),
    ],
)
def test_sessions_stand_in_the_order_asked_for(client, coach, three, sort, names):
    assert [name for name, _ in listed(client, sort=sort)] == names.split()


@pytest.mark.both
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "BÁY, of"}, "Bay"),
        ({"q": "bayy"}, "Bay"),
        ({"setup": "tee"}, "Ash"),
        ({"setup": "none"}, "Elm"),
        ({"start": "2026-03-02"}, "Bay"),
        ({"end": "2026-03-02"}, "Ash"),
        ({"start": "2026-03-01", "end": "2026-03-08"}, "Bay Ash"),
        ({"tag": "varsity"}, "Ash"),
        ({"tag": "gone"}, ""),
        ({"q": "%"}, ""),
    ],
)
def test_sessions_are_filtered(client, coach, three, query, names):
    tag = Tag.objects.create(name="varsity")
    tag.sessions.add(three[0])
    tag.players.add(three[1].player)
    assert [name for name, _ in listed(client, **query)] == names.split()


@pytest.mark.both
def test_sessions_are_filtered_by_the_quality_of_their_swings(client, coach):
    for name, good, usable, poor in (
        ("Ash", 3, 0, 0),
        ("Bay", 2, 1, 0),
        ("Elm", 2, 0, 1),
        ("Fir", 0, 0, 0),
    ):
        session_on(
            name,
            "2026-03-01",
            data_state=DataState.COMPLETE,
            summary={"quality": {"good": good, "usable": usable, "poor": poor}},
        )
    session_on("Oak", "2026-03-01", data_state=DataState.PARTIAL, summary={})
    by_quality = {
        quality: {name for name, _ in listed(client, quality=quality)}
        for quality in ("", "good", "poor", "incomplete")
    }
    assert by_quality == {
        "": {"Ash", "Bay", "Elm", "Fir", "Oak"},
        "good": {"Ash"},
        "poor": {"Elm"},
        "incomplete": {"Oak"},
    }


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ("today", ("2026-11-26", "2026-11-26")),
        ("week", ("2026-11-23", "2026-11-26")),
        ("30", ("2026-10-28", "2026-11-26")),
        ("season", ("2026-09-01", "2026-11-26")),
    ],
)
def test_named_spans_end_today(period, days):
    found = days_of(period, dt.date(2026, 11, 26))
    assert [day.isoformat() for day in found] == list(days)
    assert days_of("", dt.date(2026, 11, 26)) is None
    assert days_of("season", dt.date(2026, 8, 31))[0] == dt.date(2025, 9, 1)


def test_today_shows_sessions_of_today_alone(client, coach):
    today = timezone.localdate()
    session_on("Ash", today.isoformat())
    session_on("Bay", (today - dt.timedelta(days=1)).isoformat())
    assert [name for name, _ in listed(client, period="today")] == ["Ash"]


@pytest.mark.both
@pytest.mark.parametrize("sort", ["-date", "date", "athlete", "-athlete", "-swings"])
def test_pages_show_every_session_once(client, coach, sort):
    for number in range(70):
        day = dt.date(2026, 1, 1) + dt.timedelta(days=number // 3)
        session_on(f"N{number:02d}", None if number % 9 == 0 else day.isoformat())
    url, found = f"?sort={sort}", []
    while url:
        response = client.get(f"/athletes/sessions/{url}")
        body = response.content.decode()
        found += re.findall(r">of N\d\d, (N\d\d)<", body)
        following = re.search(r'rel="next" href="([^"]+)"', body)
        url = following and following[1].replace("&amp;", "&")
    assert len(found) == 70
    assert len(set(found)) == 70
    assert "70 sessions" in text_of(response)


def test_rows_say_what_changed(client, coach):
    history_of(make_player(first_name="Ash"), [900.0, 905.0, 895.0, 900.0, 1900.0])
    rows = text_of(client.get("/athletes/sessions/")).split(", Ash")
    assert "Mar 29, 2026" in rows[1]
    assert "+1,000 °/s vs. last 4 sessions" in rows[1]
    assert "Mar 22, 2026" in "".join(rows)
    assert "First session of this kind." in "".join(rows)


@pytest.mark.parametrize("count", [1, 6])
def test_the_list_takes_the_same_queries_for_any_number_of_sessions(
    client, coach, count, django_assert_num_queries
):
    for _ in range(count):
        history_of(make_player(), [900.0, 910.0])
    # session, user, tags, sessions, history, sides, scatter, tray
    with django_assert_num_queries(8):
        client.get("/athletes/sessions/")


def test_a_coach_sees_sessions_and_tags_of_their_teams_alone(client, coach, three):
    Tag.objects.create(name="seen").sessions.add(three[0])
    Tag.objects.create(name="unseen").sessions.add(three[1])
    make_team(players=[three[0].player], members=[coach])
    coach.limited_to_teams = True
    coach.save()
    assert [name for name, _ in listed(client)] == ["Ash"]
    body = client.get("/athletes/sessions/").content.decode()
    assert '<option value="seen">' in body
    assert "unseen" not in body


@pytest.mark.parametrize("sort", ["-date", "date", "athlete", "-swings"])
def test_a_page_begins_behind_no_session_of_another_team(client, coach, three, sort):
    make_team(players=[three[0].player, three[2].player], members=[coach])
    coach.limited_to_teams = True
    coach.save()
    url = "/athletes/sessions/"
    first = client.get(url, {"sort": sort}, headers={"HX-Request": "true"})
    hidden = three[1].pk
    for name in ("after", "before"):
        guessed = client.get(
            url, {"sort": sort, name: hidden}, headers={"HX-Request": "true"}
        )
        assert text_of(guessed) == text_of(first)


def test_what_the_vendor_no_longer_has_is_not_listed(client, coach, three):
    Session.objects.filter(pk=three[1].pk).update(missing_since=three[1].created_at)
    assert [name for name, _ in listed(client)] == ["Ash", "Elm"]


def test_a_tag_leads_to_what_has_it(client, coach, three):
    tag = Tag.objects.create(name="front foot")
    tag.sessions.add(three[0])
    tag.players.add(three[1].player)
    session = client.get(f"/athletes/sessions/{three[0].pk}/").content.decode()
    assert 'href="/athletes/sessions/?tag=front%20foot"' in session
    athlete = client.get(f"/athletes/{three[1].player.pk}/").content.decode()
    assert 'href="/athletes/?tag=front%20foot"' in athlete


def test_the_list_answers_htmx_with_the_table_alone(client, coach, three):
    fragment = client.get("/athletes/sessions/", headers={"HX-Request": "true"})
    assert b"<html" not in fragment.content
    assert "Undated session" in text_of(fragment)


def test_an_empty_list_teaches(client, coach):
    assert "Sessions will be listed here, latest first." in text_of(
        client.get("/athletes/sessions/")
    )
    assert "No session matches" in text_of(client.get("/athletes/sessions/?setup=tee"))
