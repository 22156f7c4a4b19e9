"""Who steered the sync is in the audit."""

import pytest

from accounts.models import Action, AuditEntry
from syncing.choices import JobState, RunStatus, Trigger
from syncing.models import ExportJob, SyncLog
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    user = factories.make_staff()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def job():
    return ExportJob.objects.create(
        session=factories.make_session(), data_type="metadata", state=JobState.FAILED
    )


@pytest.mark.parametrize(
    ("path", "action", "what"),
    [
        ("/syncing/retry/", Action.SYNC_REQUESTED, "try again"),
        ("/syncing/give-up/", Action.RECORD_CHANGED, "give up"),
    ],
)
def test_what_was_done_to_files(client, staff, job, path, action, what):
    client.post(path, {"job": job.pk})
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.user) == (action, staff)
    assert entry.detail == {"what": what, "files": 1}


@pytest.mark.parametrize(
    ("name", "action", "what"),
    [
        ("try_again", Action.SYNC_REQUESTED, "try again"),
        ("give_up", Action.RECORD_CHANGED, "give up"),
        ("ask_anew", Action.SYNC_REQUESTED, "download again"),
    ],
)
def test_what_was_done_to_files_in_the_admin(client, staff, job, name, action, what):
    client.post(
        "/admin/syncing/exportjob/", {"action": name, "_selected_action": [job.pk]}
    )
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.user) == (action, staff)
    assert entry.detail == {"what": what, "files": 1}


def test_asking_anew_for_an_athlete_names_him_by_number(client, staff, job):
    player = job.session.player
    client.post("/syncing/backfill/", {"player": player.org_player_id})
    entry = AuditEntry.objects.get(action=Action.SYNC_REQUESTED)
    assert (entry.player_number, entry.user) == (player.pk, staff)


@pytest.mark.parametrize("where", ["page", "admin"])
def test_who_cancelled_a_run(client, staff, where):
    run = SyncLog.objects.create(status=RunStatus.RUNNING, trigger=Trigger.SCHEDULE)
    if where == "page":
        client.post("/syncing/cancel/")
    else:
        client.post(
            "/admin/syncing/synclog/",
            {"action": "cancel", "_selected_action": [run.pk]},
        )
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.user) == (Action.RECORD_CHANGED, staff)
    assert entry.detail == {"what": "cancel sync"}
