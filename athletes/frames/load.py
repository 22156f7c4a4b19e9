"""Frames of movements out of the database: only the columns that are asked for.

What the stored bytes are made of is told in `athletes.frames.format`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from athletes.frames.format import (
    PREFIX,
    Array,
    header_size_of,
)
from athletes.frames.unpacking import (
    FrameParts,
    Layout,
    read_header,
)
from athletes.models import BiomechanicsData


def load_columns(
    movement_ids: Sequence[int], data_type: str, columns: Sequence[str] | None = None
) -> dict[int, dict[str, Array]]:
    """Return chosen columns of movements, by movement id; all when none are named.

    Columns answer to any spelling (`match_key`) and come back under the name that
    was asked for. A column that the file did not have, or a movement without
    frames of this type, is absent. Two queries at most, however many movements.
    """
    loaded = load_parts(movement_ids, data_type, columns)
    return {pk: parts.columns(columns) for pk, parts in loaded.items()}


def load_parts(
    movement_ids: Sequence[int], data_type: str, columns: Sequence[str] | None = None
) -> dict[int, FrameParts]:
    """Return, still packed, what `load_columns` would decode, by movement id."""
    ids = list(dict.fromkeys(movement_ids))
    if not ids:
        return {}
    connection = connections[BiomechanicsData.objects.db]
    if connection.vendor == "postgresql":
        return _load_postgresql(connection, ids, data_type, columns)
    if connection.vendor == "sqlite":
        return _load_sqlite(connection, ids, data_type, columns)
    rows = BiomechanicsData.objects.filter(movement_id__in=ids, data_type=data_type)
    return {
        movement_id: _whole(bytes(frames))
        for movement_id, frames in rows.values_list("movement_id", "frames").order_by()
    }


def _whole(data: bytes) -> FrameParts:
    """Return whole packed frames as parts that hold every column."""
    return FrameParts(data[: header_size_of(data)], [(0, data)])


def _load_sqlite(
    connection: BaseDatabaseWrapper,
    ids: Sequence[int],
    data_type: str,
    columns: Sequence[str] | None,
) -> dict[int, FrameParts]:
    """Return parts from SQLite: a query for the rows, then reads of wanted pages."""
    rows = list(
        BiomechanicsData.objects.filter(movement_id__in=ids, data_type=data_type)
        .order_by()
        .values_list("movement_id", "pk")
    )
    answer = {}
    table, field = BiomechanicsData._meta.db_table, "frames"
    for movement_id, pk in rows:
        try:
            blob = connection.connection.blobopen(table, field, pk, readonly=True)
        except sqlite3.OperationalError as error:
            if "no such rowid" in str(error):  # gone since the query
                continue
            raise
        with blob:
            header = blob.read(PREFIX.size)
            header += blob.read(header_size_of(header) - len(header))
            layout = read_header(header)
            parts = []
            for start, stop in layout.ranges(columns):
                blob.seek(start)
                parts.append((start, blob.read(stop - start)))
            answer[movement_id] = FrameParts(header, parts, layout)
    return answer


def _load_postgresql(
    connection: BaseDatabaseWrapper,
    ids: Sequence[int],
    data_type: str,
    columns: Sequence[str] | None,
) -> dict[int, FrameParts]:
    """Return parts from PostgreSQL: a query for headers, one for their byte ranges.

    The hash ties the two together: frames that were replaced in between do not
    match, and are then read whole.
    """
    headers: dict[int, bytes] = {}
    layouts: dict[int, Layout] = {}
    movements: dict[int, int] = {}
    found = _binary_rows(connection, _HEADERS, [str(data_type), ids])
    hashes: dict[int, str] = {}
    for pk, movement_id, sha256, header in found:
        headers[pk], layouts[pk] = bytes(header), read_header(header)
        movements[pk], hashes[pk] = movement_id, sha256
    ranges = {pk: layout.ranges(columns) for pk, layout in layouts.items()}
    asked = [
        (pk, hashes[pk], start + 1, stop - start)
        for pk, found_ranges in ranges.items()
        for start, stop in found_ranges
    ]
    parts: dict[int, list[tuple[int, bytes]]] = {}
    if asked:
        columnwise = [list(values) for values in zip(*asked, strict=True)]
        for pk, start, data in _binary_rows(connection, _RANGES, columnwise):
            parts.setdefault(pk, []).append((start - 1, data))
    answer = {}
    replaced = []
    for pk, layout in layouts.items():
        if pk not in parts and ranges[pk]:
            replaced.append(pk)
            continue
        answer[movements[pk]] = FrameParts(
            headers[pk], sorted(parts.get(pk, [])), layout
        )
    if replaced:
        rows = BiomechanicsData.objects.filter(pk__in=replaced).order_by()
        for movement_id, frames in rows.values_list("movement_id", "frames"):
            answer[movement_id] = _whole(bytes(frames))
    return answer


_HEADERS = """
    SELECT id, movement_id, content_sha256, substring(frames FROM 1 FOR header_size)
    FROM biomechanics_data
    WHERE data_type = %s AND movement_id = ANY(%s::bigint[])
"""
_RANGES = """
    SELECT part.id, part.start, substring(row.frames FROM part.start FOR part.size)
    FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::int[])
        AS part (id, sha256, start, size)
    JOIN biomechanics_data AS row
        ON row.id = part.id AND row.content_sha256 = part.sha256
"""


def _binary_rows(
    connection: BaseDatabaseWrapper, query: str, params: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Return the rows of a query with bytes as bytes, where the default is hex.

    Django's own cursor puts the parameters in on the client, and such a cursor
    cannot have binary results; this one is still seen by its query log.
    """
    from psycopg import Cursor
    from psycopg.pq import Format

    connection.ensure_connection()
    with connection.wrap_database_errors:
        raw: Any = Cursor(connection.connection)
        raw.format = Format.BINARY
        wrap = (
            connection.make_debug_cursor
            if connection.queries_logged
            else connection.make_cursor
        )
        with wrap(raw) as cursor:
            cursor.execute(query, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
