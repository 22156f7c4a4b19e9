"""Tells the listeners of EVENT_LISTENERS what the sync did."""

from __future__ import annotations

from athletes.listeners import tell
from athletes.models import Session
from syncing.choices import RunKind, RunStatus
from syncing.models import SyncLog

FINISHED, FAILING, STORED = "sync.finished", "sync.failing", "session.stored"


def tell_end(log: SyncLog) -> None:
    """Tell the listeners that a run ended, well or not."""
    if log.kind != RunKind.VENDOR:
        return
    is_bad = log.status in {RunStatus.FAILED, RunStatus.ABANDONED}
    tell(
        FAILING if is_bad else FINISHED,
        [
            {
                "id": log.pk,
                "status": str(log.status),
                "sync_type": str(log.sync_type),
            }
        ],
    )


def tell_stored(session_pk: int) -> None:
    """Tell the listeners that a session has new swing data and numbers."""
    session = Session.objects.filter(pk=session_pk).values("player_id").first()
    if session is not None:
        tell(STORED, [{"id": session_pk, "player_id": session["player_id"]}])
