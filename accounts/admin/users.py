"""The administration's pages of users: who may log in, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join

from accounts import second_factor
from accounts.admin.membership import record_members, teams_of
from accounts.audit import record
from accounts.models import (
    Action,
    ApiToken,
    Authenticator,
    Identity,
    Team,
    User,
)
from accounts.services import (
    log_out_everywhere,
    revoke_tokens_of,
    unlink_single_sign_on,
)

if TYPE_CHECKING:
    _UserBase = DjangoUserAdmin[User]
else:
    _UserBase = DjangoUserAdmin


_READ_ONLY = ("last_login", "date_joined", "second_factor", "single_sign_on", "tokens")


class TeamsOfUser(admin.TabularInline):  # type: ignore[type-arg]
    """Teams of one coach."""

    model = Team.members.through
    extra = 0
    verbose_name = "team"


class SecondFactorFilter(admin.SimpleListFilter):
    """Filters users by whether they log in with a second factor."""

    title = "second factor"
    parameter_name = "second_factor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices of the filter: second factor on, or off."""
        return [("on", "On"), ("off", "Off")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        """Return the users with or without one; None when nothing is chosen."""
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
    actions = (
        "log_out_on_all_devices",
        "reset_second_factor",
        "unlink_single_sign_on",
    )
    readonly_fields = _READ_ONLY
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "units", "paper")}),
        (
            "Role",
            {
                "fields": (
                    "is_active",
                    "limited_to_teams",
                    "may_start_sync",
                    "is_staff",
                    "is_superuser",
                )
            },
        ),
        (
            "Login",
            {
                "fields": (
                    "second_factor",
                    "single_sign_on",
                    "last_login",
                    "date_joined",
                )
            },
        ),
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
                    "may_start_sync",
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return the users, each with whether they have a second factor."""
        devices = Authenticator.objects.filter(user=OuterRef("pk"))
        return super().get_queryset(request).annotate(with_code=Exists(devices))

    @admin.display(description="second factor", boolean=True, ordering="with_code")
    def has_second_factor(self, user: Any) -> bool:
        """Return whether the user has a second factor."""
        return bool(user.with_code)

    @admin.display(description="second factor")
    def second_factor(self, user: User) -> str:
        """Say whether the second factor is on, since when, and what is left of it."""
        device = Authenticator.objects.filter(user=user).first()
        if device is None:
            return "Off. The user can turn it on under Second factor in their menu."
        since = date_format(timezone.localtime(device.created_at), "DATE_FORMAT")
        left = second_factor.codes_left(user)
        return (
            f"On since {since}, {left} recovery codes left. To reset it, choose the "
            "user in the list and the action there."
        )

    @admin.display(description="single sign-on")
    def single_sign_on(self, user: User) -> str:
        """Say whether the account is linked to a provider, and since when."""
        identity = Identity.objects.filter(user=user).order_by("-last_used_at").first()
        if identity is None:
            return "Not linked."
        since, last = (
            date_format(timezone.localtime(at), "DATE_FORMAT")
            for at in (identity.created_at, identity.last_used_at)
        )
        return (
            f"Linked since {since}, last used on {last}. To unlink it, choose the user "
            "in the list and the action there."
        )

    @admin.display(description="created by this user")
    def tokens(self, user: User) -> str:
        """List the API tokens that the user made, with links."""
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
            return "No active tokens."
        return format_html(
            "<ul>{}</ul><p>They stop working when this user is deactivated, deleted "
            "or no longer staff, unless someone takes them over (action in the token "
            "list).</p>",
            links,
        )

    @admin.display(description="role", ordering="is_staff")
    def role(self, user: User) -> str:
        """Name the user's role: coach, staff or superuser."""
        if user.is_superuser:
            return "superuser"
        return "staff" if user.is_staff else "coach"

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Return the groups of fields; single sign-on is among them where it is on."""
        sets = super().get_fieldsets(request, obj)
        if settings.OIDC_ISSUER:
            return sets
        hidden = "single_sign_on"
        return [
            (name, {**of, "fields": [f for f in of["fields"] if f != hidden]})
            for name, of in sets
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        """Return the fields that the viewer may not change."""
        if cast(User, request.user).is_superuser:
            return _READ_ONLY
        # Nobody may raise themselves or another above coach.
        return (*_READ_ONLY, "is_staff", "is_superuser")

    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        """Return whether the viewer stands above this user."""
        return super().has_change_permission(request, obj) and self._is_below(
            request, obj
        )

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        """Return whether the viewer stands above this user."""
        return super().has_delete_permission(request, obj) and self._is_below(
            request, obj
        )

    @staticmethod
    def _is_below(request: HttpRequest, obj: User | None) -> bool:
        """Return whether the viewer may look after the account `obj`.

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
        """End all sessions of the chosen users that the viewer stands above."""
        count = 0
        for user in users:
            if self._is_below(request, user):
                log_out_everywhere(user, by=cast(User, request.user))
                count += 1
        self.message_user(request, f"{count} users were logged out.")

    @admin.action(description="Reset the second factor", permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Take the second factor off the chosen users that the viewer stands above."""
        by = cast(User, request.user)
        count = sum(
            second_factor.reset(user, by=by)
            for user in users
            if self._is_below(request, user)
        )
        self.message_user(
            request,
            f"{count} users must log in again, with their password alone.",
        )

    @admin.action(description="Unlink from single sign-on", permissions=["change"])
    def unlink_single_sign_on(
        self, request: HttpRequest, users: QuerySet[User]
    ) -> None:
        """Unlink the chosen users that the viewer stands above."""
        by = cast(User, request.user)
        count = sum(
            unlink_single_sign_on(user, by=by)
            for user in users
            if self._is_below(request, user)
        )
        self.message_user(request, f"{count} users are unlinked and logged out.")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions; that of single sign-on where it is on."""
        actions: dict[str, Any] = super().get_actions(request)
        if not settings.OIDC_ISSUER:
            actions.pop("unlink_single_sign_on", None)
        return actions

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        """Save the user, record it, and end tokens that they may no longer have."""
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
        """Save the user's teams and record which came and went."""
        user: User = form.instance
        before = teams_of(user)
        super().save_related(request, form, formsets, change)
        record_members(request, user, {"teams": (before, teams_of(user))})

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Set somebody's password; one's own is changed where the old one is asked for.

        A browser that was left logged in would do here otherwise.
        """
        user = cast(User, request.user)

        def stored() -> User | None:
            return self.get_object(request, unquote(id))

        # The record, not its number as it stands in the address: 07 is 7 too.
        before = stored()
        if before == user and self.has_change_permission(request, user):
            return redirect("password_change")
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
                f"{count} API tokens created by this user were revoked.",
                messages.WARNING,
            )

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """List what goes with the users, their revoked API tokens among it."""
        going, counts, needed, kept = super().get_deleted_objects(objs, request)
        tokens = ApiToken.objects.filter(
            created_by__in=[user.pk for user in objs], revoked_at__isnull=True
        )
        going += [f"API token (revoked, kept for the audit): {t}" for t in tokens]
        return going, counts, needed, kept

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Revoke the user's tokens, record the deletion, and delete the user."""
        self._revoke_tokens(request, obj)
        self._record_deletion(request, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete the chosen users after revoking their tokens and recording it."""
        for user in queryset:
            self._revoke_tokens(request, user)
            self._record_deletion(request, user)
        super().delete_queryset(request, queryset)

    @staticmethod
    def _record_deletion(request: HttpRequest, user: User) -> None:
        record(Action.RECORD_DELETED, by=cast(User, request.user), subject=user)
