"""One row a swing with its numbers, as CSV or Parquet in pieces, with flat memory.

The rows of a stream come from one statement, so they are of one moment.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connections, transaction
from django.db.models import BinaryField, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from athletes.api.frames import cell
from athletes.feed.moments import placed_at
from athletes.models import FeedKind, Movement, counting
from athletes.querysets import MovementQuerySet
from biomechanics.definitions import METRICS

#: Swings whose numbers are in memory at once as they are stored.
_AT_ONCE = 500
#: Swings of a row group.
_ROW_GROUP = 8_000
#: Bytes of JSON that are read at once.
_BLOCK = 2**21
_DIGITS = 6

_TIME = pa.timestamp("us", tz="UTC")
#: What each row says beside its numbers.
HEAD = pa.schema(
    [
        ("swing_id", pa.int64()),
        ("player_id", pa.int64()),
        ("org_player_id", pa.string()),
        ("session", pa.int64()),
        ("session_id", pa.string()),
        ("org_movement_id", pa.string()),
        ("position", pa.int32()),
        ("session_date", pa.date32()),
        ("side", pa.string()),
        ("setup", pa.string()),
        ("counted", pa.bool_()),
        ("counted_reason", pa.string()),
        ("quality", pa.string()),
        ("reference_rule", pa.string()),
        ("foot_down_rule", pa.string()),
        ("method_version", pa.string()),
        ("updated_at", _TIME),
        ("gone_at", _TIME),
        ("gone_because", pa.string()),
    ]
)
_FIELDS = (
    *("pk", "session__player_id", "session__player__org_player_id", "session_id"),
    *("session__session_id", "org_movement_id", "position"),
    *("session__session_date", "side", "session__condition", "missing_since"),
    "condition",
    *("inclusion", "is_swing", "quality_grade", "method_version"),
    *("moved_at", "events_text", "metrics_text"),
)


@dataclass(frozen=True)
class Table:
    """What is sent: the swings, their metrics, and rows of what went away.

    `gone` yields `id`, `gone_at` and `gone_because` of each.
    """

    movements: MovementQuerySet
    names: Sequence[str]
    gone: Iterator[Mapping[str, Any]]
    #: Stands in the file: where to go on.
    facts: Mapping[str, str]

    @property
    def schema(self) -> pa.Schema:
        """The columns: always the same for the same metrics."""
        fields = list(HEAD)
        for name in self.names:
            unit = METRICS[name].unit
            facts = {} if unit == "text" else {"unit": unit}
            kind = pa.string() if unit == "text" else pa.float64()
            fields += [
                pa.field(name, kind, metadata=facts),
                pa.field(f"{name}__uncertainty", pa.float64(), metadata=facts),
                pa.field(f"{name}__confidence", pa.string()),
            ]
        return pa.schema(fields, metadata=dict(self.facts))


def parquet_pieces(table: Table) -> Iterator[bytes]:
    """Yield the table as a Parquet file, a row group at a time."""
    from pyarrow import parquet

    sink = io.BytesIO()
    schema = table.schema
    waiting: list[pa.RecordBatch] = []
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in _batches(table, schema):
            waiting.append(batch)
            if sum(one.num_rows for one in waiting) >= _ROW_GROUP:
                writer.write_table(pa.Table.from_batches(waiting, schema))
                waiting.clear()
                yield _taken(sink)
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting, schema))
    yield _taken(sink)


def csv_pieces(table: Table) -> Iterator[bytes]:
    """Yield the table as CSV (RFC 4180) with a header; missing values are empty."""
    from pyarrow import csv

    schema = table.schema
    # A table without rows still has a header.
    yield _csv(csv, pa.Table.from_batches([], schema), header=True)
    for batch in _batches(table, schema):
        yield _csv(csv, pa.Table.from_batches([batch], schema), header=False)


def _csv(csv: Any, table: pa.Table, *, header: bool) -> bytes:
    arrays = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_timestamp(field.type):
            texts = [t.isoformat() if t else None for t in column.to_pylist()]
            arrays.append(pa.array(texts, pa.string()))
        elif pa.types.is_string(field.type):
            texts = [None if t is None else cell(t) for t in column.to_pylist()]
            arrays.append(pa.array(texts, pa.string()))
        else:
            arrays.append(column)
    sink = io.BytesIO()
    options = csv.WriteOptions(include_header=header, quoting_style="needed")
    csv.write_csv(pa.Table.from_arrays(arrays, names=table.schema.names), sink, options)
    return sink.getvalue()


def _taken(sink: io.BytesIO) -> bytes:
    """All that was written since the last time; the writer keeps its own place."""
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return data


def _batches(table: Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for rows in _in_parts(_rows(table.movements), _AT_ONCE):
        yield _batch(rows, table.names, schema)
    for gone in _in_parts(table.gone, _AT_ONCE):
        columns: dict[str, list[Any]] = {
            "swing_id": [row["id"] for row in gone],
            "gone_at": [row["gone_at"] for row in gone],
            "gone_because": [row["gone_because"] for row in gone],
        }
        yield pa.RecordBatch.from_arrays(
            [
                pa.array(columns[field.name], field.type)
                if field.name in columns
                else pa.nulls(len(gone), field.type)
                for field in schema
            ],
            schema=schema,
        )


def _in_parts(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    part = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def _rows(movements: MovementQuerySet) -> Iterator[tuple[Any, ...]]:
    """Read the swings by one statement, a few at a time."""
    connection = connections[movements.db]
    unread = BinaryField() if connection.vendor == "sqlite" else TextField()
    query: QuerySet[Movement, Any] = (
        movements.annotate(
            moved_at=placed_at(FeedKind.MOVEMENT),
            # Unread: Django's own way through JSON takes three times as long.
            events_text=Cast("events", unread),
            metrics_text=Cast("metrics", unread),
        )
        # By the session's own key: SQLite then takes the indexes' order. Sorted by
        # the movement's, all numbers would first lie in a temporary file.
        .order_by(RawSQL('"sessions"."id"', ()), "position")
        .values_list(*_FIELDS)
    )
    # PostgreSQL reads piecemeal inside a transaction alone; on SQLite one would keep
    # everybody from writing, and an open statement sees one state anyway.
    is_needed = connection.vendor == "postgresql"
    with transaction.atomic() if is_needed else contextlib.nullcontext():
        yield from query.iterator(chunk_size=_AT_ONCE)


def _batch(
    rows: Sequence[tuple[Any, ...]], names: Sequence[str], schema: pa.Schema
) -> pa.RecordBatch:
    fields = {name: schema.field(name).type for name in names}
    found = _read(
        [row[-1] for row in rows],
        {name: _entry(kind) for name, kind in fields.items()},
    )
    # All numbers at once: a call for each metric costs as much as its numbers.
    numeric = [name for name, kind in fields.items() if kind == pa.float64()]
    parts = [found[name] for name in numeric]
    columns = {}
    if parts:
        joined = (pa.concat_arrays(same) for same in zip(*parts, strict=True))
        together = _columns(*joined)
        for place, name in enumerate(numeric):
            start = place * len(rows)
            columns[name] = [part.slice(start, len(rows)) for part in together]
    arrays = _head(rows)
    for name in names:
        arrays += columns.get(name) or _columns(*found[name])
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _columns(
    values: pa.Array, uncertainties: pa.Array, flagged: pa.Array
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """What is sent of metrics: value, uncertainty, and confidence where it is there."""
    confidence = pc.if_else(pc.fill_null(flagged, False), "low", "good")
    unknown = pa.scalar(None, pa.string())
    return (
        _numbers(values),
        _numbers(uncertainties),
        pc.if_else(pc.is_null(values), unknown, confidence),
    )


def _read(
    texts: Sequence[Any], shape: Mapping[str, pa.DataType]
) -> Mapping[str, Sequence[pa.Array]]:
    """Read objects in JSON, one text a swing: by name the fields that `shape` has.

    Arrow reads what is asked for, in half the time of Python's way through objects.
    """
    from pyarrow import json

    is_text = isinstance(texts[0], str)
    lines = "\n".join(texts).encode() if is_text else b"\n".join(texts)
    # In pieces, for all processors; none may be smaller than a line.
    block = max(_BLOCK, 5 * max(map(len, texts)))
    table = json.read_json(
        pa.BufferReader(lines),
        json.ReadOptions(block_size=block),
        json.ParseOptions(
            pa.schema(list(shape.items())), unexpected_field_behavior="ignore"
        ),
    )
    return {name: table[name].combine_chunks().flatten() for name in shape}


def _entry(value: pa.DataType) -> pa.DataType:
    """What is read of one metric."""
    return pa.struct(
        [("value", value), ("uncertainty", pa.float64()), ("flagged", pa.bool_())]
    )


def _head(rows: Sequence[tuple[Any, ...]]) -> list[pa.Array]:
    lines = []
    rules = _rules([row[-2] for row in rows])
    for row, reference, foot_down in zip(rows, *rules, strict=True):
        given = dict(zip(_FIELDS, row, strict=True))
        counted, reason = counting(
            missing_since=given["missing_since"],
            inclusion=given["inclusion"],
            is_swing=given["is_swing"],
            quality_grade=given["quality_grade"],
        )
        version = given["method_version"]
        gone = given["missing_since"]
        lines.append(
            (
                given["pk"],
                given["session__player_id"],
                given["session__player__org_player_id"],
                given["session_id"],
                given["session__session_id"],
                given["org_movement_id"],
                given["position"],
                given["session__session_date"],
                given["side"],
                (
                    given["session__condition"]
                    if given["condition"] is None
                    else given["condition"]
                )
                or None,
                counted,
                None if reason is None else str(reason),
                given["quality_grade"],
                reference,
                foot_down,
                # With a letter: as a number 2026.10 would be 2026.1.
                f"v{version}" if version else None,
                given["moved_at"],
                gone,
                "missing_at_vendor" if gone else None,
            )
        )
    columns = zip(*lines, strict=True)
    return [
        pa.array(list(values), field.type)
        for field, values in zip(HEAD, columns, strict=True)
    ]


def _rules(texts: Sequence[Any]) -> list[list[str | None]]:
    """The rules of the two events that most numbers hang on, one for each swing."""
    event = pa.struct([("rule", pa.string()), ("time_s", pa.float64())])
    found = _read(texts, {"reference": event, "foot_down": event})
    unknown = pa.scalar(None, pa.string())
    return [
        pc.if_else(pc.is_valid(time_s), rule, unknown).to_pylist()
        for rule, time_s in found.values()
    ]


def _numbers(values: pa.Array) -> pa.Array:
    """The values with six significant digits, as all numbers that are sent."""
    if values.type != pa.float64() or values.null_count == len(values):
        return values
    numbers = values.to_numpy(zero_copy_only=False)
    missing = np.isnan(numbers)
    size = np.abs(np.where(missing | (numbers == 0), 1.0, numbers))
    places = _DIGITS - 1 - np.floor(np.log10(size))
    # Both ways a whole number is divided or multiplied by a power of ten, which is
    # exact, so that the result has the shortest text.
    scale = 10.0 ** np.abs(places)
    rounded = np.where(
        places >= 0,
        np.rint(numbers * scale) / scale,
        np.rint(numbers / scale) * scale,
    )
    return pa.array(rounded, mask=missing)
