"""Metrics for Prometheus: who may read them and what they say."""

import json
import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.utils import timezone

from syncing.choices import RunStatus
from syncing.models import ExportJob, SyncLog, WorkerHeartbeat
from tests import factories, migrated
from tests.reboot_site.emitted_metrics import EMITTED, OF_DATABASE, OF_REQUESTS

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    # One for the module: the library keeps its files open.
    patch = pytest.MonkeyPatch()
    patch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path_factory.mktemp("metrics")))
    yield
    patch.undo()


@pytest.fixture
def token(settings):
    settings.METRICS_TOKEN = TOKEN
    return {"Authorization": f"Bearer {TOKEN}"}


def values_of(answer):
    """{(name, labels …): value} of the answer."""
    # Here, because the library chooses where it counts when it is first imported.
    from prometheus_client.parser import text_string_to_metric_families

    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def labels_of(found):
    """{name: its labels} of what `values_of` found."""
    return {name: {label for label, _ in labels} for name, *labels in found}


def test_metrics_do_not_exist_without_a_token_in_the_settings(client):
    assert (
        client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    )


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer é"]
)
def test_metrics_refuse_who_has_not_the_token(client, token, header):
    headers = {} if header is None else {"Authorization": header}
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert b"dashboard_" not in answer.content


@pytest.fixture
def two_processes(tmp_path):
    """The web server as it is deployed, with two processes and a token."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path}/metrics.sqlite3",
        "VAR_DIR": str(tmp_path),
        "SECRET_KEY": "a-key-for-this-test-only-0123456789-abcdefghijklmnop",
        "METRICS_TOKEN": TOKEN,
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
        "LOG_FORMAT": "json",
        "HTTPS": "0",
        "REDIS_URL": "",
        "WEB_CONCURRENCY": "2",
        "BIND_HOST": "127.0.0.1",
        "PORT": str(port),
    }
    # Counts of an earlier start, which nobody may see again.
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "counter_1.db").write_bytes(b"old")
    run = {"cwd": ROOT, "env": environment, "check": True}
    if not migrated.make_file(tmp_path / "metrics.sqlite3"):
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], **run)
    log = tmp_path / "log.txt"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "reboot_site.wsgi"),
                *("--config", "reboot_site/gunicorn.py", "--log-level", "warning"),
            ],
            cwd=ROOT,
            env=environment,
            stdout=sink,
            stderr=sink,
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            requests.get(f"{url}/health", timeout=5)
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
    yield url, log
    server.terminate()
    server.wait(30)


@pytest.mark.slow
def test_metrics_of_two_processes_are_counted_together(two_processes):
    url, log = two_processes
    for _ in range(30):
        # A connection each, so that both processes get some.
        answer = requests.get(f"{url}/health/live?name=Aldertree", timeout=10)
        assert answer.status_code == 200
    answer = requests.get(
        f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10
    )
    found = values_of(answer)
    labels = [("method", "GET"), ("route", "/health/live"), ("status", "200")]
    assert found[("dashboard_requests_total", *labels)] == 30
    histogram = ("dashboard_request_seconds_count", ("route", "/health/live"))
    assert found[histogram] == 30
    emitted = labels_of(found)
    assert {name: emitted.get(name) for name in OF_REQUESTS} == OF_REQUESTS
    assert emitted.keys() <= EMITTED.keys()
    assert "Aldertree" not in answer.text
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    mine = [line for line in lines if line.get("route") == "/health/live"]
    assert len({line["request_id"] for line in mine}) == 30
    assert "Aldertree" not in log.read_text()


@pytest.mark.both
def test_metrics_tell_of_sync_queue_jobs_and_workers(client, token):
    now = timezone.now()
    SyncLog.objects.create(
        trigger="schedule",
        status=RunStatus.SUCCESS,
        completed_at=now - timedelta(hours=2),
    )
    WorkerHeartbeat.objects.create(host="one", beat_at=now - timedelta(seconds=30))
    session = factories.make_session()
    ExportJob.objects.create(session=session, data_type="metadata", state="failed")
    ExportJob.objects.create(
        session=session, data_type="momentum-energy", state="stored"
    )
    found = values_of(client.get("/metrics", headers=token))
    age = found[("dashboard_last_sync_success_age_seconds",)]
    assert age == pytest.approx(7200, abs=30)
    assert found[("dashboard_queue_length",)] == 0
    beat = found[("dashboard_worker_heartbeat_age_seconds", ("host", "one"))]
    assert beat == pytest.approx(30, abs=30)
    assert found[("dashboard_export_jobs", ("state", "failed"))] == 1
    assert found[("dashboard_export_jobs", ("state", "stored"))] == 1
    assert found[("dashboard_export_jobs", ("state", "wanted"))] == 0
    emitted = labels_of(found)
    assert {name: emitted.get(name) for name in OF_DATABASE} == OF_DATABASE


@pytest.mark.both
def test_metrics_leave_out_what_is_not_known(client, token):
    found = values_of(client.get("/metrics", headers=token))
    assert ("dashboard_last_sync_success_age_seconds",) not in found
