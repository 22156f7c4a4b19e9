"""How the averages of a session differ from the comparable sessions before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from athletes.analysis.history import Basis, SessionAverage, comparable
from athletes.analysis.means_by_side import side_key
from athletes.phrases import spelled
from biomechanics.change import (
    Scatter,
    is_real,
    scatter_of_spreads,
    smallest_detectable_change,
)
from biomechanics.definitions import METRICS, MetricDefinition

#: A session is compared with so many comparable ones before it, taken together: one
#: session alone may have been an odd day, and many would hide what is new.
BASELINE_SESSIONS = 3
#: At most so many digits are added where a change would not be seen without them.
MORE_DECIMALS = 2

#: What is said where no session before can be compared with, and then why.
NOTHING_BEFORE = "nothing comparable before"
#: Why a difference is not called real, as pages and JSON say it.
INSIDE_SCATTER = "The difference is inside swing-to-swing scatter."


@dataclass(frozen=True)
class MetricChange:
    """One metric of a session compared with the sessions before it.

    `real` says whether the difference is more than the athlete's usual variation; it is
    None, with a `reason`, where there is too little data to tell. `smallest` is the
    smallest difference that would be real. Values are in the unit of the definition.
    """

    definition: MetricDefinition
    real: bool | None
    now: float
    before: float | None
    delta: float | None
    smallest: float | None
    n_now: int
    n_before: int
    sessions_before: int
    own_scatter: bool
    reason: str = ""
    since: str = ""
    basis: Basis | None = None

    @property
    def side(self) -> str:
        """The side of a switch hitter's swings: `batting left`; empty for others."""
        return self.basis.side_words if self.basis else ""

    @property
    def side_key(self) -> str:
        """The name of the side in an address; empty where nothing is known of it."""
        return side_key(self.basis.side) if self.basis else ""

    @property
    def name(self) -> str:
        """The name of the metric, with the side of a switch hitter's swings."""
        return ", ".join(filter(None, (self.definition.name, self.side)))

    @property
    def unit(self) -> str:
        """The unit of the metric as it is stored."""
        return self.definition.unit

    @property
    def decimals(self) -> int:
        """The digits to show; more than usual where a real change needs them."""
        usual = self.definition.decimals
        if self.real and self.before is not None:
            for digits in range(usual, usual + MORE_DECIMALS):
                if round(self.before, digits) != round(self.now, digits):
                    return digits
            return usual + MORE_DECIMALS
        return usual

    @property
    def size(self) -> float:
        """The change as a multiple of the smallest detectable one; 0 if unknown."""
        if not self.delta or not self.smallest:
            return 0.0
        return abs(self.delta) / self.smallest

    @property
    def percent(self) -> float | None:
        """The change in percent; None for metrics that have no natural zero."""
        if not self.definition.ratio_scale or not self.before or self.delta is None:
            return None
        return 100 * self.delta / abs(self.before)


def change_at(points: Sequence[SessionAverage], at: SessionAverage) -> MetricChange:
    """The change of one session from the comparable ones before it.

    `points` are the averages of one metric, oldest first, and `at` is one of them.
    """
    definition = METRICS[at.metric]
    same = comparable(points, at.basis)
    place = next(i for i, p in enumerate(same) if p.session_id == at.session_id)
    earlier = same[max(0, place - BASELINE_SESSIONS) : place]
    if not earlier:
        return MetricChange(
            definition,
            None,
            at.mean,
            None,
            None,
            None,
            at.n,
            0,
            0,
            False,
            reason=_why_not_comparable(points, at),
            basis=at.basis,
        )
    n_before = sum(point.n for point in earlier)
    before = sum(point.mean * point.n for point in earlier) / n_before
    scatter = scatter_of_points(same)
    delta = at.mean - before
    if scatter is None:
        return MetricChange(
            definition,
            None,
            at.mean,
            before,
            delta,
            None,
            at.n,
            n_before,
            len(earlier),
            False,
            reason="too few sessions to know the scatter",
            basis=at.basis,
        )
    smallest = smallest_detectable_change(scatter.sd, n_a=n_before, n_b=at.n)
    real = is_real(delta, smallest)
    return MetricChange(
        definition,
        real,
        at.mean,
        before,
        delta,
        smallest,
        at.n,
        n_before,
        len(earlier),
        scatter.source == "own",
        reason="" if real else INSIDE_SCATTER,
        since=f"against the last {spelled(len(earlier))}"
        if len(earlier) > 1
        else "against last time",
        basis=at.basis,
    )


def _why_not_comparable(points: Sequence[SessionAverage], at: SessionAverage) -> str:
    """Why no session before can be compared with: what the last one differs in."""
    last = None
    for point in points:
        if point.session_id == at.session_id:
            break
        if point.basis.side == at.basis.side:
            last = point
    difference = at.basis.difference(last.basis) if last is not None else ""
    return f"{NOTHING_BEFORE}: {difference}" if difference else NOTHING_BEFORE


def scatter_of_points(points: Sequence[SessionAverage]) -> Scatter | None:
    """The usual variation inside a session, from comparable points of one metric.

    None where there are too few swings to know it.
    """
    if not points:
        return None
    spreads = [(point.sd, point.n) for point in points if point.sd is not None]
    return scatter_of_spreads(points[0].metric, spreads)
