"""Which sessions stand for an athlete, or for some time of theirs, in a comparison.

All of one setup and one capture system, because an average over several would move
with how many swings were taken in each. A session may have swings of several setups:
then those of one of them stand.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from athletes.access import Viewer, visible_sessions
from athletes.kept_questions import kept_question
from athletes.models import Condition, Session
from athletes.querysets import SessionQuerySet
from dashboard.selectors.compare_keys import RANGE, ItemKey

#: An athlete stands for the included swings of so many latest sessions of one setup.
ATHLETE_SESSIONS = 3
SETUPS = (*Condition.values, "")


@dataclass(frozen=True)
class SessionRow:
    """What is known of a session before its swings are read."""

    pk: int
    day: dt.date | None
    source: str
    swings: int
    # The setup that is stated of it, and how many swings there are of each.
    stated: str
    setups: Mapping[str, int]

    @property
    def condition(self) -> str:
        """The setup that is stated of it; where no swing has that, that of most."""
        if self.stated in self.setups:
            return self.stated
        return max(self.setups, key=lambda one: self.setups[one])

    @property
    def when(self) -> tuple[dt.date, int]:
        """Its place among others: undated ones come first, as in histories."""
        return (self.day or dt.date.min, self.pk)


@dataclass(frozen=True)
class SessionSet:
    """The sessions that stand for an athlete or a time, and those that do not.

    `other_setups` have sessions too, and may be chosen instead. `left_out` counts the
    sessions of the time that are not among `rows`.
    """

    rows: tuple[SessionRow, ...]
    condition: str
    source: str
    other_setups: tuple[str, ...]
    left_out: int


@kept_question
def _with_swings(
    sessions: SessionQuerySet, *player_ids: int
) -> QuerySet[Session, tuple[Any, ...]]:
    """The sessions with swings of these athletes, newest first."""
    own = sessions.filter(player_id__in=player_ids, swing_count__gt=0)
    return own.newest_first().values_list(
        *("player_id", "pk", "session_date", "mocap_type_name", "swing_count"),
        *("condition", "summary__setups"),
    )


def sessions_by_athlete(
    user: Viewer, players: Sequence[int]
) -> dict[int, list[SessionRow]]:
    """The sessions with swings of each athlete, newest first; one query."""
    found: dict[int, list[SessionRow]] = {pk: [] for pk in players}
    if not players:
        return found
    rows = _with_swings(visible_sessions(user), *players)
    for player, pk, day, source, swings, stated, setups in rows:
        row = SessionRow(pk, day, source, swings, stated, setups or {stated: swings})
        found[player].append(row)
    return found


def session_set(key: ItemKey, rows: Sequence[SessionRow]) -> SessionSet:
    """The sessions that stand for what `key` names, of an athlete's `rows`.

    An athlete: the latest three of the setup of the latest one. A time: all that lie
    in it, of the setup of most swings. The key may name another setup. Of these, those
    of one capture system: the latest session's, or that of most swings.
    """
    is_range = key.kind == RANGE
    asked = [row for row in rows if not is_range or _lies_in(key, row)]
    setups = Counter[str]()
    for row in asked:
        setups.update(row.setups)
    if key.condition is not None:
        condition = key.condition
    elif is_range:
        condition = max(setups, key=lambda one: setups[one], default="")
    else:
        condition = asked[0].condition if asked else ""
    same = [row for row in asked if condition in row.setups]
    sources = Counter[str]()
    for row in same:
        sources[row.source] += row.setups[condition]
    if is_range:
        source = max(sources, key=lambda one: sources[one], default="")
    else:
        source = same[0].source if same else ""
    same = [row for row in same if row.source == source]
    return SessionSet(
        rows=tuple(same if is_range else same[:ATHLETE_SESSIONS]),
        condition=condition,
        source=source,
        other_setups=tuple(s for s in SETUPS if s in setups and s != condition),
        left_out=len(asked) - len(same) if is_range else 0,
    )


def _lies_in(key: ItemKey, row: SessionRow) -> bool:
    return (
        row.day is not None
        and key.start is not None
        and key.end is not None
        and key.start <= row.day <= key.end
    )
