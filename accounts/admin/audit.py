"""Who did what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.kit import Base
from accounts.models import AuditEntry


def _in_words(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    return str(value)


@admin.register(AuditEntry)
class AuditEntryAdmin(Base):
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
