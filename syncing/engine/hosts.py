"""The name of this host, and the heartbeat of its queue workers."""

from __future__ import annotations

import socket

from syncing import clock
from syncing.models import WorkerHeartbeat


def host_name() -> str:
    """Return the name of this host, as runs and heartbeats hold it."""
    return socket.gethostname()[:200]


def beat() -> None:
    """Store that a queue worker of this host is alive now."""
    WorkerHeartbeat.objects.update_or_create(
        host=host_name(), defaults={"beat_at": clock.now()}
    )
