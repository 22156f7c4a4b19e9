"""Peaks of the kinematic sequence as charts mark them, their ties, and the order."""

from __future__ import annotations

import pytest

from athletes.models import Movement
from biomechanics.sequence import sequence_groups
from dashboard.selectors.aligned_curves import Alignment
from dashboard.selectors.sequence_peaks import SwingPeak, peaks_of, sequence_peaks
from tests.dashboard.page_contents import figure_of, swings_of, text_of

REFERENCE = {"reference": {"time_s": 2.0, "rule": "contact"}}
MOVED = REFERENCE | {
    "first_move": {"time_s": 1.8, "rule": "rule"},
    "foot_down": {"time_s": 1.9, "rule": "rule"},
}


def swing(pelvis=86.0, torso=60.0, arm=40.0, bat=4.0, events=MOVED):
    """One swing whose parts peak so many ms before contact."""
    ms = {"P": pelvis, "T": torso, "A": arm, "B": bat}
    values = {"P": 640.0, "T": 880.0, "A": 1170.0, "B": 2100.0}
    return events, {
        letter: SwingPeak(values[letter], at / 1000)
        for letter, at in ms.items()
        if at is not None
    }


def test_peaks_stand_at_their_times_on_any_axis():
    for align, places in (
        ("reference", [-86, -60, -40, -4]),
        ("foot_down", [14, 40, 60, 96]),
        ("percent", [57, 70, 80, 98]),
    ):
        found = sequence_peaks([swing()], Alignment(align))
        assert [mark.at for mark in found.marks] == pytest.approx(places)
        assert [mark.value for mark in found.marks] == [640.0, 880.0, 1170.0, 2100.0]
        assert found.order == "Pelvis › Torso › Arm › Bat"
        assert found.ties == ()
        assert {mark.sd for mark in found.marks} == {None}


def test_a_tie_is_a_stretch_and_is_said():
    found = sequence_peaks([swing(torso=46.0)], Alignment("reference"))
    assert found.order == "Pelvis › (Torso, Arm) › Bat"
    assert found.ties == (pytest.approx((-46.0, -40.0)),)
    assert found.tie_words == "Torso and arm peak within 6 ms: too close to call."


def test_of_several_swings_peaks_are_means_and_ties_follow_the_scatter():
    swings = [swing(torso=at) for at in (52.0, 56.0, 60.0)]
    found = sequence_peaks(swings, Alignment("reference"))
    torso = found.marks[1]
    assert (torso.at, torso.at_sd) == pytest.approx((-56.0, 4.0))
    assert found.rows[1].n == 3
    assert found.ties == ()
    # The same mean of 56 and 40 ms, but single delays from −14 to 46 ms.
    wide = [swing(torso=at) for at in (26.0, 56.0, 86.0)]
    found = sequence_peaks(wide, Alignment("reference"))
    assert "(Torso, Arm)" in found.order
    assert found.ties[0] == pytest.approx((-56.0, -40.0))


def test_order_and_ties_are_of_swings_that_have_all_of_its_peaks():
    # Three slow swings without a bat; in the one with a bat it peaks 16 ms after the
    # arm, and by the means of different swings it would be at the arm of all.
    slow = [swing(86.0 + i, 60.0 + i, 20.0 + i, bat=None) for i in (0, 1, 2)]
    fast = swing(120.0, 90.0, 36.0, bat=20.0)
    found = sequence_peaks([*slow, fast], Alignment("reference"))
    assert [(row.name, row.n) for row in found.rows] == [
        ("Pelvis", 4),
        ("Torso", 4),
        ("Lead arm", 4),
        ("Bat", 1),
    ]
    assert found.order == "Pelvis › Torso › Arm"
    assert found.ties == ()
    assert found.order_of == ("Without the bat, whose peak is known in 1 of 4 swings.")
    # Most have it: the order is of these, and says so.
    found = sequence_peaks([fast, fast, fast, slow[0]], Alignment("reference"))
    assert found.order == "Pelvis › Torso › Arm › Bat"
    assert found.order_of == "Sequence of 3 of 4 swings: the others are missing a peak."
    found = sequence_peaks([fast, fast, fast], Alignment("reference"))
    assert found.order_of == ""
    # No two of the peaks of the body are of the same three swings.
    parts = [swing(torso=None), swing(arm=None), swing(pelvis=None), swing()]
    assert sequence_peaks(parts, Alignment("reference")).order == ""


def test_without_a_peak_of_the_body_there_is_no_order():
    found = sequence_peaks([swing(arm=None)], Alignment("reference"))
    assert [row.name for row in found.rows] == ["Pelvis", "Torso", "Bat"]
    assert (found.order, found.ties) == ("", ())
    batless = sequence_peaks([swing(bat=None)], Alignment("reference"))
    assert batless.order == "Pelvis › Torso › Arm"
    unmoved = swing(events=REFERENCE)
    assert sequence_peaks([unmoved], Alignment("percent")).rows == ()


def test_a_peak_that_failed_a_check_is_not_marked():
    metrics = {
        "peak_pelvis_omega": {"value": 640.0},
        "t_peak_pelvis": {"value": 86.0},
        "peak_torso_omega": {"value": 880.0},
        "t_peak_torso": {"value": 60.0, "flagged": True, "reason": "at the edge"},
        "peak_bat_omega": {"value": None, "reason": "no bat"},
        "t_peak_bat": {"value": None, "reason": "no bat"},
    }
    assert peaks_of(metrics) == {"P": SwingPeak(640.0, pytest.approx(0.086))}


def test_pairs_may_have_limits_of_their_own():
    times = {"P": 0.0, "T": 0.012, "A": 0.040}
    assert sequence_groups(times) == (("P",), ("T",), ("A",))
    limits = {frozenset("PT"): 0.013}
    assert sequence_groups(times, limits_s=limits) == (("P", "T"), ("A",))
    limits |= {frozenset("TA"): 0.030}
    # Pelvis and arm are still told apart, so the three are no tie.
    assert sequence_groups(times, limits_s=limits) == (("P", "T"), ("A",))


@pytest.mark.django_db
def test_the_page_of_a_swing_marks_what_its_metrics_say(client, coach, session):
    one = swings_of(session)[0]
    response = client.get(f"/athletes/swings/{one.pk}/?align=foot_down")
    figure = figure_of(response, "sequence")
    shift = 1000 * (
        one.events["reference"]["time_s"] - one.events["foot_down"]["time_s"]
    )
    for peak, (value, time) in zip(
        figure["peaks"],
        (
            ("peak_pelvis_omega", "t_peak_pelvis"),
            ("peak_torso_omega", "t_peak_torso"),
            ("peak_lead_arm_omega", "t_peak_lead_arm"),
            ("peak_bat_omega", "t_peak_bat"),
        ),
        strict=True,
    ):
        assert peak["value"] == pytest.approx(one.metrics[value]["value"], abs=1e-3)
        at = shift - one.metrics[time]["value"]
        assert peak["time"] == pytest.approx(at, abs=0.01)
    assert "Pelvis › Torso › Arm › Bat" in text_of(response)


@pytest.mark.django_db
def test_the_page_of_a_session_begins_with_its_mean_sequence(client, coach, session):
    response = client.get(f"/athletes/sessions/{session.pk}/?series=x_factor")
    body = response.content.decode()
    assert body.index('id="session-sequence"') < body.index('id="session-curves-chart"')
    figure = figure_of(response, "session-sequence")
    roles = [trace.get("role", "line") for trace in figure["data"]]
    assert roles == ["band"] * 4 + ["mean"] * 4
    swings = swings_of(session)[:4]
    values = [one.metrics["peak_pelvis_omega"]["value"] for one in swings]
    times = [-one.metrics["t_peak_pelvis"]["value"] for one in swings]
    pelvis = figure["peaks"][0]
    assert pelvis["value"] == pytest.approx(sum(values) / 4, abs=1e-3)
    assert pelvis["time"] == pytest.approx(sum(times) / 4, abs=0.01)
    assert pelvis["sd"] > 0
    # The sentence says the peaks that are marked, not those of the mean curves.
    said = f"Pelvis peaks at {sum(values) / 4:,.0f}°/s ± {pelvis['sd']:.0f}°/s, "
    assert said in text_of(response)
    still = client.get(f"/athletes/sessions/{session.pk}/?picture=session-sequence")
    assert still.headers["Content-Type"] == "image/svg+xml"
    other = figure_of(response, "session-curves-chart")
    assert figure["layout"]["xaxis"] == other["layout"]["xaxis"]
    assert figure["events"] == other["events"]


@pytest.mark.django_db
@pytest.mark.parametrize("align", ["foot_down", "first_move"])
def test_peaks_join_no_swings_whose_contact_was_found_by_another_rule(
    client, coach, session, align
):
    other = swings_of(session)[0]
    other.events["reference"]["rule"] = "hand_peak"
    other.save()
    # The fifth has another rule by itself.
    same = swings_of(session)[1:4]
    response = client.get(f"/athletes/sessions/{session.pk}/?align={align}")
    values = [one.metrics["peak_pelvis_omega"]["value"] for one in same]
    pelvis = figure_of(response, "session-sequence")["peaks"][0]
    assert pelvis["value"] == pytest.approx(sum(values) / 3, abs=1e-3)
    assert (
        "Peaks of 3 of 5 swings: in the others contact was found by a different rule."
        in text_of(response)
    )


@pytest.mark.django_db
def test_each_side_of_a_switch_hitter_has_a_sequence_of_its_own(client, coach, session):
    left = swings_of(session)[0]
    Movement.objects.filter(pk=left.pk).update(side="left")
    address = f"/athletes/sessions/{session.pk}/"
    response = client.get(address)
    alone = figure_of(response, "session-sequence-left")
    # One swing has curves and peaks of its own, and no mean.
    assert {trace.get("role", "line") for trace in alone["data"]} == {"line"}
    assert alone["peaks"][0]["value"] == pytest.approx(
        left.metrics["peak_pelvis_omega"]["value"], abs=1e-3
    )
    assert "sd" not in alone["peaks"][0]
    right = figure_of(response, "session-sequence-right")
    roles = [trace.get("role", "line") for trace in right["data"]]
    assert roles == ["band"] * 4 + ["mean"] * 4
    assert "Kinematic sequence, average ± SD, batting right" in text_of(response)
    signs = {
        mark.get("sign")
        for mark in figure_of(response, "session-curves-chart")["events"]
    }
    assert signs == {"Left", "Right"}
    together = client.get(f"{address}?side=both")
    assert "session-sequence-left" not in together.content.decode()
    assert figure_of(together, "session-sequence")["peaks"]
