"""A CSV or Parquet file as columns in memory, checked from end to end.

The bytes are never held as a whole. Values are kept in single precision (far finer
than any camera), clocks in double: 270 MB of CSV become about 85 MB. Nothing is
returned before the last row was read, so a file that breaks off leaves nothing.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from syncing.reader.columns import Column, Role, plan_columns, shown
from syncing.reader.container import ByteStream, Opened, check_unpacked, open_container
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits

FloatArray = npt.NDArray[np.floating[Any]]
CodeArray = npt.NDArray[np.int32]

#: One piece of CSV that is parsed at a time. Larger is hardly faster and costs memory.
BLOCK_BYTES = 8 * 1024 * 1024
#: Read first, to find the header; more is read while no line has ended.
HEADER_BYTES = 256 * 1024
#: A line longer than this is not one of a table.
MAX_LINE_BYTES = 16 * 1024 * 1024
#: Values of Parquet that are unpacked at a time.
BATCH_CELLS = 2_000_000

#: What one more text costs in memory besides its bytes.
_BYTES_PER_TEXT = 150

_MISSING_WORDS = ("nan", "-nan", "n/a", "na", "#n/a", "null", "none", "")
#: Spellings of a missing number, as the parser wants them: in every case.
MISSING_SPELLINGS = sorted(
    {
        spelling
        for word in _MISSING_WORDS
        for spelling in (word, word.upper(), word.capitalize(), word.title())
    }
    | {"NaN", "-NaN", " ", "  "}
)
_NUMBER = re.compile(
    r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|-?inf(?:inity)?|-?nan",
    re.ASCII | re.IGNORECASE,
)


@dataclass
class TextColumn:
    """Text as codes into ``values``; code -1 is missing."""

    codes: CodeArray
    values: tuple[str, ...]


@dataclass
class Table:
    """A whole file. Keys are canonical names, in the order of the file."""

    numbers: dict[str, FloatArray]
    texts: dict[str, TextColumn]
    originals: dict[str, str]
    row_count: int
    container: str
    repairs: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.originals)


def is_missing(text: str) -> bool:
    return text.strip().lower() in _MISSING_WORDS


def read_table(file: BinaryIO | Path, limits: ReadLimits) -> Table:
    """Read and check a whole file; ExportFileError when any of it is wrong."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return read_table(opened, limits)
    texts: frozenset[str] = frozenset()
    while True:
        source = open_container(file, limits)
        try:
            if source.kind == "csv":
                return _CsvReader(source, limits, texts).read()
            return _read_parquet(source, limits)
        except _TextFoundError as found:
            # Each turn names at least one new column, so this ends.
            texts |= found.names
        finally:
            if source.parquet is not None and source.parquet is not file:
                source.parquet.close()


class _TextFoundError(Exception):
    """Unknown columns turned out to hold text: read again, with them as text."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self.names = names


#: How columns of numbers are kept.
_DTYPES: dict[Role, np.dtype[Any]] = {
    Role.NUMBER: np.dtype(np.float32),
    Role.CLOCK: np.dtype(np.float64),
}


class _Collector:
    """Gathers the pieces of every column and watches over the limits."""

    def __init__(
        self, columns: Sequence[Column], limits: ReadLimits, container: str
    ) -> None:
        self._limits = limits
        self._container = container
        self.used = [column for column in columns if column.role is not Role.DROPPED]
        self._texts = [c for c in self.used if c.role is Role.TEXT]
        #: Columns of numbers by their type, in the order of the rows of its block.
        self._kinds: dict[Role, list[Column]] = {
            role: [c for c in self.used if c.role is role] for role in _DTYPES
        }
        self._blocks: dict[Role, FloatArray] = {}
        self._rows_of_blocks = {
            column.name: place
            for columns in self._kinds.values()
            for place, column in enumerate(columns)
        }
        self._pieces: dict[str, list[npt.NDArray[Any]]] = {
            column.name: [] for column in self.used
        }
        self._codes: dict[str, dict[str, int]] = {
            column.name: {} for column in self._texts
        }
        self._text_bytes = 0
        self.row_count = 0

    def reserve(self, rows: int) -> None:
        """Make room for so many rows, where their number is known beforehand."""
        self.add_rows(rows)
        self._blocks = {
            role: np.empty((len(columns), rows), dtype=_DTYPES[role])
            for role, columns in self._kinds.items()
        }

    def check_size(self, rows: int) -> None:
        limits = self._limits
        if rows > limits.max_rows:
            raise ExportFileError(
                "too_many_rows",
                f"The file has more than {limits.max_rows} rows, which is the limit. "
                "Ask for fewer movements at once, or raise the limit.",
            )
        if rows * len(self.used) > limits.max_cells:
            raise ExportFileError(
                "too_many_cells",
                f"The file has more than {limits.max_cells} values, which is the "
                "limit. Ask for fewer movements at once, or raise the limit.",
            )

    def add_rows(self, count: int) -> None:
        self.check_size(self.row_count + count)
        self.row_count += count

    def add_numbers(self, column: Column, values: npt.NDArray[Any]) -> None:
        """Numbers of one column: all of them after `reserve`, else the next ones."""
        if self._blocks:
            self._blocks[column.role][self._rows_of_blocks[column.name]] = values
        else:
            self._pieces[column.name].append(values)

    def add_texts(self, column: Column, values: pa.Array) -> None:
        """The next texts of one column."""
        found, places = coded(values)
        self.count_text(found, places)
        known = self._codes[column.name]
        lookup = np.full(len(found) + 1, -1, dtype=np.int32)
        for place, text in enumerate(found.to_pylist()):
            if not is_missing(text):
                lookup[place] = known.setdefault(text, len(known))
        self._pieces[column.name].append(lookup[places])

    def count_text(self, found: pa.Array, places: CodeArray) -> None:
        """Refuse a file with too much text, before any of it is written out."""
        sizes = pc.binary_length(found).to_numpy(zero_copy_only=False)
        times = np.bincount(places[places >= 0], minlength=len(found))
        self._text_bytes += int(sizes.astype(np.int64) @ times)
        self._text_bytes += _BYTES_PER_TEXT * len(found)
        if self._text_bytes > self._limits.max_text_bytes:
            raise too_much_text(self._limits)

    def has_numbers(self, column: Column) -> bool:
        return any(np.isfinite(piece).any() for piece in self._pieces[column.name])

    def finish(self) -> Table:
        if self.row_count == 0:
            raise ExportFileError(
                "no_rows",
                "The file has a header and no rows. The vendor may still be at work: "
                "ask for the export again later.",
            )
        found: dict[str, FloatArray] = {}
        infinite: set[str] = set()
        for role, columns in self._kinds.items():
            # One block for all columns of a type: a look at all of them costs as
            # much as a look at a few one by one.
            block = self._blocks.get(role)
            if block is None:
                block = self._joined(role, columns)
            bad = np.isinf(block)
            for place in np.flatnonzero(bad.any(axis=1)).tolist():
                block[place, bad[place]] = np.nan
                infinite.add(columns[place].name)
            found |= {c.name: block[place] for place, c in enumerate(columns)}
        texts = {
            column.name: TextColumn(
                np.concatenate(self._pieces.pop(column.name)).astype(np.int32),
                tuple(self._codes[column.name]),
            )
            for column in self._texts
        }
        numbers = {c.name: found[c.name] for c in self.used if c.name in found}
        return Table(
            numbers=numbers,
            texts=texts,
            originals={column.name: column.original for column in self.used},
            row_count=self.row_count,
            container=self._container,
            repairs=tuple(
                f"infinite_to_missing:{name}" for name in numbers if name in infinite
            ),
        )

    def _joined(self, role: Role, columns: Sequence[Column]) -> FloatArray:
        block: FloatArray = np.empty(
            (len(columns), self.row_count), dtype=_DTYPES[role]
        )
        for place, column in enumerate(columns):
            # Each column's pieces go as soon as they are copied.
            np.concatenate(self._pieces.pop(column.name), out=block[place])
        return block


def coded(values: pa.Array) -> tuple[pa.Array, CodeArray]:
    """Different values as they first appear, and the place of each row's among them.

    The place is -1 where a row has none.
    """
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    indices = pc.fill_null(values.indices.cast(pa.int32()), -1)
    places: CodeArray = indices.to_numpy(zero_copy_only=False)
    # A dictionary may hold what no row has, a value twice, and no value at all.
    starts = np.concatenate(([0], np.flatnonzero(np.diff(places)) + 1))
    used = list(dict.fromkeys(places[starts[: len(places)]].tolist()))
    taken = values.dictionary.take(pa.array([p for p in used if p >= 0], pa.int32()))
    again = taken.dictionary_encode()
    lookup = np.full(len(values.dictionary) + 1, -1, dtype=np.int32)
    lookup[[p for p in used if p >= 0]] = pc.fill_null(again.indices, -1).to_numpy(
        zero_copy_only=False
    )
    return again.dictionary, lookup[places]


def too_much_text(limits: ReadLimits) -> ExportFileError:
    return ExportFileError(
        "too_much_text",
        f"The file has more than {limits.max_text_bytes} bytes of text, which is the "
        "limit. Ask for fewer movements at once, or take the data export as the "
        "vendor delivers it.",
    )


# --- CSV ----------------------------------------------------------------------


class _CsvReader:
    def __init__(
        self, source: Opened, limits: ReadLimits, texts: frozenset[str]
    ) -> None:
        self._blocks = _Blocks(source.stream, limits)
        header = self._blocks.header()
        if len(header) > limits.max_columns:
            raise _too_many_columns(len(header), limits)
        self._width = len(header)
        columns = plan_columns(header, texts=texts)
        container = "+".join((*source.wrappers, "csv"))
        self._collected = _Collector(columns, limits, container)
        used = self._collected.used
        # Places, not names: names may be anything, and the parser wants them unique.
        self._read_options = [f"c{place}" for place in range(self._width)]
        self._convert = pacsv.ConvertOptions(
            column_types={
                f"c{column.position}": _arrow_type(column) for column in used
            },
            include_columns=[f"c{column.position}" for column in used],
            null_values=MISSING_SPELLINGS,
            strings_can_be_null=False,
        )
        self._parse = pacsv.ParseOptions(newlines_in_values=True)

    def read(self) -> Table:
        for block in self._blocks:
            self._add(block)
        return self._collected.finish()

    def _add(self, block: memoryview) -> None:
        try:
            table = pacsv.read_csv(
                pa.BufferReader(pa.py_buffer(block)),
                read_options=pacsv.ReadOptions(
                    column_names=self._read_options, block_size=len(block) + 1
                ),
                parse_options=self._parse,
                convert_options=self._convert,
            )
        except (pa.ArrowException, UnicodeError, ValueError):
            self._explain(block)
        self._collected.add_rows(table.num_rows)
        for column, values in zip(self._collected.used, table.columns, strict=True):
            if column.role is Role.TEXT:
                self._collected.add_texts(column, values.combine_chunks())
            else:
                self._collected.add_numbers(column, values.to_numpy())

    def _explain(self, block: memoryview) -> NoReturn:
        """Find what the parser stumbled over, in words and with its place."""
        try:
            text = str(block, "utf-8")
        except UnicodeDecodeError as error:
            raise ExportFileError(
                "not_utf8",
                "The file is not text in UTF-8. Save it as CSV in UTF-8, or take it "
                "as it came from the vendor.",
            ) from error
        row_number = self._collected.row_count
        first_bad: dict[Column, int] = {}
        numbers_seen: set[Column] = set()
        numeric = [c for c in self._collected.used if c.role is not Role.TEXT]
        try:
            for row in csv.reader(io.StringIO(text, newline="")):
                if not row:
                    continue
                row_number += 1
                if len(row) != self._width:
                    raise ExportFileError(
                        "ragged_row",
                        f"Row {row_number} has {len(row)} cells where the header has "
                        f"{self._width}: the file was cut or is damaged. Ask the "
                        "vendor for the export again.",
                    )
                for column in numeric:
                    cell = row[column.position].strip()
                    if is_missing(cell):
                        continue
                    if _NUMBER.fullmatch(cell):
                        numbers_seen.add(column)
                    else:
                        first_bad.setdefault(column, row_number)
        except csv.Error as error:
            raise _damaged_csv() from error
        if not first_bad:
            raise _damaged_csv()
        for column, place in first_bad.items():
            if (
                column.known
                or column in numbers_seen
                or self._collected.has_numbers(column)
            ):
                raise _text_in_numbers(column, place)
        raise _TextFoundError(frozenset(column.name for column in first_bad))


def _arrow_type(column: Column) -> pa.DataType:
    if column.role is Role.TEXT:
        return pa.string()
    return pa.float64() if column.role is Role.CLOCK else pa.float32()


class _Blocks:
    """Cuts a stream of CSV at ends of rows.

    A line end inside quotes is none; the number of quotes before it is odd then.
    """

    def __init__(self, stream: ByteStream, limits: ReadLimits) -> None:
        self._stream = stream
        self._limits = limits
        self._rest = b""
        self._ended = False
        self._bytes_read = 0

    def _fill(self, size: int) -> None:
        """Have at least ``size`` bytes in hand, or all there are."""
        pieces = [self._rest]
        have = len(self._rest)
        while have < size and not self._ended:
            piece = self._stream.read(size - have)
            if not piece:
                self._ended = True
            pieces.append(piece)
            have += len(piece)
            self._bytes_read += len(piece)
            if self._bytes_read > self._limits.max_unpacked_bytes:
                # The stream of an archive checks itself; a plain file does not.
                check_unpacked(self._bytes_read, self._bytes_read, self._limits)
        self._rest = b"".join(pieces)

    def header(self) -> list[str]:
        """The names of the first line that is not blank."""
        size = HEADER_BYTES
        while True:
            self._fill(size)
            start = self._rest.removeprefix(b"\xef\xbb\xbf")
            start = start.lstrip(b"\r\n")
            end = _first_row_end(start)
            if end is not None or self._ended:
                break
            if size >= MAX_LINE_BYTES:
                raise _no_header()
            size *= 4
        line, self._rest = (start, b"") if end is None else (start[:end], start[end:])
        try:
            text = line.decode("utf-8").strip("\r\n")
            rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise _no_header() from error
        if len(rows) != 1 or not rows[0]:
            raise _no_header()
        names = rows[0]
        if len(names) == 1 and re.search(r"[;\t|]", names[0]):
            raise ExportFileError(
                "wrong_delimiter",
                "The columns are not separated by commas. Save the file as CSV with "
                "commas, or take it as it came from the vendor.",
            )
        if all(_NUMBER.fullmatch(name.strip()) or is_missing(name) for name in names):
            raise _no_header()
        return names

    def __iter__(self) -> Iterator[memoryview]:
        size = BLOCK_BYTES
        while True:
            self._fill(size)
            if self._ended:
                if self._rest and not self._rest.isspace():
                    yield memoryview(self._rest)
                return
            end = _last_row_end(self._rest)
            if end is None:
                if size > MAX_LINE_BYTES:
                    raise ExportFileError(
                        "damaged_csv",
                        f"A row is longer than {MAX_LINE_BYTES} bytes: quotes are not "
                        "closed, or this is no table.",
                    )
                size *= 2
                continue
            size = BLOCK_BYTES
            block, self._rest = self._rest, self._rest[end:]
            if not block.isspace():
                yield memoryview(block)[:end]


def _first_row_end(data: bytes) -> int | None:
    """Where the first row ends, its line end included; None if it does not."""
    quotes = place = 0
    for match in re.finditer(rb"[\r\n]", data):
        quotes += data.count(b'"', place, match.start())
        place = match.end()
        if quotes % 2 == 0:
            return place
    return None


def _last_row_end(data: bytes) -> int | None:
    """Where the last whole row ends; None if no row ends here."""
    line_end = b"\n" if b"\n" in data else b"\r"
    # Looking for one is much faster than counting, and most files have none.
    quotes = data.count(b'"') if b'"' in data else 0
    place = len(data)
    while True:
        if quotes % 2:
            # Nothing after the last quote can end a row.
            place = data.rfind(b'"', 0, place)
            quotes -= 1
        found = data.rfind(line_end, 0, place)
        if found < 0:
            return None
        quotes -= data.count(b'"', found, place)
        if quotes % 2 == 0:
            return found + 1
        place = found


def _no_header() -> ExportFileError:
    return ExportFileError(
        "no_header",
        "The first line names no columns. Take the file as it came from the vendor.",
    )


def _damaged_csv() -> ExportFileError:
    return ExportFileError(
        "damaged_csv",
        "The file cannot be taken apart as CSV. Ask the vendor for the export again.",
    )


def _text_in_numbers(column: Column, row: int) -> ExportFileError:
    return ExportFileError(
        "text_in_number_column",
        f"Column {shown(column.name)} holds text where numbers belong, first in row "
        f"{row}. Ask the vendor for the export again.",
    )


def _too_many_columns(count: int, limits: ReadLimits) -> ExportFileError:
    return ExportFileError(
        "too_many_columns",
        f"The file has {count} columns, above the limit of {limits.max_columns}.",
    )


# --- Parquet ------------------------------------------------------------------

# What the library raises on bytes that are not what they claim to be.
_PARQUET_FAULTS = (
    pa.ArrowException,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,
    AttributeError,
)


def _read_parquet(source: Opened, limits: ReadLimits) -> Table:
    def opened(**options: Any) -> pq.ParquetFile:
        return pq.ParquetFile(
            source.parquet,
            thrift_string_size_limit=64 * 1024**2,
            thrift_container_size_limit=1_000_000,
            page_checksum_verification=True,
            **options,
        )

    try:
        parquet = opened()
        schema = parquet.schema_arrow
        # Each different text once, however many rows have it.
        texts = [
            name
            for name, kind in zip(schema.names, schema.types, strict=True)
            if _is_text(kind)
        ]
        if texts:
            parquet = opened(metadata=parquet.metadata, read_dictionary=texts)
        return _parquet_table(parquet, source, limits)
    except _PARQUET_FAULTS as error:
        raise ExportFileError(
            "damaged_parquet",
            "The Parquet file is cut or damaged. Ask the vendor for the export again.",
        ) from error


def _parquet_table(
    parquet: pq.ParquetFile, source: Opened, limits: ReadLimits
) -> Table:
    meta = parquet.metadata
    # Each look at `names` or `types` builds the whole list.
    header, types = parquet.schema_arrow.names, parquet.schema_arrow.types
    if len(header) > limits.max_columns:
        raise _too_many_columns(len(header), limits)
    unpacked = sum(
        meta.row_group(place).total_byte_size for place in range(meta.num_row_groups)
    )
    assert source.parquet is not None  # noqa: S101  # it is Parquet
    check_unpacked(source.parquet.seek(0, io.SEEK_END), unpacked, limits)
    columns = _planned(tuple(header), tuple(types))
    container = "+".join((*source.wrappers, "parquet"))
    collected = _Collector(columns, limits, container)
    # Of each column as it lies in the file; those of a nested one have several.
    paths = [parquet.schema.column(place).path for place in range(len(parquet.schema))]
    _check_names(paths, {header[column.position] for column in collected.used})
    texts = {name for name, kind in zip(header, types, strict=True) if _is_text(kind)}
    _check_text(meta, [n for n, path in enumerate(paths) if path in texts], limits)
    collected.reserve(meta.num_rows)
    # A few columns at a time, as they lie in the file: reading some rows of all
    # columns would hold the whole file meanwhile.
    step = max(1, BATCH_CELLS // max(1, meta.num_rows))
    # What single precision cannot hold turns infinite, and that into missing.
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(collected.used), step):
            some = collected.used[start : start + step]
            _collect_columns(parquet, header, some, collected)
    return collected.finish()


@lru_cache(maxsize=16)
def _planned(
    header: tuple[str, ...], types: tuple[pa.DataType, ...]
) -> tuple[Column, ...]:
    """How to read each column: the same for all files of a kind."""
    unknown_text = {
        name.strip().lower()
        for name, kind in zip(header, types, strict=True)
        if _is_text(kind) or pa.types.is_temporal(kind)
    }
    columns = plan_columns(header, texts=frozenset(unknown_text))
    return tuple(_with_type(column, types[column.position]) for column in columns)


def _collect_columns(
    parquet: pq.ParquetFile,
    header: Sequence[str],
    some: Sequence[Column],
    collected: _Collector,
) -> None:
    names = [header[column.position] for column in some]
    table = parquet.read(columns=names)
    if table.num_rows != collected.row_count:
        raise ExportFileError(
            "damaged_parquet",
            "The Parquet file holds other rows than it says. Ask the vendor for "
            "the export again.",
        )
    for column, name in zip(some, names, strict=True):
        chunked = table.column(name)
        if column.role is Role.TEXT:
            # Each group of rows has its own list of different texts.
            for values in chunked.chunks:
                collected.add_texts(column, _as_text(values))
        elif _is_text(chunked.type):
            collected.add_numbers(column, _written_numbers(chunked, column, collected))
        else:
            # Joining copies, and most files have one group of rows.
            values = (
                chunked.chunk(0)
                if chunked.num_chunks == 1
                else chunked.combine_chunks()
            )
            collected.add_numbers(column, _as_numbers(values))


def _check_names(paths: Sequence[str], names: set[str]) -> None:
    """Refuse a column whose name leads into another one: both would be read."""
    for path in paths:
        parts = path.split(".")
        for end in range(1, len(parts)):
            name = ".".join(parts[:end])
            if name in names:
                raise ExportFileError(
                    "unsupported_column_type",
                    f"Column {shown(name)} holds values of a kind that is neither "
                    "number nor text. Ask the vendor for the export again.",
                )


def _check_text(
    meta: pq.FileMetaData, places: Sequence[int], limits: ReadLimits
) -> None:
    """Refuse a file by what it says of its text, before any of it is unpacked."""
    unpacked = sum(
        meta.row_group(group).column(place).total_uncompressed_size
        for group in range(meta.num_row_groups)
        for place in places
    )
    # Each value may have four bytes before it that tell its length.
    if unpacked > limits.max_text_bytes + 4 * meta.num_rows * len(places):
        raise too_much_text(limits)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )


def _is_number(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    )


def _with_type(column: Column, kind: pa.DataType) -> Column:
    """The column as its type allows it; what holds neither number nor text is left."""
    if (
        column.role is Role.DROPPED
        or _is_number(kind)
        or _is_text(kind)
        or (column.role is Role.TEXT and pa.types.is_temporal(kind))
    ):
        return column
    if column.known:
        raise ExportFileError(
            "unsupported_column_type",
            f"Column {shown(column.name)} holds values of a kind that is neither "
            "number nor text. Ask the vendor for the export again.",
        )
    return Column(
        column.position, column.original, column.name, Role.DROPPED, known=False
    )


def _as_text(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return values if _is_text(kind) else _as_text(values.dictionary_decode())
    return values if pa.types.is_string(kind) else values.cast(pa.string())


def _as_numbers(values: pa.Array) -> npt.NDArray[np.floating[Any]]:
    if not pa.types.is_floating(values.type):
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if not pa.types.is_floating(values.type):
            values = values.cast(pa.float64(), safe=False)
    array: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return array


def _written_numbers(
    chunked: pa.ChunkedArray, column: Column, collected: _Collector
) -> FloatArray:
    """Numbers that a file keeps as text; each different text is read once."""
    pieces: list[FloatArray] = []
    row = 0
    for values in chunked.chunks:
        found, places = coded(values)
        collected.count_text(found, places)
        numbers = np.full(len(found) + 1, np.nan)
        numbers[:-1] = _parsed(found.cast(pa.string()), column, places, row)
        pieces.append(numbers[places])
        row += len(values)
    return np.concatenate(pieces) if pieces else np.empty(0)


def _parsed(
    values: pa.Array, column: Column, places: CodeArray, row: int
) -> npt.NDArray[np.floating[Any]]:
    trimmed = pc.utf8_trim_whitespace(values)
    missing = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(_MISSING_WORDS))
    trimmed = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
    try:
        numbers: npt.NDArray[Any] = trimmed.cast(pa.float64()).to_numpy(
            zero_copy_only=False
        )
    except pa.ArrowInvalid:
        for place, text in enumerate(trimmed.to_pylist()):
            if text is not None and not _NUMBER.fullmatch(text):
                first = int(np.argmax(places == place))
                raise _text_in_numbers(column, row + first + 1) from None
        raise
    return numbers
