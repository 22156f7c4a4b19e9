"""Takes up again what was lost: runs cut off, runs nobody took, jobs that are due."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncing import clock
from syncing.alerts import mail_when_overdue
from syncing.choices import RunStatus, SyncType, Trigger
from syncing.engine import runs
from syncing.models import (
    AnalysisJob,
    ExportJob,
    SyncCursor,
    SyncLog,
    VendorSession,
)
from syncing.services import enqueue, request_sync

#: A queued run that no worker took up is enqueued again after this long.
QUEUE_PATIENCE = timedelta(seconds=90)
#: After so many runs in a row that were cut off, a person has to look.
MAX_ABANDONED = 3
#: After a run that failed as a whole the sweep leaves the vendor alone for so long.
REST_AFTER_FAILURE = timedelta(hours=1)
_FULL_WANTED = "full-run-wanted"


def sweep() -> dict[str, int]:
    """Enqueue lost runs, replace abandoned ones, work due jobs; return the counts."""
    now = clock.now()
    abandoned = runs.abandon_dead_runs()
    runs.release_dead_helpers()
    lost = _enqueue_lost(now)
    started = 0
    if _full_run_is_wanted() and not SyncLog.objects.active().of_vendor().exists():
        _, is_new = request_sync(trigger=Trigger.SCHEDULE, full=True)
        started += is_new
    last = SyncLog.objects.of_vendor().order_by("-id").first()
    if last is not None and not last.is_active:
        if (
            last.status == RunStatus.ABANDONED
            and runs.last_abandoned_in_a_row() < MAX_ABANDONED
        ):
            _, is_new = request_sync(
                trigger=Trigger.SWEEP, sync_type=last.sync_type, since=last.since
            )
            started += is_new
        elif not _failed_lately(last, now) and _something_is_due(now):
            _, is_new = request_sync(trigger=Trigger.SWEEP, sync_type=SyncType.EXPORTS)
            started += is_new
    return {
        "abandoned": len(abandoned),
        "enqueued": lost,
        "started": started,
        "mailed": int(mail_when_overdue(now)),
    }


def _failed_lately(last: SyncLog, now: datetime) -> bool:
    """Whether a wrong login or an absent vendor ended the last run just now.

    What was due then still is, and another try in five minutes ends as that one.
    """
    return (
        last.status in {RunStatus.FAILED, RunStatus.PARTIAL}
        and bool(last.error_class)
        and last.completed_at is not None
        and now - last.completed_at < REST_AFTER_FAILURE
    )


def want_full_run() -> None:
    """Have a full run begin when the smaller one under way has ended."""
    SyncCursor.objects.update_or_create(
        name=_FULL_WANTED, defaults={"value": clock.now()}
    )


def _full_run_is_wanted() -> bool:
    """Whether a full run was asked for, and none has begun since."""
    wanted = SyncCursor.objects.filter(name=_FULL_WANTED).first()
    if wanted is None:
        return False
    if SyncLog.objects.filter(
        sync_type=SyncType.FULL, created_at__gte=wanted.value
    ).exists():
        wanted.delete()
        return False
    return True


def take_over() -> int:
    """Begin again at once what a dead process left; return how many runs."""
    runs.release_dead_helpers()
    abandoned = runs.abandon_dead_runs()
    if abandoned:
        sweep()
    else:
        _enqueue_lost(clock.now())
    return len(abandoned)


def _enqueue_lost(now: datetime) -> int:
    """Enqueue again the runs whose message was lost; return how many."""
    lost = list(runs.queued_too_long(now, QUEUE_PATIENCE))
    for log in lost:
        enqueue(log)
    return len(lost)


def _something_is_due(now: datetime) -> bool:
    return (
        ExportJob.objects.due(now).unclaimed(now).exists()
        or VendorSession.objects.filter(
            missing_since__isnull=True, next_check_at__lte=now
        ).exists()
        or AnalysisJob.objects.left_behind(now).exists()
    )
