"""Finds records that may be one athlete, and keeps what people say to it.

Nothing here merges or blocks anything. Two records are compared only when they share
a key of `NameKey`, so the work for one new or renamed athlete does not grow with the
facility; `compare_waiting` does it for all that changed since it was last called.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from accounts.audit import record
from accounts.models import Action, User
from athletes.models import DuplicatePair, Likeness, NameKey, Player

_AT_ONCE = 500
#: Whom one sync looks at: some seconds of work, also after a first import or an
#: update that makes everybody wait.
MOST_A_SYNC = 10_000
#: A key that more athletes share says little: nobody is compared by it.
MOST_OF_A_KEY = 200
#: A name that more athletes carry is a common one; with different birth dates they
#: are taken for different people.
MOST_NAMESAKES = 5

_WORDS = 4
_LETTERS = 40
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
#: Letters that do not fall apart into a plain one and an accent.
_PLAIN = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_APOSTROPHES = re.compile(r"['’ʼ`´]")
_WORD = re.compile(r"[^\W_]+")

#: Short names that neither begin like the long one nor are a slip away from it.
_NICKNAMES = (
    ("alexander", "sasha", "sandy", "xander"),
    ("andrew", "drew"),
    ("anthony", "tony"),
    ("charles", "chuck", "chip"),
    ("edward", "ned", "ted", "eddie"),
    ("elizabeth", "betty", "beth", "lisa", "liz"),
    ("francisco", "paco", "pancho"),
    ("henry", "hank", "harry"),
    ("james", "jim", "jimmy", "jamie"),
    ("john", "jack", "johnny"),
    ("jose", "pepe"),
    ("katherine", "kate", "katie", "kathy"),
    ("lawrence", "larry"),
    ("margaret", "peggy", "meg", "maggie"),
    ("michael", "mike", "mikey", "mick"),
    ("richard", "dick", "rick", "ricky", "rich"),
    ("robert", "bob", "bobby", "rob"),
    ("theodore", "ted", "teddy"),
    ("thomas", "tom", "tommy"),
    ("william", "bill", "billy", "will", "liam"),
)
_FULL_NAMES: dict[str, set[int]] = defaultdict(set)
for _number, _names in enumerate(_NICKNAMES):
    for _name in _names:
        _FULL_NAMES[_name].add(_number)

_RANKS = {likeness: rank for rank, likeness in enumerate(Likeness.values)}


@dataclass(frozen=True, slots=True)
class Facts:
    """What two records are compared by."""

    id: int
    first: tuple[str, ...]
    last: tuple[str, ...]
    born: dt.date | None

    @property
    def words(self) -> tuple[str, ...]:
        """All words of the name, the first name's before the last name's."""
        return (*self.first, *self.last)


def facts_of(
    pk: int, first_name: str, last_name: str, date_of_birth: dt.date | None
) -> Facts:
    """The facts of one record, its name in plain small words."""
    return Facts(pk, plain_words(first_name), plain_words(last_name), date_of_birth)


@lru_cache(maxsize=4096)
def plain_words(text: str) -> tuple[str, ...]:
    """Words of a name without accents, case, apostrophes, hyphens and "Jr."."""
    text = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN)
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    words = [word[:_LETTERS] for word in _WORD.findall(_APOSTROPHES.sub("", text))]
    kept = [word for word in words if word not in _SUFFIXES]
    return tuple((kept or words)[:_WORDS])


# --- Comparing two records --------------------------------------------------------


def likeness(one: Facts, other: Facts) -> Likeness | None:
    """Why two records may be one athlete; None when nothing says so.

    Whether a shared name is rare enough to count with different birth dates is for
    the caller to know.
    """
    both = one.born is not None and other.born is not None
    if both and one.born == other.born:
        if _is_same(one, other):
            return Likeness.SAME
        if _is_swapped(one, other):
            return Likeness.SWAPPED
        return Likeness.SIMILAR if _is_similar(one, other) else None
    if both:
        if not (_is_same(one, other) or _is_swapped(one, other)):
            return None
        if _is_slip(one.born, other.born):
            return Likeness.SAME_DATE_TYPO
        return Likeness.SAME_OTHER_DATE if _is_same(one, other) else None
    if _is_same(one, other):
        return Likeness.SAME_NO_DATE
    if _is_swapped(one, other):
        return Likeness.SWAPPED_NO_DATE
    # Without birth dates one part of the name has to be the same.
    if _shares_a_part(one, other) and _is_similar(one, other):
        return Likeness.SIMILAR_NO_DATE
    return None


def _joined(words: tuple[str, ...]) -> str:
    """ "De La Cruz" and "Delacruz" are one name."""
    return "".join(words)


def _is_same(one: Facts, other: Facts) -> bool:
    """Whether two records have the same first and the same last name."""
    return (
        bool(one.words)
        and _joined(one.first) == _joined(other.first)
        and _joined(one.last) == _joined(other.last)
    )


def _is_swapped(one: Facts, other: Facts) -> bool:
    """The same words in another order."""
    if not one.words or not other.words:
        return False
    crossed = _joined(one.first) == _joined(other.last) and _joined(
        one.last
    ) == _joined(other.first)
    return crossed or sorted(one.words) == sorted(other.words)


def _shares_a_part(one: Facts, other: Facts) -> bool:
    """Whether two names have a word in common."""
    return bool(set(one.words) & set(other.words))


def _is_similar(one: Facts, other: Facts) -> bool:
    """Whether first and last names are alike, in the same order or swapped."""
    if not all((one.first, one.last, other.first, other.last)):
        return False
    straight = _are_like(one.first, other.first) and _are_like(one.last, other.last)
    return straight or (
        _are_like(one.first, other.last) and _are_like(one.last, other.first)
    )


def _are_like(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two first (or two last) names may be meant for the same."""
    if (
        _joined(one) == _joined(other)
        or set(one) <= set(other)
        or set(other) <= set(one)
    ):
        return True
    return is_like(_joined(one), _joined(other)) or (
        len(one) != len(other) and is_like(one[0], other[0])
    )


def is_like(one: str, other: str) -> bool:
    """Whether one word may be a slip, a beginning or a short form of the other."""
    if _FULL_NAMES.get(one, set()) & _FULL_NAMES.get(other, set()):
        return True
    short, long = sorted((one, other), key=len)
    # An initial, or "Ben" for "Benjamin"; "Jo" alone says too little.
    if long.startswith(short) and (len(short) == 1 or len(short) >= 3):
        return True
    if len(short) < 4:
        # "Jon" and "John", but not "Eva" and "Ava".
        allowed = int(len(short) == 3 and len(long) == 4)
    else:
        allowed = 1 if len(short) < 8 else 2
    return allowed > 0 and _distance(one, other, allowed) <= allowed


def _distance(one: str, other: str, most: int) -> int:
    """Letters changed, added, dropped, or swapped with the next one."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, facing in enumerate(other, start=1):
            cost = min(
                before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != facing)
            )
            if i > 1 and j > 1 and letter == other[j - 2] and facing == one[i - 2]:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def _is_slip(one: dt.date | None, other: dt.date | None) -> bool:
    """Day and month exchanged, or one digit wrong."""
    if one is None or other is None:
        return False
    if one.year == other.year and (one.month, one.day) == (other.day, other.month):
        return True
    pairs = zip(one.isoformat(), other.isoformat(), strict=True)
    return sum(left != right for left, right in pairs) == 1


# --- Keys -------------------------------------------------------------------------


def _hash(text: str) -> str:
    """A short hash of a text."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _name_key(facts: Facts) -> str:
    """The key of a name; first and last name may be swapped."""
    return _hash(
        "name:" + "|".join(sorted((_joined(facts.first), _joined(facts.last))))
    )


def _keys(facts: Facts) -> tuple[set[str], set[str]]:
    """Keys to be found by, and keys to look for others by.

    Only a record without a birth date is alike by half a name, so the many that have
    one need not be looked at for each other.
    """
    if not facts.words:
        return set(), set()
    words = facts.words[:_WORDS]
    shared = {_name_key(facts), _hash("words:" + "|".join(sorted(words)))}
    halves = {f"{one}|{other[0]}" for one, other in permutations(words, 2)}
    if facts.born is not None:
        day = facts.born.isoformat()
        shared |= {_hash(f"born:{day}:{word[0]}") for word in words}
        dated = {_hash(f"dated:{half}") for half in halves}
        return shared | dated, shared | {_hash(f"undated:{half}") for half in halves}
    undated = {_hash(f"undated:{half}") for half in halves}
    return shared | undated, shared | undated | {
        _hash(f"dated:{half}") for half in halves
    }


# --- Looking for likes ------------------------------------------------------------


def compare_waiting(most: int | None = None) -> int:
    """Look for the likes of every new or renamed athlete; how many were looked at.

    At most about `most` (whole steps of `_AT_ONCE`); the others wait for the next
    call. Safe to be called from several processes, and again after it was
    interrupted: each step is kept.
    """
    count = 0
    while (most is None or count < most) and (done := _compare_some()):
        count += done
    return count


def compare_these(player_ids: Iterable[int]) -> int:
    """Look for the likes of those of these athletes that wait; nobody else's."""
    return _compare_some(Q(pk__in=list(player_ids)))


def _compare_some(among: Q | None = None) -> int:
    """Compare a few hundred waiting athletes; returns how many."""
    with transaction.atomic():
        waiting = Player.objects.filter(
            among or Q(), compared_at__isnull=True
        ).order_by("pk")
        if connection.features.has_select_for_update_skip_locked:
            # Whoever renames one of these meanwhile waits, and empties the mark again.
            waiting = waiting.select_for_update(
                no_key=connection.features.has_select_for_no_key_update,
                skip_locked=True,
            )
        rows = list(waiting.values_list(*_FACTS)[:_AT_ONCE])
        if not rows:
            return 0
        batch = {row[0]: facts_of(*row) for row in rows}
        _write_keys(batch.values())
        _write_pairs(set(batch), _find(batch))
        Player.objects.filter(pk__in=batch).update(compared_at=timezone.now())
    return len(rows)


_FACTS = ("id", "first_name", "last_name", "date_of_birth")


def _write_keys(batch: Iterable[Facts]) -> None:
    """Store the keys by which these athletes are found."""
    facts = list(batch)
    NameKey.objects.filter(player__in=[item.id for item in facts]).delete()
    NameKey.objects.bulk_create(
        [
            NameKey(player_id=item.id, key=key)
            for item in facts
            for key in sorted(_keys(item)[0])
        ],
        batch_size=2000,
    )


def _find(batch: Mapping[int, Facts]) -> dict[tuple[int, int], Likeness]:
    """The likes of these athletes among all, each pair in the order of its ids."""
    seekers: dict[str, list[Facts]] = defaultdict(list)
    for facts in batch.values():
        for key in _keys(facts)[1]:
            seekers[key].append(facts)
    # Without a join: a database that knows nothing of its tables yet begins such a
    # one with all athletes.
    keys = NameKey.objects.filter(key__in=seekers).order_by()
    sizes = dict(keys.values_list("key").annotate(Count("id")))
    wanted = {key for key, size in sizes.items() if size <= MOST_OF_A_KEY}
    members = [row for row in keys.values_list("key", "player_id") if row[0] in wanted]
    ids = sorted({player_id for _, player_id in members})
    others = {
        row[0]: facts_of(*row)
        for start in range(0, len(ids), 5000)
        for row in Player.objects.filter(pk__in=ids[start : start + 5000]).values_list(
            *_FACTS
        )
    }
    found: dict[tuple[int, int], Likeness] = {}
    seen: set[tuple[int, int]] = set()
    for key, player_id in members:
        other = others.get(player_id)
        if other is None:  # merged into another one
            continue
        for facts in seekers[key]:
            pair = min(facts.id, other.id), max(facts.id, other.id)
            if facts.id == other.id or pair in seen:
                continue
            seen.add(pair)
            why = likeness(facts, other)
            if why == Likeness.SAME_OTHER_DATE:
                namesakes = sizes.get(_name_key(facts), 0)
                why = why if namesakes <= MOST_NAMESAKES else None
            if why is not None:
                found[pair] = why
    return found


def _write_pairs(ids: set[int], found: Mapping[tuple[int, int], Likeness]) -> None:
    """Store what was found; forget what is no longer alike and nobody decided on."""
    known = {
        (pair.first_id, pair.second_id): pair
        for pair in DuplicatePair.objects.of_separate().filter(
            Q(first__in=ids) | Q(second__in=ids)
        )
    }
    gone = [
        pair.pk
        for key, pair in known.items()
        if key not in found and pair.dismissed_at is None
    ]
    DuplicatePair.objects.filter(pk__in=gone).delete()
    for key, why in found.items():
        pair = known.get(key)
        if pair is not None and pair.likeness != why:
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
        # Another process may have found the same from the other side.
        ignore_conflicts=True,
        batch_size=500,
    )


# --- What people say to it --------------------------------------------------------


def dismiss(*, pair: DuplicatePair, by: User) -> None:
    """Note that these are two people; they are not named again."""
    with transaction.atomic():
        changed = DuplicatePair.objects.filter(
            pk=pair.pk, dismissed_at__isnull=True
        ).update(dismissed_at=timezone.now(), dismissed_by=by)
        if changed:
            _record(pair, by, "not the same")


def bring_back(*, pair: DuplicatePair, by: User) -> None:
    """Take `dismiss` back."""
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


def flagged(player_ids: Iterable[int]) -> Iterator[int]:
    """Which of these athletes are in a pair that waits for a decision."""
    ids = set(player_ids)
    pairs = DuplicatePair.objects.waiting().filter(Q(first__in=ids) | Q(second__in=ids))
    for first, second in pairs.values_list("first_id", "second_id"):
        yield from ids & {first, second}
