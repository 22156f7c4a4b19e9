"""Build the stick figure: which points make which bones, and where they are."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from biomechanics import axes
from biomechanics.analysis_types import Side
from biomechanics.points import SOURCES, Columns, has_point, raw_point

FigurePart = Literal["pelvis", "torso", "lead_arm", "rear_arm", "legs", "head", "bat"]

# What stands for a figure point, best first; several delivered points are averaged.
# The bat is drawn from any two of its points, where the analysis needs certain ones.
POINT_SOURCES: dict[str, tuple[tuple[str, ...], ...]] = SOURCES | {
    "lheel": (("lheel",),),
    "rheel": (("rheel",),),
    "lbtoe": (("lbtoe",),),
    "rbtoe": (("rbtoe",),),
    "neck": (("neck",), ("lsjc", "rsjc")),
    "midhip": (("midhip",), ("lhjc", "rhjc")),
    "bhandle": (("bhandle",), ("bat_handle",), ("blast_hand",)),
    "bhead": (("bhead",), ("bat_head",), ("sweet_spot",)),
}

_Role = Literal["pelvis", "torso", "left_arm", "right_arm", "legs", "head", "bat"]
BONES: tuple[tuple[str, str, _Role], ...] = (
    ("lhjc", "rhjc", "pelvis"),
    ("lsjc", "rsjc", "torso"),
    ("midhip", "neck", "torso"),
    ("neck", "head", "head"),
    ("lsjc", "lejc", "left_arm"),
    ("lejc", "lwjc", "left_arm"),
    ("lwjc", "lhand", "left_arm"),
    ("rsjc", "rejc", "right_arm"),
    ("rejc", "rwjc", "right_arm"),
    ("rwjc", "rhand", "right_arm"),
    ("lhjc", "lkjc", "legs"),
    ("lkjc", "lajc", "legs"),
    ("lajc", "lheel", "legs"),
    ("lajc", "lbtoe", "legs"),
    ("lheel", "lbtoe", "legs"),
    ("rhjc", "rkjc", "legs"),
    ("rkjc", "rajc", "legs"),
    ("rajc", "rheel", "legs"),
    ("rajc", "rbtoe", "legs"),
    ("rheel", "rbtoe", "legs"),
    ("bhandle", "bhead", "bat"),
)
# Where a joint between is not in the file, the limb is drawn straight across it.
SHORTCUTS: tuple[tuple[str, str, str], ...] = (
    ("lsjc", "lejc", "lwjc"),
    ("rsjc", "rejc", "rwjc"),
    ("lhjc", "lkjc", "lajc"),
    ("rhjc", "rkjc", "rajc"),
)


def _source(columns: Columns, name: str) -> tuple[str, ...] | None:
    """Return the delivered points that stand for a figure point, best choice first."""
    for names in POINT_SOURCES[name]:
        if all(
            has_point(columns, part) and bool(np.isfinite(columns[f"{part}_x"]).any())
            for part in names
        ):
            return names
    return None


def figure_bones(
    columns: Columns, *, side: Side | None
) -> list[tuple[str, str, FigurePart]]:
    """Return the bones that can be drawn from the file's points.

    Parameters
    ----------
    columns : mapping of str to ndarray
    side : {'right', 'left'} or None
        Side of the *motion in the file* (the finding ``mirrored`` names a mirrored
        file); ``None`` is drawn as right-handed.

    Returns
    -------
    list of (str, str, str)
        Both ends and the part, by which colors go.
    """
    left: FigurePart = "rear_arm" if side == "left" else "lead_arm"
    right: FigurePart = "lead_arm" if side == "left" else "rear_arm"
    parts: dict[str, FigurePart] = {"left_arm": left, "right_arm": right}
    there = {name for name in POINT_SOURCES if _source(columns, name) is not None}
    bones: list[tuple[str, str, FigurePart]] = []
    for a, b, role in BONES:
        part: FigurePart = parts.get(role, role)  # type: ignore[arg-type]
        if a in there and b in there:
            bones.append((a, b, part))
    for upper, middle, lower in SHORTCUTS:
        if middle not in there and upper in there and lower in there:
            arm = parts["left_arm" if upper[0] == "l" else "right_arm"]
            bones.append((upper, lower, arm if middle.endswith("ejc") else "legs"))
    return bones


def figure_points(bones: Sequence[tuple[str, str, FigurePart]]) -> tuple[str, ...]:
    """Return the points that `bones` use, each once, in order of first use."""
    return tuple(dict.fromkeys(name for a, b, _ in bones for name in (a, b)))


def length_scale(columns: Columns) -> float | None:
    """Return the factor from the file's unit to meters, ``None`` if unknown."""

    def distance(a: str, b: str) -> float | None:
        if not (has_point(columns, a) and has_point(columns, b)):
            return None
        size = axes.length(raw_point(columns, a) - raw_point(columns, b))
        size = size[np.isfinite(size)]
        return float(np.median(size)) if size.size else None

    arms = [
        size
        for size in (distance("lsjc", "lejc"), distance("rsjc", "rejc"))
        if size is not None
    ]
    return axes.find_scale(
        upper_arm=sum(arms) / len(arms) if arms else None,
        hips=distance("lhjc", "rhjc"),
    )[0]


def figure_positions(
    columns: Mapping[str, npt.NDArray[np.floating]],
    names: Sequence[str],
    *,
    scale: float | None = None,
    mirrored: bool = False,
) -> npt.NDArray[np.float32]:
    """Return where the points of the figure are in each frame.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n_frames,)
    names : sequence of str
        Keys of `POINT_SOURCES`, e.g. from `figure_points`.
    scale : float, optional
        Factor to meters; found from the file when not given, 1 when it cannot be.
    mirrored : bool
        Negate x, to lay a left-handed hitter over a right-handed one.

    Returns
    -------
    ndarray of float32, shape (n_frames, n_points, 3)
        Meters; NaN where a point is missing.

    Raises
    ------
    ValueError
        A name that is no figure point.
    """
    unknown = [name for name in names if name not in POINT_SOURCES]
    if unknown:
        raise ValueError(
            f"The figure has no points {unknown}; POINT_SOURCES lists those it has."
        )
    if scale is None:
        scale = length_scale(columns) or 1.0
    count = len(next(iter(columns.values()))) if columns else 0
    answer = np.full((count, len(names), 3), np.nan, dtype=np.float32)
    for place, name in enumerate(names):
        parts = _source(columns, name)
        if parts is not None:
            mean = sum(raw_point(columns, part) for part in parts) / len(parts)
            answer[:, place] = mean * scale
    if mirrored:
        answer[:, :, 0] *= -1.0
    return answer
