"""Flag what rests on an event that is not sure, or on two clocks."""

import math

import numpy as np

from biomechanics import bat, directions
from biomechanics.basis import STRIDE_LINE
from biomechanics.definitions import METRICS
from biomechanics.events import EVENT_RULES
from biomechanics.find_events import SwingEvents
from biomechanics.metrics.values import EVENT_WORDS, MetricValues
from biomechanics.momentum import Energetics
from biomechanics.observed_swing import ObservedSwing

FROM_LOAD = ("tempo_load_fd", "head_excursion")
"""What a load in the wrong place makes wrong. Where load only opens the window of a
maximum, less of the stance before the swing is looked at, and the maximum stays."""
WITH_BAT = (
    "peak_KE_total",
    "t_peak_KE_total",
    "KE_rate_max_total",
    "KE_per_kg_total",
)
"""Numbers of the whole body of which the bat's energy is a good part."""


BY_CURVE_OF_BAT = (
    "peak_bat_omega",
    "t_peak_bat",
    "gap_arm_bat",
    "gain_bat_torso",
    "bat_speed_max",
    "bat_speed_ref",
    "swing_tilt",
    "bat_path_length",
    "bat_torso_ref",
)
"""Numbers of curves, and one that changes so slowly at contact that what a fit leaves
open of its instant says little of what it leaves open of the bat."""
LOST_BEFORE_S, MOST_LOST = 0.020, 2
"""So many frames lost in so long before the reference are too many for a curve."""
PEAK_AROUND_S, MOST_LOST_S = 0.010, 0.008
"""Where the bat shows no impact, so long on both sides of the end of its peak's window
counts too, and so much of it lost is too much: a peak needs both its sides."""


def flag_unsure(events: SwingEvents, values: MetricValues) -> None:
    """Flag every number whose window names an event with low confidence."""
    for name, metric_ids in _resting_on().items():
        found = events.found.get(name)
        if found is None or found.position is None or found.confidence != "low":
            continue
        for metric_id in metric_ids:
            values.flag(metric_id, f"{EVENT_WORDS[name]} is uncertain: {found.reason}")


def flag_forward(swing: ObservedSwing, values: MetricValues) -> None:
    """Flag what is counted from the line of the feet at an unsure foot down."""
    found, forward = swing.events.found["foot_down"], swing.findings["forward"]
    by_feet = forward.evidence.get("source") == STRIDE_LINE
    if not by_feet or found.position is None or found.confidence != "low":
        return
    for metric_id, definition in METRICS.items():
        if "C" in definition.robustness:
            values.flag(
                metric_id,
                f"forward is the line of the feet at foot down: {found.reason}",
            )


def flag_other_clock(energetics: Energetics, values: MetricValues) -> None:
    """Flag what takes momentum, energy or center of mass at another clock's instant.

    The largest speed of the center of mass needs no instant.
    """
    if energetics.clock_fault is None:
        return
    for metric_id, definition in METRICS.items():
        if definition.group in ("momentum", "energy"):
            values.flag(metric_id, energetics.clock_fault)
    values.flag("contact_depth_com", energetics.clock_fault)


def flag_tilted(swing: ObservedSwing, values: MetricValues) -> None:
    """Flag what needs the vertical or a level direction in a file with tilted axes.

    So does a foot down that was found by the height of the ankle.
    """
    reason = directions.why_tilted(
        swing.hitter,
        swing.vertical,
        swing.energetics.center_of_mass,
        swing.events.position("foot_down"),
    )
    if reason is None:
        return
    by_height = swing.events.found["foot_down"].rule == EVENT_RULES["foot_down"]
    for metric_id, definition in METRICS.items():
        at_foot_down = by_height and _reads(metric_id, "foot down")
        if at_foot_down or {"B", "C"} & set(definition.robustness):
            values.flag(metric_id, reason)


def unseen_ball(swing: ObservedSwing) -> str | None:
    """Return why the bat may have met a ball that its points do not show.

    ``None`` when contact is known, or the bat shows that there was none.
    """
    rule = swing.events.reference_rule
    if rule == "hand_peak":
        return "the bat does not show whether it hit a ball"
    if rule != "bat_peak" or swing.bat is None:
        return None
    if swing.bat.impact.hidden:
        return swing.bat.impact.reason
    if swing.bat.low_rate:
        return (
            f"at {swing.hitter.rate_hz:.0f} frames a second the bat may hit a ball "
            "without showing it, about 10 ms after its highest speed"
        )
    return None


def contact_not_shown(swing: ObservedSwing) -> bool:
    """Return whether contact is given at a rate that shows it, and the bat does not.

    Its points may have been smoothed across the impact before delivery.
    """
    moving = swing.bat
    return (
        swing.events.reference_rule == "contact"
        and moving is not None
        and not moving.low_rate
        and moving.impact.impact is None
    )


def smoothed_at_contact(swing: ObservedSwing) -> str | None:
    """Return why the bat's points do not hold a given contact, ``None`` if they may."""
    moving, at = swing.bat, swing.events.position("reference")
    if moving is None or at is None or not contact_not_shown(swing):
        return None
    if moving.impact.hidden and not moving.impact.coarse:
        return moving.impact.reason
    if bat.falls_as_at_ball(moving, at):
        return (
            "the bat slows down the way it does when it hits a ball, but its points "
            "don't show the hit"
        )
    return None


def flag_unseen_ball(swing: ObservedSwing, values: MetricValues) -> None:
    """Flag what a ball changes, where one may have been met unseen.

    Path, speed, momentum and energy of the bat, and the totals that hold its energy.
    The turn rates of the sequence come to their peaks before it, and first move is.
    """
    reason = unseen_ball(swing)
    if reason is None:
        return
    with_bat = WITH_BAT if "bat" in swing.energetics.energy else ()
    for metric_id, definition in METRICS.items():
        of_bat = definition.needs == "bat" or definition.part == "bat"
        late = definition.group != "sequence" and definition.window != "first move"
        if (of_bat and late) or metric_id in with_bat:
            values.flag(metric_id, reason)


def flag_smoothed(swing: ObservedSwing, values: MetricValues) -> None:
    """Flag numbers of bat points that were smoothed across a given contact."""
    reason = smoothed_at_contact(swing)
    if reason is None:
        return
    for metric_id, definition in METRICS.items():
        if definition.needs == "bat" and definition.window != "first move":
            values.flag(metric_id, reason)


def flag_bat_lost(
    swing: ObservedSwing, values: MetricValues, *, last_of_peak: int | None
) -> None:
    """Flag what is read from curves of the bat that was not seen about its peak.

    Numbers at the reference alone come from a fitted motion, which knows what the lost
    frames leave open.

    Parameters
    ----------
    last_of_peak : int or None
        Last sample in which the bat's peak is looked for.
    """
    moving, at = swing.bat, swing.events.position("reference")
    if moving is None or at is None:
        return
    reason = None
    if _frames_lost_before(moving, at) >= MOST_LOST:
        reason = "the bat was lost just before contact"
    elif (
        last_of_peak is not None and _lost_at_peak_s(moving, last_of_peak) > MOST_LOST_S
    ):
        reason = "the bat was lost just after its highest speed"
    if reason is not None:
        by_energy = [
            name
            for name, item in METRICS.items()
            if item.part == "bat" and item.group in ("momentum", "energy")
        ]
        with_bat = WITH_BAT if "bat" in swing.energetics.energy else ()
        for metric_id in (*BY_CURVE_OF_BAT, *by_energy, *with_bat):
            values.flag(metric_id, reason)


def _frames_lost_before(moving: bat.BatMotion, at: float) -> int:
    """Return how many frames the bat was not seen in before the reference."""
    impact = moving.impact.impact
    last = at if impact is None else min(at, impact.position)
    wanted = np.arange(
        math.ceil(last - LOST_BEFORE_S * moving.rate_hz), math.floor(last) + 1
    )
    lost = np.setdiff1d(wanted[wanted <= moving.clean + 2], moving.frames).size
    if impact is not None and impact.first_after - impact.last_clean > MOST_LOST:
        lost = max(lost, impact.first_after - impact.last_clean - 1)
    return lost


def _lost_at_peak_s(moving: bat.BatMotion, last: int) -> float:
    """Return for how long the bat was not seen about the end of its peak's window.

    In seconds; 0 where an impact ends the motion, and the peak with it. A clip that
    ends is no loss: a peak at its end is still rising, and says so.
    """
    if moving.impact.impact is not None:
        return 0.0
    around = math.floor(PEAK_AROUND_S * moving.rate_hz)
    wanted = np.arange(
        max(last - around, 0), min(last + around + 1, moving.points.unknown.size)
    )
    return float(np.setdiff1d(wanted, moving.frames).size) / moving.rate_hz


def _resting_on() -> dict[str, list[str]]:
    """Return the metrics that rest on each event."""
    return {
        "reference": [name for name in METRICS if _reads(name, "contact")],
        "foot_down": [name for name in METRICS if _reads(name, "foot down")],
        "first_move": [name for name in METRICS if _reads(name, "first move")],
        "load": list(FROM_LOAD),
        "peak_hand_speed": ["t_peak_hand"],
    }


def _reads(metric_id: str, event: str) -> bool:
    """Return whether the window of a metric names an event."""
    return event in METRICS[metric_id].window
