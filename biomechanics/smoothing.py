"""Tell whether points were smoothed before they were delivered.

A residual analysis (Winter 2009, Biomechanics and Motor Control of Human Movement, 4th
edition, section 3.4.4.3): what a low-pass filter takes off the points, against its
cutoff. White noise gives a curve whose end is straight; where that line meets a cutoff
of zero stands the noise. Points that were smoothed before leave nothing to take off
above some frequency.
"""

import numpy as np

from biomechanics.analysis_types import Finding, FloatArray
from biomechanics.motion import Motion
from biomechanics.points import PLACES

LEAST_SAMPLES = 64
STRAIGHT = (0.35, 0.75)
"""The end of the curve that is straight, in shares of half the frame rate."""
NOTHING_M = 0.0001
"""So much of a coordinate is nothing: less than any camera resolves."""
SMOOTHED_BELOW = 0.8
"""Points that hold nothing above this share of half the frame rate were smoothed, or
have next to no noise."""
_JOINTS = tuple(
    side + joint
    for joint in ("hjc", "sjc", "ejc", "wjc", "kjc", "ajc")
    for side in "lr"
)
_LOWEST_HZ = 2.0
_CUTOFFS = 40
_TWO_PASSES = (np.sqrt(2.0) - 1.0) ** 0.25


def residual_analysis(
    values: FloatArray, *, sampling_rate_hz: float
) -> tuple[float, float, float] | None:
    """Return noise, Winter's cutoff, and above what frequency nothing is left.

    Parameters
    ----------
    values : ndarray, shape (n, m)
        Coordinates in meters; columns with gaps are left out.

    Returns
    -------
    (float, float, float) or None
        Meters and Hz; ``None`` where too little is known.

    Notes
    -----
    What a zero-lag Butterworth filter of fourth order takes off at each cutoff is read
    from the spectrum: one transform does for all of them.
    """
    values = values[:, np.isfinite(values).all(axis=0)]
    if values.shape[0] < LEAST_SAMPLES or values.shape[1] == 0:
        return None
    half = 0.5 * sampling_rate_hz
    frequency, power = _spectrum(values, sampling_rate_hz)
    cutoffs = np.linspace(1.0, STRAIGHT[1] * half, _CUTOFFS)
    bent = np.tan(np.pi * np.minimum(frequency / sampling_rate_hz, 0.4999))
    limit = np.tan(np.pi * cutoffs / sampling_rate_hz) / _TWO_PASSES
    # 1 less what is kept of an amplitude, squared.
    fourth = (bent[None, :] / limit[:, None]) ** 2
    fourth *= fourth
    taken = fourth / (1.0 + fourth)
    left = np.sqrt((taken * taken) @ power)
    end = cutoffs >= STRAIGHT[0] * half
    noise = max(float(np.polyfit(cutoffs[end], left[end], 1)[1]), 0.0)
    reached = np.flatnonzero(left <= noise)
    above = np.sqrt(np.cumsum(power[::-1])[::-1])
    nothing = np.flatnonzero(above < NOTHING_M)
    return (
        noise,
        float(cutoffs[reached[0]]) if reached.size else half,
        float(frequency[nothing[0]]) if nothing.size else half,
    )


def _spectrum(
    values: FloatArray, sampling_rate_hz: float
) -> tuple[FloatArray, FloatArray]:
    """Return frequencies and the variance of a coordinate at each.

    Of second differences under a Hann window, so that a clip that ends elsewhere than
    it began adds nothing; below `_LOWEST_HZ` nothing is told.
    """
    second = np.diff(values, n=2, axis=0)
    window = np.hanning(second.shape[0])
    rows = np.ascontiguousarray((second * window[:, None]).T)
    found = np.fft.rfft(rows, axis=1)
    squares = (found.real**2 + found.imag**2).mean(axis=0)
    frequency = np.fft.rfftfreq(second.shape[0], 1.0 / sampling_rate_hz)
    gain = (2.0 - 2.0 * np.cos(2.0 * np.pi * frequency / sampling_rate_hz)) ** 2
    told = frequency >= _LOWEST_HZ
    scale = 2.0 / (second.shape[0] * float((window**2).sum()))
    power: FloatArray = scale * squares[told] / gain[told]
    return np.asarray(frequency[told], dtype=np.float64), power


def find_smoothing(motion: Motion) -> Finding:
    """Return whether body and bat were smoothed before delivery, with the evidence."""
    if motion.scale is None or motion.clock.row_times_s is not None:
        return Finding(
            None,
            "Whether the points were smoothed before delivery can't be told without "
            + ("a length unit." if motion.scale is None else "a steady clock."),
        )
    body = motion.raw.values[:, [PLACES[name] for name in _JOINTS]]
    found = _of(body, motion)
    if found is None:
        return Finding(
            None, "The clip is too short, or has too many gaps, to tell smoothing."
        )
    evidence = _evidence(found)
    if motion.bat is not None:
        of_bat = _of(np.stack((motion.bat.knob, motion.bat.end), axis=1), motion)
        if of_bat is not None:
            evidence |= {
                f"bat_{name}": value for name, value in _evidence(of_bat).items()
            }
    noise, _, nothing_above = found
    if nothing_above < SMOOTHED_BELOW * 0.5 * motion.rate_hz:
        return Finding(
            True,
            f"Above {nothing_above:.0f} Hz the joints move less than 0.1 mm: they were "
            "smoothed before delivery, or measured with next to no noise.",
            evidence,
        )
    return Finding(
        False,
        f"The joints carry {noise * 1000.0:.1f} mm of noise up to the highest "
        "frequency: they were not smoothed before delivery, or only lightly.",
        evidence,
    )


def _of(points: FloatArray, motion: Motion) -> tuple[float, float, float] | None:
    return residual_analysis(
        points.reshape(points.shape[0], -1), sampling_rate_hz=motion.rate_hz
    )


def _evidence(found: tuple[float, float, float]) -> dict[str, float]:
    noise, cutoff, nothing_above = found
    return {
        "noise_mm": round(noise * 1000.0, 2),
        "winter_cutoff_hz": round(cutoff, 0),
        "under_0.1_mm_above_hz": round(nothing_above, 0),
    }
