"""Empty the database after a test that commits, faster than Django's own flush.

Django empties every table and then makes content types and permissions anew. Here
only tables that hold rows are emptied, in one transaction, and what `migrate` made
stays. On PostgreSQL that spares a TRUNCATE of all tables, which writes a new file for
each table and index.
"""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.db import connections, transaction
from django.test import TransactionTestCase

#: Made by `migrate`; tests find them as they are after Django's flush.
KEPT = ("django_content_type", "auth_permission")


class Reset:
    """Empties one database; knows what a fresh one holds."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        connection = connections[alias]
        name = connection.ops.quote_name
        existing = connection.introspection.django_table_names(
            only_existing=True, include_views=False
        )
        self.tables = [table for table in sorted(existing) if table not in KEPT]
        # One question for all tables: the places of those that hold rows.
        self._which = " UNION ALL ".join(
            f"SELECT {place} WHERE EXISTS (SELECT 1 FROM {name(table)})"  # noqa: S608
            for place, table in enumerate(self.tables)
        )
        self._kept = [
            f"SELECT * FROM {name(table)} ORDER BY id"  # noqa: S608
            for table in KEPT
        ]
        self._fresh: list[Any] | None = None
        self.flushes = 0

    def empty(self) -> None:
        """Delete all rows that tests made."""
        self._delete_rows()
        if self._read_kept() != self._fresh:
            self.flush()

    def _delete_rows(self) -> None:
        connection = connections[self.alias]
        with transaction.atomic(using=self.alias), connection.cursor() as cursor:
            # In any order: references are checked at the end of the transaction.
            # More than once, as triggers keep rows about the rows that go.
            while filled := self._filled(cursor):
                for table in filled:
                    name = connection.ops.quote_name(table)
                    cursor.execute(f"DELETE FROM {name}")  # noqa: S608

    def _filled(self, cursor: Any) -> list[str]:
        cursor.execute(self._which)
        return [self.tables[place] for (place,) in cursor.fetchall()]

    def flush(self) -> None:
        """Empty it as Django does, and see what there is then."""
        call_command("flush", verbosity=0, interactive=False, database=self.alias)
        # Django deletes once, and triggers keep rows about the rows that went.
        self._delete_rows()
        self._fresh = self._read_kept()
        self.flushes += 1

    def _read_kept(self) -> list[Any]:
        with connections[self.alias].cursor() as cursor:
            found = []
            for question in self._kept:
                cursor.execute(question)
                found.append(cursor.fetchall())
            return found


_resets: dict[str, Reset] = {}


def empty_database(alias: str = "default") -> None:
    """Leave a database as it is before a test."""
    reset = _resets.get(alias)
    if reset is None:
        # Rows that migrations made go with the first test, as with Django.
        reset = _resets[alias] = Reset(alias)
        reset.flush()
    else:
        reset.empty()


def _empty_databases(self: TransactionTestCase) -> None:
    """Take the place of `TransactionTestCase._fixture_teardown`."""
    assert self.available_apps is None, "the quick way empties all apps"
    for alias in self._databases_names(include_mirrors=False):
        empty_database(alias)


TransactionTestCase._fixture_teardown = _empty_databases  # type: ignore[method-assign]
