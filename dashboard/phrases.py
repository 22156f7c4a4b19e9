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


def session_day(day: dt.date | None, undated: str = "Undated session") -> str:
    """The day of a session, `Mar 8, 2026`, or what is said where it has none."""
    return date_format(day, "M j, Y") if day else undated


#: Why coaches exclude swings most often: one tap each.
EXCLUDE_REASONS = ("Check swing", "Bad tracking", "Not full effort")

_GAPS = {
    "inverse-kinematics": "inverse kinematics",
    "momentum-energy": "momentum-energy",
}


def gap_in_words(data_gap: str) -> str:
    """What a session lacks, in words; empty where it lacks nothing that is known."""
    lacks: dict[str, list[str]] = {}
    for entry in data_gap.split():
        data_type, _, why = entry.partition(":")
        lacks.setdefault(why, []).append(_GAPS.get(data_type, data_type))
    words = []
    if "no_data" in lacks:
        words.append(f"Reboot Motion has no {' and no '.join(lacks['no_data'])} data")
    if "failed" in lacks:
        words.append(f"{' and '.join(lacks['failed'])} could not be downloaded")
    return "; ".join(words)


# More of them are counted, not named.
_MOST_NAMED = 3


def lacking_words(positions: Sequence[int]) -> str:
    """The swings that lack a number: `swing 3 lacks it`, `swings 2 and 5 lack it`."""
    if len(positions) == 1:
        return f"swing {positions[0]} doesn't have it"
    if len(positions) > _MOST_NAMED:
        return f"{len(positions)} swings don't have it"
    return f"swings {list_in_words([str(one) for one in positions])} don't have it"


def count_in_words(number: int, noun: str, *, is_more: bool = False) -> str:
    """How many rows a list has: `1,204 sessions`, `more than 10,000 sessions`."""
    if is_more:
        return f"more than {number:,} {noun}s"
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
