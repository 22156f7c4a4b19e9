"""Who may see and change what: the one place that decides.

Every lookup of an athlete, a session or a movement, in pages and programs alike,
begins with one of the querysets here, so that a rule that is added here holds
everywhere. What a user may not see answers 404: even its existence is private.
"""

from __future__ import annotations

from typing import Any, Protocol

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from athletes.models import Movement, Player, Session, Tag
from athletes.querysets import MovementQuerySet, PlayerQuerySet, SessionQuerySet


class Viewer(Protocol):
    """Whoever looks: a logged-in user, or a program by its token.

    `team_limit` gives the teams whose athletes may be seen, None for no limit; who
    has no such method (somebody who is not logged in) sees nobody.
    """

    @property
    def is_authenticated(self) -> Any: ...
    @property
    def is_active(self) -> bool: ...


def _may_enter(user: Viewer) -> bool:
    return bool(user.is_authenticated and user.is_active)


def _player_ids(user: Viewer) -> QuerySet[Any, Any] | None:
    """Ids of the athletes of the user's teams; None where there is no limit."""
    limit = user.team_limit()  # type: ignore[attr-defined]
    if limit is None:
        return None
    members: QuerySet[Any, Any] = Player.objects.filter(teams__in=limit).values("pk")
    return members


def sees_everybody(user: Viewer) -> bool:
    """Whether no team limits this user: what is said of any athlete may be shown."""
    return _may_enter(user) and _player_ids(user) is None


def compared_with(user: Viewer) -> PlayerQuerySet | None:
    """Whom this user's athletes may be held against; None for all of the facility.

    Who is limited to teams is told nothing that athletes outside have a part in: what
    he knows, and how a place moves the day one of them trains, would bound his number.
    """
    return None if sees_everybody(user) else visible_players(user)


def visible_players(user: Viewer) -> PlayerQuerySet:
    """Athletes that this user may see."""
    players: PlayerQuerySet = Player.objects.all()
    if not _may_enter(user):
        return players.none()
    ids = _player_ids(user)
    return players if ids is None else players.filter(pk__in=ids)


def visible_sessions(user: Viewer) -> SessionQuerySet:
    """Sessions of athletes that this user may see."""
    # A folded row (athletes.identity.merging) is shown by another one.
    sessions = Session.objects.filter(folded_into__isnull=True)
    if not _may_enter(user):
        return sessions.none()
    ids = _player_ids(user)
    return sessions if ids is None else sessions.filter(player__in=ids)


def visible_movements(user: Viewer) -> MovementQuerySet:
    """Movements of athletes that this user may see."""
    movements = Movement.objects.filter(session__folded_into__isnull=True)
    if not _may_enter(user):
        return movements.none()
    ids = _player_ids(user)
    return movements if ids is None else movements.filter(session__player__in=ids)


def visible_athlete_tags(user: Viewer) -> QuerySet[Tag]:
    """Tags on athletes that this user may see: what others are called is private."""
    return Tag.objects.filter(Exists(visible_players(user).filter(tags=OuterRef("pk"))))


def may_edit(user: Viewer) -> bool:
    """Whether notes, conditions, inclusions and events may be changed.

    Holds for rows that the user may see: a coach works with his own athletes.
    """
    return _may_enter(user)


def may_export(user: Viewer) -> bool:
    """Whether frames and numbers may be downloaded as files."""
    return _may_enter(user)


def may_administer(user: Viewer) -> bool:
    """Whether master data may be corrected and syncs started."""
    return _may_enter(user) and bool(getattr(user, "is_staff", False))


def require_edit(user: Viewer) -> None:
    """Refuse (403) a user who may look but not change."""
    if not may_edit(user):
        raise PermissionDenied("You may look at this but not change it.")


def get_player_or_404(user: Viewer, pk: int) -> Player:
    """The athlete, if this user may see him."""
    player = visible_players(user).filter(pk=pk).first()
    if player is None:
        raise Http404("There is no such athlete, or you may not see it.")
    return player


def merged_into(user: Viewer, pk: int) -> int | None:
    """The athlete that a record was merged into, if this user may see him."""
    return (
        visible_players(user)
        .filter(aliases__pk=pk)
        .values_list("pk", flat=True)
        .first()
    )


def folded_into(user: Viewer, pk: int) -> int | None:
    """The session row that shows a folded one, if this user may see it."""
    return (
        visible_sessions(user)
        .filter(folded__pk=pk)
        .values_list("pk", flat=True)
        .first()
    )


def get_session_or_404(user: Viewer, pk: int) -> Session:
    """The session with its athlete, if this user may see it."""
    session = visible_sessions(user).select_related("player").filter(pk=pk).first()
    if session is None:
        raise Http404("There is no such session, or you may not see it.")
    return session


def get_movement_or_404(user: Viewer, pk: int) -> Movement:
    """The movement with its session and athlete, if this user may see it."""
    movement = (
        visible_movements(user).select_related("session__player").filter(pk=pk).first()
    )
    if movement is None:
        raise Http404("There is no such swing, or you may not see it.")
    return movement
