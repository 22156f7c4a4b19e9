"""From downloaded files of a job to stored rows, or to a failure in plain words."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, transaction

from athletes.frames.store import StoreCounts
from athletes.models import Session
from syncing import clock
from syncing.choices import JobState, Phase
from syncing.engine.asking import ExportAsker, FetchedJob, known_movements
from syncing.engine.claims import Claims, TakenError
from syncing.engine.context import RunContext
from syncing.engine.incoming import (
    IncomingFiles,
    NeedsEachMovementError,
    read_limits,
    store_incoming,
)
from syncing.engine.layouts import Layouts
from syncing.engine.outcomes import Outcomes
from syncing.engine.readers import ProcessDiedError, ReaderProcesses, RemoteError
from syncing.engine.session_numbers import SessionNumbers, want_numbers
from syncing.engine.session_state import EXPORTS_WITH_FRAMES
from syncing.models import ExportJob
from syncing.reader.contents import MovementFailure
from syncing.reader.errors import ExportFileError

logger = logging.getLogger(__name__)

#: What a file of several movements without their ids looks like.
_MIXED = {"two_swings_one_id", "conflicting_rows"}


class ExportStorer:
    """Reads and stores the files of the jobs of one run."""

    def __init__(
        self,
        ctx: RunContext,
        *,
        claims: Claims,
        outcomes: Outcomes,
        asker: ExportAsker,
        numbers: SessionNumbers,
        processes: ReaderProcesses,
    ) -> None:
        self._ctx = ctx
        self._claims = claims
        self._outcomes = outcomes
        self._asker = asker
        self._numbers = numbers
        self._processes = processes
        self._limits = read_limits()
        self._layouts = Layouts()

    def store(self, item: FetchedJob) -> None:
        """Store the downloaded files of one job, and settle the job either way."""
        job = item.job
        was_stored = job.stored_at is not None
        counts: StoreCounts | None = None
        failures: list[MovementFailure] = []
        try:
            if was_stored and item.sha256 == job.sha256:
                with transaction.atomic():
                    self._settle(item, None)
            else:
                incoming = self._read(item)
                failures = incoming.failures
                counts = self._write(item, incoming)
        except DatabaseError:
            raise
        except Exception as error:
            self._settle_failed(job, error)
            return
        if failures:
            self._settle_unusable(job, failures)
            return
        self._outcomes.note_settled(job, JobState.STORED)
        outcome = "created"
        if was_stored:
            changed = counts is not None and counts.created + counts.updated > 0
            outcome = "updated" if changed else "unchanged"
        self._ctx.count("exports", outcome)
        self._ctx.advance(Phase.EXPORTS)

    def _read(self, item: FetchedJob) -> IncomingFiles:
        """Return what the files of a job hold."""
        incoming = IncomingFiles()
        results = self._processes.read(
            item.files, data_type=item.job.data_type, limits=self._limits
        )
        for result in results:
            incoming.add(result, lambda: known_movements(item.job))
        return incoming

    def _write(self, item: FetchedJob, incoming: IncomingFiles) -> StoreCounts:
        """Store what the files hold and settle the job, in one transaction."""
        job = item.job
        with transaction.atomic():
            counts = store_incoming(
                incoming,
                session_pk=job.session_id,
                data_type=job.data_type,
                is_whole_session=not incoming.failures,
            )
            if not incoming.failures:
                self._want_numbers(job, counts)
                self._settle(item, incoming)
            else:
                # The job is tried again: only what its files held is kept.
                self._want_numbers(job, counts)
                self._claims.confirm(job)
        self._layouts.note(
            job.data_type, job.session.mocap_type_name, incoming.column_kinds
        )
        if job.data_type in EXPORTS_WITH_FRAMES:
            self._ctx.count_frames(counts.created + counts.updated)
        self._numbers.note_stored(job.session_id, counts)
        return counts

    def _want_numbers(self, job: ExportJob, counts: StoreCounts) -> None:
        """Have numbers computed of what was stored, in the same transaction."""
        changed = counts.changed_ids or counts.moved_ids
        if job.data_type in EXPORTS_WITH_FRAMES or changed:
            want_numbers(job.session_id)

    def _settle_failed(self, job: ExportJob, error: Exception) -> None:
        """Settle a job whose files could not be read or stored."""
        match error:
            case TakenError():
                logger.info(
                    "Another worker has taken job %s; this one drops it.", job.pk
                )
                self._outcomes.note_settled(job, None)
            case Session.DoesNotExist():
                logger.info(
                    "The athlete of job %s was erased in the meantime; its file is "
                    "discarded.",
                    job.pk,
                )
                self._outcomes.note_settled(job, None)
            case NeedsEachMovementError():
                if not self._ask_one_by_one(job):
                    self._outcomes.failed(
                        job,
                        "movement_id_missing",
                        "The file doesn't name its movements, so its rows can't be "
                        "sorted into swings.",
                        is_file=True,
                    )
            case ExportFileError():
                # Perhaps several movements in a file that does not name them.
                if error.code in _MIXED and self._ask_one_by_one(job):
                    return
                self._asker.note_unreadable(job)
                self._outcomes.failed(job, error.code, error.message, is_file=True)
            case ProcessDiedError():
                self._outcomes.failed(
                    job,
                    "reader_died",
                    "The system stopped the process reading the file, most likely "
                    "because memory ran out.",
                    is_file=True,
                )
            case _:
                logger.error(
                    "The file of job %s could not be read or stored. Report the "
                    "traceback below.",
                    job.pk,
                    exc_info=error,
                )
                name = error.name if isinstance(error, RemoteError) else None
                self._outcomes.failed(
                    job,
                    "internal",
                    f"The file could not be read because of a bug "
                    f"({name or type(error).__name__}); its log has the details.",
                    is_file=True,
                )

    def _ask_one_by_one(self, job: ExportJob) -> bool:
        """Want each movement's file by itself; False when that was done already."""
        if self._asker.is_one_by_one(job):
            return False
        self._asker.ask_one_by_one(job)
        self._outcomes.settle(job, JobState.WANTED, next_try_at=clock.now())
        return True

    def _settle_unusable(
        self, job: ExportJob, failures: Sequence[MovementFailure]
    ) -> None:
        """Settle a job whose file holds movements that cannot be used."""
        self._numbers.note_unusable(job.session_id, len(failures))
        first = failures[0]
        rest = len(failures) - 1
        more = f" {rest} more can't be used either." if rest else ""
        self._outcomes.failed(
            job,
            first.code,
            f"A movement in the file can't be used: {first.message}{more} The other "
            "movements of the file were stored.",
            is_file=True,
        )

    def _settle(self, item: FetchedJob, incoming: IncomingFiles | None) -> None:
        """Write that a job is stored, last in the transaction that stores its files.

        `incoming` is None for the same files as before.

        Raises
        ------
        TakenError
            The job is another worker's by now; the transaction takes all back.
        """
        job = item.job
        values: dict[str, Any] = {
            "sha256": item.sha256,
            "bytes": item.size,
            "seconds": round(clock.monotonic() - item.started, 3),
            "stored_at": clock.now(),
            "next_try_at": None,
            "given_up_at": None,
            "attempts": 0,
            "polls": 0,
            "requested_at": None,
            "no_data_answers": 0,
            "last_error": "",
            "error_code": "",
        }
        if incoming is not None:
            values |= {
                "rows": incoming.row_count,
                "movements": incoming.movement_count,
                "repairs": incoming.repairs,
            }
        if not self._outcomes.write(job, JobState.STORED, **values):
            raise TakenError
