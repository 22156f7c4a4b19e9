"""Averages of a session: over all counted swings, or over those from one side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from athletes.analysis.attack_share import AttackShare, attack_shares
from athletes.analysis.event_rules import rule_in_basis
from athletes.analysis.means_by_side import (
    MetricOnBasis,
    metrics_of,
    side_of,
)
from athletes.analysis.metric_reading import MetricReading
from athletes.display import number_of
from athletes.models import Movement, Session, SessionMetric
from athletes.phrases import basis_difference, sequence_in_words, side_in_words
from biomechanics.definitions import HEADLINES, METRICS, NUMERIC_HEADLINES
from biomechanics.sequence import tie_limit_ms
from biomechanics.session_statistics import (
    LEAST_SWINGS_FOR_SPREAD,
    MetricSummary,
    standard_error,
    summarize_by_basis,
)
from dashboard.phrases import lacking_words
from dashboard.selectors.session_groups import Grouping, Part
from dashboard.selectors.swing_rows import SwingRow

#: A spread over fewer swings than this is not called consistency.
CONSISTENCY_FROM = 8

#: So many averages stand large at the top; the others are shown on demand.
FIRST_MEANS = 6

#: Times between the peaks of the kinematic sequence.
GAPS = ("gap_pelvis_torso", "gap_torso_arm", "gap_arm_bat")


@dataclass(frozen=True)
class SequenceCount:
    """How many swings had their peaks in one order, such as `P-T-A-B`.

    Of those with the same peaks: `P-T-A` of a swing without a bat is no other order
    than `P-T-A-B`.
    """

    order: str
    count: int
    total: int

    @property
    def words(self) -> str:
        """The order in words: `Pelvis › Torso › Arm › Bat`."""
        return sequence_in_words(self.order)

    @property
    def has_bat(self) -> bool:
        """Whether the peak of the bat is in the order."""
        return "B" in self.order

    @property
    def percent(self) -> int:
        """Share of the swings with the same peaks, in whole percent."""
        return round(100 * self.count / self.total)


@dataclass(frozen=True)
class GapReading:
    """The average time between two peaks (ms)."""

    reading: MetricReading

    @property
    def standard_error(self) -> float | None:
        """The standard error of the average (ms), of three swings or more."""
        return standard_error(self.reading.sd_shown, self.reading.n or 0)

    @property
    def tie_limit_ms(self) -> float:
        """How close two peaks must be (ms) to count as a tie."""
        return tie_limit_ms(self.reading.sd_shown, self.reading.n or 1)

    @property
    def is_tie(self) -> bool:
        """Whether the two peaks are too close to say which came first."""
        value = self.reading.value
        return isinstance(value, float | int) and abs(value) < self.tie_limit_ms

    @property
    def verdict(self) -> str:
        """Whether the two peaks are told apart, in words.

        How far an average could be off by chance is known from three swings on.
        """
        if self.is_tie:
            return "too close to call"
        if self.reading.sd_shown is None:
            return f"needs {LEAST_SWINGS_FOR_SPREAD} swings"
        return "yes"


@dataclass(frozen=True)
class SessionPart:
    """Averages over all counted swings of a session, or over those from one side.

    `key` names the side in addresses and `label` on the page; both are empty where the
    session has swings from one side alone.
    """

    key: str
    label: str
    counted: int
    summary: tuple[MetricReading, ...]
    orders: tuple[SequenceCount, ...]
    gaps: tuple[GapReading, ...]
    # How often the attack angle lies in one range, with the side where there are two.
    attack: tuple[tuple[str, AttackShare], ...] = ()

    @property
    def has_spread(self) -> bool:
        """Whether there are swings enough to show a standard deviation."""
        return self.counted >= LEAST_SWINGS_FOR_SPREAD

    @property
    def has_consistency(self) -> bool:
        """Whether there are swings enough to speak of consistency."""
        return self.counted >= CONSISTENCY_FROM

    @property
    def has_swings_without_bat(self) -> bool:
        """Whether some swings have the peak of the bat in their order and some not."""
        return len({share.has_bat for share in self.orders}) > 1

    @property
    def gaps_have_spread(self) -> bool:
        """Whether any mean gap is over enough swings for a spread to be shown."""
        return any(gap.reading.sd_shown is not None for gap in self.gaps)

    @property
    def first_means(self) -> tuple[MetricReading, ...]:
        """The averages that stand large at the top of the page."""
        return tuple(r for r in self.summary if not r.is_missing)[:FIRST_MEANS]

    @property
    def more_means(self) -> tuple[MetricReading, ...]:
        """The averages that the page shows on demand."""
        return tuple(r for r in self.summary if not r.is_missing)[FIRST_MEANS:]


def averages_by_group(
    movements: Sequence[Movement], swings: Sequence[SwingRow], grouping: Grouping
) -> tuple[SessionPart, ...]:
    """Averages of each group of swings, computed from its own counted swings.

    `movements` are those that averages are over, `swings` the same as rows of the
    table.
    """
    names = [*HEADLINES, *GAPS]
    counted = [one for one in movements if one.is_counted]
    parts = []
    for group in grouping.groups(_part_of(movement) for movement in counted):
        own = [one for one in counted if grouping.of(_part_of(one)) == group]
        rows = [swing for swing in swings if grouping.of(swing.part) == group]
        if not rows:
            continue
        part = _part(
            grouping.key(group),
            _capitalized(grouping.words(group)),
            rows,
            _means_of(summarize_by_basis(metrics_of(one, names) for one in own)),
        )
        attack = tuple(("", share) for share in attack_shares(own))
        parts.append(replace(part, attack=attack))
    return tuple(parts)


def _part_of(movement: Movement) -> Part:
    return Part(side_of(movement), movement.setup)


def _capitalized(words: str) -> str:
    return words[:1].upper() + words[1:]


def stored_averages(
    session: Session,
    movements: Sequence[Movement],
    swings: Sequence[SwingRow],
    key: str = "",
) -> SessionPart:
    """Averages over all counted swings together, as they are stored.

    `key` is not empty where the swings are from both sides.
    """
    rows = session.session_metrics.filter(metric__in=[*HEADLINES, *GAPS])
    means = [_Mean(r.metric, r.basis, r.n, r.mean, r.sd) for r in rows]
    return _together(movements, swings, means, key)


def computed_averages(
    movements: Sequence[Movement], swings: Sequence[SwingRow], key: str = ""
) -> SessionPart:
    """Averages over some of a session's swings together, computed from these.

    `key` is not empty where the swings are from both sides.
    """
    names = [*HEADLINES, *GAPS]
    found = summarize_by_basis(
        metrics_of(movement, names) for movement in movements if movement.is_counted
    )
    return _together(movements, swings, _means_of(found), key)


def _together(
    movements: Sequence[Movement],
    swings: Sequence[SwingRow],
    means: Sequence[_Mean],
    key: str,
) -> SessionPart:
    """The one part of a page whose swings are not told apart by side."""
    part = _part(key, "Both sides together" if key else "", swings, means)
    shares = attack_shares(movements)
    return replace(
        part,
        attack=tuple(
            (side_in_words(share.side) if len(shares) > 1 else "", share)
            for share in shares
        ),
    )


def _means_of(found: Mapping[MetricOnBasis, MetricSummary]) -> list[_Mean]:
    """The averages that were computed, where there is any value."""
    return [
        _Mean(metric, basis, one.n, one.mean, one.sd)
        for (metric, basis), one in found.items()
        if one.mean is not None
    ]


def _part(
    key: str, label: str, swings: Sequence[SwingRow], means: Sequence[_Mean]
) -> SessionPart:
    """Averages of these swings, put together for the page."""
    # Of several bases the one with most swings; of those the first by name, as
    # everywhere.
    most_first = sorted(means, key=lambda mean: (-mean.n, mean.basis))
    return SessionPart(
        key=key,
        label=label,
        counted=sum(swing.counted for swing in swings),
        summary=tuple(_with_lacking(one, swings) for one in _summary(most_first)),
        orders=sequence_counts(
            row.order for row in swings if row.counted and row.order
        ),
        gaps=_gaps(most_first),
    )


def sequence_counts(orders: Iterable[str]) -> tuple[SequenceCount, ...]:
    """Each order of the peaks with how many swings had it, commonest first.

    Each is counted among the swings with the same peaks.
    """
    counts = Counter(orders)
    totals: Counter[str] = Counter()
    for order, count in counts.items():
        totals[_peaks(order)] += count
    return tuple(
        SequenceCount(order, count, totals[_peaks(order)])
        for order, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _peaks(order: str) -> str:
    """The peaks that an order is of, whatever it is."""
    return "".join(sorted(filter(str.isalpha, order)))


def reading_of_average(row: SessionMetric) -> MetricReading:
    """A stored average of a session as pages print it."""
    return MetricReading(
        METRICS[row.metric], row.mean, n=row.n, sd=row.sd, rule=rule_in_basis(row.basis)
    )


def no_average(metric: str) -> MetricReading:
    """What stands on a page for a number that no counted swing has."""
    reason = "No included swing has this number."
    return MetricReading(METRICS[metric], None, reason=reason)


@dataclass(frozen=True)
class _Mean:
    """One metric over counted swings on one basis."""

    metric: str
    basis: str
    n: int
    mean: float
    sd: float | None

    @property
    def reading(self) -> MetricReading:
        return MetricReading(
            METRICS[self.metric],
            self.mean,
            n=self.n,
            sd=self.sd,
            rule=rule_in_basis(self.basis),
        )


def _summary(means: Sequence[_Mean]) -> tuple[MetricReading, ...]:
    """A reading of each numeric headline; of several bases the first.

    The reading says how many swings on other bases it leaves out, and why.
    """
    by_metric: dict[str, list[_Mean]] = {}
    for mean in means:
        by_metric.setdefault(mean.metric, []).append(mean)
    return tuple(
        replace(found[0].reading, reason=_left_out(*found))
        if (found := by_metric.get(name))
        else no_average(name)
        for name in NUMERIC_HEADLINES
    )


def _with_lacking(reading: MetricReading, swings: Sequence[SwingRow]) -> MetricReading:
    """The average, with the counted swings that lack the number named beside it."""
    own = [(row.position, row.reading(reading.metric)) for row in swings if row.counted]
    lacking = [
        position
        for position, one in own
        if one is None or one.is_missing or one.flagged
    ]
    if reading.is_missing or not lacking:
        return reading
    words = [*filter(None, [reading.reason]), lacking_words(lacking)]
    return replace(reading, reason="; ".join(words))


def _left_out(shown: _Mean, *others: _Mean) -> str:
    """The swings on other bases than the average that is shown, in words."""
    if not others:
        return ""
    count = number_of(sum(mean.n for mean in others), "swing")
    return f"{count} excluded: {basis_difference(others[0].basis, shown.basis)}"


def _gaps(means: Sequence[_Mean]) -> tuple[GapReading, ...]:
    """Average gaps with their standard errors; a gap without a value is left out."""
    gaps = []
    for name in GAPS:
        mean = next((item for item in means if item.metric == name), None)
        if mean is not None:
            gaps.append(GapReading(mean.reading))
    return tuple(gaps)
