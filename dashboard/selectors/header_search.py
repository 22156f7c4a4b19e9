"""What the search in the header finds while somebody types; the picker asks it too."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db.models import F

from athletes import names
from athletes.access import Viewer, visible_players
from athletes.models import Player

MOST_FOUND = 8


@dataclass(frozen=True)
class FoundAthlete:
    """An athlete that the search found.

    The birth year and the last session tell those apart who share a name; both are
    None for everybody else.
    """

    id: int
    name: str
    shares_name: bool
    birth_year: int | None
    last_session_on: dt.date | None


@dataclass(frozen=True)
class Found:
    """The first athletes of a name, or of nearly that name."""

    athletes: tuple[FoundAthlete, ...]
    is_nearly: bool
    has_more: bool


def found_while_typing(user: Viewer, text: str) -> Found:
    """The athletes whom a user may see and a search finds; one query, or two."""
    rows, is_nearly = athletes_named(user, text, MOST_FOUND + 1)
    shown = rows[:MOST_FOUND]
    alike = Counter(names.search_words(player.full_name) for player in rows)
    return Found(
        tuple(
            FoundAthlete(
                player.pk,
                player.full_name,
                shares := alike[names.search_words(player.full_name)] > 1,
                player.date_of_birth.year if shares and player.date_of_birth else None,
                player.last_session_on if shares else None,
            )
            for player in shown
        ),
        is_nearly,
        len(rows) > MOST_FOUND,
    )


def athletes_named(user: Viewer, text: str, most: int) -> tuple[list[Player], bool]:
    """The first visible athletes of a name, or else of nearly that name.

    True beside them where typing errors had to be forgiven to find them.
    """
    players = visible_players(user)
    exact = list(players.named_like(text).in_name_order()[:most])
    if exact:
        return exact, False
    by_errors = players.nearly_named(text).order_by(
        F("errors"), "last_name", "first_name", "id"
    )
    near = list(by_errors[:most])
    return near, bool(near)
