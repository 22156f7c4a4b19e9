"""Tell from the points what the vendor's angle columns mean in a file.

Unit, sign and frame of reference of ``pelvis_rot`` and ``torso_rot`` differ between
deliveries. They are compared with the geometry of the same frames; nothing is
assumed, and "unknown" is an answer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biomechanics import signals
from biomechanics.analysis_types import AngleUnit, Finding, FloatArray
from biomechanics.clock import Clock, on_clock
from biomechanics.motion import TRUNK_CUTOFF_HZ
from biomechanics.points import Columns
from biomechanics.units import DEG_PER_RAD

ANGLE_COLUMNS: tuple[str, ...] = (
    *(
        f"{side}_{name}"
        for side in ("left", "right")
        for name in (
            "sternoclavicular_elev",
            "shoulder_plane",
            "shoulder_elev",
            "shoulder_abd",
            "shoulder_flex",
            "shoulder_rot",
            "elbow",
            "forearm_pro",
            "wrist_dev",
            "wrist_flex",
            "hip_flex",
            "hip_add",
            "hip_rot",
            "knee",
            "ankle_inv",
            "ankle_flex",
        )
    ),
    "torso_ext",
    "torso_side",
    "torso_rot",
    "pelvis_rot",
    "pelvis_side",
)

DEG_SLOPE = (0.7, 1.3)
RAD_SLOPE = (0.012, 0.023)
CORRELATION_MARGIN = 0.1
GEOMETRY_MARGIN = 0.5
PELVIS_SLOPE = (0.85, 1.15)
"""The pelvis angle outside is doubtful, per degree of turn of the points."""
# Less movement than this tells no slope (choice).
LEAST_SAMPLES = 10
LEAST_BEND_SD_DEG = 4.0
LEAST_PELVIS_DEG_PER_S = 100.0
FAST_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class AngleColumnMeaning:
    """What the angle columns of a file mean.

    Attributes
    ----------
    unit : {'deg', 'rad', 'unknown'}
    findings : dict of str to Finding
        ``angle_unit``, ``pelvis_rot_sign`` and ``torso_rot_frame``, as far as they
        were looked at.
    doubtful : bool
        The pelvis angle and the points turn at different rates.
    """

    unit: AngleUnit
    findings: dict[str, Finding]
    doubtful: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Smoothed:
    """Angle columns and their rates of change over the swing, by column name.

    In the unit of the file; only columns without a gap.
    """

    angles: dict[str, FloatArray]
    rates: dict[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """Rotation and separation from the points, over the swing.

    `known` tells in which samples both rates are there.
    """

    pelvis_rate: FloatArray
    torso_rate: FloatArray
    separation: FloatArray
    known: npt.NDArray[np.bool_]
    step_s: float


def _unit_of_slope(slope: float | None) -> AngleUnit:
    """Return the unit in which a column has this slope against degrees."""
    if slope is None:
        return "unknown"
    if DEG_SLOPE[0] <= abs(slope) <= DEG_SLOPE[1]:
        return "deg"
    if RAD_SLOPE[0] <= abs(slope) <= RAD_SLOPE[1]:
        return "rad"
    return "unknown"


def _correlation(a: FloatArray, b: FloatArray) -> float:
    """Return the correlation of two curves, 0 when one of them stands still."""
    a, b = a - signals.mean(a), b - signals.mean(b)
    size = math.sqrt((a @ a) * (b @ b))
    return float(a @ b) / size if size > 0 else 0.0


def _misfit(column: FloatArray, geometry: FloatArray) -> float:
    """Return the RMS difference in degrees after the better sign and best offset."""
    return min(
        signals.deviation(column - geometry),
        signals.deviation(column + geometry),
    )


def _largest_angle(columns: Columns, names: list[str]) -> float | None:
    """Return the 99th percentile of the size of all angles, in the file's unit."""
    block = np.concatenate([np.asarray(columns[name])[::3] for name in names])
    block = np.abs(block[np.isfinite(block)])
    if block.size == 0:
        return None
    place = min(int(0.99 * block.size), block.size - 1)
    return float(np.partition(block, place)[place])


def read_angle_columns(
    columns: Columns,
    clock: Clock,
    *,
    flexions: Mapping[str, FloatArray],
    pelvis_rate: FloatArray,
    torso_rate: FloatArray,
    separation: FloatArray,
    low: int,
    high: int,
) -> AngleColumnMeaning:
    """Return what the angle columns mean, compared with the geometry of the points.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n_rows,)
    clock : Clock
    flexions : mapping of str to ndarray, shape (n,)
        Bend in degrees from the points, by column name (``left_knee``, …).
    pelvis_rate, torso_rate : ndarray, shape (n,)
        Signed rates of the body lines in deg/s, + in the direction of the swing.
    separation : ndarray, shape (n,)
        Twist in degrees, + = pelvis ahead.
    low, high : int
        Samples of the swing.

    Returns
    -------
    AngleColumnMeaning

    Notes
    -----
    The slope of a column against the same angle (or rate) in degrees is 1 for degrees
    and 0.01745 for radians, whatever its zero. The magnitude of all angle columns
    must not contradict. For ``torso_rot`` the correlation of rates alone is thin on
    real swings, so the shape of the angle is compared as well; if the two disagree
    the answer is unknown.
    """
    names = [name for name in ANGLE_COLUMNS if name in columns]
    if not names:
        finding = Finding("unknown", "The file has no angle columns.")
        return AngleColumnMeaning("unknown", {"angle_unit": finding}, doubtful=False)
    rows = slice(max(low, 0), high + 1)
    smoothed = _smooth(columns, clock, flexions, rows)
    turn = _Turn(
        pelvis_rate=pelvis_rate[rows],
        torso_rate=torso_rate[rows],
        separation=separation[rows],
        known=np.isfinite(pelvis_rate[rows]) & np.isfinite(torso_rate[rows]),
        step_s=clock.step_s,
    )
    slopes = _slopes_of_flexion(
        smoothed, {name: bend[rows] for name, bend in flexions.items()}
    )
    pelvis_slope = _slope_of_pelvis(smoothed, turn)
    if pelvis_slope is not None:
        slopes["pelvis_rot"] = pelvis_slope
    largest = _largest_angle(columns, names)
    unit = _choose_unit(slopes, largest)
    findings = {"angle_unit": _unit_finding(unit, slopes, largest)}
    factor = {"deg": 1.0, "rad": DEG_PER_RAD}.get(unit)
    doubtful = False
    if pelvis_slope is not None and factor is not None:
        scaled = pelvis_slope * factor
        doubtful = not PELVIS_SLOPE[0] <= abs(scaled) <= PELVIS_SLOPE[1]
        findings["pelvis_rot_sign"] = Finding(
            1 if scaled > 0 else -1,
            "pelvis_rot increases as the hips open."
            if scaled > 0
            else "pelvis_rot decreases as the hips open: its sign is mirrored.",
            {"slope": round(scaled, 3)},
        )
    findings["torso_rot_frame"] = _torso_frame(smoothed, turn, factor)
    return AngleColumnMeaning(unit, findings, doubtful)


def _smooth(
    columns: Columns, clock: Clock, flexions: Mapping[str, FloatArray], rows: slice
) -> _Smoothed:
    """Return the columns that are compared with the points, filtered."""
    wanted = [
        name
        for name in (*flexions, "pelvis_rot", "torso_rot")
        if name in columns and bool(np.isfinite(columns[name]).all())
    ]
    if not wanted:
        return _Smoothed({}, {})
    rate = clock.sampling_rate_hz
    stacked = np.empty((len(wanted), len(columns["time"]))).T
    for place, name in enumerate(wanted):
        stacked[:, place] = columns[name]
    block, _ = signals.fill_gaps(on_clock(stacked, clock), sampling_rate_hz=rate)
    block = signals.lowpass(block, cutoff_hz=TRUNK_CUTOFF_HZ, sampling_rate_hz=rate)
    change = signals.derivative(block, sampling_rate_hz=rate)
    return _Smoothed(
        angles={name: block[rows, place] for place, name in enumerate(wanted)},
        rates={name: change[rows, place] for place, name in enumerate(wanted)},
    )


def _slopes_of_flexion(
    smoothed: _Smoothed, flexions: Mapping[str, FloatArray]
) -> dict[str, float]:
    """Return the slope of each column against the bend from the points."""
    slopes: dict[str, float] = {}
    for name, bend in flexions.items():
        if name not in smoothed.angles:
            continue
        there = np.isfinite(bend)
        x = bend[there]
        if x.size < LEAST_SAMPLES:
            continue
        x = x - signals.mean(x)
        squares = float(x @ x)
        if math.sqrt(squares / x.size) < LEAST_BEND_SD_DEG:
            continue
        y = smoothed.angles[name][there]
        slopes[name] = float(x @ (y - signals.mean(y))) / squares
    return slopes


def _slope_of_pelvis(smoothed: _Smoothed, turn: _Turn) -> float | None:
    """Return the slope of the rate of ``pelvis_rot``, while the pelvis turns fast."""
    if "pelvis_rot" not in smoothed.rates or not turn.known.any():
        return None
    top = float(np.fmax.reduce(turn.pelvis_rate))
    if not top > LEAST_PELVIS_DEG_PER_S:
        return None
    fast = turn.known & (turn.pelvis_rate > FAST_SHARE * top)
    x = turn.pelvis_rate[fast]
    return float(smoothed.rates["pelvis_rot"][fast] @ x) / float(x @ x)


def _choose_unit(slopes: Mapping[str, float], largest: float | None) -> AngleUnit:
    """Return the unit that slopes and sizes of the angles agree on."""
    votes = {_unit_of_slope(slope) for slope in slopes.values()} - {"unknown"}
    by_size: AngleUnit = "unknown"
    if largest is not None and largest > 0.0:
        by_size = "rad" if largest < 7.0 else "deg" if largest > 20.0 else "unknown"
    if len(votes) == 1:
        vote = votes.pop()
        return vote if by_size in (vote, "unknown") else "unknown"
    if not votes and not slopes:
        return by_size
    return "unknown"


def _unit_finding(
    unit: AngleUnit, slopes: Mapping[str, float], largest: float | None
) -> Finding:
    """Return the unit as a finding, with the evidence for it."""
    return Finding(
        unit,
        {
            "deg": "Angle columns are in degrees.",
            "rad": "Angle columns are in radians.",
            "unknown": "The unit of the angle columns is unclear; they are not shown.",
        }[unit],
        {
            "slopes_against_points": {
                name: round(slope, 4) for name, slope in slopes.items()
            },
            "largest_angle": largest,
        },
    )


def _torso_frame(smoothed: _Smoothed, turn: _Turn, factor: float | None) -> Finding:
    """Return whether ``torso_rot`` is measured from the room or from the pelvis.

    `factor` makes the column degrees; ``None`` when its unit is not known.
    """
    known = turn.known & np.isfinite(turn.separation)
    if (
        "torso_rot" not in smoothed.angles
        or factor is None
        or np.count_nonzero(known) < 20
    ):
        return Finding(
            "unknown", "Whether torso_rot is relative to the pelvis is not known.", {}
        )
    of_column = smoothed.rates["torso_rot"][known]
    to_room = abs(_correlation(of_column, turn.torso_rate[known]))
    to_pelvis = abs(
        _correlation(of_column, (turn.torso_rate - turn.pelvis_rate)[known])
    )
    column = smoothed.angles["torso_rot"][known] * factor
    heading = np.cumsum(turn.torso_rate[known]) * turn.step_s
    misfit_room = _misfit(column, heading)
    misfit_pelvis = _misfit(column, turn.separation[known])
    evidence = {
        "correlation_room": round(to_room, 3),
        "correlation_pelvis": round(to_pelvis, 3),
        "misfit_room_deg": round(misfit_room, 1),
        "misfit_pelvis_deg": round(misfit_pelvis, 1),
    }
    by_rate = by_shape = "unknown"
    if to_pelvis >= to_room + CORRELATION_MARGIN:
        by_rate = "relative"
    elif to_room >= to_pelvis + CORRELATION_MARGIN:
        by_rate = "global"
    if misfit_pelvis < GEOMETRY_MARGIN * misfit_room:
        by_shape = "relative"
    elif misfit_room < GEOMETRY_MARGIN * misfit_pelvis:
        by_shape = "global"
    answers = {by_rate, by_shape} - {"unknown"}
    answer = answers.pop() if len(answers) == 1 else "unknown"
    text = {
        "relative": "torso_rot is measured from the pelvis.",
        "global": "torso_rot is measured from the room.",
        "unknown": "Whether torso_rot is relative to the pelvis is unclear.",
    }[answer]
    return Finding(answer, text, evidence)
