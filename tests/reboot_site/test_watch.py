"""The mail of a day without success, sent by web processes while no worker lives."""

import os
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
import requests
from django.core import mail
from django.utils import timezone

from reboot_site import watch
from syncing.choices import RunStatus
from syncing.models import SyncCursor, SyncLog, WorkerHeartbeat
from tests.syncing.conftest import ROOT, database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


@pytest.fixture(autouse=True)
def success_of_yesterday(settings):
    settings.ALERT_EMAILS = ["coach@example.org"]
    at = timezone.now() - timedelta(hours=30)
    run = SyncLog.objects.create(
        trigger="schedule", status=RunStatus.SUCCESS, completed_at=at
    )
    SyncLog.objects.filter(pk=run.pk).update(created_at=at)


def test_many_looks_at_once_send_one_mail():
    threads = [threading.Thread(target=watch.look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    (message,) = mail.outbox
    assert message.subject == "No successful sync for a day"
    assert "The sync service isn't running. Start it with" in message.body
    watch.look()
    assert len(mail.outbox) == 1


def test_a_living_worker_is_not_blamed():
    WorkerHeartbeat.objects.create(host="one", beat_at=timezone.now())
    watch.look()
    (message,) = mail.outbox
    assert "sign of life" not in message.body


def test_it_goes_on_looking():
    SyncLog.objects.update(completed_at=timezone.now())
    ended = watch.start(every_s=0.05)
    try:
        time.sleep(0.3)
        assert mail.outbox == []
        SyncLog.objects.update(completed_at=timezone.now() - timedelta(hours=25))
        deadline = time.monotonic() + 30
        while not mail.outbox:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        ended.set()
        time.sleep(0.2)
    assert len(mail.outbox) == 1


@pytest.mark.slow
@pytest.mark.processes
def test_two_web_processes_send_one_mail_without_any_request(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log.txt"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "reboot_site.wsgi"),
                *("--config", "reboot_site/gunicorn.py"),
            ],
            cwd=ROOT,
            env=os.environ
            | {
                "DATABASE_URL": database_url(),
                "VAR_DIR": str(tmp_path),
                "SECRET_KEY": "a-key-for-this-test-only-0123456789-abcdefghijklmnop",
                "ALERT_EMAILS": "coach@example.org",
                "EMAIL_HOST": "",
                "HTTPS": "0",
                "REDIS_URL": "",
                "WEB_CONCURRENCY": "2",
                "BIND_HOST": "127.0.0.1",
                "PORT": str(port),
                "PYTHONUNBUFFERED": "1",
            },
            stdout=sink,
            stderr=sink,
        )
    try:
        deadline = time.monotonic() + 120
        while not SyncCursor.objects.filter(name="overdue-mail").exists():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        time.sleep(3)
        live = requests.get(f"http://127.0.0.1:{port}/health/live", timeout=30)
        assert live.json() == {"status": "alive"}
    finally:
        server.terminate()
        server.wait(30)
    assert log.read_text().count("Subject: No successful sync for a day") == 1
