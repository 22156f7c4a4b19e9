"""A migrated database kept from one run of tests to the next.

Every worker begins with a database, and all migrations take five seconds. What they
make depends on their files and on Django alone, so a copy is kept beside the bytecode
under a name made of those, and `migrate` finds nothing to do in it: a SQLite file, and
on a PostgreSQL server a database that others are made from. While there is none, one
worker makes it and the others wait: twice at once costs the time of both.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
import psycopg
from django.apps import apps
from django.conf import settings
from psycopg import sql

FOLDER = Path(sys.prefix) / "migrated"
#: Copies that stay: of the branches that somebody works on.
KEPT = 8


#: What is locked while this worker migrates.
_held: list[Any] = []


def _name() -> str:
    """What the migrations of this version say, in short."""
    digest = hashlib.sha256(repr((django.VERSION, sqlite3.sqlite_version)).encode())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.label):
        for file in sorted(Path(app.path, "migrations").glob("*.py")):
            digest.update(f"{app.label}/{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:32]


def kept_copy() -> Path:
    """Where the copy for these migrations is, or has to be put."""
    return FOLDER / f"{_name()}.sqlite3"


def wait_for_others(copy: Path) -> None:
    """Migrate alone: whoever comes meanwhile waits for the copy."""
    if copy.exists():
        return
    copy.parent.mkdir(exist_ok=True)
    lock = copy.with_suffix(".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    if copy.exists():
        lock.close()
    else:
        _held.append(lock)


def give_way() -> None:
    """Let others go on."""
    while _held:
        _held.pop().close()


def make_file(path: Path) -> bool:
    """Put a migrated SQLite file there if one is kept."""
    copy = kept_copy()
    if copy.exists():
        shutil.copyfile(copy, path)
    return copy.exists()


def begin_with(copy: Path, database: Path) -> None:
    """Put the copy where the tests' database will be."""
    os.utime(copy)
    shutil.copyfile(copy, database)


def keep(database: Path, copy: Path) -> None:
    """Keep a database that was migrated a moment ago, whole or not at all."""
    copy.parent.mkdir(exist_ok=True)
    copy.with_suffix(".lock").unlink(missing_ok=True)
    unfinished = copy.with_suffix(f".{os.getpid()}")
    source, target = sqlite3.connect(database), sqlite3.connect(unfinished)
    source.backup(target)
    source.close()
    target.close()
    unfinished.replace(copy)
    newest = sorted(copy.parent.glob("*.sqlite3"), key=lambda one: -one.stat().st_mtime)
    for old in newest[KEPT:]:
        old.unlink(missing_ok=True)


# --- PostgreSQL -----------------------------------------------------------------------

#: Databases of this name belong to tests; nothing else is dropped.
_KEPT_NAME = "test_migrated_"


def kept_database() -> str:
    """Name of the database for these migrations on the server."""
    return _KEPT_NAME + _name()[:16]


def begin_from_kept(name: str) -> bool:
    """Make a test database from the kept one; false, and alone, if there is none."""
    server = psycopg.connect(settings.DATABASE_URL, autocommit=True)
    server.execute("SELECT pg_advisory_lock(hashtext(%s))", [kept_database()])
    if _is_there(server, kept_database()):
        _on(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        _on(server, "CREATE DATABASE {} TEMPLATE {}", name, kept_database())
        server.close()
        return True
    _held.append(server)
    return False


def keep_database(name: str) -> None:
    """Keep what was migrated a moment ago; nobody may be connected to it."""
    (server,) = _held
    _on(server, "CREATE DATABASE {} TEMPLATE {}", kept_database(), name)
    rows = server.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        " ORDER BY oid DESC OFFSET %s",
        [_KEPT_NAME, KEPT],
    ).fetchall()
    for (old,) in rows:
        with suppress(psycopg.errors.ObjectInUse):
            _on(server, "DROP DATABASE {}", old)


def drop(name: str) -> None:
    """Drop a test database that was made from the kept one."""
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        _on(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _is_there(server: psycopg.Connection, name: str) -> bool:
    found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return found.fetchone() is not None


def _on(server: psycopg.Connection, statement: str, *names: str) -> None:
    server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
