"""Bring the vendor's momentum and energy columns to the clock of the motion.

Groups overlap in the delivery (arms are both arms, total holds all), so groups are
never added up except where the sum is the definition: two arms make the arms.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from biomechanics import axes, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.clock import Clock
from biomechanics.points import Columns

BAT_ENERGY_J = (40.0, 600.0)
BAT_MOMENTUM = (5.0, 45.0)
MASS_KG = (20.0, 200.0)
BAT_ENERGY_AROUND_S = (-0.2, 0.1)
"""Around peak hand speed the bat must hold a plausible energy and momentum."""

_VECTOR = "{}_angular_momentum"
# Best first; several segments are added as vectors.
_MOMENTUM: dict[str, tuple[tuple[str, ...], ...]] = {
    "pelvis": (("lowertorso",),),
    "torso": (("torso",),),
    "arms": (("arms",), ("larm", "rarm")),
    "bat": (("bat",),),
}
_ENERGY: dict[str, tuple[tuple[str, ...], ...]] = {
    "lower": (("lowerhalf",), ("legs",), ("lleg", "rleg")),
    "torso": (("torso",),),
    "arms": (("arms",), ("larm", "rarm")),
    "bat": (("bat",),),
    "total": (("total",),),
}


def _segments(groups: Mapping[str, tuple[tuple[str, ...], ...]]) -> tuple[str, ...]:
    """Return the segments that any group is made of, each once."""
    return tuple(
        dict.fromkeys(
            segment
            for choice in groups.values()
            for segments in choice
            for segment in segments
        )
    )


MOMENTUM_ENERGY_COLUMNS: tuple[str, ...] = (
    *(
        f"{_VECTOR.format(segment)}_{part}"
        for segment in _segments(_MOMENTUM)
        for part in ("x", "y", "z", "mag")
    ),
    *(f"{segment}_kinetic_energy" for segment in _segments(_ENERGY)),
    *(f"center_of_mass_{axis}" for axis in "xyz"),
    "mass_total",
)
"""Columns of momentum and energy that the analysis looks for."""


@dataclass(frozen=True, slots=True, eq=False)
class Energetics:
    """Momentum and energy on the uniform clock.

    Attributes
    ----------
    momentum : mapping of str to ndarray, shape (n,)
        Length of the angular-momentum vector, kg·m²/s; NaN where missing.
    energy : mapping of str to ndarray, shape (n,)
        Kinetic energy, J.
    missing : mapping of str to str
        Why a group is not there, by ``L_pelvis``, ``KE_bat``, …
    center_of_mass : ndarray, shape (n, 3), or None
        As delivered; `center_of_mass.placed` gives it in meters or not at all.
    mass_kg : float or None
    clock_fault : str or None
        How the file's clock contradicts that of the points; see `energy_clock`.
    segments : mapping of str to str
        The delivered segments behind each group: ``lowerhalf``, ``larm+rarm``.
    """

    momentum: Mapping[str, FloatArray] = field(default_factory=dict)
    energy: Mapping[str, FloatArray] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    center_of_mass: FloatArray | None = None
    mass_kg: float | None = None
    clock_fault: str | None = None
    segments: Mapping[str, str] = field(default_factory=dict)


def _momentum_columns(
    segments: tuple[str, ...], names: Collection[str]
) -> tuple[str, ...]:
    """Return the columns of the angular momentum of segments; empty without them."""
    stems = [_VECTOR.format(segment) for segment in segments]
    vectors = tuple(f"{stem}_{axis}" for stem in stems for axis in "xyz")
    if all(name in names for name in vectors):
        return vectors
    sizes = tuple(f"{stem}_mag" for stem in stems)
    return sizes if len(sizes) == 1 and sizes[0] in names else ()


def _energy_columns(
    segments: tuple[str, ...], names: Collection[str]
) -> tuple[str, ...]:
    """Return the columns of the kinetic energy of segments; empty without them."""
    columns = tuple(f"{segment}_kinetic_energy" for segment in segments)
    return columns if all(name in names for name in columns) else ()


@dataclass(frozen=True, slots=True)
class FirstColumns:
    """The columns to read first: enough if the best ones of each group hold something.

    Attributes
    ----------
    wanted : tuple of str
        All columns but those that only stand in for others.
    decisive : tuple of tuples of str
        Columns of groups for which others stand in when they were not tracked.
    """

    wanted: tuple[str, ...]
    decisive: tuple[tuple[str, ...], ...]

    def are_tracked(self, columns: Columns) -> bool:
        """Return whether `wanted` is enough, given these columns with their values."""
        return all(
            all(name in columns for name in group)
            and _tracked(
                columns[group[0]]
                if len(group) == 1
                else axes.length(np.array([columns[name] for name in group]).T)
            )
            for group in self.decisive
        )


def first_columns(names: Collection[str]) -> FirstColumns:
    """Return which columns of a file are read first, chosen by their names."""
    delivered = [
        [found for segments in choice if (found := columns_of(segments, names))]
        for groups, columns_of in (
            (_MOMENTUM, _momentum_columns),
            (_ENERGY, _energy_columns),
        )
        for choice in groups.values()
    ]
    used = {name for group in delivered for found in group[:1] for name in found}
    return FirstColumns(
        wanted=tuple(
            name
            for name in names
            if name in used
            or not ("_angular_momentum_" in name or name.endswith("_kinetic_energy"))
        ),
        decisive=tuple(group[0] for group in delivered if len(group) > 1),
    )


def _rows_on(
    clock: Clock, columns: Columns, kinematics: Columns
) -> npt.NDArray[np.intp] | None:
    """Return for each uniform sample the row of `columns`, −1 where there is none."""
    mine = np.asarray(kinematics["time"], dtype=np.float64)
    if "time" not in columns:
        # Without a clock only an equal number of rows shows that frames are the same.
        sizes = {len(values) for values in columns.values()}
        if sizes != {mine.size}:
            return None
        theirs = mine
    else:
        theirs = np.asarray(columns["time"], dtype=np.float64)
    wanted = clock.times()
    if theirs.size == wanted.size and (
        np.abs(theirs - wanted).max() <= 0.25 * clock.step_s
    ):
        # Row by row, as usual: every other row is further away.
        return np.arange(wanted.size)
    order = np.flatnonzero(np.isfinite(theirs))
    if order.size < 2:
        return None
    stamps = theirs[order]
    if (np.diff(stamps) < 0).any():
        order = order[np.argsort(stamps, kind="stable")]
        stamps = theirs[order]
    after = np.searchsorted(stamps, wanted).clip(1, stamps.size - 1)
    nearer = np.where(
        wanted - stamps[after - 1] <= stamps[after] - wanted, after - 1, after
    )
    close = np.abs(stamps[nearer] - wanted) <= 0.5 * clock.step_s + 1e-6
    rows: npt.NDArray[np.intp] = np.where(close, order[nearer], -1)
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class _Matched:
    """Columns of which the rows are matched to the uniform clock of the motion.

    Attributes
    ----------
    columns : mapping of str to ndarray
    rows : ndarray of int, shape (n,)
        The row of each sample, −1 where there is none.
    straight : bool
        Each sample is the row of the same number.
    hidden : ndarray of bool, shape (n,), or None
        Samples without a row; ``None`` when all have one.
    """

    columns: Columns
    rows: npt.NDArray[np.intp]
    straight: bool
    hidden: npt.NDArray[np.bool_] | None

    @classmethod
    def of(cls, columns: Columns, rows: npt.NDArray[np.intp]) -> Self:
        """Return `columns` matched by `rows`."""
        hidden = rows < 0
        return cls(
            columns=columns,
            rows=rows,
            straight=bool((rows == np.arange(rows.size)).all()),
            hidden=hidden if hidden.any() else None,
        )

    def block(self, names: Sequence[str]) -> FloatArray | None:
        """Return columns side by side, shape (n, k), ``None`` if one is not there."""
        if any(name not in self.columns for name in names):
            return None
        count = self.rows.size
        block = np.empty((len(names), count)).T
        for place, name in enumerate(names):
            column = self.columns[name]
            # Where there is no row the last one is taken, and hidden below.
            block[:, place] = column[:count] if self.straight else column[self.rows]
        if self.hidden is not None:
            block[self.hidden] = np.nan
        return block

    def momentum_of(self, segments: Sequence[str]) -> FloatArray | None:
        """Return the length of the summed angular momentum, ``None`` without it."""
        total: FloatArray | None = None
        for segment in segments:
            stem = _VECTOR.format(segment)
            vector = self.block([f"{stem}_{axis}" for axis in "xyz"])
            if vector is None:
                total = None
                break
            total = vector if total is None else total + vector
        if total is not None:
            return axes.length(total)
        if len(segments) != 1:
            return None
        size = self.block([f"{_VECTOR.format(segments[0])}_mag"])
        return None if size is None else np.abs(size[:, 0])

    def energy_of(self, segments: Sequence[str]) -> FloatArray | None:
        """Return the summed kinetic energy, ``None`` without it."""
        block = self.block([f"{segment}_kinetic_energy" for segment in segments])
        if block is None:
            return None
        return block[:, 0] if len(segments) == 1 else block.sum(axis=1)

    def mass_kg(self) -> float | None:
        """Return the median mass of the whole body, ``None`` if no person's."""
        if "mass_total" not in self.columns:
            return None
        masses = np.asarray(self.columns["mass_total"], dtype=np.float64)
        masses = masses[np.isfinite(masses)]
        usual = signals.median(masses) if masses.size else 0.0
        return usual if MASS_KG[0] <= usual <= MASS_KG[1] else None


def read_energetics(
    columns: Columns | None, *, kinematics: Columns, clock: Clock
) -> Energetics:
    """Return the momentum and energy columns on the clock of the motion.

    Rows are matched by time, nearest within half a frame. A group whose columns are
    all zero or empty was not tracked: it is missing, not zero.
    """
    if columns is None:
        gone = "there is no momentum and energy file"
        return Energetics(missing=_all_missing(gone))
    rows = _rows_on(clock, columns, kinematics)
    if rows is None or not (rows >= 0).any():
        return Energetics(
            missing=_all_missing("the momentum and energy file has a different clock")
        )
    matched = _Matched.of(columns, rows)
    momentum, no_momentum, momentum_from = _tracked_groups(
        _MOMENTUM, "L", "angular momentum", matched.momentum_of
    )
    energy, no_energy, energy_from = _tracked_groups(
        _ENERGY, "KE", "kinetic energy", matched.energy_of
    )
    center = matched.block([f"center_of_mass_{axis}" for axis in "xyz"])
    if center is not None:
        center = _without_repeated(center)
    momentum, energy = _curves_without_repeated(momentum, energy)
    return Energetics(
        momentum=momentum,
        energy=energy,
        missing=no_momentum | no_energy,
        center_of_mass=center,
        mass_kg=matched.mass_kg(),
        segments=momentum_from | energy_from,
    )


def _without_repeated(values: FloatArray) -> FloatArray:
    """Return curves (n, k) with NaN where all of them only repeat the frame before."""
    repeated = signals.repeated_frames(values)
    if not repeated.any():
        return values
    return np.where(repeated[:, None], np.nan, values)


def _curves_without_repeated(
    *groups: Mapping[str, FloatArray],
) -> tuple[dict[str, FloatArray], ...]:
    """Return groups of curves (n,) with NaN where all of the file only repeats."""
    names = [(place, name) for place, group in enumerate(groups) for name in group]
    if not names:
        return tuple({} for _ in groups)
    stacked = np.stack([groups[place][name] for place, name in names], axis=1)
    kept = _without_repeated(stacked)
    if kept is stacked:
        return tuple(dict(group) for group in groups)
    answer: tuple[dict[str, FloatArray], ...] = tuple({} for _ in groups)
    for column, (place, name) in enumerate(names):
        answer[place][name] = kept[:, column]
    return answer


def _tracked_groups(
    groups: Mapping[str, tuple[tuple[str, ...], ...]],
    kind: str,
    words: str,
    read: Callable[[tuple[str, ...]], FloatArray | None],
) -> tuple[dict[str, FloatArray], dict[str, str], dict[str, str]]:
    """Return the groups that were tracked, why others were not, and their segments.

    Parameters
    ----------
    groups : mapping of str to tuple of tuples of str
        Segments of each group, best choice first.
    kind, words : str
        ``L`` or ``KE``, and what it is called.
    read : callable
        Returns the curve of some segments, ``None`` when columns are not there.
    """
    found: dict[str, FloatArray] = {}
    missing: dict[str, str] = {}
    segments_of: dict[str, str] = {}
    for group, choice in groups.items():
        why = f"no {words} of the {group} in the file"
        for segments in choice:
            values = read(segments)
            if values is None:
                continue
            if _tracked(values):
                found[group] = values
                segments_of[f"{kind}_{group}"] = "+".join(segments)
                break
            spoken = "the bat was" if group == "bat" else f"the {group} columns were"
            why = f"{spoken} not tracked: all values are empty or zero"
        else:
            missing[f"{kind}_{group}"] = why
    return found, missing, segments_of


def _all_missing(reason: str) -> dict[str, str]:
    """Return every group as missing for one reason."""
    return {f"L_{group}": reason for group in _MOMENTUM} | {
        f"KE_{group}": reason for group in _ENERGY
    }


def _tracked(values: npt.NDArray[np.floating]) -> bool:
    """Return whether a column holds anything but empty cells and zeros."""
    # One sample mostly tells.
    middle = float(values[values.size // 2]) if values.size else 0.0
    if math.isfinite(middle) and middle != 0.0:
        return True
    return bool((np.isfinite(values) & (values != 0.0)).any())


def bat_out_of_range(energetics: Energetics, *, low: int, high: int) -> str | None:
    """Return why the bat of this swing cannot be believed, ``None`` if it can.

    Rigid-body arithmetic puts a 0.9 kg bat at 30 m/s near 320 J; tracking that failed
    silently has shown 0 and 22 680 J.
    """
    for values, (least, most), unit, what in (
        (energetics.energy.get("bat"), BAT_ENERGY_J, "J", "energy"),
        (energetics.momentum.get("bat"), BAT_MOMENTUM, "kg·m²/s", "momentum"),
    ):
        if values is None:
            continue
        stretch = values[max(low, 0) : high + 1]
        stretch = stretch[np.isfinite(stretch)]
        if stretch.size == 0:
            continue
        top = float(stretch.max())
        if not least <= top <= most:
            return (
                f"the bat's peak {what} of {top:.0f} {unit} is not possible "
                f"({least:.0f} to {most:.0f} is), so its tracking failed"
            )
    return None


def smoothed(
    values: FloatArray, *, clock: Clock, cutoff_hz: float, last: int | None = None
) -> FloatArray:
    """Return momentum or energy curves (n, m) after a low-pass, NaN in long gaps.

    Parameters
    ----------
    last : int, optional
        Sample of an impact: nothing after it reaches the curve, which ends there.
    """
    rate_hz = clock.sampling_rate_hz
    end = values.shape[0] if last is None else min(last + 1, values.shape[0])
    answer = np.full(values.shape, np.nan)
    if end < 3:
        return answer
    filled, unknown = signals.fill_gaps(values[:end], sampling_rate_hz=rate_hz)
    smooth = signals.lowpass(filled, cutoff_hz=cutoff_hz, sampling_rate_hz=rate_hz)
    answer[:end] = smooth if unknown is None else np.where(unknown, np.nan, smooth)
    return answer
