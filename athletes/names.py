"""Names as people search them: folded to plain words, and with typing errors.

Accents, capitals, apostrophes, punctuation and the Unicode form of a name never decide
whether somebody is found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise

#: Letters of one word that are compared, and of a name that are searched: a name may
#: be a text of any length, and folding can make it longer.
_MOST_LETTERS = 40
MOST_SEARCHED = 820
#: Letters that Unicode does not split into a plain letter and an accent.
_PLAIN = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_APOSTROPHES = re.compile(r"['’‘ʼʻ`´]")
_WORD = re.compile(r"[^\W_]+")
#: From how many letters on a word may have one typing error, and two.
_ONE_ERROR, _TWO_ERRORS = 4, 6


@lru_cache(maxsize=4096)
def plain_words(text: str) -> tuple[str, ...]:
    """Return the words of a text without accents, capitals, apostrophes and hyphens.

    "Peña-O'Brien, J." gives `("pena", "obrien", "j")`.
    """
    text = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN)
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    words = _WORD.findall(_APOSTROPHES.sub("", text))
    return tuple(word[:_MOST_LETTERS] for word in words)


def search_words(text: str) -> tuple[str, ...]:
    """Return the words to look for; signs alone are looked for as they are."""
    return plain_words(text) or tuple(text.lower().split())


def search_text(first_name: str, last_name: str) -> str:
    """Return what a search reads of a name: its plain words, 820 letters at most.

    A first or last name of several words stands behind them once more as one word, as
    people write "delacruz" for "De La Cruz".
    """
    words = search_words(f"{first_name} {last_name}")
    joined = (
        "".join(parts)[:_MOST_LETTERS]
        for parts in (plain_words(first_name), plain_words(last_name))
        if len(parts) > 1
    )
    return " ".join((*words, *joined))[:MOST_SEARCHED]


def errors_allowed(word: str) -> int:
    """Return how many typing errors a word may have: none, one or two by its length."""
    return (len(word) >= _ONE_ERROR) + (len(word) >= _TWO_ERRORS)


def errors_between(one: str, other: str, most: int) -> int:
    """Return how many letters were changed, added, dropped, or swapped with the next.

    The edit distance of Damerau and Levenshtein (optimal string alignment); more than
    `most` are counted as `most` + 1.
    """
    # Loaded by the few requests that need it.
    from rapidfuzz.distance import OSA

    return int(OSA.distance(one, other, score_cutoff=most))


def errors_counter(words: Sequence[str]) -> Callable[[str], int | None]:
    """Return a function from a name's search text to the typing errors of all words.

    It gives ``None`` where a word has more errors than its length allows. A word may
    be the beginning of a longer one, as it is while somebody types. Among many
    athletes the same names come again and again, so each is looked at once.
    """

    @cache
    def of_word(word: str, name: str) -> int:
        most = errors_allowed(word)
        return min(errors_between(word, part, most) for part in _parts(name, len(word)))

    def of_name(searched: str) -> int | None:
        named = searched.split()
        total = 0
        for word in words:
            if word in searched:
                continue
            most = errors_allowed(word)
            least = min((of_word(word, name) for name in named), default=most + 1)
            if least > most or not most:
                return None
            total += least
        return total

    return of_name


def _parts(name: str, length: int) -> set[str]:
    """Return a word, and its beginnings of about as many letters."""
    return {name, *(name[: length + more] for more in (-1, 0, 1))}


def parts_left_by_errors(word: str) -> tuple[str, ...]:
    """Return texts of which one is in every word that differs by the allowed errors.

    A word cut in one piece more than it may have errors has one piece left as it is.
    Two letters swapped across a cut touch two pieces, so the pieces joined, with these
    letters swapped, are among the texts.
    """
    errors = errors_allowed(word)
    if not errors:
        return (word,)
    cuts = [round(k * len(word) / (errors + 1)) for k in range(errors + 2)]
    return tuple(dict.fromkeys(_left(word, cuts)))


def _left(word: str, cuts: list[int]) -> Iterator[str]:
    """Yield the pieces between the cuts, and joined ones with swapped borders."""
    for start, end in pairwise(cuts):
        yield word[start:end]
    for start, cut, end in zip(cuts, cuts[1:], cuts[2:], strict=False):
        yield _swapped(word, cut)[start:end]
    if len(cuts) == 4:
        yield _swapped(_swapped(word, cuts[1]), cuts[2])


def _swapped(word: str, cut: int) -> str:
    """Return a word with the letters on both sides of a cut swapped."""
    return word[: cut - 1] + word[cut] + word[cut - 1] + word[cut + 1 :]
