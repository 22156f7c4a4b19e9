"""Two clusters of the queue at work on one PostgreSQL, with either broker."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
import redis
from django.db import connection
from django_q.models import Task

from simulator.faults import FaultPlan
from syncing.choices import JobState, RunStatus
from syncing.models import ExportJob, RequestSlot, SyncLog
from tests.database_reset import empty_database
from tests.syncing.conftest import ROOT, database_url
from tests.syncing.leaks import leaks, patterns
from tests.syncing.snapshot import differences, snapshot

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.postgres,
]

REQUEST = "from syncing.services import request_sync as r; r(trigger='button')"
SWEEP = "from syncing.sweeping import sweep as s; s()"
WAIT_S = 180


def brokers(first, other):
    """Each situation with one broker; the other way round at night."""
    is_redis = {"database": (), "redis": (pytest.mark.redis,)}
    return pytest.mark.parametrize(
        "redis_url",
        [
            pytest.param(first, marks=is_redis[first]),
            pytest.param(other, marks=(*is_redis[other], pytest.mark.nightly)),
        ],
        indirect=True,
    )


@pytest.fixture
def redis_url(request):
    """Address of the broker; empty for the database."""
    if connection.vendor != "postgresql":
        pytest.skip("several clusters need PostgreSQL")
    if request.param == "database":
        yield ""
        return
    url = os.environ.get("TEST_REDIS_URL", "")
    if not url and os.environ.get("CI") != "true":
        pytest.skip("no Redis; set TEST_REDIS_URL")
    client = redis.Redis.from_url(url)
    client.flushdb()
    yield url
    client.flushdb()
    client.close()


@pytest.fixture
def clusters(start_vendor, redis_url, settings, tmp_path):
    """Start clusters, and run a line of code, as a host of the product would."""
    started = []

    def environment():
        return {
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": redis_url,
            "DEBUG": "0",
            "HTTPS": "0",
            "LOG_LEVEL": "DEBUG",
            "QUEUE_WORKERS": str(clusters.workers),
            "SECRET_KEY": settings.SECRET_KEY,
            "REBOOT_BASE_URL": settings.REBOOT_BASE_URL,
            "REBOOT_USERNAME": settings.REBOOT_USERNAME,
            "REBOOT_PASSWORD": settings.REBOOT_PASSWORD,
            "REBOOT_API_KEY": "",
        }

    class Clusters:
        def __init__(self):
            self.started = started
            self.workers = 2

        def start(self):
            path = tmp_path / f"cluster-{len(started)}.log"
            with path.open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "manage.py", "qcluster"],
                    cwd=ROOT,
                    env=environment(),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            started.append(process)
            return process

        def run(self, code):
            subprocess.run(
                [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
                cwd=ROOT,
                env=environment(),
                check=True,
                timeout=60,
            )

        def kill(self, process):
            """All of it at once, as a host that loses power."""
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

        def told(self):
            return "".join(
                path.read_text(errors="replace") for path in tmp_path.glob("*.log")
            )

    clusters = Clusters()
    yield clusters
    for process in started:
        clusters.kill(process)


def wait_for(condition, what, *, seconds=WAIT_S):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def last_status():
    return SyncLog.objects.order_by("-id").values_list("status", flat=True).first()


@brokers("redis", "database")
def test_two_clusters_work_each_job_once(clusters, start_vendor, settings):
    vendor = start_vendor(sessions=14, scenario="plain", latency_ms=80)
    # One leads and one helps: a third stays free for what people ask for.
    clusters.workers = 3
    for _ in range(2):
        clusters.start()
    # At once: a run that is over is no obstacle to a second.
    clusters.run(f"{REQUEST}; r(trigger='schedule')")
    wait_for(lambda: last_status() == RunStatus.SUCCESS, "the run did not succeed")

    jobs = ExportJob.objects.filter(state=JobState.STORED).count()
    assert jobs == ExportJob.objects.count() == 14 * 4
    assert vendor.log.routes["data_export"] == jobs
    assert vendor.log.routes["download"] == jobs
    assert vendor.log.routes["token"] == 1
    assert 2 <= vendor.log.most_in_flight <= settings.SYNC_MAX_REQUESTS
    log = SyncLog.objects.get()
    assert (log.counts["exports"]["created"], log.requests) == (jobs, vendor.log.total)
    wait_for(
        lambda: Task.objects.filter(func__endswith="help_exports_task").exists(),
        "no other worker helped",
    )
    wait_for(
        lambda: not RequestSlot.objects.exclude(holder="").exists(),
        "slots were kept after the run",
    )

    told = clusters.told()
    assert f"run {log.pk}" in told
    assert leaks(told, patterns(vendor, others=[settings.SECRET_KEY])) == []


@brokers("database", "redis")
def test_killed_cluster_loses_and_doubles_nothing(clusters, start_vendor, run_sync):
    vendor = start_vendor(sessions=8, latency_ms=90)
    vendor.app.set_faults(
        FaultPlan(probability=0.3, seed=7, retry_after_s=0, slow_s=0.05)
    )
    for _ in range(2):
        clusters.start()
    clusters.run(REQUEST)
    wait_for(
        lambda: ExportJob.objects.filter(state=JobState.STORED).count() > 3,
        "nothing was stored",
    )
    leader = SyncLog.objects.get().pid
    (led,) = [it for it in clusters.started if it.pid == os.getpgid(leader)]
    clusters.kill(led)
    clusters.start()
    deadline = time.monotonic() + WAIT_S
    whole = SyncLog.objects.exclude(sync_type="exports")
    while not whole.filter(status=RunStatus.SUCCESS).exists():
        assert time.monotonic() < deadline, last_status()
        clusters.run(SWEEP if SyncLog.objects.active().exists() else REQUEST)
        # As often as it takes: each time is a process that begins by importing.
        with suppress(AssertionError):
            wait_for(whole.filter(status=RunStatus.SUCCESS).exists, "", seconds=6)
    wait_for(lambda: not SyncLog.objects.active().exists(), "a run did not end")
    resumed = snapshot()
    assert leaks(clusters.told(), patterns(vendor)) == []

    vendor.app.latency_s = 0
    vendor.app.set_faults(FaultPlan())
    empty_database()
    assert run_sync().status == RunStatus.SUCCESS
    assert differences(snapshot(), resumed) == []
