"""Which swings were taken at full effort, by the athlete's own fastest bat speed.

Nobody records effort; the speed of the bat is the nearest thing that is measured.
Speeds are compared on one basis, from one side, of one capture system, and in sessions
with the same setup: a bat is slower against a pitcher than off a tee. Only the year up
to the session counts: what an athlete did later, grown up, says nothing of that day.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from athletes.models import Movement, Session
from athletes.querysets import SessionQuerySet
from biomechanics.basis import with_setup

#: Of 673 published swings of 98 hitters, all meant to be hard, 98 % are at least so
#: fast, and 75 % reach 0.95 (own summary of the OpenBiomechanics Project's
#: `baseball_hitting`).
FULL_EFFORT_SHARE = 0.90
SPEED = "bat_speed_max"
#: How long a fastest swing counts.
YEAR = dt.timedelta(days=365)

# A side that a swing is from, its setup, and what its speed rests on.
_Kind = tuple[str, str, str]


@dataclass(frozen=True)
class FastestSpeeds:
    """An athlete's fastest bat speed up to a session, m/s, by side, setup and basis."""

    by_kind: Mapping[_Kind, float]

    def is_full_effort(self, swing: Movement) -> bool | None:
        """Whether a swing is near its own fastest; None without a speed that counts."""
        speed = _speed(swing.metrics.get(SPEED))
        fastest = self.by_kind.get(_kind_of(swing))
        if speed is None or fastest is None:
            return None
        return speed >= FULL_EFFORT_SHARE * fastest

    def of_side(self, side: str, swings: Iterable[Movement]) -> dict[str, float]:
        """The fastest speed from one side, m/s, by each basis that these swings have.

        That of most swings comes first.
        """
        swings = list(swings)
        several = len({swing.setup for swing in swings}) > 1
        kinds = Counter(
            _kind_of(swing)
            for swing in swings
            if _speed(swing.metrics.get(SPEED)) is not None
        )
        return {
            with_setup(basis, setup) if several else basis: speed
            for (of, setup, basis), _ in kinds.most_common()
            if of == side and (speed := self.by_kind.get((of, setup, basis)))
        }


def fastest_speeds(session: Session, siblings: SessionQuerySet) -> FastestSpeeds:
    """The fastest included bat speeds of the year up to a session, that one included.

    Of its athlete's sessions among `siblings` with its capture system, by setup; of
    this session alone where its day is not known. One query.
    """
    alike = siblings.filter(
        player_id=session.player_id,
        mocap_type_name=session.mocap_type_name,
    )
    day = session.session_date
    if day is None:
        alike = alike.filter(pk=session.pk)
    else:
        alike = alike.filter(session_date__gt=day - YEAR, session_date__lte=day)
    rows = Movement.objects.filter(
        session__in=alike.order_by(), is_swing=True
    ).present()
    found: dict[_Kind, float] = {}
    for of_session, setup, side, grade, inclusion, entry in rows.values_list(
        *("session__condition", "condition", "side", "quality_grade", "inclusion"),
        f"metrics__{SPEED}",
    ):
        speed = _speed(entry)
        swing = Movement(
            session=Session(condition=of_session),
            condition=setup,
            side=side,
            is_swing=True,
            quality_grade=grade,
            inclusion=inclusion,
            metrics={SPEED: entry},
        )
        if speed is not None and swing.is_counted:
            kind = _kind_of(swing)
            found[kind] = max(speed, found.get(kind, 0.0))
    return FastestSpeeds(found)


def _speed(entry: Mapping[str, Any] | None) -> float | None:
    """The speed that a stored entry counts with, m/s."""
    if entry is None or entry.get("flagged"):
        return None
    value = entry.get("value")
    return float(value) if isinstance(value, int | float) else None


def _kind_of(swing: Movement) -> _Kind:
    basis = (swing.metrics.get(SPEED) or {}).get("basis")
    return swing.side or "", swing.setup, str(basis or "")
