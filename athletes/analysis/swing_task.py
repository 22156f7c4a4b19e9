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
from biomechanics.analysis_types import SwingAnalysis
from biomechanics.points import DELIVERED_POINTS, first_points, has_values
from biomechanics.side import Bats
from biomechanics.swing import ENERGETIC_COLUMNS, KINEMATIC_COLUMNS, analyze_swing


@dataclass(frozen=True, slots=True)
class SwingTask:
    """Everything from which the numbers of one movement are computed.

    `overrides` holds the times of events that a person moved, in seconds on the clock
    of the file.
    """

    kinematics: FrameParts
    energetics: FrameParts | None
    bats: str | None
    height_m: float | None
    mass_kg: float | None
    overrides: Mapping[str, float]


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
        analysis = analyze_swing(
            kinematics=_kinematics(task.kinematics),
            energetics=None
            if task.energetics is None
            else _energetics(task.energetics),
            bats=cast(Bats | None, task.bats),
            height_m=task.height_m,
            mass_kg=task.mass_kg,
            event_overrides=task.overrides,
        )
    except Exception as error:
        return SwingResult(error=type(error).__name__, trace=traceback.format_exc())
    return SwingResult(
        plain=analysis.to_dict(),
        curves=packed_curves(analysis),
    )


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
