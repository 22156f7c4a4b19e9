"""Frames and curves of an athlete's archive: one Parquet file for each kind."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db.models import F
from django.db.models.functions import Substr
from django.utils import timezone

from athletes.frames import load as frames_load
from athletes.frames.format import (
    FLOAT32,
    FLOAT64,
    TEXT,
    Array,
    StoredColumn,
    match_key,
)
from athletes.frames.unpacking import stored_columns, unpack
from athletes.models import (
    BiomechanicsData,
    DataType,
    Movement,
    MovementCurves,
    Session,
)

#: Movements whose frames are in memory at once.
_AT_ONCE = 4
_ARROW = {FLOAT32: pa.float32(), FLOAT64: pa.float64(), TEXT: pa.string()}
CURVES = "curves"
#: Columns that say which row is which; no export has columns of these names.
MARKS = ("archive_org_movement_id", "archive_position", "archive_frame")
#: Head of the index of all columns of all files.
INDEX_COLUMNS = (
    *("file", "session_id", "data_type", "column", "canonical_name"),
    *("unit", "type", "movements_with_it"),
)

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class _Frames:
    """Columns of several movements that become one Parquet file."""

    name: str
    headers: Mapping[int, tuple[StoredColumn, ...]]
    load: Callable[[Sequence[int]], Mapping[int, Mapping[str, Array]]]


@dataclass(slots=True)
class _Target:
    """One column of a Parquet file."""

    name: str
    canonical: str
    unit: str | None
    kind: str
    movements: int = 0


def write_frames(
    archive: zipfile.ZipFile, session: Session, movements: Sequence[Movement]
) -> list[Row]:
    """Write a Parquet file for each data type of a session, and one for its curves.

    Returns the rows of the index: a line for each column of each file, as
    `INDEX_COLUMNS` names them.
    """
    index: list[Row] = []
    ids = [movement.pk for movement in movements]
    for data_type in DataType.values:
        rows = BiomechanicsData.objects.filter(
            movement__session=session, data_type=data_type
        ).order_by()
        headers = rows.annotate(header=_header("frames"))
        index += _parquet(
            archive,
            session,
            movements,
            _Frames(
                data_type,
                _columns(headers.values_list("movement_id", "header")),
                partial(_load_frames, data_type),
            ),
        )
    curves = MovementCurves.objects.filter(movement__in=ids).order_by()
    headers_of_curves = curves.annotate(header=_header("data"))
    index += _parquet(
        archive,
        session,
        movements,
        _Frames(
            CURVES,
            _columns(headers_of_curves.values_list("movement_id", "header")),
            _load_curves,
        ),
    )
    return index


def _parquet(
    archive: zipfile.ZipFile,
    session: Session,
    movements: Sequence[Movement],
    frames: _Frames,
) -> list[Row]:
    """Write one file of a session, a row group for each movement; its index rows."""
    if not frames.headers:
        return []
    targets = _targets(frames.headers.values())
    name = f"frames/{folder_of(session)}/{frames.name}.parquet"
    schema = pa.schema(
        [
            pa.field(MARKS[0], pa.string()),
            pa.field(MARKS[1], pa.int32()),
            pa.field(MARKS[2], pa.int32()),
            *(pa.field(t.name, _ARROW[t.kind]) for t in targets.values()),
        ]
    )
    with_frames = [m for m in movements if m.pk in frames.headers]
    # Parquet is compressed in itself.
    entry = zipfile.ZipInfo(name, timezone.now().timetuple()[:6])
    entry.external_attr = 0o600 << 16
    with (
        archive.open(entry, "w", force_zip64=True) as raw,
        pq.ParquetWriter(raw, schema, compression="zstd") as writer,
    ):
        for start in range(0, len(with_frames), _AT_ONCE):
            part = with_frames[start : start + _AT_ONCE]
            loaded = frames.load([movement.pk for movement in part])
            for movement in part:
                if movement.pk in loaded:
                    writer.write_table(
                        _table(movement, loaded[movement.pk], targets, schema)
                    )
    return [
        [
            name,
            session.session_id,
            frames.name,
            target.name,
            target.canonical,
            target.unit,
            str(_ARROW[target.kind]),
            target.movements,
        ]
        for target in targets.values()
    ]


def folder_of(session: Session) -> str:
    """Return a session's folder: its date, our id, and a readable part."""
    day = session.session_date.isoformat() if session.session_date else "undated"
    readable = re.sub(r"[^0-9A-Za-z]+", "-", session.session_id)[:40].strip("-")
    return f"{day}_{session.pk}_{readable or 'session'}"


def _columns(rows: Iterable[tuple[int, Any]]) -> dict[int, tuple[StoredColumn, ...]]:
    return {pk: stored_columns(bytes(header)) for pk, header in rows}


def _header(field: str) -> Substr:
    """The first bytes of packed columns: their names, without the columns."""
    return Substr(field, 1, F("header_size"))  # type: ignore[arg-type]


def _load_frames(
    data_type: str, movement_ids: Sequence[int]
) -> dict[int, dict[str, Array]]:
    return frames_load.load_columns(movement_ids, data_type)


def _load_curves(movement_ids: Sequence[int]) -> dict[int, dict[str, Array]]:
    rows = MovementCurves.objects.filter(movement_id__in=movement_ids).order_by()
    return {
        movement_id: unpack(bytes(data))
        for movement_id, data in rows.values_list("movement_id", "data")
    }


def _targets(headers: Iterable[Sequence[StoredColumn]]) -> dict[str, _Target]:
    """Columns of all movements together, in the order of the files."""
    targets: dict[str, _Target] = {}
    names = set(MARKS)
    for columns in headers:
        for column in columns:
            target = targets.get(column.key)
            if target is None:
                # As the file spelled it, unless two columns were spelled alike.
                name = column.original
                if name in names:
                    name = column.name
                while name in names:
                    name += "_"
                names.add(name)
                target = _Target(name, column.name, column.unit, column.kind)
                targets[column.key] = target
            elif column.kind != target.kind:
                # The wider of the two holds both.
                both = {column.kind, target.kind}
                target.kind = TEXT if TEXT in both else FLOAT64
            target.movements += 1
    return targets


def _table(
    movement: Movement,
    columns: Mapping[str, Array],
    targets: Mapping[str, _Target],
    schema: pa.Schema,
) -> pa.Table:
    found = {match_key(name): values for name, values in columns.items()}
    frames = len(next(iter(found.values())))
    arrays = [
        pa.array([movement.org_movement_id] * frames, pa.string()),
        pa.array([movement.position] * frames, pa.int32()),
        pa.array(range(frames), pa.int32()),
    ]
    for key, target in targets.items():
        values = found.get(key)
        if values is None:
            arrays.append(pa.nulls(frames, _ARROW[target.kind]))
        elif target.kind == TEXT:
            texts = [None if item is None else str(item) for item in values.tolist()]
            arrays.append(pa.array(texts, pa.string()))
        else:
            arrays.append(pa.array(values).cast(_ARROW[target.kind]))
    return pa.Table.from_arrays(arrays, schema=schema)
