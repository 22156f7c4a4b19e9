"""The bridge: stored frames in, numbers of movements and sessions out.

Frames are loaded, analysed outside of any transaction, and the results written in a
short one, but only where what they were computed from is still what is stored: a sync
may bring other frames meanwhile, and a person may move an event.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from django.db import transaction
from django.utils import timezone

from athletes import curve_store, timeseries
from athletes.biomechanics import curves as curve_tools
from athletes.biomechanics import units
from athletes.biomechanics.definitions import HEADLINES, METHOD_VERSION, METRICS
from athletes.biomechanics.results import MetricValue
from athletes.biomechanics.summary import (
    Summary,
    session_order,
    summarise_session,
)
from athletes.frames_format import FrameParts
from athletes.means import means_by_rule, metrics_of, sides_json
from athletes.models import (
    BiomechanicsData,
    DataType,
    EventCorrection,
    Movement,
    QualityGrade,
    Session,
    SessionMetric,
)
from athletes.swing_work import (
    ENERGETIC_COLUMNS,
    KINEMATIC_COLUMNS,
    Compute,
    SwingDone,
    SwingTask,
    compute_here,
)

logger = logging.getLogger(__name__)

# Movements whose frames are in memory at once: about 3 MB each at 600 frames.
BATCH = 16
# Rounds in which results are thrown away because their frames changed meanwhile.
_ROUNDS = 3

# Curves by which the swing nearest to the mean is found.
_REPRESENTATIVE_BY = ("pelvis_omega", "torso_omega", "lead_arm_omega")

# What a movement holds of which nothing could be found out.
_NO_RESULT: dict[str, Any] = {
    "is_swing": None,
    "side": None,
    "sampling_rate_hz": None,
    "frame_count": None,
    "duration_s": None,
    "angle_unit_found": None,
    "verdict": {},
    "events": {},
    "automatic_events": {},
    "metrics": {},
    "quality_grade": None,
    "quality_reasons": [],
}


@dataclass(frozen=True, slots=True)
class AnalysisCounts:
    """How many movements got new numbers, and of how many that failed."""

    analysed: int = 0
    failed: int = 0
    unchanged: int = 0

    def __add__(self, other: AnalysisCounts) -> AnalysisCounts:
        return AnalysisCounts(
            self.analysed + other.analysed,
            self.failed + other.failed,
            self.unchanged + other.unchanged,
        )


@dataclass(frozen=True, slots=True)
class _Inputs:
    """All that the numbers of one movement follow from; equal: same numbers."""

    hashes: tuple[tuple[str, str], ...] = ()
    overrides: tuple[tuple[str, float], ...] = ()
    bats: str | None = None
    height_ft: float | None = None
    weight_lbs: float | None = None
    movement_type: str = ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one movement: an analysis, or why there is none."""

    inputs: _Inputs
    done: SwingDone | None = None
    code: str = ""
    text: str = ""


def is_hitting(movement_type_name: str) -> bool:
    """Whether movements of this type are swings; an unknown type is looked at."""
    return not movement_type_name or "hitting" in movement_type_name.lower()


def analyse_session(
    session_pk: int, *, force: bool = False, compute: Compute = compute_here
) -> AnalysisCounts:
    """Bring the numbers of a session up to date with its frames and the method.

    Movements whose numbers are of the present method are left as they are, unless
    `force`; the means of the session are computed in any case. `compute` does the
    analysis itself, perhaps in another process.
    """
    movements = Movement.objects.filter(session_id=session_pk).order_by("position")
    if not force:
        movements = movements.exclude(method_version=METHOD_VERSION)
    ids = list(movements.values_list("pk", flat=True))
    counts = _analyse(session_pk, ids, compute)
    summarise(session_pk)
    total = Movement.objects.filter(session_id=session_pk).count()
    return counts + AnalysisCounts(unchanged=total - counts.analysed - counts.failed)


def analyse_movements(movement_ids: Iterable[int]) -> AnalysisCounts:
    """New numbers for these movements, and for the sessions that they belong to."""
    by_session: dict[int, list[int]] = {}
    rows = Movement.objects.filter(pk__in=list(movement_ids))
    for pk, session_pk in rows.values_list("pk", "session_id"):
        by_session.setdefault(session_pk, []).append(pk)
    counts = AnalysisCounts()
    for session_pk, ids in sorted(by_session.items()):
        counts += _analyse(session_pk, ids, compute_here)
        summarise(session_pk)
    return counts


# --- Movements ------------------------------------------------------------------


def _analyse(
    session_pk: int, movement_ids: Sequence[int], compute: Compute
) -> AnalysisCounts:
    counts = AnalysisCounts()
    for batch in _batches(movement_ids):
        waiting = batch
        for _ in range(_ROUNDS):
            outcomes = _compute(session_pk, waiting, compute)
            waiting = _write(session_pk, outcomes)
            done = [pk for pk in outcomes if pk not in waiting]
            failed = sum(outcomes[pk].code == "analysis_failed" for pk in done)
            counts += AnalysisCounts(analysed=len(done) - failed, failed=failed)
            if not waiting:
                break
        else:
            # Still without the present version, so whoever changed them asks again.
            logger.warning(
                "session %s: inputs of %s movements kept changing during analysis",
                session_pk,
                len(waiting),
            )
    return counts


def _batches(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), BATCH):
        yield list(ids[start : start + BATCH])


def _inputs_of(session: Session, ids: Sequence[int]) -> dict[int, _Inputs]:
    """What is stored now for each movement, in two queries."""
    hashes: dict[int, list[tuple[str, str]]] = {}
    rows = BiomechanicsData.objects.filter(movement_id__in=ids)
    for pk, data_type, sha256 in rows.order_by("data_type").values_list(
        "movement_id", "data_type", "content_sha256"
    ):
        hashes.setdefault(pk, []).append((data_type, sha256))
    overrides: dict[int, list[tuple[str, float]]] = {}
    active = EventCorrection.objects.filter(
        movement_id__in=ids, undone_at__isnull=True
    ).order_by("event")
    for pk, event, time_s in active.values_list("movement_id", "event", "time_s"):
        overrides.setdefault(pk, []).append((event, time_s))
    player = session.player
    return {
        pk: _Inputs(
            hashes=tuple(hashes.get(pk, ())),
            overrides=tuple(overrides.get(pk, ())),
            bats=player.dominant_hand_hitting,
            height_ft=player.height_ft,
            weight_lbs=player.weight_lbs,
            movement_type=session.movement_type_name,
        )
        for pk in ids
    }


def _session(session_pk: int) -> Session:
    return Session.objects.select_related("player").get(pk=session_pk)


def _compute(
    session_pk: int, ids: Sequence[int], compute: Compute
) -> dict[int, _Outcome]:
    inputs = _inputs_of(_session(session_pk), ids)
    kinematics = timeseries.load_parts(
        ids, DataType.INVERSE_KINEMATICS, KINEMATIC_COLUMNS
    )
    energetics = timeseries.load_parts(ids, DataType.MOMENTUM_ENERGY, ENERGETIC_COLUMNS)
    tasks = {
        pk: _task(inputs[pk], kinematics[pk], energetics.get(pk))
        for pk in ids
        if pk in kinematics
    }
    found = dict(zip(tasks, compute(list(tasks.values())), strict=True))
    return {pk: _outcome(pk, inputs[pk], found.get(pk)) for pk in ids}


def _task(
    inputs: _Inputs, kinematics: FrameParts, energetics: FrameParts | None
) -> SwingTask:
    return SwingTask(
        kinematics=kinematics,
        energetics=energetics,
        bats=inputs.bats,
        height_m=inputs.height_ft and units.ft_to_m(inputs.height_ft),
        mass_kg=inputs.weight_lbs and units.lb_to_kg(inputs.weight_lbs),
        overrides=dict(inputs.overrides),
    )


def _outcome(movement_id: int, inputs: _Inputs, done: SwingDone | None) -> _Outcome:
    if done is None:
        return _Outcome(
            inputs,
            code="no_kinematics",
            text="No inverse kinematics of this movement have arrived.",
        )
    if done.error:
        # One movement must not keep the others from getting their numbers; that it
        # has none, and why, stands on the movement itself.
        logger.error("movement %s: the analysis failed\n%s", movement_id, done.trace)
        return _Outcome(
            inputs,
            code="analysis_failed",
            text=f"The analysis stopped with an error ({done.error}).",
        )
    return _Outcome(inputs, done)


def _write(session_pk: int, outcomes: Mapping[int, _Outcome]) -> list[int]:
    """Store results; returns the movements whose inputs are other ones by now."""
    with transaction.atomic():
        _lock(session_pk)
        present = _inputs_of(_session(session_pk), list(outcomes))
        stale = [pk for pk, item in outcomes.items() if item.inputs != present[pk]]
        now = timezone.now()
        kept, without = {}, []
        for pk, outcome in outcomes.items():
            if pk in stale:
                continue
            # One by one: bulk_update builds a condition for each row and field, and
            # takes ten times as long.
            Movement.objects.filter(pk=pk).update(
                **_result(outcome),
                method_version=METHOD_VERSION,
                analysed_at=now,
                updated_at=now,
            )
            curves = None if outcome.done is None else outcome.done.curves
            if curves is not None and is_hitting(outcome.inputs.movement_type):
                kept[pk] = curves
            else:
                without.append(pk)
        curve_store.store_packed(kept)
        curve_store.forget_curves(without)
    return stale


def _lock(session_pk: int) -> None:
    """Let writers of one session wait for each other (SQLite has one anyway)."""
    Session.objects.select_for_update(no_key=True).only("pk").get(pk=session_pk)


def _result(outcome: _Outcome) -> dict[str, Any]:
    """Fields of a movement out of what became of its analysis."""
    analysis = None if outcome.done is None else outcome.done.analysis
    plain = None if outcome.done is None else outcome.done.plain
    if analysis is None or plain is None:
        # No grade where nothing was looked at; poor where looking at it failed.
        failed = outcome.code == "analysis_failed"
        return _NO_RESULT | {
            "quality_grade": QualityGrade.POOR if failed else None,
            "quality_reasons": [{"code": outcome.code, "text": outcome.text}],
        }
    reading = _NO_RESULT | {
        "side": analysis.side,
        "sampling_rate_hz": plain["sampling_rate_hz"],
        "frame_count": analysis.frame_count,
        "duration_s": plain["duration_s"],
        "angle_unit_found": analysis.angle_unit,
        "verdict": plain["verdict"],
    }
    if not is_hitting(outcome.inputs.movement_type):
        text = "Only hitting movements are measured."
        return reading | {
            "is_swing": False,
            "quality_reasons": [{"code": "not_hitting", "text": text}],
        }
    return reading | {
        # What could not be read may be a swing or not.
        "is_swing": None if analysis.kind == "unreadable" else analysis.is_swing,
        "events": plain["events"],
        "automatic_events": plain["automatic_events"] or plain["events"],
        "metrics": plain["metrics"],
        "quality_grade": analysis.quality.grade,
        "quality_reasons": plain["quality"]["reasons"],
    }


# --- Sessions -------------------------------------------------------------------


def summarise(session_pk: int) -> None:
    """Means, spread and the like of a session over its counted swings."""
    with transaction.atomic():
        _lock(session_pk)
        movements = list(
            Movement.objects.filter(session_id=session_pk)
            .in_session_order()
            .defer("metadata", "verdict", "quality_reasons")
        )
        counted = [
            (movement, metrics_of(movement))
            for movement in movements
            if movement.is_counted
        ]
        _store_session_metrics(session_pk, counted)
        swings = sum(bool(movement.is_swing) for movement in movements)
        session = Session.objects.get(pk=session_pk)
        summary = _summary(movements, counted)
        if (session.swing_count, session.summary) != (swings, summary):
            session.swing_count = swings
            session.summary = summary
            session.save(update_fields=["swing_count", "summary", "updated_at"])


#: A swing that counts, with its metrics.
_Counted = tuple[Movement, dict[str, MetricValue]]


def _store_session_metrics(session_pk: int, counted: Sequence[_Counted]) -> None:
    """One row for each metric and event rule; others of the session go."""
    new = {
        (name, rule): _row_of(session_pk, name, rule, summary)
        for (name, rule), summary in means_by_rule(counted).items()
    }
    stored = {
        (row.metric, row.event_rule): row
        for row in SessionMetric.objects.filter(session_id=session_pk)
    }
    gone = [row.pk for key, row in stored.items() if key not in new]
    if gone:
        SessionMetric.objects.filter(pk__in=gone).delete()
    changed = [
        row
        for key, row in new.items()
        if key not in stored or _values(row) != _values(stored[key])
    ]
    if changed:
        SessionMetric.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["session", "metric", "event_rule"],
            update_fields=_SUMMARY_FIELDS,
        )


_SUMMARY_FIELDS = (
    "n",
    "mean",
    "sd",
    "minimum",
    "maximum",
    "median",
    "robust_spread",
    "cv",
    "method_version",
)


def _values(row: SessionMetric) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _SUMMARY_FIELDS)


def _row_of(session_pk: int, metric: str, rule: str, summary: Summary) -> SessionMetric:
    # Rows are made of values that there are, so these four are never missing.
    return SessionMetric(
        session_id=session_pk,
        metric=metric,
        event_rule=rule,
        n=summary.n,
        mean=cast(float, summary.mean),
        sd=summary.sd,
        minimum=cast(float, summary.minimum),
        maximum=cast(float, summary.maximum),
        median=cast(float, summary.median),
        robust_spread=summary.robust_spread,
        cv=summary.cv_percent,
        method_version=METHOD_VERSION,
    )


def _summary(
    movements: Sequence[Movement], counted: Sequence[_Counted]
) -> dict[str, Any]:
    """What pages say of a session at a glance; JSON."""
    metrics = [item for _, item in counted]
    order = session_order(metrics)
    means = summarise_session(metrics, HEADLINES)
    grades = Counter(
        movement.quality_grade or "none" for movement in movements if movement.is_swing
    )
    return {
        "movements": len(movements),
        "swings": sum(bool(movement.is_swing) for movement in movements),
        "counted": len(counted),
        "sides": sides_json(counted),
        "representative": {
            "movement_id": representative_movement([m for m, _ in counted])
        },
        "orders": [
            {"order": share.order, "count": share.count, "share": share.share}
            for share in order.distribution
        ],
        "mean_order": order.mean_order,
        "quality": {grade: grades.get(grade, 0) for grade in (*_GRADES, "none")},
        "headlines": {
            name: {
                "mean": means[name].mean,
                "sd": means[name].sd,
                "n": means[name].n,
                "unit": METRICS[name].unit,
            }
            for name in HEADLINES
            if name in means and means[name].n
        },
        "method_version": METHOD_VERSION,
    }


_GRADES = tuple(QualityGrade.values)


def representative_movement(counted: Sequence[Movement]) -> int | None:
    """The swing nearest to the mean curves; None with fewer than three swings."""
    if len(counted) < curve_tools.LEAST_SWINGS:
        return None
    kept = curve_store.load_curves([m.pk for m in counted], _REPRESENTATIVE_BY)
    usable = [
        (movement, kept[movement.pk])
        for movement in counted
        if movement.pk in kept and _reference_s(movement) is not None
    ]
    names = [
        name
        for name in _REPRESENTATIVE_BY
        if any(name in curves.values for _, curves in usable)
    ]
    sets = [
        curve_tools.align(
            [
                curve_tools.Curve(
                    time_s=curves.time_s,
                    values=curves.values.get(name, np.full(len(curves.time_s), np.nan)),
                    zero_s=_reference_s(movement),
                )
                for movement, curves in usable
            ]
        )
        for name in names
    ]
    place = curve_tools.representative(sets)
    return None if place is None else usable[place][0].pk


def _reference_s(movement: Movement) -> float | None:
    time_s = (movement.events.get("reference") or {}).get("time_s")
    return None if time_s is None else float(time_s)
