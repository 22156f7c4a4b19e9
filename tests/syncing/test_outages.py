"""Disk full, database away, database locked: said as such, and nothing half done."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from syncing.choices import JobState, RunStatus
from syncing.models import ExportJob, RequestSlot, SyncLog
from syncing.outages import outage_of
from tests import factories
from tests.database_reset import empty_database
from tests.syncing.conftest import ROOT, database_url
from tests.syncing.snapshot import differences, snapshot

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.slow,
]

on_sqlite = pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="SQLite alone has such a lock or file"
)
on_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has no connections to lose"
)


def outcome(process):
    """Exit status, and the JSON of a sync."""
    out, err = process.communicate(timeout=240)
    assert "Traceback" not in err, err
    told = json.loads(out.splitlines()[-1])
    return process.returncode, told, err


def wait_until_stored(count):
    deadline = time.monotonic() + 120
    while ExportJob.objects.filter(state=JobState.STORED).count() < count:
        assert time.monotonic() < deadline, "nothing was stored"
        time.sleep(0.05)


def as_of_one_sync(run_sync):
    """What one sync without any trouble makes."""
    found = snapshot()
    empty_database()
    assert run_sync().status == RunStatus.SUCCESS
    return differences(snapshot(), found)


# --- Database locked ----------------------------------------------------------------


@on_sqlite
def test_a_lock_of_another_program_is_named(start_vendor, sync_process, run_sync):
    start_vendor(sessions=3, scenario="plain")
    path = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, told, err = outcome(sync_process("--json"))
        other.execute("ROLLBACK")
    (error,) = told["errors"]
    assert (status, told["status"], error["code"]) == (2, "failed", "database_locked")
    assert "keeps the database locked. Stop anything else writing to it" in err
    assert not SyncLog.objects.exists()
    assert run_sync().status == RunStatus.SUCCESS


@on_sqlite
def test_a_page_is_503_while_another_program_has_the_lock():
    user = factories.make_user()
    path = connection.settings_dict["NAME"]
    client = Client(raise_request_exception=False)
    given = {"username": user.username, "password": factories.PASSWORD}
    connection.cursor().execute("PRAGMA busy_timeout = 200")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/accounts/login/", given)
        other.execute("ROLLBACK")
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "<h1>Not available right now</h1>" in answer.content.decode()
    assert client.post("/accounts/login/", given).status_code == 302
    connection.close()


@on_sqlite
def test_a_run_outlasts_a_lock(start_vendor, sync_process, run_sync):
    start_vendor(sessions=8, scenario="plain", latency_ms=150)
    process = sync_process("--json")
    wait_until_stored(2)
    path = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(24)  # SQLite gives up after 20
        other.execute("ROLLBACK")
    status, told, err = outcome(process)
    assert (status, told["status"], told["errors"]) == (0, "success", [])
    assert "lost its database connection (database_locked)" in err
    assert as_of_one_sync(run_sync) == []


# --- Database away ------------------------------------------------------------------

NOWHERE = "postgres://nobody@127.0.0.1:1/nothing"
ASK = """
import json, django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
client.cookies["sessionid"] = "x" * 32
told = []
for path in ("/athletes/", "/players", "/health", "/health/live"):
    answer = client.get(path)
    text = answer.content.decode()
    told.append([answer.status_code, answer.get("Retry-After"), text])
print(json.dumps(told))
"""


def test_a_database_that_is_away_is_named(start_vendor, sync_process):
    start_vendor(sessions=1)
    status, told, err = outcome(sync_process("--json", DATABASE_URL=NOWHERE))
    (error,) = told["errors"]
    assert (status, told["run"], error["code"]) == (2, None, "database_away")
    assert "The database isn't responding. Check that it is running" in err


def test_pages_are_503_while_the_database_is_away(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            "SECRET_KEY": "of-this-test-alone-0123456789-abcdefghijklmnopqrstuvwxyz",
            "ALLOWED_HOSTS": "testserver",
            "DEBUG": "0",
            "HTTPS": "0",
            "DATABASE_URL": NOWHERE,
            "REDIS_URL": "",
            # Without collected files too: the page has to do without them.
            "VAR_DIR": str(tmp_path),
        },
        check=True,
        capture_output=True,
        text=True,
    )
    page, program, health, live = json.loads(done.stdout.splitlines()[-1])
    sentence = "The dashboard isn't available right now. Try again in a minute."
    assert page[:2] == [503, "30"]
    assert f"<p>{sentence}</p>" in page[2]
    assert program[:2] == [503, "30"]
    assert json.loads(program[2]) == {"detail": "The database isn't responding."}
    assert health[0] == 503
    assert json.loads(health[2])["detail"] == "The database isn't responding."
    assert (live[0], json.loads(live[2])) == (200, {"status": "alive"})


@pytest.mark.both
@on_postgresql
def test_a_run_that_loses_its_connections_goes_on(start_vendor, sync_process, run_sync):
    vendor = start_vendor(sessions=12, scenario="plain", latency_ms=150)
    process = sync_process("--json")
    for count in (2, 14):
        wait_until_stored(count)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone()[0] > 0
    status, told, err = outcome(process)
    assert (status, told["status"], told["errors"]) == (0, "success", [])
    assert "lost its database connection (database_away)" in err
    log = SyncLog.objects.get()
    assert ExportJob.objects.filter(state=JobState.STORED).count() == 48
    assert not RequestSlot.objects.exclude(holder="").exists()
    # What was under way is asked for again, and nothing else.
    assert 48 <= vendor.log.routes["data_export"] <= 48 + 2 * 12
    # A session whose answer was lost with the connection was not counted before it.
    assert 48 - 2 * 4 <= log.counts["exports"]["seen"] <= 48
    assert as_of_one_sync(run_sync) == []


# --- Disk full ----------------------------------------------------------------------

LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (%d, %d))
sys.argv = ["manage.py", "sync", "--json"]
runpy.run_path("manage.py", run_name="__main__")
"""


@on_sqlite
def test_a_full_disk_is_named_and_the_next_sync_goes_on(
    start_vendor, settings, run_sync
):
    """SQLite's log may grow a little, then the system refuses every write."""
    start_vendor(sessions=10, scenario="plain")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    limit = 400_000
    process = subprocess.Popen(
        [sys.executable, "-c", LIMITED % (limit, limit)],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": database_url(),
            "DEBUG": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
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
    status, told, err = outcome(process)
    assert (status, told["status"]) == (2, "failed")
    assert told["errors"][0]["code"] == "disk_full"
    assert "The disk is full" in err
    assert run_sync().status == RunStatus.SUCCESS
    assert as_of_one_sync(run_sync) == []


# --- What errors say ----------------------------------------------------------------


def test_other_errors_are_no_outage():
    for error in (ValueError("full"), OSError(2, "no such file"), None):
        assert outage_of(error) is None
    with pytest.raises(Exception, match="nothing_there") as found:
        connection.cursor().execute("SELECT * FROM nothing_there")
    assert outage_of(found.value) is None


def test_a_driver_used_wrongly_is_no_lost_connection():
    for text in ("the cursor is closed", "tuple index out of range"):
        assert outage_of(InterfaceError(text)) is None
    for text in ("connection already closed", "the connection is closed"):
        assert outage_of(InterfaceError(text)).code == "database_away"


@pytest.mark.both
@on_postgresql
def test_a_closed_connection_is_away_and_a_closed_cursor_is_none():
    cursor = connection.cursor()
    cursor.close()
    with pytest.raises(InterfaceError) as found:
        cursor.execute("SELECT 1")
    assert outage_of(found.value) is None
    cursor = connection.cursor()
    connection.connection.close()
    with pytest.raises((InterfaceError, OperationalError)) as found:
        cursor.execute("SELECT 1")
    assert outage_of(found.value).code == "database_away"
    connection.close()


def test_an_operating_systems_full_disk_is_found_behind_another_error():
    def write():
        try:
            Path("/dev/full").write_bytes(b"x" * 100_000)
        except OSError as error:
            raise RuntimeError("while writing a sheet") from error

    with pytest.raises(RuntimeError) as found:
        write()
    assert outage_of(found.value).code == "disk_full"
