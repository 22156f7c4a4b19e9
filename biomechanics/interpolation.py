"""Curves through known samples, without what `scipy.interpolate` brings along.

To the last bit those of `scipy.interpolate.PchipInterpolator` and
`scipy.interpolate.CubicSpline`, which load half of SciPy (`biomechanics.compiled`).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from biomechanics.analysis_types import FloatArray
from biomechanics.compiled import compiled


def without_overshoot(
    known_at: npt.ArrayLike, known: FloatArray, wanted_at: npt.ArrayLike
) -> FloatArray:
    """Return samples of the curve that has its turning points at known samples only.

    Parameters
    ----------
    known_at : array_like, shape (n,)
        Rising; n of at least 2.
    known : ndarray, shape (n,) or (n, m)
    wanted_at : array_like, shape (k,)

    Returns
    -------
    ndarray, shape (k,) or (k, m)

    Notes
    -----
    Fritsch and Carlson 1980, with the ends of Moler, Numerical Computing with MATLAB,
    ch. 3.6.
    """
    x = np.asarray(known_at, dtype=np.float64)
    y = np.asarray(known, dtype=np.float64)
    steps = np.diff(x).reshape((-1,) + (1,) * (y.ndim - 1))
    slopes = np.diff(y, axis=0) / steps
    if x.size == 2:
        rates = np.concatenate((slopes, slopes))
    else:
        before, after = slopes[:-1], slopes[1:]
        turns = (np.sign(after) != np.sign(before)) | (after == 0) | (before == 0)
        first = 2 * steps[1:] + steps[:-1]
        second = steps[1:] + 2 * steps[:-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = 1.0 / ((first / before + second / after) / (first + second))
        rates = np.empty_like(y)
        rates[1:-1] = np.where(turns, 0.0, inner)
        rates[0] = _end_rate(steps[0], steps[1], slopes[0], slopes[1])
        rates[-1] = _end_rate(steps[-1], steps[-2], slopes[-1], slopes[-2])
    return _pieces_at(x, y, rates, wanted_at)


def _end_rate(
    near: FloatArray, far: FloatArray, near_slope: FloatArray, far_slope: FloatArray
) -> FloatArray:
    """Return the rate at an end that keeps the shape of the two pieces beside it."""
    rate = ((2 * near + far) * near_slope - near * far_slope) / (near + far)
    turned = np.sign(rate) != np.sign(near_slope)
    steep = (np.sign(near_slope) != np.sign(far_slope)) & (
        np.abs(rate) > 3.0 * np.abs(near_slope)
    )
    answer: FloatArray = np.where(turned, 0.0, np.where(steep, 3.0 * near_slope, rate))
    return answer


def smooth(
    known_at: npt.ArrayLike, known: FloatArray, wanted_at: npt.ArrayLike
) -> FloatArray:
    """Return samples of the curve whose second derivative has no jump.

    Its first two pieces are one polynomial, and so are its last two.

    Parameters
    ----------
    known_at : array_like, shape (n,)
        Rising; n of at least 4.
    known : ndarray, shape (n, m)
    wanted_at : array_like, shape (k,)

    Returns
    -------
    ndarray, shape (k, m)
    """
    x = np.asarray(known_at, dtype=np.float64)
    y = np.asarray(known, dtype=np.float64)
    if x.size < 4:
        raise ValueError(f"A spline needs 4 samples or more, not {x.size}.")
    steps = np.diff(x)
    wide = steps[:, None]
    slopes = np.diff(y, axis=0) / wide
    middle = np.empty(x.size)
    right = np.empty_like(y)
    middle[1:-1] = 2 * (steps[:-1] + steps[1:])
    right[1:-1] = 3 * (wide[1:] * slopes[:-1] + wide[:-1] * slopes[1:])
    first, last = x[2] - x[0], x[-1] - x[-3]
    middle[0], middle[-1] = steps[1], steps[-2]
    above = np.concatenate(([first], steps[:-1]))
    below = np.concatenate((steps[1:], [last]))
    right[0] = (
        (wide[0] + 2 * first) * wide[1] * slopes[0] + wide[0] ** 2 * slopes[1]
    ) / first
    right[-1] = (
        wide[-1] ** 2 * slopes[-2] + (2 * last + wide[-1]) * wide[-2] * slopes[-1]
    ) / last
    *_, rates, failed = _tridiagonal()(below, middle, above, right)
    if failed:
        raise ValueError("The samples do not rise.")
    return _pieces_at(x, y, rates, wanted_at)


@lru_cache(maxsize=1)
def _tridiagonal() -> Callable[..., Any]:
    """Return LAPACK's solver; loaded when first used."""
    found = compiled("scipy.linalg._flapack", "dgtsv")
    whole: Callable[..., Any] = found or scipy.linalg.lapack.dgtsv
    return whole


def _pieces_at(
    x: FloatArray, y: FloatArray, rates: FloatArray, wanted_at: npt.ArrayLike
) -> FloatArray:
    """Return samples of cubic pieces with these values and rates at their joints."""
    at = np.asarray(wanted_at, dtype=np.float64)
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, x.size - 2)
    wide = (slice(None),) + (None,) * (y.ndim - 1)
    steps = (x[piece + 1] - x[piece])[wide]
    slopes = (y[piece + 1] - y[piece]) / steps
    begin, end = rates[piece], rates[piece + 1]
    bend = (begin + end - 2 * slopes) / steps
    third, second = bend / steps, (slopes - begin) / steps - bend
    since = (at - x[piece])[wide]
    # From the lowest power up, as SciPy adds them.
    square = since * since
    answer: FloatArray = y[piece] + begin * since + second * square
    answer = answer + third * (square * since)
    return answer
