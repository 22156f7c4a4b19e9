"""Parts of a session's page that follow a decision about one of its swings."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from django.http import HttpResponse
from django.shortcuts import render

from athletes import access
from athletes.http import PageRequest
from athletes.models import Movement
from dashboard.selectors.session_curves import session_pictures
from dashboard.selectors.session_page import session_page
from dashboard.selectors.swing_table import swing_table
from dashboard.views.session_table import shows_numbers, table_context


def shown_query(request: PageRequest) -> dict[str, str]:
    """The choices in the address of the page from which htmx asks."""
    found = parse_qs(urlsplit(request.htmx.current_url or "").query)
    return {name: values[-1] for name, values in found.items()}


def after_decision(
    request: PageRequest, movement: Movement, words: str, *, status: int = 200
) -> HttpResponse:
    """The tile of a swing, and the averages and the table that its decision moved.

    `words` say what was decided. The page's own choices stay: side, effort, order.
    """
    query = shown_query(request)
    page = session_page(
        movement.session,
        access.visible_sessions(request.user),
        query.get("side", ""),
        query.get("effort", ""),
        query.get("setup", ""),
    )
    table = None
    if shows_numbers(query):
        table = swing_table(page, query.get("sort", ""))
    strip = session_pictures(page, system=request.user.units).strip
    context = {
        **table_context(page, table, request),
        "session": movement.session,
        "tile": next((one for one in strip if one.swing.id == movement.pk), None),
        "decided": words,
    }
    return render(request, "dashboard/_decided.html", context, status=status)
