"""The rows of runs: opening one, claiming it, and marking those whose process died."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Q

from syncing import clock
from syncing.choices import RunKind, RunStatus, SyncType
from syncing.engine import liveness
from syncing.engine.hosts import host_name
from syncing.listeners import tell_end
from syncing.models import AnalysisJob, ExportJob, RequestSlot, RunHelper, SyncLog

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

#: A process of which nobody knows whether it lives is taken for dead after so much
#: silence. It beats every second, and stops by itself when it could not for
#: `STALL_LIMIT_S`: by the time that others take up its jobs, it has let go of them.
SILENCE_LIMIT = timedelta(seconds=45)
#: Longer than a write waits for SQLite's lock.
STALL_LIMIT_S = 30.0

#: How much a run looks at, so that a queued one can be widened but never narrowed.
_WIDTH = {
    SyncType.EXPORTS: 0,
    SyncType.SINCE: 1,
    SyncType.INCREMENTAL: 1,
    SyncType.FULL: 2,
}


def _width(sync_type: str) -> int:
    """How much a sync of this type looks at; a larger number covers more."""
    return _WIDTH.get(SyncType(sync_type), 0)


def open_run(
    *,
    trigger: str,
    sync_type: str,
    user: User | None = None,
    since: date | None = None,
    kind: str = RunKind.VENDOR,
) -> tuple[SyncLog, bool]:
    """Return a new queued run and True, or the active one of that kind and False.

    The partial unique constraint decides between hosts; nothing is locked first.
    """
    for _ in range(3):
        abandon_dead_runs()
        try:
            with transaction.atomic():
                return (
                    SyncLog.objects.create(
                        kind=kind,
                        trigger=trigger,
                        sync_type=sync_type,
                        since=since,
                        requested_by=user,
                    ),
                    True,
                )
        except IntegrityError:
            active = SyncLog.objects.active().filter(kind=kind).first()
        if active is not None:
            _widen(active, sync_type, since)
            return active, False
    raise RuntimeError("Runs are starting and ending too fast: try again.")


def _widen(active: SyncLog, sync_type: str, since: date | None) -> None:
    """Let a run that has not begun also cover what is asked for now."""
    if (
        active.kind != RunKind.VENDOR
        or active.started_at is not None
        or _WIDTH.get(SyncType(sync_type), 0)
        < _WIDTH.get(SyncType(active.sync_type), 0)
        or (active.sync_type, active.since) == (sync_type, since)
    ):
        return
    if {active.sync_type, sync_type} == {SyncType.SINCE, SyncType.INCREMENTAL} or (
        active.sync_type == sync_type == SyncType.SINCE
    ):
        # Neither covers the other; what changed since the cursor must not be lost.
        sync_type, since = SyncType.FULL, None
    SyncLog.objects.filter(
        pk=active.pk, status=RunStatus.QUEUED, started_at__isnull=True
    ).update(sync_type=sync_type, since=since)
    active.sync_type, active.since = sync_type, since


def claim_run(log_id: int) -> SyncLog | None:
    """Claim a queued run for this process; return None when it is not to be had."""
    now = clock.now()
    owner = uuid.uuid4().hex
    claimed = SyncLog.objects.filter(pk=log_id, status=RunStatus.QUEUED).update(
        status=RunStatus.RUNNING,
        owner=owner,
        host=host_name(),
        pid=os.getpid(),
        process=liveness.mark(),
        heartbeat_at=now,
    )
    if not claimed:
        return None
    SyncLog.objects.filter(pk=log_id, started_at__isnull=True).update(started_at=now)
    return SyncLog.objects.get(pk=log_id)


def request_cancel(log: SyncLog, *, user: User | None = None) -> bool:
    """Ask a run to stop; return False when it is over already."""
    now = clock.now()
    ended = SyncLog.objects.filter(pk=log.pk, status=RunStatus.QUEUED).update(
        status=RunStatus.CANCELLED,
        completed_at=now,
        cancel_requested_at=now,
        cancel_requested_by=user,
        error_message="Canceled before it started."
        if log.started_at is None
        else "Canceled while waiting for a worker; finished work is kept.",
    )
    if ended:
        return True
    return bool(
        SyncLog.objects.filter(
            pk=log.pk, status=RunStatus.RUNNING, cancel_requested_at__isnull=True
        ).update(cancel_requested_at=now, cancel_requested_by=user)
    )


def is_silent(log: SyncLog, now: datetime) -> bool:
    """Whether a run that should be working has shown no heartbeat for too long."""
    return log.status == RunStatus.RUNNING and (
        log.heartbeat_at is None or now - log.heartbeat_at > SILENCE_LIMIT
    )


def abandon_dead_runs() -> list[SyncLog]:
    """Mark runs whose process is gone, and return them; others take up their work."""
    now = clock.now()
    found = []
    for log in SyncLog.objects.filter(status=RunStatus.RUNNING):
        gone = liveness.is_gone(log.process)
        if not is_silent(log, now) and not gone:
            continue
        age_s = 0.0
        if log.heartbeat_at is not None:
            age_s = (now - log.heartbeat_at).total_seconds()
        message = (
            "The process running this stopped unexpectedly (last heartbeat "
            f"{age_s:.0f} s earlier). Everything stored is kept, and the next run "
            "continues."
        )
        if SyncLog.objects.filter(
            pk=log.pk, status=RunStatus.RUNNING, owner=log.owner
        ).update(
            status=RunStatus.ABANDONED,
            completed_at=now,
            error_message=message,
            error_class="Abandoned",
        ):
            logger.warning(
                "Sync run %s is abandoned because its process is gone. The next run "
                "continues.",
                log.pk,
            )
            release_claims(log.owner, with_slots=gone)
            log.refresh_from_db()
            tell_end(log)
            found.append(log)
    return found


def release_dead_helpers() -> int:
    """Release what dead helpers hold; return how many helpers were dead.

    Of this host it is known at once; the silence of others has to be waited for.
    """
    now = clock.now()
    count = 0
    for helper in RunHelper.objects.all():
        silent = now - (helper.heartbeat_at or helper.created_at) > SILENCE_LIMIT
        gone = liveness.is_gone(helper.process)
        if not silent and not gone:
            continue
        with transaction.atomic():
            # One that beat in the meantime lives.
            deleted, _ = RunHelper.objects.filter(
                pk=helper.pk, heartbeat_at=helper.heartbeat_at
            ).delete()
            if deleted:
                release_claims(helper.worker, with_slots=gone)
        if deleted:
            logger.warning(
                "A helper of sync run %s is gone. Other workers can take its jobs.",
                helper.run_id,
            )
            count += 1
    return count


def release_claims(owner: str, *, with_slots: bool = False) -> None:
    """Release the jobs of one process, so that others need not wait for its leases.

    Its request slots too where its connections died with it; requests of a process
    that may be alive are left to run out with their lease.
    """
    if not owner:
        return
    ExportJob.objects.filter(claimed_by=owner).update(claimed_by="", claimed_until=None)
    AnalysisJob.objects.filter(claimed_by=owner).update(
        claimed_by="", claimed_until=None
    )
    if with_slots:
        RequestSlot.objects.filter(holder=owner).update(holder="", held_until=None)


def requeue_run(log: SyncLog) -> bool:
    """Put a run of this process back into the queue, to go on in another task."""
    return bool(
        SyncLog.objects.filter(
            pk=log.pk, status=RunStatus.RUNNING, owner=log.owner
        ).update(
            status=RunStatus.QUEUED,
            owner="",
            pid=None,
            process="",
            enqueued_at=clock.now(),
        )
    )


def queued_too_long(now: datetime, patience: timedelta) -> Iterable[SyncLog]:
    """Queued runs that no worker has taken since they were last enqueued."""
    return SyncLog.objects.filter(status=RunStatus.QUEUED).filter(
        Q(enqueued_at__lt=now - patience)
        | Q(enqueued_at__isnull=True, created_at__lt=now - patience)
    )


def last_abandoned_in_a_row(limit: int = 5) -> int:
    """Return how many of the newest runs were abandoned one after another."""
    statuses = SyncLog.objects.of_vendor().order_by("-id")
    count = 0
    for status in statuses.values_list("status", flat=True)[:limit]:
        if status != RunStatus.ABANDONED:
            break
        count += 1
    return count
