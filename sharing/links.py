"""Share links: made, opened, revoked.

A link opens what its maker may see and export at that moment, asked of the one place
that decides (`athletes.access`): a maker who is switched off, or who lost the athlete,
takes the link along, and has it back with the athlete.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.audit import record
from accounts.models import Action, Units, User, usual_paper
from athletes import access
from athletes.models import Player, Session
from sharing.models import ShareLink
from sharing.sheet import Sheet, athlete_sheet, session_sheet, short_name

DEFAULT_DAYS = 14
#: As many as have use; a list of hundreds hides the one that should be revoked.
MOST_RUNNING = 25


class TooManyLinksError(ValueError):
    """The athlete has as many running links as are allowed: revoke one first."""


class OpenedAlreadyError(ValueError):
    """A link that is in use, or gone, gets no other secret."""


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """A link that works now, with the athlete or session that it opens."""

    link: ShareLink
    player: Player
    session: Session | None

    def units(self, asked: str = "") -> str:
        """The units that the reader asked for, else those of the link."""
        return asked if asked in Units.values else self.link.units

    def paper(self, units: str) -> str:
        """The maker's paper; for a reader of other units the usual one of those."""
        chosen = self.link.created_by.paper if units == self.link.units else ""
        return usual_paper(units, chosen)

    def sheet(self, side: str = "", units: str = "") -> Sheet:
        """The sheet with as much of the name as was chosen.

        `side` (`right`, `left`) chooses the swings of a switch hitter, `units` those of
        the reader.
        """
        units = self.units(units)
        sessions = access.visible_sessions(self.link.created_by)
        name = self.player.full_name if self.link.full_name else short_name(self.player)
        if self.session is not None:
            return session_sheet(
                self.session, sessions, units=units, name=name, side=side
            )
        return athlete_sheet(self.player, sessions, units=units, name=name, side=side)


@transaction.atomic
def make_link(
    *,
    by: User,
    player: Player,
    session: Session | None = None,
    days: int = DEFAULT_DAYS,
    label: str = "",
    full_name: bool = False,
) -> tuple[ShareLink, str]:
    """Make a share link; return it and its secret, which is not stored.

    Raises `TooManyLinksError` beyond `MOST_RUNNING` links of one athlete.
    """
    if not 1 <= days <= settings.SHARE_DAYS_MAX:
        raise ValueError(
            f"A link lasts 1 to {settings.SHARE_DAYS_MAX} days, not {days}."
        )
    # Two requests at once would both find room for one more.
    get_object_or_404(Player.objects.select_for_update(), pk=player.pk)
    if ShareLink.objects.running().filter(player=player).count() >= MOST_RUNNING:
        raise TooManyLinksError(
            f"This athlete has {MOST_RUNNING} active links: revoke one first."
        )
    token = secrets.token_urlsafe(32)
    link = ShareLink.objects.create(
        player=player,
        session=session,
        digest=ShareLink.digest_of(token),
        label=label,
        full_name=full_name,
        units=by.units,
        created_by=by,
        expires_at=timezone.now() + timedelta(days=days),
    )
    record(
        Action.SHARE_CREATED,
        by=by,
        subject=link,
        player_id=player.pk,
        what="session sheet" if session else "athlete sheet",
        days=days,
        full_name=full_name,
    )
    return link, token


def renew_secret(pk: int, *, by: User) -> str:
    """Give a link of one's own that nobody has opened another secret; returns that.

    For the maker who never saw the first one. Raises `OpenedAlreadyError` where the
    link was opened, was revoked or has expired.
    """
    token = secrets.token_urlsafe(32)
    unused = ShareLink.objects.running().filter(
        pk=pk, created_by=by, open_count=0, download_count=0
    )
    if not unused.update(digest=ShareLink.digest_of(token)):
        raise OpenedAlreadyError(
            "This link was already created and used: see the list below. Change its "
            "name to create another one."
        )
    return token


def find(token: str) -> OpenedLink | None:
    """Return what a link opens now; None if unknown, expired, revoked or lost."""
    link = (
        ShareLink.objects.running()
        .filter(digest=ShareLink.digest_of(token))
        .select_related("created_by", "player", "session")
        .first()
    )
    if link is None or not access.may_export(link.created_by):
        return None
    if link.session is not None:
        session = (
            access.visible_sessions(link.created_by)
            # Of a session that was folded into another one, that other one.
            .filter(pk=link.session.whole_id)
            .select_related("player")
            .first()
        )
        return OpenedLink(link, session.player, session) if session else None
    # Of a record that was merged into another one, that other one.
    kept = link.player.merged_into_id or link.player_id
    player = access.visible_players(link.created_by).filter(pk=kept).first()
    return OpenedLink(link, player, None) if player else None


def count(shared: OpenedLink, what: Literal["page", "PDF"]) -> None:
    """Add one opening to the link's counters and to the audit trail."""
    field = "open_count" if what == "page" else "download_count"
    # Counted by the database: two at once are two.
    ShareLink.objects.filter(pk=shared.link.pk).update(
        **{field: F(field) + 1}, last_opened_at=timezone.now()
    )
    record(
        Action.SHARE_OPENED,
        by=AnonymousUser(),
        subject=shared.link,
        player_id=shared.player.pk,
        what=what,
    )


def links_about(user: User, player: Player) -> QuerySet[ShareLink]:
    """An athlete's share links: those that `user` made, or all of them for staff."""
    links = ShareLink.objects.filter(
        Q(player=player) | Q(player__merged_into=player)
    ).select_related("created_by", "session")
    return links if access.may_administer(user) else links.filter(created_by=user)


def revoke(*, link: ShareLink, by: User) -> bool:
    """End a link; False when it was revoked already."""
    with transaction.atomic():
        changed = ShareLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(
            revoked_at=timezone.now()
        )
        if changed:
            record(Action.SHARE_REVOKED, by=by, subject=link, player_id=link.player_id)
    return bool(changed)
