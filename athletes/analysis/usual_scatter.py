"""How the facility's athletes scatter: what is learned of one from the others.

An athlete with few sessions says little of how numbers scatter from day to day, so
`biomechanics.variance` asks the other athletes with the same metric, basis, source and
version of the method. `athlete_scatters` keeps what each of them says: of every basis a
hundred athletes, who say as much as all would. Setups and sides are taken together:
averages differ between them, their scatter hardly does.

Whoever changes what a session average rests on calls `refresh`; services do it with the
athlete's other summaries.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from athletes.analysis.history import Basis, History, SessionAverage, histories
from athletes.kept_questions import kept_question
from athletes.models import AthleteScatter, Session
from biomechanics.definitions import NUMERIC_HEADLINES
from biomechanics.variance import (
    Components,
    Prior,
    SessionValues,
    components,
    facility_prior,
    pooled_components,
    published_prior,
)

#: So many athletes are kept of each basis.
MOST_ATHLETES = 100

#: Metric, measured basis, source and version of the method.
ScatterKey = tuple[str, str, str, str]
#: What others say of the scatter of a metric on a basis.
PriorOf = Callable[[str, Basis], Prior]

_KEY = ("metric", "basis", "source", "method_version")
_VALUES = (
    "within_variance",
    "within_freedom",
    "means_variance",
    "means_freedom",
    "inverse_n",
)


def session_values_of(points: Sequence[SessionAverage]) -> tuple[SessionValues, ...]:
    """Session averages as the statistics take them; the first is the oldest."""
    return tuple(
        SessionValues(place, point.n, point.mean, point.sd)
        for place, point in enumerate(points)
    )


def _key(metric: str, basis: Basis) -> ScatterKey:
    return (metric, basis.measured, basis.source, basis.method_version)


def components_of(history: History) -> dict[ScatterKey, Components]:
    """What one athlete's sessions say of their scatter."""
    found: dict[ScatterKey, list[Components]] = defaultdict(list)
    for metric, points in history.items():
        by_basis: dict[Basis, list[SessionAverage]] = defaultdict(list)
        for point in points:
            by_basis[point.basis].append(point)
        for basis, own in by_basis.items():
            found[_key(metric, basis)].append(components(session_values_of(own)))
    pooled = {key: pooled_components(parts) for key, parts in found.items()}
    return {key: one for key, one in pooled.items() if one.within_freedom}


def refresh(player_ids: Iterable[int]) -> None:
    """Bring what these athletes say of their scatter up to date."""
    ids = sorted(set(player_ids))
    sessions = Session.objects.filter(player__merged_into__isnull=True).present()
    found = histories(sessions, ids, NUMERIC_HEADLINES)
    with transaction.atomic():
        stored: dict[int, dict[ScatterKey, AthleteScatter]] = defaultdict(dict)
        for row in AthleteScatter.objects.filter(player_id__in=ids):
            stored[row.player_id][_row_key(row)] = row
        wanted = {pk: components_of(found.get(pk, {})) for pk in ids}
        gone = [
            row.pk
            for pk, rows in stored.items()
            for key, row in rows.items()
            if key not in wanted[pk]
        ]
        if gone:
            AthleteScatter.objects.filter(pk__in=gone).delete()
        moved, new = [], []
        for pk in ids:
            for key, values in wanted[pk].items():
                old = stored[pk].get(key)
                if old is None:
                    new.append((pk, key, values))
                elif _components(old) != values:
                    for name in _VALUES:
                        setattr(old, name, getattr(values, name))
                    moved.append(old)
        if moved:
            moved.sort(key=lambda row: row.pk)
            AthleteScatter.objects.bulk_update(moved, _VALUES, batch_size=200)
        _add(new)


def withdraw(player_ids: Iterable[int]) -> None:
    """Forget these athletes, who are merged into others."""
    AthleteScatter.objects.filter(player_id__in=list(player_ids)).delete()


def _add(new: Sequence[tuple[int, ScatterKey, Components]]) -> None:
    """Store what is new, as far as its basis has not athletes enough."""
    if not new:
        return
    known = Counter(
        _row_key(row)
        for row in _rows(key for _, key, _ in new).only(
            "metric", "basis", "source", "method_version"
        )
    )
    rows = []
    for pk, (metric, basis, source, version), values in new:
        key = (metric, basis, source, version)
        if known[key] >= MOST_ATHLETES:
            continue
        known[key] += 1
        rows.append(
            AthleteScatter(
                player_id=pk,
                metric=metric,
                basis=basis,
                source=source,
                method_version=version,
                **{name: getattr(values, name) for name in _VALUES},
            )
        )
    AthleteScatter.objects.bulk_create(rows, ignore_conflicts=True)


def _rows(keys: Iterable[ScatterKey]):  # type: ignore[no-untyped-def]
    """The rows that may be of these keys; a few others may be among them."""
    metrics, bases, sources, versions = (set(part) for part in zip(*keys, strict=True))
    return AthleteScatter.objects.filter(
        metric__in=metrics,
        basis__in=bases,
        source__in=sources,
        method_version__in=versions,
    )


def _row_key(row: AthleteScatter) -> ScatterKey:
    return (row.metric, row.basis, row.source, row.method_version)


def _components(row: AthleteScatter) -> Components:
    return Components(*(getattr(row, name) for name in _VALUES))


@lru_cache(maxsize=512)
def _priors(
    metric: str, others: tuple[tuple[int, Components], ...]
) -> dict[int, Prior]:
    """What is known already of these athletes' scatter, by the athlete left out.

    Their values decide it alone, and stay the same from one page to the next.
    """
    return {}


@kept_question
def _values(
    keys: tuple[ScatterKey, ...],
) -> QuerySet[AthleteScatter, tuple[Any, ...]]:
    found: QuerySet[AthleteScatter, tuple[Any, ...]] = _rows(keys).values_list(
        *_KEY, "player_id", *_VALUES
    )
    return found


class Facility:
    """What the facility's athletes say of each other's scatter; one query."""

    def __init__(self, found: Mapping[int, History]) -> None:
        keys = {
            _key(metric, point.basis)
            for history in found.values()
            for metric, points in history.items()
            for point in points
        }
        rows: dict[ScatterKey, dict[int, Components]] = defaultdict(dict)
        # In an order that does not depend on the process: equal questions are equal.
        stored = _values(tuple(sorted(keys))) if keys else []
        for metric, basis, source, version, player_id, *values in stored:
            rows[metric, basis, source, version][player_id] = Components(*values)
        self._others = {key: dict(sorted(of.items())) for key, of in rows.items()}
        self._known: dict[ScatterKey, dict[int, Prior]] = {}

    def prior(self, player_id: int, metric: str, basis: Basis) -> Prior:
        """What all athletes but this one say of the scatter of a metric."""
        key = _key(metric, basis)
        others = self._others.get(key)
        if not others:
            return published_prior(metric)
        # To all who are not among the kept, they say the same.
        left_out = player_id if player_id in others else 0
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _priors(metric, tuple(others.items()))
        prior = known.get(left_out)
        if prior is None:
            kept = [one for pk, one in others.items() if pk != left_out]
            prior = known[left_out] = facility_prior(metric, kept)
        return prior

    def of(self, player_id: int) -> PriorOf:
        """What all athletes but this one say."""
        return lambda metric, basis: self.prior(player_id, metric, basis)
