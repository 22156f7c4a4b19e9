"""How similar two records are by name and birth date, and why.

Pure comparison of two records; `athletes.identity.duplicates` decides which records are
compared.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from athletes.models import Likeness
from athletes.names import errors_between, plain_words

#: Words of one name that are compared; a name may be a text of any length.
MOST_WORDS = 4
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
#: Short names that neither begin like the full name nor differ by a typing error.
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


@dataclass(frozen=True, slots=True)
class Identity:
    """The name and birth date by which two records are compared."""

    id: int
    first: tuple[str, ...]
    last: tuple[str, ...]
    born: dt.date | None

    @property
    def words(self) -> tuple[str, ...]:
        """All words of the name, the first name's before the last name's."""
        return (*self.first, *self.last)


def identity_of(
    pk: int, first_name: str, last_name: str, date_of_birth: dt.date | None
) -> Identity:
    """The identity of one record, its name as plain lower-case words."""
    return Identity(
        pk, compared_words(first_name), compared_words(last_name), date_of_birth
    )


def compared_words(text: str) -> tuple[str, ...]:
    """The words of a name without accents, capitals, apostrophes, hyphens and "Jr."."""
    words = plain_words(text)
    kept = [word for word in words if word not in _SUFFIXES]
    return tuple((kept or words)[:MOST_WORDS])


def likeness(one: Identity, other: Identity) -> Likeness | None:
    """Why two records may be one athlete; None when they are not similar.

    With different birth dates a shared name counts only if it is rare, which the caller
    has to find out.
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


def joined(words: tuple[str, ...]) -> str:
    """The words of a name as one: De La Cruz and Delacruz are the same name."""
    return "".join(words)


def _is_same(one: Identity, other: Identity) -> bool:
    """Whether two records have the same first and the same last name."""
    return (
        bool(one.words)
        and joined(one.first) == joined(other.first)
        and joined(one.last) == joined(other.last)
    )


def _is_swapped(one: Identity, other: Identity) -> bool:
    """Whether two names have the same words in another order."""
    if not one.words or not other.words:
        return False
    crossed = joined(one.first) == joined(other.last) and joined(one.last) == joined(
        other.first
    )
    return crossed or sorted(one.words) == sorted(other.words)


def _shares_a_part(one: Identity, other: Identity) -> bool:
    """Whether two names have a word in common."""
    return bool(set(one.words) & set(other.words))


def _is_similar(one: Identity, other: Identity) -> bool:
    """Whether first and last names are alike, in the same order or swapped."""
    if not all((one.first, one.last, other.first, other.last)):
        return False
    straight = _are_like(one.first, other.first) and _are_like(one.last, other.last)
    return straight or (
        _are_like(one.first, other.last) and _are_like(one.last, other.first)
    )


def _are_like(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two first names (or two last names) may stand for the same name."""
    if joined(one) == joined(other) or set(one) <= set(other) or set(other) <= set(one):
        return True
    return _is_like(joined(one), joined(other)) or (
        len(one) != len(other) and _is_like(one[0], other[0])
    )


def _is_like(one: str, other: str) -> bool:
    """Whether one word may be a misspelling, beginning or short form of the other."""
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
    return allowed > 0 and errors_between(one, other, allowed) <= allowed


def _is_slip(one: dt.date | None, other: dt.date | None) -> bool:
    """Whether two dates differ by one wrong digit, or by day and month exchanged."""
    if one is None or other is None:
        return False
    if one.year == other.year and (one.month, one.day) == (other.day, other.month):
        return True
    pairs = zip(one.isoformat(), other.isoformat(), strict=True)
    return sum(left != right for left, right in pairs) == 1
