"""Tell whether a movement is a swing at all."""

from dataclasses import dataclass

import numpy as np

from biomechanics import axes
from biomechanics.analysis_types import MovementKind
from biomechanics.hands import HandMotion
from biomechanics.kinematics import Body

# Below two of these three nothing is swung (choice; a good half of the plausible
# minimum of a swing).
SWING_PELVIS_DEG_PER_S = 180.0
SWING_TORSO_DEG_PER_S = 250.0
SWING_HAND_M_PER_S = 3.0


@dataclass(frozen=True, slots=True)
class SwingKind:
    """What kind of movement it is; `reason` says why it is not a swing."""

    kind: MovementKind
    reason: str | None


def find_kind(
    body: Body, hands: HandMotion, *, in_meters: bool, low: int, high: int
) -> SwingKind:
    """Return whether hips, shoulders and hands move as fast as in a swing.

    Parameters
    ----------
    body : Body
    hands : HandMotion
    in_meters : bool
        The unit of the points is known; without it hand speed says nothing.
    low, high : int
        First and last sample that are looked at.
    """
    tops: list[tuple[float, float, str]] = []
    for turning, least, what in (
        (body.pelvis_turn, SWING_PELVIS_DEG_PER_S, "the pelvis rotates at"),
        (body.torso_turn, SWING_TORSO_DEG_PER_S, "the shoulders rotate at"),
    ):
        size = axes.length(turning[low : high + 1])
        size = size[np.isfinite(size)]
        if size.size:
            tops.append((float(size.max()), least, what))
    slow = [item for item in tops if item[0] < item[1]]
    words = [f"{what} {top:.0f}°/s" for top, _, what in slow]
    if hands.peak is not None and in_meters:
        hand_speed = hands.peak.peak.value
        tops.append((hand_speed, SWING_HAND_M_PER_S, ""))
        if hand_speed < SWING_HAND_M_PER_S:
            slow.append(tops[-1])
            words.append(f"the hands move at {hand_speed:.1f} m/s")
    if len(slow) >= 2 or (slow and len(tops) < 2):
        return SwingKind(
            "not_swing", "this is not a swing: at the fastest, " + " and ".join(words)
        )
    if hands.one_handed:
        return SwingKind(
            "one_handed", "the hands are apart at their fastest: not a bat swing"
        )
    return SwingKind("swing", None)
