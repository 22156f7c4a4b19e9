"""The commands of the sync: start, cancel, try again, give up, download again."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django_q.tasks import async_task

from reboot_site.cache import redis_errors
from syncing import clock
from syncing.choices import JobState, SyncType, Trigger
from syncing.engine import runs
from syncing.engine.session_state import refresh_session_state
from syncing.models import ExportJob, SyncLog, VendorSession
from syncing.status import uncomputed_sessions, unread_sessions

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)


# --- Runs -------------------------------------------------------------------


def request_sync(
    *,
    trigger: str,
    user: User | None = None,
    full: bool = False,
    sync_type: str | None = None,
    since: date | None = None,
) -> tuple[SyncLog, bool]:
    """Return a newly queued run and True, or the active run and False."""
    if sync_type is None:
        sync_type = SyncType.FULL if full else SyncType.INCREMENTAL
        if since is not None and not full:
            sync_type = SyncType.SINCE
    log, is_new = runs.open_run(
        trigger=trigger, sync_type=sync_type, user=user, since=since
    )
    # From a page or a program this line joins the request with the run.
    logger.info(
        "Sync run %s was requested%s.",
        log.pk,
        "" if is_new else " again; it is already running",
        extra={"run_id": log.pk, "trigger": str(trigger)},
    )
    if is_new:
        enqueue(log)
    return log, is_new


def run_sync(*, log_id: int, **options: Any) -> SyncLog:
    """Work a queued run here and now (see `syncing.engine.run.run_sync`)."""
    # Here, because web processes do without the libraries that read files.
    from syncing.engine.run import run_sync as run

    return run(log_id=log_id, **options)


def enqueue(log: SyncLog) -> None:
    """Wake a worker for a queued run, once the transaction is committed.

    A message that is lost does not matter: the sweep sends another.
    """
    SyncLog.objects.filter(pk=log.pk).update(enqueued_at=clock.now())
    transaction.on_commit(lambda: _send(log))


def _send(log: SyncLog) -> None:
    try:
        async_task(
            "syncing.tasks.run_sync_task", log.pk, task_name=f"sync run {log.pk}"
        )
    except redis_errors() as error:
        # The run is in the database; it is sent again when the broker is back.
        logger.warning(
            "Sync run %s waits, because the queue can't be reached (%s). It is resent "
            "automatically; check that Redis is running, and REDIS_URL.",
            log.pk,
            type(error).__name__,
        )


def request_cancel(*, run_id: int | None = None, user: User | None = None) -> bool:
    """Ask a run (the active one unless given) to stop; False when there is none."""
    active = SyncLog.objects.active().of_vendor()
    if run_id is not None:
        active = SyncLog.objects.active().filter(pk=run_id)
    log = active.first()
    return log is not None and runs.request_cancel(log, user=user)


# --- Export jobs --------------------------------------------------------------


def retry_jobs(*, job_ids: Iterable[int], user: User | None = None) -> int:
    """Try jobs again now, however they ended; return how many."""
    with transaction.atomic():
        count = _reset(ExportJob.objects.filter(pk__in=list(job_ids)))
        if count:
            request_sync(trigger=Trigger.BUTTON, user=user, sync_type=SyncType.EXPORTS)
    return count


def retry_sessions(
    *,
    unread: Iterable[int] = (),
    uncomputed: Iterable[int] = (),
    user: User | None = None,
) -> int:
    """Read sessions again now, or compute their numbers again; return how many.

    `unread` are ids of the vendor's sessions, `uncomputed` are ids of ours.
    """
    now = clock.now()
    with transaction.atomic():
        count = unread_sessions().filter(pk__in=list(unread)).update(next_check_at=now)
        count += (
            uncomputed_sessions()
            .filter(pk__in=list(uncomputed))
            .update(attempts=0, last_error="", updated_at=now)
        )
        if count:
            request_sync(trigger=Trigger.BUTTON, user=user, sync_type=SyncType.EXPORTS)
    return count


def give_up(*, job_ids: Iterable[int]) -> int:
    """Stop trying jobs until the vendor's session changes; return how many."""
    now = clock.now()
    with transaction.atomic():
        jobs = (
            ExportJob.objects.filter(pk__in=list(job_ids))
            .exclude(state=JobState.STORED)
            .exclude(state=JobState.GIVEN_UP, next_try_at__isnull=True)
            .unclaimed(now)
        )
        sessions = set(jobs.values_list("session_id", flat=True))
        count = jobs.update(
            state=JobState.GIVEN_UP,
            given_up_at=now,
            next_try_at=None,
            claimed_by="",
            claimed_until=None,
            updated_at=now,
        )
        for session_pk in sessions:
            refresh_session_state(session_pk)
    return count


def backfill(
    *,
    session_ids: Iterable[int] | None = None,
    player_ids: Iterable[int] | None = None,
    start: date | None = None,
    end: date | None = None,
    user: User | None = None,
) -> int:
    """Download files again by session, athlete or days; return the number of jobs.

    Ids are ours, of `sessions` and `players`. At least one of the filters is needed.
    """
    jobs = ExportJob.objects.all()
    if session_ids is not None:
        wanted = list(session_ids)
        jobs = jobs.filter(
            Q(session_id__in=wanted) | Q(session__folded_into_id__in=wanted)
        )
    if player_ids is not None:
        athletes = list(player_ids)
        jobs = jobs.filter(
            Q(session__player_id__in=athletes)
            | Q(session__folded_into__player_id__in=athletes)
        )
    if start is not None:
        jobs = jobs.filter(session__session_date__gte=start)
    if end is not None:
        jobs = jobs.filter(session__session_date__lte=end)
    if session_ids is None and player_ids is None and start is None and end is None:
        raise ValueError("Choose sessions, athletes or dates to download again.")
    with transaction.atomic():
        sessions = set(jobs.values_list("session__session_id", flat=True))
        # An empty hash lets a file be read again although it is the same.
        count = _reset(jobs, sha256="")
        if count:
            VendorSession.objects.filter(
                session_id__in=sessions, missing_since__isnull=True
            ).update(needs_detail=True)
            request_sync(trigger=Trigger.BUTTON, user=user, sync_type=SyncType.EXPORTS)
    return count


def look_again(*, session_ids: Iterable[str], user: User | None = None) -> int:
    """Read sessions of the vendor again, and download all their files again.

    Ids are the vendor's; sessions that nobody of ours took part in are asked too.
    Returns how many sessions there are.
    """
    wanted = list(session_ids)
    with transaction.atomic():
        count = VendorSession.objects.filter(
            session_id__in=wanted, missing_since__isnull=True
        ).update(needs_detail=True)
        _reset(ExportJob.objects.filter(session__session_id__in=wanted), sha256="")
        if count:
            request_sync(trigger=Trigger.BUTTON, user=user, sync_type=SyncType.EXPORTS)
    return count


def _reset(jobs: Any, **values: Any) -> int:
    """Make jobs as if they had never been tried; return how many.

    Those of sessions that the vendor no longer has stay as they are: nobody would
    take them up.
    """
    now = clock.now()
    jobs = jobs.filter(session__missing_since__isnull=True)
    ids = list(jobs.unclaimed(now).values_list("pk", "session_id"))
    count = ExportJob.objects.filter(pk__in=[pk for pk, _ in ids]).update(
        state=JobState.WANTED,
        next_try_at=now,
        given_up_at=None,
        attempts=0,
        polls=0,
        requested_at=None,
        no_data_answers=0,
        last_error="",
        error_code="",
        claimed_by="",
        claimed_until=None,
        updated_at=now,
        **values,
    )
    for session_pk in {session_pk for _, session_pk in ids}:
        refresh_session_state(session_pk)
    return count
