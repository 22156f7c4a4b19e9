"""Gives every change its place, in the order in which changes came into sight.

Triggers write a note in the transaction that changes a row (athletes.feed.triggers).
Whoever reads the order first gives places to the notes that they can see, one reader at
a time. A transaction that is long under way shows its notes when it commits, and they
get places behind all that were given before. So whoever remembers a place misses
nothing and gets nothing twice.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists

from athletes.feed import leaving
from athletes.models import (
    FeedCounter,
    FeedGone,
    FeedKind,
    FeedNote,
    FeedRow,
    TeamLeaving,
    new_epoch,
)

#: Notes that one call takes: a second's work.
BATCH = 10_000
#: Rows that changes of one call spread to, more or less: so long SQLite has no writer.
MOST_SPREAD = 20_000
#: How many rows show a row above them, more or less: by kind and levels.
_BELOW_ONE = {
    (FeedKind.PLAYER, 1): 100,
    (FeedKind.PLAYER, 2): 2_000,
    (FeedKind.SESSION, 1): 20,
}
#: Calls of `settle` by a task.
_MOST_CALLS = 30
_CHUNK = 800
#: What is below, for changes that spread.
_BELOW = {FeedKind.PLAYER: FeedKind.SESSION, FeedKind.SESSION: FeedKind.MOVEMENT}

Key = tuple[str, int]


@dataclass(slots=True)
class _Change:
    """What the notes about one row say, taken together."""

    at: dt.datetime
    parent_id: int | None = None
    gone: str | None = None
    spreads: int = 0
    first: dt.datetime = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Keep the time of the first note."""
        self.first = self.at

    def add(
        self,
        at: dt.datetime,
        parent_id: int | None = None,
        gone: str | None = None,
        spreads: int = 0,
    ) -> None:
        """Take one more note in, later than those before."""
        self.at = max(self.at, at)
        self.parent_id = self.parent_id if parent_id is None else parent_id
        self.gone = self.gone if gone is None else gone
        self.spreads = max(self.spreads, spreads)


@dataclass(frozen=True)
class Settled:
    """How far the order goes."""

    last: int
    #: Which order it is; another one after a restore.
    epoch: str
    #: Whether notes may be left that have no place yet.
    more: bool


def settle() -> Settled:
    """Give places to the notes that are in sight, and return the last place."""
    waiting = (Exists(FeedNote.objects.all()), Exists(TeamLeaving.objects.all()))
    counter = FeedCounter.objects.filter(pk=1).values_list("last", "epoch", *waiting)
    state = counter.first()
    if state is not None and not any(state[2:]):
        return Settled(state[0], state[1], more=False)
    FeedCounter.objects.bulk_create([FeedCounter(pk=1)], ignore_conflicts=True)
    with transaction.atomic():
        row = FeedCounter.objects.select_for_update().get(pk=1)
        # Read once: what comes into sight after this is left for the next.
        found = list(FeedNote.objects.order_by("pk")[:BATCH])
        notes = _bounded(found)
        changes: dict[Key, _Change] = {}
        for note in notes:
            change = changes.setdefault((note.kind, note.row_id), _Change(note.at))
            change.add(note.at, note.parent_id, note.gone, note.spreads)
        _spread(changes)
        before = leaving.parents_of(changes)
        new = _store(changes, row.last)
        row.last = leaving.tell_moved(
            {key: change.at for key, change in changes.items()},
            before,
            row.last + len(changes),
        )
        more = len(found) == BATCH or len(notes) < len(found)
        if not more:
            row.last, more = leaving.tell_left(new, row.last)
        row.save(update_fields=["last"])
        for pks in _chunks(note.pk for note in notes):
            FeedNote.objects.filter(pk__in=pks).delete()
    return Settled(row.last, row.epoch, more=more)


def settle_waiting() -> Settled:
    """Give places to what waits, so that the next reader finds little; bounded work."""
    settled = settle()
    for _ in range(_MOST_CALLS - 1):
        if not settled.more:
            break
        settled = settle()
    return settled


def _bounded(notes: list[FeedNote]) -> list[FeedNote]:
    """As many of the notes, from the first on, as do not spread too far."""
    rows = 0
    counted: set[tuple[str, int, int]] = set()
    for taken, note in enumerate(notes):
        change = (note.kind, note.row_id, note.spreads)
        if change in counted:
            continue
        counted.add(change)
        rows += _BELOW_ONE.get((FeedKind(note.kind), note.spreads), 0)
        if taken and rows > MOST_SPREAD:
            return notes[:taken]
    return notes


def begin_anew() -> None:
    """Refuse all cursors from before: the database was put back to an older state."""
    FeedCounter.objects.update(epoch=new_epoch())


def _chunks(values: Iterable[int]) -> Iterable[list[int]]:
    every = list(values)
    for start in range(0, len(every), _CHUNK):
        yield every[start : start + _CHUNK]


def _spread(changes: dict[Key, _Change]) -> None:
    """Add what shows something of a row above it that changed."""
    for kind, below in _BELOW.items():
        parents = {
            row_id: change
            for (of_kind, row_id), change in changes.items()
            if of_kind == kind and change.spreads
        }
        children: dict[int, set[int]] = defaultdict(set)
        for pks in _chunks(parents):
            for row_id, parent_id in (
                FeedRow.objects.filter(kind=below, parent_id__in=pks)
                .exclude(gone=FeedGone.ERASED)
                .values_list("row_id", "parent_id")
            ):
                if parent_id is not None:
                    children[parent_id].add(row_id)
        # Those that are new, and those that moved here, have notes of their own.
        for parent_id, row_ids in children.items():
            above = parents[parent_id]
            for row_id in row_ids:
                change = changes.setdefault((below, row_id), _Change(above.at))
                change.add(above.at, spreads=above.spreads - 1)


def _store(changes: dict[Key, _Change], last: int) -> dict[Key, dt.datetime]:
    """Store the changes with places behind `last`; which are new, and since when."""
    there: dict[Key, FeedRow] = {}
    for kind in FeedKind.values:
        of_kind = [row_id for found, row_id in changes if found == kind]
        for pks in _chunks(of_kind):
            for row in FeedRow.objects.filter(kind=kind, row_id__in=pks):
                there[row.kind, row.row_id] = row
    rows = []
    for key, change in changes.items():
        row = there.get(key) or FeedRow(
            kind=key[0], row_id=key[1], changed_at=change.at
        )
        last += 1
        # Stored as a new one, which replaces that of the same thing.
        row.pk = None
        row.place = last
        row.changed_at = max(row.changed_at, change.at)
        if change.parent_id is not None:
            row.parent_id = change.parent_id
        if change.gone is not None and change.gone != row.gone:
            row.gone = change.gone
            row.gone_at = change.at if change.gone else None
        rows.append(row)
    FeedRow.objects.bulk_create(
        rows,
        batch_size=1_000,
        update_conflicts=True,
        unique_fields=["kind", "row_id"],
        update_fields=["parent_id", "place", "changed_at", "gone", "gone_at"],
    )
    return {key: change.first for key, change in changes.items() if key not in there}
