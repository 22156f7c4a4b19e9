"""JSON about the sync."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Action, AuditEntry
from athletes.models import DataState
from syncing.choices import RunKind, RunStatus, Trigger
from syncing.models import SyncLog
from tests import factories
from tests.openapi import assert_documented

pytestmark = pytest.mark.django_db

RUN_KEYS = [
    "id",
    "sync_type",
    "status",
    "records_synced",
    "players_synced",
    "sessions_synced",
    "biomechanics_synced",
    "error_message",
    "started_at",
    "completed_at",
]


def make_run(**fields):
    return SyncLog.objects.create(
        **(
            {
                "status": RunStatus.SUCCESS,
                "trigger": Trigger.SCHEDULE,
                "started_at": timezone.now(),
                "completed_at": timezone.now(),
            }
            | fields
        )
    )


def test_status_before_any_run(client):
    response = client.get("/sync/status", headers=factories.make_token())
    assert_documented(response, "/sync/status")
    body = response.json()
    assert list(body) == [*RUN_KEYS, "history"]
    assert body["status"] == "never_synced"
    assert (body["id"], body["started_at"], body["history"]) == (None, None, [])


def test_status_has_the_newest_run_and_those_before(client):
    old = make_run(status=RunStatus.FAILED, error_message="Reboot Motion is away.")
    middle = make_run(players_synced=3, records_synced=9)
    make_run(kind=RunKind.UPLOAD)
    new = make_run(status=RunStatus.RUNNING, completed_at=None)
    response = client.get("/sync/status", headers=factories.make_token())
    assert_documented(response, "/sync/status")
    body = response.json()
    assert (body["id"], body["status"], body["completed_at"]) == (
        new.pk,
        "running",
        None,
    )
    assert body["error_message"] is None
    assert [run["id"] for run in body["history"]] == [middle.pk, old.pk]
    assert list(body["history"][0]) == RUN_KEYS
    assert body["history"][0]["records_synced"] == 9
    assert body["history"][1]["error_message"] == "Reboot Motion is away."


def test_history_is_as_long_as_asked(client):
    for _ in range(4):
        make_run()
    headers = factories.make_token()
    body = client.get("/sync/status?limit=2", headers=headers).json()
    assert len(body["history"]) == 2


@pytest.mark.parametrize("count", [1, 3])
def test_status_costs_two_queries(client, count, django_assert_num_queries):
    for _ in range(count):
        make_run()
    headers = factories.make_token()
    client.get("/definitions", headers=headers)
    # token, runs
    with django_assert_num_queries(2):
        client.get("/sync/status", headers=headers)


def test_trigger_queues_a_run_once(client):
    headers = factories.make_token("sync")
    response = client.post("/sync/trigger", headers=headers)
    assert response.status_code == 202
    assert_documented(response, "/sync/trigger", "post")
    run = SyncLog.objects.get()
    assert response.json() == {"status": "queued", "sync_id": run.pk}
    assert (run.trigger, run.sync_type) == ("api", "incremental")
    SyncLog.objects.update(status=RunStatus.RUNNING, heartbeat_at=timezone.now())
    again = client.post("/sync/trigger", headers=headers)
    assert again.status_code == 202
    assert again.json() == {"status": "running", "sync_id": run.pk}
    assert SyncLog.objects.count() == 1
    entry = AuditEntry.objects.get(action=Action.SYNC_REQUESTED)
    assert (entry.subject_type, entry.subject_id) == ("syncing.synclog", run.pk)


def test_trigger_may_ask_for_everything(client):
    headers = factories.make_token("sync")
    client.post("/sync/trigger?full=true", headers=headers)
    assert SyncLog.objects.get().sync_type == "full"


def test_trigger_by_staff_names_who_asked(client):
    staff = factories.make_staff()
    client.force_login(staff)
    assert client.post("/sync/trigger").status_code == 202
    assert SyncLog.objects.get().requested_by == staff


def test_a_coach_triggers_what_is_new_and_no_full_sync(client):
    client.force_login(factories.make_user())
    assert client.post("/sync/trigger?full=true").status_code == 403
    assert not SyncLog.objects.exists()
    assert client.post("/sync/trigger").status_code == 202
    assert SyncLog.objects.get().sync_type == "incremental"


@pytest.mark.parametrize("who", ["read token", "coach"])
def test_trigger_needs_the_right(client, who):
    headers = {}
    if who == "coach":
        client.force_login(factories.make_user(may_start_sync=False))
    else:
        headers = factories.make_token("read")
    response = client.post("/sync/trigger", headers=headers)
    assert response.status_code == 403
    assert_documented(response, "/sync/trigger", "post")
    assert not SyncLog.objects.exists()


def test_stats_count_what_there_is(client):
    done = factories.make_synced_session(swings=2)
    factories.make_session(player=done.player, data_state=DataState.WAITING)
    factories.make_frames(movement=done.movements.first())
    ended = timezone.now() - dt.timedelta(hours=2)
    make_run(completed_at=ended)
    make_run(completed_at=timezone.now(), status=RunStatus.PARTIAL)
    response = client.get("/stats", headers=factories.make_token())
    assert_documented(response, "/stats")
    body = response.json()
    last = dt.datetime.fromisoformat(body.pop("last_success_at"))
    assert last == ended
    assert body == {
        "total_players": 1,
        "total_sessions": 2,
        "synced_sessions": 1,
        "pending_sessions": 1,
        "biomechanics_records": 1,
        "total_movements": 2,
    }


def test_stats_of_an_empty_database(client):
    body = client.get("/stats", headers=factories.make_token()).json()
    assert body["last_success_at"] is None
    assert body["total_players"] == 0


def test_the_button_is_recorded_like_the_call(client):
    staff = factories.make_staff()
    client.force_login(staff)
    client.post("/syncing/start/", {"full": "on"})
    entry = AuditEntry.objects.get(action=Action.SYNC_REQUESTED)
    assert (entry.user, entry.subject_id) == (staff, SyncLog.objects.get().pk)
