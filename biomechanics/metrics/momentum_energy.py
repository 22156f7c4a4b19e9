"""Measure angular momentum and kinetic energy."""

import math
from collections.abc import Mapping

import numpy as np

from biomechanics import momentum, peaks
from biomechanics.analysis_types import FloatArray
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.motion import ENERGY_CUTOFF_HZ

Groups = tuple[str, ...]
MOMENTUM_GROUPS: Groups = ("pelvis", "torso", "arms", "bat")
ENERGY_GROUPS: Groups = ("lower", "torso", "arms", "bat", "total")


def _why_missing(measure: SwingMeasurer, key: str) -> str | None:
    """Return why a group such as ``L_bat`` or ``KE_total`` cannot be measured."""
    if key.endswith("_bat") and measure.swing.bat_reason is not None:
        anchor = measure.swing.events.position("peak_hand_speed")
        if anchor is not None:
            rate = measure.hitter.rate_hz
            found = momentum.bat_out_of_range(
                measure.swing.energetics,
                low=math.floor(anchor + momentum.BAT_ENERGY_AROUND_S[0] * rate),
                high=math.ceil(anchor + momentum.BAT_ENERGY_AROUND_S[1] * rate),
            )
            if found is not None:
                return found
    return measure.swing.energetics.missing.get(key)


def _put_peaks(
    measure: SwingMeasurer, kind: str, curves: Mapping[str, FloatArray], groups: Groups
) -> None:
    """Set value and time of the peak of each group, `kind` being ``L`` or ``KE``."""
    window = measure.window_past_reference()
    for group in groups:
        key = f"{kind}_{group}"
        reason = _why_missing(measure, key)
        measure.put_peak(
            key,
            f"peak_{key}",
            f"t_peak_{key}",
            measure.swing.turn_rates.pelvis if reason else curves[group],
            window,
            (),
            reason=reason,
        )


def put_momentum(measure: SwingMeasurer) -> None:
    """Measure peaks of angular momentum in kg·m²/s, their ratios and shares."""
    curves = measure.swing.energetics.momentum
    groups = MOMENTUM_GROUPS
    _put_peaks(measure, "L", curves, groups)
    for metric, top, bottom in (
        ("L_ratio_torso_pelvis", "torso", "pelvis"),
        ("L_ratio_arms_torso", "arms", "torso"),
        ("L_ratio_bat_arms", "bat", "arms"),
    ):
        measure.put_ratio(metric, f"peak_L_{top}", f"peak_L_{bottom}")
    lost = next(
        (
            reason
            for group in groups
            if (reason := _why_missing(measure, f"L_{group}")) is not None
        ),
        None,
    )
    for group in groups:
        found = measure.peaks.get(f"L_{group}")
        share, reason = None, lost or measure.values.reason(f"peak_L_{group}")
        if reason is None and found is not None:
            parts = [float(curves[name][found.index]) for name in groups]
            total = sum(parts)
            share = (
                float(curves[group][found.index]) / total * 100.0
                if math.isfinite(total) and total > 0
                else None
            )
        measure.values.put(f"L_share_{group}", share, reason)


def put_energy(measure: SwingMeasurer) -> None:
    """Measure peaks of kinetic energy in J, their ratios, and the bat's share."""
    values, curves = measure.values, measure.swing.energetics.energy
    _put_peaks(measure, "KE", curves, ENERGY_GROUPS)
    for metric, top, bottom in (
        ("KE_ratio_torso_lower", "torso", "lower"),
        ("KE_ratio_arms_torso", "arms", "torso"),
        ("KE_ratio_bat_arms", "bat", "arms"),
    ):
        measure.put_ratio(metric, f"peak_KE_{top}", f"peak_KE_{bottom}")
    share = None
    reason = (
        _why_missing(measure, "KE_bat")
        or _why_missing(measure, "KE_total")
        or measure.missing_event("reference")
    )
    if reason is None and measure.reference is not None:
        part = peaks.value_at(curves["bat"], measure.reference)
        whole = peaks.value_at(curves["total"], measure.reference)
        if part is None or not whole:
            reason = "energy is missing at the reference"
        elif part > whole:
            reason = "the bat is given more energy than the whole"
        else:
            share = part / whole * 100.0
    values.put("KE_share_bat_ref", share, reason)
    drop, reason = None, values.reason("peak_KE_lower")
    lower = measure.peaks.get("KE_lower")
    if lower is not None and measure.reference is not None:
        now = peaks.value_at(curves["lower"], measure.reference)
        if now is not None and lower.index <= measure.reference:
            drop = (lower.value - now) / lower.value * 100.0
        else:
            reason = "the lower half peaks after the reference"
    values.put("KE_lower_drop", drop, reason)


def put_energy_rates(measure: SwingMeasurer) -> None:
    """Measure the fastest rise of kinetic energy of each group, W."""
    curves = measure.swing.energetics.energy
    window = None
    if measure.first_move is not None and measure.reference is not None:
        window = measure.hitter.window(measure.first_move, measure.reference)
    missing = {group: _why_missing(measure, f"KE_{group}") for group in ENERGY_GROUPS}
    wanted = [group for group in ENERGY_GROUPS if missing[group] is None]
    rates: dict[str, FloatArray] = {}
    if wanted:
        block = momentum.energy_rate(
            np.array([curves[group] for group in wanted]).T,
            clock=measure.hitter.clock,
            cutoff_hz=ENERGY_CUTOFF_HZ,
        )
        rates = {group: block[:, place] for place, group in enumerate(wanted)}
    for group in ENERGY_GROUPS:
        reason = missing[group] or measure.missing_event("reference", "first_move")
        fastest: float | None = None
        if reason is None and window is not None:
            extreme = peaks.find_extreme(rates[group], *window)
            fastest = None if extreme is None else extreme[0]
            reason = "energy has gaps in the swing" if extreme is None else None
        measure.values.put(f"KE_rate_max_{group}", fastest, reason)


def put_energy_per_kg(measure: SwingMeasurer) -> None:
    """Set the energy peaks per kilogram of the athlete, J/kg.

    The athlete's mass comes from the profile, else from the file.
    """
    mass = measure.mass_kg or measure.swing.energetics.mass_kg
    for group in ENERGY_GROUPS:
        peak = measure.values.by_id[f"peak_KE_{group}"]
        there = isinstance(peak.value, float)
        reason = None if mass is not None else "the athlete's mass is not known"
        measure.values.put(
            f"KE_per_kg_{group}",
            peak.value / mass
            if isinstance(peak.value, float) and mass is not None
            else None,
            peak.reason if not there or peak.flagged else reason,
            flagged=peak.flagged,
        )
