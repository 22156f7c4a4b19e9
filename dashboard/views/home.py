"""The first page: whom to look at today."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from athletes import access
from athletes.http import PageRequest
from dashboard.selectors.duplicates_page import count_waiting, pairs_text
from dashboard.selectors.home_page import home_page


@require_safe
def home(request: PageRequest) -> HttpResponse:
    """Newest sessions with what changed, real changes, and what needs attention."""
    page = home_page(
        access.visible_players(request.user),
        access.visible_sessions(request.user),
        system=request.user.units,
    )
    may_administer = access.may_administer(request.user)
    waiting = count_waiting() if may_administer else 0
    return render(
        request,
        "home.html",
        {
            "page": page,
            "may_administer": may_administer,
            "duplicates": pairs_text(waiting) if waiting else "",
        },
    )
