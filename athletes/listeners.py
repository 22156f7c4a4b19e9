"""Tells the listeners of EVENT_LISTENERS what happened to athletes, sessions, swings.

Whoever is told is named in the settings; nothing of them is known here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from athletes.models import Movement

logger = logging.getLogger(__name__)

MOVEMENT_CHANGED = "movement.changed"
SESSION_GONE = "session.gone"
ATHLETE_GONE = "athlete.gone"
#: Other records of an athlete are shown in a session than before.
SESSION_REGROUPED = "session.regrouped"


def tell(event: str, rows: Sequence[dict[str, Any]]) -> None:
    """Call every listener with an event, and with ids and states for each row.

    Inside the caller's transaction, so that what happened and the note of it are
    stored together or not at all. A listener that fails undoes only its own part.
    """
    if not rows:
        return
    for path in settings.EVENT_LISTENERS:
        try:
            with transaction.atomic():
                import_string(path)(event, rows)
        except Exception:
            logger.exception(
                "The listener %s could not be notified of %s. Fix it, or remove it "
                "from EVENT_LISTENERS.",
                path,
                event,
            )


def tell_changed(movements: Iterable[Movement]) -> None:
    """Tell that a person changed swings: inclusion, an event, the setup."""
    tell(
        MOVEMENT_CHANGED,
        [
            {
                "id": movement.pk,
                "session": movement.session_id,
                "player_id": movement.session.player_id,
            }
            for movement in movements
        ],
    )


def tell_ids(event: str, pks: Iterable[int]) -> None:
    """Tell that sessions or athletes are gone or regrouped, by their ids alone."""
    tell(event, [{"id": pk} for pk in sorted(pks)])
