"""The list of athletes."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from athletes import access
from athletes.http import PageRequest, page_or_fragment
from athletes.identity.duplicates import in_open_pairs
from dashboard.forms import AthleteFilterForm
from dashboard.selectors.athlete_list import (
    ATHLETE_COLUMNS,
    AthleteColumn,
    AthleteFilter,
    AthleteList,
    athlete_list,
)
from dashboard.selectors.header_search import found_while_typing

#: Letters of a search that are read.
_MOST_SEARCHED = 100


@require_safe
def athletes(request: PageRequest) -> HttpResponse:
    """The list of athletes, searched, filtered and sorted as the URL says."""
    tags = list(
        access.visible_athlete_tags(request.user).values_list("name", flat=True)[:200]
    )
    form = AthleteFilterForm(request.GET, tags=tags)
    # A filter that cannot be read is left out, and the form says so.
    form.is_valid()
    wanted = AthleteFilter(
        **{
            name: form.cleaned_data[name]
            for name in form.fields
            if form.cleaned_data.get(name)
        }
    )
    listing = athlete_list(
        access.visible_players(request.user),
        wanted,
        sort=request.GET.get("sort", "name"),
        after=_row_id(request.GET, "after"),
        before=_row_id(request.GET, "before"),
    )
    context = {
        "form": form,
        # Who may decide about them; others never learn of records they cannot see.
        "duplicates": set(in_open_pairs(row.id for row in listing.rows))
        if access.may_administer(request.user)
        else set(),
        "has_tags": bool(tags),
        "list": listing,
        "heads": [_head(column, listing, request.GET) for column in ATHLETE_COLUMNS],
        "sort_choices": [
            (order.text, label)
            for order, label in listing.order.choices(ATHLETE_COLUMNS)
        ],
        "summary": _summary(listing),
        "previous_url": _url(request.GET, before=listing.first_id)
        if listing.has_previous
        else "",
        "next_url": _url(request.GET, after=listing.last_id)
        if listing.has_next
        else "",
    }
    return page_or_fragment(
        request, "dashboard/list.html", "dashboard/_list.html", context
    )


@require_safe
def search(request: PageRequest) -> HttpResponse:
    """What the search in the header finds, for the list under its field.

    Without htmx, the list of athletes of that name.
    """
    text = request.GET.get("q", "").strip()[:_MOST_SEARCHED]
    if not request.htmx:
        return redirect(f"{reverse('dashboard:list')}?{urlencode({'q': text})}")
    found = found_while_typing(request.user, text) if text else None
    return render(request, "dashboard/_search.html", {"found": found, "q": text})


def _summary(listing: AthleteList) -> str:
    """How many athletes match, in words."""
    count = f"{listing.total_shown:,}"
    if listing.total_is_more:
        return f"more than {count} athletes"
    return f"{count} athlete{'' if listing.total == 1 else 's'}"


def _row_id(query: QueryDict, name: str) -> int | None:
    """The id in the query, None where there is none or it is no number."""
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _url(query: QueryDict, **changes: int | str | None) -> str:
    """The URL of the list with some of its state changed, from the first page on."""
    kept = {
        name: value
        for name, value in query.items()
        if value and name not in {"after", "before", *changes}
    }
    kept |= {name: str(value) for name, value in changes.items() if value is not None}
    return f"?{urlencode(kept)}"


def _head(
    column: AthleteColumn, listing: AthleteList, query: QueryDict
) -> dict[str, object]:
    """A column's head with the link that sorts by it."""
    return {
        "column": column,
        "url": _url(query, sort=listing.order.after_click(column).text),
        "aria_sort": listing.order.aria_sort(column),
    }
