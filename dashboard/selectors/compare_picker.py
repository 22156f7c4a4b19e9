"""Athletes, their sessions and swings that can be added to a comparison."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from athletes.access import Viewer, visible_movements, visible_players
from athletes.analysis.event_rules import event_rules
from athletes.analysis.marked_swings import TYPICAL_BY, fastest_swing, typical_swing
from athletes.analysis.means_by_side import side_of
from athletes.frames.curves import load_curves
from athletes.kept_questions import kept_question
from athletes.models import Movement, Player
from athletes.phrases import setup_words, side_in_words
from athletes.querysets import PlayerQuerySet
from dashboard.phrases import session_day
from dashboard.selectors.compare_choices import (
    Choice,
    Known,
    choices_of_athlete,
    session_words,
)
from dashboard.selectors.compare_keys import SESSION, SWING, ItemKey
from dashboard.selectors.compare_sets import SessionRow
from dashboard.selectors.header_search import athletes_named
from dashboard.selectors.session_groups import Part

PICK_ATHLETES, PICK_SESSIONS = 8, 10


@dataclass(frozen=True)
class PickAsked:
    """What the address asks of the picker.

    `text` is looked for in names; `athlete` is the one whose sessions are listed, from
    `page` of them, and `session` the one whose swings are.
    """

    text: str = ""
    athlete: int | None = None
    page: int = 1
    session: int | None = None


@dataclass(frozen=True)
class PickSwing:
    """One swing that can be added, with its marks: `typical, fastest by bat speed`."""

    key: ItemKey
    label: str
    marks: str


@dataclass(frozen=True)
class PickSession:
    """A session that can be added, with its swings where they are asked for."""

    pk: int
    key: ItemKey
    label: str
    detail: str
    swings: tuple[PickSwing, ...] = ()


@dataclass(frozen=True)
class PickAthlete:
    """The athlete whose sessions are listed: some of all of them, newest first."""

    pk: int
    name: str
    choices: tuple[Choice, ...]
    sessions: tuple[PickSession, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages of sessions there are."""
        return max(1, -(-self.total // PICK_SESSIONS))

    @property
    def first(self) -> int:
        """The number of the first session on this page."""
        return (self.page - 1) * PICK_SESSIONS + 1


@dataclass(frozen=True)
class Picker:
    """What can be added: athletes of that name, and one of them in full.

    `is_nearly` where nobody has that name, and `found` have a similar one.
    """

    text: str
    found: tuple[tuple[int, str], ...]
    has_more: bool
    athlete: PickAthlete | None
    is_nearly: bool = False


@kept_question
def _player(players: PlayerQuerySet, pk: int) -> PlayerQuerySet:
    return players.filter(pk=pk)


def opened_athlete(user: Viewer, asked: PickAsked) -> tuple[Picker, Player | None]:
    """The athletes whose name fits, and the one whose sessions are to be listed.

    That is the only one that fits, or the one that is asked for if the name fits; where
    no name is looked for, the one that is asked for. Typing errors are forgiven as the
    search of the header forgives them.
    """
    found: list[Player] = []
    is_nearly = False
    if asked.text.strip():
        found, is_nearly = athletes_named(user, asked.text, PICK_ATHLETES + 1)
    shown = found[:PICK_ATHLETES]
    player = found[0] if len(found) == 1 else None
    if len(found) > 1:
        player = next((one for one in found if one.pk == asked.athlete), None)
    elif not asked.text.strip() and asked.athlete is not None:
        known = _player(visible_players(user), asked.athlete)
        player = known[0] if known else None
    names = tuple((one.pk, one.full_name) for one in shown)
    has_more = len(found) > len(shown)
    return Picker(asked.text, names, has_more, None, is_nearly), player


def athlete_to_pick(
    user: Viewer, player: Player, asked: PickAsked, known: Known, today: dt.date
) -> PickAthlete:
    """One athlete with a page of their sessions; two queries if swings are listed."""
    rows = known.rows.get(player.pk, [])
    pages = max(1, -(-len(rows) // PICK_SESSIONS))
    page = min(max(1, asked.page), pages)
    start = (page - 1) * PICK_SESSIONS
    return PickAthlete(
        player.pk,
        player.full_name,
        choices_of_athlete(player.pk, known, today),
        tuple(
            _session(user, row, with_swings=row.pk == asked.session)
            for row in rows[start : start + PICK_SESSIONS]
        ),
        len(rows),
        page,
    )


def _session(user: Viewer, row: SessionRow, *, with_swings: bool) -> PickSession:
    return PickSession(
        row.pk,
        ItemKey(SESSION, row.pk),
        session_day(row.day, "Undated session"),
        session_words(row),
        _swings(user, row.pk) if with_swings else (),
    )


def _swings(user: Viewer, session: int) -> tuple[PickSwing, ...]:
    """The swings of a session with their marks, by the rules of the session's page."""
    swings = [
        movement
        for movement in visible_movements(user)
        .filter(session_id=session)
        .in_session_order()
        .select_related("session")
        .defer(
            *("verdict", "metadata", "vendor_metrics", "quality_reasons"),
            "session__summary",
        )
        if movement.is_swing
    ]
    by_part: dict[Part, list[Movement]] = {}
    for swing in swings:
        if swing.is_counted:
            by_part.setdefault(Part(side_of(swing), swing.setup), []).append(swing)
    counted = {swing.pk for own in by_part.values() for swing in own}
    stored = load_curves(counted, TYPICAL_BY)
    typical = {
        typical_swing(
            {swing.pk: swing.events for swing in own},
            {swing.pk: event_rules(swing).get("reference", "") for swing in own},
            stored,
        )
        for own in by_part.values()
    }
    fastest = {
        found.movement_id: f"fastest by {found.definition.short.lower()}"
        for own in by_part.values()
        if (found := fastest_swing(own)) is not None
    }
    several = len({side_of(swing) for swing in swings}) > 1
    is_mixed = len({swing.setup for swing in swings}) > 1
    return tuple(
        PickSwing(
            ItemKey(SWING, swing.pk),
            f"Swing {swing.position}",
            ", ".join(
                [
                    *([side_in_words(side_of(swing))] if several else []),
                    *([setup_words(swing.setup)] if is_mixed else []),
                    *(["typical"] if swing.pk in typical else []),
                    *([fastest[swing.pk]] if swing.pk in fastest else []),
                    *([] if swing.is_counted else ["excluded"]),
                ]
            ),
        )
        for swing in swings
    )
