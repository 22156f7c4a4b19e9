"""The stick figure of one swing, and the paths of hands and bat."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from athletes import display
from athletes.analysis.event_rules import event_rule, event_time
from athletes.frames import load
from athletes.frames.format import FramesError
from athletes.frames.unpacking import FrameParts
from athletes.models import DataType, Movement
from athletes.phrases import EVENTS
from biomechanics import skeleton
from biomechanics.units import MS_PER_S
from dashboard import charts
from dashboard.selectors.aligned_curves import Alignment, event_label, zero_label
from dashboard.selectors.posed import Posed, pose
from dashboard.selectors.swing_page import CLIP_START, reference_of

logger = logging.getLogger(__name__)


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
_FIGURE_COLUMNS = ("time", *_POINT_COLUMNS)


@dataclass(frozen=True, eq=False)
class FigurePoints:
    """The stored columns of joint centers and bat, or why there are none."""

    columns: Mapping[str, Any] | None
    problem: str = ""


UNREADABLE = (
    "The stored frames of this movement can't be read. Staff can download the session "
    "again on the Syncing page."
)


def report_unreadable(movement: Movement, error: FramesError) -> None:
    """Tell the log which movement's frames cannot be read, and what helps."""
    logger.warning(
        "The stored frames of movement %s cannot be read: %s. Download its session "
        "again on the Syncing page.",
        movement.pk,
        error,
    )


def load_points(movement: Movement) -> FigurePoints:
    """Joint centers and bat of one movement; two queries."""
    return load_points_of([movement])[movement.pk]


def load_points_of(movements: Sequence[Movement]) -> dict[int, FigurePoints]:
    """Joint centers and bat of several movements, by movement id; two queries.

    Two more for each where one of them is damaged: the others are drawn all the same.
    """
    try:
        parts = load.load_parts(
            [movement.pk for movement in movements],
            DataType.INVERSE_KINEMATICS,
            _FIGURE_COLUMNS,
        )
        return {movement.pk: _columns(parts.get(movement.pk)) for movement in movements}
    except FramesError as error:
        if len(movements) > 1:
            return {
                pk: points
                for movement in movements
                for pk, points in load_points_of([movement]).items()
            }
        report_unreadable(movements[0], error)
        return {movements[0].pk: FigurePoints(None, UNREADABLE)}


def _columns(parts: FrameParts | None) -> FigurePoints:
    """The columns of one movement, or that there are none."""
    loaded = None if parts is None else parts.columns(_FIGURE_COLUMNS)
    if not loaded or "time" not in loaded:
        return FigurePoints(None, "This movement's frames haven't arrived yet.")
    return FigurePoints(loaded)


ON_CONTACT = Alignment("reference")

#: Where the figure starts: the first of these that the swing has.
STARTS_AT = ("load", "first_move")

_FIGURE_PARTS = {"rear_arm": "body"}


def figure_events(movement: Movement) -> dict[str, tuple[float, str]]:
    """The events that the figure stops at, with time (s) and name, as they happen."""
    found: dict[str, tuple[float, str]] = {}
    for name in ("load", "first_move", "foot_down", "peak_hand_speed", "reference"):
        at = event_time(movement.events, name)
        if at is None:
            continue
        label = EVENTS[name][0]
        if name == "reference":
            rule = event_rule(movement, name)
            label = event_label(name, rule)
            if rule == "hand_peak":
                # The hands at their fastest are the reference: one event, once.
                found.pop("peak_hand_speed", None)
        found[name] = (at, label)
    return dict(sorted(found.items(), key=lambda item: item[1][0]))


def figure_json(
    movement: Movement, posed: Posed, alignment: Alignment = ON_CONTACT
) -> charts.Json:
    """The stick figure of a hitter, as its script reads it.

    `alignment` says from where its clock counts, like the charts beside it; without
    that event from contact, and without that from the first frame.
    """
    places = {name: place for place, name in enumerate(posed.names)}
    trails = [
        (places[name], part)
        for name, part in (("bhead", "bat"), (posed.lead_hand, "hands"))
        if name in places
    ]
    if alignment.clock(movement.events) is None:
        alignment = ON_CONTACT
    clock = alignment.clock(movement.events)
    zero_s, per_s = clock or (posed.start_s, MS_PER_S)
    zero = zero_label(event_rule(movement, alignment.event), alignment.event)
    events = figure_events(movement)
    x, y, by = posed.plate_at(event_time(movement.events, "reference"))
    first = next((name for name in STARTS_AT if name in events), None)
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
            side=posed.side,
            chest=posed.chest,
            front_foot=posed.front_foot,
            plate=(x, y),
            plate_by=by,
            has_forward=posed.has_forward,
        ),
        events=events,
        first_s=posed.start_s if first is None else events[first][0],
        notes={
            "start": "Starts at "
            f"{CLIP_START if first is None else EVENTS[first][0].lower()}.",
            "plate": _plate_note(movement, posed, by),
        },
        zero_s=zero_s,
        unit="ms" if clock is None else alignment.unit,
        per_s=per_s,
        reference_label=CLIP_START
        if clock is None
        else "first move"
        if alignment.is_percent
        else zero,
    )


def _plate_note(movement: Movement, posed: Posed, by: str) -> str:
    """Where the plate is drawn, and that no file says it."""
    if not posed.has_forward:
        return "The file doesn't say where the pitcher is, so no plate is drawn."
    where = "beside the feet"
    if by == "bat":
        rule = event_rule(movement, "reference")
        where = f"under the barrel at {event_label('reference', rule).lower()}"
    return f"The file doesn't say where the plate is: it is drawn {where}."


def no_figure(points: FigurePoints) -> str:
    """Why there is no figure, in words."""
    return points.problem or "The file has too few joint centers to draw a figure."


def path_chart(
    movement: Movement,
    points: FigurePoints,
    *,
    title: str,
    empty: str,
    system: str,
) -> SwingChart:
    """Height against way to the pitcher, of the lead hand and the bat's tip."""
    posed = pose(movement, points.columns)
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
        (posed.lead_hand, "hands", "Lead hand"),
        ("bhead", "bat", "Bat tip"),
    ):
        if name not in posed.names:
            continue
        place = posed.names.index(name)
        track = posed.points[window, place].astype(float)
        along, height = track[:, 0], track[:, 2]
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
            "xaxis": {"title": {"text": f"Toward the pitcher ({unit})"}},
            "yaxis": {
                "title": {"text": f"Height ({unit})"},
                "scaleanchor": "x",
            },
        },
        "events": [],
        "legend": legend if len(legend) > 1 else [],
        "meta": {"x_unit": unit, "y_unit": unit},
    }
    return SwingChart(
        figure, title, "", tuple(rows), ("Lowest", "Highest", "Path length")
    )


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
