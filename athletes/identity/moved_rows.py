"""Rows of other tables that name an athlete or a session, and moving them to another.

A merge moves every row that names the merged record, in whatever table it is, and
undoing the merge moves the same rows back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, models, transaction

from athletes.models import Player

#: Tables whose rows stay: they belong to the record and not to the person, or are moved
#: by `athletes.identity` itself, or are computed from others.
_NOT_MOVED = frozenset(
    {
        "athletes.athletemerge",
        "athletes.duplicatepair",
        "athletes.movement",
        "athletes.namekey",
        "athletes.peernumber",
        "athletes.player",
        "athletes.session",
        "athletes.sessionmetric",
        # Files are requested from the vendor for each part by itself.
        "syncing.analysisjob",
        "syncing.exportjob",
    }
)
#: Foreign keys whose rows are moved by `athletes.identity` itself.
_MOVED_ELSEWHERE = frozenset({"athletes.note.session"})


def copy_links(kept: Player, merged: Player) -> dict[str, list[int]]:
    """Add `kept` to each team and tag of `merged`, who stays in them.

    Returns the keys that were added, by the name of the relation.
    """
    added = {}
    for name in _links(Player):
        ours = set(getattr(kept, name).values_list("pk", flat=True))
        theirs = set(getattr(merged, name).values_list("pk", flat=True))
        new = sorted(theirs - ours)
        getattr(kept, name).add(*new)
        added[name] = new
    return added


def take_links_back(kept: Player, added: dict[str, list[int]]) -> None:
    """Remove `kept` from the teams and tags that a merge added.

    Those that another record merged into `kept` has as well stay.
    """
    for name, pks in added.items():
        others = set()
        for alias in Player.everyone.filter(merged_into=kept):
            others |= set(getattr(alias, name).values_list("pk", flat=True))
        getattr(kept, name).remove(*(set(pks) - others))


def _links(model: type[models.Model]) -> Iterator[str]:
    """The names by which a row of `model` reaches its many-to-many relations."""
    for relation in model._meta.related_objects:
        if isinstance(relation, models.ManyToManyRel):
            name = relation.get_accessor_name()
            if name is not None:
                yield name


def _references(
    model: type[models.Model],
) -> Iterator[tuple[str, models.Field[Any, Any]]]:
    """The foreign keys of other tables to `model`, each with its full name."""
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        child = relation.related_model
        if child._meta.auto_created or child._meta.label_lower in _NOT_MOVED:
            continue
        name = f"{child._meta.label_lower}.{relation.field.name}"
        if name not in _MOVED_ELSEWHERE:
            yield name, relation.field


def move_rows(model: type[models.Model], old: int, new: int) -> dict[str, list[Any]]:
    """Change every row that names `old` to name `new`.

    A row stays as it is where only one such row is allowed and `new` has one already.
    Returns the keys of the changed rows, by the full name of the foreign key.
    """
    moved: dict[str, list[Any]] = {}
    for label, field in _references(model):
        rows = field.model._base_manager
        for pk in list(
            rows.filter(**{field.name: old}).order_by("pk").values_list("pk", flat=True)
        ):
            try:
                with transaction.atomic():
                    rows.filter(pk=pk).update(**{field.name: new})
            except IntegrityError:
                continue
            moved.setdefault(label, []).append(pk)
    return moved


def move_rows_back(
    model: type[models.Model], moved: dict[str, list[Any]], old: int, new: int
) -> None:
    """Change the rows that `move_rows` changed back to name `old`."""
    for label, field in _references(model):
        field.model._base_manager.filter(
            **{"pk__in": moved.get(label, []), field.name: new}
        ).update(**{field.name: old})
