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
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connections, transaction
from django.db.models import QuerySet, TextField
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
    query: QuerySet[Movement, Any] = (
        movements.annotate(
            moved_at=placed_at(FeedKind.MOVEMENT),
            # As text: Django's own way through JSON takes three times as long.
            events_text=Cast("events", TextField()),
            metrics_text=Cast("metrics", TextField()),
        )
        # By the session's own key: SQLite then takes the indexes' order. Sorted by
        # the movement's, all numbers would first lie in a temporary file.
        .order_by(RawSQL('"sessions"."id"', ()), "position")
        .values_list(*_FIELDS)
    )
    connection = connections[movements.db]
    # PostgreSQL reads piecemeal inside a transaction alone; on SQLite one would keep
    # everybody from writing, and an open statement sees one state anyway.
    is_needed = connection.vendor == "postgresql"
    with transaction.atomic() if is_needed else contextlib.nullcontext():
        yield from query.iterator(chunk_size=_AT_ONCE)


def _batch(
    rows: Sequence[tuple[Any, ...]], names: Sequence[str], schema: pa.Schema
) -> pa.RecordBatch:
    arrays = _head(rows)
    found = _read([row[-1] for row in rows], names, schema)
    for name in names:
        entry = found[name]
        values = pc.struct_field(entry, ["value"])
        flagged = pc.fill_null(pc.struct_field(entry, ["flagged"]), False)
        confidence = pc.if_else(flagged, "low", "good")
        unknown = pa.scalar(None, pa.string())
        arrays += [
            _numbers(values),
            _numbers(pc.struct_field(entry, ["uncertainty"])),
            pc.if_else(pc.is_null(values), unknown, confidence),
        ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _read(
    texts: Sequence[str], names: Sequence[str], schema: pa.Schema
) -> Mapping[str, pa.Array]:
    """The entry of each metric in JSON texts, one text a swing.

    Arrow reads what is asked for, in half the time of Python's way through objects.
    """
    from pyarrow import json

    lines = "\n".join(texts).encode()
    # In pieces, for all processors; none may be smaller than a line.
    block = max(_BLOCK, 5 * max(map(len, texts)))
    shape = pa.schema([(name, _entry(schema.field(name).type)) for name in names])
    table = json.read_json(
        pa.BufferReader(lines),
        json.ReadOptions(block_size=block),
        json.ParseOptions(shape, unexpected_field_behavior="ignore"),
    )
    return {name: table[name].combine_chunks() for name in names}


def _entry(value: pa.DataType) -> pa.DataType:
    """What is read of one metric."""
    return pa.struct(
        [("value", value), ("uncertainty", pa.float64()), ("flagged", pa.bool_())]
    )


def _head(rows: Sequence[tuple[Any, ...]]) -> list[pa.Array]:
    lines = []
    for row in rows:
        given = dict(zip(_FIELDS, row, strict=True))
        events = orjson.loads(given["events_text"])
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
                _rule(events, "reference"),
                _rule(events, "foot_down"),
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


def _rule(events: Mapping[str, Any], name: str) -> str | None:
    event = events.get(name)
    return event.get("rule") if event and event.get("time_s") is not None else None


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
