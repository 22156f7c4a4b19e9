"""Tokens of other programs."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.admin_lists import ModelAdmin
from accounts.audit import record
from accounts.models import Action, ApiToken, User
from accounts.services import (
    create_token,
    revoke_token,
    take_over_token,
)


class StateFilter(admin.SimpleListFilter):
    """Tokens that work, and those that no longer do."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices of the filter: usable, or ended."""
        return [("usable", "usable"), ("ended", "revoked or expired")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        """Return the tokens in the chosen state; None when nothing is chosen."""
        usable = ApiToken.objects.usable().values("pk")
        if self.value() == "usable":
            return queryset.filter(pk__in=usable)
        if self.value() == "ended":
            return queryset.exclude(pk__in=usable)
        return None


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
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
        """Say whether the token works, and if not, why."""
        if token.revoked_at is not None:
            return "revoked"
        if token.is_expired:
            return "expired"
        maker = token.created_by
        if maker is not None and not maker.may_make_tokens():
            return "creator deactivated"
        return "usable"

    def get_fields(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> tuple[str, ...]:
        """Return the fields of the form: fewer once the token exists."""
        if obj is None:
            return self.fields
        return ("name", "expires_at", *self.seen_fields)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> tuple[str, ...]:
        """Return the fields that are shown and cannot be changed."""
        # What a token may do is fixed when it is made; make another one instead.
        return () if obj is None else self.seen_fields

    def has_delete_permission(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> bool:
        """Return False: tokens are revoked instead."""
        return False  # a revoked token stays, so that the audit can name it

    def save_model(
        self,
        request: HttpRequest,
        obj: ApiToken,
        form: ModelForm[ApiToken],
        change: bool,
    ) -> None:
        """Make a new token, or save a changed one; both go into the audit."""
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
        """Show the new token, once."""
        # On this page alone: a message would lie in the session or a cookie.
        context = {
            **self.admin_site.each_context(request),
            "title": "New API token",
            "opts": self.opts,
            "token": obj,
            "secret": request.new_token_secret,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/accounts/token_created.html", context)

    @admin.action(description="Revoke permanently", permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        """Revoke the chosen tokens; they stop working at once."""
        count = sum(revoke_token(t, by=cast(User, request.user)) for t in tokens)
        self.message_user(request, f"{count} tokens are revoked.", messages.SUCCESS)

    @admin.action(
        description="Take over (keeps working when its creator leaves)",
        permissions=["change"],
    )
    def take_over(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        """Make the chosen tokens the user's own, so that they go on working."""
        by = cast(User, request.user)
        count = sum(take_over_token(token, by=by) for token in tokens)
        self.message_user(request, f"{count} tokens are yours now.", messages.SUCCESS)
