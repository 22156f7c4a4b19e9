"""Whether two sets of swings differ: swings, sessions or athletes side by side.

As in `athletes.analysis.changes`, the difference is more than usual or it is not, and
nothing else decides that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from athletes.analysis.changes import (
    MORE,
    WITHIN,
    MetricChange,
    scatter_of_points,
)
from athletes.analysis.history import Basis, History
from biomechanics.change import Z_95, is_real, smallest_detectable_change
from biomechanics.definitions import MetricDefinition

#: Two single swings that lie closer than their measurement tells apart.
INSIDE_UNCERTAINTY = "The difference is within the measurement uncertainty."
NO_SCATTER = "Their usual variation is not known yet."


@dataclass(frozen=True)
class SwingSet:
    """Values of one metric that stand for one thing compared, all on one basis.

    `side` is the batting side of the `player_id` whose swings they are. `uncertainty`
    is that of a single value, where there is one alone.
    """

    player_id: int
    side: str
    values: tuple[float, ...]
    uncertainty: float | None = None

    @property
    def mean(self) -> float | None:
        """The average of the values; None without any."""
        return math.fsum(self.values) / len(self.values) if self.values else None


def pair_change(
    definition: MetricDefinition,
    before: SwingSet,
    now: SwingSet,
    history: Mapping[int, History],
) -> MetricChange:
    """How one set of swings differs from another; both must have values.

    `history` holds the session averages of their athletes, by key of the athlete.
    """
    assert before.mean is not None  # noqa: S101
    assert now.mean is not None  # noqa: S101
    delta = now.mean - before.mean

    def told(needed: float | None, reason: str = "") -> MetricChange:
        real = needed is not None and is_real(delta, needed)
        return MetricChange(
            definition,
            "unknown" if needed is None else "real" if real else "no_clear_change",
            now.mean,
            len(now.values),
            before=before.mean,
            n_before=len(before.values),
            delta=delta,
            needed=needed,
            reason=reason or (MORE if real else WITHIN),
            reason_code="not_enough" if needed is None else "",
        )

    measured = _told_apart(before, now)
    if measured is not None and not is_real(delta, measured):
        return told(measured, INSIDE_UNCERTAINTY)
    scatter = _scatter(definition, (before, now), history)
    if scatter is None:
        return told(None, NO_SCATTER)
    return told(
        smallest_detectable_change(scatter, n_a=len(before.values), n_b=len(now.values))
    )


def _told_apart(before: SwingSet, now: SwingSet) -> float | None:
    """The smallest difference of two single values that their measurement tells.

    None unless both are single values of known uncertainty.
    """
    if before.uncertainty is None or now.uncertainty is None:
        return None
    return Z_95 * math.hypot(before.uncertainty, now.uncertainty)


def _scatter(
    definition: MetricDefinition,
    sets: Sequence[SwingSet],
    history: Mapping[int, History],
) -> float | None:
    """Standard deviation inside sessions, pooled over the athletes compared.

    The published one where none has sessions enough of their own.
    """
    squares = []
    for player, side in sorted({(one.player_id, one.side) for one in sets}):
        found = history.get(player, {}).get(definition.id, [])
        points = [point for point in found if point.basis.side == side]
        by_basis: dict[Basis, int] = {}
        for point in points:
            by_basis[point.basis] = by_basis.get(point.basis, 0) + point.n
        if not by_basis:
            continue
        # Of the things that the athlete's numbers rest on, the commonest.
        commonest = max(by_basis, key=lambda basis: by_basis[basis])
        scatter = scatter_of_points([p for p in points if p.basis == commonest])
        if scatter is not None:
            squares.append(scatter.sd**2)
    if not squares:
        return definition.published_sd
    return math.sqrt(sum(squares) / len(squares))
