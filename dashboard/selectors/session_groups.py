"""Parts of a session that nothing joins: sides of a switch hitter, and setups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from athletes.analysis.means_by_side import SIDES, side_key
from athletes.models import Condition
from athletes.phrases import setup_words, side_in_words

#: The setups in the order in which they are listed; empty: none is recorded.
SETUPS = (*Condition.values, "")


class Part(NamedTuple):
    """The side that a swing is from, and how it was hit; empty where not known."""

    side: str
    setup: str


def setup_key(setup: str) -> str:
    """The name of a setup in an address."""
    return setup or "none"


@dataclass(frozen=True)
class Grouping:
    """Whether swings are told apart by side, by setup, by both or by neither."""

    by_side: bool = False
    by_setup: bool = False

    @property
    def is_apart(self) -> bool:
        """Whether swings are told apart at all."""
        return self.by_side or self.by_setup

    def of(self, part: Part) -> Part:
        """The group that swings of this part are in."""
        return Part(
            part.side if self.by_side else "", part.setup if self.by_setup else ""
        )

    def groups(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        """The groups of these parts, in their order."""
        found = {self.of(part) for part in parts}
        return tuple(
            sorted(
                found, key=lambda one: (SIDES.index(one.side), SETUPS.index(one.setup))
            )
        )

    def key(self, group: Part) -> str:
        """The name of a group in ids; empty where there is one alone."""
        keys = [side_key(group.side)] if self.by_side else []
        keys += [setup_key(group.setup)] if self.by_setup else []
        return "-".join(keys)

    def words(self, group: Part) -> str:
        """A group in words: `batting left, tee`; empty where there is one alone."""
        words = [side_in_words(group.side)] if self.by_side else []
        words += [setup_words(group.setup)] if self.by_setup else []
        return ", ".join(words)
