"""The sign of life that every cluster of the queue gives itself."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from syncing import status
from syncing.models import WorkerHeartbeat
from tests.syncing.conftest import ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)


def functions(found):
    return [SignedPackage.loads(package)["func"] for _, package in found]


def test_every_cluster_gets_its_own_and_only_once_a_minute():
    one, two = get_broker(), get_broker()
    assert functions(one.dequeue()) == ["syncing.tasks.heartbeat_task"]
    assert functions(two.dequeue()) == ["syncing.tasks.heartbeat_task"]
    assert one.dequeue() == two.dequeue() == []
    assert one.queue_size() == 0


def test_shared_tasks_come_beside_it():
    async_task("syncing.tasks.sweep_task")
    one, two = get_broker(), get_broker()
    assert functions(one.dequeue()) == [
        "syncing.tasks.sweep_task",
        "syncing.tasks.heartbeat_task",
    ]
    assert functions(two.dequeue()) == ["syncing.tasks.heartbeat_task"]


@pytest.mark.slow
def test_a_cluster_without_any_schedule_gives_a_sign_and_says_goodbye(settings):
    Schedule.objects.all().delete()
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "supervise_qcluster"],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": database_url(),
            "REDIS_URL": "",
            "SECRET_KEY": settings.SECRET_KEY,
            "HTTPS": "0",
        },
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not WorkerHeartbeat.objects.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert status.worker_heartbeat_age_s() < 60
        assert not OrmQ.objects.exists()
        assert not Task.objects.exists()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
        assert status.worker_ages_s() == {}
    finally:
        worker.kill()
        worker.wait()
