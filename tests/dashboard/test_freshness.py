"""How old an athlete's data are: in the list, in its filter, on home."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import pytest
from django.test import override_settings
from django.utils import timezone

from athletes.models import Player
from dashboard.selectors.freshness import Freshness, freshness_of, of_freshness
from tests.dashboard.page_contents import text_of
from tests.factories import make_player

pytestmark = pytest.mark.django_db

BORDERS = {
    -1: Freshness.FRESH,  # a day in the future, by a wrong clock
    0: Freshness.FRESH,
    14: Freshness.FRESH,
    15: Freshness.AGING,
    45: Freshness.AGING,
    46: Freshness.OLD,
    None: Freshness.NEVER,
}


def days_ago(days):
    return None if days is None else timezone.localdate() - dt.timedelta(days=days)


def test_list_and_filter_say_the_same_at_every_border(client, coach):
    for days in BORDERS:
        make_player(
            last_name=f"Day{days}", last_session_on=days_ago(days), session_count=3
        )
    for age in Freshness:
        expected = {f"Day{days}" for days, of in BORDERS.items() if of == age}
        found = of_freshness(Player.objects.all(), age)
        assert {player.last_name for player in found} == expected
        assert {freshness_of(player.last_session_on) for player in found} == {age}
        page = client.get(f"/athletes/?freshness={age.value}")
        assert {
            row.name.partition(",")[0] for row in page.context["list"].rows
        } == expected
        assert page.content.decode().count(f"<span>{age.label}</span>") == len(expected)
    # Home tells of those who came three times and whose data are getting old.
    home = client.get("/")
    lines = home.context["page"].attention
    assert {line.player.last_name for line in lines} == {"Day15", "Day45"}
    assert "no session for more than 14 days" in text_of(home)


@override_settings(FRESH_DAYS=1, OLD_DAYS=2)
def test_the_facility_says_what_it_expects():
    found = [freshness_of(days_ago(days)).value for days in range(4)]
    assert found == ["fresh", "fresh", "aging", "old"]


def test_days_are_those_of_the_facility():
    # At every moment it is another day at these two ends of the earth.
    with timezone.override("Etc/GMT+12"):
        last = days_ago(14)
        assert freshness_of(last) == Freshness.FRESH
    with timezone.override("Pacific/Kiritimati"):
        assert freshness_of(last) == Freshness.AGING


@pytest.mark.processes
def test_days_in_the_wrong_order_are_refused_in_one_line():
    code = "from reboot_site import settings; print(settings.OLD_DAYS)"
    env = {**os.environ, "DEBUG": "1", "FRESH_DAYS": "60", "OLD_DAYS": "60"}

    def run(**changed):
        return subprocess.run(
            [sys.executable, "-c", code],
            env={**env, **changed},
            capture_output=True,
            text=True,
            check=False,
        )

    refused = run().stderr.strip().splitlines()[-1]
    assert refused.endswith("OLD_DAYS must be a whole number from 61 to 36500, not 60.")
    assert run(OLD_DAYS="").stdout.strip() == "180"
