"""Pages and JSON around duplicates: who sees the flag, what each button does."""

import pytest

from athletes.analysis.summaries import refresh_player_summaries
from athletes.identity import duplicates, merging
from athletes.models import AthleteMerge, DuplicatePair, Player
from tests import factories

pytestmark = pytest.mark.django_db

SHARED = "00000000-0000-4000-8000-00000000beef"


@pytest.fixture
def two():
    """Two records of one athlete, both in one session and each in one of their own."""
    players = [
        factories.make_player(
            first_name="Ada", last_name=name, date_of_birth="2008-05-06", weight_lbs=w
        )
        for name, w in (("Example", 150.0), ("Exampel", None))
    ]
    for player in players:
        factories.make_swing(session=factories.make_session(player=player))
        session = factories.make_session(player=player, session_id=SHARED)
        factories.make_swing(session=session)
    refresh_player_summaries([player.pk for player in players])
    duplicates.compare_waiting()
    return players


@pytest.fixture
def staff(client):
    user = factories.make_staff()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return user


def text_of(client, path):
    return client.get(path).content.decode()


def test_staff_see_the_flag_everywhere_and_coaches_nowhere(client, two):
    team = factories.make_team(players=two)
    limited = factories.make_user(limited_to_teams=True)
    team.members.add(limited)
    paths = ("/", "/athletes/", f"/athletes/{two[0].pk}/")
    for user in (factories.make_user(), limited):
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        for path in paths:
            assert "duplicate" not in text_of(client, path)
    client.force_login(
        factories.make_staff(), "django.contrib.auth.backends.ModelBackend"
    )
    assert "1 pair of records that may be one athlete" in text_of(client, "/")
    assert text_of(client, "/athletes/").count("possible duplicate") == 2
    page = text_of(client, paths[2])
    assert "similar name, same birth date" in page
    assert f"/athletes/{two[0].pk}/merge/{two[1].pk}/" in page


def test_not_the_same_and_taking_it_back(client, staff, two):
    pair = DuplicatePair.objects.get()
    assert "Compare and merge" in text_of(client, "/athletes/duplicates/")
    client.post(f"/athletes/duplicates/{pair.pk}/dismiss/")
    page = text_of(client, "/athletes/duplicates/")
    assert "No duplicates to review" in page
    assert staff.username in page
    assert "possible duplicate" not in text_of(client, "/athletes/")
    client.post(f"/athletes/duplicates/{pair.pk}/bring-back/")
    assert "Compare and merge" in text_of(client, "/athletes/duplicates/")


@pytest.mark.both
def test_comparing_merging_and_undoing(client, staff, two):
    kept, merged = two
    url = f"/athletes/{merged.pk}/merge/{kept.pk}/"
    page = text_of(client, url)
    # The record that would be kept says no weight: the other one's is ticked.
    assert '<input type="radio" name="weight_lbs" value="merged" checked>' in page
    assert '<input type="radio" name="last_name" value="kept" checked>' in page
    assert "Both took part in 1 session" in page
    answer = client.post(url, {"weight_lbs": "merged", "last_name": "kept"})
    assert answer["Location"] == f"/athletes/{merged.pk}/"
    merged.refresh_from_db()
    assert (merged.last_name, merged.weight_lbs) == ("Exampel", 150.0)
    entry = AthleteMerge.objects.get()
    assert entry.created_by == staff
    # The merged record leads to the athlete, as a page and as JSON.
    assert client.get(f"/athletes/{kept.pk}/")["Location"] == f"/athletes/{merged.pk}/"
    assert kept.org_player_id in text_of(client, f"/athletes/{merged.pk}/")
    undo = f"/athletes/merges/{entry.pk}/undo/"
    assert "2 sessions with 2 movements" in text_of(client, undo)
    assert client.post(undo)["Location"] == f"/athletes/{kept.pk}/"
    assert Player.objects.count() == 2
    again = client.post(undo, follow=True).content.decode()
    assert "already undone" in again


def test_an_unknown_choice_merges_nothing(client, staff, two):
    url = f"/athletes/{two[0].pk}/merge/{two[1].pk}/"
    assert client.post(url, {"last_name": "both"}).status_code == 422
    assert not AthleteMerge.objects.exists()


def test_json_leads_on_and_names_the_merged_ids(client, two):
    kept, merged = two
    hidden = merged.sessions.get(session_id=SHARED)
    shown = kept.sessions.get(session_id=SHARED)
    read = factories.make_token()
    answer = client.get(f"/players/{kept.pk}", headers=read).json()
    assert answer["merged_records"] == []
    merging.merge(kept=kept, merged=merged, by=None)
    listed = client.get("/players", headers=read).json()
    assert (listed["total"], [row["id"] for row in listed["players"]]) == (1, [kept.pk])
    for old, new in (
        (f"/players/{merged.pk}", f"/players/{kept.pk}"),
        (
            f"/players/{merged.pk}/sessions?limit=3",
            f"/players/{kept.pk}/sessions?limit=3",
        ),
        (f"/sessions/{hidden.pk}", f"/sessions/{shown.pk}"),
    ):
        led = client.get(old, headers=read)
        assert (led.status_code, led["Location"]) == (307, new)
        assert set(led.json()) == {"detail"}
    answer = client.get(f"/players/{kept.pk}", headers=read).json()
    assert answer["merged_records"] == [
        {
            "id": merged.pk,
            "org_player_id": merged.org_player_id,
            "reboot_player_id": merged.reboot_player_id,
        }
    ]
    other = factories.make_token(team=factories.make_team())
    assert client.get(f"/players/{merged.pk}", headers=other).status_code == 404
    assert client.get(f"/sessions/{hidden.pk}", headers=other).status_code == 404


def test_the_admin_leads_to_the_same_page(client, staff, two):
    staff.is_superuser = True
    staff.save()
    ids = [player.pk for player in two]
    data = {"action": "merge_two", "_selected_action": ids}
    answer = client.post("/admin/athletes/player/", data)
    assert answer["Location"] == f"/athletes/{ids[0]}/merge/{ids[1]}/"
    third = factories.make_player()
    data["_selected_action"] = [*ids, third.pk]
    answer = client.post("/admin/athletes/player/", data, follow=True)
    assert "Choose two athletes" in answer.content.decode()


def test_the_page_costs_the_same_for_many_pairs(
    client, staff, two, django_assert_max_num_queries
):
    for number in range(4):
        for _ in range(2):
            factories.make_player(
                first_name=f"Twin{'abcd'[number] * 3}",
                last_name=f"Of{'wxyz'[number] * 5}",
                date_of_birth=f"200{number}-01-01",
            )
    duplicates.compare_waiting()
    with django_assert_max_num_queries(12):
        page = text_of(client, "/athletes/duplicates/")
    assert page.count("Compare and merge") == 5
