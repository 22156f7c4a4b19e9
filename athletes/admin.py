"""Admin of the domain: look at everything, edit only what edits cannot corrupt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_q.tasks import async_task

from athletes import peers, services
from athletes.models import (
    BiomechanicsData,
    EventCorrection,
    InclusionDecision,
    Movement,
    Note,
    Player,
    Session,
    SessionMetric,
    Tag,
)

# What staff may correct by hand; the sync then leaves these fields alone.
CORRECTABLE = (
    "first_name",
    "last_name",
    "date_of_birth",
    "height_ft",
    "weight_lbs",
    "dominant_hand_hitting",
    "dominant_hand_throwing",
)


_MISSING = ("missing_since", admin.EmptyFieldListFilter)

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
else:
    _Base = admin.ModelAdmin


class _NoHandMade(_Base):
    """Rows that come from the vendor: never added here, never deleted here.

    A deleted row would come back with the next sync, without what people had
    decided about it.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _ReadOnly(_NoHandMade):
    """Rows that follow from others or record what happened."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _link(url_name: str, pk: int, text: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(url_name, args=[pk]), text)


class PlayerForm(forms.ModelForm):  # type: ignore[type-arg]
    """An athlete's master data; says which fields the sync no longer touches."""

    class Meta:
        model = Player
        fields = [*CORRECTABLE, "corrected_fields"]

    corrected_fields = forms.MultipleChoiceField(
        required=False,
        choices=[(name, name.replace("_", " ")) for name in CORRECTABLE],
        widget=forms.CheckboxSelectMultiple,
        label="Corrected here",
        help_text=(
            "The sync leaves these fields as they are. A field that you change is "
            "added by itself; untick one to take the vendor's value again at the "
            "next sync."
        ),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        corrected = set(values.get("corrected_fields") or ())
        corrected |= {name for name in CORRECTABLE if name in self.changed_data}
        values["corrected_fields"] = sorted(corrected)
        return values


@admin.register(Player)
class PlayerAdmin(_NoHandMade):
    """Athletes."""

    form = PlayerForm
    list_display = [
        "full_name",
        "dominant_hand_hitting",
        "last_session_on",
        "session_count",
        "swing_count",
        "data_state",
        "is_corrected",
        "missing_since",
    ]
    list_filter = ["data_state", "dominant_hand_hitting", _MISSING, "tags"]
    search_fields = ["search_text", "org_player_id", "reboot_player_id"]
    ordering = ["last_name", "first_name", "id"]
    # The exact count of all athletes beside each search would scan them all.
    show_full_result_count = False
    readonly_fields = [
        "page",
        "org_player_id",
        "reboot_player_id",
        "last_session_on",
        "session_count",
        "swing_count",
        "data_state",
        "missing_since",
        "vendor_updated_at",
        "created_at",
        "updated_at",
    ]
    fieldsets = [
        (None, {"fields": ["page", *CORRECTABLE, "corrected_fields"]}),
        (
            "From the vendor",
            {
                "fields": [
                    "org_player_id",
                    "reboot_player_id",
                    "vendor_updated_at",
                    "missing_since",
                ]
            },
        ),
        (
            "Kept by the dashboard",
            {
                "fields": [
                    "last_session_on",
                    "session_count",
                    "swing_count",
                    "data_state",
                    "created_at",
                    "updated_at",
                ]
            },
        ),
    ]

    @admin.display(description="athlete", ordering="last_name")
    def full_name(self, player: Player) -> str:
        return player.full_name

    @admin.display(description="corrected", boolean=True)
    def is_corrected(self, player: Player) -> bool:
        return bool(player.corrected_fields)

    @admin.display(description="page")
    def page(self, player: Player) -> SafeString:
        return _link("athletes:athlete", player.pk, "Open the athlete's page")

    def save_model(
        self, request: HttpRequest, obj: Player, form: Any, change: bool
    ) -> None:
        # Only what was edited: the sync may be writing the same row.
        edited = [name for name in CORRECTABLE if name in form.changed_data]
        obj.save(
            update_fields=[*edited, "corrected_fields", "search_text", "updated_at"]
        )
        if "date_of_birth" in edited:
            peers.refresh([obj.pk])
        if services.PROFILE_FIELDS.intersection(edited):
            services.outdate_numbers(player_ids=[obj.pk])
            transaction.on_commit(
                lambda: async_task("athletes.tasks.recompute_player", obj.pk)
            )


@admin.register(Session)
class SessionAdmin(_NoHandMade):
    """Sessions; only what people know of them can be edited."""

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
        "data_state",
        "condition",
        "movement_type_name",
        "mocap_type_name",
        "vendor_status",
        _MISSING,
    ]
    search_fields = ["session_id", "player__search_text", "player__org_player_id"]
    date_hierarchy = "session_date"
    list_select_related = ["player"]
    show_full_result_count = False
    fields = [
        "page",
        "athlete",
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
        "swing_count",
        "data_synced",
        "data_state",
        "created_at",
        "updated_at",
    ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Session | None = None
    ) -> list[str]:
        return [name for name in self.fields if name not in {"condition", "bat"}]  # type: ignore[misc]

    @admin.display(description="page")
    def page(self, session: Session) -> SafeString:
        return _link("athletes:session", session.pk, "Open the session's page")

    @admin.display(description="athlete")
    def athlete(self, session: Session) -> SafeString:
        return _link(
            "admin:athletes_player_change",
            session.player_id,
            session.player.full_name,
        )

    def save_model(
        self, request: HttpRequest, obj: Session, form: Any, change: bool
    ) -> None:
        services.save_conditions(obj)


@admin.register(Movement)
class MovementAdmin(_ReadOnly):
    """Movements; counting one in or out is done on its page, where it is recorded."""

    list_display = [
        "org_movement_id",
        "athlete",
        "position",
        "is_swing",
        "side",
        "sampling_rate_hz",
        "quality_grade",
        "inclusion",
        "method_version",
    ]
    list_filter = [
        "is_swing",
        "quality_grade",
        "inclusion",
        "side",
        "angle_unit_found",
        "method_version",
    ]
    search_fields = [
        "org_movement_id",
        "session__session_id",
        "session__player__search_text",
    ]
    list_select_related = ["session__player"]
    ordering = ["-session_id", "position"]
    show_full_result_count = False
    fields = [
        "page",
        "session",
        "org_movement_id",
        "position",
        "missing_since",
        "is_swing",
        "side",
        "sampling_rate_hz",
        "frame_count",
        "duration_s",
        "angle_unit_found",
        "quality_grade",
        "quality_reasons",
        "inclusion",
        "inclusion_reason",
        "events",
        "automatic_events",
        "verdict",
        "metrics",
        "metadata",
        "method_version",
        "analysed_at",
        "created_at",
        "updated_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Movement]:
        movements = super().get_queryset(request)
        match = request.resolver_match
        if match and match.url_name == "athletes_movement_changelist":
            return movements.defer("metrics", "verdict", "events", "automatic_events")
        return movements

    @admin.display(description="athlete", ordering="session__player__last_name")
    def athlete(self, movement: Movement) -> str:
        return movement.session.player.full_name

    @admin.display(description="page")
    def page(self, movement: Movement) -> SafeString:
        return _link("athletes:swing", movement.pk, "Open the swing's page")


@admin.register(BiomechanicsData)
class BiomechanicsDataAdmin(_ReadOnly):
    """What frames are stored; the frames themselves are never loaded here."""

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
    search_fields = ["movement__org_movement_id", "movement__session__session_id"]
    list_select_related = ["movement"]
    ordering = ["-id"]
    show_full_result_count = False
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
        return super().get_queryset(request).defer("frames")

    @admin.display(description="repaired", boolean=True)
    def repaired(self, data: BiomechanicsData) -> bool:
        return bool(data.repairs)

    @admin.display(description="page")
    def page(self, data: BiomechanicsData) -> SafeString:
        return _link("athletes:swing", data.movement_id, "Open the swing's page")


@admin.register(SessionMetric)
class SessionMetricAdmin(_ReadOnly):
    """Means over the counted swings of a session; computed, never typed."""

    list_display = [
        "session",
        "metric",
        "n",
        "mean",
        "sd",
        "event_rule",
        "method_version",
    ]
    list_filter = ["metric", "event_rule", "method_version"]
    search_fields = ["metric", "session__session_id", "session__player__search_text"]
    list_select_related = ["session"]
    ordering = ["-session_id", "metric"]
    show_full_result_count = False


@admin.register(EventCorrection)
class EventCorrectionAdmin(_ReadOnly):
    """Events that people moved, and took back."""

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


@admin.register(InclusionDecision)
class InclusionDecisionAdmin(_ReadOnly):
    """Who counted a swing in or out, and why."""

    list_display = ["movement", "inclusion", "reason", "created_by", "created_at"]
    list_filter = ["inclusion", "created_at"]
    search_fields = ["movement__org_movement_id", "reason"]
    list_select_related = ["movement", "created_by"]
    ordering = ["-created_at"]


@admin.register(Note)
class NoteAdmin(_Base):
    """Notes on sessions."""

    list_display = ["session", "created_by", "created_at"]
    search_fields = ["text", "session__session_id", "session__player__search_text"]
    list_select_related = ["session", "created_by"]
    raw_id_fields = ["session", "movement"]
    readonly_fields = ["created_by", "created_at", "updated_at"]
    ordering = ["-created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # written on the session's page, under the writer's name


@admin.register(Tag)
class TagAdmin(_Base):
    """Tags, with how often each is used."""

    list_display = ["name", "athletes", "created_at"]
    search_fields = ["name"]
    fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        tags: QuerySet[Tag] = super().get_queryset(request)
        return tags.annotate(player_count=Count("players"))

    @admin.display(description="athletes", ordering="player_count")
    def athletes(self, tag: Any) -> int:
        return int(tag.player_count)
