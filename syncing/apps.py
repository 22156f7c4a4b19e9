"""The Django app of the sync, and what it sets up when the program starts."""

from __future__ import annotations

import logging
from typing import Any

from django.apps import AppConfig
from django.db import DatabaseError

logger = logging.getLogger(__name__)


class SyncingConfig(AppConfig):
    """Signs the results of tasks, and shows new workers of the queue."""

    name = "syncing"

    def ready(self) -> None:
        """Have the queue sign its results, and each new worker store its heartbeat."""
        from django_q.signals import post_spawn

        from syncing.queueresults import sign_results

        sign_results()
        post_spawn.connect(_show_new_worker, dispatch_uid="syncing.new-worker")


def _show_new_worker(**kwargs: Any) -> None:
    """Store the heartbeat of a new worker, before a task comes to it."""
    from syncing.engine.hosts import beat

    try:
        beat()
    except DatabaseError as error:
        logger.warning(
            "A new worker of the queue could not store its heartbeat (%s). If this "
            "keeps happening, check the database.",
            type(error).__name__,
        )
