"""The articulated hitter: joint angles and a few placed points in, joint centers out.

Frame of reference: Z up, Y toward the pitcher, X to the right when looking along
Y. The model is a right-handed hitter, so X is also the way to the plate and the
lead side is the left side; left-handers are made by mirroring in ``columns``.

A segment's own axes are x forward (where the chest looks), y toward the lead
side, z up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The velocities are central differences over this step. The curves change over
# tens of milliseconds, so the relative error is near 1e-7.
STEP_S = 2.5e-4


@dataclass(frozen=True)
class Build:
    """Lengths (m) and masses (kg) of one hitter and the bat.

    Lengths are shares of body height, masses shares of body mass, rounded from the
    common anthropometric tables; they need only be plausible and never change
    inside a session.
    """

    height_m: float
    mass_kg: float
    bat_length_m: float = 0.838
    bat_mass_kg: float = 0.87

    @property
    def hip_width_m(self) -> float:
        """Return the distance between the hip joint centers."""
        return 0.137 * self.height_m

    @property
    def shoulder_width_m(self) -> float:
        """Return the distance between the shoulder joint centers."""
        return 0.206 * self.height_m

    @property
    def trunk_m(self) -> float:
        """Return the distance from mid-hip to mid-shoulder."""
        return 0.288 * self.height_m

    @property
    def upper_arm_m(self) -> float:
        """Return the distance from shoulder to elbow."""
        return 0.165 * self.height_m

    @property
    def forearm_m(self) -> float:
        """Return the distance from elbow to wrist."""
        return 0.148 * self.height_m

    @property
    def hand_m(self) -> float:
        """Return the distance from the wrist to the middle of the grip."""
        return 0.042 * self.height_m

    @property
    def thigh_m(self) -> float:
        """Return the distance from hip to knee."""
        return 0.245 * self.height_m

    @property
    def shank_m(self) -> float:
        """Return the distance from knee to ankle."""
        return 0.240 * self.height_m

    @property
    def foot_m(self) -> float:
        """Return the distance from the heel to the ball of the foot."""
        return 0.110 * self.height_m

    @property
    def ankle_height_m(self) -> float:
        """Return the height of the ankle above the ground in a flat stance."""
        return 0.050 * self.height_m


# Share of body mass, distance of the center of mass from the proximal end, radius
# of gyration (both as shares of the segment's length).
SEGMENT_MASS = {
    "pelvis": 0.142,
    "trunk": 0.322,
    "head": 0.073,
    "upper_arm": 0.027,
    "forearm": 0.016,
    "hand": 0.006,
    "thigh": 0.120,
    "shank": 0.0435,
    "foot": 0.019,
}
SEGMENT_CENTER = {
    "upper_arm": 0.46,
    "forearm": 0.44,
    "hand": 0.60,
    "thigh": 0.42,
    "shank": 0.43,
    "foot": 0.45,
}
SEGMENT_GYRATION = {
    "upper_arm": 0.28,
    "forearm": 0.28,
    "hand": 0.35,
    "thigh": 0.29,
    "shank": 0.26,
    "foot": 0.30,
}
# Pelvis and trunk turn about all three axes: radii of gyration in meters for a
# hitter of 1.80 m (x forward, y to the side, z along the spine).
TRUNK_GYRATION_M = {
    "pelvis": (0.095, 0.085, 0.100),
    "trunk": (0.170, 0.150, 0.115),
    "head": (0.075, 0.075, 0.060),
}
# The grips are measured from the knob.
LEAD_GRIP_M = 0.055
REAR_GRIP_M = 0.140
BAT_CENTER = 0.66  # of its length, from the knob
BAT_GYRATION = 0.27
SWEET_SPOT_FROM_TIP_M = 0.152


@dataclass(frozen=True)
class Pose:
    """What the motion prescribes at each instant; angles in radians.

    The rest of the body (rear arm, both legs) follows from it.
    """

    pelvis_position: Array  # (n, 3) middle of the hip centers
    pelvis_rot: Array  # (n,) heading about the vertical
    pelvis_side: Array  # (n,) list, + lifts the lead hip
    torso_flex: Array  # (n,) forward bend on the pelvis (torso_ext = -flex)
    torso_side: Array  # (n,) bend toward the rear side
    torso_rot: Array  # (n,) twist on the pelvis
    arm_plane: Array  # (n,) lead upper arm, from sideways toward the front
    arm_drop: Array  # (n,) lead upper arm, below the shoulder line
    arm_spin: Array  # (n,) where the lead forearm folds: 0 across, 90 deg up
    elbow_flex: Array  # (n,) lead elbow
    bat_direction: Array  # (n, 3) unit, from knob to tip
    lead_ball: Array  # (n, 3) ball of the lead foot
    lead_foot_heading: Array
    lead_foot_pitch: Array
    rear_ball: Array
    rear_foot_heading: Array
    rear_foot_pitch: Array


Curves = Callable[[Array], Pose]


def rotation(axis: str, angle: Array) -> Array:
    """Rotation matrices ``(n, 3, 3)`` about x, y or z."""
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.zeros((len(angle), 3, 3))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    third = 3 - first - second
    matrix[:, third, third] = 1.0
    matrix[:, first, first] = cos
    matrix[:, second, second] = cos
    matrix[:, first, second] = -sin
    matrix[:, second, first] = sin
    return matrix


def unit(vector: Array) -> Array:
    """Return vectors ``(n, 3)`` scaled to length one."""
    length: Array = np.linalg.norm(vector, axis=-1, keepdims=True)
    return vector / length


def dot(one: Array, other: Array) -> Array:
    """Return the scalar products ``(n,)`` of two series of vectors ``(n, 3)``."""
    product: Array = np.einsum("ij,ij->i", one, other)
    return product


def _local(matrix: Array, x: float, y: float, z: float) -> Array:
    placed: Array = matrix @ np.array([x, y, z])
    return placed


def _soft_limit(value: Array, limit: float, softness: float) -> Array:
    """Smooth minimum of value and limit (never above the limit)."""
    return limit - softness * np.logaddexp(0.0, (limit - value) / softness)


def _two_links(
    root: Array, target: Array, first_m: float, second_m: float, pole: Array
) -> tuple[Array, Array]:
    """Middle and end joint of a two-bone chain that reaches for the target.

    The middle joint bends toward the pole. A target out of reach is approached
    smoothly and not touched: the rear hand lets go of the bat late in some
    follow-throughs, as hitters do.
    """
    line = target - root
    distance = np.linalg.norm(line, axis=1)
    along = line / distance[:, None]
    reach = first_m + second_m
    used = -_soft_limit(-_soft_limit(distance, 0.995 * reach, 0.012), -0.12, 0.004)
    side = unit(pole - dot(pole, along)[:, None] * along)
    cos = (first_m**2 + used**2 - second_m**2) / (2 * first_m * used)
    cos = np.clip(cos, -1.0, 1.0)
    sin = np.sqrt(1.0 - cos**2)
    middle = root + first_m * (cos[:, None] * along + sin[:, None] * side)
    return middle, root + used[:, None] * along


def heading_vector(angle: Array) -> Array:
    """Return level unit vectors ``(n, 3)`` that point where angles (rad) say."""
    return np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)


@dataclass(frozen=True)
class Skeleton:
    """Joint centers ``(n, 3)`` by name, and the frames of pelvis, trunk and feet."""

    points: dict[str, Array]
    pelvis_frame: Array
    trunk_frame: Array
    lead_foot_frame: Array
    rear_foot_frame: Array


def skeleton(pose: Pose, build: Build) -> Skeleton:
    """Forward kinematics: every joint center of the hitter, bat included."""
    middle = pose.pelvis_position
    pelvis = rotation("z", pose.pelvis_rot) @ rotation("x", pose.pelvis_side)
    trunk = (
        pelvis
        @ rotation("y", pose.torso_flex)
        @ rotation("x", pose.torso_side)
        @ rotation("z", pose.torso_rot)
    )
    half_hip = build.hip_width_m / 2
    half_shoulder = build.shoulder_width_m / 2
    points: dict[str, Array] = {
        "mid_hip": middle,
        "lead_hip": middle + _local(pelvis, 0, half_hip, 0),
        "rear_hip": middle + _local(pelvis, 0, -half_hip, 0),
        "mid_shoulder": middle + _local(trunk, 0, 0, build.trunk_m),
        "lead_shoulder": middle + _local(trunk, 0, half_shoulder, build.trunk_m),
        "rear_shoulder": middle + _local(trunk, 0, -half_shoulder, build.trunk_m),
    }
    # The head keeps looking at the pitcher; only its place follows the trunk.
    scale = build.height_m / 1.8
    points["neck"] = middle + _local(trunk, 0.0, 0.0, build.trunk_m + 0.055 * scale)
    points["skull_base"] = points["neck"] + _local(trunk, 0.015, 0.0, 0.075 * scale)

    _lead_arm(points, pose, build, trunk)
    points["knob"] = points["lead_hand"] - LEAD_GRIP_M * pose.bat_direction
    points["bat_tip"] = points["knob"] + build.bat_length_m * pose.bat_direction
    points["sweet_spot"] = points["bat_tip"] - SWEET_SPOT_FROM_TIP_M * (
        pose.bat_direction
    )
    _rear_arm(points, build, trunk)
    lead_foot = _leg(
        points, "lead", pose.lead_ball, pose.lead_foot_heading, pose.lead_foot_pitch,
        0.5 * pose.pelvis_rot + 0.5 * pose.lead_foot_heading, build,
    )  # fmt: skip
    rear_foot = _leg(
        points, "rear", pose.rear_ball, pose.rear_foot_heading, pose.rear_foot_pitch,
        0.6 * pose.pelvis_rot + 0.4 * pose.rear_foot_heading, build,
    )  # fmt: skip
    return Skeleton(points, pelvis, trunk, lead_foot, rear_foot)


def _lead_arm(points: dict[str, Array], pose: Pose, build: Build, trunk: Array) -> None:
    cos_p, sin_p = np.cos(pose.arm_plane), np.sin(pose.arm_plane)
    cos_d, sin_d = np.cos(pose.arm_drop), np.sin(pose.arm_drop)
    zero = np.zeros_like(cos_p)
    upper = np.stack([sin_p * cos_d, cos_p * cos_d, -sin_d], axis=1)
    across = np.stack([cos_p, -sin_p, zero], axis=1)
    upward = np.stack([sin_p * sin_d, cos_p * sin_d, cos_d], axis=1)
    fold = (
        np.cos(pose.arm_spin)[:, None] * across
        + np.sin(pose.arm_spin)[:, None] * upward
    )
    fore = (
        np.cos(pose.elbow_flex)[:, None] * upper
        + np.sin(pose.elbow_flex)[:, None] * fold
    )
    upper = np.einsum("nij,nj->ni", trunk, upper)
    fore = np.einsum("nij,nj->ni", trunk, fore)
    points["lead_elbow"] = points["lead_shoulder"] + build.upper_arm_m * upper
    points["lead_wrist"] = points["lead_elbow"] + build.forearm_m * fore
    # Hand and forearm are one line, so the wrist angles are zero by construction.
    points["lead_hand"] = points["lead_wrist"] + build.hand_m * fore


def _rear_arm(points: dict[str, Array], build: Build, trunk: Array) -> None:
    bat = unit(points["bat_tip"] - points["knob"])
    grip = points["knob"] + REAR_GRIP_M * bat
    # The rear elbow points down, out and back.
    pole = _local(trunk, -0.35, -0.55, -0.75)
    elbow, hand = _two_links(
        points["rear_shoulder"],
        grip,
        build.upper_arm_m,
        build.forearm_m + build.hand_m,
        pole,
    )
    fore = unit(hand - elbow)
    points["rear_elbow"] = elbow
    points["rear_wrist"] = elbow + build.forearm_m * fore
    points["rear_hand"] = hand


def _leg(
    points: dict[str, Array],
    side: str,
    ball: Array,
    heading: Array,
    pitch: Array,
    knee_heading: Array,
    build: Build,
) -> Array:
    foot = rotation("z", heading) @ rotation("y", pitch)
    length, ankle_height = build.foot_m, build.ankle_height_m
    ankle_target = ball + _local(foot, -0.72 * length, 0.0, ankle_height)
    knee, ankle = _two_links(
        points[f"{side}_hip"],
        ankle_target,
        build.thigh_m,
        build.shank_m,
        heading_vector(knee_heading),
    )
    outward = 1.0 if side == "lead" else -1.0
    base = ankle - _local(foot, -0.72 * length, 0.0, ankle_height)
    points[f"{side}_knee"] = knee
    points[f"{side}_ankle"] = ankle
    points[f"{side}_heel"] = base + _local(foot, -length, 0.0, 0.0)
    points[f"{side}_big_toe"] = base + _local(foot, 0.0, -0.02 * outward, 0.0)
    points[f"{side}_small_toe"] = base + _local(foot, -0.01, 0.055 * outward, 0.0)
    points[f"{side}_toe"] = base + _local(foot, 0.06, 0.0, 0.0)
    points[f"{side}_inner_ankle"] = ankle + _local(foot, 0.0, -0.035 * outward, 0.0)
    points[f"{side}_outer_ankle"] = ankle + _local(foot, 0.0, 0.035 * outward, -0.01)
    shank = unit(ankle - knee)
    across = unit(np.cross(shank, heading_vector(knee_heading)))
    points[f"{side}_inner_knee"] = knee + 0.045 * outward * across
    points[f"{side}_outer_knee"] = knee - 0.045 * outward * across
    return foot
