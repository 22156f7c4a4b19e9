"""The band of a difference of curves: how often equal sets leave it."""

import math
import warnings

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats

from biomechanics import curves
from biomechanics.curve_differences import (
    CurveSet,
    critical_t,
    curve_difference,
)

STEP_S = 0.002
POINTS = 376


def noise(rng, swings, smooth_ms, sd=1.0):
    """Smooth noise of unit variance: so many ms wide at half of its maximum."""
    sigma = smooth_ms / 1000.0 / STEP_S / math.sqrt(8.0 * math.log(2.0))
    pad = int(5 * sigma) + 1
    white = rng.standard_normal((swings, POINTS + 2 * pad))
    smooth = scipy.ndimage.gaussian_filter1d(white, sigma, axis=1)[:, pad:-pad]
    return sd * smooth * math.sqrt(2.0 * math.sqrt(math.pi) * sigma)


def aligned(rows):
    """Rows on the grid of the product, as `align` gives them."""
    time_s = STEP_S * np.arange(POINTS)
    found = [curves.Curve(time_s[known := np.isfinite(r)], r[known], 0.6) for r in rows]
    return curves.align(found)


def one(rows):
    swings = aligned(rows)
    return CurveSet(swings, swings)


def left(rng, *, n, smooth_ms, sd=(1.0, 1.0), missing=0):
    """Whether two equal sets leave the band; swings of the second may be shorter."""
    before, now = (
        noise(rng, count, smooth_ms, s) for count, s in zip(n, sd, strict=True)
    )
    for row in now[:missing]:
        row[rng.integers(260, 370) :] = np.nan
    return bool(curve_difference(one(before), one(now)).clear.any())


# Numbers of swings, scatter of both sides, smoothness.
EQUAL = [
    ((3, 3), (1.0, 1.0), 250.0),
    ((3, 12), (1.0, 1.0), 250.0),
    ((3, 12), (1.0, 4.0), 40.0),
    ((4, 4), (1.0, 1.0), 250.0),
    ((5, 8), (4.0, 1.0), 100.0),
    ((6, 6), (1.0, 1.0), 40.0),
    ((12, 4), (1.0, 4.0), 100.0),
    ((12, 12), (1.0, 1.0), 40.0),
    ((12, 12), (1.0, 4.0), 250.0),
]


@pytest.mark.parametrize(("n", "sd", "smooth_ms"), EQUAL)
def test_equal_sets_leave_the_band_in_at_most_seven_percent(n, sd, smooth_ms):
    rng = np.random.default_rng(17)
    times = 300
    found = sum(left(rng, n=n, smooth_ms=smooth_ms, sd=sd) for _ in range(times))
    assert found / times <= 0.07


def test_equal_sets_with_swings_of_unequal_length_stay_in_the_band():
    rng = np.random.default_rng(4)
    found = sum(left(rng, n=(8, 6), smooth_ms=80.0, missing=2) for _ in range(300))
    assert found / 300 <= 0.07


def test_scatter_that_changes_sides_along_the_swing_does_not_leave_the_band():
    rng = np.random.default_rng(5)
    first = np.where(np.arange(POINTS) < POINTS // 2, 4.0, 1.0)
    found = 0
    for _ in range(300):
        before = noise(rng, 6, 80.0) * first
        now = noise(rng, 6, 80.0) * first[::-1]
        found += curve_difference(one(before), one(now)).clear.any()
    assert found / 300 <= 0.07


def test_the_band_is_not_wider_than_it_must_be():
    rng = np.random.default_rng(8)
    found = sum(left(rng, n=(10, 10), smooth_ms=100.0) for _ in range(1000))
    assert found / 1000 >= 0.025


def test_a_true_difference_leaves_the_band_where_it_is():
    rng = np.random.default_rng(2)
    bump = np.exp(-(((np.arange(POINTS) * STEP_S - 0.6 + 0.04) / 0.03) ** 2))
    before = noise(rng, 8, 80.0, 10.0)
    now = noise(rng, 8, 80.0, 10.0) + 100.0 * bump
    (stretch,) = curve_difference(one(before), one(now)).stretches()
    assert stretch.is_higher
    assert -0.10 < stretch.start < -0.06
    assert -0.03 < stretch.end < 0.01
    (back,) = curve_difference(one(now), one(before)).stretches()
    assert (back.start, back.end) == (stretch.start, stretch.end)
    assert not back.is_higher


def test_stretches_on_either_side_and_up_to_the_ends():
    rng = np.random.default_rng(3)
    shift = np.zeros(POINTS)
    shift[:60], shift[150:], shift[300:] = 100.0, -100.0, 100.0
    found = curve_difference(one(noise(rng, 9, 60.0)), one(noise(rng, 9, 60.0) + shift))
    assert [
        (round(s.start, 3), round(s.end, 3), s.is_higher) for s in found.stretches()
    ] == [(-0.6, -0.482, True), (-0.3, -0.002, False), (0.0, 0.15, True)]


def test_the_band_is_welchs_at_each_instant():
    rng = np.random.default_rng(11)
    before, now = noise(rng, 7, 90.0, 3.0), noise(rng, 5, 90.0, 1.0)
    found = curve_difference(one(before), one(now))
    error = np.sqrt(before.var(axis=0, ddof=1) / 7 + now.var(axis=0, ddof=1) / 5)
    np.testing.assert_allclose(found.band, found.critical * error)
    theirs = scipy.stats.ttest_ind(now, before, axis=0, equal_var=False)
    np.testing.assert_allclose(found.delta / error, theirs.statistic)
    assert found.freedom == pytest.approx(theirs.df.mean())
    assert found.critical > scipy.stats.t.ppf(0.975, found.freedom)


def test_at_one_instant_the_critical_value_is_students():
    assert critical_t(7.0, 1, 0.0) == pytest.approx(scipy.stats.t.ppf(0.975, 7.0))
    # Two instants far from each other: Bonferroni.
    assert critical_t(7.0, 2, 0.0) == pytest.approx(scipy.stats.t.ppf(1 - 0.0125, 7.0))


# It draws with matplotlib, which asks the system for its fonts when first used.
@pytest.mark.processes
def test_critical_values_agree_with_an_independent_implementation():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spm1d = pytest.importorskip("spm1d")
        rft1d = spm1d.rft1d
        rng = np.random.default_rng(21)
        before, now = noise(rng, 8, 70.0, 2.0), noise(rng, 8, 70.0, 2.0)
        theirs = spm1d.stats.ttest2(now, before, equal_var=False)
        residuals = np.vstack([before - before.mean(axis=0), now - now.mean(axis=0)])
        width = rft1d.geom.estimate_fwhm(residuals)
        ours = curve_difference(one(before), one(now))
        error = np.sqrt(before.var(axis=0, ddof=1) / 8 + now.var(axis=0, ddof=1) / 8)
        np.testing.assert_allclose(ours.delta / error, theirs.z, rtol=1e-6)
        for freedom in (6.0, 14.0, 30.0):
            for fwhm in (20.0, 60.0, 125.0):
                expected = rft1d.t.isf(0.025, freedom, POINTS, fwhm)
                resels = (POINTS - 1) / fwhm
                # They take 1 − exp(−x) for the chance, we the expected x itself.
                assert critical_t(freedom, 1, resels) == pytest.approx(
                    expected, rel=0.01
                )
        expected = rft1d.t.isf(0.025, ours.freedom, POINTS, width)
        assert ours.critical == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("n", "sd"), [((40, 40), (1.0, 1.0)), ((20, 60), (3.0, 1.0))])
def test_smoothness_is_that_of_the_noise(n, sd):
    rng = np.random.default_rng(13)
    for smooth_ms in (60.0, 120.0):
        before, now = (
            noise(rng, count, smooth_ms, s) for count, s in zip(n, sd, strict=True)
        )
        found = curve_difference(one(before), one(now))
        known = critical_t(found.freedom, 1, 750.0 / smooth_ms)
        assert found.critical == pytest.approx(known, rel=0.01)


def test_smoothness_is_that_of_the_side_that_scatters():
    rng = np.random.default_rng(14)
    rough, calm = noise(rng, 12, 40.0, 9.0), noise(rng, 12, 250.0)
    found = curve_difference(one(rough), one(calm))
    known = critical_t(found.freedom, 1, 750.0 / 40.0)
    assert found.critical == pytest.approx(known, rel=0.02)
    # Many swings count for less: their mean hardly scatters.
    calm, rough = noise(rng, 8, 250.0, 3.0), noise(rng, 60, 40.0)
    many = curve_difference(one(rough), one(calm))
    assert many.critical < critical_t(many.freedom, 1, 750.0 / 150.0)


def test_a_side_with_few_wild_swings_needs_more_of_them():
    rng = np.random.default_rng(15)
    before, now = noise(rng, 4, 80.0, 30.0), noise(rng, 12, 80.0)
    assert curve_difference(one(before), one(now)).swings_needed == 6
    assert curve_difference(one(now), one(before)).swings_needed == 6


def test_how_many_are_needed_follows_from_the_sides_shares():
    def steady(n, sd):
        spread = np.linspace(-1.0, 1.0, n)
        return np.outer(spread * sd / spread.std(ddof=1), np.ones(POINTS))

    # Shares of 0.92 and 0.08: 0.92² ⁄ 4 is still more than a fifth, 0.92² ⁄ 5 is not.
    before, now = steady(4, math.sqrt(11.5 / 3.0)), steady(12, 1.0)
    found = curve_difference(one(before), one(now))
    assert found.freedom == pytest.approx(1 / (0.92**2 / 3 + 0.08**2 / 11))
    assert found.swings_needed == 6


def test_more_are_needed_than_there_are_whatever_the_shares_promise():
    spread = np.linspace(-1.0, 1.0, 5)
    first = np.arange(POINTS) < POINTS // 2
    # At each instant one side alone scatters: four degrees of freedom. Over all of them
    # the shares are even, for which five on each side would do.
    before = one(np.outer(spread, np.where(first, 1.0, 0.001)))
    now = one(np.outer(spread, np.where(first, 0.001, 1.0)))
    found = curve_difference(before, now)
    assert found.freedom == pytest.approx(4.0, rel=0.001)
    assert (found.band, found.swings_needed) == (None, 6)


def test_no_band_before_there_are_swings_enough():
    rng = np.random.default_rng(1)
    two = curve_difference(one(noise(rng, 2, 80.0)), one(noise(rng, 9, 80.0)))
    assert (two.band, two.swings_needed, two.freedom) == (None, 5, 0.0)
    assert np.isfinite(two.delta).all()
    assert not two.clear.any()
    assert two.stretches() == ()
    three = curve_difference(one(noise(rng, 3, 80.0)), one(noise(rng, 3, 80.0)))
    assert (three.band, three.swings_needed) == (None, 5)
    assert 2.0 < three.freedom <= 4.0
    # One side scatters so much that only its own swings count.
    wild = curve_difference(one(noise(rng, 5, 80.0, 9.0)), one(noise(rng, 9, 80.0)))
    assert (wild.band, wild.swings_needed) == (None, 6)
    enough = curve_difference(one(noise(rng, 5, 80.0)), one(noise(rng, 5, 80.0)))
    assert enough.band is not None
    assert enough.swings_needed == 0
    same = one(np.ones((6, POINTS)))
    assert curve_difference(same, same).band is None


def test_single_swings_are_held_against_the_scatter_of_their_session():
    rng = np.random.default_rng(6)
    rows = noise(rng, 8, 80.0, 5.0)
    session = aligned(rows)
    first, second = aligned(rows[:1]), aligned(rows[1:2])
    found = curve_difference(
        CurveSet(first, session), CurveSet(second, session), one_scatter=True
    )
    np.testing.assert_allclose(found.delta, rows[1] - rows[0], atol=1e-9)
    assert found.freedom == pytest.approx(7.0)
    np.testing.assert_allclose(found.band, found.critical * session.sd * math.sqrt(2.0))
    other = aligned(noise(rng, 6, 80.0, 5.0))
    apart = curve_difference(CurveSet(first, session), CurveSet(other, other))
    np.testing.assert_allclose(
        apart.band, apart.critical * np.sqrt(session.sd**2 + other.sd**2 / 6)
    )


def test_a_gap_counts_as_two_pieces_and_shorter():
    rng = np.random.default_rng(9)
    before, now = noise(rng, 8, 60.0), noise(rng, 8, 60.0)
    whole = curve_difference(one(before), one(now))
    rows = before.copy()
    rows[:, 100:250] = np.nan
    broken = curves.Aligned(
        one(now).shown.grid,
        rows,
        rows.mean(axis=0),
        rows.std(axis=0, ddof=1),
        np.ones(8, dtype=bool),
    )
    parted = curve_difference(CurveSet(broken, broken), one(now))
    assert np.isnan(parted.band[100:250]).all()
    assert np.isfinite(parted.band[:100]).all()
    assert parted.critical < whole.critical
    assert not parted.clear[100:250].any()


def test_other_grids_are_refused():
    rng = np.random.default_rng(0)
    short = curves.align([], step_s=0.004)
    with pytest.raises(ValueError, match="same grid"):
        curve_difference(one(noise(rng, 5, 80.0)), CurveSet(short, short))
