"""Summarize the swings of a session: average and spread of each metric."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from biomechanics.analysis_types import MetricValue
from biomechanics.definitions import METRICS
from biomechanics.sequence import sequence_groups, tie_limit_ms
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
        ``None`` below `LEAST_SWINGS_FOR_SPREAD`; sd with n − 1, spread 1.4826·MAD
        with the factor for few values (`mad_to_sd`).
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
        sd = _deviation(numbers, mean)
        spread = mad_to_sd(count) * _middle(sorted(abs(n - median) for n in numbers))
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


def average(values: Sequence[float]) -> float | None:
    """Return the average; ``None`` of no values."""
    return math.fsum(values) / len(values) if values else None


def standard_error(sd: float | None, n: int) -> float | None:
    """Return the standard error of an average; ``None`` of fewer than three values."""
    if sd is None or n < LEAST_SWINGS_FOR_SPREAD:
        return None
    return sd / math.sqrt(n)


def joint_order(
    swings: Sequence[Mapping[str, float]], letters: Sequence[str]
) -> tuple[tuple[tuple[str, ...], ...], dict[str, float]]:
    """Return the order of the average peaks of swings, and their times.

    Each pair of peaks is a tie within the limit of its own delays (`tie_limit_ms`).

    Parameters
    ----------
    swings : sequence of mapping of letter to float
        At least one; seconds on any clock of the swing's own. Each has all letters.
    letters : sequence of str
        The peaks that are put in order.

    Returns
    -------
    groups : tuple of tuple of str
        As `biomechanics.sequence.sequence_groups` puts them.
    times : dict of letter to float
        Seconds.
    """
    times = {
        letter: math.fsum(one[letter] for one in swings) / len(swings)
        for letter in letters
    }
    limits = {}
    for a, b in itertools.combinations(letters, 2):
        spread = standard_deviation([one[b] - one[a] for one in swings])
        limit = tie_limit_ms(None if spread is None else spread * MS_PER_S, len(swings))
        limits[frozenset((a, b))] = limit / MS_PER_S
    return sequence_groups(times, limits_s=limits), times


def standard_deviation(values: Sequence[float]) -> float | None:
    """Return the standard deviation (n − 1); ``None`` of fewer than three values."""
    if len(values) < LEAST_SWINGS_FOR_SPREAD:
        return None
    return _deviation(values, math.fsum(values) / len(values))


def _deviation(values: Sequence[float], mean: float) -> float:
    squares = math.fsum((value - mean) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - 1))


_FEW = {3: 1.495, 4: 1.363, 5: 1.206, 6: 1.200, 7: 1.140, 8: 1.129, 9: 1.107}


def mad_to_sd(n: int) -> float:
    """Return by what the median absolute deviation of n values estimates their SD.

    1.4826 for many. Of few the median deviation is smaller: 0.67 standard deviations
    of three values. Factors of Croux and Rousseeuw (1992, Computational Statistics 1:
    411), which make it right on average for normal values.

    Raises
    ------
    ValueError
        Fewer than three values.
    """
    if n < min(_FEW):
        raise ValueError(f"A spread needs at least three values, not {n}.")
    return MAD_TO_SD * (_FEW[n] if n in _FEW else n / (n - 0.8))


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
