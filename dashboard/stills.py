"""A hitter at one instant as a picture of lines, seen from the open side.

Only what is drawn: `templates/components/still.html` writes it as SVG, and style sheets
give colors. Lengths go in in meters and come out in the picture's unit, centimeters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_CM = 100.0
_HEAD_RADIUS_M = 0.105
# The mark on the chest: from where to where it stands ahead, and half its width.
_CHEST_FROM_M, _CHEST_TO_M, _CHEST_HALF_M = 0.06, 0.32, 0.05
_FOOT_RING_M, _FOOT_RING_FLAT = 0.17, 0.2
# Around what is drawn, and below the ground.
_MARGIN_M, _BELOW_M = 0.12, 0.1
# A rim behind each line keeps crossing limbs apart; it ends short of the joints.
_RIM = 0.14
# Lower than this the lowest point is taken for the ground, else zero is.
_FLOOR_FAR_M = 0.2


@dataclass(frozen=True)
class Figure:
    """What of the points is which: `chest` names lead and rear shoulder, hips, neck."""

    bones: Sequence[tuple[int, int, str]]
    side: str
    head: int | None = None
    chest: Sequence[int | None] = (None, None, None, None)
    front_foot: Sequence[int] = ()


@dataclass(frozen=True)
class View:
    """The part of the plane that is drawn: meters along the way to the pitcher, height.

    `low` and `high` are the ends along the plane as it is seen, from left to right.
    """

    low: float
    high: float
    top: float
    floor: float

    @property
    def width(self) -> float:
        """The picture's width."""
        return round((self.high - self.low) * _CM, 1)

    @property
    def height(self) -> float:
        """The picture's height."""
        return round((self.top - self.floor + _BELOW_M) * _CM, 1)

    def place(self, along: float, height: float) -> tuple[float, float]:
        """Where a place is in the picture: from the left, and from the top."""
        return (
            round((along - self.low) * _CM, 1),
            round((self.top - height) * _CM, 1),
        )


@dataclass(frozen=True)
class Stroke:
    """One bone with its rim, and the part of the body that gives its color."""

    x1: float
    y1: float
    x2: float
    y2: float
    part: str

    @property
    def rim(self) -> tuple[float, float, float, float]:
        """Both ends of the rim."""
        dx, dy = _RIM * (self.x2 - self.x1), _RIM * (self.y2 - self.y1)
        ends = (self.x1 + dx, self.y1 + dy, self.x2 - dx, self.y2 - dy)
        return tuple(round(end, 1) for end in ends)  # type: ignore[return-value]


@dataclass(frozen=True)
class Still:
    """One picture; its strokes stand in the order of drawing, what is far first."""

    view: View
    strokes: tuple[Stroke, ...]
    head: tuple[float, float, float] | None
    chest: str
    front: tuple[float, float, float, float] | None

    @property
    def ground(self) -> float:
        """How far below the top the ground is."""
        return self.view.place(0.0, self.view.floor)[1]


def seen(points: Array, side: str) -> Array:
    """Points as they are seen from the open side: along, height, nearness, in meters.

    `points` has shape (n_points, 3): x to the pitcher, y to the left, z up. One looks
    at the chest, so the pitcher is to the right of a right-hander and to the left of a
    left-hander.
    """
    sign = -1.0 if side == "left" else 1.0
    x, y, z = np.asarray(points, dtype=float).T
    return np.stack([sign * x, z, -sign * y], axis=1)


def view_of(poses: Iterable[tuple[Array, str]]) -> View:
    """The view that holds all of the poses, each with the side it bats from.

    Each is moved so that it stands in the middle; so the view is as wide as the widest.
    """
    half, tops, floors = 0.3, [1.0], []
    for points, side in poses:
        flat = seen(points, side)
        flat = flat[np.isfinite(flat).all(axis=1)]
        if not len(flat):
            continue
        half = max(half, float(np.ptp(flat[:, 0])) / 2)
        tops.append(float(flat[:, 1].max()))
        floors.append(float(flat[:, 1].min()))
    low = min(floors, default=0.0)
    floor = low if abs(low) >= _FLOOR_FAR_M else 0.0
    half += _MARGIN_M
    return View(-half, half, max(tops) + _MARGIN_M, floor)


def draw(points: Array, figure: Figure, view: View) -> Still:
    """The picture of one pose, its middle in the middle of the view.

    Kept in the memory of the process under all that it is made of.
    """
    points = np.ascontiguousarray(points)
    return _drawn(
        (points.tobytes(), points.dtype.str, points.shape),
        tuple(map(tuple, figure.bones)),
        figure.side,
        figure.head,
        tuple(figure.chest),
        tuple(figure.front_foot),
        view,
    )


@lru_cache(maxsize=256)
def _drawn(
    pose: tuple[bytes, str, tuple[int, ...]],
    bones: tuple[tuple[int, int, str], ...],
    side: str,
    head: int | None,
    chest: tuple[int | None, ...],
    front_foot: tuple[int, ...],
    view: View,
) -> Still:
    """The picture of a pose: its bytes, their type, its shape."""
    raw, kind, shape = pose
    points = np.frombuffer(raw, dtype=kind).reshape(shape)
    return _draw(points, Figure(bones, side, head, chest, front_foot), view)


def _draw(points: Array, figure: Figure, view: View) -> Still:
    flat = seen(points, figure.side)
    known: Array = np.asarray(np.isfinite(flat).all(axis=1))
    middle = 0.0
    if known.any():
        along = flat[known, 0]
        middle = float(along.min() + along.max()) / 2
    flat[:, 0] -= middle
    bones = [(a, b, part) for a, b, part in figure.bones if known[a] and known[b]]
    bones.sort(key=lambda bone: flat[bone[0], 2] + flat[bone[1], 2])
    head = None
    if figure.head is not None and known[figure.head]:
        x, y = view.place(*flat[figure.head, :2])
        head = (x, y, round(_HEAD_RADIUS_M * _CM, 1))
    return Still(
        view=view,
        strokes=tuple(
            Stroke(*view.place(*flat[a, :2]), *view.place(*flat[b, :2]), part)
            for a, b, part in bones
        ),
        head=head,
        chest=_chest(points, flat, figure, view),
        front=_front(flat, known, figure, view),
    )


def facing(points: Array, figure: Figure) -> Array | None:
    """Which way the chest looks, of length one; None where that is not known."""
    if any(place is None for place in figure.chest):
        return None
    lead, rear, hips, neck = (
        np.asarray(points[place], dtype=float)
        for place in figure.chest
        if place is not None
    )
    across = np.cross(lead - rear, neck - hips)
    if figure.side == "left":
        across = -across
    size = float(np.linalg.norm(across))
    return across / size if math.isfinite(size) and size > 0 else None


def _chest(points: Array, flat: Array, figure: Figure, view: View) -> str:
    """The mark on the chest as a path: an arrowhead, flat where it looks at us."""
    ahead = facing(points, figure)
    if ahead is None:
        return ""
    lead, rear, hips, _ = (place or 0 for place in figure.chest)
    base = 0.35 * (flat[lead] + flat[rear]) + 0.3 * flat[hips]
    along, up = seen(ahead[None], figure.side)[0, :2]
    length = math.hypot(along, up)
    if length < _CHEST_HALF_M / _CHEST_TO_M:
        return ""
    root = base[:2] + _CHEST_FROM_M * np.array([along, up])
    tip = base[:2] + _CHEST_TO_M * np.array([along, up])
    across = _CHEST_HALF_M / length * np.array([-up, along])
    corners = [view.place(*place) for place in (tip, root + across, root - across)]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in corners) + "Z"


def _front(
    flat: Array, known: Array, figure: Figure, view: View
) -> tuple[float, float, float, float] | None:
    """The ring around the front foot: its middle, and both radii."""
    there = [place for place in figure.front_foot if known[place]]
    if not there:
        return None
    x, y = view.place(float(flat[there, 0].mean()), view.floor)
    reach = _FOOT_RING_M * _CM
    return x, y, round(reach, 1), round(reach * _FOOT_RING_FLAT, 1)
