"""What two sets of swings of one athlete are held against, by what they rest on."""

from __future__ import annotations

import datetime as dt

import pytest

from athletes.analysis.history import Basis, SessionAverage
from athletes.analysis.pairs import SwingSet, pair_differences
from athletes.analysis.usual_scatter import Facility

pytestmark = pytest.mark.django_db

METRIC = "bat_speed_max"
TEE = Basis("tee", "reference=bat_impact", "Reboot", "2026.1")
LIVE = Basis("live", "reference=bat_impact", "Reboot", "2026.1")
OTHER_SYSTEM = Basis("tee", "reference=bat_impact", "Other", "2026.1")
SWINGS = (-0.6, -0.3, 0.0, 0.3, 0.6)


def sessions_of(basis, *, first, level):
    """Three sessions, some days apart, that scatter alike about `level`."""
    return [
        SessionAverage(
            first + place,
            dt.date(2026, 3, 1) + dt.timedelta(days=first + place),
            METRIC,
            len(SWINGS),
            level + step,
            0.47,
            basis,
        )
        for place, step in enumerate((-0.2, 0.1, 0.2))
    ]


def difference(before, now, *, by):
    """The verdict on the latest sessions of two bases whose levels lie `by` apart."""
    points = [
        *sessions_of(before, first=1, level=30.0),
        *sessions_of(now, first=11, level=30.0 + by),
    ]
    history = {7: {METRIC: points}}
    sets = [
        SwingSet(7, basis, {pk: tuple(level + step for step in SWINGS)})
        for basis, pk, level in ((before, 3, 30.2), (now, 13, 30.2 + by))
    ]
    (found,) = pair_differences(
        [(METRIC, sets[0], sets[1])], history, Facility(history)
    )
    return found


@pytest.mark.parametrize(
    ("other", "apart"),
    [(LIVE, "a different setup"), (OTHER_SYSTEM, "a different source")],
)
def test_what_is_needed_between_two_bases_does_not_grow_with_the_difference(
    other, apart
):
    small, large = difference(TEE, other, by=-1.0), difference(TEE, other, by=-8.0)
    assert small.change.needed == pytest.approx(large.change.needed)
    assert large.change.needed < 4.0
    assert large.is_clear
    assert large.words == "Clear difference"
    assert (large.apart, large.is_change) == (apart, False)
