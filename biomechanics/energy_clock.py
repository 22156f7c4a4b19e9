"""Check that the file of momentum and energy runs on the clock of the points.

Both describe one body. The energy of the arms follows from the speed of their points,
so the delivered curve and that one lie on each other within a millisecond or two once
the clocks do. Where the arms are not there, trunk and pelvis tell more coarsely: they
carry most angular momentum when they turn fastest.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from biomechanics import signals
from biomechanics.analysis_types import FloatArray
from biomechanics.kinematics import TurnRates

SEARCHED_S = 0.080
AROUND_ANCHOR_S = (-0.45, 0.10)
LEAST_LIKENESS = 0.8
"""Curves less alike at their best (correlation) say nothing of the clocks."""
VENDOR_LAG_S = 0.010
"""Zeros of the vendor's own clock in both files lie closer than this (choice)."""
CURVE_LAG_S = (-0.004, 0.015)
"""Lags of curves of one clock, besides half a frame: momentum holds translation as
well, and on invented swings it comes up to 13 ms later than the turn, never before."""
ARMS_LIKENESS = 0.97
ARMS_LAG_S, ARMS_LAG_FRAMES = 0.0035, 0.25
"""Lag of the arms' energy on one clock: up to 1.5 ms in invented swings."""


@dataclass(frozen=True, slots=True)
class EnergyClock:
    """How the clock of momentum and energy runs against that of the points.

    Attributes
    ----------
    lag_s : float or None
        Positive: momentum and energy come late; ``None``: nothing could be told.
    fault : str or None
        What is wrong, as the end of a sentence.
    """

    lag_s: float | None
    fault: str | None


def check_energy_clock(
    rates: TurnRates,
    momentum: Mapping[str, FloatArray],
    *,
    arms: tuple[FloatArray, FloatArray] | None,
    anchor: float,
    sampling_rate_hz: float,
    zeros_s: tuple[float | None, float | None],
) -> EnergyClock:
    """Return how far the two clocks are apart, and whether that is too far.

    Parameters
    ----------
    rates : TurnRates
    momentum : mapping of str to ndarray, shape (n,)
        Of ``pelvis`` and ``torso``, on the clock of the points.
    arms : (ndarray, ndarray), each of shape (n,), or None
        Energy of the arms by their points (`segments.arms_energy`) and as delivered.
    anchor : float
        Sample of the fastest moment.
    zeros_s : (float or None, float or None)
        The vendor's peak hand speed by the columns of each file alone: points, energy.
    """
    points_s, energy_s = zeros_s
    if points_s is not None and energy_s is not None:
        lag_s = energy_s - points_s
        if abs(lag_s) > max(VENDOR_LAG_S, 1.5 / sampling_rate_hz):
            return EnergyClock(lag_s, _late(lag_s, "by Reboot Motion's own clock"))
    if arms is not None:
        lag = _best_lag(
            [arms],
            anchor=anchor,
            sampling_rate_hz=sampling_rate_hz,
            likeness=ARMS_LIKENESS,
        )
        if lag is not None:
            most = ARMS_LAG_S + ARMS_LAG_FRAMES / sampling_rate_hz
            fault = None
            if abs(lag) > most:
                fault = _late(lag, "compared with the speed of the arms")
            return EnergyClock(lag, fault)
    pairs = (
        (rate, momentum[name])
        for name, rate in (("pelvis", rates.pelvis), ("torso", rates.torso))
        if name in momentum
    )
    lag = _best_lag(
        pairs,
        anchor=anchor,
        sampling_rate_hz=sampling_rate_hz,
        likeness=LEAST_LIKENESS,
    )
    half_frame = 0.5 / sampling_rate_hz
    if lag is None or CURVE_LAG_S[0] - half_frame <= lag <= CURVE_LAG_S[1] + half_frame:
        return EnergyClock(lag, None)
    against = "compared with the rotation of pelvis and torso"
    return EnergyClock(lag, _late(lag, against))


def _late(lag_s: float, against: str) -> str:
    """Return in words how far the file of energies is off."""
    return (
        f"the momentum and energy file runs {abs(lag_s) * 1000:.0f} ms "
        f"{'late' if lag_s > 0 else 'early'} {against}"
    )


def _best_lag(
    pairs: Iterable[tuple[FloatArray, FloatArray]],
    *,
    anchor: float,
    sampling_rate_hz: float,
    likeness: float,
) -> float | None:
    """Return by how many seconds the second curves follow the first ones.

    Between frames too. ``None`` when they are not as alike as `likeness` at any lag.
    """
    reach = math.ceil(SEARCHED_S * sampling_rate_hz)
    start = max(math.floor(anchor + AROUND_ANCHOR_S[0] * sampling_rate_hz), reach)
    end = math.ceil(anchor + AROUND_ANCHOR_S[1] * sampling_rate_hz)
    lags = np.arange(-reach, reach + 1)
    total, count = np.zeros(lags.size), 0
    for rate, size in pairs:
        stop = min(end, rate.size - reach)
        if stop - start < 2 * reach:
            continue
        turn = np.maximum(rate[start:stop], 0.0)
        rows = np.lib.stride_tricks.sliding_window_view(
            size[start - reach : stop + reach], turn.size
        )
        if not (np.isfinite(turn).all() and np.isfinite(rows).all()):
            continue
        turn = turn - signals.mean(turn)
        rows = rows - rows.mean(axis=1, keepdims=True)
        scale = np.sqrt((turn @ turn) * np.einsum("ij,ij->i", rows, rows))
        if not (scale > 0.0).all():
            continue
        total += rows @ turn / scale
        count += 1
    if count == 0 or total.max() < likeness * count:
        return None
    top = int(total.argmax())
    place = float(lags[top])
    if 0 < top < lags.size - 1:
        before, here, after = (float(total[top + i]) for i in (-1, 0, 1))
        bend = before - 2.0 * here + after
        if bend < 0.0:
            place += 0.5 * (before - after) / bend
    return place / sampling_rate_hz
