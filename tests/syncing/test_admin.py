"""Staff repair in the admin: try again, give up, ask anew."""

from datetime import timedelta

import pytest
from django.utils import timezone

from syncing import services
from syncing.choices import JobState
from syncing.models import ExportJob, SyncLog, VendorSession
from tests.factories import make_session, make_staff

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = "/admin/syncing/exportjob/"


@pytest.fixture
def user():
    return make_staff(is_superuser=True)


@pytest.fixture
def staff(client, user):
    client.force_login(user)
    return client


def make_job(state=JobState.FAILED, **fields):
    given = {
        "data_type": "inverse-kinematics",
        "state": state,
        "attempts": 4,
        "last_error": "It ends in the middle.",
        "next_try_at": timezone.now() + timedelta(days=1),
        "sha256": "a" * 64,
    } | fields
    given.setdefault("session", make_session())
    return ExportJob.objects.create(**given)


def act(client, path, action, *rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(path, data, follow=True)


def test_chosen_jobs_are_tried_again_in_the_name_of_who_asked(staff, user):
    chosen, given_up, left = make_job(), make_job(JobState.GIVEN_UP), make_job()
    page = act(staff, JOBS, "try_again", chosen, given_up)

    assert "2 jobs will be retried now." in page.content.decode()
    states = dict(ExportJob.objects.values_list("pk", "state"))
    assert states == {
        chosen.pk: JobState.WANTED,
        given_up.pk: JobState.WANTED,
        left.pk: JobState.FAILED,
    }
    run = SyncLog.objects.get()
    assert (run.sync_type, run.requested_by) == ("exports", user)


def test_chosen_jobs_are_given_up(staff):
    chosen, left = make_job(), make_job()
    act(staff, JOBS, "give_up", chosen)

    chosen.refresh_from_db()
    left.refresh_from_db()
    assert (chosen.state, chosen.next_try_at) == (JobState.GIVEN_UP, None)
    assert left.state == JobState.FAILED
    assert not SyncLog.objects.exists()


def test_all_files_of_the_sessions_are_asked_for_anew(staff, user):
    session = make_session()
    chosen = make_job(JobState.STORED, session=session)
    other = make_job(JobState.STORED, session=session, data_type="metadata")
    left = make_job(JobState.STORED)
    act(staff, JOBS, "ask_anew", chosen)

    rows = {job.pk: (job.state, job.sha256) for job in ExportJob.objects.all()}
    # Without its hash the same file is read again.
    assert rows[chosen.pk] == rows[other.pk] == (JobState.WANTED, "")
    assert rows[left.pk] == (JobState.STORED, "a" * 64)
    assert SyncLog.objects.get().requested_by == user


def test_chosen_sessions_of_the_vendor_are_asked_for_anew(
    staff, user, start_vendor, run_sync
):
    vendor = start_vendor(sessions=3, scenario="plain")
    run_sync()
    chosen = VendorSession.objects.order_by("pk").first()
    act(staff, "/admin/syncing/vendorsession/", "ask_anew", chosen)
    log = SyncLog.objects.active().get()
    assert (log.sync_type, log.requested_by) == ("exports", user)
    assert VendorSession.objects.get(needs_detail=True) == chosen

    vendor.log.reset()
    assert services.run_sync(log_id=log.pk).status == "success"
    assert vendor.log.routes["session"] == 1
    assert vendor.log.routes["data_export"] == 4
    assert not VendorSession.objects.filter(needs_detail=True).exists()
    assert set(ExportJob.objects.values_list("state", flat=True)) == {"stored"}
