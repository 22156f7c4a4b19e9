"""The files agree with themselves and with the truth."""

import dataclasses
import io

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator.columns import ANGLES, Options, inverse_kinematics
from simulator.data import World
from simulator.momentum import momentum_energy
from simulator.population import Shape
from simulator.swings import truth

IK, ME = "inverse-kinematics", "momentum-energy"
# Axis of a point, and which way a mirror in X takes it.
MIRROR = {"x": -1.0, "y": 1.0, "z": 1.0}


@pytest.fixture(scope="module")
def swing():
    """A right-hander's swing, its truth and its columns."""
    world = World(Shape(players=6, sessions=4, swings=3, plain=True))
    session = world.sessions[0]
    movement = world.movements(session, session.athletes[0])[0]
    assert movement.bats == "R"
    ik = inverse_kinematics(movement, Options())
    return movement, truth(movement), ik, momentum_energy(movement, Options())


def point(frames, name):
    return np.stack([frames[f"{name}_{axis}"] for axis in "xyz"], axis=1)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rate(frames, one, other):
    """Turn rate of a body line in °/s, straight from the file."""
    line = unit(point(frames, one) - point(frames, other))
    turning = np.gradient(line, frames["time"], axis=0)
    return np.degrees(np.linalg.norm(turning, axis=1))


def speed(frames, name):
    velocity = np.gradient(point(frames, name), frames["time"], axis=0)
    return np.linalg.norm(velocity, axis=1)


def flexion(frames, first, middle, last):
    one = unit(point(frames, first) - point(frames, middle))
    other = unit(point(frames, last) - point(frames, middle))
    return np.pi - np.arccos(np.sum(one * other, axis=1))


# Central differences at 240 Hz take up to 1 % off the narrowest pulse (the bat's).
@pytest.mark.parametrize(
    ("line", "one", "other", "tolerance"),
    [
        ("pelvis", "lhjc", "rhjc", 0.004),
        ("torso", "lsjc", "rsjc", 0.006),
        ("lead_arm", "lejc", "lsjc", 0.008),
        ("lead_forearm", "lwjc", "lejc", 0.01),
        ("bat", "bhead", "bhandle", 0.012),
    ],
)
def test_file_reaches_the_true_peak_at_its_time(swing, line, one, other, tolerance):
    _, facts, frames, _ = swing
    turning = rate(frames, one, other)
    peak = facts["peaks"][line]
    assert turning.max() == pytest.approx(peak["deg_per_s"], rel=tolerance)
    assert frames["time"][turning.argmax()] == pytest.approx(peak["time_s"], abs=0.0043)


def test_peaks_come_in_sequence_at_plausible_sizes_and_times():
    world = World(Shape(players=137, sessions=40, swings=1, plain=True))
    seen = {name: [] for name in ("pelvis", "torso", "lead_arm", "bat")}
    before = {name: [] for name in seen}
    for session in world.sessions:
        facts = truth(world.movements(session, session.athletes[0])[0])
        assert facts["order"] == ["pelvis", "torso", "lead_arm", "bat"]
        for name in seen:
            seen[name].append(facts["peaks"][name]["deg_per_s"])
            before[name].append(facts["peaks"][name]["before_contact_ms"])
    expected = {"pelvis": 700, "torso": 920, "lead_arm": 1200, "bat": 2500}
    times = {"pelvis": 84, "torso": 59, "lead_arm": 40, "bat": 4}
    for name, value in expected.items():
        assert np.median(seen[name]) == pytest.approx(value, rel=0.03)
        assert np.median(before[name]) == pytest.approx(times[name], abs=3)
        # People differ.
        assert 0.02 < np.std(seen[name]) / value < 0.10


def test_pulses_are_as_wide_as_a_real_swings(swing):
    _, _, frames, _ = swing
    widths = {}
    for name, one, other in (
        ("pelvis", "lhjc", "rhjc"),
        ("torso", "lsjc", "rsjc"),
        ("bat", "bhead", "bhandle"),
    ):
        turning = rate(frames, one, other)
        high = frames["time"][turning > turning.max() / 2]
        widths[name] = 1000 * (high[-1] - high[0])
    assert widths["pelvis"] == pytest.approx(170, abs=15)
    assert widths["torso"] == pytest.approx(128, abs=12)
    assert widths["bat"] == pytest.approx(92, abs=10)


def test_clock_columns_mark_hand_peak_and_foot_down(swing):
    movement, facts, frames, momentum = swing
    events = facts["events"]
    time = frames["time"]
    # The upper hand is the right hand of a right-hander.
    top = time[speed(frames, "rhand").argmax()]
    assert events["dominant_hand_peak_s"] == pytest.approx(top, abs=0.0043)
    zero = time - events["dominant_hand_peak_s"]
    assert frames["time_from_max_hand"] == pytest.approx(zero, abs=1e-9)
    down = np.interp(0.0, momentum["norm_time"], time)
    assert down == pytest.approx(events["foot_down_s"], abs=1e-6)
    full = np.interp(100.0, momentum["norm_time"], time)
    assert full == pytest.approx(events["dominant_hand_peak_s"], abs=1e-6)
    assert movement.contact_s > events["peak_hand_speed_s"] > events["foot_down_s"]
    # The midpoint of both hands peaks within the 15 ms that an import allows.
    apart = abs(events["peak_hand_speed_s"] - events["dominant_hand_peak_s"])
    assert apart < 0.015


def test_foot_is_down_after_its_fall(swing):
    _, facts, frames, _ = swing
    ankle = frames["lajc_z"]
    falling = np.gradient(ankle, frames["time"])
    down = facts["events"]["foot_down_s"]
    time = frames["time"]
    after = (time > down + 0.005) & (time < facts["events"]["contact_s"])
    assert np.abs(falling[after]).max() < 0.2
    assert falling[(time > down - 0.08) & (time < down)].min() < -1.0
    assert frames["lbtoe_z"][time > down].max() < 0.01


def test_ball_rests_until_the_bat_meets_it(swing):
    _, facts, frames, _ = swing
    contact = facts["events"]["contact_s"]
    ball = point(frames, "baseball")
    rest = frames["time"] <= contact
    assert np.ptp(ball[rest], axis=0) == pytest.approx(0, abs=1e-12)
    barrel = point(frames, "bhead") - 0.152 * unit(
        point(frames, "bhead") - point(frames, "bhandle")
    )
    nearest = np.linalg.norm(barrel - ball, axis=1)
    assert nearest.min() < 0.15  # within one frame of bat travel
    assert frames["time"][nearest.argmin()] == pytest.approx(contact, abs=0.0043)
    assert ball[-1, 1] > ball[0, 1] + 5


def test_bones_keep_their_length(swing):
    _, _, frames, _ = swing
    for one, other in (
        ("lhjc", "rhjc"),
        ("lsjc", "rsjc"),
        ("lsjc", "lejc"),
        ("rsjc", "rejc"),
        ("lejc", "lwjc"),
        ("rejc", "rwjc"),
        ("lhjc", "lkjc"),
        ("rhjc", "rkjc"),
        ("lkjc", "lajc"),
        ("rkjc", "rajc"),
        ("bhandle", "bhead"),
    ):
        length = np.linalg.norm(point(frames, one) - point(frames, other), axis=1)
        assert np.ptp(length) < 1e-9, (one, other)
        assert 0.15 < length[0] < 0.9


def test_both_hands_hold_the_bat_until_contact(swing):
    _, facts, frames, _ = swing
    bat = unit(point(frames, "bhead") - point(frames, "bhandle"))
    early = frames["time"] <= facts["events"]["contact_s"]
    for hand, grip in (("lhand", 0.055), ("rhand", 0.140)):
        held = point(frames, "bhandle") + grip * bat
        apart = np.linalg.norm(point(frames, hand) - held, axis=1)
        assert apart[early].max() < 0.005


def test_angle_columns_agree_with_the_points(swing):
    _, _, frames, _ = swing
    hips = point(frames, "lhjc") - point(frames, "rhjc")
    # Where the pelvis faces: the line to the lead hip turned by -90°.
    heading = np.unwrap(np.arctan2(-hips[:, 0], hips[:, 1]))
    assert frames["pelvis_rot"] == pytest.approx(heading, abs=1e-9)
    for side in "lr":
        word = {"l": "left", "r": "right"}[side]
        joints = [f"{side}{joint}jc" for joint in "hka"]
        assert frames[f"{word}_knee"] == pytest.approx(
            flexion(frames, *joints), abs=1e-6
        )
        joints = [f"{side}{joint}jc" for joint in "sew"]
        assert frames[f"{word}_elbow"] == pytest.approx(
            flexion(frames, *joints), abs=1e-6
        )


def test_torso_rot_is_the_twist_on_the_pelvis(swing):
    _, _, frames, _ = swing
    turn = {name: frames[name] for name in ("pelvis_rot", "torso_rot")}
    zero = np.zeros_like(turn["pelvis_rot"])

    def about(axis, angle):
        cos, sin = np.cos(angle), np.sin(angle)
        one = zero + 1
        rows = {
            "x": [[one, zero, zero], [zero, cos, -sin], [zero, sin, cos]],
            "y": [[cos, zero, sin], [zero, one, zero], [-sin, zero, cos]],
            "z": [[cos, -sin, zero], [sin, cos, zero], [zero, zero, one]],
        }[axis]
        return np.moveaxis(np.array(rows), 2, 0)

    trunk = (
        about("z", frames["pelvis_rot"])
        @ about("x", frames["pelvis_side"])
        @ about("y", -frames["torso_ext"])
        @ about("x", frames["torso_side"])
        @ about("z", frames["torso_rot"])
    )
    shoulders = unit(point(frames, "lsjc") - point(frames, "rsjc"))
    assert trunk[:, :, 1] == pytest.approx(shoulders, abs=1e-9)
    # Separation opens before contact and closes after it.
    assert np.degrees(frames["torso_rot"].min()) < -15
    assert np.degrees(frames["torso_rot"][-1]) > 0


def test_energies_and_momenta_add_up(swing):
    movement, _, _, momentum = swing
    groups = {
        "arms": ("larm", "rarm"),
        "legs": ("lleg", "rleg"),
        "lowerhalf": ("lowertorso", "legs"),
        "upperhalf": ("torso", "rhe", "arms"),
        "total": ("lowerhalf", "upperhalf", "bat"),
        "larm": ("lar", "lfa", "lha"),
    }
    for name, parts in groups.items():
        for quantity in ("kinetic_energy", "trans_energy", "rot_energy",
                         "angular_momentum_x", "angular_momentum_z"):  # fmt: skip
            whole = sum(momentum[f"{part}_{quantity}"] for part in parts)
            assert momentum[f"{name}_{quantity}"] == pytest.approx(whole, abs=1e-9)
    names = [n.removesuffix("_kinetic_energy") for n in momentum if "kinetic" in n]
    assert len(names) == 25
    for name in names:
        both = momentum[f"{name}_trans_energy"] + momentum[f"{name}_rot_energy"]
        assert momentum[f"{name}_kinetic_energy"] == pytest.approx(both)
        projected = np.abs(momentum[f"{name}_angular_momentum_proj"])
        size = momentum[f"{name}_angular_momentum_mag"]
        assert np.all(projected <= size + 1e-9)
    assert momentum["mass_total"][0] == pytest.approx(movement.build.mass_kg)


def test_momentum_is_mass_times_the_velocity_of_the_center(swing):
    _, _, _, momentum = swing
    center = point(momentum, "center_of_mass")
    velocity = np.gradient(center, momentum["time"], axis=0)
    parts = ("lowerhalf_linear_momentum", "upperhalf_linear_momentum")
    body = sum(point(momentum, part) for part in parts)
    expected = momentum["mass_total"][:, None] * velocity
    # Differences at 240 Hz against the model's own velocity.
    assert body[1:-1] == pytest.approx(expected[1:-1], abs=0.6)
    assert np.abs(body).max() > 20


def test_bat_energy_is_that_of_its_points(swing):
    movement, facts, frames, momentum = swing
    build = movement.build
    knob, tip = point(frames, "bhandle"), point(frames, "bhead")
    center = knob + 0.66 * (tip - knob)
    velocity = np.gradient(center, frames["time"], axis=0)
    moving = 0.5 * build.bat_mass_kg * np.sum(velocity**2, axis=1)
    turning = np.radians(rate(frames, "bhead", "bhandle"))
    inertia = build.bat_mass_kg * (0.27 * build.bat_length_m) ** 2
    expected = moving + 0.5 * inertia * turning**2
    energy = momentum["bat_kinetic_energy"]
    assert energy.max() == pytest.approx(expected.max(), rel=0.015)
    assert 200 < energy.max() < 600
    at_contact = np.interp(facts["events"]["contact_s"], momentum["time"], energy)
    assert at_contact > 0.95 * energy.max()


def twins(options=None):
    """Columns of one swing by a right-hander and by their mirror image."""
    world = World(Shape(players=6, sessions=4, swings=3, plain=True))
    session = world.sessions[0]
    right = world.movements(session, session.athletes[0])[0]
    left = dataclasses.replace(right, bats="L")
    return right, left, options or Options()


def swapped(name):
    """The column of the other side."""
    if name.startswith(("left_", "right_")):
        side, _, rest = name.partition("_")
        return {"left": "right_", "right": "left_"}[side] + rest
    middle = ("lowertorso", "legs", "lowerhalf", "rhe", "rel", "lumbar")
    if name[0] in "lr" and name.split("_")[0] not in middle:
        return {"l": "r", "r": "l"}[name[0]] + name[1:]
    return name


def test_left_hander_is_the_mirror_image_in_the_raw_file():
    right, left, options = twins()
    one = inverse_kinematics(right, options)
    other = inverse_kinematics(left, options)
    negated = {"pelvis_side", "torso_side", "torso_rot"}
    for name, values in one.items():
        if name in ("org_movement_id", "rel_frame"):
            continue
        found = other[swapped(name)]
        if name == "pelvis_rot":
            assert found == pytest.approx(np.pi - values, abs=1e-9)
        elif name in negated:
            assert found == pytest.approx(-values, abs=1e-9)
        elif name[-2:] == "_x" and name not in ANGLES:
            assert found == pytest.approx(-values, abs=1e-9), name
        else:
            assert found == pytest.approx(values, abs=1e-9), name
    assert truth(left)["peaks"] == truth(right)["peaks"]
    assert (truth(left)["side"], truth(right)["side"]) == ("left", "right")


def test_mirrored_file_of_a_left_hander_reads_like_a_right_hander():
    right, left, _ = twins()
    options = Options(lefty="mirrored")
    for make in (inverse_kinematics, momentum_energy):
        one, other = make(right, Options()), make(left, options)
        for name, values in one.items():
            if isinstance(values, np.ndarray):
                assert other[name] == pytest.approx(values, abs=1e-9), name


def test_angles_only_variant_keeps_the_points_raw():
    right, left, _ = twins()
    found = inverse_kinematics(left, Options(lefty="angles"))
    raw = inverse_kinematics(left, Options())
    like = inverse_kinematics(right, Options())
    assert found["lhjc_x"] == pytest.approx(raw["lhjc_x"])
    for name in ("pelvis_rot", "pelvis_side", "torso_rot", "torso_side"):
        assert found[name] == pytest.approx(like[name])


def test_left_handers_momentum_is_the_mirror_image():
    right, left, options = twins()
    one, other = momentum_energy(right, options), momentum_energy(left, options)
    for name, values in one.items():
        if not isinstance(values, np.ndarray):
            continue
        sign = 1.0
        if "angular_momentum_" in name and name[-2:] in ("_y", "_z"):
            sign = -1.0  # a turning vector mirrors the other way
        elif "angular" not in name and name[-2:] == "_x":
            sign = -1.0
        assert other[swapped(name)] == pytest.approx(sign * values, abs=1e-9), name


def test_global_torso_and_degrees_switches():
    right, left, _ = twins()
    for movement in (right, left):
        plain = inverse_kinematics(movement, Options())
        world = inverse_kinematics(movement, Options(torso_global=True))
        assert world["torso_rot"] == pytest.approx(
            plain["torso_rot"] + plain["pelvis_rot"], abs=1e-9
        )
    degrees = inverse_kinematics(right, Options(degrees=True))
    radians = inverse_kinematics(right, Options())
    for name in ANGLES:
        assert degrees[name] == pytest.approx(np.degrees(radians[name]))


def test_noise_has_the_size_asked_for_and_leaves_angles_alone():
    right, _, _ = twins()
    clean = inverse_kinematics(right, Options())
    noisy = inverse_kinematics(right, Options(noise_mm=2.0))
    again = inverse_kinematics(right, Options(noise_mm=2.0))
    difference = noisy["lhjc_y"] - clean["lhjc_y"]
    assert np.std(difference) == pytest.approx(0.002, rel=0.1)
    assert np.array_equal(noisy["lhjc_y"], again["lhjc_y"])
    assert np.array_equal(noisy["pelvis_rot"], clean["pelvis_rot"])


@pytest.mark.parametrize("rate_hz", [120.0, 240.0, 600.0])
def test_truth_does_not_depend_on_the_frame_rate(rate_hz):
    right, _, _ = twins()
    other = dataclasses.replace(right, rate_hz=rate_hz, frames=round(2.4 * rate_hz))
    for name, peak in truth(other)["peaks"].items():
        expected = truth(right)["peaks"][name]["deg_per_s"]
        assert peak["deg_per_s"] == pytest.approx(expected, rel=1e-3)


def test_a_walk_is_no_swing(vendor):
    frames, movement = vendor.frames(movement=3)
    assert movement.kind == "walk"
    assert rate(frames, "lhjc", "rhjc").max() < 100
    assert rate(frames, "bhead", "bhandle").max() < 200
    travelled = frames["midhip_y"][-1] - frames["midhip_y"][0]
    assert travelled == pytest.approx(1.15 * 2.4, rel=0.05)


def test_switch_hitter_swings_from_both_sides(vendor):
    session = vendor.world.sessions[2]
    sides = [m.bats for m in vendor.world.movements(session, session.athletes[0])]
    assert sides == ["R", "R", "L"]


def test_truth_is_served_for_each_movement(vendor):
    session_id, org_id = vendor.part()
    frames, movement = vendor.frames()
    facts = vendor.control(
        "truth",
        session_id=session_id,
        org_player_id=org_id,
        org_movement_id=movement.org_movement_id,
    ).json()
    assert facts == truth(movement)
    turning = rate(frames, "lsjc", "rsjc")
    assert turning.max() == pytest.approx(
        facts["peaks"]["torso"]["deg_per_s"], rel=0.006
    )
    every = vendor.control("truth", session_id=session_id, org_player_id=org_id)
    kinds = [(f["kind"], f["has_bat"]) for f in every.json()]
    assert kinds == [("swing", True)] * 3 + [("walk", True), ("swing", False)]
    assert "bat" not in every.json()[4]["peaks"]


def test_parquet_and_truth_agree_for_a_left_hander(vendor):
    (link,) = vendor.links(1, data_format="parquet")
    table = pq.read_table(io.BytesIO(vendor.download(link).content))
    session = vendor.world.sessions[1]
    movement = vendor.world.movements(session, session.athletes[0])[0]
    rows = slice(0, movement.frames)
    frames = {n.lower(): table[n].to_numpy()[rows] for n in table.column_names}
    assert movement.bats == "L"
    assert frames["pelvis_rot"][0] == pytest.approx(np.pi, abs=0.05)
    # The right arm leads.
    turning = rate(frames, "rejc", "rsjc")
    expected = truth(movement)["peaks"]["lead_arm"]["deg_per_s"]
    assert turning.max() == pytest.approx(expected, rel=0.008)
