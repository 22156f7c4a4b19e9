"""Backups: writes the whole database into one file, and restores it.

SQLite is copied with its own online backup, PostgreSQL with pg_dump; both give the
state of one instant while the product runs. The file holds athletes' data and the
hashes of passwords: it is readable by its owner alone.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from athletes.feed.order import begin_anew

SQLITE_MAGIC = b"SQLite format 3\x00"
POSTGRES_MAGIC = b"PGDMP"
# Filled by migrations and by the release step; no person's work is in them.
_BOOKKEEPING = frozenset(
    {
        "auth_permission",
        "django_cache",
        "django_content_type",
        "django_migrations",
        "django_q_schedule",
        "sqlite_sequence",
        "syncing_requestslot",
        "syncing_workerheartbeat",
    }
)


class BackupError(Exception):
    """A backup or restore stopped and changed nothing; the text says what to do."""


# --- Backup -------------------------------------------------------------------


def backup(path: Path) -> int:
    """Write the database into a new file; returns its size in bytes.

    Raises
    ------
    BackupError
        The file exists, its folder does not, or a program is missing.
    """
    if path.exists():
        raise BackupError(f"{path} exists already. Choose another name.")
    if path.parent == Path(settings.BACKUP_DIR):
        # The product's own: in a new volume nobody has made it yet.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.parent.is_dir():
        raise BackupError(f"There is no folder {path.parent}. Create it first.")
    part = path.with_name(f"{path.name}.part")
    # Made before anything is in it, so that nobody else can read it meanwhile.
    os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    try:
        if connection.vendor == "sqlite":
            _backup_sqlite(part)
        else:
            _backup_postgresql(part)
        # A file under the final name is whole.
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return path.stat().st_size


def _backup_sqlite(path: Path) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(path)) as target:
        connection.connection.backup(target)
        # One file, without the two beside it that WAL would want.
        target.execute("PRAGMA journal_mode=DELETE")


def _backup_postgresql(path: Path) -> None:
    run(
        [
            program("pg_dump"),
            *("--format=custom", "--no-owner", "--no-privileges"),
            *("--file", str(path)),
        ]
    )


# --- Restore ------------------------------------------------------------------


def restore(path: Path, *, is_forced: bool = False) -> None:
    """Replace the database by what a backup holds, as a whole or not at all.

    Raises
    ------
    BackupError
        The file is no backup of this kind of database or of newer code, or the
        database holds something and `is_forced` is off.
    """
    check_kind(path)
    filled = filled_tables()
    if filled and not is_forced:
        shown = ", ".join(filled[:5]) + (" …" if len(filled) > 5 else "")
        raise BackupError(
            f"The database is not empty ({shown}). Restoring would replace all of it: "
            "use an empty database, or add --force."
        )
    if connection.vendor == "sqlite":
        _restore_sqlite(path)
    else:
        _restore_postgresql(path, environment=login())
    connection.close()
    _refuse_old_cursors()


def _refuse_old_cursors() -> None:
    """Make programs that follow changes begin again: places are given a second time."""
    with connection.cursor() as cursor:
        if "feed_counter" not in connection.introspection.table_names(cursor):
            return
        table = connection.introspection.get_table_description(cursor, "feed_counter")
    # A backup of an earlier release gets its first one from `migrate`.
    if "epoch" in {column.name for column in table}:
        begin_anew()


def filled_tables() -> list[str]:
    """Tables with at least one row that somebody would miss."""
    filled = []
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if table in _BOOKKEEPING:
                continue
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT 1 FROM {name} LIMIT 1")  # noqa: S608 - quoted
            if cursor.fetchone():
                filled.append(table)
    return filled


def check_kind(path: Path) -> None:
    """Raise BackupError unless the file is a backup of this kind of database."""
    try:
        with path.open("rb") as file:
            head = file.read(len(SQLITE_MAGIC))
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from error
    kinds = {
        "sqlite": head == SQLITE_MAGIC,
        "postgresql": head.startswith(POSTGRES_MAGIC),
    }
    if kinds.get(connection.vendor):
        return
    other = next((kind for kind, is_it in kinds.items() if is_it), None)
    if other is None:
        raise BackupError(f"{path} is not a file that manage.py backup wrote.")
    raise BackupError(
        f"{path} is a backup of {other}, and DATABASE_URL names {connection.vendor}."
    )


def _restore_sqlite(path: Path) -> None:
    with closing(
        sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    ) as source:
        try:
            (verdict,) = source.execute("PRAGMA integrity_check").fetchone()
            applied = set(source.execute("SELECT app, name FROM django_migrations"))
        except sqlite3.DatabaseError as error:
            raise BackupError(f"{path} is damaged: {error}.") from error
        if verdict != "ok":
            raise BackupError(f"{path} is damaged: {verdict}.")
        _check_migrations(applied)
        connection.ensure_connection()
        source.backup(connection.connection)


def _restore_postgresql(path: Path, *, environment: dict[str, str]) -> None:
    """Replace the whole database that `environment` names."""
    restorer, client = program("pg_restore"), program("psql")
    # Everything in one transaction: the old state goes when the new one is whole.
    words = [client, "-X", "-q", "--single-transaction", "-v", "ON_ERROR_STOP=1"]
    writer = subprocess.Popen(  # noqa: S603
        [*words, "-c", "DROP SCHEMA public CASCADE; CREATE SCHEMA public", "-f", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    )
    reader = subprocess.run(  # noqa: S603
        [restorer, "--no-owner", "--no-privileges", "--file=-", str(path)],
        stdout=writer.stdin,
        stderr=subprocess.PIPE,
        check=False,
    )
    # When psql gave up first, pg_restore could not write: psql knows the reason.
    if reader.returncode != 0 and writer.poll() is None:
        # Ended without COMMIT, the database stays as it was.
        writer.kill()
        writer.communicate()
        raise BackupError(f"{path} is damaged: {_last_line(reader.stderr)}")
    _, complaint = writer.communicate()
    if writer.returncode != 0:
        raise BackupError(f"Nothing was restored: {_last_line(complaint)}")


def _check_migrations(applied: set[tuple[str, str]]) -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    apps = {app for app, _ in loader.graph.nodes}
    newer = sorted(
        f"{app}.{name}"
        for app, name in applied - set(loader.graph.nodes)
        # Replaced ones are known by another name.
        if app in apps and (app, name) not in loader.disk_migrations
    )
    if newer:
        raise BackupError(
            f"The backup comes from newer code (it has {newer[-1]}). Restore it with "
            "the version that wrote it."
        )


# --- PostgreSQL's own programs ------------------------------------------------


def program(name: str) -> str:
    """Return the path of a program of PostgreSQL's; BackupError where it is missing."""
    found = shutil.which(name)
    if found is None:
        raise BackupError(
            f"{name} is not on the PATH. Install PostgreSQL's client programs "
            "(Debian: postgresql-client), in the version of the server or newer."
        )
    return found


def login(database: str = "") -> dict[str, str]:
    """Return the environment that tells PostgreSQL's tools where and as whom to log in.

    The database is the product's own unless another one is named.

    Not on the command line: every account of the host may read that.
    """
    settings = connection.settings_dict
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "NAME": "PGDATABASE"}
    names["PASSWORD"] = "PGPASSWORD"  # noqa: S105 - the name of a variable
    given = {names[key]: str(settings[key]) for key in names if settings.get(key)}
    if mode := settings.get("OPTIONS", {}).get("sslmode"):
        given["PGSSLMODE"] = str(mode)
    if database:
        given["PGDATABASE"] = database
    return os.environ | given


def run(command: list[str], *, database: str = "") -> None:
    """Run a program of PostgreSQL's; BackupError with its last line when it fails."""
    done = subprocess.run(  # noqa: S603
        command, env=login(database), capture_output=True, check=False
    )
    if done.returncode != 0:
        name = Path(command[0]).name
        raise BackupError(f"{name} failed: {_last_line(done.stderr)}")


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason given."
