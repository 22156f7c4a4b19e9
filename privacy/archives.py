"""Archives: asked for, made by the queue, fetched, deleted when their time is up."""

from __future__ import annotations

import logging
import tempfile
from datetime import timedelta

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.tasks import async_task

from accounts.audit import Principal, record
from accounts.models import Action, User
from athletes.models import Player
from athletes.orphan_files import delete_orphans
from privacy.archive import write_archive
from privacy.models import FOLDER, UNDER_WAY, Archive, ArchiveState

logger = logging.getLogger(__name__)

#: A message of the queue that was lost is sent again after this long.
QUEUE_PATIENCE = timedelta(minutes=3)
#: Longer than the queue lets a task run: who is silent for so long is dead.
RUN_PATIENCE = timedelta(minutes=20)
MAX_ATTEMPTS = 3
#: A file without a row: its worker was killed between the two.
ORPHAN_AGE = timedelta(days=1)


def request_archive(*, player: Player, user: User) -> Archive:
    """Have an archive made; one that is under way is enough."""
    with transaction.atomic():
        archive = _under_way(player)
        if archive is None:
            try:
                with transaction.atomic():
                    archive = Archive.objects.create(player=player, requested_by=user)
            except IntegrityError:  # somebody else asked in this moment
                archive = Archive.objects.get(player=player, state__in=UNDER_WAY)
            else:
                record(
                    Action.DATA_EXPORTED,
                    by=user,
                    subject=archive,
                    player_id=player.pk,
                    what="archive",
                    step="requested",
                )
        if _is_forgotten(archive):
            _enqueue(archive)
    return archive


def _under_way(player: Player) -> Archive | None:
    return Archive.objects.filter(player=player, state__in=UNDER_WAY).first()


def _is_forgotten(archive: Archive) -> bool:
    """Whether no worker is making this archive any more, as far as one can tell."""
    now = timezone.now()
    if archive.state == ArchiveState.RUNNING:
        return archive.started_at is None or now - archive.started_at > RUN_PATIENCE
    return archive.enqueued_at is None or now - archive.enqueued_at > QUEUE_PATIENCE


def _enqueue(archive: Archive) -> None:
    Archive.objects.filter(pk=archive.pk).update(enqueued_at=timezone.now())
    transaction.on_commit(
        lambda: async_task(
            "privacy.tasks.make_archive_task",
            archive.pk,
            task_name=f"archive {archive.pk}",
        )
    )


def make_archive(archive_id: int) -> str:
    """Make a queued archive; safe to be called twice."""
    archive = _claim(archive_id)
    if archive is None:
        return "nothing to do"
    try:
        size = _write(archive)
    except BaseException as error:
        default_storage.delete(archive.file_name)
        kept = Archive.objects.filter(pk=archive.pk).update(
            state=ArchiveState.FAILED,
            finished_at=timezone.now(),
            error=f"The archive couldn't be made ({type(error).__name__}). Try again; "
            "if it fails again, the worker's log has the details.",
        )
        # Without its row the athlete was erased, and what was to be written is gone.
        if not kept and isinstance(error, Exception):
            return "gone"
        raise
    now = timezone.now()
    kept = Archive.objects.filter(pk=archive.pk).update(
        state=ArchiveState.READY,
        bytes=size,
        error="",
        finished_at=now,
        expires_at=now + timedelta(hours=settings.ARCHIVE_HOURS),
    )
    if not kept:  # the athlete was erased meanwhile
        default_storage.delete(archive.file_name)
        return "gone"
    logger.info(
        "Archive %s is ready (%s bytes). It can be downloaded from the athlete's page.",
        archive.pk,
        size,
    )
    return ArchiveState.READY.value


def _claim(archive_id: int) -> Archive | None:
    now = timezone.now()
    free = Q(state=ArchiveState.QUEUED) | Q(
        state=ArchiveState.RUNNING, started_at__lt=now - RUN_PATIENCE
    )
    claimed = Archive.objects.filter(free, pk=archive_id).update(
        state=ArchiveState.RUNNING, started_at=now, attempts=F("attempts") + 1
    )
    if not claimed:
        return None
    archive = Archive.objects.select_related("player").filter(pk=archive_id).first()
    if archive is None:  # the athlete was erased in this moment
        return None
    if archive.attempts > MAX_ATTEMPTS:
        Archive.objects.filter(pk=archive_id).update(
            state=ArchiveState.FAILED,
            finished_at=now,
            error="Every worker that started this archive stopped unexpectedly.",
        )
        return None
    return archive


def _write(archive: Archive) -> int:
    """Write the ZIP into a file without a name: a killed worker leaves nothing."""
    with tempfile.TemporaryFile(dir=settings.VAR_DIR) as file:
        write_archive(archive.player, file)
        size = file.tell()
        file.seek(0)
        # What an earlier attempt left would make the storage choose another name.
        default_storage.delete(archive.file_name)
        default_storage.save(archive.file_name, File(file))
        return size


def record_download(archive: Archive, *, by: Principal) -> None:
    """Write into the audit that somebody downloaded this archive."""
    record(
        Action.DATA_EXPORTED,
        by=by,
        subject=archive,
        player_id=archive.player_id,
        what="archive",
        step="downloaded",
    )


def delete_archives(archives: list[Archive]) -> int:
    """Delete archives, file and row, and return how many they were.

    Files first: a row without a file is found again, a file without a row late.
    """
    for archive in archives:
        default_storage.delete(archive.file_name)
    Archive.objects.filter(pk__in=[archive.pk for archive in archives]).delete()
    return len(archives)


def prune_archives() -> int:
    """Delete what has expired or failed long ago, and files that belong to no row."""
    now = timezone.now()
    over = Archive.objects.filter(
        Q(expires_at__lte=now)
        | Q(state=ArchiveState.FAILED, finished_at__lte=now - timedelta(days=7))
    )
    count = delete_archives(list(over))
    for archive in Archive.objects.filter(state__in=UNDER_WAY):
        if _is_forgotten(archive):
            _enqueue(archive)
    return count + _delete_orphans()


def _delete_orphans() -> int:
    known = set(Archive.objects.values_list("file_name", flat=True))
    return delete_orphans(FOLDER, known=known, before=timezone.now() - ORPHAN_AGE)
