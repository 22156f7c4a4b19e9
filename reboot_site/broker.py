"""The queue's broker, which also gives every cluster a task of its own each minute.

Clusters of all hosts take from one queue. A sign of life that is sent through it
reaches one of them, and the others look silent; yet only a task that went through a
cluster's own workers shows that they work, for its main process can live on above dead
ones. So the process that fetches tasks adds one that never was in the shared queue.
What it fetches is held to the list of functions that may be called (queuerules.py).
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_q.humanhash import uuid
from django_q.signing import SignedPackage

from reboot_site.queuerules import checked

if settings.REDIS_URL:
    from django_q.brokers.redis_broker import Redis as Shared
else:
    from django_q.brokers.orm import ORM as Shared

HEARTBEAT_EVERY_S = 60.0


class Broker(Shared):  # type: ignore[misc]  # untyped there
    """The shared queue as one cluster sees it."""

    _beats_at = 0.0  # the first at once

    def dequeue(self) -> list[tuple[Any, Any]]:
        """Tasks with what acknowledges them; our own needs no acknowledging."""
        found = [(key, checked(task)) for key, task in super().dequeue() or ()]
        if time.monotonic() >= self._beats_at:
            self._beats_at = time.monotonic() + HEARTBEAT_EVERY_S
            found.append((None, _heartbeat()))
        return found


def _heartbeat() -> str:
    _, task_id = uuid()
    package: str = SignedPackage.dumps(
        {
            "id": task_id,
            "name": "heartbeat of this host",
            "func": "syncing.tasks.heartbeat_task",
            "args": (),
            "kwargs": {},
            "started": timezone.now(),
            "save": False,  # no row for each minute
            "ack_failure": True,
        }
    )
    return package
