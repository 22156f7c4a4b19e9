"""Admin of the domain: look at everything, edit only what edits cannot corrupt."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_q.tasks import async_task

from accounts.adminkit import (
    BoundedPaginator,
    DayFilter,
    OnePassChangeList,
    RecentValuesFilter,
)
from accounts.audit import record
from accounts.models import Action, User
from athletes import peers, services
from athletes.api.frames import cell
from athletes.biomechanics.definitions import METRICS
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
from athletes.querysets import PlayerQuerySet

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


#: What one action takes at once: each athlete is work for the queue.
AT_ONCE = 200

PlayerAction = Callable[[Any, HttpRequest, QuerySet[Player]], HttpResponse | None]


def too_many(
    model_admin: Any, request: HttpRequest, rows: QuerySet[Any], limit: int = AT_ONCE
) -> bool:
    """Tell the user when more rows are chosen than one action takes."""
    if rows.order_by()[: limit + 1].count() <= limit:
        return False
    model_admin.message_user(
        request, f"Choose at most {limit} at once; nothing was done.", messages.ERROR
    )
    return True


class _Quick(_Base):
    """Lists of tables that may have millions of rows."""

    paginator = BoundedPaginator
    # Counts beside each filter would read the table once for each.
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[OnePassChangeList]:
        return OnePassChangeList


class _NoHandMade(_Quick):
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
    search_fields = ["search_text"]
    search_help_text = "Parts of a name, or a whole id of the vendor."
    ordering = ["last_name", "first_name", "id"]
    actions = ["recompute", "merge_two"]
    readonly_fields = [
        "page",
        "sessions_here",
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
            {"fields": ["page", "sessions_here", *CORRECTABLE, "corrected_fields"]},
        ),
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
        ("To be rid of this athlete", {"fields": ["erasing"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Player], search_term: str
    ) -> tuple[QuerySet[Player], bool]:
        """By id, else by name as in the list of athletes: from the index alone.

        Django's own search turns every name and id of the table to capitals.
        """
        term = search_term.strip()
        if not term:
            return queryset, False
        by_id = Q(org_player_id=term) | Q(reboot_player_id=term)
        ids = list(Player.objects.filter(by_id).values_list("pk", flat=True)[:100])
        if ids:
            return queryset.filter(pk__in=ids), False
        return cast(PlayerQuerySet, queryset).named_like(term), False

    @admin.display(description="athlete", ordering="last_name")
    def full_name(self, player: Player) -> str:
        return player.full_name

    @admin.display(description="corrected", boolean=True)
    def is_corrected(self, player: Player) -> bool:
        return bool(player.corrected_fields)

    @admin.display(description="page")
    def page(self, player: Player) -> SafeString:
        return _link("athletes:athlete", player.pk, "Open the athlete's page")

    @admin.display(description="sessions")
    def sessions_here(self, player: Player) -> SafeString:
        return format_html(
            '<a href="{}?player__id__exact={}">Sessions ({}; swings: {})</a>',
            reverse("admin:athletes_session_changelist"),
            player.pk,
            player.session_count,
            player.swing_count,
        )

    @admin.display(description="erase")
    def erasing(self, player: Player) -> SafeString:
        # By path: what erases stands in a package above this one.
        return format_html(
            "There is no plain deletion: the next sync would bring the athlete back, "
            'without what people decided and wrote. <a href="{}">Erase for good</a> '
            "says first what goes with him, and keeps him from coming back.",
            f"/privacy/athletes/{player.pk}/erase/",
        )

    @admin.action(description="Compute numbers again", permissions=["change"])
    def recompute(self, request: HttpRequest, players: QuerySet[Player]) -> None:
        if too_many(self, request, players):
            return
        ids = list(players.values_list("pk", flat=True))
        sessions = services.outdate_numbers(player_ids=ids)
        _recompute_later(ids)
        for pk in ids:
            record(
                Action.RECORD_CHANGED, by=_user(request), player_id=pk, what="recompute"
            )
        self.message_user(
            request,
            f"The numbers of {len(sessions)} sessions will be computed again by the "
            "queue; until then the former ones are shown.",
            messages.SUCCESS,
        )

    @admin.action(description="Merge two athletes…", permissions=["change"])
    def merge_two(
        self, request: HttpRequest, players: QuerySet[Player]
    ) -> HttpResponse | None:
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
        return redirect("athletes:merge", kept=ids[0], merged=ids[1])

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
            _recompute_later([obj.pk])
        record(
            Action.RECORD_CHANGED,
            by=_user(request),
            subject=obj,
            player_id=obj.pk,
            fields=sorted(form.changed_data),
        )


def add_player_action(action: PlayerAction) -> PlayerAction:
    """Put an action of a package above this one into the list of athletes."""
    PlayerAdmin.actions = [*(PlayerAdmin.actions or []), action]
    return action


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _recompute_later(player_ids: Iterable[int]) -> None:
    ids = list(player_ids)

    def enqueue() -> None:
        for pk in ids:
            async_task("athletes.tasks.recompute_player", pk)

    transaction.on_commit(enqueue)


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
        ("movement_type_name", RecentValuesFilter),
        ("mocap_type_name", RecentValuesFilter),
        ("vendor_status", RecentValuesFilter),
        ("session_date", DayFilter),
        _MISSING,
    ]
    # What an index has in order.
    sortable_by = ["session_id", "player", "session_date"]
    search_fields = ["session_id"]
    search_help_text = "Athlete's name or id, or the vendor's id of a session."
    list_select_related = ["player"]
    actions = ["recompute", "metrics_as_csv"]
    fields = [
        "page",
        "athlete",
        "swings_here",
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Session], search_term: str
    ) -> tuple[QuerySet[Session], bool]:
        return queryset.filter(_sessions_by(search_term)), False

    @admin.display(description="page")
    def page(self, session: Session) -> SafeString:
        return _link("athletes:session", session.pk, "Open the session's page")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # The link from an athlete to his sessions.
        return lookup == "player__id__exact" or super().lookup_allowed(
            lookup, value, request
        )

    @admin.display(description="swings")
    def swings_here(self, session: Session) -> SafeString:
        return format_html(
            '<a href="{}?session__id__exact={}">{} swings and other movements</a>',
            reverse("admin:athletes_movement_changelist"),
            session.pk,
            session.movements.count(),
        )

    @admin.action(description="Compute numbers again", permissions=["change"])
    def recompute(self, request: HttpRequest, sessions: QuerySet[Session]) -> None:
        if too_many(self, request, sessions):
            return
        ids = list(sessions.values_list("pk", flat=True))
        players = set(sessions.values_list("player_id", flat=True))
        services.outdate_numbers(session_ids=ids)
        _recompute_later(sorted(players))
        for session in Session.objects.filter(pk__in=ids).only("pk", "player_id"):
            record(
                Action.RECORD_CHANGED,
                by=_user(request),
                subject=session,
                player_id=session.player_id,
                what="recompute",
            )
        self.message_user(
            request,
            f"The numbers of {len(ids)} sessions will be computed again by the queue; "
            "until then the former ones are shown.",
            messages.SUCCESS,
        )

    @admin.action(description="Metrics as CSV", permissions=["view"])
    def metrics_as_csv(
        self, request: HttpRequest, sessions: QuerySet[Session]
    ) -> StreamingHttpResponse | None:
        if too_many(self, request, sessions, 1_000):
            return None
        chosen = list(sessions.select_related("player").order_by("session_date", "id"))
        for player_id in sorted({session.player_id for session in chosen}):
            record(
                Action.DATA_EXPORTED,
                by=_user(request),
                player_id=player_id,
                what="metrics",
                sessions=[s.pk for s in chosen if s.player_id == player_id],
            )
        day = timezone.localdate().isoformat()
        return StreamingHttpResponse(
            _metrics_csv(chosen),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="metrics-{day}.csv"'
            },
        )

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
        record(
            Action.RECORD_CHANGED,
            by=_user(request),
            subject=obj,
            player_id=obj.player_id,
            fields=sorted(form.changed_data),
        )


class _Line:
    """What `csv.writer` writes to: it hands the line back."""

    def write(self, line: str) -> str:
        return line


_SESSION_COLUMNS = ("session_id", "session_date", "condition", "bat")
_METRIC_COLUMNS = (
    *("n", "mean", "sd", "minimum", "maximum", "median", "method_version"),
)


def _metrics_csv(sessions: list[Session]) -> Iterator[str]:
    """Means of the sessions, a line each; units as stored."""
    writer = csv.writer(_Line())
    yield writer.writerow(
        [
            *("athlete", "org_player_id", *_SESSION_COLUMNS),
            *("metric", "name", "unit", "event_rule", *_METRIC_COLUMNS),
        ]
    )
    for session in sessions:
        about = [session.player.full_name, session.player.org_player_id]
        about += [getattr(session, name) for name in _SESSION_COLUMNS]
        for row in session.session_metrics.order_by("metric", "event_rule"):
            definition = METRICS.get(row.metric)
            values = [
                *about,
                row.metric,
                definition.name if definition else "",
                definition.unit if definition else "",
                row.event_rule,
                *(getattr(row, name) for name in _METRIC_COLUMNS),
            ]
            yield writer.writerow(
                [cell(value) if isinstance(value, str) else value for value in values]
            )


class ReasonForm(forms.Form):
    """Why swings are counted out."""

    reason = forms.CharField(
        max_length=300,
        widget=forms.TextInput(attrs={"size": 60}),
        help_text="Stands beside each of the swings, for those who come after.",
    )


def _sessions_by(search_term: str) -> Q:
    """Sessions of one vendor id, or of the athletes whom the words mean.

    The athletes are asked for first: together with the sessions, a database reads
    all of both.
    """
    term = search_term.strip()
    if not term:
        return Q()
    meant = Player.objects.filter(org_player_id=term)
    ids = {*meant.values_list("pk", flat=True)}
    ids.update(Player.objects.named_like(term).values_list("pk", flat=True)[:200])
    return Q(session_id=term) | Q(player__in=ids)


class _BySession(_ReadOnly):
    """Rows of sessions, found by the session or the athlete.

    A search of the rows themselves would read millions of them.
    """

    #: From a row to its session.
    session_path = "session"
    #: Order within one session; all sessions have `ordering`, backwards as an index
    #: runs: forwards here and backwards there, SQLite sorts the whole table.
    ordering_within: tuple[str, ...] = ()
    # Millions of rows, and no index for these columns.
    sortable_by = ()
    search_fields = ["session__session_id"]
    search_help_text = "Athlete's name, or the vendor's id of a session."

    def get_ordering(self, request: HttpRequest) -> Any:
        if f"{self.session_path}__id__exact" in request.GET and self.ordering_within:
            return self.ordering_within
        return super().get_ordering(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        sessions = Session.objects.filter(_sessions_by(search_term))
        ids = list(sessions.values_list("pk", flat=True)[:1_000])
        return queryset.filter(**{f"{self.session_path}__in": ids}), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Links from a session to its rows.
        return lookup == f"{self.session_path}__id__exact" or super().lookup_allowed(
            lookup, value, request
        )


@admin.register(Movement)
class MovementAdmin(_BySession):
    """Movements; counting one in or out is recorded, as on its page."""

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

    @admin.display(description="session")
    def of_session(self, movement: Movement) -> SafeString:
        return _link(
            "admin:athletes_session_change", movement.session_id, str(movement.session)
        )

    @admin.action(description="Count out, with a reason", permissions=["view"])
    def count_out(
        self, request: HttpRequest, movements: QuerySet[Movement]
    ) -> HttpResponse | None:
        if too_many(self, request, movements):
            return None
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            self._decide(request, movements, "excluded", form.cleaned_data["reason"])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Count swings out",
            "opts": self.opts,
            "form": form,
            "movements": movements.select_related("session__player"),
            "action_name": "count_out",
        }
        return TemplateResponse(request, "admin/athletes/count_out.html", context)

    @admin.action(description="Count by quality again", permissions=["view"])
    def by_quality(self, request: HttpRequest, movements: QuerySet[Movement]) -> None:
        if not too_many(self, request, movements):
            self._decide(request, movements, "auto", "")

    def _decide(
        self,
        request: HttpRequest,
        movements: QuerySet[Movement],
        inclusion: str,
        reason: str,
    ) -> None:
        user = _user(request)
        count = 0
        for movement in movements.select_related("session"):
            try:
                services.set_inclusion(
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
            f"{count} swings: saved, and the means computed again.",
            messages.SUCCESS,
        )


@admin.register(BiomechanicsData)
class BiomechanicsDataAdmin(_BySession):
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
    session_path = "movement__session"
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
        return super().get_queryset(request).defer("frames")

    @admin.display(description="repaired", boolean=True)
    def repaired(self, data: BiomechanicsData) -> bool:
        return bool(data.repairs)

    @admin.display(description="page")
    def page(self, data: BiomechanicsData) -> SafeString:
        return _link("athletes:swing", data.movement_id, "Open the swing's page")


@admin.register(SessionMetric)
class SessionMetricAdmin(_BySession):
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
    list_filter = [
        ("metric", RecentValuesFilter),
        ("event_rule", RecentValuesFilter),
        ("method_version", RecentValuesFilter),
    ]
    list_select_related = ["session"]
    ordering = ["-session_id", "-metric", "-event_rule"]
    ordering_within = ("metric", "event_rule")


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

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What goes with a tag, in words; Django would list each use of it."""
        going: list[Any] = []
        for tag in objs:
            going.append(f"Tag: {tag}")
            uses = f"{tag.players.count()} athletes and {tag.sessions.count()} sessions"
            going.append([f"{uses} lose it; they and their data stay"])
        return going, {"tags": len(objs)}, set(), []

    @admin.display(description="athletes", ordering="player_count")
    def athletes(self, tag: Any) -> int:
        return int(tag.player_count)
