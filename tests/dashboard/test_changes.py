"""What changed in a session, and the sentences that tell it."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from athletes.analysis.changes import session_changes, usual_band
from athletes.analysis.history import Basis, SessionAverage
from biomechanics.variance import published_prior
from dashboard.selectors.changes import change_sentences, setup_note

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


def published(metric, basis):
    """A facility in which nobody says anything of anybody else."""
    return published_prior(metric)


def change_of(history, session_id=None):
    """The change of the only metric there is; of the last session unless told."""
    (change,) = session_changes(
        {history[0].metric: history}, session_id or history[-1].session_id, published
    )
    return change


def sentences(*histories, system="metric", session_id=4):
    history = {points[0].metric: points for points in histories}
    return change_sentences(
        session_changes(history, session_id, published), system=system
    )


STEADY = [900, 905, 895, 902, 898, 900]


def test_change_is_held_against_the_sessions_before():
    history = points([*STEADY, 1000])
    change = change_of(history)
    assert change.delta == pytest.approx(change.now - change.before)
    assert change.before == pytest.approx(900, abs=3)
    assert change.delta > 0
    assert change.n_now == 6
    assert change.n_before == 6 * change.sessions_before
    assert change.verdict == "real"
    assert 0 < change.needed < change.delta
    assert change.size == pytest.approx(change.delta / change.needed)
    assert change_of(points([*STEADY, 800])).delta < 0


def test_change_inside_the_usual_variation_is_none():
    change = change_of(points([*STEADY, 903]))
    assert (change.verdict, change.words) == ("no_clear_change", "About the same")
    assert change.needed > abs(change.delta)


def test_verdict_of_a_session_stays_when_others_follow():
    history = points([*STEADY, 1000, 850, 1100])
    alone = history[:7]
    assert change_of(history, 7) == change_of(alone)


def test_first_session_has_nothing_to_compare_with():
    change = change_of(points([900]))
    assert (change.verdict, change.reason_code) == ("unknown", "not_enough")
    assert change.reason == "First session of this kind. Needs 2 more sessions."
    assert (change.before, change.delta, change.needed, change.n_now) == (
        *(None, None, None),
        6,
    )


def test_sessions_of_another_setup_are_not_compared():
    history = [*points([900, 905, 910], basis=MACHINE), points([0, 0, 0, 990])[-1]]
    change = change_of(history)
    assert (change.verdict, change.words) == ("unknown", "Not comparable")
    assert change.reason == "First session of this kind: a different setup."


def test_it_is_said_that_only_sessions_of_this_setup_are_compared():
    history = points([*STEADY, 1000])
    assert change_of(history).since.startswith("vs. last")
    assert "of this setup" not in change_of(history).since
    history[2] = points([0, 0, 700], basis=MACHINE)[2]
    assert change_of(history).since.endswith("sessions of this setup")


def test_hands_and_wrists_are_not_compared_and_it_is_said_why():
    def at(point):
        measured = f"reference=contact hands={point}"
        return Basis("tee", measured, "single-camera", "1")

    history = points([9.0, 9.1, 9.0], metric="peak_hand_speed", basis=at("hands"))
    history += points([0, 0, 0, 7.8], metric="peak_hand_speed", basis=at("wrists"))[3:]
    change = change_of(history)
    assert (change.verdict, change.before, change.n_before) == ("unknown", None, 0)
    assert change.reason_code == "not_comparable"
    assert change.reason == (
        "First session of this kind: measured at a different point: wrists instead of "
        "hands."
    )
    # The same point again is compared.
    assert change_of(history, 3).sessions_before == 2


def test_of_several_reasons_each_is_said():
    old = Basis("tee", "bat_peak", "single-camera", "2026.1")
    new = Basis("machine", "reference=bat_peak", "single-camera", "2026.2")
    assert new.difference(old) == "a different setup; a different version of the method"
    assert new.difference(new) == ""
    down = Basis("tee", "reference=contact foot_down=ankle_settles", "", "2026.2")
    other = Basis("tee", "reference=contact foot_down=vendor_norm_time", "", "2026.2")
    assert down.difference(other) == (
        "a different rule for foot down: lead ankle at rest instead of Reboot Motion's"
    )
    assert down.label == ("Tee · times from: contact · foot down: lead ankle at rest")


def test_sides_of_a_switch_hitter_are_told_apart():
    right, left = (dataclasses.replace(TEE, side=side) for side in ("right", "left"))
    history = [
        *points([*STEADY, 1000], basis=right),
        *points([*STEADY, 902], basis=left),
    ]
    changes = session_changes({"peak_torso_omega": history}, 7, published)
    assert [(c.side_key, c.verdict) for c in changes] == [
        ("right", "real"),
        ("left", "no_clear_change"),
    ]


def test_usual_band_lies_around_what_was_before():
    history = points([*STEADY, 1000])
    low, high = usual_band(history, history[-1], published)
    change = change_of(history)
    assert low < change.before < high < 1000
    assert usual_band(history, history[0], published) is None


def test_findings_are_three_with_the_clearest_first():
    told = sentences(
        points([*STEADY, 960]),
        points([*STEADY, 1100], metric="peak_pelvis_omega"),
        points([150, 151, 149, 150, 151, 149, 150], metric="time_to_ref", sd=5.0),
        session_id=7,
    )
    assert [finding.metric for finding in told] == [
        "peak_pelvis_omega",
        "peak_torso_omega",
        "time_to_ref",
    ]
    before = told[0].change.printed("metric").before
    sessions = told[0].change.sessions_before
    assert told[0].text.startswith(
        f"{told[0].change.name}: {1100 - int(before.number)}°/s faster than the last "
        f"{sessions} sessions ({before} → 1,100°/s), more than their usual variation "
        "(needs ±"
    )
    assert told[2].text.startswith(
        f"{told[2].change.name}: about the same (150 ms; a change needs ±"
    )


def test_several_numbers_that_stayed_are_one_sentence():
    told = sentences(
        points([*STEADY, 902]),
        points([*STEADY, 901], metric="peak_pelvis_omega"),
        session_id=7,
    )
    assert told[0].text == (
        "Rotation speeds: pelvis speed and torso speed are about the same."
    )


@pytest.mark.parametrize("now", [26.0, 26.4, 27.6, 31.49])
def test_numbers_in_a_sentence_add_up(now):
    angle = points(
        [20, 20.3, 19.8, 20.1, 20.2, 19.9, now], metric="x_factor_max", sd=0.5
    )
    (told,) = sentences(angle, session_id=7)
    shown = told.change.printed("metric")
    before, after, size = (
        float(part.number) for part in (shown.before, shown.now, shown.size)
    )
    assert after - before == pytest.approx(size)
    assert f"{shown.size} higher" in told.text
    assert f"({shown.before} → {shown.now})" in told.text


def test_speeds_are_told_in_the_units_of_the_reader():
    speed = points([9, 9.1, 8.9, 9, 9.1, 8.9, 11], metric="peak_hand_speed", sd=0.3)
    (told,) = sentences(speed, system="imperial", session_id=7)
    assert " mph → 24.6 mph)" in told.text


def test_first_session_is_told_as_such():
    told = sentences(points([900]), session_id=1)
    assert told[0].text == "First session of this kind. Needs 2 more sessions."
    assert told[1].text.endswith(": 900°/s (average of 6 swings).")


def test_averages_without_anything_to_compare_have_a_reason():
    history = {
        "peak_hand_speed": points([9.0], metric="peak_hand_speed"),
        "peak_torso_omega": points([900.0, 910.0]),
        "x_factor_max": points([40.0], metric="x_factor_max"),
    }
    wrists = dataclasses.replace(TEE, measured="reference=hand_peak hands=wrists")
    history["peak_hand_speed"] += points([8.0, 8.1], metric="peak_hand_speed")[1:]
    history["peak_hand_speed"][-1] = dataclasses.replace(
        history["peak_hand_speed"][-1], basis=wrists
    )
    history["x_factor_max"] = [
        dataclasses.replace(history["x_factor_max"][0], session_id=2)
    ]
    changes = session_changes(history, 2, published)
    assert {change.reason_code for change in changes} == {
        "not_enough",
        "not_comparable",
    }
    first, *rest = change_sentences(changes, system="metric")
    assert first.text in {change.reason for change in changes}
    assert "average of" in rest[0].text


def test_not_enough_yet_is_said_once():
    change = change_of(points([900.0, 905.0]))
    assert change.words == "Not enough yet"
    assert change.reason.startswith("Not enough sessions yet. Needs 1 more")
    assert change.why == "Needs 1 more session."
    first = change_of(points([900.0]))
    assert first.why == first.reason


def test_it_is_said_that_sessions_without_a_setup_are_compared():
    blank = dataclasses.replace(TEE, condition="")
    changes = [change_of(points(STEADY, basis=blank))]
    assert setup_note(changes).startswith("No setup recorded: compared with")
    assert setup_note([change_of(points(STEADY))]) == ""
    assert setup_note([change_of(points([900.0], basis=blank))]) == ""


def test_no_sentence_grades():
    for finding in sentences(
        points([*STEADY, 700]),
        points([20, 20, 21, 19, 20, 20, 30], metric="x_factor_max", sd=1.0),
        session_id=7,
    ):
        for word in ("better", "worse", "good", "bad", "ideal", "elite", "improve"):
            assert word not in finding.text.lower()


def test_no_numbers_at_all_says_what_will_come():
    assert change_sentences((), system="metric")[0].text.startswith(
        "No swing has numbers yet"
    )
