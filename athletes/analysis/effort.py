"""Which swings were taken at full effort, by the athlete's own fastest bat speed.

Nobody records effort; the speed of the bat is the nearest thing that is measured.
Speeds are compared on one basis, from one side, and in sessions with the same setup: a
bat is slower against a pitcher than off a tee.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from athletes.models import Movement, Session
from athletes.querysets import SessionQuerySet

#: Of 673 published swings of 98 hitters, all meant to be hard, 98 % are at least so
#: fast, and 75 % reach 0.95 (own summary of the OpenBiomechanics Project's
#: `baseball_hitting`).
FULL_EFFORT_SHARE = 0.90
SPEED = "bat_speed_max"

# A side that a swing is from, and what its speed rests on.
_Kind = tuple[str, str]


@dataclass(frozen=True)
class FastestSpeeds:
    """An athlete's fastest bat speed with one setup, m/s, by side and basis."""

    by_kind: Mapping[_Kind, float]

    def is_full_effort(self, swing: Movement) -> bool | None:
        """Whether a swing is near its own fastest; None without a speed that counts."""
        speed = _speed(swing.metrics.get(SPEED))
        fastest = self.by_kind.get(_kind(swing.side, swing.metrics.get(SPEED)))
        if speed is None or fastest is None:
            return None
        return speed >= FULL_EFFORT_SHARE * fastest

    def of_side(self, side: str) -> float | None:
        """The fastest speed from one side on any basis, m/s; None without any."""
        own = [speed for (of, _), speed in self.by_kind.items() if of == side]
        return max(own, default=None)


def fastest_speeds(session: Session, siblings: SessionQuerySet) -> FastestSpeeds:
    """The fastest counted bat speeds in sessions with the setup of this one.

    Of those of its athlete among `siblings`. One query.
    """
    rows = Movement.objects.filter(
        session__in=siblings.filter(
            player_id=session.player_id, condition=session.condition
        ).order_by(),
        is_swing=True,
    ).present()
    found: dict[_Kind, float] = {}
    for side, grade, inclusion, entry in rows.values_list(
        "side", "quality_grade", "inclusion", f"metrics__{SPEED}"
    ):
        speed = _speed(entry)
        swing = Movement(
            side=side, is_swing=True, quality_grade=grade, inclusion=inclusion
        )
        if speed is not None and swing.is_counted:
            kind = _kind(side, entry)
            found[kind] = max(speed, found.get(kind, 0.0))
    return FastestSpeeds(found)


def _speed(entry: Mapping[str, Any] | None) -> float | None:
    """The speed that a stored entry counts with, m/s."""
    if entry is None or entry.get("flagged"):
        return None
    value = entry.get("value")
    return float(value) if isinstance(value, int | float) else None


def _kind(side: str | None, entry: Mapping[str, Any] | None) -> _Kind:
    return side or "", str((entry or {}).get("basis") or "")
