"""How an address names what is compared: `session-12,range-7-20260101-20260331`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from athletes.analysis.means_by_side import SIDES, side_key
from athletes.models import Condition

LEAST_ITEMS, MOST_ITEMS = 2, 6
SWING, SESSION, ATHLETE, RANGE = KINDS = ("swing", "session", "athlete", "range")
#: What stands in an address for a session without a setup.
NO_SETUP = "nosetup"

#: The sides as an address names them.
SIDE_KEYS = tuple(map(side_key, SIDES))
_SETUP_KEYS = (*Condition.values, NO_SETUP)
# Keys of rows are 64-bit numbers; a longer one names nothing.
_MOST_DIGITS = 18


@dataclass(frozen=True)
class ItemKey:
    """One thing to compare as the URL names it: `session-12`, `session-12-left`.

    `side` names one of the two sides that a switch hitter swings from. `setup` names
    the setup of the swings that stand for a session (`session-12-tee`), for an athlete
    (`athlete-7-tee`) or for their sessions from `start` to `end`
    (`range-7-20260101-20260331-tee`).
    """

    kind: str
    pk: int
    side: str = ""
    setup: str = ""
    start: dt.date | None = None
    end: dt.date | None = None

    def __str__(self) -> str:
        # Years before 1000 keep their zeros.
        days = (
            day.isoformat().replace("-", "") for day in (self.start, self.end) if day
        )
        parts = (self.kind, str(self.pk), *days, self.side, self.setup)
        return "-".join(filter(None, parts))

    @property
    def condition(self) -> str | None:
        """The setup as swings have it; None where the address names none."""
        return None if not self.setup else self.setup.replace(NO_SETUP, "")

    def with_condition(self, condition: str) -> ItemKey:
        """The same of the swings with this setup; empty text for none recorded."""
        return replace(self, setup=condition or NO_SETUP)


def parse_items(texts: Iterable[str]) -> tuple[tuple[ItemKey, ...], tuple[str, ...]]:
    """The things that the URL names, each once, and what could not be read."""
    keys: dict[ItemKey, None] = {}
    problems = []
    for text in texts:
        for word in filter(None, (part.strip() for part in text.split(","))):
            key = parse_item(word)
            if key is None:
                problems.append(f"“{word[:40]}” is not something to compare.")
            else:
                keys.setdefault(key)
    if len(keys) > MOST_ITEMS:
        problems.append(f"Only the first {MOST_ITEMS} are shown.")
    return tuple(keys)[:MOST_ITEMS], tuple(problems)


def parse_item(word: str) -> ItemKey | None:
    """The thing that one word of an address names; None for what names nothing."""
    kind, *rest = word.split("-")
    if kind not in KINDS or not rest or not _is_number(rest[0]):
        return None
    if len(rest[0]) > _MOST_DIGITS:
        return None
    key, rest = ItemKey(kind, int(rest[0])), rest[1:]
    if kind == RANGE:
        days = [_day(text) for text in rest[:2]]
        if len(days) < 2 or None in days:
            return None
        key, rest = replace(key, start=days[0], end=days[1]), rest[2:]
        if key.start and key.end and key.end < key.start:
            return None
    if kind != SWING and rest and rest[0] in SIDE_KEYS:
        key, rest = replace(key, side=rest[0]), rest[1:]
    if kind != SWING and rest and rest[0] in _SETUP_KEYS:
        key, rest = replace(key, setup=rest[0]), rest[1:]
    return None if rest else key


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _day(text: str) -> dt.date | None:
    """The day that eight digits write; None where there is no such day."""
    if len(text) != 8 or not _is_number(text):
        return None
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
