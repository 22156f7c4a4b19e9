"""Scatter of an athlete's swings within sessions, and of sessions from day to day.

The average of session j is μ + bⱼ + ε̄ⱼ: bⱼ, how the day differs, has the variance τ²,
and ε̄ⱼ the variance σ²⁄nⱼ of nⱼ swings. σ² is pooled within sessions. τ² is learned from
the differences of neighboring sessions (von Neumann 1941), so that an athlete who
changes over months is not taken for one who scatters. Where an athlete has few
sessions, other athletes of the facility and published studies say the rest
(`Prior`).
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import scipy  # By its parts when first used; see `signals`.

from biomechanics.definitions import METRICS

PUBLISHED_RATIO = 0.5
"""Scatter between days over that within one, where nothing of an athlete is known.

Markerless gait: 0.33 on average, 0.46 at most (7 people in 3 sessions: Kanko et al.
2021, J Biomech 121:110422, angle errors of 2.61° within and 2.75° with sessions), and
up to about 1.1 (22 people: Augustine et al. 2025, PeerJ 13:e18613, under 2° and under
3°). No study of hitters was found, so it weighs as little as `PUBLISHED_FREEDOM` says.
"""
PUBLISHED_FREEDOM = 2.0
"""Degrees of freedom that the published ratio stands for: the studies differ by three
times."""
METRIC_FREEDOM = 15.0
"""Degrees of freedom with which an athlete's other metrics say the ratio of one.

Chosen by simulation (docs/metrics.md): more finds more changes and errs more often
where metrics differ from one another.
"""
MOST_FACILITY_FREEDOM = 30.0
"""Other athletes never say more than so many degrees of freedom."""
LEAST_ATHLETES = 3
"""Other athletes from whom the scatter of a facility is learned."""
PUBLISHED_WITHIN_FREEDOM = 2.0
"""Degrees of freedom of a published standard deviation within a session: the middle
half of 98 hitters lies between 0.7 and 1.4 times the median."""


@dataclass(frozen=True, slots=True)
class SessionValues:
    """One metric of the swings of one session, all on one basis.

    Attributes
    ----------
    place : int
        Place of the session in the athlete's time order; equal for two groups of swings
        of one session.
    n : int
        Swings that have a value; at least 1.
    mean : float
    sd : float or None
        Over n − 1; ``None`` below two swings.
    uncertainty : float or None
        One standard deviation of the measurement of a single swing; for n = 1 alone.
    """

    place: int
    n: int
    mean: float
    sd: float | None = None
    uncertainty: float | None = None


@dataclass(frozen=True, slots=True)
class Components:
    """What one athlete's sessions say of the scatter of one metric on one basis.

    Attributes
    ----------
    within_variance, within_freedom : float
        σ², pooled within sessions; 0 with no freedom.
    means_variance, means_freedom : float
        Variance of session averages, τ² + σ²·`inverse_n`, from the differences of
        neighboring sessions, and the degrees of freedom that these are worth.
    inverse_n : float
        Mean of 1⁄n over the neighboring sessions.
    """

    within_variance: float
    within_freedom: float
    means_variance: float
    means_freedom: float
    inverse_n: float


@dataclass(frozen=True, slots=True)
class Prior:
    """What others say of the scatter of a metric.

    Attributes
    ----------
    within_sd : float or None
        Standard deviation within a session; ``None`` if not known.
    within_freedom : float
        Degrees of freedom that it is worth.
    ratio, ratio_freedom : float
        Scatter between days over that within one, τ⁄σ, and what it is worth.
    source : {'facility', 'published'}
    athletes : int
        Other athletes that it rests on.
    """

    within_sd: float | None
    within_freedom: float
    ratio: float
    ratio_freedom: float
    source: Literal["facility", "published"]
    athletes: int = 0


def pooled_within(sessions: Sequence[SessionValues]) -> tuple[float, float]:
    """Return the variance within sessions and its degrees of freedom.

    Σ(nⱼ−1)·sⱼ² ⁄ Σ(nⱼ−1); (0, 0) where no session has two swings.
    """
    known = [(s.n - 1, s.sd) for s in sessions if s.n >= 2 and s.sd is not None]
    freedom = sum(f for f, _ in known)
    if not freedom:
        return 0.0, 0.0
    return sum(f * sd * sd for f, sd in known) / freedom, float(freedom)


def steps_freedom(steps: int) -> float:
    """Return what differences of neighbors are worth: 2·P² ⁄ (3·P − 1) for P of them.

    The variance of a mean of squared neighboring differences, which share a session
    each (von Neumann et al. 1941, Ann Math Stat 12:153).
    """
    return 2.0 * steps**2 / (3.0 * steps - 1.0) if steps else 0.0


def components(
    sessions: Sequence[SessionValues], *, tested: Collection[int] = ()
) -> Components:
    """Return the scatter within and between one athlete's sessions.

    Parameters
    ----------
    sessions : sequence of SessionValues
        In any order, one metric on one basis.
    tested : collection of int
        Places of sessions that are under test: no difference that leads to one, away
        from one or over one is used.
    """
    within, freedom = pooled_within(sessions)
    squares, inverses = [], []
    ordered = sorted(sessions, key=lambda s: s.place)
    for a, b in pairwise(ordered):
        inside = a.place in tested, b.place in tested
        if a.place == b.place or any(inside):
            continue
        if any(a.place < place < b.place for place in tested):
            continue
        squares.append((b.mean - a.mean) ** 2 / 2.0)
        inverses.append((1.0 / a.n + 1.0 / b.n) / 2.0)
    if not squares:
        return Components(within, freedom, 0.0, 0.0, 0.0)
    return Components(
        within,
        freedom,
        sum(squares) / len(squares),
        steps_freedom(len(squares)),
        sum(inverses) / len(inverses),
    )


def pooled_components(parts: Sequence[Components]) -> Components:
    """Return what several sets of sessions say together, each by what it is worth.

    As of one athlete's setups and sides, whose averages differ and whose scatter does
    not.
    """

    def shared(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
        freedom = sum(of for _, of in pairs)
        if not freedom:
            return 0.0, freedom
        return sum(value * of for value, of in pairs) / freedom, freedom

    within, within_freedom = shared(
        [(part.within_variance, part.within_freedom) for part in parts]
    )
    means, means_freedom = shared(
        [(part.means_variance, part.means_freedom) for part in parts]
    )
    inverse_n, _ = shared([(part.inverse_n, part.means_freedom) for part in parts])
    return Components(within, within_freedom, means, means_freedom, inverse_n)


def published_prior(metric_id: str) -> Prior:
    """Return what is published of a metric's scatter.

    Raises
    ------
    KeyError
        There is no such metric.
    """
    sd = METRICS[metric_id].published_sd
    return Prior(
        sd,
        PUBLISHED_WITHIN_FREEDOM if sd is not None else 0.0,
        PUBLISHED_RATIO,
        PUBLISHED_FREEDOM,
        "published",
    )


def facility_prior(metric_id: str, others: Sequence[Components]) -> Prior:
    """Return what the facility's other athletes say of a metric's scatter.

    Empirical Bayes after Smyth (2004, Stat Appl Genet Mol Biol 3:3): variances of
    athletes follow a scaled inverse χ², whose degrees of freedom come from how the
    logarithms scatter beyond chance.

    Parameters
    ----------
    metric_id : str
    others : sequence of Components
        One of each athlete, on the same basis, without the athlete who is looked at.

    Returns
    -------
    Prior
        The published one where fewer than `LEAST_ATHLETES` say anything.
    """
    published = published_prior(metric_id)
    within = [c for c in others if c.within_freedom >= 1 and c.within_variance > 0]
    if len(within) < LEAST_ATHLETES:
        return published
    scale, within_freedom = fitted_scale(
        [c.within_variance for c in within], [c.within_freedom for c in within]
    )
    ratios = [c for c in within if c.means_freedom > 0]
    ratio, freedom = published.ratio, published.ratio_freedom
    if len(ratios) >= LEAST_ATHLETES:
        f = np.array([c.means_freedom for c in ratios])
        means = np.array([c.means_variance / c.within_variance for c in ratios])
        inverse_n = np.array([c.inverse_n for c in ratios])
        # The published ratio counts as one athlete more.
        surplus = float((f * (means - inverse_n)).sum()) + freedom * ratio**2
        squared = max(surplus / (float(f.sum()) + freedom), 0.0)
        _, dispersion = fitted_scale(
            list(means / (squared + inverse_n)), [float(one) for one in f]
        )
        ratio = math.sqrt(squared)
        freedom = max(dispersion, freedom)
    return Prior(
        math.sqrt(scale), within_freedom, ratio, freedom, "facility", len(within)
    )


def fitted_scale(
    variances: Sequence[float], freedoms: Sequence[float]
) -> tuple[float, float]:
    """Return the scale and the degrees of freedom of a scaled inverse χ².

    Moments of log s² (Smyth 2004, section 6.2): its scatter beyond ψ′(f⁄2) is ψ′(d⁄2)
    for d degrees of freedom of the prior, here at most `MOST_FACILITY_FREEDOM`.

    Parameters
    ----------
    variances, freedoms : sequence of float
        Of at least two athletes, positive.
    """
    s2, f = np.array(variances), np.array(freedoms)
    s2 = np.maximum(s2, 1e-5 * np.median(s2))
    e = np.log(s2) - scipy.special.digamma(f / 2) + np.log(f / 2)
    weight = 1.0 / scipy.special.polygamma(1, f / 2)
    center = float((weight * e).sum() / weight.sum())
    surplus = float(e.var(ddof=1) - scipy.special.polygamma(1, f / 2).mean())
    d = inverse_trigamma(surplus) * 2.0 if surplus > 0 else math.inf
    d = min(d, MOST_FACILITY_FREEDOM)
    center += float(scipy.special.digamma(d / 2) - math.log(d / 2))
    return math.exp(center), d


def inverse_trigamma(value: float) -> float:
    """Return y with ψ′(y) = `value`, by Newton on 1⁄ψ′, which is nearly straight.

    Raises
    ------
    ValueError
        `value` is not positive.
    """
    if not value > 0.0:
        raise ValueError(f"The trigamma function is positive, never {value}.")
    y = 0.5 + 1.0 / value
    for _ in range(50):
        trigamma = float(scipy.special.polygamma(1, y))
        step = trigamma * (1.0 - trigamma / value)
        step /= float(scipy.special.polygamma(2, y))
        y += step
        if abs(step) < 1e-9 * y:
            break
    return y
