"""Frames of each movement in a table, in the order of time and none twice.

A movement that cannot be used is in ``failures`` with its reason and does not take the
others with it; a repair that was made is named beside the movement that it was made to.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from syncing.reader.columns import MOVEMENT_ID, TIME, FileKind, no_column
from syncing.reader.contents import (
    FramesFile,
    MovementFailure,
    MovementTable,
    ObjectArray,
)
from syncing.reader.errors import ExportFileError
from syncing.reader.rounded_clock import is_uneven, restored_clock, rounding_of
from syncing.reader.row_groups import (
    Rows,
    check_id,
    count_differing,
    places_of,
    rows_by_id,
)
from syncing.reader.table import CodeArray, FloatArray, Table, TextColumn

#: Part of a movement's frames, and number of frames, from which a run of rising times
#: is a recording of its own and not a stretch of shuffled rows.
_RUN_SHARE = 0.1
_RUN_FRAMES = 8


def movements_of(
    table: Table, kind: FileKind, known_movement_id: str | None
) -> FramesFile[MovementTable]:
    """Return the frames of each movement of a table that has a clock.

    Raises
    ------
    ExportFileError
        No movement of the file can be used, or it has no clock.
    """
    if TIME not in table.numbers:
        raise no_column(TIME)
    groups, repairs = rows_by_id(table, known_movement_id)
    movements: list[MovementTable] = []
    failures: list[MovementFailure] = []
    for org_movement_id, rows, together in groups:
        try:
            check_id(org_movement_id)
            movements.append(_movement(table, org_movement_id, rows, together))
        except ExportFileError as error:
            failures.append(MovementFailure(org_movement_id, error.code, error.message))
    if not movements:
        raise ExportFileError(failures[0].code, failures[0].message)
    return FramesFile(
        kind=kind,
        movements=tuple(movements),
        failures=tuple(failures),
        repairs=(*table.repairs, *repairs),
        originals=table.originals,
        row_count=table.row_count,
        column_kinds=table.column_kinds(),
    )


def _movement(
    table: Table, org_movement_id: str | None, rows: Rows, together: bool
) -> MovementTable:
    """Return the frames of one movement, without blank rows and in order of time."""
    repairs: list[str] = [] if together else ["rows_gathered"]
    time = table.numbers[TIME][rows]
    if not np.isfinite(time).all():
        rows = _without_blank(table, rows, time, repairs)
        time = table.numbers[TIME][rows]
    restored: FloatArray | None = None
    if not (np.diff(time) > 0).all():
        restored = _restored(table, rows, time, repairs)
        if restored is None:
            rows = _in_order(table, rows, time, repairs)
    elif is_uneven(time):
        restored = _restored(table, rows, time, repairs)
    columns = {name: values[rows] for name, values in table.numbers.items()}
    if restored is not None:
        columns[TIME] = restored
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
    """Return the text of each row, None where there is none.

    A file has many movements: each looks at its own texts, not at all of the file.
    """
    own, places = np.unique(codes, return_inverse=True)
    choices: ObjectArray = np.empty(len(own), dtype=object)
    choices[:] = [column.values[code] if code >= 0 else None for code in own.tolist()]
    return choices[places]


def _without_blank(
    table: Table, rows: Rows, time: FloatArray, repairs: list[str]
) -> Rows:
    """Return the rows without blank ones; a row with values but no time is refused."""
    places = places_of(table, rows)
    untimed = places[~np.isfinite(time)]
    for values in table.numbers.values():
        filled = np.isfinite(values[untimed])
        if filled.any():
            row = int(untimed[np.argmax(filled)]) + 1
            raise ExportFileError(
                "time_missing",
                f"Row {row} has values but no time. Ask Reboot Motion for the export "
                "again.",
            )
    kept = places[np.isfinite(time)]
    if len(kept) == 0:
        raise ExportFileError(
            "time_missing",
            "No row of the movement has a time. Ask Reboot Motion for the export "
            "again.",
        )
    repairs.append(f"blank_rows_dropped:{len(untimed)}")
    return kept


def _restored(
    table: Table, rows: Rows, time: FloatArray, repairs: list[str]
) -> FloatArray | None:
    """Return the times before a spreadsheet rounded them; None when they are as sent.

    Rows of one time that are equal in every column stand there twice instead.
    """
    if rounding_of(time) is None:
        return None
    places = places_of(table, rows)
    again = np.flatnonzero(np.diff(time) == 0) + 1
    if len(again) and not count_differing(table, places[again - 1], places[again]):
        return None
    columns = {name: values[rows] for name, values in table.numbers.items()}
    found = restored_clock(time, columns)
    if found is None:
        return None
    restored, rate = found
    repairs.append(f"clock_restored:{rate:.1f}")
    return restored


def _in_order(
    table: Table, rows: Rows, time: FloatArray, repairs: list[str]
) -> npt.NDArray[np.intp]:
    """Return the rows sorted by time, doubled ones once; two swings are refused."""
    places = places_of(table, rows)
    order = np.argsort(time, kind="stable")
    sorted_places, sorted_time = places[order], time[order]
    again = np.flatnonzero(np.diff(sorted_time) == 0) + 1
    if len(again):
        differing = count_differing(
            table, sorted_places[again - 1], sorted_places[again]
        )
        if differing:
            if rounding_of(time) is not None:
                raise _rounded(differing)
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
                "go on: two repetitions share one ID. Ask Reboot Motion for the export "
                "again.",
            )
        places = places[np.argsort(time, kind="stable")]
        repairs.append("rows_sorted")
    return places


def _rounded(differing: int) -> ExportFileError:
    """Return the error for times that were rounded until frames share them."""
    return ExportFileError(
        "rounded_clock",
        f"The times of one movement are rounded: {differing} frames share their time "
        "with another frame, so their order is unclear. Take the file as it "
        "came from Reboot Motion, without saving it in a spreadsheet.",
    )


def _conflict(differing: int, instants: int) -> ExportFileError:
    """Return the error for rows of one instant that hold different values.

    Many of them are two swings under one id; a few are damage.
    """
    times = "one point in time" if differing == 1 else f"{differing} points in time"
    if differing > max(2, _RUN_SHARE * instants):
        return ExportFileError(
            "two_swings_one_id",
            f"One movement has {times} twice with different values: two repetitions "
            "share one ID. Ask Reboot Motion for the export again.",
        )
    return ExportFileError(
        "conflicting_rows",
        f"One movement has {times} twice with different values, so it's unclear which "
        "are right. Ask Reboot Motion for the export again.",
    )


def _recordings_overlap(time: FloatArray) -> bool:
    """Return whether rows out of order are two recordings, not shuffled rows.

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
