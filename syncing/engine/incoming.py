"""From export files to stored rows: the one way for the sync and for uploads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings

from athletes.frames.packing import PackedMovement
from athletes.frames.store import (
    StoreCounts,
    store_frames,
    store_movement_metadata,
    store_vendor_metrics,
)
from athletes.models import Movement
from syncing.choices import ExportType
from syncing.ids import is_number, one_spelling
from syncing.reader.columns import MOVEMENT_ID, no_column
from syncing.reader.contents import MovementFailure, RowsFile
from syncing.reader.limits import ReadLimits
from syncing.reader.packing import PackedFile

_NAMES = ("org_movement_id", "name_at_vendor")


class NeedsEachMovementError(Exception):
    """The file names no movements: they have to be asked for one by one."""


def read_limits() -> ReadLimits:
    """Return how large an export file may be, by the settings."""
    return ReadLimits(
        max_file_bytes=settings.EXPORT_MAX_BYTES,
        max_rows=settings.EXPORT_MAX_ROWS,
        max_columns=settings.EXPORT_MAX_COLUMNS,
    )


class IncomingFiles:
    """What the export files of one session and data type hold, gathered for storing.

    ``rows`` are of files with one for each movement, by its vendor's id. ``failures``
    are movements that cannot be used; ``repairs`` were made to files as a whole;
    ``row_count`` counts the rows of all files.
    """

    def __init__(self) -> None:
        self.movements: list[PackedMovement] = []
        self.rows: dict[str, dict[str, Any]] = {}
        self.failures: list[MovementFailure] = []
        self.repairs: list[str] = []
        self.row_count = 0
        #: Kinds of the columns of all files, as `Table.column_kinds` tells them.
        self.column_kinds: dict[str, str] = {}
        self._seen: set[str] = set()

    @property
    def movement_count(self) -> int:
        """Return how many movements the files hold, of those that can be used."""
        return len(self.movements) or len(self.rows)

    def add(
        self, result: PackedFile | RowsFile, known: Callable[[], list[str]]
    ) -> None:
        """Add what one file holds.

        Parameters
        ----------
        known
            Returns the vendor's ids of the session's movements. It is called only
            for a file that does not name its own.

        Raises
        ------
        NeedsEachMovementError
            The file names no movement, and there is not just the one.
        ExportFileError
            Nobody can say of which movements the rows are.
        """
        self.repairs += result.repairs
        for name, kind in result.column_kinds.items():
            self.column_kinds[name] = kind or self.column_kinds.get(name, "")
        if isinstance(result, RowsFile):
            self.row_count += len(result.rows)
            rows = {row.org_movement_id: row.as_json() for row in result.rows}
            if result.named_by != MOVEMENT_ID:
                # The vendor's inner id is of use where it is the other one too.
                rows = {name: rows[name] for name in known() if name in rows}
                if not rows:
                    raise no_column(MOVEMENT_ID)
            self.rows |= rows
            return
        self.row_count += result.row_count
        self.failures += result.failures
        for movement in result.movements:
            if not movement.org_movement_id:
                # One movement is known and one came: it can be no other.
                names = known() if len(result.movements) == 1 else []
                if len(names) != 1:
                    raise NeedsEachMovementError
                movement = replace(movement, org_movement_id=names[0])
            self._add_movement(movement)

    def _add_movement(self, movement: PackedMovement) -> None:
        """Add one movement, or a failure when an earlier file holds it too."""
        if movement.org_movement_id in self._seen:
            self.failures.append(
                MovementFailure(
                    movement.org_movement_id,
                    "two_swings_one_id",
                    "Two files contain the same movement. Ask Reboot Motion for the "
                    "export "
                    "again.",
                )
            )
            return
        self._seen.add(movement.org_movement_id)
        self.movements.append(movement)


def use_stored_ids(incoming: IncomingFiles, session_pk: int) -> None:
    """Call movements as they are stored, where a file spells their ids otherwise.

    Only ids that are numbers have more than one spelling (`syncing.ids`).
    """
    names = [*incoming.rows, *(one.org_movement_id for one in incoming.movements)]
    if not any(is_number(name) for name in names):
        return
    stored = Movement.objects.of_part(session_pk).order_by()
    spelled = one_spelling(names, [each.vendor_name for each in stored.only(*_NAMES)])
    incoming.rows = {spelled[name]: row for name, row in incoming.rows.items()}
    incoming.movements = [
        replace(one, org_movement_id=spelled[one.org_movement_id])
        for one in incoming.movements
    ]


def store_incoming(
    incoming: IncomingFiles, *, session_pk: int, data_type: str, is_whole_session: bool
) -> StoreCounts:
    """Store what the files of one data type say of a session: all of it, or none.

    A caller that has more to write opens the transaction around this call and writes
    it afterward: the rows of the session are locked from here to the end of it.
    """
    use_stored_ids(incoming, session_pk)
    if data_type == ExportType.METADATA:
        return store_movement_metadata(
            session_pk=session_pk,
            rows=incoming.rows,
            is_whole_session=is_whole_session,
        )
    if data_type == ExportType.HITTING_METRICS:
        return store_vendor_metrics(session_pk=session_pk, rows=incoming.rows)
    return store_frames(
        session_pk=session_pk,
        data_type=data_type,
        movements=incoming.movements,
        is_whole_session=is_whole_session,
    )
