"""A backup, restored into an empty database, gives the same rows."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from tests import migrated

ROOT = Path(__file__).resolve().parents[2]

FILL = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("register_schedules", verbosity=0)
from tests import factories
for _ in range(3):
    session = factories.make_session()
    for _ in range(2):
        factories.make_swing(session=session)
movement = session.movements.first()
factories.make_frames(movement=movement)
factories.make_user()
"""

# One process: each start of manage.py costs seconds on a busy machine.
TRY = """
import json
import django; django.setup()
from django.core.management import CommandError, call_command
from tests import factories
from tests.reboot_site.test_backups import hashes

def step(*words):
    try:
        call_command("restore", *words, verbosity=0)
    except CommandError as error:
        return str(error), hashes({url!r})
    return "", hashes({url!r})

steps = {{"restored": step({file!r})}}
factories.make_player()
steps["again"] = step({file!r})
steps["forced"] = step({file!r}, "--force")
steps["broken"] = step({broken!r}, "--force")
print(json.dumps(steps))
"""


class Database:
    """An own empty database, of the kind that the tests run on."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        if connection.vendor == "sqlite":
            self.url = f"sqlite:///{folder / name}.sqlite3"
        else:
            self.name = f"test_backup_{name}_{os.getpid()}"
            parts = urlsplit(settings.DATABASE_URL)
            self.url = urlunsplit(parts._replace(path=f"/{self.name}"))
            self._on_server(f'DROP DATABASE IF EXISTS "{self.name}"')
            self._on_server(f'CREATE DATABASE "{self.name}"')

    def _on_server(self, statement: str) -> None:
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
            server.execute(statement)

    def drop(self) -> None:
        if connection.vendor != "sqlite":
            self._on_server(f'DROP DATABASE "{self.name}" WITH (FORCE)')

    def manage(self, *words: str, code: str = "") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            "SECRET_KEY": "a-key-for-this-test-only-0123456789-abcdefghijklmnop",
            "VAR_DIR": str(self.folder),
            "REDIS_URL": "",
        }
        command = ["-c", code] if code else ["manage.py", *words]
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def hashes(self) -> dict[str, tuple[int, str]]:
        return hashes(self.url)


def hashes(url: str) -> dict[str, tuple[int, str]]:
    """{table: (rows, hash over all rows)}."""
    if url.startswith("sqlite"):
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        link = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        link = psycopg.connect(url)
    with closing(link):
        return {name: _hash(link, name) for (name,) in link.execute(names).fetchall()}


def _hash(link, table: str) -> tuple[int, str]:
    every = link.execute(f'SELECT * FROM "{table}"').fetchall()  # noqa: S608
    rows = sorted(map(repr, every))
    return len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()


@pytest.fixture
def database(tmp_path):
    made = []

    def make(name: str) -> Database:
        made.append(Database(tmp_path, name))
        return made[-1]

    yield make
    for item in made:
        item.drop()


@pytest.mark.slow
@pytest.mark.django_db
def test_restored_backup_has_the_same_rows_and_spares_a_filled_database(
    database, tmp_path
):
    first = database("first")
    if connection.vendor == "sqlite":
        migrated.make_file(tmp_path / "first.sqlite3")
    filled = first.manage(code=FILL)
    assert filled.returncode == 0, filled.stderr
    file = tmp_path / "dashboard.backup"
    done = first.manage("backup", str(file))
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    before = first.hashes()
    assert before["players"][0] == 3
    assert before["movements"][0] == 6
    assert before["biomechanics_data"][0] >= 1

    second = database("second")
    # Cut short, it is refused, and what was there stays.
    broken = tmp_path / "broken.backup"
    broken.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    done = second.manage(
        code=TRY.format(url=second.url, file=str(file), broken=str(broken))
    )
    assert done.returncode == 0, done.stderr
    steps = json.loads(done.stdout.splitlines()[-1])
    whole = {name: list(found) for name, found in before.items()}
    # Each restore is another order of changes: cursors from before are refused.
    orders = [whole.pop("feed_counter")]
    orders += [found.pop("feed_counter") for _, found in steps.values()]
    written, restored, again, forced, broken = [digest for _, digest in orders]
    assert len({written, restored, forced}) == 3
    assert (again, broken) == (restored, forced)
    assert steps["restored"] == ["", whole]
    message, found = steps["again"]
    assert "The database is not empty" in message
    assert found["players"][0] == 4
    assert steps["forced"] == ["", whole]
    message, found = steps["broken"]
    assert message
    assert found == whole


@pytest.mark.django_db
def test_restore_refuses_what_is_no_backup(tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Dear coach")
    with pytest.raises(CommandError, match="is not a file that manage"):
        call_command("restore", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("restore", str(tmp_path / "absent"))


@pytest.mark.django_db
def test_restore_refuses_a_backup_of_the_other_database(tmp_path):
    file = tmp_path / "other"
    is_sqlite = connection.vendor == "sqlite"
    file.write_bytes(b"PGDMP and more" if is_sqlite else b"SQLite format 3\x00 more")
    with pytest.raises(CommandError, match="is a backup of"):
        call_command("restore", str(file))


@pytest.mark.django_db
def test_backup_never_overwrites(tmp_path):
    file = tmp_path / "kept"
    file.write_text("precious")
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", str(file))
    assert file.read_text() == "precious"


@pytest.mark.django_db
@pytest.mark.django_db(transaction=True)
def test_the_folder_of_the_product_is_made_and_no_other(tmp_path, settings):
    settings.BACKUP_DIR = str(tmp_path / "files" / "backups")
    file = tmp_path / "files" / "backups" / "first.backup"
    call_command("backup", str(file))
    assert file.stat().st_size > 0
    assert file.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("backup", str(tmp_path / "elsewhere" / "first.backup"))


def test_backup_says_which_program_is_missing(tmp_path, monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite needs no program")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="pg_dump is not on the PATH"):
        call_command("backup", str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []
