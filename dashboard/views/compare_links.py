"""Addresses of comparisons: each holds the items, how they are drawn, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

#: Parameters of the address that links and forms of the page set themselves.
_SET_BY_PAGE = frozenset({"items", "series", "align", "q", "span", "start", "end"})
# What anybody may have appended to the address is kept within reason.
_MOST_KEPT, _LONGEST_KEPT = 20, 100


def kept_parameters(query: QueryDict) -> tuple[tuple[str, str], ...]:
    """Other parameters of the address, which links and forms pass on as they are."""
    return tuple(
        (name[:_LONGEST_KEPT], value[:_LONGEST_KEPT])
        for name, values in query.lists()
        if name not in _SET_BY_PAGE
        for value in values
    )[:_MOST_KEPT]


@dataclass(frozen=True)
class CompareLinks:
    """Addresses of comparisons that are drawn like the present one.

    `keys` are those of its items in their order.
    """

    keys: tuple[str, ...]
    series: str
    align: str
    kept: tuple[tuple[str, str], ...]

    @property
    def items(self) -> str:
        """The items as the address names them."""
        return ",".join(self.keys)

    def to(self, keys: Sequence[str], **instead: str) -> str:
        """The address of a comparison of these items.

        `instead` are parameters to set; an empty one is left out.
        """
        query = [
            ("items", ",".join(keys)),
            ("series", self.series),
            ("align", self.align),
            *((name, value) for name, value in self.kept if name not in instead),
            *((name, value) for name, value in instead.items() if value),
        ]
        return f"?{urlencode(query, safe=',')}"

    def here(self, **instead: str) -> str:
        """The address of the present comparison with other parameters."""
        return self.to(self.keys, **instead)

    def to_add(self, key: str) -> str:
        """The address of the comparison with one more item."""
        return self.to([*self.keys, key])

    def without(self, key: str) -> str:
        """The address of the comparison with one item less."""
        return self.to([one for one in self.keys if one != key])

    def letter(self, key: str) -> str:
        """The letter of an item in the present comparison; empty for any other."""
        return "ABCDEF"[self.keys.index(key)] if key in self.keys else ""
