"""What a session lacks, and what staff decided about it."""

from __future__ import annotations

from dataclasses import dataclass

from athletes.models import DataState, GapDismissal, Session
from dashboard.phrases import gap_in_words


@dataclass(frozen=True)
class SessionGap:
    """What a session lacks; `dismissal` is the decision that holds for just that."""

    words: str
    dismissal: GapDismissal | None


def session_gap(session: Session) -> SessionGap | None:
    """What the session lacks, with the dismissal of it; None when it lacks nothing."""
    if session.data_state not in {DataState.FAILED, DataState.PARTIAL}:
        return None
    return SessionGap(
        words=gap_in_words(session.data_gap) or "some of its data is missing",
        dismissal=session.gap_dismissals.filter(
            undone_at__isnull=True,
            data_state=session.data_state,
            data_gap=session.data_gap,
        )
        .select_related("created_by")
        .first(),
    )
