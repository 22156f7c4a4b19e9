"""What is gone between being listed and being worked on is no error.

Somebody else's work is played by a statement that is carried out just before one of
ours: the first that reads from a given table after a given moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from athletes.identity import merging, tombstones
from athletes.models import Player, Session
from athletes.tasks import recompute_player
from privacy import erasing
from privacy.archives import make_archive, prune_archives, request_archive
from privacy.models import Archive
from syncing.engine.session_details import read_detail
from syncing.engine.session_numbers import shown_by
from syncing.models import VendorSession
from syncing.tasks import help_exports_task, run_sync_task
from tests import factories
from webhooks.models import Webhook, WebhookDelivery
from webhooks.services import deliver, emit

pytestmark = pytest.mark.django_db

NOBODY = 10**9


@contextmanager
def before(is_meant: Callable[[str], bool], act: Callable[[], Any]) -> Iterator[list]:
    """Do `act` once, before the first statement that is meant; says whether it did."""
    done: list[str] = []

    def watch(execute, sql, params, many, context):
        if not done and is_meant(sql):
            done.append(sql)
            act()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield done


def reads(table: str, *, place: int = 1) -> Callable[[str], bool]:
    """The statement that reads rows of a table for the `place`-th time."""
    seen = []

    def is_meant(sql: str) -> bool:
        if sql.startswith("SELECT") and f'FROM "{table}"' in sql:
            seen.append(sql)
            return len(seen) == place
        return False

    return is_meant


def logged_in() -> Client:
    client = Client()
    client.force_login(
        factories.make_staff(), "django.contrib.auth.backends.ModelBackend"
    )
    return client


def test_two_sweeps_erase_an_athlete_once():
    first, second = factories.make_player(), factories.make_player()
    for player in (first, second):
        tombstones.add_tombstone(player)

    def another_sweep():
        Player.objects.filter(pk=second.pk).delete()

    with before(lambda sql: sql.startswith("DELETE"), another_sweep) as done:
        assert erasing.finish_erasures() == 1
    assert done
    assert not Player.objects.exists()


def test_a_session_of_the_vendor_goes_while_an_athlete_is_taken_out_of_it():
    player = factories.make_player()
    row = VendorSession.objects.create(
        session_id="s", participants={player.org_player_id: "hitting", "other": "x"}
    )
    gone = VendorSession.objects.filter(pk=row.pk)
    is_meant = lambda sql: sql.startswith('UPDATE "syncing_vendorsession"')  # noqa: E731
    with before(is_meant, gone.delete) as done:
        erasing.erase(player=player, by=None)
    assert done
    assert not Player.objects.exists()


def test_a_delivery_goes_with_its_webhook_while_it_is_taken_up():
    webhook = Webhook.objects.create(
        name="a", url="https://hook.invalid/", events=["sync.finished"]
    )
    (delivery,) = emit("sync.finished", {"id": 1})
    with before(reads("webhooks_webhookdelivery"), webhook.delete) as done:
        assert deliver(delivery.pk) is None
    assert done
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize(
    ("place", "answer"), [(1, "nothing to do"), (2, "gone")], ids=["claimed", "written"]
)
def test_an_archive_goes_with_its_athlete_while_it_is_made(place, answer):
    player = factories.make_session().player
    archive = request_archive(player=player, user=factories.make_staff())
    moment = reads("privacy_archive" if place == 1 else "sessions")
    with before(moment, player.delete) as done:
        assert make_archive(archive.pk) == answer
    assert done
    assert not Archive.objects.exists()
    assert prune_archives() == 0


def test_a_session_goes_while_numbers_are_computed():
    movement = factories.make_frames().movement
    session = movement.session
    with before(reads("sessions"), session.delete) as done:
        assert recompute_player(session.player_id) == 1
    assert done
    assert not Session.objects.exists()


def test_messages_of_the_queue_about_what_is_gone_end_quietly():
    assert run_sync_task(NOBODY) == "gone"
    assert help_exports_task(NOBODY) == "over"
    assert make_archive(NOBODY) == "nothing to do"
    assert deliver(NOBODY) is None
    assert recompute_player(NOBODY) == 0
    assert shown_by(NOBODY) == NOBODY
    assert read_detail(None, NOBODY, 1) is None


def test_what_goes_under_a_form_is_not_found():
    client = logged_in()
    swing = factories.make_swing()
    player = swing.session.player
    kept, merged = factories.make_player(), factories.make_player()
    entry = merging.merge(kept=kept, merged=merged, by=None)
    swings, sheet = f"/athletes/swings/{swing.pk}/", f"/athletes/{player.pk}/sheet/"
    undo = f"/athletes/merges/{entry.pk}/undo/"
    reason = {"inclusion": "excluded", "reason": "a"}
    for path, data, moment, gone in (
        (f"{swings}inclusion/", reason, reads("sessions"), swing.session),
        (f"{sheet}share/", {"days": 7}, reads("players", place=2), player),
        (undo, {}, reads("athletes_athletemerge", place=2), entry),
    ):
        with before(moment, gone.delete) as done:
            assert client.post(path, data).status_code == 404, path
        assert done, path
