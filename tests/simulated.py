"""The simulator's encoded files, kept from one run of tests to the next.

Whole syncs of invented swings want the same files again and again, and to make those of
one session takes as long as to sync it. What a simulator answers follows from its code,
its switches and its seed, so the files are kept beside the bytecode, in a folder named
after the code that made them. Whoever doubts them deletes the folder.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

import simulator

FOLDER = Path(sys.prefix) / "simulated"
#: Folders that stay: of the branches that somebody works on.
KEPT = 4
#: The least used files of a folder go when it is larger.
KEPT_BYTES = 512 * 1024**2


def version() -> str:
    """What makes the simulator's files, in short."""
    digest = hashlib.sha256(repr((np.__version__, pa.__version__)).encode())
    for file in sorted(Path(simulator.__path__[0]).glob("*.py")):
        digest.update(f"{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:32]


def kept_folder(parent: Path = FOLDER) -> Path:
    """The folder for files of this version of the simulator, not too large."""
    folder = parent / version()
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    others = sorted(parent.iterdir(), key=_used_at, reverse=True)
    for old in others[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    files = sorted(folder.glob("*"), key=_used_at)
    size = sum(_size_of(file) for file in files)
    for file in files:
        if size <= KEPT_BYTES:
            break
        size -= _size_of(file)
        file.unlink(missing_ok=True)
    return folder


def _used_at(path: Path) -> float:
    # Another worker may just delete it.
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0.0
    return max(found.st_atime, found.st_mtime)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
