"""Numbers as spreadsheets and other languages write them, made plain.

A file that a person opened and saved again may hold decimal commas, a typographic
minus, blanks between thousands, or rows of nothing. They are read where they can mean
one thing only; where a number can be read in two ways, the file is refused.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from syncing.reader.cell_text import NUMBER, is_missing_cell
from syncing.reader.columns import FileColumn, Role, shown
from syncing.reader.errors import ExportFileError

_MINUS = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d", "-"))
#: Thousands set apart by blanks of any kind, or by an apostrophe.
_SPACED = re.compile(
    r"-?\d{1,3}(?:[ \u00a0\u2009\u202f'\u2019]\d{3})+(?:[.,]\d*)?(?:e[+-]?\d+)?",
    re.ASCII | re.IGNORECASE,
)
_SPACES = re.compile("[ \u00a0\u2009\u202f'\u2019]")
_COMMA = re.compile(r"-?\d*,\d+(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
#: One thousand two hundred, or one and two tenths: nobody can say.
_UNCLEAR = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
_COMMA_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+\.\d+", re.ASCII)
_DOT_THOUSANDS = re.compile(r"-?\d{1,3}(?:\.\d{3})+,\d+", re.ASCII)
_ODD_NUMBER = re.compile(r"[('\"$]?[\d#+\-.,\u2212\u2013]")
#: What people write into a cell that has no number.
_NOTHING = {"-", "--", "---", "\u2014", "<na>"}
_DATE = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}[-. ][A-Za-z]{3}|[A-Za-z]{3}[-. ]\d{1,4}"
    r"|\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?",
    re.ASCII,
)


def rows_of_text(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the cells of each row that is not an empty line."""
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if row:
            yield row


def decimal_mark(rows: Iterable[Sequence[str]], columns: Sequence[FileColumn]) -> str:
    """Return the decimal mark of a file, "." or ",", by its known columns.

    Raises
    ------
    ExportFileError
        Both marks are in use, or commas may be either of thousands or of decimals.
    """
    dots = commas = unclear = 0
    places = [column.position for column in columns if column.known]
    for row in rows:
        for place in places:
            if place >= len(row) or ("," not in row[place] and "." not in row[place]):
                continue
            cell = _tidy(row[place])
            if _COMMA_THOUSANDS.fullmatch(cell) or NUMBER.fullmatch(cell):
                dots += 1
            elif _UNCLEAR.fullmatch(cell):
                unclear += 1
            elif _COMMA.fullmatch(cell) or _DOT_THOUSANDS.fullmatch(cell):
                commas += 1
    if (commas and dots) or (unclear and not commas):
        raise unclear_numbers()
    return "," if commas else "."


@dataclass
class PlainText:
    """Rows of a file as plain CSV: commas between cells, dots in numbers.

    ``respelled`` counts numbers that were written otherwise, ``mended`` tells whether
    anything was changed that a parser could have stumbled over, and ``bad`` names for
    each column the first row whose cell is no number, with that cell. ``headers``
    counts rows that were the header again; ``words`` is the first row that has words
    and no number in the columns of numbers, or None.
    """

    data: bytes
    respelled: int
    mended: bool
    bad: dict[FileColumn, tuple[int, str]]
    with_numbers: set[FileColumn]
    headers: int = 0
    words: int | None = None


def plain_text(
    rows: Iterable[list[str]],
    *,
    header: Sequence[str],
    columns: Sequence[FileColumn],
    mark: str,
    rows_before: int,
) -> PlainText:
    """Return rows as plain CSV, those of nothing and the header again left out.

    Parameters
    ----------
    header
        The names of all columns, as the file spells them.
    columns
        The columns that are used.
    mark
        The decimal mark of the file.
    rows_before
        How many rows of the file were read earlier.

    Raises
    ------
    ExportFileError
        A row has too many or too few cells.
    """
    width = len(header)
    names = [name.strip().casefold() for name in header]
    numeric = [column for column in columns if column.role is not Role.TEXT]
    buffer = io.StringIO(newline="")
    # Text may hold line ends and quotes.
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    found = PlainText(b"", 0, False, {}, set())
    number = rows_before
    for row in rows:
        number += 1
        if len(row) != width:
            if not any(cell.strip() for cell in row):
                found.mended = True
                continue
            if len(row) < width or any(cell.strip() for cell in row[width:]):
                raise _ragged_row(number, len(row), width)
            row = row[:width]
            found.mended = True
        # Files that were put below one another bring their headers.
        if [cell.strip().casefold() for cell in row] == names:
            found.mended = True
            found.headers += 1
            continue
        is_of_words = has_number = False
        for column in numeric:
            cell = row[column.position]
            plain = _plain(cell, mark)
            if plain is None:
                found.bad.setdefault(column, (number, cell.strip()))
                is_of_words = is_of_words or _is_word(cell.strip())
                continue
            if plain != cell:
                found.mended = True
                row[column.position] = plain
            if plain:
                has_number = True
                found.with_numbers.add(column)
                found.respelled += plain != cell.strip()
        if is_of_words and not has_number and found.words is None:
            found.words = number
        writer.writerow(row)
    found.data = buffer.getvalue().encode()
    return found


def no_number(column: FileColumn, row: int, cell: str) -> ExportFileError:
    """Return the error for a cell that holds no number; ``row`` counts from 1."""
    where = f"Column {shown(column.name)} "
    if any(mark.fullmatch(_tidy(cell)) for mark in (_COMMA, _DOT_THOUSANDS, NUMBER)):
        return unclear_numbers()
    if _DATE.fullmatch(cell):
        advice = (
            f"has a date or time where numbers belong, first in row {row}: "
            "a spreadsheet has turned numbers into dates. Take the file as it came "
            "from Reboot Motion, without opening it in a spreadsheet."
        )
    elif cell.startswith("#"):
        advice = (
            f"has a spreadsheet error where numbers belong, first in "
            f"row {row}. Take the file as it came from Reboot Motion, without opening "
            "it "
            "in a spreadsheet."
        )
    else:
        advice = (
            f"has text where numbers belong, first in row {row}. Take the file as "
            "it came from Reboot Motion, or ask for the export again."
        )
    return ExportFileError("text_in_number_column", where + advice)


def row_of_words(row: int) -> ExportFileError:
    """Return the error for a row of units or remarks; ``row`` counts from 1."""
    return ExportFileError(
        "row_of_words",
        f"Row {row} below the header holds words and no numbers: units, or a remark. "
        "Their meaning for the numbers is unclear, so take the file as it came "
        "from Reboot Motion, or delete that row if it changes nothing.",
    )


def _is_word(cell: str) -> bool:
    """Return whether a cell holds a word or a unit, and no number in odd spelling."""
    return not (_ODD_NUMBER.match(cell) or _DATE.fullmatch(cell))


def _tidy(cell: str) -> str:
    """Return a cell with a plain minus and without blanks between thousands."""
    text = cell.strip().translate(_MINUS).removeprefix("+")
    return _SPACES.sub("", text) if _SPACED.fullmatch(text) else text


def _plain(cell: str, mark: str) -> str | None:
    """Return a number in plain spelling; empty when missing, None when it is none."""
    if NUMBER.fullmatch(cell) and (mark == "." or "." not in cell):
        return cell
    if is_missing_cell(cell):
        return ""
    text = _tidy(cell)
    if text.casefold() in _NOTHING:
        return ""
    if mark == ",":
        if _DOT_THOUSANDS.fullmatch(text):
            text = text.replace(".", "")
        elif "." in text:
            return None
        text = text.replace(",", ".")
    elif _COMMA_THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    return text if NUMBER.fullmatch(text) else None


def unclear_numbers() -> ExportFileError:
    """Return the error for numbers that can be read in two ways."""
    return ExportFileError(
        "unclear_numbers",
        "The file writes numbers with commas and with points, so it's unclear which "
        "is the decimal mark. Take the file as it came from Reboot Motion, or save it "
        "again with decimal points and without thousands separators.",
    )


def _ragged_row(number: int, cells: int, width: int) -> ExportFileError:
    """Return the error for a row with too many or too few cells."""
    if cells > 1.4 * width:
        return ExportFileError(
            "ragged_row",
            f"Row {number} has {cells} cells where the header has {width}: its numbers "
            "seem to have decimal commas, which can't be told from the commas between "
            "cells. Save the file with decimal points, or with semicolons between "
            "cells.",
        )
    return ExportFileError(
        "ragged_row",
        f"Row {number} has {cells} cells where the header has {width}: the file was "
        "cut or is damaged. Ask Reboot Motion for the export again.",
    )
