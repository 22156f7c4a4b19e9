"""Computed curves of movements in the database, beside their frames.

The frames are the truth and the curves follow from them, so a row may be thrown
away at any time; `method_version` says whether it is of today.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import F, QuerySet
from django.db.models.functions import Substr
from django.utils import timezone

from athletes.frames.format import CLOCK, FramesError, PackedFrames
from athletes.frames.unpacking import stored_columns, unpack
from athletes.kept_questions import kept_question
from athletes.models import MovementCurves
from biomechanics.definitions import METHOD_VERSION

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Curves of one movement, by name, on one uniform clock.

    ``time_s`` is the clock of the file in seconds; values are in the unit of the curve.
    """

    time_s: FloatArray
    values: Mapping[str, FloatArray]

    @property
    def step_s(self) -> float:
        """Return the seconds between two samples; 0 with fewer than two samples."""
        return float(self.time_s[1] - self.time_s[0]) if len(self.time_s) > 1 else 0.0


def store_packed(curves: Mapping[int, PackedFrames]) -> None:
    """Store packed curves by movement id, in one statement."""
    now = timezone.now()
    MovementCurves.objects.bulk_create(
        [
            MovementCurves(
                movement_id=movement_id,
                data=packed.data,
                header_size=packed.header_size,
                method_version=METHOD_VERSION,
                updated_at=now,
            )
            for movement_id, packed in curves.items()
        ],
        update_conflicts=True,
        unique_fields=["movement"],
        update_fields=["data", "header_size", "method_version", "updated_at"],
    )


def forget_curves(movement_ids: Iterable[int]) -> None:
    """Delete the stored curves of movements that have none any more."""
    ids = list(movement_ids)
    if ids:
        MovementCurves.objects.filter(movement_id__in=ids).delete()


@kept_question
def _stored(*movement_ids: int) -> QuerySet[MovementCurves, tuple[int, Any]]:
    rows = MovementCurves.objects.filter(movement_id__in=movement_ids)
    return rows.order_by().values_list("movement_id", "data")


@kept_question
def _headers(*movement_ids: int) -> QuerySet[MovementCurves, Any]:
    """The head of each of the stored curves."""
    header = Substr("data", 1, F("header_size"))  # type: ignore[arg-type]
    rows = MovementCurves.objects.filter(movement_id__in=movement_ids).order_by()
    # Annotated text to the type checker, bytes in both databases.
    return rows.annotate(header=header).values_list("header", flat=True)


def load_curves(
    movement_ids: Iterable[int], names: Sequence[str] | None = None
) -> dict[int, Curves]:
    """Return stored curves by movement id; what is not stored is absent.

    With `names` only those curves. A damaged row is left out and logged.
    """
    rows = _stored(*movement_ids)
    wanted = None if names is None else [CLOCK, *names]
    found = {}
    for movement_id, data in rows:
        try:
            found[movement_id] = curves_from(unpack(bytes(data), wanted))
        except FramesError as error:
            # One damaged row must not take the others off the page; computing the
            # movement again mends it.
            logger.warning(
                "The stored curves of movement %s cannot be read (%s); compute its "
                "session again (manage.py recompute_metrics).",
                movement_id,
                error,
            )
    return found


def stored_curve_names(movement_ids: Iterable[int]) -> set[str]:
    """The names of all curves that any of these movements has; no curve is read.

    One query, for the headers. A damaged one has no names.
    """
    names: set[str] = set()
    for found in _headers(*movement_ids):
        with suppress(FramesError):
            names.update(column.name for column in stored_columns(bytes(found)))
    return names - {CLOCK}


def curves_from(columns: Mapping[str, FloatArray]) -> Curves:
    """Return unpacked columns as curves; one of them is the clock."""
    values = {
        name: np.asarray(column, dtype=np.float64)
        for name, column in columns.items()
        if name != CLOCK
    }
    return Curves(time_s=np.asarray(columns[CLOCK], dtype=np.float64), values=values)
