"""Keeps the product's files readable by its own account alone.

Athletes' data lie in the database, its log, archives and backups, and the key of all
logins beside them. Other accounts of the host have no business there.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

FILE_MODE, FOLDER_MODE = 0o600, 0o700


def write_for_owner_alone() -> None:
    """Let no other account read files that this process makes from now on."""
    os.umask(0o077)


def close_what_is_open() -> None:
    """Take rights from other accounts where an earlier version left them some.

    What belongs to another account is left as it is and named in a warning: somebody
    may have arranged it so, and only they can change it.
    """
    closed, left = [], []
    for path in dict.fromkeys(_private_paths()):
        try:
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode) or not status.st_mode & 0o077:
                continue
            # A folder that all may write into, such as /tmp, is everybody's.
            if status.st_uid != os.geteuid() or status.st_mode & stat.S_ISVTX:
                left.append(path)
                continue
            path.chmod(status.st_mode & 0o700)
            closed.append(path)
        except FileNotFoundError:
            continue  # deleted meanwhile
        except OSError:
            left.append(path)
    if closed:
        logger.warning(
            "Other accounts of this host could read %s. They no longer can.",
            _named(closed),
        )
    if left:
        logger.warning(
            "Other accounts of this host can read %s, and this process can't change "
            "that: another account owns it, or anyone can write there. Run chmod -R "
            "go= on it as its owner, or use a different folder.",
            _named(left),
        )


def _private_paths() -> Iterator[Path]:
    from django.conf import settings

    yield settings.VAR_DIR.resolve()
    yield settings.BASE_DIR / ".env"
    for name in ("secret_key", "demo_logins.txt"):
        yield settings.VAR_DIR / name
    for database in settings.DATABASES.values():
        if database["ENGINE"] == "django.db.backends.sqlite3":
            for ending in ("", "-wal", "-shm", "-journal"):
                yield Path(f"{database['NAME']}{ending}")
    # Not the static files: they are everybody's, and many.
    for folder in (
        settings.STORAGES["default"]["OPTIONS"]["location"],
        settings.BACKUP_DIR,
        settings.VAR_DIR / "metrics",
    ):
        yield from _with_all_below(Path(folder).resolve())


def _with_all_below(folder: Path) -> Iterator[Path]:
    yield folder
    for at, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(at, name)


def _named(paths: Iterable[Path]) -> str:
    names = [str(path) for path in paths]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
