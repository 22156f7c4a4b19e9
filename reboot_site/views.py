"""Health of the service."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_q.brokers import get_broker

from accounts.api import JsonAnswer
from syncing.services import WORKER_SILENCE_S, broker_errors, worker_heartbeat_age_s


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
    try:
        # Workers may live on other hosts than the one that is asked.
        age = worker_heartbeat_age_s(any_host=True)
        queued = int(get_broker().queue_size())
    except broker_errors():
        return {"state": "unknown", "heartbeat_age_s": None, "queue_length": None}
    if age is None:
        state = "never_seen"
    else:
        state = "running" if age <= WORKER_SILENCE_S else "silent"
    return {"state": state, "heartbeat_age_s": age, "queue_length": queued}
