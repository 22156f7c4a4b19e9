"""Small phrases that several pages say the same way."""

from __future__ import annotations

from collections.abc import Sequence


def joined(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def number_of(number: int, noun: str, plural: str = "") -> str:
    """`1 swing`, `12 swings`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
