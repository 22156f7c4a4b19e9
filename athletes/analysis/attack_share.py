"""How many swings of a session have an attack angle inside a named range.

A number of a session, k of n, and no average: it describes how often the bat climbed by
that much. Which angle suits a pitch is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from athletes.analysis.means_by_side import SIDES, metrics_of, side_of
from athletes.models import Movement

ANGLE = "attack_angle"
#: Degrees, both included: the range whose share Statcast publishes for hitters. That is
#: of bat tracking at contact; ours is the mean of the 10 ms before, about 7° lower than
#: the instant (it climbs about 1.3° a millisecond: docs/conventions.md). The two
#: shares are not to be compared.
RANGE_DEG = (5.0, 20.0)


@dataclass(frozen=True)
class AttackShare:
    """Swings inside the range among those from one side with the number on one basis.

    `left_out` are counted swings without it: missing, marked, or on another basis.
    """

    side: str
    basis: str
    inside: int
    n: int
    left_out: int

    @property
    def low(self) -> int:
        """The least angle inside, whole degrees."""
        return round(RANGE_DEG[0])

    @property
    def high(self) -> int:
        """The largest angle inside, whole degrees."""
        return round(RANGE_DEG[1])


def attack_shares(swings: Iterable[Movement]) -> tuple[AttackShare, ...]:
    """The share of each side whose counted swings have any attack angle.

    Of several bases the one that most swings have, so that none are added up.
    """
    by_side: dict[str, list[Movement]] = {}
    for swing in swings:
        if swing.is_counted:
            by_side.setdefault(side_of(swing), []).append(swing)
    shares = []
    for side in SIDES:
        own = by_side.get(side, [])
        angles: dict[str, list[float]] = {}
        for swing in own:
            value = metrics_of(swing, (ANGLE,)).get(ANGLE)
            if value is not None and value.number is not None:
                angles.setdefault(value.basis, []).append(value.number)
        if not angles:
            continue
        # Of two that are level the first by name, so that it stays the same.
        basis = min(angles, key=lambda one: (-len(angles[one]), one))
        low, high = RANGE_DEG
        shares.append(
            AttackShare(
                side=side,
                basis=basis,
                inside=sum(low <= angle <= high for angle in angles[basis]),
                n=len(angles[basis]),
                left_out=len(own) - len(angles[basis]),
            )
        )
    return tuple(shares)
