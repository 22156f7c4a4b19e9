"""The Butterworth filter of second order, without what `scipy.signal` brings along.

Importing that package costs more processor time than the numbers of eight swings, and
every process that reads files would pay it. Of all of it one compiled function is
needed here, which stands in a module of its own, and two formulas.
"""

import math
from collections.abc import Callable
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from biomechanics.analysis_types import FloatArray

_MODULE = "scipy.signal._sigtools"


def _compiled_filter() -> Callable[..., Any]:
    """Return ``f(b, a, values, axis, zi)``, the loop behind `scipy.signal.lfilter`.

    That function itself where SciPy keeps the loop elsewhere.
    """
    folder = Path(scipy.__file__).with_name("signal")
    spec = PathFinder.find_spec(_MODULE, [str(folder)])
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        found: Callable[..., Any] | None = getattr(module, "_linear_filter", None)
        if found is not None:
            return found
    whole: Callable[..., Any] = scipy.signal.lfilter
    return whole


_filter = _compiled_filter()


def design(
    cutoff_hz: float, sampling_rate_hz: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return coefficients b and a of the low-pass, and its state after a long rest.

    Notes
    -----
    To the last bit those of `scipy.signal.butter` and `scipy.signal.lfilter_zi`: poles
    on a circle, moved to the cutoff, and to the unit circle by the bilinear rule.
    """
    warped = 4.0 * float(np.tan(math.pi * (2.0 * cutoff_hz / sampling_rate_hz) / 2.0))
    poles = -np.exp(1j * math.pi * np.array([-1.0, 1.0]) / 4.0) * warped
    gain = warped**2 * np.real(1.0 / np.prod(4.0 - poles))
    b = gain * np.poly(-np.ones(2))
    a = np.real(np.poly((4.0 + poles) / (4.0 - poles)))
    at_rest = np.array([[1.0 + a[1], -1.0], [a[2], 1.0]])
    state: FloatArray = np.linalg.solve(at_rest, b[1:] - a[1:] * b[0])
    return b, a, state


def run(b: FloatArray, a: FloatArray, values: FloatArray, zi: FloatArray) -> FloatArray:
    """Return `values`, shape (m, n), filtered along their rows from a state (m, 2)."""
    answer: FloatArray = _filter(b, a, values, -1, zi)[0]
    return answer
