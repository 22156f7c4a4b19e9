"""The vendor's momentum and energy columns on the clock of the motion.

Groups overlap in the delivery (arms are both arms, total holds all), so groups are
never added up except where the sum is the definition: two arms make the arms.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from biomechanics import axes, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.clock import Clock
from biomechanics.points import Columns

BAT_ENERGY_J = (40.0, 600.0)
BAT_MOMENTUM = (5.0, 45.0)
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
    mass_kg : float or None
    """

    momentum: Mapping[str, FloatArray] = field(default_factory=dict)
    energy: Mapping[str, FloatArray] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    center_of_mass: FloatArray | None = None
    mass_kg: float | None = None


def _momentum_columns(
    segments: tuple[str, ...], names: Collection[str]
) -> tuple[str, ...]:
    """Columns that give the angular momentum of segments; empty without them."""
    stems = [_VECTOR.format(segment) for segment in segments]
    vectors = tuple(f"{stem}_{axis}" for stem in stems for axis in "xyz")
    if all(name in names for name in vectors):
        return vectors
    sizes = tuple(f"{stem}_mag" for stem in stems)
    return sizes if len(sizes) == 1 and sizes[0] in names else ()


def _energy_columns(
    segments: tuple[str, ...], names: Collection[str]
) -> tuple[str, ...]:
    columns = tuple(f"{segment}_kinetic_energy" for segment in segments)
    return columns if all(name in names for name in columns) else ()


@dataclass(frozen=True, slots=True)
class FirstColumns:
    """What is read of a file as long as the best columns of each group hold something.

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
        """Tell whether no other columns are needed than `wanted`, given these."""
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
    """Choose by name among the columns of a file; see `FirstColumns`."""
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


def read_energetics(
    columns: Columns | None, *, kinematics: Columns, clock: Clock
) -> Energetics:
    """Bring the momentum-energy columns onto the clock of the motion.

    Rows are matched by time, nearest within half a frame. A group whose columns are
    all zero or empty was not tracked: it is missing, not zero.
    """
    if columns is None:
        gone = "the momentum and energy file is not there"
        return Energetics(missing=_all_missing(gone))
    rows = _rows_on(clock, columns, kinematics)
    if rows is None or not (rows >= 0).any():
        return Energetics(
            missing=_all_missing("the momentum and energy file has another clock")
        )
    matched = float(np.count_nonzero(rows >= 0)) / rows.size
    index = np.maximum(rows, 0)
    hidden = None if matched == 1.0 else rows < 0
    straight = hidden is None and bool((index == np.arange(index.size)).all())

    def fetch(names: list[str]) -> FloatArray | None:
        if any(name not in columns for name in names):
            return None
        block = np.empty((len(names), rows.size)).T
        for place, name in enumerate(names):
            column = columns[name]
            block[:, place] = column[: rows.size] if straight else column[index]
        if hidden is not None:
            block[hidden] = np.nan
        return block

    momentum: dict[str, FloatArray] = {}
    energy: dict[str, FloatArray] = {}
    missing: dict[str, str] = {}
    for group, choice in _MOMENTUM.items():
        key = f"L_{group}"
        for segments in choice:
            total: FloatArray | None = None
            for segment in segments:
                stem = _VECTOR.format(segment)
                vector = fetch([f"{stem}_{axis}" for axis in "xyz"])
                if vector is None:
                    total = None
                    break
                total = vector if total is None else total + vector
            size = None if total is None else axes.length(total)
            if size is None and len(segments) == 1:
                block = fetch([f"{_VECTOR.format(segments[0])}_mag"])
                size = None if block is None else np.abs(block[:, 0])
            if size is not None:
                _keep(size, key, group, momentum, missing)
                if group in momentum:
                    break
        else:
            missing.setdefault(key, f"no angular momentum of the {group} in the file")
    for group, choice in _ENERGY.items():
        key = f"KE_{group}"
        for segments in choice:
            block = fetch([f"{segment}_kinetic_energy" for segment in segments])
            if block is not None:
                whole = block[:, 0] if len(segments) == 1 else block.sum(axis=1)
                _keep(whole, key, group, energy, missing)
                if group in energy:
                    break
        else:
            missing.setdefault(key, f"no kinetic energy of the {group} in the file")
    center = fetch([f"center_of_mass_{axis}" for axis in "xyz"])
    mass: float | None = None
    if "mass_total" in columns:
        masses = np.asarray(columns["mass_total"], dtype=np.float64)
        masses = masses[np.isfinite(masses)]
        usual = signals.median(masses) if masses.size else 0.0
        if 20.0 <= usual <= 200.0:
            mass = usual
    return Energetics(
        momentum=momentum,
        energy=energy,
        missing={
            key: reason
            for key, reason in missing.items()
            if key.split("_", 1)[1] not in (momentum if key[0] == "L" else energy)
        },
        center_of_mass=center,
        mass_kg=mass,
    )


def _all_missing(reason: str) -> dict[str, str]:
    return {f"L_{group}": reason for group in _MOMENTUM} | {
        f"KE_{group}": reason for group in _ENERGY
    }


def _tracked(values: npt.NDArray[np.floating]) -> bool:
    """Tell whether anything stands in a column: all empty or zero is not tracked."""
    # One sample mostly tells.
    middle = float(values[values.size // 2]) if values.size else 0.0
    if math.isfinite(middle) and middle != 0.0:
        return True
    return bool((np.isfinite(values) & (values != 0.0)).any())


def _keep(
    values: FloatArray,
    key: str,
    group: str,
    into: dict[str, FloatArray],
    missing: dict[str, str],
) -> None:
    if not _tracked(values):
        spoken = "the bat was" if group == "bat" else f"the {group} columns were"
        missing[key] = f"{spoken} not tracked: all values are empty or zero"
    else:
        into[group] = values


def bat_out_of_range(energetics: Energetics, *, low: int, high: int) -> str | None:
    """Say why the bat of this swing cannot be believed, ``None`` if it can.

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


def energy_rate(values: FloatArray, *, clock: Clock, cutoff_hz: float) -> FloatArray:
    """Time derivative of energies (n, m) after a low-pass, W; NaN in long gaps."""
    filled, unknown = signals.fill_gaps(values, sampling_rate_hz=clock.sampling_rate_hz)
    smooth = signals.lowpass(
        filled, cutoff_hz=cutoff_hz, sampling_rate_hz=clock.sampling_rate_hz
    )
    rate = signals.derivative(smooth, sampling_rate_hz=clock.sampling_rate_hz)
    return rate if unknown is None else np.where(unknown, np.nan, rate)
