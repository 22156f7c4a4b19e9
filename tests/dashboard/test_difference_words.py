"""Where curves differ, in words."""

from __future__ import annotations

import numpy as np
import pytest

from biomechanics.curve_differences import CurveDifference
from biomechanics.definitions import SERIES
from dashboard.selectors.difference_words import difference_words

GRID = 0.002 * np.arange(-300, 76)


def told(*stretches, series="torso_omega"):
    """What is said where the difference is +1 or −1 in these stretches, in ms."""
    delta = np.zeros(GRID.size)
    for start, end, sign in stretches:
        at = GRID * 1000.0
        delta[(at > start - 1) & (at < end + 1)] = sign
    found = CurveDifference(GRID, delta, np.full(GRID.size, 0.5))
    return difference_words(found, SERIES[series], zero="contact", percent=False)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (-60, -20, "from 60 to 20 ms before contact"),
        (-20, 0, "from 20 ms before contact until then"),
        (-20, 10, "from 20 ms before to 10 ms after contact"),
        (0, 10, "from contact to 10 ms after it"),
        (10, 40, "from 10 to 40 ms after contact"),
        (-40, -40, "40 ms before contact"),
        (40, 40, "40 ms after contact"),
        (0, 0, "at contact"),
    ],
)
def test_the_time_of_a_stretch_in_words(start, end, words):
    assert told((start, end, 1)) == f"torso faster {words}"


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (20, 60, "from 20 to 60% of the swing"),
        (80, 80, "at 80% of the swing"),
        (-20, -5, "from −20 to −5% of the swing"),
        (-20, 0, "from −20 to 0% of the swing"),
        (-20, -20, "at −20% of the swing"),
        (95, 120, "from 95 to 120% of the swing"),
    ],
)
def test_the_percent_of_a_stretch_in_words(start, end, words):
    grid = np.arange(-50.0, 121.0)
    delta = np.where((grid >= start) & (grid <= end), -1.0, 0.0)
    found = CurveDifference(grid, delta, np.full(grid.size, 0.5))
    told = difference_words(found, SERIES["torso_omega"], zero="contact", percent=True)
    assert told == f"torso slower {words}"


def test_the_words_are_those_of_the_curve():
    there = (-60, -20, -1)
    assert told(there).startswith("torso slower from")
    assert told(there, series="lead_knee_flexion").startswith("lead knee straighter")
    assert told(there, series="x_factor").startswith("hip-shoulder separation lower")
    assert told(there, series="ke_bat").startswith("kinetic energy, bat lower")
    for series in SERIES:
        assert told(there, series=series) != told((-60, -20, 1), series=series)
    assert told() == "no clear difference at any time"


def test_many_stretches_are_counted():
    many = [(at, at + 10, 1) for at in range(-200, -80, 20)]
    assert told(*many).endswith("and clearly different in 2 more places")
