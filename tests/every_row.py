"""All that the database holds, for tests that compare or search it whole."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection


def every_row() -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Each table with its rows, in no order."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT * FROM {name}")  # noqa: S608 - our own tables
            yield table, cursor.fetchall()


def text_of_every_table() -> dict[str, str]:
    """All values of each table as text, bytes too."""
    return {table: _as_text(rows) for table, rows in every_row()}


def _as_text(rows: Iterable[tuple[Any, ...]]) -> str:
    return "\n".join(
        bytes(value).decode("latin-1")
        if isinstance(value, bytes | memoryview)
        else str(value)
        for row in rows
        for value in row
    )
