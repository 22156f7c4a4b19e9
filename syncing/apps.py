from __future__ import annotations

import logging
from typing import Any

from django.apps import AppConfig
from django.db import DatabaseError

logger = logging.getLogger(__name__)


class SyncingConfig(AppConfig):
    name = "syncing"

    def ready(self) -> None:
        from django_q.signals import post_spawn

        from syncing.queueresults import sign_results

        sign_results()
        post_spawn.connect(_show_new_worker, dispatch_uid="syncing.new-worker")


def _show_new_worker(**kwargs: Any) -> None:
    """A worker of the queue has begun: its host is known before a task comes to it."""
    from syncing.engine.hosts import beat

    try:
        beat()
    except DatabaseError as error:
        logger.warning("a new worker could not show itself (%s)", type(error).__name__)
