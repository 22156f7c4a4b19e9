"""Helpers that die, and one that was taken for dead and wakes up."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from syncing import services, sweeping, tasks
from syncing.choices import JobState, RunStatus
from syncing.engine import liveness, runs
from syncing.models import AnalysisJob, ExportJob, RequestSlot, RunHelper, SyncLog
from tests.database_reset import empty_database
from tests.factories import make_session
from tests.syncing.conftest import ROOT, database_url
from tests.syncing.snapshot import differences, snapshot

pytestmark = pytest.mark.django_db(transaction=True)

#: A helper as the queue runs it, but with leases that end in a day: what it holds
#: when it dies comes free in time only if its death is noticed. It is there before
#: the run, which may be over by the time that a process has started.
HELPER = """
import time
from datetime import timedelta
from django.utils import timezone
from syncing.engine import liveness
from syncing.engine.context import RunContext, StopRun, Tempo
from syncing.engine.exports import fetch_exports
from syncing.models import RunHelper, SyncLog
print("ready", flush=True)
while not SyncLog.objects.filter(status="running", phase="exports").exists():
    time.sleep(0.02)
log = SyncLog.objects.get(status="running")
ctx = RunContext(log, is_helper=True, tempo=Tempo(lease=timedelta(days=1)))
RunHelper.objects.create(run=log, worker=ctx.worker, process=liveness.mark(),
                         heartbeat_at=timezone.now())
try:
    with ctx:
        fetch_exports(ctx, 1)
except StopRun:
    print("stopped:", ctx.stop_reason)
"""
WAIT_S = 120


@pytest.fixture
def start_helper(settings):
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", HELPER],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "DEBUG": "1",
                "SECRET_KEY": settings.SECRET_KEY,
                "REBOOT_BASE_URL": settings.REBOOT_BASE_URL,
                "REBOOT_USERNAME": settings.REBOOT_USERNAME,
                "REBOOT_PASSWORD": settings.REBOOT_PASSWORD,
                "REBOOT_API_KEY": "",
                "REDIS_URL": "",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Leader(threading.Thread):
    """A run led in this process, beside a helper in another."""

    def __init__(self, run_sync):
        super().__init__()
        self._run_sync = run_sync
        self.log = None

    def run(self):
        try:
            self.log = self._run_sync()
        finally:
            connections.close_all()


def held_by_helper():
    helper = RunHelper.objects.first()
    if helper is None:
        return 0
    return ExportJob.objects.filter(claimed_by=helper.worker).count()


def begin(start_vendor, run_sync, start_helper):
    """A run with a helper that holds files, and is stopped."""
    vendor = start_vendor(
        sessions=10, swings=1, scenario="plain", latency_ms=500, seed=5
    )
    helper = start_helper()
    assert helper.stdout.readline() == "ready\n"
    leader = Leader(run_sync)
    leader.start()
    stop(helper)
    return vendor, leader, helper


def stop(helper):
    """Stop it while it holds files, and no lock for which all others would wait."""
    deadline = time.monotonic() + WAIT_S
    while True:
        wait_for(held_by_helper, "the helper took nothing")
        os.kill(helper.pid, signal.SIGSTOP)
        if held_by_helper() and not is_locked():
            return
        os.kill(helper.pid, signal.SIGCONT)
        assert time.monotonic() < deadline, "the helper was never between two writes"
        time.sleep(0.1)


def is_locked():
    """Whether somebody stands still in the middle of a transaction."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
            other.execute("PRAGMA busy_timeout = 3000")
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            other.rollback()
            return False
    time.sleep(1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
            " AND state_change < clock_timestamp() - interval '0.8 s'"
        )
        return cursor.fetchone()[0] > 0


def assert_equals_a_clean_run(vendor, run_sync):
    found = snapshot()
    vendor.app.latency_s = 0
    empty_database()
    assert run_sync().status == RunStatus.SUCCESS
    assert differences(snapshot(), found) == []


@pytest.mark.mainly("sqlite")
@pytest.mark.slow
@pytest.mark.processes
def test_files_of_a_killed_helper_are_taken_up_within_the_run(
    start_vendor, run_sync, start_helper
):
    vendor, leader, helper = begin(start_vendor, run_sync, start_helper)
    # From here on its death may be noticed at any moment.
    helper.kill()
    helper.wait()
    leader.join(timeout=WAIT_S)

    assert leader.log.status == RunStatus.SUCCESS
    assert not RunHelper.objects.exists()
    assert not ExportJob.objects.exclude(claimed_by="").exists()
    assert not RequestSlot.objects.exclude(holder="").exists()
    assert set(ExportJob.objects.values_list("state", flat=True)) == {"stored"}
    assert_equals_a_clean_run(vendor, run_sync)


@pytest.mark.mainly("postgresql")
@pytest.mark.slow
@pytest.mark.processes
def test_helper_that_was_taken_for_dead_writes_nothing_when_it_wakes(
    start_vendor, run_sync, start_helper
):
    vendor, leader, helper = begin(start_vendor, run_sync, start_helper)
    row = RunHelper.objects.get()
    held = list(
        ExportJob.objects.filter(claimed_by=row.worker).values_list("pk", flat=True)
    )
    # On another host, and silent for longer than anybody waits.
    RunHelper.objects.filter(pk=row.pk).update(
        process="elsewhere:1:1",
        heartbeat_at=timezone.now() - runs.SILENCE_LIMIT - timedelta(seconds=1),
    )
    wait_for(lambda: not RunHelper.objects.exists(), "the silence was not noticed")
    wait_for(
        lambda: not ExportJob.objects.filter(pk__in=held).exclude(state="stored"),
        "its files were not taken up",
    )
    before = dict(ExportJob.objects.filter(pk__in=held).values_list("pk", "stored_at"))
    os.kill(helper.pid, signal.SIGCONT)
    out, err = helper.communicate(timeout=WAIT_S)
    leader.join(timeout=WAIT_S)

    assert "stopped: lost" in out, err
    assert leader.log.status == RunStatus.SUCCESS
    after = dict(ExportJob.objects.filter(pk__in=held).values_list("pk", "stored_at"))
    assert after == before
    assert_equals_a_clean_run(vendor, run_sync)


def make_run(**fields):
    log, _ = services.request_sync(trigger="button")
    runs.claim_run(log.pk)
    SyncLog.objects.filter(pk=log.pk).update(**fields)
    log.refresh_from_db()
    return log


def make_helper(log, *, silent_s=0.0, worker="w" * 32, **fields):
    at = timezone.now() - timedelta(seconds=silent_s)
    given = {"process": "elsewhere:1:1", "heartbeat_at": at} | fields
    helper = RunHelper.objects.create(run=log, worker=worker, **given)
    until = timezone.now() + timedelta(days=1)
    session = make_session()
    job = ExportJob.objects.create(
        session=session,
        data_type="inverse-kinematics",
        state=JobState.DOWNLOADING,
        claimed_by=worker,
        claimed_until=until,
    )
    numbers = AnalysisJob.objects.create(
        session=session, wanted=1, attempts=1, claimed_by=worker, claimed_until=until
    )
    number = RequestSlot.objects.count() + 1
    slot = RequestSlot.objects.create(number=number, holder=worker, held_until=until)
    return helper, job, numbers, slot


def is_held(*rows):
    for row in rows:
        row.refresh_from_db()
    return [
        bool(getattr(row, "claimed_by", "") or getattr(row, "holder", ""))
        for row in rows
    ]


def test_helper_elsewhere_is_dead_after_its_silence_and_not_before():
    log = make_run()
    limit_s = runs.SILENCE_LIMIT.total_seconds()
    _, job, numbers, slot = make_helper(log, silent_s=limit_s - 10)
    assert runs.release_dead_helpers() == 0
    assert is_held(job, numbers, slot) == [True, True, True]

    RunHelper.objects.update(heartbeat_at=timezone.now() - runs.SILENCE_LIMIT)
    assert runs.release_dead_helpers() == 1
    # Its requests may still be under way: their leases end by themselves.
    assert is_held(job, numbers, slot) == [False, False, True]
    assert not RunHelper.objects.exists()


@pytest.mark.processes
def test_helper_of_this_host_is_dead_when_its_process_is_gone():
    log = make_run()
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    _, *rows = make_helper(log, process=liveness.mark(process.pid))
    assert runs.release_dead_helpers() == 0

    process.kill()
    # A zombie first, then gone: either is dead.
    wait_for(lambda: runs.release_dead_helpers() == 1, "its death was not noticed")
    process.communicate()
    assert is_held(*rows) == [False, False, False]


def test_number_that_was_given_out_again_is_another_process():
    place, pid, started = liveness.mark().split(":")

    assert not liveness.is_gone(f"{place}:{pid}:{started}")
    assert liveness.is_gone(f"{place}:{pid}:{int(started) + 1}")
    assert not liveness.is_gone(f"another-{place}:{pid}:{int(started) + 1}")
    assert not liveness.is_gone("")


@pytest.mark.processes
def test_helper_finds_a_dead_leader_and_another_run_begins():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    log = make_run(process=liveness.mark(process.pid), heartbeat_at=timezone.now())
    assert sweeping.take_over() == 0

    process.kill()
    process.communicate()
    assert sweeping.take_over() == 1
    log.refresh_from_db()
    assert log.status == RunStatus.ABANDONED
    assert SyncLog.objects.active().get().trigger == "sweep"
    assert tasks.help_exports_task(log.pk) == "over"


def test_numbers_whose_worker_died_are_due_and_those_that_failed_are_not():
    log = make_run()
    SyncLog.objects.filter(pk=log.pk).update(status=RunStatus.SUCCESS)
    job = AnalysisJob.objects.create(
        session=make_session(), wanted=1, attempts=1, last_error="It divides by zero."
    )
    assert sweeping.sweep()["started"] == 0

    AnalysisJob.objects.filter(pk=job.pk).update(last_error="")
    assert sweeping.sweep()["started"] == 1
