"""Wrong passwords and logins, which django-axes keeps: to read, and to unlock."""

from __future__ import annotations

from typing import Any, cast

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import time_format

from accounts import locks
from accounts.admin_lists import ModelAdmin
from accounts.models import User

# Permissions come from the role alone (accounts/backends.py): a group gives nothing.
admin.site.unregister(Group)
# Its table stays empty: AccessAttempt counts, and the audit has the rest.
admin.site.unregister(AccessFailureLog)
admin.site.unregister(AccessAttempt)
admin.site.unregister(AccessLog)


class LockedFilter(admin.SimpleListFilter):
    """Logins that are locked now."""

    title = "state"
    parameter_name = "locked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices of the filter: locked now, or not."""
        return [("yes", "Locked now"), ("no", "Not locked")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        """Return the logins that are locked or not; None when nothing is chosen."""
        if self.value() == "yes":
            return locks.locked(queryset)
        if self.value() == "no":
            return queryset.exclude(pk__in=locks.locked(queryset).values("pk"))
        return None


class _Kept(ModelAdmin):
    """Base of admins whose rows logins write and a schedule deletes."""

    list_name: str

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        context = {"title": self.list_name, **(extra_context or {})}
        return cast(TemplateResponse, super().changelist_view(request, context))


@admin.register(AccessAttempt)
class AccessAttemptAdmin(_Kept):
    """Wrong passwords and codes since the last right one; deleting one unlocks."""

    list_name = "Wrong passwords and locked logins"
    list_display = (
        "username",
        "ip_address",
        "failures_since_start",
        "state",
        "attempt_time",
        "user_agent",
    )
    list_filter = (LockedFilter, "attempt_time")
    search_fields = ("username", "ip_address")
    actions = ("unlock",)
    # Not what was sent: beside the password there is nothing to learn from it.
    fields = (*list_display, "path_info")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessAttempt]:
        """Return the failed logins, each with what its lock depends on."""
        return locks.with_lock(super().get_queryset(request))

    @admin.display(description="state")
    def state(self, attempt: AccessAttempt) -> str:
        """Say whether the login is locked, and until when."""
        if not locks.is_locked(attempt):
            return "not locked"
        end = timezone.localtime(locks.free_at(attempt))
        until = f"locked until {time_format(end, 'TIME_FORMAT')}"
        if locks.is_locked_here(attempt):
            return until
        return f"{until} on new devices and networks"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions of the list, without Django's deletion."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would do the same without saying so
        return actions

    @admin.action(description="Unlock", permissions=["delete"])
    def unlock(self, request: HttpRequest, attempts: QuerySet[AccessAttempt]) -> None:
        """Let the chosen logins try again at once; each goes into the audit."""
        by = cast(User, request.user)
        count = sum(locks.unlock(attempt, by=by) for attempt in attempts)
        self.message_user(
            request,
            f"{count} logins unlocked; their failed attempts are cleared.",
            messages.SUCCESS,
        )

    def delete_model(self, request: HttpRequest, obj: AccessAttempt) -> None:
        """Unlock the login: a deletion ends its lock, so the audit has to know."""
        locks.unlock(obj, by=cast(User, request.user))


@admin.register(AccessLog)
class AccessLogAdmin(_Kept):
    """The list of logins: who logged in, when, and from where."""

    list_name = "Logins"
    list_display = (
        "username",
        "attempt_time",
        "logout_time",
        "ip_address",
        "user_agent",
    )
    list_filter = ("attempt_time",)
    search_fields = ("username", "ip_address")
    date_hierarchy = "attempt_time"
    fields = (*list_display, "path_info")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: logins of the past are kept."""
        return False  # it would hide who was here; a schedule prunes
