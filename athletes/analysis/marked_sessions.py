"""Which session of an athlete is the fastest, among those that may be compared."""

from __future__ import annotations

from dataclasses import dataclass

from athletes.analysis.event_rules import commonest
from athletes.analysis.history import Basis, History, SessionAverage
from athletes.analysis.marked_swings import FASTEST_BY
from biomechanics.definitions import METRICS, MetricDefinition
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD

#: One session alone is not the fastest of anything.
_LEAST_COMPARED = 2


@dataclass(frozen=True)
class FastestSession:
    """The session with the highest average of a speed, and among how many."""

    session_id: int
    definition: MetricDefinition
    among: int


def fastest_session(
    history: History, *, condition: str, source: str, side: str
) -> FastestSession | None:
    """The fastest session of one setup, source and side, by bat speed, else hand speed.

    By the speed that most sessions have, of averages of at least three swings on the
    basis of most. None with fewer than two such sessions.
    """
    found: list[tuple[str, list[SessionAverage]]] = []
    for name in FASTEST_BY:
        points = [
            point
            for point in history.get(name, ())
            if point.n >= LEAST_SWINGS_FOR_SPREAD
            and _wanted(point.basis, condition, source, side)
        ]
        shared = commonest(_measured(point.basis) for point in points)
        found.append((name, [p for p in points if _measured(p.basis) == shared]))
    name, points = max(found, key=lambda item: len(item[1]))
    if len(points) < _LEAST_COMPARED:
        return None
    # Of two that are level the first.
    fastest = max(points, key=lambda point: point.mean)
    return FastestSession(fastest.session_id, METRICS[name], len(points))


def _wanted(basis: Basis, condition: str, source: str, side: str) -> bool:
    return (basis.condition, basis.source, basis.side) == (condition, source, side)


def _measured(basis: Basis) -> str:
    """What has to be equal besides, in one text."""
    return f"{basis.method_version} {basis.measured}"
