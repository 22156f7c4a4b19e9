"""Points of the body and of the bat, by the names that files give them.

A point that is not in the file is NaN throughout; see `motion.Motion.absent`.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biomechanics.analysis_types import FloatArray

Columns = Mapping[str, npt.NDArray[np.floating]]

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

DELIVERED_POINTS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *(
                name
                for choice in SOURCES.values()
                for names in choice
                for name in names
            ),
            *KNOB_NAMES,
            *TIP_NAMES,
            *SWEET_SPOT_NAMES,
        )
    )
)
"""Every point that the analysis looks for, by the name that a file gives it."""

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


def other_side(point: str) -> str:
    """Return the same point of the other side, e.g. ``rhjc`` for ``lhjc``."""
    if point == "head":
        return point
    return ("r" if point[0] == "l" else "l") + point[1:]


def has_point(columns: Columns, name: str) -> bool:
    """Return whether all three coordinates of a point were delivered."""
    return all(f"{name}_{axis}" in columns for axis in "xyz")


def has_values(columns: Columns, name: str) -> bool:
    """Return whether a point was delivered and has a value in some frame."""
    if not has_point(columns, name):
        return False
    values = columns[f"{name}_x"]
    # The first frame mostly tells.
    return len(values) > 0 and (
        math.isfinite(values[0]) or bool(np.isfinite(values).any())
    )


def first_points(names: Collection[str]) -> tuple[str, ...]:
    """Return the delivered points to read first: enough as long as they have values.

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
        return PLACES[other_side(name) if self.exchanged else name]


@dataclass(frozen=True, slots=True, eq=False)
class BatPoints:
    """The bat's delivered points on the uniform clock, gaps filled, not filtered.

    Attributes
    ----------
    knob : ndarray, shape (n, 3)
    tip : ndarray or None
        ``None`` when only the sweet spot was tracked.
    sweet_spot : ndarray or None
    unknown : ndarray of bool, shape (n,)
        Long gaps.
    names : tuple of str
    missing : ndarray of bool, shape (n,), or None
        Frames without a delivered value, filled or not; ``None``: those of `unknown`.
    """

    knob: FloatArray
    tip: FloatArray | None
    sweet_spot: FloatArray | None
    unknown: npt.NDArray[np.bool_]
    names: tuple[str, ...]
    missing: npt.NDArray[np.bool_] | None = None

    @property
    def end(self) -> FloatArray:
        """The point that with the knob makes the bat's line."""
        if self.tip is not None:
            return self.tip
        if self.sweet_spot is None:
            raise ValueError("The bat needs a tip or a sweet spot; neither was given.")
        return self.sweet_spot
