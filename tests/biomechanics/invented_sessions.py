"""Sessions of invented athletes with a known scatter within and between them."""

from dataclasses import dataclass, replace

import numpy as np

from biomechanics.change import BASELINE_SESSIONS, Look, changes
from biomechanics.definitions import NUMERIC_HEADLINES
from biomechanics.variance import (
    Prior,
    SessionValues,
    components,
    facility_prior,
)

#: Without a published standard deviation, so that nothing is known beforehand.
METRIC_IDS = NUMERIC_HEADLINES
CORRELATED = 0.3
WITHIN_SD = 10.0


@dataclass(frozen=True)
class Case:
    """How sessions are drawn; scatter and changes in units of the SD within sessions.

    `ratio` is the scatter between days, of all metrics or of each; `others` are other
    athletes of the facility, with as many sessions.
    """

    ratio: float | tuple[float, ...]
    sessions: int = 6
    swings: tuple[int, int] = (5, 12)
    missing: float = 0.0
    shift: float = 0.0
    trend: float = 0.0
    heavy_tails: bool = False
    others: int = 0


def draw_athlete(rng: np.random.Generator, case: Case) -> list[list[SessionValues]]:
    """Return the sessions of each metric, oldest first; the first metric is shifted."""
    many = len(METRIC_IDS)
    mixed = np.full((many, many), CORRELATED) + (1 - CORRELATED) * np.eye(many)
    root = np.linalg.cholesky(mixed)
    ratio = np.broadcast_to(case.ratio, many)
    found: list[list[SessionValues]] = [[] for _ in METRIC_IDS]
    for place in range(case.sessions):
        n = int(rng.integers(case.swings[0], case.swings[1] + 1))
        day = ratio * (root @ rng.standard_normal(many)) + case.trend * place
        if place == case.sessions - 1:
            day[0] += case.shift
        swings = rng.standard_normal((n, many)) @ root.T
        if case.heavy_tails:
            # Student's t with 4 degrees of freedom, of the same variance.
            swings *= np.sqrt(2.0 / rng.chisquare(4, (n, 1)))
        values = 100.0 + WITHIN_SD * (day + swings)
        lost = rng.random((n, many)) < case.missing
        for k in range(many):
            here = values[~lost[:, k], k]
            if here.size:
                sd = float(here.std(ddof=1)) if here.size > 1 else None
                found[k].append(SessionValues(place, here.size, float(here.mean()), sd))
    return found


def priors_of(rng: np.random.Generator, case: Case) -> list[Prior | None]:
    """Return what other athletes of a facility say of each metric."""
    if not case.others:
        return [None] * len(METRIC_IDS)
    others = replace(case, shift=0.0)
    people = [draw_athlete(rng, others) for _ in range(case.others)]
    return [
        facility_prior(name, [components(person[k]) for person in people])
        for k, name in enumerate(METRIC_IDS)
    ]


def looks_of(
    athlete: list[list[SessionValues]],
    priors: list[Prior | None],
    *,
    baseline: int = BASELINE_SESSIONS,
) -> list[Look]:
    """Return the latest session against those before it, metric by metric."""
    latest = max(s.place for sessions in athlete for s in sessions)
    looks = []
    for name, sessions, prior in zip(METRIC_IDS, athlete, priors, strict=True):
        earlier = [s for s in sessions if s.place != latest]
        looks.append(
            Look(
                name,
                tuple(s for s in sessions if s.place == latest),
                tuple(earlier[-baseline:]),
                tuple(earlier[:-baseline]),
                prior,
            )
        )
    return looks


def share_real(case: Case, *, athletes: int, seed: int) -> tuple[float, float]:
    """Return the share of lists with a real change, and with one in the first metric.

    A facility is drawn anew for every 20 athletes.
    """
    rng = np.random.default_rng(seed)
    any_real = first_real = 0
    priors = priors_of(rng, case)
    for count in range(athletes):
        if count % 20 == 0:
            priors = priors_of(rng, case)
        verdicts = changes(looks_of(draw_athlete(rng, case), priors))
        real = [v.verdict == "real" for v in verdicts]
        any_real += any(real)
        first_real += real[0]
    return any_real / athletes, first_real / athletes
