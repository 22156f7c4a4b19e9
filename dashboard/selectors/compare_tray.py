"""What somebody has put aside to compare, while they browse.

It is kept in the session on the server: nothing of an athlete stays on the device, and
logging out ends it. Only keys are kept; what they name is asked anew each time, of what
the user may see at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from athletes.access import Viewer
from biomechanics.definitions import SERIES
from dashboard import charts
from dashboard.selectors.compare_keys import MOST_ITEMS, ItemKey, parse_items
from dashboard.selectors.compare_names import ItemName, name_items

_ITEMS, _SERIES = "compare_items", "compare_series"

FULL = "You can compare up to six: remove one first."

Kept = MutableMapping[str, Any]


@dataclass(frozen=True)
class Tray:
    """What is put aside: names in their order, and the curve to begin with.

    `said` is what just happened, for who does not see it.
    """

    names: tuple[ItemName, ...]
    series: str = ""
    said: str = ""

    @property
    def lettered(self) -> tuple[tuple[str, ItemName], ...]:
        """Each with the letter that it would have in a comparison."""
        return tuple(zip(charts.LETTERS.upper(), self.names, strict=False))

    @property
    def items(self) -> str:
        """The keys as an address holds them."""
        return ",".join(str(name.key) for name in self.names)

    @property
    def query(self) -> str:
        """The query string of the comparison."""
        asked = {"items": self.items} | ({"series": self.series} if self.series else {})
        return f"?{urlencode(asked, safe=',')}"

    @property
    def is_full(self) -> bool:
        """Whether nothing more can be added."""
        return len(self.names) >= MOST_ITEMS


def kept_words(kept: Kept) -> tuple[str, ...]:
    """The keys in somebody's session; no query."""
    return tuple(kept.get(_ITEMS, ()))


def tray_of(user: Viewer, kept: Kept) -> Tray:
    """What is put aside, as far as `user` may see it; no query if there is nothing."""
    keys, _ = parse_items(kept_words(kept))
    names = name_items(user, keys) if keys else ()
    return Tray(names, str(kept.get(_SERIES, "")))


def turned(user: Viewer, kept: Kept, key: ItemKey | None, series: str = "") -> Tray:
    """Put one more thing aside, or take it out if it is there already.

    `series` names the curve beside which it was. Says so where nothing more can be
    added, and where there is no such thing or `user` may not see it.
    """
    tray = tray_of(user, kept)
    if key is not None and key in [name.key for name in tray.names]:
        return without(user, kept, key)
    if tray.is_full:
        return Tray(tray.names, tray.series, FULL)
    found = name_items(user, [key]) if key else ()
    if not found:
        return Tray(tray.names, tray.series, "That doesn't exist, or you can't see it.")
    return _keep(
        kept,
        (*tray.names, *(name for name in found if name not in tray.names)),
        series if series in SERIES else tray.series,
        f"Added: {found[0].label}.",
    )


def without(user: Viewer, kept: Kept, key: ItemKey | None) -> Tray:
    """Take one thing out."""
    tray = tray_of(user, kept)
    names = tuple(name for name in tray.names if name.key != key)
    return _keep(kept, names, tray.series if names else "", "Removed.")


def filled(user: Viewer, kept: Kept, keys: Iterable[ItemKey]) -> Tray:
    """Put these aside, in place of what was there; nothing empties it."""
    names = name_items(user, tuple(keys)[:MOST_ITEMS])
    return _keep(kept, names, "", "")


def _keep(kept: Kept, names: tuple[ItemName, ...], series: str, said: str) -> Tray:
    if names:
        kept[_ITEMS] = [str(name.key) for name in names]
        kept[_SERIES] = series
    else:
        for name in (_ITEMS, _SERIES):
            kept.pop(name, None)
    return Tray(names, series, said)
