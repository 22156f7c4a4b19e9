"""Tell whether a change is larger than the athlete's own swing-to-swing scatter."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from biomechanics.definitions import METRICS

LEAST_SESSIONS = 3
"""Fewer sessions of an athlete give no scatter of their own."""
Z_95 = 1.96
"""Standard errors on each side that hold 95 % of normal scatter."""


@dataclass(frozen=True, slots=True)
class Scatter:
    """Scatter of one athlete inside a session.

    Attributes
    ----------
    sd : float
    source : {'own', 'published'}
        ``published`` until there are three sessions: `MetricDefinition.published_sd`.
    sessions, freedom : int
        Sessions pooled and their degrees of freedom; 0 when published.
    """

    sd: float
    source: Literal["own", "published"]
    sessions: int
    freedom: int


@dataclass(frozen=True, slots=True)
class Change:
    """Difference between two sets of swings.

    Attributes
    ----------
    delta : float or None
        Mean of B minus mean of A, in the metric's unit.
    smallest : float or None
        Smallest detectable change. A lower bound: scatter between days is not in it.
    verdict : {'real', 'no_clear_change', 'unknown'}
    reason : str
        One plain sentence.
    """

    delta: float | None
    smallest: float | None
    verdict: Literal["real", "no_clear_change", "unknown"]
    reason: str
    n_a: int
    n_b: int
    scatter: Scatter | None


def _finite(values: Sequence[float | None]) -> list[float]:
    """Return the values that are numbers."""
    return [v for v in values if v is not None and math.isfinite(v)]


def pooled_sd(
    sessions: Sequence[Sequence[float | None]],
) -> tuple[float, int, int] | None:
    """Return the scatter inside sessions, pooled over them.

    Parameters
    ----------
    sessions : sequence of sequences of float or None
        Values of one metric, one sequence for each session.

    Returns
    -------
    (sd, sessions, freedom) or None
        √(Σ(nᵢ−1)·sᵢ² ⁄ Σ(nᵢ−1)) over sessions with two or more values; ``None``
        without any.
    """
    spreads = []
    for session in sessions:
        numbers = np.array(_finite(session))
        if numbers.size >= 2:
            spreads.append((float(numbers.std(ddof=1)), int(numbers.size)))
    return pooled_spreads(spreads)


def pooled_spreads(
    spreads: Sequence[tuple[float, int]],
) -> tuple[float, int, int] | None:
    """Return scatter inside sessions, pooled from ``(sd, n)`` of each session.

    Sessions of one swing say nothing and are left out.

    Returns
    -------
    (sd, sessions, freedom) or None
        See `pooled_sd`.
    """
    known = [(sd, n) for sd, n in spreads if n >= 2]
    freedom = sum(n - 1 for _, n in known)
    if freedom == 0:
        return None
    squares = sum((n - 1) * sd**2 for sd, n in known)
    return math.sqrt(squares / freedom), len(known), freedom


def scatter_of(
    metric_id: str, sessions: Sequence[Sequence[float | None]]
) -> Scatter | None:
    """Return the athlete's own scatter, else the published one, else ``None``.

    Parameters
    ----------
    metric_id : str
        A key of `definitions.METRICS`.
    sessions : sequence of sequences of float or None
        All sessions of the athlete that may be pooled: same source of data, same
        reference rule, same method version.
    """
    return _own_or_published(metric_id, pooled_sd(sessions))


def scatter_of_spreads(
    metric_id: str, spreads: Sequence[tuple[float, int]]
) -> Scatter | None:
    """Return the athlete's scatter from ``(sd, n)`` of each session, or ``None``.

    See `scatter_of`.
    """
    return _own_or_published(metric_id, pooled_spreads(spreads))


def _own_or_published(
    metric_id: str, own: tuple[float, int, int] | None
) -> Scatter | None:
    """Return `own` scatter if it rests on enough sessions, else the published one."""
    if own is not None and own[1] >= LEAST_SESSIONS:
        return Scatter(own[0], "own", own[1], own[2])
    published = METRICS[metric_id].published_sd
    return None if published is None else Scatter(published, "published", 0, 0)


def smallest_detectable_change(sd: float, *, n_a: int, n_b: int) -> float:
    """Return the smallest difference of two means that is clear.

    1.96·√(s²/n_A + s²/n_B), in the unit of `sd`.

    Raises
    ------
    ValueError
        A count under 1 or a negative scatter.
    """
    if n_a < 1 or n_b < 1 or not sd >= 0.0:
        raise ValueError(
            f"sd must not be negative ({sd}), and both n at least 1 ({n_a}, {n_b})."
        )
    return Z_95 * math.sqrt(sd**2 / n_a + sd**2 / n_b)


def is_real(delta: float, smallest: float) -> bool:
    """Return whether a difference is larger than the scatter explains.

    No difference at all is none, also where the scatter is zero.
    """
    return abs(delta) >= smallest and delta != 0.0


def compare(
    metric_id: str,
    a: Sequence[float | None],
    b: Sequence[float | None],
    *,
    sessions: Sequence[Sequence[float | None]],
) -> Change:
    """Return whether B differs from A by more than the scatter explains.

    Parameters
    ----------
    metric_id : str
    a, b : sequence of float or None
        Values of the swings of both sides.
    sessions : sequence of sequences of float or None
        The athlete's sessions, for the scatter; see `scatter_of`.
    """
    first, second = _finite(a), _finite(b)
    if not first or not second:
        return Change(
            None,
            None,
            "unknown",
            "One side has no value.",
            len(first),
            len(second),
            None,
        )
    delta = float(np.mean(second)) - float(np.mean(first))
    scatter = scatter_of(metric_id, sessions)
    if scatter is None:
        return Change(
            delta,
            None,
            "unknown",
            f"The athlete's scatter is not known yet: {LEAST_SESSIONS} sessions with "
            "two or more swings are needed.",
            len(first),
            len(second),
            None,
        )
    smallest = smallest_detectable_change(scatter.sd, n_a=len(first), n_b=len(second))
    real = is_real(delta, smallest)
    return Change(
        delta,
        smallest,
        "real" if real else "no_clear_change",
        "The difference is larger than swing-to-swing scatter explains."
        if real
        else "The difference is inside swing-to-swing scatter.",
        len(first),
        len(second),
        scatter,
    )
