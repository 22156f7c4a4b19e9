"""Signs of life of several hosts, of which nobody can say who takes a task."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signals import post_spawn

from syncing import status, tasks
from syncing.engine.hosts import host_name
from syncing.models import WorkerHeartbeat

pytestmark = pytest.mark.django_db


def make_beat(host, ago_s):
    at = timezone.now() - timedelta(seconds=ago_s)
    return WorkerHeartbeat.objects.create(host=host, beat_at=at)


def passed_on():
    return [
        row.task["args"]
        for row in OrmQ.objects.all()
        if row.func() == "syncing.tasks.heartbeat_task"
    ]


def test_alone_it_beats_and_passes_nothing_on():
    tasks.heartbeat_task()

    assert [beat.host for beat in WorkerHeartbeat.objects.all()] == [host_name()]
    assert passed_on() == []


@pytest.mark.parametrize(
    ("ago_s", "expected"), [(5, []), (70, [(1,)]), (200, [(1,)]), (3600, [])]
)
def test_host_that_was_quiet_gets_its_turn(ago_s, expected):
    """A living one looked dead whenever others took the tasks; a dead one is left."""
    make_beat("elsewhere", ago_s)
    tasks.heartbeat_task()

    assert passed_on() == expected


def test_passing_on_ends():
    make_beat("elsewhere", 70)
    hops = 0
    tasks.heartbeat_task()
    while passed_on():
        ((hops,),) = passed_on()
        OrmQ.objects.all().delete()
        tasks.heartbeat_task(hops)

    assert 4 <= hops <= 20


def test_worker_that_has_just_begun_shows_its_host():
    post_spawn.send(sender="django_q", proc_name="Process-1")

    assert status.worker_heartbeat_age_s() < 5


def test_health_tells_of_workers_on_other_hosts(client):
    make_beat("elsewhere", 10)

    assert client.get("/health").json()["worker"]["state"] == "running"
