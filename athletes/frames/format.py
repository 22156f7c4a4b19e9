"""Frames of one movement and one data type as one columnar blob.

The layout is written down in docs/frames-format.md, the reasons and what else was
measured in docs/decisions/0005-frames-storage.md. In short: a header that names
the columns and says where each lies, then a compressed chunk for every few columns, so
that six columns of 344 are read without touching the rest.

Numbers are float32, which is far finer than any camera; clocks and whole numbers
are float64, for absolute time does not survive float32. Within those types nothing
is lost: NaN stays NaN, and what is read equals what was packed.

Nothing here knows Django: a process that only packs and unpacks starts quickly.
"""

from __future__ import annotations

import hashlib
import json
import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array = npt.NDArray[Any]

MAGIC = b"SWC1"
# magic, bytes of the header, frames, columns, columns of a group, bytes of the schema
# as stored and unpacked
PREFIX = struct.Struct("<4sIIIIII")

FLOAT32, FLOAT64, TEXT = "f4", "f8", "text"
# Code of a column: kind * 16 + order of the difference, or _CONSTANT.
_KIND_CODE = {FLOAT32: 0, FLOAT64: 16, TEXT: 32}
_CONSTANT = 15
_MAX_ORDER = 3
# The order of a column is chosen by every so-many-th frame.
_SAMPLE_STEP = 7

# Columns that are compressed together. A call costs as much as the bytes of a few
# columns: six make packing four times faster than one, and still a tenth smaller.
# In files of joint centres they are two points.
_GROUP = 6
# Level 1 is within 2 % of level 3 on these residuals, in two thirds of the time.
_LEVEL = 1
# A header larger than this is not one of ours.
_MAX_HEADER = 4_000_000
# Sets of wanted columns whose places are kept for a header.
_SETS_KEPT = 32
# Ranges nearer than this are read as one: a second range costs more than that.
_MERGE_GAP = 2_048


class FramesError(ValueError):
    """Columns that cannot be packed, or bytes that are not packed frames."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the header describes it."""

    name: str
    original: str
    unit: str | None
    kind: str

    @property
    def key(self) -> str:
        return match_key(self.name)


@dataclass(frozen=True, slots=True)
class PackedFrames:
    """What a row of `biomechanics_data` holds."""

    data: bytes
    header_size: int
    frame_count: int
    column_count: int
    sha256: str


@lru_cache(maxsize=8192)
def match_key(name: str) -> str:
    """What two spellings of one column have in common (LHJC_X, lhjc_x, lhjcx)."""
    return "".join(name.lower().split()).replace("_", "")


@lru_cache(maxsize=8192)
def is_exact(name: str) -> bool:
    """Whether a column is a clock or a count, which float32 would blur."""
    key = match_key(name)
    return key.startswith("time") or key in {"normtime", "relframe", "index", "frame"}


# --- Packing ------------------------------------------------------------------


class PreparedFrames:
    """Columns brought to their stored types, with the hash of their content.

    Hashing comes before compressing, so that frames which are already stored cost
    no more than the hash; and the hash is of the content, not of the compressed
    bytes, so that another version of the compressor does not make all frames new.
    """

    def __init__(
        self,
        columns: Mapping[str, Array],
        *,
        originals: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> None:
        names = tuple(columns)
        arrays = [np.asarray(values) for values in columns.values()]
        self.frame_count = _common_length(names, arrays)
        kinds = _kinds(names, tuple(values.dtype for values in arrays))

        # One block for all columns of a type: a step over it costs as much as a
        # step over three columns one by one.
        def block_of(kind: str) -> Array:
            return _block([arrays[place] for place in _places_of(kinds)[kind]], kind)

        narrow = block_of(FLOAT32)
        if np.isinf(narrow).any() and (wide := _too_large(arrays, kinds)):
            kinds = tuple(
                FLOAT64 if place in wide else kind for place, kind in enumerate(kinds)
            )
            narrow = block_of(FLOAT32)
        self._blocks = {FLOAT32: narrow, FLOAT64: block_of(FLOAT64)}
        self._places = _places_of(kinds)
        self._texts = [_text(arrays[place]) for place in self._places[TEXT]]
        originals, units = originals or {}, units or {}
        self.schema, self._schema_bytes = _schema(
            names,
            tuple(map(originals.get, names, names)),
            tuple(map(units.get, names)),
            kinds,
        )
        digest = hashlib.sha256(self._schema_bytes)
        for block in self._blocks.values():
            digest.update(block.data)
        for piece in _as_json(self._texts):
            digest.update(piece)
        self.sha256 = digest.hexdigest()

    def pack(self) -> PackedFrames:
        """Compress. The same columns give the same bytes."""
        codec = pa.Codec("zstd", compression_level=_LEVEL)
        encoded = {kind: _encode(block, codec) for kind, block in self._blocks.items()}
        texts = [_encode_text(text, codec) for text in self._texts]
        coded = np.full(len(self.schema), _KIND_CODE[TEXT], dtype=np.uint8)
        for kind, found in encoded.items():
            coded[self._places[kind]] = np.array(found.orders) + _KIND_CODE[kind]
        codes = coded.tobytes()
        chunks = [*encoded[FLOAT32].chunks, *encoded[FLOAT64].chunks, *texts]
        sizes = np.array([len(chunk) for chunk in chunks], dtype="<u4").tobytes()
        schema = _compressed_schema(self._schema_bytes)
        constants = encoded[FLOAT32].constants + encoded[FLOAT64].constants
        body = b"".join((schema, codes, constants, sizes))
        header_size = PREFIX.size + len(body)
        prefix = PREFIX.pack(
            MAGIC,
            header_size,
            self.frame_count,
            len(codes),
            _GROUP,
            len(schema),
            len(self._schema_bytes),
        )
        return PackedFrames(
            data=b"".join((prefix, body, *chunks)),
            header_size=header_size,
            frame_count=self.frame_count,
            column_count=len(codes),
            sha256=self.sha256,
        )


def pack(
    columns: Mapping[str, Array],
    *,
    originals: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> PackedFrames:
    """Pack columns of one length; `originals` are the names as delivered."""
    return PreparedFrames(columns, originals=originals, units=units).pack()


@lru_cache(maxsize=64)
def _alike(names: tuple[str, ...]) -> str:
    """Names that are spellings of one; empty when each is of its own."""
    if len(set(map(match_key, names))) == len(names):
        return ""
    ordered = sorted(names, key=match_key)
    for _, group in groupby(ordered, key=match_key):
        same = list(group)
        if len(same) > 1:
            return " and ".join(same)
    return ""


def _common_length(names: tuple[str, ...], arrays: Sequence[Array]) -> int:
    """Frames of all columns, which must be of one length and of distinct names."""
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
    return tuple(map(_kind, names, dtypes))


def _kind(name: str, dtype: np.dtype[Any]) -> str:
    """The type that a column is stored in."""
    if dtype.kind in "OUS":
        return TEXT
    if dtype.kind == "f":
        return FLOAT64 if is_exact(name) else FLOAT32
    if dtype.kind in "iub":
        return FLOAT64
    raise FramesError(f"Column {name} is of type {dtype}, which has no place.")


@lru_cache(maxsize=64)
def _places_of(kinds: tuple[str, ...]) -> dict[str, list[int]]:
    return {
        kind: [place for place, found in enumerate(kinds) if found == kind]
        for kind in _KIND_CODE
    }


def _too_large(arrays: Sequence[Array], kinds: tuple[str, ...]) -> set[int]:
    """Places of columns meant for float32 with finite values that it cannot hold."""
    largest = np.finfo(np.float32).max
    # Infinity itself float32 can hold.
    return {
        place
        for place in _places_of(kinds)[FLOAT32]
        if (np.abs(arrays[place][np.isfinite(arrays[place])]) > largest).any()
    }


def _block(arrays: Sequence[Array], kind: str) -> Array:
    """Columns × frames in the stored type, each NaN with the same bits."""
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
    first = values[0]
    if isinstance(first, str) and (values == first).all():
        # Most texts are the same in every frame.
        return np.full(len(values), str(first), dtype=object)
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
    """Lists of texts as one JSON document, in pieces.

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
    return None if isinstance(item, float) and item != item else str(item)


@lru_cache(maxsize=64)
def _schema(
    names: tuple[str, ...],
    originals: tuple[str, ...],
    units: tuple[str | None, ...],
    kinds: tuple[str, ...],
) -> tuple[tuple[Column, ...], bytes]:
    """Columns and their stored form, which all movements of a file share."""
    columns = tuple(map(Column, names, originals, units, kinds))
    rows = [[c.name, c.original, c.unit, c.kind] for c in columns]
    text = json.dumps({"columns": rows}, separators=(",", ":"))
    return columns, text.encode()


@lru_cache(maxsize=64)
def _compressed_schema(schema_bytes: bytes) -> bytes:
    # All movements of a file share it, and a reader keeps what it has parsed.
    packed: bytes = pa.Codec("zstd", compression_level=12).compress(
        schema_bytes, asbytes=True
    )
    return packed


@dataclass(frozen=True, slots=True)
class _Encoded:
    """Columns of one float type: an order each, chunks of groups, constant values."""

    orders: Sequence[int] = ()
    chunks: Sequence[bytes] = ()
    constants: bytes = b""


def _encode(block: Array, codec: Any) -> _Encoded:
    """Encode `block` (columns × frames of one float type).

    A smooth signal is nearly a line, so the second or third difference of its bit
    patterns, read as whole numbers, is small; which order is smallest is tried out
    for each column. Small numbers have empty high bytes, which come first here, and
    those compress to nothing.
    """
    columns, frames = block.shape
    if not columns:
        return _Encoded()
    width = block.itemsize
    bits = _ordered_bits(block.view(f"<i{width}"))
    orders = _bit_lengths(np.array(_sampled_residuals(bits))).argmin(axis=0)
    best = np.empty_like(bits)
    for order in range(_MAX_ORDER + 1):
        rows = np.flatnonzero(orders == order)
        part = bits[rows]
        for _ in range(order):
            part[:, 1:] -= part[:, :-1].copy()
        best[rows] = part
    constant = (bits == bits[:, :1]).all(axis=1)
    orders[constant] = _CONSTANT
    best = best[~constant]
    zigzag = ((best << 1) ^ (best >> (8 * width - 1))).view(f"<u{width}")
    planes = np.empty((len(zigzag), width, frames), dtype=np.uint8)
    for place in range(width):
        planes[:, place] = zigzag >> (8 * (width - 1 - place))
    return _Encoded(
        orders=orders.tolist(),
        chunks=[
            codec.compress(planes[start : start + _GROUP].data, asbytes=True)
            for start in range(0, len(planes), _GROUP)
        ],
        constants=block[constant, 0].tobytes(),
    )


def _ordered_bits(bits: Array) -> Array:
    """Bit patterns as whole numbers that rise with the value; its own inverse."""
    width = 8 * bits.itemsize
    mask = bits.dtype.type(2 ** (width - 1) - 1)
    ordered: Array = bits ^ ((bits >> (width - 1)) & mask)
    return ordered


def _sampled_residuals(bits: Array) -> list[Array]:
    """Differences of order 0, 1 … at every seventh frame; at all of a short one."""
    frames = bits.shape[1]
    if frames <= 2 * _SAMPLE_STEP:
        parts = [bits]
        for _ in range(min(_MAX_ORDER, frames - 1)):
            longer = parts[-1].copy()
            longer[:, 1:] -= parts[-1][:, :-1]
            parts.append(longer)
        return parts
    # Values at the sampled frames and at those before each, newest first.
    places = range(_MAX_ORDER + 1)
    parts = []
    window = [
        bits[:, _MAX_ORDER - back : frames - back : _SAMPLE_STEP] for back in places
    ]
    while window:
        parts.append(window[0])
        window = [newer - older for newer, older in pairwise(window)]
    return parts


def _bit_lengths(residual: Array) -> Array:
    """Bits that each column needs, summed over the last axis; whole numbers only,

    for a logarithm may differ in the last place between machines, and with it the
    order that is chosen.
    """
    _, exponents = np.frexp(np.abs(residual).astype(np.float64))
    total: Array = exponents.sum(axis=-1)
    return total


def _encode_text(values: Array, codec: Any) -> bytes:
    runs = [[value, len(list(group))] for value, group in groupby(values.tolist())]
    raw = json.dumps(runs, separators=(",", ":")).encode()
    packed: bytes = codec.compress(raw, asbytes=True)
    return struct.pack("<I", len(raw)) + packed


# --- Unpacking ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Schema:
    """Columns of a header, and where each name stands among them."""

    columns: tuple[Column, ...]
    places: Mapping[str, int]
    # Names that were asked for together, with their places: always the same few sets.
    _asked: dict[tuple[str, ...] | None, tuple[list[str], list[int]]] = field(
        default_factory=dict
    )

    def find(self, names: Sequence[str] | None) -> tuple[list[str], list[int]]:
        """Those of the names that there are (all without names), and their places."""
        key = None if names is None else tuple(names)
        found = self._asked.get(key)
        if found is None:
            if key is None:
                pairs = [(c.name, place) for place, c in enumerate(self.columns)]
            else:
                pairs = [
                    (name, place)
                    for name in dict.fromkeys(key)
                    if (place := self.places.get(match_key(name))) is not None
                ]
            found = [name for name, _ in pairs], [place for _, place in pairs]
            if len(self._asked) >= _SETS_KEPT:
                self._asked.clear()
            self._asked[key] = found
        return found


class Place(NamedTuple):
    """Where a wanted column is; a constant one is in no chunk."""

    name: str
    code: int
    rank: int
    chunk: int | None


@dataclass(frozen=True, slots=True)
class Layout:
    """A header, read."""

    schema: _Schema
    frame_count: int
    group: int
    codes: Array
    # Values of the constant columns, by float type.
    constants: Mapping[str, Array]
    # For each column its rank among those of its kind that are stored alike.
    ranks: Array
    # Index of the first chunk of each kind, and after the last one.
    firsts: Mapping[str, int]
    counts: Mapping[str, int]
    # Start of each chunk in the blob, and the end of the last one.
    starts: Array

    def wanted(self, columns: Sequence[str] | None) -> list[Place]:
        """Where each column is that was asked for and that there is."""
        names, places = self.schema.find(columns)
        answer = []
        for name, code, rank in zip(
            names,
            self.codes[places].tolist(),
            self.ranks[places].tolist(),
            strict=True,
        ):
            chunk: int | None = None
            if code == _KIND_CODE[TEXT]:
                chunk = self.firsts[TEXT] + rank
            elif code % 16 != _CONSTANT:
                chunk = self.firsts[_float_of(code)] + rank // self.group
            answer.append(Place(name, code, rank, chunk))
        return answer

    def ranges(self, columns: Sequence[str] | None) -> list[tuple[int, int]]:
        """Start and stop of the parts of the blob that hold the wanted columns."""
        _, places = self.schema.find(columns)
        codes, ranks = self.codes[places], self.ranks[places]
        is_text = codes == _KIND_CODE[TEXT]
        chunks = np.where(
            is_text,
            self.firsts[TEXT] + ranks,
            np.where(
                codes >= _KIND_CODE[FLOAT64], self.firsts[FLOAT64], self.firsts[FLOAT32]
            )
            + ranks // self.group,
        )
        chunks = np.unique(chunks[is_text | (codes % 16 != _CONSTANT)])
        merged: list[tuple[int, int]] = []
        for start, stop in zip(
            self.starts[chunks].tolist(), self.starts[chunks + 1].tolist(), strict=True
        ):
            if merged and start - merged[-1][1] <= _MERGE_GAP:
                merged[-1] = (merged[-1][0], stop)
            else:
                merged.append((start, stop))
        return merged

    def decode(
        self, wanted: Sequence[Place], parts: Sequence[tuple[int, bytes]]
    ) -> dict[str, Array]:
        """Wanted columns out of the parts of the blob that `ranges` asked for."""
        raw = self._unpacked(wanted, parts)
        answer: dict[str, Array] = {place.name: _NOTHING for place in wanted}
        batches: dict[int, list[Place]] = {}
        for place in wanted:
            if place.chunk is None:
                value = self.constants[_float_of(place.code)][place.rank]
                answer[place.name] = np.repeat(value, self.frame_count)
            elif place.code == _KIND_CODE[TEXT]:
                answer[place.name] = _decode_text(raw[place.chunk], self.frame_count)
            else:
                batches.setdefault(place.code, []).append(place)
        for code, places in batches.items():
            planes = np.array([raw[p.chunk][p.rank % self.group] for p in places])
            for place, values in zip(places, _decode(planes, code), strict=True):
                answer[place.name] = values
        return answer

    def _unpacked(
        self, wanted: Sequence[Place], parts: Sequence[tuple[int, bytes]]
    ) -> dict[int | None, Any]:
        """By chunk: planes of its columns, or the stored bytes of a text."""
        begins = [start for start, _ in parts]
        views = [memoryview(data) for _, data in parts]
        codec = pa.Codec("zstd")
        raw: dict[int | None, Any] = {}
        for place in wanted:
            chunk = place.chunk
            if chunk is None or chunk in raw:
                continue
            start, stop = int(self.starts[chunk]), int(self.starts[chunk + 1])
            part = bisect_right(begins, start) - 1
            stored = views[part][start - begins[part] : stop - begins[part]]
            if len(stored) != stop - start:
                raise FramesError("The frames are shorter than their header says.")
            if place.code == _KIND_CODE[TEXT]:
                raw[chunk] = stored
                continue
            kind = _float_of(place.code)
            before = (chunk - self.firsts[kind]) * self.group
            columns = min(self.group, self.counts[kind] - before)
            width = int(kind[1:])
            try:
                data = codec.decompress(
                    stored,
                    decompressed_size=columns * width * self.frame_count,
                    asbytes=True,
                )
            except OSError as error:
                raise FramesError("A column of the frames is damaged.") from error
            raw[chunk] = np.frombuffer(data, np.uint8).reshape(
                columns, width, self.frame_count
            )
        return raw


_NOTHING: Array = np.empty(0)


def _float_of(code: int) -> str:
    return FLOAT64 if code >= _KIND_CODE[FLOAT64] else FLOAT32


@lru_cache(maxsize=256)
def _parsed_schema(stored: bytes, size: int) -> _Schema:
    raw = pa.Codec("zstd").decompress(stored, decompressed_size=size, asbytes=True)
    columns = tuple(Column(*row) for row in json.loads(raw)["columns"])
    places = {column.key: i for i, column in enumerate(columns)}
    return _Schema(columns=columns, places=places)


@dataclass(slots=True, eq=False)
class FrameParts:
    """The header of a blob and those of its parts that hold the wanted columns.

    Small enough to be handed to another process, which does the decoding.
    """

    header: bytes
    parts: Sequence[tuple[int, bytes]]
    layout: Layout | None = None

    def columns(self, names: Sequence[str] | None) -> dict[str, Array]:
        """The columns that the parts were chosen for."""
        layout = self._read()
        return layout.decode(layout.wanted(names), self.parts)

    def present(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the names that there are columns of; nothing is decoded."""
        return tuple(self._read().schema.find(names)[0])

    def _read(self) -> Layout:
        if self.layout is None:
            self.layout = read_header(self.header)
        return self.layout

    def __reduce__(self) -> tuple[Any, ...]:
        # The layout follows from the header, and is larger.
        return (FrameParts, (self.header, self.parts))


def header_size_of(prefix: bytes) -> int:
    """Bytes of the header, from its first 28."""
    if len(prefix) < PREFIX.size or prefix[:4] != MAGIC:
        raise FramesError("These bytes are not frames as athletes.frames.format packs.")
    size: int = PREFIX.unpack_from(prefix)[1]
    if not PREFIX.size < size <= _MAX_HEADER:
        raise FramesError("The header of the frames is damaged.")
    return size


def read_header(header: bytes) -> Layout:
    size = header_size_of(header)
    if len(header) < size:
        raise FramesError(f"The header of the frames is cut: {len(header)} of {size}.")
    _, _, frames, columns, group, stored, unpacked = PREFIX.unpack_from(header)
    position = PREFIX.size + stored
    try:
        schema = _parsed_schema(bytes(header[PREFIX.size : position]), unpacked)
    except (OSError, ValueError, KeyError, TypeError, MemoryError) as error:
        raise FramesError("The column names of the frames are damaged.") from error
    try:
        if len(schema.columns) != columns or not group:
            raise ValueError
        codes = np.frombuffer(header, np.uint8, columns, position)
        position += columns
        is_constant = codes % 16 == _CONSTANT
        ranks = np.empty(columns, dtype=np.int64)
        constants, firsts, counts = {}, {}, {}
        chunks = 0
        for kind, code in _KIND_CODE.items():
            of_kind = codes // 16 == code // 16
            alike = of_kind & ~is_constant
            ranks[alike] = np.arange(np.count_nonzero(alike))
            firsts[kind], counts[kind] = chunks, int(np.count_nonzero(alike))
            if kind == TEXT:
                chunks += counts[kind]
                continue
            chunks += -(-counts[kind] // group)
            same = of_kind & is_constant
            ranks[same] = np.arange(np.count_nonzero(same))
            constants[kind] = np.frombuffer(
                header, f"<{kind}", np.count_nonzero(same), position
            )
            position += constants[kind].nbytes
        sizes = np.frombuffer(header, "<u4", chunks, position)
        if position + sizes.nbytes != size:
            raise ValueError
    except ValueError as error:
        raise FramesError("The header of the frames contradicts itself.") from error
    starts = np.empty(chunks + 1, dtype=np.int64)
    starts[0] = size
    np.cumsum(sizes, out=starts[1:])
    starts[1:] += size
    return Layout(
        schema=schema,
        frame_count=frames,
        group=group,
        codes=codes,
        constants=constants,
        ranks=ranks,
        firsts=firsts,
        counts=counts,
        starts=starts,
    )


def _decode(planes: Array, code: int) -> Array:
    """Values of columns of one float type and one order (columns × width × frames)."""
    columns, width, frames = planes.shape
    order = code % 16
    if order > _MAX_ORDER:
        raise FramesError(f"Column code {code} is not known to this version.")
    # A plane at a time: turning all at once goes through the bytes in steps of four.
    mixed = np.empty((columns, frames, width), dtype=np.uint8)
    for place in range(width):
        mixed[:, :, width - 1 - place] = planes[:, place]
    zigzag = mixed.view(f"<u{width}").reshape(columns, frames)
    one = zigzag.dtype.type(1)
    values: Array = (zigzag >> one).view(f"<i{width}") ^ -(zigzag & one).view(
        f"<i{width}"
    )
    for _ in range(order):
        np.cumsum(values, axis=1, out=values)
    return _ordered_bits(values).view(f"<f{width}")


def _decode_text(chunk: bytes | memoryview, frames: int) -> Array:
    (size,) = struct.unpack_from("<I", chunk)
    try:
        raw = pa.Codec("zstd").decompress(
            memoryview(chunk)[4:], decompressed_size=size, asbytes=True
        )
        runs = json.loads(raw)
    except (OSError, ValueError) as error:
        raise FramesError("A text column of the frames is damaged.") from error
    values = np.empty(frames, dtype=object)
    position = 0
    for value, count in runs:
        values[position : position + count] = value
        position += count
    return values


def unpack(data: bytes, columns: Sequence[str] | None = None) -> dict[str, Array]:
    """Columns of a whole blob, all or those named; a missing one is absent."""
    layout = read_header(data)
    wanted = layout.wanted(columns)
    return layout.decode(wanted, [(0, data)])


def columns_of(header: bytes) -> tuple[Column, ...]:
    """Columns that a blob, or its header alone, names."""
    return read_header(header).schema.columns


#: The clock's name among curves; columns of this name keep their full precision.
CLOCK = "time"
