"""Finds all rows that belong to an athlete, by the relations of the models.

A table that is added later and that goes with an athlete is in the archive, in the
account of what is stored and in the erasure from its first day.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from athletes.identity.session_parts import family
from athletes.models import DuplicatePair, NameKey, Player
from privacy.models import Archive

#: Rows that are about making the archive itself; hashes of names; and what is about
#: another athlete as well.
_NOT_DATA = (Archive, NameKey, DuplicatePair)


@dataclass(frozen=True, slots=True)
class AthleteTable:
    """A model whose rows go with an athlete, and the ways from a row to the athlete.

    Where there are several ways, each row has one of them: a row says by itself which
    thing it is about.
    """

    model: type[models.Model]
    paths: tuple[str, ...]

    @property
    def table(self) -> str:
        """Return the name of the records' table."""
        return self.model._meta.db_table

    def rows(self, player_id: int) -> QuerySet[Any]:
        """The athlete's rows, in the order in which they were made.

        Rows of records that were merged into the athlete's are among them.
        """
        # Not the default manager: it hides such records.
        manager: models.Manager[Any] = self.model._base_manager
        ids = family(player_id)
        theirs = Q()
        for path in self.paths:
            theirs |= Q(**{f"{path}__in": ids})
        return manager.filter(theirs).order_by("pk")

    def fields(self, *, binary: bool = False) -> list[str]:
        """Names of the columns, without (or only) those of packed bytes."""
        return [
            field.attname
            for field in self.model._meta.concrete_fields
            if isinstance(field, models.BinaryField) == binary
        ]


@lru_cache(maxsize=1)
def athlete_tables() -> tuple[AthleteTable, ...]:
    """All models that cascade from an athlete, nearest first; the athlete leads."""
    found: dict[type[models.Model], list[str]] = {Player: ["pk"]}
    # Of these a row may hang on something else than what was found first.
    undecided: set[type[models.Model]] = set()
    waiting: deque[type[models.Model]] = deque([Player])
    while waiting:
        parent = waiting.popleft()
        for relation in parent._meta.get_fields(include_hidden=True):
            if not (relation.auto_created and not relation.concrete):
                continue
            if not isinstance(relation, models.ManyToOneRel):
                continue
            child = relation.related_model
            if relation.on_delete is not models.CASCADE:
                continue
            if child in found and child not in undecided:
                continue
            name = relation.field.name
            paths = [
                name if above == "pk" else f"{name}__{above}" for above in found[parent]
            ]
            if child in found:
                found[child] += paths
                continue
            found[child] = paths
            if relation.field.null:
                undecided.add(child)
            waiting.append(child)
    return tuple(
        AthleteTable(model, tuple(paths))
        for model, paths in found.items()
        if model not in _NOT_DATA
    )
