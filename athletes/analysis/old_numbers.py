"""Numbers of former versions of the method: how many, and computing them again.

After an upgrade that changed the method, a schedule of the queue computes stored swings
again in small portions, the latest first, beside everything else the queue does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import F

from athletes.analysis import peer_numbers, usual_scatter
from athletes.analysis.run import analyze_session
from athletes.analysis.session_summary import refresh_session_summary
from athletes.analysis.summaries import refresh_player_summaries
from athletes.models import Movement, Session
from athletes.querysets import MovementQuerySet
from biomechanics.definitions import METHOD_VERSION

logger = logging.getLogger(__name__)

# Movements that are looked at for the next sessions to compute.
_LOOKED_AT = 500


@dataclass(frozen=True)
class Progress:
    """How many of the movements have numbers of the present method, of those due."""

    done: int
    total: int

    @property
    def remaining(self) -> int:
        """How many have numbers of a former method."""
        return self.total - self.done


def old_movements() -> MovementQuerySet:
    """Movements with numbers of a former version of the method.

    Without those that have none yet, which whoever brought them in computes, and
    without those of a later version: while hosts are restarted one after another, two
    versions must not compute each other's numbers again and again.
    """
    return Movement.objects.filter(method_version__in=_former_versions())


def _former_versions() -> list[str]:
    """The stored versions before the present one; a query of the index for each."""
    found: list[str] = []
    last = ""
    while True:
        following = Movement.objects.filter(method_version__gt=last)
        version = (
            following.order_by("method_version")
            .values_list("method_version", flat=True)
            .first()
        )
        if version is None:
            return found
        if _order_of(version) < _order_of(METHOD_VERSION):
            found.append(version)
        last = version


def _order_of(version: str) -> tuple[int, ...]:
    """A version such as `2026.10` as numbers, by which it is later than `2026.2`."""
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def progress() -> Progress | None:
    """How far computing again is; None where nothing is old."""
    old = old_movements().count()
    if not old:
        return None
    done = Movement.objects.filter(method_version=METHOD_VERSION).count()
    return Progress(done=done, total=done + old)


def recompute_some(seconds: float) -> int:
    """Compute old sessions again for about so long, one at least; returns how many.

    A session that cannot be computed does not keep the others from it: it is tried
    again the next time.
    """
    until = time.monotonic() + seconds
    count = 0
    players: set[int] = set()
    for session_pk, player_id in _old_sessions():
        if count and time.monotonic() >= until:
            break
        try:
            analyze_session(session_pk)
        except Exception:
            logger.exception(
                "The numbers of session %s could not be computed again. Report this "
                "error; the next run tries it again.",
                session_pk,
            )
            continue
        players.add(player_id)
        count += 1
    refresh_player_summaries(players)
    return count


def refresh_joined() -> int:
    """Store the averages of sessions again that know nothing of their swings' setups.

    A host of a release that knew no setup of a swing may have written one average over
    several while hosts were upgraded one after another. Returns how many there were.
    """
    own = (
        Movement.objects.present()
        .filter(
            is_swing=True,
            condition__isnull=False,
            session__folded_into=None,
            session__summary__setups__isnull=True,
        )
        .exclude(condition=F("session__condition"))
    )
    players = dict(own.values_list("session_id", "session__player_id"))
    for session_pk in sorted(players):
        refresh_session_summary(session_pk)
    athletes = set(players.values())
    if athletes:
        refresh_player_summaries(athletes)
        peer_numbers.refresh(athletes)
        usual_scatter.refresh(athletes)
    return len(players)


def _old_sessions() -> Iterator[tuple[int, int]]:
    """The sessions with old numbers that came in last, with their athletes."""
    newest = old_movements().order_by("-id").values_list("session_id", flat=True)
    wanted = list(dict.fromkeys(newest[:_LOOKED_AT]))
    rows = Session.objects.filter(pk__in=wanted).values_list("pk", "player_id")
    players = dict(rows)
    return ((pk, players[pk]) for pk in wanted if pk in players)
