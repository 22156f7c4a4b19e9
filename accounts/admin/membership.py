"""Members of teams, and the audit entries of who joined and who left."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from accounts.admin_lists import user_of
from accounts.audit import record
from accounts.models import Action, Team, User


def ids_of(related: Any) -> set[int]:
    """The keys of the rows in a queryset or related manager."""
    return set(related.values_list("pk", flat=True))


def teams_of(user: User) -> set[int]:
    """The keys of the teams that a user is a member of."""
    return ids_of(Team.objects.filter(members=user))


def record_members(
    request: HttpRequest, subject: Model, changes: dict[str, tuple[set[int], set[int]]]
) -> None:
    """Write into the audit trail who joined and who left a team.

    Teams decide which athletes a coach sees. `changes` has by name the keys before
    and after.
    """
    told: dict[str, Any] = {}
    for name, (before, after) in changes.items():
        if after - before:
            told[f"{name}_added"] = sorted(after - before)
        if before - after:
            told[f"{name}_removed"] = sorted(before - after)
    if told:
        record(Action.RECORD_CHANGED, by=user_of(request), subject=subject, **told)
