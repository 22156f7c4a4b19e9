"""Flag what rests on an event that is not sure, or on two clocks."""

from biomechanics.definitions import METRICS
from biomechanics.find_events import SwingEvents
from biomechanics.metrics.values import EVENT_WORDS, MetricValues
from biomechanics.momentum import Energetics

TIMES_OF_LOAD = ("tempo_load_fd",)
"""What a load in the wrong place makes wrong. Where load only opens the window of a
maximum, less of the stance before the swing is looked at, and the maximum stays."""


def flag_unsure(events: SwingEvents, values: MetricValues) -> None:
    """Flag every number whose window names an event with low confidence."""
    for name, metric_ids in _resting_on().items():
        found = events.found.get(name)
        if found is None or found.position is None or found.confidence != "low":
            continue
        for metric_id in metric_ids:
            values.flag(metric_id, f"{EVENT_WORDS[name]} is unsure: {found.reason}")


def flag_other_clock(energetics: Energetics, values: MetricValues) -> None:
    """Flag what takes momentum or energy at an instant of another clock."""
    if energetics.clock_fault is None:
        return
    for metric_id, definition in METRICS.items():
        if definition.group in ("momentum", "energy"):
            values.flag(metric_id, energetics.clock_fault)


def _resting_on() -> dict[str, list[str]]:
    """Return the metrics that rest on each event."""
    return {
        "reference": [name for name in METRICS if _reads(name, "reference")],
        "foot_down": [name for name in METRICS if _reads(name, "foot down")],
        "first_move": [name for name in METRICS if _reads(name, "first move")],
        "load": list(TIMES_OF_LOAD),
        "peak_hand_speed": ["t_peak_hand"],
    }


def _reads(metric_id: str, event: str) -> bool:
    """Return whether the window of a metric names an event."""
    return event in METRICS[metric_id].window
