"""The mean time of an event, for the marks of a chart of averages."""

from __future__ import annotations

import pytest

from dashboard.selectors.aligned_curves import mean_offset_s


def swing(**times):
    return {name: {"time_s": time_s, "rule": "any"} for name, time_s in times.items()}


def test_time_of_an_event_is_the_mean_over_swings_that_have_both():
    swings = [
        swing(first_move=0.80, reference=1.00),
        swing(first_move=1.70, reference=2.00),
        swing(reference=3.00),
        swing(first_move=4.00),
        swing(first_move=None, reference=5.00),
    ]
    assert mean_offset_s(swings, "first_move", "reference") == pytest.approx(-0.25)
    assert mean_offset_s(swings, "reference", "first_move") == pytest.approx(0.25)


def test_event_that_no_swing_has_has_no_time():
    swings = [swing(reference=1.00), swing(first_move=1.0)]
    assert mean_offset_s(swings, "first_move", "reference") is None
    assert mean_offset_s([], "first_move", "reference") is None
