"""How often each order of the peaks occurred."""

from __future__ import annotations

from athletes.analysis.metric_reading import MetricReading
from biomechanics.definitions import METRICS
from dashboard.phrases import lacking_words
from dashboard.selectors.session_averages import GapReading, sequence_counts


def test_orders_are_counted_among_swings_with_the_same_peaks():
    found = sequence_counts(["P-T-A-B", "P-T-A", "(PT)-A-B", "P-T-A-B", "P-T-A"])
    assert [(one.order, one.count, one.total, one.has_bat) for one in found] == [
        ("P-T-A", 2, 2, False),
        ("P-T-A-B", 2, 3, True),
        ("(PT)-A-B", 1, 3, True),
    ]
    assert [one.percent for one in found] == [100, 67, 33]


def gap(mean, sd, n):
    reading = MetricReading(METRICS["gap_pelvis_torso"], mean, n=n, sd=sd)
    return GapReading(reading)


def test_each_gap_is_told_apart_by_its_own_scatter():
    assert not gap(12.0, 3.0, 6).is_tie
    assert gap(12.0, 13.0, 6).is_tie
    # Three swings say less than two standard errors pretend.
    assert gap(12.0, 5.0, 3).is_tie
    assert gap(9.0, 1.0, 6).is_tie
    assert not gap(-12.0, 3.0, 6).is_tie


def test_a_gap_over_too_few_swings_is_not_told_apart():
    assert gap(20.0, 0.5, 3).verdict == "yes"
    assert gap(20.0, 0.5, 2).verdict == "needs 3 swings"
    assert gap(20.0, None, 1).verdict == "needs 3 swings"
    assert gap(4.0, 0.5, 2).verdict == "too close to call"


def test_swings_that_lack_a_number_are_named_or_counted():
    assert lacking_words([3]) == "swing 3 doesn't have it"
    assert lacking_words([2, 5]) == "swings 2 and 5 don't have it"
    assert lacking_words([1, 2, 3, 4]) == "4 swings don't have it"
