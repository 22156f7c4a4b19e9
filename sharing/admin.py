"""Share links, for staff: who shares what with whom, and an end to it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_lists import ModelAdmin
from accounts.models import User
from sharing.models import ShareLink


@admin.register(ShareLink)
class ShareLinkAdmin(ModelAdmin):
    """The list of share links, where staff revoke them; they are made on the sheet."""

    list_display = [
        *("id", "player", "session", "label", "created_by", "created_at"),
        *("expires_at", "state", "open_count", "download_count", "last_opened_at"),
    ]
    list_filter = ["created_at", "expires_at", "revoked_at"]
    search_fields = ["=player__id", "label", "created_by__username"]
    list_select_related = ["player", "session", "created_by"]
    actions = ["revoke_links"]
    exclude = ["digest"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """False: links are made on the page of the sheet."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """False: a link is made and revoked, nothing else."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """False: a revoked link stays for the record."""
        return False

    @admin.action(description="Revoke", permissions=["view"])
    def revoke_links(self, request: HttpRequest, queryset: QuerySet[ShareLink]) -> None:
        """End the chosen links at once."""
        # Here, since a sync loads the administration and needs no sheets.
        from sharing.links import revoke

        user = cast(User, request.user)
        ended = sum(revoke(link=link, by=user) for link in queryset)
        self.message_user(request, f"Revoked: {ended}.")
