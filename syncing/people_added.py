"""What people added to rows that are about to go, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import models

from athletes.display import number_of
from athletes.models import Movement


class UndoRefusedError(Exception):
    """Something that was not undone or changed; the text says what to do.

    ``is_about_additions`` is set where it can be done with what people added.
    """

    def __init__(self, message: str, *, is_about_additions: bool = False) -> None:
        super().__init__(message)
        self.is_about_additions = is_about_additions


#: Rows that the program makes by itself: nobody misses them.
_MADE_BY_PROGRAM = frozenset(
    {
        *("athletes.biomechanicsdata", "athletes.movementcurves", "athletes.movement"),
        *("athletes.session", "athletes.sessionmetric", "athletes.peernumber"),
        *("athletes.athletescatter", "athletes.namekey", "athletes.duplicatepair"),
        *("athletes.handupload", "athletes.replacedframes", "syncing.exportjob"),
        *("syncing.analysisjob", "athletes.athletemerge", "athletes.player"),
        *("athletes.samerecording", "athletes.setaside"),
    }
)


def people_of(model: type[models.Model], pks: Iterable[int]) -> Iterator[str]:
    """Say what people's rows hang on rows of a table, whatever table they are in."""
    pks = list(pks)
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToManyRel):
            name = str(relation.related_model._meta.verbose_name)
            rows = relation.related_model._base_manager.filter(
                **{f"{relation.field.name}__in": pks}
            )
            yield from named(rows.distinct(), name)
        if not isinstance(relation, models.ManyToOneRel):
            continue
        child = relation.related_model
        if child._meta.auto_created or child._meta.label_lower in _MADE_BY_PROGRAM:
            continue
        if relation.on_delete is not models.CASCADE:
            continue
        rows = child._base_manager.filter(**{f"{relation.field.name}__in": pks})
        yield from named(rows, str(child._meta.verbose_name))


def setups_of(movements: Iterable[int]) -> Iterator[str]:
    """Say of how many of these swings people stated the setup, by our keys."""
    stated = Movement.objects.filter(pk__in=list(movements), condition__isnull=False)
    if count := stated.count():
        yield f"setup of {number_of(count, 'swing')}"


def named(rows: models.QuerySet[Any], name: str) -> Iterator[str]:
    """Say how many rows there are, and who made them where that is known."""
    fields = {each.name for each in rows.model._meta.get_fields()}
    by = next(
        (each for each in ("created_by", "requested_by", "owner") if each in fields),
        None,
    )
    if by is None:
        if count := rows.count():
            yield number_of(count, name)
        return
    who = Counter(rows.order_by().values_list(f"{by}__username", flat=True))
    for username, count in sorted(who.items(), key=str):
        yield f"{number_of(count, name)} by {username or 'a deleted user'}"
