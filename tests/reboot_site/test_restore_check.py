"""The newest backup is restored aside, and the live database is only read."""

import os
import resource
import shutil
import threading
import time
import uuid
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings as live
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django_q.models import Schedule

from athletes.models import Player
from privacy.models import RestoreCheck
from reboot_site.backups import BackupError
from reboot_site.overview import overview
from reboot_site.restore_check import restored_counts
from reboot_site.tasks import check_backup_task
from syncing.schedules import register
from tests import factories
from tests.syncing.snapshot import differences, snapshot

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.both,
    pytest.mark.processes,
]

on_sqlite = pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="PostgreSQL keeps its files itself"
)
on_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has no server"
)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"
    settings.VAR_DIR.mkdir()
    settings.BACKUP_DIR = str(tmp_path / "backups")
    Path(settings.BACKUP_DIR).mkdir()
    cache.clear()
    yield Path(settings.BACKUP_DIR)
    # Whatever happened, nothing is left of the scratch database.
    assert list(settings.VAR_DIR.iterdir()) == []
    if connection.vendor == "postgresql":
        with psycopg.connect(live.DATABASE_URL) as server:
            names = server.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE 'restore_check%'"
            )
            assert names.fetchall() == []


@pytest.fixture
def backup(folder):
    """A backup of three athletes, who were there long before."""
    for _ in range(3):
        factories.make_swing(session=factories.make_session())
    Player.objects.update(created_at=timezone.now() - timedelta(hours=5))
    path = folder / "monday.backup"
    call_command("backup", str(path), verbosity=0)
    return path


def test_what_comes_back_is_counted_and_the_live_database_only_read(backup):
    before = snapshot()
    assert check_backup_task() == "restored"
    check = RestoreCheck.objects.get()
    assert (check.problem, check.counts["players"]) == ("", 3)
    assert check.counts["movements"] == 3
    assert abs(check.backup_at.timestamp() - backup.stat().st_mtime) < 1
    assert differences(before, snapshot()) == []


def test_what_was_deleted_or_made_since_is_no_fault(backup):
    Player.objects.first().delete()
    factories.make_player()
    assert check_backup_task() == "restored"


def test_rows_that_must_be_in_the_backup_are_missed(backup):
    player = factories.make_player()
    old = timezone.now() - timedelta(hours=5)
    Player.objects.filter(pk=player.pk).update(created_at=old)
    told = "Rows are missing in the backup: players 3 of 4. Make a new one."
    assert check_backup_task() == told
    assert RestoreCheck.objects.get().problem == told


def test_a_damaged_backup_is_told_and_the_newest_is_taken(backup, folder):
    before = snapshot()
    newer = folder / "tuesday.backup"
    newer.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
    later = time.time() + 60
    os.utime(newer, (later, later))
    # One that is being written is none yet.
    part = folder / "wednesday.backup.part"
    part.touch()
    os.utime(part, (later + 60, later + 60))
    told = check_backup_task()
    assert told
    assert told != "restored"
    assert differences(before, snapshot()) == []
    newer.unlink()
    assert check_backup_task() == "restored"


def test_no_backup_is_told(folder):
    told = f"There is no backup in {folder}: make one, or set BACKUP_DIR."
    assert check_backup_task() == told


# --- What goes wrong on the way -----------------------------------------------------


def on_server(statement, *values):
    with psycopg.connect(live.DATABASE_URL, autocommit=True) as server:
        cursor = server.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@on_sqlite
def test_folders_of_killed_tries_go(backup, settings):
    old, young, other = (
        settings.VAR_DIR / name for name in ("restore-check-a", "restore-check-b", "c")
    )
    long_ago = time.time() - 25 * 3600
    for folder in (old, young, other):
        folder.mkdir()
        (folder / "scratch.sqlite3").write_bytes(b"x" * 1000)
        if folder is not young:
            os.utime(folder, (long_ago, long_ago))
    assert check_backup_task() == "restored"
    assert {*settings.VAR_DIR.iterdir()} == {young, other}
    for folder in (young, other):
        shutil.rmtree(folder)


@on_postgresql
def test_databases_of_killed_tries_go(backup):
    left, busy = (f"restore_check_{uuid.uuid4().hex}" for _ in range(2))
    other = f"restore_check_{uuid.uuid4().hex}_of_somebody"
    for name in (left, busy, other):
        on_server(f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        url = urlsplit(live.DATABASE_URL)._replace(path=f"/{busy}").geturl()
        with psycopg.connect(url):
            assert check_backup_task() == "restored"
        found = on_server(
            "SELECT datname FROM pg_database WHERE datname LIKE 'restore_check%%'"
        )
        assert {name for (name,) in found} == {busy, other}
    finally:
        for name in (left, busy, other):
            on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@on_sqlite
def test_a_full_disk_is_no_damaged_backup(backup):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (backup.stat().st_size // 2, hard))
    try:
        with pytest.raises(BackupError) as found:
            restored_counts(backup)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "disk is full" in str(found.value)
    assert "damaged" not in str(found.value)


@on_sqlite
def test_a_scratch_file_that_cannot_be_opened_leaves_a_verdict(backup, settings):
    # A longer path than SQLite opens.
    top = settings.VAR_DIR
    settings.VAR_DIR = top.joinpath(*["d" * 200] * 4)
    settings.VAR_DIR.mkdir(parents=True)
    told = check_backup_task()
    shutil.rmtree(top / ("d" * 200))
    settings.VAR_DIR = top
    assert told == (
        f"{backup} could not be restored as a test: unable to open database file."
    )
    assert RestoreCheck.objects.get().problem == told


@on_postgresql
def test_lost_connections_leave_a_verdict_and_no_database(backup):
    cut = []

    def cut_all():
        deadline = time.monotonic() + 60
        while not cut and time.monotonic() < deadline:
            found = on_server(
                "SELECT pid FROM pg_stat_activity WHERE datname ~ %s "
                "AND application_name = 'pg_restore'",
                "^restore_check_[0-9a-f]{32}$",
            )
            if found:
                cut.extend(
                    on_server(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE pid <> pg_backend_pid() AND (datname ~ %s OR "
                        "query LIKE 'CREATE DATABASE \"restore_check%%')",
                        "^restore_check_[0-9a-f]{32}$",
                    )
                )

    cutter = threading.Thread(target=cut_all)
    cutter.start()
    told = check_backup_task()
    cutter.join()
    assert cut
    assert told.startswith("pg_restore failed: ")
    assert RestoreCheck.objects.get().problem == told
    assert check_backup_task() == "restored"


# --- On the start page of the administration ----------------------------------------


def tile():
    return next(
        tile
        for tile in overview().machinery
        if tile.label == "Backup restored as a test"
    )


def test_start_page_tells_of_the_last_test(folder):
    assert (tile().value, tile().needs_care) == ("not yet", False)
    now = timezone.now()
    check = RestoreCheck.objects.create(
        taken_at=now - timedelta(days=3), seconds=1.0, counts={"players": 1200}
    )
    assert (tile().value, tile().note) == ("3 days ago", "1,200 rows came back")
    assert not tile().needs_care
    RestoreCheck.objects.filter(pk=check.pk).update(taken_at=now - timedelta(days=16))
    register()
    assert tile().needs_care
    # Switched off by staff.
    schedule = Schedule.objects.get(name="Test the latest backup")
    assert schedule.cron == "15 1 * * 1"
    Schedule.objects.filter(pk=schedule.pk).update(repeats=0)
    assert not tile().needs_care
    RestoreCheck.objects.create(taken_at=now, seconds=1.0, problem="It is damaged.")
    assert (tile().value, tile().note) == ("failed", "It is damaged.")
    assert tile().needs_care
