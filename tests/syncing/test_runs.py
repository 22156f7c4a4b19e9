"""Who may start a run, whose it is, and how it ends."""

import json
import threading
import time
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from django_q.models import OrmQ

from athletes.models import Session
from syncing import services, sweeping, tasks
from syncing.choices import JobState, RunStatus, SyncType
from syncing.engine import runs
from syncing.models import ExportJob, SyncLog
from tests.database_reset import empty_database
from tests.factories import make_staff
from tests.syncing.snapshot import differences, snapshot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.both
def test_request_queues_one_run_and_answers_with_it():
    user = make_staff()
    log, is_new = services.request_sync(trigger="button", user=user)
    again, is_new_again = services.request_sync(trigger="api")

    assert (is_new, is_new_again) == (True, False)
    assert again.pk == log.pk
    assert (log.status, log.requested_by) == (RunStatus.QUEUED, user)
    assert OrmQ.objects.count() == 1


@pytest.mark.both
def test_full_request_widens_a_run_that_has_not_begun():
    log, _ = services.request_sync(trigger="schedule")
    services.request_sync(trigger="button", full=True)
    services.request_sync(trigger="schedule", sync_type=SyncType.EXPORTS)

    log.refresh_from_db()
    assert log.sync_type == SyncType.FULL


@pytest.mark.both
def test_threads_start_one_run_between_them():
    barrier = threading.Barrier(8)
    found = []

    def request():
        try:
            barrier.wait()
            found.append(runs.open_run(trigger="api", sync_type="incremental"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(is_new for _, is_new in found) == 1
    assert len({log.pk for log, _ in found}) == 1
    assert SyncLog.objects.count() == 1


@pytest.mark.both
def test_run_is_claimed_once():
    log, _ = services.request_sync(trigger="button")

    assert runs.claim_run(log.pk) is not None
    assert runs.claim_run(log.pk) is None


@pytest.mark.processes
def test_command_refuses_while_another_run_is_active(vendor, sync_process):
    log, _ = services.request_sync(trigger="button")
    runs.claim_run(log.pk)
    process = sync_process("--json")
    out, err = process.communicate(timeout=60)

    assert process.returncode == 2
    assert json.loads(out.splitlines()[-1])["errors"][0]["code"] == "already_running"
    assert f"run {log.pk}" in err
    assert vendor.log.total == 0


@pytest.mark.processes
def test_command_takes_over_a_run_that_is_only_queued(vendor, sync_process):
    log, _ = services.request_sync(trigger="button")
    process = sync_process("--json")
    out, err = process.communicate(timeout=120)

    assert process.returncode == 0, err
    outcome = json.loads(out.splitlines()[-1])
    assert (outcome["run"], outcome["status"]) == (log.pk, "success")
    assert set(outcome["players"]) >= {
        "seen",
        "created",
        "updated",
        "unchanged",
        "failed",
    }
    assert outcome["requests"] == vendor.log.total
    assert "Reading athletes" in err
    # The message that the broker still holds finds nothing to do.
    assert tasks.run_sync_task(log.pk) == RunStatus.SUCCESS


@pytest.mark.both
def test_silent_run_is_marked_abandoned_by_the_next():
    log, _ = services.request_sync(trigger="button")
    runs.claim_run(log.pk)
    SyncLog.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=10))
    new, is_new = services.request_sync(trigger="button")

    log.refresh_from_db()
    assert is_new
    assert new.pk != log.pk
    assert log.status == RunStatus.ABANDONED
    assert "next run continues" in log.error_message


@pytest.mark.both
def test_cancel_of_a_queued_run_ends_it():
    log, _ = services.request_sync(trigger="button")

    assert services.request_cancel(user=make_staff())
    log.refresh_from_db()
    assert log.status == RunStatus.CANCELLED
    assert not services.request_cancel()


def test_cancel_stops_a_run_in_the_middle(start_vendor, run_sync):
    vendor = start_vendor(sessions=12, swings=1, scenario="plain", latency_ms=150)
    ended = []

    def work():
        try:
            ended.append(run_sync())
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 20
    while not ExportJob.objects.filter(state=JobState.STORED).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert services.request_cancel()
    thread.join()

    # What was under way came to its end, and no more.
    assert vendor.log.routes["download"] < 12 * 4
    assert ended[0].status == RunStatus.CANCELLED
    assert not ExportJob.objects.exclude(claimed_by="").exists()
    assert not ExportJob.objects.filter(
        state__in=[JobState.REQUESTED, JobState.READY, JobState.DOWNLOADING]
    ).exists()

    assert run_sync().status == RunStatus.SUCCESS
    assert set(Session.objects.values_list("data_state", flat=True)) == {"complete"}


def test_run_out_of_time_goes_on_in_another_task(start_vendor, run_sync):
    start_vendor(sessions=8, scenario="plain", latency_ms=60)
    log = run_sync(time_budget_s=1.0)

    assert log.status == RunStatus.QUEUED
    assert log.started_at is not None
    parts = 1
    while log.status == RunStatus.QUEUED:
        from tests.syncing.conftest import FAST

        log = services.run_sync(log_id=log.pk, tempo=FAST, time_budget_s=1.0)
        parts += 1
    assert log.status == RunStatus.SUCCESS
    assert parts > 1
    assert log.counts["sessions"]["created"] == 8
    assert log.counts["exports"]["created"] == 32
    assert SyncLog.objects.count() == 1


def test_only_runs_abandoned_one_after_another_are_too_many():
    def run_that_ended(status):
        log, _ = services.request_sync(trigger="schedule")
        ended = {"status": status, "completed_at": timezone.now()}
        SyncLog.objects.filter(pk=log.pk).update(**ended)

    abandoned = RunStatus.ABANDONED
    for status in (abandoned, abandoned, RunStatus.SUCCESS, abandoned, abandoned):
        run_that_ended(status)
    assert sweeping.sweep()["started"] == 1
    run_that_ended(abandoned)
    assert sweeping.sweep()["started"] == 0


@pytest.mark.mainly("sqlite")
@pytest.mark.processes
@pytest.mark.parametrize(
    "kills", [(2,), pytest.param((0, 3, 9), marks=pytest.mark.nightly)]
)
def test_kill_in_the_middle_ends_like_one_clean_run(
    start_vendor, run_sync, sync_process, kills
):
    start_vendor(sessions=10 if len(kills) > 1 else 5, latency_ms=40, swings=2)
    for stored in kills:
        process = sync_process()
        deadline = time.monotonic() + 60
        while ExportJob.objects.filter(state=JobState.STORED).count() <= stored:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
        process.communicate()
    assert SyncLog.objects.active().count() == 1

    log = run_sync()
    assert log.status == RunStatus.SUCCESS
    assert SyncLog.objects.filter(status=RunStatus.ABANDONED).count() == len(kills)
    resumed = snapshot()

    empty_database()
    assert run_sync().status == RunStatus.SUCCESS
    assert differences(snapshot(), resumed) == []


@pytest.mark.processes
def test_stop_signal_marks_the_run_and_lets_go_of_its_jobs(
    start_vendor, run_sync, sync_process
):
    start_vendor(sessions=10, scenario="plain", latency_ms=100)
    process = sync_process()
    deadline = time.monotonic() + 60
    while not ExportJob.objects.filter(state=JobState.STORED).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    process.communicate(timeout=20)

    log = SyncLog.objects.get()
    assert log.status == RunStatus.ABANDONED
    assert "interrupted" in log.error_message
    assert not ExportJob.objects.exclude(claimed_by="").exists()
    assert run_sync().status == RunStatus.SUCCESS


@pytest.mark.mainly("sqlite")
@pytest.mark.processes
def test_two_processes_share_limit_and_jobs(start_vendor, sync_process, settings):
    """A helper works beside the run; no file is asked for twice."""
    vendor = start_vendor(sessions=8, scenario="plain", latency_ms=100)
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "workers": 3}
    process = sync_process("--json")
    deadline = time.monotonic() + 60
    while not ExportJob.objects.exclude(claimed_by="").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert tasks.help_exports_task(SyncLog.objects.get().pk) in {"done", "lost"}
    out, err = process.communicate(timeout=120)

    assert process.returncode == 0, err
    assert vendor.log.routes["data_export"] == 8 * 4
    assert vendor.log.routes["download"] == 8 * 4
    assert vendor.log.most_in_flight <= settings.SYNC_MAX_REQUESTS
    outcome = json.loads(out.splitlines()[-1])
    assert outcome["exports"]["created"] == 8 * 4
    assert outcome["requests"] == vendor.log.total
    # The bar counts what both of them did.
    bar = SyncLog.objects.get().progress["exports"]
    assert (bar["done"], bar["total"]) == (8 * 4, 8 * 4)


def test_sweep_enqueues_a_run_that_no_worker_took_up():
    log, _ = services.request_sync(trigger="button")
    OrmQ.objects.all().delete()
    assert sweeping.sweep()["enqueued"] == 0

    SyncLog.objects.update(enqueued_at=timezone.now() - timedelta(minutes=5))
    assert sweeping.sweep()["enqueued"] == 1
    assert OrmQ.objects.count() == 1
    log.refresh_from_db()
    assert log.status == RunStatus.QUEUED


def test_sweep_replaces_an_abandoned_run_but_not_for_ever():
    for expected in (1, 1, 0):
        active = SyncLog.objects.active().first()
        if active is None:
            active, _ = services.request_sync(trigger="button", full=True)
        runs.claim_run(active.pk)
        SyncLog.objects.filter(pk=active.pk).update(
            heartbeat_at=timezone.now() - timedelta(minutes=10)
        )
        done = sweeping.sweep()
        assert (done["abandoned"], done["started"]) == (1, expected)
    assert set(SyncLog.objects.values_list("sync_type", flat=True)) == {"full"}


def test_sweep_works_jobs_that_have_become_due(start_vendor, run_sync):
    vendor = start_vendor(sessions=0)
    session_id = vendor.world.add_session([vendor.world.athletes[0].org_player_id])
    vendor.world.delay_data(session_id, 3600)
    run_sync()
    assert sweeping.sweep()["started"] == 0

    vendor.world.advance(7200)
    ExportJob.objects.update(next_try_at=timezone.now())
    assert sweeping.sweep()["started"] == 1
    log = SyncLog.objects.active().get()
    assert (log.trigger, log.sync_type) == ("sweep", SyncType.EXPORTS)
    vendor.log.reset()
    assert tasks.run_sync_task(log.pk) == RunStatus.SUCCESS
    assert vendor.log.routes["players"] == 0
    assert Session.objects.get().data_state == "complete"
