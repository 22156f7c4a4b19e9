"""The admin of movements, their stored frames, and people's decisions about them."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from accounts.admin_lists import (
    MISSING_FILTER,
    ReadOnlyAdmin,
    RecentValuesFilter,
    filter_by_empty,
    link_to,
    too_many,
    user_of,
)
from accounts.audit import record
from accounts.models import Action
from athletes import decisions
from athletes.admin import tables
from athletes.admin.by_session import BySessionAdmin
from athletes.admin.uploads import uploads_in_words
from athletes.display import value_text
from athletes.models import (
    BiomechanicsData,
    EventCorrection,
    InclusionDecision,
    Movement,
    SetAside,
)


class ReasonForm(forms.Form):
    """A form that asks why swings are excluded."""

    reason = forms.CharField(
        max_length=300,
        widget=forms.TextInput(attrs={"size": 60}),
        help_text="Shown with each of the swings, so others know why.",
    )


@admin.register(Movement)
class MovementAdmin(BySessionAdmin):
    """The admin of movements; excluding one is recorded as on its page."""

    list_display = [
        "org_movement_id",
        "athlete",
        "position",
        "is_swing",
        "side",
        "sampling_rate",
        "quality_grade",
        "inclusion",
        "method_version",
    ]
    list_filter = [
        "is_swing",
        "quality_grade",
        "inclusion",
        "side",
        MISSING_FILTER,
        ("angle_unit_found", RecentValuesFilter),
        ("method_version", RecentValuesFilter),
    ]
    actions = ["count_out", "by_quality"]
    list_select_related = ["session__player"]
    ordering = ["-session_id", "-position"]
    ordering_within = ("position",)
    fields = [
        "page",
        "of_session",
        "by_hand",
        "org_movement_id",
        "position",
        "missing_since",
        "is_swing",
        "side",
        "sampling_rate",
        "frame_count",
        "duration",
        "angle_unit_found",
        "quality_grade",
        "reasons",
        "condition",
        "inclusion",
        "inclusion_reason",
        "events_found",
        "events_before_moving",
        "findings",
        "numbers",
        "metadata",
        "vendor_metrics",
        "method_version",
        "analysed_at",
        "created_at",
        "updated_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Movement]:
        """The movements; a list leaves out their long columns."""
        movements = super().get_queryset(request)
        match = request.resolver_match
        if match and match.url_name == "athletes_movement_changelist":
            return movements.defer(
                "metrics", "verdict", "events", "automatic_events", "vendor_metrics"
            )
        return movements

    @admin.display(description="athlete", ordering="session__player__last_name")
    def athlete(self, movement: Movement) -> str:
        """The name of the athlete."""
        return movement.session.player.full_name

    @admin.display(description="sampling rate", ordering="sampling_rate_hz")
    def sampling_rate(self, movement: Movement) -> str:
        """The sampling rate in Hz, or a dash."""
        rate = movement.sampling_rate_hz
        return "–" if rate is None else f"{rate:.0f} Hz"

    @admin.display(description="duration")
    def duration(self, movement: Movement) -> str:
        """The duration in seconds."""
        return value_text(movement.duration_s, "s", "metric", decimals=3)

    @admin.display(description="page")
    def page(self, movement: Movement) -> SafeString:
        """A link to the page of the swing."""
        return link_to("dashboard:swing", movement.pk, "Open the swing's page")

    @admin.display(description="session")
    def of_session(self, movement: Movement) -> SafeString:
        """A link to the session of the movement."""
        return link_to(
            "admin:athletes_session_change", movement.session_id, str(movement.session)
        )

    @admin.display(description="uploaded files")
    def by_hand(self, movement: Movement) -> SafeString:
        """Links to the uploads that brought files of the session."""
        return uploads_in_words(movement.session.hand_uploads.all())

    @admin.display(description="reasons for the grade")
    def reasons(self, movement: Movement) -> str:
        """The reasons for the quality grade, one on a line."""
        return tables.sentences(movement.quality_reasons)

    @admin.display(description="events")
    def events_found(self, movement: Movement) -> str:
        """A table of the events as they are now."""
        return tables.events(movement.events)

    @admin.display(description="automatic events, before a coach moved one")
    def events_before_moving(self, movement: Movement) -> str:
        """A table of the automatic events, where a person moved one."""
        moved = movement.automatic_events != movement.events
        return tables.events(movement.automatic_events if moved else {})

    @admin.display(description="findings about the file")
    def findings(self, movement: Movement) -> str:
        """A table of what was found out about the file."""
        return tables.findings(movement.verdict)

    @admin.display(description="numbers")
    def numbers(self, movement: Movement) -> str:
        """A table of the metrics."""
        return tables.metrics(movement.metrics)

    @admin.action(description="Exclude, with a reason", permissions=["view"])
    def count_out(
        self, request: HttpRequest, movements: QuerySet[Movement]
    ) -> HttpResponse | None:
        """Exclude the chosen swings, after asking for a reason."""
        if too_many(self, request, movements):
            return None
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            self._decide(request, movements, "excluded", form.cleaned_data["reason"])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Exclude swings",
            "opts": self.opts,
            "form": form,
            "movements": movements.select_related("session__player"),
            "action_name": "count_out",
        }
        return TemplateResponse(request, "admin/athletes/count_out.html", context)

    @admin.action(description="Set to automatic", permissions=["view"])
    def by_quality(self, request: HttpRequest, movements: QuerySet[Movement]) -> None:
        """Let the quality of the chosen swings decide whether they count."""
        if not too_many(self, request, movements):
            self._decide(request, movements, "auto", "")

    def _decide(
        self,
        request: HttpRequest,
        movements: QuerySet[Movement],
        inclusion: str,
        reason: str,
    ) -> None:
        """Store the decision for each movement, and record it."""
        user = user_of(request)
        count = 0
        for movement in movements.select_related("session"):
            try:
                decisions.set_inclusion(
                    movement=movement, inclusion=inclusion, reason=reason, user=user
                )
            except ValidationError as error:
                self.message_user(request, "; ".join(error.messages), messages.ERROR)
                return
            record(
                Action.INCLUSION_CHANGED,
                by=user,
                subject=movement,
                player_id=movement.session.player_id,
                inclusion=inclusion,
            )
            count += 1
        self.message_user(
            request,
            f"{count} swings: saved, and averages recomputed.",
            messages.SUCCESS,
        )


@admin.register(BiomechanicsData)
class BiomechanicsDataAdmin(BySessionAdmin):
    """The admin of stored frames; the frames themselves are never loaded here."""

    list_display = [
        "movement",
        "data_type",
        "frame_count",
        "column_count",
        "byte_size",
        "repaired",
        "updated_at",
    ]
    list_filter = ["data_type"]
    session_path = "movement__session"
    link_paths = ("movement__session",)
    list_select_related = ["movement"]
    ordering = ["-id"]
    fields = [
        "page",
        "data_type",
        "frame_count",
        "column_count",
        "byte_size",
        "content_sha256",
        "repairs",
        "created_at",
        "updated_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BiomechanicsData]:
        """The rows without their frames."""
        return super().get_queryset(request).defer("frames")

    @admin.display(description="repaired", boolean=True)
    def repaired(self, data: BiomechanicsData) -> bool:
        """Whether something was repaired when the file was read."""
        return bool(data.repairs)

    @admin.display(description="page")
    def page(self, data: BiomechanicsData) -> SafeString:
        """A link to the page of the swing."""
        return link_to("dashboard:swing", data.movement_id, "Open the swing's page")


@admin.register(EventCorrection)
class EventCorrectionAdmin(ReadOnlyAdmin):
    """The admin of events that people moved; each move and its undoing is kept."""

    list_display = [
        "movement",
        "event",
        "time_s",
        "automatic_time_s",
        "reason",
        "created_by",
        "created_at",
        "undone_by",
        "undone_at",
    ]
    list_filter = ["event", "created_at", "undone_at"]
    search_fields = ["movement__org_movement_id", "reason"]
    list_select_related = ["movement", "created_by", "undone_by"]
    ordering = ["-created_at"]


@admin.register(SetAside)
class SetAsideAdmin(ReadOnlyAdmin):
    """The admin of decisions that are not used since the vendor changed the swing."""

    list_display = [
        "movement",
        "page",
        "inclusion",
        "inclusion_reason",
        "created_at",
        "settled_by",
        "settled_at",
        "is_taken_up",
    ]
    list_filter = [
        ("settled_at", filter_by_empty("state", empty="Waiting", filled="Settled")),
        "created_at",
    ]
    search_fields = ["movement__org_movement_id", "inclusion_reason"]
    list_select_related = ["movement", "settled_by"]
    ordering = ["-created_at"]

    @admin.display(description="page")
    def page(self, row: SetAside) -> SafeString:
        """A link to the session's page, where it is taken up or dropped."""
        return link_to("dashboard:session", row.movement.session_id, "Open the session")


@admin.register(InclusionDecision)
class InclusionDecisionAdmin(ReadOnlyAdmin):
    """The admin of decisions: who excluded or included a swing, and why."""

    list_display = ["movement", "inclusion", "reason", "created_by", "created_at"]
    list_filter = ["inclusion", "created_at"]
    search_fields = ["movement__org_movement_id", "reason"]
    list_select_related = ["movement", "created_by"]
    ordering = ["-created_at"]
