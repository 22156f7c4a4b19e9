"""Rows that many tests begin with, made once for all tests in a row that want them.

    @rows_shared
    def recorded_session():
        return make_session(...)

That is a fixture. What the function makes stays in an open transaction, and the test's
own transaction inside it is rolled back as ever: each test finds the rows as they were
made, and gets its own copy of what the function returned. Before a test that wants
other rows, none, or real commits, the open ones are rolled back, so order is free; only
tests that follow each other and want the same (`wanting_first` brings those of a file
together) spare the making.

The function takes no fixtures, and what it makes outside of the database, it makes for
all tests.

This rests on parts that others may change without notice; `check_parts` says at the
start of a run when they did:

- pytest-django's fixture `_django_db_helper` begins the transaction of every test that
  has the database: `db` and `transactional_db` ask for it by name, and so does
  `_django_db_marker` for the marker `django_db`. Before it, `tests/conftest.py` has the
  wanted rows there.
- pytest's `item._fixtureinfo.name2fixturedefs` says which fixture a name stands for.
- Django's connections keep what is open in `in_atomic_block`, `savepoint_ids` and
  `atomic_blocks`.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest
import pytest_django.fixtures
import pytest_django.plugin
from django.db import DEFAULT_DB_ALIAS, connections, transaction

Maker = Callable[[], Any]
HELPER = "_django_db_helper"


def check_parts(
    fixtures: Any = pytest_django.fixtures, plugin: Any = pytest_django.plugin
) -> None:
    """Refuse to run with a pytest-django that begins transactions in another way.

    Rows would stay open around tests that do not want them, and nothing would say so.
    """
    for place, name in (
        *((fixtures, name) for name in ("db", "transactional_db")),
        (plugin, "_django_db_marker"),
    ):
        fixture = inspect.unwrap(getattr(place, name, None) or _changed(name))
        asks_for = inspect.signature(fixture).parameters
        if HELPER not in asks_for and HELPER not in fixture.__code__.co_consts:
            _changed(name)
    if not hasattr(fixtures, HELPER):
        _changed(HELPER)


def _changed(name: str) -> Any:
    raise pytest.UsageError(
        f"pytest-django {pytest_django.__version__} has another `{name}` than"
        f" tests/shared_rows.py rests on: `{HELPER}` must come before every test's"
        " transaction. Read the docstring there, mend it, or pin the former version."
    )


class OpenRows:
    """The transaction that is open around tests, and what was made in it."""

    def __init__(self) -> None:
        self.makers: tuple[Maker, ...] = ()
        self._made: dict[Maker, Any] = {}
        self._atomic: transaction.Atomic | None = None
        self._session: Any = None
        self._connection: Any = None

    def want(self, *makers: Maker) -> None:
        """Have there what these make, and nothing else."""
        connection = connections[DEFAULT_DB_ALIAS]
        if makers == self.makers and (not makers or self._is_open(connection)):
            return
        self.close()
        if not makers:
            return
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        self._session = connection.connection
        self._connection = connection
        self.makers = makers
        try:
            for make in makers:
                self._made[make] = make()
        except BaseException:
            self.close()
            raise

    def copy_of(self, make: Maker) -> Any:
        """What was made, for one test alone."""
        if make in self._made:
            return copy.deepcopy(self._made[make])
        # The test commits, or asked for it while it ran: it has its own.
        return make()

    def close(self) -> None:
        """Roll everything back."""
        atomic, self._atomic = self._atomic, None
        connection = connections[DEFAULT_DB_ALIAS]
        if atomic is not None and self._is_open(connection):
            transaction.set_rollback(True)
            atomic.__exit__(None, None, None)
        elif atomic is not None and connection is not self._connection:
            # A browser has been started since: its event loop is another context, and
            # Django keeps one connection for each.
            self._leave_other()
        self.makers, self._made, self._session = (), {}, None
        self._connection = None

    def _leave_other(self) -> None:
        """Roll back on the connection that this context does not know."""
        other = self._connection
        if other.connection is self._session and self._session is not None:
            self._session.rollback()
            self._session.close()
            other.connection = None
            other.in_atomic_block = False
            other.savepoint_ids = []
            other.atomic_blocks = []

    def _is_open(self, connection: Any) -> bool:
        """Whether no test has closed the connection meanwhile."""
        return connection.in_atomic_block and connection.connection is self._session


_open = OpenRows()


def rows_shared(make: Maker) -> Any:
    """Return a fixture of what `make` makes."""

    def copy_for_a_test(_django_db_helper: None) -> Any:
        return _open.copy_of(make)

    copy_for_a_test.makes_shared_rows = make  # type: ignore[attr-defined]
    return pytest.fixture(copy_for_a_test)


def _place(make: Maker) -> str:
    return f"{make.__module__}.{make.__name__}"


def _wanted_by(item: pytest.Item) -> tuple[Maker, ...]:
    names = getattr(item, "fixturenames", ())
    if {"transactional_db", "live_server"}.intersection(names):
        return ()
    marker = item.get_closest_marker("django_db")
    if marker and (marker.args or marker.kwargs):
        return ()
    known = getattr(item, "_fixtureinfo", None)
    if names and not hasattr(known, "name2fixturedefs"):
        raise pytest.UsageError(
            f"pytest {pytest.__version__} has no `item._fixtureinfo.name2fixturedefs`,"
            " which tests/shared_rows.py rests on. Read the docstring there."
        )
    found = known.name2fixturedefs if known is not None else {}
    makers = (
        getattr(found[name][-1].func, "makes_shared_rows", None)
        for name in names
        if name in found
    )
    return tuple(sorted(filter(None, makers), key=_place))


def _places(item: pytest.Item) -> tuple[str, ...]:
    return tuple(map(_place, _wanted_by(item)))


def wanting_first(items: list[pytest.Item]) -> None:
    """In each file, bring tests together that want the same rows.

    They get the marker `django_db` where they lack it: pytest-django makes no database
    for a run in which nothing asks for one by marker, `db` or its kin.
    """
    for item in items:
        if _wanted_by(item) and item.get_closest_marker("django_db") is None:
            item.add_marker(pytest.mark.django_db)
    items[:] = [
        item
        for _, group in groupby(items, key=lambda item: item.path)
        for item in sorted(group, key=_places, reverse=True)
    ]


def before_the_database_of(item: pytest.Item) -> None:
    """Have there what this test wants, before its own transaction begins."""
    _open.want(*_wanted_by(item))


def close() -> None:
    _open.close()
