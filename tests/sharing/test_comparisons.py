"""Saved comparisons: who sees which, and what becomes of their parts."""

import datetime as dt
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from dashboard.selectors.compare_keys import ItemKey, parse_item
from privacy import erasing, records
from sharing.comparisons import (
    NotSavableError,
    save_comparison,
    saved_lines,
    visible_comparisons,
)
from sharing.models import SavedComparison, SavedItem
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def coach():
    return factories.make_user()


@pytest.fixture
def swing():
    return factories.make_swing()


@pytest.fixture
def session():
    return factories.make_session()


def keys(*rows):
    kinds = {"Player": "athlete", "Session": "session", "Movement": "swing"}
    return [ItemKey(kinds[type(row).__name__], row.pk) for row in rows]


def saved(user, *rows, name="before and after", is_shared=False):
    return save_comparison(
        user=user,
        name=name,
        keys=keys(*rows),
        series="torso_omega",
        align="foot_down",
        is_shared=is_shared,
    )


def logged_in(user):
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def test_the_page_saves_and_opens_it_again(coach, swing, session):
    client = logged_in(coach)
    items = f"session-{session.pk},swing-{swing.pk},athlete-{swing.session.player_id}"
    url = f"/athletes/compare/?items={items}&series=torso_omega&align=foot_down"
    page = client.get(url).content.decode()
    assert 'action="/athletes/compare/save/"' in page
    answer = client.post(
        "/athletes/compare/save/",
        {
            "items": items,
            "series": "torso_omega",
            "align": "foot_down",
            "name": "Two <b>ways</b>",
        },
    )
    comparison = SavedComparison.objects.get()
    assert answer["Location"] == f"/athletes/compare/saved/{comparison.pk}/"
    assert client.get(answer["Location"])["Location"] == url
    listed = client.get("/athletes/compare/saved/").content.decode()
    assert "Two &lt;b&gt;ways&lt;/b&gt;" in listed


@pytest.mark.parametrize("name", ["", " ", "x" * 101])
def test_without_a_name_nothing_is_saved(coach, swing, session, name):
    items = f"session-{session.pk},swing-{swing.pk}"
    answer = logged_in(coach).post(
        "/athletes/compare/save/", {"items": items, "name": name}, follow=True
    )
    assert "Not saved" in answer.content.decode()
    assert answer.redirect_chain[0][0] == f"/athletes/compare/?items={items}"
    assert not SavedComparison.objects.exists()


def hidden_fields(page, action):
    """The fields that a form of the page sends without anybody typing."""
    form = page.partition(f'action="{action}"')[2].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def test_single_swings_and_the_second_figure_are_saved_too(coach, swing, session):
    client = logged_in(coach)
    items = f"session-{session.pk},swing-{swing.pk},athlete-{swing.session.player_id}"
    url = (
        f"/athletes/compare/?items={items}&series=torso_omega&align=foot_down&each=on"
        "&second=C"
    )
    sent = hidden_fields(client.get(url).content.decode(), "/athletes/compare/save/")
    sent.pop("csrfmiddlewaretoken", None)
    answer = client.post("/athletes/compare/save/", {**sent, "name": "all of it"})
    comparison = SavedComparison.objects.get()
    assert (comparison.each, comparison.second) == (True, "C")
    assert client.get(answer["Location"])["Location"] == url
    # What is not saved leads back to what was seen.
    refused = client.post("/athletes/compare/save/", {**sent, "name": ""})["Location"]
    assert parse_qs(urlsplit(refused).query) == parse_qs(urlsplit(url).query)


def test_how_the_figures_stand_is_saved_too(coach, swing, session):
    client = logged_in(coach)
    items = f"session-{session.pk},swing-{swing.pk}"
    url = (
        f"/athletes/compare/?items={items}&series=torso_omega&align=foot_down"
        "&fig=side&place=foot&size=own&ghosts=on&view=top&camera=-37,12,140"
    )
    sent = hidden_fields(client.get(url).content.decode(), "/athletes/compare/save/")
    sent.pop("csrfmiddlewaretoken", None)
    answer = client.post("/athletes/compare/save/", {**sent, "name": "from above"})
    assert client.get(answer["Location"])["Location"] == url
    assert saved_lines(coach)[0].url == url.partition("/compare/")[2]
    refused = client.post("/athletes/compare/save/", {**sent, "name": ""})["Location"]
    assert parse_qs(urlsplit(refused).query) == parse_qs(urlsplit(url).query)


@pytest.mark.parametrize(
    "said",
    [
        "fig=over&place=hips&view=open",
        "fig=x&ghosts=1&camera=1,2",
        "camera=" + "9" * 99,
    ],
)
def test_what_is_usual_or_no_choice_of_the_figures_is_not_saved(
    coach, swing, session, said
):
    logged_in(coach).post(
        "/athletes/compare/save/",
        {
            "items": f"session-{session.pk},swing-{swing.pk}",
            "name": "two",
            **dict(one.split("=") for one in said.split("&")),
        },
    )
    assert SavedComparison.objects.get().figure == ""


@pytest.mark.parametrize("second", ["Z", "AB", "&"])
def test_what_is_no_letter_of_an_item_is_not_saved(coach, swing, session, second):
    logged_in(coach).post(
        "/athletes/compare/save/",
        {
            "items": f"session-{session.pk},swing-{swing.pk}",
            "name": "two",
            "second": second,
        },
    )
    assert SavedComparison.objects.get().second == ""


def test_what_one_may_not_see_cannot_be_saved(session, swing):
    outsider = factories.make_user(limited_to_teams=True)
    with pytest.raises(NotSavableError, match="or you can't see it"):
        saved(outsider, session, swing)
    with pytest.raises(NotSavableError, match="needs two items"):
        saved(factories.make_user(), session)


def test_who_may_not_see_all_of_it_does_not_see_it(coach, session, swing):
    inside = factories.make_user(limited_to_teams=True)
    half = factories.make_user(limited_to_teams=True)
    players = [session.player, swing.session.player]
    factories.make_team(players=players, members=[inside])
    factories.make_team(players=players[:1], members=[half])
    comparison = saved(coach, session, swing, is_shared=True)
    own = saved(coach, session, swing, name="not shared")
    url = f"/athletes/compare/saved/{comparison.pk}/"
    assert list(visible_comparisons(coach)) == [comparison, own]
    assert list(visible_comparisons(inside)) == [comparison]
    assert list(visible_comparisons(half)) == []
    assert logged_in(inside).get(url).status_code == 302
    assert logged_in(half).get(url).status_code == 404
    assert "before and after" in (
        logged_in(inside).get("/athletes/compare/saved/").content.decode()
    )
    assert "before and after" not in (
        logged_in(half).get("/athletes/compare/saved/").content.decode()
    )
    # Nor its owner, once they may not see a part any more.
    coach.limited_to_teams = True
    coach.save()
    assert logged_in(coach).get(url).status_code == 404


def test_only_the_owner_renames_and_deletes(coach, session, swing):
    comparison = saved(coach, session, swing, is_shared=True)
    url = f"/athletes/compare/saved/{comparison.pk}"
    other = logged_in(factories.make_staff())
    assert other.post(f"{url}/change/", {"name": "mine"}).status_code == 404
    assert other.post(f"{url}/delete/").status_code == 404
    client = logged_in(coach)
    assert client.post(f"{url}/change/", {"name": ""}).status_code == 422
    client.post(f"{url}/change/", {"name": "spring"})
    comparison.refresh_from_db()
    assert (comparison.name, comparison.is_shared) == ("spring", False)
    client.post(f"{url}/delete/")
    assert not SavedComparison.objects.exists()
    assert not SavedItem.objects.exists()


def test_a_deleted_part_leaves_the_rest(coach, session, swing):
    comparison = saved(coach, session, swing)
    session.delete()
    (line,) = saved_lines(coach)
    assert (len(line.items), line.is_whole) == (1, False)
    location = logged_in(coach).get(f"/athletes/compare/saved/{comparison.pk}/")
    assert f"items=swing-{swing.pk}&" in location["Location"]
    swing.delete()
    page = logged_in(coach).get("/athletes/compare/saved/")
    assert page.status_code == 200


@pytest.mark.both
def test_an_erased_athlete_takes_them_along(coach, session, swing):
    saved(coach, session, swing, name="with a part")
    saved(coach, swing.session.player, swing, name="all his own")
    player = swing.session.player
    player.first_name, player.last_name = "Zebulon", "Quixley"
    player.save()
    others = [factories.make_session(), factories.make_session()]
    saved(coach, *others, name="like Zebulon Quixley did")
    kept = saved(coach, *others, name="kept")
    erasing.erase(player=player, by=None)
    assert list(SavedComparison.objects.all()) == [kept]


def test_a_merged_athletes_part_follows(coach, session):
    duplicate, kept = factories.make_player(), factories.make_player()
    comparison = saved(coach, duplicate, session)
    duplicate.merged_into = kept
    duplicate.save()
    assert list(visible_comparisons(coach)) == [comparison]
    location = logged_in(coach).get(f"/athletes/compare/saved/{comparison.pk}/")
    assert f"items=athlete-{kept.pk},session-{session.pk}&" in location["Location"]
    inside = factories.make_user(limited_to_teams=True)
    factories.make_team(players=[session.player], members=[inside])
    comparison.is_shared = True
    comparison.save()
    assert list(visible_comparisons(inside)) == []


def test_a_list_costs_the_same_for_many(
    coach, session, swing, django_assert_num_queries
):
    for _ in range(3):
        saved(coach, session, swing, swing.session.player)
    with django_assert_num_queries(2):
        assert len(saved_lines(coach)) == 3


def test_parts_are_among_what_is_stored_about_an_athlete(coach, session, swing):
    saved(coach, session, swing)
    saved(coach, session.player, swing.session)
    (kind,) = [kind for kind in records.athlete_tables() if kind.model is SavedItem]
    assert {item.words for item in kind.rows(session.player_id)} == {
        f"{session.player.full_name}, Mar 1, 2026",
        session.player.full_name,
    }
    assert kind.rows(swing.session.player_id).count() == 2


def test_who_may_see_what_is_left_is_not_asked_once_a_part_is_gone(coach, session):
    """The name may tell of the part that is gone, and nobody can check that."""
    gone = factories.make_session()
    comparison = saved(coach, gone, session, is_shared=True, name="after surgery")
    other = factories.make_user(limited_to_teams=True)
    factories.make_team(players=[session.player], members=[other])
    assert [line.comparison.name for line in saved_lines(other)] == []

    gone.delete()

    assert [line.comparison.name for line in saved_lines(other)] == []
    (line,) = saved_lines(coach)
    assert line.comparison.pk == comparison.pk
    assert not line.is_whole


def test_a_date_range_is_saved_with_its_days_and_setup(coach, session):
    player = session.player
    key = f"range-{player.pk}-20260301-20260531-left-tee"
    comparison = save_comparison(
        user=coach,
        name="spring",
        keys=[parse_item(key), ItemKey("session", session.pk)],
        series="",
        align="",
        is_shared=False,
    )
    location = logged_in(coach).get(f"/athletes/compare/saved/{comparison.pk}/")
    assert f"?items={key},session-{session.pk}&" in location["Location"]
    (line,) = saved_lines(coach)
    assert line.items[0] == (
        f"{player.full_name}, Mar 1 – May 31, 2026, batting left, Tee"
    )
    # A merged athlete's follows to the one that was kept.
    kept = factories.make_player()
    player.merged_into = kept
    player.save()
    (line,) = saved_lines(coach)
    assert f"items=range-{kept.pk}-20260301-20260531-left-tee," in line.url


@pytest.mark.both
@pytest.mark.parametrize(
    "days",
    [
        {"first_day": dt.date(2026, 3, 1)},
        {"last_day": dt.date(2026, 3, 1)},
        {"first_day": dt.date(2026, 3, 2), "last_day": dt.date(2026, 3, 1)},
    ],
)
def test_days_without_a_first_and_a_last_are_not_stored(coach, session, days):
    comparison = saved(coach, session, session.player)
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedItem.objects.create(
            comparison=comparison, place=5, player=session.player, **days
        )
