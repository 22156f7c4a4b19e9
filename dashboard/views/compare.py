"""Comparisons; the URL holds all of one, so that a link can be kept and sent."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from athletes.http import PageRequest, page_or_fragment
from dashboard.forms import CompareForm
from dashboard.selectors.compare_items import Item, are_in_time_order, parse_items
from dashboard.selectors.compare_page import ComparePage, compare_page
from dashboard.selectors.compare_picker import pickable


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
        problems=problems,
    )
    text = request.GET.get("q", "")[:100]
    context = {
        "page": page,
        "items": [_shown(page, item) for item in page.items],
        "items_text": ",".join(str(item.key) for item in page.items),
        # What is saved are things, not one of the two swings of one.
        "may_save": not any(item.key.side for item in page.items),
        "view_form": CompareForm(
            initial={"series": page.series.id, "align": page.align},
            series=page.available,
        ),
        "q": text,
        "found": [
            {
                "athlete": athlete,
                "url": _with(page, athlete.key),
                "sessions": [
                    {"session": session, "url": _with(page, session.key)}
                    for session in athlete.sessions
                ],
            }
            for athlete in pickable(request.user, text)
        ],
    }
    return page_or_fragment(
        request, "dashboard/compare.html", "dashboard/_compare.html", context
    )


def _url(page: ComparePage, keys: Sequence[str]) -> str:
    """The URL of a comparison of these items, drawn like the present one."""
    query = {
        "items": ",".join(keys),
        "series": page.series.id,
        "align": page.align,
    }
    return f"?{urlencode(query, safe=',')}"


def _with(page: ComparePage, key: str) -> str:
    """The URL of the comparison with one more item."""
    return _url(page, [*(str(item.key) for item in page.items), key])


def _shown(page: ComparePage, item: Item) -> dict[str, object]:
    """An item with the links that change it."""
    keys = [str(other.key) for other in page.items]
    place = keys.index(str(item.key))

    def instead(key: str) -> str:
        return _url(page, [*keys[:place], key, *keys[place + 1 :]])

    def replaced(pk: int | None) -> str:
        return "" if pk is None else instead(f"swing-{pk}")

    return {
        "item": item,
        "remove_url": _url(page, keys[:place] + keys[place + 1 :]),
        "first_url": _url(page, [keys[place], *keys[:place], *keys[place + 1 :]])
        if place and not are_in_time_order(page.items)
        else "",
        "other_sides": [
            {
                "label": label,
                "url": instead(str(key)),
                "add_url": ""
                if page.is_full or str(key) in keys
                else _url(page, [*keys[: place + 1], str(key), *keys[place + 1 :]]),
            }
            for label, key in item.other_keys
        ],
        "previous_url": replaced(item.neighbors[0]),
        "next_url": replaced(item.neighbors[1]),
    }
