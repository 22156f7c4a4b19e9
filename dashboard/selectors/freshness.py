"""How old an athlete's data are, against what the facility expects.

It is about the day of the latest session alone; whether the data of a session are
complete is another question (`DataState`).
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone

from athletes.querysets import PlayerQuerySet


class Freshness(TextChoices):
    """The age of the latest session in one word."""

    FRESH = "fresh", "Fresh"
    AGING = "aging", "Getting old"
    OLD = "old", "Old"
    NEVER = "never", "Never"


def _bounds() -> tuple[dt.date, dt.date]:
    """The first day of what is fresh, and of what is getting old, where we are."""
    today = timezone.localdate()
    return (
        today - dt.timedelta(days=settings.FRESH_DAYS),
        today - dt.timedelta(days=settings.OLD_DAYS),
    )


def freshness_of(last_session_on: dt.date | None) -> Freshness:
    """How old the data of an athlete are whose latest session was on this day."""
    if last_session_on is None:
        return Freshness.NEVER
    fresh_from, aging_from = _bounds()
    if last_session_on >= fresh_from:
        return Freshness.FRESH
    return Freshness.AGING if last_session_on >= aging_from else Freshness.OLD


def of_freshness(players: PlayerQuerySet, wanted: str) -> PlayerQuerySet:
    """Those of the athletes whose data are of this age; all for an unknown word."""
    fresh_from, aging_from = _bounds()
    if wanted == Freshness.NEVER:
        return players.filter(last_session_on__isnull=True)
    if wanted == Freshness.FRESH:
        return players.filter(last_session_on__gte=fresh_from)
    if wanted == Freshness.AGING:
        return players.filter(
            last_session_on__lt=fresh_from, last_session_on__gte=aging_from
        )
    if wanted == Freshness.OLD:
        return players.filter(last_session_on__lt=aging_from)
    return players
