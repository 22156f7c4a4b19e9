"""Session averages over time, and which of them may be compared.

One line never mixes bases (events, points, frame rates), sources, setups, versions of
the method or the sides that a switch hitter swings from: any of these moves a number
although the athlete has not changed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import F, QuerySet

from athletes.analysis.event_rules import rule_in_basis
from athletes.analysis.means_by_side import (
    SIDES,
    SideMeans,
    side_key,
    sides_of_sessions,
)
from athletes.kept_questions import kept_question
from athletes.models import Condition, SessionMetric
from athletes.phrases import (
    basis_difference,
    basis_in_words,
    capture_system,
    setup_words,
    side_in_words,
)
from athletes.querysets import SessionQuerySet
from biomechanics.basis import setup_in, without_setup

_CONDITIONS = dict(Condition.choices)


@dataclass(frozen=True)
class Basis:
    """What a number rests on; only numbers on equal bases are compared.

    `measured` is the basis of its values (`biomechanics.basis`).
    """

    condition: str
    measured: str
    source: str
    method_version: str
    side: str = ""
    # Whether pages name the side: not for an athlete who swings from one side only.
    says_side: bool = field(default=False, compare=False)
    # Whether pages name the setup beside each number: where a session has several.
    says_setup: bool = field(default=False, compare=False)

    @property
    def side_words(self) -> str:
        """`batting left`; empty where the athlete swings from one side only."""
        return side_in_words(self.side) if self.says_side else ""

    @property
    def part_words(self) -> str:
        """What part of a session it is of: `batting left, tee`; empty for all of it."""
        setup = setup_words(self.condition) if self.says_setup else ""
        return ", ".join(filter(None, (self.side_words, setup)))

    @property
    def rule(self) -> str:
        """The rule of the event from which the number is measured."""
        return rule_in_basis(self.measured)

    def difference(self, other: Basis) -> str:
        """What makes this basis differ from the `other`, in words; empty if nothing.

        As it stands beside a number: `measured at another point: wrists instead of
        hands`.
        """
        words = []
        if self.condition != other.condition:
            words.append("a different setup")
        words.append(basis_difference(self.measured, other.measured))
        if self.source != other.source:
            words.append("a different source")
        if self.method_version != other.method_version:
            words.append("a different version of the method")
        if self.side != other.side:
            words.append("the other side")
        return "; ".join(dict.fromkeys(filter(None, words)))

    @property
    def label(self) -> str:
        """The basis in words, without the version of the method."""
        words = [_CONDITIONS.get(self.condition, "no setup recorded")]
        if self.says_side:
            words.insert(0, self.side_words)
        if self.measured:
            words.append(basis_in_words(self.measured))
        if self.source:
            words.append(capture_system(self.source))
        return " · ".join(words)


@dataclass(frozen=True)
class SessionAverage:
    """The average of one metric over the swings from one side in one session."""

    session_id: int
    date: dt.date | None
    metric: str
    n: int
    mean: float
    sd: float | None
    basis: Basis
    # Whether swings from the other side are included in the session too.
    is_part: bool = False


History = Mapping[str, Sequence[SessionAverage]]


def side_of_key(text: str, sides: Iterable[str]) -> str | None:
    """The one of these sides that `text`, a part of an address, names; else None."""
    return next((side for side in sides if side_key(side) == text), None)


@kept_question
def _means(
    sessions: SessionQuerySet, names: tuple[str, ...], *player_ids: int
) -> QuerySet[SessionMetric, tuple[Any, ...]]:
    """The stored averages of these athletes and metrics, with what they rest on."""
    own = sessions.filter(player_id__in=player_ids)
    return (
        SessionMetric.objects.filter(session__in=own, metric__in=names)
        .order_by(
            F("session__session_date").asc(nulls_first=True),
            *("session_id", "-n", "basis"),
        )
        .values_list(
            "session__player_id",
            "session_id",
            "session__session_date",
            "metric",
            "n",
            "mean",
            "sd",
            "session__condition",
            "basis",
            "session__mocap_type_name",
            "method_version",
        )
    )


def histories(
    sessions: SessionQuerySet, player_ids: Iterable[int], metrics: Iterable[str]
) -> dict[int, dict[str, list[SessionAverage]]]:
    """The session averages of these athletes and metrics, oldest first.

    By key of the athlete and then by metric. A session with swings from both sides has
    a point for each side. Two queries, and at most two more where there is such a
    session.
    """
    players, names = list(player_ids), tuple(metrics)
    rows = _means(sessions, names, *players)
    sides_of = sides_of_sessions(sessions, players, names)
    # Few bases differ, and a page of many athletes has ten thousand points.
    bases: dict[tuple[str, ...], Basis] = {}
    found: dict[int, dict[str, list[SessionAverage]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for player, pk, date, metric, n, mean, sd, *rests_on in rows:
        condition, measured, source, version = rests_on
        setup, raw = setup_in(measured), measured
        if setup is not None:
            condition, measured = setup, without_setup(measured)
        sides = sides_of.get(pk) or _UNKNOWN
        is_part = len(sides) > 1
        for side, parts in sides.items():
            if is_part:
                part = parts.get((metric, raw))
                if part is None:
                    continue
                # The stored row is over the swings from both sides.
                n, mean, sd = part
            key = (condition, measured, source, version, side)
            basis = bases.get(key)
            if basis is None:
                basis = Basis(condition, measured, source, version, side)
                bases[key] = basis
            found[player][metric].append(
                SessionAverage(pk, date, metric, n, mean, sd, basis, is_part)
            )
    return {player: _saying(metrics_of) for player, metrics_of in found.items()}


_UNKNOWN: SideMeans = {"": {}}


def _saying(
    history: dict[str, list[SessionAverage]],
) -> dict[str, list[SessionAverage]]:
    """One athlete's history, with the sides named where there is more than one."""
    says_side = len(sides_in(history)) > 1
    mixed = _mixed_sessions(history)
    if says_side or mixed:
        every = [point for points in history.values() for point in points]
        # Every number of such an athlete says its setup: it may be of a part.
        said = {
            basis: replace(basis, says_side=says_side, says_setup=bool(mixed))
            for basis in {point.basis for point in every}
        }
        for points in history.values():
            points[:] = [replace(point, basis=said[point.basis]) for point in points]
    # A session with swings from both sides may have no number for either of them.
    return {metric: points for metric, points in history.items() if points}


def _mixed_sessions(history: History) -> set[int]:
    """The sessions with averages of more than one setup."""
    setups: dict[int, set[str]] = {}
    for points in history.values():
        for point in points:
            setups.setdefault(point.session_id, set()).add(point.basis.condition)
    return {pk for pk, found in setups.items() if len(found) > 1}


def setups_of(history: History, session_id: int) -> tuple[str, ...]:
    """The setups of a session's averages, in the order of the list of setups."""
    found = {
        point.basis.condition
        for points in history.values()
        for point in points
        if point.session_id == session_id
    }
    return tuple(setup for setup in (*_CONDITIONS, "") if setup in found)


def main_setup(history: History, session_id: int) -> str | None:
    """The setup of most swings in a session; of two that are level the first listed.

    None where the session has no number.
    """
    swings: dict[str, int] = {}
    for points in history.values():
        for point in points:
            if point.session_id == session_id:
                setup = point.basis.condition
                swings[setup] = max(swings.get(setup, 0), point.n)
    listed = [setup for setup in (*_CONDITIONS, "") if setup in swings]
    return max(listed, key=lambda setup: swings[setup], default=None)


def sides_in(history: History) -> tuple[str, ...]:
    """The sides from which an athlete has numbers, in the order of `SIDES`."""
    found = {point.basis.side for points in history.values() for point in points}
    return tuple(side for side in SIDES if side in found)


def of_side(history: History, side: str) -> dict[str, list[SessionAverage]]:
    """The part of one athlete's history that is over swings from one side."""
    kept = {
        metric: [point for point in points if point.basis.side == side]
        for metric, points in history.items()
    }
    return {metric: points for metric, points in kept.items() if points}


def newest_side(history: History) -> str:
    """The side of most swings in the latest session; right if both have as many."""
    points = [point for found in history.values() for point in found]
    if not points:
        return ""
    last = max((point.date or dt.date.min, point.session_id) for point in points)[1]
    swings: dict[str, int] = {}
    for point in points:
        if point.session_id == last:
            side = point.basis.side
            swings[side] = max(swings.get(side, 0), point.n)
    return max(swings, key=lambda side: (swings[side], -SIDES.index(side)))


@dataclass(frozen=True)
class SideChoice:
    """One side that the reader of a page can choose."""

    key: str
    label: str
    is_chosen: bool


def side_choices(sides: Iterable[str], chosen: str) -> tuple[SideChoice, ...]:
    """The sides to choose from; none for an athlete who swings from one side only."""
    choices = tuple(
        SideChoice(side_key(side), side_in_words(side).capitalize(), side == chosen)
        for side in sides
    )
    return choices if len(choices) > 1 else ()


def comparable(points: Sequence[SessionAverage], basis: Basis) -> list[SessionAverage]:
    """The points whose basis is equal to `basis`."""
    return [point for point in points if point.basis == basis]
