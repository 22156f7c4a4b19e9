"""Curves of several swings laid over each other on one event.

The charts of a session, of a comparison and of a sheet choose their curves here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from athletes.analysis.event_rules import event_time
from athletes.frames.curves import Curves
from athletes.phrases import rule_name
from biomechanics import curves as curve_tools
from biomechanics.definitions import SERIES, SeriesDefinition

DEFAULT_SERIES = "torso_omega"


def available_series(stored: Iterable[Curves]) -> tuple[SeriesDefinition, ...]:
    """Series that at least one of the stored swings has, in the order of definition."""
    there = {name for curves in stored for name in curves.values}
    return tuple(SERIES[name] for name in SERIES if name in there)


def choose_series(
    wanted: str, available: Collection[SeriesDefinition]
) -> SeriesDefinition:
    """The wanted series if it is available, else torso rotation, else the first one."""
    names = [definition.id for definition in available]
    if wanted in names:
        return SERIES[wanted]
    return SERIES[DEFAULT_SERIES if DEFAULT_SERIES in names or not names else names[0]]


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

    Swings without one of the two are left out; None where that is all of them.
    """
    offsets = [
        at - at_zero
        for events in events_of_swings
        if (at := event_time(events, name)) is not None
        and (at_zero := event_time(events, zero)) is not None
    ]
    return float(np.mean(offsets)) if offsets else None


def zero_label(rule: str, zero: str) -> str:
    """What time zero is called on the page: the event, the reference by its rule."""
    if zero != "reference":
        return zero.replace("_", " ")
    return rule_name(rule) if rule else "reference"
