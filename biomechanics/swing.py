"""Analyze a swing: the columns of one movement in, all that is known of it out."""

import math
from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt

from biomechanics.analysis_types import (
    EVENT_NAMES,
    Event,
    FileFindings,
    Finding,
    FloatArray,
    MetricValue,
    Quality,
    Series,
    Side,
    SwingAnalysis,
)
from biomechanics.angle_columns import ANGLE_COLUMNS
from biomechanics.clock import Clock
from biomechanics.definitions import METHOD_VERSION, SERIES
from biomechanics.events import EVENT_RULES, FoundEvent
from biomechanics.metrics.compute import compute_metrics
from biomechanics.metrics.values import empty_metrics
from biomechanics.momentum import MOMENTUM_ENERGY_COLUMNS
from biomechanics.observe import UnreadableMotionError, observe
from biomechanics.observed_swing import ObservedSwing
from biomechanics.points import DELIVERED_POINTS, Columns
from biomechanics.quality import Reason, graded, judge
from biomechanics.side import Bats
from biomechanics.vendor_clock import CLOCK_COLUMNS

__all__ = [
    "ENERGETIC_COLUMNS",
    "KINEMATIC_COLUMNS",
    "METHOD_VERSION",
    "Event",
    "MetricValue",
    "Quality",
    "Series",
    "SwingAnalysis",
    "analyze_swing",
]

KINEMATIC_COLUMNS: tuple[str, ...] = (
    "time",
    *CLOCK_COLUMNS,
    *(f"{point}_{axis}" for point in DELIVERED_POINTS for axis in "xyz"),
    *ANGLE_COLUMNS,
)
"""Columns of the inverse kinematics that the analysis reads."""

ENERGETIC_COLUMNS: tuple[str, ...] = ("time", *CLOCK_COLUMNS, *MOMENTUM_ENERGY_COLUMNS)
"""Columns of momentum and energy that the analysis reads."""


def analyze_swing(
    *,
    kinematics: Mapping[str, npt.NDArray[np.floating]],
    energetics: Mapping[str, npt.NDArray[np.floating]] | None,
    bats: Bats | None,
    height_m: float | None,
    mass_kg: float | None,
    contact_time_s: float | None = None,
    event_overrides: Mapping[str, float] | None = None,
    forward_axis: Sequence[float] | None = None,
    field_axis: Sequence[float] | None = None,
) -> SwingAnalysis:
    """Return events, numbers, curves and quality of one movement.

    Parameters
    ----------
    kinematics : mapping of str to ndarray, shape (n_rows,)
        Inverse-kinematics columns of one movement by canonical lower-case name:
        points ``lhjc_x`` …, angles ``pelvis_rot`` …, ``time`` in seconds and, when
        delivered, ``time_from_max_hand``, ``rel_frame``, ``norm_time``. Raw values;
        NaN where missing.
    energetics : mapping of str to ndarray, or None
        Momentum-energy columns; rows are matched by ``time``.
    bats : {'right', 'left', 'switch'} or None
        From the athlete's profile.
    height_m, mass_kg : float or None
        Of the athlete.
    contact_time_s : float, optional
        A real contact, on the clock of the file.
    event_overrides : mapping of str to float, optional
        Events moved by hand, seconds on the clock of the file, by a name of
        `analysis_types.EVENT_NAMES`. Everything that depends on them follows.
    forward_axis : sequence of three floats, optional
        Verified direction to the pitcher in the file's axes. Without it forward is
        the line of the feet at foot down.
    field_axis : sequence of three floats, optional
        Axis of the file that people have seen to point to the pitcher. It gives the
        side of the field in words and the stride direction, and changes nothing else.

    Returns
    -------
    SwingAnalysis
        Data that cannot be used never raise: numbers are then missing with a reason
        and the grade is poor.

    Raises
    ------
    ValueError
        Columns of different length, an unknown value of `bats` or event name, or an
        override, height or mass that cannot be.
    """
    _check_arguments(kinematics, energetics, bats, height_m, mass_kg)
    overrides = _checked_overrides(event_overrides or {}, kinematics)
    rows = _row_count(kinematics)
    if contact_time_s is not None and not math.isfinite(contact_time_s):
        raise ValueError(f"contact_time_s must be a finite time, not {contact_time_s}.")
    try:
        swing = observe(
            kinematics,
            energetics,
            bats=bats,
            contact_time_s=contact_time_s,
            overrides=overrides,
            forward_axis=forward_axis,
            field_axis=field_axis,
        )
    except UnreadableMotionError as problem:
        return _unreadable(problem, rows=rows, bats=bats)
    metrics = compute_metrics(swing, height_m=height_m, mass_kg=mass_kg)
    return _analysis_of(
        swing,
        rows=rows,
        metrics=metrics,
        quality=judge(swing, metrics, bats=bats, height_m=height_m),
        was_moved=bool(overrides),
    )


def _analysis_of(
    swing: ObservedSwing,
    *,
    rows: int,
    metrics: Mapping[str, MetricValue],
    quality: Quality,
    was_moved: bool,
) -> SwingAnalysis:
    """Return the analysis of a swing that was observed, measured and judged."""
    clock = swing.hitter.clock
    return SwingAnalysis(
        side=swing.hitter.side.side,
        sampling_rate_hz=clock.sampling_rate_hz,
        frame_count=rows,
        duration_s=clock.step_s * (clock.count - 1),
        angle_unit=swing.angles.unit,
        findings=FileFindings(dict(sorted(swing.findings.items()))),
        events=_event_map(swing.events.found, clock),
        automatic_events=_event_map(swing.events.automatic, clock)
        if was_moved
        else None,
        metrics=metrics,
        quality=quality,
        kind=swing.kind,
        is_swing=swing.kind == "swing",
        series=_series(swing),
        time_s=clock.times(),
        method_version=METHOD_VERSION,
    )


def _row_count(columns: Columns) -> int:
    """Return the number of rows of the first column, 0 without any."""
    return len(next(iter(columns.values()))) if columns else 0


def _check_arguments(
    kinematics: Columns,
    energetics: Columns | None,
    bats: str | None,
    height_m: float | None,
    mass_kg: float | None,
) -> None:
    """Raise a ValueError that names the argument which cannot be."""
    for name, columns in (("kinematics", kinematics), ("energetics", energetics)):
        if columns is None:
            continue
        expected = _row_count(columns)
        for column, values in columns.items():
            if len(values) != expected:
                raise ValueError(
                    f"All columns of {name} must have as many rows, but {column!r} has "
                    f"{len(values)} and others have {expected}."
                )
    if bats is not None and bats not in get_args(Bats):
        raise ValueError(f"bats must be one of {get_args(Bats)} or None, not {bats!r}.")
    for name, value in (("height_m", height_m), ("mass_kg", mass_kg)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ValueError(
                f"{name} must be positive, or None if unknown, not {value}."
            )


def _checked_overrides(
    overrides: Mapping[str, float], kinematics: Columns
) -> dict[str, float]:
    """Return the moved events, or raise a ValueError for one that cannot be."""
    if not overrides:
        return {}
    unknown = set(overrides) - set(EVENT_NAMES)
    if unknown:
        raise ValueError(
            f"event_overrides must name events of {EVENT_NAMES}, not {sorted(unknown)}."
        )
    times = np.asarray(kinematics.get("time", ()), dtype=np.float64)
    times = times[np.isfinite(times)]
    for name, value in overrides.items():
        if not math.isfinite(value):
            raise ValueError(f"event_overrides[{name!r}] must be a time, not {value}.")
        if times.size and not times.min() <= value <= times.max():
            raise ValueError(
                f"event_overrides[{name!r}] must be in the clip, which runs from "
                f"{times.min()} to {times.max()} s, and is {value} s."
            )
    return {name: float(value) for name, value in overrides.items()}


def _event_map(found: Mapping[str, FoundEvent], clock: Clock) -> dict[str, Event]:
    """Return the events on the clock of the file, in the order of `EVENT_NAMES`."""
    return {
        name: found[name].event(start_s=clock.start_s, step_s=clock.step_s)
        for name in EVENT_NAMES
        if name in found
    }


def _unreadable(
    problem: UnreadableMotionError, *, rows: int, bats: Bats | None
) -> SwingAnalysis:
    """Return an analysis in which every number is missing for one reason."""
    clock = problem.clock
    side: Side | None = bats if bats in ("right", "left") else None
    reason = problem.reason.rstrip(".")
    reason = reason[0].lower() + reason[1:]
    missing = {name: Event(None, "none", "low", reason) for name in EVENT_RULES}
    return SwingAnalysis(
        side=side,
        sampling_rate_hz=None if clock is None else clock.sampling_rate_hz,
        frame_count=rows,
        duration_s=None if clock is None else clock.step_s * (clock.count - 1),
        angle_unit="unknown",
        findings=FileFindings({"unreadable": Finding(problem.code, problem.reason)}),
        events=missing,
        automatic_events=None,
        metrics=empty_metrics(reason),
        quality=graded([Reason(problem.code, problem.reason, "poor")]),
        kind="unreadable",
        is_swing=False,
        series={},
        time_s=np.empty(0),
        method_version=METHOD_VERSION,
    )


def _series(swing: ObservedSwing) -> dict[str, Series]:
    """Return the curves that the file gives, ends hidden where they mean nothing."""
    answer: dict[str, Series] = {}
    hitter = swing.hitter
    low, high = hitter.low, hitter.high

    def put(name: str, values: FloatArray | None, *, rate: bool = False) -> None:
        if values is None:
            return
        if rate:
            values = values.copy()
            values[:low] = np.nan
            values[high + 1 :] = np.nan
        # The middle sample mostly tells.
        if not (math.isfinite(values[values.size // 2]) or np.isfinite(values).any()):
            return
        definition = SERIES[name]
        answer[name] = Series(values, definition.unit, definition.name)

    put("pelvis_omega", swing.turn_rates.pelvis, rate=True)
    put("torso_omega", swing.turn_rates.torso, rate=True)
    for limb in ("lead_arm", "lead_forearm", "hand"):
        put(f"{limb}_omega", hitter.limb_rate(limb), rate=True)
    in_meters = hitter.motion.scale is not None
    if swing.bat is not None:
        put("bat_omega", swing.bat.rate, rate=True)
        if in_meters:
            put("bat_speed", swing.bat.speed, rate=True)
    if in_meters:
        put("hand_speed", swing.hands.speed, rate=True)
    put("x_factor", swing.separation)
    put("pelvis_rotation", swing.rotation("pelvis"))
    put("torso_rotation", swing.rotation("torso"))
    put("side_bend", swing.bend("side"))
    put("forward_bend", swing.bend("forward"))
    for which in ("lead", "rear"):
        for joint in ("knee", "elbow"):
            put(f"{which}_{joint}_flexion", hitter.flexion(which, joint))
    put("com_speed", swing.center_of_mass_speed(), rate=True)
    for group, values in swing.energetics.momentum.items():
        put(f"l_{group}", values)
    for group, values in swing.energetics.energy.items():
        put(f"ke_{group}", values)
    return {name: answer[name] for name in SERIES if name in answer}
