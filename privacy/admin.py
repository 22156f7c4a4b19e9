"""Archives, to look at; they are made on the athlete's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from privacy.models import Archive

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
else:  # Django's own class takes no parameter at run time
    _Base = admin.ModelAdmin


@admin.register(Archive)
class ArchiveAdmin(_Base):
    """Who asked for which archive, and what became of it."""

    list_display = [
        *("id", "player_id", "requested_by", "state", "bytes", "created_at"),
        *("expires_at", "error"),
    ]
    list_filter = ["state", "created_at"]
    search_fields = ["=player__id", "requested_by__username"]
    list_select_related = ["requested_by"]
    # The name of the file is a secret of its own.
    exclude = ["file_name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
