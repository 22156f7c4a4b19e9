"""A migrated SQLite file kept from one run of tests to the next.

Every worker begins with a database, and all migrations take five seconds. What they
make depends on their files and on Django alone, so a copy is kept beside the bytecode
under a name made of those, and `migrate` finds nothing to do in it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import sys
from pathlib import Path

import django
from django.apps import apps

FOLDER = Path(sys.prefix) / "migrated"
#: Copies that stay: of the branches that somebody works on.
KEPT = 8


def kept_copy() -> Path:
    """Where the copy for these migrations is, or has to be put."""
    digest = hashlib.sha256(repr((django.VERSION, sqlite3.sqlite_version)).encode())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.label):
        for file in sorted(Path(app.path, "migrations").glob("*.py")):
            digest.update(f"{app.label}/{file.name}\n".encode() + file.read_bytes())
    return FOLDER / f"{digest.hexdigest()[:32]}.sqlite3"


def begin_with(copy: Path, database: Path) -> None:
    """Put the copy where the tests' database will be."""
    os.utime(copy)
    shutil.copyfile(copy, database)


def keep(database: Path, copy: Path) -> None:
    """Keep a database that was migrated a moment ago, whole or not at all."""
    copy.parent.mkdir(exist_ok=True)
    unfinished = copy.with_suffix(f".{os.getpid()}")
    source, target = sqlite3.connect(database), sqlite3.connect(unfinished)
    source.backup(target)
    source.close()
    target.close()
    unfinished.replace(copy)
    newest = sorted(copy.parent.glob("*.sqlite3"), key=lambda one: -one.stat().st_mtime)
    for old in newest[KEPT:]:
        old.unlink(missing_ok=True)
