"""When a row last changed in anything that JSON shows of it, for use in queries."""

from __future__ import annotations

from typing import Any

from django.db.models import DateTimeField, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from athletes.models import FeedKind, FeedNote, FeedRow

#: By kind: fields that lead from it to itself and to what it shows, with the number of
#: levels that a change there has to spread.
_ABOVE: dict[str, tuple[tuple[str, str, int], ...]] = {
    FeedKind.PLAYER: ((FeedKind.PLAYER, "pk", 0),),
    FeedKind.SESSION: (
        (FeedKind.SESSION, "pk", 0),
        (FeedKind.PLAYER, "player_id", 1),
    ),
    FeedKind.MOVEMENT: (
        (FeedKind.MOVEMENT, "pk", 0),
        (FeedKind.SESSION, "session_id", 1),
        (FeedKind.PLAYER, "session__player_id", 2),
    ),
}


def changed_at(kind: FeedKind, path: str = "") -> Greatest:
    """The `updated_at` of rows of this kind in JSON, as an expression.

    It is the same before and after a change has its place in the order.

    Parameters
    ----------
    path
        Leads from the rows of the query to those of the kind, such as ``player__``.
    """
    since = placed_at(kind, path)
    newest = [
        Coalesce(Subquery(_newest(of, f"{path}{field}", spreads)), since)
        for of, field, spreads in _ABOVE[kind]
    ]
    return Greatest(since, *newest)


def placed_at(kind: FeedKind, path: str = "") -> Coalesce:
    """The same right after places were given (athletes.feed.order): less is read."""
    row = OuterRef(f"{path}pk")
    placed = FeedRow.objects.filter(kind=kind, row_id=row).values("changed_at")
    first = F(f"{path}updated_at")
    return Coalesce(Subquery(placed[:1], output_field=DateTimeField()), first)


def _newest(kind: str, field: str, spreads: int) -> QuerySet[Any, Any]:
    """The newest change of one row that has no place yet."""
    notes = FeedNote.objects.filter(
        Q(kind=kind, row_id=OuterRef(field), spreads__gte=spreads)
    )
    return notes.order_by().values("row_id").annotate(newest=Max("at")).values("newest")
