"""What coaches wrote that is to stand on the sheet."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from athletes.models import Note, Player, Session

#: One page has room for so many notes, and for so much of each.
MOST_NOTES, NOTE_LENGTH = 2, 280


@dataclass(frozen=True)
class SheetNote:
    """A note as the sheet prints it: its text, and what it is about and when."""

    text: str
    line: str


def sheet_notes(
    player: Player, session: Session | None, *, with_athlete: bool
) -> tuple[SheetNote, ...]:
    """The latest notes that are to stand on the sheet; one query.

    Those on the session and its swings; `with_athlete` those on the athlete too.
    """
    wanted = Q(session=session) if session is not None else Q(pk__in=[])
    if with_athlete:
        wanted |= Q(player=player)
    notes = (
        Note.objects.filter(wanted, on_sheet=True)
        .select_related("movement")
        .order_by("-created_at", "-id")[:MOST_NOTES]
    )
    return tuple(SheetNote(_cut(note.text), _line(note)) for note in notes)


def _cut(text: str) -> str:
    """The text on one line, and what there is no room for as an ellipsis."""
    text = " ".join(text.split())
    if len(text) <= NOTE_LENGTH:
        return text
    return text[: NOTE_LENGTH - 1].rstrip() + "…"


def _line(note: Note) -> str:
    """`Swing 5 · Mar 8, 2026`: what the note is about, and the day it was written."""
    day = date_format(timezone.localtime(note.created_at), "M j, Y")
    return day if note.movement is None else f"Swing {note.movement.position} · {day}"
