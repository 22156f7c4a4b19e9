"""A whole export file as columns in memory, and how it is gathered.

The bytes are never held as a whole. Values are kept in single precision (far finer
than any camera), clocks in double: 270 MB of CSV become about 85 MB. Nothing is
returned before the last row was read, so a file that breaks off leaves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from syncing.reader.cell_text import is_missing_cell
from syncing.reader.columns import FileColumn, Role
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits

FloatArray = npt.NDArray[np.floating[Any]]
CodeArray = npt.NDArray[np.int32]

#: What one more text costs in memory besides its bytes.
_BYTES_PER_TEXT = 150
#: What one more row of a column of text costs, however short and common its text: a
#: number that names the text, and a place in a list where the text is written out.
_BYTES_PER_CELL = 12


@dataclass
class TextColumn:
    """Text of each row as a code: its place in ``values``, or -1 when missing."""

    codes: CodeArray
    values: tuple[str, ...]


@dataclass
class Table:
    """A whole export file; keys are canonical names, in the order of the file.

    ``originals`` gives for each the name as the file spells it.
    """

    numbers: dict[str, FloatArray]
    texts: dict[str, TextColumn]
    originals: dict[str, str]
    row_count: int
    repairs: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the canonical names of all columns, in the order of the file."""
        return tuple(self.originals)

    def column_kinds(self) -> dict[str, str]:
        """Return of each column whether it holds "number" or "text", "" for nothing."""
        kinds = {
            name: "number" if np.isfinite(values).any() else ""
            for name, values in self.numbers.items()
        }
        for name, column in self.texts.items():
            kinds[name] = "text" if (column.codes >= 0).any() else ""
        return kinds


#: How columns of numbers are kept.
_DTYPES: dict[Role, np.dtype[Any]] = {
    Role.NUMBER: np.dtype(np.float32),
    Role.CLOCK: np.dtype(np.float64),
}


class TableBuilder:
    """Gathers the pieces of every column and watches over the limits."""

    def __init__(self, columns: Sequence[FileColumn], limits: ReadLimits) -> None:
        self._limits = limits
        self.used = [column for column in columns if column.role is not Role.DROPPED]
        self._texts = [c for c in self.used if c.role is Role.TEXT]
        #: Columns of numbers by their type, in the order of the rows of its block.
        self._kinds: dict[Role, list[FileColumn]] = {
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
        self._repairs: list[str] = []
        self.row_count = 0

    def note(self, repair: str) -> None:
        """Name a repair that was made to the file."""
        self._repairs.append(repair)

    def reserve(self, rows: int) -> None:
        """Make room for so many rows, where their number is known beforehand."""
        self.add_rows(rows)
        self._blocks = {
            role: np.empty((len(columns), rows), dtype=_DTYPES[role])
            for role, columns in self._kinds.items()
        }

    def check_size(self, rows: int) -> None:
        """Refuse a file of so many rows when it has too many, or too many values."""
        limits = self._limits
        if rows > limits.max_rows:
            raise ExportFileError(
                "too_many_rows",
                f"The file has more than {limits.max_rows} rows, which is the limit. "
                "Request fewer movements at a time, or raise the limit.",
            )
        if rows * len(self.used) > limits.max_cells:
            raise ExportFileError(
                "too_many_cells",
                f"The file has more than {limits.max_cells} values, which is the "
                "limit. Request fewer movements at a time, or raise the limit.",
            )

    def add_rows(self, count: int) -> None:
        """Count rows that were read; ExportFileError when they become too many."""
        self.check_size(self.row_count + count)
        self.row_count += count

    def add_numbers(self, column: FileColumn, values: npt.NDArray[Any]) -> None:
        """Add numbers of a column: all of them after `reserve`, else the next ones."""
        if self._blocks:
            self._blocks[column.role][self._rows_of_blocks[column.name]] = values
        else:
            self._pieces[column.name].append(values)

    def add_texts(self, column: FileColumn, values: pa.Array) -> None:
        """Add the next texts of one column."""
        found, places = coded(values)
        self._text_bytes += _BYTES_PER_CELL * len(values)
        self.count_text(found, places)
        known = self._codes[column.name]
        lookup = np.full(len(found) + 1, -1, dtype=np.int32)
        for place, text in enumerate(found.to_pylist()):
            if not is_missing_cell(text):
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

    def has_numbers(self, column: FileColumn) -> bool:
        """Return whether any number of the column was added so far."""
        return any(np.isfinite(piece).any() for piece in self._pieces[column.name])

    def has_fractions(self) -> bool:
        """Return whether any number that was added so far is not whole."""
        return any(
            (np.isfinite(piece) & (piece != np.rint(piece))).any()
            for columns in self._kinds.values()
            for column in columns
            for piece in self._pieces[column.name]
        )

    def finish(self) -> Table:
        """Return all that was added as a table; infinite values become missing."""
        if self.row_count == 0:
            raise ExportFileError(
                "no_rows",
                "The file has a header and no rows. Reboot Motion may still be "
                "working on it: request the export again later.",
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
            repairs=(
                *self._repairs,
                *(f"infinite_to_missing:{n}" for n in numbers if n in infinite),
            ),
        )

    def _joined(self, role: Role, columns: Sequence[FileColumn]) -> FloatArray:
        """Return the pieces of columns of one type as one block, columns × rows."""
        block: FloatArray = np.empty(
            (len(columns), self.row_count), dtype=_DTYPES[role]
        )
        for place, column in enumerate(columns):
            # Each column's pieces go as soon as they are copied.
            np.concatenate(self._pieces.pop(column.name), out=block[place])
        return block


def coded(values: pa.Array) -> tuple[pa.Array, CodeArray]:
    """Return the different values of an array, and for each row which one it has.

    Values are in the order of their first appearance; a row's place among them is -1
    where it has no value.
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
    """Return the error for a file whose text exceeds the limit."""
    return ExportFileError(
        "too_much_text",
        f"The file has more than {limits.max_text_bytes} bytes of text, which is the "
        "limit. Request fewer movements at a time, or take the data export as Reboot "
        "Motion delivers it.",
    )


def too_many_columns(count: int, limits: ReadLimits) -> ExportFileError:
    """Return the error for a file with more columns than the limit."""
    return ExportFileError(
        "too_many_columns",
        f"The file has {count} columns, above the limit of {limits.max_columns}.",
    )
