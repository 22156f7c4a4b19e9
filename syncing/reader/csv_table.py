"""A CSV file as a table: parsed block by block, and in words what is wrong with it."""

import contextlib
import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from syncing.reader.cell_text import MISSING_SPELLINGS, NUMBER, is_missing_cell
from syncing.reader.columns import FileColumn, Role, plan_columns
from syncing.reader.container import ByteStream, Opened, check_unpacked
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits
from syncing.reader.spreadsheet import (
    decimal_mark,
    no_number,
    plain_text,
    row_of_words,
    rows_of_text,
    unclear_numbers,
)
from syncing.reader.table import Table, TableBuilder, too_many_columns

#: One piece of CSV that is parsed at a time. Larger is hardly faster and costs memory.
BLOCK_BYTES = 4 * 1024 * 1024
#: So many blocks are parsed side by side, while the rows of the one before are added.
BLOCKS_AHEAD = 2
#: Read first, to find the header; more is read while no line has ended.
HEADER_BYTES = 256 * 1024
#: A line longer than this is not one of a table.
MAX_LINE_BYTES = 16 * 1024 * 1024
#: A title fills one cell in so many, or fewer; a header all but those of row numbers.
_SHARE_OF_A_TITLE = 8


_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*', re.IGNORECASE)


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
        self._header = header
        columns = plan_columns(header, texts=texts)
        self._collected = TableBuilder(columns, limits)
        used = self._collected.used
        # Places, not names: names may be anything, and the parser wants them unique.
        self._read_options = [f"c{place}" for place in range(len(header))]
        self._convert = {mark: _convert_options(used, mark) for mark in ".,"}
        self._parse = pacsv.ParseOptions(
            delimiter=self._blocks.delimiter, newlines_in_values=True
        )
        # Blanks after the commas would become a part of each movement's id.
        padded = sum(name.startswith(" ") for name in header)
        self._is_padded = 2 * padded > len(header)
        self._mark: str | None = None
        self._respelled = self._headers = 0

    def read(self) -> Table:
        """Return the whole file as a table."""
        with ThreadPoolExecutor(BLOCKS_AHEAD, "csv") as pool:
            self._read_ahead(pool)
        if self._mark == ",":
            self._collected.note("decimal_commas_read")
        if self._respelled:
            self._collected.note(f"numbers_respelled:{self._respelled}")
        if self._headers:
            self._collected.note(f"headers_dropped:{self._headers}")
        return self._collected.finish()

    def _read_ahead(self, pool: ThreadPoolExecutor) -> None:
        """Add all blocks in their order; the next ones are parsed meanwhile.

        The parser works without Python's lock, and so does what unpacks an archive.
        """
        blocks = iter(self._blocks)
        ahead: deque[tuple[memoryview, str, Future[pa.Table | None]]] = deque()
        broken: Exception | None = None
        block: memoryview | None
        while True:
            try:
                block = next(blocks, None)
            except ExportFileError as error:
                # Told only if nothing is wrong with the rows before it.
                broken, block = error, None
            if block is not None:
                mark = self._spelling
                parsing = pool.submit(self._parsed_or_none, block, mark)
                ahead.append((block, mark, parsing))
            while ahead and (block is None or len(ahead) > BLOCKS_AHEAD):
                self._add_parsed(*ahead.popleft())
            if block is None:
                break
        if broken is not None:
            raise broken

    def _add_parsed(
        self, block: memoryview, mark: str, parsing: Future[pa.Table | None]
    ) -> None:
        """Add a block that was parsed as if its numbers had that decimal mark."""
        table = parsing.result()
        if mark != self._spelling:
            # A block before it told how numbers are spelled, too late for this one.
            table = self._parsed_or_none(block, self._spelling)
        self._add(block, table)

    @property
    def _spelling(self) -> str:
        """Return the decimal mark as far as it is known."""
        return self._mark or "."

    def _parsed_or_none(self, block: memoryview, mark: str) -> pa.Table | None:
        """Return a block as the parser reads it, None where it stumbles."""
        try:
            return self._parsed(block, self._parse, mark)
        except (pa.ArrowException, UnicodeError, ValueError):
            return None

    def _add(self, block: memoryview, table: pa.Table | None) -> None:
        """Add the columns of one block of whole rows."""
        if table is None:
            table = self._parsed_again(block)
        self._collected.add_rows(table.num_rows)
        for column, values in zip(self._collected.used, table.columns, strict=True):
            if column.role is Role.TEXT:
                texts = values.combine_chunks()
                if self._is_padded:
                    texts = pc.utf8_trim_whitespace(texts)
                self._collected.add_texts(column, texts)
            else:
                self._collected.add_numbers(column, values.to_numpy())

    def _parsed(
        self, block: memoryview | bytes, parse: pacsv.ParseOptions, mark: str
    ) -> pa.Table:
        """Return one block of whole rows as the parser reads it."""
        return pacsv.read_csv(
            pa.BufferReader(pa.py_buffer(block)),
            read_options=pacsv.ReadOptions(
                column_names=self._read_options, block_size=len(block) + 1
            ),
            parse_options=parse,
            convert_options=self._convert[mark],
        )

    def _parsed_again(self, block: memoryview) -> pa.Table:
        """Return a block that the parser stumbled over, once its numbers are plain.

        Raises the error that names what is wrong, and its row, where they cannot be.
        """
        delimiter, used = self._blocks.delimiter, self._collected.used
        numeric = [column for column in used if column.role is not Role.TEXT]
        try:
            text = self._decoded(block)
            if self._mark is None:
                mark = decimal_mark(rows_of_text(text, delimiter), numeric)
                if mark == "," and self._collected.has_fractions():
                    raise unclear_numbers()
                self._mark = mark
            found = plain_text(
                rows_of_text(text, delimiter),
                header=self._header,
                columns=used,
                mark=self._mark,
                rows_before=self._collected.row_count,
            )
        except csv.Error as error:
            raise _damaged_csv() from error
        if found.words is not None and any(column.known for column in found.bad):
            raise row_of_words(found.words)
        for column, (row, cell) in found.bad.items():
            if (
                column.known
                or column in found.with_numbers
                or self._collected.has_numbers(column)
            ):
                raise no_number(column, row, cell)
        if found.bad:
            raise TextFoundError(frozenset(column.name for column in found.bad))
        if not found.mended:
            raise _damaged_csv()
        self._headers += found.headers
        self._respelled += found.respelled if self._mark == "." else 0
        try:
            parse = pacsv.ParseOptions(newlines_in_values=True)
            return self._parsed(found.data, parse, ".")
        except (pa.ArrowException, UnicodeError, ValueError) as error:
            raise _damaged_csv() from error

    def _decoded(self, block: memoryview) -> str:
        """Return a block as text; its blanks may be those of a Western code page."""
        try:
            return str(block, "utf-8")
        except UnicodeDecodeError as error:
            wrong = error
        with contextlib.suppress(UnicodeDecodeError):
            text = str(block, "cp1252")
            texts = [c.position for c in self._collected.used if c.role is Role.TEXT]
            # In a name the code page would be a guess; in a number it is none.
            if all(
                row[place].isascii()
                for row in rows_of_text(text, self._blocks.delimiter)
                for place in texts
                if place < len(row)
            ):
                return text
        raise ExportFileError(
            "not_utf8",
            "The file is not text in UTF-8. Save it as CSV in UTF-8, or take it as it "
            "came from Reboot Motion.",
        ) from wrong


def _convert_options(
    used: Sequence[FileColumn], decimal_mark: str
) -> pacsv.ConvertOptions:
    """Return how the parser reads the columns that are used."""
    return pacsv.ConvertOptions(
        column_types={f"c{column.position}": _arrow_type(column) for column in used},
        include_columns=[f"c{column.position}" for column in used],
        null_values=MISSING_SPELLINGS,
        strings_can_be_null=False,
        decimal_point=decimal_mark,
    )


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
        #: What stands between cells, once the header was read.
        self.delimiter = ","
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
        """Return the names of the first line that is not blank; find the delimiter."""
        text = self._line()
        if told := _SEPARATOR_LINE.fullmatch(text):
            # Spreadsheets say so what stands between cells.
            self.delimiter = told[1]
            text = self._line()
        names = self._names(text)
        # A spreadsheet may have empty rows, or a title, above the table.
        while _is_above_header(names) and self._rest:
            names = self._names(self._line())
        if len(names) == 1 and any(mark in names[0] for mark in _DELIMITERS):
            raise ExportFileError(
                "rows_in_quotes",
                "Each row of the file is in quotes as a whole, so the file has only "
                "one column. Take the file as it came from Reboot Motion, without "
                "opening it in a spreadsheet.",
            )
        if len(names) == 1 and len(names[0].split()) > 1:
            raise ExportFileError(
                "wrong_delimiter",
                "The columns are separated by neither commas nor semicolons. Save the "
                "file as CSV with commas, or take it as it came from Reboot Motion.",
            )
        if all(
            NUMBER.fullmatch(name.strip()) or is_missing_cell(name) for name in names
        ):
            raise _no_header()
        return names

    def _names(self, line: str) -> list[str]:
        """Return the cells of a line; find what stands between them."""
        names = _cells(line, self.delimiter)
        if len(names) == 1:
            self.delimiter = max(_DELIMITERS, key=names[0].count)
            names = _cells(line, self.delimiter)
        return names

    def _line(self) -> str:
        """Return the next line that is not blank, without its end."""
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
            return line.decode("utf-8").strip("\r\n")
        except UnicodeDecodeError as error:
            raise _no_header() from error

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
                        f"A row is longer than {MAX_LINE_BYTES} bytes: quotes aren't "
                        "closed, or it isn't a table.",
                    )
                size *= 2
                continue
            size = BLOCK_BYTES
            block, self._rest = self._rest, self._rest[end:]
            if not block.isspace():
                yield memoryview(block)[:end]


def _is_above_header(cells: Sequence[str]) -> bool:
    """Return whether a line has cells of a table and next to nothing in them."""
    named = sum(bool(cell.strip()) for cell in cells)
    return len(cells) > 1 and named <= len(cells) / _SHARE_OF_A_TITLE


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the names in the first line of a table."""
    reader = csv.reader(io.StringIO(line, newline=""), strict=True, delimiter=delimiter)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise _no_header() from error
    if len(rows) != 1 or not rows[0]:
        raise _no_header()
    return rows[0]


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
        "The first line names no columns. Take the file as it came from Reboot Motion.",
    )


def _damaged_csv() -> ExportFileError:
    """Return the error for a file that is no CSV."""
    return ExportFileError(
        "damaged_csv",
        "The file can't be read as CSV. Ask Reboot Motion for the export again.",
    )
