"""Levels: recorded by staff from a day on; percentiles within one."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from athletes.analysis.levels import at_level, ids_at_level, level_of
from athletes.models import AthleteLevel, Level, Player
from tests.dashboard.test_athlete_peers import crowd, limited, words
from tests.factories import make_player, make_staff

pytestmark = pytest.mark.django_db


def days_ago(days):
    return timezone.localdate() - dt.timedelta(days=days)


def put(level, *players, since=None):
    for player in players:
        AthleteLevel.objects.create(
            player=player, level=level, since=since or days_ago(30)
        )


@pytest.fixture
def levels():
    return [Level.objects.create(name=name) for name in ("14U", "High school")]


@pytest.mark.both
def test_the_level_is_the_one_recorded_last_up_to_the_day(levels):
    under, high = levels
    player, other = make_player(), make_player()
    put(under, player, since=days_ago(300))
    put(high, player, since=days_ago(0))
    put(under, other, since=days_ago(-1))
    found = [level_of(player.pk, days_ago(days)) for days in (301, 300, 1, 0)]
    assert found == [None, under, under, high]
    assert level_of(other.pk) is None
    every = Player.objects.all()
    assert [set(at_level(every, level)) for level in levels] == [set(), {player}]
    assert set(at_level(every, under, days_ago(1))) == {player}
    assert [row["player"] for row in ids_at_level(under, days_ago(1))] == [player.pk]
    assert set(at_level(every, under, days_ago(-1))) == {other}


def test_percentiles_are_within_the_level_where_that_is_wished(client, levels):
    under, high = levels
    # Half of them are of another age: the level goes across ages.
    players = [*crowd(10), *crowd(10, start=30.0, years=17)]
    others = crowd(15, start=10.0)
    put(high, *players)
    put(under, *others)
    # Who came to another level since is not among them.
    put(under, *crowd(1, start=50.0))
    page = words(client, players[4], query="?among=level")
    assert "<strong>4 of 20</strong> lower" in page
    assert "among 20 athletes whose level is High school today" in page
    assert "All ages at this level are together." in page
    assert (
        'aria-current="true">Within High school <span class="muted">20 athletes<'
        in page
    )
    assert "<dt>Level</dt><dd>High school</dd>" in page
    # The choice says as many where the level is not wished, and no rank is counted.
    usual = words(client, players[4])
    assert 'Within High school <span class="muted">20 athletes<' in usual
    middle = words(client, players[4], query="?among=level&metric=peak_hand_speed")
    assert "half of the 20 athletes lie between 20.4 m/s and 30.4 m/s" in middle
    # Of 16 none is told, and the usual group stands there instead.
    few = words(client, others[4], query="?among=level")
    assert "Within 14U <span" in few
    assert "16 athletes, needs 20" in few
    assert "whose level is" not in few
    # A coach of one team counts those whom they may see, of that level alone.
    coach = limited([*players[:19], *others])
    assert "19 athletes, needs 20" in words(client, players[4], coach, "?among=level")


def test_numbers_on_another_basis_are_not_within_the_level(client, levels):
    high = levels[1]
    players = crowd(20, condition="tee")
    put(high, *players, *crowd(20, condition="live", start=10.0))
    page = words(client, players[4], query="?among=level")
    assert "<strong>4 of 20</strong> lower" in page


def test_usual_levels_are_offered_and_none_is_forced(client):
    client.force_login(
        make_staff(), backend="django.contrib.auth.backends.ModelBackend"
    )
    add = reverse("admin:athletes_level_add")
    body = client.get(add).content.decode()
    assert 'list="name-suggested"' in body
    assert '<datalist id="name-suggested"><option value="Youth">' in body
    assert "Such as Youth, 10U, 12U, 14U, High school, College or Pro." in body
    assert not Level.objects.exists()
    client.post(add, {"name": "Tuesday group", "position": "3"})
    assert Level.objects.get().name == "Tuesday group"
    # Who wants to record the first one is led to where levels are added.
    Level.objects.all().delete()
    sent = {"action": "record_level", "_selected_action": [make_player().pk]}
    url = reverse("admin:athletes_player_changelist")
    answer = client.post(url, sent, follow=True).content.decode()
    assert f'There are no levels yet. <a href="{add}">Add one</a>' in answer


def test_staff_keep_the_list_and_record_the_level(client, levels):
    staff = make_staff()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    player = make_player()
    url = reverse("admin:athletes_player_changelist")
    sent = {"action": "record_level", "_selected_action": [player.pk]}
    assert "Record a level" in client.post(url, sent).content.decode()
    chosen = {**sent, "level": levels[0].pk, "since": "2026-01-05"}
    refused = client.post(url, {**chosen, "since": "soon"})
    assert "Enter a valid date." in refused.content.decode()
    for level in levels:
        answer = client.post(url, {**chosen, "level": level.pk})
        assert answer.status_code == 302
    row = AthleteLevel.objects.get()
    assert (row.player, row.level) == (player, levels[1])
    assert row.since == dt.date(2026, 1, 5)
    change = reverse("admin:athletes_athletelevel_change", args=[row.pk])
    client.post(change, {"level": levels[1].pk, "since": "2026-02-05"})
    row.refresh_from_db()
    assert row.since == dt.date(2026, 2, 5)
    said = AuditEntry.objects.filter(player_number=player.pk, detail__what="level")
    assert [entry.user for entry in said] == [staff] * 3
    # A level that somebody has stays.
    delete = reverse("admin:athletes_level_delete", args=[levels[1].pk])
    client.post(delete, {"post": "yes"})
    assert Level.objects.count() == 2
    # One recorded by mistake goes, and who took it away is kept.
    client.post(
        reverse("admin:athletes_athletelevel_delete", args=[row.pk]), {"post": "yes"}
    )
    assert not AthleteLevel.objects.exists()
    assert said.all().count() == 4
    client.post(delete, {"post": "yes"})
    assert Level.objects.count() == 1
    refused = client.post(
        reverse("admin:athletes_level_add"), {"name": "14u", "position": "1"}
    )
    assert "A level with this name already exists." in refused.content.decode()
