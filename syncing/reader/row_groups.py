"""Which rows of a table belong to which movement."""

import unicodedata
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from syncing.reader.columns import MOVEMENT_ID
from syncing.reader.errors import ExportFileError
from syncing.reader.table import CodeArray, Table, TextColumn

Rows = slice | npt.NDArray[np.intp]
MAX_ID_LENGTH = 300


def rows_by_id(
    table: Table, known_movement_id: str | None, *, named_by: str = MOVEMENT_ID
) -> tuple[list[tuple[str | None, Rows, bool]], tuple[str, ...]]:
    """Return the rows of each movement of a table, and repairs to the file.

    Each movement is its id, its rows, and whether these stood together in the file.
    With ``known_movement_id`` rows of other movements are left out, and a file
    without ids is taken to be that movement. ``named_by`` is the column of the ids.
    """
    ids = table.texts.get(named_by)
    if ids is None or not ids.values:
        # A file of one movement may lack the id; the request tells it.
        return [(known_movement_id, slice(0, table.row_count), True)], ()
    kept = _without_blank_rows(table, ids)
    codes = ids.codes if kept is None else ids.codes[kept]
    groups: list[tuple[str, Rows, bool]] = _group(codes, ids.values)
    repairs: tuple[str, ...] = ()
    if kept is not None:
        groups = [(name, kept[rows], together) for name, rows, together in groups]
        repairs = (f"blank_rows_dropped:{table.row_count - len(kept)}",)
    if known_movement_id is None:
        return list(groups), repairs
    wanted = [group for group in groups if group[0] == known_movement_id]
    if not wanted:
        raise ExportFileError(
            "movement_not_in_file",
            "The file has movements other than the one requested. Ask Reboot Motion "
            "for the export again.",
        )
    if left_out := len(groups) - 1:
        repairs = (*repairs, f"other_movements_left_out:{left_out}")
    return list(wanted), repairs


def _without_blank_rows(table: Table, ids: TextColumn) -> npt.NDArray[np.intp] | None:
    """Return the places of rows that hold anything; None when all do.

    Spreadsheets write empty rows below the last one. A row that names no movement and
    yet holds something is refused.
    """
    unnamed = np.flatnonzero(ids.codes < 0)
    if not len(unnamed):
        return None
    filled = np.zeros(len(unnamed), dtype=bool)
    for values in table.numbers.values():
        filled |= ~np.isnan(values[unnamed])
    for column in table.texts.values():
        filled |= column.codes[unnamed] >= 0
    if filled.any():
        row = int(unnamed[np.argmax(filled)]) + 1
        raise ExportFileError(
            "rows_without_movement_id",
            f"Row {row} names no movement while others do, so it's unclear where it "
            "belongs. Ask Reboot Motion for the export again.",
        )
    return np.flatnonzero(ids.codes >= 0)


def _group(codes: CodeArray, values: tuple[str, ...]) -> list[tuple[str, Rows, bool]]:
    """Return the rows of each id, in the order in which the ids first appear."""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(codes)) + 1, [len(codes)]))
    together = len(starts) - 1 == len(values)
    groups: list[tuple[str, Rows, bool]] = []
    if together:
        for start, end in pairwise(starts.tolist()):
            groups.append((values[codes[start]], slice(start, end), True))
        return groups
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(values) + 1)).tolist()
    # Codes are given in order of appearance, so this order is the file's.
    for code, (start, end) in enumerate(pairwise(edges)):
        rows = order[start:end]
        joined = int(rows[-1]) - int(rows[0]) == len(rows) - 1
        groups.append((values[code], rows, joined))
    return groups


def check_id(org_movement_id: str | None) -> None:
    """Refuse an id that is too long or holds control characters."""
    if org_movement_id is None:
        return
    control = any(
        unicodedata.category(sign) in {"Cc", "Cs"} for sign in org_movement_id
    )
    if len(org_movement_id) > MAX_ID_LENGTH or control:
        raise ExportFileError(
            "bad_movement_id",
            f"A movement's ID is longer than {MAX_ID_LENGTH} characters or has control "
            "characters. Ask Reboot Motion for the export again.",
        )


def places_of(table: Table, rows: Rows) -> npt.NDArray[np.intp]:
    """Return rows as places in the table, counted from 0."""
    if isinstance(rows, slice):
        return np.arange(table.row_count)[rows]
    return rows


def count_differing(
    table: Table, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]
) -> int:
    """Return how many pairs of rows are not the same in every column.

    A pair is a row of ``first`` and the row at the same position of ``second``.
    """
    differs = np.zeros(len(first), dtype=bool)
    for values in table.numbers.values():
        one, other = values[first], values[second]
        differs |= (one != other) & ~(np.isnan(one) & np.isnan(other))
    for column in table.texts.values():
        differs |= column.codes[first] != column.codes[second]
    return int(differs.sum())
