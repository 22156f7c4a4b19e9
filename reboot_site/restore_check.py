"""Restores the newest backup into a scratch database, to know that it can be.

The scratch database is made here for each try and thrown away afterwards: on SQLite a
file in a folder of its own, on PostgreSQL a database under a name that is drawn by lot.
What a killed try left behind goes at the start of the next one.
Nothing here writes to the product's own database but the verdict.
"""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone

from privacy.models import RestoreCheck
from reboot_site.backups import BackupError, check_kind, program, run
from reboot_site.logs import redact
from syncing.outages import DISK_FULL, outage_of

logger = logging.getLogger(__name__)

#: Verdicts are kept for so long.
KEPT = dt.timedelta(days=400)
#: A backup's time is that of its end; what was made shortly before may not be in it.
_MARGIN = dt.timedelta(hours=1)
#: Scratch folders begin so; older than this, the process that made one is gone.
_FOLDER = "restore-check-"
_FOLDER_MAX_AGE = dt.timedelta(days=1)
#: Scratch databases begin so, with 32 hexadecimal digits after it.
_DATABASE = "restore_check_"
_NO_ROOM = f"The backup could not be tested. {DISK_FULL.message} {DISK_FULL.hint}"
#: What SQLite says of a file that is no whole database.
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def check_newest() -> RestoreCheck:
    """Restore the newest backup aside, count its rows, and store the verdict."""
    began = time.monotonic()
    counts: dict[str, int] = {}
    problem = ""
    backup_at = None
    try:
        path = newest()
        backup_at = dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC)
        counts = restored_counts(path)
        problem = _missing_rows(counts, backup_at)
    except BackupError as error:
        problem = str(error)
    except OSError as error:
        problem = _NO_ROOM if outage_of(error) is DISK_FULL else str(error)
    now = timezone.now()
    check = RestoreCheck.objects.create(
        taken_at=now,
        seconds=round(time.monotonic() - began, 3),
        backup_at=backup_at,
        counts=counts,
        problem=problem,
    )
    RestoreCheck.objects.filter(taken_at__lt=now - KEPT).delete()
    if problem:
        logger.error("The latest backup could not be restored as a test: %s", problem)
    return check


def newest() -> Path:
    """Return the newest file in BACKUP_DIR; BackupError where there is none."""
    folder = Path(settings.BACKUP_DIR)
    files = [path for path in folder.glob("*") if path.is_file()]
    # One that is being written is none yet.
    files = [path for path in files if path.suffix != ".part"]
    if not files:
        raise BackupError(
            f"There is no backup in {folder}: make one, or set BACKUP_DIR."
        )
    return max(files, key=lambda path: path.stat().st_mtime)


def restored_counts(path: Path) -> dict[str, int]:
    """Restore a backup into a scratch database; return its rows by table.

    Raises
    ------
    BackupError
        The file is damaged, is of another kind of database, or no scratch database can
        be made.
    """
    check_kind(path)
    if connection.vendor == "sqlite":
        return _counts_sqlite(path)
    return _counts_postgresql(path)


def _counts_sqlite(path: Path) -> dict[str, int]:
    address = f"{path.resolve().as_uri()}?mode=ro"
    _remove_old_folders()
    try:
        with (
            tempfile.TemporaryDirectory(prefix=_FOLDER, dir=settings.VAR_DIR) as folder,
            closing(sqlite3.connect(address, uri=True)) as source,
            closing(sqlite3.connect(Path(folder) / "scratch.sqlite3")) as scratch,
        ):
            source.backup(scratch)
            (verdict,) = scratch.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise BackupError(f"{path} is damaged: {verdict}.")
            names = scratch.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall()
            return _counts(scratch, [name for (name,) in names])
    except sqlite3.Error as error:
        if outage_of(error) is DISK_FULL:
            raise BackupError(_NO_ROOM) from error
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        said = "is damaged" if code in _DAMAGED else "could not be restored as a test"
        raise BackupError(f"{path} {said}: {redact(str(error))}.") from error


def _remove_old_folders() -> None:
    """Remove the scratch folders of tries that were killed."""
    oldest = (timezone.now() - _FOLDER_MAX_AGE).timestamp()
    for folder in Path(settings.VAR_DIR).glob(f"{_FOLDER}*"):
        if folder.is_dir() and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder)


def _counts_postgresql(path: Path) -> dict[str, int]:
    import psycopg

    restorer = program("pg_restore")
    options = ("--no-owner", "--no-privileges", "--exit-on-error")
    try:
        _drop_old_databases()
        with _scratch_database() as name:
            run([restorer, *options, "--dbname", name, str(path)], database=name)
            with psycopg.connect(**_login() | {"dbname": name}) as scratch:
                tables = scratch.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                ).fetchall()
                return _counts(scratch, [table for (table,) in tables])
    except psycopg.Error as error:
        if outage_of(error) is DISK_FULL:
            raise BackupError(_NO_ROOM) from error
        raise BackupError(
            f"{path} could not be restored as a test: {redact(str(error)).strip()}"
        ) from error


def _counts(link: Any, tables: list[str]) -> dict[str, int]:
    return {
        table: int(link.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # noqa: S608 - names of the database's own tables
        for table in sorted(tables)
    }


@contextmanager
def _scratch_database() -> Iterator[str]:
    """Make a database of a new name, and drop it and no other."""
    import psycopg

    # Its creation fails if there is one of that name, so that it never is the live one.
    name = f"{_DATABASE}{uuid.uuid4().hex}"
    with psycopg.connect(**_login(), autocommit=True) as server:
        try:
            server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        except psycopg.errors.InsufficientPrivilege as error:
            raise BackupError(
                "The database account can't create a scratch database. Grant it the "
                "right (ALTER ROLE … CREATEDB), or turn this schedule off."
            ) from error
    # Open all the while, so that another try does not take it for one left behind.
    used = None
    try:
        used = psycopg.connect(**_login() | {"dbname": name})
        yield name
    finally:
        if used is not None:
            used.close()
        _drop(name)


def _drop(name: str) -> None:
    """Drop a scratch database over a new connection: a restore may outlast an old one.

    Where that fails the next try drops it; the verdict is not lost by it.
    """
    import psycopg

    try:
        with psycopg.connect(**_login(), autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    except psycopg.Error as error:
        logger.warning(
            "The scratch database %s could not be dropped; the next test of a backup "
            "tries again: %s",
            name,
            redact(str(error)).strip(),
        )


def _drop_old_databases() -> None:
    """Drop the scratch databases of tries that were killed: nobody is in them."""
    import psycopg

    with psycopg.connect(**_login(), autocommit=True) as server:
        found = server.execute(
            "SELECT datname FROM pg_database AS d WHERE datname ~ %s "
            "AND pg_get_userbyid(datdba) = current_user AND NOT EXISTS "
            "(SELECT 1 FROM pg_stat_activity AS a WHERE a.datid = d.oid)",
            [f"^{_DATABASE}[0-9a-f]{{32}}$"],
        ).fetchall()
    for (name,) in found:
        _drop(name)


def _login() -> dict[str, Any]:
    """Return where and as whom psycopg logs in."""
    given = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname", "sslmode")
    return {name: given[name] for name in names if given.get(name)}


def _missing_rows(counts: dict[str, int], backup_at: dt.datetime) -> str:
    """Say which tables gave back fewer rows than must have been in the backup.

    What is stored now and was already before the backup must be in it; what was deleted
    since then makes the backup's number the larger one.
    """
    short = []
    for model in apps.get_models():
        if not any(field.name == "created_at" for field in model._meta.fields):
            continue
        older = model._default_manager.filter(created_at__lt=backup_at - _MARGIN)
        needed, found = older.count(), counts.get(model._meta.db_table, 0)
        if found < needed:
            short.append(f"{model._meta.db_table} {found:,} of {needed:,}")
    if not short:
        return ""
    return (
        f"Rows are missing in the backup: {', '.join(sorted(short))}. Make a new one."
    )
