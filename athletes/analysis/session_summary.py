"""What is stored of a session as a whole: averages, spread, sides.

Computed from the stored metrics of its swings, so it reads no frames.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from athletes.analysis.means_by_side import (
    metrics_of,
    sides_json,
)
from athletes.bulk_sql import write_rows
from athletes.models import Movement, QualityGrade, Session, SessionMetric
from biomechanics.analysis_types import MetricValue
from biomechanics.definitions import HEADLINES, METHOD_VERSION, METRICS
from biomechanics.session_statistics import (
    MetricSummary,
    most_shared,
    summarize_by_basis,
)

_GRADES = tuple(QualityGrade.values)


#: A swing that counts, with its metrics.
_Counted = tuple[Movement, dict[str, MetricValue]]


def lock_session(session_pk: int) -> Session:
    """The session, locked so that those who write to it wait for each other.

    SQLite has one writer anyway. The athlete is not joined: that row would be as it
    was before the wait.

    Raises
    ------
    Session.DoesNotExist
        When the session is gone.
    """
    return Session.objects.select_for_update(no_key=True).get(pk=session_pk)


def refresh_session_summary(session_pk: int) -> None:
    """Compute and store what a session says of its swings that count."""
    with transaction.atomic():
        write_session_summary(lock_session(session_pk))


def write_session_summary(
    session: Session, *, also: Mapping[str, float] | None = None
) -> None:
    """Compute and store the summary of a session that the caller has locked.

    `also` holds other fields of the session to store with it.
    """
    movements = list(
        Movement.objects.filter(session_id=session.pk)
        .present()
        .in_session_order()
        .only(
            "missing_since",
            "condition",
            "is_swing",
            "side",
            "quality_grade",
            "inclusion",
            "events",
            "automatic_events",
            "metrics",
        )
    )
    for movement in movements:
        movement.session = session
    counted = [
        (movement, metrics_of(movement))
        for movement in movements
        if movement.is_counted
    ]
    _store_session_metrics(session.pk, counted)
    swings = sum(bool(movement.is_swing) for movement in movements)
    summary = _summary(session, movements, counted)
    others = also or {}
    if others or (session.swing_count, session.summary) != (swings, summary):
        session.swing_count = swings
        session.summary = summary
        for name, value in others.items():
            setattr(session, name, value)
        session.save(update_fields=["swing_count", "summary", *others, "updated_at"])


def _store_session_metrics(session_pk: int, counted: Sequence[_Counted]) -> None:
    """Store a row for each metric and basis; delete the session's other rows."""
    means = summarize_by_basis(metrics for _, metrics in counted)
    new = {key: _values_of(summary) for key, summary in means.items()}
    rows = SessionMetric.objects.filter(session_id=session_pk).values_list(
        "pk", "metric", "basis", *_SUMMARY_COLUMNS
    )
    pks, stored = {}, {}
    for pk, name, basis, *values in rows:
        pks[name, basis], stored[name, basis] = pk, values
    gone = [pk for key, pk in pks.items() if key not in new]
    if gone:
        SessionMetric.objects.filter(pk__in=gone).delete()
    write_rows(
        "session_metrics",
        _METRIC_COLUMNS,
        [
            (session_pk, *key, *values)
            for key, values in new.items()
            if values != stored.get(key)
        ],
        key=("session_id", "metric", _BASIS_COLUMN),
    )


_SUMMARY_COLUMNS = {
    "n": "integer",
    "mean": "double precision",
    "sd": "double precision",
    "minimum": "double precision",
    "maximum": "double precision",
    "median": "double precision",
    "robust_spread": "double precision",
    "cv": "double precision",
    "method_version": "text",
}
# The name that the release before knows the basis by.
_BASIS_COLUMN = "event_rule"
_METRIC_COLUMNS = {
    "session_id": "bigint",
    "metric": "text",
    _BASIS_COLUMN: "text",
    **_SUMMARY_COLUMNS,
}


def _values_of(summary: MetricSummary) -> list[Any]:
    """The stored values of a summary, in the order of `_SUMMARY_COLUMNS`."""
    return [
        summary.n,
        summary.mean,
        summary.sd,
        summary.minimum,
        summary.maximum,
        summary.median,
        summary.robust_spread,
        summary.cv_percent,
        METHOD_VERSION,
    ]


def _setups_json(session: Session, movements: Sequence[Movement]) -> dict[str, Any]:
    """How many swings there are of each setup, unless all have their session's."""
    setups = Counter(movement.setup for movement in movements if movement.is_swing)
    if setups.keys() <= {session.condition}:
        return {}
    return {"setups": dict(sorted(setups.items()))}


def _summary(
    session: Session, movements: Sequence[Movement], counted: Sequence[_Counted]
) -> dict[str, Any]:
    """What pages show of a session at a glance, as JSON for its `summary`."""
    metrics = [item for _, item in counted]
    means = most_shared(summarize_by_basis(metrics))
    grades = Counter(
        movement.quality_grade or "none" for movement in movements if movement.is_swing
    )
    return {
        "movements": len(movements),
        "swings": sum(bool(movement.is_swing) for movement in movements),
        "counted": len(counted),
        "sides": sides_json(counted),
        **_setups_json(session, movements),
        "quality": {grade: grades.get(grade, 0) for grade in (*_GRADES, "none")},
        "headlines": {
            name: {
                "mean": means[name].mean,
                "sd": means[name].sd,
                "n": means[name].n,
                "unit": METRICS[name].unit,
                "basis": means[name].basis,
                "left_out": means[name].left_out,
            }
            for name in HEADLINES
            if name in means
        },
        "method_version": METHOD_VERSION,
    }
