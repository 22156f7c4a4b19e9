"""Lists of rows that belong to sessions, found by session or athlete."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.admin_lists import ReadOnlyAdmin
from athletes.models import Player, Session


def sessions_by(search_term: str) -> Q:
    """The condition for sessions with this vendor id, or of athletes so named.

    The athletes are looked up first: together with the sessions, a database reads
    all of both. Typing errors are forgiven where nothing else has the term.
    """
    term = search_term.strip()
    if not term:
        return Q()
    meant = Player.objects.filter(org_player_id=term)
    ids = {*meant.values_list("pk", flat=True)}
    ids.update(Player.objects.named_like(term).values_list("pk", flat=True)[:200])
    if not ids and not Session.objects.filter(session_id=term).exists():
        ids.update(Player.objects.nearly_named(term).values_list("pk", flat=True))
    return Q(session_id=term) | Q(player__in=ids)


class BySessionAdmin(ReadOnlyAdmin):
    """The admin of rows that belong to sessions, found by session or athlete.

    A search of the rows themselves would read millions of them.
    """

    #: The lookup that leads from a row to its session.
    session_path = "session"
    #: Links from a session to its rows (`ShownColumnsOnly`).
    link_paths: tuple[str, ...] = ("session",)
    #: The order within one session. Over all sessions it is `ordering`, which runs
    #: backwards in every column as an index can: with mixed directions SQLite would
    #: sort the whole table.
    ordering_within: tuple[str, ...] = ()
    # No column can be sorted by: there are millions of rows and no index for them.
    sortable_by = ()
    search_fields = ["session__session_id"]
    search_help_text = "Athlete's name, or Reboot Motion's session ID."

    def get_ordering(self, request: HttpRequest) -> Any:
        """The order of the list: another one within one session."""
        if f"{self.session_path}__id__exact" in request.GET and self.ordering_within:
            return self.ordering_within
        return super().get_ordering(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows of the sessions that the words mean; False: none comes twice."""
        if not search_term.strip():
            return queryset, False
        sessions = Session.objects.filter(sessions_by(search_term))
        ids = list(sessions.values_list("pk", flat=True)[:1_000])
        return queryset.filter(**{f"{self.session_path}__in": ids}), False
