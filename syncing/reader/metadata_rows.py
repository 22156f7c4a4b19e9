"""One row for each movement: files of metadata and of metrics."""

import numpy as np

from syncing.reader.columns import (
    INNER_MOVEMENT_ID,
    MOVEMENT_ID,
    FileKind,
    no_column,
)
from syncing.reader.contents import MovementRow, RowsFile
from syncing.reader.errors import ExportFileError
from syncing.reader.row_groups import check_id, count_differing, places_of, rows_by_id
from syncing.reader.table import Table


def rows_of(table: Table, kind: FileKind, known_movement_id: str | None) -> RowsFile:
    """Return the one row of each movement of a table; two that differ are refused."""
    named_by = _naming_column(table, kind)
    groups, repairs = rows_by_id(table, known_movement_id, named_by=named_by)
    found: list[MovementRow] = []
    dropped = 0
    for org_movement_id, rows, _ in groups:
        places = places_of(table, rows)
        check_id(org_movement_id)
        if org_movement_id is None:
            raise ExportFileError(
                "rows_without_movement_id",
                "No row of the file names its movement. Ask Reboot Motion for the "
                "export "
                "again.",
            )
        first = np.full(len(places) - 1, places[0])
        if count_differing(table, first, places[1:]):
            raise ExportFileError(
                "duplicate_movement_row",
                "Two rows for one movement differ, so it's unclear which is right. "
                "Ask Reboot Motion for the export again.",
            )
        dropped += len(places) - 1
        found.append(_row(table, org_movement_id, int(places[0]), named_by))
    if dropped:
        repairs = (*repairs, f"duplicate_rows_dropped:{dropped}")
    return RowsFile(
        kind=kind,
        rows=tuple(found),
        repairs=(*table.repairs, *repairs),
        originals=table.originals,
        column_kinds=table.column_kinds(),
        named_by=named_by,
    )


def _naming_column(table: Table, kind: FileKind) -> str:
    """Return the column that says which movement a row is of.

    Metrics may carry the vendor's inner id alone.
    """
    if MOVEMENT_ID in table.texts:
        return MOVEMENT_ID
    if kind is FileKind.HITTING_METRICS and INNER_MOVEMENT_ID in table.texts:
        return INNER_MOVEMENT_ID
    raise no_column(MOVEMENT_ID)


def _row(table: Table, org_movement_id: str, place: int, named_by: str) -> MovementRow:
    """Return one row of the table, missing numbers as None."""
    numbers: dict[str, float | None] = {}
    for name, values in table.numbers.items():
        # By way of its shortest text: 74.3 stays 74.3 in whatever precision it is.
        value = float(str(values[place]))
        numbers[name] = value if np.isfinite(value) else None
    return MovementRow(
        org_movement_id=org_movement_id,
        numbers=numbers,
        text={
            name: column.values[column.codes[place]]
            for name, column in table.texts.items()
            if name != named_by and column.codes[place] >= 0
        },
    )
