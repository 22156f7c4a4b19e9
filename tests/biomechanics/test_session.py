"""Sessions: spread, order, real change, aligned curves."""

import math

import numpy as np
import pytest

from biomechanics import curves, sequence, session_statistics
from biomechanics.analysis_types import MetricValue


def value(number, *, flagged=False, basis=""):
    reason = None if number is not None else "no"
    return MetricValue(number, "", reason, flagged, "", basis=basis)


def test_summary_of_known_numbers():
    got = session_statistics.summarize_metric(
        [10.0, 12.0, None, 14.0, math.nan, 30.0], ratio_scale=True
    )
    assert (got.n, got.mean, got.median) == (4, 16.5, 13.0)
    assert got.sd == pytest.approx(np.std([10, 12, 14, 30], ddof=1))
    assert got.robust_spread == pytest.approx(1.363 * 1.4826 * 2.0)
    assert (got.minimum, got.maximum) == (10.0, 30.0)
    # Within three SD of zero a coefficient of variation says nothing.
    assert got.cv_percent is None
    steady = session_statistics.summarize_metric([100.0, 102.0, 98.0], ratio_scale=True)
    assert steady.cv_percent == pytest.approx(2.0)
    assert (
        session_statistics.summarize_metric(
            [100.0, 102.0, 98.0], ratio_scale=False
        ).cv_percent
        is None
    )


@pytest.mark.parametrize("n", [3, 4, 5, 7, 9, 12, 40])
def test_robust_spread_is_right_on_average_however_few_the_values_are(n):
    rng = np.random.default_rng(n)
    drawn = rng.normal(0.0, 10.0, (20000, n))
    off = np.abs(drawn - np.median(drawn, axis=1, keepdims=True))
    middle = float(np.median(off, axis=1).mean())
    factor = session_statistics.mad_to_sd(n)
    assert factor * middle == pytest.approx(10.0, rel=0.02)


def test_factors_of_a_robust_spread_are_those_of_the_paper():
    published = [1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107]
    for n, factor in enumerate(published, 3):
        found = session_statistics.mad_to_sd(n)
        assert found == pytest.approx(1.4826 * factor, rel=1e-4)
    assert session_statistics.mad_to_sd(10) == pytest.approx(1.4826 / 0.92, rel=1e-4)


@pytest.mark.parametrize(
    ("numbers", "median"),
    [([9.0, 1.0, 2.0, 7.0, 3.0], 3.0), ([20.0, 1.0, 2.0, 12.0, 3.0, 10.0, 30.0], 10.0),
     ([8.0, 1.0, 2.0, 5.0, 3.0, 30.0], 4.0)],
)  # fmt: skip
def test_median(numbers, median):
    summary = session_statistics.summarize_metric(numbers, ratio_scale=False)
    assert summary.median == median


def test_two_values_have_no_robust_spread():
    with pytest.raises(ValueError, match="three values"):
        session_statistics.mad_to_sd(2)


def test_two_swings_have_a_mean_but_no_spread():
    got = session_statistics.summarize_metric([1.0, 3.0], ratio_scale=True)
    assert (got.n, got.mean, got.sd, got.robust_spread) == (2, 2.0, None, None)
    assert session_statistics.summarize_metric([None], ratio_scale=True).mean is None


def test_flagged_values_are_left_out_and_counted():
    swings = [
        {"peak_pelvis_omega": value(700.0)},
        {"peak_pelvis_omega": value(720.0)},
        {"peak_pelvis_omega": value(5000.0, flagged=True)},
        {"peak_pelvis_omega": value(None)},
    ]
    got = session_statistics.summarize_by_basis(swings)["peak_pelvis_omega", ""]
    assert (got.n, got.mean, got.left_out) == (2, 710.0, 1)


def test_values_on_different_bases_are_never_in_one_mean():
    speeds = [(10.0, "hands=hands"), (12.0, "hands=hands"), (8.0, "hands=wrists")]
    swings = [
        {"seq_order": value("P-T-A"), "peak_hand_speed": value(speed, basis=basis)}
        for speed, basis in speeds
    ]
    found = session_statistics.summarize_by_basis(swings)
    assert {key: (item.n, item.mean) for key, item in found.items()} == {
        ("peak_hand_speed", "hands=hands"): (2, 11.0),
        ("peak_hand_speed", "hands=wrists"): (1, 8.0),
    }
    most = session_statistics.most_shared(found)["peak_hand_speed"]
    assert (most.mean, most.left_out, most.basis) == (11.0, 1, "hands=hands")


def test_order_with_ties():
    assert sequence.sequence_order({"P": 0, "T": 0.02, "A": 0.04}) == "P-T-A"
    assert sequence.sequence_order({"P": 0, "T": 0.03, "A": 0.02}) == "P-A-T"
    assert (
        sequence.sequence_order({"P": 0, "A": 0.02, "T": 0.025, "B": 0.05})
        == "P-(TA)-B"
    )
    assert sequence.sequence_order({"B": 0, "P": 0.004, "T": 0.008}) == "(PTB)"
    assert sequence.sequence_order({"P": 0.0, "T": 0.010}) == "P-T"
    with pytest.raises(ValueError, match="times_s"):
        sequence.sequence_order({"X": 0.0, "P": 1.0})


def test_a_tie_holds_only_peaks_that_all_lie_close():
    chain = {"P": 0.0, "T": 0.009, "A": 0.018, "B": 0.027}
    assert sequence.sequence_order(chain) == "(PT)-(AB)"
    # The closest two first: the third is too far from the first of them.
    uneven = {"P": 0.0, "T": 0.008, "A": 0.012}
    assert sequence.sequence_order(uneven) == "P-(TA)"
    level = {"P": 0.0, "T": 0.008, "A": 0.016}
    assert sequence.sequence_order(level) == "(PT)-A"
    assert sequence.sequence_order(level, tie_limit_s=0.02) == "(PTA)"


def bell(peak, zero, *, rate=240, late=0.0):
    t = np.arange(300) / rate
    return curves.Curve(
        t, peak * np.exp(-0.5 * ((t - zero - late) / 0.05) ** 2), zero, zero - 0.2
    )


def test_aligned_mean_and_band():
    got = curves.align([bell(p, z) for p, z in ((690, 0.8), (700, 0.83), (710, 0.9))])
    middle = np.flatnonzero(np.abs(got.grid) < 1e-9)[0]
    assert got.mean[middle] == pytest.approx(700, rel=1e-3)
    assert got.sd[middle] == pytest.approx(10, rel=0.02)
    assert got.kept.tolist() == [True] * 3
    assert np.diff(got.grid) == pytest.approx(0.002)
    assert curves.band_width(got, low=-0.05, high=0.05) < 10.1


def test_fewer_than_three_swings_show_no_band():
    got = curves.align([bell(700, 0.8), bell(700, 0.8)])
    assert np.isnan(got.mean).all()
    assert np.isnan(got.sd).all()
    short = curves.Curve(np.arange(200) / 240, np.ones(200), 0.8)
    mixed = curves.align([bell(1, 0.8), bell(1, 0.8), short])
    assert np.isnan(mixed.mean[-1])
    assert np.isfinite(mixed.mean[0])
    assert np.isnan(curves.align([]).mean).all()
    no_event = curves.Curve(np.arange(9.0), np.ones(9), None)
    assert np.isnan(curves.align([no_event] * 3).rows).all()


def test_a_window_runs_from_before_load_to_after_contact_wherever_zero_is():
    late = curves.Landmarks(load=-0.5, first_move=-0.2, contact=0.0)
    assert curves.swing_window([late]) == pytest.approx((-0.55, 0.15))
    on_load = curves.Landmarks(load=0.0, first_move=0.3, contact=0.5)
    assert curves.swing_window([on_load]) == pytest.approx((-0.05, 0.65))
    percent = curves.Landmarks(-150.0, 0.0, 100.0, per_s=500.0)
    assert curves.swing_window([percent]) == pytest.approx((-175.0, 175.0))


def test_first_move_opens_the_window_where_load_is_not_known():
    unloaded = curves.Landmarks(None, -0.2, 0.0)
    assert curves.swing_window([unloaded]) == pytest.approx((-0.3, 0.15))
    bare = curves.Landmarks(None, None, 0.0)
    assert curves.swing_window([bare]) == pytest.approx((-0.6, 0.15))
    assert curves.swing_window([curves.Landmarks(-0.5, -0.2, None)]) is None
    assert curves.swing_window([]) is None


def test_one_batter_who_waits_makes_no_other_swing_small_and_no_move_is_cut():
    swings = [
        curves.Landmarks(load, -0.2, contact)
        for load, contact in ((-1.2, 0.0), (-0.5, 0.02), (-0.4, 0.0))
    ]
    assert curves.swing_window(swings) == pytest.approx((-0.55, 0.17))
    early = curves.Landmarks(-0.9, -0.8, 0.0)
    assert curves.swing_window([*swings, early, swings[1]])[0] == pytest.approx(-0.9)


def test_percent_of_the_swing():
    t = np.arange(300) / 240
    swings = [
        curves.Curve(t, (t - start) / (end - start), end, start)
        for start, end in ((0.5, 0.7), (0.4, 0.7), (0.55, 0.8))
    ]
    got = curves.align_percent(swings)
    np.testing.assert_allclose(got.mean, got.grid / 100.0, atol=1e-9)


def test_a_grid_of_percent_has_both_ends():
    usual = curves.align_percent([]).grid
    assert (usual[0], usual[-1], usual.size) == (-50.0, 120.0, 171)
    assert curves.align_percent([], low=0.0, high=0.3, step=0.1).grid.size == 4
    assert curves.align_percent([], low=0.0, high=0.35, step=0.1).grid.size == 4
    for low, high, step in ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (0.0, 1.0, -1.0)):
        with pytest.raises(ValueError, match="positive step"):
            curves.align_percent([], low=low, high=high, step=step)


def test_a_swing_without_one_of_the_two_events_is_in_no_percent():
    t = np.arange(300) / 240
    whole = curves.Curve(t, t, 0.7, 0.5)
    no_start, no_end = curves.Curve(t, t, 0.7, None), curves.Curve(t, t, None, 0.5)
    backward, short = curves.Curve(t, t, 0.5, 0.7), curves.Curve(t[:1], t[:1], 0.7, 0.5)
    got = curves.align_percent([whole, no_start, no_end, backward, short])
    assert np.isfinite(got.rows).any(axis=1).tolist() == [True] + [False] * 4


def flat(level, until):
    """A curve of one value that ends some time after the event at 0.6 s."""
    time_s = np.arange(0.0, until, 0.002)
    return curves.Curve(time_s, np.full(time_s.size, level), 0.6)


def test_a_mean_does_not_step_where_a_swing_ends():
    long = [flat(level, 0.76) for level in (1.0, 2.0, 3.0, 4.0, 5.0)]
    got = curves.align([*long, flat(90.0, 0.72)])
    # Six swings up to 0.12 s are more than five up to 0.15 s.
    assert got.kept.all()
    np.testing.assert_allclose(got.mean[:-16], 17.5)
    assert np.isnan(got.mean[-10:]).all()
    assert np.isnan(got.sd[-10:]).all()
    early = curves.align([*long, flat(90.0, 0.4)])
    assert early.kept.tolist() == [True] * 5 + [False]
    np.testing.assert_allclose(early.mean, 3.0)
    np.testing.assert_allclose(early.sd, math.sqrt(2.5))
    # Two long swings are no mean, nor less than half of all.
    few = curves.align([*long[:2], *[flat(9.0, 0.2)] * 3])
    assert few.kept.all()
    assert np.isnan(few.mean[110:]).all()
    most = curves.align([*long, *[flat(9.0, 0.02)] * 6])
    assert most.kept.sum() >= 6
    two = curves.align([flat(1.0, 0.76), flat(3.0, 0.7)])
    assert np.isnan(two.mean).all()
    middle = curves.middle(two)
    np.testing.assert_allclose(middle[:300], 2.0)
    assert np.isnan(middle[-1])
    assert np.isnan(curves.middle(curves.align([]))).all()


def test_representative_swing_is_the_one_nearest_the_mean():
    peaks = (640, 702, 760, 690)
    aligned = curves.align([bell(p, 0.8) for p in peaks])
    assert curves.representative([aligned]) == 1
    late = curves.align([bell(9, 0.8, late=d) for d in (0.0, 0.1, 0.0, 0.0)])
    assert curves.representative([aligned, late]) == 3
    assert curves.representative([curves.align([bell(p, 0.8) for p in peaks[:3]])]) == 1
    assert curves.representative([]) is None
    assert curves.representative([curves.align([bell(1, 0.8)] * 2)]) is None


def test_a_swing_that_is_seen_in_part_is_measured_by_what_is_seen():
    # Close where it is seen: the mean of the others is 50, and it lies at 51.
    time_s = np.arange(0.0, 0.76, 0.002)
    levels = (20.0, 80.0, 46.0, 54.0)
    whole = [curves.Curve(time_s, np.full(time_s.size, one), 0.6) for one in levels]
    seen = np.where(time_s < 0.3, np.nan, 51.0)
    rows = np.vstack([*(c.values for c in whole), seen])
    grid = time_s - 0.6
    kept = np.array([True, True, True, True, False])
    mean = rows[kept].mean(axis=0)
    sd = rows[kept].std(axis=0, ddof=1)
    assert curves.representative([curves.Aligned(grid, rows, mean, sd, kept)]) == 4
    rows[4, :] = np.where(time_s < 0.5, np.nan, 51.0)
    # Of less than half of it nothing is said.
    assert curves.representative([curves.Aligned(grid, rows, mean, sd, kept)]) == 2


def test_standard_error_of_an_average():
    assert session_statistics.standard_error(6.0, 9) == pytest.approx(2.0)
    assert session_statistics.standard_error(6.0, 2) is None
    assert session_statistics.standard_error(None, 9) is None
    assert session_statistics.average([1.0, 2.0, 6.0]) == pytest.approx(3.0)
    assert session_statistics.average([]) is None


def test_averages_tie_by_the_scatter_of_their_own_delays():
    # Torso 20 ms after pelvis in each swing; the arm 15 ms later, give or take 30.
    swings = [
        {"P": -0.100, "T": -0.080, "A": -0.065 + shift} for shift in (-0.03, 0.0, 0.03)
    ]
    groups, times = session_statistics.joint_order(swings, "PTA")
    assert groups == (("P",), ("T", "A"))
    assert times == pytest.approx({"P": -0.100, "T": -0.080, "A": -0.065})
    assert session_statistics.joint_order(swings[1:2], "PTA")[0] == (
        ("P",),
        ("T",),
        ("A",),
    )


def test_averages_tie_within_what_chance_makes_of_them_and_at_least_ten_ms():
    assert sequence.tie_limit_ms() == 10.0
    assert sequence.tie_limit_ms(4.0, 1) == 10.0
    assert sequence.tie_limit_ms(4.0, 9) == 10.0
    # The 97.5th percentile of Student's t with 2 and 8 degrees of freedom.
    assert sequence.tie_limit_ms(9.0, 3) == pytest.approx(4.302653 * 9 / 3**0.5)
    assert sequence.tie_limit_ms(30.0, 9) == pytest.approx(2.306004 * 10.0)
