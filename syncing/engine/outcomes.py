"""How an export job ended, written to its row: one method for each outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from syncing import clock
from syncing.choices import JobState, Phase
from syncing.client.errors import UnavailableError
from syncing.client.types import ExportReply
from syncing.engine.claims import Claims, TakenError
from syncing.engine.context import RunContext
from syncing.engine.session_state import EXPORTS_WITH_FRAMES, refresh_session_state
from syncing.models import ExportJob

logger = logging.getLogger(__name__)


class Outcomes:
    """Stores the outcomes of jobs, counts them, and explains failures in words.

    `on_no_file` is called with the session of a job that ended without a new file:
    its numbers may have waited for just that.
    """

    def __init__(
        self, ctx: RunContext, claims: Claims, *, on_no_file: Callable[[int], None]
    ) -> None:
        self._ctx = ctx
        self._claims = claims
        self._on_no_file = on_no_file

    def step(self, job: ExportJob, state: JobState) -> None:
        """Store how far a job is; raise `TakenError` when it is no longer ours."""
        job.state = state
        if not self._claims.move(job, state):
            raise TakenError
        self._tell(job, state)

    def _tell(self, job: ExportJob, state: JobState) -> None:
        """Log one step of a job; the ids join the line with the rest of the run."""
        ids = {
            "run_id": self._ctx.log.pk,
            "job_id": job.pk,
            "session_id": job.session_id,
        }
        logger.info(
            "Export job %s of sync run %s is now: %s.",
            job.pk,
            self._ctx.log.pk,
            JobState(state).value,
            extra=ids
            | {
                "data_type": job.data_type,
                "state": str(state),
                "attempt": job.attempts,
            },
        )

    def is_overdue(self, job: ExportJob) -> bool:
        """Whether the vendor has been preparing the file for too long."""
        since, tempo = job.requested_at, self._ctx.tempo
        deadline = tempo.optional_deadline if job.is_optional else tempo.poll_deadline
        return since is not None and clock.now() - since > deadline

    def not_ready(self, job: ExportJob) -> None:
        """Store that the vendor took too long to prepare the file."""
        now = clock.now()
        minutes = (now - (job.requested_at or now)).total_seconds() / 60
        self.failed(
            job,
            "not_ready",
            f"Reboot Motion was still preparing the file after {minutes:.0f} minutes.",
        )

    def wait(self, job: ExportJob, reply: ExportReply) -> None:
        """Store that the vendor prepares the file, to ask again ever more rarely.

        The numbers of a session do not wait for a file that is optional.
        """
        now = clock.now()
        waits = self._ctx.tempo.poll_s
        wait_s = max(waits[min(job.polls, len(waits) - 1)], reply.retry_after_s or 0.0)
        self.settle(
            job,
            JobState.PROCESSING,
            requested_at=job.requested_at or now,
            polls=job.polls + 1,
            # Waiting is not failing.
            attempts=max(0, job.attempts - 1),
            next_try_at=now + timedelta(seconds=wait_s),
        )
        if job.is_optional:
            self._on_no_file(job.session_id)

    def no_data(self, job: ExportJob) -> None:
        """Store that the vendor has no data, to ask again ever more rarely."""
        answers = job.no_data_answers + 1
        next_try_at = self._after_no_data(answers)
        kept = job.stored_at is not None
        if self.settle(
            job,
            JobState.STORED if kept else JobState.NO_DATA,
            no_data_answers=answers,
            next_try_at=None if kept else next_try_at,
            attempts=0,
            polls=0,
            requested_at=None,
            given_up_at=None,
            error_code="",
            last_error="Reboot Motion no longer has this file; what was stored is kept."
            if kept
            else "",
        ):
            if not job.is_optional:
                self._ctx.count("exports", "no_data")
            self._ctx.advance(Phase.EXPORTS)
        self._on_no_file(job.session_id)

    def _after_no_data(self, answers: int) -> datetime | None:
        """Return when to ask again after so many answers without a file."""
        waits = self._ctx.tempo.no_data_s
        if answers > len(waits):
            return None
        return clock.now() + timedelta(seconds=waits[answers - 1])

    def left(
        self, job: ExportJob, code: str, reason: str, *, until: datetime | None = None
    ) -> None:
        """Store that an optional file was left, why, and when to ask again.

        That is no failure: nothing is counted or told of. What was stored is kept.
        `until` is given where the file was not asked for.
        """
        answers = job.no_data_answers + (until is None)
        if self.settle(
            job,
            JobState.NO_DATA,
            no_data_answers=answers,
            next_try_at=until or self._after_no_data(answers),
            attempts=0,
            polls=0,
            requested_at=None,
            given_up_at=None,
            error_code=code,
            last_error=reason,
        ):
            self._ctx.advance(Phase.EXPORTS)
        self._on_no_file(job.session_id)

    def failed(
        self, job: ExportJob, code: str, message: str, *, is_file: bool = False
    ) -> None:
        """Store that a job failed: when it is tried again, or that it is given up."""
        if job.is_optional:
            self.left(job, code, message)
            return
        tempo = self._ctx.tempo
        waits = tempo.bad_file_s if is_file else tempo.failure_s
        place = min(job.attempts, len(waits)) - 1
        if code in {"too_large", "not_ready", "forbidden_host"}:
            place = len(waits) - 1
        attempts = job.attempts
        if code == UnavailableError.code and not self._ctx.vendor_answers:
            # Nothing answers: that is no fault of this file, however long it lasts.
            attempts = max(0, attempts - 1)
            place = max(place, len(waits) - 3)
        wait_s = waits[max(0, place)]
        now = clock.now()
        is_last = attempts >= tempo.max_attempts
        is_known = job.given_up_at is not None
        if is_last:
            wait_s = tempo.given_up_s[is_known]
        settled = self.settle(
            job,
            JobState.GIVEN_UP if is_last else JobState.FAILED,
            next_try_at=now + timedelta(seconds=wait_s),
            given_up_at=job.given_up_at or (now if is_last else None),
            error_code=code,
            last_error=f"Given up after {job.attempts} tries: {message}"
            if is_last
            else message,
            attempts=attempts,
            polls=0,
            requested_at=None,
        )
        if not settled:
            return
        if wait_s <= tempo.patience_s:
            # Tried again within this run: not yet a failure to tell of.
            logger.info(
                "Export job %s failed (%s) and will be retried in %.0f s.",
                job.pk,
                code,
                wait_s,
            )
            return
        if is_known:
            # Told of when it was given up, and listed since.
            logger.info(
                "Export job %s, which was given up, failed again (%s) and will be "
                "requested again in a few weeks.",
                job.pk,
                code,
            )
            self._ctx.advance(Phase.EXPORTS)
            self._on_no_file(job.session_id)
            return
        self._ctx.count("exports", "failed")
        self._ctx.advance(Phase.EXPORTS)
        self._record(job, "Downloading a file", code, message)
        self._on_no_file(job.session_id)

    def _record(self, job: ExportJob, what: str, code: str, message: str) -> None:
        self._ctx.record_error(
            what=what,
            about=f"{job.data_type} of session {job.session_id}",
            message=message,
            code=code,
            session_pk=job.session_id,
        )

    def settle(self, job: ExportJob, state: JobState, **values: Any) -> bool:
        """Store an outcome and release the job; False when it is no longer ours."""
        with transaction.atomic():
            changed = self.write(job, state, **values)
        self.note_settled(job, state if changed else None)
        return changed

    def write(self, job: ExportJob, state: JobState, **values: Any) -> bool:
        """Store an outcome inside the caller's transaction; False when no longer ours.

        Once that has ended, `note_settled` has to follow.
        """
        changed = self._claims.of(job).update(
            state=state,
            claimed_by="",
            claimed_until=None,
            updated_at=clock.now(),
            **values,
        )
        if changed and job.data_type in EXPORTS_WITH_FRAMES:
            refresh_session_state(job.session_id)
        return bool(changed)

    def note_settled(self, job: ExportJob, state: JobState | None) -> None:
        """Wake other threads and log, after the transaction that stored an outcome."""
        self._claims.note_settled()
        if state is not None:
            self._tell(job, state)

    def give_up(self, job: ExportJob) -> None:
        """Give up a job that was tried too often: most likely it kills its workers."""
        reason = job.last_error or "every worker that took it stopped unexpectedly"
        is_optional = job.is_optional
        changed = ExportJob.objects.filter(pk=job.pk, attempts=job.attempts).update(
            state=JobState.NO_DATA if is_optional else JobState.GIVEN_UP,
            given_up_at=None if is_optional else clock.now(),
            next_try_at=self._after_no_data(len(self._ctx.tempo.no_data_s))
            if is_optional
            else None,
            claimed_by="",
            claimed_until=None,
            error_code=job.error_code or "worker_died",
            last_error=f"Given up after {job.attempts} tries: {reason}",
            updated_at=clock.now(),
        )
        if changed and not is_optional:
            refresh_session_state(job.session_id)
            self._ctx.count("exports", "failed")
            self._ctx.advance(Phase.EXPORTS)
            self._record(job, "Downloading a file", "given_up", f"Given up: {reason}")
