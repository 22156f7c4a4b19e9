"""Export files as packed frames: the part of reading that costs the processor.

Knows neither Django nor the database, so that a process of its own can do it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from athletes.frames.format import PackedFrames
from athletes.frames.packing import pack
from syncing.reader.contents import FramesFile, MovementFailure, MovementTable, RowsFile
from syncing.reader.export import read_export
from syncing.reader.limits import ReadLimits


@dataclass(frozen=True, slots=True)
class PackedTable:
    """The frames of one movement, ready to be stored."""

    org_movement_id: str | None
    packed: PackedFrames
    repairs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PackedResult:
    """A file of frames; see `syncing.reader.contents.FramesFile`."""

    movements: tuple[PackedTable, ...]
    failures: tuple[MovementFailure, ...]
    repairs: tuple[str, ...]
    row_count: int


def columns_of(table: MovementTable) -> dict[str, Any]:
    """Numbers and texts of a movement, as they are stored."""
    columns: dict[str, Any] = {**table.columns, **table.text_columns}
    for key, text in table.text.items():
        same = np.empty(table.frame_count, dtype=object)
        same.fill(text)  # one text that all rows share, where `np.full` makes as many
        columns[key] = same
    return columns


def read_and_pack(
    file: BinaryIO,
    *,
    data_type: str,
    known_movement_id: str | None,
    limits: ReadLimits,
) -> PackedResult | RowsFile:
    """Read one file and pack what it holds; ExportFileError as in `read_export`."""
    result = read_export(
        file,
        data_type_hint=data_type,
        known_movement_id=known_movement_id,
        limits=limits,
    )
    return result if isinstance(result, RowsFile) else _packed(result)


def _packed(result: FramesFile[MovementTable]) -> PackedResult:
    return PackedResult(
        movements=tuple(
            PackedTable(
                table.org_movement_id,
                pack(columns_of(table), originals=result.originals),
                table.repairs,
            )
            for table in result.movements
        ),
        failures=result.failures,
        repairs=result.repairs,
        row_count=result.row_count,
    )
