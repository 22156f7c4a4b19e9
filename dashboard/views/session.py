"""The page of one session, and what people decide about it: setup, what it lacks."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.audit import record
from accounts.models import Action
from athletes import access, decisions
from athletes.http import PageRequest, page_or_fragment, wants_fragment
from athletes.models import SameRecording
from dashboard.forms import NoteForm, SessionForm, SessionViewForm, SwingSetupForm
from dashboard.phrases import session_day
from dashboard.selectors.by_hand import uploads_of_session
from dashboard.selectors.next_athletes import next_athletes
from dashboard.selectors.notes import note_box
from dashboard.selectors.same_recording import twin_of
from dashboard.selectors.session_changes import changes_by_side
from dashboard.selectors.session_gap import session_gap
from dashboard.selectors.swing_table import swing_table
from dashboard.views.pictures import asked_picture
from dashboard.views.session_parts import asked_page, asked_pictures
from dashboard.views.session_table import shows_numbers, table_context
from dashboard.views.setups import undo_offer

DECISIONS = set(SameRecording.Counts.values) - {""}
# Of the two parts that htmx asks for, the one it puts here needs no curves.
TABLE_TARGET = "swing-table"
# What follows the side that is looked at.
SWINGS_TARGET = "session-swings"


@require_safe
def session(request: PageRequest, pk: int) -> HttpResponse:
    """The session; `series` and `align` choose the curves, `sort` orders the table.

    `side` chooses among the sides of a switch hitter: `right`, `left`, `both` together.
    `effort=full` shows swings near the athlete's own fastest alone. `numbers=all`, and
    any `sort`, shows the table of all numbers, which is left out otherwise.
    """
    try:
        shown = access.get_session_or_404(request.user, pk)
    except Http404:
        into = access.folded_into(request.user, pk)
        if into is None:
            raise
        return redirect("dashboard:session", pk=into)
    visible = access.visible_sessions(request.user)
    page = asked_page(shown, visible, request.GET)
    asks_for_table = wants_fragment(request) and request.htmx.target == TABLE_TARGET
    numbers = asks_for_table or shows_numbers(request.GET)
    sort = request.GET.get("sort", "")
    table = table_context(page, swing_table(page, sort) if numbers else None, request)
    if asks_for_table:
        response = render(request, "dashboard/_swing_table.html", table)
        patch_vary_headers(response, ("HX-Request", "HX-Target"))
        return response
    pictures = asked_pictures(page, request.GET, request.user.units)
    drawn = pictures.curves
    picture = asked_picture(
        request,
        {
            "session-curves-chart": (drawn.title, drawn.figure),
            **{one.chart_id: (one.title, one.figure) for one in pictures.sequences},
        },
    )
    if picture is not None:
        return picture
    title_date = session_day(shown.session_date)
    part = "swings" if request.htmx.target == SWINGS_TARGET else "curves"
    context = {
        **table,
        "session": shown,
        "title": f"{shown.player.full_name} · {title_date}",
        "neighbors": None
        if wants_fragment(request)
        else next_athletes(shown.player_id, visible),
        "oob": wants_fragment(request) and part == "curves",
        "by_hand": uploads_of_session(shown),
        "player": shown.player,
        "title_date": title_date,
        "crumbs": [
            ("Athletes", reverse("dashboard:list")),
            (
                shown.player.full_name,
                reverse("dashboard:athlete", args=[shown.player_id]),
            ),
            (title_date, ""),
        ],
        "changes": changes_by_side(
            shown,
            visible,
            page.side,
            system=request.user.units,
            setup=page.setup,
        ),
        "strip": pictures.strip,
        "sequences": pictures.sequences,
        "curves": pictures.curves,
        # What is shown, not what was asked for: an unknown choice falls back.
        "view_form": SessionViewForm(
            initial={
                "series": pictures.curves.series.id,
                "align": pictures.curves.align,
            },
            series=pictures.available,
        ),
        "setup_form": SwingSetupForm(auto_id="swing_%s"),
        "chosen_form": SwingSetupForm(auto_id="chosen_%s"),
        "setup_undo": undo_offer(request, f"session-{shown.pk}"),
        "facts_form": SessionForm(instance=shown),
        "note_box": note_box(shown),
        "note_form": NoteForm(),
        "gap": session_gap(shown),
        "twin": twin_of(shown, visible),
        "may_administer": access.may_administer(request.user),
    }
    response = page_or_fragment(
        request, "dashboard/session.html", f"dashboard/_session_{part}.html", context
    )
    patch_vary_headers(response, ("HX-Target",))
    return response


@require_POST
def gap(request: PageRequest, pk: int) -> HttpResponse:
    """Dismiss what the session lacks, with a reason, or undo that."""
    if not access.may_administer(request.user):
        raise PermissionDenied("Only staff can dismiss missing data.")
    shown = access.get_session_or_404(request.user, pk)
    if request.POST.get("undo"):
        decisions.bring_back_gap(session=shown, user=request.user)
        messages.success(request, "The missing data needs attention again.")
        return redirect("dashboard:session", pk=pk)
    try:
        decisions.dismiss_gap(
            session=shown, reason=request.POST.get("reason", ""), user=request.user
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "Dismissed until what is missing changes.")
    return redirect("dashboard:session", pk=pk)


@require_POST
def recording(request: PageRequest, pk: int) -> HttpResponse:
    """Say which of two sessions with the same recording counts."""
    if not access.may_administer(request.user):
        raise PermissionDenied("Only staff can choose which of two sessions is used.")
    shown = access.get_session_or_404(request.user, pk)
    twin = twin_of(shown, access.visible_sessions(request.user))
    counts = request.POST.get("counts", "")
    if twin is None:
        messages.info(request, "No other session has the same recording anymore.")
    elif counts in DECISIONS:
        decisions.choose_recording(pair=twin.pair, counts=counts, user=request.user)
        messages.success(request, "Saved. Averages are being updated.")
    else:
        messages.error(request, "Choose which session to use.")
    return redirect("dashboard:session", pk=pk)


@require_POST
def facts(request: PageRequest, pk: int) -> HttpResponse:
    """Save setup and bat, which the vendor does not know."""
    shown = access.get_session_or_404(request.user, pk)
    access.require_edit(request.user)
    form = SessionForm(request.POST, instance=shown)
    saved = form.is_valid()
    if saved:
        decisions.save_conditions(shown)
        if "condition" in form.changed_data:
            record(
                Action.RECORD_CHANGED,
                by=request.user,
                subject=shown,
                player_id=shown.player_id,
                what="setup",
                setup=shown.condition,
            )
    if not wants_fragment(request):
        if saved:
            messages.success(request, "Saved.")
        else:
            messages.error(request, "Not saved: choose one of the listed setups.")
        return redirect("dashboard:session", pk=pk)
    return render(
        request,
        "dashboard/_session_facts.html",
        {
            "session": shown,
            "facts_form": form,
            "may_edit": True,
            "saved": saved,
            "oob": saved,
        },
        status=200 if saved else 422,
    )


@require_POST
def set_aside(request: PageRequest, pk: int) -> HttpResponse:
    """Use a decision again that was set aside (`answer=take-up`), or drop it."""
    offer = (
        access.visible_set_aside(request.user)
        .select_related("movement")
        .filter(pk=pk)
        .first()
    )
    if offer is None:
        raise Http404("That decision doesn't exist or was already settled.")
    access.require_edit(request.user)
    settle = decisions.take_up
    if request.POST.get("answer") == "drop":
        settle = decisions.drop
    try:
        settle(offer=offer, user=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "Saved.")
    return redirect("dashboard:session", pk=offer.movement.session_id)
