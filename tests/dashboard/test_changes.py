"""Real changes, and the sentences that tell them."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from athletes.analysis.changes import change_at, scatter_of_points
from athletes.analysis.history import Basis, SessionAverage
from dashboard.selectors.changes import change_sentences

TEE = Basis("tee", "hand_peak", "single-camera", "1")
MACHINE = Basis("machine", "hand_peak", "single-camera", "1")


def points(means, *, metric="peak_torso_omega", n=6, sd=10.0, basis=TEE):
    return [
        SessionAverage(
            session_id=place + 1,
            date=dt.date(2026, 3, 1) + dt.timedelta(days=place),
            metric=metric,
            n=n,
            mean=float(mean),
            sd=sd,
            basis=basis,
        )
        for place, mean in enumerate(means)
    ]


def test_change_is_held_against_the_three_sessions_before():
    history = points([500, 900, 905, 910, 925])
    change = change_at(history, history[-1])
    assert change.before == pytest.approx(905.0)
    assert change.delta == pytest.approx(20.0)
    assert (change.n_before, change.n_now, change.sessions_before) == (18, 6, 3)
    assert change.smallest == pytest.approx(1.96 * 10 * math.sqrt(1 / 18 + 1 / 6))
    assert change.real is True
    assert change.own_scatter


def test_change_inside_the_scatter_is_not_clear():
    history = points([900, 905, 910, 909])
    assert change_at(history, history[-1]).real is False


def test_first_session_has_nothing_to_compare_with():
    history = points([900])
    change = change_at(history, history[-1])
    assert change.real is None
    assert change.reason == "nothing comparable before"


def test_sessions_of_another_condition_are_not_compared():
    history = [*points([900, 905, 910], basis=MACHINE), points([0, 0, 0, 990])[-1]]
    assert change_at(history, history[-1]).real is None


def test_hands_and_wrists_are_not_compared_and_it_is_said_why():
    def at(point):
        measured = f"reference=contact hands={point}"
        return Basis("tee", measured, "single-camera", "1")

    history = points([9.0, 9.1, 9.0], metric="peak_hand_speed", basis=at("hands"))
    history += points([0, 0, 0, 7.8], metric="peak_hand_speed", basis=at("wrists"))[3:]
    change = change_at(history, history[-1])
    assert (change.real, change.before, change.n_before) == (None, None, 0)
    assert change.reason == (
        "nothing comparable before: measured at another point: wrists instead of hands"
    )
    # The same point again is compared.
    assert change_at(history, history[2]).sessions_before == 2


def test_of_several_reasons_each_is_said():
    old = Basis("tee", "bat_peak", "single-camera", "2026.1")
    new = Basis("machine", "reference=bat_peak", "single-camera", "2026.2")
    assert new.difference(old) == "another condition; another version of the method"
    assert new.difference(new) == ""
    down = Basis("tee", "reference=contact foot_down=ankle_settles", "", "2026.2")
    other = Basis("tee", "reference=contact foot_down=vendor_norm_time", "", "2026.2")
    assert down.difference(other) == (
        "another rule for foot down: lead ankle at rest instead of the vendor's"
    )
    assert down.label == ("Tee · reference: contact · foot down: lead ankle at rest")


def test_scatter_is_pooled_over_sessions_by_their_swings():
    history = [points([1], sd=10.0, n=11)[0], *points([1, 2], sd=20.0, n=6)]
    scatter = scatter_of_points(history)
    assert scatter.source == "own"
    assert scatter.sd == pytest.approx(math.sqrt((10 * 100 + 10 * 400) / 20))


def test_scatter_is_the_published_one_until_there_are_three_sessions():
    scatter = scatter_of_points(points([900, 905]))
    assert (scatter.sd, scatter.source) == (31, "published")


def test_without_any_scatter_nothing_is_called_real():
    history = points([3.0, 9.0], metric="tempo", sd=None)
    change = change_at(history, history[-1])
    assert change.real is None
    assert change.reason == "too few sessions to know the scatter"


def test_findings_are_three_with_the_clearest_first():
    history = {
        "peak_torso_omega": points([900, 900, 900, 930]),
        "peak_pelvis_omega": points([700, 700, 700, 760], metric="peak_pelvis_omega"),
        "time_to_ref": points([150, 150, 150, 151], metric="time_to_ref", sd=5.0),
    }
    told = change_sentences(history, system="metric")
    assert [finding.metric for finding in told] == [
        "peak_pelvis_omega",
        "peak_torso_omega",
        "time_to_ref",
    ]
    assert told[0].text == (
        "Peak pelvis turn rate: 9 % faster than in the three sessions before, a real "
        "change (700°/s → 760°/s; 18 and 6 swings)."
    )
    assert told[2].text == (
        "First move to reference as before (151 ms); a difference under 5 ms is within "
        "the usual scatter."
    )


def test_angles_change_in_degrees_and_speeds_in_the_readers_units():
    angle = {"x_factor_max": points([20, 20, 20, 26], metric="x_factor_max", sd=2.0)}
    assert "6° higher" in change_sentences(angle, system="metric")[0].text
    speed = {"peak_hand_speed": points([9, 9, 9, 10], metric="peak_hand_speed", sd=0.3)}
    assert "(20.1 mph → 22.4 mph" in change_sentences(speed, system="imperial")[0].text


def test_real_change_smaller_than_the_usual_digits_is_seen():
    angle = {"x_factor_max": points([20, 20, 20, 20.4], metric="x_factor_max", sd=0.1)}
    told = change_sentences(angle, system="metric")[0]
    assert "0.4° higher" in told.text
    assert "(20.0° → 20.4°" in told.text
    assert told.change.decimals == 1


@pytest.mark.parametrize(
    ("now", "decimals", "told"),
    [(20.4, 1, "20.0° → 20.4°"), (20.04, 2, "20.00° → 20.04°")],
)
def test_at_most_two_digits_are_added_for_a_real_change(now, decimals, told):
    angle = points([20, 20, 20, now], metric="x_factor_max", sd=0.001)
    sentence = change_sentences({"x_factor_max": angle}, system="metric")[0]
    assert sentence.change.decimals == decimals
    assert told in sentence.text


def test_first_session_is_told_as_such():
    told = change_sentences({"peak_torso_omega": points([900])}, system="metric")
    assert told[0].text.startswith("Nothing comparable lies before")
    assert told[1].text == "Peak shoulder-line turn rate: 900°/s (mean of 6 swings)."


def test_no_sentence_grades():
    history = {
        "peak_torso_omega": points([900, 900, 900, 800]),
        "x_factor_max": points([20, 20, 20, 30], metric="x_factor_max", sd=1.0),
    }
    for finding in change_sentences(history, system="metric"):
        for word in ("better", "worse", "good", "bad", "ideal", "elite", "improve"):
            assert word not in finding.text.lower()


def test_no_numbers_at_all_says_what_will_come():
    assert change_sentences({}, system="metric")[0].text.startswith(
        "No swing has numbers yet"
    )
