"""What the page of a comparison offers to add, and the rules by which it is marked."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import timezone

from athletes.analysis import run, session_summary
from athletes.analysis.history import histories
from athletes.analysis.marked_sessions import fastest_session
from athletes.analysis.marked_swings import FASTEST_BY
from athletes.models import Session
from dashboard.selectors.compare_choices import (
    Known,
    choices_beside,
    choices_of_athlete,
)
from dashboard.selectors.compare_items import load_items
from dashboard.selectors.compare_keys import parse_items
from tests.dashboard.page_contents import swings_of, text_of
from tests.factories import (
    make_player,
    make_session,
    make_staff,
    make_swing,
    make_team,
    make_user,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db

COMPARE, PICK = "/athletes/compare/", "/athletes/compare/pick/"
TODAY = dt.date(2026, 11, 30)
LEAP_SEASON = "20270901-20280831"


def session_on(player, date, speed=10.0, condition="tee", swings=3, **fields):
    """A session with swings of this hand speed in m/s."""
    session = make_session(
        player=player,
        session_date=date,
        condition=condition,
        swing_count=swings,
        **fields,
    )
    for offset in range(swings):
        make_swing({"peak_hand_speed": speed + offset / 10}, session=session)
    session_summary.refresh_session_summary(session.pk)
    return session


def day(month, number=1, year=2026):
    return dt.date(year, month, number)


@pytest.fixture
def ada():
    return make_player(first_name="Ada", last_name="Quill")


def offered(response):
    """Key of each thing that can be added, with its words."""
    body = response.content.decode()
    found = re.findall(
        r'<a class="option option--choice" id="pick-([\w-]+)".*?</a>', body
    )
    return found


def key(session):
    return f"session-{session.pk}"


# --- Finding --------------------------------------------------------------------------


def test_athletes_are_found_by_any_part_of_their_name(client, coach):
    players = [make_player(last_name=f"Pickable{place}") for place in range(9)]
    response = client.get(f"{PICK}?q=pickable")
    names = re.findall(r"<bdi>(.*?)</bdi>", response.content.decode())
    assert names == [player.full_name for player in players[:8]]
    assert "More athletes match: type more of the name." in text_of(response)
    assert "No athlete by that name." in text_of(client.get(f"{PICK}?q=nobody"))
    for empty in ("", "%20%20"):
        assert "<bdi>" not in client.get(f"{PICK}?q={empty}").content.decode()


def test_the_only_one_that_fits_is_opened(client, coach, ada):
    make_player(last_name="Quince")
    session = session_on(ada, day(3))
    assert key(session) in offered(client.get(f"{PICK}?q=quill"))
    assert offered(client.get(f"{PICK}?q=qui")) == []
    opened = client.get(f"{PICK}?q=qui&pick={ada.pk}")
    assert key(session) in offered(opened)
    # What was opened before does not stand below names that it does not fit.
    other = make_player(last_name="Rowan")
    session_on(other, day(3))
    assert offered(client.get(f"{PICK}?q=qui&pick={other.pk}")) == []


def test_a_typing_error_is_forgiven(client, coach, ada):
    rowan = make_player(last_name="Rowan")
    session = session_on(ada, day(3))
    found = client.get(f"{PICK}?q=quil%20adda")
    # As the search in the header says it; the only one who is meant is opened.
    assert "No athlete is named “quil adda”. Similar names: Ada Quill" in text_of(found)
    assert key(session) in offered(found)
    assert rowan.full_name not in text_of(found)
    header = client.get(
        "/athletes/search/?q=quil%20adda", headers={"HX-Request": "true"}
    )
    assert "Ada Quill" in text_of(header)
    assert "Similar names" not in text_of(client.get(f"{PICK}?q=quill"))


def test_who_may_not_see_an_athlete_finds_none(client, ada):
    session = session_on(ada, day(3))
    mine = make_player(last_name="Quince")
    coach = make_user(limited_to_teams=True)
    make_team(players=[mine], members=[coach])
    client.force_login(coach, "django.contrib.auth.backends.ModelBackend")
    swing = swings_of(session)[0]
    for query in (
        "q=quill",
        f"pick={ada.pk}",
        f"q=quill&pick={ada.pk}",
        f"pick={mine.pk}&swings={session.pk}",
        f"items=session-{session.pk}&pick={ada.pk}&swings={session.pk}",
    ):
        for address in (PICK, COMPARE):
            page = client.get(f"{address}?{query}").content.decode()
            assert "Quill" not in page
            assert f"swing-{swing.pk}" not in page


@pytest.mark.parametrize("query", ["pick=x", "pick=²", "pick=" + "9" * 30, "at=-1"])
def test_what_is_no_number_opens_nothing(client, coach, query):
    assert client.get(f"{PICK}?{query}").status_code == 200


# --- Sessions and swings --------------------------------------------------------------


def test_all_sessions_are_there_in_pages(client, coach, ada):
    sessions = [session_on(ada, day(1, n), swings=1) for n in range(1, 24)]
    make_session(player=ada, session_date=day(2), swing_count=0)
    gone = session_on(ada, day(3))
    gone.missing_since = timezone.now()
    gone.save()
    newest_first = [key(session) for session in reversed(sessions)]
    for page, here, words in (
        (1, newest_first[:10], "1 to 10 of 23"),
        (2, newest_first[10:20], "11 to 20 of 23"),
        (3, newest_first[20:], "21 to 23 of 23"),
        (99, newest_first[20:], "21 to 23 of 23"),
    ):
        response = client.get(f"{PICK}?pick={ada.pk}&at={page}")
        listed = response.content.decode().split('class="picker__sessions"')[1]
        assert re.findall(r'id="pick-(session-\d+)"', listed) == here
        assert words in text_of(response)
    assert "Jan 23, 2026 1 swing · Tee" in text_of(client.get(f"{PICK}?pick={ada.pk}"))


def test_swings_of_a_session_have_their_marks(client, coach, ada):
    session = make_session(player=ada, swing_count=4)
    store_simulated(session, simulated_movements())
    run.analyze_session(session.pk)
    response = client.get(f"{PICK}?pick={ada.pk}&swings={session.pk}")
    swings = swings_of(session)
    assert [one for one in offered(response) if one.startswith("swing")] == [
        f"swing-{swing.pk}" for swing in swings
    ]
    shown = client.get(f"/athletes/sessions/{session.pk}/").context["strip"]
    (typical,) = [tile.swing.position for tile in shown if tile.is_typical]
    (fastest,) = [tile.swing.position for tile in shown if tile.fastest]
    (opened,) = response.context["sessions"]
    marks = {one["swing"].label: one["swing"].marks for one in opened["swings"]}
    assert "typical" in marks[f"Swing {typical}"]
    assert "fastest by" in marks[f"Swing {fastest}"]
    assert sum("typical" in mark for mark in marks.values()) == 1
    assert sum("fastest" in mark for mark in marks.values()) == 1


def test_what_is_in_is_taken_out_by_the_same_button(client, coach, ada):
    one, two = session_on(ada, day(1)), session_on(ada, day(2))
    response = client.get(f"{COMPARE}?items={key(one)}&pick={ada.pk}")
    body = response.content.decode()
    (add,) = re.findall(
        rf'id="pick-{key(two)}" href="(.*?)"', body.split("Sessions")[-1]
    )
    assert f"?items={key(one)},{key(two)}&" in add
    both = client.get(add.replace("&amp;", "&"))
    # The picker stays open at the same athlete.
    assert f"pick={ada.pk}" in add
    (out,) = re.findall(
        rf'id="pick-{key(two)}" href="(.*?)"[^>]*aria-current="true"',
        both.content.decode().split('class="picker__sessions"')[1],
    )
    assert f"?items={key(one)}&" in out
    assert "Remove B, Feb 1, 2026" in text_of(both)


def test_with_six_there_is_nothing_to_add(client, coach, ada):
    sessions = [session_on(ada, day(month), swings=1) for month in range(1, 8)]
    items = ",".join(map(key, sessions[:6]))
    response = client.get(f"{COMPARE}?items={items}")
    assert "You can compare up to six" in text_of(response)
    assert set(offered(response)) == {key(session) for session in sessions[:6]}


# --- One tap --------------------------------------------------------------------------


def test_beside_a_session_stand_others_of_its_setup(ada):
    user = make_user()
    first = session_on(ada, day(1), 9.0)
    fast = session_on(ada, day(2), 11.0)
    previous = session_on(ada, day(3), 10.0)
    session_on(ada, day(4), 15.0, condition="live")
    session_on(ada, day(4, 2), 15.0, mocap_type_name="other")
    here = session_on(ada, day(5), 10.0)
    latest = session_on(ada, day(6), 10.0)
    last_year = session_on(ada, day(12, year=2025), 8.0)
    items, _ = load_items(user, parse_items([key(here)])[0])
    (beside,) = choices_beside(items, Known(user, [ada.pk]))
    assert (beside.letter, beside.label) == ("A", "Ada Quill, May 1, 2026")
    assert [(str(one.key), one.label) for one in beside.choices] == [
        (key(previous), "Previous with same setup"),
        (key(latest), "Latest session"),
        (key(first), "First of 2026"),
        (key(fast), "Fastest session"),
    ]
    assert beside.choices[-1].rule == (
        "The highest average of peak hand speed among 6 sessions, Tee."
    )
    assert beside.choices[0].detail == "Mar 1, 2026 · 3 swings · Tee"
    # Of an earlier one the year is its own, and what is chosen is not offered again.
    items, _ = load_items(user, parse_items([key(here), key(last_year)])[0])
    found = choices_beside(items, Known(user, [ada.pk]))
    assert [one.letter for one in found] == ["A", "B"]
    keys = [str(choice.key) for one in found for choice in one.choices]
    assert len(keys) == len(set(keys))
    assert not {key(here), key(last_year)} & set(keys)


def test_a_session_without_a_day_is_the_previous_one_of_none(ada):
    session_on(ada, None, 9.0)
    here = session_on(ada, day(5), 10.0)
    items, _ = load_items(make_user(), parse_items([key(here)])[0])
    found = choices_beside(items, Known(make_user(), [ada.pk]))
    labels = [choice.label for one in found for choice in one.choices]
    assert not [label for label in labels if "Previous" in label]


def test_a_session_may_be_several_of_these(ada):
    user = make_user()
    first = session_on(ada, day(1), 11.0)
    here = session_on(ada, day(2), 10.0)
    items, _ = load_items(user, parse_items([key(here)])[0])
    (beside,) = choices_beside(items, Known(user, [ada.pk]))
    (choice,) = beside.choices
    assert str(choice.key) == key(first)
    assert choice.label == "Previous with same setup · First of 2026 · Fastest session"


def test_a_switch_hitters_side_is_kept_beside_an_item():
    user, player = make_user(), make_player(dominant_hand_hitting="switch")
    sessions = [
        make_session(player=player, session_date=day(m), swing_count=6) for m in (1, 2)
    ]
    for session in sessions:
        for side in ("left", "right"):
            for _ in range(3):
                make_swing({"peak_hand_speed": 9.0}, session=session, side=side)
        session_summary.refresh_session_summary(session.pk)
    items, _ = load_items(user, parse_items([f"{key(sessions[1])}-left"])[0])
    (beside,) = choices_beside(items, Known(user, [player.pk]))
    assert str(beside.choices[0].key) == f"{key(sessions[0])}-left"


def test_of_an_athlete_marked_sessions_and_times_are_offered(ada):
    user = make_user()
    first = session_on(ada, day(1), 9.0)
    fast = session_on(ada, day(10), 11.0)
    latest = session_on(ada, day(11, 30), 10.0)
    choices = choices_of_athlete(ada.pk, Known(user, [ada.pk]), TODAY)
    assert [(str(one.key), one.label) for one in choices] == [
        (f"athlete-{ada.pk}", "Last 3 sessions"),
        (key(latest), "Latest session"),
        (key(first), "First of 2026"),
        (key(fast), "Fastest session"),
        (f"range-{ada.pk}-20261101-20261130", "This month"),
        (f"range-{ada.pk}-20261001-20261031", "Last month"),
        (f"range-{ada.pk}-20260901-20270831", "This season"),
        (f"range-{ada.pk}-20250901-20260831", "Last season"),
        (f"range-{ada.pk}-20260101-20261231", "This year"),
    ]
    assert choices[6].detail == "Sep 1, 2026 – Aug 31, 2027 · 2 sessions"


@pytest.mark.parametrize(
    ("today", "month", "last_month", "season"),
    [
        (day(1, 31), "20260101-20260131", "20251201-20251231", "20250901-20260831"),
        (day(12, 1), "20261201-20261231", "20261101-20261130", "20260901-20270831"),
        (
            day(2, 29, 2028),
            "20280201-20280229",
            "20280101-20280131",
            "20270901-20280831",
        ),
        (day(8, 31), "20260801-20260831", "20260701-20260731", "20250901-20260831"),
        (day(9, 1), "20260901-20260930", "20260801-20260831", "20260901-20270831"),
    ],
)
def test_times_are_whole_months_and_seasons(ada, today, month, last_month, season):
    for text in (month, last_month, season):
        start = dt.date.fromisoformat(text[:8])
        session_on(ada, start, swings=1)
    found = {
        one.label: str(one.key).partition(f"range-{ada.pk}-")[2]
        for one in choices_of_athlete(ada.pk, Known(make_user(), [ada.pk]), today)
    }
    assert found["This month"] == month
    assert found["Last month"] == last_month
    assert found["This season"] == season


def test_fastest_is_by_bat_speed_where_most_sessions_have_it(ada):
    slow = session_on(ada, day(1), 9.0)
    quick = session_on(ada, day(2), 10.0)
    few = session_on(ada, day(3), 99.0, swings=2)

    def fastest(**other):
        history = histories(Session.objects.all(), [ada.pk], FASTEST_BY)
        wanted = {"condition": "tee", "source": "single-camera", "side": "right"}
        return fastest_session(history.get(ada.pk, {}), **{**wanted, **other})

    found = fastest()
    assert (found.session_id, found.definition.id, found.among) == (
        quick.pk,
        "peak_hand_speed",
        2,
    )
    assert fastest(condition="live") is None
    assert fastest(side="left") is None
    for session, speed in ((slow, 33.0), (quick, 31.0), (few, 40.0)):
        for _ in range(3):
            make_swing({"bat_speed_max": speed}, session=session)
        session_summary.refresh_session_summary(session.pk)
    found = fastest()
    assert (found.session_id, found.definition.id, found.among) == (
        few.pk,
        "bat_speed_max",
        3,
    )


# --- Days and what is put aside -------------------------------------------------------


def test_days_are_added_as_a_time(client, coach, ada):
    session = session_on(ada, day(3))
    query = (
        f"items={key(session)}&span={ada.pk}&start=2026-03-01&end=2026-03-31&view=top"
    )
    response = client.get(f"{COMPARE}?{query}")
    assert response.status_code == 302
    wanted = f"?items={key(session)},range-{ada.pk}-20260301-20260331&"
    assert wanted in response["Location"]
    assert response["Location"].endswith("&view=top")


@pytest.mark.parametrize(
    "days",
    ["start=2026-03-31&end=2026-03-01", "start=x&end=2026-03-01", "start=2026-03-01"],
)
def test_wrong_days_are_said(client, coach, ada, days):
    response = client.get(f"{COMPARE}?items=athlete-{ada.pk}&span={ada.pk}&{days}")
    assert "Choose two dates, the earlier one first." in text_of(response)
    assert [str(item.key) for item in response.context["page"].items] == [
        f"athlete-{ada.pk}"
    ]


def test_what_is_put_aside_is_compared_by_who_names_nothing(client, coach, ada):
    one, two = session_on(ada, day(1)), session_on(ada, day(2))
    assert client.get(COMPARE).status_code == 200
    for session in (one, two):
        client.post("/athletes/compare/tray/", {"turn": key(session)})
    response = client.get(COMPARE)
    assert response["Location"] == f"{COMPARE}?items={key(one)},{key(two)}"
    # Who removes all is not led back to it.
    assert client.get(f"{COMPARE}?items=").status_code == 200
    page = client.get(f"{COMPARE}?items={key(two)}").content.decode()
    (add,) = re.findall(rf'id="tray-{key(one)}" href="(.*?)"', page)
    assert f"?items={key(two)},{key(one)}&" in add
    assert f'id="tray-{key(two)}"' not in page


def test_browsing_on_takes_what_is_compared_along(client, coach, ada):
    one, two = session_on(ada, day(1)), session_on(ada, day(2))
    response = client.post(
        "/athletes/compare/tray/",
        {"fill": f"{key(one)},{key(two)}", "next": "/athletes/"},
    )
    assert response["Location"] == "/athletes/"
    assert client.session["compare_items"] == [key(one), key(two)]


@pytest.mark.parametrize("count", [2, 12])
def test_picker_takes_the_same_queries_for_any_number_of_sessions(
    client, coach, ada, count, django_assert_num_queries
):
    for month in range(1, count + 1):
        session = session_on(ada, day(month), swings=2)
    # login, user, athlete, sessions, averages, sides
    with django_assert_num_queries(6):
        client.get(f"{PICK}?pick={ada.pk}")
    # athletes of the name, swings, curves
    with django_assert_num_queries(8):
        client.get(f"{PICK}?q=quill&swings={session.pk}")


def test_staff_sees_everybody(client, ada):
    client.force_login(make_staff(), "django.contrib.auth.backends.ModelBackend")
    assert "Ada Quill" in text_of(client.get(f"{PICK}?q=ada"))
