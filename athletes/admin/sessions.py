"""The admin of sessions and of the averages of their swings."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_lists import (
    MISSING_FILTER,
    DayFilter,
    ReadOnlyAdmin,
    RecentValuesFilter,
    VendorTableAdmin,
    link_to,
    too_many,
    user_of,
)
from accounts.audit import record
from accounts.models import Action
from athletes import decisions
from athletes.admin.by_session import BySessionAdmin, sessions_by
from athletes.admin.metrics_csv import metrics_csv
from athletes.admin.uploads import uploads_in_words
from athletes.analysis import summaries
from athletes.display import value_text
from athletes.models import GapDismissal, SameRecording, Session, SessionMetric
from athletes.querysets import SessionQuerySet
from biomechanics.definitions import METRICS


class CareFilter(admin.SimpleListFilter):
    """Sessions whose data failed or are partly here, and that nobody dismissed."""

    title = "needs attention"
    parameter_name = "care"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one choice."""
        return [("yes", "Data missing, not dismissed")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Session]
    ) -> QuerySet[Session]:
        """The sessions that are left with the choice."""
        if self.value() != "yes":
            return queryset
        return cast(SessionQuerySet, queryset).needing_care()


@admin.register(SameRecording)
class SameRecordingAdmin(ReadOnlyAdmin):
    """Recordings that are here under two sessions, and which of them counts."""

    list_display = ["session", "other", "swings", "counts", "decided_by", "decided_at"]
    list_filter = ["counts", "found_at"]
    search_fields = ["=session__session_id", "=other__session_id"]
    list_select_related = ["session", "other", "decided_by"]
    ordering = ["-found_at"]


@admin.register(GapDismissal)
class GapDismissalAdmin(ReadOnlyAdmin):
    """Decisions that what a session lacks needs nobody's care, and why."""

    list_display = ["session", "data_gap", "reason", "created_by", "created_at"]
    list_filter = ["created_at", "undone_at"]
    search_fields = ["=session__session_id", "reason"]
    list_select_related = ["session", "created_by"]
    ordering = ["-created_at"]


@admin.register(Session)
class SessionAdmin(VendorTableAdmin):
    """The admin of sessions; only what people state about them can be edited."""

    list_display = [
        "session_id",
        "player",
        "session_date",
        "movement_type_name",
        "condition",
        "swing_count",
        "data_state",
        "missing_since",
    ]
    list_filter = [
        CareFilter,
        "data_state",
        "condition",
        ("movement_type_name", RecentValuesFilter),
        ("mocap_type_name", RecentValuesFilter),
        ("vendor_status", RecentValuesFilter),
        ("session_date", DayFilter),
        MISSING_FILTER,
    ]
    # The columns that have an index.
    sortable_by = ["session_id", "player", "session_date"]
    search_fields = ["session_id"]
    search_help_text = "Athlete's name or ID, or Reboot Motion's session ID."
    list_select_related = ["player"]
    actions = ["recompute", "metrics_as_csv"]
    fields = [
        "page",
        "athlete",
        "swings_here",
        "by_hand",
        "session_id",
        "session_date",
        "session_num",
        "movement_type_id",
        "movement_type_name",
        "mocap_type_name",
        "session_type_name",
        "vendor_status",
        "vendor_updated_at",
        "missing_since",
        "condition",
        "bat",
        "height_ft",
        "weight_lbs",
        "swing_count",
        "data_synced",
        "data_state",
        "created_at",
        "updated_at",
    ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Session | None = None
    ) -> list[str]:
        """All fields but those that people state about a session."""
        return [name for name in self.fields if name not in {"condition", "bat"}]  # type: ignore[misc]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Session], search_term: str
    ) -> tuple[QuerySet[Session], bool]:
        """The sessions that the words mean; False: none comes twice."""
        return queryset.filter(sessions_by(search_term)), False

    @admin.display(description="page")
    def page(self, session: Session) -> SafeString:
        """A link to the page of the session."""
        return link_to("dashboard:session", session.pk, "Open the session's page")

    @admin.display(description="uploaded files")
    def by_hand(self, session: Session) -> SafeString:
        """Links to the uploads that brought files of the session."""
        return uploads_in_words(session.hand_uploads.all())

    @admin.display(description="swings")
    def swings_here(self, session: Session) -> SafeString:
        """A link to the movements of the session in the admin."""
        return format_html(
            '<a href="{}?session__id__exact={}">{} swings and other movements</a>',
            reverse("admin:athletes_movement_changelist"),
            session.pk,
            session.movements.count(),
        )

    @admin.action(description="Recompute numbers", permissions=["change"])
    def recompute(self, request: HttpRequest, sessions: QuerySet[Session]) -> None:
        """Let the queue compute the numbers of the chosen sessions again."""
        if too_many(self, request, sessions):
            return
        ids = list(sessions.values_list("pk", flat=True))
        players = set(sessions.values_list("player_id", flat=True))
        summaries.outdate_numbers(session_ids=ids)
        summaries.recompute_later(sorted(players))
        for session in Session.objects.filter(pk__in=ids).only("pk", "player_id"):
            record(
                Action.RECORD_CHANGED,
                by=user_of(request),
                subject=session,
                player_id=session.player_id,
                what="recompute",
            )
        self.message_user(
            request,
            f"The numbers of {len(ids)} sessions will be recomputed by the queue; "
            "until then the old ones are shown.",
            messages.SUCCESS,
        )

    @admin.action(description="Metrics as CSV", permissions=["view"])
    def metrics_as_csv(
        self, request: HttpRequest, sessions: QuerySet[Session]
    ) -> StreamingHttpResponse | None:
        """Send the session averages as a CSV file, and record that."""
        if too_many(self, request, sessions, 1_000):
            return None
        chosen = list(sessions.select_related("player").order_by("session_date", "id"))
        for player_id in sorted({session.player_id for session in chosen}):
            record(
                Action.DATA_EXPORTED,
                by=user_of(request),
                player_id=player_id,
                what="metrics",
                sessions=[s.pk for s in chosen if s.player_id == player_id],
            )
        day = timezone.localdate().isoformat()
        return StreamingHttpResponse(
            metrics_csv(chosen),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="metrics-{day}.csv"'
            },
        )

    @admin.display(description="athlete")
    def athlete(self, session: Session) -> SafeString:
        """A link to the athlete in the admin."""
        return link_to(
            "admin:athletes_player_change",
            session.player_id,
            session.player.full_name,
        )

    def save_model(
        self, request: HttpRequest, obj: Session, form: Any, change: bool
    ) -> None:
        """Store what people state about the session, and record that."""
        decisions.save_conditions(obj)
        record(
            Action.RECORD_CHANGED,
            by=user_of(request),
            subject=obj,
            player_id=obj.player_id,
            fields=sorted(form.changed_data),
        )


@admin.register(SessionMetric)
class SessionMetricAdmin(BySessionAdmin):
    """The admin of session averages, which are computed and never typed."""

    list_display = [
        "session",
        "metric",
        "n",
        "mean_shown",
        "sd_shown",
        "basis",
        "method_version",
    ]
    list_filter = [
        ("metric", RecentValuesFilter),
        ("basis", RecentValuesFilter),
        ("method_version", RecentValuesFilter),
    ]
    list_select_related = ["session"]
    ordering = ["-session_id", "-metric", "-basis"]
    ordering_within = ("metric", "basis")
    fields = [
        "of_session",
        "metric",
        "defined_as",
        "swings",
        "mean_shown",
        "sd_shown",
        "median_shown",
        "robust_spread_shown",
        "range_shown",
        "cv_shown",
        "basis",
        "method_version",
    ]

    @admin.display(description="session")
    def of_session(self, row: SessionMetric) -> SafeString:
        """A link to the session in the admin."""
        return link_to(
            "admin:athletes_session_change", row.session_id, str(row.session)
        )

    @admin.display(description="what it is")
    def defined_as(self, row: SessionMetric) -> str:
        """The name of the metric."""
        known = METRICS.get(row.metric)
        return (
            known.name if known else "A number from an older version of the dashboard."
        )

    @admin.display(description="swings")
    def swings(self, row: SessionMetric) -> int:
        """The number of swings that are averaged."""
        return row.n

    @admin.display(description="average")
    def mean_shown(self, row: SessionMetric) -> str:
        """The average with its unit."""
        return _short(row.mean, row.metric)

    @admin.display(description="standard deviation (SD)")
    def sd_shown(self, row: SessionMetric) -> str:
        """The standard deviation with its unit."""
        return _short(row.sd, row.metric)

    @admin.display(description="median")
    def median_shown(self, row: SessionMetric) -> str:
        """The median with its unit."""
        return _short(row.median, row.metric)

    @admin.display(description="robust spread (1.4826 × MAD)")
    def robust_spread_shown(self, row: SessionMetric) -> str:
        """The robust spread with its unit."""
        return _short(row.robust_spread, row.metric)

    @admin.display(description="minimum to maximum")
    def range_shown(self, row: SessionMetric) -> str:
        """The smallest and largest value with their unit."""
        least, most = (_short(each, row.metric) for each in (row.minimum, row.maximum))
        return f"{least} to {most}"

    @admin.display(description="coefficient of variation (CV)")
    def cv_shown(self, row: SessionMetric) -> str:
        """The coefficient of variation in percent."""
        return value_text(row.cv, "%", "metric")


def _short(value: float | None, metric: str) -> str:
    """A value of a metric with three figures and its unit as stored."""
    unit = METRICS[metric].unit if metric in METRICS else ""
    return value_text(value, unit, "metric")
