"""What people ask for during a long run is made before the run ends."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.models import OrmQ

from privacy.models import Archive, ArchiveState
from syncing import services, tasks
from syncing.choices import JobState, RunStatus
from syncing.engine import liveness, runs
from syncing.models import ExportJob, RunHelper, SyncLog, WorkerHeartbeat
from tests import factories
from tests.syncing.conftest import FAST, ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)

SYNC = "from syncing.services import request_sync as r; r(trigger='button')"
ARCHIVE = """
from accounts.models import User
from athletes.models import Player
from privacy.archives import request_archive
request_archive(player=Player.objects.get(pk=%d), user=User.objects.get(pk=%d))
"""
WAIT_S = 150


def wait_for(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture
def cluster(settings, tmp_path):
    """Start the queue with so many workers; returns what runs code beside it."""
    started = []

    def start(workers):
        environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": "",
            "DEBUG": "1",
            "VAR_DIR": str(tmp_path),
            "QUEUE_WORKERS": str(workers),
            "SECRET_KEY": settings.SECRET_KEY,
            "REBOOT_BASE_URL": settings.REBOOT_BASE_URL,
            "REBOOT_USERNAME": settings.REBOOT_USERNAME,
            "REBOOT_PASSWORD": settings.REBOOT_PASSWORD,
            "REBOOT_API_KEY": "",
        }
        with (tmp_path / "cluster.log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    [sys.executable, "manage.py", "qcluster"],
                    cwd=ROOT,
                    env=environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

        def run(code):
            words = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
            subprocess.run(words, cwd=ROOT, env=environment, check=True, timeout=60)

        return run

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize(
    "workers",
    [
        pytest.param(1, marks=pytest.mark.mainly("sqlite")),
        pytest.param(2, marks=pytest.mark.mainly("postgresql")),
    ],
)
def test_an_archive_asked_for_during_a_run_is_made_before_its_end(
    start_vendor, cluster, workers
):
    # Far more than can be fetched meanwhile: 280 files, four a second.
    start_vendor(sessions=70, scenario="plain", latency_ms=1500)
    player, user = factories.make_player(), factories.make_staff()
    run = cluster(workers)
    run(SYNC)
    wait_for(
        lambda: ExportJob.objects.filter(state=JobState.STORED).exists(),
        "nothing was stored",
    )
    run(ARCHIVE % (player.pk, user.pk))
    wait_for(
        lambda: Archive.objects.filter(state=ArchiveState.READY).exists(),
        "the archive waited for the end of the run",
    )
    log = SyncLog.objects.get()
    assert log.is_active
    assert ExportJob.objects.exclude(state=JobState.STORED).count() > 100
    # And the run goes on.
    stored = ExportJob.objects.filter(state=JobState.STORED).count()
    wait_for(
        lambda: ExportJob.objects.filter(state=JobState.STORED).count() > stored,
        "the run did not go on",
    )


# --- Runs that give way ---------------------------------------------------------------


def test_a_run_that_works_in_turns_asks_for_nothing_twice(start_vendor):
    vendor = start_vendor(sessions=10, scenario="plain", latency_ms=60)
    log, _ = runs.open_run(trigger="button", sync_type="incremental")
    statuses = []
    while (
        log := services.run_sync(log_id=log.pk, tempo=FAST, turn_s=0.4)
    ).status == RunStatus.QUEUED:
        done = log.progress.get("exports")
        statuses.append(None if done is None else (done["done"], done["total"]))
    assert log.status == RunStatus.SUCCESS
    assert len(statuses) > 3
    assert ExportJob.objects.filter(state=JobState.STORED).count() == 40
    assert vendor.log.routes["data_export"] == vendor.log.routes["download"] == 40
    assert vendor.log.routes["session"] == 10
    # The bar does not begin anew with each turn.
    told = [entry for entry in statuses if entry is not None]
    assert told == sorted(told)
    assert {total for _, total in told} == {40}
    assert log.progress["exports"]["done"] == 40


def in_turns(log, turn_s, *, tempo=FAST, at_most=40):
    """Work a run in turns to its end; the run, and how many turns it took."""
    for turn in range(1, at_most + 1):
        log = services.run_sync(log_id=log.pk, tempo=tempo, turn_s=turn_s)
        if log.status != RunStatus.QUEUED:
            return log, turn
    raise AssertionError(f"no end after {at_most} turns, in {log.phase}")


def test_a_session_that_cannot_be_read_does_not_hold_a_run_in_turns(start_vendor):
    # An answer takes longer than a turn, so that each turn asks for one thing.
    vendor = start_vendor(sessions=4, scenario="plain", latency_ms=300)
    refused = vendor.world.sessions[1].id
    vendor.world.damage_session(refused, "refused")
    log, _ = runs.open_run(trigger="schedule", sync_type="incremental")
    log, turns = in_turns(log, 0.25)
    assert turns > 1
    assert (log.status, log.phase, log.error_count) == (RunStatus.PARTIAL, "done", 1)
    assert log.errors[0]["object"] == f"session {refused}"
    # Once for each session; the refused one once more, with a new token.
    assert vendor.log.routes["session"] == 5
    assert ExportJob.objects.filter(state=JobState.STORED).count() == 12
    assert ExportJob.objects.count() == 12


@pytest.mark.parametrize(
    "trigger",
    [
        pytest.param("button", marks=pytest.mark.mainly("sqlite")),
        pytest.param("schedule", marks=pytest.mark.mainly("postgresql")),
    ],
)
def test_a_turn_does_not_undo_the_wait_of_a_failed_file(start_vendor, trigger):
    vendor = start_vendor(sessions=8, scenario="plain", latency_ms=60)
    damaged = [session.id for session in vendor.world.sessions[::7]]
    for session_id in damaged:
        vendor.world.damage_session(session_id, "bad-truncated")
    hour = replace(FAST, bad_file_s=(3600,), failure_s=(3600,))
    log, _ = runs.open_run(trigger=trigger, sync_type="incremental")
    log, turns = in_turns(log, 0.3, tempo=hour)
    assert turns > 3
    assert log.status == RunStatus.PARTIAL
    failed = ExportJob.objects.filter(state=JobState.FAILED)
    assert {job.session.session_id for job in failed} == {*damaged}
    assert [job.attempts for job in failed] == [1] * 6
    assert all(job.next_try_at > timezone.now() for job in failed)
    assert log.counts["exports"]["failed"] == log.error_count == 6


@pytest.mark.both
def test_a_run_whose_requeuing_loses_the_database_is_not_whole(start_vendor):
    start_vendor(sessions=6, scenario="plain", latency_ms=60)
    lost = []

    def lose(execute, sql, params, many, context):
        if sql.startswith('UPDATE "sync_log"') and "enqueued_at" in sql:
            lost.append(sql)
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    log, _ = runs.open_run(trigger="schedule", sync_type="incremental")
    with (
        connection.execute_wrapper(lose),
        pytest.raises(OperationalError, match="server closed"),
    ):
        services.run_sync(log_id=log.pk, tempo=FAST, turn_s=0.3)
    log.refresh_from_db()
    assert len(lost) == 1
    assert log.status == RunStatus.ABANDONED
    assert "stopped early" in log.error_message
    assert log.completed_at is not None
    # The next one takes up what is left.
    log, _ = runs.open_run(trigger="schedule", sync_type="incremental")
    log = services.run_sync(log_id=log.pk, tempo=FAST)
    assert log.status == RunStatus.SUCCESS
    assert ExportJob.objects.filter(state=JobState.STORED).count() == 24


# --- Helpers ------------------------------------------------------------------------


@pytest.fixture
def asked(settings):
    """The helpers that a run asked for, with so many workers and hosts."""

    def ask(workers, hosts):
        settings.Q_CLUSTER = {**settings.Q_CLUSTER, "workers": workers}
        now = timezone.now()
        for number in range(hosts):
            WorkerHeartbeat.objects.create(host=f"host-{number}", beat_at=now)
        log = SyncLog.objects.create(
            status=RunStatus.RUNNING,
            trigger="button",
            sync_type="full",
            process=liveness.mark(),
            heartbeat_at=now,
        )
        tasks._call_help(log)
        return log

    return ask


def waiting():
    return [(row.func(), row.task["args"]) for row in OrmQ.objects.order_by("id")]


@pytest.mark.parametrize(
    ("workers", "hosts", "helpers"),
    [(1, 1, 0), (2, 1, 0), (3, 1, 1), (4, 1, 2), (1, 2, 0), (2, 2, 1), (4, 3, 8)],
)
def test_a_worker_of_each_host_is_left_to_people(asked, workers, hosts, helpers):
    log = asked(workers, hosts)
    task = ("syncing.tasks.help_exports_task", (log.pk, 0))
    assert waiting() == [task] * helpers


def test_a_host_without_a_worker_to_spare_passes_the_task_on(asked):
    log = asked(2, 2)
    assert tasks.help_exports_task(log.pk) == "no worker to spare"
    assert waiting()[-1] == ("syncing.tasks.help_exports_task", (log.pk, 1))
    count = len(waiting())
    # Not for ever: the others may be just as busy.
    assert tasks.help_exports_task(log.pk, 12) == "no worker to spare"
    assert len(waiting()) == count


def test_helpers_on_this_host_count_as_busy(asked):
    log = asked(3, 1)
    RunHelper.objects.create(run=log, process=liveness.mark(), worker="w" * 32)
    assert tasks.help_exports_task(log.pk) == "no worker to spare"
