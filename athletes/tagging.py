"""Making one tag of several."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from athletes.models import AthleteMerge, Session, Tag


@dataclass(frozen=True, slots=True)
class TagMergePreview:
    """What making one tag of several would change.

    `athletes` and `sessions` count those that have any of the tags, `more_athletes` and
    `more_sessions` those of them that have not the kept one yet.
    """

    athletes: int
    sessions: int
    more_athletes: int
    more_sessions: int


def preview_merge(*, kept: Tag, others: Collection[Tag]) -> TagMergePreview:
    """What `merge_tags` would change, without changing it; four queries."""
    numbers = []
    for name in ("players", "sessions"):
        rows = getattr(Tag, name).through.objects
        field = _subject(rows.model)
        ours = rows.filter(tag=kept).values(field)
        theirs = rows.filter(tag__in=others)
        more = theirs.exclude(**{f"{field}__in": ours}).values(field).distinct().count()
        numbers.append((ours.count() + more, more))
    (athletes, more_athletes), (sessions, more_sessions) = numbers
    return TagMergePreview(athletes, sessions, more_athletes, more_sessions)


@transaction.atomic
def merge_tags(*, kept: Tag, others: Collection[Tag]) -> None:
    """Give `kept` to all that have one of the other tags, and delete those.

    Undoing a merge of athletes later takes away what that merge gave, under its name
    of now.
    """
    gone = {tag.pk for tag in others} - {kept.pk}
    for entry in AthleteMerge.objects.select_for_update().filter(undone_at=None):
        _rename_in(entry, kept.pk, gone)
    for name in ("players", "sessions"):
        through = getattr(Tag, name).through
        field = _subject(through)
        having = through.objects.filter(tag__in=gone).values_list(field, flat=True)
        through.objects.bulk_create(
            [through(**{"tag_id": kept.pk, field: pk}) for pk in set(having)],
            ignore_conflicts=True,
            batch_size=500,
        )
    Tag.objects.filter(pk__in=gone).delete()


def _subject(through: type[models.Model]) -> str:
    """The column of a relation's table that says who has the tag."""
    names = {field.attname for field in through._meta.concrete_fields}
    return next(iter(names - {"id", "tag_id"}))


def _rename_in(entry: AthleteMerge, kept: int, gone: set[int]) -> None:
    """Name the kept tag where a merge of athletes noted that it gave one of `gone`."""
    links: dict[str, Any] = entry.changes.get("links", {})
    folds: dict[str, dict[str, Any]] = entry.changes.get("folds", {})
    before = str(entry.changes)
    if "tags" in links:
        having = entry.kept.tags.values_list("pk", flat=True)
        links["tags"] = _renamed(links["tags"], having, kept, gone)
    for folded, fold in folds.items():
        into = Session.objects.filter(folded=int(folded)).first()
        own = set(into.tags.values_list("pk", flat=True)) if into else set()
        fold["tags"] = _renamed(fold["tags"], own, kept, gone)
    if str(entry.changes) != before:
        entry.save(update_fields=["changes"])


def _renamed(
    given: Iterable[int], having: Iterable[int], kept: int, gone: set[int]
) -> list[int]:
    """The tags that a merge gave, after `gone` are `kept`.

    Whoever had one of them without that merge keeps it when the merge is undone.
    """
    given = set(given)
    if not given & gone:
        return sorted(given)
    own = set(having) & (gone | {kept}) - given
    return sorted(given - gone - {kept} if own else (given - gone) | {kept})
