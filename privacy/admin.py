"""Archives, to look at; they are made on the athlete's page."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin_lists import ModelAdmin, too_many
from accounts.models import User
from athletes.admin.players import add_player_action
from athletes.models import Player
from privacy.models import Archive

#: Archives that are asked for at once: each may be a gigabyte.
ARCHIVES_AT_ONCE = 25


@admin.register(Archive)
class ArchiveAdmin(ModelAdmin):
    """The list of archives: who asked for which, and its state."""

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
        """Return False: archives are made by their form."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: an archive is not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: a schedule deletes archives."""
        return False


@add_player_action
@admin.action(description="Make archives", permissions=["view"])
def make_archives(
    model_admin: Any, request: HttpRequest, players: QuerySet[Player]
) -> None:
    """Have an archive made of each chosen athlete."""
    # Here, since a sync loads the administration and makes no archives.
    from privacy.archives import request_archive

    if too_many(model_admin, request, players, ARCHIVES_AT_ONCE):
        return
    user = cast(User, request.user)
    chosen = list(players)
    for player in chosen:
        request_archive(player=player, user=user)
    model_admin.message_user(
        request,
        format_html(
            "{} archives are being made. Download each from the athlete's “Stored "
            'data” page. <a href="{}">See progress</a>',
            len(chosen),
            reverse("admin:privacy_archive_changelist"),
        ),
        messages.SUCCESS,
    )
