"""Saved comparisons: whoever opens one must be allowed to see every part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts.models import User
from athletes import access
from dashboard.selectors.compare_items import load_items
from dashboard.selectors.compare_keys import (
    ATHLETE,
    LEAST_ITEMS,
    RANGE,
    SESSION,
    SWING,
    ItemKey,
)
from sharing.models import SavedComparison, SavedItem

MOST_SAVED = 200


class NotSavableError(ValueError):
    """A comparison cannot be saved; the text says why."""


@dataclass(frozen=True)
class SavedLine:
    """A saved comparison in the list, with its items in words."""

    comparison: SavedComparison
    items: tuple[str, ...]
    is_own: bool
    url: str

    @property
    def is_whole(self) -> bool:
        """Whether at least two sides are left to compare."""
        return len(self.items) >= LEAST_ITEMS


def visible_comparisons(user: User) -> QuerySet[SavedComparison]:
    """The user's own comparisons and shared ones, if they may see every part."""
    hidden = SavedItem.objects.exclude(
        Q(player__isnull=False)
        & (
            Q(player__in=access.visible_players(user).values("pk"))
            | Q(player__merged_into__in=access.visible_players(user).values("pk"))
        )
        | Q(session__isnull=False)
        & (
            Q(session__in=access.kept_sessions(user).values("pk"))
            | Q(session__folded_into__in=access.kept_sessions(user).values("pk"))
        )
        | Q(movement__isnull=False)
        & Q(movement__in=access.kept_movements(user).values("pk"))
    )
    return (
        SavedComparison.objects.filter(Q(owner=user) | Q(is_shared=True))
        .exclude(pk__in=hidden.values("comparison"))
        .select_related("owner")
    )


def get_comparison_or_404(user: User, pk: int) -> SavedComparison:
    """The comparison, if this user may see all of it."""
    found = visible_comparisons(user).filter(pk=pk).first()
    if found is None:
        raise Http404("That comparison doesn't exist, or you can't see all of it.")
    return found


def get_own_comparison_or_404(user: User, pk: int) -> SavedComparison:
    """The comparison, if it is this user's own: only the owner may change it."""
    found = get_comparison_or_404(user, pk)
    if found.owner_id != user.pk:
        raise Http404("That comparison doesn't exist, or isn't yours.")
    return found


def saved_lines(user: User) -> tuple[SavedLine, ...]:
    """The comparisons that the user may see, by name."""
    found = list(visible_comparisons(user)[:MOST_SAVED])
    items: dict[int, list[SavedItem]] = {}
    for item in SavedItem.objects.filter(comparison__in=found).select_related(
        "player", "player__merged_into", "session__player", "movement__session__player"
    ):
        items.setdefault(item.comparison_id, []).append(item)
    return tuple(
        SavedLine(
            comparison=comparison,
            items=tuple(item.words for item in items.get(comparison.pk, [])),
            is_own=comparison.owner_id == user.pk,
            url=address(comparison, items.get(comparison.pk, [])),
        )
        for comparison in found
    )


def address(comparison: SavedComparison, items: Iterable[SavedItem]) -> str:
    """The query string of the compare page that shows it."""
    query = {
        "items": ",".join(dict.fromkeys(item.key for item in items)),
        "series": comparison.series,
        "align": comparison.align,
    }
    if comparison.each:
        query["each"] = "on"
    if comparison.second:
        query["second"] = comparison.second
    query |= parse_qsl(comparison.figure)
    return f"?{urlencode(query, safe=',')}"


@transaction.atomic
def save_comparison(
    *,
    user: User,
    name: str,
    keys: Sequence[ItemKey],
    series: str,
    align: str,
    is_shared: bool,
    each: bool = False,
    second: str = "",
    figure: Mapping[str, str] | None = None,
) -> SavedComparison:
    """Save a comparison under a name.

    With `each` single swings are drawn; `second` is the letter of the item whose figure
    stands beside the first; `figure` says how both stand, as the address does.

    Raises `NotSavableError` when a part is missing or may not be seen, when there is
    nothing to compare, and when the user keeps as many as are allowed.
    """
    items, missing = load_items(user, keys)
    if missing:
        raise NotSavableError(missing[0])
    if len(items) < LEAST_ITEMS:
        raise NotSavableError("A comparison needs two items: add another.")
    if SavedComparison.objects.filter(owner=user).count() >= MOST_SAVED:
        raise NotSavableError(
            f"You already have {MOST_SAVED} saved comparisons: delete one first."
        )
    comparison = SavedComparison.objects.create(
        name=name,
        owner=user,
        series=series,
        align=align,
        each=each,
        second=second,
        figure=urlencode(
            {name: value for name, value in (figure or {}).items() if value}, safe=","
        ),
        is_shared=is_shared,
    )
    SavedItem.objects.bulk_create(
        _saved_item(comparison, place, item.key) for place, item in enumerate(items)
    )
    return comparison


def _saved_item(comparison: SavedComparison, place: int, key: ItemKey) -> SavedItem:
    """A row, not yet stored, that names the same thing as `key`."""
    return SavedItem(
        comparison=comparison,
        place=place,
        player_id=key.pk if key.kind in (ATHLETE, RANGE) else None,
        session_id=key.pk if key.kind == SESSION else None,
        movement_id=key.pk if key.kind == SWING else None,
        side=key.side,
        setup=key.setup,
        first_day=key.start,
        last_day=key.end,
    )


def forget_athletes(players: Sequence[int], names: Iterable[str]) -> int:
    """Delete comparisons that name an athlete who is being erased; returns how many.

    `players` are all of their records. A comparison with a part of them goes whole:
    it is not what was saved any more, and its name may be about them.
    """
    doomed = (
        Q(items__player__in=players)
        | Q(items__session__player__in=players)
        | Q(items__movement__session__player__in=players)
    )
    for name in names:
        doomed |= Q(name__icontains=name)
    found = set(SavedComparison.objects.filter(doomed).values_list("pk", flat=True))
    SavedComparison.objects.filter(pk__in=found).delete()
    return len(found)
