"""Curves of a swing and of a walk: time in, pose out.

Every curve is a sum of smooth steps, ``amount * (1 + tanh((t - center) / width)) / 2``,
whose rate is a bell with peak ``amount / (2 * width)`` and a width at half height of
``1.763 * width``. The bells are as wide as those of real swings (pelvis near 175 ms,
shoulder line near 130, bat near 85), so that the low-pass filters of a normal
analysis leave the peaks alone.

Time zero of the curves is ball contact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.body import Array, Build, Curves, Pose, unit

DEGREES = math.pi / 180


def step(t: Array, amount: float, center: float, width: float) -> Array:
    """Return a smooth step of `amount` around the time `center`."""
    return 0.5 * amount * (1.0 + np.tanh((t - center) / width))


def turn(t: Array, peak_rate: float, center: float, width: float) -> Array:
    """Return a smooth step, given by the peak of its rate (its unit a second)."""
    return step(t, 2.0 * width * peak_rate, center, width)


def hump(t: Array, amount: float, up: float, down: float, width: float) -> Array:
    """Return a smooth rise at `up` and the fall back at `down`."""
    return step(t, amount, up, width) - step(t, amount, down, width)


@dataclass(frozen=True)
class SwingShape:
    """The numbers that make one swing differ from another.

    Rates are those of the main bells in °/s; what the body lines really reach, with
    the slower movements of trunk and stride on top, is the truth in ``swings``.
    """

    pelvis_rate: float = 690.0
    torso_rate: float = 865.0
    arm_rate: float = 500.0
    bat_rate: float = 2390.0
    pelvis_peak_s: float = -0.085
    torso_peak_s: float = -0.062
    arm_peak_s: float = -0.022
    bat_peak_s: float = -0.003
    coil_deg: float = 12.0
    torso_coil_deg: float = 4.0
    stride_m: float = 0.30
    lift_m: float = 0.14
    foot_down_s: float = -0.245
    bend_deg: float = 24.0
    side_bend_deg: float = 30.0
    plane_deg: float = 30.0
    attack_deg: float = 4.0
    tempo: float = 1.0


def swing_curves(shape: SwingShape, build: Build) -> Curves:
    """Return the pose at each instant of one swing."""
    scale = build.height_m / 1.8
    tempo = shape.tempo

    def pose(t: Array) -> Pose:
        load = -0.62 * tempo
        pelvis_rot = (
            step(t, -shape.coil_deg, load, 0.16)
            + step(t, 6.0, shape.foot_down_s + 0.02, 0.07)
            + turn(t, shape.pelvis_rate, shape.pelvis_peak_s, 0.092)
            + step(t, 14.0, 0.22, 0.12)
        ) * DEGREES
        shoulder_rot = (
            -4.0
            + step(t, -shape.coil_deg - shape.torso_coil_deg, load + 0.05, 0.16)
            + turn(t, shape.torso_rate, shape.torso_peak_s, 0.072)
            + step(t, 42.0, 0.17, 0.10)
        ) * DEGREES
        drive = step(t, 1.0, shape.torso_peak_s, 0.085)
        finish = step(t, 1.0, 0.17, 0.09)
        return Pose(
            pelvis_position=_pelvis_path(t, shape, build),
            pelvis_rot=pelvis_rot,
            pelvis_side=(step(t, 3.0, load, 0.12) - 8.0 * drive) * DEGREES,
            torso_flex=(
                10.0
                + step(t, shape.bend_deg - 10.0, load - 0.1, 0.16)
                - (shape.bend_deg + 15.0) * drive
                + 6.0 * finish
            )
            * DEGREES,
            torso_side=(2.0 + shape.side_bend_deg * drive - 16.0 * finish) * DEGREES,
            torso_rot=shoulder_rot - pelvis_rot,
            arm_plane=(
                104.0
                + step(t, 8.0, shape.foot_down_s, 0.07)
                - turn(t, shape.arm_rate, shape.arm_peak_s, 0.036)
                + step(t, 26.0, 0.10, 0.06)
            )
            * DEGREES,
            arm_drop=(16.0 + step(t, 28.0, -0.045, 0.045) - 30.0 * finish) * DEGREES,
            arm_spin=(56.0 - step(t, 48.0, -0.06, 0.05) + 50.0 * finish) * DEGREES,
            elbow_flex=(
                86.0
                - step(t, 10.0, shape.foot_down_s, 0.07)
                - step(t, 34.0, -0.002, 0.045)
                + 50.0 * finish
            )
            * DEGREES,
            bat_direction=_bat_path(t, shape),
            lead_ball=_lead_ball(t, shape, scale),
            lead_foot_heading=(4.0 + step(t, 32.0, shape.foot_down_s - 0.08, 0.07))
            * DEGREES,
            lead_foot_pitch=np.zeros_like(t),
            rear_ball=np.stack(
                [
                    np.full_like(t, 0.12 * scale),
                    np.full_like(t, -0.24 * scale) + step(t, 0.05, 0.02, 0.07),
                    np.zeros_like(t),
                ],
                axis=1,
            ),
            rear_foot_heading=(step(t, 62.0, -0.07, 0.07)) * DEGREES,
            rear_foot_pitch=(step(t, 48.0, -0.05, 0.075)) * DEGREES,
        )

    return pose


def _pelvis_path(t: Array, shape: SwingShape, build: Build) -> Array:
    scale = build.height_m / 1.8
    load = -0.62 * shape.tempo
    x = step(t, 0.07 * scale, -0.09, 0.08)
    y = (
        step(t, -0.035 * scale, load, 0.12)
        + step(t, 0.65 * shape.stride_m * scale, shape.foot_down_s, 0.13)
        + step(t, 0.02 * scale, 0.0, 0.07)
    )
    z = (
        0.478 * build.height_m
        - step(t, 0.035 * scale, shape.foot_down_s + 0.08, 0.07)
        + step(t, 0.045 * scale, -0.015, 0.06)
    )
    return np.stack([x, y, z], axis=1)


def _lead_ball(t: Array, shape: SwingShape, scale: float) -> Array:
    load = -0.62 * shape.tempo
    # The foot is down (slower than 0.2 m/s) some 50 ms after the middle of its fall.
    fall = shape.foot_down_s - 0.048
    y = 0.24 * scale + step(t, shape.stride_m * scale, fall - 0.10, 0.075)
    z = step(t, shape.lift_m * scale, load, 0.09) - step(
        t, shape.lift_m * scale, fall, 0.026
    )
    x = 0.12 * scale + hump(t, 0.06 * scale, load, fall - 0.05, 0.09)
    return np.stack([x, y, z], axis=1)


def _bat_path(t: Array, shape: SwingShape) -> Array:
    """Return the bat's path: it enters a leaning plane from above, then sweeps."""
    tilt = shape.plane_deg * DEGREES
    rise = shape.attack_deg * DEGREES
    across = np.array([math.cos(tilt), 0.0, -math.sin(tilt)])
    forward = np.array([0.0, math.cos(rise), math.sin(rise)])
    forward = forward - (forward @ across) * across
    forward /= np.linalg.norm(forward)
    upward = np.cross(across, forward)
    sweep = (
        -205.0
        + step(t, 100.0, -0.112, 0.062)
        + turn(t, shape.bat_rate, shape.bat_peak_s, 0.047)
        + step(t, 70.0, 0.20, 0.09)
    ) * DEGREES
    cock = (38.0 - step(t, 38.0, -0.10, 0.06) + step(t, 25.0, 0.2, 0.08)) * DEGREES
    in_plane = (
        np.cos(sweep)[:, None] * across[None, :]
        + np.sin(sweep)[:, None] * forward[None, :]
    )
    return unit(
        np.cos(cock)[:, None] * in_plane + np.sin(cock)[:, None] * upward[None, :]
    )


def walk_curves(build: Build, *, speed_m_per_s: float, phase: float) -> Curves:
    """Return the pose at each instant of a hitter who walks by, bat in hand."""
    scale = build.height_m / 1.8
    rhythm = 2 * math.pi * 0.9
    stride = speed_m_per_s / 0.9

    def foot(t: Array, lag: float, x: float) -> Array:
        angle = rhythm * t + phase + lag
        y = speed_m_per_s * t + 0.25 * stride * np.sin(angle)
        z = 0.05 * scale * (1 + np.cos(angle)) * 0.5
        return np.stack([np.full_like(t, x * scale), y, z], axis=1)

    def pose(t: Array) -> Pose:
        angle = rhythm * t + phase
        facing = np.full_like(t, math.pi / 2)
        still = np.ones_like(t)
        return Pose(
            pelvis_position=np.stack(
                [
                    0.02 * np.sin(angle),
                    speed_m_per_s * t,
                    0.500 * build.height_m + 0.012 * np.cos(2 * angle),
                ],
                axis=1,
            ),
            pelvis_rot=facing + 4 * DEGREES * np.sin(angle),
            pelvis_side=2 * DEGREES * np.cos(angle),
            torso_flex=4 * DEGREES * still,
            torso_side=1 * DEGREES * np.cos(angle),
            torso_rot=-7 * DEGREES * np.sin(angle),
            arm_plane=(70.0 + 8.0 * np.sin(angle)) * DEGREES,
            arm_drop=55 * DEGREES * still,
            arm_spin=30 * DEGREES * still,
            elbow_flex=(70.0 + 6.0 * np.cos(angle)) * DEGREES,
            bat_direction=unit(
                np.stack([0.3 * still, 0.5 + 0.06 * np.sin(angle), 0.8 * still], axis=1)
            ),
            lead_ball=foot(t, 0.0, -0.10),
            lead_foot_heading=facing,
            lead_foot_pitch=np.zeros_like(t),
            rear_ball=foot(t, math.pi, 0.10),
            rear_foot_heading=facing,
            rear_foot_pitch=np.zeros_like(t),
        )

    return pose
