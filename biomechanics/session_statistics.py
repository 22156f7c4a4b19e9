"""Summarize the swings of a session: spread of each metric, order of the peaks."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from biomechanics.analysis_types import MetricValue
from biomechanics.definitions import METRICS
from biomechanics.sequence import (
    GAP_METRICS,
    TIME_METRICS,
    SequenceShare,
    order_distribution,
    sequence_order,
    tie_limit_ms,
)
from biomechanics.signals import MAD_TO_SD
from biomechanics.units import MS_PER_S

LEAST_SWINGS_FOR_SPREAD = 3
"""Fewer swings show no standard deviation, no band and no typical swing."""


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """Average and spread of one metric over swings.

    Attributes
    ----------
    n : int
        Values that entered.
    sd, robust_spread : float or None
        ``None`` below `LEAST_SWINGS_FOR_SPREAD`; sd with n − 1, spread 1.4826·MAD.
    cv_percent : float or None
        Only for quantities with a true zero that stay away from it.
    left_out : int
        Values present but flagged as implausible, or on another basis.
    basis : str
        What all of the values rest on (`biomechanics.basis`).
    """

    n: int
    mean: float | None
    median: float | None
    sd: float | None
    robust_spread: float | None
    minimum: float | None
    maximum: float | None
    cv_percent: float | None
    left_out: int = 0
    basis: str = ""


def summarize_metric(
    values: Sequence[float | None],
    *,
    ratio_scale: bool,
    left_out: int = 0,
    basis: str = "",
) -> MetricSummary:
    """Return average and spread of one metric over the swings of a session.

    Parameters
    ----------
    values : sequence of float or None
        ``None`` and NaN are left out.
    ratio_scale : bool
        From the metric's definition: a coefficient of variation makes sense.
    left_out, basis
        As in `MetricSummary`.
    """
    # A session has some ten swings: plain Python is done before numpy has begun.
    numbers = sorted(float(v) for v in values if v is not None and math.isfinite(v))
    count = len(numbers)
    if count == 0:
        return MetricSummary(
            0, None, None, None, None, None, None, None, left_out, basis
        )
    mean = math.fsum(numbers) / count
    median = _middle(numbers)
    sd = spread = cv = None
    if count >= LEAST_SWINGS_FOR_SPREAD:
        squares = math.fsum((number - mean) ** 2 for number in numbers)
        sd = math.sqrt(squares / (count - 1))
        spread = MAD_TO_SD * _middle(sorted(abs(n - median) for n in numbers))
        # "Away from zero": a value within three SD of zero makes the ratio explode.
        if ratio_scale and mean > 3.0 * sd:
            cv = sd / mean * 100.0
    return MetricSummary(
        n=count,
        mean=mean,
        median=median,
        sd=sd,
        robust_spread=spread,
        minimum=numbers[0],
        maximum=numbers[-1],
        cv_percent=cv,
        left_out=left_out,
        basis=basis,
    )


def _middle(ordered: Sequence[float]) -> float:
    """Return the median of numbers in rising order."""
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) / 2.0


def summarize_by_basis(
    swings: Iterable[Mapping[str, MetricValue]],
) -> dict[tuple[str, str], MetricSummary]:
    """Return average and spread of each numeric metric on each of its bases.

    By metric and basis. Flagged values are in none of them; a basis of which no value
    may enter an average is left out. Metrics without a definition are left out.
    """
    groups: dict[tuple[str, str], list[float]] = {}
    present: Counter[str] = Counter()
    for swing in swings:
        for metric_id, value in swing.items():
            if metric_id not in METRICS or not isinstance(value.value, float):
                continue
            present[metric_id] += 1
            if value.number is not None:
                groups.setdefault((metric_id, value.basis), []).append(value.number)
    return {
        (metric_id, basis): summarize_metric(
            numbers,
            ratio_scale=METRICS[metric_id].ratio_scale,
            left_out=present[metric_id] - len(numbers),
            basis=basis,
        )
        for (metric_id, basis), numbers in groups.items()
    }


def most_shared(
    summaries: Mapping[tuple[str, str], MetricSummary],
) -> dict[str, MetricSummary]:
    """Return for each metric the summary on the basis of most swings.

    Of several the first by name, so that it stays the same from run to run.
    """
    answer: dict[str, MetricSummary] = {}
    for (metric_id, _), summary in sorted(
        summaries.items(), key=lambda item: (-item[1].n, item[0])
    ):
        answer.setdefault(metric_id, summary)
    return answer


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """The order of the peaks over a session.

    Attributes
    ----------
    distribution : tuple of SequenceShare
        How often each order occurred: the honest answer.
    mean_order : str or None
        Order of the mean times, over the swings whose times count from the reference
        of most swings, with ties at max(10 ms, 2 × standard error of the
        gap); ``None`` below `LEAST_SWINGS_FOR_SPREAD` swings.
    """

    distribution: tuple[SequenceShare, ...]
    mean_order: str | None


def session_order(swings: Sequence[Mapping[str, MetricValue]]) -> SessionOrder:
    """Return how often each order occurred, and the order of the mean times."""
    orders = [
        value.value if isinstance(value.value, str) else None
        for swing in swings
        if (value := swing.get("seq_order")) is not None
    ]
    # Times before one reference say nothing about times before another.
    swings = _on_one_basis(swings, "t_peak_pelvis")
    errors_ms = [
        float(np.std(numbers, ddof=1)) / math.sqrt(len(numbers))
        for metric_id in GAP_METRICS
        if len(numbers := _numbers(swings, metric_id)) >= LEAST_SWINGS_FOR_SPREAD
    ]
    times = {
        letter: float(np.mean(numbers)) / MS_PER_S
        for letter, metric_id in TIME_METRICS.items()
        if len(numbers := _numbers(swings, metric_id)) >= LEAST_SWINGS_FOR_SPREAD
    }
    order = None
    if {"P", "T", "A"} <= times.keys():
        # Times are before the reference, so clock order is their negative.
        order = sequence_order(
            {letter: -time for letter, time in times.items()},
            tie_limit_s=tie_limit_ms(errors_ms) / MS_PER_S,
        )
    return SessionOrder(order_distribution(orders), order)


def _on_one_basis(
    swings: Sequence[Mapping[str, MetricValue]], metric_id: str
) -> list[Mapping[str, MetricValue]]:
    """Return the swings whose value of a metric is on the basis of most of them."""
    having = [swing for swing in swings if metric_id in swing]
    counts = Counter(
        swing[metric_id].basis
        for swing in having
        if swing[metric_id].number is not None
    )
    if not counts:
        return []
    most = min(counts, key=lambda basis: (-counts[basis], basis))
    return [swing for swing in having if swing[metric_id].basis == most]


def _numbers(
    swings: Sequence[Mapping[str, MetricValue]], metric_id: str
) -> list[float]:
    """Return the numbers of one metric, on one basis, that may enter an average."""
    return [
        number
        for swing in _on_one_basis(swings, metric_id)
        if (number := swing[metric_id].number) is not None
    ]
