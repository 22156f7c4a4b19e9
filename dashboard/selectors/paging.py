"""Pages of a long list that cost the same at its end as at its beginning.

A page is named by the row before it (or after it), not by its number: the
database then walks an index from that row on and never counts past the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)

# Beyond this count a page says "more than": nobody reads it, and counting
# every row that a filter lets through is what makes long lists slow.
COUNT_LIMIT = 10_000


@dataclass(frozen=True)
class RowOrder:
    """An order of rows: fields that end in a unique one, all in one direction.

    With `nullable` the first field may be missing; such rows come last, whatever
    the direction, for what is missing is neither the largest nor the smallest.
    """

    fields: tuple[str, ...]
    descending: bool = False
    nullable: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of rows, and whether there are more on either side."""

    rows: tuple[Row, ...]
    has_previous: bool
    has_next: bool

    @property
    def first_id(self) -> int | None:
        """Id of the first row, which the link to the page before names."""
        return self.rows[0].pk if self.rows else None

    @property
    def last_id(self) -> int | None:
        """Id of the last row, which the link to the next page names."""
        return self.rows[-1].pk if self.rows else None


def bounded_count(queryset: QuerySet[Row], limit: int = COUNT_LIMIT) -> int:
    """How many rows there are, or `limit` + 1 when there are more."""
    return queryset.order_by()[: limit + 1].count()


def _beyond(fields: Sequence[str], values: Sequence[Any], *, upwards: bool) -> Q:
    """A condition for rows that come after `values` in the order of `fields`."""
    strict = "gt" if upwards else "lt"
    beyond = Q()
    for place, field in enumerate(fields):
        step = Q(**{f"{field}__{strict}": values[place]})
        for earlier in range(place):
            step &= Q(**{fields[earlier]: values[earlier]})
        beyond |= step
    # Asked of the first field alone as well, the database can start in the middle of
    # the index; from the alternatives it cannot.
    return Q(**{f"{fields[0]}__{strict}e": values[0]}) & beyond


def _value(row: Model, field: str) -> Any:
    """The value of a field, also of a row that it leads to (`player__last_name`)."""
    return attrgetter(field.replace("__", "."))(row)


def _walk(
    queryset: QuerySet[Row],
    order: RowOrder,
    *,
    backwards: bool,
    start: Row | None,
    limit: int,
) -> list[Row]:
    """Up to `limit` rows after `start`, in walking order."""
    first = order.fields[0]

    def part(*, missing: bool, from_start: bool) -> QuerySet[Row]:
        # Among rows whose first field is missing the others decide.
        fields = order.fields[1:] if missing else order.fields
        down = (order.descending and not missing) != backwards
        rows = queryset
        if order.nullable:
            rows = rows.filter(**{f"{first}__isnull": missing})
        if from_start and start is not None:
            values = [_value(start, field) for field in fields]
            rows = rows.filter(_beyond(fields, values, upwards=not down))
        return rows.order_by(*(f"-{field}" if down else field for field in fields))

    if not order.nullable:
        return list(part(missing=False, from_start=True)[:limit])
    parts = [False, True] if not backwards else [True, False]
    start_missing = start is not None and _value(start, first) is None
    rows: list[Row] = []
    for missing in parts:
        if start is not None and parts.index(missing) < parts.index(start_missing):
            continue
        if len(rows) == limit:
            break
        here = start is not None and missing == start_missing
        rows += part(missing=missing, from_start=here)[: limit - len(rows)]
    return rows


def _marked(among: QuerySet[Row], order: RowOrder, mark: int) -> Row | None:
    """The row that a page begins behind, with the fields of the order."""
    rows = among.filter(pk=mark)
    if paths := {field.split("__")[0] for field in order.fields if "__" in field}:
        rows = rows.select_related(*paths)
    return rows.only(*order.fields).first()


def page_of(
    queryset: QuerySet[Row],
    order: RowOrder,
    *,
    among: QuerySet[Row],
    size: int,
    after: int | None = None,
    before: int | None = None,
) -> Page[Row]:
    """The page after the row `after`, or before `before`, or the first one.

    `among` holds all rows that may be seen, whatever the filters: where a row of
    another place stands would tell about it. A row that has gone since the link was
    made gives the first page.
    """
    mark = after if after is not None else before
    start = None if mark is None else _marked(among, order, mark)
    backwards = start is not None and after is None
    rows = _walk(queryset, order, backwards=backwards, start=start, limit=size + 1)
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
        return Page(rows=tuple(rows), has_previous=more, has_next=True)
    return Page(rows=tuple(rows), has_previous=start is not None, has_next=more)
