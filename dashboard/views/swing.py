"""The page of one swing, and what people decide: inclusion, times of events."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.audit import record
from accounts.models import Action
from athletes import access, decisions, display
from athletes.http import PageRequest, page_or_fragment
from athletes.models import Movement
from dashboard.forms import AlignForm, EventForm, InclusionForm
from dashboard.phrases import session_day
from dashboard.selectors.by_hand import uploads_of_swing
from dashboard.selectors.swing_curves import SWING_TABS, swing_curves
from dashboard.selectors.swing_page import SwingPage, swing_page
from dashboard.selectors.swing_rows import swing_row
from dashboard.selectors.vendor_angles import VENDOR_GROUPS
from dashboard.views.pictures import asked_picture


@require_safe
def swing(request: PageRequest, pk: int) -> HttpResponse:
    """The swing; `tab` chooses the second chart, `vendor` whose angles it shows.

    `align` names the event that all charts have at zero.
    """
    movement = access.get_movement_or_404(request.user, pk)
    return _page(request, movement)


def _page(
    request: PageRequest, movement: Movement, form: EventForm | None = None
) -> HttpResponse:
    """The page; with a `form` that was refused, its errors and status 422."""
    wanted = AlignForm(request.GET)
    wanted.is_valid()
    curves = swing_curves(
        movement,
        tab=request.GET.get("tab", ""),
        vendor=request.GET.get("vendor", ""),
        align=wanted.cleaned_data.get("align") or "reference",
        system=request.user.units,
    )
    shown = {"sequence": curves.sequence, "detail": curves.detail}
    picture = asked_picture(
        request, {name: (chart.title, chart.figure) for name, chart in shown.items()}
    )
    if picture is not None:
        return picture
    page = swing_page(movement)
    align_query = "" if curves.align == "reference" else f"&align={curves.align}"
    context = {
        "page_path": reverse("dashboard:swing", args=[movement.pk]),
        "page": page,
        "align_form": AlignForm(initial={"align": curves.align}),
        "align_query": align_query,
        "movement": movement,
        "session": movement.session,
        "by_hand": uploads_of_swing(movement.session, movement.pk),
        "may_administer": access.may_administer(request.user),
        "player": movement.session.player,
        "swing": swing_row(movement),
        "headlines": _headlines(page, request.user.units),
        "curves": curves,
        "detail": curves.detail,
        "vendor_groups": VENDOR_GROUPS.values()
        if curves.tab.key == "angles" and movement.angle_unit_found
        else (),
        "tabs": [
            {
                "label": tab.label,
                "url": f"?tab={tab.key}{align_query}",
                "current": tab is curves.tab,
                "target": "#swing-detail",
            }
            for tab in SWING_TABS.values()
        ],
        "crumbs": _crumbs(movement, page.noun),
        "not_swing_reason": " ".join(page.reasons)
        or "Nothing in it moves like a swing.",
        "event_form": form or EventForm(events=page.movable),
        "may_edit": access.may_edit(request.user),
    }
    return page_or_fragment(
        request,
        "dashboard/swing.html",
        "dashboard/_swing_detail.html",
        context,
        status=200 if form is None else 422,
    )


def _headlines(page: SwingPage, system: str) -> list[dict[str, object]]:
    """The known headline numbers, each beside the average of its session."""
    tiles = []
    for reading in page.headlines:
        if reading.is_missing:
            continue
        mean = page.session_means.get(reading.metric)
        note = ""
        if mean is not None and mean.n is not None and mean.n > 1:
            shown = display.value_text(
                mean.value, mean.unit, system, decimals=mean.definition.decimals
            )
            of = f" {page.means_side}" if page.means_side else ""
            note = f"session mean{of} {shown}, n\u00a0=\u00a0{mean.n}"
        if reading.flagged:
            note = f"Not in averages: {reading.reason or 'it failed a check'}"
        elif reading.reason:
            # Unusual, or measured in a way that has to be said: it counts all the same.
            note = " · ".join(filter(None, (reading.reason, note)))
        tiles.append({"reading": reading, "note": note})
    return tiles


def _crumbs(movement: Movement, noun: str) -> list[tuple[str, str]]:
    """The way from the list of athletes to this swing."""
    session, player = movement.session, movement.session.player
    return [
        ("Athletes", reverse("dashboard:list")),
        (player.full_name, reverse("dashboard:athlete", args=[player.pk])),
        (
            session_day(session.session_date),
            reverse("dashboard:session", args=[session.pk]),
        ),
        (f"{noun} {movement.position}", ""),
    ]


@require_POST
def inclusion(request: PageRequest, pk: int) -> HttpResponse:
    """Include the swing in averages or exclude it, with a reason."""
    movement = access.get_movement_or_404(request.user, pk)
    access.require_edit(request.user)
    form = InclusionForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Not changed. " + _first_error(form))
        return _back(request, movement)
    decisions.set_inclusion(
        movement=movement,
        inclusion=form.cleaned_data["inclusion"],
        reason=form.cleaned_data["reason"],
        user=request.user,
    )
    record(
        Action.INCLUSION_CHANGED,
        by=request.user,
        subject=movement,
        player_id=movement.session.player_id,
        inclusion=form.cleaned_data["inclusion"],
    )
    messages.success(
        request, f"Swing {movement.position}: saved, and the means computed again."
    )
    return _back(request, movement)


@require_POST
def events(request: PageRequest, pk: int) -> HttpResponse:
    """Move the events whose time was changed to where a person sees them."""
    movement = access.get_movement_or_404(request.user, pk)
    access.require_edit(request.user)
    form = EventForm(request.POST, events=swing_page(movement).movable)
    if not form.is_valid():
        return _page(request, movement, form)
    moved = form.moved()
    try:
        # Several events are one change: all of them, or none.
        with transaction.atomic():
            for event, time_s in moved.items():
                decisions.move_event(
                    movement=movement,
                    event=event,
                    time_s=time_s,
                    reason=form.cleaned_data["reason"],
                    user=request.user,
                )
                record(
                    Action.EVENT_MOVED,
                    by=request.user,
                    subject=movement,
                    player_id=movement.session.player_id,
                    event=event,
                    time_s=time_s,
                )
    except ValidationError as error:
        form.add_error(None, " ".join(error.messages))
        return _page(request, movement, form)
    if moved:
        messages.success(request, "Saved, and all numbers computed again.")
    else:
        messages.info(request, "No event was moved.")
    return redirect(f"{reverse('dashboard:swing', args=[pk])}#events")


@require_POST
def undo_event(request: PageRequest, pk: int, event: str) -> HttpResponse:
    """Take back a moved event; what was found by rule holds again."""
    movement = access.get_movement_or_404(request.user, pk)
    access.require_edit(request.user)
    try:
        decisions.undo_event(movement=movement, event=event, user=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        record(
            Action.EVENT_MOVED,
            by=request.user,
            subject=movement,
            player_id=movement.session.player_id,
            event=event,
            undone=True,
        )
        messages.success(request, "Taken back, and all numbers computed again.")
    return redirect(f"{reverse('dashboard:swing', args=[pk])}#events")


def _first_error(form: InclusionForm) -> str:
    """The first error of the form, as text."""
    return next((str(e) for errors in form.errors.values() for e in errors), "")


def _back(request: PageRequest, movement: Movement) -> HttpResponse:
    """A redirect to the page that the form stood on, if that is one of ours."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    ):
        # Not `redirect`: it takes a word without a slash for the name of a view.
        return HttpResponseRedirect(wanted)
    return redirect("dashboard:swing", pk=movement.pk)
