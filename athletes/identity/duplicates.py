"""Finding records that may be one athlete, and what people decided about them.

Nothing here merges or blocks anything. Two records are compared only when they share
a key of `NameKey`, so the work for one new or renamed athlete does not grow with the
facility; `compare_waiting` does it for all that changed since it was last called.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.audit import record
from accounts.models import Action, User
from athletes.identity.name_similarity import (
    MOST_WORDS,
    Identity,
    identity_of,
    joined,
    likeness,
)
from athletes.kept_questions import kept_question
from athletes.models import DuplicatePair, Likeness, NameKey, Player

_AT_ONCE = 500
#: How many athletes one sync compares: some seconds of work, also after a first import
#: or an update after which all athletes wait.
MOST_A_SYNC = 10_000
#: A key that more athletes share says little: no athletes are compared because of it.
MOST_OF_A_KEY = 200
#: A name that more athletes have is a common one; with different birth dates they are
#: taken for different people.
MOST_NAMESAKES = 5

_RANKS = {likeness: rank for rank, likeness in enumerate(Likeness.values)}


# --- Keys -------------------------------------------------------------------------


def _hash(text: str) -> str:
    """A short hash of a text."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _name_key(identity: Identity) -> str:
    """The key of a name; first and last name may be swapped."""
    return _hash(
        "name:" + "|".join(sorted((joined(identity.first), joined(identity.last))))
    )


def _keys(identity: Identity) -> tuple[set[str], set[str]]:
    """The keys by which a record is found, and those by which it looks for others.

    Only a record without a birth date is alike by half a name, so the many that have
    one need not be looked at for each other.
    """
    if not identity.words:
        return set(), set()
    words = identity.words[:MOST_WORDS]
    shared = {_name_key(identity), _hash("words:" + "|".join(sorted(words)))}
    halves = {f"{one}|{other[0]}" for one, other in permutations(words, 2)}
    if identity.born is not None:
        day = identity.born.isoformat()
        shared |= {_hash(f"born:{day}:{word[0]}") for word in words}
        dated = {_hash(f"dated:{half}") for half in halves}
        return shared | dated, shared | {_hash(f"undated:{half}") for half in halves}
    undated = {_hash(f"undated:{half}") for half in halves}
    return shared | undated, shared | undated | {
        _hash(f"dated:{half}") for half in halves
    }


# --- Finding pairs ------------------------------------------------------------


def compare_waiting(most: int | None = None) -> int:
    """Compare every new or renamed athlete with all others; returns how many.

    At most about `most` (in whole steps of `_AT_ONCE`); the others wait for the next
    call. May be called from several processes, and again after it was interrupted: each
    step is kept.
    """
    count = 0
    while (most is None or count < most) and (done := _compare_some()):
        count += done
    return count


def compare_these(player_ids: Iterable[int]) -> int:
    """Compare those of these athletes who are new or renamed; returns how many."""
    return _compare_some(Q(pk__in=list(player_ids)))


def _compare_some(among: Q | None = None) -> int:
    """Compare a few hundred waiting athletes; returns how many."""
    with transaction.atomic():
        waiting = Player.objects.filter(
            among or Q(), compared_at__isnull=True
        ).order_by("pk")
        if connection.features.has_select_for_update_skip_locked:
            # A change of one of these names waits, and then empties compared_at again.
            waiting = waiting.select_for_update(
                no_key=connection.features.has_select_for_no_key_update,
                skip_locked=True,
            )
        rows = list(waiting.values_list(*_IDENTITY_FIELDS)[:_AT_ONCE])
        if not rows:
            return 0
        batch = {row[0]: identity_of(*row) for row in rows}
        _write_keys(batch.values())
        _write_pairs(set(batch), _find(batch))
        Player.objects.filter(pk__in=batch).update(compared_at=timezone.now())
    return len(rows)


_IDENTITY_FIELDS = ("id", "first_name", "last_name", "date_of_birth")


def _write_keys(batch: Iterable[Identity]) -> None:
    """Store the keys by which these athletes are found."""
    identities = list(batch)
    NameKey.objects.filter(player__in=[item.id for item in identities]).delete()
    NameKey.objects.bulk_create(
        [
            NameKey(player_id=item.id, key=key)
            for item in identities
            for key in sorted(_keys(item)[0])
        ],
        batch_size=2000,
    )


def _find(batch: Mapping[int, Identity]) -> dict[tuple[int, int], Likeness]:
    """The athletes similar to these: pairs of keys (smaller first), each with why."""
    seekers: dict[str, list[Identity]] = defaultdict(list)
    for identity in batch.values():
        for key in _keys(identity)[1]:
            seekers[key].append(identity)
    # Without a join: before a database has statistics of its tables, it would begin
    # the join with all athletes.
    keys = NameKey.objects.filter(key__in=seekers).order_by()
    sizes = dict(keys.values_list("key").annotate(Count("id")))
    wanted = {key for key, size in sizes.items() if size <= MOST_OF_A_KEY}
    members = [row for row in keys.values_list("key", "player_id") if row[0] in wanted]
    ids = sorted({player_id for _, player_id in members})
    others = {
        row[0]: identity_of(*row)
        for start in range(0, len(ids), 5000)
        for row in Player.objects.filter(pk__in=ids[start : start + 5000]).values_list(
            *_IDENTITY_FIELDS
        )
    }
    found: dict[tuple[int, int], Likeness] = {}
    seen: set[tuple[int, int]] = set()
    for key, player_id in members:
        other = others.get(player_id)
        if other is None:  # merged into another one
            continue
        for identity in seekers[key]:
            pair = min(identity.id, other.id), max(identity.id, other.id)
            if identity.id == other.id or pair in seen:
                continue
            seen.add(pair)
            why = likeness(identity, other)
            if why == Likeness.SAME_OTHER_DATE:
                namesakes = sizes.get(_name_key(identity), 0)
                why = why if namesakes <= MOST_NAMESAKES else None
            if why is not None:
                found[pair] = why
    return found


def _write_pairs(ids: set[int], found: Mapping[tuple[int, int], Likeness]) -> None:
    """Store the pairs that were found; delete undecided ones that no longer hold."""
    known = {
        (pair.first_id, pair.second_id): pair
        for pair in DuplicatePair.objects.of_separate().filter(
            Q(first__in=ids) | Q(second__in=ids)
        )
    }
    gone = [
        pair.pk
        for key, pair in known.items()
        if key not in found
        and pair.dismissed_at is None
        # The ids stay what they are, whatever the names.
        and pair.likeness != Likeness.SAME_ID
    ]
    DuplicatePair.objects.filter(pk__in=gone).delete()
    for key, why in found.items():
        pair = known.get(key)
        if pair is not None and pair.likeness not in {why, Likeness.SAME_ID}:
            DuplicatePair.objects.filter(pk=pair.pk).update(
                likeness=why, rank=_RANKS[why]
            )
    DuplicatePair.objects.bulk_create(
        [
            DuplicatePair(
                first_id=first, second_id=second, likeness=why, rank=_RANKS[why]
            )
            for (first, second), why in sorted(found.items())
            if (first, second) not in known
        ],
        # Another process may have found the same pair from the other athlete.
        ignore_conflicts=True,
        batch_size=500,
    )


# --- Decisions of people --------------------------------------------------------


def dismiss(*, pair: DuplicatePair, by: User) -> None:
    """Store that the two records are two people; the pair is not shown again."""
    with transaction.atomic():
        changed = DuplicatePair.objects.filter(
            pk=pair.pk, dismissed_at__isnull=True
        ).update(dismissed_at=timezone.now(), dismissed_by=by)
        if changed:
            _record(pair, by, "not the same")


def bring_back(*, pair: DuplicatePair, by: User) -> None:
    """Undo `dismiss`: the pair is shown again."""
    with transaction.atomic():
        changed = DuplicatePair.objects.filter(
            pk=pair.pk, dismissed_at__isnull=False
        ).update(dismissed_at=None, dismissed_by=None)
        if changed:
            _record(pair, by, "perhaps the same")


def _record(pair: DuplicatePair, by: User, said: str) -> None:
    """Write the decision about a pair into the audit trail of both athletes."""
    for one, other in permutations((pair.first_id, pair.second_id)):
        record(
            Action.DUPLICATE_DECIDED,
            by=by,
            subject=pair,
            player_id=one,
            other=other,
            said=said,
        )


@kept_question
def _waiting_of(*player_ids: int) -> QuerySet[DuplicatePair, tuple[int, int]]:
    pairs = DuplicatePair.objects.waiting().filter(
        Q(first__in=player_ids) | Q(second__in=player_ids)
    )
    return pairs.values_list("first_id", "second_id")


def in_open_pairs(player_ids: Iterable[int]) -> Iterator[int]:
    """Yield those of these athletes who are in a pair that nobody has decided about."""
    ids = set(player_ids)
    for first, second in _waiting_of(*ids):
        yield from ids & {first, second}
