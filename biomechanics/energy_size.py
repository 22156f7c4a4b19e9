"""Check delivered kinetic energy against that of the points, by the arms.

Arms move most and are in every file of energies. Their energy by points comes from the
masses and centers of de Leva (`segments`), so a delivered energy of another unit, or of
other segments, stands out. It is a check: no number is made of it.
"""

import math

import numpy as np

from biomechanics import segments, signals
from biomechanics.analysis_types import Finding
from biomechanics.hitter import Hitter
from biomechanics.momentum import Energetics
from biomechanics.momentum_kind import AROUND_S, USUAL_MASS_KG

FITS = (0.5, 2.0)
"""Delivered by computed, of one body. With the mass of the file 1.03 to 1.06 on
invented swings, as the turn of a segment about its own center is left out; bodies
differ from the average one by some 20 %, and the usual mass from a child's by half
(choice)."""
LEAST_SAMPLES = 3


def energy_size(hitter: Hitter, energy: Energetics, *, anchor: float) -> Finding:
    """Return how many times the arms' energy is delivered that their points have.

    Parameters
    ----------
    hitter : Hitter
    energy : Energetics
        On the clock of the points.
    anchor : float
        Sample at which the hands are fastest.

    Returns
    -------
    Finding
        True, False, or ``None`` where it can't be told.
    """
    share = _share(hitter, energy, anchor=anchor)
    if share is None:
        return Finding(
            None, "The file doesn't allow comparing kinetic energy with the points."
        )
    fits = FITS[0] <= share <= FITS[1]
    text = (
        f"Kinetic energy of the arms is {share:.2g} times that of their points by the "
        "mass of average arms"
    )
    return Finding(
        fits,
        f"{text}: the two fit."
        if fits
        else f"{text}: it has another unit, or is of other segments.",
        {
            "delivered_by_computed": round(share, 3),
            "mass_kg": round(energy.mass_kg or USUAL_MASS_KG, 1),
            "mass_is": "usual" if energy.mass_kg is None else "file",
        },
    )


def _share(hitter: Hitter, energy: Energetics, *, anchor: float) -> float | None:
    """Return delivered by computed energy, ``None`` without either."""
    if hitter.motion.scale is None or "arms" not in energy.energy:
        return None
    rate = hitter.rate_hz
    low = max(0, math.floor(anchor + AROUND_S[0] * rate))
    high = min(hitter.motion.count, math.ceil(anchor + AROUND_S[1] * rate) + 1)
    own = segments.arms_energy(hitter)[low:high] * (energy.mass_kg or USUAL_MASS_KG)
    delivered = energy.energy["arms"][low:high]
    known = np.isfinite(own) & np.isfinite(delivered) & (own > 0.0)
    # Where the arms hardly move, noise decides.
    known &= own > 0.5 * np.where(known, own, 0.0).max(initial=0.0)
    if np.count_nonzero(known) < LEAST_SAMPLES:
        return None
    return signals.median(delivered[known] / own[known])
