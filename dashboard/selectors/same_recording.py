"""The other session under which a recording is here too."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from athletes.kept_questions import kept_question
from athletes.models import SameRecording, Session
from athletes.querysets import SessionQuerySet


@dataclass(frozen=True)
class Twin:
    """A session with the same frames, as the page of `session` tells it."""

    pair: SameRecording
    other: Session
    this_choice: str
    other_choice: str

    @property
    def state(self) -> str:
        """Which session counts, in words."""
        if not self.pair.counts:
            return "Both are included in averages."
        if self.pair.counts == SameRecording.Counts.BOTH:
            return "Staff decided to use both."
        if self.pair.counts == self.this_choice:
            return "Staff decided to use this session."
        return "Staff decided to use the other session; these swings are excluded."


@kept_question
def _pairs(session_id: int) -> QuerySet[SameRecording, int]:
    pairs = SameRecording.objects.of_session(session_id).order_by()
    return pairs.values_list("pk", flat=True)[:1]


def twin_of(session: Session, visible: SessionQuerySet) -> Twin | None:
    """The session with the same recording that the viewer may see too; or None."""
    # Of few sessions there are any, and who may see them is a long question.
    if not _pairs(session.pk):
        return None
    pair = (
        SameRecording.objects.of_session(session.pk)
        .of_present()
        .filter(session__in=visible, other__in=visible)
        .select_related("session__player", "other__player")
        .order_by("decided_at", "id")
        .first()
    )
    if pair is None:
        return None
    is_later = pair.session_id == session.pk
    choices = (SameRecording.Counts.LATER.value, SameRecording.Counts.OTHER.value)
    return Twin(
        pair,
        pair.other if is_later else pair.session,
        *(choices if is_later else choices[::-1]),
    )
