"""Comparisons; the URL holds all of one, so that a link can be kept and sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from athletes.http import PageRequest, page_or_fragment
from dashboard.forms import CompareForm, DaysForm, FigureForm
from dashboard.selectors.compare_choices import Known, choices_beside
from dashboard.selectors.compare_items import Item
from dashboard.selectors.compare_keys import LEAST_ITEMS, RANGE, ItemKey, parse_items
from dashboard.selectors.compare_page import ComparePage, compare_page
from dashboard.selectors.compare_picker import PickAsked, opened_athlete
from dashboard.selectors.compare_tray import tray_of
from dashboard.views.compare_links import CompareLinks, kept_parameters
from dashboard.views.compare_picker import (
    picker_asked,
    shown_choices,
    shown_picker,
    with_athlete,
)
from dashboard.views.pictures import asked_picture


@require_safe
def compare(request: PageRequest) -> HttpResponse:
    """The comparison: `items` names what, `align` and `series` how it is drawn."""
    put_aside = _from_tray(request)
    if put_aside is not None:
        return put_aside
    keys, problems = parse_items(request.GET.getlist("items"))
    if "span" in request.GET:
        answer = _with_days(request, keys)
        if not isinstance(answer, str):
            return answer
        problems = (*problems, answer)
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
    links = CompareLinks(
        tuple(str(item.key) for item in page.items),
        page.series.id,
        page.align,
        kept_parameters(request.GET),
    )
    context = {
        "page": page,
        "kept": links.kept,
        "figure_view": FigureForm(request.GET).said(),
        "items": [_shown(page, links, item) for item in page.items],
        "items_text": links.items,
        "swap_url": _swap_url(page, links),
        "clear_url": links.to([]),
        "view_form": CompareForm(
            initial={
                "series": page.series.id,
                "align": page.align,
                "each": bool(wanted.cleaned_data.get("each")),
            },
            series=page.available,
        ),
        **_picker(request, page, links),
    }
    return page_or_fragment(
        request, "dashboard/compare.html", "dashboard/_compare.html", context
    )


def _picker(
    request: PageRequest, page: ComparePage, links: CompareLinks
) -> dict[str, object]:
    """What can be added: beside the items, from the tray, and by name.

    Without a name, the athlete of the last item is opened.
    """
    asked = picker_asked(request.GET)
    is_picking = asked != PickAsked()
    if asked.athlete is None and not asked.text and page.items:
        asked = replace(asked, athlete=page.items[-1].player.pk)
    picker, player = opened_athlete(request.user, asked)
    players = [item.player.pk for item in page.items]
    known = Known(request.user, [*players, *([player.pk] if player else [])])
    if player is not None:
        picker = with_athlete(request, picker, player, asked, known)
    tray = tray_of(request.user, request.session)
    return {
        **shown_picker(picker, links),
        "is_picking": is_picking,
        "beside": [
            {
                "letter": one.letter,
                "label": one.label,
                "choices": shown_choices(one.choices, links, "beside"),
            }
            for one in choices_beside(page.items, known)
        ]
        if not page.is_full
        else [],
        "put_aside": [
            {"name": name, "url": links.to_add(str(name.key)), "id": f"tray-{name.key}"}
            for name in tray.names
            if str(name.key) not in links.keys
        ]
        if not page.is_full
        else [],
    }


def _shown(page: ComparePage, links: CompareLinks, item: Item) -> dict[str, object]:
    """An item with the links that change it."""
    keys = list(links.keys)
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


def _swap_url(page: ComparePage, links: CompareLinks) -> str:
    """The address with A and B the other way round; empty where dates order them."""
    if len(links.keys) != LEAST_ITEMS or page.is_in_time_order:
        return ""
    return links.to(links.keys[::-1])


def _from_tray(request: PageRequest) -> HttpResponse | None:
    """To the comparison of what is put aside, for who names nothing."""
    if "items" in request.GET:
        return None
    tray = tray_of(request.user, request.session)
    return redirect(reverse("dashboard:compare") + tray.query) if tray.names else None


def _with_days(request: PageRequest, keys: Sequence[ItemKey]) -> HttpResponse | str:
    """To the comparison with some days of an athlete, or what is wrong with them."""
    days = DaysForm(request.GET)
    if not days.is_valid():
        return "Choose two dates, the earlier one first."
    values = days.cleaned_data
    key = ItemKey(RANGE, values["span"], start=values["start"], end=values["end"])
    kept = kept_parameters(request.GET)
    links = CompareLinks(
        tuple(map(str, keys)),
        request.GET.get("series", ""),
        request.GET.get("align", ""),
        kept,
    )
    return redirect(reverse("dashboard:compare") + links.to_add(str(key)))
