"""Rows that several tests share: each test finds them as they were made."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import pytest_django.fixtures
import pytest_django.plugin
from django.db import connection

from accounts.models import Team
from athletes.models import Player
from tests.factories import make_player, make_team
from tests.shared_rows import OpenRows, check_parts, rows_shared, wanting_first

pytestmark = pytest.mark.django_db

made = []


def player():
    made.append("player")
    return make_player(last_name="Asmade")


def team():
    made.append("team")
    return make_team(name="As made")


shared_player = rows_shared(player)
shared_team = rows_shared(team)


@pytest.mark.parametrize("time", [1, 2])
def test_what_a_test_changes_is_undone(shared_player, time):
    found = shared_player
    assert found.last_name == Player.objects.get().last_name == "Asmade"
    assert not hasattr(found, "changed_by_a_test")
    found.changed_by_a_test = True
    found.last_name = "Changed"
    found.save()
    make_player()


def test_rows_wanted_again_are_not_made_again(db):
    del made[:]
    rows = OpenRows()
    for _ in range(3):
        rows.want(player)
        assert Player.objects.get() == rows.copy_of(player)
    assert made == ["player"]
    rows.want(team)
    assert made == ["player", "team"]
    assert not Player.objects.exists()
    rows.close()
    assert not Team.objects.exists()


def test_a_test_that_wants_none_finds_none(db):
    assert not Player.objects.exists()
    assert not Team.objects.exists()


def test_a_test_that_wants_others_finds_only_those(shared_team):
    assert Team.objects.get() == shared_team
    assert not Player.objects.exists()


def test_a_test_that_wants_two_finds_both(shared_team, shared_player):
    assert Team.objects.get() == shared_team
    assert Player.objects.get() == shared_player


def test_rows_asked_for_while_a_test_runs_are_its_own(request):
    assert not Player.objects.exists()
    own = request.getfixturevalue("shared_player")
    assert Player.objects.get() == own


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_has_its_own(shared_player):
    assert not connection.in_atomic_block
    assert Player.objects.get() == shared_player


def test_tests_of_a_file_that_want_the_same_come_together(request):
    items = [item for item in request.session.items if item.path == request.node.path]
    reordered = [*items[1::2], *items[::2]]
    wanting_first(reordered)
    assert sorted(map(str, reordered)) == sorted(map(str, items))
    wants = ["shared_player" in " ".join(item.fixturenames) for item in reordered]
    singles = [
        item.name for item in reordered if item.name.startswith("test_what_a_test")
    ]
    places = [place for place, item in enumerate(reordered) if item.name in singles]
    assert any(wants)
    assert places == list(range(places[0], places[0] + len(singles)))


def asks_for_nothing():
    """A fixture that begins its transaction in a way of its own."""


@pytest.mark.parametrize(
    ("place", "name", "now"),
    [
        (pytest_django.fixtures, "db", asks_for_nothing),
        (pytest_django.fixtures, "transactional_db", None),
        (pytest_django.fixtures, "_django_db_helper", None),
        (pytest_django.plugin, "_django_db_marker", asks_for_nothing),
    ],
)
def test_another_pytest_django_is_refused_in_words(place, name, now):
    parts = {**vars(place), name: now}
    if now is None:
        del parts[name]
    which = "fixtures" if place is pytest_django.fixtures else "plugin"
    check_parts()
    with pytest.raises(pytest.UsageError, match=f"another `{name}` than"):
        check_parts(**{which: SimpleNamespace(**parts)})
