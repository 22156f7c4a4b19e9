"""The list of all sessions."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from athletes import access
from athletes.http import PageRequest, page_or_fragment
from dashboard.forms import SessionFilterForm, SessionsSetupForm
from dashboard.selectors.session_list import (
    SESSION_COLUMNS,
    SessionFilter,
    session_list,
)
from dashboard.views.setups import undo_offer
from dashboard.views.table_links import chosen, row_id, table_context


@require_safe
def sessions(request: PageRequest) -> HttpResponse:
    """The list of sessions, filtered and sorted as the URL says."""
    tags = list(
        access.visible_session_tags(request.user).values_list("name", flat=True)[:200]
    )
    form = SessionFilterForm(request.GET, tags=tags)
    # A filter that cannot be read is left out, and the form says so.
    form.is_valid()
    wanted = SessionFilter(**chosen(form))
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
        "may_edit": access.may_edit(request.user),
        "setup_undo": undo_offer(request, "sessions"),
        "setup_form": SessionsSetupForm(auto_id="sessions_%s"),
        **table_context(listing, SESSION_COLUMNS, request.GET, noun="session"),
    }
    return page_or_fragment(
        request, "dashboard/sessions.html", "dashboard/_sessions.html", context
    )
