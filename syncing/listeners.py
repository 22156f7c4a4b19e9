"""Tells the listeners of SYNC_LISTENERS what the sync did.

The sync knows the settings' names of them and nothing else.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from athletes.models import Session
from syncing.choices import RunKind, RunStatus
from syncing.models import SyncLog

logger = logging.getLogger(__name__)

FINISHED, FAILING, STORED = "sync.finished", "sync.failing", "session.stored"


def tell(event: str, **data: Any) -> None:
    """Call every listener with ids and states, never with names.

    Inside the caller's transaction, so that what happened and the note of it are
    stored together or not at all. A listener that fails undoes only its own part.
    """
    for path in settings.SYNC_LISTENERS:
        try:
            with transaction.atomic():
                import_string(path)(event, **data)
        except Exception:
            logger.exception(
                "The listener %s could not be told of %s. Correct it, or take it out "
                "of SYNC_LISTENERS.",
                path,
                event,
            )


def tell_end(log: SyncLog) -> None:
    """Tell the listeners that a run ended, well or not."""
    if log.kind != RunKind.VENDOR:
        return
    is_bad = log.status in {RunStatus.FAILED, RunStatus.ABANDONED}
    tell(
        FAILING if is_bad else FINISHED,
        id=log.pk,
        status=str(log.status),
        sync_type=str(log.sync_type),
    )


def tell_stored(session_pk: int) -> None:
    """Tell the listeners that a session has new swing data and numbers."""
    session = Session.objects.filter(pk=session_pk).values("player_id").first()
    if session is not None:
        tell(STORED, id=session_pk, player_id=session["player_id"])
