"""Admin of users, teams, tokens and the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.audit import record
from accounts.models import Action, ApiToken, AuditEntry, Team, User
from accounts.services import create_token, log_out_everywhere, revoke_token

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
    _UserBase = DjangoUserAdmin[User]
else:
    _Base = admin.ModelAdmin
    _UserBase = DjangoUserAdmin


class TeamsOfUser(admin.TabularInline):  # type: ignore[type-arg]
    """Teams of one coach."""

    model = Team.members.through
    extra = 0
    verbose_name = "team"


@admin.register(User)
class UserAdmin(_UserBase):
    """Staff look after coaches; only superusers look after staff."""

    list_display = (
        "username",
        "first_name",
        "last_name",
        "role",
        "limited_to_teams",
        "is_active",
        "last_login",
    )
    list_filter = ("is_active", "is_staff", "limited_to_teams", "teams")
    search_fields = ("username", "first_name", "last_name", "email")
    inlines = (TeamsOfUser,)
    actions = ("log_out_on_all_devices",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "units")}),
        (
            "Role",
            {"fields": ("is_active", "limited_to_teams", "is_staff", "is_superuser")},
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "username",
                    "email",
                    "usable_password",
                    "password1",
                    "password2",
                    "limited_to_teams",
                ),
            },
        ),
    )

    @admin.display(description="role", ordering="is_staff")
    def role(self, user: User) -> str:
        if user.is_superuser:
            return "superuser"
        return "staff" if user.is_staff else "coach"

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        fields = ("last_login", "date_joined")
        if cast(User, request.user).is_superuser:
            return fields
        # Nobody may raise himself or another above coach.
        return (*fields, "is_staff", "is_superuser")

    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        return super().has_change_permission(request, obj) and self._is_below(
            request, obj
        )

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        return super().has_delete_permission(request, obj) and self._is_below(
            request, obj
        )

    @staticmethod
    def _is_below(request: HttpRequest, obj: User | None) -> bool:
        """Whether the logged-in one may look after the account `obj`.

        A member of staff who could set a superuser's password would be one.
        """
        user = cast(User, request.user)
        if user.is_superuser or obj is None:
            return True
        return not (obj.is_staff or obj.is_superuser)

    @admin.action(description="Log out on all devices", permissions=["change"])
    def log_out_on_all_devices(
        self, request: HttpRequest, users: QuerySet[User]
    ) -> None:
        count = 0
        for user in users:
            if self._is_below(request, user):
                log_out_everywhere(user, by=cast(User, request.user))
                count += 1
        self.message_user(request, f"{count} users are logged out.")

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        record(
            Action.RECORD_CHANGED,
            by=cast(User, request.user),
            subject=obj,
            fields=sorted(form.changed_data),
        )


@admin.register(Team)
class TeamAdmin(_Base):
    """Groups of athletes and their coaches."""

    list_display = ("name", "athletes", "coaches")
    search_fields = ("name",)
    autocomplete_fields = ("players", "members")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        teams: QuerySet[Team] = super().get_queryset(request)
        return teams.annotate(
            athlete_count=Count("players", distinct=True),
            coach_count=Count("members", distinct=True),
        )

    @admin.display(ordering="athlete_count")
    def athletes(self, team: Any) -> int:
        return int(team.athlete_count)

    @admin.display(ordering="coach_count")
    def coaches(self, team: Any) -> int:
        return int(team.coach_count)


class StateFilter(admin.SimpleListFilter):
    """Tokens that work, and those that no longer do."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("usable", "usable"), ("ended", "revoked or expired")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        ended = Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())
        if self.value() == "usable":
            return queryset.exclude(ended)
        if self.value() == "ended":
            return queryset.filter(ended)
        return None


@admin.register(ApiToken)
class ApiTokenAdmin(_Base):
    """Tokens of programs: made, shown once, revoked; never read again."""

    list_display = (
        "name",
        "prefix",
        "scope",
        "team",
        "state",
        "last_used_at",
        "expires_at",
        "created_by",
        "created_at",
    )
    list_filter = (StateFilter, "scope", "team")
    list_select_related = ("team", "created_by")
    search_fields = ("name", "prefix")
    actions = ("revoke",)
    fields = ("name", "scope", "team", "expires_at")
    seen_fields = (
        "prefix",
        "scope",
        "team",
        "state",
        "created_by",
        "created_at",
        "last_used_at",
        "revoked_at",
    )

    @admin.display(description="state")
    def state(self, token: ApiToken) -> str:
        if token.revoked_at is not None:
            return "revoked"
        return "expired" if token.is_expired else "usable"

    def get_fields(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> tuple[str, ...]:
        if obj is None:
            return self.fields
        return ("name", "expires_at", *self.seen_fields)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> tuple[str, ...]:
        # What a token may do is fixed when it is made; make another one instead.
        return () if obj is None else self.seen_fields

    def has_delete_permission(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> bool:
        return False  # a revoked token stays, so that the audit can name it

    def save_model(
        self,
        request: HttpRequest,
        obj: ApiToken,
        form: ModelForm[ApiToken],
        change: bool,
    ) -> None:
        user = cast(User, request.user)
        if change:
            super().save_model(request, obj, form, change)
            record(
                Action.RECORD_CHANGED,
                by=user,
                subject=obj,
                fields=sorted(form.changed_data),
            )
            return
        token, secret = create_token(
            name=obj.name,
            scope=obj.scope,
            team=obj.team,
            expires_at=obj.expires_at,
            by=user,
        )
        obj.__dict__.update(token.__dict__)
        request.new_token_secret = secret  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        # On this page alone: a message would lie in the session or a cookie.
        context = {
            **self.admin_site.each_context(request),
            "title": "New API token",
            "opts": self.opts,
            "token": obj,
            "secret": request.new_token_secret,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/accounts/token_created.html", context)

    @admin.action(description="Revoke for good", permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        count = sum(revoke_token(t, by=cast(User, request.user)) for t in tokens)
        self.message_user(request, f"{count} tokens are revoked.", messages.SUCCESS)


@admin.register(AuditEntry)
class AuditEntryAdmin(_Base):
    """Who did what, to look at only."""

    list_display = ("at", "action", "actor", "player_number", "subject", "detail")
    list_filter = ("action", "at")
    search_fields = ("actor", "=player_number", "=subject_id", "subject_type")
    search_help_text = "User, beginning of a token, id of an athlete or of a record."
    date_hierarchy = "at"
    list_select_related = False
    show_full_result_count = False

    @admin.display(description="record")
    def subject(self, entry: AuditEntry) -> str:
        if entry.subject_id is None:
            return entry.subject_type
        return f"{entry.subject_type} {entry.subject_id}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
