"""The list of athletes as a coach gets it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import timezone

from athletes.analysis.summaries import refresh_player_summaries
from athletes.models import Player, Session
from tests.dashboard.page_contents import text_of
from tests.factories import make_movement, make_player, make_session

pytestmark = pytest.mark.django_db


def test_list_answers_htmx_with_the_table_alone(client, coach):
    make_player(last_name="Alder")
    make_player(last_name="Birch")
    assert "Birch" in text_of(client.get("/athletes/"))
    page = client.get("/athletes/?q=ald")
    fragment = client.get("/athletes/?q=ald", headers={"HX-Request": "true"})
    restored = client.get(
        "/athletes/?q=ald",
        headers={"HX-Request": "true", "HX-History-Restore-Request": "true"},
    )
    for response in (page, fragment, restored):
        assert "HX-Request" in response["Vary"]
        assert "Alder" in text_of(response)
        assert "Birch" not in text_of(response)
    assert b"<html" in page.content
    assert b"<html" not in fragment.content
    assert b"<html" in restored.content


def test_list_keeps_its_state_in_its_links(client, coach):
    for number in range(52):
        make_player(last_name=f"Elm {number:02d}", dominant_hand_hitting="left")
    response = client.get("/athletes/?q=elm&bats=left&sort=-swings")
    body = response.content.decode()
    assert "52 athletes" in text_of(response)
    next_url = re.search(r'rel="next" href="([^"]+)"', body)[1].replace("&amp;", "&")
    assert "q=elm&bats=left&sort=-swings&after=" in next_url
    second = client.get(f"/athletes/{next_url}")
    assert second.content.decode().count('<th scope="row" role="rowheader">') == 2
    assert 'rel="prev"' in second.content.decode()


@pytest.mark.both
def test_athletes_are_found_by_the_setups_of_their_swings(client, coach):
    for name, condition, own in (
        ("Alder", "tee", [None]),
        ("Birch", "live", [None, "tee"]),
        ("Cedar", "tee", ["machine"]),
        ("Dogwood", "", []),
        ("Elm", "live", []),
    ):
        player = make_player(last_name=name)
        session = make_session(player=player, condition=condition)
        for setup in own:
            make_movement(session=session, is_swing=True, condition=setup)
    gone = make_session(player=make_player(last_name="Fir"), condition="tee")
    Session.objects.filter(pk=gone.pk).update(missing_since=timezone.now())
    found = {}
    for setup in ("tee", "live", "machine", "front_toss", "none"):
        body = text_of(client.get(f"/athletes/?setup={setup}"))
        names = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir")
        found[setup] = [name for name in names if f"{name}," in body]
    assert found == {
        "tee": ["Alder", "Birch"],
        "live": ["Birch", "Elm"],
        "machine": ["Cedar"],
        "front_toss": [],
        "none": ["Dogwood"],
    }


def test_columns_of_numbers_stand_to_the_right(client, coach):
    make_player()
    body = client.get("/athletes/").content.decode()
    heads = re.findall(r"<th scope=\"col\"([^>]*)>(.*?)</th>", body, re.S)
    to_the_right = {
        re.sub(r"<[^>]+>|\s+", " ", words).split()[0]
        for attributes, words in heads
        if 'class="num"' in attributes
    }
    assert to_the_right == {"Sessions", "Swings", "Hand", "Bat"}


def test_list_says_what_is_wrong_with_a_filter_and_shows_the_rest(client, coach):
    make_player(last_name="Alder", last_session_on=dt.date(2026, 3, 10))
    response = client.get("/athletes/?start=2026-03-09&end=2026-03-01&after=x")
    assert response.status_code == 200
    assert "The last date is before the first." in text_of(response)
    assert "Alder" in text_of(response)


def test_list_tells_an_empty_facility_from_an_empty_search(client, coach):
    assert "No athletes yet" in text_of(client.get("/athletes/"))
    make_player()
    assert "No athletes match" in text_of(client.get("/athletes/?q=zzz"))


def test_list_shows_headline_numbers_in_the_units_of_the_reader(client, coach):
    make_player(latest_hand_speed_m_per_s=10.0)
    assert "22.4 mph" in text_of(client.get("/athletes/"))
    coach.units = "metric"
    coach.save(update_fields=["units"])
    assert "10.0 m/s" in text_of(client.get("/athletes/"))


@pytest.mark.parametrize("count", [1, 3])
def test_list_takes_as_many_queries_for_one_athlete_as_for_three(
    client, coach, count, django_assert_num_queries
):
    for _ in range(count):
        make_player(last_session_on=dt.date(2026, 3, 1), swing_count=3)
    with django_assert_num_queries(4):  # session, user, tags, rows
        client.get("/athletes/")


def found_in_header(client, text):
    """The text of the list that appears while somebody types."""
    response = client.get(
        "/athletes/search/", {"q": text}, headers={"HX-Request": "true"}
    )
    return text_of(response).strip()


def test_a_mistyped_name_shows_similar_names_and_says_so(client, coach):
    make_player(first_name="Larch", last_name="Ceres")
    make_player(first_name="Rowan", last_name="O'Brien")
    page = text_of(client.get("/athletes/?q=ceers"))
    assert "No athlete is named “ceers”. Similar names:" in page
    assert "Ceres, Larch" in page
    assert "O'Brien" not in page
    exact = text_of(client.get("/athletes/?q=Ceres, Larch"))
    assert "Ceres, Larch" in exact
    assert "Similar names" not in exact
    # Other filters hold for similar names too.
    nobody = text_of(client.get("/athletes/?q=ceers&bats=left"))
    assert "No athletes match" in nobody
    assert "Similar names" not in nobody


def test_header_search_shows_what_tells_namesakes_apart(client, coach):
    older = make_player(
        first_name="Larch", last_name="Ceres", date_of_birth=dt.date(2007, 5, 1)
    )
    make_session(player=older, session_date=dt.date(2026, 3, 8))
    refresh_player_summaries([older.pk])
    make_player(first_name="Lärch", last_name="Ceres", date_of_birth=None)
    make_player(first_name="Rowan", last_name="Vega", date_of_birth=dt.date(2008, 1, 1))
    found = found_in_header(client, "ceres")
    assert "Larch Ceres born 2007, last session Mar 8, 2026" in found
    assert "Lärch Ceres birth date unknown, no session yet" in found
    assert found_in_header(client, "vega").strip() == "Rowan Vega"


def test_header_search_shows_the_nearest_names_first(client, coach):
    for number in range(9):
        make_player(first_name=f"A{number}", last_name="Martin")
    make_player(first_name="Zed", last_name="Martinez")
    found = found_in_header(client, "martines")
    assert found.startswith("No athlete is named “martines”. Similar names: Zed")


def test_a_search_of_thousands_of_words_is_answered(client, coach):
    make_player(last_name="Alder")
    assert client.get("/athletes/", {"q": "al " * 33}).status_code == 200
    assert Player.objects.named_like("alder " * 3000).count() == 1
    assert Player.objects.nearly_named("aldre " * 3000).count() == 1


def test_header_search_says_when_nobody_or_more_were_found(client, coach):
    for number in range(9):
        make_player(first_name=f"N{number}", last_name="Elm")
    found = found_in_header(client, "elm")
    assert "N7 Elm" in found
    assert "N8 Elm" not in found
    assert "Show all athletes found" in found
    assert found_in_header(client, "zzz") == "No athlete is named “zzz”."
    assert "Similar names: N0 Elm" in found_in_header(client, "n0 emlm")
    assert found_in_header(client, "  ") == ""


def test_header_search_without_script_leads_to_the_list(client, coach):
    response = client.get("/athletes/search/?q=peña")
    assert response.status_code == 302
    assert response["Location"] == "/athletes/?q=pe%C3%B1a"


def test_header_search_finds_only_whom_a_coach_may_see(client, coach):
    make_player(first_name="Larch", last_name="Ceres")
    coach.limited_to_teams = True
    coach.save()
    assert found_in_header(client, "ceres") == "No athlete is named “ceres”."
    assert found_in_header(client, "ceers") == "No athlete is named “ceers”."
