"""Moving the events of a swing: what would change, saving it, undoing it."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.audit import record
from accounts.models import Action
from athletes import access, decisions, display
from athletes.decisions import EventOutsideError
from athletes.http import PageRequest
from athletes.models import EventCorrection, Movement
from dashboard.forms import EventForm
from dashboard.selectors.event_preview import Zero, preview_of, result_key
from dashboard.selectors.swing_curves import load_swing_curves, swing_axis
from dashboard.selectors.swing_page import swing_page
from dashboard.views.swing import swing_response, wanted_align


class ChangedMeanwhileError(Exception):
    """The numbers are not those that the person has seen and confirmed."""


@require_POST
def events(request: PageRequest, pk: int) -> HttpResponse:
    """Show what would change with the events moved; save it once that is confirmed."""
    movement = access.get_movement_or_404(request.user, pk)
    access.require_edit(request.user)
    form = EventForm(request.POST, events=swing_page(movement).movable)
    if not form.is_valid():
        return swing_response(request, movement, form)
    moved = form.moved()
    if not moved:
        messages.info(request, "No event was moved.")
        return _to_page(request, pk)
    zero = _zero(request, movement, form)
    try:
        if form.is_stale(moved):
            raise ChangedMeanwhileError
        if form.cleaned_data["seen"]:
            _save(request, movement, form, moved)
            messages.success(request, "Saved, and all numbers recomputed.")
            return _to_page(request, pk, moved=True)
    except ChangedMeanwhileError:
        form.add_error(
            None,
            "The swing changed in the meantime, so nothing was saved. This is what "
            "would change now.",
        )
    except ValidationError as error:
        form.add_error(None, _message(error, zero))
        return swing_response(request, movement, form)
    try:
        preview = preview_of(movement, moved, zero, request.user.units)
    except ValidationError as error:
        form.add_error(None, _message(error, zero))
        return swing_response(request, movement, form)
    form.show_present(moved)
    return swing_response(request, movement, form, preview)


def _save(
    request: PageRequest, movement: Movement, form: EventForm, moved: dict[str, float]
) -> None:
    """Move the events, but only to the numbers that the preview has shown."""
    # Several events are one change: all of them, or none.
    with transaction.atomic():
        corrections = decisions.move_events(
            movement=movement,
            times=moved,
            reason=form.cleaned_data["reason"],
            user=request.user,
        )
        # Not read into `movement`: what was refused is not what is there.
        saved = Movement.objects.get(pk=movement.pk)
        is_overtaken = not form.knows(one.replaced_id for one in corrections)
        if is_overtaken or result_key(saved) != form.cleaned_data["seen"]:
            raise ChangedMeanwhileError
        for event, time_s in moved.items():
            record(
                Action.EVENT_MOVED,
                by=request.user,
                subject=movement,
                player_id=movement.session.player_id,
                event=event,
                time_s=time_s,
            )


def _zero(request: PageRequest, movement: Movement, form: EventForm) -> Zero:
    """The zero of the form, named as the page's axis names it."""
    axis, _ = swing_axis(movement, load_swing_curves(movement), wanted_align(request))
    return Zero(form.cleaned_data["zero_s"], axis.zero)


def _message(error: ValidationError, zero: Zero) -> str:
    """Why it was refused, with times as the page counts them."""
    if isinstance(error, EventOutsideError):
        low, high = (
            display.number_text(round(zero.ms(end) or 0.0), 0)
            for end in (error.first_s, error.last_s)
        )
        return f"The time must be between {low} and {high} ms from {zero.words}."
    return " ".join(error.messages)


@require_POST
def undo_events(request: PageRequest, pk: int, moves: str) -> HttpResponse:
    """Undo moves of events; each is what it was before.

    `moves` are the ids of the moves that the page showed, joined by `-`: one that
    somebody has changed or undone since is not undone again.
    """
    movement = access.get_movement_or_404(request.user, pk)
    access.require_edit(request.user)
    try:
        with transaction.atomic():
            undone = decisions.undo_events(
                movement=movement,
                # Others than numbers are no moves.
                corrections=[
                    int(one) if one.isdecimal() else 0 for one in moves.split("-")
                ],
                user=request.user,
            )
            for correction in undone:
                record(
                    Action.EVENT_MOVED,
                    by=request.user,
                    subject=movement,
                    player_id=movement.session.player_id,
                    event=correction.event,
                    undone=True,
                )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _undone_words(movement, undone))
    return _to_page(request, pk)


def _undone_words(movement: Movement, undone: Sequence[EventCorrection]) -> str:
    """What holds again."""
    by_person = EventCorrection.objects.filter(
        movement=movement, event__in=[one.event for one in undone], undone_at=None
    )
    return (
        "Undone: the previous time is back, and numbers were recomputed."
        if by_person.exists()
        else "Undone: the automatic event is back, and numbers were recomputed."
    )


def _to_page(request: PageRequest, pk: int, *, moved: bool = False) -> HttpResponse:
    """A redirect to the page in the view that it had, at its events."""
    query = request.GET.copy()
    query.pop("moved", None)
    if moved:
        query["moved"] = "1"
    address = reverse("dashboard:swing", args=[pk])
    return redirect(f"{address}{'?' if query else ''}{query.urlencode()}#events")
