"""The frames of a session's movements as one file, a row group for each movement."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from django.db.models import F, QuerySet
from django.db.models.functions import Substr

from athletes.api.frames import cell
from athletes.frames.format import (
    CLOCK,
    FLOAT32,
    FLOAT64,
    TEXT,
    Array,
    StoredColumn,
    match_key,
)
from athletes.frames.load import load_columns
from athletes.frames.unpacking import stored_columns, unpack
from athletes.models import BiomechanicsData, DataType, MovementCurves
from athletes.querysets import MovementQuerySet
from biomechanics.angle_columns import ANGLE_COLUMNS

#: Raised when the same frames would make another file.
_FORM = 1
_ARROW = {FLOAT32: pa.float32(), FLOAT64: pa.float64(), TEXT: pa.string()}
_SECONDS = {"unit": "s"}
KEYS = pa.schema(
    [
        ("swing_id", pa.int64()),
        ("org_movement_id", pa.string()),
        ("position", pa.int32()),
        ("frame", pa.int32()),
        pa.field("time_s", pa.float64(), metadata=_SECONDS),
    ]
)
#: Names that the vendor's columns cannot have here.
_TAKEN = frozenset({*KEYS.names, "movement_id"})


class SessionData(StrEnum):
    """The kinds of session data: Reboot Motion's frames, and curves computed here."""

    INVERSE_KINEMATICS = DataType.INVERSE_KINEMATICS.value
    MOMENTUM_ENERGY = DataType.MOMENTUM_ENERGY.value
    CURVES = "curves"


class ChangedMeanwhileError(Exception):
    """Raised when frames were stored, or went, while their file was written."""


class UnknownColumnsError(ValueError):
    """Raised with the names that no movement of the session has."""


@dataclass(frozen=True)
class _Part:
    """One movement of the file, without its frames."""

    pk: int
    name: str
    position: int
    angle_unit: str | None
    version: str
    columns: Sequence[StoredColumn]


@dataclass(frozen=True)
class SessionFrames:
    """What the file will hold: its movements and columns."""

    data_type: SessionData
    parts: Sequence[_Part]
    #: The columns of the file beside the keys: key of the stored one, and the field.
    fields: Mapping[str, pa.Field]

    @property
    def digest(self) -> str:
        """Equal for equal files, and for no others."""
        said = [str(_FORM), pa.__version__, self.data_type]
        said += [
            f"{part.pk} {part.name!r} {part.position} {part.version}"
            for part in self.parts
        ]
        said += [
            f"{key} {field} {field.metadata}" for key, field in self.fields.items()
        ]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]

    @property
    def schema(self) -> pa.Schema:
        """The columns with their units, as far as they are known."""
        return pa.schema([*KEYS, *self.fields.values()])

    def write(self, path: Path, *, is_csv: bool, again: Callable[[], str]) -> None:
        """Write the file, and see that it holds what its digest says.

        Movements are loaded one after the other, and a sync does not wait meanwhile.

        Parameters
        ----------
        again
            Gives the digest of what is stored now.

        Raises
        ------
        ChangedMeanwhileError
            When that is another one by the end.
        """
        (self.write_csv if is_csv else self.write_parquet)(path)
        if again() != self.digest:
            raise ChangedMeanwhileError

    def write_parquet(self, path: Path) -> None:
        """Write the file as Parquet.

        Without compression and statistics: a reader of two columns has to fetch the
        directory of all of them too, which would else be the larger part.
        """
        from pyarrow import parquet

        with parquet.ParquetWriter(
            path,
            self.schema,
            compression="none",
            use_dictionary=list(KEYS.names[:3]),
            write_statistics=False,
        ) as writer:
            for table in self._tables():
                writer.write_table(table, row_group_size=max(1, table.num_rows))

    def write_csv(self, path: Path) -> None:
        """Write the file as CSV (RFC 4180); missing values are empty."""
        from pyarrow import csv

        options = csv.WriteOptions(include_header=False, quoting_style="needed")
        with path.open("wb") as file:
            empty = pa.Table.from_batches([], self.schema)
            names = [cell(name) for name in self.schema.names]
            csv.write_csv(
                empty.rename_columns(names),
                file,
                csv.WriteOptions(include_header=True, quoting_style="needed"),
            )
            for table in self._tables():
                csv.write_csv(_guarded(table), file, options)

    def _tables(self) -> Iterator[pa.Table]:
        """Yield one table for each movement, loaded one after the other."""
        schema = self.schema
        for part in self.parts:
            columns = _load(self.data_type, part.pk)
            found = {match_key(name): values for name, values in columns.items()}
            frames = len(next(iter(found.values()))) if found else 0
            clock = found.get(match_key(CLOCK))
            arrays = [
                pa.array([part.pk] * frames, pa.int64()),
                pa.array([part.name] * frames, pa.string()),
                pa.array([part.position] * frames, pa.int32()),
                pa.array(np.arange(frames), pa.int32()),
                _array(clock, pa.float64(), frames),
                *(
                    _array(found.get(key), field.type, frames)
                    for key, field in self.fields.items()
                ),
            ]
            yield pa.Table.from_arrays(arrays, schema=schema)


def _array(values: Array | None, kind: pa.DataType, frames: int) -> pa.Array:
    if values is None:
        return pa.nulls(frames, kind)
    if kind == pa.string():
        texts = [None if item is None else str(item) for item in values.tolist()]
        return pa.array(texts, kind)
    if values.dtype.kind not in "fiub":
        return pa.nulls(frames, kind)
    missing = ~np.isfinite(values) if values.dtype.kind == "f" else None
    return pa.array(values, mask=missing).cast(kind)


def _guarded(table: pa.Table) -> pa.Table:
    """The table with texts that no spreadsheet program takes for formulas."""
    arrays = [
        pa.array([None if t is None else cell(t) for t in column.to_pylist()])
        if pa.types.is_string(column.type)
        else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(arrays, names=table.schema.names)


def _load(data_type: SessionData, movement_pk: int) -> Mapping[str, Array]:
    if data_type != SessionData.CURVES:
        return load_columns([movement_pk], data_type.value).get(movement_pk, {})
    data = MovementCurves.objects.filter(movement=movement_pk).values_list("data")
    row = data.first()
    return unpack(bytes(row[0])) if row else {}


def session_frames(
    movements: MovementQuerySet, data_type: SessionData, wanted: Sequence[str]
) -> SessionFrames:
    """What a file of these movements' frames holds; one query.

    Parameters
    ----------
    wanted
        Columns beside the keys, in any spelling; all when empty.

    Raises
    ------
    UnknownColumnsError
        When no movement has a wanted column.
    """
    rows: QuerySet[Any]
    version: tuple[str, ...]
    if data_type == SessionData.CURVES:
        rows = MovementCurves.objects.filter(movement__in=movements)
        field, version = "data", ("method_version", "updated_at")
    else:
        rows = BiomechanicsData.objects.filter(
            movement__in=movements, data_type=data_type.value
        )
        field, version = "frames", ("content_sha256",)
    header = Substr(field, 1, F("header_size"))  # type: ignore[arg-type]
    found = (
        rows.annotate(header=header)
        .order_by("movement__position", "movement_id")
        .values_list(
            *("movement_id", "movement__org_movement_id", "movement__position"),
            *("movement__angle_unit_found", "header", *version),
        )
    )
    parts = [
        _Part(pk, name, position, unit, repr(said), stored_columns(bytes(header)))
        for pk, name, position, unit, header, *said in found
    ]
    return SessionFrames(data_type, parts, _chosen(_fields(parts, data_type), wanted))


def units_of(movements: MovementQuerySet, data_type: str) -> dict[str, str]:
    """The units of columns, by key, as far as they are known."""
    fields = session_frames(movements, SessionData(data_type), ()).fields
    return {
        key: field.metadata[b"unit"].decode()
        for key, field in fields.items()
        if field.metadata
    }


def _chosen(fields: dict[str, pa.Field], wanted: Sequence[str]) -> dict[str, pa.Field]:
    if not wanted:
        return fields
    by_name = {field.name: key for key, field in fields.items()}
    keys = {name: by_name.get(name, match_key(name)) for name in wanted}
    missing = [
        name
        for name, key in keys.items()
        if key not in fields and name not in KEYS.names
    ]
    if missing:
        raise UnknownColumnsError(", ".join(missing[:10]))
    return {key: fields[key] for key in dict.fromkeys(keys.values()) if key in fields}


def _fields(parts: Sequence[_Part], data_type: SessionData) -> dict[str, pa.Field]:
    """The columns of all movements together, in the order of the files."""
    kinds: dict[str, str] = {}
    names: dict[str, str] = {}
    units: dict[str, set[str | None]] = {}
    for part in parts:
        for column in part.columns:
            key = column.key
            names.setdefault(key, _free(column, set(names.values())))
            kind = kinds.setdefault(key, column.kind)
            if kind != column.kind:
                # The wider of the two holds both.
                kinds[key] = TEXT if TEXT in {kind, column.kind} else FLOAT64
            units.setdefault(key, set()).add(_unit(column, part, data_type))
    return {
        key: pa.field(name, _ARROW[kinds[key]], metadata=_facts(units[key]))
        for key, name in names.items()
    }


def _free(column: StoredColumn, taken: set[str]) -> str:
    """The name as the file spelled it, unless that is taken."""
    name = column.original
    if name in _TAKEN:
        name = f"vendor_{name}"
    while name in taken:
        name += "_"
    return name


def _unit(column: StoredColumn, part: _Part, data_type: SessionData) -> str | None:
    """The unit: what the file said, or what was found in the movement."""
    if column.unit:
        return column.unit
    if column.name == CLOCK:
        return "s"
    is_angle = data_type == SessionData.INVERSE_KINEMATICS and (
        column.name in ANGLE_COLUMNS
    )
    return part.angle_unit if is_angle and part.angle_unit in {"deg", "rad"} else None


def _facts(units: set[str | None]) -> dict[str, str]:
    """The metadata of a column: its unit, where all movements agree on one."""
    unit = next(iter(units)) if len(units) == 1 else None
    return {"unit": unit} if unit else {}
