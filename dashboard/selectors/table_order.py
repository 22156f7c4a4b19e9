"""The order that a table is sorted by: in its address, its heads and its menu."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

#: What a first click on a column of numbers does.
LARGEST_FIRST = "largest first"


class SortColumn(Protocol):
    """A column whose head sorts the table."""

    @property
    def key(self) -> str:
        """The column's name in the address."""

    @property
    def label(self) -> str:
        """The text of the head."""

    @property
    def descending_words(self) -> str:
        """What a first click does if it descends: `largest first`; else empty."""


@dataclass(frozen=True)
class TableOrder:
    """The column that a table is sorted by, and whether it descends."""

    key: str
    descending: bool = False

    @property
    def text(self) -> str:
        """The order as the address names it: `-swings` is swings, largest first."""
        return f"-{self.key}" if self.descending else self.key

    def aria_sort(self, column: SortColumn) -> str:
        """What a screen reader says of a head; empty unless the order is its own."""
        if column.key != self.key:
            return ""
        return "descending" if self.descending else "ascending"

    def after_click(self, column: SortColumn) -> TableOrder:
        """The order that a click on a head asks for: its own, or the reverse of it."""
        if column.key == self.key:
            return TableOrder(column.key, not self.descending)
        return TableOrder(column.key, bool(column.descending_words))

    def choices(
        self, columns: Collection[SortColumn]
    ) -> tuple[tuple[TableOrder, str], ...]:
        """Orders to choose from on a phone, which shows no heads, with their labels.

        The present order is among them. A list of both directions of every column would
        be too long.
        """
        offered = {}
        for column in columns:
            words = column.descending_words
            order = TableOrder(column.key, bool(words))
            offered[order] = column.label + (f", {words}" if words else "")
        if self not in offered:
            label = next(one.label for one in columns if one.key == self.key)
            offered[self] = f"{label}, reversed"
        return tuple(offered.items())


def order_from(text: str, keys: Collection[str], default: str) -> TableOrder:
    """The order that an address names; by the `default` column if by none of `keys`."""
    key = text.removeprefix("-")
    if key not in keys:
        return TableOrder(default)
    return TableOrder(key, text.startswith("-"))
