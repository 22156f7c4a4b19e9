"""Columns of numbers and texts into packed frames (`athletes.frames.format`)."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import zstandard

from athletes.frames.format import (
    CONSTANT,
    FLOAT32,
    FLOAT64,
    KIND_CODE,
    MAGIC,
    MAX_ORDER,
    PREFIX,
    TEXT,
    Array,
    FramesError,
    PackedFrames,
    is_exact,
    match_key,
    ordered_bits,
)

# The order of a column is chosen by every so-many-th frame.
_SAMPLE_STEP = 7

# Columns that are compressed together. A call costs as much as the bytes of a few
# columns: six make packing four times faster than one, and still a tenth smaller.
# In files of joint centers they are two points.
_GROUP = 6
# Level 1 is within 2 % of level 3 on these residuals, in two thirds of the time.
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class PackedMovement:
    """One movement out of an export file, ready to be stored.

    ``org_movement_id`` is the vendor's name of the movement, empty when the file does
    not tell it. ``repairs`` are what the reader had to mend, a code each.
    """

    org_movement_id: str
    frames: PackedFrames
    repairs: tuple[str, ...] = ()


def pack(
    columns: Mapping[str, Array],
    *,
    originals: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> PackedFrames:
    """Return columns as packed frames; the same columns give the same bytes.

    The hash is of the content, not of the compressed bytes, so that another version
    of the compressor does not make all frames new.

    Parameters
    ----------
    columns
        Numbers or texts by canonical name, all of one length.
    originals
        Names as the file spells them, by canonical name.
    units
        Units by canonical name, where there is one.

    Raises
    ------
    FramesError
        The columns are not of one length, have no frames, or share a name.
    """
    names = tuple(columns)
    arrays = [np.asarray(values) for values in columns.values()]
    frame_count = _common_length(names, arrays)
    kinds, blocks = _blocks(names, arrays)
    texts = [_text(arrays[place]) for place in _places_of(kinds)[TEXT]]
    originals, units = originals or {}, units or {}
    schema = _schema(
        names,
        tuple(map(originals.get, names, names)),
        tuple(map(units.get, names)),
        kinds,
    )
    # One for all chunks: each has memory of its own, which takes long to prepare.
    codec = zstandard.ZstdCompressor(level=_LEVEL)
    encoded = {kind: _encode(block, codec) for kind, block in blocks.items()}
    coded = np.full(len(names), KIND_CODE[TEXT], dtype=np.uint8)
    for kind, found in encoded.items():
        coded[_places_of(kinds)[kind]] = np.array(found.orders) + KIND_CODE[kind]
    chunks = [
        *encoded[FLOAT32].chunks,
        *encoded[FLOAT64].chunks,
        *(_encode_text(text, codec) for text in texts),
    ]
    stored_schema = _compressed_schema(schema)
    constants = encoded[FLOAT32].constants + encoded[FLOAT64].constants
    sizes = np.array([len(chunk) for chunk in chunks], dtype="<u4").tobytes()
    body = b"".join((stored_schema, coded.tobytes(), constants, sizes))
    header_size = PREFIX.size + len(body)
    prefix = PREFIX.pack(
        MAGIC,
        header_size,
        frame_count,
        len(names),
        _GROUP,
        len(stored_schema),
        len(schema),
    )
    return PackedFrames(
        data=b"".join((prefix, body, *chunks)),
        header_size=header_size,
        frame_count=frame_count,
        column_count=len(names),
        sha256=_content_hash(schema, blocks, texts),
    )


def _blocks(
    names: tuple[str, ...], arrays: Sequence[Array]
) -> tuple[tuple[str, ...], dict[str, Array]]:
    """Return the stored type of each column, and all numbers of a type as one block.

    A step over a block costs as much as a step over three columns one by one.
    """
    kinds = _kinds(names, tuple(values.dtype for values in arrays))

    def block_of(kind: str) -> Array:
        return _block([arrays[place] for place in _places_of(kinds)[kind]], kind)

    narrow = block_of(FLOAT32)
    if np.isinf(narrow).any() and (wide := _too_large(arrays, kinds)):
        kinds = tuple(
            FLOAT64 if place in wide else kind for place, kind in enumerate(kinds)
        )
        narrow = block_of(FLOAT32)
    return kinds, {FLOAT32: narrow, FLOAT64: block_of(FLOAT64)}


def _content_hash(
    schema: bytes, blocks: Mapping[str, Array], texts: Sequence[Array]
) -> str:
    """Return the SHA-256 of names, units, types and values as hexadecimal digits."""
    digest = hashlib.sha256(schema)
    for block in blocks.values():
        digest.update(block.data)
    for piece in _as_json(texts):
        digest.update(piece)
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _alike(names: tuple[str, ...]) -> str:
    """Return names that are spellings of one column; empty when there are none."""
    if len(set(map(match_key, names))) == len(names):
        return ""
    ordered = sorted(names, key=match_key)
    for _, group in groupby(ordered, key=match_key):
        same = list(group)
        if len(same) > 1:
            return " and ".join(same)
    return ""


def _common_length(names: tuple[str, ...], arrays: Sequence[Array]) -> int:
    """Return the number of frames; refuse columns of other lengths or of one name."""
    if not arrays:
        raise FramesError("There are no columns to store.")
    shapes = {values.shape for values in arrays}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise FramesError(
            "Columns must have one dimension and one length; the shapes are "
            f"{sorted(shapes)[:3]}."
        )
    if next(iter(shapes))[0] == 0:
        raise FramesError("There are no frames to store.")
    alike = _alike(names)
    if alike:
        raise FramesError(
            f"Columns {alike} differ only in case, blanks or underscores."
        )
    return int(next(iter(shapes))[0])


# All movements of a file have the same columns: what follows from their names and
# types alone is found out once.
@lru_cache(maxsize=64)
def _kinds(
    names: tuple[str, ...], dtypes: tuple[np.dtype[Any], ...]
) -> tuple[str, ...]:
    """Return the type that each column is stored in."""
    return tuple(map(_kind, names, dtypes))


def _kind(name: str, dtype: np.dtype[Any]) -> str:
    """Return the type that a column is stored in."""
    if dtype.kind in "OUS":
        return TEXT
    if dtype.kind == "f":
        return FLOAT64 if is_exact(name) else FLOAT32
    if dtype.kind in "iub":
        return FLOAT64
    raise FramesError(f"StoredColumn {name} is of type {dtype}, which has no place.")


@lru_cache(maxsize=64)
def _places_of(kinds: tuple[str, ...]) -> dict[str, list[int]]:
    """Return for each type the places of its columns."""
    return {
        kind: [place for place, found in enumerate(kinds) if found == kind]
        for kind in KIND_CODE
    }


def _too_large(arrays: Sequence[Array], kinds: tuple[str, ...]) -> set[int]:
    """Return places of columns with finite values that float32 cannot hold."""
    largest = np.finfo(np.float32).max
    # Infinity itself float32 can hold.
    return {
        place
        for place in _places_of(kinds)[FLOAT32]
        if (np.abs(arrays[place][np.isfinite(arrays[place])]) > largest).any()
    }


def _block(arrays: Sequence[Array], kind: str) -> Array:
    """Return columns × frames in the stored type, each NaN with the same bits."""
    if not arrays:
        return np.empty((0, 0), dtype=f"<{kind}")
    block: Array = np.empty((len(arrays), len(arrays[0])), dtype=f"<{kind}")
    # What is too large becomes infinite here, and is looked at again.
    with np.errstate(over="ignore"):
        np.concatenate(arrays, out=block.reshape(-1), casting="unsafe")
    missing = np.isnan(block)
    if missing.any():
        block[missing] = np.nan  # equal frames must hash equal
    return block


def _text(values: Array) -> Array:
    """Return a column of texts with None where there is none."""
    first = values[0]
    if isinstance(first, str) and (values == first).all():
        # Most texts are the same in every frame.
        same: Array = np.empty(len(values), dtype=object)
        same.fill(str(first))  # one text that all rows share
        return same
    return np.array(
        [
            item if item is None or type(item) is str else _text_of(item)
            for item in values.tolist()
        ],
        dtype=object,
    )


# Rows of a text that are written out at a time.
_TEXT_ROWS = 1_000


def _as_json(texts: Sequence[Array]) -> Iterator[bytes]:
    """Yield lists of texts as one JSON document, in pieces.

    In one piece a long text that all rows share would be there as often as rows are.
    """
    yield b"["
    for place, text in enumerate(texts):
        yield b", [" if place else b"["
        for start in range(0, len(text), _TEXT_ROWS):
            piece = json.dumps(text[start : start + _TEXT_ROWS].tolist())[1:-1]
            yield f", {piece}".encode() if start else piece.encode()
        yield b"]"
    yield b"]"


def _text_of(item: object) -> str | None:
    """Return a cell as text; None for a missing one."""
    return None if isinstance(item, float) and item != item else str(item)


@lru_cache(maxsize=64)
def _schema(
    names: tuple[str, ...],
    originals: tuple[str, ...],
    units: tuple[str | None, ...],
    kinds: tuple[str, ...],
) -> bytes:
    """Return names, units and types as stored, which all movements of a file share."""
    rows = [list(row) for row in zip(names, originals, units, kinds, strict=True)]
    return json.dumps({"columns": rows}, separators=(",", ":")).encode()


@lru_cache(maxsize=64)
def _compressed_schema(schema_bytes: bytes) -> bytes:
    """Return a schema as stored; all movements of a file share it."""
    # All movements of a file share it, and a reader keeps what it has parsed.
    packed: bytes = zstandard.ZstdCompressor(level=12).compress(schema_bytes)
    return packed


@dataclass(frozen=True, slots=True)
class _Encoded:
    """Columns of one float type: an order each, chunks of groups, constant values."""

    orders: Sequence[int] = ()
    chunks: Sequence[bytes] = ()
    constants: bytes = b""


def _encode(block: Array, codec: zstandard.ZstdCompressor) -> _Encoded:
    """Return columns × frames of one float type, encoded and compressed.

    A smooth signal is nearly a line, so the second or third difference of its bit
    patterns, read as whole numbers, is small; which order is smallest is tried out
    for each column. Small numbers have empty high bytes, which come first here, and
    those compress to nothing.
    """
    columns, frames = block.shape
    if not columns:
        return _Encoded()
    width = block.itemsize
    bits = ordered_bits(block.view(f"<i{width}"))
    orders = _bit_lengths(np.array(_sampled_residuals(bits))).argmin(axis=0)
    best = np.empty_like(bits)
    for order in range(MAX_ORDER + 1):
        rows = np.flatnonzero(orders == order)
        part = bits[rows]
        for _ in range(order):
            part[:, 1:] -= part[:, :-1].copy()
        best[rows] = part
    constant = (bits == bits[:, :1]).all(axis=1)
    orders[constant] = CONSTANT
    best = best[~constant]
    zigzag = ((best << 1) ^ (best >> (8 * width - 1))).view(f"<u{width}")
    planes = np.empty((len(zigzag), width, frames), dtype=np.uint8)
    for place in range(width):
        planes[:, place] = zigzag >> (8 * (width - 1 - place))
    return _Encoded(
        orders=orders.tolist(),
        chunks=[
            codec.compress(planes[start : start + _GROUP].data)
            for start in range(0, len(planes), _GROUP)
        ],
        constants=block[constant, 0].tobytes(),
    )


def _sampled_residuals(bits: Array) -> list[Array]:
    """Return differences of order 0, 1 … at every seventh frame, or all of a few."""
    frames = bits.shape[1]
    if frames <= 2 * _SAMPLE_STEP:
        parts = [bits]
        for _ in range(min(MAX_ORDER, frames - 1)):
            longer = parts[-1].copy()
            longer[:, 1:] -= parts[-1][:, :-1]
            parts.append(longer)
        return parts
    # Values at the sampled frames and at those before each, newest first.
    places = range(MAX_ORDER + 1)
    parts = []
    window = [
        bits[:, MAX_ORDER - back : frames - back : _SAMPLE_STEP] for back in places
    ]
    while window:
        parts.append(window[0])
        window = [newer - older for newer, older in pairwise(window)]
    return parts


def _bit_lengths(residual: Array) -> Array:
    """Return the bits that each column needs, summed over the last axis.

    Whole numbers only: a logarithm may differ in the last place between machines, and
    with it the order that is chosen.
    """
    _, exponents = np.frexp(np.abs(residual).astype(np.float64))
    total: Array = exponents.sum(axis=-1)
    return total


def _encode_text(values: Array, codec: zstandard.ZstdCompressor) -> bytes:
    """Return a column of texts as a chunk: runs of equal texts, compressed."""
    runs = [[value, len(list(group))] for value, group in groupby(values.tolist())]
    raw = json.dumps(runs, separators=(",", ":")).encode()
    packed: bytes = codec.compress(raw)
    return struct.pack("<I", len(raw)) + packed
