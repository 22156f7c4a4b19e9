"""Whether two sets of swings differ: swings, sessions or athletes side by side.

As in `athletes.analysis.changes`, the difference is more than usual or it is not, and
nothing else decides that. All numbers of one pair count as one look.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from athletes.analysis.changes import MetricChange, as_metric_change
from athletes.analysis.history import Basis, History
from athletes.analysis.usual_scatter import Facility
from biomechanics.change import Look, changes, session_values
from biomechanics.session_statistics import average
from biomechanics.variance import Prior, SessionValues


@dataclass(frozen=True)
class SwingSet:
    """Values of one metric that stand for one thing compared, all on one basis.

    `values` are by our key of the session. `basis` is that of the athlete whose
    `player_id` it is. `uncertainty` is that of a single value, where there is one.
    """

    player_id: int
    basis: Basis
    values: Mapping[int, tuple[float, ...]]
    uncertainty: float | None = None

    @property
    def every(self) -> tuple[float, ...]:
        """The values of all sessions."""
        return tuple(value for values in self.values.values() for value in values)

    @property
    def mean(self) -> float | None:
        """The average over all swings; None without any."""
        return average(self.every)


@dataclass(frozen=True)
class PairDifference:
    """How one thing differs from another in one metric: the second less the first.

    `apart` says what makes them differ without anybody having changed: two athletes,
    two setups, two sides. It is empty for one athlete on one basis, where a difference
    beyond usual variation is a change.
    """

    change: MetricChange
    apart: str

    @property
    def is_clear(self) -> bool:
        """Whether it is more than the usual variation of both explains."""
        return bool(self.change.real)

    @property
    def is_change(self) -> bool:
        """Whether an athlete changed, by more than their usual variation."""
        return self.is_clear and not self.apart

    @property
    def words(self) -> str:
        """What it is, in words: a change is one athlete's alone."""
        return _CLEAR if self.is_clear and self.apart else self.change.words

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        return _BEYOND if self.is_clear and self.apart else self.change.reason


_CLEAR = "Clear difference"
_BEYOND = "The difference is more than the usual variation of both."
_OTHER_VERSION = "They were computed with different versions of the method."
_OTHER_ATHLETE = "different athletes"


def pair_differences(
    pairs: Sequence[tuple[str, SwingSet, SwingSet]],
    history: Mapping[int, History],
    facility: Facility,
) -> list[PairDifference]:
    """How one thing differs from another in each metric: the second less the first.

    `history` holds the session averages of their athletes, by key of the athlete.
    """
    looks = [
        _look(metric, before, now, history, facility) for metric, before, now in pairs
    ]
    return [
        PairDifference(as_metric_change(change), _apart(before, now))
        for change, (_, before, now) in zip(changes(looks), pairs, strict=True)
    ]


def _apart(before: SwingSet, now: SwingSet) -> str:
    """What makes two things differ without a change; empty for nothing."""
    if before.player_id != now.player_id:
        return _OTHER_ATHLETE
    return now.basis.difference(before.basis)


def _look(
    metric: str,
    before: SwingSet,
    now: SwingSet,
    history: Mapping[int, History],
    facility: Facility,
) -> Look:
    """The difference of one metric, with what is known of the athletes' scatter."""
    # On another basis (a setup, a capture system, a side of a switch hitter) swings
    # scatter in their own way, and the step between two bases is no day-to-day scatter.
    is_one = (before.player_id, before.basis) == (now.player_id, now.basis)
    mine, places = _around(metric, (now, before) if is_one else (now,), history)
    theirs, other_places = _around(metric, (before,), history)
    return Look(
        metric,
        now=_sessions(now, places),
        before=_sessions(before, places if is_one else other_places),
        history=mine,
        prior=_prior(metric, now, facility),
        other_history=None if is_one else theirs,
        other_prior=None if is_one else _prior(metric, before, facility),
        unequal=True,
        not_comparable=_OTHER_VERSION
        if before.basis.method_version != now.basis.method_version
        else "",
    )


def _prior(metric: str, one: SwingSet, facility: Facility) -> Prior:
    return facility.prior(one.player_id, metric, one.basis)


def _around(
    metric: str, compared: Sequence[SwingSet], history: Mapping[int, History]
) -> tuple[tuple[SessionValues, ...], dict[int, int]]:
    """The athlete's other sessions on the same basis, and the place of each in time.

    A session of which a few swings are compared is among them: it says how its swings
    scatter.
    """
    one = compared[0]
    points = history.get(one.player_id, {}).get(metric, [])
    counts: Counter[int] = Counter()
    for sets in compared:
        for pk, values in sets.values.items():
            counts[pk] = max(counts[pk], len(values))
    # A session whose swings are all excluded has no average, and so no known day.
    days = dict.fromkeys(counts, dt.date.max)
    days |= {point.session_id: point.date or dt.date.min for point in points}
    in_time = sorted(days, key=lambda pk: (days[pk], pk))
    places = {pk: place for place, pk in enumerate(in_time)}
    others = tuple(
        SessionValues(places[point.session_id], point.n, point.mean, point.sd)
        for point in points
        if point.basis == one.basis and counts[point.session_id] < point.n
    )
    return others, places


def _sessions(one: SwingSet, places: Mapping[int, int]) -> tuple[SessionValues, ...]:
    """The values of each session as the statistics take them."""
    found = (
        session_values(values, place=places[pk], uncertainty=one.uncertainty)
        for pk, values in one.values.items()
    )
    return tuple(values for values in found if values is not None)
