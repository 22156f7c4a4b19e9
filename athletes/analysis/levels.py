"""The playing level of athletes: what staff recorded last, up to a day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from athletes.kept_questions import kept_question
from athletes.models import AthleteLevel, Level
from athletes.querysets import PlayerQuerySet


def level_of(player_id: int, on: dt.date | None = None) -> Level | None:
    """The athlete's level on a day (today); None where none is recorded up to it."""
    rows = _recorded(player_id, on or timezone.localdate())
    return rows[0].level if rows else None


@kept_question
def _recorded(player_id: int, until: dt.date) -> QuerySet[AthleteLevel]:
    """What was recorded last of an athlete, up to a day."""
    rows = AthleteLevel.objects.filter(player=player_id, since__lte=until)
    return rows.select_related("level").order_by("-since", "-id")[:1]


def ids_at_level(
    level: Level, on: dt.date | None = None
) -> QuerySet[AthleteLevel, Any]:
    """The keys of all athletes who are at this level on a day (today).

    A row of the level counts where the athlete has no later one up to that day, which
    the unique index of athlete and day answers.
    """
    until = AthleteLevel.objects.filter(since__lte=on or timezone.localdate())
    later = until.filter(player=OuterRef("player"), since__gt=OuterRef("since"))
    rows = until.filter(~Exists(later), level=level)
    return rows.order_by().values("player")


def at_level(
    players: PlayerQuerySet, level: Level, on: dt.date | None = None
) -> PlayerQuerySet:
    """Those of the athletes who are at this level on a day (today)."""
    return players.filter(pk__in=ids_at_level(level, on))
