"""Claims of export jobs: which jobs are due, and which this process holds.

A claim is a conditional update with a lease, so that two processes never work the same
job, and one that died holds nothing for long.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Least

from syncing import clock
from syncing.choices import OPEN_STATES, JobState
from syncing.engine.context import RunContext
from syncing.models import AnalysisJob, ExportJob
from syncing.querysets import ExportJobQuerySet

#: How often idle threads look whether something has become due.
IDLE_S = 0.2


class TakenError(Exception):
    """Another worker has the job now, because this one was taken for dead."""


def pending(ctx: RunContext) -> Any:
    """Jobs that this run still has to finish, or to wait for."""
    now = clock.now()
    soon = now + timedelta(seconds=ctx.tempo.patience_s)
    return ExportJob.objects.filter(session__missing_since__isnull=True).filter(
        Q(state__in=OPEN_STATES, next_try_at__isnull=False)
        | Q(state=JobState.FAILED, next_try_at__lte=soon)
        | Q(state__in=[JobState.NO_DATA, JobState.GIVEN_UP], next_try_at__lte=now)
    )


def is_work_left() -> bool:
    """Whether a worker that died, or gave work back, left something to do.

    What failed is not: it has its next try.
    """
    now = clock.now()
    jobs = ExportJob.objects.due(now).filter(state__in=OPEN_STATES).unclaimed(now)
    return jobs.exists() or AnalysisJob.objects.left_behind(now).exists()


class Claims:
    """The export jobs that one process holds, handed out to its threads."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self._claimed: deque[ExportJob] = deque()
        self._claiming = threading.Lock()
        #: Wakes threads that wait for something to do, or for room.
        self.changed = threading.Condition()
        self._settled = 0
        # (number of settled jobs, when) at the last claim that found nothing
        self._asked_in_vain = (-1, 0.0)

    def of(self, job: ExportJob) -> ExportJobQuerySet:
        """The row of a job as a queryset, empty once the job is no longer ours."""
        return ExportJob.objects.filter(pk=job.pk, claimed_by=self._ctx.worker)

    def move(self, job: ExportJob, state: JobState) -> bool:
        """Store the state of a job; return False when the job is no longer ours.

        Twice for every file, so without the ORM, which takes longer than the database.
        """
        now = connection.ops.adapt_datetimefield_value(clock.now())
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [state.value, now, job.pk, self._ctx.worker])
            return bool(cursor.rowcount)

    def confirm(self, job: ExportJob) -> None:
        """Raise `TakenError` when a job is no longer ours.

        That undoes the transaction, so a worker that was taken for dead, and is not,
        takes back what it wrote. Called last in the transaction, for it locks the job's
        row for an instant.
        """
        if not self.of(job).update(updated_at=clock.now()):
            raise TakenError

    def note_settled(self) -> None:
        """Wake the threads: a job ended, so others of its session may be due."""
        with self.changed:
            self._settled += 1
            self.changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until something changes, at most for some seconds."""
        with self.changed:
            clock.wait_for_change(self.changed, seconds)

    def release(self) -> None:
        """Give back the jobs that were not finished, as if never claimed."""
        mine = ExportJob.objects.filter(claimed_by=self._ctx.worker)
        if mine.exists():
            mine.filter(state__in=[*OPEN_STATES]).exclude(
                state__in=[JobState.PROCESSING, JobState.WANTED]
            ).update(state=JobState.WANTED)
            mine.filter(attempts__gt=0).update(attempts=F("attempts") - 1)
            mine.update(claimed_by="", claimed_until=None)
        AnalysisJob.objects.filter(claimed_by=self._ctx.worker).update(
            claimed_by="", claimed_until=None
        )

    def next(self) -> ExportJob | None:
        """Return a claimed job, or None when there is none to claim for the moment."""
        with self._claiming:
            if not self._claimed and self._is_worth_asking():
                settled = self._settled
                self._claimed.extend(self._claim(2 * settings.SYNC_MAX_REQUESTS))
                if not self._claimed:
                    self._asked_in_vain = (settled, clock.monotonic())
            return self._claimed.popleft() if self._claimed else None

    def _is_worth_asking(self) -> bool:
        """Whether a job can have become due since the last empty answer.

        Idle threads would otherwise keep the database, and each other, busy.
        """
        settled, at = self._asked_in_vain
        return settled != self._settled or clock.monotonic() - at > IDLE_S

    def _claim(self, count: int) -> list[ExportJob]:
        """Claim jobs that are due and that nobody holds, newest sessions first."""
        now = clock.now()
        most = self._ctx.tempo.max_attempts
        has_locks = connection.features.has_select_for_update_skip_locked
        # Where rows have no locks, the conditional update alone decides.
        with transaction.atomic() if has_locks else nullcontext():
            ids = self._due(now, count)
            if not ids:
                return []
            ExportJob.objects.unclaimed(now).filter(id__in=ids).update(
                claimed_by=self._ctx.worker,
                claimed_until=now + self._ctx.tempo.lease,
                # One more for what was given up, which had them all.
                attempts=Least(F("attempts") + 1, most),
                last_run=self._ctx.log,
                updated_at=now,
            )
            jobs = ExportJob.objects.filter(id__in=ids, claimed_by=self._ctx.worker)
            order = {job_id: place for place, job_id in enumerate(ids)}
            return sorted(
                jobs.select_related("session__player", "session__recorded_as"),
                key=lambda job: order[job.pk],
            )

    def _due(self, now: datetime, count: int) -> list[int]:
        """Return the ids of jobs that are due and that nobody holds.

        Asked after every file and mostly in vain, so as plain SQL: building the query
        with the ORM takes ten times as long as its answer.
        """
        adapt = connection.ops.adapt_datetimefield_value
        sql = _DUE
        if connection.features.has_select_for_update_skip_locked:
            sql += _SKIP_LOCKED
        soon = now + timedelta(seconds=self._ctx.tempo.patience_s)
        at = adapt(now)
        with connection.cursor() as cursor:
            cursor.execute(
                sql, [at, at, self._ctx.tempo.max_attempts, adapt(soon), count]
            )
            return [pk for (pk,) in cursor.fetchall()]


#: Jobs that are due and that nobody holds, newest sessions first. A file of a session
#: waits for the ones before it (metadata, inverse kinematics, then the others),
#: so that the movements get their places in the same order whatever happens on the
#: way. Parameters: now, now, the most tries, the end of what a run waits for, a number.
_DUE = """
    SELECT job.id
    FROM syncing_exportjob AS job
    JOIN sessions AS session ON session.id = job.session_id
    WHERE job.state IN (
            'wanted', 'requested', 'processing', 'ready', 'downloading',
            'failed', 'no_data', 'given_up'
        )
        AND job.next_try_at <= %s
        AND (job.claimed_until IS NULL OR job.claimed_until < %s)
        AND (job.attempts < %s OR job.state = 'given_up')
        AND session.missing_since IS NULL
        AND NOT EXISTS (
            SELECT 1
            FROM syncing_exportjob AS earlier
            WHERE earlier.session_id = job.session_id
                AND (
                    (
                        job.data_type = 'inverse-kinematics'
                        AND earlier.data_type = 'metadata'
                    )
                    OR (
                        job.data_type = 'momentum-energy'
                        AND earlier.data_type IN ('metadata', 'inverse-kinematics')
                    )
                    OR (
                        job.data_type = 'hitting-processed-metrics'
                        AND earlier.data_type IN ('metadata', 'inverse-kinematics')
                    )
                )
                AND (
                    earlier.state IN ('wanted', 'requested', 'ready', 'downloading')
                    OR (earlier.state = 'failed' AND earlier.next_try_at <= %s)
                )
        )
    ORDER BY session.session_date DESC NULLS LAST, job.session_id, job.id
    LIMIT %s
"""
_SKIP_LOCKED = " FOR UPDATE OF job SKIP LOCKED"
_MOVE = """
    UPDATE syncing_exportjob SET state = %s, updated_at = %s
    WHERE id = %s AND claimed_by = %s
"""
