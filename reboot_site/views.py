"""Health of the service."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_q.brokers import get_broker

from accounts.api import JsonAnswer
from syncing.status import broker_errors, silent_hosts, worker_ages_s


def health_answer() -> JsonAnswer:
    """200 when the database answers and no migration is missing, else 503.

    A silent worker is told but does not take the pages away from coaches.
    """
    missing: int | None = None
    worker: dict[str, Any] | None = None
    try:
        missing = len(_known_migrations() - _applied_migrations())
        if missing:
            detail = f"{missing} migrations are missing: run manage.py migrate."
        else:
            detail = None
            worker = _worker()
    except DatabaseError:
        detail = "The database does not answer."
    return JsonAnswer(
        {
            "status": "unhealthy" if detail else "healthy",
            "detail": detail,
            "migrations_missing": missing,
            "worker": worker,
        },
        status=503 if detail else 200,
    )


@lru_cache(maxsize=1)
def _known_migrations() -> frozenset[tuple[str, str]]:
    # Read from the disk once: the code of a process does not change.
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.graph.nodes)


def _applied_migrations() -> set[tuple[str, str]]:
    return set(MigrationRecorder(connection).applied_migrations())


def _worker() -> dict[str, Any]:
    """Return the state of the queue's workers on all hosts.

    All hosts, because the one that answers may have no worker of its own. It tells how
    many are silent, not which: who asks here has no login. Names are under /syncing/
    and in the metrics.
    """
    ages_s = worker_ages_s()
    silent = silent_hosts(ages_s)
    queued: int | None = None
    state = "never_seen"
    if ages_s:
        state = "silent" if len(silent) == len(ages_s) else "running"
    try:
        queued = int(get_broker().queue_size())
    except broker_errors():
        state = "unknown"
    return {
        "state": state,
        "heartbeat_age_s": min(ages_s.values(), default=None),
        "hosts": len(ages_s),
        "silent_hosts": len(silent),
        "queue_length": queued,
    }
