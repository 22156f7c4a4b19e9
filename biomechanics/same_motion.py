"""Whether two clips show the same motion, and how far their clocks are apart.

A vendor may cut a clip anew: it begins earlier or later, or its clock counts from
another instant, and yet every frame that both clips have is the same. Then an instant
of one clip is known on the clock of the other. A clip that was processed again differs
in its frames, however little; what was seen in the one is not known of the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Coordinates of points, whatever their spelling: `left_hip_x`, `LHIP_X`.
_COORDINATE = re.compile(r".+_[xyz]", re.IGNORECASE)
#: Points are the same when they differ by less than files round, in meters.
_SAME_M = 2e-4
#: Clocks run alike when they do within this, in seconds.
_SAME_S = 2e-4
#: A stance is the same in many clips: some point has to travel this far, in meters.
_LEAST_TRAVEL_M = 0.3
#: The share of the shorter clip that both must have.
_LEAST_SHARE = 0.4
_LEAST_COORDINATES = 9
_PARTS = 4


def is_compared(column: str) -> bool:
    """Whether `clock_shift` compares a column of this name: a coordinate of a point."""
    return bool(_COORDINATE.fullmatch(column))


def clock_shift(
    old: Mapping[str, Array],
    new: Mapping[str, Array],
    instants_s: tuple[float, ...] = (),
) -> float | None:
    """How many seconds later an instant of the old clip is on the new clip's clock.

    Parameters
    ----------
    old, new
        Columns by name, frames each: `time` in seconds, and coordinates in meters.
    instants_s
        Instants on the old clip's clock that both clips must hold.

    Returns
    -------
    float or None
        None where the clips do not provably show the same motion.
    """
    names = sorted(old.keys() & new.keys() - {"time"})
    names = [name for name in names if is_compared(name)]
    if len(names) < _LEAST_COORDINATES or "time" not in old or "time" not in new:
        return None
    old_s, new_s = old["time"], new["time"]
    before = np.column_stack([old[name] for name in names])
    after = np.column_stack([new[name] for name in names])
    solid = np.isfinite(before).all(axis=0) & np.isfinite(after).all(axis=0)
    if solid.sum() < _LEAST_COORDINATES:
        return None
    for first in _places(before[:, solid], after[:, solid]):
        start, stop = max(0, -first), min(len(before), len(after) - first)
        if stop - start < _LEAST_SHARE * min(len(before), len(after)):
            continue
        one, other = before[start:stop], after[start + first : stop + first]
        if not np.allclose(one, other, rtol=0.0, atol=_SAME_M, equal_nan=True):
            continue
        shifts = new_s[start + first : stop + first] - old_s[start:stop]
        if not np.isfinite(shifts).all() or np.ptp(shifts) > _SAME_S:
            continue
        held = all(old_s[start] <= at <= old_s[stop - 1] for at in instants_s)
        if held and _travel(one) >= _LEAST_TRAVEL_M:
            return float(np.median(shifts))
    return None


def _places(before: Array, after: Array) -> list[int]:
    """By how many frames the new clip may lie behind the old one, in its frames.

    Found where the fastest frame of a part of the old clip stands in the new one. Of
    several parts, because the new clip may lack one.
    """
    steps = np.abs(np.diff(before, axis=0, prepend=before[:1])).max(axis=1)
    places = []
    for part in np.array_split(np.arange(len(before)), _PARTS):
        if len(part):
            fastest = int(part[steps[part].argmax()])
            away = np.abs(after - before[fastest]).max(axis=1)
            places += [int(at) - fastest for at in np.flatnonzero(away <= _SAME_M)]
    return list(dict.fromkeys(places))


def _travel(points: Array) -> float:
    """How far the coordinate that travels farthest does, in meters."""
    known = points[:, np.isfinite(points).all(axis=0)]
    return float(np.ptp(known, axis=0).max()) if known.size else 0.0
