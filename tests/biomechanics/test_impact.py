"""The impact of the ball, found where the bat shows it."""

import dataclasses

import numpy as np
import pytest

from accuracy.damage import BAT
from accuracy.measure import analyze_made
from accuracy.swings import clean_swing, with_noise
from accuracy.truth import truth_of
from biomechanics import signals
from biomechanics.definitions import METRICS
from biomechanics.impact import find_impact
from biomechanics.observe import observe
from biomechanics.points import BatPoints
from biomechanics.swing import analyze_swing
from tests.biomechanics.hit_swings import hit_swing
from tests.biomechanics.synthetic import make_swing, points_of

BAT_AT_CONTACT = ("attack_angle", "attack_direction", "bat_speed_ref", "swing_tilt")


def analyze(columns, **changes):
    return analyze_swing(
        **(
            {
                "kinematics": columns,
                "energetics": None,
                "bats": "right",
                "height_m": 1.8,
                "mass_kg": 80.0,
            }
            | changes
        )
    )


@pytest.mark.parametrize("rate", [180, 240, 300, 360])
@pytest.mark.parametrize("phase", [0.05, 0.35, 0.65, 0.95])
def test_impact_is_found_between_frames(rate, phase):
    swing = hit_swing(rate_hz=rate, phase=phase)
    analysis = analyze(swing.columns)
    reference = analysis.events["reference"]
    assert (reference.rule, reference.confidence) == ("bat_impact", "rule")
    assert reference.time_s == pytest.approx(swing.impact_s, abs=0.0015)
    assert analysis.events["contact"].time_s == reference.time_s
    assert analysis.metrics["time_to_ref"].window == (
        "first move to contact (contact: seen in the bat)"
    )


@pytest.mark.parametrize("rate", [120, 180, 240, 360])
@pytest.mark.parametrize("noise_m", [0.0, 0.002])
def test_dry_swing_shows_no_impact(rate, noise_m):
    analysis = analyze(make_swing(rate_hz=rate, noise_m=noise_m).columns)
    assert analysis.events["reference"].rule == "bat_peak"
    assert "contact" not in analysis.events
    evidence = analysis.findings.findings["bat"].evidence
    told = {"the bat does not slow down the way it does when it hits a ball"}
    if noise_m or rate == 120:
        told.add("the bat's points are too coarse to show whether it hit a ball")
    assert evidence["impact"] in told


def test_noise_that_could_hide_a_ball_marks_what_a_ball_would_change():
    analysis = analyze(make_swing(rate_hz=240, noise_m=0.004).columns)
    evidence = analysis.findings.findings["bat"].evidence
    reason = "the bat's points are too coarse to show whether it hit a ball"
    assert evidence["impact"] == reason
    speed, angle = (analysis.metrics[n] for n in ("bat_speed_ref", "attack_angle"))
    assert speed.flagged
    assert speed.reason == reason
    # It climbs with each millisecond, and contact may be some of them later.
    assert angle.value is None
    assert angle.reason.startswith("uncertain by ±")
    assert not analysis.metrics["x_factor_max"].flagged


def test_numbers_at_the_impact_lie_within_their_uncertainty():
    errors = []
    for seed, phase in enumerate(np.linspace(0.0, 0.95, 20)):
        swing = hit_swing(
            rate_hz=(240, 300, 360)[seed % 3],
            phase=phase,
            loss=(0.2, 0.3, 0.45)[seed % 3],
            impact_s=-0.006 + 0.0006 * seed,
            noise_m=0.001,
            seed=seed,
        )
        metrics = analyze(swing.columns).metrics
        for name, truth in (
            ("attack_angle", swing.attack_angle),
            ("bat_speed_ref", swing.bat_speed),
        ):
            value = metrics[name]
            assert not value.flagged
            errors.append((value.value - truth) / value.uncertainty)
    errors = np.abs(errors)
    assert 0.55 < np.mean(errors < 1.0) < 0.95
    assert errors.max() < 3.0


@pytest.mark.parametrize("first", [-3, -1, 1])
def test_bat_missing_around_the_impact(first):
    swing = hit_swing(rate_hz=360)
    start = swing.last_clean + first
    metrics = analyze(swing.lose_bat(start, start + 3).columns).metrics
    for name, truth in (
        ("attack_angle", swing.attack_angle),
        ("bat_speed_ref", swing.bat_speed),
    ):
        value = metrics[name]
        if value.value is not None and not value.flagged:
            assert abs(value.value - truth) < 3.0 * value.uncertainty, name


def test_bat_lost_after_the_impact_keeps_what_lies_before():
    swing = hit_swing()
    whole = analyze(swing.columns).metrics
    swing.lose_bat(swing.last_clean + 4, len(swing.columns["time"]))
    metrics = analyze(swing.columns).metrics
    for name in BAT_AT_CONTACT:
        assert not metrics[name].flagged
        assert metrics[name].value == pytest.approx(whole[name].value, abs=0.5), name


@pytest.mark.parametrize("frames_after", [0, 1, 2])
def test_clip_that_ends_at_the_impact(frames_after):
    swing = hit_swing()
    until = swing.last_clean + frames_after + 1
    columns = {name: values[:until] for name, values in swing.columns.items()}
    for name in ("attack_angle", "attack_direction", "bat_speed_ref"):
        value = analyze(columns).metrics[name]
        assert value.value is None or value.flagged, name


@pytest.mark.parametrize("frames_off", [-1, 0, 1])
@pytest.mark.parametrize("how", ["delivered", "contact", "reference"])
def test_contact_by_hand_or_delivered_reads_the_bat_before_it(how, frames_off):
    swing = hit_swing()
    whole = analyze(swing.columns).metrics
    at = swing.impact_s + frames_off / 240
    analysis = (
        analyze(swing.columns, contact_time_s=at)
        if how == "delivered"
        else analyze(swing.columns, event_overrides={how: at})
    )
    assert analysis.events["reference"].time_s == pytest.approx(at)
    for name in (*BAT_AT_CONTACT, "bat_speed_max"):
        value = analysis.metrics[name]
        assert not value.flagged, name
        assert value.value == pytest.approx(whole[name].value, abs=1e-6), name


def test_reference_after_the_impact_has_no_bat_numbers():
    swing = hit_swing()
    analysis = analyze(
        swing.columns, event_overrides={"reference": swing.impact_s + 0.03}
    )
    for name in BAT_AT_CONTACT:
        assert analysis.metrics[name].value is None
        assert "after the bat hit the ball" in analysis.metrics[name].reason


def test_delivered_contact_far_from_the_impact_is_not_used():
    swing = hit_swing()
    analysis = analyze(swing.columns, contact_time_s=swing.impact_s - 0.03)
    assert analysis.events["reference"].rule == "bat_impact"
    assert "earlier and was not used" in analysis.events["contact"].reason


def test_repeated_frames_are_no_impact():
    columns = make_swing(rate_hz=240).columns
    for name in ("bhandle", "bhead"):
        for axis in "xyz":
            column = columns[f"{name}_{axis}"]
            column[10::10] = column[9::10][: column[10::10].size]
    analysis = analyze(columns)
    assert analysis.events["reference"].rule == "bat_peak"


def test_exchanged_ends_are_put_right():
    swing = hit_swing()
    plain = analyze(swing.columns)
    for axis in "xyz":
        knob, tip = f"bhandle_{axis}", f"bhead_{axis}"
        swing.columns[knob], swing.columns[tip] = (
            swing.columns[tip],
            swing.columns[knob],
        )
    analysis = analyze(swing.columns)
    assert analysis.findings.findings["bat"].evidence["ends"] == "exchanged"
    for name in (*BAT_AT_CONTACT, "bat_speed_max", "bat_path_length"):
        assert analysis.metrics[name] == plain.metrics[name], name


@pytest.mark.parametrize("length_m", [0.52, 1.0])
def test_line_of_no_bats_length_is_refused(length_m):
    columns = make_swing().columns
    points = points_of(columns)
    line = (points["bhead"] - points["bhandle"]) * length_m / 0.84
    for place, axis in enumerate("xyz"):
        columns[f"bhead_{axis}"] = points["bhandle"][:, place] + line[:, place]
    value = analyze(columns).metrics["bat_speed_max"]
    assert value.value is None
    assert f"{length_m:.2f} m apart" in value.reason


def contact_given(swing, *, smoothed_hz=None, off_s=0.0):
    """Analyze an invented hit whose contact is delivered, its bat smoothed before."""
    columns = dict(swing.kinematics)
    if smoothed_hz is not None:
        for name in (f"{point}_{axis}" for point in BAT for axis in "xyz"):
            columns[name] = signals.lowpass(
                columns[name][:, None],
                cutoff_hz=smoothed_hz,
                sampling_rate_hz=swing.rate_hz,
            )[:, 0]
    return analyze(
        columns,
        energetics=swing.energetics,
        bats=swing.hand,
        contact_time_s=swing.contact_s + off_s,
    )


@pytest.mark.parametrize("hertz", [15, 20, 30])
@pytest.mark.parametrize("rate", [240.0, 360.0])
def test_smoothed_bat_with_a_given_contact_is_marked_or_right(hertz, rate):
    for number in range(6):
        swing = clean_swing(number, "hit", "right", rate)
        found = contact_given(swing, smoothed_hz=hertz)
        if found.events["reference"].rule != "contact":
            continue
        true = truth_of(number, "hit").of("contact")
        for name in ("bat_speed_ref", "bat_speed_max", "swing_tilt", "peak_bat_omega"):
            value = found.metrics[name]
            if value.value is None:
                continue
            off = abs(value.value - true[name])
            assert value.flagged or off < 3.0 * value.uncertainty, (number, name)


def test_bat_seen_to_be_smoothed_marks_its_speeds_at_a_given_contact():
    found = contact_given(clean_swing(1, "hit", "right", 360.0), smoothed_hz=30)
    reason = found.findings.findings["bat"].evidence["impact"]
    assert "smoothed across the impact" in reason
    assert found.events["reference"].rule == "contact"
    for name in ("bat_speed_ref", "bat_speed_max"):
        assert found.metrics[name].flagged
        assert found.metrics[name].reason == reason
    assert not found.metrics["peak_hand_speed"].flagged


@pytest.mark.parametrize("hand", ["right", "left"])
@pytest.mark.parametrize("rate", [240.0, 300.0, 360.0])
def test_clean_hits_keep_their_bat_with_a_given_contact(hand, rate):
    for number in range(4):
        found = contact_given(clean_swing(number, "hit", hand, rate))
        assert found.events["reference"].confidence != "low"
        for name in BAT_AT_CONTACT:
            assert not found.metrics[name].flagged, (number, name)


@pytest.mark.parametrize("rate", [240.0, 360.0])
def test_noise_does_not_mark_a_bat_whose_contact_is_given(rate):
    """Points that shake were not smoothed before delivery, and contact is known."""
    for number in range(3):
        clean = clean_swing(number, "dry", "right", rate)
        found = contact_given(with_noise(clean, 2.0, number))
        assert found.events["reference"].rule == "contact"
        true = truth_of(number, "dry").of("contact")
        for name in ("bat_speed_ref", "bat_speed_max", "peak_bat_omega"):
            value = found.metrics[name]
            assert not value.flagged, (number, name, value.reason)
            assert abs(value.value - true[name]) < 3.0 * value.uncertainty, name


@pytest.mark.parametrize("off_s", [-0.002, 0.002])
def test_swing_length_is_no_surer_than_a_given_contact(off_s):
    true = truth_of(1, "dry").of("contact")["bat_path_length"]
    found = contact_given(clean_swing(1, "dry", "right", 240.0), off_s=off_s)
    value = found.metrics["bat_path_length"]
    assert value.value is None or abs(value.value - true) < 3.0 * value.uncertainty


@pytest.mark.parametrize("first_s", [-0.031, -0.023])
def test_ends_exchanged_for_a_while_cost_the_bat_and_move_nothing(first_s):
    clean = clean_swing(2, "hit", "left", 240.0)
    whole, columns = analyze_made(clean), dict(clean.kinematics)
    start = round((clean.contact_s + first_s) * 240.0)
    rows = slice(start, start + 3)
    for axis in "xyz":
        knob, tip = (columns[f"{point}_{axis}"].copy() for point in BAT)
        knob[rows], tip[rows] = tip[rows].copy(), knob[rows].copy()
        columns |= {f"{BAT[0]}_{axis}": knob, f"{BAT[1]}_{axis}": tip}
    found = analyze_made(dataclasses.replace(clean, kinematics=columns))
    for name in ("torso_rot_ref", "attack_angle", "bat_torso_fm", "bat_speed_ref"):
        value = found.metrics[name]
        if value.value is None or value.flagged:
            continue
        if found.events["reference"].rule == "hand_peak":
            continue
        off = abs(value.value - whole.metrics[name].value)
        assert off < 3.0 * value.uncertainty, name


def test_noise_taken_for_a_ball_is_unsure():
    # By chance this noise looks like a ball, 20 ms after the bat was at its fastest.
    noisy = with_noise(clean_swing(6, "dry", "right", 360.0), 5.0, 12)
    found = analyze_made(noisy)
    reference = found.events["reference"]
    assert reference.rule == "bat_impact"
    assert abs(reference.time_s - noisy.contact_s) > 0.015
    assert reference.confidence == "low"
    assert reference.reason.startswith("the bat is ")
    assert reference.reason.endswith("slower at contact than before it")
    for name, item in found.metrics.items():
        if item.value is not None and "contact" in METRICS[name].window:
            assert item.flagged, name


def test_contact_given_after_the_bat_has_slowed_down_is_unsure():
    dry = clean_swing(2, "dry", "right", 240.0)
    assert contact_given(dry).events["reference"].confidence == "vendor"
    late = contact_given(dry, off_s=0.025)
    assert late.events["reference"].confidence == "low"
    assert late.metrics["bat_speed_ref"].flagged


def test_light_ball_of_a_bat_that_slows_down_hard_is_seen():
    # 35 ms after contact its speed falls by more from frame to frame than at the ball.
    clean = clean_swing(105, "hit", "left", 240.0)
    reference = analyze_made(clean).events["reference"]
    assert reference.rule == "bat_impact"
    assert reference.time_s == pytest.approx(clean.contact_s, abs=0.001)


@pytest.mark.parametrize("number", [4, 6, 9])
@pytest.mark.parametrize("rate", [240.0, 360.0])
def test_frame_that_has_met_the_ball_is_never_the_last_before_it(number, rate):
    clean = clean_swing(number, "hit", "right", rate)
    points = np.stack(
        [
            [clean.kinematics[f"{name}_{axis}"] for axis in "xyz"]
            for name in ("bhandle", "bhead")
        ]
    ).swapaxes(1, 2)
    missing = np.zeros(points.shape[1], dtype=bool)
    # The last frame before the ball is lost, and filled between its neighbors.
    at = int(clean.contact_s * rate)
    missing[at] = True
    points[:, at] = 0.5 * (points[:, at - 1] + points[:, at + 1])
    impact = find_impact(
        BatPoints(
            knob=points[0],
            tip=points[1],
            sweet_spot=None,
            unknown=np.zeros(missing.size, dtype=bool),
            names=("bhandle", "bhead"),
            missing=missing,
        ),
        hand_peak=(clean.contact_s - 0.025) * rate,
        sampling_rate_hz=rate,
        in_meters=True,
    ).impact
    assert impact.last_clean <= impact.position <= impact.first_after
    off_s = impact.position / rate - clean.contact_s
    assert abs(off_s) < 3.0 * impact.uncertainty_s


@pytest.mark.parametrize("start_s", [-0.002, 0.004])
def test_bat_lost_about_its_highest_speed_marks_its_peaks(start_s):
    clean = clean_swing(2, "dry", "right", 240.0)
    columns = dict(clean.kinematics)
    first = round((clean.contact_s + start_s) * 240.0)
    for name in BAT:
        for axis in "xyz":
            values = columns[f"{name}_{axis}"].copy()
            values[first : first + 5] = np.nan
            columns[f"{name}_{axis}"] = values
    lost = analyze_made(dataclasses.replace(clean, kinematics=columns)).metrics
    whole = analyze_made(clean).metrics
    for name in ("peak_bat_omega", "t_peak_bat", "gain_bat_torso"):
        assert lost[name].value is None or lost[name].flagged, name
        assert not whole[name].flagged, name


@pytest.mark.parametrize(
    ("number", "noise_mm"), [(104, 2.0), (119, 5.0), (135, 5.0), (137, 5.0)]
)
def test_noise_may_put_the_impact_into_the_interval_beside(number, noise_mm):
    hand = ("right", "left")[number % 2]
    clean = clean_swing(number, "hit", hand, 240.0)
    swing = with_noise(clean, noise_mm, number * 2 + (hand == "left"))
    events = observe(
        swing.kinematics,
        swing.energetics,
        bats=hand,
        contact_time_s=None,
        overrides={},
        forward_axis=None,
    ).events
    assert events.reference_rule == "bat_impact"
    off_s = events.position("reference") / 240.0 - swing.contact_s
    assert abs(off_s) < 2.4 * events.error_s("reference")


@pytest.mark.parametrize(
    ("phase", "first", "off_m"),
    [(0.3, 1, (-0.032, -0.027, 0.036)), (0.7, -1, (0.020, 0.033, -0.056))],
)
def test_frames_in_which_the_bat_has_another_length_are_not_seen(phase, first, off_m):
    # The tip is a few centimeters off its way for two frames at the impact.
    swing = hit_swing(rate_hz=180, phase=phase)
    columns = {name: np.array(values) for name, values in swing.columns.items()}
    start = int(np.searchsorted(columns["time"], swing.impact_s)) + first
    for axis, off in zip("xyz", off_m, strict=True):
        columns[f"bhead_{axis}"][start : start + 2] += off
    reference = analyze(columns).events["reference"]
    assert (reference.rule, reference.confidence) == ("bat_impact", "rule")
    assert reference.time_s == pytest.approx(swing.impact_s, abs=0.0015)
