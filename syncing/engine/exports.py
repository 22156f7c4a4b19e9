"""Fetching, reading and storing export files in the threads of one process.

Threads that wait for the network and threads that read files are separate, with a
bounded store of downloaded files on disk between them: reading does not hold up
requests, and memory does not grow with the number of files.

`claims` says which jobs are worked, `asking` how files are asked for, `storing` and
`session_numbers` what is kept of them; `outcomes` writes how a job ended.
"""

from __future__ import annotations

import logging
import math
import os
import queue
import threading

from django.conf import settings
from django.utils.formats import date_format

from syncing import clock
from syncing.choices import JobState, Phase, SyncType, Trigger
from syncing.client.errors import (
    AuthenticationError,
    ConfigurationError,
    ForbiddenError,
    ForbiddenHostError,
    NotFoundError,
    RebootError,
    UnavailableError,
    UnexpectedStatusError,
)
from syncing.engine.asking import ExportAsker, FetchedJob
from syncing.engine.claims import (
    IDLE_S,
    Claims,
    TakenError,
    pending,
)
from syncing.engine.context import RunContext
from syncing.engine.downloads import DownloadedFile
from syncing.engine.outcomes import Outcomes
from syncing.engine.pool import Crew
from syncing.engine.readers import ReaderProcesses
from syncing.engine.refusals import (
    NOT_OFFERED,
    forget_refusals,
    is_asked_in_vain,
    refused_until,
    remember_refusal,
)
from syncing.engine.session_numbers import SessionNumbers
from syncing.engine.stopping import fatal_from
from syncing.engine.storing import ExportStorer
from syncing.models import AnalysisJob, ExportJob

logger = logging.getLogger(__name__)

#: Downloaded files that wait to be read, at most.
_WAITING_FILES = 128
_WAITING_BYTES = 1_000_000_000
#: How often it is looked, while files wait, whether a job was tried too often.
_BUSY_S = 2.0


def fetch_exports(ctx: RunContext, hitting_id: int, *, is_first: bool = True) -> None:
    """Work all export jobs that are due, until none is left worth waiting for."""
    if is_first and not ctx.is_helper:
        if Phase.EXPORTS not in ctx.log.progress:  # once a run, not once a turn
            _make_due(ctx)
        ctx.begin_phase(Phase.EXPORTS, pending(ctx).count(), goes_on=True)
    worker = _ExportThreads(ctx, hitting_id)
    try:
        worker.run()
    finally:
        worker.release()


def _make_due(ctx: RunContext) -> None:
    """Make failed files due now when a person started the sync.

    A full run asks once more for what the organization was not offered.
    """
    if ctx.log.sync_type == SyncType.FULL:
        forget_refusals()
    if ctx.log.trigger in {Trigger.COMMAND, Trigger.BUTTON, Trigger.API}:
        ExportJob.objects.filter(state=JobState.FAILED).update(next_try_at=clock.now())
        AnalysisJob.objects.outdated().update(attempts=0)


class _ExportThreads:
    """The threads of one process that work export jobs."""

    def __init__(self, ctx: RunContext, hitting_id: int) -> None:
        self._ctx = ctx
        #: Files to read, and sessions (by key) whose numbers may be due.
        self._files: queue.Queue[FetchedJob | int | None] = queue.Queue()
        self._waiting_bytes = 0
        self._waiting_files = 0
        self._checking_end = threading.Lock()
        self._checked_end_at = -math.inf
        self._finished = False
        self._processes = ReaderProcesses(self._process_count(), check=ctx.check)
        self._claims = Claims(ctx)
        self._outcomes = Outcomes(ctx, self._claims, on_no_file=self._files.put)
        self._asker = ExportAsker(ctx, hitting_id, self._outcomes)
        self._numbers = SessionNumbers(ctx, self._processes)
        self._storing = ExportStorer(
            ctx,
            claims=self._claims,
            outcomes=self._outcomes,
            asker=self._asker,
            numbers=self._numbers,
            processes=self._processes,
        )

    def run(self) -> None:
        """Work jobs until none is left, then compute the numbers of their sessions."""
        # While one waits for its process another one can store.
        readers = 2 * self._processes.count or max(1, min(4, os.cpu_count() or 1))
        reading = Crew(self._ctx)
        fetching = Crew(self._ctx)
        reading.start(self._read_loop, name="read", count=readers)
        try:
            fetching.start(
                self._fetch_loop, name="fetch", count=settings.SYNC_MAX_REQUESTS
            )
            fetching.join()
            to_do = AnalysisJob.objects.to_do()
            for session_pk in to_do.values_list("session_id", flat=True):
                self._files.put(session_pk)
        finally:
            for _ in range(readers):
                self._files.put(None)
            try:
                reading.join()
            finally:
                self._processes.close()
        self._numbers.flush()

    def _process_count(self) -> int:
        """Number of processes for reading: none where starting them takes longer.

        In the queue every worker that helps has some of its own; one helps nobody.
        """
        count = int(settings.SYNC_PROCESSES)
        if not count or pending(self._ctx).count() < self._ctx.tempo.processes_from:
            return 0
        if self._ctx.in_queue:
            return math.ceil(count / max(1, int(settings.Q_CLUSTER["workers"]) - 1))
        return count

    def release(self) -> None:
        """Give back what was not finished, as if it had never been claimed."""
        self._numbers.flush()
        self._claims.release()
        self._ctx.summaries.flush()

    # --- Asking and downloading ------------------------------------------------

    def _fetch_loop(self) -> None:
        while not self._ctx.turn_is_over:
            self._ctx.check()
            self._wait_for_room()
            job = self._claims.next()
            if job is not None:
                self.fetch(job)
            elif self._is_finished():
                return
            else:
                self._claims.wait(IDLE_S)

    def _wait_for_room(self) -> None:
        """Wait while too many downloaded files wait to be read."""
        while (
            self._waiting_files >= _WAITING_FILES
            or self._waiting_bytes >= _WAITING_BYTES
        ):
            self._ctx.check()
            self._claims.wait(0.25)

    def _is_finished(self) -> bool:
        """Whether no job is left; gives up those that were tried too often."""
        if self._finished:
            return True
        if not self._checking_end.acquire(blocking=False):
            return False
        try:
            # The job of a file that waits to be stored is not settled.
            every_s = _BUSY_S if self._waiting_files else IDLE_S
            if clock.monotonic() - self._checked_end_at < every_s:
                return False
            now = clock.now()
            tried = ExportJob.objects.due(now).unclaimed(now)
            tried = tried.exclude(state=JobState.GIVEN_UP)
            for job in tried.filter(attempts__gte=self._ctx.tempo.max_attempts):
                self._outcomes.give_up(job)
            self._finished = not pending(self._ctx).exists()
            self._checked_end_at = clock.monotonic()
            if self._finished:
                # The others need not wait to look for themselves.
                with self._claims.changed:
                    self._claims.changed.notify_all()
            return self._finished
        finally:
            self._checking_end.release()

    def fetch(self, job: ExportJob) -> None:
        """Ask for the files of a claimed job, and hand them to those who read."""
        if job.is_optional and self._is_refused(job):
            return
        started = clock.monotonic()
        files: list[DownloadedFile] = []
        handed_over = False
        try:
            self._outcomes.step(job, JobState.REQUESTED)
            reply = self._asker.files_of(job, files)
            if reply.state == "pending":
                if self._outcomes.is_overdue(job):
                    self._outcomes.not_ready(job)
                else:
                    self._asker.remember(job, reply)
                    self._outcomes.wait(job, reply)
            elif job.is_optional and reply.reason == "not_offered":
                self._refused(job, "unknown data type", is_sure=True)
            elif reply.state == "no_data":
                self._outcomes.no_data(job)
                self._note_in_vain(job)
            else:
                fetched = FetchedJob(job, files, started)
                with self._claims.changed:
                    self._waiting_files += 1
                    self._waiting_bytes += fetched.size
                self._files.put(fetched)
                handed_over = True
            self._ctx.note_answer()
        except TakenError:
            logger.info(
                "Another worker has taken export job %s; this one drops it.",
                job.pk,
            )
        except RebootError as error:
            if job.is_optional:
                self._optional_failed(job, error)
            else:
                self._failed(job, error)
        except OSError as error:
            self._outcomes.failed(
                job,
                "disk",
                f"The file could not be saved on this server: {error.strerror}. Free "
                "up space in the temporary folder.",
            )
        finally:
            if not handed_over:
                for item in files:
                    item.file.close()

    def _failed(self, job: ExportJob, error: RebootError) -> None:
        """Settle a job whose file could not be had; end the run if none can."""
        if isinstance(error, AuthenticationError | ConfigurationError) and not (
            isinstance(error, ForbiddenError | ForbiddenHostError)
        ):
            raise fatal_from(error, "downloading swing data") from error
        self._outcomes.failed(job, error.code, error.message)
        # A refusal is perhaps about this file alone; if every file says so, a few of
        # them are enough to know.
        if isinstance(error, ForbiddenError | ForbiddenHostError | UnavailableError):
            self._ctx.note_unavailable(error)

    # --- Files that nothing waits for ---------------------------------------------

    def _is_refused(self, job: ExportJob) -> bool:
        """Leave a file of a type that the organization is not offered, unasked."""
        until = refused_until(job.data_type)
        if until is None:
            return False
        self._outcomes.left(
            job,
            NOT_OFFERED,
            "Reboot Motion does not offer these files to the organization. They are "
            f"requested again on {date_format(until, 'M j, Y')}, or by a full sync.",
            until=until,
        )
        return True

    def _refused(self, job: ExportJob, reason: str, *, is_sure: bool) -> None:
        """Leave a file that the vendor does not offer, and remember that for all."""
        remember_refusal(job.data_type, reason, self._ctx.tempo, is_sure=is_sure)
        self._is_refused(job)

    def _note_in_vain(self, job: ExportJob) -> None:
        """Ask for no more files of a type that no session of the vendor's has."""
        if job.is_optional and is_asked_in_vain(job.data_type):
            remember_refusal(
                job.data_type, "no session has it", self._ctx.tempo, is_sure=True
            )

    def _optional_failed(self, job: ExportJob, error: RebootError) -> None:
        """Leave an optional file; it ends no run, whatever the vendor answers.

        The same request is good for other data types, so that one which is answered
        as wrong or unknown is perhaps a refusal of this type, and one if a later run
        is answered so again.
        """
        if isinstance(error, NotFoundError) or (
            isinstance(error, UnexpectedStatusError) and error.status in {400, 422}
        ):
            self._refused(job, error.message, is_sure=False)
            return
        self._outcomes.left(job, error.code, error.message)
        if isinstance(error, ForbiddenError):
            self._note_in_vain(job)

    # --- Reading and storing -----------------------------------------------------

    def _read_loop(self) -> None:
        while (item := self._files.get()) is not None:
            self.handle(item)

    def handle(self, item: FetchedJob | int) -> None:
        """Store a downloaded file, or compute the numbers of a session by its key."""
        if isinstance(item, int):
            if not self._ctx.stop.is_set():
                self._numbers.analyze(item)
            return
        try:
            if not self._ctx.stop.is_set() or self._ctx.stop_reason == "time":
                self._storing.store(item)
        finally:
            item.close()
            with self._claims.changed:
                self._waiting_files -= 1
                self._waiting_bytes -= item.size
                self._claims.changed.notify_all()
        if not self._ctx.stop.is_set():
            self._numbers.analyze(item.job.session_id)
