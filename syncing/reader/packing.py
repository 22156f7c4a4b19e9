"""Export files as packed movements: the part of reading that costs the processor.

Knows neither Django nor the database, so that a process of its own can do it.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from athletes.frames.packing import PackedMovement, pack
from syncing.reader.contents import FramesFile, MovementTable, RowsFile
from syncing.reader.export import read_export
from syncing.reader.limits import ReadLimits

PackedFile = FramesFile[PackedMovement]
"""An export file of frames whose movements are packed as they are stored."""


def read_and_pack(
    file: BinaryIO,
    *,
    data_type: str | None,
    known_movement_id: str | None,
    limits: ReadLimits,
) -> PackedFile | RowsFile:
    """Return what an export file holds, its frames packed.

    Parameters
    ----------
    data_type
        The kind of data that was asked for, None when any will do.
    known_movement_id
        The movement that was asked for, None for a whole session.

    Raises
    ------
    ExportFileError
        The file cannot be used.
    """
    result = read_export(
        file,
        data_type_hint=data_type,
        known_movement_id=known_movement_id,
        limits=limits,
    )
    if isinstance(result, RowsFile):
        return result
    movements = tuple(
        PackedMovement(
            org_movement_id=table.org_movement_id or "",
            frames=pack(_all_columns(table), originals=result.originals),
            repairs=table.repairs,
        )
        for table in result.movements
    )
    return PackedFile(
        kind=result.kind,
        movements=movements,
        failures=result.failures,
        repairs=result.repairs,
        originals=result.originals,
        row_count=result.row_count,
        column_kinds=result.column_kinds,
    )


def _all_columns(table: MovementTable) -> dict[str, Any]:
    """Return numbers and texts of a movement as columns, one value a frame."""
    columns: dict[str, Any] = {**table.columns, **table.text_columns}
    for key, text in table.text.items():
        same = np.empty(table.frame_count, dtype=object)
        same.fill(text)  # one text that all rows share, where `np.full` makes as many
        columns[key] = same
    return columns
