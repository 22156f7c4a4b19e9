"""The numbers of sessions, computed once all their files are done."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet

from athletes.analysis.run import analyze_session
from athletes.frames.store import StoreCounts
from athletes.identity.session_parts import settle_twins
from athletes.kept_questions import kept_question
from athletes.models import Session
from syncing import clock
from syncing.choices import OPEN_STATES, OPTIONAL_EXPORTS, JobState
from syncing.engine.context import RunContext
from syncing.engine.readers import ReaderProcesses
from syncing.engine.session_state import refresh_session_state
from syncing.listeners import tell_stored
from syncing.models import AnalysisJob, ExportJob

logger = logging.getLogger(__name__)


@dataclass
class _SessionTally:
    """Movements of one session over all its files, each counted once."""

    seen: int = 0
    created: int = 0
    failed: int = 0
    changed: set[int] = field(default_factory=set)


class SessionNumbers:
    """Computes the numbers of sessions, and counts their movements."""

    def __init__(self, ctx: RunContext, processes: ReaderProcesses) -> None:
        self._ctx = ctx
        self._processes = processes
        self._tallies: dict[int, _SessionTally] = {}
        self._tally_lock = threading.Lock()

    def analyze(self, session_pk: int) -> None:
        """Compute the numbers of a session once its files are all settled."""
        now = clock.now()
        soon = now + timedelta(seconds=self._ctx.tempo.patience_s)
        part_pk = session_pk
        jobs = _jobs_of(session_pk)
        if not any(job.session_pk == session_pk and job.is_shown for job in jobs):
            # Folded into another row, or without jobs of its own.
            session_pk = shown_by(session_pk)
            jobs = _jobs_of(session_pk)
        if any(job.is_left(now, soon) for job in jobs):
            return
        claimed = (
            AnalysisJob.objects.filter(session_id=session_pk)
            .to_do()
            .unclaimed(now)
            .update(
                claimed_by=self._ctx.worker,
                claimed_until=now + self._ctx.tempo.lease,
                attempts=F("attempts") + 1,
                updated_at=now,
            )
        )
        if claimed:
            self._compute(session_pk, has_parts=not all(job.is_shown for job in jobs))
        self._count_movements(part_pk)
        self._ctx.summaries.touch(
            Session.objects.filter(pk=session_pk).values_list("player_id", flat=True)
        )

    def _compute(self, session_pk: int, *, has_parts: bool) -> None:
        job = AnalysisJob.objects.filter(pk=session_pk).first()
        if job is None:  # the athlete was erased in this moment
            return
        values: dict[str, Any] = {"claimed_by": "", "claimed_until": None}
        try:
            if has_parts:
                settle_twins(session_pk)
            analyze_session(session_pk, compute=self._processes.compute)
        except DatabaseError:
            raise
        except Exception as error:
            logger.exception(
                "The numbers of session %s could not be computed; its frames are "
                "stored. After an update run manage.py recompute_metrics.",
                job.pk,
            )
            message = (
                f"The numbers of the session could not be computed "
                f"({type(error).__name__}); its frames are stored."
            )
            values["last_error"] = message
            self._ctx.count("movements", "failed", seen=False)
            self._ctx.record_error(
                what="Computing numbers",
                about=f"session {session_pk}",
                message=message,
                code="analysis",
                hint="The log has the details; after an update run "
                f"manage.py recompute_metrics --session {session_pk}.",
                session_pk=session_pk,
            )
        else:
            values |= {"done": job.wanted, "attempts": 0, "last_error": ""}
        ours = AnalysisJob.objects.filter(pk=session_pk, claimed_by=self._ctx.worker)
        with transaction.atomic():
            if "done" in values:
                # First, as whoever stores frames locks the session before its job.
                refresh_session_state(session_pk)
            settled = ours.update(**values, updated_at=clock.now())
            if not settled:
                # Another worker has it; what we wrote may be of older frames.
                AnalysisJob.objects.filter(pk=session_pk).update(
                    wanted=F("wanted") + 1, attempts=0
                )
            if settled and "done" in values:
                tell_stored(session_pk)

    def note_stored(self, session_pk: int, counts: StoreCounts) -> None:
        """Remember what a file brought, for the counts of the run."""
        with self._tally_lock:
            tally = self._tallies.setdefault(session_pk, _SessionTally())
            tally.seen = max(tally.seen, counts.seen)
            tally.created += counts.movements_created
            tally.changed.update(counts.changed_ids)

    def note_unusable(self, session_pk: int, movements: int) -> None:
        """Remember how many movements of a file could not be used."""
        with self._tally_lock:
            tally = self._tallies.setdefault(session_pk, _SessionTally())
            tally.failed = movements

    def _count_movements(self, session_pk: int) -> None:
        with self._tally_lock:
            tally = self._tallies.pop(session_pk, None)
        if tally is None:
            return
        seen = max(tally.seen, tally.created)
        created = min(seen, tally.created)
        updated = min(seen - created, max(0, len(tally.changed) - created))
        self._ctx.count("movements", "created", created)
        self._ctx.count("movements", "updated", updated)
        self._ctx.count("movements", "unchanged", seen - created - updated)
        self._ctx.count("movements", "failed", tally.failed)

    def flush(self) -> None:
        """Count the movements of all sessions that are not counted yet."""
        for session_pk in list(self._tallies):
            self._count_movements(session_pk)


class _Job(NamedTuple):
    """The columns of an export job that decide whether its session waits for it."""

    session_pk: int
    folded_into: int | None
    missing_since: datetime | None
    state: str
    next_try_at: datetime | None
    claimed_until: datetime | None
    data_type: str

    @property
    def is_shown(self) -> bool:
        """Whether the job's session is shown by its own row, not by another one."""
        return self.folded_into is None

    def is_left(self, now: datetime, soon: datetime) -> bool:
        """Whether somebody works the job, or will before long."""
        if self.claimed_until is not None and self.claimed_until >= now:
            return True
        if self.missing_since is not None:
            # Nobody asks for files of what the vendor no longer has.
            return False
        is_open = self.state == JobState.FAILED or self.state in OPEN_STATES
        if self.data_type in OPTIONAL_EXPORTS and self.state == JobState.PROCESSING:
            # The vendor prepares what nothing has to wait for.
            return False
        return is_open and self.next_try_at is not None and self.next_try_at <= soon


def _jobs_of(session_pk: int) -> list[_Job]:
    """Return the jobs of all the parts that a row shows."""
    return [_Job(*values) for values in _jobs_query(session_pk)]


@kept_question
def _jobs_query(session_pk: int) -> QuerySet[Any, Any]:
    return (
        ExportJob.objects.filter(
            Q(session_id=session_pk) | Q(session__folded_into_id=session_pk)
        )
        .order_by()
        .values_list(
            "session_id",
            "session__folded_into_id",
            "session__missing_since",
            "state",
            "next_try_at",
            "claimed_until",
            "data_type",
        )
    )


def want_numbers(session_pk: int) -> None:
    """Store that a session has new frames, whose numbers are to be computed."""
    now = connection.ops.adapt_datetimefield_value(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(_WANT_NUMBERS, [session_pk, now])


_WANT_NUMBERS = """
    INSERT INTO syncing_analysisjob (
        session_id, wanted, done, attempts, claimed_by, last_error, updated_at
    ) VALUES (%s, 1, 0, 0, '', '', %s)
    ON CONFLICT (session_id) DO UPDATE SET
        wanted = syncing_analysisjob.wanted + 1,
        attempts = 0,
        updated_at = excluded.updated_at
"""


def shown_by(session_pk: int) -> int:
    """Return the row that shows the movements of a session: another one once merged.

    Numbers are computed there, whichever part brought new frames.
    """
    row = Session.objects.only("folded_into").filter(pk=session_pk).first()
    if row is None or row.folded_into_id is None:
        return session_pk
    with transaction.atomic():
        moved = (
            AnalysisJob.objects.filter(session_id=session_pk)
            .outdated()
            .update(done=F("wanted"), updated_at=clock.now())
        )
        if moved:
            want_numbers(row.folded_into_id)
    return row.folded_into_id
