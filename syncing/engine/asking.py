"""Asking the vendor for the files of a job, and downloading them at once."""

from __future__ import annotations

import hashlib
import logging
import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, cast
from urllib.parse import unquote, urlsplit

from django.conf import settings

from athletes.models import Movement
from syncing.choices import JobState
from syncing.client.errors import (
    ExpiredLinkError,
    SlowAnswerError,
    UnexpectedStatusError,
)
from syncing.client.types import ExportReply
from syncing.engine.context import RunContext
from syncing.engine.downloads import DownloadedFile
from syncing.engine.outcomes import Outcomes
from syncing.filenames import read_file_name
from syncing.models import ExportJob

logger = logging.getLogger(__name__)

#: Files of this size and less never touch the disk.
_SPOOL_BYTES = 1_000_000
_EXPIRED_LINKS = 4
#: After so many unreadable files in a row the other format is asked for.
_CSV_AFTER = 3
#: … and on these tries, which are hours apart.
_CSV_ATTEMPTS = {6, 8, 10}

#: "007_IMG-1234-0001_ik.csv.gz": number, movement, kind.
_MOVEMENT_FILE = re.compile(r"\d{3,}_(.+)_[a-z-]+\.(?:csv|parquet)(?:\.gz)?")

DataFormat = Literal["parquet", "csv"]


@dataclass
class FetchedJob:
    """An export job with its downloaded files, on the way to the reader."""

    job: ExportJob
    files: list[DownloadedFile]
    started: float

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(item.size for item in self.files)

    @property
    def sha256(self) -> str:
        """Hash of the files together, the same in whatever order they came."""
        if len(self.files) == 1:
            return self.files[0].sha256
        joined = "".join(sorted(item.sha256 for item in self.files))
        return hashlib.sha256(joined.encode()).hexdigest()

    def close(self) -> None:
        """Close the files, which deletes them."""
        for item in self.files:
            item.file.close()


class ExportAsker:
    """Asks the vendor for files, and remembers how each job has to be asked for."""

    def __init__(self, ctx: RunContext, hitting_id: int, outcomes: Outcomes) -> None:
        self._ctx = ctx
        self._hitting_id = hitting_id
        self._outcomes = outcomes
        self._each_movement: set[int] = set()
        self._unreadable: Counter[int] = Counter()
        self._status_urls: dict[int, str] = {}

    def remember(self, job: ExportJob, reply: ExportReply) -> None:
        """Keep the address at which the vendor wants to be asked about this job."""
        if reply.status_url:
            self._status_urls[job.pk] = reply.status_url

    def note_unreadable(self, job: ExportJob) -> None:
        """Count an unreadable file; after a few the other format is asked for."""
        self._unreadable[job.pk] += 1

    def is_one_by_one(self, job: ExportJob) -> bool:
        """Whether each movement of the job is asked for by itself."""
        return job.pk in self._each_movement

    def ask_one_by_one(self, job: ExportJob) -> None:
        """Ask for each movement of the job by itself from now on."""
        self._each_movement.add(job.pk)

    def files_of(self, job: ExportJob, files: list[DownloadedFile]) -> ExportReply:
        """Ask for the files of a job, download them to ``files``, return the reply."""
        if not self.is_one_by_one(job):
            try:
                return self._ask_and_download(job, files)
            except SlowAnswerError:
                if job.is_optional or not self._ctx.vendor_answers:
                    raise
                # Perhaps too much at once: no wait makes that less.
                logger.info(
                    "Export job %s can't be downloaded as a whole; requesting it "
                    "movement by movement.",
                    job.pk,
                )
                self.ask_one_by_one(job)
                _drop(files)
        known = known_movements(job)
        try:
            # One file for each movement, each named after it.
            reply = self._ask_and_download(job, files, aggregate=False)
        except SlowAnswerError:
            if not known:
                raise
        else:
            if reply.state != "ready" or all(item.org_movement_id for item in files):
                return reply
        _drop(files)
        for org_movement_id in known:
            reply = self._ask_and_download(
                job, files, aggregate=False, org_movement_id=org_movement_id
            )
            if reply.state != "ready":
                return reply
        if not known:
            raise UnexpectedStatusError(
                "The file doesn't name its movements and Reboot Motion's list of "
                "movements is missing, so its rows can't be sorted into swings."
            )
        return reply

    def _ask_and_download(
        self,
        job: ExportJob,
        files: list[DownloadedFile],
        *,
        aggregate: bool = True,
        org_movement_id: str | None = None,
    ) -> ExportReply:
        before = len(files)
        for attempt in range(_EXPIRED_LINKS):
            reply = self._ask(job, aggregate, org_movement_id)
            if reply.state != "ready":
                return reply
            self._outcomes.step(job, JobState.DOWNLOADING)
            try:
                # In the order of the names, which is that of the movements.
                for url in sorted(reply.download_urls, key=_file_name):
                    name = org_movement_id
                    if name is None and not aggregate:
                        name = movement_in_name(url)
                    files.append(self._download(url, name))
            except ExpiredLinkError:
                _drop(files, before)
                if attempt + 1 == _EXPIRED_LINKS:
                    raise
                logger.info(
                    "The link of export job %s has expired; requesting a new one.",
                    job.pk,
                )
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

    def _download(self, url: str, org_movement_id: str | None) -> DownloadedFile:
        # Unlinked from the start, so that a killed process leaves nothing behind.
        # Closed by whoever reads it, in another thread.
        spooled = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115
        sink = cast("BinaryIO", spooled)
        try:
            done = self._ctx.client.download(
                url,
                cast("BinaryIO", _Checked(sink, self._ctx)),
                max_bytes=settings.EXPORT_MAX_BYTES,
            )
        except BaseException:
            sink.close()
            raise
        return DownloadedFile(sink, done.size, done.sha256, org_movement_id)


def known_movements(job: ExportJob) -> list[str]:
    """The vendor's names of the stored movements of a job's session, in order."""
    return [
        movement.vendor_name
        for movement in Movement.objects.of_part(job.session_id)
        .filter(missing_since__isnull=True)
        .order_by("position")
        .only("org_movement_id", "name_at_vendor")
    ]


def _drop(files: list[DownloadedFile], first: int = 0) -> None:
    """Close and forget the files of a list, from a place on."""
    for item in files[first:]:
        item.file.close()
    del files[first:]


def _file_name(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])


def movement_in_name(url: str) -> str | None:
    """The movement that the name in an address tells; None when it tells none.

    A file of a whole session may begin with digits too: those of its day.
    """
    name = _file_name(url)
    match = _MOVEMENT_FILE.fullmatch(name)
    return None if match is None or read_file_name(name).date else match.group(1)


class _Checked:
    """A file that stops a download when its run was canceled."""

    def __init__(self, file: BinaryIO, ctx: RunContext) -> None:
        self._file = file
        self._ctx = ctx

    def write(self, data: bytes) -> int:
        self._ctx.check()
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
