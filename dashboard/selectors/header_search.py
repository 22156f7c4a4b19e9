"""What the search in the header finds while somebody types."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db.models import F

from athletes import names
from athletes.access import Viewer, visible_players

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
    players = visible_players(user)
    wanted = slice(MOST_FOUND + 1)
    rows = list(players.named_like(text).in_name_order()[wanted])
    is_nearly = not rows
    if is_nearly:
        near = players.nearly_named(text)
        rows = list(near.order_by(F("errors"), "last_name", "first_name", "id")[wanted])
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
        is_nearly and bool(rows),
        len(rows) > MOST_FOUND,
    )
