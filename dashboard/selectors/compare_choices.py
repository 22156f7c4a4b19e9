"""Sessions and times that are chosen to compare in one tap, with the rule of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from athletes.access import Viewer, visible_sessions
from athletes.analysis.history import History, histories, newest_side
from athletes.analysis.marked_sessions import fastest_session
from athletes.analysis.marked_swings import FASTEST_BY
from athletes.display import number_of
from dashboard.phrases import session_day
from dashboard.selectors.compare_items import Item
from dashboard.selectors.compare_keys import (
    ATHLETE,
    RANGE,
    SESSION,
    SWING,
    ItemKey,
)
from dashboard.selectors.compare_names import days_words, setup_words
from dashboard.selectors.compare_sets import (
    ATHLETE_SESSIONS,
    SessionRow,
    sessions_by_athlete,
)
from dashboard.selectors.seasons import season_of


@dataclass(frozen=True)
class Choice:
    """Something to compare: what it is called, which it is, and by which rule."""

    key: ItemKey
    label: str
    detail: str
    rule: str = ""


@dataclass(frozen=True)
class ChoicesBeside:
    """What goes well beside an item that is chosen already."""

    letter: str
    label: str
    choices: tuple[Choice, ...]


class Known:
    """The sessions and speeds of some athletes, as far as `user` may see them.

    One query for the sessions, and two to four for the speeds.
    """

    def __init__(self, user: Viewer, players: Iterable[int]) -> None:
        wanted = list(dict.fromkeys(players))
        self.rows = sessions_by_athlete(user, wanted)
        self._histories = (
            histories(visible_sessions(user), wanted, FASTEST_BY) if wanted else {}
        )

    def history(self, player: int) -> History:
        """The session averages of the speeds of one athlete."""
        return self._histories.get(player, {})


def session_words(row: SessionRow) -> str:
    """What tells a session from others beside its day: `6 swings · Tee`."""
    return f"{number_of(row.swings, 'swing')} · {_setups_of(row)}"


def _setups_of(row: SessionRow) -> str:
    return "Mixed" if len(row.setups) > 1 else setup_words(row.condition)


def choices_beside(items: Sequence[Item], known: Known) -> tuple[ChoicesBeside, ...]:
    """For each swing or session: others of the same athlete, setup and source.

    None that is chosen already or stands beside an item before.
    """
    told = {item.key for item in items}
    found = []
    for item in items:
        if item.key.kind not in (SESSION, SWING) or item.span is None:
            continue
        rows = [
            row
            for row in known.rows.get(item.player.pk, ())
            if item.condition in row.setups and row.source == item.source
        ]
        choices = [
            choice
            for choice in _marked(
                rows,
                known.history(item.player.pk),
                condition=item.condition,
                key_side=item.key.side,
                side=item.side,
                at=item.span[0],
            )
            if choice.key not in told
        ]
        told |= {choice.key for choice in choices}
        if choices:
            found.append(ChoicesBeside(item.letter, item.label, tuple(choices)))
    return tuple(found)


def _marked(
    rows: Sequence[SessionRow],
    history: History,
    *,
    condition: str,
    key_side: str,
    side: str,
    at: tuple[dt.date, int] | None = None,
) -> list[Choice]:
    """The marked ones of comparable sessions, newest first in `rows`.

    All have swings of the setup `condition`, which a key names where there are others.
    `at` is the place of the session beside which they stand.
    """
    found: dict[int, tuple[SessionRow, list[str], list[str]]] = {}

    def mark(row: SessionRow | None, label: str, rule: str) -> None:
        if row is not None and row.when != at:
            _, labels, rules = found.setdefault(row.pk, (row, [], []))
            labels.append(label)
            rules.append(rule)

    if not rows:
        return []
    setup = setup_words(condition)
    if at is not None:
        before = next((row for row in rows if row.day and row.when < at), None)
        mark(before, "Previous with same setup", f"The session before, {setup}.")
    mark(rows[0], "Latest session", f"The latest session, {setup}.")
    year = (at[0] if at else rows[0].when[0]).year
    first = next(
        (row for row in reversed(rows) if row.day and row.day.year == year), None
    )
    mark(first, f"First of {year}", f"The first session of {year}, {setup}.")
    fastest = fastest_session(
        history, condition=condition, source=rows[0].source, side=side
    )
    if fastest is not None:
        mark(
            next((row for row in rows if row.pk == fastest.session_id), None),
            "Fastest session",
            f"The highest average of {fastest.definition.name.lower()} among "
            f"{fastest.among} sessions, {setup}.",
        )
    return [
        Choice(
            key.with_condition(condition) if len(row.setups) > 1 else key,
            " · ".join(labels),
            f"{session_day(row.day, 'undated')} · {session_words(row)}",
            " ".join(rules),
        )
        for pk, (row, labels, rules) in found.items()
        for key in (ItemKey(SESSION, pk, key_side),)
    ]


def choices_of_athlete(player: int, known: Known, today: dt.date) -> tuple[Choice, ...]:
    """An athlete as a whole, their marked sessions, and times that have sessions.

    The marked ones are of the setup and source of the latest session.
    """
    rows = known.rows.get(player, [])
    if not rows:
        return ()
    same = [
        row
        for row in rows
        if rows[0].condition in row.setups and row.source == rows[0].source
    ]
    history = known.history(player)
    return (
        Choice(
            ItemKey(ATHLETE, player),
            f"Last {ATHLETE_SESSIONS} sessions",
            setup_words(rows[0].condition),
            f"The swings included in their last {ATHLETE_SESSIONS} sessions of the "
            "setup of the latest.",
        ),
        *_marked(
            same,
            history,
            condition=rows[0].condition,
            key_side="",
            side=newest_side(history),
        ),
        *(
            Choice(ItemKey(RANGE, player, start=start, end=end), label, words)
            for label, start, end in _times(today)
            if (words := _sessions_in(rows, start, end))
        ),
    )


def _sessions_in(rows: Sequence[SessionRow], start: dt.date, end: dt.date) -> str:
    """The time and how many sessions lie in it, in words; empty for none."""
    inside = [row for row in rows if row.day and start <= row.day <= end]
    if not inside:
        return ""
    return f"{days_words(start, end)} · {number_of(len(inside), 'session')}"


def _times(today: dt.date) -> list[tuple[str, dt.date, dt.date]]:
    """Names of times with their first and last day: whole ones, so that they stay."""
    day = dt.timedelta(days=1)
    month = today.replace(day=1)
    next_month = (month + 31 * day).replace(day=1)
    last_month = (month - day).replace(day=1)
    year = [dt.date(today.year + n, 1, 1) for n in (-1, 0, 1)]
    return [
        ("This month", month, next_month - day),
        ("Last month", last_month, month - day),
        ("This season", *season_of(today)),
        ("Last season", *season_of(today, -1)),
        ("This year", year[1], year[2] - day),
        ("Last year", year[0], year[1] - day),
    ]
