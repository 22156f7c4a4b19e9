"""What export files hold, gathered for storing; the same for the sync and by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from athletes.frames.store import IncomingMovement
from syncing.engine.unpacking import PackedResult, PackedTable, columns_of
from syncing.reader.contents import FramesFile, MovementTable, RowsFile
from syncing.reader.limits import ReadLimits


class NeedsEachMovementError(Exception):
    """The file names no movements: they have to be asked for one by one."""


def read_limits() -> ReadLimits:
    """How much a file may demand of us, by the settings."""
    return ReadLimits(
        max_file_bytes=settings.EXPORT_MAX_BYTES,
        max_rows=settings.EXPORT_MAX_ROWS,
        max_columns=settings.EXPORT_MAX_COLUMNS,
    )


class Incoming:
    """What the files of one kind hold, together."""

    def __init__(self) -> None:
        self.frames: list[IncomingMovement] = []
        self.metadata: dict[str, dict[str, Any]] = {}
        self.failures: list[tuple[str, str]] = []
        self.repairs: list[str] = []
        self.rows = 0
        self._seen: set[str] = set()

    @property
    def movements(self) -> int:
        return len(self.frames) or len(self.metadata)

    def take_rows(self, result: RowsFile) -> None:
        for row in result.rows:
            self.metadata[row.org_movement_id] = row.as_json()
        self.rows += len(result.rows)
        self.repairs += result.repairs

    def take_frames(
        self,
        result: FramesFile[MovementTable] | PackedResult,
        known: Callable[[], list[str]],
    ) -> None:
        """The frames of one file; `known` tells the movements that there are.

        It is asked only about a file that does not name its own.
        """
        self.rows += result.row_count
        self.repairs += result.repairs
        self.failures += [(item.code, item.message) for item in result.failures]
        for table in result.movements:
            name = table.org_movement_id
            if name is None:
                # One movement is known and one came: it can be no other.
                names = known() if len(result.movements) == 1 else []
                if len(names) != 1:
                    raise NeedsEachMovementError
                name = names[0]
            if name in self._seen:
                self.failures.append(
                    (
                        "two_swings_one_id",
                        "Two files hold the same movement. Ask the vendor for the "
                        "export again.",
                    )
                )
                continue
            self._seen.add(name)
            self.frames.append(_movement(name, table, result))


def _movement(
    name: str,
    table: MovementTable | PackedTable,
    result: FramesFile[MovementTable] | PackedResult,
) -> IncomingMovement:
    if isinstance(table, PackedTable):
        return IncomingMovement(
            org_movement_id=name, packed=table.packed, repairs=table.repairs
        )
    return IncomingMovement(
        org_movement_id=name,
        columns=columns_of(table),
        repairs=table.repairs,
        originals=result.originals if isinstance(result, FramesFile) else {},
    )
