"""What was read from an export file: frames of movements, or one row a movement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from syncing.reader.columns import MOVEMENT_ID, FileKind
from syncing.reader.table import FloatArray

Frames = TypeVar("Frames")
ObjectArray = npt.NDArray[np.object_]


@dataclass(frozen=True)
class MovementTable:
    """All frames of one movement, sorted by time, none twice.

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
class FramesFile(Generic[Frames]):
    """An export file of frames, its movements as tables or packed for storing.

    ``movements`` are in the order in which they first appear in the file;
    ``failures`` are those that cannot be used. ``repairs`` were made to the file as a
    whole. ``originals`` gives for each canonical column the name as the file spells it.
    """

    kind: FileKind
    movements: tuple[Frames, ...]
    failures: tuple[MovementFailure, ...]
    repairs: tuple[str, ...]
    originals: Mapping[str, str]
    row_count: int
    #: "number", "text" or "" (nothing in it) of each column, by its canonical name.
    column_kinds: Mapping[str, str]


@dataclass(frozen=True)
class MovementRow:
    """One row of a metadata or metrics file: one movement."""

    org_movement_id: str
    numbers: Mapping[str, float | None]
    text: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return everything that the row says, fit for a JSON column."""
        return {**self.numbers, **self.text}


@dataclass(frozen=True)
class RowsFile:
    """An export file with one row for each movement: metadata or metrics.

    ``named_by`` is the column that names the movement of a row.
    """

    kind: FileKind
    rows: tuple[MovementRow, ...]
    repairs: tuple[str, ...]
    originals: Mapping[str, str]
    column_kinds: Mapping[str, str]
    named_by: str = MOVEMENT_ID
