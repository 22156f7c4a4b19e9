"""The vendor's own angle columns of one swing, as they were delivered.

They are read only when somebody asks for them. Nothing but the unit is changed: sign
and zero are the vendor's, and what is known of them stands beside each curve.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from athletes.frames import load
from athletes.frames.format import FramesError
from athletes.models import DataType, Movement
from biomechanics.units import DEG_PER_RAD
from dashboard import charts
from dashboard.selectors.aligned_curves import Alignment
from dashboard.selectors.swing_figure import (
    UNREADABLE,
    SeriesRow,
    SwingChart,
    report_unreadable,
)

FloatArray = npt.NDArray[np.float64]

# To degrees, by the unit that was found in the file.
_FACTORS = {"deg": 1.0, "rad": DEG_PER_RAD}


@dataclass(frozen=True)
class VendorColumn:
    """One angle column, what the vendor calls it and what is known of its sign."""

    column: str
    label: str
    sense: str


@dataclass(frozen=True)
class VendorGroup:
    """Columns of one part of the body: what one chart can tell apart."""

    key: str
    label: str
    part: str
    columns: tuple[VendorColumn, ...]


_UNKNOWN_SIGN = "the positive direction is not provided by Reboot"
_OFTEN_ZERO = "often all zeros; " + _UNKNOWN_SIGN


def _shoulder(side: str) -> tuple[VendorColumn, ...]:
    """The angle columns of one shoulder."""
    return tuple(
        VendorColumn(f"{side}_{name}", label, sense)
        for name, label, sense in (
            ("shoulder_plane", "Shoulder plane", _UNKNOWN_SIGN),
            ("shoulder_elev", "Shoulder elevation", _UNKNOWN_SIGN),
            ("shoulder_abd", "Shoulder abduction", _UNKNOWN_SIGN),
            ("shoulder_flex", "Shoulder flexion", _UNKNOWN_SIGN),
            ("shoulder_rot", "Shoulder rotation", "external rotation is negative"),
            ("sternoclavicular_elev", "Shrug", _UNKNOWN_SIGN),
        )
    )


def _arm(side: str) -> tuple[VendorColumn, ...]:
    """The angle columns of one elbow and wrist."""
    return tuple(
        VendorColumn(f"{side}_{name}", label, sense)
        for name, label, sense in (
            ("elbow", "Elbow", "bend is positive, 0 is straight"),
            ("forearm_pro", "Forearm pronation", _OFTEN_ZERO),
            ("wrist_dev", "Wrist deviation", _OFTEN_ZERO),
            ("wrist_flex", "Wrist flexion", _OFTEN_ZERO),
        )
    )


def _leg(side: str) -> tuple[VendorColumn, ...]:
    """The angle columns of one leg."""
    return tuple(
        VendorColumn(f"{side}_{name}", label, sense)
        for name, label, sense in (
            ("hip_flex", "Hip flexion", "flexion is positive"),
            ("knee", "Knee", "bend is positive, 0 is straight"),
            ("hip_add", "Hip adduction", "adduction is positive"),
            ("hip_rot", "Hip rotation", _UNKNOWN_SIGN),
            ("ankle_flex", "Ankle flexion", _OFTEN_ZERO),
            ("ankle_inv", "Ankle inversion", _OFTEN_ZERO),
        )
    )


_TRUNK = (
    VendorColumn("pelvis_rot", "Pelvis rotation", "heading about the vertical"),
    VendorColumn("torso_rot", "Torso rotation", "about the long axis of the body"),
    VendorColumn("torso_side", "Torso side tilt", _UNKNOWN_SIGN),
    VendorColumn("torso_ext", "Torso extension", _UNKNOWN_SIGN),
    VendorColumn("pelvis_side", "Pelvis side tilt", _UNKNOWN_SIGN),
)

VENDOR_GROUPS: dict[str, VendorGroup] = {
    group.key: group
    for group in (
        VendorGroup("trunk", "pelvis and torso", "torso", _TRUNK),
        VendorGroup("left_shoulder", "left shoulder", "body", _shoulder("left")),
        VendorGroup("right_shoulder", "right shoulder", "body", _shoulder("right")),
        VendorGroup("left_arm", "left elbow and wrist", "body", _arm("left")),
        VendorGroup("right_arm", "right elbow and wrist", "body", _arm("right")),
        VendorGroup("left_leg", "left leg", "legs", _leg("left")),
        VendorGroup("right_leg", "right leg", "legs", _leg("right")),
    )
}

# How many curves are drawn at first.
FIRST_DRAWN = 2


@dataclass(frozen=True, eq=False)
class VendorAngles:
    """The chart of one group, with what is known of each column."""

    group: VendorGroup
    chart: SwingChart
    columns: tuple[VendorColumn, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class TimeAxis:
    """The time axis that the swing's other charts have.

    Times of `zero_s` and `table_events` are seconds on the clock of the file; marks and
    `x_range` are in the `unit` of the axis, of which a second has `per_s`.
    """

    alignment: Alignment
    zero_s: float
    per_s: float
    unit: str
    title: str
    marks: Sequence[charts.Mark]
    table_events: Sequence[tuple[str, float]]
    x_range: tuple[float, float] | None
    #: What happens at zero, or at 100 percent, as sentences say it.
    zero: str

    def place(self, time_s: Any) -> Any:
        """Where a time, or an array of times, is on the axis."""
        return (time_s - self.zero_s) * self.per_s


class _NothingToDrawError(Exception):
    """No angle can be drawn; the text says why, as the page shows it."""


@dataclass(frozen=True, eq=False)
class _Delivered:
    """Angles in degrees by column, and their clock in seconds, in order of time."""

    time_s: FloatArray
    values: Mapping[str, FloatArray]


def vendor_angles(
    movement: Movement, group: VendorGroup, axis: TimeAxis
) -> VendorAngles:
    """The columns of `group` over the time of the swing; two queries."""
    title = f"Reboot Motion's angles: {group.label}"
    try:
        delivered = _delivered(movement, group)
    except _NothingToDrawError as reason:
        return VendorAngles(group, SwingChart(None, title, str(reason)), (), ())
    columns = tuple(item for item in group.columns if item.column in delivered.values)
    places = axis.place(delivered.time_s)
    traces, legend, rows = [], [], []
    for place, item in enumerate(columns):
        letter = charts.LETTERS[place]
        values = delivered.values[item.column]
        part = "pelvis" if item.column.startswith("pelvis") else group.part
        hidden = place >= FIRST_DRAWN
        traces.append(
            {
                "key": item.column,
                "part": part,
                "side": letter,
                "name": item.label,
                "unit": "°",
                "x": charts.typed(places),
                "y": charts.typed(values),
                **({"hidden": True} if hidden else {}),
            }
        )
        legend.append(charts.LegendItem(item.column, item.label, part, letter, hidden))
        rows.append(
            SeriesRow(
                name=item.label,
                part=part,
                letter=letter,
                unit="deg",
                decimals=0,
                **_numbers(places, values, axis),
            )
        )
    chart = charts.Chart(
        lines=(),
        extra=traces,
        legend=legend,
        x_title=axis.title,
        x_unit=axis.unit,
        y_title=charts.axis_title("Angle as delivered", "°"),
        y_unit="°",
        marks=axis.marks,
        x_range=axis.x_range,
        time_zero_s=axis.zero_s,
        time_per_x_s=1.0 / axis.per_s,
        zero=axis.zero,
    )
    words = tuple(word for word, _ in axis.table_events)
    return VendorAngles(
        group,
        SwingChart(chart.to_json(), title, "", tuple(rows), words, axis.unit),
        columns,
        _remarks(movement, columns),
    )


def _delivered(movement: Movement, group: VendorGroup) -> _Delivered:
    """The group's columns in degrees; raises `_NothingToDrawError` without any."""
    factor = _FACTORS.get(movement.angle_unit_found or "")
    if factor is None:
        raise _NothingToDrawError(
            "The unit of this file's angle columns is unclear, so they are not drawn."
        )
    try:
        loaded = load.load_columns(
            [movement.pk],
            DataType.INVERSE_KINEMATICS,
            ["time", *(item.column for item in group.columns)],
        ).get(movement.pk, {})
    except FramesError as error:
        report_unreadable(movement, error)
        raise _NothingToDrawError(UNREADABLE) from error
    there = [item.column for item in group.columns if item.column in loaded]
    if "time" not in loaded or not there:
        raise _NothingToDrawError("The file has no such columns.")
    clock = np.asarray(loaded["time"], dtype=float)
    known = np.flatnonzero(np.isfinite(clock))
    rows = known[np.argsort(clock[known], kind="stable")]
    if len(rows) == 0:
        raise _NothingToDrawError("The file's clock cannot be read.")
    return _Delivered(
        clock[rows],
        {name: np.asarray(loaded[name], dtype=float)[rows] * factor for name in there},
    )


def _numbers(places: FloatArray, values: FloatArray, axis: TimeAxis) -> dict[str, Any]:
    """The largest value that is shown, when it is, and the values at events."""
    low, high = axis.x_range or (-math.inf, math.inf)
    seen = np.where((places >= low) & (places <= high), values, np.nan)
    place = int(np.nanargmax(seen)) if np.isfinite(seen).any() else None
    return {
        "peak": None if place is None else float(seen[place]),
        "peak_at": None if place is None else float(places[place]),
        "at": tuple(
            charts.finite(float(np.interp(axis.place(time_s), places, values)))
            for _, time_s in axis.table_events
        ),
    }


def _remarks(movement: Movement, columns: tuple[VendorColumn, ...]) -> tuple[str, ...]:
    """What was found out about these columns in this file, in sentences."""
    unit = {
        "rad": "Delivered in radians and shown in degrees.",
        "deg": "Delivered in degrees.",
    }[movement.angle_unit_found or ""]
    names = {item.column for item in columns}
    findings = [
        finding.get("text")
        for name, finding in (movement.verdict or {}).items()
        if isinstance(finding, Mapping)
        and (
            (name == "pelvis_rot_sign" and "pelvis_rot" in names)
            or (name == "torso_rot_frame" and "torso_rot" in names)
        )
    ]
    return (unit, *(str(text) for text in findings if text))
