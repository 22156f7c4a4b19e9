"""Files that were made for a download, kept for an hour to be read in parts.

They lie below VAR_DIR and may be deleted at any time; they are made again when they are
asked for. Their names begin with the number of the session.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import uuid4

from django.conf import settings

LIFETIME_S = 3600
MOST_BYTES = 2 * 1024**3


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "session-files"


def kept_file(session_pk: int, name: str, make: Callable[[Path], None]) -> Path:
    """The file of this name, made unless it is there."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{session_pk}-{name}"
    try:
        os.utime(path)
    except FileNotFoundError:
        sweep()
        # Under another name until it is whole.
        unfinished = folder / f"{session_pk}-{uuid4().hex}.part"
        try:
            make(unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path


def _files() -> list[tuple[float, int, Path]]:
    """Time of the last use, size and path of each file, oldest first."""
    found = []
    for path in _folder().glob("*-*"):
        try:
            about = path.stat()
        except FileNotFoundError:  # another process was faster
            continue
        found.append((about.st_mtime, about.st_size, path))
    return sorted(found)


def sweep() -> int:
    """Delete files that were not read for an hour, and the oldest of too many."""
    files = _files()
    too_many = sum(size for _, size, _ in files) - MOST_BYTES
    count = 0
    for used_at, size, path in files:
        if used_at >= time.time() - LIFETIME_S and too_many <= 0:
            break
        path.unlink(missing_ok=True)
        too_many -= size
        count += 1
    return count


def forget(session_pks: Iterable[int]) -> None:
    """Delete all files of these sessions."""
    for pk in session_pks:
        for path in _folder().glob(f"{pk}-*"):
            path.unlink(missing_ok=True)
