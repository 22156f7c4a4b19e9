"""Admin of users, teams, tokens and the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Count, Exists, Model, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join

from accounts import second_factor
from accounts.audit import record
from accounts.models import Action, ApiToken, AuditEntry, Authenticator, Team, User
from accounts.services import (
    create_token,
    log_out_everywhere,
    revoke_token,
    revoke_tokens_of,
    take_over_token,
)

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


class SecondFactorFilter(admin.SimpleListFilter):
    """Who logs in with a code, and who with the password alone."""

    title = "second factor"
    parameter_name = "second_factor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("on", "On"), ("off", "Off")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        with_code = Authenticator.objects.values("user")
        if self.value() == "on":
            return queryset.filter(pk__in=with_code)
        if self.value() == "off":
            return queryset.exclude(pk__in=with_code)
        return None


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
        "has_second_factor",
        "last_login",
    )
    list_filter = (
        "is_active",
        "is_staff",
        SecondFactorFilter,
        "limited_to_teams",
        "teams",
    )
    search_fields = ("username", "first_name", "last_name", "email")
    inlines = (TeamsOfUser,)
    actions = ("log_out_on_all_devices", "reset_second_factor")
    readonly_fields = ("last_login", "date_joined", "second_factor", "tokens")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "units")}),
        (
            "Role",
            {"fields": ("is_active", "limited_to_teams", "is_staff", "is_superuser")},
        ),
        ("Login", {"fields": ("second_factor", "last_login", "date_joined")}),
        ("API tokens", {"fields": ("tokens",)}),
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        devices = Authenticator.objects.filter(user=OuterRef("pk"))
        return super().get_queryset(request).annotate(with_code=Exists(devices))

    @admin.display(description="second factor", boolean=True, ordering="with_code")
    def has_second_factor(self, user: Any) -> bool:
        return bool(user.with_code)

    @admin.display(description="second factor")
    def second_factor(self, user: User) -> str:
        device = Authenticator.objects.filter(user=user).first()
        if device is None:
            return "Off. The user turns it on under Second factor in his menu."
        since = date_format(timezone.localtime(device.created_at), "DATE_FORMAT")
        left = second_factor.codes_left(user)
        return (
            f"On since {since}, {left} recovery codes left. To reset it, choose the "
            "user in the list and the action there."
        )

    @admin.display(description="made by this user")
    def tokens(self, user: User) -> str:
        made = ApiToken.objects.filter(created_by=user, revoked_at__isnull=True)
        links = format_html_join(
            "",
            '<li><a href="{}">{}</a></li>',
            (
                (reverse("admin:accounts_apitoken_change", args=[token.pk]), token)
                for token in made
            ),
        )
        if not links:
            return "None that work."
        return format_html(
            "<ul>{}</ul><p>They end when this user is deactivated, deleted or no "
            "longer staff, unless somebody takes them over (action in the list of "
            "tokens).</p>",
            links,
        )

    @admin.display(description="role", ordering="is_staff")
    def role(self, user: User) -> str:
        if user.is_superuser:
            return "superuser"
        return "staff" if user.is_staff else "coach"

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        fields = ("last_login", "date_joined", "second_factor", "tokens")
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

    @admin.action(description="Reset the second factor", permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, users: QuerySet[User]) -> None:
        by = cast(User, request.user)
        count = sum(
            second_factor.reset(user, by=by)
            for user in users
            if self._is_below(request, user)
        )
        self.message_user(
            request,
            f"{count} users log in with the password alone from now on, and have to "
            "log in again.",
        )

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        by = cast(User, request.user)
        record(
            Action.RECORD_CHANGED,
            by=by,
            subject=obj,
            fields=sorted(form.changed_data),
        )
        if not obj.may_make_tokens():
            self._revoke_tokens(request, obj)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        user: User = form.instance
        before = _teams_of(user)
        super().save_related(request, form, formsets, change)
        _record_members(request, user, {"teams": (before, _teams_of(user))})

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        def stored() -> User | None:
            return self.get_object(request, unquote(id))

        before = stored()
        response: HttpResponse = super().user_change_password(request, id, form_url)
        after = stored()
        # Who sets somebody's password can log in as that one.
        if before and after and before.password != after.password:
            record(
                Action.RECORD_CHANGED,
                by=cast(User, request.user),
                subject=after,
                fields=["password"],
            )
        return response

    def _revoke_tokens(self, request: HttpRequest, user: User) -> None:
        count = revoke_tokens_of(user, by=cast(User, request.user))
        if count:
            self.message_user(
                request,
                f"{count} API tokens that this user had made are revoked.",
                messages.WARNING,
            )

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        going, counts, needed, kept = super().get_deleted_objects(objs, request)
        tokens = ApiToken.objects.filter(
            created_by__in=[user.pk for user in objs], revoked_at__isnull=True
        )
        going += [f"API token (revoked, kept for the audit): {t}" for t in tokens]
        return going, counts, needed, kept

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self._revoke_tokens(request, obj)
        self._record_deletion(request, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self._revoke_tokens(request, user)
            self._record_deletion(request, user)
        super().delete_queryset(request, queryset)

    @staticmethod
    def _record_deletion(request: HttpRequest, user: User) -> None:
        record(Action.RECORD_DELETED, by=cast(User, request.user), subject=user)


def _ids(related: Any) -> set[int]:
    return set(related.values_list("pk", flat=True))


def _teams_of(user: User) -> set[int]:
    return _ids(Team.objects.filter(members=user))


def _record_members(
    request: HttpRequest, subject: Model, changes: dict[str, tuple[set[int], set[int]]]
) -> None:
    """Record who came and went: teams decide which athletes a coach sees."""
    told: dict[str, Any] = {}
    for name, (before, after) in changes.items():
        if after - before:
            told[f"{name}_added"] = sorted(after - before)
        if before - after:
            told[f"{name}_removed"] = sorted(before - after)
    if told:
        by = cast(User, request.user)
        record(Action.RECORD_CHANGED, by=by, subject=subject, **told)


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

    def save_model(
        self, request: HttpRequest, obj: Team, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        fields = sorted(set(form.changed_data) - {"players", "members"})
        if fields:
            by = cast(User, request.user)
            record(Action.RECORD_CHANGED, by=by, subject=obj, fields=fields)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        team: Team = form.instance
        players, members = _ids(team.players), _ids(team.members)
        super().save_related(request, form, formsets, change)
        changes = {
            "athletes": (players, _ids(team.players)),
            "coaches": (members, _ids(team.members)),
        }
        _record_members(request, team, changes)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What goes with a team, in words; Django would list each membership."""
        going: list[Any] = []
        counts = {"teams": 0, "API tokens": 0}
        for team in objs:
            tokens = list(team.tokens.filter(revoked_at__isnull=True))
            members = team.members.filter(limited_to_teams=True, is_staff=False)
            blind = members.exclude(teams__in=Team.objects.exclude(pk=team.pk))
            going.append(f"Team: {team}")
            going.append(
                [
                    f"{team.players.count()} athletes leave the team; they and their "
                    "data stay",
                    *(f"API token ends: {token}" for token in tokens),
                    *(f"Sees no athlete from then on: {user}" for user in blind),
                ]
            )
            counts["teams"] += 1
            counts["API tokens"] += len(tokens)
        return going, {k: n for k, n in counts.items() if n}, set(), []

    def delete_model(self, request: HttpRequest, obj: Team) -> None:
        by = cast(User, request.user)
        for token in obj.tokens.all():
            revoke_token(token, by=by)
        record(Action.RECORD_DELETED, by=by, subject=obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Team]) -> None:
        for team in Team.objects.filter(pk__in=queryset.values("pk")):
            self.delete_model(request, team)

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
        usable = ApiToken.objects.usable().values("pk")
        if self.value() == "usable":
            return queryset.filter(pk__in=usable)
        if self.value() == "ended":
            return queryset.exclude(pk__in=usable)
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
    actions = ("revoke", "take_over")
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
        if token.is_expired:
            return "expired"
        maker = token.created_by
        if maker is not None and not maker.may_make_tokens():
            return "maker gone"
        return "usable"

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

    @admin.action(
        description="Take over (go on when the maker leaves)", permissions=["change"]
    )
    def take_over(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        by = cast(User, request.user)
        count = sum(take_over_token(token, by=by) for token in tokens)
        self.message_user(request, f"{count} tokens are yours now.", messages.SUCCESS)


def _in_words(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    return str(value)


@admin.register(AuditEntry)
class AuditEntryAdmin(_Base):
    """Who did what, to look at only."""

    list_display = ("at", "action", "by", "player_number", "subject", "in_words")
    list_filter = ("action", "at")
    search_fields = ("actor", "=player_number", "=subject_id", "subject_type")
    search_help_text = "User, beginning of a token, id of an athlete or of a record."
    date_hierarchy = "at"
    list_select_related = False
    show_full_result_count = False

    @admin.display(description="by", ordering="actor")
    def by(self, entry: AuditEntry) -> str:
        return entry.actor or "the system"

    @admin.display(description="detail")
    def in_words(self, entry: AuditEntry) -> str:
        """Names and values without the signs of JSON; PostgreSQL keeps no order."""
        if not isinstance(entry.detail, dict):
            return str(entry.detail)
        return ", ".join(
            f"{name.replace('_', ' ')}: {_in_words(value)}"
            for name, value in sorted(entry.detail.items())
        )

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
