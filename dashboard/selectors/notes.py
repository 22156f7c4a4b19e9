"""The notes on an athlete, a session or a swing, as its page lists them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.urls import reverse

from athletes.kept_questions import kept_question
from athletes.models import Movement, Note, Player, Session
from dashboard.phrases import session_day


@dataclass(frozen=True)
class NoteBox:
    """The notes on one thing, the latest first, and where one is added.

    `page` is the address of the thing's page, `crumbs` the way there.
    """

    notes: tuple[Note, ...]
    add_url: str
    page: str
    crumbs: tuple[tuple[str, str], ...]
    # The session's page says of which swing a note is; a swing's page need not.
    names_swings: bool = False


def note_box(subject: Player | Session | Movement) -> NoteBox:
    """The notes on the subject; one query where there is none.

    Its athlete has to be loaded; with notes there are up to two more.
    """
    if isinstance(subject, Player):
        notes, name, player = _notes("player", subject.pk), "athlete", subject
        crumbs = [(player.full_name, _page("athlete", player.pk))]
    else:
        is_session = isinstance(subject, Session)
        session = subject if isinstance(subject, Session) else subject.session
        name = "session" if is_session else "swing"
        notes = _notes("session" if is_session else "movement", subject.pk)
        player = session.player
        crumbs = [
            (player.full_name, _page("athlete", player.pk)),
            (session_day(session.session_date), _page("session", session.pk)),
        ]
        if isinstance(subject, Movement):
            number = f"Swing {subject.position}"
            crumbs.append((number, _page("swing", subject.pk)))
    return NoteBox(
        notes=tuple(notes),
        add_url=reverse(f"dashboard:{name}_note", args=[subject.pk]),
        page=_page(name, subject.pk),
        crumbs=tuple(crumbs),
        names_swings=name == "session",
    )


def subject_of(note: Note) -> Player | Session | Movement:
    """What the note is about."""
    if note.movement is not None:
        return note.movement
    if note.session is not None:
        return note.session
    assert note.player is not None  # noqa: S101 - the database sees to it
    return note.player


def page_of_note(note: Note) -> str:
    """The address of the page on which the note stands."""
    subject = subject_of(note)
    names = {Player: "athlete", Session: "session", Movement: "swing"}
    return f"{_page(names[type(subject)], subject.pk)}#notes"


def _page(name: str, pk: int) -> str:
    return reverse(f"dashboard:{name}", args=[pk])


@kept_question
def _notes(about: str, pk: int) -> QuerySet[Note]:
    """The notes on a row, the latest first; `about` is its column."""
    notes = Note.objects.filter(**{about: pk})
    # Of the swing its number is told, and most things have no note at all.
    swings = Movement.objects.only("position", "session_id")
    related = notes.prefetch_related("created_by", Prefetch("movement", swings))
    return related.order_by("-created_at", "-id")
