"""Tables of athletes' archives and of measured storage."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from athletes.models import Player

#: Folder of the archives below VAR_DIR/files.
FOLDER = "archives"


class ArchiveState(models.TextChoices):
    """State of an archive: queued, being made, ready or failed."""

    QUEUED = "queued", "Waiting for a worker"
    RUNNING = "running", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


UNDER_WAY = (ArchiveState.QUEUED, ArchiveState.RUNNING)


def new_file_name() -> str:
    """Return a random file name, which nobody can guess and which tells nothing."""
    return f"{FOLDER}/{secrets.token_hex(24)}.zip"


class Archive(models.Model):
    """One ZIP with all that is stored about an athlete."""

    player = models.ForeignKey(
        Player, on_delete=models.CASCADE, related_name="archives"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(
        max_length=7, choices=ArchiveState.choices, default=ArchiveState.QUEUED
    )
    # Known before anything is written, so that a half-written file is found too.
    file_name = models.CharField(max_length=100, unique=True, default=new_file_name)
    bytes = models.PositiveBigIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField("created", auto_now_add=True)
    enqueued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField("started", null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField("expires", null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["player"],
                condition=Q(state__in=["queued", "running"]),
                name="archive_one_under_way",
            ),
        ]
        indexes = [
            # what is to be deleted
            models.Index(fields=["expires_at"], name="archive_expires"),
        ]

    def __str__(self) -> str:
        return f"archive {self.pk}"

    @property
    def is_under_way(self) -> bool:
        """Return whether the archive is still to be made."""
        return self.state in UNDER_WAY

    @property
    def download_name(self) -> str:
        """Plain ASCII, and without the athlete's name: it stays in download folders."""
        day = (self.finished_at or self.created_at).date().isoformat()
        return f"athlete-{self.player_id}-archive-{day}.zip"


class StorageReport(models.Model):
    """How much disk each kind of data took at one moment."""

    taken_at = models.DateTimeField(db_index=True)
    seconds = models.FloatField()
    # {kind: bytes}; the kinds are those of privacy.storage
    sizes = models.JSONField()
    free_bytes = models.PositiveBigIntegerField()
    newest_backup_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-taken_at"]

    def __str__(self) -> str:
        return f"storage at {self.taken_at}"


class RestoreCheck(models.Model):
    """Whether the newest backup could be restored, tried in a scratch database."""

    taken_at = models.DateTimeField(db_index=True)
    seconds = models.FloatField()
    backup_at = models.DateTimeField(null=True)
    # {table: rows that the backup gave back}
    counts = models.JSONField(default=dict)
    #: What is wrong and what to do; empty when all rows came back.
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["-taken_at"]

    def __str__(self) -> str:
        return f"restore check at {self.taken_at}"
