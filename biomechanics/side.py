"""Tell which side leads from the motion, then compare it with the profile.

Nothing here needs an axis: "up" is the hitter's own trunk line.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from biomechanics import axes
from biomechanics.analysis_types import Finding, FloatArray, Side
from biomechanics.kinematics import Body
from biomechanics.motion import Motion
from biomechanics.points import Points

Bats = Literal["right", "left", "switch"]

CLEAR_TURN = 0.4
"""Share of the turning that must go one way for the side to be clear (choice)."""
CLEAR_FACING = 0.35
"""Mean cosine between knees' bend and the facing from names (choice)."""


def names_exchanged(motion: Motion, low: int, high: int) -> Finding:
    """Return whether left and right are exchanged in the names of the points.

    A file mirrored in one coordinate but with its names kept shows a body that does
    not exist: knees that bend backwards. The facing that follows from the names,
    (left − right) × trunk, is compared with the way the knees bend.

    Returns
    -------
    Finding
        ``True`` exchanged, ``False`` not, ``None`` not clear.
    """
    rows = slice(max(low, 0), high + 1)
    p: Points = motion.limbs
    across = (p["lhjc"][rows] - p["rhjc"][rows]) + (p["lsjc"][rows] - p["rsjc"][rows])
    up = (p["lsjc"][rows] + p["rsjc"][rows]) - (p["lhjc"][rows] + p["rhjc"][rows])
    facing = axes.unit(axes.cross(across, up))
    hips = p.several("lhjc", "rhjc")[rows]
    legs = axes.unit(p.several("lajc", "rajc")[rows] - hips)
    bends = p.several("lkjc", "rkjc")[rows] - hips
    bends = bends - axes.dot(bends, legs)[..., None] * legs
    along = axes.dot(bends, facing[:, None])
    there = np.isfinite(along)
    size = float(axes.length(bends)[there].sum())
    if size <= 0.0:
        return Finding(None, "Left and right could not be checked: no knees.", {})
    score = float(along[there].sum()) / size
    evidence = {"knees_bend_forward": round(score, 3)}
    if score < -CLEAR_FACING:
        return Finding(
            True,
            "Left and right names are swapped in this file (the knees would bend "
            "backward); they were corrected.",
            evidence,
        )
    if score > CLEAR_FACING:
        return Finding(False, "Left and right names fit the body.", evidence)
    return Finding(None, "The knees don't clearly show left and right.", evidence)


def turn_direction(body: Body, low: int, high: int) -> float:
    """Return the share of the turn that goes one way about the trunk, −1…1.

    + = turning to the left (a right-handed hitter), − = to the right; 0 without a
    turn in samples `low` to `high`.
    """
    rows = slice(max(low, 0), high + 1)
    turning = body.pelvis_turn[rows] + body.torso_turn[rows]
    about: FloatArray = axes.dot(turning, body.trunk[rows])
    sizes = axes.length(turning)
    there = np.isfinite(about)
    total = float(sizes[there].sum())
    return float(about[there].sum()) / total if total > 0 else 0.0


@dataclass(frozen=True, slots=True)
class BattingSide:
    """The side of the hitter, and the side of the motion as it stands in the file.

    They differ in a mirrored file. `lead` is the name (``l`` or ``r``) of the leading
    limbs in the file, after exchanged names were put right.
    """

    side: Side | None
    motion_side: Side | None
    mirrored: bool
    finding: Finding
    mirror_finding: Finding

    @property
    def hand(self) -> float:
        """+1 when the left side leads in the file, −1 otherwise."""
        return -1.0 if (self.motion_side or self.side) == "left" else 1.0


def find_side(share: float, *, bats: Bats | None, moving: bool) -> BattingSide:
    """Return the side of the hitter, from the turn and the athlete's profile.

    Parameters
    ----------
    share : float
        From `turn_direction`.
    bats : {'right', 'left', 'switch'} or None
    moving : bool
        False when nothing in the clip turns like a swing; the motion then says
        nothing.
    """
    evidence = {"turn_to_the_left": round(share, 3), "profile": bats}
    told: Side | None = None
    if moving and abs(share) >= CLEAR_TURN:
        told = "right" if share > 0 else "left"
    not_mirrored = Finding(False, "The motion is not mirrored.", evidence)
    if told is None:
        known: Side | None = bats if bats in ("right", "left") else None
        text = (
            f"Side taken from the profile: {known}."
            if known
            else "The side is unclear from the motion, and the profile doesn't say."
        )
        unclear = Finding(None, "Whether the motion is mirrored is unclear.", evidence)
        return BattingSide(known, None, False, Finding(known, text, evidence), unclear)
    if bats == "left" and told == "right":
        return BattingSide(
            "left",
            told,
            True,
            Finding(
                "left",
                "The athlete bats left; the motion in the file rotates like a "
                "right-handed swing.",
                evidence,
            ),
            Finding(
                True,
                "The motion of a left-handed hitter was delivered mirrored (unless "
                "they hit right-handed this time); numbers are the same either way.",
                evidence,
            ),
        )
    text = f"The motion is a {told}-handed swing."
    if bats == "right" and told == "left":
        text += " The profile says right."
    return BattingSide(told, told, False, Finding(told, text, evidence), not_mirrored)
