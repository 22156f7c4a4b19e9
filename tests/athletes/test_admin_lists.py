"""The lists of the admin stay quick where tables have millions of rows."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin_lists import LISTED_ROWS
from athletes.models import Movement, Player
from tests.factories import (
    make_player,
    make_session,
    make_swing,
    make_synced_session,
)

pytestmark = pytest.mark.django_db


def _listed(client, model, query):
    url = reverse(f"admin:athletes_{model}_changelist")
    return [row.pk for row in client.get(f"{url}?{query}").context["cl"].result_list]


def test_athletes_are_found_by_parts_of_the_name_and_by_whole_ids(client, staff):
    ada = make_player(
        first_name="Ada",
        last_name="Examplewood",
        org_player_id="org-ada",
        reboot_player_id="reboot-ada",
    )
    make_player(first_name="Bo", last_name="Otherfield", org_player_id="org-bo")
    for query in ("q=wood+ada", "q=ADA", "q=org-ada", "q=reboot-ada"):
        assert _listed(client, "player", query) == [ada.pk]
    assert _listed(client, "player", "q=nobody") == []
    page = client.get(reverse("admin:athletes_player_changelist")).content.decode()
    # In the order of the name that stands first.
    assert page.index("Examplewood, Ada") < page.index("Otherfield, Bo")
    # Each list has its name on the start page.
    assert '/"></a>' not in client.get(reverse("admin:index")).content.decode()


def test_an_athlete_is_looked_up_by_id_without_reading_the_table(
    client, staff, django_assert_max_num_queries
):
    # So many that reading them all is not the shortest way.
    Player.objects.bulk_create(
        Player(org_player_id=f"org-{n}", reboot_player_id=f"reboot-{n}")
        for n in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE players")
    with django_assert_max_num_queries(12) as asked:
        _listed(client, "player", "q=nobody")
    sql = next(q["sql"] for q in asked if '"reboot_player_id" = ' in q["sql"])
    how = "QUERY PLAN " if connection.vendor == "sqlite" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {how}{sql}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "player_vendor_id" in plan
    assert "SCAN players" not in plan
    assert "Seq Scan" not in plan


def test_sessions_are_found_by_athlete_and_by_id(client, staff):
    one = make_session(
        player=make_player(last_name="Examplewood", org_player_id="org-one"),
        session_id="session-one",
    )
    make_session(player=make_player(last_name="Otherfield"), session_id="session-two")
    for query in ("q=examplewood", "q=org-one", "q=session-one"):
        assert _listed(client, "session", query) == [one.pk]
    assert _listed(client, "session", "q=nobody") == []


def test_sessions_are_narrowed_to_a_year_and_then_a_month(client, staff):
    old, march, june = (
        make_session(session_date=day)
        for day in (dt.date(2024, 3, 9), dt.date(2026, 3, 2), dt.date(2026, 6, 30))
    )
    page = client.get(reverse("admin:athletes_session_changelist")).content.decode()
    years = re.findall(r'href="\?session_date__year=(\d+)"', page)
    assert years == ["2026", "2025", "2024"]
    query = "session_date__year=2026"
    assert set(_listed(client, "session", query)) == {march.pk, june.pk}
    assert _listed(client, "session", f"{query}&session_date__month=3") == [march.pk]
    assert _listed(client, "session", "session_date__year=2024") == [old.pk]


def test_movements_of_one_session_stand_in_its_order_others_newest_first(client, staff):
    session = make_synced_session(swings=3)
    positions = Movement.objects.filter(session=session).order_by("position")
    first_to_last = list(positions.values_list("pk", flat=True))
    query = f"session__id__exact={session.pk}"
    assert _listed(client, "movement", query) == first_to_last
    assert _listed(client, "movement", "") == first_to_last[::-1]


def test_lists_do_not_count_to_the_end(client, staff):
    Player.objects.bulk_create(
        Player(org_player_id=f"p{n}", last_name="Listed")
        for n in range(LISTED_ROWS + 1)
    )
    page = client.get(reverse("admin:athletes_player_changelist")).content.decode()
    assert f"the first {LISTED_ROWS} athletes; search or filter for others" in page
    Player.objects.filter(org_player_id__in=["p1", "p2"]).delete()
    page = client.get(reverse("admin:athletes_player_changelist")).content.decode()
    assert f"{LISTED_ROWS - 1} athletes" in page
    assert "search or filter" not in page


def test_filter_that_leaves_few_rows_reads_the_table_once(client, staff):
    session = make_session()
    left, _, other = (
        make_swing(
            session=session, position=place, side=side, org_movement_id=str(place)
        )
        for place, side in enumerate(("left", "right", "left"), start=1)
    )
    for side, rows in (("left", [other.pk, left.pk]), ("both", [])):
        with CaptureQueriesContext(connection) as queries:
            assert _listed(client, "movement", f"side__exact={side}") == rows
        asked = [q["sql"] for q in queries if f"""."side" = '{side}'""" in q["sql"]]
        # The others name the rows by their keys.
        assert len([sql for sql in asked if '"id" IN (' not in sql]) == 1


def test_filter_that_leaves_many_rows_is_paged(client, staff):
    session = make_session()
    Movement.objects.bulk_create(
        Movement(session=session, org_movement_id=f"m{n}", position=n, side="left")
        for n in range(1, 103)
    )
    listed = _listed(client, "movement", "side__exact=left")
    rows = Movement.objects.order_by("-position").values_list("pk", flat=True)
    assert listed == list(rows)[:100]
    assert _listed(client, "movement", "side__exact=left&p=2") == list(rows)[100:]


def test_movements_are_found_by_athlete_and_session(client, staff):
    player = make_player(last_name="Juniper")
    session = make_synced_session(swings=1, player=player)
    make_synced_session(swings=1)
    url = reverse("admin:athletes_movement_changelist")
    for term in ("juniper", session.session_id):
        rows = client.get(url, {"q": term}).context["cl"].result_list
        assert [row.session_id for row in rows] == [session.pk]
    assert len(client.get(url, {"q": "nobody"}).context["cl"].result_list) == 0


def test_a_field_filled_by_typing_counts_no_further_than_its_pages(client, staff):
    for number in range(130):
        make_player(first_name="Many", last_name=f"Oak{number:03}")
    asked = {"app_label": "accounts", "model_name": "team", "field_name": "players"}
    url = reverse("admin:autocomplete")
    seen = []
    for page in range(1, 6):
        answer = client.get(url, asked | {"term": "many", "page": page}).json()
        seen += [item["text"] for item in answer["results"]]
        assert answer["pagination"]["more"] is (page < 5)
    assert len(set(seen)) == 100
    found = client.get(url, asked | {"term": "Oak129"}).json()["results"]
    assert [item["text"] for item in found] == ["Many Oak129"]


def test_a_filter_by_an_empty_column_says_what_it_chooses(client, staff):
    make_player()
    page = client.get(reverse("admin:athletes_player_changelist")).content.decode()
    words = page.split("By state at Reboot Motion")[1].split("</details>")[0]
    labels = re.findall(r"<a href=[^>]*>\s*([^<]+?)\s*<", words)
    assert labels == ["All", "Listed", "Removed"]
    removed = re.findall(r'href="([^"]*)"[^>]*>\s*Removed', words)
    assert removed == ["?missing_since__isempty=0"]
