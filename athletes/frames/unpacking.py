"""Packed frames (`athletes.frames.format`) back into columns, all or just a few."""

from __future__ import annotations

import json
import struct
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from athletes.frames.format import (
    CONSTANT,
    FLOAT32,
    FLOAT64,
    KIND_CODE,
    MAX_ORDER,
    PREFIX,
    TEXT,
    Array,
    FramesError,
    StoredColumn,
    header_size_of,
    match_key,
    ordered_bits,
    unzipped,
)

# Sets of wanted columns whose places are kept for a header.
_SETS_KEPT = 32
# Ranges nearer than this are read as one: a second range costs more than that.
_MERGE_GAP = 2_048


@dataclass(frozen=True, slots=True)
class _Schema:
    """The columns that a header names, and where each stands among them."""

    columns: tuple[StoredColumn, ...]
    places: Mapping[str, int]
    # Names that were asked for together, with their places: always the same few sets.
    _asked: dict[tuple[str, ...] | None, tuple[list[str], list[int]]] = field(
        default_factory=dict
    )

    def find(self, names: Sequence[str] | None) -> tuple[list[str], list[int]]:
        """Return the names that the header has, and the place of each column.

        Without `names` these are all.
        """
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
    """What the header of packed frames says: where each column is."""

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
        """Return where each column is that was asked for and that there is."""
        names, places = self.schema.find(columns)
        answer = []
        for name, code, rank in zip(
            names,
            self.codes[places].tolist(),
            self.ranks[places].tolist(),
            strict=True,
        ):
            chunk: int | None = None
            if code == KIND_CODE[TEXT]:
                chunk = self.firsts[TEXT] + rank
            elif code % 16 != CONSTANT:
                chunk = self.firsts[_float_of(code)] + rank // self.group
            answer.append(Place(name, code, rank, chunk))
        return answer

    def ranges(self, columns: Sequence[str] | None) -> list[tuple[int, int]]:
        """Return start and stop of the parts of the bytes that hold wanted columns."""
        _, places = self.schema.find(columns)
        codes, ranks = self.codes[places], self.ranks[places]
        is_text = codes == KIND_CODE[TEXT]
        chunks = np.where(
            is_text,
            self.firsts[TEXT] + ranks,
            np.where(
                codes >= KIND_CODE[FLOAT64], self.firsts[FLOAT64], self.firsts[FLOAT32]
            )
            + ranks // self.group,
        )
        chunks = np.unique(chunks[is_text | (codes % 16 != CONSTANT)])
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
        """Return wanted columns out of the parts of the bytes that `ranges` named."""
        raw = self._unpacked(wanted, parts)
        answer: dict[str, Array] = {place.name: _NOTHING for place in wanted}
        batches: dict[int, list[Place]] = {}
        for place in wanted:
            if place.chunk is None:
                value = self.constants[_float_of(place.code)][place.rank]
                answer[place.name] = np.repeat(value, self.frame_count)
            elif place.code == KIND_CODE[TEXT]:
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
        """Return for each chunk the planes of its columns, or the bytes of a text."""
        begins = [start for start, _ in parts]
        views = [memoryview(data) for _, data in parts]
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
            if place.code == KIND_CODE[TEXT]:
                raw[chunk] = stored
                continue
            kind = _float_of(place.code)
            before = (chunk - self.firsts[kind]) * self.group
            columns = min(self.group, self.counts[kind] - before)
            width = int(kind[1:])
            data = unzipped(stored, columns * width * self.frame_count)
            raw[chunk] = np.frombuffer(data, np.uint8).reshape(
                columns, width, self.frame_count
            )
        return raw


_NOTHING: Array = np.empty(0)


def _float_of(code: int) -> str:
    """Return the float type that a column's code stands for."""
    return FLOAT64 if code >= KIND_CODE[FLOAT64] else FLOAT32


@lru_cache(maxsize=256)
def _parsed_schema(stored: bytes, size: int) -> _Schema:
    """Return the columns of a compressed schema; many headers share one."""
    raw = unzipped(stored, size)
    columns = tuple(StoredColumn(*row) for row in json.loads(raw)["columns"])
    places = {column.key: i for i, column in enumerate(columns)}
    return _Schema(columns=columns, places=places)


@dataclass(slots=True, eq=False)
class FrameParts:
    """The header of packed frames and those parts that hold the wanted columns.

    Small enough to be handed to another process, which does the decoding.
    """

    header: bytes
    parts: Sequence[tuple[int, bytes]]
    layout: Layout | None = None

    def columns(self, names: Sequence[str] | None) -> dict[str, Array]:
        """Return the columns that the parts were chosen for."""
        layout = self._read()
        return layout.decode(layout.wanted(names), self.parts)

    def present(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return those of the names that there are columns of; nothing is decoded."""
        return tuple(self._read().schema.find(names)[0])

    def _read(self) -> Layout:
        if self.layout is None:
            self.layout = read_header(self.header)
        return self.layout

    def __reduce__(self) -> tuple[Any, ...]:
        # The layout follows from the header, and is larger.
        return (FrameParts, (self.header, self.parts))


def read_header(header: bytes) -> Layout:
    """Return what a header says; FramesError when it is cut or damaged."""
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
        is_constant = codes % 16 == CONSTANT
        ranks = np.empty(columns, dtype=np.int64)
        constants, firsts, counts = {}, {}, {}
        chunks = 0
        for kind, code in KIND_CODE.items():
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
    """Return values of columns of one type and order, from columns × width × frames."""
    columns, width, frames = planes.shape
    order = code % 16
    if order > MAX_ORDER:
        raise FramesError(f"StoredColumn code {code} is not known to this version.")
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
    return ordered_bits(values).view(f"<f{width}")


def _decode_text(chunk: bytes | memoryview, frames: int) -> Array:
    """Return a column of texts out of its chunk, None where there is none."""
    (size,) = struct.unpack_from("<I", chunk)
    try:
        raw = unzipped(memoryview(chunk)[4:], size)
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
    """Return columns of packed frames, all or those named; a missing one is absent."""
    layout = read_header(data)
    wanted = layout.wanted(columns)
    return layout.decode(wanted, [(0, data)])


def stored_columns(header: bytes) -> tuple[StoredColumn, ...]:
    """Return the columns that packed frames, or their header alone, name."""
    return read_header(header).schema.columns
