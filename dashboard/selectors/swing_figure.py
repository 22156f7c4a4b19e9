"""The stick figure of one swing, and the paths of hands and bat."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from athletes import display
from athletes.analysis.event_rules import event_time
from athletes.frames import load
from athletes.frames.format import FramesError
from athletes.models import DataType, Movement
from athletes.phrases import EVENTS
from biomechanics import skeleton
from dashboard import charts
from dashboard.selectors.swing_page import CLIP_START, reference_of

logger = logging.getLogger(__name__)

# The figure's points are most of the page's bytes, so it shows the swing alone.
FIGURE_BEFORE_S, FIGURE_AFTER_S = 1.0, 0.35
# It needs no more frames a second than this to look smooth at quarter speed.
FIGURE_RATE_HZ = 240.0


@dataclass(frozen=True)
class SeriesRow:
    """One curve in the table behind a chart."""

    name: str
    part: str
    letter: str
    unit: str
    decimals: int
    peak: float | None
    peak_at: float | None
    at: tuple[float | None, ...]


@dataclass(frozen=True, eq=False)
class SwingChart:
    """One chart with the table behind it."""

    figure: charts.Json | None
    title: str
    empty: str
    table: tuple[SeriesRow, ...] = ()
    columns: tuple[str, ...] = ()
    # The unit of the time axis, in which the table says when a curve is largest.
    x_unit: str = "ms"

    @property
    def has_peaks(self) -> bool:
        """Whether the table has largest values; the path of a hand has none."""
        return any(row.peak is not None for row in self.table)


_POINT_COLUMNS = tuple(
    f"{part}_{axis}"
    for part in dict.fromkeys(
        part
        for sources in skeleton.POINT_SOURCES.values()
        for names in sources
        for part in names
    )
    for axis in "xyz"
)


@dataclass(frozen=True, eq=False)
class FigurePoints:
    """The stored columns of joint centers and bat, or why there are none."""

    columns: Mapping[str, Any] | None
    problem: str = ""


UNREADABLE = (
    "The stored frames of this movement cannot be read. Staff can fetch the session "
    "again on the Syncing page."
)


def report_unreadable(movement: Movement, error: FramesError) -> None:
    """Tell the log which movement's frames cannot be read, and what helps."""
    logger.warning(
        "The stored frames of movement %s cannot be read: %s. Fetch its session again "
        "on the Syncing page.",
        movement.pk,
        error,
    )


def load_points(movement: Movement) -> FigurePoints:
    """Joint centers and bat of one movement; two queries."""
    try:
        loaded = load.load_columns(
            [movement.pk], DataType.INVERSE_KINEMATICS, ["time", *_POINT_COLUMNS]
        ).get(movement.pk)
    except FramesError as error:
        report_unreadable(movement, error)
        return FigurePoints(None, UNREADABLE)
    if not loaded or "time" not in loaded:
        return FigurePoints(None, "The frames of this movement are not here yet.")
    return FigurePoints(loaded)


@dataclass(frozen=True, eq=False)
class _Posed:
    """Positions (m) in equal time steps (s), with the directions of the file."""

    names: tuple[str, ...]
    bones: tuple[tuple[str, str, str], ...]
    points: np.ndarray[Any, Any]
    start_s: float
    dt_s: float
    up: tuple[float, float, float]
    forward: tuple[float, float, float]
    has_forward: bool


def _verdict_value(movement: Movement, name: str) -> Any:
    """One finding about the file, None where there is none."""
    finding = (movement.verdict or {}).get(name)
    return finding.get("value") if isinstance(finding, Mapping) else None


def _axes(
    movement: Movement, mirrored: bool
) -> tuple[tuple[float, float, float], tuple[float, float, float], bool]:
    """Up and forward of the file, turned with the figure when that is mirrored."""
    name = str(_verdict_value(movement, "vertical") or "+z")
    place = "xyz".find(name[-1])
    up = [0.0, 0.0, 0.0]
    up[place if place >= 0 else 2] = 1.0 if name[0] == "+" else -1.0
    told = _verdict_value(movement, "forward")
    known = isinstance(told, list) and len(told) == 3
    if known and isinstance(told, list):
        forward = [float(value) for value in told]
    else:
        forward = [0.0, 1.0, 0.0] if place != 1 else [1.0, 0.0, 0.0]
    if mirrored:
        forward[0] *= -1.0
    return (up[0], up[1], up[2]), (forward[0], forward[1], forward[2]), known


def _posed(movement: Movement, loaded: FigurePoints) -> _Posed | None:
    """The figure's points from before to after the swing, in equal time steps."""
    points = loaded.columns
    if points is None:
        return None
    mirrored = _verdict_value(movement, "mirrored") is True
    exchanged = _verdict_value(movement, "names_exchanged") is True
    side: Literal["right", "left"] = "left" if movement.side == "left" else "right"
    if mirrored != exchanged:
        # Bones are named as the file names them, and there the sides are swapped.
        side = "right" if side == "left" else "left"
    bones = skeleton.figure_bones(points, side=side)
    names = skeleton.figure_points(bones)
    clock = np.asarray(points["time"], dtype=float)
    known = np.isfinite(clock)
    if not bones or known.sum() < 2:
        return None
    order = np.flatnonzero(known)[np.argsort(clock[known], kind="stable")]
    clock = clock[order]
    steps = np.diff(clock)
    steps = steps[steps > 0]
    if len(steps) == 0:
        return None
    dt_s = float(np.median(steps))
    dt_s *= max(1, round(1.0 / dt_s / FIGURE_RATE_HZ))
    reference_s, _ = reference_of(movement.events)
    low, high = float(clock[0]), float(clock[-1])
    if reference_s is not None:
        low = max(low, reference_s - FIGURE_BEFORE_S)
        high = min(high, reference_s + FIGURE_AFTER_S)
    grid = low + dt_s * np.arange(math.floor((high - low) / dt_s + 1e-6) + 1)
    raw = skeleton.figure_positions(points, names, mirrored=mirrored)[order]
    positions = np.empty((len(grid), len(names), 3), dtype=np.float32)
    for place in range(len(names)):
        for axis in range(3):
            positions[:, place, axis] = np.interp(grid, clock, raw[:, place, axis])
    up, forward, has_forward = _axes(movement, mirrored)
    return _Posed(
        names=names,
        bones=tuple((a, b, str(part)) for a, b, part in bones),
        points=positions,
        start_s=low,
        dt_s=dt_s,
        up=up,
        forward=forward,
        has_forward=has_forward,
    )


_FIGURE_PARTS = {"rear_arm": "body"}


def figure_of(movement: Movement, points: FigurePoints) -> charts.Json | None:
    """The stick figure as its script reads it; None without points."""
    posed = _posed(movement, points)
    if posed is None:
        return None
    places = {name: place for place, name in enumerate(posed.names)}
    trails = [
        (places[name], part)
        for name, part in (("bhead", "bat"), (_lead_hand(posed), "hands"))
        if name in places
    ]
    zero_s, label = reference_of(movement.events)
    events = {
        name: (at, short)
        for name, (_, short, _) in EVENTS.items()
        if (at := event_time(movement.events, name)) is not None
        and name not in {"reference", "load"}
    }
    return charts.figure3d(
        charts.Skeleton(
            names=posed.names,
            points=posed.points,
            bones=[
                (places[a], places[b], _FIGURE_PARTS.get(part, part))
                for a, b, part in posed.bones
            ],
            start_s=posed.start_s,
            dt_s=posed.dt_s,
            head=places.get("head"),
            trails=trails,
            up=posed.up,
            forward=posed.forward,
            side=_drawn_side(movement),
        ),
        events=events,
        zero_s=posed.start_s if zero_s is None else zero_s,
        reference_label=label or CLIP_START,
    )


def _lead_hand(posed: _Posed) -> str:
    """The lead hand's point, or the wrist where no hand was delivered."""
    lead = {a[0] for a, _, part in posed.bones if part == "lead_arm"}
    letter = lead.pop() if lead else "l"
    hand = f"{letter}hand"
    return hand if hand in posed.names else f"{letter}wjc"


def _drawn_side(movement: Movement) -> str:
    """The side that the drawn motion is from; in a mirrored file it is exchanged."""
    is_left = movement.side == "left"
    is_mirrored = _verdict_value(movement, "mirrored") is True
    return "left" if is_left != is_mirrored else "right"


def no_figure(points: FigurePoints) -> str:
    """Why there is no figure, in words."""
    return points.problem or "The file holds too few joint centres to draw a figure."


def path_chart(
    movement: Movement,
    points: FigurePoints,
    *,
    title: str,
    empty: str,
    system: str,
) -> SwingChart:
    """Height against way to the pitcher, of the lead hand and the bat's tip."""
    posed = _posed(movement, points)
    first_move = event_time(movement.events, "first_move")
    reference_s, _ = reference_of(movement.events)
    if posed is None or not posed.has_forward or reference_s is None:
        return SwingChart(None, title, empty)
    low = first_move if first_move is not None else reference_s - 0.3
    times = posed.start_s + posed.dt_s * np.arange(len(posed.points))
    window = (times >= low) & (times <= reference_s + 0.1)
    unit = display.unit_label("m", system)
    factor = display.unit_factor("m", system)
    traces: list[charts.Json] = []
    legend = []
    rows = []
    origin: float | None = None
    for name, part, words in (
        (_lead_hand(posed), "hands", "Lead hand"),
        ("bhead", "bat", "Bat tip"),
    ):
        if name not in posed.names:
            continue
        place = posed.names.index(name)
        track = posed.points[window, place].astype(float)
        along = track @ np.asarray(posed.forward)
        height = track @ np.asarray(posed.up)
        if not (np.isfinite(along) & np.isfinite(height)).any():
            continue
        if origin is None:
            origin = float(along[np.isfinite(along)][0])
        traces.append(
            {
                "key": name,
                "part": part,
                "name": words,
                "unit": unit,
                "x": charts.typed((along - origin) * factor),
                "y": charts.typed(height * factor),
            }
        )
        legend.append(charts.LegendItem(name, words, part).to_json())
        rows.append(_path_row(words, part, along - origin, height))
    if not traces:
        return SwingChart(None, title, empty)
    figure: charts.Json = {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": f"Towards the pitcher ({unit})"}},
            "yaxis": {
                "title": {"text": f"Height ({unit})"},
                "scaleanchor": "x",
            },
        },
        "events": [],
        "legend": legend if len(legend) > 1 else [],
        "meta": {"x_unit": unit, "y_unit": unit},
    }
    return SwingChart(figure, title, "", tuple(rows), ("Lowest", "Highest", "Way"))


def _path_row(
    name: str, part: str, along: np.ndarray[Any, Any], height: np.ndarray[Any, Any]
) -> SeriesRow:
    """The track's lowest and highest point and its length, in meters."""
    known = np.isfinite(along) & np.isfinite(height)
    steps = np.hypot(np.diff(along[known]), np.diff(height[known]))
    return SeriesRow(
        name=name,
        part=part,
        letter="",
        unit="m",
        decimals=2,
        peak=None,
        peak_at=None,
        at=(
            float(height[known].min()),
            float(height[known].max()),
            float(steps.sum()),
        ),
    )
