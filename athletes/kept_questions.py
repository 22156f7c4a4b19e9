"""Questions to the database that Django puts into words once.

Building a queryset and its SQL takes Django longer than a small database takes to
answer. A page asks the same dozen questions each time, about another athlete. Here the
SQL of such a question is kept, and only what it is asked about is put in.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Callable, Collection
from functools import update_wrapper
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, connections
from django.db.models import QuerySet

Asked = ParamSpec("Asked")
Row = TypeVar("Row")
Rows = TypeVar("Rows", bound=QuerySet[Any, Any])

#: Stand in for keys and days: no row and no day of ours is near them, and a key of
#: four bytes could hold them.
_KEYS_FROM = 2_147_480_000
_FIRST_DAY = dt.date(1, 3, 1)
_LARGEST_KEY = 2**63 - 1
#: Of each question: one for each set of rights and of other choices.
_MOST = 256
#: More keys than this in one question are put into words each time.
_MOST_VALUES = 256


class _Kept(NamedTuple):
    """A question in words: the queryset, its compiler, its SQL."""

    queryset: QuerySet[Any, Any]
    compiler: Any
    sql: str
    params: tuple[Any, ...]
    # Of each parameter that is put in: its place, whose it is, and how it is written.
    places: tuple[tuple[int, int, Callable[[Any], Any]], ...]


class KeptQuestion(Generic[Asked, Row]):
    """A function that builds a queryset; called, it gives the rows as a list.

    Of its arguments, numbers and days are what is asked about: they may only be
    compared with columns of whole numbers and dates. Querysets limit what is found, by
    rights or otherwise: the SQL is kept apart for each of their own words and values.
    So it is for all other arguments (texts, tuples, truth), which may shape the
    question. Nothing else may: no clock, no setting.
    """

    def __init__(self, build: Callable[Asked, QuerySet[Any, Row]]) -> None:
        self._build = build
        self._kept: dict[Any, _Kept | None] = {}
        update_wrapper(self, build)

    def __call__(self, *asked: Asked.args, **_: Asked.kwargs) -> list[Row]:
        """Ask, now; arguments by their place."""
        values = [one for one in asked if _is_value(one)]
        key = tuple(_Value if _is_value(one) else _shape(one) for one in asked)
        if len(values) > _MOST_VALUES:
            return list(self._build(*asked))  # type: ignore[call-arg]
        try:
            # In one step: another thread may empty what is kept at any moment.
            kept = self._kept[key]
        except KeyError:
            kept = self._in_words(asked)
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = kept
        if kept is None or any(
            isinstance(one, int) and abs(one) > _LARGEST_KEY for one in values
        ):
            return list(self._build(*asked))  # type: ignore[call-arg]
        params = list(kept.params)
        for place, whose, written in kept.places:
            params[place] = written(values[whose])
        compiler = copy.copy(kept.compiler)
        compiler.connection = connections[kept.compiler.using]
        compiler.as_sql = lambda *_, **__: (kept.sql, tuple(params))
        queryset = kept.queryset.all()
        # Only here: it is asked as it is, and goes nowhere.
        queryset.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(queryset)

    def _in_words(self, asked: tuple[Any, ...]) -> _Kept | None:
        """The question about what stands in; None where nothing can be found."""
        stand_ins: list[Any] = []
        for one in asked:
            if not _is_value(one):
                continue
            number = len(stand_ins)
            stand_ins.append(
                _KEYS_FROM + number
                if isinstance(one, int)
                else _FIRST_DAY + dt.timedelta(days=number)
            )
        left = iter(stand_ins)
        about = [next(left) if _is_value(one) else one for one in asked]
        queryset = self._build(*about)  # type: ignore[call-arg]
        compiler = queryset.query.get_compiler(using=queryset.db)
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            return None
        places: list[tuple[int, int, Callable[[Any], Any]]] = []
        for place, param in enumerate(params):
            for whose, stand_in in enumerate(stand_ins):
                # SQLite takes a date as text, psycopg a number of its own type.
                if type(param) is str and param == str(stand_in):
                    places.append((place, whose, str))
                elif isinstance(param, type(stand_in)) and param == stand_in:
                    own = type(param) if isinstance(param, int) else _as_it_is
                    places.append((place, whose, own))
        if {whose for _, whose, _ in places} != set(range(len(stand_ins))):
            raise LookupError(f"{self._build}: an argument is no parameter of its SQL.")
        return _Kept(queryset, compiler, sql, tuple(params), tuple(places))


class _Value:
    """In a key: something that is asked about."""


def _as_it_is(value: Any) -> Any:
    return value


def _is_value(asked: Any) -> bool:
    """Whether this is what a question is about, not what shapes it."""
    is_number = isinstance(asked, int) and not isinstance(asked, bool)
    return is_number or (
        isinstance(asked, dt.date) and not isinstance(asked, dt.datetime)
    )


def _shape(asked: Any) -> Any:
    """What of an argument decides the words of a question."""
    if not isinstance(asked, QuerySet):
        return asked
    # A page passes the same queryset on to all that asks for it.
    words = asked.__dict__.get("_kept_words")
    if words is None:
        try:
            sql, params = asked.query.get_compiler(using=asked.db).as_sql()
        except EmptyResultSet:
            sql, params = "", ()
        words = (asked.model, asked.db, sql, tuple(params))
        asked.__dict__["_kept_words"] = words
    return words


def alike(queryset: Rows) -> Rows:
    """A queryset that finds the same, anew, and knows its words already.

    For one that many questions take, such as all sessions that staff may see.
    """
    found: Rows = queryset.all()
    found.__dict__["_kept_words"] = _shape(queryset)
    return found


def kept_question(
    build: Callable[Asked, QuerySet[Any, Row]],
) -> KeptQuestion[Asked, Row]:
    """Keep the SQL of the question that this function builds."""
    return KeptQuestion(build)


class _Built(NamedTuple):
    """The SQL of a question about many keys: texts, between each two a parameter."""

    texts: list[str]
    #: Values, or None where the keys are put in.
    params: list[Any]
    columns: list[Any]


class KeptQuestionOfKeys(Generic[Row]):
    """A function that builds a `values_list`; called, it gives the rows as a list.

    It takes a list of keys, as many as there are to ask about. They have to narrow the
    question down: without a key there is no row. Nothing else may shape it.
    """

    def __init__(self, build: Callable[[Collection[int]], QuerySet[Any, Row]]) -> None:
        self._build = build
        self._kept: dict[str, _Built] = {}
        update_wrapper(self, build)

    def __call__(self, keys: Collection[int]) -> list[Row]:
        """Ask, now."""
        if not keys:
            return []
        kept = self._kept.get(connection.vendor)
        if kept is None:
            kept = self._kept[connection.vendor] = self._in_words()
        places = ", ".join(["%s"] * len(keys))
        sql = kept.texts[0]
        params: list[Any] = []
        for param, text in zip(kept.params, kept.texts[1:], strict=True):
            sql += (places if param is None else "%s") + text
            params += keys if param is None else [param]
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows: list[Any] = cursor.fetchall()
        for place, column in enumerate(kept.columns):
            for convert in (
                *connection.ops.get_db_converters(column),
                *column.get_db_converters(connection),
            ):
                rows = [
                    (
                        *row[:place],
                        convert(row[place], column, connection),
                        *row[place + 1 :],
                    )
                    for row in rows
                ]
        return rows

    def _in_words(self) -> _Built:
        queryset = self._build([_KEYS_FROM])
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        texts = [""]
        # A sign of percent that is no parameter is written twice.
        for piece in re.split("(%%|%s)", sql):
            if piece == "%s":
                texts.append("")
            else:
                texts[-1] += piece
        columns = [selected[0] for selected in compiler.select[: compiler.col_count]]
        named = [None if param == _KEYS_FROM else param for param in params]
        return _Built(texts, named, columns)


def kept_question_of_keys(
    build: Callable[[Collection[int]], QuerySet[Any, Row]],
) -> KeptQuestionOfKeys[Row]:
    """Keep the SQL of the question that this function builds for a list of keys."""
    return KeptQuestionOfKeys(build)
