"""Small phrases that several pages say the same way."""

from __future__ import annotations

from collections.abc import Sequence

_NUMBERS = (
    *("no", "one", "two", "three", "four", "five"),
    *("six", "seven", "eight", "nine", "ten"),
)


def joined(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 swing`, `12 swings`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def spelled(number: int) -> str:
    """Small numbers as words, as they stand in a sentence."""
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number)
