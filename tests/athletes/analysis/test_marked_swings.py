"""The typical and the fastest swing of a session."""

from __future__ import annotations

import numpy as np
import pytest

from athletes.analysis.marked_swings import fastest_swing, typical_swing
from athletes.frames.curves import Curves
from tests.factories import make_session, make_swing, metric

TIME_S = np.arange(0.0, 1.5, 0.002)


def curves_of(level, *, after=0.0, before=0.0):
    """A torso that turns at `level` from first move at 0.8 to the reference at 1.0."""
    values = level + after * (TIME_S > 1.0) + before * (TIME_S < 0.8)
    return Curves(time_s=TIME_S, values={"torso_omega": values})


def typical(kept, *, rules=None, events=None):
    times = {"reference": {"time_s": 1.0}, "first_move": {"time_s": 0.8}}
    return typical_swing(
        {pk: (events or {}).get(pk, times) for pk in kept},
        {pk: (rules or {}).get(pk, "contact") for pk in kept},
        kept,
    )


def test_the_typical_swing_is_the_one_closest_to_the_mean():
    kept = {pk: curves_of(level) for pk, level in enumerate((0.0, 90.0, 52.0, 50.0))}
    assert typical(kept) == 3
    assert typical(dict(list(kept.items())[:2])) is None


def test_only_the_time_from_first_move_to_the_reference_decides():
    kept = {pk: curves_of(level) for pk, level in enumerate((0.0, 100.0, 60.0))}
    wild = kept | {3: curves_of(52.0, after=900.0, before=900.0)}
    assert typical(wild) == 3


def test_all_of_that_time_decides_and_not_its_end():
    early = (TIME_S > 0.82) & (TIME_S < 0.95)
    kept = {
        pk: Curves(time_s=TIME_S, values={"torso_omega": level * early + at_end})
        for pk, (level, at_end) in enumerate(
            [(0.0, 1.0), (90.0, 2.0), (50.0, 9.0), (80.0, 5.0), (20.0, 8.0)]
        )
    }
    assert typical(kept) == 2


def test_swings_on_another_reference_are_neither_in_the_mean_nor_typical():
    kept = {pk: curves_of(level) for pk, level in enumerate((0.0, 100.0, 60.0, 53.0))}
    kept |= {4: curves_of(-900.0), 5: curves_of(-300.0)}
    rules = {4: "hand_peak", 5: "hand_peak"}
    assert typical(kept, rules=rules) == 3
    assert typical(kept) == 5


def test_without_first_moves_or_references_none_is_typical():
    kept = {pk: curves_of(level) for pk, level in enumerate((0.0, 100.0, 60.0))}
    no_move = {key: {"reference": {"time_s": 1.0}} for key in kept}
    assert typical(kept, events=no_move) is None
    assert typical(kept, events={key: {} for key in kept}) is None


def speeds(session, *pairs, basis="reference=contact hands=hands", **fields):
    swings = []
    for bat, hands in pairs:
        swing = make_swing(session=session)
        swing.metrics = {
            name: metric(value, "m/s") | {"basis": basis} | fields
            for name, value in (("bat_speed_max", bat), ("peak_hand_speed", hands))
            if value is not None
        }
        swings.append(swing)
    return swings


@pytest.mark.django_db
def test_the_fastest_swing_is_by_the_bat():
    swings = speeds(make_session(), (30.0, 9.0), (32.0, 8.0), (31.0, 10.0))
    found = fastest_swing(swings)
    assert (found.movement_id, found.definition.id, found.among) == (
        swings[1].pk,
        "bat_speed_max",
        3,
    )


@pytest.mark.django_db
def test_the_fastest_swing_is_by_the_hands_where_few_have_a_bat():
    swings = speeds(make_session(), (33.0, 8.0), (None, 9.0), (None, 8.5))
    found = fastest_swing(swings)
    assert (found.movement_id, found.definition.id, found.among) == (
        swings[1].pk,
        "peak_hand_speed",
        3,
    )
    assert fastest_swing(swings[:1]) is None
    assert fastest_swing([]) is None


@pytest.mark.django_db
def test_values_on_another_basis_or_left_out_of_averages_are_not_the_fastest():
    session = make_session()
    swings = speeds(session, (30.0, None), (31.0, None), (29.0, None))
    wrists = speeds(session, (40.0, None), basis="reference=hand_peak hands=wrists")
    doubtful = speeds(session, (41.0, None), flagged=True)
    assert fastest_swing(swings + wrists + doubtful).movement_id == swings[1].pk
