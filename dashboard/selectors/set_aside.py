"""Decisions that were set aside when the vendor changed a swing, to be looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from athletes.display import number_of
from athletes.kept_questions import kept_question
from athletes.models import EventCorrection, Inclusion, Session, SetAside
from athletes.phrases import EVENTS


@dataclass(frozen=True)
class SetAsideLine:
    """One swing with what people had decided about it, in words."""

    id: int
    movement_id: int
    position: int
    decided: tuple[str, ...]
    because: str
    since: dt.datetime
    # The gone swing that it was decided on; null: this one, with other frames.
    decided_on_id: int | None


@kept_question
def _first_waiting(session_id: int) -> QuerySet[SetAside, int]:
    waiting = SetAside.objects.filter(
        movement__session_id=session_id, settled_at__isnull=True
    )
    return waiting.order_by().values_list("pk", flat=True)[:1]


def set_aside_lines(session: Session) -> tuple[SetAsideLine, ...]:
    """What waits for a word in a session, in the order of its swings.

    One query where nothing does, as in nearly all sessions; five otherwise.
    """
    waiting = SetAside.objects.filter(movement__session=session, settled_at=None)
    if not _first_waiting(session.pk):
        return ()
    active = EventCorrection.objects.filter(undone_at__isnull=True)
    rows = (
        waiting.select_related("movement", "decided_on")
        .prefetch_related(
            "corrections",
            Prefetch("decided_on__event_corrections", queryset=active),
            "decided_on__notes",
        )
        .order_by("movement__position", "pk")
    )
    return tuple(_line(row) for row in rows)


def _line(row: SetAside) -> SetAsideLine:
    source = row.decided_on
    moved = list(row.corrections.all())
    notes = 0
    if source is not None:
        moved += source.event_corrections.all()
        notes = len(source.notes.all())
    words = [*_inclusion(*row.offered_inclusion), *_moves(moved)]
    if notes:
        words.append(number_of(notes, "note"))
    return SetAsideLine(
        id=row.pk,
        movement_id=row.movement_id,
        position=row.movement.position,
        decided=tuple(words),
        because="Reboot Motion reprocessed the session; the swing at this position "
        "has different frames."
        if source is not None
        else "Reboot Motion sent new frames of this swing.",
        since=row.created_at,
        decided_on_id=row.decided_on_id,
    )


def _inclusion(inclusion: str, reason: str) -> list[str]:
    if inclusion not in (Inclusion.INCLUDED, Inclusion.EXCLUDED):
        return []
    words = "Excluded" if inclusion == Inclusion.EXCLUDED else "Included"
    return [f"{words}: {reason}" if reason else words]


def _moves(moved: Iterable[EventCorrection]) -> list[str]:
    """Each moved event: `Foot down moved 24 ms later`."""
    lines = []
    for item in moved:
        label = EVENTS.get(item.event, (item.event, "", ""))[0]
        if item.automatic_time_s is None:
            lines.append(f"{label} placed at {item.time_s:.3f} s")
            continue
        ms = 1000 * (item.time_s - item.automatic_time_s)
        way = "later" if ms >= 0 else "earlier"
        lines.append(f"{label} moved {abs(ms):.0f} ms {way}")
    return lines
