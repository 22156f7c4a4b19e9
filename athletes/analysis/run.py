"""Computing and storing the numbers of movements from their stored frames.

Frames are loaded and analyzed outside of any transaction, and the results are written
in a short one, but only where the stored frames and facts are still those from which
they were computed: a sync may store other frames meanwhile, and a person may move an
event.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from athletes.analysis.same_recording import note_same_recording
from athletes.analysis.session_summary import (
    lock_session,
    refresh_session_summary,
    write_session_summary,
)
from athletes.analysis.swing_task import (
    FIELD_AXES,
    Compute,
    SwingResult,
    SwingTask,
    compute_here,
)
from athletes.bulk_sql import update_rows
from athletes.frames import curves as stored_curves
from athletes.frames import load
from athletes.frames.store import vendor_events
from athletes.frames.unpacking import FrameParts
from athletes.kept_questions import kept_question_of_keys
from athletes.models import (
    BiomechanicsData,
    DataType,
    EventCorrection,
    Movement,
    QualityGrade,
    Session,
)
from biomechanics import units
from biomechanics.definitions import METHOD_VERSION
from biomechanics.swing import ENERGETIC_COLUMNS, KINEMATIC_COLUMNS
from biomechanics.vendor_contact import VendorEvents

logger = logging.getLogger(__name__)

# Movements whose frames are in memory at once: about 3 MB each at 600 frames.
BATCH = 16
# How often a movement is analyzed again because its frames changed meanwhile.
_ROUNDS = 3


# The fields of a movement about which nothing could be found out.
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
    """How many movements got new numbers, failed, or were left as they were."""

    analyzed: int = 0
    failed: int = 0
    unchanged: int = 0

    def __add__(self, other: AnalysisCounts) -> AnalysisCounts:
        return AnalysisCounts(
            self.analyzed + other.analyzed,
            self.failed + other.failed,
            self.unchanged + other.unchanged,
        )


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Everything from which the numbers of one movement are computed.

    Equal inputs give equal numbers.
    """

    hashes: tuple[tuple[str, str], ...] = ()
    overrides: tuple[tuple[str, float], ...] = ()
    bats: str | None = None
    height_ft: float | None = None
    weight_lbs: float | None = None
    movement_type: str = ""
    vendor_events: VendorEvents | None = None
    rows_left_out: bool = False
    field_axis: str = ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result for one movement: an analysis, or the reason why there is none."""

    inputs: _Inputs
    done: SwingResult | None = None
    code: str = ""
    text: str = ""


def is_hitting(movement_type_name: str) -> bool:
    """Whether movements of this type are swings; an unknown type is analyzed as one."""
    return not movement_type_name or "hitting" in movement_type_name.lower()


def analyze_session(
    session_pk: int, *, force: bool = False, compute: Compute = compute_here
) -> AnalysisCounts:
    """Bring the numbers of a session up to date with its frames and the method.

    Movements whose numbers are of the present method are left as they are, unless
    `force` is set; the averages of the session are computed in any case. `compute` does
    the analysis itself, perhaps in other processes. Nothing happens when the session
    no longer exists.
    """
    movements = Movement.objects.filter(session_id=session_pk).order_by("position")
    versions = dict(movements.values_list("pk", "method_version"))
    ids = [pk for pk, version in versions.items() if force or version != METHOD_VERSION]
    try:
        counts = _analyze(session_pk, ids, compute)
    except Session.DoesNotExist:  # the athlete was erased meanwhile
        return AnalysisCounts()
    note_same_recording(session_pk)
    done = counts.analyzed + counts.failed
    return counts + AnalysisCounts(unchanged=len(versions) - done)


def analyze_movements(movement_ids: Iterable[int]) -> AnalysisCounts:
    """Compute the numbers of these movements and of their sessions again."""
    by_session: dict[int, list[int]] = {}
    rows = Movement.objects.filter(pk__in=list(movement_ids))
    for pk, session_pk in rows.values_list("pk", "session_id"):
        by_session.setdefault(session_pk, []).append(pk)
    counts = AnalysisCounts()
    for session_pk, ids in sorted(by_session.items()):
        counts += _analyze(session_pk, ids, compute_here)
    return counts


# --- Movements ------------------------------------------------------------------


def _analyze(
    session_pk: int, movement_ids: Sequence[int], compute: Compute
) -> AnalysisCounts:
    """Compute the numbers of these movements, and then those of their session."""
    counts = AnalysisCounts()
    is_summarized = False
    for is_last, batch in _batches(movement_ids):
        waiting = batch
        for _ in range(_ROUNDS):
            outcomes = _compute(session_pk, waiting, compute)
            with transaction.atomic():
                session = lock_session(session_pk)
                waiting = _write(session, outcomes)
                if is_last and not waiting:
                    write_session_summary(session, also=_new_measures(session))
                    is_summarized = True
            done = [pk for pk in outcomes if pk not in waiting]
            failed = sum(outcomes[pk].code == "analysis_failed" for pk in done)
            counts += AnalysisCounts(analyzed=len(done) - failed, failed=failed)
            if not waiting:
                break
        else:
            # They keep a former version, so the next analysis takes them up.
            logger.warning(
                "The inputs of %s movements of session %s kept changing during the "
                "analysis. They are analyzed again with the next change; if their "
                "numbers stay old, run recompute_metrics.",
                len(waiting),
                session_pk,
            )
    if not is_summarized:
        refresh_session_summary(session_pk)
    return counts


def _batches(ids: Sequence[int]) -> Iterator[tuple[bool, list[int]]]:
    """The ids in batches, each with whether it is the last one."""
    for start in range(0, len(ids), BATCH):
        yield start + BATCH >= len(ids), list(ids[start : start + BATCH])


def _inputs_of(session: Session, ids: Sequence[int]) -> dict[int, _Inputs]:
    """The inputs of each movement as they are stored now, in two queries."""
    hashes: dict[int, list[tuple[str, str]]] = {}
    vendor: dict[int, VendorEvents | None] = {}
    left_out: set[int] = set()
    angles: dict[int, str] = {}
    for pk, data_type, sha256, repairs, vendor_metrics in _frames_of(ids):
        hashes.setdefault(pk, []).append((data_type, sha256))
        vendor[pk] = vendor_events(vendor_metrics)
        if data_type == DataType.INVERSE_KINEMATICS:
            angles[pk] = sha256
            if any("_rows_dropped" in repair for repair in repairs):
                left_out.add(pk)
    overrides: dict[int, list[tuple[str, float]]] = {}
    for pk, event, time_s, seen_in in _corrections_of(ids):
        # What was seen in other frames says nothing of these.
        if not seen_in or seen_in == angles.get(pk):
            overrides.setdefault(pk, []).append((event, time_s))
    player = session.player
    return {
        pk: _Inputs(
            hashes=tuple(hashes.get(pk, ())),
            overrides=tuple(overrides.get(pk, ())),
            bats=player.dominant_hand_hitting,
            height_ft=_first_known(session.height_ft, player.height_ft),
            weight_lbs=_first_known(session.weight_lbs, player.weight_lbs),
            movement_type=session.movement_type_name,
            vendor_events=vendor.get(pk),
            rows_left_out=pk in left_out,
            field_axis=settings.FIELD_AXIS,
        )
        for pk in ids
    }


def _first_known(then: float | None, now: float | None) -> float | None:
    """What was recorded with a session, else what the athlete's profile says now."""
    return now if then is None else then


@kept_question_of_keys
def _frames_of(ids: Collection[int]) -> QuerySet[Any, Any]:
    rows = BiomechanicsData.objects.filter(movement_id__in=ids).order_by("data_type")
    return rows.values_list(
        *("movement_id", "data_type", "content_sha256", "repairs"),
        "movement__vendor_metrics",
    )


@kept_question_of_keys
def _corrections_of(ids: Collection[int]) -> QuerySet[Any, Any]:
    active = EventCorrection.objects.filter(movement_id__in=ids, undone_at__isnull=True)
    return active.order_by("event").values_list(
        "movement_id", "event", "time_s", "frames_sha256"
    )


def _session(session_pk: int) -> Session:
    """The session with its athlete."""
    return Session.objects.select_related("player").get(pk=session_pk)


def result_with(movement: Movement, moved: Mapping[str, float]) -> dict[str, Any]:
    """The stored fields that a movement would have with these events moved.

    Nothing is written. `moved` holds times in seconds on the clock of the file; events
    that people moved before stay where they are. The fields are those that
    `analyze_movements` would store.

    Raises
    ------
    ValueError
        When the numbers cannot be computed with the events there.
    """
    pk = movement.pk
    inputs = _inputs_of(_session(movement.session_id), [pk])[pk]
    overrides = dict(inputs.overrides) | dict(moved)
    inputs = replace(inputs, overrides=tuple(sorted(overrides.items())))
    outcome = _computed({pk: inputs}, compute_here)[pk]
    if outcome.done is None or outcome.done.error:
        raise ValueError(outcome.text)
    return _result(outcome)


def _compute(
    session_pk: int, ids: Sequence[int], compute: Compute
) -> dict[int, _Outcome]:
    """Load the frames of these movements and analyze them; the results by movement."""
    return _computed(_inputs_of(_session(session_pk), ids), compute)


def _computed(inputs: Mapping[int, _Inputs], compute: Compute) -> dict[int, _Outcome]:
    """The results of movements with these inputs, from their stored frames."""
    ids = list(inputs)
    kinematics = load.load_parts(ids, DataType.INVERSE_KINEMATICS, KINEMATIC_COLUMNS)
    energetics = load.load_parts(ids, DataType.MOMENTUM_ENERGY, ENERGETIC_COLUMNS)
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
    """The task of analyzing one movement, in SI units."""
    return SwingTask(
        kinematics=kinematics,
        energetics=energetics,
        bats=inputs.bats,
        height_m=inputs.height_ft and units.ft_to_m(inputs.height_ft),
        mass_kg=inputs.weight_lbs and units.lb_to_kg(inputs.weight_lbs),
        overrides=dict(inputs.overrides),
        vendor_events=inputs.vendor_events,
        rows_left_out=inputs.rows_left_out,
        field_axis=FIELD_AXES.get(inputs.field_axis),
    )


def _outcome(movement_id: int, inputs: _Inputs, done: SwingResult | None) -> _Outcome:
    """The result for one movement; `done` is None where it has no kinematics."""
    if done is None:
        return _Outcome(
            inputs,
            code="no_kinematics",
            text="No inverse kinematics of this movement have arrived.",
        )
    if done.error:
        # One movement must not keep the others from getting their numbers. The movement
        # itself says that it has none, and why.
        logger.error(
            "The analysis of movement %s failed, so it has no numbers. Report this "
            "error; after it is fixed, run recompute_metrics.\n%s",
            movement_id,
            done.trace,
        )
        return _Outcome(
            inputs,
            code="analysis_failed",
            text=f"The analysis stopped with an error ({done.error}).",
        )
    return _Outcome(inputs, done)


def _write(session: Session, outcomes: Mapping[int, _Outcome]) -> list[int]:
    """Store the results of movements whose inputs have not changed meanwhile.

    Returns the other movements. The caller has locked the session.
    """
    present = _inputs_of(session, list(outcomes))
    stale = [pk for pk, item in outcomes.items() if item.inputs != present[pk]]
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    rows, kept, without = [], {}, []
    for pk, outcome in outcomes.items():
        if pk in stale:
            continue
        result = _result(outcome)
        values = [
            json.dumps(result[name]) if kind == "jsonb" else result[name]
            for name, kind in _RESULT_COLUMNS.items()
        ]
        rows.append([pk, *values, METHOD_VERSION, now, now])
        curves = None if outcome.done is None else outcome.done.curves
        if curves is not None and is_hitting(outcome.inputs.movement_type):
            kept[pk] = curves
        else:
            without.append(pk)
    update_rows("movements", _MOVEMENT_COLUMNS, rows)
    stored_curves.store_packed(kept)
    stored_curves.forget_curves(without)
    return stale


def _new_measures(session: Session) -> dict[str, float]:
    """The height and weight with which a session was measured the first time.

    They stay when the profile changes later (`summaries.follow_profile`).
    """
    player = session.player
    return {
        name: now
        for name, then, now in (
            ("height_ft", session.height_ft, player.height_ft),
            ("weight_lbs", session.weight_lbs, player.weight_lbs),
        )
        if then is None and now is not None
    }


_RESULT_COLUMNS = {
    "is_swing": "boolean",
    "side": "text",
    "sampling_rate_hz": "double precision",
    "frame_count": "integer",
    "duration_s": "double precision",
    "angle_unit_found": "text",
    "verdict": "jsonb",
    "events": "jsonb",
    "automatic_events": "jsonb",
    "metrics": "jsonb",
    "quality_grade": "text",
    "quality_reasons": "jsonb",
}
_MOVEMENT_COLUMNS = {
    "id": "bigint",
    **_RESULT_COLUMNS,
    "method_version": "text",
    "analysed_at": "timestamptz",
    "updated_at": "timestamptz",
}


def _result(outcome: _Outcome) -> dict[str, Any]:
    """The stored fields of a movement, from the result of its analysis."""
    plain = None if outcome.done is None else outcome.done.plain
    if plain is None:
        # No grade where nothing was analyzed; poor where the analysis failed.
        failed = outcome.code == "analysis_failed"
        return _NO_RESULT | {
            "quality_grade": QualityGrade.POOR if failed else None,
            "quality_reasons": [{"code": outcome.code, "text": outcome.text}],
        }
    reading = _NO_RESULT | {
        "side": plain["side"],
        "sampling_rate_hz": plain["sampling_rate_hz"],
        "frame_count": plain["frame_count"],
        "duration_s": plain["duration_s"],
        "angle_unit_found": plain["angle_unit"],
        "verdict": plain["verdict"],
    }
    if not is_hitting(outcome.inputs.movement_type):
        text = "Only hitting movements are measured."
        return reading | {
            "is_swing": False,
            "quality_reasons": [{"code": "not_hitting", "text": text}],
        }
    return reading | {
        # An unreadable movement may be a swing or not.
        "is_swing": None if plain["kind"] == "unreadable" else plain["is_swing"],
        "events": plain["events"],
        "automatic_events": plain["automatic_events"] or plain["events"],
        "metrics": plain["metrics"],
        "quality_grade": plain["quality"]["grade"],
        "quality_reasons": plain["quality"]["reasons"],
    }
