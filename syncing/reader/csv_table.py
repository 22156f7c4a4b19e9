"""A CSV file as a table: parsed block by block, and in words what is wrong with it."""

import csv
import io
import re
from collections.abc import Iterator
from typing import NoReturn

import pyarrow as pa
import pyarrow.csv as pacsv

from syncing.reader.cell_text import (
    MISSING_SPELLINGS,
    NUMBER,
    is_missing_cell,
    text_in_numbers,
)
from syncing.reader.columns import FileColumn, Role, plan_columns
from syncing.reader.container import ByteStream, Opened, check_unpacked
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits
from syncing.reader.table import Table, TableBuilder, too_many_columns

#: One piece of CSV that is parsed at a time. Larger is hardly faster and costs memory.
BLOCK_BYTES = 8 * 1024 * 1024
#: Read first, to find the header; more is read while no line has ended.
HEADER_BYTES = 256 * 1024
#: A line longer than this is not one of a table.
MAX_LINE_BYTES = 16 * 1024 * 1024


class TextFoundError(Exception):
    """Unknown columns hold text: the file has to be read again with them as text."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self.names = names


def read_csv(source: Opened, limits: ReadLimits, texts: frozenset[str]) -> Table:
    """Return a CSV file as a table.

    Parameters
    ----------
    texts
        Unknown columns, by canonical name, that an earlier try found to hold text.

    Raises
    ------
    TextFoundError
        More unknown columns hold text; try again with these as well.
    ExportFileError
        Any of the file is wrong.
    """
    return _CsvReader(source, limits, texts).read()


class _CsvReader:
    """Parses a CSV file block by block into a table."""

    def __init__(
        self, source: Opened, limits: ReadLimits, texts: frozenset[str]
    ) -> None:
        self._blocks = _Blocks(source.stream, limits)
        header = self._blocks.header()
        if len(header) > limits.max_columns:
            raise too_many_columns(len(header), limits)
        self._width = len(header)
        columns = plan_columns(header, texts=texts)
        self._collected = TableBuilder(columns, limits)
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
        """Return the whole file as a table."""
        for block in self._blocks:
            self._add(block)
        return self._collected.finish()

    def _add(self, block: memoryview) -> None:
        """Parse one block of whole rows and add its columns."""
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
        """Raise the error that names what the parser stumbled over, and its row."""
        try:
            text = str(block, "utf-8")
        except UnicodeDecodeError as error:
            raise ExportFileError(
                "not_utf8",
                "The file is not text in UTF-8. Save it as CSV in UTF-8, or take it "
                "as it came from the vendor.",
            ) from error
        row_number = self._collected.row_count
        first_bad: dict[FileColumn, int] = {}
        numbers_seen: set[FileColumn] = set()
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
                    if is_missing_cell(cell):
                        continue
                    if NUMBER.fullmatch(cell):
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
                raise text_in_numbers(column, place)
        raise TextFoundError(frozenset(column.name for column in first_bad))


def _arrow_type(column: FileColumn) -> pa.DataType:
    """Return the type that the parser reads a column as."""
    if column.role is Role.TEXT:
        return pa.string()
    return pa.float64() if column.role is Role.CLOCK else pa.float32()


class _Blocks:
    """Cuts a stream of CSV into blocks of whole rows.

    A line end inside quotes ends no row; the number of quotes before it is odd then.
    """

    def __init__(self, stream: ByteStream, limits: ReadLimits) -> None:
        self._stream = stream
        self._limits = limits
        self._rest = b""
        self._ended = False
        self._bytes_read = 0

    def _fill(self, size: int) -> None:
        """Read on until at least ``size`` bytes are in hand, or the stream ends."""
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
        """Return the names of the first line that is not blank."""
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
        if all(
            NUMBER.fullmatch(name.strip()) or is_missing_cell(name) for name in names
        ):
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
    """Return where the first row ends, with its line end; None when it does not."""
    quotes = place = 0
    for match in re.finditer(rb"[\r\n]", data):
        quotes += data.count(b'"', place, match.start())
        place = match.end()
        if quotes % 2 == 0:
            return place
    return None


def _last_row_end(data: bytes) -> int | None:
    """Return where the last whole row ends; None when no row ends in ``data``."""
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
    """Return the error for a file whose first line names no columns."""
    return ExportFileError(
        "no_header",
        "The first line names no columns. Take the file as it came from the vendor.",
    )


def _damaged_csv() -> ExportFileError:
    """Return the error for a file that is no CSV."""
    return ExportFileError(
        "damaged_csv",
        "The file cannot be taken apart as CSV. Ask the vendor for the export again.",
    )
