"""Many rows at once: inserts and updates with one statement, and ids in batches.

`bulk_create` spends most of its time on objects and on writing out a placeholder for
each value; `bulk_update` builds a condition for each row and field.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.db import connection

_Item = TypeVar("_Item")

#: Names of columns with their types in PostgreSQL, in the order of the values.
Columns = Mapping[str, str]


def in_batches(items: Iterable[_Item], size: int = 500) -> Iterator[list[_Item]]:
    """Yield the items in lists of at most `size`: a statement takes so many values."""
    found = list(items)
    for start in range(0, len(found), size):
        yield found[start : start + size]


def insert_rows(table: str, columns: Columns, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows with one statement.

    Here and below, names of tables and columns go into the statement as they are, so
    they must not come from outside.
    """
    _insert(table, columns, rows, "")


def write_rows(
    table: str,
    columns: Columns,
    rows: Sequence[Sequence[Any]],
    *,
    key: Collection[str],
) -> None:
    """Insert rows; a stored row with the same `key` gets the new values instead."""
    changes = ", ".join(
        f"{name} = excluded.{name}" for name in columns if name not in key
    )
    _insert(table, columns, rows, _on_conflict(key, changes))


def add_to_rows(
    table: str,
    columns: Columns,
    rows: Sequence[Sequence[Any]],
    *,
    key: Collection[str],
) -> None:
    """Insert rows; the values are added to a stored row with the same `key` instead."""
    changes = ", ".join(
        f"{name} = {table}.{name} + excluded.{name}"
        for name in columns
        if name not in key
    )
    _insert(table, columns, rows, _on_conflict(key, changes))


def _on_conflict(key: Collection[str], changes: str) -> str:
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"


def _insert(
    table: str, columns: Columns, rows: Sequence[Sequence[Any]], end: str
) -> None:
    if not rows:
        return
    into = f"INSERT INTO {table} ({', '.join(columns)}) "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # "WHERE true" keeps ON CONFLICT from being read as part of the FROM.
            cursor.execute(
                f"{into}SELECT * FROM {_unnested(columns)} WHERE true{end}",  # noqa: S608
                _columnwise(rows),
            )
        else:
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"{into}VALUES ({places}){end}", rows)


def update_rows(
    table: str, columns: Columns, rows: Sequence[Sequence[Any]], *, key: str = "id"
) -> None:
    """Write new values into stored rows, each found by its `key`."""
    if not rows:
        return
    changed = [name for name in columns if name != key]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            values = ", ".join(f"{name} = new.{name}" for name in changed)
            cursor.execute(
                f"UPDATE {table} SET {values} "  # noqa: S608
                f"FROM {_unnested(columns)} AS new ({', '.join(columns)}) "
                f"WHERE {table}.{key} = new.{key}",
                _columnwise(rows),
            )
        else:
            values = ", ".join(f"{name} = %s" for name in changed)
            place = list(columns).index(key)
            cursor.executemany(
                f"UPDATE {table} SET {values} WHERE {key} = %s",  # noqa: S608
                [[*row[:place], *row[place + 1 :], row[place]] for row in rows],
            )


def _unnested(columns: Columns) -> str:
    """SQL of PostgreSQL that turns one array for each column into rows."""
    return f"unnest({', '.join(f'%s::{kind}[]' for kind in columns.values())})"


def _columnwise(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
