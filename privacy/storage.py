"""How much disk each kind of data takes, measured by the queue and remembered.

Measuring reads a whole SQLite file, so no page does it. PostgreSQL knows the sizes.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.tasks import async_task

from athletes.models import BiomechanicsData, MovementCurves
from privacy.models import FOLDER, StorageReport
from syncing.models import RawPayload

logger = logging.getLogger(__name__)

#: Reports are kept for so long, to tell how fast the data grow.
KEPT = dt.timedelta(days=400)

_OF_MODEL = {BiomechanicsData: "frames", MovementCurves: "curves", RawPayload: "raw"}
_OF_APP = {
    "athletes": "numbers",
    "syncing": "sync",
    "django_q": "queue",
    "webhooks": "webhooks",
    "accounts": "accounts",
    "admin": "accounts",
    "auth": "accounts",
    "axes": "accounts",
    "sessions": "accounts",
}


def request_measure() -> None:
    """Have the queue measure now."""
    async_task("privacy.tasks.measure_storage_task", task_name="measure storage")


def measure() -> StorageReport:
    """Measure everything, remember it, and forget what is too old."""
    began = time.monotonic()
    sizes = Counter(_database())
    files, newest_backup = _files()
    sizes.update(files)
    now = timezone.now()
    report = StorageReport.objects.create(
        taken_at=now,
        seconds=round(time.monotonic() - began, 3),
        sizes={kind: size for kind, size in sizes.items() if size},
        free_bytes=shutil.disk_usage(settings.VAR_DIR).free,
        newest_backup_at=newest_backup,
    )
    StorageReport.objects.filter(taken_at__lt=now - KEPT).delete()
    logger.info("The queue measured the storage in %.1f s.", report.seconds)
    return report


# --- The database -----------------------------------------------------------------


def _database() -> dict[str, int]:
    tables, rest = _postgres() if connection.vendor == "postgresql" else _sqlite()
    kinds = _kinds_of_tables()
    sizes: Counter[str] = Counter(rest)
    for table, size in tables.items():
        sizes[kinds.get(table, "other")] += size
    return dict(sizes)


def _kinds_of_tables() -> dict[str, str]:
    """Table -> kind; a new table of an app is counted with the app."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        kind = _OF_MODEL.get(model, _OF_APP.get(model._meta.app_label, "other"))
        found[model._meta.db_table] = kind
    return found


def _postgres() -> tuple[dict[str, int], dict[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c "
            "WHERE c.relnamespace = current_schema()::regnamespace "
            "AND c.relkind IN ('r', 'm')"
        )
        tables = {name: int(size) for name, size in cursor.fetchall()}
        cursor.execute("SELECT pg_database_size(current_database())")
        whole = int(cursor.fetchone()[0])
    return tables, {"database": max(0, whole - sum(tables.values()))}


def _sqlite() -> tuple[dict[str, int], dict[str, int]]:
    path = Path(str(connection.settings_dict["NAME"]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, tbl_name FROM sqlite_master")
        table_of = dict(cursor.fetchall())
        cursor.execute("PRAGMA page_size")
        page_size = int(cursor.fetchone()[0])
        cursor.execute("PRAGMA page_count")
        whole = page_size * int(cursor.fetchone()[0])
        tables: Counter[str] = Counter()
        try:
            cursor.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE")
            for name, size in cursor.fetchall():
                tables[table_of.get(name, name)] += int(size)
        except DatabaseError:
            # Not every build of SQLite can tell the tables apart.
            tables.clear()
    # Pages that are free for reuse, and the log that is written before the file.
    log = sum(_size(path.with_name(path.name + end)) for end in ("-wal", "-shm"))
    return dict(tables), {"database": max(0, whole - sum(tables.values())) + log}


# --- Files --------------------------------------------------------------------------


def _files() -> tuple[dict[str, int], dt.datetime | None]:
    """Sizes of the folders, and when the newest backup was made."""
    sizes: Counter[str] = Counter()
    storages: dict[str, Any] = settings.STORAGES
    folder = Path(storages["default"]["OPTIONS"]["location"])
    for path, size, _ in _walk(folder):
        inside = path.relative_to(folder).parts[0]
        sizes["archives" if inside == FOLDER else "files"] += size
    newest = 0.0
    for _, size, changed in _walk(Path(settings.BACKUP_DIR)):
        sizes["backups"] += size
        newest = max(newest, changed)
    at = None
    if newest:
        at = dt.datetime.fromtimestamp(newest, tz=dt.UTC)
    return dict(sizes), at


def newest_backup_at() -> dt.datetime | None:
    """Return when the newest backup was made, as far as is known; None: there is none.

    BACKUP_DIR may be on the host of the queue alone: then as of the last measuring.
    """
    here = max((at for _, _, at in _walk(Path(settings.BACKUP_DIR))), default=None)
    if here is not None:
        return dt.datetime.fromtimestamp(here, tz=dt.UTC)
    report = StorageReport.objects.order_by("-taken_at").first()
    return None if report is None else report.newest_backup_at


def _walk(folder: Path) -> Iterator[tuple[Path, int, float]]:
    """Files below a folder with size and time of change; none where it is not there."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            try:
                found = path.stat()
            except OSError:
                continue  # deleted in this moment
            yield path, found.st_size, found.st_mtime


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


# --- What the page shows --------------------------------------------------------------


@dataclass(frozen=True)
class StorageLine:
    """One kind of data: what it is, how long it is kept, what it takes."""

    name: str
    what: str
    kept: str
    bytes: int
    percent: float
    growth_bytes: int | None


@dataclass(frozen=True)
class StoragePage:
    """Everything on the storage page; `report` is None before the first measure."""

    report: StorageReport | None
    kinds: list[StorageLine]
    total: int
    growth_days: int | None = None
    growth_bytes: int = 0


def storage_page() -> StoragePage:
    """Return the last storage report, and its growth over the month before it."""
    report = StorageReport.objects.order_by("-taken_at").first()
    if report is None:
        return StoragePage(None, [], 0)
    before = (
        StorageReport.objects.filter(
            taken_at__gte=report.taken_at - dt.timedelta(days=31),
            taken_at__lte=report.taken_at - dt.timedelta(days=1),
        )
        .order_by("taken_at")
        .first()
    )
    total = sum(report.sizes.values())
    kinds = []
    for key, name, what, kept in _labels():
        size = int(report.sizes.get(key, 0))
        was = None if before is None else int(before.sizes.get(key, 0))
        if size or was:
            share = round(100 * size / total, 1) if total else 0.0
            growth = None if was is None else size - was
            kinds.append(StorageLine(name, what, kept, size, share, growth))
    return StoragePage(
        report,
        sorted(kinds, key=lambda kind: -kind.bytes),
        total,
        None if before is None else (report.taken_at - before.taken_at).days,
        0 if before is None else total - sum(before.sizes.values()),
    )


def _labels() -> list[tuple[str, str, str, str]]:
    """Key, name, what it is, how long it is kept."""
    while_stored = "while the athlete is stored"
    return [
        (
            "frames",
            "Frames",
            "Swing data as Reboot Motion sent it",
            while_stored,
        ),
        ("curves", "Curves", "Computed from frames, for charts", while_stored),
        (
            "numbers",
            "Athletes, sessions, numbers",
            "Everything else pages show",
            while_stored,
        ),
        (
            "raw",
            "Raw answers",
            "Reboot Motion's last JSON of each object",
            _days(settings.KEEP_RAW_PAYLOADS_DAYS, "after the last change"),
        ),
        (
            "sync",
            "Sync",
            "Sync runs with their logs, and requested files",
            _days(settings.KEEP_SYNC_LOGS_DAYS, "for runs"),
        ),
        ("queue", "Queue", "Waiting tasks, results, schedules", "7 days for results"),
        (
            "webhooks",
            "Webhooks",
            "Receivers and deliveries",
            _days(settings.KEEP_WEBHOOK_DELIVERIES_DAYS, "for deliveries"),
        ),
        (
            "accounts",
            "Accounts and audit",
            "Users, logins, tokens, who did what",
            _days(settings.KEEP_LOGIN_RECORDS_DAYS, "for logins; the audit stays"),
        ),
        ("other", "Other tables", "Cache, shares, records of archives", "–"),
        (
            "database",
            "Rest of the database",
            "Reusable pages, log, system tables",
            "–",
        ),
        (
            "archives",
            "Archives",
            "Athletes' archives to be fetched",
            f"{settings.ARCHIVE_HOURS} hours",
        ),
        ("files", "Other files", "Anything else in the files folder", "–"),
        (
            "backups",
            "Backups",
            "Files in BACKUP_DIR",
            "until someone deletes them",
        ),
    ]


def _days(days: int, of_what: str) -> str:
    if not days:
        return "forever"
    return f"{days} days {of_what}"
