"""How a peak is taken from a curve: its value, and when it is only a bound."""

import numpy as np
import pytest

from accuracy.swings import clean_swing
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.metrics.values import MetricValues
from biomechanics.observe import observe
from tests.biomechanics.synthetic import make_swing

WINDOW = (310, 360)
RISES = np.linspace(500.0, 800.0, 400)
HUMP = 500.0 + 200.0 * np.sin(np.pi * (np.arange(400) - 310) / 50)


@pytest.fixture(scope="module")
def observed():
    swing = make_swing()
    return observe(
        swing.columns,
        None,
        bats=None,
        contact_time_s=None,
        overrides={},
        forward_axis=None,
    )


@pytest.mark.parametrize(
    ("series", "ends_at_impact", "is_bound"),
    [
        (HUMP, False, False),
        (HUMP, True, False),
        # Rising when the window ends: the true peak may lie beyond.
        (RISES, False, True),
        # An impact ends it: nothing lies beyond.
        (RISES, True, False),
        # Falling from the first sample on: an impact at the end explains nothing.
        (RISES[::-1], False, True),
        (RISES[::-1], True, True),
    ],
)
def test_peak_at_an_edge_is_a_bound_unless_an_impact_ends_the_window(
    observed, series, ends_at_impact, is_bound
):
    measure = SwingMeasurer(observed, MetricValues("contact", None), None, None)
    measure.put_peak(
        "any",
        "peak_pelvis_omega",
        "t_peak_pelvis",
        series,
        WINDOW,
        ("left_hip",),
        open_end=ends_at_impact,
    )
    for name in ("peak_pelvis_omega", "t_peak_pelvis"):
        found = measure.values.by_id[name]
        assert found.value is not None
        assert found.flagged is is_bound
        assert ("may be higher" in (found.reason or "")) is is_bound


def test_error_of_the_line_of_the_feet_counts_by_how_much_a_number_follows_it():
    """In variance, so twice as much per degree is four times the variance."""
    swing = clean_swing(1, "hit", "right", 240.0)
    observed = observe(
        swing.kinematics,
        None,
        bats=None,
        contact_time_s=None,
        overrides={},
        forward_axis=None,
    )
    values = MetricValues("contact", None)
    measure = SwingMeasurer(observed, values, None, None)
    for metric_id, per_degree in (
        ("attack_direction", 1.0),
        ("contact_depth_hip", 2.0),
        ("contact_depth_com", 0.0),
    ):
        measure.add_forward_error(metric_id, per_degree=per_degree)
    assert values.variance["attack_direction"] > 0.0
    assert values.variance["contact_depth_hip"] == pytest.approx(
        4.0 * values.variance["attack_direction"]
    )
    assert values.variance["contact_depth_com"] == 0.0
