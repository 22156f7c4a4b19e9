"""The start page of the administration: counts, problems, and where they lead."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.core.cache import cache
from django.utils import timezone
from django_q.models import Failure

from athletes.models import (
    DataState,
    GapDismissal,
    Player,
    SameRecording,
    SetAside,
)
from privacy.models import Archive, ArchiveState, StorageReport
from syncing.choices import JobState, RunStatus, Trigger
from syncing.models import ExportJob, SyncLog, WorkerHeartbeat
from tests import factories
from webhooks.models import DeliveryState, Webhook, WebhookDelivery

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def backup(settings, tmp_path):
    """A backup that was made just now."""
    settings.BACKUP_DIR = str(tmp_path)
    path = tmp_path / "today.backup"
    path.touch()
    return path


@pytest.fixture
def staff(client):
    cache.clear()
    user = factories.make_staff()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return user


def tiles(client):
    found = client.get("/admin/").context["overview"]
    return {t.label: t for t in found.totals + found.problems + found.machinery}


def everything_goes_well():
    now = timezone.now()
    SyncLog.objects.create(
        status=RunStatus.SUCCESS,
        trigger=Trigger.SCHEDULE,
        started_at=now - timedelta(hours=2),
        completed_at=now - timedelta(hours=2),
    )
    WorkerHeartbeat.objects.create(host="one", beat_at=now)


def test_an_empty_facility_says_what_is_missing(client, staff):
    response = client.get("/admin/")
    assert response.status_code == 200
    found = tiles(client)
    assert (found["Athletes"].value, found["Swings"].value) == ("0", "0")
    assert found["Last complete sync"].value == "never"
    worries = [t.label for t in response.context["overview"].worries]
    assert worries == ["Last complete sync", "Queue"]


def test_nothing_needs_anybody_when_all_is_well(client, staff):
    everything_goes_well()
    response = client.get("/admin/")
    assert response.context["overview"].worries == []
    assert "Nothing needs attention." in response.content.decode()
    assert tiles(client)["Last complete sync"].value == "2 h ago"


def test_totals_are_those_kept_with_the_athletes(client, staff):
    for sessions, swings in ((2, 30), (1, 1200)):
        player = factories.make_player()
        Player.objects.filter(pk=player.pk).update(
            session_count=sessions, swing_count=swings
        )
    found = tiles(client)
    values = [found[label].value for label in ("Athletes", "Sessions", "Swings")]
    assert values == ["2", "3", "1,230"]


def make_problems():
    """One of each, and beside each one that is none."""
    session = factories.make_synced_session(swings=2)
    swing = session.movements.first()
    swing.quality_grade = "poor"
    swing.save()
    SetAside.objects.create(movement=swing)
    SetAside.objects.create(movement=swing, settled_at=timezone.now())
    other = factories.make_session(player=session.player)
    for owner, kind, state in (
        (session, "metadata", JobState.FAILED),
        (session, "momentum-energy", JobState.GIVEN_UP),
        (session, "inverse-kinematics", JobState.STORED),
        (other, "metadata", JobState.PROCESSING),
    ):
        ExportJob.objects.create(session=owner, data_type=kind, state=state)
    Player.objects.filter(pk=session.player_id).update(
        data_state=DataState.PARTIAL, missing_since=timezone.now()
    )
    for state in (DataState.PARTIAL, DataState.COMPLETE):
        factories.make_session(player=session.player, data_state=state)
    dismissed = factories.make_session(player=session.player, data_state="partial")
    GapDismissal.objects.create(session=dismissed, data_state="partial", reason="old")
    for later, decided_at in ((other, None), (dismissed, timezone.now())):
        SameRecording.objects.create(
            session=later,
            other=session,
            swings=1,
            counts="both" if decided_at else "",
            decided_at=decided_at,
        )
    factories.make_player()
    hook = Webhook.objects.create(
        name="a", url="https://example.org/", events=["sync.finished"]
    )
    for state in (DeliveryState.FAILED, DeliveryState.DELIVERED):
        WebhookDelivery.objects.create(
            webhook=hook, event="sync.finished", payload={}, state=state
        )
    for state in (ArchiveState.FAILED, ArchiveState.READY):
        Archive.objects.create(player=session.player, state=state)
    for name, failures in (("coach", 8), ("other", 2)):
        AccessAttempt.objects.create(
            username=name, failures_since_start=failures, attempt_time=timezone.now()
        )


@pytest.mark.parametrize(
    ("label", "count", "listed", "is_worry"),
    [
        ("Failed files", "2", 2, True),
        ("Waiting files", "1", 1, False),
        ("Sessions without all data", "1", 1, True),
        ("Duplicate recordings", "1", 1, True),
        ("Athletes removed at Reboot Motion", "1", 1, True),
        ("Decisions to review", "1", 1, True),
        ("Poor swings", "1", 1, False),
        ("Failed webhooks", "1", 1, True),
        ("Failed archives", "1", 1, True),
        ("Locked logins", "1", 1, True),
    ],
)
def test_each_problem_is_counted_and_leads_to_its_list(
    client, staff, label, count, listed, is_worry
):
    make_problems()
    tile = tiles(client)[label]
    assert (tile.value, tile.needs_care) == (count, is_worry)
    page = client.get(tile.url)
    assert page.status_code == 200
    assert len(page.context["cl"].result_list) == listed


def test_every_tile_leads_somewhere(client, staff):
    for tile in tiles(client).values():
        assert client.get(tile.url).status_code == 200, tile.label


def test_the_page_asks_a_bounded_number_of_questions(
    client, staff, django_assert_max_num_queries
):
    make_problems()
    with django_assert_max_num_queries(40):
        client.get("/admin/")


def test_a_silent_queue_is_said(client, staff):
    everything_goes_well()
    WorkerHeartbeat.objects.update(beat_at=timezone.now() - timedelta(hours=1))
    tile = tiles(client)["Queue"]
    assert (tile.needs_care, tile.note) == (True, "no worker is responding")


@pytest.fixture
def failed_task():
    now = timezone.now()
    return Failure.objects.create(
        id="0123456789abcdef0123456789abcdef",
        name="sweep",
        func="syncing.tasks.sweep_task",
        started=now,
        stopped=now,
        success=False,
        result="Traceback",
    )


def test_a_task_of_the_queue_whose_key_is_a_text_is_looked_at(client, failed_task):
    client.force_login(factories.make_superuser())
    page = client.get(f"/admin/django_q/failure/{failed_task.pk}/change/")
    assert page.status_code == 200
    assert "No changes since the audit began." in page.content.decode()


def test_a_task_of_the_queue_is_deleted(client, failed_task):
    client.force_login(factories.make_superuser())
    answer = client.post(
        f"/admin/django_q/failure/{failed_task.pk}/delete/", {"post": "yes"}
    )
    assert answer.status_code == 302
    assert not Failure.objects.exists()


@pytest.mark.parametrize(
    ("hours", "value", "needs_care"),
    [(1, "60 min ago", False), (47, "47 h ago", False), (49, "2 days ago", True)],
)
def test_an_old_backup_needs_attention(client, staff, backup, hours, value, needs_care):
    at = time.time() - hours * 3600
    os.utime(backup, (at, at))
    tile = tiles(client)["Latest backup"]
    assert (tile.value, tile.needs_care) == (value, needs_care)
    assert tile.url == "/privacy/storage/"


def test_no_backup_needs_attention_unless_one_is_known_of_on_another_host(
    client, staff, backup
):
    everything_goes_well()
    backup.unlink()
    tile = tiles(client)["Latest backup"]
    assert (tile.value, tile.note) == ("none", "make one with: manage.py backup FILE")
    worries = client.get("/admin/").context["overview"].worries
    assert [found.label for found in worries] == ["Latest backup"]
    now = timezone.now()
    StorageReport.objects.create(
        taken_at=now,
        seconds=1.0,
        sizes={},
        free_bytes=1,
        newest_backup_at=now - timedelta(hours=20),
    )
    tile = tiles(client)["Latest backup"]
    assert (tile.value, tile.needs_care) == ("20 h ago", False)
