"""Where somebody cut the clip changes no number silently."""

import pytest

from biomechanics.swing import analyze_swing
from tests.biomechanics import synthetic
from tests.biomechanics.test_gaps import silently_off


def analyze(columns, energetics):
    return analyze_swing(
        kinematics=columns,
        energetics=energetics,
        bats="right",
        height_m=1.8,
        mass_kg=80.0,
    )


def cut(table, start_s, end_s):
    """The rows of a table between two instants, seconds from contact."""
    kept = (table["time"] >= 1.5 + start_s) & (table["time"] <= 1.5 + end_s)
    return {name: values[kept] for name, values in table.items()}


@pytest.fixture(scope="module", params=[True, False], ids=["bat", "no bat"])
def swing(request):
    return synthetic.make_swing(rate_hz=240.0, noise_m=0.001, bat=request.param)


def test_a_clip_that_ends_early_moves_nothing_silently(swing):
    whole = analyze(swing.columns, swing.energetics)
    for end_s in (-0.02, 0.0, 0.005, 0.01, 0.02, 0.04, 0.1):
        part = analyze(
            cut(swing.columns, -9.0, end_s), cut(swing.energetics, -9.0, end_s)
        )
        assert silently_off(whole, part) == [], end_s


def test_a_clip_that_starts_late_moves_nothing_silently(swing):
    whole = analyze(swing.columns, swing.energetics)
    for start_s in (-0.25, -0.3, -0.4, -0.5, -0.6, -0.8, -1.0):
        part = analyze(
            cut(swing.columns, start_s, 9.0), cut(swing.energetics, start_s, 9.0)
        )
        assert silently_off(whole, part) == [], start_s


def test_travel_is_counted_from_the_stance(swing):
    whole = analyze(swing.columns, swing.energetics).metrics
    # The foot goes 0.22 m, all but its last millimeters before its ankle rests.
    assert whole["stride_travel_pct"].value == pytest.approx(22.0 / 1.8, abs=1.0)
    late = analyze(cut(swing.columns, -0.4, 9.0), None).metrics
    for name in ("stride_travel_pct", "pelvis_fwd"):
        assert late[name].value is None
        assert late[name].reason == "the clip starts after the stance"
    assert late["stride_spread_pct"].value == pytest.approx(
        whole["stride_spread_pct"].value, abs=0.5
    )
