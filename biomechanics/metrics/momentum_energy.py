"""Measure angular momentum and kinetic energy."""

import math
from collections.abc import Mapping

import numpy as np

from biomechanics import momentum, peaks, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.definitions import METRICS
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.motion import ENERGY_CUTOFF_HZ

Groups = tuple[str, ...]
MOMENTUM_GROUPS: Groups = ("pelvis", "torso", "arms", "bat")
NO_IMPACT = ("hand_peak", "bat_peak")
"""Rules of a reference that is no impact: nothing stops a curve there."""
SURELY_BEFORE = 2.0
"""So many standard deviations of the impact a sample lies before it, or is left out;
not more than a frame."""
ENERGY_GROUPS: Groups = ("lower", "torso", "arms", "bat", "total")
LEFT_BY_FILTER = {"lower": 1.1, "torso": 1.1, "arms": 1.6, "bat": 1.1, "total": 0.5}
"""What a filter takes off the fastest gain of energy, by what it takes off once more:
1.4 to 1.8 of the arms of invented swings, whoever the hitter is."""


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


def _last_sample(measure: SwingMeasurer) -> int | None:
    """Return the last sample before an impact, ``None`` when none is known.

    The sample after it has met the ball: a filter would carry that back. One so near
    to it that it may have is none before it.
    """
    reference = measure.reference
    if reference is None or measure.swing.events.reference_rule in NO_IMPACT:
        return None
    error = measure.swing.events.error_s("reference") * measure.hitter.rate_hz
    return math.floor(reference - min(SURELY_BEFORE * error, 1.0))


def _smoothed(
    measure: SwingMeasurer, curves: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """Return curves after a low-pass that stops at a known impact."""
    if not curves:
        return {}
    block = momentum.smoothed(
        np.array(list(curves.values())).T,
        clock=measure.hitter.clock,
        cutoff_hz=ENERGY_CUTOFF_HZ,
        last=_last_sample(measure),
    )
    return {name: block[:, place] for place, name in enumerate(curves)}


def _put_peaks(
    measure: SwingMeasurer,
    kind: str,
    curves: Mapping[str, FloatArray],
    delivered: Mapping[str, FloatArray],
    groups: Groups,
) -> None:
    """Set value and time of the peak of each group, `kind` being ``L`` or ``KE``."""
    window, last = measure.bat_window(), _last_sample(measure)
    if window is not None and last is not None:
        window = window[0], min(window[1], last)
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
            limit=last,
            open_end=last is not None,
            reason=reason,
        )
        found = measure.peaks.get(key)
        if found is not None and found.index == last:
            # A filter does not know how a curve that ends at its top goes on.
            left = abs(float(curves[group][last] - delivered[group][last]))
            measure.values.add_variance(f"peak_{key}", left)


def put_momentum(measure: SwingMeasurer) -> None:
    """Measure peaks of angular momentum in kg·m²/s, and their ratios."""
    curves = _smoothed(measure, measure.swing.energetics.momentum)
    _put_peaks(measure, "L", curves, measure.swing.energetics.momentum, MOMENTUM_GROUPS)
    for metric, top, bottom in (
        ("L_ratio_torso_pelvis", "torso", "pelvis"),
        ("L_ratio_arms_torso", "arms", "torso"),
        ("L_ratio_bat_arms", "bat", "arms"),
    ):
        measure.put_ratio(metric, f"peak_L_{top}", f"peak_L_{bottom}")


def put_energy(measure: SwingMeasurer) -> None:
    """Measure peaks of kinetic energy in J, their ratios, and the lower half's drop."""
    values = measure.values
    curves = _smoothed(measure, measure.swing.energetics.energy)
    _put_peaks(measure, "KE", curves, measure.swing.energetics.energy, ENERGY_GROUPS)
    for metric, top, bottom in (
        ("KE_ratio_arms_torso", "arms", "torso"),
        ("KE_ratio_bat_arms", "bat", "arms"),
    ):
        measure.put_ratio(metric, f"peak_KE_{top}", f"peak_KE_{bottom}")
    drop, reason = None, values.reason("peak_KE_lower")
    lower = measure.peaks.get("KE_lower")
    if lower is not None and measure.reference is not None:
        last = _last_sample(measure)
        end = measure.reference if last is None else min(measure.reference, last)
        now = peaks.value_at(curves["lower"], end)
        if now is not None and lower.index <= measure.reference:
            drop = (lower.value - now) / lower.value * 100.0
        else:
            reason = "the lower half peaks after contact"
    values.put("KE_lower_drop", drop, reason)
    if lower is not None:
        measure.add_event_error(
            "KE_lower_drop", curves["lower"] / lower.value * 100.0, "reference"
        )


def put_energy_rates(measure: SwingMeasurer) -> None:
    """Measure the fastest rise of kinetic energy of each group, W."""
    curves = _smoothed(measure, measure.swing.energetics.energy)
    last = _last_sample(measure)
    # Beyond an impact there is no curve, and a difference would reach for it.
    size = None if last is None else last + 1
    window = None
    if measure.first_move is not None and measure.reference is not None:
        window = measure.hitter.window(measure.first_move, measure.reference)
        if last is not None:
            window = window[0], min(window[1], last)
    rate_hz = measure.hitter.rate_hz
    rates, rates_of_twice = (
        {
            group: signals.derivative(curve[:size], sampling_rate_hz=rate_hz)
            for group, curve in some.items()
        }
        for some in (curves, _smoothed(measure, curves))
    )
    for group in ENERGY_GROUPS:
        reason = _why_missing(measure, f"KE_{group}")
        reason = reason or measure.missing_event("reference", "first_move")
        fastest: float | None = None
        if reason is None and window is not None:
            extreme = peaks.find_extreme(rates[group], *window)
            fastest = None if extreme is None else extreme[0]
            if extreme is not None:
                at = round(extreme[1])
                left = abs(float(rates[group][at] - rates_of_twice[group][at]))
                measure.values.add_variance(
                    f"KE_rate_max_{group}", LEFT_BY_FILTER[group] * left
                )
            reason = "energy has gaps in the swing" if extreme is None else None
        measure.values.put(f"KE_rate_max_{group}", fastest, reason)


def put_energy_per_kg(measure: SwingMeasurer) -> None:
    """Set the energy peaks per kilogram of the athlete, J/kg.

    The athlete's mass is the one that made the energies, of the file; else that of the
    profile.
    """
    mass = measure.swing.energetics.mass_kg or measure.mass_kg
    for group in ENERGY_GROUPS:
        if METRICS[f"KE_per_kg_{group}"].retired:
            continue
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
        if mass is not None:
            known = math.sqrt(measure.values.variance.get(f"peak_KE_{group}", 0.0))
            measure.values.add_variance(f"KE_per_kg_{group}", known / mass)
