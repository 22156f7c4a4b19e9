"""The admin of notes and tags."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.admin_lists import ModelAdmin, user_of
from accounts.audit import record
from accounts.models import Action
from athletes.admin.by_session import sessions_by
from athletes.models import Note, Player, Session, Tag
from athletes.tagging import merge_tags, preview_merge

#: So many tags are merged at once: a preview of each is counted.
_MOST_MERGED = 20


@admin.register(Note)
class NoteAdmin(ModelAdmin):
    """The admin of notes on athletes, sessions and swings."""

    list_display = ["__str__", "player", "session", "created_by", "created_at"]
    search_fields = ["text"]
    search_help_text = "Words in the note, part of a name, or a full session ID."
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
        found |= Q(player__in=Player.objects.found_by_name(term))
        return queryset.filter(found), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody writes a note here."""
        return False  # written on the pages, under the writer's name


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    """The admin of tags, with the number of athletes who have each."""

    list_display = ["name", "color", "athletes", "created_at"]
    search_fields = ["name"]
    fields = ["name", "color"]
    actions = ["merge"]

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

    @admin.action(description="Merge the selected tags", permissions=["change"])
    def merge(self, request: HttpRequest, tags: QuerySet[Tag]) -> HttpResponse | None:
        """Make one tag of several, after showing what would have it."""
        counted = tags.annotate(uses=Count("players"))
        chosen = list(counted.order_by("-uses", "name")[: _MOST_MERGED + 1])
        if not 2 <= len(chosen) <= _MOST_MERGED:
            self.message_user(
                request, f"Choose 2 to {_MOST_MERGED} tags.", messages.WARNING
            )
            return None
        kept = next((t for t in chosen if str(t.pk) == request.POST.get("kept")), None)
        if kept is not None:
            others = [tag for tag in chosen if tag != kept]
            with transaction.atomic():
                merge_tags(kept=kept, others=others)
                record(
                    Action.RECORD_CHANGED,
                    by=user_of(request),
                    subject=kept,
                    what="tags merged",
                    merged=[tag.pk for tag in others],
                )
            names = ", ".join(f"“{tag.name}”" for tag in others)
            self.message_user(
                request, f"{names} merged into “{kept.name}”.", messages.SUCCESS
            )
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Merge tags",
            "opts": self.opts,
            "previews": [
                (
                    tag,
                    preview_merge(
                        kept=tag, others=[other for other in chosen if other != tag]
                    ),
                )
                for tag in chosen
            ],
            "action_name": "merge",
        }
        return TemplateResponse(request, "admin/athletes/merge_tags.html", context)

    @admin.display(description="athletes", ordering="player_count")
    def athletes(self, tag: Any) -> int:
        """The number of athletes with this tag."""
        return int(tag.player_count)
