"""Comparisons; the URL holds all of one, so that a link can be kept and sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.views.decorators.http import require_safe

from athletes.http import PageRequest, page_or_fragment
from dashboard.forms import CompareForm
from dashboard.selectors.compare_items import Item
from dashboard.selectors.compare_keys import LEAST_ITEMS, parse_items
from dashboard.selectors.compare_page import ComparePage, compare_page
from dashboard.selectors.compare_picker import pickable
from dashboard.views.pictures import asked_picture

#: Parameters of the address that links and forms of the page set themselves.
_SET_BY_PAGE = frozenset({"items", "series", "align", "q"})
# What anybody may have appended to the address is kept within reason.
_MOST_KEPT, _LONGEST_KEPT = 20, 100


def _kept(query: QueryDict) -> tuple[tuple[str, str], ...]:
    """Other parameters of the address, which links and forms pass on as they are."""
    return tuple(
        (name[:_LONGEST_KEPT], value[:_LONGEST_KEPT])
        for name, values in query.lists()
        if name not in _SET_BY_PAGE
        for value in values
    )[:_MOST_KEPT]


@require_safe
def compare(request: PageRequest) -> HttpResponse:
    """The comparison: `items` names what, `align` and `series` how it is drawn."""
    keys, problems = parse_items(request.GET.getlist("items"))
    wanted = CompareForm(request.GET)
    wanted.is_valid()
    page = compare_page(
        request.user,
        keys,
        series=wanted.cleaned_data.get("series") or "",
        align=wanted.cleaned_data.get("align") or "reference",
        system=request.user.units,
        each=bool(wanted.cleaned_data.get("each")),
        second=request.GET.get("second", "")[:1],
        problems=problems,
    )
    picture = asked_picture(
        request,
        {
            "overlay": (page.series.name, page.curves.overlay),
            "delta": ("Difference", page.curves.delta),
        },
    )
    if picture is not None:
        return picture
    text = request.GET.get("q", "")[:100]
    links = _Links(page, _kept(request.GET))
    context = {
        "page": page,
        "kept": links.kept,
        "items": [_shown(links, item) for item in page.items],
        "items_text": ",".join(str(item.key) for item in page.items),
        "swap_url": _swap_url(links),
        "clear_url": links.to([]),
        "view_form": CompareForm(
            initial={
                "series": page.series.id,
                "align": page.align,
                "each": bool(wanted.cleaned_data.get("each")),
            },
            series=page.available,
        ),
        "q": text,
        "found": [
            {
                "athlete": athlete,
                "url": links.to_add(athlete.key),
                "sessions": [
                    {"session": session, "url": links.to_add(session.key)}
                    for session in athlete.sessions
                ],
            }
            for athlete in pickable(request.user, text)
        ],
    }
    return page_or_fragment(
        request, "dashboard/compare.html", "dashboard/_compare.html", context
    )


@dataclass(frozen=True)
class _Links:
    """Addresses of comparisons that are drawn like the present one."""

    page: ComparePage
    kept: tuple[tuple[str, str], ...]

    def to(self, keys: Sequence[str]) -> str:
        """The address of a comparison of these items."""
        query = [
            ("items", ",".join(keys)),
            ("series", self.page.series.id),
            ("align", self.page.align),
            *self.kept,
        ]
        return f"?{urlencode(query, safe=',')}"

    def to_add(self, key: str) -> str:
        """The address of the comparison with one more item."""
        return self.to([*(str(item.key) for item in self.page.items), key])


def _shown(links: _Links, item: Item) -> dict[str, object]:
    """An item with the links that change it."""
    page = links.page
    keys = [str(other.key) for other in page.items]
    place = keys.index(str(item.key))

    def instead(key: str) -> str:
        return links.to([*keys[:place], key, *keys[place + 1 :]])

    def replaced(pk: int | None) -> str:
        return "" if pk is None else instead(f"swing-{pk}")

    return {
        "item": item,
        "remove_url": links.to(keys[:place] + keys[place + 1 :]),
        "first_url": links.to([keys[place], *keys[:place], *keys[place + 1 :]])
        if place and len(keys) > LEAST_ITEMS and not page.is_in_time_order
        else "",
        "others": [
            {
                "label": label,
                "url": instead(str(key)),
                "add_url": ""
                if page.is_full or str(key) in keys
                else links.to([*keys[: place + 1], str(key), *keys[place + 1 :]]),
            }
            for label, key in (*item.other_keys, *item.other_setups)
        ],
        "previous_url": replaced(item.neighbors[0]),
        "next_url": replaced(item.neighbors[1]),
    }


def _swap_url(links: _Links) -> str:
    """The address with A and B the other way round; empty where dates order them."""
    keys = [str(item.key) for item in links.page.items]
    if len(keys) != LEAST_ITEMS or links.page.is_in_time_order:
        return ""
    return links.to(keys[::-1])
