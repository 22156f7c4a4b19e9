"""The list of athletes."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from athletes import access
from athletes.http import PageRequest, page_or_fragment
from athletes.identity.duplicates import in_open_pairs
from dashboard.forms import AthleteFilterForm
from dashboard.selectors.athlete_list import (
    ATHLETE_COLUMNS,
    AthleteFilter,
    athlete_list,
)
from dashboard.selectors.header_search import found_while_typing
from dashboard.views.table_links import chosen, row_id, table_context

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
    wanted = AthleteFilter(**chosen(form))
    listing = athlete_list(
        access.visible_players(request.user),
        wanted,
        sort=request.GET.get("sort", "name"),
        after=row_id(request.GET, "after"),
        before=row_id(request.GET, "before"),
    )
    context = {
        "form": form,
        # Who may decide about them; others never learn of records they cannot see.
        "duplicates": set(in_open_pairs(row.id for row in listing.rows))
        if access.may_administer(request.user)
        else set(),
        "has_tags": bool(tags),
        "list": listing,
        **table_context(listing, ATHLETE_COLUMNS, request.GET, noun="athlete"),
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
