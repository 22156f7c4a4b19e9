"""The first page and the definitions as a coach gets them."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import timezone

from athletes.models import DataState, Player
from syncing.models import SyncLog
from tests.dashboard.page_contents import history_of, text_of
from tests.factories import (
    make_player,
    make_session,
    make_staff,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_home_lists_real_changes_of_the_last_week_of_data(client, coach):
    player = make_player(last_name="Maple")
    history_of(player, [900.0, 902.0, 898.0, 1000.0])
    text = text_of(client.get("/"))
    assert "Maple" in text
    assert re.search(r"Torso speed Before 900 °/s Now 1,000 °/s Change \+100 °/s", text)


def test_home_says_how_many_of_its_changes_may_be_chance(client, coach):
    history_of(make_player(), [900.0, 902.0, 898.0, 1000.0])
    # One list of one real change: it is expected in 10 % of lists without any.
    text = text_of(client.get("/"))
    assert "The odds that it is only chance may be up to 10%." in text
    assert "No setup recorded: compared with sessions that have none either." in text
    # Four athletes more: one changed, three did not, and each list may err.
    history_of(make_player(), [900.0, 902.0, 898.0, 1000.0])
    for _ in range(3):
        history_of(make_player(), [900.0, 902.0, 898.0, 900.0])
    text = text_of(client.get("/"))
    assert "up to 25% of these changes may be chance." in text


def test_home_says_once_that_a_session_waits(client, coach):
    make_session(data_state=DataState.WAITING, session_date=dt.date(2026, 3, 1))
    page = text_of(client.get("/"))
    assert page.count("Waiting for Reboot Motion") == 1
    assert "No included swings" not in page
    make_session(swing_count=2, summary={"counted": 0})
    assert "No included swings" in text_of(client.get("/"))


def test_home_names_failed_sessions(client, coach):
    failed = make_session(data_state=DataState.FAILED)
    text = text_of(client.get("/"))
    assert (
        f"{failed.player.full_name} , Mar 1, 2026 : swings could not be downloaded"
        in text
    )


FIRST_PAGES = ("/", "/athletes/", "/athletes/sessions/", "/syncing/", "/syncing/alert/")


@pytest.mark.parametrize("message", ["", "Set REBOOT_API_KEY, then manage.py sync."])
def test_an_empty_site_tells_a_coach_whom_to_ask_and_no_command(client, coach, message):
    make_staff(first_name="Kim", last_name="Lee", last_login=timezone.now())
    if message:
        SyncLog.objects.create(status="failed", error_message=message)
    coach.may_start_sync = False
    coach.save()
    for path in FIRST_PAGES:
        text = text_of(client.get(path))
        assert not re.search(r"manage\.py|python|make run|REBOOT_", text), path
        assert "Ask Kim Lee." in text or path == "/syncing/alert/", path
    assert "The latest sessions and what changed" in text_of(client.get("/"))
    coach.may_start_sync = True
    coach.save()
    assert "Press “Sync now”" in text_of(client.get("/athletes/"))


def test_a_coach_without_a_team_is_told_so_and_staff_see_the_next_step(client):
    make_player()
    client.force_login(make_user(limited_to_teams=True))
    assert "the athletes of your teams, and there are none" in text_of(client.get("/"))
    Player.objects.all().delete()
    client.force_login(make_staff())
    for path in FIRST_PAGES[:3]:
        assert "Next step: press “Sync now”" in text_of(client.get(path)), path


@pytest.mark.parametrize("count", [1, 3])
def test_home_takes_the_same_queries_for_any_number_of_sessions(
    client, coach, count, django_assert_num_queries
):
    for _ in range(count):
        history_of(make_player(), [900.0, 910.0])
    # session, user, newest, history, sides, scatter, failed, quiet
    with django_assert_num_queries(10):
        client.get("/")


def test_definition_opens_as_page_and_as_fragment(client, coach):
    url = "/athletes/definitions/x_factor_max/"
    page = client.get(url)
    fragment = client.get(url, headers={"HX-Request": "true"})
    for response in (page, fragment):
        assert "The most the pelvis gets ahead of the shoulders." in text_of(response)
    assert b"<h1>" in page.content
    assert b"<h1>" not in fragment.content
    assert client.get("/athletes/definitions/no_such_metric/").status_code == 404


def test_definitions_list_every_metric(client, coach):
    from biomechanics.definitions import METRICS

    body = client.get("/athletes/definitions/").content.decode()
    for name, definition in METRICS.items():
        assert (f'id="{name}"' in body) is not bool(definition.retired)
