"""Small phrases that pages and sheets say the same way: lists, quantities, days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.formats import date_format


def list_in_words(words: Sequence[str]) -> str:
    """The words as one phrase: `a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def number_of(number: int, noun: str, plural: str = "") -> str:
    """A quantity with its noun: `1 swing`, `12 swings`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def session_day(day: dt.date | None, undated: str = "Undated session") -> str:
    """The day of a session, `Mar 8, 2026`, or what is said where it has none."""
    return date_format(day, "M j, Y") if day else undated
