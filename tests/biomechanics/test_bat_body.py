"""The bat against body and field: known geometry, invented swings, damaged files."""

import dataclasses
import math

import numpy as np
import pytest

from accuracy import damage
from accuracy.measure import analyze_made
from accuracy.swings import clean_swing, with_noise
from accuracy.truth import truth_of
from biomechanics import directions, rod
from biomechanics.basis import parts_in
from biomechanics.definitions import METRICS
from biomechanics.metrics import bat_body
from biomechanics.swing import analyze_swing
from tests.biomechanics.test_real_bat import at_rate, swings  # noqa: F401
from tests.biomechanics.test_real_motions import analyze

RATE_HZ = 240.0
UP = np.array([0.0, 0.0, 1.0])
NEW = (
    "contact_depth_hip",
    "contact_depth_com",
    "vertical_bat_angle",
    "bat_torso_fm",
    "bat_torso_ref",
)
AT_REFERENCE = tuple(name for name in NEW if name != "bat_torso_fm")


def still_rod(knob, end):
    """A fitted rod that rests with its ends at two points."""
    frames = np.arange(10)
    ends = [np.tile(np.asarray(p, float), (10, 1)) for p in (knob, end)]
    # A rod that does not turn has no plane; a little noise gives it one.
    shaken = [
        p + 1e-7 * np.sin(np.arange(30).reshape(10, 3) * (k + 1))
        for k, p in enumerate(ends)
    ]
    return rod.fit_rod(
        *shaken,
        frames,
        origin=9.0,
        rate_hz=RATE_HZ,
        unit_s=0.04,
        noise=np.full(5, 1e-6),
    )


@pytest.mark.parametrize("height", [0.0, 1.3])
def test_depth_is_the_way_along_forward_alone(height):
    # Sweet spot 0.7 m along a bat that points to the pitcher and down.
    moving = still_rod((0.2, 0.1, 1.0), (0.2, 0.1 + 0.48, 1.0 - 0.64))
    read = bat_body.depth_before(
        np.array([-0.5, -0.1, height]), np.array([0.0, 1.0, 0.0]), 0.7
    )
    assert read(moving, 9.0) == pytest.approx(0.1 + 0.7 * 0.6 + 0.1, abs=1e-4)
    behind = bat_body.depth_before(
        np.array([0.0, 2.0, height]), np.array([0.0, 1.0, 0.0]), 0.7
    )
    assert behind(moving, 9.0) == pytest.approx(0.52 - 2.0, abs=1e-4)


@pytest.mark.parametrize("degrees", [-35.0, 0.0, 20.0])
@pytest.mark.parametrize("heading", [0.0, 2.0])
def test_angle_out_of_a_plane(degrees, heading):
    a = math.radians(degrees)
    line = np.array(
        [math.cos(a) * math.cos(heading), math.cos(a) * math.sin(heading), math.sin(a)]
    )
    knob = np.array([0.3, -0.2, 1.1])
    read = bat_body.angle_above(UP)
    assert read(still_rod(knob, knob + 0.84 * line), 9.0) == pytest.approx(
        degrees, abs=0.01
    )


@pytest.mark.parametrize(
    ("angle", "error", "words"),
    [
        (0.0, 2.0, "center"),
        (12.9, 2.0, "center"),
        (13.5, 2.0, "center or pull"),
        (16.0, 2.0, "pull or center"),
        (17.5, 2.0, "pull"),
        (-13.5, 2.0, "center or opposite"),
        (-40.0, 2.0, "opposite"),
        (-20.0, 10.0, "opposite or center"),
        (0.0, 16.0, None),
        (-20.0, 40.0, None),
        (95.0, 2.0, None),
    ],
)
def test_side_in_words(angle, error, words):
    assert bat_body.side_word(angle, error) == words


@pytest.mark.parametrize("hand", ["right", "left"])
@pytest.mark.parametrize("rate_hz", [240.0, 300.0, 360.0])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_against_truth_at_contact(hand, rate_hz, number):
    analysis = analyze_made(clean_swing(number, "hit", hand, rate_hz))
    true = truth_of(number, "hit").of("contact")
    assert analysis.events["reference"].rule == "bat_impact"
    for name in NEW:
        # Two centimeters are 0.6 ms of the impact.
        limit = 0.02 if name.startswith("contact") else 0.3
        found = analysis.metrics[name]
        assert not found.flagged, name
        assert found.value == pytest.approx(true[name], abs=limit), name


@pytest.mark.parametrize("hand", ["right", "left"])
def test_at_a_low_rate_an_unseen_ball_marks_all_but_first_move(hand):
    analysis = analyze_made(clean_swing(1, "hit", hand, 120.0))
    true = truth_of(1, "hit").of("contact")
    for name in AT_REFERENCE:
        value = analysis.metrics[name]
        assert value.flagged or value.value is None, name
        assert value.reason
    first = analysis.metrics["bat_torso_fm"]
    assert not first.flagged
    assert first.value == pytest.approx(true["bat_torso_fm"], abs=0.1)


def test_basis_names_what_each_rests_on():
    metrics = analyze_made(clean_swing(1, "hit", "right", RATE_HZ)).metrics
    depth = parts_in(metrics["contact_depth_hip"].basis)
    assert depth["forward"] == "stride_line"
    assert depth["foot_down"] == "ankle_settles"
    assert depth["bat"] == "six_inches"
    for name in ("vertical_bat_angle", "bat_torso_ref"):
        assert set(parts_in(metrics[name].basis)) == {"reference", "frame_rate"}, name
    assert set(parts_in(metrics["bat_torso_fm"].basis)) == {"frame_rate"}


def test_without_a_bat_each_is_missing_with_the_reason():
    metrics = analyze_made(clean_swing(1, "no_bat", "right", RATE_HZ)).metrics
    for name in (*NEW, "attack_side"):
        assert metrics[name].value is None
        assert metrics[name].reason == "no bat was tracked"


def true_at(rule):
    """What is true at a reference; first move is the same for each."""
    truth = truth_of(1, "hit")
    first = truth.of("contact")["bat_torso_fm"]
    return {"bat_torso_fm": first, **truth.of(rule)}


def lose_bat(swing, low, high):
    columns = dict(swing.kinematics)
    for point in damage.BAT:
        for axis in "xyz":
            values = columns[f"{point}_{axis}"].copy()
            values[max(low, 0) : high] = np.nan
            columns[f"{point}_{axis}"] = values
    return dataclasses.replace(swing, kinematics=columns)


@pytest.mark.parametrize("before", [1, 3, 8, 20])
@pytest.mark.parametrize("after", [1, 60])
def test_bat_lost_around_contact_is_missing_flagged_or_right(before, after):
    swing = clean_swing(1, "hit", "right", RATE_HZ)
    at = int(swing.contact_s * RATE_HZ)
    found = analyze_made(lose_bat(swing, at - before, at + after))
    true = true_at(found.events["reference"].rule)
    for name in NEW:
        value = found.metrics[name]
        if value.value is None:
            assert value.reason, name
        elif not value.flagged and found.quality.grade != "poor":
            assert abs(value.value - true[name]) < 3.0 * value.uncertainty, name


def test_bat_lost_at_first_move_costs_that_angle_alone():
    swing = clean_swing(1, "hit", "right", RATE_HZ)
    whole = analyze_made(swing)
    at = int(whole.events["first_move"].time_s * RATE_HZ)
    # Earlier than what a bat needs before peak hand speed.
    found = analyze_made(lose_bat(swing, 0, at + 2))
    first = found.metrics["bat_torso_fm"]
    assert first.value is None
    assert "bat" in first.reason
    if found.metrics["bat_torso_ref"].value is not None:
        assert found.metrics["bat_torso_ref"].value == pytest.approx(
            whole.metrics["bat_torso_ref"].value, abs=0.5
        )


@pytest.mark.parametrize("after", [0, 1, 3, 8])
def test_a_clip_that_ends_at_impact_is_missing_flagged_or_sure_enough(after):
    swing = with_noise(clean_swing(1, "hit", "right", RATE_HZ), 1.0, 3)
    end = int(swing.contact_s * RATE_HZ) + 1 + after
    cut = dataclasses.replace(
        swing,
        kinematics={n: v[:end] for n, v in swing.kinematics.items()},
        energetics={n: v[:end] for n, v in swing.energetics.items()},
    )
    found = analyze_made(cut)
    true = true_at(found.events["reference"].rule)
    for name in NEW:
        value = found.metrics[name]
        if value.value is None:
            assert value.reason, name
        elif not value.flagged and found.quality.grade != "poor":
            assert abs(value.value - true[name]) < 3.0 * value.uncertainty, name


@pytest.mark.parametrize("hand", ["right", "left"])
def test_depth_from_the_body_follows_its_center_of_mass_alone(hand):
    swing = clean_swing(1, "hit", hand, RATE_HZ)
    plain = analyze_made(swing).metrics
    moved = dict(swing.energetics)
    moved["center_of_mass_y"] = moved["center_of_mass_y"] + 0.03
    found = analyze_made(dataclasses.replace(swing, energetics=moved)).metrics
    # Three centimeters to the pitcher, a few degrees off the line of the feet.
    assert plain["contact_depth_com"].value - found[
        "contact_depth_com"
    ].value == pytest.approx(0.03, abs=0.001)
    assert found["contact_depth_hip"].value == plain["contact_depth_hip"].value


def test_gaps_in_the_center_of_mass_cost_its_depth_alone():
    swing = clean_swing(1, "hit", "right", RATE_HZ)
    at = int(swing.contact_s * RATE_HZ)
    columns = {
        name: np.where(np.abs(np.arange(v.size) - at) < 20, np.nan, v)
        if name.startswith("center_of_mass")
        else v
        for name, v in swing.energetics.items()
    }
    found = analyze_made(dataclasses.replace(swing, energetics=columns)).metrics
    assert found["contact_depth_com"].value is None
    assert found["contact_depth_com"].reason == "the center of mass has gaps"
    assert found["contact_depth_hip"].value is not None
    none = analyze_made(
        dataclasses.replace(
            swing,
            energetics={
                n: v
                for n, v in swing.energetics.items()
                if not n.startswith("center_of_mass")
            },
        )
    ).metrics["contact_depth_com"]
    assert none.value is None
    assert none.reason == "the file has no center of mass"


# --- Side of the field ----------------------------------------------------------


def with_field(swing, axis):
    return analyze_swing(
        kinematics=swing.kinematics,
        energetics=swing.energetics,
        bats=swing.hand,
        height_m=swing.height_m,
        mass_kg=swing.mass_kg,
        field_axis=axis,
    )


def axis_at(swing, degrees):
    """A level axis from which the true way of the bat is so far to the pull side."""
    true = truth_of(2, swing.kind).heading_deg
    # Pull is to the left of a right-handed hitter who looks at the pitcher.
    side = 1.0 if swing.hand == "right" else -1.0
    turned = math.radians(true - degrees)
    return (-side * math.sin(turned), math.cos(turned), 0.0)


@pytest.mark.parametrize("hand", ["right", "left"])
@pytest.mark.parametrize(
    ("degrees", "word"), [(0.0, "center"), (30.0, "pull"), (-20.0, "opposite")]
)
def test_side_of_the_field_by_a_checked_axis(hand, degrees, word):
    swing = clean_swing(2, "hit", hand, RATE_HZ)
    axis = axis_at(swing, degrees)
    known = with_field(swing, axis)
    assert known.metrics["attack_side"].value == word
    assert known.findings.value("field") == pytest.approx(axis, abs=1e-4)
    unknown = analyze_made(swing)
    assert unknown.metrics["attack_side"].value is None
    assert "It hasn't been confirmed" in unknown.metrics["attack_side"].reason
    # No number follows from it.
    for name, item in unknown.metrics.items():
        if name not in {"attack_side", "stride_direction"}:
            assert known.metrics[name] == item, name


@pytest.mark.parametrize("hand", ["right", "left"])
def test_side_is_withheld_with_the_attack_direction(hand):
    swing = clean_swing(2, "hit", hand, 120.0)
    metrics = with_field(swing, axis_at(swing, 0.0)).metrics
    direction, side = metrics["attack_direction"], metrics["attack_side"]
    assert direction.value is None
    assert direction.reason.startswith("uncertain by ±")
    assert side.value is None
    assert side.reason == direction.reason


def test_names_say_what_depth_and_direction_follow():
    for name in ("contact_depth_hip", "contact_depth_com", "attack_direction"):
        item = METRICS[name]
        assert "stride line" in item.name, name
        assert "stride line" in item.plain, name
        assert "pitcher" not in item.plain, name
    assert "10 ms" in METRICS["attack_angle"].name
    assert METRICS["attack_direction"].formula.endswith("at the instant of contact")
    # What is published is the angle at the start of the downswing, of the thorax.
    assert METRICS["bat_torso_fm"].published_sd is None


@pytest.mark.parametrize("rate_hz", [240.0, 360.0])
def test_noise_of_the_center_of_mass_makes_its_depth_less_sure(rate_hz):
    swing = clean_swing(1, "hit", "right", rate_hz)
    plain = analyze_made(swing).metrics
    values = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        noisy = {
            name: column + rng.normal(0.0, 0.020, column.shape)
            if name.startswith("center_of_mass")
            else column
            for name, column in swing.energetics.items()
        }
        found = analyze_made(dataclasses.replace(swing, energetics=noisy)).metrics
        values.append(found["contact_depth_com"].value)
    stated = found["contact_depth_com"].uncertainty
    added = math.sqrt(stated**2 - plain["contact_depth_com"].uncertainty ** 2)
    assert added == pytest.approx(np.std(values), rel=0.4)
    hip = "contact_depth_hip"
    assert found[hip].uncertainty == plain[hip].uncertainty


def test_an_axis_that_the_feet_contradict_is_not_believed():
    swing = clean_swing(2, "hit", "right", RATE_HZ)
    for axis, words in (
        ((1.0, 0.0, 0.0), "off the axis"),
        ((0.0, -1.0, 0.0), "off the axis"),
        ((0.0, 0.0, 1.0), "points up"),
    ):
        found = with_field(swing, axis)
        assert found.metrics["attack_side"].value is None
        assert words in found.metrics["attack_side"].reason


@pytest.mark.parametrize("hand", [1.0, -1.0])
@pytest.mark.parametrize(
    ("degrees", "words"), [(12.0, "12° to the pull"), (-8.0, "8° to the opposite")]
)
def test_stride_is_open_to_the_pull_side(hand, degrees, words):
    # Pull is to the left of a right-handed hitter: −x where y is to the pitcher.
    turned = math.radians(degrees) * hand
    feet = np.array([-math.sin(turned), math.cos(turned), 0.0])
    found = directions.find_field((0, 1, 0), vertical=UP, forward=feet, hand=hand)
    assert found.finding.evidence["stride_to_pull_side_deg"] == pytest.approx(degrees)
    assert words in found.finding.text


def test_field_without_a_line_of_feet_is_not_told():
    found = directions.find_field((0.0, 1.0, 0.0), vertical=UP, forward=None, hand=1.0)
    assert found.axis is None
    assert "line of the feet" in found.finding.text


# --- Real swings ----------------------------------------------------------------


@pytest.mark.parametrize("every", [1, 1.5, 3])
def test_early_connection_of_real_swings_as_published(swings, every):  # noqa: F811
    for columns, _, published in swings:
        found = analyze(at_rate(columns, every)).metrics["bat_torso_fm"]
        assert not found.flagged
        # Of the thorax, and at the start of the downswing instead of first move.
        assert found.value == pytest.approx(
            float(published["bat_torso_angle_connection_x"]), abs=4.0
        )


def test_bat_of_real_swings_lies_where_bats_do(swings):  # noqa: F811
    for columns, _, _ in swings:
        found = analyze(columns).metrics
        assert -35.0 < found["vertical_bat_angle"].value < -20.0
        assert 75.0 < found["bat_torso_ref"].value < 90.0
        assert 0.5 < found["contact_depth_hip"].value < 0.9
