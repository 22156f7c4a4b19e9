"""Redis is set as the queue's broker and cannot be reached."""

import json
import os
import subprocess
import sys

import pytest

from syncing.choices import RunStatus
from syncing.models import SyncLog
from tests.factories import make_staff
from tests.syncing.conftest import ROOT, database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

VISIT = """
import json
from django.test import Client
from accounts.models import User
from syncing.models import SyncLog
client = Client()
client.force_login(User.objects.get())
found = {"start": client.post("/syncing/start/").status_code}
SyncLog.objects.update(status="running")
for path in ("/syncing/", "/syncing/alert/"):
    found[path] = client.get(path).content.decode()
SyncLog.objects.update(status="queued")
answer = client.get("/admin/")
found["admin"] = [answer.status_code, answer.content.decode()]
print(json.dumps(found))
"""


def test_page_says_so_and_the_run_waits(settings):
    """The broker is read once when the queue is imported: another process tells."""
    make_staff()
    process = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", VISIT],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "SECRET_KEY": settings.SECRET_KEY,
            "ALLOWED_HOSTS": "testserver",
            "DEBUG": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout.splitlines()[-1])

    assert found["start"] == 302
    assert "the queue isn't responding" in found["/syncing/"]
    status, page = found["admin"]
    assert status == 200
    # Counted anew, since the cache is away too.
    assert "Athletes" in page
    assert SyncLog.objects.get().status == RunStatus.QUEUED
