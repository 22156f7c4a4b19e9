"""Reading downloaded files and storing what they hold."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from athletes.frames.store import (
    StoreCounts,
    store_frames,
    store_movement_metadata,
)
from athletes.models import Session
from syncing.choices import ExportType, JobState, Phase
from syncing.engine.asking import ExportAsker, FetchedJob, known_movements
from syncing.engine.claims import Claims, TakenError
from syncing.engine.context import RunContext
from syncing.engine.incoming import Incoming, NeedsEachMovementError, read_limits
from syncing.engine.outcomes import Outcomes
from syncing.engine.readers import (
    Content,
    ProcessDiedError,
    Processes,
    RemoteError,
)
from syncing.engine.session_numbers import SessionNumbers, want_numbers
from syncing.reader.contents import RowsFile
from syncing.reader.errors import ExportFileError

logger = logging.getLogger(__name__)

#: What a file of several movements without their ids looks like.
_MIXED = {"two_swings_one_id", "conflicting_rows"}


class Storing:
    """From a downloaded file to stored frames, or to a failure in plain words."""

    def __init__(
        self,
        ctx: RunContext,
        *,
        claims: Claims,
        outcomes: Outcomes,
        asker: ExportAsker,
        numbers: SessionNumbers,
        processes: Processes,
    ) -> None:
        self._ctx = ctx
        self._claims = claims
        self._outcomes = outcomes
        self._asker = asker
        self._numbers = numbers
        self._processes = processes
        self._limits = read_limits()

    def store(self, item: FetchedJob) -> None:
        job = item.job
        was_stored = job.stored_at is not None
        counts: StoreCounts | None = None
        failures: list[tuple[str, str]] = []
        try:
            if was_stored and item.sha256 == job.sha256:
                with transaction.atomic():
                    self._settle(item, None)
            else:
                read = self._read(item)
                failures = read.failures
                counts = self._write(item, read)
        except NeedsEachMovementError:
            if self._asker.is_one_by_one(job):
                self._outcomes.failed(
                    job,
                    "movement_id_missing",
                    "The file names no movement, so nobody can say which rows belong "
                    "together.",
                    is_file=True,
                )
                return
            self._asker.ask_one_by_one(job)
            self._outcomes.settle(job, JobState.WANTED, next_try_at=timezone.now())
            return
        except ExportFileError as error:
            if error.code in _MIXED and not self._asker.is_one_by_one(job):
                # Perhaps several movements in a file that does not name them.
                self._asker.ask_one_by_one(job)
                self._outcomes.settle(job, JobState.WANTED, next_try_at=timezone.now())
                return
            self._asker.note_unreadable(job)
            self._outcomes.failed(job, error.code, error.message, is_file=True)
            return
        except TakenError:
            logger.info("job %s: is with another worker now", job.pk)
            self._outcomes.note_settled(job, None)
            return
        except Session.DoesNotExist:
            logger.info("job %s: its athlete was erased meanwhile", job.pk)
            self._outcomes.note_settled(job, None)
            return
        except DatabaseError:
            raise
        except ProcessDiedError:
            self._outcomes.failed(
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
            self._outcomes.failed(
                job,
                "internal",
                f"The file could not be read because of a fault of this program "
                f"({name or type(error).__name__}); its log has the details.",
                is_file=True,
            )
            return
        if failures:
            self._numbers.note_unusable(job.session_id, len(failures))
            code, message = failures[0]
            more = f" So are {len(failures) - 1} more." if len(failures) > 1 else ""
            self._outcomes.failed(
                job,
                code,
                f"A movement of the file cannot be used: {message}{more} The other "
                "movements of the file were stored.",
                is_file=True,
            )
            return
        self._outcomes.note_settled(job, JobState.STORED)
        outcome = "created"
        if was_stored:
            changed = counts is not None and counts.created + counts.updated > 0
            outcome = "updated" if changed else "unchanged"
        self._ctx.count("exports", outcome)
        self._ctx.advance(Phase.EXPORTS)

    def _read(self, item: FetchedJob) -> Incoming:
        read = Incoming()
        results = self._processes.read(
            [
                Content(file.file, file.size, file.org_movement_id)
                for file in item.files
            ],
            data_type=item.job.data_type,
            limits=self._limits,
        )
        for result in results:
            if isinstance(result, RowsFile):
                read.take_rows(result)
            else:
                read.take_frames(result, lambda: known_movements(item.job))
        return read

    def _write(self, item: FetchedJob, read: Incoming) -> StoreCounts:
        """What the file holds, and that it is stored, in one transaction."""
        job = item.job

        def end() -> None:
            if read.failures:
                # Tried again: only what it held is kept.
                if job.data_type != ExportType.METADATA:
                    want_numbers(job.session_id)
                self._claims.confirm(job)
            else:
                self._settle(item, read)

        if job.data_type == ExportType.METADATA:
            counts = store_movement_metadata(
                session_pk=job.session_id, rows=read.metadata, confirm=end
            )
        else:
            counts = store_frames(
                session_pk=job.session_id,
                data_type=job.data_type,
                movements=read.frames,
                is_whole_session=not read.failures,
                confirm=end,
            )
            self._ctx.count_frames(counts.created + counts.updated)
        self._numbers.note_stored(job.session_id, counts)
        return counts

    def _settle(self, item: FetchedJob, read: Incoming | None) -> None:
        """Write that a file is stored, called last in the transaction that stores it.

        `read` is None for one that was stored before. Raises `TakenError`, which
        takes everything back, when the job is no longer ours.
        """
        job = item.job
        values: dict[str, Any] = {
            "sha256": item.sha256,
            "bytes": item.size,
            "seconds": round(time.monotonic() - item.started, 3),
            "stored_at": timezone.now(),
            "next_try_at": None,
            "given_up_at": None,
            "attempts": 0,
            "polls": 0,
            "requested_at": None,
            "no_data_answers": 0,
            "last_error": "",
            "error_code": "",
        }
        if read is not None:
            values |= {
                "rows": read.rows,
                "movements": read.movements,
                "repairs": read.repairs,
            }
            if job.data_type != ExportType.METADATA:
                want_numbers(job.session_id)
        if not self._outcomes.write(job, JobState.STORED, **values):
            raise TakenError
