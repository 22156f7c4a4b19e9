"""Notes on athletes, sessions and swings: written, edited and deleted in place."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import retarget

from accounts.audit import record
from accounts.models import Action
from accounts.sent_forms import store_once
from athletes import access
from athletes.http import PageRequest, wants_fragment
from athletes.models import Movement, Note, Player, Session
from dashboard.forms import NoteForm
from dashboard.selectors.notes import NoteBox, note_box, page_of_note, subject_of


@require_POST
def athlete_note(request: PageRequest, pk: int) -> HttpResponse:
    """Write a note on the athlete."""
    player = access.get_player_or_404(request.user, pk)
    return _add(request, player, Note(player=player))


@require_POST
def session_note(request: PageRequest, pk: int) -> HttpResponse:
    """Write a note on the session."""
    session = access.get_session_or_404(request.user, pk)
    return _add(request, session, Note(session=session))


@require_POST
def swing_note(request: PageRequest, pk: int) -> HttpResponse:
    """Write a note on the swing."""
    movement = access.get_movement_or_404(request.user, pk)
    return _add(request, movement, Note(session=movement.session, movement=movement))


def _add(
    request: PageRequest, subject: Player | Session | Movement, note: Note
) -> HttpResponse:
    """Store the new note; where the form is wrong, what was typed is shown again."""
    access.require_edit(request.user)
    form = NoteForm(request.POST)
    saved = form.is_valid()
    if saved:
        note.created_by = request.user
        store_once(request, lambda: _save(request, note, form, "note added"))
        form = NoteForm()
    if wants_fragment(request):
        return _box(request, subject, form, status=200 if saved else 422)
    box = note_box(subject)
    if saved:
        return redirect(f"{box.page}#notes")
    return _page(request, box, form, action=box.add_url, heading="Add a note")


def _save(request: PageRequest, note: Note, form: NoteForm, what: str) -> int:
    """Store the note as the form says it, with the audit's entry; returns its key."""
    note.text = form.cleaned_data["text"]
    note.on_sheet = form.cleaned_data["on_sheet"]
    with transaction.atomic():
        note.save()
        _record(request, note, Action.RECORD_CHANGED, what)
    return note.pk


def _record(request: PageRequest, note: Note, action: Action, what: str) -> None:
    """Write into the audit what was done to a note, never what the note says."""
    record(action, by=request.user, subject=note, player_id=note.about_id, what=what)


@require_http_methods(["GET", "POST"])
def edit_note(request: PageRequest, pk: int) -> HttpResponse:
    """The form to edit a note, and saving it; only who wrote it may."""
    note = access.get_note_or_404(request.user, pk)
    if not access.may_reword(request.user, note):
        raise PermissionDenied("Only the author of a note can edit it.")
    form = NoteForm(
        request.POST if request.method == "POST" else None,
        initial={"text": note.text, "on_sheet": note.on_sheet},
        auto_id=f"note-{note.pk}-%s",
    )
    subject = subject_of(note)
    if request.method == "POST" and form.is_valid():
        if form.has_changed():
            if form.cleaned_data["text"] != note.text:
                note.edited_at = timezone.now()
            _save(request, note, form, "note edited")
        if wants_fragment(request):
            return _box(request, subject, NoteForm())
        return redirect(page_of_note(note))
    status = 422 if form.errors else 200
    if wants_fragment(request):
        context = {"note": note, "edit_form": form, "back": page_of_note(note)}
        response = render(request, "dashboard/_note_form.html", context, status=status)
        # Else an error would stand in the place of all notes.
        return retarget(response, f"#note-{note.pk}")
    return _page(
        request,
        note_box(subject),
        form,
        action=reverse("dashboard:note", args=[note.pk]),
        heading="Edit the note",
        status=status,
    )


@require_POST
def delete_note(request: PageRequest, pk: int) -> HttpResponse:
    """Delete a note; only who wrote it may, and staff."""
    note = access.get_note_or_404(request.user, pk)
    if not access.may_delete(request.user, note):
        raise PermissionDenied("Only the author of a note, or staff, can delete it.")
    subject = subject_of(note)
    back = page_of_note(note)
    with transaction.atomic():
        _record(request, note, Action.RECORD_DELETED, "note deleted")
        note.delete()
    if not wants_fragment(request):
        return redirect(back)
    return _box(request, subject, NoteForm())


def _box(
    request: PageRequest,
    subject: Player | Session | Movement,
    form: NoteForm,
    *,
    status: int = 200,
) -> HttpResponse:
    """The notes alone, as htmx puts them in."""
    context = {"note_box": note_box(subject), "note_form": form, "may_edit": True}
    return render(request, "dashboard/_notes.html", context, status=status)


def _page(
    request: PageRequest,
    box: NoteBox,
    form: NoteForm,
    *,
    action: str,
    heading: str,
    status: int = 422,
) -> HttpResponse:
    """The form on a page of its own, for browsers without script."""
    context = {
        "box": box,
        "form": form,
        "action": action,
        "heading": heading,
        "crumbs": [("Athletes", reverse("dashboard:list")), *box.crumbs, (heading, "")],
    }
    return render(request, "dashboard/note.html", context, status=status)
