"""The admin of notes and tags."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from accounts.admin_lists import ModelAdmin
from athletes.admin.by_session import sessions_by
from athletes.models import Note, Player, Session, Tag


@admin.register(Note)
class NoteAdmin(ModelAdmin):
    """The admin of notes on athletes, sessions and swings."""

    list_display = ["__str__", "player", "session", "created_by", "created_at"]
    search_fields = ["text"]
    search_help_text = "Words of the note, parts of a name, or a session's whole id."
    list_select_related = ["player", "session", "created_by"]
    raw_id_fields = ["player", "session", "movement"]
    readonly_fields = ["created_by", "created_at", "updated_at", "edited_at"]
    ordering = ["-created_at"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Note], search_term: str
    ) -> tuple[QuerySet[Note], bool]:
        """The notes with this text, or on a session or athlete that the term means."""
        term = search_term.strip()
        if not term:
            return queryset, False
        sessions = Session.objects.filter(sessions_by(term))
        found = Q(text__icontains=term) | Q(session__in=sessions)
        found |= Q(player__in=Player.objects.named_like(term))
        return queryset.filter(found), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody writes a note here."""
        return False  # written on the pages, under the writer's name


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    """The admin of tags, with the number of athletes who have each."""

    list_display = ["name", "athletes", "created_at"]
    search_fields = ["name"]
    fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        """The tags with the number of their athletes."""
        tags: QuerySet[Tag] = super().get_queryset(request)
        return tags.annotate(player_count=Count("players"))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What a deleted tag takes with it, in words; Django would list each use."""
        going: list[Any] = []
        for tag in objs:
            going.append(f"Tag: {tag}")
            uses = f"{tag.players.count()} athletes and {tag.sessions.count()} sessions"
            going.append([f"{uses} lose it; they and their data stay"])
        return going, {"tags": len(objs)}, set(), []

    @admin.display(description="athletes", ordering="player_count")
    def athletes(self, tag: Any) -> int:
        """The number of athletes with this tag."""
        return int(tag.player_count)
