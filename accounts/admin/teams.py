"""Teams: which athletes a coach sees."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts.admin.membership import ids_of, record_members
from accounts.admin_lists import ModelAdmin
from accounts.audit import record
from accounts.models import Action, Team, User
from accounts.services import (
    revoke_token,
)


@admin.register(Team)
class TeamAdmin(ModelAdmin):
    """Groups of athletes and their coaches."""

    list_display = ("name", "athletes", "coaches")
    search_fields = ("name",)
    autocomplete_fields = ("players", "members")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        """Return the teams, each with its number of athletes and coaches."""
        teams: QuerySet[Team] = super().get_queryset(request)
        return teams.annotate(
            athlete_count=Count("players", distinct=True),
            coach_count=Count("members", distinct=True),
        )

    def save_model(
        self, request: HttpRequest, obj: Team, form: Any, change: bool
    ) -> None:
        """Save the team and record which of its own fields changed."""
        super().save_model(request, obj, form, change)
        fields = sorted(set(form.changed_data) - {"players", "members"})
        if fields:
            by = cast(User, request.user)
            record(Action.RECORD_CHANGED, by=by, subject=obj, fields=fields)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        """Save athletes and coaches of the team and record who came and went."""
        team: Team = form.instance
        players, members = ids_of(team.players), ids_of(team.members)
        super().save_related(request, form, formsets, change)
        changes = {
            "athletes": (players, ids_of(team.players)),
            "coaches": (members, ids_of(team.members)),
        }
        record_members(request, team, changes)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Say what is deleted with a team; Django would list each membership."""
        going: list[Any] = []
        counts = {"teams": 0, "API tokens": 0}
        for team in objs:
            tokens = list(team.tokens.filter(revoked_at__isnull=True))
            members = team.members.filter(limited_to_teams=True, is_staff=False)
            blind = members.exclude(teams__in=Team.objects.exclude(pk=team.pk))
            going.append(f"Team: {team}")
            going.append(
                [
                    f"Athletes who leave the team: {team.players.count()}; they and "
                    "their data stay",
                    *(f"API token ends: {token}" for token in tokens),
                    *(f"Will see no athletes: {user}" for user in blind),
                ]
            )
            counts["teams"] += 1
            counts["API tokens"] += len(tokens)
        return going, {k: n for k, n in counts.items() if n}, set(), []

    def delete_model(self, request: HttpRequest, obj: Team) -> None:
        """Delete the team and revoke the API tokens that are limited to it."""
        by = cast(User, request.user)
        for token in obj.tokens.all():
            revoke_token(token, by=by)
        record(Action.RECORD_DELETED, by=by, subject=obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Team]) -> None:
        """Delete the chosen teams one by one, so that each is recorded."""
        for team in Team.objects.filter(pk__in=queryset.values("pk")):
            self.delete_model(request, team)

    @admin.display(ordering="athlete_count")
    def athletes(self, team: Any) -> int:
        """Return the number of athletes in the team."""
        return int(team.athlete_count)

    @admin.display(ordering="coach_count")
    def coaches(self, team: Any) -> int:
        """Return the number of coaches in the team."""
        return int(team.coach_count)
