"""The athletes before and after one in the order of their latest sessions."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

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
    dated = sessions.filter(session_date__isnull=False)
    own = (
        dated.filter(player_id=player_id)
        .order_by("-session_date", "-pk")
        .values_list("session_date", "pk")
        .first()
    )
    if own is None:
        return NextAthletes(None, None)
    day, pk = own
    later = sessions.filter(player_id=OuterRef("player_id")).filter(
        Q(session_date__gt=OuterRef("session_date"))
        | Q(session_date=OuterRef("session_date"), pk__gt=OuterRef("pk"))
    )
    latest = dated.exclude(player_id=player_id).filter(~Exists(later))
    latest = latest.select_related("player").only(
        "session_date", "player__first_name", "player__last_name"
    )
    return NextAthletes(
        previous=latest.filter(Q(session_date__gt=day) | Q(session_date=day, pk__gt=pk))
        .order_by("session_date", "pk")
        .first(),
        next=latest.filter(Q(session_date__lt=day) | Q(session_date=day, pk__lt=pk))
        .order_by("-session_date", "-pk")
        .first(),
    )
