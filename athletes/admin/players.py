"""The admin of athletes, whose master data staff may correct."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from accounts.admin_lists import (
    MISSING_FILTER,
    VendorTableAdmin,
    link_to,
    too_many,
    user_of,
)
from accounts.audit import record
from accounts.models import Action
from athletes.admin.heights import EXAMPLES, HeightField
from athletes.admin.uploads import uploads_in_words
from athletes.analysis import peer_numbers, summaries
from athletes.models import CORRECTABLE_FIELDS, Player
from athletes.querysets import PlayerQuerySet

# Short names of the corrected fields: the list has little room.
_SHORT = {
    "first_name": "first name",
    "last_name": "last name",
    "date_of_birth": "birth",
    "height_ft": "height",
    "weight_lbs": "weight",
    "dominant_hand_hitting": "bats",
    "dominant_hand_throwing": "throws",
}

# The ranges that the constraints of the table allow; that of heights is in their field.
_RANGES = (("weight_lbs", 20, 700, "pounds"),)

PlayerAction = Callable[[Any, HttpRequest, QuerySet[Player]], HttpResponse | None]


def label_of(name: str) -> str:
    """The label of an athlete's field on its form, with the unit."""
    return capfirst(str(Player._meta.get_field(name).verbose_name))  # type: ignore[union-attr]


class PlayerForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form for an athlete's master data; the sync leaves changed fields alone."""

    class Meta:
        model = Player
        fields = [*CORRECTABLE_FIELDS, "corrected_fields"]

    height_ft = HeightField(
        required=False, label="Height", help_text=f"Such as {EXAMPLES}."
    )
    corrected_fields = forms.MultipleChoiceField(
        required=False,
        choices=[(name, label_of(name)) for name in CORRECTABLE_FIELDS],
        widget=forms.CheckboxSelectMultiple,
        label="Corrected here",
        help_text=(
            "The sync leaves these fields alone. A field you change is added "
            "automatically; uncheck it to use Reboot Motion's value again from the "
            "next sync."
        ),
    )

    def clean(self) -> dict[str, Any]:
        """The checked values, with every changed field marked as corrected."""
        values = super().clean() or {}
        for name, least, most, unit in _RANGES:
            value = values.get(name)
            if value is not None and not least < value < most:
                # The database would refuse it too, but with a message nobody reads.
                self.add_error(
                    name, f"Enter a value between {least:g} and {most:g} {unit}."
                )
        if "height_ft" not in self.changed_data:
            # Text has fewer digits than what the vendor sent.
            values["height_ft"] = self.instance.height_ft
        corrected = set(values.get("corrected_fields") or ())
        corrected |= {name for name in CORRECTABLE_FIELDS if name in self.changed_data}
        values["corrected_fields"] = sorted(corrected)
        return values


@admin.register(Player)
class PlayerAdmin(VendorTableAdmin):
    """The admin of athletes."""

    form = PlayerForm
    list_display = [
        "last_name_first",
        "dominant_hand_hitting",
        "last_session_on",
        "sessions",
        "swings",
        "data_state",
        "corrected",
        "gone_since",
    ]
    list_filter = ["data_state", "dominant_hand_hitting", MISSING_FILTER, "tags"]
    search_fields = ["search_text"]
    search_help_text = "Part of a name, or a full Reboot Motion ID."
    ordering = ["last_name", "first_name", "id"]
    actions = ["recompute", "merge_two"]
    readonly_fields = [
        "page",
        "sessions_here",
        "by_hand",
        "erasing",
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
        (
            None,
            {
                "fields": [
                    "page",
                    "sessions_here",
                    "by_hand",
                    *CORRECTABLE_FIELDS,
                    "corrected_fields",
                ]
            },
        ),
        (
            "From Reboot Motion",
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
        ("Erase this athlete", {"fields": ["erasing"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Player], search_term: str
    ) -> tuple[QuerySet[Player], bool]:
        """The athletes with this id, or else with this name; False: none comes twice.

        The name is looked up in the index alone, as in the list of athletes. Django's
        own search would turn every name and id of the table to capitals.
        """
        term = search_term.strip()
        if not term:
            return queryset, False
        by_id = Q(org_player_id=term) | Q(reboot_player_id=term)
        ids = list(Player.objects.filter(by_id).values_list("pk", flat=True)[:100])
        if ids:
            return queryset.filter(pk__in=ids), False
        return cast(PlayerQuerySet, queryset).found_by_name(term), False

    @admin.display(description="uploaded files")
    def by_hand(self, player: Player) -> SafeString:
        """Links to the uploads that brought files of the athlete."""
        return uploads_in_words(player.hand_uploads.all())

    @admin.display(description="athlete", ordering="last_name")
    def last_name_first(self, player: Player) -> str:
        """The name of the athlete, as the list is in its order."""
        return player.list_name

    @admin.display(ordering="session_count")
    def sessions(self, player: Player) -> int:
        """The number of sessions."""
        return player.session_count

    @admin.display(ordering="swing_count")
    def swings(self, player: Player) -> int:
        """The number of swings."""
        return player.swing_count

    @admin.display(description="corrected here")
    def corrected(self, player: Player) -> str:
        """The corrected fields by their short names, or a dash."""
        return ", ".join(_SHORT[name] for name in player.corrected_fields) or "–"

    @admin.display(description="removed at Reboot Motion", ordering="missing_since")
    def gone_since(self, player: Player) -> str:
        """Since when the vendor no longer lists the athlete, or a dash."""
        if player.missing_since is None:
            return "–"
        day = timezone.localtime(player.missing_since)
        return f"since {date_format(day, 'DATE_FORMAT')}"

    @admin.display(description="page")
    def page(self, player: Player) -> SafeString:
        """A link to the page of the athlete."""
        return link_to("dashboard:athlete", player.pk, "Open the athlete's page")

    @admin.display(description="sessions")
    def sessions_here(self, player: Player) -> SafeString:
        """A link to the athlete's sessions in the admin."""
        return format_html(
            '<a href="{}?player__id__exact={}">Sessions ({}; swings: {})</a>',
            reverse("admin:athletes_session_changelist"),
            player.pk,
            player.session_count,
            player.swing_count,
        )

    @admin.display(description="erase")
    def erasing(self, player: Player) -> SafeString:
        """How an athlete is erased, with a link to it."""
        # By its path, because erasing is in a package that builds on this one.
        return format_html(
            "An athlete can't just be deleted: the next sync would import them again, "
            'without notes and decisions. <a href="{}">Erase permanently</a> shows '
            "what is erased with them, and keeps them from being imported again.",
            f"/privacy/athletes/{player.pk}/erase/",
        )

    @admin.action(description="Recompute numbers", permissions=["change"])
    def recompute(self, request: HttpRequest, players: QuerySet[Player]) -> None:
        """Let the queue compute the numbers of the chosen athletes again."""
        if too_many(self, request, players):
            return
        ids = list(players.values_list("pk", flat=True))
        sessions = summaries.outdate_numbers(player_ids=ids)
        summaries.recompute_later(ids)
        for pk in ids:
            record(
                Action.RECORD_CHANGED,
                by=user_of(request),
                player_id=pk,
                what="recompute",
            )
        self.message_user(
            request,
            f"The numbers of {len(sessions)} sessions will be recomputed by the queue; "
            "until then the old ones are shown.",
            messages.SUCCESS,
        )

    @admin.action(description="Merge two athletes…", permissions=["change"])
    def merge_two(
        self, request: HttpRequest, players: QuerySet[Player]
    ) -> HttpResponse | None:
        """Open the page that compares and merges the two chosen athletes."""
        ids = list(
            players.order_by("-session_count", "pk").values_list("pk", flat=True)[:3]
        )
        if len(ids) != 2:
            self.message_user(
                request,
                "Choose two athletes: the next page compares them before anything is "
                "merged.",
                messages.ERROR,
            )
            return None
        return redirect("dashboard:merge", kept=ids[0], merged=ids[1])

    def save_model(
        self, request: HttpRequest, obj: Player, form: Any, change: bool
    ) -> None:
        """Store the edited fields, and let numbers that rest on them follow."""
        # Only the edited fields: the sync may be writing the same row.
        edited = [name for name in CORRECTABLE_FIELDS if name in form.changed_data]
        obj.save(
            update_fields=[*edited, "corrected_fields", "search_text", "updated_at"]
        )
        if "date_of_birth" in edited:
            peer_numbers.refresh([obj.pk])
        changed = summaries.PROFILE_FIELDS.intersection(edited)
        if changed:
            # A correction says that the former value was wrong, in every session.
            sessions = obj.sessions.order_by("pk").values_list("pk", flat=True)
            summaries.follow_profile(sessions, changed=changed, since=None)
            summaries.recompute_later([obj.pk])
        record(
            Action.RECORD_CHANGED,
            by=user_of(request),
            subject=obj,
            player_id=obj.pk,
            fields=sorted(form.changed_data),
        )


def add_player_action(action: PlayerAction) -> PlayerAction:
    """Add an action to the list of athletes; for packages that build on this one."""
    PlayerAdmin.actions = [*(PlayerAdmin.actions or []), action]
    return action
