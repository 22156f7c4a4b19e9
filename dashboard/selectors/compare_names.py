"""What is compared, in words, without reading a swing's numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.formats import date_format

from athletes.access import (
    Viewer,
    kept_movements,
    kept_sessions,
    visible_players,
)
from athletes.analysis.means_by_side import side_key
from athletes.models import Condition, Movement, Player, Session
from athletes.phrases import side_in_words
from dashboard.phrases import session_day
from dashboard.selectors.compare_keys import ATHLETE, RANGE, SESSION, SWING, ItemKey

_SETUPS = dict(Condition.choices)


@dataclass(frozen=True)
class ItemName:
    """One thing to compare in words: `Ada Quill, swing 3` and `Mar 1, 2026`."""

    key: ItemKey
    label: str
    detail: str

    @property
    def text(self) -> str:
        """All of it in one line, for who does not see it."""
        return ", ".join(filter(None, (self.label, self.detail)))


def setup_words(condition: str) -> str:
    """The setup in words: `Tee`, or that none is recorded."""
    return str(_SETUPS.get(condition) or "No setup recorded")


def choice_words(key: ItemKey) -> list[str]:
    """The side and the setup that a key names, in words; none where it names none."""
    side = "" if key.side == side_key("") else key.side
    return [
        *([side_in_words(side)] if key.side else []),
        *([setup_words(key.condition or "")] if key.setup else []),
    ]


def days_words(start: dt.date, end: dt.date) -> str:
    """A time in words: `Mar 1 – May 31, 2026`, `Nov 1, 2025 – Mar 1, 2026`."""
    first = date_format(start, "M j" if start.year == end.year else "M j, Y")
    return f"{first} – {date_format(end, 'M j, Y')}"


def swing_label(session: Session, swing: Movement) -> str:
    """The name of a swing: athlete and number."""
    return f"{session.player.full_name}, swing {swing.position}"


def session_label(session: Session) -> str:
    """The name of a session: athlete and day."""
    return f"{session.player.full_name}, {session_day(session.session_date, 'undated')}"


def athlete_label(key: ItemKey, player: Player) -> str:
    """The name of an athlete, or of some time of theirs."""
    if key.start is None or key.end is None:
        return player.full_name
    return f"{player.full_name}, {days_words(key.start, key.end)}"


def follow_moved(user: Viewer, keys: Sequence[ItemKey]) -> dict[ItemKey, ItemKey]:
    """For keys that show nothing: where a merge has taken the athlete or session.

    Two queries at most, and none where there is nothing to look for.
    """
    athletes = {key.pk for key in keys if key.kind in (ATHLETE, RANGE)}
    sessions = {key.pk for key in keys if key.kind == SESSION}
    players = dict(
        visible_players(user)
        .filter(aliases__pk__in=athletes)
        .values_list("aliases__pk", "pk")
        if athletes
        else ()
    )
    shown_by = dict(
        kept_sessions(user)
        .filter(folded__pk__in=sessions)
        .values_list("folded__pk", "pk")
        if sessions
        else ()
    )
    return {
        key: replace(key, pk=moved[key.pk])
        for key in keys
        for moved in (shown_by if key.kind == SESSION else players,)
        if key.kind != SWING and key.pk in moved
    }


def name_items(user: Viewer, keys: Sequence[ItemKey]) -> tuple[ItemName, ...]:
    """The names of those that `user` may see, in their order; at most three queries.

    What is not there, or not to be seen, is left out; what was merged follows, with at
    most two queries more.
    """
    names = _names(user, keys)
    moved = follow_moved(user, [key for key in keys if key not in names])
    if moved:
        names |= {
            old: name
            for old, new in moved.items()
            for name in _names(user, [new]).values()
        }
    return tuple({name.key: name for key in keys if (name := names.get(key))}.values())


def _names(user: Viewer, keys: Sequence[ItemKey]) -> dict[ItemKey, ItemName]:
    wanted: dict[str, set[int]] = {}
    for key in keys:
        wanted.setdefault(key.kind, set()).add(key.pk)
    athletes = wanted.get(ATHLETE, set()) | wanted.get(RANGE, set())
    players = visible_players(user).in_bulk(athletes) if athletes else {}
    sessions = (
        kept_sessions(user).select_related("player").in_bulk(wanted[SESSION])
        if SESSION in wanted
        else {}
    )
    swings = (
        kept_movements(user)
        .select_related("session__player")
        .only("position", "session__session_date", "session__player")
        .in_bulk(wanted[SWING])
        if SWING in wanted
        else {}
    )
    found = {}
    for key in keys:
        more = choice_words(key)
        if key.kind == SWING and key.pk in swings:
            swing = swings[key.pk]
            label = swing_label(swing.session, swing)
            more.append(session_day(swing.session.session_date, "undated"))
        elif key.kind == SESSION and key.pk in sessions:
            session = sessions[key.pk]
            label = session_label(session)
            more += [session.setup_words] if not key.setup else []
        elif key.kind in (ATHLETE, RANGE) and key.pk in players:
            label = athlete_label(key, players[key.pk])
            more += ["latest sessions"] if key.kind == ATHLETE else []
        else:
            continue
        found[key] = ItemName(key, label, " · ".join(more))
    return found
