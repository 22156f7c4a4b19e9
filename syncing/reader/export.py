"""The one way into export files, for the sync and for files given by hand.

Whatever is returned was checked to the last row.
"""

from typing import BinaryIO

from syncing.reader.columns import (
    FRAME_KINDS,
    ROW_KINDS,
    TIME,
    FileKind,
    kind_of_columns,
    no_column,
)
from syncing.reader.container import open_container
from syncing.reader.contents import FramesFile, MovementTable, RowsFile
from syncing.reader.csv_table import TextFoundError, read_csv
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits
from syncing.reader.metadata_rows import rows_of
from syncing.reader.movements import movements_of
from syncing.reader.parquet_table import read_parquet
from syncing.reader.table import Table


def read_export(
    file: BinaryIO,
    *,
    data_type_hint: str | None = None,
    known_movement_id: str | None = None,
    limits: ReadLimits | None = None,
) -> FramesFile[MovementTable] | RowsFile:
    """Return what an export file holds; its columns tell what kind it is.

    Parameters
    ----------
    data_type_hint
        The kind that was asked for: a file that clearly is of another kind is
        refused.
    known_movement_id
        The movement that was asked for: rows of others are left out, and a file
        without ids is taken to be that movement.
    limits
        How large the file may be; the defaults when not given.

    Raises
    ------
    ExportFileError
        The file cannot be used; the error says why and what to do.
    """
    table = _read_table(file, limits or ReadLimits())
    kind = _checked_kind(table, data_type_hint)
    if kind in FRAME_KINDS or TIME in table.numbers:
        return movements_of(table, kind, known_movement_id)
    if kind in ROW_KINDS:
        return rows_of(table, kind, known_movement_id)
    raise no_column(TIME)


def _checked_kind(table: Table, hint: str | None) -> FileKind:
    """Return the kind of the file; one that is not of the kind asked for is refused."""
    found = kind_of_columns(table.names)
    if hint is None:
        return found
    wanted = FileKind(hint)
    if found is FileKind.UNKNOWN:
        return wanted
    if found is not wanted:
        raise ExportFileError(
            "wrong_data_type",
            f"The file holds {found} by its columns; {wanted} was requested.",
        )
    return found


def _read_table(file: BinaryIO, limits: ReadLimits) -> Table:
    """Return a whole file as a table; ExportFileError when any of it is wrong."""
    texts: frozenset[str] = frozenset()
    while True:
        source = open_container(file, limits)
        try:
            if source.format == "csv":
                return read_csv(source, limits, texts)
            return read_parquet(source, limits)
        except TextFoundError as found:
            # Each turn names at least one new column, so this ends.
            texts |= found.names
        finally:
            if source.parquet is not None and source.parquet is not file:
                source.parquet.close()
