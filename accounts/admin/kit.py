"""What the lists of accounts share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.audit import record
from accounts.models import Action, Team, User

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    # Django's own class takes no parameter at run time.
    Base = admin.ModelAdmin


def ids_of(related: Any) -> set[int]:
    return set(related.values_list("pk", flat=True))


def teams_of(user: User) -> set[int]:
    return ids_of(Team.objects.filter(members=user))


def record_members(
    request: HttpRequest, subject: Model, changes: dict[str, tuple[set[int], set[int]]]
) -> None:
    """Record who came and went: teams decide which athletes a coach sees."""
    told: dict[str, Any] = {}
    for name, (before, after) in changes.items():
        if after - before:
            told[f"{name}_added"] = sorted(after - before)
        if before - after:
            told[f"{name}_removed"] = sorted(before - after)
    if told:
        by = cast(User, request.user)
        record(Action.RECORD_CHANGED, by=by, subject=subject, **told)
