"""What packed frames are made of: the layout that packing and unpacking share.

All frames of one movement and one data type are one value of bytes. Its layout is
written down in docs/frames-format.md, the reasons and what else was measured in
docs/decisions/0005-frames-storage.md. In short: a header that names the columns and
says where each lies, then a compressed chunk for every few columns, so that six
columns of 344 are read without touching the rest. `athletes.frames.packing` writes
the bytes, `athletes.frames.unpacking` reads them.

Numbers are float32, which is far finer than any camera; clocks and whole numbers
are float64, for absolute time does not survive float32. Within those types nothing
is lost: NaN stays NaN, and what is read equals what was packed.

Nothing here knows Django: a process that only packs and unpacks starts quickly.
"""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy.typing as npt
import zstandard

Array = npt.NDArray[Any]

MAGIC = b"SWC1"
#: Magic, bytes of the header, frames, columns, columns of a group, bytes of the schema
#: as stored and unpacked.
PREFIX = struct.Struct("<4sIIIIII")

FLOAT32, FLOAT64, TEXT = "f4", "f8", "text"
#: Code of a column: the code of its type + the order of the difference, or + CONSTANT.
KIND_CODE = {FLOAT32: 0, FLOAT64: 16, TEXT: 32}
CONSTANT = 15
MAX_ORDER = 3
_of_thread = threading.local()

# A header larger than this is not one of ours.
_MAX_HEADER = 4_000_000

#: The clock's name among curves; columns of this name keep their full precision.
CLOCK = "time"


class FramesError(ValueError):
    """Columns that cannot be packed, or bytes that are not packed frames."""


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """One column of packed frames, as their header describes it.

    ``name`` is the canonical name, ``original`` the file's spelling, ``kind`` the
    stored type (`FLOAT32`, `FLOAT64` or `TEXT`).
    """

    name: str
    original: str
    unit: str | None
    kind: str

    @property
    def key(self) -> str:
        """Return what all spellings of the name have in common."""
        return match_key(self.name)


@dataclass(frozen=True, slots=True)
class PackedFrames:
    """Frames as they are stored in a row of `biomechanics_data`.

    ``data`` begins with the header of ``header_size`` bytes; ``sha256`` is the hash
    of the content.
    """

    data: bytes
    header_size: int
    frame_count: int
    column_count: int
    sha256: str


@lru_cache(maxsize=8192)
def match_key(name: str) -> str:
    """Return what spellings of one column have in common (LHJC_X, lhjc_x, lhjcx)."""
    return "".join(name.lower().split()).replace("_", "")


@lru_cache(maxsize=8192)
def is_exact(name: str) -> bool:
    """Return whether a column is a clock or a count, which float32 would blur."""
    key = match_key(name)
    return key.startswith("time") or key in {"normtime", "relframe", "index", "frame"}


def ordered_bits(bits: Array) -> Array:
    """Return bit patterns as numbers that rise with the value; its own inverse."""
    width = 8 * bits.itemsize
    mask = bits.dtype.type(2 ** (width - 1) - 1)
    ordered: Array = bits ^ ((bits >> (width - 1)) & mask)
    return ordered


def header_size_of(prefix: bytes) -> int:
    """Return how many bytes the header has; it stands in its first 28 bytes."""
    if len(prefix) < PREFIX.size or prefix[:4] != MAGIC:
        raise FramesError("These bytes are not frames as athletes.frames.format packs.")
    size: int = PREFIX.unpack_from(prefix)[1]
    if not PREFIX.size < size <= _MAX_HEADER:
        raise FramesError("The header of the frames is damaged.")
    return size


def unzipped(data: bytes | memoryview, size: int) -> bytes:
    """Return what was compressed to these bytes; FramesError unless it has this size.

    The size that the bytes claim is looked at first: what is damaged asks for no
    memory.
    """
    try:
        if zstandard.frame_content_size(data) != size:
            raise FramesError("A part of the frames has another size than it should.")
        try:
            one = _of_thread.decompressor
        except AttributeError:
            # One for each thread: two threads may not use one, and each takes ten
            # times as long to make as a chunk to read.
            one = _of_thread.decompressor = zstandard.ZstdDecompressor()
        found: bytes = one.decompress(data)
    except zstandard.ZstdError as error:
        raise FramesError("A part of the frames is damaged.") from error
    return found
