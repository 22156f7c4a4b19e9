"""Run the analysis on swings of known truth, and sum up how far off it is."""

from __future__ import annotations

import math
import multiprocessing
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

from accuracy.swings import (
    HANDS,
    KINDS,
    NOISE_MM,
    RATES_HZ,
    Hand,
    Kind,
    MadeSwing,
    clean_swing,
    with_noise,
)
from accuracy.truth import Truth, truth_of
from biomechanics.analysis_types import SwingAnalysis
from biomechanics.definitions import METRICS
from biomechanics.sequence import sequence_order
from biomechanics.swing import analyze_swing

State = Literal["counted", "flagged", "missing"]

NUMBERS = range(20)
"""Invented hitters of the whole table."""
SMALL_NUMBERS = range(2)
WHOLE_TURN = frozenset({"attack_direction"})
"""Angles that may go round: their errors are taken within half a turn."""


@dataclass(frozen=True)
class Case:
    """One invented swing and how it was recorded."""

    number: int
    kind: Kind
    hand: Hand
    rate_hz: float
    noise_mm: float


@dataclass(frozen=True)
class Outcome:
    """One metric of one swing against what is true.

    Attributes
    ----------
    state : {'counted', 'flagged', 'missing'}
        ``flagged``: shown and marked, or of a swing of poor quality; in no average.
    error : float or None
        Value minus truth; ``None`` without a value.
    uncertainty : float or None
        One standard deviation, as the analysis states it.
    """

    metric: str
    state: State
    error: float | None
    uncertainty: float | None


def cases(
    numbers: Iterable[int],
    rates_hz: Iterable[float] = RATES_HZ,
    noise_mm: Iterable[float] = NOISE_MM,
    *,
    both_sides: bool = True,
) -> Iterator[Case]:
    """Return every kind of swing, for both hands, or each hitter with one of them."""
    for row in product(numbers, KINDS, HANDS, rates_hz, noise_mm):
        case = Case(*row)
        if both_sides or case.hand == HANDS[case.number % len(HANDS)]:
            yield case


def analyze_made(swing: MadeSwing) -> SwingAnalysis:
    """Return the analysis of an invented swing."""
    return analyze_swing(
        kinematics=swing.kinematics,
        energetics=swing.energetics,
        bats=swing.hand,
        height_m=swing.height_m,
        mass_kg=swing.mass_kg,
    )


def compare(analysis: SwingAnalysis, truth: Truth) -> Iterator[Outcome]:
    """Return each metric that has a truth, against the truth of the same reference."""
    true = truth.of(analysis.events["reference"].rule)
    poor = analysis.quality.grade == "poor"
    for metric, right in true.items():
        found = analysis.metrics.get(metric)
        if found is None or METRICS[metric].retired:
            continue
        if not isinstance(found.value, float):
            yield Outcome(metric, "missing", None, None)
            continue
        error = found.value - right
        if metric in WHOLE_TURN:
            error = (error + 180.0) % 360.0 - 180.0
        state: State = "flagged" if found.flagged or poor else "counted"
        yield Outcome(metric, state, error, found.uncertainty)


def order_is_right(analysis: SwingAnalysis, truth: Truth) -> bool | None:
    """Return whether the kinematic sequence is the true one, ``None`` without one."""
    order = analysis.metrics["seq_order"].value
    if order is None:
        return None
    true = truth.of(analysis.events["reference"].rule)
    times = {
        letter: -true[f"t_peak_{part}"] / 1000.0
        for letter, part in (
            ("P", "pelvis"),
            ("T", "torso"),
            ("A", "lead_arm"),
            ("B", "bat"),
        )
        if f"t_peak_{part}" in true
    }
    return order == sequence_order(times)


@dataclass(frozen=True)
class Accuracy:
    """How far off one metric is, over many swings.

    Attributes
    ----------
    n : int
        Numbers that count; the others are not in `bias`, `sd` and `worst`.
    bias, sd, worst : float or None
        Mean error, scatter of the errors, and the largest of them, in the unit.
    stated : int
        How many of the numbers state an uncertainty.
    within : float or None
        Share of those that lie within one stated uncertainty.
    flagged, missing : int
    """

    n: int
    bias: float | None
    sd: float | None
    worst: float | None
    stated: int
    within: float | None
    flagged: int
    missing: int


def summarize(outcomes: Iterable[Outcome]) -> Accuracy:
    """Return the accuracy over the outcomes of one metric."""
    rows = list(outcomes)
    counted = [row for row in rows if row.state == "counted" and row.error is not None]
    errors = np.array([row.error for row in counted], dtype=np.float64)
    stated = [row for row in counted if row.uncertainty is not None]
    inside = [
        row for row in stated if abs(row.error or 0.0) <= (row.uncertainty or 0.0)
    ]
    there = errors.size > 0
    return Accuracy(
        n=int(errors.size),
        bias=_rounded(float(errors.mean())) if there else None,
        sd=_rounded(float(errors.std(ddof=1))) if errors.size > 1 else None,
        worst=_rounded(float(errors[np.abs(errors).argmax()])) if there else None,
        stated=len(stated),
        within=round(len(inside) / len(stated), 2) if stated else None,
        flagged=sum(row.state == "flagged" for row in rows),
        missing=sum(row.state == "missing" for row in rows),
    )


def _rounded(value: float) -> float:
    """Return four significant digits: more would differ from machine to machine."""
    if value == 0.0 or not math.isfinite(value) or abs(value) < 1e-9:
        return 0.0
    return round(value, 3 - math.floor(math.log10(abs(value))))


@dataclass(frozen=True)
class Measured:
    """The accuracy of all metrics.

    Attributes
    ----------
    metrics : dict
        Metric to kind of swing to frame rate to accuracy.
    by_noise : dict
        Metric to noise in mm to accuracy, of swings that hit a ball.
    order : dict
        Frame rate to (swings with a kinematic sequence, those with the true one).
    swings : int
    """

    metrics: dict[str, dict[str, dict[str, Accuracy]]]
    by_noise: dict[str, dict[str, Accuracy]]
    order: dict[str, tuple[int, int]]
    swings: int


def _measured_case(case: Case) -> tuple[Case, list[Outcome], bool | None]:
    """Return one swing's outcomes, and whether its sequence is the true one."""
    clean = clean_swing(case.number, case.kind, case.hand, case.rate_hz)
    seed = case.number * 2 + (case.hand == "left")
    analysis = analyze_made(with_noise(clean, case.noise_mm, seed))
    truth = truth_of(case.number, case.kind)
    return case, list(compare(analysis, truth)), order_is_right(analysis, truth)


def measure(wanted: Iterable[Case], *, jobs: int = 1) -> Measured:
    """Return how far off each metric is, by analyses in so many processes."""
    if jobs > 1:
        with multiprocessing.Pool(jobs) as pool:
            return _summed_up(pool.imap(_measured_case, wanted, chunksize=4))
    return _summed_up(map(_measured_case, wanted))


def _summed_up(
    measured: Iterable[tuple[Case, list[Outcome], bool | None]],
) -> Measured:
    """Return the accuracy of each metric over the outcomes of swings."""
    by_rate: dict[tuple[str, Kind, str], list[Outcome]] = defaultdict(list)
    by_noise: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    orders: dict[str, list[bool]] = defaultdict(list)
    count = 0
    for case, outcomes, right in measured:
        count += 1
        rate, noise = f"{case.rate_hz:g}", f"{case.noise_mm:g}"
        for outcome in outcomes:
            by_rate[outcome.metric, case.kind, rate].append(outcome)
            if case.kind == "hit":
                by_noise[outcome.metric, noise].append(outcome)
        if right is not None:
            orders[rate].append(right)
    metrics: dict[str, dict[str, dict[str, Accuracy]]] = {}
    for (metric, kind, rate), rows in by_rate.items():
        kinds = metrics.setdefault(metric, {})
        kinds.setdefault(kind, {})[rate] = summarize(rows)
    noises: dict[str, dict[str, Accuracy]] = {}
    for (metric, noise), rows in by_noise.items():
        noises.setdefault(metric, {})[noise] = summarize(rows)
    return Measured(
        metrics={name: metrics[name] for name in METRICS if name in metrics},
        by_noise={name: noises[name] for name in METRICS if name in noises},
        order={rate: (len(rows), sum(rows)) for rate, rows in orders.items()},
        swings=count,
    )


def measure_small() -> dict[str, Accuracy]:
    """Return each metric's accuracy over twelve swings: what `make check` repeats."""
    rows: dict[str, list[Outcome]] = defaultdict(list)
    for case in cases(SMALL_NUMBERS, rates_hz=(240.0,), noise_mm=(1.0,)):
        clean = clean_swing(case.number, case.kind, case.hand, case.rate_hz)
        analysis = analyze_made(with_noise(clean, case.noise_mm, case.number))
        for outcome in compare(analysis, truth_of(case.number, case.kind)):
            rows[outcome.metric].append(outcome)
    return {name: summarize(rows[name]) for name in METRICS if name in rows}
