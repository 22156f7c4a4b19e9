"""The athletes before and after one in the order of their latest sessions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from athletes.kept_questions import kept_question
from athletes.models import Session
from athletes.querysets import SessionQuerySet


@dataclass(frozen=True)
class NextAthletes:
    """The latest sessions of the athletes who stand beside one in the list at home."""

    previous: Session | None
    next: Session | None


def next_athletes(player_id: int, sessions: SessionQuerySet) -> NextAthletes:
    """Whom a coach looks at before and after this athlete; three queries.

    `sessions` are all that the reader may see. The athlete whose latest session is the
    latest of all comes first. An athlete without a dated session has no neighbors.
    """
    own = _own(sessions, player_id)
    if not own:
        return NextAthletes(None, None)
    previous = _previous(sessions, player_id, *own[0])
    following = _next(sessions, player_id, *own[0])
    return NextAthletes(
        previous[0] if previous else None, following[0] if following else None
    )


@kept_question
def _own(
    sessions: SessionQuerySet, player_id: int
) -> QuerySet[Session, tuple[Any, int]]:
    """Day and key of the athlete's latest session."""
    dated = sessions.filter(session_date__isnull=False, player_id=player_id)
    return dated.order_by("-session_date", "-pk").values_list("session_date", "pk")[:1]


@kept_question
def _previous(
    sessions: SessionQuerySet, player_id: int, day: dt.date, pk: int
) -> QuerySet[Session]:
    return (
        _latest_of_others(sessions, player_id)
        .filter(Q(session_date__gt=day) | Q(session_date=day, pk__gt=pk))
        .order_by("session_date", "pk")[:1]
    )


@kept_question
def _next(
    sessions: SessionQuerySet, player_id: int, day: dt.date, pk: int
) -> QuerySet[Session]:
    return (
        _latest_of_others(sessions, player_id)
        .filter(Q(session_date__lt=day) | Q(session_date=day, pk__lt=pk))
        .order_by("-session_date", "-pk")[:1]
    )


def _latest_of_others(sessions: SessionQuerySet, player_id: int) -> QuerySet[Session]:
    """The latest session of each other athlete."""
    later = sessions.filter(player_id=OuterRef("player_id")).filter(
        Q(session_date__gt=OuterRef("session_date"))
        | Q(session_date=OuterRef("session_date"), pk__gt=OuterRef("pk"))
    )
    dated = sessions.filter(session_date__isnull=False)
    latest = dated.exclude(player_id=player_id).filter(~Exists(later))
    return latest.select_related("player").only(
        "session_date", "player__first_name", "player__last_name"
    )
