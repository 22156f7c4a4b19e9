"""What changed in one session against the comparable sessions before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from athletes.analysis.history import Basis, Point, comparable
from athletes.analysis.means_by_side import side_key
from athletes.phrases import spelled
from biomechanics.change import (
    Scatter,
    is_real,
    scatter_of_spreads,
    smallest_detectable_change,
)
from biomechanics.definitions import METRICS, MetricDefinition

# A session is held against so many comparable ones before it, taken together:
# one session alone may have been an odd day, and many would hide what is new.
BASELINE_SESSIONS = 3


MORE_DECIMALS = 2


@dataclass(frozen=True)
class MetricChange:
    """One metric of one session against the sessions before it.

    `real` is None where there is too little to say, with the `reason`.
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
        """Of a switch hitter, which of the two swings it is: `batting left`."""
        return self.basis.side_words if self.basis else ""

    @property
    def side_key(self) -> str:
        """The same as an address names it."""
        return side_key(self.basis.side) if self.basis else ""

    @property
    def name(self) -> str:
        """The number's name as a sentence begins with it."""
        return ", ".join(filter(None, (self.definition.name, self.side)))

    @property
    def unit(self) -> str:
        return self.definition.unit

    @property
    def decimals(self) -> int:
        """As many as usual; more where a real change would not be seen in them."""
        usual = self.definition.decimals
        if self.real and self.before is not None:
            for digits in range(usual, usual + MORE_DECIMALS):
                if round(self.before, digits) != round(self.now, digits):
                    return digits
            return usual + MORE_DECIMALS
        return usual

    @property
    def size(self) -> float:
        """How many times the smallest detectable change this one is."""
        if not self.delta or not self.smallest:
            return 0.0
        return abs(self.delta) / self.smallest

    @property
    def percent(self) -> float | None:
        """In per cent, only for quantities of which that makes sense."""
        if not self.definition.ratio_scale or not self.before or self.delta is None:
            return None
        return 100 * self.delta / abs(self.before)


def change_at(points: Sequence[Point], at: Point) -> MetricChange:
    """What one session changed against the comparable ones before it.

    `points` are one metric's, oldest first.
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
            reason="nothing comparable before",
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
        reason="" if real else "The difference is inside swing-to-swing scatter.",
        since=f"against the last {spelled(len(earlier))}"
        if len(earlier) > 1
        else "against last time",
        basis=at.basis,
    )


def scatter_of_points(points: Sequence[Point]) -> Scatter | None:
    """The athlete's scatter inside a session, from comparable points of one metric."""
    if not points:
        return None
    spreads = [(point.sd, point.n) for point in points if point.sd is not None]
    return scatter_of_spreads(points[0].metric, spreads)
