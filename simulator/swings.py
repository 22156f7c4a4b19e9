"""One recorded movement: its frames, and what is true about it.

The truth is read from the noise-free model on a grid of 4 kHz, whatever the frame
rate of the file, so that a test can ask how close an analysis comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from simulator.body import (
    STEP_S,
    Array,
    Build,
    Curves,
    Skeleton,
    dot,
    skeleton,
    unit,
)
from simulator.motion import SwingShape, swing_curves, walk_curves

TRUTH_RATE_HZ = 4000.0


@dataclass(frozen=True)
class Movement:
    """Everything that decides the numbers of one movement."""

    org_movement_id: str
    movement_id: str
    kind: str  # "swing" or "walk"
    bats: str  # "R" or "L": the side of this movement
    build: Build
    shape: SwingShape
    rate_hz: float
    frames: int
    contact_s: float  # time of ball contact on the clock of the file
    noise_seed: tuple[int, ...]
    has_bat: bool = True
    energy_spike: bool = False
    walk_phase: float = 0.0
    clock_s: float = 0.0  # what the clock of the file shows at its first frame

    @property
    def time_s(self) -> Array:
        """The clock of the file, in seconds."""
        return self.clock_s + np.arange(self.frames) / self.rate_hz

    def curves(self) -> Curves:
        """Return the motion as a function of time, in seconds from contact."""
        if self.kind == "walk":
            return walk_curves(self.build, speed_m_per_s=1.15, phase=self.walk_phase)
        return swing_curves(self.shape, self.build)

    def skeleton_at(self, file_time_s: Array) -> Skeleton:
        """Return the joint centers at times of the file, in seconds."""
        return skeleton(self.curves()(file_time_s - self.contact_s), self.build)

    def skeletons(self) -> tuple[Skeleton, Skeleton, Skeleton]:
        """Return the skeleton at each frame, and an instant before and after it."""
        time = self.time_s
        return (
            self.skeleton_at(time - STEP_S),
            self.skeleton_at(time),
            self.skeleton_at(time + STEP_S),
        )

    @property
    def lead(self) -> str:
        """Return the letter of the side that faces the pitcher: l or r."""
        return "l" if self.bats == "R" else "r"


def line_rate(one: Array, other: Array, step_s: float) -> Array:
    """Turn rate (rad/s) of the line between two points."""
    direction = unit(one - other)
    rate: Array = np.linalg.norm(np.gradient(direction, step_s, axis=0), axis=1)
    return rate


def _speed(points: Array, step_s: float) -> Array:
    speed: Array = np.linalg.norm(np.gradient(points, step_s, axis=0), axis=1)
    return speed


def _flexion(first: Array, middle: Array, last: Array) -> Array:
    cos = dot(unit(first - middle), unit(last - middle))
    flexion: Array = np.pi - np.arccos(np.clip(cos, -1.0, 1.0))
    return flexion


def _top(values: Array, time: Array) -> tuple[float, float]:
    """Largest value and its time, by a parabola through three samples."""
    index = int(np.argmax(values))
    if index in (0, len(values) - 1):
        return float(values[index]), float(time[index])
    before, here, after = values[index - 1 : index + 2]
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend else 0.0
    peak = here - 0.25 * (before - after) * shift
    return float(peak), float(time[index] + shift * (time[1] - time[0]))


def _centroid(values: Array, time: Array) -> float:
    """Time of a peak as the centroid of what stands above 85 % of it."""
    index = int(np.argmax(values))
    level = 0.85 * values[index]
    first = last = index
    while first > 0 and values[first - 1] > level:
        first -= 1
    while last < len(values) - 1 and values[last + 1] > level:
        last += 1
    weight = values[first : last + 1] - level
    return float(np.sum(weight * time[first : last + 1]) / np.sum(weight))


@dataclass(frozen=True)
class Fine:
    """The model on the fine grid, in the right-hander's frame."""

    time: Array  # file clock
    step_s: float
    points: dict[str, Array]
    pelvis_rate: Array  # deg/s


def _fine(movement: Movement) -> Fine:
    last = (movement.frames - 1) / movement.rate_hz
    if movement.kind == "swing":
        first = max(0.0, movement.contact_s - 1.1)
        last = min(last, movement.contact_s + 0.25)
    else:
        first = 0.0
    time = np.arange(first, last, 1 / TRUTH_RATE_HZ)
    points = movement.skeleton_at(time).points
    step_s = 1 / TRUTH_RATE_HZ
    rate = np.degrees(line_rate(points["lead_hip"], points["rear_hip"], step_s))
    return Fine(time, step_s, points, rate)


@lru_cache(maxsize=4096)
def clock(movement: Movement) -> tuple[float, float]:
    """Foot down and peak speed of the dominant hand, on the file's clock.

    The dominant hand is the upper (rear) one: the right hand of a right-hander.
    """
    fine = _fine(movement)
    rear = _speed(fine.points["rear_hand"], fine.step_s)
    _, hand_s = _top(rear, fine.time)
    if movement.kind != "swing":
        return hand_s - 0.17, hand_s
    return _foot_down(fine, movement.contact_s), hand_s


def _foot_down(fine: Fine, contact_s: float) -> float:
    """Return when the falling lead ankle is slower than 0.2 m/s downward."""
    vertical = np.gradient(fine.points["lead_ankle"][:, 2], fine.step_s)
    before = fine.time < contact_s - 0.06
    fall = int(np.argmin(np.where(before, vertical, np.inf)))
    slow = np.flatnonzero(vertical[fall:] > -0.2)
    return float(fine.time[fall + int(slow[0])])


def truth(movement: Movement) -> dict[str, Any]:
    """Return what an analysis should find, ready for JSON, in SI units and degrees."""
    foot_down_s, hand_s = clock(movement)
    facts: dict[str, Any] = {
        "org_movement_id": movement.org_movement_id,
        "kind": movement.kind,
        "bats": movement.bats,
        "side": "right" if movement.bats == "R" else "left",
        "sampling_rate_hz": movement.rate_hz,
        "frames": movement.frames,
        "has_bat": movement.has_bat,
        "energy_spike": movement.energy_spike,
        "height_m": movement.build.height_m,
        "mass_kg": movement.build.mass_kg,
    }
    fine = _fine(movement)
    if movement.kind != "swing":
        facts["peaks"] = {
            "pelvis": {
                "deg_per_s": float(fine.pelvis_rate.max()),
                "time_s": float(fine.time[int(fine.pelvis_rate.argmax())]),
            }
        }
        facts["events"] = {"dominant_hand_peak_s": hand_s}
        return facts
    facts["events"] = _events(movement, fine, foot_down_s, hand_s)
    facts["peaks"] = _peaks(movement, fine)
    facts["values"] = _values(movement, fine, facts["events"])
    order = sorted(facts["peaks"], key=lambda name: facts["peaks"][name]["time_s"])
    facts["order"] = [name for name in order if name != "lead_forearm"]
    return facts


def _events(
    movement: Movement, fine: Fine, foot_down_s: float, hand_s: float
) -> dict[str, float]:
    points, time = fine.points, fine.time
    hands = _speed((points["lead_hand"] + points["rear_hand"]) / 2, fine.step_s)
    wrists = _speed((points["lead_wrist"] + points["rear_wrist"]) / 2, fine.step_s)
    heading = np.unwrap(_heading(points["lead_hip"] - points["rear_hip"]))
    signed = np.degrees(np.gradient(heading, fine.step_s))
    top = int(np.argmax(fine.pelvis_rate))
    signed_rate = np.where(signed > 0, fine.pelvis_rate, -fine.pelvis_rate)
    low = np.flatnonzero(signed_rate[:top] < 0.15 * fine.pelvis_rate[top])
    first_move = int(low[-1]) if len(low) else 0
    load = int(np.argmin(heading[: first_move + 1]))
    events = {
        "load_s": float(time[load]),
        "first_move_s": float(time[first_move]),
        "foot_down_s": foot_down_s,
        "dominant_hand_peak_s": hand_s,
        "peak_hand_speed_s": _top(hands, time)[1],
        "peak_wrist_speed_s": _top(wrists, time)[1],
        "contact_s": movement.contact_s,
    }
    if movement.has_bat:
        sweet = _speed(points["sweet_spot"], fine.step_s)
        events["bat_speed_peak_s"] = _top(sweet, time)[1]
    return events


def _heading(line: Array) -> Array:
    """Return how far a lead-minus-rear line has opened toward the pitcher (rad)."""
    return np.arctan2(-line[:, 0], line[:, 1])


def _peaks(movement: Movement, fine: Fine) -> dict[str, dict[str, float]]:
    lines = {
        "pelvis": ("lead_hip", "rear_hip"),
        "torso": ("lead_shoulder", "rear_shoulder"),
        "lead_arm": ("lead_elbow", "lead_shoulder"),
        "lead_forearm": ("lead_wrist", "lead_elbow"),
        "bat": ("bat_tip", "knob"),
    }
    if not movement.has_bat:
        del lines["bat"]
    near = fine.time < movement.contact_s + 0.06
    peaks = {}
    for name, (one, other) in lines.items():
        rate = np.degrees(line_rate(fine.points[one], fine.points[other], fine.step_s))
        rate, time = rate[near], fine.time[near]
        value, at = _top(rate, time)
        peaks[name] = {
            "deg_per_s": value,
            "time_s": at,
            "centroid_time_s": _centroid(rate, time),
            "before_contact_ms": 1000 * (movement.contact_s - at),
        }
    return peaks


def x_factor(points: dict[str, Array]) -> Array:
    """Twist (rad) of the hip line against the shoulder line about the trunk line."""
    pelvis = unit(points["lead_hip"] - points["rear_hip"])
    torso = unit(points["lead_shoulder"] - points["rear_shoulder"])
    spine = unit(points["mid_shoulder"] - points["mid_hip"])
    flat_pelvis = pelvis - dot(pelvis, spine)[:, None] * spine
    flat_torso = torso - dot(torso, spine)[:, None] * spine
    return np.arctan2(
        dot(spine, np.cross(flat_torso, flat_pelvis)), dot(flat_torso, flat_pelvis)
    )


def _values(
    movement: Movement, fine: Fine, events: dict[str, float]
) -> dict[str, float]:
    points, time = fine.points, fine.time
    twist = np.degrees(x_factor(points))
    window = (time >= events["load_s"]) & (time <= movement.contact_s)
    hands = _speed((points["lead_hand"] + points["rear_hand"]) / 2, fine.step_s)
    knee = np.degrees(
        _flexion(points["lead_hip"], points["lead_knee"], points["lead_ankle"])
    )
    pelvis = np.degrees(_heading(points["lead_hip"] - points["rear_hip"]))
    torso = np.degrees(
        np.unwrap(_heading(points["lead_shoulder"] - points["rear_shoulder"]))
    )
    down = events["foot_down_s"]

    def at(series: Array, when: float) -> float:
        return float(np.interp(when, time, series))

    values = {
        "x_factor_max_deg": float(twist[window].max()),
        "x_factor_max_time_s": float(time[window][int(twist[window].argmax())]),
        "x_factor_foot_down_deg": at(twist, down),
        "pelvis_rot_foot_down_deg": at(pelvis, down),
        "pelvis_rot_contact_deg": at(pelvis, movement.contact_s),
        "torso_rot_foot_down_deg": at(torso, down),
        "torso_rot_contact_deg": at(torso, movement.contact_s),
        "lead_knee_flex_foot_down_deg": at(knee, down),
        "lead_knee_flex_contact_deg": at(knee, movement.contact_s),
        "peak_hand_speed_m_per_s": _top(hands, time)[0],
    }
    if movement.has_bat:
        sweet = points["sweet_spot"]
        velocity = np.gradient(sweet, fine.step_s, axis=0)
        speed = np.linalg.norm(velocity, axis=1)
        level = np.hypot(velocity[:, 0], velocity[:, 1])
        values["bat_speed_max_m_per_s"] = _top(speed, time)[0]
        values["bat_speed_contact_m_per_s"] = at(speed, movement.contact_s)
        attack = np.degrees(np.arctan2(velocity[:, 2], level))
        values["attack_angle_contact_deg"] = at(attack, movement.contact_s)
        values["attack_angle_bat_speed_peak_deg"] = at(
            attack, events["bat_speed_peak_s"]
        )
    return values
