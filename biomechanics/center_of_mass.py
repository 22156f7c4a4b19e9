"""Bring the delivered center of mass to meters, by where a body has it."""

import math
from dataclasses import replace

import numpy as np

from biomechanics import axes, leaps, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.momentum import Energetics
from biomechanics.motion import Motion

AWAY_IN_TRUNKS = 0.8
"""How far from the middle of the hips a center of mass may lie, in lengths of the trunk
(choice; standing and swinging people stay under 0.4)."""


def placed(energetics: Energetics, motion: Motion) -> Energetics:
    """Return the energetics with their center of mass in meters, or why it has none.

    The file of momentum and energy may hold another unit of length than that of the
    points. A center of mass lies in the body, so the factor is the one that brings it
    nearest to the hips; if it then lies further from them than `AWAY_IN_TRUNKS`, it is
    refused, and ``missing["center_of_mass"]`` says so.
    """
    center, reason = _in_meters(energetics.center_of_mass, motion)
    missing = dict(energetics.missing)
    if reason is not None:
        missing["center_of_mass"] = reason
    return replace(energetics, center_of_mass=center, missing=missing)


def _in_meters(
    center: FloatArray | None, motion: Motion
) -> tuple[FloatArray | None, str | None]:
    """Return a center of mass in meters, shape (n, 3), or the reason for none."""
    if center is None or not np.isfinite(center).any():
        return None, "the file has no center of mass"
    if motion.scale is None:
        return None, motion.scale_finding.text
    trunk = motion.trunk
    hips = 0.5 * (trunk["lhjc"] + trunk["rhjc"])
    shoulders = 0.5 * (trunk["lsjc"] + trunk["rsjc"])
    away = {factor: _median_length(center * factor - hips) for factor in axes.SCALES}
    factor = min(away, key=lambda item: away[item])
    if away[factor] <= AWAY_IN_TRUNKS * _median_length(shoulders - hips):
        return _without_leaps(center * factor, motion.rate_hz), None
    return None, "the center of mass is outside the body in any length unit"


def _without_leaps(center: FloatArray, rate_hz: float) -> FloatArray:
    """Return a center of mass (n, 3), m, with NaN where it leaps off its way."""
    found = leaps.find_leaps(
        center[:, None], sampling_rate_hz=rate_hz, meter=1.0, step_share=0.0
    )
    return np.where(found.away, np.nan, center)


def _median_length(vectors: FloatArray) -> float:
    """Return the median length of the vectors (n, 3) that are known, else infinity."""
    sizes = axes.length(vectors)
    sizes = sizes[np.isfinite(sizes)]
    return signals.median(sizes) if sizes.size else math.inf
