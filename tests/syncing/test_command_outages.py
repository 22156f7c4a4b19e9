"""Commands that store or compute, while disk or database cannot be used."""

import io
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from athletes.models import Movement, UploadState
from reboot_site.startup import refusing_wrong_settings
from syncing.engine.runs import abandon_dead_runs
from syncing.imports import GivenFile, NewAthlete, import_files
from syncing.models import SyncLog
from tests.syncing.conftest import ROOT, database_url
from tests.syncing.snapshot import differences, snapshot
from tests.syncing.test_imports import download

__all__ = ["download"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.slow,
]

on_sqlite = pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="SQLite alone has such a lock or file"
)
NOWHERE = "postgres://nobody@127.0.0.1:1/nothing"
LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (%d, %d))
sys.argv = ["manage.py", *sys.argv[1:]]
runpy.run_path("manage.py", run_name="__main__")
"""


@pytest.fixture
def file(download, tmp_path):
    path = tmp_path / "swings.csv"
    path.write_bytes(download())
    return path


@pytest.fixture
def upload(download):
    """An upload that is stored, which an outage must leave as it is."""
    return import_files(
        [GivenFile("swings", io.BytesIO(download()))],
        org_player_id=download.player,
        session_id=download.session,
        new_athlete=NewAthlete("Ash", "Maple"),
        trigger="command",
    ).upload


@pytest.fixture
def commands(file, upload, download):
    """The arguments of each command, so that it has something to do."""
    player, session = download.player, f"{download.session[:-1]}x"
    return {
        "import_export": [str(file), "--player", player, "--session", session],
        "undo_import": [str(upload.pk)],
        "recompute_metrics": ["--force"],
    }


def start(name, arguments, *, limit=None, **environment):
    entry = ["manage.py"] if limit is None else ["-c", LIMITED % (limit, limit)]
    return subprocess.Popen(
        [sys.executable, *entry, name, *arguments],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": database_url(),
            "DEBUG": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SECRET_KEY": "of-this-test-alone-0123456789-abcdefghijklmnopqrstuvwxyz",
            "REDIS_URL": "",
            "LOG_LEVEL": "ERROR",
        }
        | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def assert_refused(process, *told):
    """Exit status 2, and one line at the end that says what to do."""
    _, err = process.communicate(timeout=120)
    assert "Traceback" not in err, err
    assert process.returncode == 2, err
    for part in told:
        assert part in err.splitlines()[-1]


def test_a_database_that_is_away_is_one_line(tmp_path):
    """The commands run side by side, here and below: each waits for itself."""
    (tmp_path / "swings.csv").write_text("time\n0.0\n")
    commands = {
        "import_export": [str(tmp_path / "swings.csv"), "--player=7", "--session=8"],
        "undo_import": ["1"],
        "recompute_metrics": ["--force"],
    }
    for process in [
        start(name, arguments, DATABASE_URL=NOWHERE)
        for name, arguments in commands.items()
    ]:
        assert_refused(
            process, "The database isn't responding", "Check that it is running"
        )


@on_sqlite
def test_a_lock_of_another_program_is_one_line(commands):
    before = snapshot()
    path = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for process in [start(name, given) for name, given in commands.items()]:
            assert_refused(
                process, "keeps the database locked", "Stop anything else writing to it"
            )
        other.execute("ROLLBACK")
    assert differences(before, snapshot()) == []


@on_sqlite
def test_a_full_disk_is_one_line_and_nothing_is_half_done(commands, upload):
    before = snapshot()
    for name, given in commands.items():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # SQLite's shared memory alone is a file of 32 KB.
        process = start(name, given, limit=34_000)
        assert_refused(process, "The disk is full", "Free up space")
        upload.refresh_from_db()
        assert upload.state == UploadState.STORED
        abandon_dead_runs()
        assert not SyncLog.objects.active().exists()
    assert differences(before, snapshot()) == []
    # Once there is room it is done.
    for name, given in commands.items():
        process = start(name, given)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    upload.refresh_from_db()
    assert upload.state == UploadState.UNDONE
    assert Movement.objects.count() > 0
    assert not Movement.objects.filter(method_version="").exists()


def test_a_disk_that_is_full_elsewhere_is_one_line(capsys):
    """Not the database says so, but the system, of any file."""
    with pytest.raises(SystemExit) as ended, refusing_wrong_settings():
        Path("/dev/full").write_bytes(b"x" * 100_000)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "The disk is full, on this server or the database's. Free up space, then "
        "start again; everything stored before is kept."
    )
    with pytest.raises(FileNotFoundError), refusing_wrong_settings():
        Path("/nowhere/at-all").read_bytes()
