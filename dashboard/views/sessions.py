"""The list of all sessions."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from athletes import access
from athletes.http import PageRequest, page_or_fragment
from dashboard.forms import SessionFilterForm
from dashboard.phrases import count_in_words
from dashboard.selectors.session_list import (
    SESSION_COLUMNS,
    SessionFilter,
    session_list,
)
from dashboard.views.table_links import head_of, list_url, row_id


@require_safe
def sessions(request: PageRequest) -> HttpResponse:
    """The list of sessions, filtered and sorted as the URL says."""
    tags = list(
        access.visible_session_tags(request.user).values_list("name", flat=True)[:200]
    )
    form = SessionFilterForm(request.GET, tags=tags)
    # A filter that cannot be read is left out, and the form says so.
    form.is_valid()
    wanted = SessionFilter(
        **{
            name: form.cleaned_data[name]
            for name in form.fields
            if form.cleaned_data.get(name)
        }
    )
    listing = session_list(
        access.visible_sessions(request.user),
        access.visible_players(request.user),
        wanted,
        today=timezone.localdate(),
        sort=request.GET.get("sort") or "-date",
        after=row_id(request.GET, "after"),
        before=row_id(request.GET, "before"),
    )
    context = {
        "form": form,
        "has_tags": bool(tags) or bool(wanted.tag),
        "list": listing,
        "heads": {
            column.key: head_of(column, listing.order, request.GET)
            for column in SESSION_COLUMNS
        },
        "sort_choices": [
            (order.text, label)
            for order, label in listing.order.choices(SESSION_COLUMNS)
        ],
        "summary": count_in_words(
            listing.total_shown, "session", is_more=listing.total_is_more
        ),
        "previous_url": list_url(request.GET, before=listing.first_id)
        if listing.has_previous
        else "",
        "next_url": list_url(request.GET, after=listing.last_id)
        if listing.has_next
        else "",
    }
    return page_or_fragment(
        request, "dashboard/sessions.html", "dashboard/_sessions.html", context
    )
