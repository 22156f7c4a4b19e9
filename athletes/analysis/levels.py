"""The playing level of athletes: what staff recorded last, up to a day."""

from __future__ import annotations

import datetime as dt

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from athletes.models import AthleteLevel, Level
from athletes.querysets import PlayerQuerySet


def level_of(player_id: int, on: dt.date | None = None) -> Level | None:
    """The athlete's level on a day (today); None where none is recorded up to it."""
    rows = AthleteLevel.objects.filter(
        player=player_id, since__lte=on or timezone.localdate()
    )
    row = rows.select_related("level").order_by("-since", "-id").first()
    return row.level if row is not None else None


def at_level(
    players: PlayerQuerySet, level: Level, on: dt.date | None = None
) -> PlayerQuerySet:
    """Those of the athletes who are at this level on a day (today)."""
    until = AthleteLevel.objects.filter(since__lte=on or timezone.localdate())
    latest = until.filter(player=OuterRef("pk")).order_by("-since", "-id")
    # Who never was at the level is not looked at.
    ever = until.filter(level=level).values("player")
    return (
        players.filter(pk__in=ever)
        .alias(level_now=Subquery(latest.values("level")[:1]))
        .filter(level_now=level.pk)
    )
