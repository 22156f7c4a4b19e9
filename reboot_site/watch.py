"""Looks from the web processes whether syncs go well, since a dead worker cannot.

Each process looks every few minutes; of all processes on all hosts one sends the mail,
which a row of the database decides (syncing/alerts.py).
"""

from __future__ import annotations

import logging
import threading

from django.db import Error, connections

from syncing import clock
from syncing.alerts import mail_when_overdue

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 300.0


def start(*, every_s: float = LOOK_EVERY_S) -> threading.Event:
    """Look at once and then every few seconds, until the returned event is set."""
    ended = threading.Event()
    # A daemon: nobody waits for a mail when the process is to end.
    threading.Thread(
        target=_watch, args=(ended, every_s), name="watch", daemon=True
    ).start()
    return ended


def _watch(ended: threading.Event, every_s: float) -> None:
    while True:
        look()
        if ended.wait(every_s):
            return


def look() -> None:
    """Send the mail of a day without success where it is due."""
    try:
        mail_when_overdue(clock.now())
    except Error as error:
        # It is looked at again; /health tells of the database.
        logger.warning(
            "The age of the last sync could not be checked (%s).",
            type(error).__name__,
        )
    finally:
        connections.close_all()
