"""Curves of several swings laid over each other on one event.

The charts of a session, of a comparison and of a sheet choose their curves here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from athletes.analysis.event_rules import event_time
from athletes.frames.curves import Curves
from athletes.phrases import EVENTS, rule_name
from biomechanics import curves as curve_tools
from biomechanics.definitions import SERIES, SeriesDefinition
from biomechanics.session_statistics import average
from biomechanics.units import MS_PER_S
from dashboard import charts

DEFAULT_SERIES = "torso_omega"

#: Alignment on first move and contact at once: time in percent of the swing.
PERCENT = "percent"


@dataclass(frozen=True)
class Alignment:
    """What an axis has at zero: an event, or first move as 0 % and contact as 100 %.

    `name` is the one of an event of the swing (contact is its `reference`), or
    `PERCENT`.
    """

    name: str

    @property
    def is_percent(self) -> bool:
        """Whether the axis is percent of the swing."""
        return self.name == PERCENT

    @property
    def event(self) -> str:
        """The event at zero, or the one at 100 percent."""
        return "reference" if self.is_percent else self.name

    @property
    def unit(self) -> str:
        """The unit of the axis: `ms` or `%`."""
        return "%" if self.is_percent else "ms"

    def clock(self, events: Mapping[str, Any]) -> tuple[float, float] | None:
        """When zero is (s on the clock of the file) and units of the axis in a second.

        None where an event that the axis needs was not found, or where percent would
        be of too short a time (`curves.LEAST_SWING_S`).
        """
        at = event_time(events, self.event)
        if not self.is_percent:
            return None if at is None else (at, MS_PER_S)
        first_move = event_time(events, "first_move")
        if at is None or first_move is None:
            return None
        if at - first_move < curve_tools.LEAST_SWING_S:
            return None
        return first_move, 100.0 / (at - first_move)

    def place(self, events: Mapping[str, Any], name: str) -> float | None:
        """Where an event of the swing is on the axis; None where it is not known."""
        clock, at = self.clock(events), event_time(events, name)
        if clock is None or at is None:
            return None
        return (at - clock[0]) * clock[1]

    def landmarks(self, events: Mapping[str, Any]) -> curve_tools.Landmarks | None:
        """Where the swing lies on the axis; None where it has no place there."""
        clock = self.clock(events)
        if clock is None:
            return None
        load = events.get("load") or {}
        return curve_tools.Landmarks(
            # A load that lies where the search for it began opens no window.
            load=None
            if load.get("confidence") == "low"
            else self.place(events, "load"),
            first_move=self.place(events, "first_move"),
            contact=self.place(events, "reference"),
            per_s=clock[1],
        )

    def window(self, swings: Iterable[Mapping[str, Any]]) -> tuple[float, float] | None:
        """From and to where the swings are drawn, by their events; ends are round.

        In the unit of the axis, as `biomechanics.curves.swing_window` says. None where
        no swing has a contact.
        """
        found = [self.landmarks(events) for events in swings]
        window = curve_tools.swing_window([one for one in found if one is not None])
        if window is None:
            return None
        # Zero is what all times are read from, so it is always in sight.
        ends = min(window[0], 0.0), max(window[1], 0.0)
        if self.is_percent:
            ends = max(ends[0], -MOST_PERCENT), min(ends[1], MOST_PERCENT)
        low, high = (end / ROUND_TO for end in ends)
        return math.floor(low + 1e-6) * ROUND_TO, math.ceil(high - 1e-6) * ROUND_TO

    def align(
        self,
        curves: Sequence[curve_tools.Curve],
        window: tuple[float, float] | None,
    ) -> curve_tools.Aligned:
        """The curves on the common axis from and to the ends of the window."""
        low, high = window or (-curve_tools.BEFORE_S * MS_PER_S, 0.0)
        if self.is_percent:
            return curve_tools.align_percent(curves, low=low, high=high)
        return curve_tools.align(
            curves,
            before_s=max(-low, 0.0) / MS_PER_S,
            after_s=max(high, 0.0) / MS_PER_S,
        )

    def step(self, aligned: curve_tools.Aligned) -> tuple[float, float]:
        """Start and step of the grid in the unit of the axis."""
        scale = 1.0 if self.is_percent else MS_PER_S
        grid = aligned.grid
        return float(grid[0]) * scale, float(grid[1] - grid[0]) * scale

    def round_places(
        self, aligned: curve_tools.Aligned, every: int
    ) -> list[tuple[int, int]]:
        """Multiples of `every` on the axis, each with its place on the grid."""
        x0, dx = self.step(aligned)
        end = x0 + (aligned.grid.size - 1) * dx
        first = math.ceil(x0 / every - 1e-6)
        last = math.floor(end / every + 1e-6)
        return [
            (at * every, round((at * every - x0) / dx)) for at in range(first, last + 1)
        ]

    def why_no_place(self, events: Mapping[str, Any]) -> str:
        """Why a swing has no place on the axis, as words; empty where it has one."""
        if self.clock(events) is not None:
            return ""
        if not self.is_percent:
            return f"no {zero_label('', self.event)} was found"
        if all(event_time(events, name) is not None for name in self._needed):
            least = curve_tools.LEAST_SWING_S * MS_PER_S
            return f"first move is less than {least:.0f} ms before contact"
        return "no first move or contact was found"

    def unsure_words(self, events: Mapping[str, Any]) -> str:
        """What at zero (or 0 and 100 percent) is unsure: `foot down is uncertain`.

        Empty where all of it is sure. Numbers that rest on such an event are in no
        average, so a swing is not laid over others by it.
        """
        unsure = [
            zero_label("", name) for name in self._needed if is_unsure(events, name)
        ]
        if not unsure:
            return ""
        return f"{' and '.join(unsure)} {'is' if len(unsure) == 1 else 'are'} uncertain"

    @property
    def _needed(self) -> tuple[str, ...]:
        """The events that give a swing its place."""
        return ("first_move", "reference") if self.is_percent else (self.event,)


# Of a quick swing in percent much more than itself would be drawn: it is cut here.
MOST_PERCENT = 200.0
# Windows begin and end at multiples of so many units, ms or percent.
ROUND_TO = 10


class _HasEvents(Protocol):
    """A swing with its events as they are stored."""

    @property
    def events(self) -> Any:
        """The events by name."""


_Swing = TypeVar("_Swing", bound=_HasEvents)


def on_axis(
    swings: Iterable[_Swing], alignment: Alignment
) -> tuple[list[_Swing], Counter[str]]:
    """The swings that have a place on the axis, and of how many others why not.

    Of several swings one whose event at zero is unsure is left out; one swing alone
    keeps its place. The reasons are words, as `1 swing left out: …` needs them.
    """
    asked = list(swings)
    placed: list[_Swing] = []
    reasons: Counter[str] = Counter()
    for swing in asked:
        why = alignment.why_no_place(swing.events)
        if not why and len(asked) > 1:
            why = alignment.unsure_words(swing.events)
        if why:
            reasons[why] += 1
        else:
            placed.append(swing)
    return placed, reasons


def is_unsure(events: Mapping[str, Any], name: str) -> bool:
    """Whether an event was found with low confidence."""
    entry = events.get(name) or {}
    return entry.get("confidence") == "low" and entry.get("time_s") is not None


def available_series(stored: Iterable[Curves]) -> tuple[SeriesDefinition, ...]:
    """Series that at least one of the stored swings has, in the order of definition."""
    return series_among({name for curves in stored for name in curves.values})


def series_among(names: Collection[str]) -> tuple[SeriesDefinition, ...]:
    """Series that are among these curves, in the order of definition."""
    return tuple(SERIES[name] for name in SERIES if name in names)


def choose_series(
    wanted: str,
    available: Collection[SeriesDefinition],
    default: str = DEFAULT_SERIES,
) -> SeriesDefinition:
    """The wanted series if it is available, else the default, else the first one."""
    names = [definition.id for definition in available]
    if wanted in names:
        return SERIES[wanted]
    return SERIES[default if default in names or not names else names[0]]


def curve_on_event(
    curves: Curves, series: str, events: Mapping[str, Any], zero: str
) -> curve_tools.Curve:
    """One swing's curve with the instants at which it meets the others.

    Parameters
    ----------
    curves : Curves
        All stored curves of the swing; `series` must be among them.
    series : str
        Id of the series.
    events : mapping
        The swing's events as they are stored.
    zero : str
        Name of the event that lies at zero; first move is the start.
    """
    return curve_tools.Curve(
        time_s=curves.time_s,
        values=curves.values[series],
        zero_s=event_time(events, zero),
        start_s=event_time(events, "first_move"),
    )


def mean_offset_s(
    events_of_swings: Iterable[Mapping[str, Any]], name: str, zero: str
) -> float | None:
    """Mean time from event `zero` to event `name` over swings, in seconds.

    Swings without one of the two are left out, of several also those where one of them
    is unsure; None where that is all of them.
    """
    swings = list(events_of_swings)
    offsets = [
        at - at_zero
        for events in swings
        if len(swings) == 1 or not (is_unsure(events, name) or is_unsure(events, zero))
        if (at := event_time(events, name)) is not None
        and (at_zero := event_time(events, zero)) is not None
    ]
    return average(offsets)


#: What the reference is called on an axis, by the rule that found it.
_REFERENCE_LABELS = {
    "contact": "Contact",
    "bat_impact": "Contact",
    "bat_peak": "Contact (est.)",
    "hand_peak": "Peak hand",
}

#: The events that a time axis marks, in the order of the swing.
MARKED = ("load", "first_move", "foot_down", "peak_hand_speed", "reference")
# An event so close to the reference, ms or percent, is the same line.
_SAME_PLACE = 1.0


def event_label(name: str, rule: str = "") -> str:
    """The short label of an event on an axis; of the reference by its `rule`."""
    if name == "reference" and rule in _REFERENCE_LABELS:
        return _REFERENCE_LABELS[rule]
    return EVENTS[name][1]


def event_marks(
    alignment: Alignment,
    swings: Sequence[Mapping[str, Any]],
    *,
    rule: str,
    sign: str = "",
    letter: str = "",
) -> list[charts.Mark]:
    """The mean places of all events of the swings, by their events as they are stored.

    `rule` is the one that found the reference, `sign` and `letter` tell one side of a
    comparison from the others. An unsure event is in no mean; one that no swing has, or
    that is where the reference is, has no mark.
    """
    found: dict[str, float] = {}
    for name in MARKED:
        places = [
            at
            for events in swings
            if len(swings) == 1 or not is_unsure(events, name)
            if (at := alignment.place(events, name)) is not None
        ]
        middle = average(places)
        if middle is not None:
            found[name] = middle
    end = found.get("reference")
    return [
        charts.Mark(
            name,
            at,
            event_label(name, rule),
            "average of the swings" if len(swings) > 1 else "",
            sign=sign,
            letter=letter,
        )
        for name, at in found.items()
        if name == "reference" or end is None or abs(at - end) >= _SAME_PLACE
    ]


def zero_label(rule: str, zero: str) -> str:
    """What time zero is called on the page: the event, the reference by its rule."""
    if zero != "reference":
        return EVENTS[zero][0].lower() if zero in EVENTS else zero.replace("_", " ")
    if rule in ("bat_impact", "bat_peak"):
        return _REFERENCE_LABELS[rule].lower()
    return rule_name(rule) if rule else "contact"


def axis_words(alignment: Alignment, zero: str) -> str:
    """The title of the axis; `zero` names the event at zero, or at 100 percent."""
    if alignment.is_percent:
        return f"Swing (%): 0 first move, 100 {zero}"
    return charts.axis_title(f"Time from {zero}", "ms")
