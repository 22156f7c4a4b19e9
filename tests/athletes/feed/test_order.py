"""Nothing is skipped or told twice, also when a transaction commits late."""

import threading

import pytest
from django.db import connection, connections

from athletes.feed import order
from athletes.feed.order import BATCH, settle
from athletes.models import FeedCounter, FeedNote, FeedRow, Player
from syncing.tasks import sweep_task
from tests import factories
from tests.factories import settle_all

pytestmark = pytest.mark.django_db(transaction=True)

SET_UP = "UPDATE sessions SET condition = %s WHERE id = %s"
RENAME = "UPDATE players SET first_name = %s WHERE id = %s"


@pytest.fixture
def other():
    """A second connection to the same database, as another process has one."""
    second = connections.create_connection("default")
    second.settings_dict = connection.settings_dict
    yield second
    second.close()


def follow(get, cursor):
    """All athletes told behind a cursor, by id, and where to go on."""
    told, more = [], True
    while more:
        answer = get("/players", cursor=cursor).json()
        told += [row["id"] for row in answer["players"]]
        cursor, more = answer["next"], answer["more"]
    return told, cursor


def test_a_transaction_that_commits_late_is_told_when_it_commits(get, other):
    late, early = factories.make_player(), factories.make_player()
    _, cursor = follow(get, get("/players").json()["next"])
    other.set_autocommit(False)
    with other.cursor() as writer:
        writer.execute(RENAME, ["Late", late.pk])
    if connection.vendor == "postgresql":
        # On SQLite there is one writer at a time.
        Player.objects.filter(pk=early.pk).update(first_name="Early")
        told, cursor = follow(get, cursor)
        assert told == [early.pk]
    told, cursor = follow(get, cursor)
    assert told == []
    other.commit()
    told, cursor = follow(get, cursor)
    assert told == [late.pk]
    assert follow(get, cursor)[0] == []


@pytest.mark.postgres
def test_a_swing_that_is_new_moves_with_a_session_that_commits_later(other):
    if connection.vendor != "postgresql":
        pytest.skip("two writers at once")
    session = factories.make_session()
    settle_all()
    other.set_autocommit(False)
    with other.cursor() as writer:
        writer.execute(
            "UPDATE sessions SET condition = 'tee' WHERE id = %s", [session.pk]
        )
    # Its setup is still unknown when the swing is told.
    swing = factories.make_swing(session=session)
    settle_all()
    before = FeedRow.objects.get(kind="movement", row_id=swing.pk)
    other.commit()
    settle_all()
    after = FeedRow.objects.get(kind="movement", row_id=swing.pk)
    assert after.place > before.place


def test_readers_at_once_give_each_place_once():
    players = [factories.make_player() for _ in range(30)]
    errors = []

    def read():
        try:
            settle()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    places = list(FeedRow.objects.values_list("place", flat=True))
    assert len(places) == len(set(places)) == len(players)
    assert FeedCounter.objects.get().last == max(places)
    assert not FeedNote.objects.exists()


def test_a_place_is_never_given_twice():
    player = factories.make_player()
    first = settle_all()
    Player.objects.filter(pk=player.pk).update(first_name="Another")
    assert settle_all() == first + 1
    assert FeedRow.objects.get().place == first + 1


def test_changes_that_spread_far_are_taken_in_parts(monkeypatch):
    swings = [factories.make_swing() for _ in range(3)]
    settle_all()
    monkeypatch.setattr(order, "MOST_SPREAD", 4_000)
    for swing in swings:
        # Shown by all of their swings.
        Player.objects.filter(pk=swing.session.player_id).update(
            org_player_id=f"another-{swing.pk}"
        )
    places = FeedRow.objects.filter(kind="movement").order_by("row_id")
    before = list(places.values_list("place", flat=True))
    assert settle().more
    assert FeedNote.objects.count() == 1
    assert not settle().more
    after = list(places.values_list("place", flat=True))
    assert all(new > old for old, new in zip(before, after, strict=True))


def test_the_hourly_task_gives_places_where_no_program_asks():
    player = factories.make_player()
    sweep_task()
    assert not FeedNote.objects.exists()
    assert FeedRow.objects.get().row_id == player.pk


def test_a_task_does_bounded_work(monkeypatch):
    monkeypatch.setattr(order, "BATCH", 1)
    monkeypatch.setattr(order, "_MOST_CALLS", 2)
    for _ in range(3):
        factories.make_player()
    assert order.settle_waiting().more
    assert FeedNote.objects.count() == 1


def test_many_changes_are_taken_in_parts(monkeypatch):
    monkeypatch.setattr(order, "BATCH", 3)
    assert BATCH > 3
    for _ in range(4):
        factories.make_player()
    assert settle().more
    assert FeedNote.objects.count() == 1
    settled = settle()
    assert not settled.more
    assert FeedRow.objects.count() == 4
    assert settled.last == 4
