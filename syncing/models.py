"""The tables of the sync: runs, export jobs, cursors, and what the vendor sent.

The name of the table `sync_log` and its fields up to `completed_at` are relied on by
other programs. The rows here are the truth about what is to be done; the queue only
wakes somebody up, so a message that a broker loses costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from syncing import clock, querysets
from syncing.choices import (
    ACTIVE_RUNS,
    OPTIONAL_EXPORTS,
    ExportType,
    JobState,
    Phase,
    RunKind,
    RunStatus,
    SyncType,
    Trigger,
)

if TYPE_CHECKING:
    _DateTimeField = models.DateTimeField[datetime, datetime]
else:
    _DateTimeField = models.DateTimeField


class ClockedField(_DateTimeField):
    """When a row was made or saved, by the clock of the sync instead of Django's.

    Migrations know it as Django's own field: the column is the same.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Return the value to save, which the row then has as well."""
        if self.auto_now or (self.auto_now_add and add):
            setattr(model_instance, self.attname, clock.now())
        return getattr(model_instance, self.attname)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """Return the field as migrations write it."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, options


def empty_counts() -> dict[str, dict[str, int]]:
    """Return the counts of a run that has not begun."""
    names = ("seen", "created", "updated", "unchanged", "failed")
    kinds = ("players", "sessions", "movements", "exports")
    return {kind: dict.fromkeys(names, 0) for kind in kinds}


class SyncLog(models.Model):
    """One run, and the lock that lets only one of its kind be active."""

    sync_type = models.CharField(
        max_length=12, choices=SyncType.choices, default=SyncType.INCREMENTAL
    )
    status = models.CharField(
        max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED
    )
    records_synced = models.PositiveIntegerField(default=0)
    players_synced = models.PositiveIntegerField(default=0)
    sessions_synced = models.PositiveIntegerField(default=0)
    biomechanics_synced = models.PositiveIntegerField(default=0)
    error_message = models.TextField(blank=True)
    started_at = models.DateTimeField("started", null=True, blank=True)
    completed_at = models.DateTimeField("ended", null=True, blank=True)

    kind = models.CharField(
        max_length=10, choices=RunKind.choices, default=RunKind.VENDOR
    )
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    since = models.DateField(
        null=True,
        blank=True,
        help_text="Only what Reboot Motion changed since that day.",
    )
    phase = models.CharField(
        max_length=15, choices=Phase.choices, default=Phase.STARTING
    )
    # {phase: {"done": n, "total": n or null}}
    progress = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=empty_counts, blank=True)
    requests = models.PositiveIntegerField(default=0)
    # [{"what", "object", "message", "hint", "code", "url", "is_general"}]; no names in
    # it, but sessions: shown through syncing.selectors.visible_errors
    errors = models.JSONField(default=list, blank=True)
    error_count = models.PositiveIntegerField("problems", default=0)
    error_class = models.CharField(max_length=100, blank=True)
    cursor_before = models.DateTimeField(null=True, blank=True)
    cursor_after = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    host = models.CharField(max_length=200, blank=True)
    pid = models.PositiveIntegerField(null=True, blank=True)
    # The same in a form that no other process can have (syncing.engine.liveness).
    process = models.CharField(max_length=120, blank=True, default="", db_default="")
    # Changes at every start, so that a process that was taken for dead and wakes
    # up again finds that the run is no longer its own.
    owner = models.CharField(max_length=32, blank=True)
    # Last time that the queue was asked to run this.
    enqueued_at = models.DateTimeField(null=True, blank=True)
    created_at = ClockedField(auto_now_add=True)

    objects = querysets.SyncLogQuerySet.as_manager()

    class Meta:
        db_table = "sync_log"
        verbose_name = "sync run"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(status__in=["queued", "running"]),
                name="sync_log_one_active_run",
            ),
        ]
        indexes = [
            # age of the last success
            models.Index(fields=["kind", "status", "-completed_at"], name="sync_last"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def is_active(self) -> bool:
        """Whether the run is queued or running."""
        return self.status in ACTIVE_RUNS

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end; None while it has not ended.

        A run whose process died ended with its last sign of life, not when somebody
        noticed.
        """
        ended = self.completed_at
        if self.status == RunStatus.ABANDONED and self.heartbeat_at is not None:
            ended = self.heartbeat_at
        if self.started_at is None or ended is None:
            return None
        return max(0.0, (ended - self.started_at).total_seconds())


class RunHelper(models.Model):
    """A process that works files beside the one that leads a run.

    The leader waits for these rows to go before it writes how the run ended, so that
    what helpers counted, and what failed with them, is in it. Whoever finds a helper
    dead deletes its row; a helper whose row is gone stops.
    """

    run = models.ForeignKey(SyncLog, on_delete=models.CASCADE, related_name="helpers")
    # Its claims and request slots carry this name.
    worker = models.CharField(max_length=32, blank=True, default="", db_default="")
    process = models.CharField(max_length=120, blank=True, default="", db_default="")
    heartbeat_at = models.DateTimeField(null=True)
    created_at = ClockedField(auto_now_add=True)

    def __str__(self) -> str:
        return f"helper of run {self.run_id}"


class ExportJob(models.Model):
    """One file asked of the vendor: one data type of one athlete's session."""

    session = models.ForeignKey(
        "athletes.Session", on_delete=models.CASCADE, related_name="export_jobs"
    )
    data_type = models.CharField(max_length=30, choices=ExportType.choices)
    state = models.CharField(
        max_length=11, choices=JobState.choices, default=JobState.WANTED
    )
    # Counted when the job is claimed, so that a file that kills its worker is
    # given up too.
    attempts = models.PositiveIntegerField(default=0)
    # Polls of an export that the vendor is still preparing, and since when.
    polls = models.PositiveIntegerField(default=0)
    requested_at = models.DateTimeField(null=True, blank=True)
    # How often the vendor answered "no data" in a row.
    no_data_answers = models.PositiveIntegerField(default=0)
    # Since when it is given up. What tries gave up is asked for now and then all the
    # same; what a person gave up has no next try.
    given_up_at = models.DateTimeField(null=True, blank=True)
    # Null: nothing more to do until the vendor says that the session changed.
    next_try_at = models.DateTimeField("next try", null=True, blank=True)
    claimed_by = models.CharField(max_length=32, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    error_code = models.CharField(max_length=50, blank=True)
    bytes = models.PositiveBigIntegerField(null=True, blank=True)
    rows = models.PositiveIntegerField(null=True, blank=True)
    movements = models.PositiveIntegerField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    repairs = models.JSONField(default=list, blank=True)
    # The vendor's state of the session that the file was fetched for.
    vendor_updated_at = models.DateTimeField(
        "changed in Reboot Motion", null=True, blank=True
    )
    fetched_for = models.CharField(max_length=64, blank=True)
    last_run = models.ForeignKey(
        SyncLog, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    created_at = ClockedField(auto_now_add=True)
    updated_at = ClockedField(auto_now=True)
    stored_at = models.DateTimeField("stored", null=True, blank=True)

    objects = querysets.ExportJobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "data_type"], name="export_job_session_type"
            ),
        ]
        indexes = [
            # what is due now; what waits and until when
            models.Index(fields=["state", "next_try_at"], name="export_job_due"),
            # leases of one worker
            models.Index(
                fields=["claimed_by"],
                condition=~Q(claimed_by=""),
                name="export_job_claim",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.data_type} of session {self.session_id}"

    @property
    def is_optional(self) -> bool:
        """Whether nothing waits for this file, and its lack is no failure."""
        return self.data_type in OPTIONAL_EXPORTS


class ExportRefusal(models.Model):
    """A data type that the vendor does not offer to an organization.

    Until `ask_again_at`, or a full run, no session's file of this type is asked for.
    """

    data_type = models.CharField(max_length=30, choices=ExportType.choices)
    # Hash of the vendor's address and our login: another login may be offered more.
    connection = models.CharField(max_length=64)
    reason = models.CharField(max_length=300)
    refused_at = models.DateTimeField()
    ask_again_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["data_type", "connection"], name="export_refusal_type"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.data_type} refused"


class AnalysisJob(models.Model):
    """A session whose numbers are to be computed again from stored frames.

    Written in the transaction that stores frames, so that a worker that dies between
    storing and computing loses nothing.
    """

    session = models.OneToOneField(
        "athletes.Session",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="analysis_job",
    )
    # Frames were stored `wanted` times; numbers are of the `done`-th.
    wanted = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    claimed_by = models.CharField(max_length=32, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    updated_at = ClockedField(auto_now=True)

    objects = querysets.AnalysisJobQuerySet.as_manager()

    class Meta:
        indexes = [
            # sessions whose numbers are out of date
            models.Index(
                fields=["session"],
                condition=Q(wanted__gt=models.F("done")),
                name="analysis_job_due",
            ),
        ]

    def __str__(self) -> str:
        return f"analysis of session {self.session_id}"


class SyncCursor(models.Model):
    """A time up to which the vendor's changes have been read."""

    name = models.CharField(max_length=30, unique=True)
    value = models.DateTimeField(null=True)
    updated_at = ClockedField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name} until {self.value}"


class RawPayload(models.Model):
    """The last JSON of one of the vendor's objects, kept to map it again later."""

    class Kind(models.TextChoices):
        """Kinds of objects, by the route they came from."""

        PLAYER = "player", "Athlete"
        SESSION = "session", "Session in the list"
        SESSION_DETAIL = "session_detail", "Session on its own"
        MOVEMENT_TYPE = "movement_type", "Movement type"

    kind = models.CharField(max_length=15, choices=Kind.choices)
    vendor_id = models.CharField("Reboot ID", max_length=200)
    payload = models.JSONField()
    sha256 = models.CharField(max_length=64)
    # [{"field", "code", "text"}] of values in it that cannot be used; null: none
    problems = models.JSONField(null=True, blank=True)
    fetched_at = models.DateTimeField("fetched")

    class Meta:
        verbose_name = "raw answer"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "vendor_id"], name="raw_payload_object"
            ),
        ]
        indexes = [
            # values that staff have to look after
            models.Index(
                fields=["kind", "vendor_id"],
                condition=Q(problems__isnull=False),
                name="raw_payload_problems",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.vendor_id}"


class ColumnLayout(models.Model):
    """The columns that files of one data type and capture system have.

    Each layout is stored when it is first met, with what differs from the one before.
    """

    data_type = models.CharField(max_length=30, choices=ExportType.choices)
    mocap_type = models.CharField(max_length=100, blank=True)
    # Hash of the names.
    names_sha256 = models.CharField(max_length=64)
    # {name: "number" | "text" | ""}
    kinds = models.JSONField()
    # {"appeared": [names], "vanished": [names], "changed": [names]}; empty: the first
    changes = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField()
    noted_at = models.DateTimeField(null=True)
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["data_type", "mocap_type", "names_sha256"],
                name="column_layout_names",
            ),
        ]

    def __str__(self) -> str:
        return f"columns of {self.data_type}"


class VendorSession(models.Model):
    """One session of the vendor's list, and whether it was looked into.

    Rows of `athletes.Session` exist for hitters only. This one exists for every
    session, is written in the transaction that moves the cursor, and so carries the
    work that is left when a run ends early.
    """

    class Verdict(models.TextChoices):
        """Whether the session holds swings."""

        UNKNOWN = "", "Not known yet"
        HITTING = "hitting", "Hitting"
        OTHER = "other", "No hitting"

    session_id = models.CharField("Reboot session ID", max_length=200, unique=True)
    vendor_updated_at = models.DateTimeField(
        "changed in Reboot Motion", null=True, blank=True
    )
    verdict = models.CharField(
        max_length=7, choices=Verdict.choices, default=Verdict.UNKNOWN, blank=True
    )
    # {org_player_id: "hitting" | "other" | "unknown"}
    participants = models.JSONField(default=dict, blank=True)
    # Hash of what decides whether files are fetched again.
    fingerprint = models.CharField(max_length=64, blank=True)
    needs_detail = models.BooleanField(default=True)
    # When to look again although nothing changed (the kind is not known yet, or
    # looking failed); null: only after a change.
    next_check_at = models.DateTimeField("next check", null=True, blank=True)
    checks = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    created_at = ClockedField(auto_now_add=True)
    updated_at = ClockedField(auto_now=True)

    class Meta:
        verbose_name = "Reboot session"
        indexes = [
            # what is to be looked into
            models.Index(
                fields=["id"], condition=Q(needs_detail=True), name="vendor_session_new"
            ),
            models.Index(
                fields=["next_check_at"],
                condition=Q(next_check_at__isnull=False),
                name="vendor_session_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id}"


class MovementType(models.Model):
    """A kind of movement that the vendor knows, with its id there."""

    vendor_id = models.IntegerField("Reboot ID", unique=True)
    slug = models.CharField(max_length=100)
    name = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return self.slug


class RequestSlot(models.Model):
    """The right to have one request under way, shared by all workers of all hosts."""

    number = models.PositiveSmallIntegerField(unique=True)
    holder = models.CharField(max_length=40, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"slot {self.number}"


class WorkerHeartbeat(models.Model):
    """When a queue worker of a host last did something."""

    host = models.CharField(max_length=200, unique=True)
    beat_at = models.DateTimeField("last heartbeat")

    def __str__(self) -> str:
        return self.host
