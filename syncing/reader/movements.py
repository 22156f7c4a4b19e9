"""An export file as movements: the one way in for the sync and for files by hand.

Whatever is returned was checked to the last row. A movement that cannot be used is in
``failures`` with its reason and does not take the others with it; a repair that was
made is named beside the movement that it was made to.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from syncing.reader.columns import (
    FRAME_KINDS,
    MOVEMENT_ID,
    TIME,
    FileKind,
    kind_of_columns,
)
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits
from syncing.reader.table import CodeArray, FloatArray, Table, TextColumn, read_table

Rows = slice | npt.NDArray[np.intp]
ObjectArray = npt.NDArray[np.object_]

MAX_ID_LENGTH = 300

#: Part of a movement's frames, and number of frames, from which a run of rising times
#: is a recording of its own and not a stretch of shuffled rows.
_RUN_SHARE = 0.1
_RUN_FRAMES = 8


@dataclass(frozen=True)
class MovementTable:
    """All frames of one movement, sorted by time.

    ``columns`` holds float32 arrays, clocks float64, missing values NaN. ``text`` holds
    texts that are the same in every frame; texts that change are in ``text_columns``
    with None where a frame has none.
    """

    org_movement_id: str | None
    columns: Mapping[str, FloatArray]
    text: Mapping[str, str]
    text_columns: Mapping[str, ObjectArray]
    frame_count: int
    repairs: tuple[str, ...]


@dataclass(frozen=True)
class MovementFailure:
    """A movement of the file that cannot be used, and why."""

    org_movement_id: str | None
    code: str
    message: str


@dataclass(frozen=True)
class ReadResult:
    """Movements in the order in which they first appear in the file."""

    data_type: FileKind
    container: str
    movements: tuple[MovementTable, ...]
    failures: tuple[MovementFailure, ...]
    repairs: tuple[str, ...]
    originals: Mapping[str, str]
    row_count: int


@dataclass(frozen=True)
class MovementRow:
    """One row of a metadata or metrics file: one movement."""

    org_movement_id: str
    #: x, y, z in metres; None where the file does not give all three.
    offset_m: tuple[float, float, float] | None
    numbers: Mapping[str, float | None]
    text: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Everything the row says, fit for a JSON column."""
        return {**self.numbers, **self.text}


@dataclass(frozen=True)
class RowsResult:
    data_type: FileKind
    container: str
    rows: tuple[MovementRow, ...]
    repairs: tuple[str, ...]
    originals: Mapping[str, str]


def read_export(
    file: BinaryIO | Path,
    *,
    data_type_hint: str | None = None,
    known_movement_id: str | None = None,
    limits: ReadLimits | None = None,
) -> ReadResult | RowsResult:
    """Read a file of any kind; its columns tell which.

    ``data_type_hint`` is the kind that was asked for: a file that clearly is of
    another kind is refused. ``known_movement_id`` is the movement that was asked for:
    rows of others are left out, and a file without ids is taken to be that movement.
    """
    table = read_table(file, limits or ReadLimits())
    data_type = _checked_type(table, data_type_hint)
    if data_type in FRAME_KINDS or TIME in table.numbers:
        return _movements(table, data_type, known_movement_id)
    if data_type in {FileKind.METADATA, FileKind.METRICS}:
        return _rows(table, data_type, known_movement_id)
    raise _no_column(TIME)


def read_movements(
    file: BinaryIO | Path,
    *,
    data_type_hint: str | None = None,
    known_movement_id: str | None = None,
    limits: ReadLimits | None = None,
) -> ReadResult:
    """Read a file of frames; see :func:`read_export`."""
    result = read_export(
        file,
        data_type_hint=data_type_hint,
        known_movement_id=known_movement_id,
        limits=limits,
    )
    if isinstance(result, ReadResult):
        return result
    raise _no_column(TIME)


def read_rows(
    file: BinaryIO | Path,
    *,
    data_type_hint: str | None = FileKind.METADATA,
    known_movement_id: str | None = None,
    limits: ReadLimits | None = None,
) -> RowsResult:
    """Read a file with one row for each movement; see :func:`read_export`."""
    result = read_export(
        file,
        data_type_hint=data_type_hint,
        known_movement_id=known_movement_id,
        limits=limits,
    )
    if isinstance(result, RowsResult):
        return result
    raise ExportFileError(
        "wrong_data_type",
        f"The file holds frames ({result.data_type}) where one row for each movement "
        "was expected.",
    )


def _checked_type(table: Table, hint: str | None) -> FileKind:
    found = kind_of_columns(table.names)
    if hint is None:
        return found
    wanted = FileKind(hint)
    if found is FileKind.UNKNOWN:
        return wanted
    if found is not wanted:
        raise ExportFileError(
            "wrong_data_type",
            f"The file holds {found} by its columns; {wanted} was asked for.",
        )
    return found


def _no_column(name: str) -> ExportFileError:
    return ExportFileError(
        "missing_column",
        f'The file has no column "{name}", without which its rows mean nothing. Ask '
        "the vendor for the export again, or take the data export instead of another "
        "file.",
    )


# --- Which rows belong to which movement --------------------------------------


def _rows_by_id(
    table: Table, known_movement_id: str | None
) -> tuple[list[tuple[str | None, Rows, bool]], tuple[str, ...]]:
    """Movement ids with their rows and whether these stood together, and repairs."""
    ids = table.texts.get(MOVEMENT_ID)
    if ids is None or not ids.values:
        # A file of one movement may lack the id; the request tells it.
        return [(known_movement_id, slice(0, table.row_count), True)], ()
    if (ids.codes < 0).any():
        row = int(np.argmax(ids.codes < 0)) + 1
        raise ExportFileError(
            "rows_without_movement_id",
            f"Row {row} names no movement while others do, so nobody can say where it "
            "belongs. Ask the vendor for the export again.",
        )
    groups = _group(ids)
    if known_movement_id is None:
        return list(groups), ()
    wanted = [group for group in groups if group[0] == known_movement_id]
    if not wanted:
        raise ExportFileError(
            "movement_not_in_file",
            "The file holds other movements than the one that was asked for. Ask the "
            "vendor for the export again.",
        )
    left_out = len(groups) - 1
    return list(wanted), (f"other_movements_left_out:{left_out}",) if left_out else ()


def _group(ids: TextColumn) -> list[tuple[str, Rows, bool]]:
    codes = ids.codes
    starts = np.concatenate(([0], np.flatnonzero(np.diff(codes)) + 1, [len(codes)]))
    together = len(starts) - 1 == len(ids.values)
    groups: list[tuple[str, Rows, bool]] = []
    if together:
        for start, end in pairwise(starts.tolist()):
            groups.append((ids.values[codes[start]], slice(start, end), True))
        return groups
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(ids.values) + 1)).tolist()
    # Codes are given in order of appearance, so this order is the file's.
    for code, (start, end) in enumerate(pairwise(edges)):
        rows = order[start:end]
        joined = int(rows[-1]) - int(rows[0]) == len(rows) - 1
        groups.append((ids.values[code], rows, joined))
    return groups


def _check_id(org_movement_id: str | None) -> None:
    if org_movement_id is None:
        return
    control = any(
        unicodedata.category(sign) in {"Cc", "Cs"} for sign in org_movement_id
    )
    if len(org_movement_id) > MAX_ID_LENGTH or control:
        raise ExportFileError(
            "bad_movement_id",
            f"A movement's id is longer than {MAX_ID_LENGTH} characters or holds "
            "control characters. Ask the vendor for the export again.",
        )


# --- Files of frames ----------------------------------------------------------


def _movements(
    table: Table, data_type: FileKind, known_movement_id: str | None
) -> ReadResult:
    if TIME not in table.numbers:
        raise _no_column(TIME)
    groups, repairs = _rows_by_id(table, known_movement_id)
    movements: list[MovementTable] = []
    failures: list[MovementFailure] = []
    for org_movement_id, rows, together in groups:
        try:
            _check_id(org_movement_id)
            movements.append(_movement(table, org_movement_id, rows, together))
        except ExportFileError as error:
            failures.append(MovementFailure(org_movement_id, error.code, error.message))
    if not movements:
        raise ExportFileError(failures[0].code, failures[0].message)
    return ReadResult(
        data_type=data_type,
        container=table.container,
        movements=tuple(movements),
        failures=tuple(failures),
        repairs=(*table.repairs, *repairs),
        originals=table.originals,
        row_count=table.row_count,
    )


def _movement(
    table: Table, org_movement_id: str | None, rows: Rows, together: bool
) -> MovementTable:
    repairs: list[str] = [] if together else ["rows_gathered"]
    time = table.numbers[TIME][rows]
    if not np.isfinite(time).all():
        rows = _without_blank(table, rows, time, repairs)
        time = table.numbers[TIME][rows]
    steps = np.diff(time)
    if not (steps > 0).all():
        rows = _in_order(table, rows, time, repairs)
    columns = {name: values[rows] for name, values in table.numbers.items()}
    text: dict[str, str] = {}
    text_columns: dict[str, ObjectArray] = {}
    for name, column in table.texts.items():
        codes = column.codes[rows]
        if name == MOVEMENT_ID or not (codes >= 0).any():
            continue
        if (codes == codes[0]).all():
            text[name] = column.values[codes[0]]
        else:
            text_columns[name] = _written_out(column, codes)
    return MovementTable(
        org_movement_id=org_movement_id,
        columns=columns,
        text=text,
        text_columns=text_columns,
        frame_count=len(columns[TIME]),
        repairs=tuple(repairs),
    )


def _written_out(column: TextColumn, codes: CodeArray) -> ObjectArray:
    """The text of each row, None where there is none.

    A file has many movements: each looks at its own texts, not at all of the file.
    """
    own, places = np.unique(codes, return_inverse=True)
    choices: ObjectArray = np.empty(len(own), dtype=object)
    choices[:] = [column.values[code] if code >= 0 else None for code in own.tolist()]
    return choices[places]


def _places(table: Table, rows: Rows) -> npt.NDArray[np.intp]:
    if isinstance(rows, slice):
        return np.arange(table.row_count)[rows]
    return rows


def _without_blank(
    table: Table, rows: Rows, time: FloatArray, repairs: list[str]
) -> Rows:
    """Leave out rows that hold nothing; a row with values needs its time."""
    places = _places(table, rows)
    untimed = places[~np.isfinite(time)]
    for values in table.numbers.values():
        filled = np.isfinite(values[untimed])
        if filled.any():
            row = int(untimed[np.argmax(filled)]) + 1
            raise ExportFileError(
                "time_missing",
                f"Row {row} holds values but no time, so nobody can say when they "
                "were. Ask the vendor for the export again.",
            )
    kept = places[np.isfinite(time)]
    if len(kept) == 0:
        raise ExportFileError(
            "time_missing",
            "No row of the movement has a time. Ask the vendor for the export again.",
        )
    repairs.append(f"blank_rows_dropped:{len(untimed)}")
    return kept


def _in_order(
    table: Table, rows: Rows, time: FloatArray, repairs: list[str]
) -> npt.NDArray[np.intp]:
    """Sort by time and drop rows that stand there twice; refuse what is two swings."""
    places = _places(table, rows)
    order = np.argsort(time, kind="stable")
    sorted_places, sorted_time = places[order], time[order]
    again = np.flatnonzero(np.diff(sorted_time) == 0) + 1
    if len(again):
        differing = _differing(table, sorted_places[again - 1], sorted_places[again])
        if differing:
            raise _conflict(differing, len(np.unique(sorted_time)))
        keep = np.ones(len(places), dtype=bool)
        # In the order of the file: of equal rows the first stays.
        keep[order[again]] = False
        places, time = places[keep], time[keep]
        repairs.append(f"duplicate_rows_dropped:{len(again)}")
    if not (np.diff(time) > 0).all():
        if _recordings_overlap(time):
            raise ExportFileError(
                "two_swings_one_id",
                "The clock of one movement starts again while frames of the first run "
                "go on: two repetitions carry one id. Ask the vendor for the export "
                "again.",
            )
        places = places[np.argsort(time, kind="stable")]
        repairs.append("rows_sorted")
    return places


def _differing(
    table: Table, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]
) -> int:
    """How many of the pairs of rows are not the same in every column."""
    differs = np.zeros(len(first), dtype=bool)
    for values in table.numbers.values():
        one, other = values[first], values[second]
        differs |= (one != other) & ~(np.isnan(one) & np.isnan(other))
    for column in table.texts.values():
        differs |= column.codes[first] != column.codes[second]
    return int(differs.sum())


def _conflict(differing: int, instants: int) -> ExportFileError:
    if differing > max(2, _RUN_SHARE * instants):
        return ExportFileError(
            "two_swings_one_id",
            f"{differing} instants of one movement occur twice with different values: "
            "two repetitions carry one id. Ask the vendor for the export again.",
        )
    return ExportFileError(
        "conflicting_rows",
        f"{differing} instants of one movement occur twice with different values, so "
        "nobody can say which hold. Ask the vendor for the export again.",
    )


def _recordings_overlap(time: FloatArray) -> bool:
    """Whether rows out of order are two recordings rather than shuffled rows.

    Times rise within a recording. Two of them under one id are long rising runs that
    cover the same stretch of time; shuffled rows have short runs only, and blocks
    that were written in another order have long runs that lie side by side. A frame
    at one end in common is not an overlap, since clocks are rounded.
    """
    edges = np.concatenate(([0], np.flatnonzero(np.diff(time) <= 0) + 1, [len(time)]))
    least = max(_RUN_FRAMES, int(_RUN_SHARE * len(time)))
    runs = sorted(
        (float(time[start]), float(time[end - 1]))
        for start, end in pairwise(edges.tolist())
        if end - start >= least
    )
    latest = -np.inf
    for start, end in runs:
        if start < latest:
            return True
        latest = max(latest, end)
    return False


# --- Files of rows ------------------------------------------------------------


def _rows(
    table: Table, data_type: FileKind, known_movement_id: str | None
) -> RowsResult:
    if MOVEMENT_ID not in table.texts:
        raise _no_column(MOVEMENT_ID)
    groups, repairs = _rows_by_id(table, known_movement_id)
    found: list[MovementRow] = []
    dropped = 0
    for org_movement_id, rows, _ in groups:
        places = _places(table, rows)
        _check_id(org_movement_id)
        if org_movement_id is None:
            raise ExportFileError(
                "rows_without_movement_id",
                "No row of the file names its movement. Ask the vendor for the export "
                "again.",
            )
        first = np.full(len(places) - 1, places[0])
        if _differing(table, first, places[1:]):
            raise ExportFileError(
                "duplicate_movement_row",
                "Two rows for one movement say different things, so nobody can say "
                "which holds. Ask the vendor for the export again.",
            )
        dropped += len(places) - 1
        found.append(_row(table, org_movement_id, int(places[0])))
    if dropped:
        repairs = (*repairs, f"duplicate_rows_dropped:{dropped}")
    return RowsResult(
        data_type=data_type,
        container=table.container,
        rows=tuple(found),
        repairs=(*table.repairs, *repairs),
        originals=table.originals,
    )


def _row(table: Table, org_movement_id: str, place: int) -> MovementRow:
    numbers: dict[str, float | None] = {}
    for name, values in table.numbers.items():
        value = float(values[place])
        numbers[name] = value if np.isfinite(value) else None
    offset = [numbers.get(f"{axis}_offset") for axis in "xyz"]
    x, y, z = offset
    return MovementRow(
        org_movement_id=org_movement_id,
        offset_m=None if x is None or y is None or z is None else (x, y, z),
        numbers=numbers,
        text={
            name: column.values[column.codes[place]]
            for name, column in table.texts.items()
            if name != MOVEMENT_ID and column.codes[place] >= 0
        },
    )
