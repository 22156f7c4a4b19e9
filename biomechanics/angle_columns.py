"""What the vendor's angle columns mean in this file, told from the points.

Unit, sign and frame of reference of ``pelvis_rot`` and ``torso_rot`` differ between
deliveries. They are compared with the geometry of the same frames; nothing is
assumed, and "unknown" is an answer.
"""

import math
from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True, slots=True)
class AngleColumnMeaning:
    """Unit of the angle columns, and findings by name."""

    unit: AngleUnit
    findings: dict[str, Finding]
    doubtful: bool


def _kind(slope: float | None) -> AngleUnit:
    if slope is None:
        return "unknown"
    if DEG_SLOPE[0] <= abs(slope) <= DEG_SLOPE[1]:
        return "deg"
    if RAD_SLOPE[0] <= abs(slope) <= RAD_SLOPE[1]:
        return "rad"
    return "unknown"


def _correlation(a: FloatArray, b: FloatArray) -> float:
    a, b = a - signals.mean(a), b - signals.mean(b)
    size = math.sqrt((a @ a) * (b @ b))
    return float(a @ b) / size if size > 0 else 0.0


def _misfit(column: FloatArray, geometry: FloatArray) -> float:
    """RMS difference in degrees after the better sign and the best offset."""
    return min(
        signals.deviation(column - geometry),
        signals.deviation(column + geometry),
    )


def _largest(columns: Columns, names: list[str]) -> float | None:
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
    flexions: dict[str, FloatArray],
    pelvis_rate: FloatArray,
    torso_rate: FloatArray,
    separation: FloatArray,
    low: int,
    high: int,
) -> AngleColumnMeaning:
    """Compare angle columns with point geometry.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n_rows,)
    clock : Clock
    flexions : dict of str to ndarray, shape (n,)
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
    findings: dict[str, Finding] = {}
    if not names:
        findings["angle_unit"] = Finding("unknown", "The file has no angle columns.")
        return AngleColumnMeaning("unknown", findings, doubtful=False)
    wanted = [
        name
        for name in (*flexions, "pelvis_rot", "torso_rot")
        if name in columns and bool(np.isfinite(columns[name]).all())
    ]
    smooth: dict[str, FloatArray] = {}
    rates: dict[str, FloatArray] = {}
    rows = slice(max(low, 0), high + 1)
    if wanted:
        stacked = np.empty((len(wanted), len(columns["time"]))).T
        for place, name in enumerate(wanted):
            stacked[:, place] = columns[name]
        block, _ = signals.fill_gaps(
            on_clock(stacked, clock), sampling_rate_hz=clock.sampling_rate_hz
        )
        block = signals.lowpass(
            block, cutoff_hz=TRUNK_CUTOFF_HZ, sampling_rate_hz=clock.sampling_rate_hz
        )
        change = signals.derivative(block, sampling_rate_hz=clock.sampling_rate_hz)
        smooth = {name: block[rows, place] for place, name in enumerate(wanted)}
        rates = {name: change[rows, place] for place, name in enumerate(wanted)}

    slopes: dict[str, float | None] = {}
    for name, bend in flexions.items():
        if name not in smooth:
            continue
        there = np.isfinite(bend[rows])
        x = bend[rows][there]
        if x.size < 10:
            continue
        x = x - signals.mean(x)
        squares = float(x @ x)
        if math.sqrt(squares / x.size) < 4.0:
            continue
        y = smooth[name][there]
        slopes[name] = float(x @ (y - signals.mean(y))) / squares
    w_p, w_t = pelvis_rate[rows], torso_rate[rows]
    known = np.isfinite(w_p) & np.isfinite(w_t)
    pelvis_slope: float | None = None
    top = float(np.fmax.reduce(w_p)) if known.any() else 0.0
    if "pelvis_rot" in rates and top > 100.0:
        fast = known & (w_p > 0.3 * top)
        x = w_p[fast]
        pelvis_slope = float(rates["pelvis_rot"][fast] @ x) / float(x @ x)
        slopes["pelvis_rot"] = pelvis_slope

    largest = _largest(columns, names)
    votes = {_kind(slope) for slope in slopes.values()} - {"unknown"}
    by_size: AngleUnit = "unknown"
    if largest is not None and largest > 0.0:
        by_size = "rad" if largest < 7.0 else "deg" if largest > 20.0 else "unknown"
    unit: AngleUnit = "unknown"
    if len(votes) == 1:
        vote = votes.pop()
        if by_size in (vote, "unknown"):
            unit = vote
    elif not votes and not slopes:
        unit = by_size
    findings["angle_unit"] = Finding(
        unit,
        {
            "deg": "Angle columns are in degrees.",
            "rad": "Angle columns are in radians.",
            "unknown": "The unit of the angle columns could not be told; they are "
            "not shown.",
        }[unit],
        {
            "slopes_against_points": {
                name: None if slope is None else round(slope, 4)
                for name, slope in slopes.items()
            },
            "largest_angle": largest,
        },
    )
    factor = {"deg": 1.0, "rad": DEG_PER_RAD}.get(unit)
    doubtful = False
    if pelvis_slope is not None and factor is not None:
        scaled = pelvis_slope * factor
        doubtful = not 0.85 <= abs(scaled) <= 1.15
        findings["pelvis_rot_sign"] = Finding(
            1 if scaled > 0 else -1,
            "pelvis_rot grows as the hips open."
            if scaled > 0
            else "pelvis_rot falls as the hips open: its sign is mirrored.",
            {"slope": round(scaled, 3)},
        )
    findings["torso_rot_frame"] = _torso_frame(
        smooth,
        rates,
        factor,
        w_p=w_p,
        w_t=w_t,
        separation=separation[rows],
        known=known,
        step_s=clock.step_s,
    )
    return AngleColumnMeaning(unit, findings, doubtful)


def _torso_frame(
    smooth: dict[str, FloatArray],
    rates: dict[str, FloatArray],
    factor: float | None,
    *,
    w_p: FloatArray,
    w_t: FloatArray,
    separation: FloatArray,
    known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    step_s: float,
) -> Finding:
    known = known & np.isfinite(separation)
    if "torso_rot" not in smooth or factor is None or np.count_nonzero(known) < 20:
        return Finding(
            "unknown", "Whether torso_rot is relative to the pelvis was not told.", {}
        )
    c_t = rates["torso_rot"][known]
    to_room = abs(_correlation(c_t, w_t[known]))
    to_pelvis = abs(_correlation(c_t, (w_t - w_p)[known]))
    column = smooth["torso_rot"][known] * factor
    heading = np.cumsum(w_t[known]) * step_s
    misfit_room = _misfit(column, heading)
    misfit_pelvis = _misfit(column, separation[known])
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
        "unknown": "Whether torso_rot is relative to the pelvis could not be told.",
    }[answer]
    return Finding(answer, text, evidence)
