"""Ways in which a file of a swing goes wrong, each drawn from a generator of numbers.

A damage takes a swing and returns a damaged copy with a sentence about it. What is
true of the swing does not change: only its recording does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from accuracy.swings import Array, Columns, MadeSwing

Rng = np.random.Generator

BAT = ("bhandle", "bhead")
LIMBS = ("hjc", "sjc", "ejc", "wjc", "kjc", "ajc", "hand")
SWING_S = (-0.45, 0.05)
"""Damage that has a place falls between load and just after contact."""


@dataclass(frozen=True)
class Damaged:
    """A damaged swing, and what was done to it."""

    swing: MadeSwing
    what: str


Damage = Callable[[Rng, MadeSwing], Damaged]


def points_in(columns: Columns) -> list[str]:
    """Return the points of a file by name."""
    return [name[:-2] for name in columns if name.endswith("_x")]


def _changed(
    swing: MadeSwing,
    what: str,
    *,
    kinematics: Columns | None = None,
    energetics: Columns | None = None,
) -> Damaged:
    """Return the swing with some columns replaced."""
    return Damaged(
        dataclasses.replace(
            swing,
            kinematics=swing.kinematics | (kinematics or {}),
            energetics=swing.energetics | (energetics or {}),
        ),
        what,
    )


def _rows(swing: MadeSwing, start_s: float, length_s: float) -> slice:
    """Return the rows of a stretch that starts so long from contact; one at least."""
    first = round((swing.contact_s + start_s) * swing.rate_hz)
    count = max(1, round(length_s * swing.rate_hz))
    return slice(max(first, 0), max(first, 0) + count)


def _with_rows(
    swing: MadeSwing, names: Iterable[str], rows: slice, make: Callable[[Array], Array]
) -> Columns:
    """Return columns of points with some rows replaced; `make` gets shape (k, 3)."""
    changed: Columns = {}
    for name in names:
        points = np.stack(
            [swing.kinematics[f"{name}_{axis}"] for axis in "xyz"], axis=1
        )
        points[rows] = make(points[rows])
        changed |= {f"{name}_{axis}": points[:, i] for i, axis in enumerate("xyz")}
    return changed


def _some_points(rng: Rng, swing: MadeSwing) -> list[str]:
    """Return one point, a point of both sides, the bat, or its tip."""
    there = points_in(swing.kinematics)
    joint = str(rng.choice(LIMBS))
    choices = [
        [f"l{joint}"],
        [f"r{joint}"],
        [f"l{joint}", f"r{joint}"],
        *[[p] for p in BAT],
    ]
    choices.append(list(BAT))
    picked = choices[int(rng.integers(len(choices)))]
    found = [name for name in picked if name in there]
    # A hand is also known by thumb and little finger.
    for name in list(found):
        if name.endswith("hand"):
            found += [n for n in (name[0] + "thumb", name[0] + "pinky") if n in there]
    return found or ["lwjc"]


def nothing(rng: Rng, swing: MadeSwing) -> Damaged:
    """Return the swing as it is: what is right must stay."""
    del rng
    return Damaged(swing, "nothing")


def gap(rng: Rng, swing: MadeSwing) -> Damaged:
    """Lose points for 5 to 60 ms somewhere in the swing."""
    names = _some_points(rng, swing)
    length, start = float(rng.uniform(0.005, 0.060)), float(rng.uniform(*SWING_S))
    rows = _rows(swing, start, length)
    lost = _with_rows(swing, names, rows, lambda p: np.full_like(p, np.nan))
    where = f"{length * 1000:.0f} ms from {start * 1000:.0f} ms of contact"
    return _changed(swing, f"{', '.join(names)} lost for {where}", kinematics=lost)


def gap_at_impact(rng: Rng, swing: MadeSwing) -> Damaged:
    """Lose one or both points of the bat for 2 to 6 frames about the impact."""
    if BAT[0] not in points_in(swing.kinematics):
        return gap(rng, swing)
    names = BAT if rng.uniform() < 0.5 else (str(rng.choice(BAT)),)
    count = int(rng.integers(2, 7))
    start = float(rng.uniform(-count, 1.0)) / swing.rate_hz
    rows = _rows(swing, start, count / swing.rate_hz)
    lost = _with_rows(swing, names, rows, lambda p: np.full_like(p, np.nan))
    what = f"{', '.join(names)} lost for {count} frames from {start * 1000:.0f} ms"
    return _changed(swing, what, kinematics=lost)


def _cut(swing: MadeSwing, first_s: float, last_s: float, what: str) -> Damaged:
    """Return the rows between two times of the file."""
    time = swing.kinematics["time"]
    kept = (time >= first_s) & (time <= last_s)
    return Damaged(
        dataclasses.replace(
            swing,
            kinematics={n: v[kept] for n, v in swing.kinematics.items()},
            energetics={n: v[kept] for n, v in swing.energetics.items()},
        ),
        what,
    )


def cut_start(rng: Rng, swing: MadeSwing) -> Damaged:
    """Start the clip 150 to 700 ms before contact."""
    before = float(rng.uniform(0.15, 0.70))
    return _cut(
        swing,
        swing.contact_s - before,
        np.inf,
        f"starts {before * 1000:.0f} ms before contact",
    )


def cut_end(rng: Rng, swing: MadeSwing) -> Damaged:
    """End the clip 60 ms before to 60 ms after contact."""
    after = float(rng.uniform(-0.060, 0.060))
    return _cut(
        swing, 0.0, swing.contact_s + after, f"ends {after * 1000:.0f} ms from contact"
    )


def noise(rng: Rng, swing: MadeSwing) -> Damaged:
    """Shake all points, or a few, by 3 to 25 mm."""
    size = float(rng.uniform(0.003, 0.025))
    everything = rng.uniform() < 0.5
    names = points_in(swing.kinematics) if everything else _some_points(rng, swing)
    shaken = _with_rows(
        swing, names, slice(None), lambda p: p + rng.normal(0.0, size, p.shape)
    )
    who = "all points" if everything else ", ".join(names)
    return _changed(swing, f"{who} shaken by {size * 1000:.0f} mm", kinematics=shaken)


def _exchanged(
    swing: MadeSwing, pairs: Iterable[tuple[str, str]], rows: slice
) -> Columns:
    """Return the columns of pairs of points with some rows exchanged."""
    changed: Columns = {}
    for a, b in pairs:
        for axis in "xyz":
            first = swing.kinematics[f"{a}_{axis}"].copy()
            second = swing.kinematics[f"{b}_{axis}"].copy()
            first[rows], second[rows] = second[rows].copy(), first[rows].copy()
            changed |= {f"{a}_{axis}": first, f"{b}_{axis}": second}
    return changed


def swap_sides(rng: Rng, swing: MadeSwing) -> Damaged:
    """Exchange left and right: all, a pair, or a pair for a while."""
    there = set(points_in(swing.kinematics))
    pairs = [
        (name, "r" + name[1:])
        for name in there
        if name[0] == "l" and "r" + name[1:] in there
    ]
    how = int(rng.integers(3))
    if how == 0:
        return _changed(
            swing,
            "left and right exchanged in all names",
            kinematics=_exchanged(swing, pairs, slice(None)),
        )
    joint = str(rng.choice(LIMBS[:6]))
    rows, what = slice(None), "throughout"
    if how == 1:
        length, start = float(rng.uniform(0.015, 0.1)), float(rng.uniform(*SWING_S))
        rows = _rows(swing, start, length)
        what = f"for {length * 1000:.0f} ms from {start * 1000:.0f} ms of contact"
    return _changed(
        swing,
        f"l{joint} and r{joint} exchanged {what}",
        kinematics=_exchanged(swing, [(f"l{joint}", f"r{joint}")], rows),
    )


def swap_bat(rng: Rng, swing: MadeSwing) -> Damaged:
    """Exchange the ends of the bat, throughout or for a while."""
    if BAT[0] not in points_in(swing.kinematics):
        return swap_sides(rng, swing)
    rows, what = slice(None), "throughout"
    if rng.uniform() < 0.5:
        length, start = float(rng.uniform(0.005, 0.1)), float(rng.uniform(*SWING_S))
        rows = _rows(swing, start, length)
        what = f"for {length * 1000:.0f} ms from {start * 1000:.0f} ms of contact"
    return _changed(
        swing,
        f"bat ends exchanged {what}",
        kinematics=_exchanged(swing, [(BAT[0], BAT[1])], rows),
    )


def _scaled(columns: Columns, names: Iterable[str], factor: float) -> Columns:
    """Return the columns of points times a factor."""
    return {
        f"{name}_{axis}": columns[f"{name}_{axis}"] * factor
        for name in names
        for axis in "xyz"
    }


def units(rng: Rng, swing: MadeSwing) -> Damaged:
    """Write the file, or a part of it, in another unit."""
    unit, factor = (("mm", 1000.0), ("cm", 100.0), ("inch", 1 / 0.0254))[
        int(rng.integers(3))
    ]
    everything = points_in(swing.kinematics)
    how = int(rng.integers(4))
    if how == 0:
        return _changed(
            swing,
            f"all points in {unit}",
            kinematics=_scaled(swing.kinematics, everything, factor),
        )
    if how == 1:
        return _changed(
            swing,
            f"center of mass in {unit}",
            energetics=_scaled(swing.energetics, ["center_of_mass"], factor),
        )
    if how == 2 and BAT[0] in everything:
        return _changed(
            swing, f"bat in {unit}", kinematics=_scaled(swing.kinematics, BAT, factor)
        )
    names = _some_points(rng, swing)
    return _changed(
        swing,
        f"{', '.join(names)} in {unit}",
        kinematics=_scaled(swing.kinematics, names, factor),
    )


def repeated(rng: Rng, swing: MadeSwing) -> Damaged:
    """Repeat every few frames the one before, or freeze a stretch."""
    count = swing.kinematics["time"].size
    source = np.arange(count)
    if rng.uniform() < 0.7:
        every = int(rng.integers(2, 13))
        source[every::every] -= 1
        what = f"every {every}th frame repeats the one before"
    else:
        rows = _rows(
            swing, float(rng.uniform(-0.2, 0.03)), float(rng.uniform(0.01, 0.04))
        )
        source[rows] = rows.start
        what = f"frames {rows.start} to {rows.stop} are one"
    frozen = {
        name: values[source]
        for name, values in swing.kinematics.items()
        if name != "time"
    }
    return _changed(swing, what, kinematics=frozen)


def tilted(rng: Rng, swing: MadeSwing) -> Damaged:
    """Tilt the axes of the file, or of one frame, by 3 to 15 degrees."""
    angle, heading = np.radians(rng.uniform(3.0, 15.0)), rng.uniform(0.0, 2 * np.pi)
    axis = np.array([np.cos(heading), np.sin(heading), 0.0])
    cross = np.cross(np.eye(3), axis)
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    rows, what = slice(None), "axes of the file"
    if rng.uniform() < 0.4:
        rows = _rows(swing, float(rng.uniform(*SWING_S)), 0.0)
        what = f"axes of frame {rows.start}"
    names = points_in(swing.kinematics)
    return _changed(
        swing,
        f"{what} tilted by {np.degrees(angle):.0f}°",
        kinematics=_with_rows(swing, names, rows, lambda p: p @ turn.T),
    )


def spike(rng: Rng, swing: MadeSwing) -> Damaged:
    """Throw a point off by 5 to 50 cm for one to three frames."""
    names = _some_points(rng, swing)[:1]
    size = float(rng.uniform(0.05, 0.5))
    jump = rng.normal(size=3)
    jump *= size / np.linalg.norm(jump)
    count = int(rng.integers(1, 4))
    rows = _rows(swing, float(rng.uniform(*SWING_S)), count / swing.rate_hz)
    return _changed(
        swing,
        f"{names[0]} off by {size * 100:.0f} cm for {count} frames from {rows.start}",
        kinematics=_with_rows(swing, names, rows, lambda p: p + jump),
    )


def energy_clock(rng: Rng, swing: MadeSwing) -> Damaged:
    """Shift momentum and energy by 8 to 60 ms against the motion, and say nothing."""
    shift = float(rng.uniform(0.008, 0.060)) * float(rng.choice((-1.0, 1.0)))
    frames = round(shift * swing.rate_hz)
    shifted = {
        name: np.roll(values, frames)
        for name, values in swing.energetics.items()
        if name != "time"
    }
    return _changed(swing, f"energy file {shift * 1000:.0f} ms off", energetics=shifted)


def missing_columns(rng: Rng, swing: MadeSwing) -> Damaged:
    """Leave out one to three points."""
    there = points_in(swing.kinematics)
    names = [str(n) for n in rng.choice(there, int(rng.integers(1, 4)), replace=False)]
    left = {n: v for n, v in swing.kinematics.items() if n[:-2] not in names}
    return Damaged(
        dataclasses.replace(swing, kinematics=left), f"no {', '.join(names)}"
    )


def rounded_time(rng: Rng, swing: MadeSwing) -> Damaged:
    """Round the times of both files to 1 or 10 ms."""
    digits = 3 if rng.uniform() < 0.6 else 2
    rounding = {"time": np.round(swing.kinematics["time"], digits)}
    return _changed(
        swing,
        f"time rounded to {digits} decimals",
        kinematics=rounding,
        energetics=rounding,
    )


DAMAGES: dict[str, Damage] = {
    "nothing": nothing,
    "gap": gap,
    "gap at impact": gap_at_impact,
    "cut start": cut_start,
    "cut end": cut_end,
    "noise": noise,
    "swapped sides": swap_sides,
    "swapped bat": swap_bat,
    "units": units,
    "repeated frames": repeated,
    "tilt": tilted,
    "spike": spike,
    "energy clock": energy_clock,
    "missing columns": missing_columns,
    "rounded time": rounded_time,
}
