"""The analysis of one movement as a task that another process can do.

Nothing here knows Django or the database: frames go in packed as they are stored, and
results come out ready to be stored.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np

from athletes.frames.format import CLOCK, Array, PackedFrames
from athletes.frames.packing import pack
from athletes.frames.unpacking import FrameParts
from biomechanics import momentum
from biomechanics.analysis_types import Finding, SwingAnalysis
from biomechanics.clock import ClockError, read_clock
from biomechanics.points import DELIVERED_POINTS, first_points, has_values
from biomechanics.side import Bats
from biomechanics.swing import ENERGETIC_COLUMNS, KINEMATIC_COLUMNS, analyze_swing
from biomechanics.vendor_clock import read_vendor_clock
from biomechanics.vendor_contact import VendorEvents, find_vendor_contact


@dataclass(frozen=True, slots=True)
class SwingTask:
    """Everything from which the numbers of one movement are computed.

    `overrides` holds the times of events that a person moved, in seconds on the clock
    of the file. `vendor_events` are frame numbers that the vendor's processed metrics
    name; `rows_left_out` says that the stored frames lack rows of the vendor's file.
    `field_axis` is the axis of the file that is known to point to the pitcher.
    """

    kinematics: FrameParts
    energetics: FrameParts | None
    bats: str | None
    height_m: float | None
    mass_kg: float | None
    overrides: Mapping[str, float]
    vendor_events: VendorEvents | None = None
    rows_left_out: bool = False
    field_axis: tuple[float, float, float] | None = None


#: What a setting may name as the axis of the files that points to the pitcher.
FIELD_AXES = {
    "+x": (1.0, 0.0, 0.0),
    "-x": (-1.0, 0.0, 0.0),
    "+y": (0.0, 1.0, 0.0),
    "-y": (0.0, -1.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class SwingResult:
    """The result of one analysis.

    `plain` is the analysis in its JSON-safe form, without its curves, which are in
    `curves`. Where the analysis broke off, `error` names the exception and `trace`
    tells where.
    """

    plain: Mapping[str, Any] | None = None
    curves: PackedFrames | None = None
    error: str = ""
    trace: str = ""


#: A function that analyzes many movements, here or in other processes, in their order.
Compute = Callable[[Sequence[SwingTask]], list[SwingResult]]


def compute_here(tasks: Sequence[SwingTask]) -> list[SwingResult]:
    """Analyze movements one after another; an error in one does not stop the others."""
    return [_done(task) for task in tasks]


def _done(task: SwingTask) -> SwingResult:
    """The result of one analysis, or the error that stopped it."""
    try:
        kinematics = _kinematics(task.kinematics)
        energetics = None if task.energetics is None else _energetics(task.energetics)

        def analyze(contact_time_s: float | None) -> SwingAnalysis:
            return analyze_swing(
                kinematics=kinematics,
                energetics=energetics,
                bats=cast(Bats | None, task.bats),
                height_m=task.height_m,
                mass_kg=task.mass_kg,
                contact_time_s=contact_time_s,
                event_overrides=task.overrides,
                field_axis=task.field_axis,
            )

        if task.vendor_events is None:
            analysis, contact = analyze(None), None
        else:
            analysis, contact = _with_contact(task, kinematics, energetics, analyze)
    except Exception as error:
        return SwingResult(error=type(error).__name__, trace=traceback.format_exc())
    plain = analysis.to_dict()
    if contact is not None:
        plain["verdict"]["vendor_contact"] = contact.to_dict()
    return SwingResult(plain=plain, curves=packed_curves(analysis))


def _with_contact(
    task: SwingTask,
    kinematics: Mapping[str, Array],
    energetics: Mapping[str, Array] | None,
    analyze: Callable[[float | None], SwingAnalysis],
) -> tuple[SwingAnalysis, Finding]:
    """The analysis with the vendor's contact if that can be used, and what it is."""
    events = task.vendor_events or VendorEvents()
    time_s = np.asarray(kinematics.get("time", ()), dtype=np.float64)
    try:
        clock = read_vendor_clock(
            [kinematics, energetics], step_s=read_clock(time_s).step_s
        )
    except ClockError:
        return analyze(None), _not_used("the clock of the file cannot be read")
    if task.rows_left_out:
        return analyze(None), _not_used(
            "rows of its file were skipped, so its frames can't be numbered"
        )

    def find(peaks_s: Sequence[float | None]) -> Finding:
        return find_vendor_contact(
            events,
            time_s,
            peaks_s=[peak for peak in peaks_s if peak is not None],
            foot_down_s=clock.foot_down_s,
        )

    contact = find([clock.max_hand_s])
    if contact.value is None:
        without = analyze(None)
        found = without.automatic_events or without.events
        ours = [
            found[name].time_s
            for name in ("peak_hand_speed", "bat_peak")
            if name in found
        ]
        contact = find([clock.max_hand_s, *ours])
        if contact.value is None:
            return without, contact
    return analyze(contact.value), contact


def _not_used(why: str) -> Finding:
    return Finding(None, f"Reboot Motion's contact is not used: {why}.")


def _kinematics(parts: FrameParts) -> dict[str, Array]:
    """Columns of the motion; points that only replace others are read where needed."""
    wanted, points = _first_points(parts.present(KINEMATIC_COLUMNS))
    columns = _numbers(parts.columns(wanted))
    if all(has_values(columns, point) for point in points):
        return columns
    return _numbers(parts.columns(KINEMATIC_COLUMNS))


@lru_cache(maxsize=64)
def _first_points(
    names: tuple[str, ...],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns without those of replacement points, and the points that need values."""
    points = first_points(frozenset(names))
    spare = {
        f"{point}_{axis}"
        for point in set(DELIVERED_POINTS).difference(points)
        for axis in "xyz"
    }
    return tuple(name for name in names if name not in spare), points


_first_groups = lru_cache(maxsize=64)(momentum.first_columns)


def _energetics(parts: FrameParts) -> dict[str, Array]:
    """Columns of momentum and energy; replacements are read where needed."""
    first = _first_groups(parts.present(ENERGETIC_COLUMNS))
    columns = _numbers(parts.columns(first.wanted))
    if first.are_tracked(columns):
        return columns
    return _numbers(parts.columns(ENERGETIC_COLUMNS))


def _numbers(columns: Mapping[str, Array]) -> dict[str, Array]:
    """The columns that hold numbers; a file may have text where numbers belong."""
    return {name: values for name, values in columns.items() if values.dtype != object}


def packed_curves(analysis: SwingAnalysis) -> PackedFrames | None:
    """The curves of an analysis, packed for storage; None when it has none."""
    series = {name: item.values for name, item in analysis.series.items()}
    if not series or len(analysis.time_s) == 0:
        return None
    return pack(
        {CLOCK: np.asarray(analysis.time_s, dtype=np.float64), **series},
        units={name: analysis.series[name].unit for name in series},
    )
