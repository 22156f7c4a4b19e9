"""Django's PostgreSQL, without two costs that every request paid.

Django asks `SELECT 1` before the first query of each request, to learn whether the
server is still there, and reads each time of day with a regular expression in Python:
200 of them, a page of athletes, took longer than the query.
"""

from __future__ import annotations

import datetime as dt
import select

from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg.abc import Buffer


class UtcLoader(BaseTzLoader):  # type: ignore[misc]  # untyped there
    """Times of day as the server writes them for a connection in UTC."""

    timezone = dt.UTC

    def load(self, data: Buffer) -> dt.datetime:
        """Return a time with its zone from what PostgreSQL sent."""
        try:
            return dt.datetime.fromisoformat(str(data, "ascii"))
        except ValueError:  # infinity, years before 1 or above 9999
            loaded: dt.datetime = super().load(data)
            return loaded


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL."""

    health_check_done: bool

    def init_connection_state(self) -> None:
        """Set the connection up, with a quicker reader of times."""
        super().init_connection_state()
        if self.connection is not None and self.timezone == dt.UTC:
            self.connection.adapters.register_loader("timestamptz", UtcLoader)

    def close_if_health_check_failed(self) -> None:
        """Close a connection that no longer answers, unless it was just used."""
        if not self.health_check_done and self._is_quiet():
            self.health_check_done = True
        super().close_if_health_check_failed()

    def _is_quiet(self) -> bool:
        """Whether nothing waits to be read: a server that goes says so, or hangs up.

        What it cannot see, a server that vanished without a word, a query finds only
        after long waiting too. Where something waits, Django asks.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.pgconn.socket, select.POLLIN)
        return not waiting.poll(0)
