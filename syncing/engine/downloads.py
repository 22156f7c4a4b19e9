"""A file that was downloaded from the vendor, on its way to the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class DownloadedFile:
    """One downloaded file, and the movement that it was asked for, if any.

    ``size`` is in bytes; ``sha256`` is of the bytes as they came.
    """

    file: BinaryIO
    size: int
    sha256: str
    org_movement_id: str | None = None
