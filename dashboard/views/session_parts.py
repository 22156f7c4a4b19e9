"""What of a session its address asks for, and the parts that follow a decision."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from django.http import HttpResponse
from django.shortcuts import render

from athletes import access
from athletes.http import PageRequest
from athletes.models import Movement, Session
from athletes.querysets import SessionQuerySet
from dashboard.forms import SessionViewForm
from dashboard.selectors.session_changes import changes_by_side
from dashboard.selectors.session_curves import SessionPictures, session_pictures
from dashboard.selectors.session_page import SessionPage, session_page
from dashboard.selectors.swing_table import swing_table
from dashboard.views.session_table import shows_numbers, table_context


def shown_query(request: PageRequest) -> dict[str, str]:
    """The choices in the address of the page from which htmx asks."""
    found = parse_qs(urlsplit(request.htmx.current_url or "").query)
    return {name: values[-1] for name, values in found.items()}


def asked_page(
    session: Session, visible: SessionQuerySet, query: Mapping[str, str]
) -> SessionPage:
    """The part of a session that the address asks for: side, effort and setup."""
    return session_page(
        session,
        visible,
        query.get("side", ""),
        query.get("effort", ""),
        query.get("setup", ""),
    )


def asked_pictures(
    page: SessionPage, query: Mapping[str, str], system: str
) -> SessionPictures:
    """The curves of a session, in the series and on the event that are asked for."""
    wanted = SessionViewForm(query)
    wanted.is_valid()
    return session_pictures(
        page,
        series=wanted.cleaned_data.get("series") or "",
        align=wanted.cleaned_data.get("align") or "",
        system=system,
    )


def after_decision(
    request: PageRequest, movement: Movement, words: str, *, status: int = 200
) -> HttpResponse:
    """The tile of a swing, and all of the page that its decision moved.

    `words` say what was decided. The page's own choices stay: side, effort, order,
    series, event.
    """
    query = shown_query(request)
    visible = access.visible_sessions(request.user)
    page = asked_page(movement.session, visible, query)
    table = None
    if shows_numbers(query):
        table = swing_table(page, query.get("sort", ""))
    pictures = asked_pictures(page, query, request.user.units)
    own = (one for one in pictures.strip if one.swing.id == movement.pk)
    context = {
        **table_context(page, table, request),
        "session": movement.session,
        "changes": changes_by_side(
            movement.session,
            visible,
            page.side,
            system=request.user.units,
            setup=page.setup,
        ),
        "tile": next(own, None),
        "sequences": pictures.sequences,
        "curves": pictures.curves,
        "decided": words,
    }
    return render(request, "dashboard/_decided.html", context, status=status)
