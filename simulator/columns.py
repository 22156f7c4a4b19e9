"""Movements as the columns of the vendor's files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.body import Array, Skeleton, dot, unit
from simulator.swings import Movement, clock, truth
from simulator.words import words

# The 33 angles of a single-camera file, in its order.
LIMB_ARM = ("sternoclavicular_elev", "shoulder_plane", "shoulder_elev", "shoulder_rot")
LIMB_FOREARM = ("elbow", "forearm_pro", "wrist_dev", "wrist_flex")
LIMB_LEG = ("hip_flex", "hip_add", "hip_rot", "knee", "ankle_inv", "ankle_flex")
ANGLES = (
    *(f"{side}_{name}" for side in ("left", "right") for name in LIMB_ARM),
    *(f"{side}_{name}" for side in ("left", "right") for name in LIMB_FOREARM),
    "torso_ext",
    "torso_side",
    "torso_rot",
    "pelvis_rot",
    "pelvis_side",
    *(f"{side}_{name}" for side in ("left", "right") for name in LIMB_LEG),
)
HAWKEYE_NAMES = {"shoulder_plane": "shoulder_abd", "shoulder_elev": "shoulder_flex"}

# Points of the body's middle, then of each side (with l or r in front).
UPPER_POINTS = words(
    "skullbase neck lsjc lejc lwjc rsjc rejc rwjc midhip leye reye nose lear rear "
    "vertex jaw lclav rclav sternum thorax lumbar lmelb lhelb rmelb rhelb lhand rhand "
    "lthumb rthumb lpinky rpinky lindex rindex"
)
LEG_POINTS = words("hjc kjc ajc mmal lmal heel stoe btoe toe mknee lknee")
BAT_POINTS = ("baseball", "bhandle", "bhead")
SINGLE_CAMERA_POINTS = (
    *UPPER_POINTS,
    *(f"l{name}" for name in LEG_POINTS),
    *(f"r{name}" for name in LEG_POINTS),
    *BAT_POINTS,
)
HAWKEYE_POINTS = words(
    "leye reye neck lsjc lejc lwjc lpinky lthumb rsjc rejc rwjc rpinky rthumb midhip "
    "lhjc lkjc lajc lheel lstoe lbtoe rhjc rkjc rajc rheel rstoe rbtoe"
)

EXIT_VELOCITY_M_PER_S = np.array([2.0, 36.0, 9.0])


@dataclass(frozen=True)
class Options:
    """Switches that change what stands in the columns."""

    degrees: bool = False
    torso_global: bool = False
    lefty: str = "raw"  # raw, mirrored (whole motion), angles (four angles only)
    layout: str = "single-camera"  # or hawkeye
    ik_clock: bool = True
    bat_columns: bool = True
    metrics_shifted: int = 0  # frames by which events of the metrics are off
    impact: bool = True
    noise_mm: float = 0.0


def side_letters(movement: Movement, lefty: str) -> dict[str, str]:
    """Return the letters that the lead and the rear side have in the file."""
    left_lead = movement.bats == "R" or lefty == "mirrored"
    return {"lead": "l", "rear": "r"} if left_lead else {"lead": "r", "rear": "l"}


def mirrored_in_room(movement: Movement, lefty: str) -> bool:
    """Return whether the file shows this movement in the left-hander's own room."""
    return movement.bats == "L" and lefty != "mirrored"


def _points(skeleton: Skeleton, sides: dict[str, str]) -> dict[str, Array]:
    """Vendor point names to positions, before mirroring."""
    own = skeleton.points
    trunk = skeleton.trunk_frame
    forward, lateral, up = (trunk[:, :, i] for i in range(3))
    head = own["skull_base"]
    points = {
        "skullbase": head,
        "neck": own["neck"],
        "midhip": own["mid_hip"],
        "nose": head + 0.115 * forward + 0.02 * up,
        "vertex": head + 0.15 * up,
        "jaw": head + 0.07 * forward - 0.05 * up,
        "sternum": own["mid_shoulder"] + 0.08 * forward - 0.05 * up,
        "thorax": own["mid_hip"] + 0.7 * (own["mid_shoulder"] - own["mid_hip"]),
        "lumbar": own["mid_hip"] + 0.25 * (own["mid_shoulder"] - own["mid_hip"]),
        "bhandle": own["knob"],
        "bhead": own["bat_tip"],
    }
    for side, letter in sides.items():
        out = lateral if side == "lead" else -lateral
        points[f"{letter}eye"] = head + 0.09 * forward + 0.03 * out + 0.05 * up
        points[f"{letter}ear"] = head + 0.075 * out + 0.03 * up
        points[f"{letter}sjc"] = own[f"{side}_shoulder"]
        points[f"{letter}clav"] = (
            0.15 * own[f"{side}_shoulder"] + 0.85 * own["mid_shoulder"] + 0.06 * forward
        )
        points[f"{letter}ejc"] = own[f"{side}_elbow"]
        points[f"{letter}wjc"] = own[f"{side}_wrist"]
        points[f"{letter}hand"] = own[f"{side}_hand"]
        upper = unit(own[f"{side}_elbow"] - own[f"{side}_shoulder"])
        fore = unit(own[f"{side}_wrist"] - own[f"{side}_elbow"])
        hinge = unit(np.cross(upper, fore))
        points[f"{letter}melb"] = own[f"{side}_elbow"] + 0.035 * hinge
        points[f"{letter}helb"] = own[f"{side}_elbow"] - 0.035 * hinge
        bat = unit(own["bat_tip"] - own["knob"])
        hand = own[f"{side}_hand"]
        points[f"{letter}thumb"] = hand + 0.03 * bat
        points[f"{letter}pinky"] = hand - 0.03 * bat
        points[f"{letter}index"] = hand + 0.02 * bat + 0.02 * fore
        points[f"{letter}hjc"] = own[f"{side}_hip"]
        points[f"{letter}kjc"] = own[f"{side}_knee"]
        points[f"{letter}ajc"] = own[f"{side}_ankle"]
        points[f"{letter}mmal"] = own[f"{side}_inner_ankle"]
        points[f"{letter}lmal"] = own[f"{side}_outer_ankle"]
        points[f"{letter}heel"] = own[f"{side}_heel"]
        points[f"{letter}stoe"] = own[f"{side}_small_toe"]
        points[f"{letter}btoe"] = own[f"{side}_big_toe"]
        points[f"{letter}toe"] = own[f"{side}_toe"]
        points[f"{letter}mknee"] = own[f"{side}_inner_knee"]
        points[f"{letter}lknee"] = own[f"{side}_outer_knee"]
    return points


def _ball(movement: Movement) -> Array:
    """A ball on a tee until contact, then in flight."""
    spot = movement.skeleton_at(np.array([movement.contact_s])).points["sweet_spot"]
    after = np.maximum(movement.time_s - movement.contact_s, 0.0)[:, None]
    gravity = np.array([0.0, 0.0, -9.81])
    path: Array = spot + EXIT_VELOCITY_M_PER_S * after + 0.5 * gravity * after**2
    return path


def _flexion(first: Array, middle: Array, last: Array) -> Array:
    cos = dot(unit(first - middle), unit(last - middle))
    flexion: Array = np.pi - np.arccos(np.clip(cos, -1.0, 1.0))
    return flexion


def _angles(
    skeleton: Skeleton, movement: Movement, sides: dict[str, str], options: Options
) -> dict[str, Array]:
    """Joint angles (rad), from the same pose as the points.

    Limb angles are anatomical (the same number for the same posture of either
    side). Forearms and hands are in line, so pronation and wrist angles are zero,
    as in many of the vendor's files.
    """
    own = skeleton.points
    zero = np.zeros(len(own["mid_hip"]))
    pelvis, trunk = skeleton.pelvis_frame, skeleton.trunk_frame
    line = own["lead_hip"] - own["rear_hip"]
    pelvis_rot = np.unwrap(np.arctan2(-line[:, 0], line[:, 1]))
    pelvis_side = np.arcsin(line[:, 2] / np.linalg.norm(line, axis=1))
    joint = np.swapaxes(pelvis, 1, 2) @ trunk
    # joint = Ry(flex) Rx(side) Rz(rot)
    torso_side = np.arcsin(-joint[:, 1, 2])
    torso_flex = np.arctan2(joint[:, 0, 2], joint[:, 2, 2])
    torso_rot = np.unwrap(np.arctan2(joint[:, 1, 0], joint[:, 1, 1]))
    if options.torso_global:
        torso_rot = torso_rot + pelvis_rot
    if mirrored_in_room(movement, options.lefty) and options.lefty != "angles":
        pelvis_rot = np.pi - pelvis_rot
        pelvis_side, torso_side, torso_rot = -pelvis_side, -torso_side, -torso_rot
        if options.torso_global:
            torso_rot = np.pi + torso_rot
    angles = {
        "torso_ext": -torso_flex,
        "torso_side": torso_side,
        "torso_rot": torso_rot,
        "pelvis_rot": pelvis_rot,
        "pelvis_side": pelvis_side,
    }
    for side, letter in sides.items():
        word = "left" if letter == "l" else "right"
        sign = 1.0 if side == "lead" else -1.0
        limb = {
            **_arm_angles(own, trunk, side, sign),
            **_leg_angles(skeleton, pelvis, side, sign),
        }
        for name in (*LIMB_ARM, *LIMB_FOREARM, *LIMB_LEG):
            angles[f"{word}_{name}"] = limb.get(name, zero)
    return angles


def _arm_angles(
    own: dict[str, Array], trunk: Array, side: str, sign: float
) -> dict[str, Array]:
    shoulder, elbow, wrist = (
        own[f"{side}_{j}"] for j in ("shoulder", "elbow", "wrist")
    )
    upper = np.einsum("nji,nj->ni", trunk, unit(elbow - shoulder))
    fore = np.einsum("nji,nj->ni", trunk, unit(wrist - elbow))
    outward = sign * upper[:, 1]
    plane = np.arctan2(upper[:, 0], outward)
    fold = unit(fore - dot(fore, upper)[:, None] * upper)
    level = np.stack([outward, -sign * upper[:, 0], np.zeros_like(outward)], axis=1)
    level = unit(level * np.array([1.0, 1.0, 0.0]))
    upward = np.cross(upper, level)
    upward = upward * np.sign(upward[:, 2:3])
    return {
        "shoulder_plane": np.unwrap(plane),
        "shoulder_elev": np.arccos(np.clip(-upper[:, 2], -1.0, 1.0)),
        "shoulder_rot": np.unwrap(np.arctan2(-dot(fold, upward), dot(fold, level))),
        "elbow": _flexion(shoulder, elbow, wrist),
    }


def _leg_angles(
    skeleton: Skeleton, pelvis: Array, side: str, sign: float
) -> dict[str, Array]:
    own = skeleton.points
    hip, knee, ankle = (own[f"{side}_{j}"] for j in ("hip", "knee", "ankle"))
    thigh = np.einsum("nji,nj->ni", pelvis, unit(knee - hip))
    shank = np.einsum("nji,nj->ni", pelvis, unit(ankle - knee))
    flex = np.arctan2(thigh[:, 0], -thigh[:, 2])
    # Rotation: where the shank folds, about the thigh's own length.
    forward = np.stack([np.cos(flex), 0 * flex, np.sin(flex)], axis=1)
    forward = unit(forward - dot(forward, thigh)[:, None] * thigh)
    across = np.cross(thigh, forward)
    fold = shank - dot(shank, thigh)[:, None] * thigh
    foot = skeleton.lead_foot_frame if side == "lead" else skeleton.rear_foot_frame
    toes = foot[:, :, 0]
    shin = unit(knee - ankle)
    return {
        "hip_flex": flex,
        "hip_add": np.arcsin(np.clip(-sign * thigh[:, 1], -1.0, 1.0)),
        "hip_rot": sign * np.arctan2(dot(fold, across), -dot(fold, forward)),
        "knee": _flexion(hip, knee, ankle),
        "ankle_flex": np.pi / 2 - np.arccos(np.clip(dot(shin, toes), -1.0, 1.0)),
    }


Columns = dict[str, Array | list[str | None]]


def clock_columns(movement: Movement) -> dict[str, Array]:
    """Return the clocks of a file: seconds, normalized time and frame numbers."""
    down, hand = clock(movement)
    time = movement.time_s
    return {
        "time_from_max_hand": time - hand,
        "norm_time": 100 * (time - down) / (hand - down),
        "rel_frame": np.round((time - hand) * movement.rate_hz),
    }


def inverse_kinematics(movement: Movement, options: Options) -> Columns:
    """The columns of one movement's inverse-kinematics file."""
    sides = side_letters(movement, options.lefty)
    skeleton = movement.skeleton_at(movement.time_s)
    points = _points(skeleton, sides)
    points["baseball"] = _ball(movement)
    rng = np.random.default_rng(movement.noise_seed)
    hawkeye = options.layout == "hawkeye"
    wanted = HAWKEYE_POINTS if hawkeye else SINGLE_CAMERA_POINTS
    if not options.bat_columns:
        wanted = tuple(name for name in wanted if name not in BAT_POINTS)
    flip = -1.0 if mirrored_in_room(movement, options.lefty) else 1.0
    columns: Columns = {"index": np.arange(movement.frames, dtype=float)}
    for name in wanted:
        values = points[name] * np.array([flip, 1.0, 1.0])
        if options.noise_mm:
            values = values + rng.normal(0, options.noise_mm / 1000, values.shape)
        if name in BAT_POINTS and not movement.has_bat:
            values = np.full_like(values, np.nan)
        for axis, letter in enumerate("xyz"):
            columns[f"{name}_{letter}"] = values[:, axis]
    angles = _angles(skeleton, movement, sides, options)
    unit_factor = 180 / np.pi if options.degrees or hawkeye else 1.0
    texts: Columns = {"org_movement_id": [movement.org_movement_id] * movement.frames}
    clocks = clock_columns(movement)
    if not hawkeye:
        for name in ANGLES:
            columns[name] = angles[name] * unit_factor
        columns["time"] = movement.time_s
        if options.ik_clock:
            columns["time_from_max_hand"] = clocks["time_from_max_hand"]
        return {**columns, **texts}
    series = {_hawkeye_name(name): angles[name] * unit_factor for name in ANGLES}
    columns.update(series)
    columns["time"] = movement.time_s
    columns.update(texts)
    columns["movement_id"] = [movement.movement_id] * movement.frames
    step = 1 / movement.rate_hz
    speeds = {n: np.gradient(v, step) for n, v in series.items()}
    columns.update({f"{name}_vel": value for name, value in speeds.items()})
    columns.update(
        {f"{name}_acc": np.gradient(value, step) for name, value in speeds.items()}
    )
    if options.ik_clock:
        columns["time_from_max_hand"] = clocks["time_from_max_hand"]
        columns["norm_time"] = clocks["norm_time"]
    return columns


def _hawkeye_name(name: str) -> str:
    for new, old in HAWKEYE_NAMES.items():
        if name.endswith(new):
            return name.replace(new, old)
    return name


def metadata(movements: list[Movement]) -> Columns:
    """Return the columns of the metadata file, in which each movement is one row."""
    offsets = np.array(
        [
            np.random.default_rng((*m.noise_seed, 77)).normal(0, (0.15, 0.1, 0.01))
            for m in movements
        ]
    )
    return {
        "index": np.arange(len(movements), dtype=float),
        "org_movement_id": [m.org_movement_id for m in movements],
        "movement_id": [m.movement_id for m in movements],
        "X_offset": offsets[:, 0],
        "Y_offset": offsets[:, 1],
        "Z_offset": offsets[:, 2],
    }


def hitting_metrics(
    movements: list[Movement], *, shifted: int = 0, with_impact: bool = True
) -> Columns:
    """Return the columns of the processed metrics: each movement is one row.

    Events are frames of the movement's file, counted from 0 and `shifted` by some. A
    movement without a swing has none. The vendor has not published its other
    columns; two stand in for them.
    """
    names = ("foot_down_event", "impact_event", "peak_velocity_event",
             "bat_speed_max", "attack_angle_impact")  # fmt: skip
    rows = [_metrics_of(m, shifted=shifted, with_impact=with_impact) for m in movements]
    return {
        "index": np.arange(len(movements), dtype=float),
        "org_movement_id": [m.org_movement_id for m in movements],
        "movement_id": [m.movement_id for m in movements],
        **{
            name: np.array([row.get(name, np.nan) for row in rows], dtype=float)
            for name in names
        },
    }


def _metrics_of(
    movement: Movement, *, shifted: int, with_impact: bool
) -> dict[str, float]:
    if movement.kind != "swing":
        return {}
    found = truth(movement)
    events, values = found["events"], found["values"]

    def frame(time_s: float) -> float:
        since_first = time_s - movement.clock_s
        return float(round(since_first * movement.rate_hz) + shifted)

    row = {
        "foot_down_event": frame(events["foot_down_s"]),
        "peak_velocity_event": frame(events["dominant_hand_peak_s"]),
    }
    if with_impact:
        row["impact_event"] = frame(events["contact_s"])
    if movement.has_bat:
        row["bat_speed_max"] = round(values["bat_speed_max_m_per_s"], 3)
        row["attack_angle_impact"] = round(values["attack_angle_contact_deg"], 2)
    return row
