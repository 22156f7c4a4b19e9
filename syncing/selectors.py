"""What the sync pages show: one frozen dataclass per page or fragment.

Where the sync stands is `syncing.services.sync_status`; this adds what only pages need.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.utils import timezone

from athletes.display import since_text
from syncing import services
from syncing.models import (
    ExportJob,
    JobState,
    RunKind,
    RunStatus,
    SyncLog,
    WorkerHeartbeat,
)
from syncing.services import FailureGroup, SyncStatus

#: Failed files that are listed one by one below their reason.
LISTED_FILES = 5


@dataclass(frozen=True)
class Worker:
    """Sign of life of one host's queue."""

    host: str
    beat_at: dt.datetime
    is_silent: bool


@dataclass(frozen=True)
class SyncPanel:
    """Everything that changes while a run is under way."""

    status: SyncStatus
    workers: list[Worker]
    remaining: str

    @property
    def state(self) -> str:
        return "active" if self.status.is_active else "idle"


@dataclass(frozen=True)
class Failure:
    """Files that failed for one reason, the newest of them one by one."""

    group: FailureGroup
    jobs: list[ExportJob]
    given_up: int


@dataclass(frozen=True)
class Freshness:
    """The chip in the head of every page."""

    state: str
    text: str


@dataclass(frozen=True)
class RunDetail:
    """One run with all it counted and all that went wrong."""

    run: SyncLog
    counts: list[tuple[str, dict[str, int]]]
    is_upload: bool


def sync_panel(*, with_jobs: bool = False) -> SyncPanel:
    """State now, with the signs of life of the workers."""
    now = timezone.now()
    status = services.sync_status(with_jobs=with_jobs)
    silent_s = services.WORKER_SILENCE_S
    return SyncPanel(
        status=status,
        workers=[
            Worker(w.host, w.beat_at, (now - w.beat_at).total_seconds() > silent_s)
            for w in WorkerHeartbeat.objects.order_by("host")
        ],
        remaining=remaining_text(status.remaining_s),
    )


def remaining_text(seconds: float | None) -> str:
    """A time left in words no finer than it is known."""
    if seconds is None:
        return ""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s left"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.1f} h left"


def failures(status: SyncStatus) -> list[Failure]:
    """The groups of failed files with their newest members."""
    listed = {
        job.pk: job
        for job in ExportJob.objects.filter(
            pk__in=[pk for g in status.failures for pk in g.job_ids[:LISTED_FILES]]
        ).select_related("session")
    }
    given_up = set(
        ExportJob.objects.filter(state=JobState.GIVEN_UP).values_list("pk", flat=True)
    )
    return [
        Failure(
            group=group,
            jobs=[listed[pk] for pk in group.job_ids[:LISTED_FILES] if pk in listed],
            given_up=sum(pk in given_up for pk in group.job_ids),
        )
        for group in status.failures
    ]


def freshness() -> Freshness:
    """How fresh the data are, in a few words; asked for by every page."""
    last = SyncLog.objects.of_vendor().order_by("-id").first()
    if last is None:
        return Freshness("never", "Never synced")
    if last.is_active:
        return Freshness("running", "Syncing now")
    if last.status == RunStatus.FAILED:
        return Freshness("failed", "Last sync failed")
    succeeded_at = services.last_success()
    if succeeded_at is None:
        return Freshness("stale", "Sync not complete yet")
    age = timezone.now() - succeeded_at
    state = "stale" if age > services.SUCCESS_MAX_AGE else "fresh"
    return Freshness(state, f"Synced {since_text(succeeded_at, timezone.now())} ago")


def history(page: int, size: int = 20) -> Page[SyncLog]:
    """Runs of every kind, newest first."""
    runs = SyncLog.objects.select_related("requested_by").order_by("-id")
    return Paginator(runs, size).get_page(page)


def run_detail(run: SyncLog) -> RunDetail:
    """One run, for its page."""
    labels = {
        "players": "Athletes",
        "sessions": "Sessions",
        "exports": "Files",
        "movements": "Movements",
    }
    return RunDetail(
        run=run,
        counts=[(labels[k], run.counts[k]) for k in labels if k in run.counts],
        is_upload=run.kind == RunKind.UPLOAD,
    )
