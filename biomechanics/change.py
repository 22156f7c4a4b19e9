"""Tell which numbers of an athlete changed by more than their usual variation.

A difference of averages is held against what swings and days make of it by chance, and
all numbers of one athlete that are looked at together count as one look (`changes`).
Which scatter is meant, and where it is learned: `variance`. The formulas, what they
find and how often they err: docs/metrics.md.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import scipy  # By its parts when first used; see `signals`.

from biomechanics.analysis_types import FloatArray
from biomechanics.variance import (
    METRIC_FREEDOM,
    Components,
    Prior,
    SessionValues,
    components,
    pooled_within,
    published_prior,
)

BASELINE_SESSIONS = 5
"""Sessions before that a session is held against, together.

By simulation: five find as much as nine and more than three (docs/metrics.md).
"""
FALSE_DISCOVERIES = 0.10
"""The share of false ones among the numbers of one look that are called real, and the
chance of any where nothing changed (Benjamini and Hochberg 1995)."""
LEAST_FREEDOM = 3.0
"""Degrees of freedom below which scatter counts as not known."""
USUAL = 0.95
"""The share of new sessions whose average lies in the usual band."""
SIDE_FREEDOM = 4.0
"""Degrees of freedom of the usual scatter that a side has at least."""
_METRICS_CORRELATED = 0.09
# Two metrics whose swings correlate by 0.3 have variances that correlate by its square.

Z_95 = 1.96
"""Standard errors on each side that hold 95 % of normal scatter."""


@dataclass(frozen=True, slots=True)
class Look:
    """One difference to judge: the swings `now` less those `before`.

    Attributes
    ----------
    metric_id : str
    now, before : tuple of SessionValues
        Both sides. Averages of several sessions are over all their swings.
    history : tuple of SessionValues
        The athlete's other comparable sessions, from which scatter is learned.
    prior : Prior or None
        What others say of the scatter; ``None`` for what is published.
    other_history : tuple of SessionValues or None
        Of the athlete of `before` where that is another one; ``None`` if the same.
    other_prior : Prior or None
        The prior of that other athlete.
    unequal : bool
        Each side has a scatter within sessions of its own (Welch), as two sets of
        swings that a person picked.
    not_comparable : str
        Why the sides cannot be compared; empty if they can.
    """

    metric_id: str
    now: tuple[SessionValues, ...]
    before: tuple[SessionValues, ...]
    history: tuple[SessionValues, ...] = ()
    prior: Prior | None = None
    other_history: tuple[SessionValues, ...] | None = None
    other_prior: Prior | None = None
    unequal: bool = False
    not_comparable: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """The usual variation that a difference was held against.

    Attributes
    ----------
    within_sd, between_sd : float
        Standard deviations of swings within a session, and of sessions.
    freedom : float
        Degrees of freedom of the difference.
    source : {'own', 'facility', 'published'}
        ``own`` from three sessions of the athlete on, two of them not under test.
    """

    within_sd: float
    between_sd: float
    freedom: float
    source: Literal["own", "facility", "published"]


@dataclass(frozen=True, slots=True)
class Change:
    """The verdict on one difference.

    Attributes
    ----------
    now_mean, before_mean, delta : float or None
        Averages over all swings of a side, and now minus before, in the metric's unit.
    needed : float or None
        The verdict is ``real`` if the difference is at least as large, either way.
    verdict : {'real', 'no_clear_change', 'unknown'}
    reason_code : {'', 'not_enough', 'not_comparable'}
        Empty unless the verdict is ``unknown``.
    reason : str
        One plain sentence.
    n_now, n_before, sessions_before : int
    p, adjusted : float or None
        Two-sided, of this difference alone and among all of the look.
    spread : Spread or None
    more_sessions, more_swings : int
        What is missing until there is enough: sessions, and swings in a session.
    """

    metric_id: str
    now_mean: float | None
    before_mean: float | None
    delta: float | None
    needed: float | None
    verdict: Literal["real", "no_clear_change", "unknown"]
    reason_code: Literal["", "not_enough", "not_comparable"]
    reason: str
    n_now: int
    n_before: int
    sessions_before: int
    p: float | None = None
    adjusted: float | None = None
    spread: Spread | None = None
    more_sessions: int = 0
    more_swings: int = 0


REAL = "The difference is more than their usual variation."
INSIDE = "The difference is within their usual variation."
INSIDE_MEASUREMENT = "The difference is within the measurement uncertainty."


def session_values(
    values: Iterable[float | None], *, place: int, uncertainty: float | None = None
) -> SessionValues | None:
    """Return the average of one session's values; ``None`` where there is no number."""
    numbers = [v for v in values if v is not None and math.isfinite(v)]
    if not numbers:
        return None
    sd = float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None
    only = uncertainty if len(numbers) == 1 else None
    return SessionValues(
        place, len(numbers), math.fsum(numbers) / len(numbers), sd, only
    )


@dataclass(frozen=True, slots=True)
class _Scatter:
    """Scatter of one athlete in one metric, own and others' together.

    `means` is the variance of a session's average of 1⁄`inverse_n` swings.
    """

    within: float
    within_freedom: float
    means: float
    freedom: float
    inverse_n: float
    source: Literal["own", "facility", "published"]

    @property
    def between(self) -> float:
        """Return the variance between days, not below 0."""
        return max(self.means - self.inverse_n * self.within, 0.0)


def _within(own: Components, prior: Prior) -> tuple[float, float]:
    """Return the variance within sessions and its degrees of freedom."""
    known = prior.within_sd is not None
    others = prior.within_freedom if known else 0.0
    freedom = own.within_freedom + others
    if not freedom:
        return 0.0, 0.0
    squares = own.within_freedom * own.within_variance
    squares += others * (prior.within_sd or 0.0) ** 2
    return squares / freedom, freedom


def _scatters(
    parts: Sequence[tuple[Components, Prior, float]],
) -> list[_Scatter | None]:
    """Return the scatter of one athlete in several metrics, each ``None`` if unknown.

    Smyth's moderated variance (2004) in two steps, on the variance of session averages
    in units of that within sessions: all metrics together say how much more or less
    than others this athlete scatters between days, and that together with the metric's
    own sessions says it for each metric.

    Parameters
    ----------
    parts : sequence of (Components, Prior, float)
        Of each metric; the number is the mean of 1⁄n to use where no step is known.
    """
    within = [_within(own, prior) for own, prior, _ in parts]
    inverse = [own.inverse_n or usual for own, _, usual in parts]
    base = [
        prior.ratio**2 + one for (_, prior, _), one in zip(parts, inverse, strict=True)
    ]
    told = [
        (own.means_freedom, own.means_variance / (s2 * expected))
        for (own, _, _), (s2, _), expected in zip(parts, within, base, strict=True)
        if own.means_freedom and s2 > 0.0
    ]
    freedom = sum(f for f, _ in told)
    factor = sum(f * ratio for f, ratio in told) / freedom if freedom else 1.0
    freedom /= 1.0 + (len(told) - 1) * _METRICS_CORRELATED if told else 1.0
    found: list[_Scatter | None] = []
    for (own, prior, _), (s2, s2_freedom), one, expected in zip(
        parts, within, inverse, base, strict=True
    ):
        if not s2_freedom:
            found.append(None)
            continue
        others = prior.ratio_freedom + freedom
        times = (prior.ratio_freedom + freedom * factor) / others
        # How the athlete scatters in general is known with `others`, and how one
        # metric differs from that with the rest.
        metric = max(METRIC_FREEDOM, prior.ratio_freedom)
        borrowed = 1.0 / (1.0 / metric + 1.0 / others)
        expected_means = max(times * expected, one) * s2
        total = borrowed + own.means_freedom
        found.append(
            _Scatter(
                s2,
                s2_freedom,
                (borrowed * expected_means + own.means_freedom * own.means_variance)
                / total,
                total,
                one,
                "own" if own.means_freedom else prior.source,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Side:
    """All swings of one side: their average, and how sessions weigh in it."""

    n: int
    mean: float
    weights: dict[int, float]
    inverse_n: float


def _side(sessions: Sequence[SessionValues]) -> _Side | None:
    """Return the average over all swings; ``None`` where there is none."""
    n = sum(session.n for session in sessions)
    if not n:
        return None
    weights: dict[int, float] = {}
    for session in sessions:
        weights[session.place] = weights.get(session.place, 0.0) + session.n / n
    mean = math.fsum(session.mean * session.n for session in sessions) / n
    return _Side(n, mean, weights, 1.0 / n)


def _days(look: Look, now: _Side, before: _Side) -> tuple[float, float]:
    """Return how often the variance between days enters, of either side's athlete.

    A session in both sides has the same day in both, so its share cancels.
    """
    if look.other_history is not None:
        return (
            sum(w * w for w in now.weights.values()),
            sum(w * w for w in before.weights.values()),
        )
    places = now.weights.keys() | before.weights.keys()
    return (
        sum(
            (now.weights.get(p, 0.0) - before.weights.get(p, 0.0)) ** 2 for p in places
        ),
        0.0,
    )


def _error(
    look: Look, now: _Side, before: _Side, mine: _Scatter, theirs: _Scatter
) -> tuple[float, float]:
    """Return the variance of the difference, and its degrees of freedom.

    τ²·Σw² + σ²·(1⁄n + 1⁄m), with the degrees of freedom of Satterthwaite (1946). The
    variance of averages is what is known; so σ² enters by how far the sides' numbers
    of swings differ from those it was learned from.
    """
    days_now, days_before = _days(look, now, before)
    days = ((days_now, mine), (days_before, theirs))
    variance = sum(times * one.between for times, one in days)
    doubt = sum((times * one.means) ** 2 / one.freedom for times, one in days)
    least: list[float] = []
    if look.unequal or look.other_history is not None:
        for sessions, side, times, one in (
            (look.now, now, days_now, mine),
            (look.before, before, days_before, theirs),
        ):
            s2, freedom = _within_side(
                sessions, one, by_day=days_now + days_before > 0.0
            )
            least.append(freedom)
            variance += side.inverse_n * s2
            doubt += (side.inverse_n * s2) ** 2 / freedom
            doubt += (times * one.inverse_n * one.within) ** 2 / one.within_freedom
    else:
        swings = now.inverse_n + before.inverse_n
        variance += swings * mine.within
        rest = swings - days_now * mine.inverse_n
        doubt += (rest * mine.within) ** 2 / mine.within_freedom
    measured = _measured(look)
    if measured is not None:
        variance = max(variance, measured)
    freedom = variance**2 / doubt if doubt else math.inf
    if least and days_now + days_before > 0.0:
        # No sum is known less well than the part of it that is known least. Without
        # this, a side that happens to scatter little would say nothing at all, since
        # what is known of averages counts in full in the doubt.
        least += [one.freedom for times, one in days if times]
        freedom = max(freedom, min(least))
    return variance, freedom


def _within_side(
    sessions: Sequence[SessionValues], usual: _Scatter, *, by_day: bool
) -> tuple[float, float]:
    """Return the variance within one side of its own, and its degrees of freedom.

    Two swings say too little of their scatter, and few may happen to lie together: on
    different days it is at least what it would be with `SIDE_FREEDOM` of the usual
    scatter added, because what is known of days is so with that one.
    """
    s2, freedom = pooled_within(sessions)
    if freedom < 2:
        return usual.within, usual.within_freedom
    if not by_day:
        return s2, freedom
    known = min(SIDE_FREEDOM, usual.within_freedom)
    moderated = (freedom * s2 + known * usual.within) / (freedom + known)
    return max(s2, moderated), freedom


def _measured(look: Look) -> float | None:
    """Return the variance that measuring adds to two single swings' difference."""
    if len(look.now) != 1 or len(look.before) != 1:
        return None
    a, b = look.now[0].uncertainty, look.before[0].uncertainty
    return None if a is None or b is None else a * a + b * b


def _parts(look: Look) -> tuple[tuple[Components, Prior, float], ...]:
    """Return what is known of the scatter of the athlete, and of another if any."""
    prior = look.prior or published_prior(look.metric_id)
    tested = {s.place for s in look.now}
    if look.other_history is None:
        tested = set() if tested == {s.place for s in look.before} else tested
        mine = (*look.history, *look.before, *look.now)
        return ((components(mine, tested=tested), prior, _usual_inverse(mine)),)
    mine = (*look.history, *look.now)
    theirs = (*look.other_history, *look.before)
    other = look.other_prior or published_prior(look.metric_id)
    return (
        (components(mine), prior, _usual_inverse(mine)),
        (components(theirs), other, _usual_inverse(theirs)),
    )


def _usual_inverse(sessions: Sequence[SessionValues]) -> float:
    """Return the mean of 1⁄n."""
    return sum(1.0 / s.n for s in sessions) / len(sessions) if sessions else 1.0


def changes(
    looks: Sequence[Look], *, false_discoveries: float = FALSE_DISCOVERIES
) -> tuple[Change, ...]:
    """Return the verdict on each difference of one athlete's list.

    The list counts as one look: false discoveries are held by Benjamini and Hochberg's
    procedure over those that can be judged. Each `Change.needed` holds the others as
    they are, so that a difference is real if and only if it is at least so large.

    Parameters
    ----------
    looks : sequence of Look
        All that a page shows together of one athlete (or of one pair).
    """
    parts = [_parts(look) for look in looks]
    mine = _scatters([one[0] for one in parts])
    others = iter(_scatters([one[1] for one in parts if len(one) > 1]))
    theirs = [
        next(others) if len(one) > 1 else own
        for one, own in zip(parts, mine, strict=True)
    ]
    found = [
        _change(look, one, other)
        for look, one, other in zip(looks, mine, theirs, strict=True)
    ]
    judged = [i for i, (_, error) in enumerate(found) if error is not None]
    if not judged:
        return tuple(change for change, _ in found)
    delta = np.array([found[i][0].delta for i in judged], dtype=float)
    errors = np.array([found[i][1] for i in judged], dtype=float)
    p, adjusted, needed = _judge(delta, errors[:, 0], errors[:, 1], false_discoveries)
    verdicts = [change for change, _ in found]
    for k, i in enumerate(judged):
        verdicts[i] = _with_verdict(
            looks[i], verdicts[i], float(p[k]), float(adjusted[k]), float(needed[k])
        )
    return tuple(verdicts)


def _judge(
    delta: FloatArray, error: FloatArray, freedom: FloatArray, level: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return p, p adjusted for the list, and the difference that would be real."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(delta == 0.0, 0.0, np.abs(delta) / error)
    p = 2.0 * scipy.special.stdtr(freedom, -t)
    m = p.size
    order = np.argsort(p, kind="stable")
    ranks = np.arange(1, m + 1)
    steps = np.minimum.accumulate((p[order] * m / ranks)[::-1])[::-1]
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(steps, 1.0)
    # A number is called real at p ≤ level·k⁄m, where k is how many would be real if it
    # were beyond doubt; for all others' p as they are, this is the same procedure.
    lowest = np.where(np.eye(m, dtype=bool), 0.0, p[np.newaxis, :])
    lowest.sort(axis=1)
    k = ((lowest <= level * ranks / m) * ranks).max(axis=1)
    quantile = scipy.special.stdtrit(freedom, 1.0 - level * k / (2.0 * m))
    return p, adjusted, quantile * error


def _change(
    look: Look, mine: _Scatter | None, theirs: _Scatter | None
) -> tuple[Change, tuple[float, float] | None]:
    """Return the difference without a verdict, with its error and degrees of freedom.

    Without the latter the verdict stands: it is ``unknown``.
    """
    now, before = _side(look.now), _side(look.before)
    change = Change(
        metric_id=look.metric_id,
        now_mean=now.mean if now else None,
        before_mean=before.mean if before else None,
        delta=now.mean - before.mean if now and before else None,
        needed=None,
        verdict="unknown",
        reason_code="not_enough",
        reason="",
        n_now=now.n if now else 0,
        n_before=before.n if before else 0,
        sessions_before=len({s.place for s in look.before}),
    )
    if look.not_comparable:
        return _unknown(change, look.not_comparable, code="not_comparable"), None
    if now is None or before is None:
        if now is None:
            return _unknown(change, "No swing has this number.", swings=1), None
        missing = 2 if look.prior is None or look.prior.source == "published" else 1
        return _unknown(change, "First session of this kind.", sessions=missing), None
    if mine is None or theirs is None:
        return _unknown(change, "Not enough swings yet.", swings=2), None
    variance, freedom = _error(look, now, before, mine, theirs)
    by_day = sum(_days(look, now, before)) > 0.0
    if by_day and min(mine.freedom, theirs.freedom) < LEAST_FREEDOM:
        return _unknown(change, "Not enough sessions yet.", sessions=1), None
    spread = Spread(
        math.sqrt(mine.within), math.sqrt(mine.between), freedom, mine.source
    )
    return replace(change, spread=spread), (math.sqrt(variance), freedom)


def _unknown(
    change: Change,
    reason: str,
    *,
    code: Literal["not_enough", "not_comparable"] = "not_enough",
    sessions: int = 0,
    swings: int = 0,
) -> Change:
    """Return that it is not known whether something changed, and what is missing."""
    return replace(
        change,
        reason_code=code,
        reason=reason,
        more_sessions=sessions,
        more_swings=swings,
    )


def _with_verdict(
    look: Look, change: Change, p: float, adjusted: float, needed: float
) -> Change:
    """Return the change with its verdict: `needed` alone decides."""
    real = is_real(change.delta or 0.0, needed)
    measured = _measured(look)
    inside = INSIDE
    if measured is not None and abs(change.delta or 0.0) < Z_95 * math.sqrt(measured):
        inside = INSIDE_MEASUREMENT
    return replace(
        change,
        needed=needed,
        verdict="real" if real else "no_clear_change",
        reason_code="",
        reason=REAL if real else inside,
        p=p,
        adjusted=adjusted,
    )


@dataclass(frozen=True, slots=True)
class UsualBand:
    """Where the average of a new session usually lies: `center` ± `half_width`."""

    center: float
    half_width: float


def usual_band(
    sessions: Sequence[SessionValues], prior: Prior, *, swings: float | None = None
) -> UsualBand | None:
    """Return where a new session's average usually lies, as long as nothing changes.

    In 95 of 100 sessions. It is that of one number alone, so a session may lie outside
    and not be called changed among a list of others.

    Parameters
    ----------
    sessions : sequence of SessionValues
        The athlete's comparable sessions; the latest `BASELINE_SESSIONS` give the
        center.
    prior : Prior
    swings : float or None
        Swings of the new session; those of a usual one if ``None``.

    Returns
    -------
    UsualBand or None
        ``None`` where there is too little to tell.
    """
    latest = sorted(sessions, key=lambda s: s.place)[-BASELINE_SESSIONS:]
    side = _side(latest)
    inverse = _usual_inverse(sessions)
    (scatter,) = _scatters([(components(sessions), prior, inverse)])
    if side is None or scatter is None or scatter.freedom < LEAST_FREEDOM:
        return None
    days = 1.0 + sum(w * w for w in side.weights.values())
    by_swings = (1.0 / swings if swings else inverse) + side.inverse_n
    variance = days * scatter.between + by_swings * scatter.within
    quantile = float(scipy.special.stdtrit(scatter.freedom, (1.0 + USUAL) / 2.0))
    return UsualBand(side.mean, quantile * math.sqrt(variance))


def share_by_chance(
    real: Sequence[int], *, false_discoveries: float = FALSE_DISCOVERIES
) -> float | None:
    """Return the largest share of all real changes shown that chance explains.

    A list with k real ones of m calls each number without a change real in at most
    level·k⁄m of cases, one without real ones in level⁄m: so Σ level·max(k, 1) are
    expected by chance of Σ k.

    Parameters
    ----------
    real : sequence of int
        How many are real in each list that was judged, those with none too.

    Returns
    -------
    float or None
        0 to 1; ``None`` where no list has a real change.
    """
    total = sum(real)
    if not total:
        return None
    by_chance = false_discoveries * sum(max(k, 1) for k in real)
    return min(by_chance / total, 1.0)


def is_real(delta: float, smallest: float) -> bool:
    """Return whether a difference is larger than the scatter explains.

    No difference at all is none, also where the scatter is zero.
    """
    return abs(delta) >= smallest and delta != 0.0
