"""What delivered angular momentum is taken about: the body, or each segment itself.

Reboot Motion defines it about the body's center of mass. Its files may also hold the
spin of each segment about its own center, which for the arms is a tenth of that. The
motion of the points tells the two apart.
"""

import math

import numpy as np

from biomechanics import segments, signals
from biomechanics.analysis_types import Finding
from biomechanics.hitter import Hitter
from biomechanics.momentum import Energetics

AROUND_S = (-0.150, 0.0)
"""Where arms are compared, from the fastest moment."""
TOTAL_SHARE = (0.5, 2.0)
"""Delivered by computed, for momentum about the body. Masses and centers are those of
an average body: on invented swings 0.8 to 1.2 with the mass of the file (choice)."""
LOCAL_SHARE = 0.25
"""Spin about the own center is less than this: 0.04 to 0.12 on invented swings."""
USUAL_MASS_KG = 75.0
"""Stands in where the file has no mass: both limits leave room for it."""

BODY, OWN = "body_center", "own_center"


def momentum_kind(hitter: Hitter, energy: Energetics, *, anchor: float) -> Finding:
    """Return what the arms' angular momentum is taken about, by the points.

    Parameters
    ----------
    hitter : Hitter
    energy : Energetics
        Momentum on the clock of the points.
    anchor : float
        Sample at which the hands are fastest.

    Returns
    -------
    Finding
        ``body_center``, ``own_center``, or ``None`` where neither can be told.
    """
    share = _share(hitter, energy, anchor=anchor)
    if share is None:
        return Finding(
            None,
            "The file doesn't show whether angular momentum is about the body's center "
            "of mass.",
        )
    evidence = {"delivered_by_computed": round(share, 3)}
    if TOTAL_SHARE[0] <= share <= TOTAL_SHARE[1]:
        return Finding(
            BODY, "Angular momentum is about the body's center of mass.", evidence
        )
    if share < LOCAL_SHARE:
        return Finding(
            OWN,
            "Angular momentum is the spin of each segment about its own center, not "
            "about the body's.",
            evidence,
        )
    return Finding(
        None,
        "Angular momentum fits neither the motion about the body's center of mass nor "
        "the spin of the segments.",
        evidence,
    )


def _share(hitter: Hitter, energy: Energetics, *, anchor: float) -> float | None:
    """Return the arms' momentum by that of their points, ``None`` without either."""
    scale = hitter.motion.scale
    if scale is None or "arms" not in energy.momentum:
        return None
    rate = hitter.rate_hz
    low = max(0, math.floor(anchor + AROUND_S[0] * rate))
    high = min(hitter.motion.count, math.ceil(anchor + AROUND_S[1] * rate) + 1)
    if high - low < 5:
        return None
    mass = energy.mass_kg or USUAL_MASS_KG
    around = slice(low, high)
    own = segments.arms_momentum(hitter, around) * mass * scale**2
    delivered = energy.momentum["arms"][around]
    known = np.isfinite(own) & np.isfinite(delivered) & (own > 0.0)
    # Where the arms hardly move, noise decides.
    known &= own > 0.5 * np.where(known, own, 0.0).max(initial=0.0)
    if np.count_nonzero(known) < 3:
        return None
    return signals.median(delivered[known] / own[known])
