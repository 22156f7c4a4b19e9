"""From delivered columns to the motion of a body.

Columns come as the vendor names them. Here they are put on one clock, in meters
where the unit can be told, gaps filled where they are short, and filtered. A point
that is not in the file is NaN throughout and listed in `Motion.absent`: later steps
then need no special case, and the reason for a missing number can name it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biomechanics import axes, signals
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


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """One movement on a uniform clock.

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
        Factor already applied to reach metres; ``None``: unit unknown, not applied.
    head_is : str
        What the head point is, in words.
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
    gap_margin: int

    @property
    def rate_hz(self) -> float:
        """Sampling rate."""
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
    if scale is None:
        return Finding(
            None,
            "The length unit could not be told: hips and upper arms have no "
            "human length in metres, centimetres, millimetres or inches.",
            evidence,
        )
    name = {1.0: "metres", 0.01: "centimetres", 0.001: "millimetres"}.get(
        scale, "inches"
    )
    return Finding(scale, f"Positions are in {name}.", evidence)


def read_motion(columns: Columns, clock: Clock) -> Motion:
    """Put the delivered points on the clock, in metres, filled and filtered.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n_rows,)
    clock : Clock
        From `clock.read_clock` over the ``time`` column.

    Returns
    -------
    Motion
    """
    rows = len(columns["time"])
    stacked = np.empty((len(POINTS) * 3, rows)).T
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
    if not {"lhand", "rhand"} <= used.keys():
        for point in ("lhand", "rhand"):
            stacked[:, 3 * PLACES[point] : 3 * PLACES[point] + 3] = np.nan
            absent.add(point)

    stacked = on_clock(stacked, clock)
    shape = (clock.count, len(POINTS), 3)
    rate = clock.sampling_rate_hz
    present = np.array([name not in absent for name in POINTS])
    columns_present = np.repeat(present, 3)
    given = stacked if present.all() else stacked[:, columns_present]
    filled, unknown = signals.fill_gaps(given, sampling_rate_hz=rate)

    scale, evidence = axes.find_scale(
        upper_arm=_median_distance(
            stacked.reshape(shape), (("lsjc", "lejc"), ("rsjc", "rejc"))
        ),
        hips=_median_distance(stacked.reshape(shape), (("lhjc", "rhjc"),)),
    )
    if scale is not None and scale != 1.0:
        filled = filled * scale

    margin = round(signals.EDGE_S * rate)
    mask = None if unknown is None else signals.widen(unknown, margin)

    def whole(values: FloatArray, hidden: npt.NDArray[np.bool_] | None) -> Points:
        if hidden is not None:
            values = np.where(hidden, np.nan, values)
        if not present.all():
            everything = np.full((clock.count, len(POINTS) * 3), np.nan)
            everything[:, columns_present] = values
            values = everything
        return Points(values.reshape(shape))

    limbs = whole(
        signals.lowpass(filled, cutoff_hz=LIMB_CUTOFF_HZ, sampling_rate_hz=rate), mask
    )
    chosen = np.repeat([name in TRUNK_POINTS for name in POINTS], 3)[columns_present]
    trunk_values = np.full(filled.shape, np.nan)
    if chosen.any():
        trunk_values[:, chosen] = signals.lowpass(
            filled[:, chosen], cutoff_hz=TRUNK_CUTOFF_HZ, sampling_rate_hz=rate
        )
    unknown_points = None
    if unknown is not None:
        unknown_points = np.zeros(shape[:2], dtype=bool)
        unknown_points[:, present] = unknown.reshape(clock.count, -1, 3).any(axis=2)
    head = used.get("head")
    return Motion(
        clock=clock,
        raw=whole(filled, unknown),
        trunk=whole(trunk_values, mask),
        limbs=limbs,
        unknown=unknown_points,
        absent=frozenset(absent),
        scale=scale,
        scale_finding=_scale_finding(scale, evidence),
        bat=_read_bat(columns, clock, scale),
        head_is="middle of the shoulders"
        if head is None
        else {"head": "head", "skullbase": "base of the skull"}.get(
            head[0], "middle of the eyes"
        ),
        hand_is="wrists" if "lhand" in absent else "hands",
        gap_margin=margin,
    )


def _read_bat(columns: Columns, clock: Clock, scale: float | None) -> BatPoints | None:
    def first(names: tuple[str, ...]) -> str | None:
        return next((name for name in names if has_values(columns, name)), None)

    knob, tip, sweet = first(KNOB_NAMES), first(TIP_NAMES), first(SWEET_SPOT_NAMES)
    if knob is None or (tip is None and sweet is None):
        return None
    names = tuple(name for name in (knob, tip, sweet) if name is not None)
    stacked = on_clock(np.hstack([raw_point(columns, name) for name in names]), clock)
    filled, unknown = signals.fill_gaps(
        stacked, sampling_rate_hz=clock.sampling_rate_hz
    )
    if not np.isfinite(filled).all():
        return None
    filled = filled * (scale or 1.0)
    parts = {
        name: filled[:, 3 * place : 3 * place + 3] for place, name in enumerate(names)
    }
    lost: npt.NDArray[np.bool_] = np.zeros(clock.count, dtype=bool)
    if unknown is not None:
        lost[:] = unknown.any(axis=1)
    return BatPoints(
        knob=parts[knob],
        tip=None if tip is None else parts[tip],
        sweet_spot=None if sweet is None else parts[sweet],
        unknown=lost,
        names=names,
    )
