"""How a hitter stands at first move, foot down and contact: stills and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from athletes.analysis.event_rules import event_rule, event_time
from athletes.analysis.metric_reading import reading_of
from athletes.frames.curves import Curves
from athletes.models import Movement
from athletes.phrases import EVENTS
from biomechanics.definitions import SERIES, MetricDefinition, SeriesDefinition
from biomechanics.units import MS_PER_S
from dashboard import stills
from dashboard.selectors.aligned_curves import event_label, zero_label
from dashboard.selectors.posed import Posed

#: The numbers at each instant, each with its short name there. They are metrics where
#: the product has one at that instant; else they are read off the curve named.
NUMBERS: dict[str, tuple[tuple[str, str], ...]] = {
    "first_move": (
        ("pelvis_rotation", "Pelvis rotation"),
        ("torso_rotation", "Torso rotation"),
        ("x_factor", "Separation"),
        ("lead_knee_flexion", "Lead knee bend"),
        ("side_bend", "Side bend"),
    ),
    "foot_down": (
        ("pelvis_rot_fd", "Pelvis rotation"),
        ("torso_rot_fd", "Torso rotation"),
        ("x_factor_fd", "Separation"),
        ("lead_knee_flex_fd", "Lead knee bend"),
        ("stride_spread_pct", "Stride width"),
    ),
    "reference": (
        ("pelvis_rot_ref", "Pelvis rotation"),
        ("torso_rot_ref", "Torso rotation"),
        ("x_factor_ref", "Separation"),
        ("lead_knee_flex_ref", "Lead knee bend"),
        ("side_bend_ref", "Side bend"),
    ),
}
#: The curves that numbers are read off.
CURVES_READ = tuple(
    dict.fromkeys(key for own in NUMBERS.values() for key, _ in own if key in SERIES)
)
# The same quantity at other instants: where all of these fail a check, or are missing
# for a reason, what is read off the curve is no better.
_ALIKE: dict[str, tuple[str, ...]] = {
    "pelvis_rotation": ("pelvis_rot_fd", "pelvis_rot_ref"),
    "torso_rotation": ("torso_rot_fd", "torso_rot_ref"),
    "x_factor": ("x_factor_fd", "x_factor_ref"),
    "lead_knee_flexion": ("lead_knee_flex_fd", "lead_knee_flex_ref"),
    "side_bend": ("side_bend_ref", "side_bend_max"),
}

# Colors of the figure's parts; a part that is not here has its own.
_PARTS = {"rear_arm": "body"}


@dataclass(frozen=True)
class PositionNumber:
    """One number at an instant, as `{% reading %}` prints it; or why there is none."""

    label: str
    definition: MetricDefinition | SeriesDefinition
    value: float | str | None
    reason: str = ""
    flagged: bool = False
    sd_shown: None = None

    @property
    def metric(self) -> str:
        """The id of the metric; empty for what is read off a curve."""
        is_metric = isinstance(self.definition, MetricDefinition)
        return self.definition.id if is_metric else ""


@dataclass(frozen=True, eq=False)
class BodyPosition:
    """The hitter at one event; without a `still`, `missing` says why."""

    event: str
    label: str
    when: str
    still: stills.Still | None
    name: str
    missing: str
    numbers: tuple[PositionNumber, ...]


def body_positions(
    movement: Movement,
    curves: Curves | None,
    posed: Posed | None,
    *,
    who: str,
    no_figure: str,
    view: stills.View | None = None,
) -> tuple[BodyPosition, ...]:
    """The positions in the order in which they happen; no query.

    None where the movement has none of the events, as a walk-through has.
    `who` begins the accessible name of each still, `no_figure` is why there are no
    points where `posed` is None. Without a `view`, one that holds all three is taken.
    """
    if all(event_time(movement.events, name) is None for name in NUMBERS):
        return ()
    view = view or view_of_swings([(movement, posed)])
    return tuple(
        _position(movement, name, curves, posed, view, who, no_figure)
        for name in _in_order(movement)
    )


def view_of_swings(swings: Sequence[tuple[Movement, Posed | None]]) -> stills.View:
    """The view that holds all positions of these swings: they have one scale then."""
    return stills.view_of(
        (points, posed.side)
        for movement, posed in swings
        if posed is not None
        for name in NUMBERS
        if (at := event_time(movement.events, name)) is not None
        and (points := posed.at(at)) is not None
    )


def _in_order(movement: Movement) -> list[str]:
    """The events by their time; those that were not found keep their usual place."""
    names = list(NUMBERS)
    times = {name: event_time(movement.events, name) for name in names}
    known = iter(
        sorted(
            (name for name in names if times[name] is not None),
            key=lambda name: times[name] or 0.0,
        )
    )
    return [name if times[name] is None else next(known) for name in names]


def _position(
    movement: Movement,
    name: str,
    curves: Curves | None,
    posed: Posed | None,
    view: stills.View,
    who: str,
    no_figure: str,
) -> BodyPosition:
    """The hitter at one event."""
    at = event_time(movement.events, name)
    label = EVENTS[name][0]
    if name == "reference":
        label = event_label(name, event_rule(movement, name))
    if at is None:
        reason = (movement.events.get(name) or {}).get("reason")
        missing = str(reason or f"{label} was not found in this swing.")
        still = None
    elif posed is None:
        missing, still = no_figure, None
    elif (points := posed.at(at)) is None:
        missing, still = "The clip has no frames at this event.", None
    else:
        missing = ""
        still = stills.draw(points, _figure(posed), view)
    when = _when(movement, name, at)
    words = ", ".join(filter(None, (f"{who} at {label.lower()}", when)))
    return BodyPosition(
        event=name,
        label=label,
        when=when,
        still=still,
        name=f"{words}, seen from the open side",
        missing=missing,
        numbers=tuple(
            _number(movement, curves, key, short, at) for key, short in NUMBERS[name]
        ),
    )


def _when(movement: Movement, name: str, at: float | None) -> str:
    """When it is, in words: `229 ms before contact`; empty for contact itself."""
    zero = event_time(movement.events, "reference")
    if at is None or zero is None or name == "reference":
        return ""
    ms = round((zero - at) * MS_PER_S)
    words = zero_label(event_rule(movement, "reference"), "reference")
    return f"{abs(ms)} ms {'before' if ms >= 0 else 'after'} {words}"


def _figure(posed: Posed) -> stills.Figure:
    """What of a hitter's points is which, as stills are drawn from."""
    places = {name: place for place, name in enumerate(posed.names)}
    return stills.Figure(
        bones=tuple(
            (places[a], places[b], _PARTS.get(part, part)) for a, b, part in posed.bones
        ),
        side=posed.side,
        head=places.get("head"),
        chest=posed.chest,
        front_foot=posed.front_foot,
    )


def _number(
    movement: Movement, curves: Curves | None, key: str, label: str, at: float | None
) -> PositionNumber:
    """One number: the stored metric, or the curve's value at the time."""
    if key not in SERIES:
        found = reading_of(key, movement.metrics)
        return PositionNumber(
            label, found.definition, found.value, found.reason, found.flagged
        )
    definition = SERIES[key]
    alike = [reading_of(name, movement.metrics) for name in _ALIKE[key]]
    if at is None:
        return PositionNumber(label, definition, None, "First move was not found.")
    if all(one.is_missing for one in alike):
        return PositionNumber(label, definition, None, alike[0].reason)
    values = None if curves is None else curves.values.get(key)
    if curves is None or values is None:
        return PositionNumber(label, definition, None, "This swing has no such curve.")
    value = float(np.interp(at, curves.time_s, values, left=np.nan, right=np.nan))
    if not math.isfinite(value):
        return PositionNumber(label, definition, None, "The curve has a gap here.")
    entry = movement.events.get("first_move") or {}
    if entry.get("confidence") == "low":
        reason = str(entry.get("reason") or "a check failed")
        return PositionNumber(
            label, definition, value, f"First move is uncertain: {reason}", flagged=True
        )
    if all(one.flagged for one in alike):
        return PositionNumber(label, definition, value, alike[-1].reason, flagged=True)
    return PositionNumber(label, definition, value)
