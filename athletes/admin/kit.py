"""What these lists share: look at everything, edit what edits cannot corrupt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_q.tasks import async_task

from accounts.adminkit import (
    BoundedPaginator,
    ChoosingPaginator,
    OnePassChangeList,
)
from accounts.models import User
from athletes.models import Player, Session

MISSING = ("missing_since", admin.EmptyFieldListFilter)

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin


#: What one action takes at once: each athlete is work for the queue.
AT_ONCE = 200


def too_many(
    model_admin: Any, request: HttpRequest, rows: QuerySet[Any], limit: int = AT_ONCE
) -> bool:
    """Tell the user when more rows are chosen than one action takes."""
    if rows.order_by()[: limit + 1].count() <= limit:
        return False
    model_admin.message_user(
        request, f"Choose at most {limit} at once; nothing was done.", messages.ERROR
    )
    return True


class Quick(Base):
    """Lists of tables that may have millions of rows."""

    paginator = BoundedPaginator
    # Counts beside each filter would read the table once for each.
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[OnePassChangeList]:
        return OnePassChangeList

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kw: Any
    ) -> Any:
        match = request.resolver_match
        if match and match.url_name == "autocomplete":
            return ChoosingPaginator(queryset, per_page, *args, **kw)
        return super().get_paginator(request, queryset, per_page, *args, **kw)


class NoHandMade(Quick):
    """Rows that come from the vendor: never added here, never deleted here.

    A deleted row would come back with the next sync, without what people had
    decided about it.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(NoHandMade):
    """Rows that follow from others or record what happened."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def link(url_name: str, pk: int, text: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(url_name, args=[pk]), text)


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def recompute_later(player_ids: Iterable[int]) -> None:
    ids = list(player_ids)

    def enqueue() -> None:
        for pk in ids:
            async_task("athletes.tasks.recompute_player", pk)

    transaction.on_commit(enqueue)


def sessions_by(search_term: str) -> Q:
    """Sessions of one vendor id, or of the athletes whom the words mean.

    The athletes are asked for first: together with the sessions, a database reads
    all of both.
    """
    term = search_term.strip()
    if not term:
        return Q()
    meant = Player.objects.filter(org_player_id=term)
    ids = {*meant.values_list("pk", flat=True)}
    ids.update(Player.objects.named_like(term).values_list("pk", flat=True)[:200])
    return Q(session_id=term) | Q(player__in=ids)


class BySession(ReadOnly):
    """Rows of sessions, found by the session or the athlete.

    A search of the rows themselves would read millions of them.
    """

    #: From a row to its session.
    session_path = "session"
    #: Links from a session to its rows (`ShownColumnsOnly`).
    link_paths: tuple[str, ...] = ("session",)
    #: Order within one session; all sessions have `ordering`, backwards as an index
    #: runs: forwards here and backwards there, SQLite sorts the whole table.
    ordering_within: tuple[str, ...] = ()
    # Millions of rows, and no index for these columns.
    sortable_by = ()
    search_fields = ["session__session_id"]
    search_help_text = "Athlete's name, or the vendor's id of a session."

    def get_ordering(self, request: HttpRequest) -> Any:
        if f"{self.session_path}__id__exact" in request.GET and self.ordering_within:
            return self.ordering_within
        return super().get_ordering(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        sessions = Session.objects.filter(sessions_by(search_term))
        ids = list(sessions.values_list("pk", flat=True)[:1_000])
        return queryset.filter(**{f"{self.session_path}__in": ids}), False
