"""Export jobs: claimed, requested, downloaded, read and stored, side by side.

Threads that wait for the network and threads that read files are separate, with a
bounded store of downloaded files on disk between them: reading does not hold up
requests, and memory does not grow with the number of files.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import queue
import re
import tempfile
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, BinaryIO, Literal, cast
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from athletes.analysis import analyse_session
from athletes.models import Movement, Session
from athletes.services import StoreCounts, store_frames, store_movement_metadata
from syncing.client.errors import (
    AuthenticationError,
    ConfigurationError,
    ExpiredLinkError,
    ForbiddenError,
    ForbiddenHostError,
    RebootError,
    UnavailableError,
    UnexpectedStatusError,
)
from syncing.client.types import ExportReply
from syncing.engine.context import RunContext, fatal_from
from syncing.engine.incoming import Incoming, NeedsEachMovement, read_limits
from syncing.engine.pool import Crew
from syncing.engine.readers import (
    Content,
    ProcessDiedError,
    Processes,
    RemoteError,
)
from syncing.engine.states import FRAME_TYPES, refresh_session_state
from syncing.listeners import tell_stored
from syncing.models import (
    ANALYSIS_ATTEMPTS,
    OPEN_STATES,
    AnalysisJob,
    ExportJob,
    ExportType,
    JobState,
    Phase,
    Trigger,
)
from syncing.querysets import ExportJobQuerySet
from syncing.reader.errors import ExportFileError
from syncing.reader.movements import RowsResult

logger = logging.getLogger(__name__)

#: Order within a session: positions of movements are given by the first file.
_RANK = {
    ExportType.METADATA.value: 0,
    ExportType.INVERSE_KINEMATICS.value: 1,
    ExportType.MOMENTUM_ENERGY.value: 2,
}
#: Files of this size and less never touch the disk.
_SPOOL_BYTES = 1_000_000
#: Downloaded files that wait to be read, at most.
_WAITING_FILES = 128
_WAITING_BYTES = 1_000_000_000
_EXPIRED_LINKS = 4
#: How often idle threads look whether something has become due.
_IDLE_S = 0.2
#: After so many unreadable files in a row the other format is asked for.
_CSV_AFTER = 3
#: … and on these tries, which are hours apart.
_CSV_ATTEMPTS = {6, 8, 10}

#: What a file of several movements without their ids looks like.
_MIXED = {"two_swings_one_id", "conflicting_rows"}
#: "007_IMG-1234-0001_ik.csv.gz": number, movement, kind.
_MOVEMENT_FILE = re.compile(r"\d{3,}_(.+)_[a-z-]+\.(?:csv|parquet)(?:\.gz)?")

DataFormat = Literal["parquet", "csv"]


class _Taken(Exception):
    """The job is with another worker: this one was taken for dead."""


@dataclass
class _File:
    """One downloaded file and the movement that it was asked for, if any."""

    file: BinaryIO
    size: int
    sha256: str
    org_movement_id: str | None = None


@dataclass
class _Fetched:
    """A job with its files, on its way from the network to the reader."""

    job: ExportJob
    files: list[_File]
    started: float

    @property
    def size(self) -> int:
        return sum(item.size for item in self.files)

    @property
    def sha256(self) -> str:
        if len(self.files) == 1:
            return self.files[0].sha256
        joined = "".join(sorted(item.sha256 for item in self.files))
        return hashlib.sha256(joined.encode()).hexdigest()

    def close(self) -> None:
        for item in self.files:
            item.file.close()


@dataclass
class _SessionTally:
    """Movements of one session over its files, counted once."""

    seen: int = 0
    created: int = 0
    failed: int = 0
    changed: set[int] = field(default_factory=set)


def fetch_exports(ctx: RunContext, hitting_id: int, *, is_first: bool = True) -> None:
    """Work all jobs that are due, until none is left that is worth waiting for."""
    if is_first and not ctx.is_helper:
        _make_due(ctx)
        ctx.begin_phase(Phase.EXPORTS, _pending(ctx).count())
    worker = _Worker(ctx, hitting_id)
    try:
        worker.run()
    finally:
        worker.release()


def _make_due(ctx: RunContext) -> None:
    """A person who starts a sync wants failed files tried again now."""
    if ctx.log.trigger in {Trigger.COMMAND, Trigger.BUTTON, Trigger.API}:
        ExportJob.objects.filter(state=JobState.FAILED).update(
            next_try_at=timezone.now()
        )
        AnalysisJob.objects.filter(wanted__gt=F("done")).update(attempts=0)


def _pending(ctx: RunContext) -> Any:
    """Jobs that this run still has to settle, or to wait for."""
    now = timezone.now()
    soon = now + timedelta(seconds=ctx.tempo.patience_s)
    return ExportJob.objects.filter(session__missing_since__isnull=True).filter(
        Q(state__in=OPEN_STATES, next_try_at__isnull=False)
        | Q(state=JobState.FAILED, next_try_at__lte=soon)
        | Q(state=JobState.NO_DATA, next_try_at__lte=now)
    )


def _analyses_to_do() -> QuerySet[AnalysisJob]:
    return AnalysisJob.objects.filter(
        wanted__gt=F("done"), attempts__lt=ANALYSIS_ATTEMPTS
    )


def is_work_left() -> bool:
    """Whether something was left behind by a worker that died, or gave it back.

    What failed is not: it has its next try.
    """
    now = timezone.now()
    jobs = ExportJob.objects.due(now).filter(state__in=OPEN_STATES).unclaimed(now)
    numbers = _analyses_to_do().filter(last_error="")
    unclaimed = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    return jobs.exists() or numbers.filter(unclaimed).exists()


class _Worker:
    """The threads of one process that work export jobs."""

    def __init__(self, ctx: RunContext, hitting_id: int) -> None:
        self._ctx = ctx
        self._hitting_id = hitting_id
        self._claimed: deque[ExportJob] = deque()
        self._claiming = threading.Lock()
        self._changed = threading.Condition()
        self._settled = 0
        # (number of settled jobs, when) at the last claim that found nothing
        self._asked_in_vain = (-1, 0.0)
        self._checking_end = threading.Lock()
        self._checked_end_at = 0.0
        self._finished = False
        self._files: queue.Queue[_Fetched | int | None] = queue.Queue()
        self._waiting_bytes = 0
        self._waiting_files = 0
        self._each_movement: set[int] = set()
        self._unreadable: Counter[int] = Counter()
        self._status_urls: dict[int, str] = {}
        self._tallies: dict[int, _SessionTally] = {}
        self._tally_lock = threading.Lock()
        self._limits = read_limits()
        self._processes = Processes(0, check=ctx.check)

    def run(self) -> None:
        self._processes = Processes(self._process_count(), check=self._ctx.check)
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
            for session_pk in self._analyses_left():
                self._files.put(session_pk)
        finally:
            for _ in range(readers):
                self._files.put(None)
            try:
                reading.join()
            finally:
                self._processes.close()
        self._flush_tallies()

    def _process_count(self) -> int:
        """Processes for reading: none for a few files, which starting them outlasts.

        In the queue every worker that helps has some of its own.
        """
        count = int(settings.SYNC_PROCESSES)
        if not count or _pending(self._ctx).count() < self._ctx.tempo.processes_from:
            return 0
        if self._ctx.in_queue:
            return math.ceil(count / int(settings.Q_CLUSTER["workers"]))
        return count

    def release(self) -> None:
        """Let go of what was not finished; it is as if it had not been claimed."""
        self._flush_tallies()
        mine = ExportJob.objects.filter(claimed_by=self._ctx.worker)
        mine.filter(state__in=[*OPEN_STATES]).exclude(
            state__in=[JobState.PROCESSING, JobState.WANTED]
        ).update(state=JobState.WANTED)
        mine.filter(attempts__gt=0).update(attempts=F("attempts") - 1)
        mine.update(claimed_by="", claimed_until=None)
        AnalysisJob.objects.filter(claimed_by=self._ctx.worker).update(
            claimed_by="", claimed_until=None
        )
        self._ctx.summaries.flush()

    # --- Claiming ------------------------------------------------------------

    def _next(self) -> ExportJob | None:
        """A claimed job, or None when nothing can be claimed for the moment."""
        with self._claiming:
            if not self._claimed and self._is_worth_asking():
                settled = self._settled
                self._claimed.extend(self._claim(2 * settings.SYNC_MAX_REQUESTS))
                if not self._claimed:
                    self._asked_in_vain = (settled, time.monotonic())
            return self._claimed.popleft() if self._claimed else None

    def _is_worth_asking(self) -> bool:
        """Whether anything can have become due since the last empty answer.

        Idle threads would otherwise keep the database, and each other, busy.
        """
        settled, at = self._asked_in_vain
        return settled != self._settled or time.monotonic() - at > _IDLE_S

    def _claim(self, count: int) -> list[ExportJob]:
        """Take jobs that are due and that nobody holds, newest sessions first.

        A file of a session waits for the ones before it, so that the movements get
        their places in the same order whatever happens on the way.
        """
        now = timezone.now()
        soon = now + timedelta(seconds=self._ctx.tempo.patience_s)
        due = ExportJob.objects.due(now).unclaimed(now)
        due = due.filter(attempts__lt=self._ctx.tempo.max_attempts)
        for data_type, rank in _RANK.items():
            before = [name for name, place in _RANK.items() if place < rank]
            if before:
                earlier = ExportJob.objects.filter(
                    session=OuterRef("session"), data_type__in=before
                ).filter(
                    Q(
                        state__in=[
                            JobState.WANTED,
                            JobState.REQUESTED,
                            JobState.READY,
                            JobState.DOWNLOADING,
                        ]
                    )
                    | Q(state=JobState.FAILED, next_try_at__lte=soon)
                )
                due = due.exclude(Q(data_type=data_type) & Exists(earlier))
        with transaction.atomic():
            chosen = due.order_by(
                F("session__session_date").desc(nulls_last=True), "session_id", "id"
            )
            if connection.features.has_select_for_update_skip_locked:
                chosen = chosen.select_for_update(skip_locked=True, of=("self",))
            ids = list(chosen.values_list("id", flat=True)[:count])
            if not ids:
                return []
            ExportJob.objects.unclaimed(now).filter(id__in=ids).update(
                claimed_by=self._ctx.worker,
                claimed_until=now + self._ctx.tempo.lease,
                attempts=F("attempts") + 1,
                last_run=self._ctx.log,
                updated_at=now,
            )
            jobs = ExportJob.objects.filter(id__in=ids, claimed_by=self._ctx.worker)
            order = {job_id: place for place, job_id in enumerate(ids)}
            return sorted(
                jobs.select_related("session__player", "session__recorded_as"),
                key=lambda job: order[job.pk],
            )

    def _is_finished(self) -> bool:
        if self._finished:
            return True
        if not self._checking_end.acquire(blocking=False):
            return False
        try:
            if time.monotonic() - self._checked_end_at < _IDLE_S:
                return False
            now = timezone.now()
            tried = ExportJob.objects.due(now).unclaimed(now)
            for job in tried.filter(attempts__gte=self._ctx.tempo.max_attempts):
                self._give_up(job)
            self._finished = not _pending(self._ctx).exists()
            self._checked_end_at = time.monotonic()
            return self._finished
        finally:
            self._checking_end.release()

    def _give_up(self, job: ExportJob) -> None:
        """A job that was tried too often: most likely it kills whoever works it."""
        reason = job.last_error or "every worker that took it ended without a word"
        changed = ExportJob.objects.filter(pk=job.pk, attempts=job.attempts).update(
            state=JobState.GIVEN_UP,
            next_try_at=None,
            claimed_by="",
            claimed_until=None,
            error_code=job.error_code or "worker_died",
            last_error=f"Given up after {job.attempts} tries: {reason}",
            updated_at=timezone.now(),
        )
        if changed:
            refresh_session_state(job.session_id)
            self._ctx.count("exports", "failed")
            self._ctx.advance(Phase.EXPORTS)
            self._record(job, "Fetching a file", "given_up", f"Given up: {reason}")

    # --- Asking and downloading ------------------------------------------------

    def _fetch_loop(self) -> None:
        while True:
            self._ctx.check()
            self._wait_for_room()
            job = self._next()
            if job is not None:
                self._fetch(job)
            elif self._is_finished():
                return
            else:
                with self._changed:
                    self._changed.wait(_IDLE_S)

    def _wait_for_room(self) -> None:
        """The reader is behind: do not fill the disk."""
        while (
            self._waiting_files >= _WAITING_FILES
            or self._waiting_bytes >= _WAITING_BYTES
        ):
            self._ctx.check()
            with self._changed:
                self._changed.wait(0.25)

    def _fetch(self, job: ExportJob) -> None:
        started = time.monotonic()
        files: list[_File] = []
        handed_over = False
        try:
            self._step(job, JobState.REQUESTED)
            reply = self._files_of(job, files)
            if reply.state == "pending":
                self._pending_answer(job, reply)
            elif reply.state == "no_data":
                self._no_data(job)
            else:
                fetched = _Fetched(job, files, started)
                with self._changed:
                    self._waiting_files += 1
                    self._waiting_bytes += fetched.size
                self._files.put(fetched)
                handed_over = True
            self._ctx.note_answer()
        except _Taken:
            logger.info("job %s: is with another worker now", job.pk)
        except (ForbiddenError, ForbiddenHostError) as error:
            self._failed(job, error.code, error.message)
            # Perhaps it is about this file alone; if every file says so, a few of
            # them are enough to know.
            self._ctx.note_unavailable(error)
        except (AuthenticationError, ConfigurationError) as error:
            raise fatal_from(error, "fetching swing data") from error
        except RebootError as error:
            self._failed(job, error.code, error.message)
            if isinstance(error, UnavailableError):
                self._ctx.note_unavailable(error)
        except OSError as error:
            self._failed(
                job,
                "disk",
                f"The file could not be kept on this server: {error.strerror}. Make "
                "room in the folder for temporary files.",
            )
        finally:
            if not handed_over:
                for item in files:
                    item.file.close()

    def _files_of(self, job: ExportJob, files: list[_File]) -> ExportReply:
        """Ask for the file (or one for each movement) and download it at once."""
        if job.pk not in self._each_movement:
            return self._ask_and_download(job, files)
        # One file for each movement, each named after it.
        reply = self._ask_and_download(job, files, aggregate=False)
        if reply.state != "ready" or all(item.org_movement_id for item in files):
            return reply
        for item in files:
            item.file.close()
        files.clear()
        known = self._known_movements(job)
        for org_movement_id in known:
            reply = self._ask_and_download(
                job, files, aggregate=False, org_movement_id=org_movement_id
            )
            if reply.state != "ready":
                return reply
        if not known:
            raise UnexpectedStatusError(
                "The file names no movements and the vendor's list of movements is "
                "not there, so nobody can say which rows belong together."
            )
        return reply

    def _known_movements(self, job: ExportJob) -> list[str]:
        return [
            movement.vendor_name
            for movement in Movement.objects.of_part(job.session_id)
            .filter(missing_since__isnull=True)
            .order_by("position")
            .only("org_movement_id", "name_at_vendor")
        ]

    def _ask_and_download(
        self,
        job: ExportJob,
        files: list[_File],
        *,
        aggregate: bool = True,
        org_movement_id: str | None = None,
    ) -> ExportReply:
        before = len(files)
        for attempt in range(_EXPIRED_LINKS):
            reply = self._ask(job, aggregate, org_movement_id)
            if reply.state != "ready":
                return reply
            self._step(job, JobState.DOWNLOADING)
            try:
                # In the order of the names, which is that of the movements.
                for url in sorted(reply.download_urls, key=_file_name):
                    name = org_movement_id
                    if name is None and not aggregate:
                        name = movement_in_name(url)
                    files.append(self._download(url, name))
            except ExpiredLinkError:
                for item in files[before:]:
                    item.file.close()
                del files[before:]
                if attempt + 1 == _EXPIRED_LINKS:
                    raise
                logger.info("job %s: link expired, asking anew", job.pk)
            else:
                return reply
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _ask(
        self, job: ExportJob, aggregate: bool, org_movement_id: str | None
    ) -> ExportReply:
        status_url = self._status_urls.pop(job.pk, None)
        if status_url is not None and org_movement_id is None:
            return self._ctx.client.export_status(status_url)
        wanted: DataFormat = "parquet"
        if self._unreadable[job.pk] >= _CSV_AFTER or job.attempts in _CSV_ATTEMPTS:
            wanted = "csv"
        try:
            return self._request(job, aggregate, org_movement_id, wanted)
        except UnexpectedStatusError as error:
            if error.status != 422 or "data_format" not in error.fields:
                raise
        return self._request(job, aggregate, org_movement_id, "csv")

    def _request(
        self,
        job: ExportJob,
        aggregate: bool,
        org_movement_id: str | None,
        data_format: DataFormat,
    ) -> ExportReply:
        return self._ctx.client.request_export(
            session_id=job.session.session_id,
            org_player_id=job.session.vendor_player_id,
            movement_type_id=self._hitting_id,
            data_type=job.data_type,
            data_format=data_format,
            aggregate=aggregate,
            org_movement_id=org_movement_id,
        )

    def _download(self, url: str, org_movement_id: str | None) -> _File:
        # Unlinked from the start, so that a killed process leaves nothing behind.
        # Closed by whoever reads it, in another thread.
        spooled = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115
        sink = cast(BinaryIO, spooled)
        try:
            done = self._ctx.client.download(
                url,
                cast(BinaryIO, _Checked(sink, self._ctx)),
                max_bytes=settings.EXPORT_MAX_BYTES,
            )
        except BaseException:
            sink.close()
            raise
        return _File(sink, done.size, done.sha256, org_movement_id)

    # --- Outcomes without a file ------------------------------------------------

    def _step(self, job: ExportJob, state: JobState) -> None:
        """Note how far the job is; only while it is ours."""
        job.state = state
        if not self._ours(job).update(state=state, updated_at=timezone.now()):
            raise _Taken
        self._tell(job, state)

    def _ours(self, job: ExportJob) -> ExportJobQuerySet:
        return ExportJob.objects.filter(pk=job.pk, claimed_by=self._ctx.worker)

    def _tell(self, job: ExportJob, state: JobState) -> None:
        """One log line a step; the ids join it with the rest of the run."""
        ids = {
            "run_id": self._ctx.log.pk,
            "job_id": job.pk,
            "session_id": job.session_id,
        }
        logger.info(
            "run %s: job %s: %s",
            self._ctx.log.pk,
            job.pk,
            JobState(state).value,
            extra=ids
            | {
                "data_type": job.data_type,
                "state": str(state),
                "attempt": job.attempts,
            },
        )

    def _pending_answer(self, job: ExportJob, reply: ExportReply) -> None:
        now = timezone.now()
        since = job.requested_at or now
        if now - since > self._ctx.tempo.poll_deadline:
            minutes = (now - since).total_seconds() / 60
            self._failed(
                job,
                "not_ready",
                f"The vendor was still preparing the file after {minutes:.0f} minutes.",
            )
            return
        if reply.status_url:
            self._status_urls[job.pk] = reply.status_url
        waits = self._ctx.tempo.poll_s
        wait_s = max(waits[min(job.polls, len(waits) - 1)], reply.retry_after_s or 0.0)
        self._settle(
            job,
            JobState.PROCESSING,
            requested_at=since,
            polls=job.polls + 1,
            # Waiting is not failing.
            attempts=max(0, job.attempts - 1),
            next_try_at=now + timedelta(seconds=wait_s),
        )

    def _no_data(self, job: ExportJob) -> None:
        """An answer, not a fault: asked again later, ever more rarely."""
        waits = self._ctx.tempo.no_data_s
        answers = job.no_data_answers + 1
        next_try_at = None
        if answers <= len(waits):
            next_try_at = timezone.now() + timedelta(seconds=waits[answers - 1])
        kept = job.stored_at is not None
        if self._settle(
            job,
            JobState.STORED if kept else JobState.NO_DATA,
            no_data_answers=answers,
            next_try_at=None if kept else next_try_at,
            attempts=0,
            polls=0,
            requested_at=None,
            error_code="",
            last_error="The vendor no longer has this file; what was stored is kept."
            if kept
            else "",
        ):
            self._ctx.count("exports", "no_data")
            self._ctx.advance(Phase.EXPORTS)
        self._files.put(job.session_id)

    def _failed(
        self, job: ExportJob, code: str, message: str, *, is_file: bool = False
    ) -> None:
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
        is_last = attempts >= tempo.max_attempts
        settled = self._settle(
            job,
            JobState.GIVEN_UP if is_last else JobState.FAILED,
            next_try_at=None if is_last else timezone.now() + timedelta(seconds=wait_s),
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
        if wait_s <= tempo.patience_s and not is_last:
            # Tried again within this run: not yet a failure to tell of.
            logger.info("job %s: %s, tried again in %.0f s", job.pk, code, wait_s)
            return
        self._ctx.count("exports", "failed")
        self._ctx.advance(Phase.EXPORTS)
        self._record(job, "Fetching a file", code, message)
        self._files.put(job.session_id)

    def _record(self, job: ExportJob, what: str, code: str, message: str) -> None:
        self._ctx.record_error(
            what=what,
            about=f"{job.data_type} of session {job.session_id}",
            message=message,
            code=code,
            session_pk=job.session_id,
        )

    def _settle(self, job: ExportJob, state: JobState, **values: Any) -> bool:
        """Write the outcome and let go; False when the job is no longer ours."""
        with transaction.atomic():
            changed = self._ours(job).update(
                state=state,
                claimed_by="",
                claimed_until=None,
                updated_at=timezone.now(),
                **values,
            )
            if changed and job.data_type in FRAME_TYPES:
                refresh_session_state(job.session_id)
        with self._changed:
            self._settled += 1
            self._changed.notify_all()
        if changed:
            self._tell(job, state)
        return bool(changed)

    # --- Reading and storing -----------------------------------------------------

    def _read_loop(self) -> None:
        while True:
            item = self._files.get()
            if item is None:
                return
            if isinstance(item, int):
                if not self._ctx.stop.is_set():
                    self._analyse(item)
                continue
            try:
                if not self._ctx.stop.is_set() or self._ctx.stop_reason == "time":
                    self._store(item)
            finally:
                item.close()
                with self._changed:
                    self._waiting_files -= 1
                    self._waiting_bytes -= item.size
                    self._changed.notify_all()
            if not self._ctx.stop.is_set():
                self._analyse(item.job.session_id)

    def _store(self, item: _Fetched) -> None:
        job = item.job
        was_stored = job.stored_at is not None
        counts: StoreCounts | None = None
        failures: list[tuple[str, str]] = []
        rows = movements = None
        repairs: list[str] = []
        try:
            if not (was_stored and item.sha256 == job.sha256):
                read = self._read(item)
                failures, repairs = read.failures, read.repairs
                rows, movements = read.rows, read.movements
                counts = self._write(job, read)
        except NeedsEachMovement:
            if job.pk in self._each_movement:
                self._failed(
                    job,
                    "movement_id_missing",
                    "The file names no movement, so nobody can say which rows belong "
                    "together.",
                    is_file=True,
                )
                return
            self._each_movement.add(job.pk)
            self._settle(job, JobState.WANTED, next_try_at=timezone.now())
            return
        except ExportFileError as error:
            if error.code in _MIXED and job.pk not in self._each_movement:
                # Perhaps several movements in a file that does not name them.
                self._each_movement.add(job.pk)
                self._settle(job, JobState.WANTED, next_try_at=timezone.now())
                return
            self._unreadable[job.pk] += 1
            self._failed(job, error.code, error.message, is_file=True)
            return
        except _Taken:
            logger.info("job %s: is with another worker now", job.pk)
            return
        except DatabaseError:
            raise
        except ProcessDiedError:
            self._failed(
                job,
                "reader_died",
                "The process that read the file was ended by the system, most likely "
                "because memory ran out.",
                is_file=True,
            )
            return
        except Exception as error:
            name = error.name if isinstance(error, RemoteError) else None
            logger.exception("job %s: reading or storing failed", job.pk)
            self._failed(
                job,
                "internal",
                f"The file could not be read because of a fault of this program "
                f"({name or type(error).__name__}); its log has the details.",
                is_file=True,
            )
            return
        if failures:
            self._tally(job.session_id).failed = len(failures)
            code, message = failures[0]
            more = f" So are {len(failures) - 1} more." if len(failures) > 1 else ""
            self._failed(
                job,
                code,
                f"A movement of the file cannot be used: {message}{more} The other "
                "movements of the file were stored.",
                is_file=True,
            )
            return
        self._stored(item, counts, was_stored, rows, movements, repairs)

    def _read(self, item: _Fetched) -> Incoming:
        read = Incoming()
        known = self._known_movements(item.job)
        results = self._processes.read(
            [
                Content(file.file, file.size, file.org_movement_id)
                for file in item.files
            ],
            data_type=item.job.data_type,
            limits=self._limits,
        )
        for result in results:
            if isinstance(result, RowsResult):
                read.take_rows(result)
            else:
                read.take_frames(result, known)
        return read

    def _write(self, job: ExportJob, read: Incoming) -> StoreCounts:
        if job.data_type == ExportType.METADATA:
            with transaction.atomic():
                counts = store_movement_metadata(
                    session_pk=job.session_id, rows=read.metadata
                )
                self._confirm(job)
        else:
            counts = store_frames(
                session_pk=job.session_id,
                data_type=job.data_type,
                movements=read.frames,
                is_whole_session=not read.failures,
                confirm=lambda: self._confirm(job),
            )
            self._ctx.count_frames(counts.created + counts.updated)
        with self._tally_lock:
            tally = self._tallies.setdefault(job.session_id, _SessionTally())
            tally.seen = max(tally.seen, counts.seen)
            tally.created += counts.movements_created
            tally.changed.update(counts.changed_ids)
        return counts

    def _confirm(self, job: ExportJob) -> None:
        """Take back what a worker writes that was taken for dead and is not.

        Called last in the transaction, which locks the job's row for an instant.
        """
        if not self._ours(job).update(updated_at=timezone.now()):
            raise _Taken

    def _stored(
        self,
        item: _Fetched,
        counts: StoreCounts | None,
        was_stored: bool,
        rows: int | None,
        movements: int | None,
        repairs: list[str],
    ) -> None:
        job, now = item.job, timezone.now()
        values: dict[str, Any] = {
            "sha256": item.sha256,
            "bytes": item.size,
            "seconds": round(time.monotonic() - item.started, 3),
            "stored_at": now,
            "next_try_at": None,
            "attempts": 0,
            "polls": 0,
            "requested_at": None,
            "no_data_answers": 0,
            "last_error": "",
            "error_code": "",
        }
        if counts is not None:
            values |= {"rows": rows, "movements": movements, "repairs": repairs}
        with transaction.atomic():
            if counts is not None and job.data_type != ExportType.METADATA:
                _want_numbers(job.session_id)
            settled = self._settle(job, JobState.STORED, **values)
        if not settled:
            return
        outcome = "created"
        if was_stored:
            changed = counts is not None and counts.created + counts.updated > 0
            outcome = "updated" if changed else "unchanged"
        self._ctx.count("exports", outcome)
        self._ctx.advance(Phase.EXPORTS)

    # --- Numbers -----------------------------------------------------------------

    def _analyses_left(self) -> list[int]:
        return list(_analyses_to_do().values_list("session_id", flat=True))

    def _analyse(self, session_pk: int) -> None:
        """Compute the numbers of a session once its files are all settled."""
        now = timezone.now()
        soon = now + timedelta(seconds=self._ctx.tempo.patience_s)
        part_pk, session_pk = session_pk, _shown_by(session_pk)
        jobs = ExportJob.objects.filter(
            Q(session_id=session_pk) | Q(session__folded_into_id=session_pk)
        )
        if jobs.filter(
            Q(claimed_until__gte=now)
            | Q(state__in=OPEN_STATES, next_try_at__lte=soon)
            | Q(state=JobState.FAILED, next_try_at__lte=soon)
        ).exists():
            return
        claimed = (
            AnalysisJob.objects.filter(
                session_id=session_pk,
                wanted__gt=F("done"),
                attempts__lt=ANALYSIS_ATTEMPTS,
            )
            .filter(Q(claimed_until__isnull=True) | Q(claimed_until__lt=now))
            .update(
                claimed_by=self._ctx.worker,
                claimed_until=now + self._ctx.tempo.lease,
                attempts=F("attempts") + 1,
                updated_at=now,
            )
        )
        if claimed:
            self._compute(session_pk)
        self._count_movements(part_pk)
        self._ctx.summaries.touch(
            Session.objects.filter(pk=session_pk).values_list("player_id", flat=True)
        )

    def _compute(self, session_pk: int) -> None:
        job = AnalysisJob.objects.get(pk=session_pk)
        values: dict[str, Any] = {"claimed_by": "", "claimed_until": None}
        try:
            analyse_session(session_pk, compute=self._processes.compute)
        except DatabaseError:
            raise
        except Exception as error:
            logger.exception("session %s: its numbers could not be computed", job.pk)
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
                hint="The program's log has the details; after an update run "
                f"manage.py recompute_metrics --session {session_pk}.",
                session_pk=session_pk,
            )
        else:
            values |= {"done": job.wanted, "attempts": 0, "last_error": ""}
        ours = AnalysisJob.objects.filter(pk=session_pk, claimed_by=self._ctx.worker)
        with transaction.atomic():
            settled = ours.update(**values, updated_at=timezone.now())
            if not settled:
                # Another worker has it; what we wrote may be of older frames.
                AnalysisJob.objects.filter(pk=session_pk).update(
                    wanted=F("wanted") + 1, attempts=0
                )
            if settled and "done" in values:
                tell_stored(session_pk)

    # --- Counting movements --------------------------------------------------------

    def _tally(self, session_pk: int) -> _SessionTally:
        with self._tally_lock:
            return self._tallies.setdefault(session_pk, _SessionTally())

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

    def _flush_tallies(self) -> None:
        for session_pk in list(self._tallies):
            self._count_movements(session_pk)


def _want_numbers(session_pk: int) -> None:
    """Note that a session has new frames, of which there are no numbers yet."""
    job = AnalysisJob.objects.filter(session_id=session_pk)
    values = {"wanted": F("wanted") + 1, "attempts": 0, "updated_at": timezone.now()}
    if not job.update(**values):
        AnalysisJob.objects.get_or_create(session_id=session_pk)
        job.update(**values)


def _shown_by(session_pk: int) -> int:
    """The row that shows the movements of this one: another one after a fold.

    Numbers are computed there, whichever part brought new frames.
    """
    row = Session.objects.only("folded_into").get(pk=session_pk)
    if row.folded_into_id is None:
        return session_pk
    with transaction.atomic():
        moved = AnalysisJob.objects.filter(
            session_id=session_pk, wanted__gt=F("done")
        ).update(done=F("wanted"), updated_at=timezone.now())
        if moved:
            _want_numbers(row.folded_into_id)
    return row.folded_into_id


def _file_name(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])


def movement_in_name(url: str) -> str | None:
    """The movement that the name of a file tells, if it does."""
    match = _MOVEMENT_FILE.fullmatch(_file_name(url))
    return None if match is None else match.group(1)


class _Checked:
    """A file to write to that lets a cancelled run end in the middle of a download."""

    def __init__(self, file: BinaryIO, ctx: RunContext) -> None:
        self._file = file
        self._ctx = ctx

    def write(self, data: bytes) -> int:
        self._ctx.check()
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
