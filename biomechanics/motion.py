"""From delivered columns to the motion of a body.

Columns come as the vendor names them. Here they are put on one clock, in metres
where the unit can be told, gaps filled where they are short, and filtered. A point
that is not in the file is NaN throughout and listed in `Motion.absent`: later steps
then need no special case, and the reason for a missing number can name it.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biomechanics import axes, signals
from biomechanics.analysis_types import Finding, FloatArray
from biomechanics.signals import Clock

Columns = Mapping[str, npt.NDArray[np.floating]]

TRUNK_CUTOFF_HZ = 12.0
LIMB_CUTOFF_HZ = 15.0
BAT_CUTOFF_HZ = 50.0
BAT_CUTOFF_LOW_RATE_HZ = 30.0
BAT_LOW_RATE_HZ = 150.0
ENERGY_CUTOFF_HZ = 20.0

# What stands for a point, best first; several names are averaged.
_SIDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "hjc": (("{}hjc",),),
    "sjc": (("{}sjc",),),
    "ejc": (("{}ejc",),),
    "wjc": (("{}wjc",),),
    "kjc": (("{}kjc",),),
    "ajc": (("{}ajc",), ("{}mmal", "{}lmal"), ("{}mmal",)),
    "hand": (("{}hand",), ("{}pinky", "{}thumb")),
}
SOURCES: dict[str, tuple[tuple[str, ...], ...]] = {
    side + point: tuple(tuple(name.format(side) for name in names) for names in choice)
    for point, choice in _SIDED.items()
    for side in ("l", "r")
} | {"head": (("head",), ("skullbase",), ("leye", "reye"))}
POINTS: tuple[str, ...] = tuple(SOURCES)
PLACES: dict[str, int] = {name: place for place, name in enumerate(POINTS)}
TRUNK_POINTS: tuple[str, ...] = ("lhjc", "rhjc", "lsjc", "rsjc", "head")

KNOB_NAMES = ("bhandle", "bat_handle", "bat_knob", "blast_hand")
TIP_NAMES = ("bhead", "bat_head", "bat_tip")
SWEET_SPOT_NAMES = ("sweet_spot",)

SPOKEN = {
    "hjc": "hip",
    "sjc": "shoulder",
    "ejc": "elbow",
    "wjc": "wrist",
    "kjc": "knee",
    "ajc": "ankle",
    "hand": "hand",
}


def spoken(point: str) -> str:
    """Return a point's name in words, e.g. ``left hip``."""
    if point == "head":
        return "head"
    side = "left" if point.startswith("l") else "right"
    return f"{side} {SPOKEN[point[1:]]}"


def has_point(columns: Columns, name: str) -> bool:
    """Tell whether all three coordinates of a point were delivered."""
    return all(f"{name}_{axis}" in columns for axis in "xyz")


def has_values(columns: Columns, name: str) -> bool:
    """Tell whether a point was delivered and is not empty in all frames."""
    if not has_point(columns, name):
        return False
    values = columns[f"{name}_x"]
    # The first frame mostly tells.
    return len(values) > 0 and (
        math.isfinite(values[0]) or bool(np.isfinite(values).any())
    )


def first_points(names: Collection[str]) -> tuple[str, ...]:
    """Return the points, by delivered name, that are read as long as they have values.

    Parameters
    ----------
    names : collection of str
        Columns of the file.
    """

    def delivered(points: Iterable[str]) -> bool:
        return all(f"{point}_{axis}" in names for point in points for axis in "xyz")

    choices = [
        *SOURCES.values(),
        *(
            tuple((name,) for name in alike)
            for alike in (KNOB_NAMES, TIP_NAMES, SWEET_SPOT_NAMES)
        ),
    ]
    return tuple(
        name for choice in choices for name in next(filter(delivered, choice), ())
    )


def raw_point(columns: Columns, name: str) -> FloatArray:
    """Return one delivered point, shape (n_rows, 3)."""
    answer = np.empty((3, len(columns[f"{name}_x"])))
    for place, axis in enumerate("xyz"):
        answer[place] = columns[f"{name}_{axis}"]
    return answer.T


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Positions of `POINTS` on the uniform clock, shape (n, n_points, 3).

    ``points["lhjc"]`` gives one of them, shape (n, 3).
    """

    values: FloatArray
    exchanged: bool = False

    def __getitem__(self, name: str) -> FloatArray:
        answer: FloatArray = self.values[:, self._place(name)]
        return answer

    def several(self, *names: str) -> FloatArray:
        """Return k of the points, shape (n, k, 3)."""
        answer: FloatArray = self.values[:, [self._place(name) for name in names]]
        return answer

    def _place(self, name: str) -> int:
        if self.exchanged and name != "head":
            name = ("r" if name[0] == "l" else "l") + name[1:]
        return PLACES[name]


@dataclass(frozen=True, slots=True, eq=False)
class BatPoints:
    """Delivered bat points on the uniform clock, gaps filled, not filtered.

    Attributes
    ----------
    knob : ndarray, shape (n, 3)
    tip : ndarray or None
        ``None`` when only the sweet spot was tracked.
    sweet_spot : ndarray or None
    unknown : ndarray of bool, shape (n,)
        Long gaps.
    names : tuple of str
    """

    knob: FloatArray
    tip: FloatArray | None
    sweet_spot: FloatArray | None
    unknown: npt.NDArray[np.bool_]
    names: tuple[str, ...]

    @property
    def end(self) -> FloatArray:
        """The point that with the knob makes the bat's line."""
        if self.tip is not None:
            return self.tip
        if self.sweet_spot is None:
            raise ValueError("bat points need a tip or a sweet spot")
        return self.sweet_spot


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
        From `signals.read_clock` over the ``time`` column.

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

    stacked = signals.on_clock(stacked, clock)
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
    stacked = signals.on_clock(
        np.hstack([raw_point(columns, name) for name in names]), clock
    )
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


@dataclass(frozen=True, slots=True)
class VendorClock:
    """What the vendor's own time columns say, on the clock of the file.

    Attributes
    ----------
    max_hand_s, foot_down_s : float or None
    problems : tuple of str
        Columns that were there but could not be used, in plain words.
    """

    max_hand_s: float | None
    foot_down_s: float | None
    problems: tuple[str, ...]


def _zero_of(
    time_s: FloatArray, values: FloatArray, scale: float
) -> tuple[float, float] | None:
    there = np.isfinite(time_s) & np.isfinite(values)
    if np.count_nonzero(there) < 5:
        return None
    zeros = time_s[there] - values[there] * scale
    zero = signals.median(zeros)
    return zero, signals.median(np.abs(zeros - zero))


def read_vendor_clock(
    tables: Iterable[Columns | None], *, step_s: float
) -> VendorClock:
    """Read ``time_from_max_hand``, ``rel_frame`` and ``norm_time``.

    Each is a straight line of time inside one movement, so its zero is found from
    all rows rather than from the one row nearest to it; a column that is not a
    straight line is refused.

    Parameters
    ----------
    tables : iterable of mappings
        In order of trust; the first that has a column gives it.
    step_s : float
        Step of the movement's clock.

    Notes
    -----
    ``norm_time`` is 0 at foot down and 100 at peak hand speed of the dominant hand.
    """
    max_hand: float | None = None
    foot_down: float | None = None
    problems: list[str] = []
    for table in tables:
        if table is None or "time" not in table:
            continue
        time_s = np.asarray(table["time"], dtype=np.float64)
        for name, scale in (("time_from_max_hand", 1.0), ("rel_frame", step_s)):
            if max_hand is not None or name not in table:
                continue
            zero = _zero_of(time_s, np.asarray(table[name], dtype=np.float64), scale)
            if zero is None:
                continue
            if zero[1] > 1.5 * step_s:
                problems.append(f"{name} does not run with the clock")
                continue
            max_hand = zero[0]
        if foot_down is None and "norm_time" in table:
            norm = np.asarray(table["norm_time"], dtype=np.float64)
            there = np.isfinite(norm) & np.isfinite(time_s)
            if np.count_nonzero(there) < 5:
                continue
            x, y = norm[there] / 100.0, time_s[there]
            x_mean, y_mean = signals.mean(x), signals.mean(y)
            off = x - x_mean
            spread = float(off @ off)
            if spread <= 0.0:
                problems.append("norm_time does not change")
                continue
            slope = float(off @ (y - y_mean)) / spread
            zero_s = y_mean - slope * x_mean
            worst = float(np.abs(y - zero_s - slope * x).max())
            if worst > 1.5 * step_s or slope <= 0.0:
                problems.append("norm_time does not run with the clock")
                continue
            foot_down = zero_s
            if max_hand is None:
                max_hand = zero_s + slope
    return VendorClock(max_hand, foot_down, tuple(problems))
