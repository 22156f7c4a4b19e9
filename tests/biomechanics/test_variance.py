"""Scatter within and between sessions, held against other implementations."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy

from biomechanics import change, variance
from biomechanics.change import Look, changes, session_values, usual_band
from biomechanics.variance import (
    Components,
    Prior,
    SessionValues,
    components,
    facility_prior,
    fitted_scale,
    pooled_components,
    published_prior,
)

NAME = "gap_torso_arm"  # Nothing is published of its scatter.


def drawn(rng, sessions, *, between, within=10.0, least=5, most=12):
    """Values of the swings of each session."""
    return [
        100.0
        + rng.normal(0, between)
        + rng.normal(0, within, rng.integers(least, most))
        for _ in range(sessions)
    ]


def summed(values):
    return [session_values(one, place=k) for k, one in enumerate(values)]


def table(values):
    return pd.DataFrame(
        {"y": y, "session": str(k)} for k, one in enumerate(values) for y in one
    )


def test_scatter_within_sessions_is_that_of_an_analysis_of_variance():
    # Here and below by the test alone: every worker reads this file.
    import statsmodels.formula.api as smf
    from statsmodels.stats.anova import anova_lm

    values = drawn(np.random.default_rng(1), 6, between=7.0)
    found = components(summed(values))
    rows = anova_lm(smf.ols("y ~ C(session)", table(values)).fit())
    assert found.within_variance == pytest.approx(rows.loc["Residual", "mean_sq"])
    assert found.within_freedom == rows.loc["Residual", "df"]


def test_scatter_between_sessions_is_that_of_a_mixed_model():
    import statsmodels.api as sm

    values = drawn(np.random.default_rng(2), 500, between=7.0)
    found = components(summed(values))
    data = table(values)
    fit = sm.MixedLM.from_formula("y ~ 1", data, groups=data["session"]).fit()
    between = found.means_variance - found.within_variance * found.inverse_n
    assert between == pytest.approx(float(fit.cov_re.iloc[0, 0]), rel=0.12)
    assert found.within_variance == pytest.approx(fit.scale, rel=0.02)


def test_steps_are_worth_what_their_covariance_says():
    for steps in (1, 2, 4, 9):
        # Differences of neighbors of independent sessions of variance 1.
        d = np.diff(np.eye(steps + 1), axis=0)
        covariance = d @ d.T
        # 2·E² ⁄ Var of a quadratic form.
        freedom = np.trace(covariance) ** 2 / np.trace(covariance @ covariance)
        assert variance.steps_freedom(steps) == pytest.approx(freedom)
    assert variance.steps_freedom(0) == 0.0


def test_components_by_hand():
    sessions = [
        SessionValues(4, 4, 16.0, 3.0),
        SessionValues(1, 2, 10.0, 5.0),
        SessionValues(2, 5, 14.0, 2.0),
        SessionValues(3, 1, 11.0, None),
    ]
    found = components(sessions)
    assert found.within_freedom == 3 + 1 + 4
    assert found.within_variance == pytest.approx((3 * 9 + 25 + 4 * 4) / 8)
    assert found.means_variance == pytest.approx((16 + 9 + 25) / 2 / 3)
    assert found.inverse_n == pytest.approx(
        ((1 / 2 + 1 / 5) + (1 / 5 + 1) + (1 + 1 / 4)) / 2 / 3
    )
    assert found.means_freedom == pytest.approx(18 / 8)
    # Nothing that leads to a session under test, from it or over it.
    assert components(sessions, tested={2}).means_variance == pytest.approx(25 / 2)
    assert components(sessions, tested={4}).means_variance == pytest.approx(25 / 4)
    over = [s for s in sessions if s.place != 2]
    assert components(over, tested={2}).means_variance == pytest.approx(25 / 2)


def test_components_of_several_setups_count_by_their_freedom():
    first = Components(4.0, 6.0, 2.0, 1.0, 0.2)
    second = Components(1.0, 3.0, 8.0, 2.0, 0.5)
    assert pooled_components([first, second]) == Components(
        pytest.approx(3.0), 9.0, pytest.approx(6.0), 3.0, pytest.approx(0.4)
    )
    alone = Components(4.0, 6.0, 0.0, 0.0, 0.0)
    assert pooled_components([alone]) == alone
    assert pooled_components([]) == Components(0.0, 0.0, 0.0, 0.0, 0.0)


def test_two_groups_of_one_session_are_no_step():
    twice = [SessionValues(1, 4, 0.0, 1.0), SessionValues(1, 4, 9.0, 1.0)]
    assert components(twice).means_freedom == 0.0
    assert components(twice).means_variance == 0.0


def test_inverse_trigamma_against_a_root_finder():
    for value in (0.01, 0.3, 2.0, 40.0):
        root = scipy.optimize.brentq(
            lambda y, v=value: float(scipy.special.polygamma(1, y)) - v, 1e-3, 1e4
        )
        assert variance.inverse_trigamma(value) == pytest.approx(root, rel=1e-6)
    with pytest.raises(ValueError, match="positive"):
        variance.inverse_trigamma(0.0)


def test_prior_of_variances_against_maximum_likelihood():
    rng = np.random.default_rng(6)
    f = rng.integers(3, 12, 3000).astype(float)
    true = 25.0 * 8.0 / rng.chisquare(8.0, f.size)
    s2 = true * rng.chisquare(f) / f
    scale, freedom = fitted_scale(list(s2), list(f))

    def surprise(x):
        return -scipy.stats.f.logpdf(s2 / x[0], f, x[1]).sum() + f.size * math.log(x[0])

    best = scipy.optimize.minimize(surprise, [20.0, 5.0], method="Nelder-Mead").x
    assert scale == pytest.approx(best[0], rel=0.05)
    assert freedom == pytest.approx(best[1], rel=0.15)
    # Equal athletes: no scatter beyond chance.
    alike = 25.0 * rng.chisquare(f) / f
    scale, freedom = fitted_scale(list(alike), list(f))
    assert scale == pytest.approx(25.0, rel=0.1)
    assert freedom > 20


def test_facility_prior_learns_what_was_drawn():
    rng = np.random.default_rng(7)
    people = [components(summed(drawn(rng, 8, between=7.0))) for _ in range(80)]
    prior = facility_prior(NAME, people)
    assert (prior.source, prior.athletes) == ("facility", 80)
    assert prior.within_sd == pytest.approx(10.0, rel=0.06)
    assert prior.ratio == pytest.approx(0.7, rel=0.1)
    assert prior.ratio_freedom > 10
    # Half of the athletes scatter much more from day to day: less is sure.
    wild = [components(summed(drawn(rng, 8, between=20.0))) for _ in range(80)]
    assert facility_prior(NAME, people + wild).ratio_freedom < 6
    assert facility_prior(NAME, people[:2]) == published_prior(NAME)


def test_one_new_athlete_moves_a_small_facility_little():
    calm = Components(100.0, 30.0, 100.0 / 8, 3.0, 1 / 8)
    prior = facility_prior(NAME, [calm] * 3)
    # The published ratio counts with its degrees of freedom: 2·0.5² of 2 + 9.
    assert prior.ratio == pytest.approx(math.sqrt(2 * 0.25 / 11))


def test_who_never_differs_says_nothing_of_scatter():
    alike = Components(100.0, 40.0, 40.0, 4.0, 0.125)
    still = replace(alike, within_variance=0.0)
    prior = facility_prior(NAME, [alike, alike, still])
    assert (prior.source, prior.athletes) == ("published", 0)
    two_swings = replace(alike, within_freedom=1.0)
    assert facility_prior(NAME, [two_swings] * 3).athletes == 3
    prior = facility_prior(NAME, [alike] * 3)
    assert (prior.source, prior.athletes) == ("facility", 3)
    # However alike they are.
    assert prior.within_freedom == prior.ratio_freedom == 30.0


def test_days_are_alike_where_only_numbers_of_swings_differ():
    def alike(n):
        return Components(100.0, 40.0, (0.25 + 1 / n) * 100.0, 40.0, 1 / n)

    prior = facility_prior(NAME, [alike(n) for n in (2, 4, 8, 32)])
    assert prior.ratio == pytest.approx(0.5)
    assert prior.ratio_freedom == 30.0


def test_published_prior():
    speed = published_prior("peak_pelvis_omega")
    assert (speed.within_sd, speed.within_freedom) == (24, 2.0)
    assert (speed.ratio, speed.ratio_freedom, speed.source) == (0.5, 2.0, "published")
    assert published_prior(NAME).within_sd is None
    assert published_prior(NAME).within_freedom == 0.0


def moderated(own, prior):
    """Independent formulas for one metric alone: within, means, degrees of freedom."""
    s2 = own.within_variance
    expected = (prior.ratio**2 + own.inverse_n) * s2
    known = prior.ratio_freedom + own.means_freedom
    general = (
        prior.ratio_freedom * expected + own.means_freedom * own.means_variance
    ) / known
    general = max(general, own.inverse_n * s2)
    d0 = 1 / (1 / max(variance.METRIC_FREEDOM, prior.ratio_freedom) + 1 / known)
    means = (d0 * general + own.means_freedom * own.means_variance) / (
        d0 + own.means_freedom
    )
    return s2, means, d0 + own.means_freedom


@pytest.mark.parametrize("between", [0.0, 4.0, 15.0])
def test_error_and_degrees_of_freedom_by_hand(between):
    values = drawn(np.random.default_rng(int(between)), 6, between=between)
    sessions = summed(values)
    prior = Prior(None, 0.0, 0.6, 5.0, "facility", 9)
    (got,) = changes([Look(NAME, (sessions[5],), tuple(sessions[:5]), prior=prior)])
    own = components(sessions, tested={5})
    s2, means, freedom = moderated(own, prior)
    n = np.array([s.n for s in sessions[:5]])
    a, b = 1 + ((n / n.sum()) ** 2).sum(), 1 / sessions[5].n + 1 / n.sum()
    tau2 = max(means - own.inverse_n * s2, 0.0)
    error2 = a * tau2 + b * s2
    doubt = (a * means) ** 2 / freedom
    doubt += ((b - a * own.inverse_n) * s2) ** 2 / own.within_freedom
    satterthwaite = error2**2 / doubt
    assert got.spread.freedom == pytest.approx(satterthwaite)
    assert got.spread.within_sd == pytest.approx(math.sqrt(s2))
    assert got.spread.between_sd == pytest.approx(math.sqrt(tau2))
    assert got.spread.source == "own"
    t = abs(got.delta) / math.sqrt(error2)
    assert got.p == pytest.approx(2 * scipy.stats.t.sf(t, satterthwaite))
    assert got.needed == pytest.approx(
        scipy.stats.t.ppf(0.95, satterthwaite) * math.sqrt(error2)
    )


def test_first_of_two_sessions_by_hand():
    """No step is known, so that all is borrowed; what came later counts in 1⁄n."""
    now, before = SessionValues(2, 8, 110.0, 10.0), SessionValues(1, 4, 100.0, 10.0)
    later = SessionValues(3, 2, 105.0, 10.0)
    prior = Prior(10.0, 20.0, 0.6, 12.0, "facility", 9)
    (got,) = changes([Look(NAME, (now,), (before,), (later,), prior)])
    inverse_n = (1 / 8 + 1 / 4 + 1 / 2) / 3
    means = (0.6**2 + inverse_n) * 100
    error2 = 2 * 0.36 * 100 + (1 / 8 + 1 / 4) * 100
    freedom = 1 / (1 / variance.METRIC_FREEDOM + 1 / 12)
    doubt = (2 * means) ** 2 / freedom
    doubt += ((1 / 8 + 1 / 4 - 2 * inverse_n) * 100) ** 2 / (20 + 7 + 3 + 1)
    assert got.spread.freedom == pytest.approx(error2**2 / doubt)
    assert got.spread.between_sd == pytest.approx(6.0)
    assert got.p == pytest.approx(
        2 * scipy.stats.t.sf(10 / math.sqrt(error2), got.spread.freedom)
    )


def test_usual_band_by_hand():
    prior = Prior(10.0, 20.0, 0.6, 12.0, "facility", 9)
    freedom = 1 / (1 / variance.METRIC_FREEDOM + 1 / 12)
    t = scipy.stats.t.ppf(0.975, freedom)
    for swings, by_swings in ((None, 2 / 4), (10, 1 / 10 + 1 / 4)):
        band = usual_band([SessionValues(1, 4, 100.0, 10.0)], prior, swings=swings)
        error2 = 2 * 36 + by_swings * 100
        assert band.center == 100.0
        assert band.half_width == pytest.approx(t * math.sqrt(error2))


def test_usual_band_needs_three_degrees_of_freedom():
    first = [SessionValues(1, 4, 100.0, 10.0)]

    def band(ratio_freedom, within=10.0):
        return usual_band(first, Prior(within, 20.0, 0.6, ratio_freedom, "facility", 9))

    # 1 ⁄ (1 ⁄ 15 + 1 ⁄ 3.75) is 3.
    assert variance.METRIC_FREEDOM == 15.0
    assert band(3.75) is not None
    assert band(3.7) is None
    # One swing, and nobody who says how swings scatter.
    alone = [SessionValues(1, 1, 100.0)]
    assert usual_band(alone, Prior(None, 0.0, 0.6, 30.0, "facility", 9)) is None


def test_two_athletes_by_hand():
    prior = Prior(None, 0.0, 0.6, 5.0, "facility", 9)
    mine, theirs = (
        summed(drawn(np.random.default_rng(seed), 5, between=6.0)) for seed in (1, 2)
    )
    # One side scatters less than usual, and is taken to scatter as others tell.
    theirs[4] = replace(theirs[4], sd=theirs[4].sd / 4)
    (got,) = changes([
        Look(
            NAME, (mine[4],), (theirs[4],), tuple(mine[:4]), prior,
            other_history=tuple(theirs[:4]), other_prior=prior,
        )
    ])  # fmt: skip
    error2 = doubt = 0.0
    for sessions in (mine, theirs):
        own = components(sessions)
        s2, means, freedom = moderated(own, prior)
        last = sessions[4]
        f = last.n - 1
        shrunk = (f * last.sd**2 + 4 * s2) / (f + 4)
        side = max(last.sd**2, shrunk)
        error2 += max(means - own.inverse_n * s2, 0.0) + side / last.n
        doubt += means**2 / freedom + (side / last.n) ** 2 / f
        doubt += (own.inverse_n * s2) ** 2 / own.within_freedom
    assert got.spread.freedom == pytest.approx(error2**2 / doubt)
    t = abs(got.delta) / math.sqrt(error2)
    assert got.p == pytest.approx(2 * scipy.stats.t.sf(t, error2**2 / doubt))


def test_other_metrics_tell_how_much_an_athlete_scatters_between_days():
    rng = np.random.default_rng(9)
    prior = Prior(10.0, 4.0, 0.5, 2.0, "published")

    def look(between):
        sessions = summed(drawn(rng, 4, between=between))
        return Look(NAME, (sessions[3],), tuple(sessions[:3]), prior=prior)

    one = look(5.0)
    calm = changes([one, *(look(0.0) for _ in range(10))])[0]
    wild = changes([one, *(look(30.0) for _ in range(10))])[0]
    assert wild.spread.between_sd > 2 * calm.spread.between_sd
    assert calm.spread.freedom > changes([one])[0].spread.freedom


def test_list_is_judged_as_statsmodels_does():
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(3)
    looks = []
    for k in range(12):
        sessions = summed(drawn(rng, 6, between=3.0))
        moved = SessionValues(5, 8, 100.0 + 4.0 * k, 9.0)
        looks.append(Look(NAME, (moved,), tuple(sessions[:5])))
    verdicts = changes(looks, false_discoveries=0.05)
    rejected, adjusted, *_ = multipletests(
        [v.p for v in verdicts], alpha=0.05, method="fdr_bh"
    )
    assert [v.verdict == "real" for v in verdicts] == list(rejected)
    assert [v.adjusted for v in verdicts] == pytest.approx(list(adjusted))
    assert 2 < sum(rejected) < 12


def test_published_scatter_counts_until_own_is_known():
    few = (SessionValues(0, 1, 700.0), SessionValues(1, 1, 720.0))
    now = (SessionValues(2, 1, 735.0),)
    (got,) = changes([Look("peak_pelvis_omega", now, few)])
    assert got.verdict == "no_clear_change"
    assert got.spread.within_sd == pytest.approx(24.0)
    assert changes([Look(NAME, now, few)])[0].reason_code == "not_enough"
    assert change.BASELINE_SESSIONS == 5


def test_published_scatter_at_foot_down_is_that_of_the_plant():
    # At heel strike it is 1.9, 1.5 and 1.3 degrees, and the pelvis 45 degrees away.
    names = ("pelvis_rot_fd", "torso_rot_fd", "x_factor_fd")
    assert [published_prior(name).within_sd for name in names] == [4.1, 4.1, 1.9]


@pytest.mark.parametrize(
    "name",
    ["x_factor_max", "side_bend_max", "peak_lead_arm_omega", "peak_hand_omega"],
)
def test_published_scatter_of_other_definitions_is_not_used(name):
    assert published_prior(name).within_sd is None
