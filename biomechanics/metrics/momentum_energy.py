"""Angular momentum and kinetic energy."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from biomechanics import momentum as momentum_tools
from biomechanics import peaks
from biomechanics.analysis_types import FloatArray
from biomechanics.metrics.measure import Taker
from biomechanics.motion import ENERGY_CUTOFF_HZ
from biomechanics.observed_swing import AFTER_HAND_PEAK_S


def _window(take: Taker) -> tuple[int, int] | None:
    if take.fm is None or take.ref is None:
        return None
    return take.r.window(take.fm, take.ref + AFTER_HAND_PEAK_S * take.r.rate_hz)


def _why_missing(take: Taker, key: str) -> str | None:
    if key.endswith("_bat") and take.r.bat_reason is not None:
        hidden = momentum_tools.bat_out_of_range
        anchor = take.r.position("peak_hand_speed")
        if anchor is not None:
            rate = take.r.rate_hz
            found = hidden(
                take.r.energetics,
                low=math.floor(anchor - 0.2 * rate),
                high=math.ceil(anchor + 0.1 * rate),
            )
            if found is not None:
                return found
    return take.r.energetics.missing.get(key)


def _peaks(
    take: Taker, kind: str, groups: Sequence[str], series: Callable[[str], FloatArray]
) -> None:
    window = _window(take)
    for group in groups:
        key = f"{kind}_{group}"
        reason = _why_missing(take, key)
        take.peak(
            key,
            f"peak_{key}",
            f"t_peak_{key}",
            take.r.pelvis_rate if reason else series(group),
            window,
            (),
            reason=reason,
        )


def momentum(take: Taker) -> None:
    """Angular momentum."""
    values = take.r.energetics.momentum
    groups = ("pelvis", "torso", "arms", "bat")
    _peaks(take, "L", groups, lambda group: values[group])
    for metric, top, bottom in (
        ("L_ratio_torso_pelvis", "torso", "pelvis"),
        ("L_ratio_arms_torso", "arms", "torso"),
        ("L_ratio_bat_arms", "bat", "arms"),
    ):
        take.ratio(metric, f"peak_L_{top}", f"peak_L_{bottom}")
    lost = next(
        (
            reason
            for group in groups
            if (reason := _why_missing(take, f"L_{group}")) is not None
        ),
        None,
    )
    for group in groups:
        found = take.peaks.get(f"L_{group}")
        share, reason = None, lost or take.sheet.reason(f"peak_L_{group}")
        if reason is None and found is not None:
            parts = [float(values[name][found.index]) for name in groups]
            total = sum(parts)
            share = (
                float(values[group][found.index]) / total * 100.0
                if math.isfinite(total) and total > 0
                else None
            )
        take.sheet.put(f"L_share_{group}", share, reason)


def energy(take: Taker) -> None:
    """Kinetic energy."""
    r, sheet = take.r, take.sheet
    values = r.energetics.energy
    groups = ("lower", "torso", "arms", "bat", "total")
    _peaks(take, "KE", groups, lambda group: values[group])
    for metric, top, bottom in (
        ("KE_ratio_torso_lower", "torso", "lower"),
        ("KE_ratio_arms_torso", "arms", "torso"),
        ("KE_ratio_bat_arms", "bat", "arms"),
    ):
        take.ratio(metric, f"peak_KE_{top}", f"peak_KE_{bottom}")
    share = None
    reason = (
        _why_missing(take, "KE_bat")
        or _why_missing(take, "KE_total")
        or take.missing_event("reference")
    )
    if reason is None and take.ref is not None:
        part = peaks.value_at(values["bat"], take.ref)
        whole = peaks.value_at(values["total"], take.ref)
        if part is None or not whole:
            reason = "energy is missing at the reference"
        elif part > whole:
            reason = "the bat is given more energy than the whole"
        else:
            share = part / whole * 100.0
    sheet.put("KE_share_bat_ref", share, reason)
    window = None
    if take.fm is not None and take.ref is not None:
        window = r.window(take.fm, take.ref)
    wanted = [group for group in groups if _why_missing(take, f"KE_{group}") is None]
    rates: dict[str, FloatArray] = {}
    if wanted:
        block = momentum_tools.energy_rate(
            np.array([values[group] for group in wanted]).T,
            clock=r.clock,
            cutoff_hz=ENERGY_CUTOFF_HZ,
        )
        rates = {group: block[:, place] for place, group in enumerate(wanted)}
    mass = take.mass_kg or r.energetics.mass_kg
    for group in groups:
        reason = _why_missing(take, f"KE_{group}") or take.missing_event(
            "reference", "first_move"
        )
        fastest: float | None = None
        if reason is None and window is not None:
            extreme = peaks.find_extreme(rates[group], *window)
            fastest = None if extreme is None else extreme[0]
            reason = "energy has gaps in the swing" if extreme is None else None
        sheet.put(f"KE_rate_max_{group}", fastest, reason)
        peak = sheet.values[f"peak_KE_{group}"]
        sheet.put(
            f"KE_per_kg_{group}",
            None
            if not isinstance(peak.value, float) or mass is None
            else peak.value / mass,
            peak.reason
            if not isinstance(peak.value, float) or peak.flagged
            else None
            if mass is not None
            else "the athlete's mass is not known",
            flagged=peak.flagged,
        )
    drop, reason = None, sheet.reason("peak_KE_lower")
    lower = take.peaks.get("KE_lower")
    if lower is not None and take.ref is not None:
        now = peaks.value_at(values["lower"], take.ref)
        if now is not None and lower.index <= take.ref:
            drop = (lower.value - now) / lower.value * 100.0
        else:
            reason = "the lower half peaks after the reference"
    sheet.put("KE_lower_drop", drop, reason)
