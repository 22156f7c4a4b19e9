"""Turn delivered columns into the motion of a body.

Columns come as the vendor names them. Here they are put on one clock, in meters
where the unit can be told, gaps filled where they are short, and filtered. A point
that is not in the file is NaN throughout and listed in `Motion.absent`: later steps
then need no special case, and the reason for a missing number can name it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biomechanics import axes, leaps, signals
from biomechanics.analysis_types import Finding, FloatArray
from biomechanics.clock import Clock, on_clock
from biomechanics.points import (
    KNOB_NAMES,
    PLACES,
    POINTS,
    SOURCES,
    SWEET_SPOT_NAMES,
    TIP_NAMES,
    TRUNK_POINTS,
    BatPoints,
    Columns,
    Points,
    has_values,
    raw_point,
)

TRUNK_CUTOFF_HZ = 12.0
LIMB_CUTOFF_HZ = 15.0
BAT_CUTOFF_HZ = 50.0
BAT_CUTOFF_LOW_RATE_HZ = 30.0
BAT_LOW_RATE_HZ = 150.0
ENERGY_CUTOFF_HZ = 20.0
HIPS_M = 0.17
"""Distance of an adult's hip joints, where no length unit is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The points of one movement on a uniform clock.

    Attributes
    ----------
    raw : Points
        Delivered positions, short gaps filled, NaN in long ones.
    trunk, limbs : Points
        Filtered at `TRUNK_CUTOFF_HZ` and `LIMB_CUTOFF_HZ`. `trunk` holds only
        `TRUNK_POINTS`; the rest of it is NaN.
    unknown : ndarray of bool, shape (n, n_points), or None
        Gaps longer than can be filled.
    absent : frozenset of str
        Points that are not in the file.
    scale : float or None
        Factor already applied to reach meters; ``None``: unit unknown, not applied.
    bat : BatPoints or None
    head_is : str
        What the head point is, in words.
    hand_is : {'hands', 'wrists'}
        What hand speed is read from.
    ankle_off_m : float
        How far the points that stand in for an ankle may lie from it; 0 for ankles.
    gap_margin : int
        Samples on both sides of a gap that are hidden with it.
    repeated_frames : int
        Frames that were those before them once more, and were filled like gaps.
    leapt : mapping of str to int
        Frames in which a point was off its way; they were filled like gaps.
    leapt_frames : int
        Frames in which most points were.
    lasting : ndarray of bool, shape (n, n_points)
        First frames after a leap that no other takes back.
    """

    clock: Clock
    raw: Points
    trunk: Points
    limbs: Points
    unknown: npt.NDArray[np.bool_] | None
    absent: frozenset[str]
    scale: float | None
    scale_finding: Finding
    bat: BatPoints | None
    head_is: str
    hand_is: str
    ankle_off_m: float
    gap_margin: int
    repeated_frames: int
    leapt: Mapping[str, int]
    leapt_frames: int
    lasting: npt.NDArray[np.bool_]

    @property
    def rate_hz(self) -> float:
        """Samples per second of the uniform clock."""
        return self.clock.sampling_rate_hz

    @property
    def count(self) -> int:
        """Samples of the uniform clock."""
        return self.clock.count

    def index(self, time_s: float) -> float:
        """Return a time on the file's clock as a fractional sample."""
        return (time_s - self.clock.start_s) * self.rate_hz

    def time(self, position: float) -> float:
        """Return a fractional sample as a time on the file's clock."""
        return self.clock.start_s + position * self.clock.step_s


def _median_distance(
    values: FloatArray, pairs: Iterable[tuple[str, str]]
) -> float | None:
    """Return the median distance of pairs of points, ``None`` if none is there."""
    distances = []
    for a, b in pairs:
        gap = axes.length(values[:, PLACES[a]] - values[:, PLACES[b]])
        gap = gap[np.isfinite(gap)]
        if gap.size:
            distances.append(signals.median(gap))
    return sum(distances) / len(distances) if distances else None


def _scale_finding(
    scale: float | None, evidence: Mapping[str, float | None]
) -> Finding:
    """Return the unit of length as a finding."""
    if scale is None:
        return Finding(
            None,
            "The length unit is unclear: hips and upper arms have no "
            "human length in meters, centimeters, millimeters or inches.",
            evidence,
        )
    name = {1.0: "meters", 0.01: "centimeters", 0.001: "millimeters"}.get(
        scale, "inches"
    )
    return Finding(scale, f"Positions are in {name}.", evidence)


BETWEEN_MALLEOLI_M, AT_MALLEOLUS_M = 0.006, 0.035
"""From the ankle's center to the middle of both malleoli, and to the inner one alone:
a few millimeters, and half the width of an ankle."""
MOST_HAND = 0.8
"""Wrist to the middle of the hand, in forearms: about 0.3 in people."""
EXCHANGED_HANDS = 0.92
"""Hands are exchanged where each lies so much nearer the other wrist: 0.55 to 0.85 of
the distance to its own with exchanged hands, over 1.15 with right ones."""


@dataclass(frozen=True, slots=True, eq=False)
class _Delivered:
    """The points of a file, side by side.

    Attributes
    ----------
    stacked : ndarray, shape (n, 3 · n_points)
        Coordinates in the order of `POINTS`, NaN for what is absent.
    names : mapping of str to tuple of str
        The delivered points that stand for each point.
    absent : frozenset of str
    """

    stacked: FloatArray
    names: Mapping[str, tuple[str, ...]]
    absent: frozenset[str]


def _ankle_off_m(names: tuple[str, ...] | None) -> float:
    """Return how far points that stand for an ankle may lie from it, meters."""
    if names is None or names[0].endswith("ajc"):
        return 0.0
    return AT_MALLEOLUS_M if len(names) == 1 else BETWEEN_MALLEOLI_M


def _hands_off(stacked: FloatArray) -> bool:
    """Return whether a hand lies nowhere near the end of its forearm.

    As one in another unit of length does, and one whose side is exchanged.

    Parameters
    ----------
    stacked : ndarray, shape (n, 3 · n_points)
    """
    values = stacked.reshape(stacked.shape[0], len(POINTS), 3)
    own, other = (
        _median_distance(values, (("lwjc", f"{a}hand"), ("rwjc", f"{b}hand")))
        for a, b in ("lr", "rl")
    )
    if own and other and other < EXCHANGED_HANDS * own:
        return True
    for side in "lr":
        forearm = _median_distance(values, ((side + "ejc", side + "wjc"),))
        hand = _median_distance(values, ((side + "wjc", side + "hand"),))
        if forearm and hand and hand > MOST_HAND * forearm:
            return True
    return False


def _stack_points(columns: Columns) -> _Delivered:
    """Return the points of the file, the best delivered choice for each."""
    stacked = np.empty((len(POINTS) * 3, len(columns["time"]))).T
    absent = set()
    used: dict[str, tuple[str, ...]] = {}
    for place, point in enumerate(POINTS):
        block = stacked[:, 3 * place : 3 * place + 3]
        for names in SOURCES[point]:
            if all(has_values(columns, name) for name in names):
                used[point] = names
                break
        else:
            block[:] = np.nan
            absent.add(point)
            continue
        for axis_place, axis in enumerate("xyz"):
            block[:, axis_place] = columns[f"{used[point][0]}_{axis}"]
            for name in used[point][1:]:
                block[:, axis_place] += columns[f"{name}_{axis}"]
        if len(used[point]) > 1:
            block /= len(used[point])
    # Both hands or none: a wrist against a hand would not be a midpoint.
    if not {"lhand", "rhand"} <= used.keys() or _hands_off(stacked):
        for point in ("lhand", "rhand"):
            used.pop(point, None)
            stacked[:, 3 * PLACES[point] : 3 * PLACES[point] + 3] = np.nan
            absent.add(point)
    return _Delivered(stacked, used, frozenset(absent))


def _all_points(
    values: FloatArray,
    hidden: npt.NDArray[np.bool_] | None,
    present: npt.NDArray[np.bool_],
) -> Points:
    """Return all points from the coordinates of those present.

    Parameters
    ----------
    values : ndarray, shape (n, 3 · n_present)
    hidden : ndarray of bool, same shape, or None
        Values that become NaN.
    present : ndarray of bool, shape (n_points,)
    """
    if hidden is not None:
        values = np.where(hidden, np.nan, values)
    if not present.all():
        everything = np.full((values.shape[0], len(POINTS) * 3), np.nan)
        everything[:, np.repeat(present, 3)] = values
        values = everything
    return Points(values.reshape(-1, len(POINTS), 3))


def _filter_trunk(
    filled: FloatArray, present: npt.NDArray[np.bool_], rate_hz: float
) -> FloatArray:
    """Return `filled` with the trunk's points filtered and NaN for the others."""
    chosen = np.repeat([name in TRUNK_POINTS for name in POINTS], 3)
    chosen = chosen[np.repeat(present, 3)]
    trunk = np.full(filled.shape, np.nan)
    if chosen.any():
        trunk[:, chosen] = signals.lowpass(
            filled[:, chosen], cutoff_hz=TRUNK_CUTOFF_HZ, sampling_rate_hz=rate_hz
        )
    return trunk


def read_motion(columns: Columns, clock: Clock) -> Motion:
    """Return the delivered points on the clock, in meters, filled and filtered.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n_rows,)
    clock : Clock
        From `clock.read_clock` over the ``time`` column.
    """
    delivered = _stack_points(columns)
    rate = clock.sampling_rate_hz
    stacked = on_clock(delivered.stacked, clock)
    by_point = stacked.reshape(clock.count, len(POINTS), 3)
    scale, evidence = axes.find_scale(
        upper_arm=_median_distance(by_point, (("lsjc", "lejc"), ("rsjc", "rejc"))),
        hips=_median_distance(by_point, (("lhjc", "rhjc"),)),
    )
    present = np.array([name not in delivered.absent for name in POINTS])
    given = stacked if present.all() else stacked[:, np.repeat(present, 3)]
    repeated = signals.repeated_frames(given)
    if repeated.any():
        given = np.where(repeated[:, None], np.nan, given)
    held = _held_points(given)
    if held.any():
        given = np.where(np.repeat(held, 3, axis=1), np.nan, given)
    meter = _meter(scale, evidence)
    found = leaps.find_leaps(
        given.reshape(clock.count, -1, 3), sampling_rate_hz=rate, meter=meter
    )
    whole = leaps.whole_frames(found.away)
    away = found.away | whole[:, None]
    if away.any():
        given = np.where(np.repeat(away, 3, axis=1), np.nan, given)
    filled, unknown = signals.fill_gaps(given, sampling_rate_hz=rate)
    if scale is not None and scale != 1.0:
        filled = filled * scale
    margin = round(signals.EDGE_S * rate)
    # A filter spreads what was put into a gap to both sides of it.
    around_gaps = None if unknown is None else signals.widen(unknown, margin)
    # One after the other, so that no filtered array outlives its points: memory given
    # back and taken again with each swing costs a tenth of the analysis.
    limbs = _all_points(
        signals.lowpass(filled, cutoff_hz=LIMB_CUTOFF_HZ, sampling_rate_hz=rate),
        around_gaps,
        present,
    )
    trunk = _all_points(_filter_trunk(filled, present, rate), around_gaps, present)
    lasting = np.zeros((clock.count, len(POINTS)), dtype=bool)
    lasting[:, present] = found.lasting
    names = [name for name in POINTS if name not in delivered.absent]
    counts = (found.away & ~whole[:, None]).sum(axis=0)
    unknown_points = None
    if unknown is not None:
        unknown_points = np.zeros((clock.count, len(POINTS)), dtype=bool)
        unknown_points[:, present] = unknown.reshape(clock.count, -1, 3).any(axis=2)
    return Motion(
        clock=clock,
        raw=_all_points(filled, unknown, present),
        trunk=trunk,
        limbs=limbs,
        unknown=unknown_points,
        absent=delivered.absent,
        scale=scale,
        scale_finding=_scale_finding(scale, evidence),
        bat=_read_bat(columns, clock, scale, repeated | whole, meter),
        head_is=_head_in_words(delivered.names.get("head")),
        hand_is="wrists" if "lhand" in delivered.absent else "hands",
        ankle_off_m=max(
            _ankle_off_m(delivered.names.get(name)) for name in ("lajc", "rajc")
        ),
        gap_margin=margin,
        repeated_frames=int(repeated.sum()),
        leapt={name: int(n) for name, n in zip(names, counts, strict=True) if n},
        leapt_frames=int(whole.sum()),
        lasting=lasting,
    )


def _meter(scale: float | None, evidence: Mapping[str, float | None]) -> float:
    """Return one meter in the unit of the points, by the hips where it is not known."""
    if scale is not None:
        return 1.0 / scale
    hips = evidence.get("hip_to_hip")
    return hips / HIPS_M if hips else 1.0


def _held_points(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Return in which frames (n, k) single points only repeat the frame before.

    Some exporters hold the last place of a point that they have lost.

    Parameters
    ----------
    values : ndarray, shape (n, 3 · k)
    """
    points = values.reshape(values.shape[0], -1, 3)
    held = np.zeros(points.shape[:2], dtype=bool)
    same = (points[1:] == points[:-1]).all(axis=2)
    for place in np.flatnonzero(same.any(axis=0)):
        held[:, place] = signals.repeated_frames(points[:, place])
    return held


def _head_in_words(names: tuple[str, ...] | None) -> str:
    """Return what stands for the head, given the delivered points."""
    if names is None:
        return "middle of the shoulders"
    return {"head": "head", "skullbase": "base of the skull"}.get(
        names[0], "middle of the eyes"
    )


def _read_bat(
    columns: Columns,
    clock: Clock,
    scale: float | None,
    hidden: npt.NDArray[np.bool_],
    meter: float,
) -> BatPoints | None:
    """Return the bat's points, ``None`` when the file does not give a line of it.

    Frames in which the body is hidden are hidden here too, and so are leaps.
    """

    def first(names: tuple[str, ...]) -> str | None:
        return next((name for name in names if has_values(columns, name)), None)

    knob, tip, sweet = first(KNOB_NAMES), first(TIP_NAMES), first(SWEET_SPOT_NAMES)
    if knob is None or (tip is None and sweet is None):
        return None
    names = tuple(name for name in (knob, tip, sweet) if name is not None)
    stacked = on_clock(np.hstack([raw_point(columns, name) for name in names]), clock)
    found = leaps.find_leaps(
        stacked.reshape(clock.count, -1, 3),
        sampling_rate_hz=clock.sampling_rate_hz,
        meter=meter,
        step_share=leaps.BAT_STEP_SHARE,
    )
    away = found.away.any(axis=1) | hidden | signals.repeated_frames(stacked)
    if away.any():
        stacked[away] = np.nan
    filled, unknown = signals.fill_gaps(
        stacked, sampling_rate_hz=clock.sampling_rate_hz
    )
    if not np.isfinite(filled).all():
        return None
    filled = filled * (scale or 1.0)
    parts = {
        name: filled[:, 3 * place : 3 * place + 3] for place, name in enumerate(names)
    }
    missing: npt.NDArray[np.bool_] = np.any(~np.isfinite(stacked), axis=1)
    lost: npt.NDArray[np.bool_] = np.zeros(clock.count, dtype=bool)
    if unknown is not None:
        lost[:] = unknown.any(axis=1)
    return BatPoints(
        knob=parts[knob],
        tip=None if tip is None else parts[tip],
        sweet_spot=None if sweet is None else parts[sweet],
        unknown=lost,
        names=names,
        missing=missing,
    )
