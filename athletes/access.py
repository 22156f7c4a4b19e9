"""Who may see and change what: all rules of access stand here.

Every lookup of an athlete, a session or a movement, by pages and by the JSON API,
begins with one of the querysets here, so that a rule that is added here holds
everywhere. What a user may not see answers 404: even its existence is private.

Lists, counts and averages begin with `visible_…`: what the vendor no longer has is not
among them. Only who asks for one row, or for all that is stored, begins with `kept_…`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from athletes.kept_questions import alike, kept_question
from athletes.models import Goal, Movement, Note, Player, Session, SetAside, Tag
from athletes.querysets import MovementQuerySet, PlayerQuerySet, SessionQuerySet


class Viewer(Protocol):
    """Somebody who looks: a logged-in user, or a program with its token.

    `team_limit` gives the teams whose athletes may be seen, None for no limit. A viewer
    without such a method is not logged in and sees nobody.
    """

    @property
    def is_authenticated(self) -> Any:
        """Whether the viewer is logged in."""
        ...

    @property
    def is_active(self) -> bool:
        """Whether the viewer's account is in use."""
        ...


def _may_enter(user: Viewer) -> bool:
    """Whether the viewer is logged in with an account that is in use."""
    return bool(user.is_authenticated and user.is_active)


def _player_ids(user: Viewer) -> QuerySet[Any, Any] | None:
    """The keys of the athletes of the user's teams; None for no limit."""
    limit = user.team_limit()  # type: ignore[attr-defined]
    if limit is None:
        return None
    members: QuerySet[Any, Any] = Player.objects.filter(teams__in=limit).values("pk")
    return members


def sees_everybody(user: Viewer) -> bool:
    """Whether this user may see all athletes, because no team limits them."""
    return _may_enter(user) and _player_ids(user) is None


def compared_with(user: Viewer) -> PlayerQuerySet | None:
    """The athletes with whom a percentile may compare; None for all of the facility.

    A coach who is limited to teams gets no percentile that counts athletes of other
    teams: with what the coach knows, and by how it moves on the day such an athlete
    trains, it would tell about that athlete's numbers.
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
    """Sessions of athletes that this user may see, and that the vendor still has."""
    if sees_everybody(user):
        return alike(_present_sessions())
    return kept_sessions(user).present()


@cache
def _sessions() -> SessionQuerySet:
    """All sessions but folded ones, each shown by another (`session_parts`)."""
    return Session.objects.filter(folded_into__isnull=True)


@cache
def _present_sessions() -> SessionQuerySet:
    return _sessions().present()


def kept_sessions(user: Viewer) -> SessionQuerySet:
    """Sessions that this user may see, gone ones too."""
    if not _may_enter(user):
        return _sessions().none()
    ids = _player_ids(user)
    return alike(_sessions()) if ids is None else _sessions().filter(player__in=ids)


def visible_movements(user: Viewer) -> MovementQuerySet:
    """Movements of athletes that this user may see, and that the vendor still sends."""
    if sees_everybody(user):
        return alike(_present_movements())
    return kept_movements(user).present()


@cache
def _movements() -> MovementQuerySet:
    """All movements but those of folded sessions."""
    return Movement.objects.filter(session__folded_into__isnull=True)


@cache
def _present_movements() -> MovementQuerySet:
    return _movements().present()


def kept_movements(user: Viewer) -> MovementQuerySet:
    """Movements that this user may see, gone ones too."""
    if not _may_enter(user):
        return _movements().none()
    ids = _player_ids(user)
    if ids is None:
        return alike(_movements())
    return _movements().filter(session__player__in=ids)


def visible_set_aside(user: Viewer) -> QuerySet[SetAside]:
    """Decisions set aside, about athletes that this user may see, still to be settled.

    Those about a swing that is gone by now wait until it is back.
    """
    return SetAside.objects.filter(
        movement__in=visible_movements(user), settled_at=None
    )


def kept_notes(user: Viewer) -> QuerySet[Note]:
    """Notes on athletes and sessions that this user may see, gone sessions too."""
    return Note.objects.filter(
        Q(session__in=kept_sessions(user)) | Q(player__in=visible_players(user))
    )


def visible_session_tags(user: Viewer) -> QuerySet[Tag]:
    """Tags on sessions that this user may see; the tags of others are private."""
    return Tag.objects.filter(
        Exists(visible_sessions(user).filter(tags=OuterRef("pk")))
    )


def visible_athlete_tags(user: Viewer) -> QuerySet[Tag]:
    """Tags on athletes that this user may see; the tags of others are private."""
    return Tag.objects.filter(Exists(visible_players(user).filter(tags=OuterRef("pk"))))


def may_edit(user: Viewer) -> bool:
    """Whether this user may change notes, setups, inclusions and events.

    This holds for rows that the user may see: coaches work with their own athletes.
    """
    return _may_enter(user)


def may_export(user: Viewer) -> bool:
    """Whether this user may download frames and numbers as files."""
    return _may_enter(user)


def may_administer(user: Viewer) -> bool:
    """Whether this user may correct master data, and start and repair syncs."""
    return _may_enter(user) and bool(getattr(user, "is_staff", False))


def may_start_sync(user: Viewer) -> bool:
    """Whether this user may ask for what is new: staff, and coaches unless refused."""
    return may_administer(user) or (
        _may_enter(user) and bool(getattr(user, "may_start_sync", False))
    )


def require_edit(user: Viewer) -> None:
    """Do nothing for a user who may make changes, and refuse every other.

    Raises
    ------
    django.core.exceptions.PermissionDenied
        Answered with status 403.
    """
    if not may_edit(user):
        raise PermissionDenied("You can view this but not change it.")


def get_goal_or_404(user: Viewer, pk: int) -> Goal:
    """The goal with its athlete, if this user may see them; else the answer is 404."""
    goals = Goal.objects.filter(player__in=visible_players(user))
    goal = goals.select_related("player").filter(pk=pk).first()
    if goal is None:
        raise Http404("That goal doesn't exist, or you can't see it.")
    return goal


def may_reword(user: Viewer, note: Note | Goal) -> bool:
    """Whether this user may edit a note: who wrote it alone."""
    return may_edit(user) and note.created_by_id == getattr(user, "pk", None)


def may_delete(user: Viewer, note: Note | Goal) -> bool:
    """Whether this user may delete a note or a goal: who wrote it, and staff."""
    return may_reword(user, note) or may_administer(user)


def get_note_or_404(user: Viewer, pk: int) -> Note:
    """The note with its athlete, session and writer, if this user may see it."""
    related = ("created_by", "player", "session__player", "movement")
    note = kept_notes(user).select_related(*related).filter(pk=pk).first()
    if note is None:
        raise Http404("That note doesn't exist, or you can't see it.")
    return note


def get_player_or_404(user: Viewer, pk: int) -> Player:
    """The athlete, if this user may see them; else the answer is 404."""
    found = _player(visible_players(user), pk)
    if not found:
        raise Http404("That athlete doesn't exist, or you can't see them.")
    return found[0]


@kept_question
def _player(players: PlayerQuerySet, pk: int) -> PlayerQuerySet:
    return players.filter(pk=pk)


@kept_question
def _session(sessions: SessionQuerySet, pk: int) -> SessionQuerySet:
    return sessions.select_related("player").filter(pk=pk)


@kept_question
def _movement(movements: MovementQuerySet, pk: int) -> MovementQuerySet:
    return movements.select_related("session__player").filter(pk=pk)


def merged_into(user: Viewer, pk: int) -> int | None:
    """The key of the athlete that a record was merged into, if they may be seen."""
    return (
        visible_players(user)
        .filter(aliases__pk=pk)
        .values_list("pk", flat=True)
        .first()
    )


def folded_into(user: Viewer, pk: int) -> int | None:
    """The key of the row that shows a folded session, if the user may see it."""
    return (
        kept_sessions(user).filter(folded__pk=pk).values_list("pk", flat=True).first()
    )


def get_session_or_404(user: Viewer, pk: int) -> Session:
    """The session with its athlete, if this user may see it; else the answer is 404.

    One that the vendor no longer has is kept to look at.
    """
    found = _session(kept_sessions(user), pk)
    if not found:
        raise Http404("That session doesn't exist, or you can't see it.")
    return found[0]


def get_movement_or_404(user: Viewer, pk: int) -> Movement:
    """The movement with session and athlete, if this user may see it; else 404.

    One that the vendor no longer sends is kept to look at.
    """
    found = _movement(kept_movements(user), pk)
    if not found:
        raise Http404("That swing doesn't exist, or you can't see it.")
    return found[0]
