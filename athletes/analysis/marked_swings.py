"""Which swings of a session stand for it: the typical one and the fastest.

Each of the counted swings from one side: a switch hitter has one of each a side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from athletes.analysis.event_rules import commonest, event_time
from athletes.analysis.means_by_side import metrics_of
from athletes.frames.curves import Curves
from athletes.models import Movement
from biomechanics import curves as curve_tools
from biomechanics.definitions import METRICS, MetricDefinition
from biomechanics.session_statistics import average

#: The curves by which the typical swing is chosen.
TYPICAL_BY = ("pelvis_omega", "torso_omega", "lead_arm_omega")
#: The speeds by which the fastest is chosen: the bat's, else the hands'.
FASTEST_BY = ("bat_speed_max", "peak_hand_speed")
#: One swing alone is not the fastest of anything.
_LEAST_COMPARED = 2


@dataclass(frozen=True)
class Fastest:
    """The swing with the largest speed, among those that have it on the same basis."""

    movement_id: int
    definition: MetricDefinition
    among: int


def typical_swing(
    events: Mapping[int, Mapping[str, Any]],
    rules: Mapping[int, str],
    kept: Mapping[int, Curves],
) -> int | None:
    """The id of the swing whose curves are closest to the mean of all.

    Over the time from first move (on average) to the reference, of swings whose
    reference was found by the rule of most. None with fewer than three of them.

    Parameters
    ----------
    events, rules
        Stored events, and the rule of the reference, of counted swings from one side.
    kept
        Stored curves; a swing without them is left out.
    """
    found = [
        (pk, event_time(own, "reference"), event_time(own, "first_move"))
        for pk, own in events.items()
        if pk in kept
    ]
    usable = [(pk, zero, start) for pk, zero, start in found if zero is not None]
    shared = commonest(rules[pk] for pk, _, _ in usable)
    usable = [one for one in usable if rules[one[0]] == shared]
    move = average([start - zero for _, zero, start in usable if start is not None])
    if move is None:
        return None
    sets = [
        curve_tools.align(
            [
                curve_tools.Curve(
                    time_s=kept[pk].time_s,
                    values=kept[pk].values.get(
                        name, np.full(len(kept[pk].time_s), np.nan)
                    ),
                    zero_s=zero,
                )
                for pk, zero, _ in usable
            ],
            before_s=max(-move, 0.0),
            after_s=0.0,
        )
        for name in TYPICAL_BY
        if any(name in kept[pk].values for pk, _, _ in usable)
    ]
    place = curve_tools.representative(sets)
    return None if place is None else usable[place][0]


def fastest_swing(swings: Iterable[Movement]) -> Fastest | None:
    """The fastest of counted swings from one side, by bat speed, else by hand speed.

    By the speed that most of them have; only values on the basis of most, and none
    that is left out of averages. None with fewer than two of these.
    """
    counted = [(swing.pk, metrics_of(swing, FASTEST_BY)) for swing in swings]
    found: list[tuple[str, dict[int, float]]] = []
    for name in FASTEST_BY:
        values = {
            pk: (own[name].number, own[name].basis)
            for pk, own in counted
            if name in own and own[name].number is not None
        }
        shared = commonest(basis for _, basis in values.values())
        found.append(
            (
                name,
                {
                    pk: number
                    for pk, (number, basis) in values.items()
                    if basis == shared and number is not None
                },
            )
        )
    name, numbers = max(found, key=lambda item: len(item[1]))
    if len(numbers) < _LEAST_COMPARED:
        return None
    # Of two that are level the first.
    return Fastest(
        max(numbers, key=lambda pk: numbers[pk]), METRICS[name], len(numbers)
    )
