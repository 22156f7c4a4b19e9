"""Session means over time, and which of them may be held against each other.

One line never mixes sources, event rules, hitting conditions or versions of the
method: any of these moves a number without the athlete having changed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F

from athletes.models import Condition, SessionMetric
from athletes.querysets import SessionQuerySet

_CONDITIONS = dict(Condition.choices)
_RULES = {
    "contact": "contact",
    "bat_peak": "peak bat speed",
    "hand_peak": "peak hand speed",
}


@dataclass(frozen=True)
class Basis:
    """What a number rests on; only equal ones are compared."""

    condition: str
    rule: str
    source: str
    method_version: str

    @property
    def label(self) -> str:
        """The basis in words, without the version of the method."""
        words = [_CONDITIONS.get(self.condition, "condition not said")]
        if self.rule:
            words.append(f"reference: {rule_words(self.rule)}")
        if self.source:
            words.append(self.source)
        return " · ".join(words)


@dataclass(frozen=True)
class Point:
    """One metric of one session."""

    session_id: int
    date: dt.date | None
    metric: str
    n: int
    mean: float
    sd: float | None
    basis: Basis


History = Mapping[str, Sequence[Point]]


def rule_words(rule: str) -> str:
    """An event's rule as people say it."""
    return _RULES.get(rule, rule.replace("_", " "))


def histories(
    sessions: SessionQuerySet, player_ids: Iterable[int], metrics: Iterable[str]
) -> dict[int, dict[str, list[Point]]]:
    """Means by athlete and metric, oldest first; one query."""
    rows = (
        SessionMetric.objects.filter(
            session__in=sessions.filter(player_id__in=list(player_ids)),
            metric__in=list(metrics),
        )
        .order_by(F("session__session_date").asc(nulls_first=True), "session_id", "-n")
        .values_list(
            "session__player_id",
            "session_id",
            "session__session_date",
            "metric",
            "n",
            "mean",
            "sd",
            "session__condition",
            "event_rule",
            "session__mocap_type_name",
            "method_version",
        )
    )
    found: dict[int, dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for player, session, date, metric, n, mean, sd, condition, *basis in rows:
        found[player][metric].append(
            Point(session, date, metric, n, mean, sd, Basis(condition, *basis))
        )
    return {player: dict(metrics_of) for player, metrics_of in found.items()}


def comparable(points: Sequence[Point], basis: Basis) -> list[Point]:
    """The points that rest on the same as `basis`."""
    return [point for point in points if point.basis == basis]
