"""The administration of the sync: runs and export jobs, and what staff may do."""

from __future__ import annotations

import json
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin_lists import ModelAdmin, too_many
from accounts.audit import record
from accounts.models import Action, User
from athletes.admin.players import add_player_action
from athletes.models import Player
from syncing import queueadmin, services  # noqa: F401  # the first registers
from syncing.models import (
    ExportJob,
    MovementType,
    RawPayload,
    SyncCursor,
    SyncLog,
    VendorSession,
    WorkerHeartbeat,
)


class StaffRequest(HttpRequest):
    """A request to the administration, which lets in nobody but staff."""

    user: User


class RecordAdmin(ModelAdmin):
    """Rows that record what happened: staff read them and change none by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No: the sync writes these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No: the sync writes these rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No: the sync writes these rows."""
        return False


@admin.register(SyncLog)
class SyncLogAdmin(RecordAdmin):
    """The list and the page of runs, newest first."""

    list_display = [
        "id",
        "sync_type",
        "trigger",
        "status",
        "started_at",
        "duration",
        "players_synced",
        "sessions_synced",
        "biomechanics_synced",
        "requests",
        "error_count",
        "message",
    ]
    list_filter = ["status", "trigger", "sync_type", "kind", "started_at"]
    search_fields = ["error_message", "error_class"]
    date_hierarchy = "started_at"
    list_select_related = ["requested_by"]
    actions = ["cancel"]
    fields = [
        *("sync_type", "kind", "trigger", "requested_by", "since", "status"),
        *("started_at", "completed_at", "duration", "phase", "host", "pid"),
        *("counts_table", "requests", "cursor_before", "cursor_after"),
        *("error_message", "error_class", "error_list"),
    ]
    readonly_fields = ["duration", "counts_table", "error_list"]

    @admin.display(description="duration")
    def duration(self, run: SyncLog) -> str:
        """How long the run took, in seconds or minutes."""
        seconds = run.duration_s
        if seconds is None:
            return "–"
        return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"

    @admin.display(description="message")
    def message(self, run: SyncLog) -> str:
        """First line of the message with which the run ended."""
        return run.error_message.split("\n", 1)[0][:120]

    @admin.display(description="counts")
    def counts_table(self, run: SyncLog) -> SafeString:
        """The counts of the run as a table."""
        rows = format_html_join(
            "",
            "<tr><th scope='row'>{}</th><td>{}</td></tr>",
            (
                (kind, ", ".join(f"{n} {name}" for name, n in numbers.items()))
                for kind, numbers in run.counts.items()
            ),
        )
        return format_html("<table>{}</table>", rows)

    @admin.display(description="errors")
    def error_list(self, run: SyncLog) -> SafeString:
        """The errors of the run as a list, each with what to do."""
        if not run.errors:
            return SafeString("–")
        return format_html(
            "<ul>{}</ul>",
            format_html_join(
                "",
                "<li>{} {}</li>",
                (
                    (error.get("message", ""), error.get("hint", ""))
                    for error in run.errors
                ),
            ),
        )

    @admin.action(description="Cancel selected runs", permissions=["view"])
    def cancel(self, request: StaffRequest, runs: QuerySet[SyncLog]) -> None:
        """Ask the chosen runs to stop."""
        asked = 0
        for run in runs.filter(status__in=["queued", "running"]):
            services.request_cancel(run_id=run.pk, user=request.user)
            record(
                Action.RECORD_CHANGED,
                by=request.user,
                subject=run,
                what="cancel sync",
            )
            asked += 1
        messages.info(request, f"{asked} runs were asked to stop.")


@admin.register(ExportJob)
class ExportJobAdmin(RecordAdmin):
    """The files that are asked of the vendor."""

    list_display = [
        "id",
        "session_link",
        "data_type",
        "state",
        "attempts",
        "next_try_at",
        "movements",
        "rows",
        "megabytes",
        "seconds",
        "stored_at",
        "error",
    ]
    list_filter = ["state", "data_type", "error_code", "stored_at"]
    search_fields = [
        "=session__session_id",
        "=session__player__org_player_id",
        "last_error",
    ]
    list_select_related = ["session"]
    show_full_result_count = False
    actions = ["try_again", "give_up", "ask_anew"]

    @admin.display(description="session")
    def session_link(self, job: ExportJob) -> SafeString:
        """A link to the session's page."""
        url = reverse("dashboard:session", args=[job.session_id])
        return format_html('<a href="{}">session {}</a>', url, job.session_id)

    @admin.display(description="MB", ordering="bytes")
    def megabytes(self, job: ExportJob) -> str:
        """Size of the file in megabytes."""
        return "–" if job.bytes is None else f"{job.bytes / 1e6:.1f}"

    @admin.display(description="last error")
    def error(self, job: ExportJob) -> str:
        """First line of the last error."""
        return job.last_error.split("\n", 1)[0][:120]

    @admin.action(description="Retry selected jobs now", permissions=["view"])
    def try_again(self, request: HttpRequest, jobs: QuerySet[ExportJob]) -> None:
        """Try the chosen jobs again now."""
        user = cast(User, request.user)
        ids = list(jobs.values_list("pk", flat=True))
        count = services.retry_jobs(job_ids=ids, user=user)
        record(Action.SYNC_REQUESTED, by=user, what="try again", files=count)
        messages.success(request, f"{count} jobs will be retried now.")

    @admin.action(description="Give up selected jobs", permissions=["view"])
    def give_up(self, request: HttpRequest, jobs: QuerySet[ExportJob]) -> None:
        """Give up the chosen jobs."""
        count = services.give_up(job_ids=list(jobs.values_list("pk", flat=True)))
        user = cast(User, request.user)
        record(Action.RECORD_CHANGED, by=user, what="give up", files=count)
        messages.success(request, f"{count} jobs were given up.")

    @admin.action(
        description="Download these sessions again",
        permissions=["view"],
    )
    def ask_anew(self, request: HttpRequest, jobs: QuerySet[ExportJob]) -> None:
        """Download all files of the chosen sessions again."""
        sessions = list(jobs.values_list("session_id", flat=True).distinct())
        user = cast(User, request.user)
        count = services.backfill(session_ids=sessions, user=user)
        record(Action.SYNC_REQUESTED, by=user, what="download again", files=count)
        messages.success(request, f"{count} files will be downloaded again.")


@admin.register(VendorSession)
class VendorSessionAdmin(RecordAdmin):
    """Every session of the vendor's list, hitting or not."""

    list_display = [
        "session_id",
        "verdict",
        "needs_detail",
        "vendor_updated_at",
        "next_check_at",
        "missing_since",
        "last_error",
    ]
    list_filter = ["verdict", "needs_detail", "missing_since"]
    search_fields = ["=session_id"]
    show_full_result_count = False
    actions = ["ask_anew"]

    @admin.action(
        description="Download selected sessions again",
        permissions=["view"],
    )
    def ask_anew(self, request: HttpRequest, sessions: QuerySet[VendorSession]) -> None:
        """Read the chosen sessions again, and download their files again."""
        user = cast(User, request.user)
        ids = list(sessions.values_list("session_id", flat=True))
        count = services.look_again(session_ids=ids, user=user)
        record(Action.SYNC_REQUESTED, by=user, what="download again", sessions=count)
        messages.success(request, f"{count} sessions will be downloaded again.")


@admin.register(RawPayload)
class RawPayloadAdmin(RecordAdmin):
    """The JSON that the vendor sent, to settle what it said."""

    list_display = ["kind", "vendor_id", "fetched_at"]
    list_filter = ["kind"]
    search_fields = ["=vendor_id"]
    show_full_result_count = False
    fields = ["kind", "vendor_id", "fetched_at", "payload_text"]
    readonly_fields = ["payload_text"]

    @admin.display(description="payload")
    def payload_text(self, payload: RawPayload) -> SafeString:
        """The JSON as indented text."""
        return format_html("<pre>{}</pre>", json.dumps(payload.payload, indent=2))


@admin.register(MovementType)
class MovementTypeAdmin(RecordAdmin):
    """Kinds of movements that the vendor knows."""

    list_display = ["vendor_id", "slug", "name"]


@admin.register(SyncCursor)
class SyncCursorAdmin(RecordAdmin):
    """How far the vendor's changes have been taken in."""

    list_display = ["name", "value", "updated_at"]


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(RecordAdmin):
    """When each host's workers last gave a sign of life."""

    list_display = ["host", "beat_at"]


@add_player_action
@admin.action(description="Sync these athletes", permissions=["change"])
def sync_athletes(
    model_admin: Any, request: HttpRequest, players: QuerySet[Player]
) -> None:
    """Download all files of the chosen athletes again."""
    user = cast(User, request.user)
    if too_many(model_admin, request, players):
        return
    ids = list(players.values_list("pk", flat=True))
    count = services.backfill(player_ids=ids, user=user)
    for pk in ids:
        record(Action.SYNC_REQUESTED, by=user, player_id=pk)
    model_admin.message_user(
        request,
        f"{count} files will be downloaded again; the Syncing page shows progress.",
        messages.SUCCESS,
    )
