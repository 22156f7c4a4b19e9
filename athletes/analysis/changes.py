"""What changed in a session, against the comparable sessions before it.

The one place that decides whether a difference is more than an athlete's usual
variation: pages, sheets, comparisons and JSON ask here and print what it says. The
statistics are in `biomechanics.change`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from athletes import display
from athletes.analysis.history import (
    Basis,
    History,
    SessionAverage,
    comparable,
    of_side,
    setups_of,
    sides_in,
)
from athletes.analysis.means_by_side import side_key
from athletes.analysis.usual_scatter import PriorOf, session_values_of
from biomechanics import change as change_statistics
from biomechanics.change import BASELINE_SESSIONS, Change, Look, changes
from biomechanics.definitions import METRICS, NUMERIC_HEADLINES, MetricDefinition
from biomechanics.metrics.values import said_of
from biomechanics.variance import Prior

Verdict = Literal["real", "no_clear_change", "unknown"]
#: Why there is no verdict: too little data yet, or nothing that may be compared.
ReasonCode = Literal["", "not_enough", "not_comparable"]

#: How it is decided, as JSON names it.
METHOD = "between-session t-test, false discovery rate 10%"

FIRST_OF_KIND = "First session of this kind"
NO_SETUP = "No setup recorded: compared with sessions that have none either"
NO_VALUE = "No included swing has this number."


_WORDS = {
    "real": "More than usual",
    "no_clear_change": "About the same",
    "not_enough": "Not enough yet",
    "not_comparable": "Not comparable",
}


@dataclass(frozen=True)
class MetricChange:
    """One metric of a session compared with the sessions before it.

    `delta` is now minus before and `needed` the smallest difference that is more than
    the athlete's usual variation; both are None where they are not known. `verdict` is
    `unknown` with a `reason_code` where nothing can be told. `now` and `before` are
    means over `n_now` and `n_before` swings. Values are in the unit of the definition.
    """

    definition: MetricDefinition
    verdict: Verdict
    now: float | None
    n_now: int
    before: float | None = None
    n_before: int = 0
    sessions_before: int = 0
    delta: float | None = None
    needed: float | None = None
    reason: str = ""
    reason_code: ReasonCode = ""
    basis: Basis | None = None
    of_setup: bool = False

    @property
    def real(self) -> bool | None:
        """Whether it is more than their usual variation; None where nobody knows."""
        return None if self.verdict == "unknown" else self.verdict == "real"

    @property
    def side(self) -> str:
        """The part of a session that it is of: `batting left`, `tee`; else empty."""
        return self.basis.part_words if self.basis else ""

    @property
    def side_key(self) -> str:
        """The name of the side in an address; empty where nothing is known of it."""
        return side_key(self.basis.side) if self.basis else ""

    @property
    def name(self) -> str:
        """The name of the metric, with the side or setup of a part of a session."""
        return ", ".join(filter(None, (self.metric_name, self.side)))

    @property
    def metric_name(self) -> str:
        """The name of the metric, true of the rule that found contact."""
        return said_of(self.definition.name, self.basis.rule if self.basis else "")

    @property
    def short(self) -> str:
        """The name for narrow columns, without the side."""
        return said_of(self.definition.short, self.basis.rule if self.basis else "")

    @property
    def unit(self) -> str:
        """The unit of the metric as it is stored."""
        return self.definition.unit

    @property
    def words(self) -> str:
        """The verdict in words: `More than usual`, `About the same` and so on."""
        return _WORDS[self.reason_code or self.verdict]

    @property
    def why(self) -> str:
        """The reason, without what `words` say already."""
        words, dot, rest = self.reason.partition(". ")
        return rest if dot and words.startswith("Not enough") else self.reason

    @property
    def has_no_setup(self) -> bool:
        """Whether it is compared although no setup is recorded on either side."""
        return bool(self.sessions_before and self.basis and not self.basis.condition)

    @property
    def since(self) -> str:
        """What it is compared with: `vs. last 3 sessions of this setup`."""
        if not self.sessions_before:
            return ""
        setup = " of this setup" if self.of_setup else ""
        if self.sessions_before == 1:
            return f"vs. last session{setup}"
        return f"vs. last {self.sessions_before} sessions{setup}"

    @property
    def size(self) -> float:
        """The change as a multiple of the smallest clear one; 0 if unknown."""
        if not self.delta or not self.needed:
            return 0.0
        return abs(self.delta) / self.needed

    def printed(self, system: str) -> display.PrintedDifference | None:
        """Before, now, their difference and what is needed, as texts that add up."""
        if self.before is None or self.now is None:
            return None
        return display.printed_difference(
            self.before,
            self.now,
            self.unit,
            system,
            decimals=self.definition.decimals,
            needed=self.needed,
        )


def session_changes(
    history: History, session_id: int, prior_of: PriorOf
) -> tuple[MetricChange, ...]:
    """What changed in a session: a row for each headline number that it has.

    `history` is one athlete's and `prior_of` what others say of their scatter; numbers
    come in the order of the headlines and, of a switch hitter's session with swings
    from both sides, of one side after the other.
    Later sessions do not count, so that a verdict stays as it was.
    """
    found: list[MetricChange] = []
    for side in sides_in(history):
        own = of_side(history, side)
        # Of a session with several setups each part is compared with its like.
        for setup in setups_of(own, session_id):
            found += _judged(
                [
                    (own[name], at)
                    for name in NUMERIC_HEADLINES
                    if name in own
                    and (at := point_of_session(own[name], session_id, setup))
                    is not None
                ],
                prior_of,
            )
    return tuple(found)


def newest_session(history: History) -> int | None:
    """The id of the newest session that has any number; undated ones come first."""
    return max(
        (
            (point.date or dt.date.min, point.session_id)
            for points in history.values()
            for point in points
        ),
        default=(dt.date.min, None),
    )[1]


def without_value(metric: str) -> MetricChange:
    """What is said of a headline number that a session does not have."""
    return MetricChange(
        METRICS[metric], "unknown", None, 0, reason=NO_VALUE, reason_code="not_enough"
    )


def point_of_session(
    points: Iterable[SessionAverage], session_id: int, setup: str | None = None
) -> SessionAverage | None:
    """The session's average; of several bases that of most swings.

    With `setup` of those of this setup alone.
    """
    return min(
        (
            point
            for point in points
            if point.session_id == session_id and setup in (None, point.basis.condition)
        ),
        # Of two that are level the first by name, as in every summary of a session.
        key=lambda point: (-point.n, point.basis.measured),
        default=None,
    )


# Lists of sessions ask for the same verdicts again and again; the values alone decide.
_verdicts = lru_cache(maxsize=512)(changes)


def _judged(
    asked: Sequence[tuple[Sequence[SessionAverage], SessionAverage]],
    prior_of: PriorOf,
) -> list[MetricChange]:
    """The changes of one list, which counts as one look."""
    looks = tuple(
        _look(points, at, prior_of(at.metric, at.basis)) for points, at in asked
    )
    return [
        as_metric_change(
            change,
            basis=at.basis,
            of_setup=any(p.basis.condition != at.basis.condition for p in points),
        )
        for (points, at), change in zip(asked, _verdicts(looks), strict=True)
    ]


def _look(points: Sequence[SessionAverage], at: SessionAverage, prior: Prior) -> Look:
    """One session's average against the comparable ones before it."""
    *earlier, now = session_values_of(_up_to(points, at))
    return Look(
        at.metric,
        now=(now,),
        before=tuple(earlier[-BASELINE_SESSIONS:]),
        history=tuple(earlier[:-BASELINE_SESSIONS]),
        prior=prior,
        not_comparable="" if earlier else _what_differs(points, at),
    )


def as_metric_change(
    change: Change, *, basis: Basis | None = None, of_setup: bool = False
) -> MetricChange:
    """A verdict of the statistics as pages, sheets and JSON print it."""
    return MetricChange(
        METRICS[change.metric_id],
        change.verdict,
        change.now_mean,
        change.n_now,
        before=change.before_mean,
        n_before=change.n_before,
        sessions_before=change.sessions_before,
        delta=change.delta,
        needed=change.needed,
        reason=" ".join(filter(None, (change.reason, _what_is_missing(change)))),
        reason_code=change.reason_code,
        basis=basis,
        of_setup=of_setup,
    )


def _what_is_missing(change: Change) -> str:
    """When there will be enough, in a sentence."""
    if change.more_sessions:
        plural = "s" if change.more_sessions > 1 else ""
        return f"Needs {change.more_sessions} more session{plural}."
    if change.more_swings > 1:
        return f"Needs {change.more_swings} swings or more in a session."
    return ""


def _up_to(
    points: Sequence[SessionAverage], at: SessionAverage
) -> list[SessionAverage]:
    """The comparable points up to that of one session, which is the last."""
    same = comparable(points, at.basis)
    place = next(i for i, p in enumerate(same) if p.session_id == at.session_id)
    return same[: place + 1]


def usual_band(
    points: Sequence[SessionAverage], at: SessionAverage, prior_of: PriorOf
) -> tuple[float, float] | None:
    """The lowest and highest average of a session that would be nothing unusual.

    For the session of `at`, from those before it; None where it is not known.
    """
    earlier = session_values_of(_up_to(points, at))[:-1]
    band = change_statistics.usual_band(earlier, prior_of(at.metric, at.basis))
    if band is None:
        return None
    return band.center - band.half_width, band.center + band.half_width


def _what_differs(points: Sequence[SessionAverage], at: SessionAverage) -> str:
    """Why no session before may be compared with; empty if there is none at all."""
    last = None
    for point in points:
        if point.session_id == at.session_id:
            break
        last = point
    if last is None:
        return ""
    return f"{FIRST_OF_KIND}: {at.basis.difference(last.basis)}."
