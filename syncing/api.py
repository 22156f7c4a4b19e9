"""The JSON paths about the sync: start one, ask how it stands, count what is here."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any

from django.db.models import Count, Q
from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.api import ApiRequest, JsonAnswer, answers, require_sync
from accounts.audit import record
from accounts.models import Action, User
from athletes.access import (
    sees_everybody,
    visible_movements,
    visible_players,
    visible_sessions,
)
from athletes.models import BiomechanicsData
from syncing.choices import RunStatus, SyncType, Trigger
from syncing.models import SyncLog
from syncing.selectors import run_messages
from syncing.services import request_sync

router = Router(tags=["sync"])

RUN_FIELDS = (
    "id",
    "sync_type",
    "status",
    "records_synced",
    "players_synced",
    "sessions_synced",
    "biomechanics_synced",
    "error_message",
    "started_at",
    "completed_at",
)


class RunOut(Schema):
    """One run of the sync."""

    id: int
    sync_type: SyncType
    status: RunStatus
    records_synced: int
    players_synced: int
    sessions_synced: int
    biomechanics_synced: int
    error_message: str | None
    started_at: dt.datetime | None
    completed_at: dt.datetime | None


class SyncStatus(Schema):
    """The latest sync run, and the runs before it."""

    id: int | None
    sync_type: SyncType | None
    status: str = Field(description="never_synced before the first run.")
    records_synced: int
    players_synced: int
    sessions_synced: int
    biomechanics_synced: int
    error_message: str | None
    started_at: dt.datetime | None
    completed_at: dt.datetime | None
    history: list[RunOut]


class Started(StrEnum):
    """Whether a run is queued or already running."""

    QUEUED = "queued"
    RUNNING = "running"


class SyncStarted(Schema):
    """The run that was started, or was already running."""

    status: Started
    sync_id: int


class Stats(Schema):
    """Counts of what the caller may see."""

    total_players: int
    total_sessions: int
    synced_sessions: int
    pending_sessions: int
    biomechanics_records: int
    total_movements: int
    last_success_at: dt.datetime | None


@router.post(
    "/sync/trigger",
    response=answers(SyncStarted, status=202),
    operation_id="trigger_sync",
)
def trigger_sync(
    request: ApiRequest,
    full: Annotated[
        bool, Query(description="Check everything, not only changes.")
    ] = False,
) -> HttpResponse:
    """Start a sync; if one is already running, returns that run's id."""
    require_sync(request.auth, full=full)
    user = request.auth if isinstance(request.auth, User) else None
    run, is_new = request_sync(trigger=Trigger.API, user=user, full=full)
    if is_new:
        record(Action.SYNC_REQUESTED, by=request.auth, subject=run, full=full)
    status = run.status if run.status == RunStatus.RUNNING else RunStatus.QUEUED
    return JsonAnswer({"status": status, "sync_id": run.pk}, status=202)


@router.get("/sync/status", response=answers(SyncStatus), operation_id="sync_status")
def sync_status(
    request: ApiRequest,
    limit: Annotated[
        int, Query(ge=1, le=1000, description="Runs in the history.")
    ] = 20,
) -> HttpResponse:
    """The latest sync run and the runs before it, newest first."""
    found = SyncLog.objects.of_vendor().order_by("-id")[: limit + 1]
    if sees_everybody(request.auth):
        found = found.defer("errors")
    messages = run_messages(found, request.auth)
    runs: list[dict[str, Any]] = [
        {name: getattr(run, name) for name in RUN_FIELDS}
        | {"error_message": messages[run.pk] or None}
        for run in found
    ]
    if not runs:
        never = dict.fromkeys(RUN_FIELDS) | {
            "status": "never_synced",
            "records_synced": 0,
            "players_synced": 0,
            "sessions_synced": 0,
            "biomechanics_synced": 0,
        }
        return JsonAnswer({**never, "history": []})
    return JsonAnswer({**runs[0], "history": runs[1:]})


@router.get("/stats", response=answers(Stats), operation_id="stats", tags=["athletes"])
def stats(request: ApiRequest) -> HttpResponse:
    """Counts of the athletes, sessions and frames that the caller may see."""
    sessions = visible_sessions(request.auth).aggregate(
        total=Count("pk"), synced=Count("pk", filter=Q(data_synced=True))
    )
    movements = visible_movements(request.auth)
    last = (
        SyncLog.objects.of_vendor()
        .filter(status=RunStatus.SUCCESS)
        .order_by("-completed_at")
        .values_list("completed_at", flat=True)
        .first()
    )
    return JsonAnswer(
        {
            "total_players": visible_players(request.auth).count(),
            "total_sessions": sessions["total"],
            "synced_sessions": sessions["synced"],
            "pending_sessions": sessions["total"] - sessions["synced"],
            "biomechanics_records": BiomechanicsData.objects.filter(
                movement__in=movements
            ).count(),
            "total_movements": movements.count(),
            "last_success_at": last,
        }
    )
