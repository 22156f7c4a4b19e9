"""What is true of an invented swing, by formulas of its own.

Nothing here is taken from `biomechanics`: the definitions are written a second time,
on exact points 4 000 times a second, without filters. Times run from contact, in
seconds. The hitter is right-handed (z up, y to the pitcher); a left-handed swing is
the same one mirrored and has the same numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from accuracy.swings import Array, BallStrike, Kind, movement_of
from simulator.body import dot, skeleton, unit
from simulator.columns import Options
from simulator.momentum import momentum_energy
from simulator.swings import x_factor

RATE_HZ = 4000.0
ENERGY_RATE_HZ = 2000.0
START_S, END_S = -1.25, 0.25
SWEET_SPOT_M = 0.1524
MOMENTUM = {
    "pelvis": ("lowertorso",),
    "torso": ("torso",),
    "arms": ("larm", "rarm"),
    "bat": ("bat",),
}
ENERGY = {
    "lower": "lowerhalf",
    "torso": "torso",
    "arms": "arms",
    "bat": "bat",
    "total": "total",
}
LINES = {
    "pelvis": ("lead_hip", "rear_hip"),
    "torso": ("lead_shoulder", "rear_shoulder"),
    "lead_arm": ("lead_elbow", "lead_shoulder"),
    "lead_forearm": ("lead_wrist", "lead_elbow"),
    "hand_omega": ("lead_hand", "lead_wrist"),
    "bat": ("bat_tip", "knob"),
}


@dataclass(frozen=True)
class Curve:
    """A curve on its own clock, both of shape (n,)."""

    time: Array
    values: Array

    def at(self, when: float) -> float:
        """Return the value at an instant."""
        return float(np.interp(when, self.time, self.values))

    def top(self, start: float, end: float) -> tuple[float, float]:
        """Return the largest value between two instants, and when it is."""
        inside = np.flatnonzero((self.time >= start) & (self.time <= end))
        place = inside[int(self.values[inside].argmax())]
        return float(self.values[place]), float(self.time[place])

    def center(self, start: float, end: float, last: float) -> float:
        """Return when the peak between two instants is: its part above 85 %.

        A peak that is cut off at `last` by an impact has its time at its top.
        """
        value, when = self.top(start, end)
        level, place = 0.85 * value, int(np.searchsorted(self.time, when))
        low = high = place
        while low > 0 and self.values[low - 1] > level:
            low -= 1
        final = int(np.searchsorted(self.time, last, side="right")) - 1
        while high < final and self.values[high + 1] > level:
            high += 1
        if high == final:
            return when
        weight = self.values[low : high + 1] - level
        return float((weight * self.time[low : high + 1]).sum() / weight.sum())

    def slope(self) -> Curve:
        """Return how fast the curve rises, a second."""
        return Curve(self.time, np.gradient(self.values, self.time))


@dataclass(frozen=True)
class Events:
    """When things happen, in seconds from contact."""

    load: float
    first_move: float
    foot_down: float
    hand_peak: float
    bat_peak: float | None


@dataclass(frozen=True)
class Truth:
    """Events of a swing, and its values by the rule of its reference.

    Attributes
    ----------
    heading_deg : float or None
        Level direction of the sweet spot just before contact, from the y axis of a
        right-handed swing, + = pull side; ``None`` without a bat.
    values : mapping of str to mapping of str to float
        ``contact``, ``bat_peak`` and ``hand_peak`` to metric to value.
    """

    events: Events
    values: Mapping[str, Mapping[str, float]]
    heading_deg: float | None = None

    def of(self, rule: str | None) -> Mapping[str, float]:
        """Return the values for a reference rule; what is seen of a ball is contact."""
        if rule in ("bat_peak", "hand_peak"):
            return self.values.get(rule, {})
        return self.values["contact"]


class _Dense:
    """The motion 4 000 times a second, and the curves read from it."""

    def __init__(self, movement: BallStrike) -> None:
        self.build = movement.build
        self.has_bat = movement.has_bat
        self.bat_last = 0.0 if movement.slowing else END_S
        self.time = np.arange(START_S, END_S, 1 / RATE_HZ)
        made = skeleton(movement.curves()(self.time), movement.build)
        self.points = made.points
        self.rates = {
            name: self.curve(self._turn(*ends))
            for name, ends in LINES.items()
            if name != "bat" or movement.has_bat
        }
        pelvis = self.points["lead_hip"] - self.points["rear_hip"]
        self.opening = self.curve(np.unwrap(np.arctan2(-pelvis[:, 0], pelvis[:, 1])))
        sign = np.where(self.opening.slope().values > 0, 1.0, -1.0)
        self.pelvis_signed = self.curve(self.rates["pelvis"].values * sign)
        middle = 0.5 * (self.points["lead_hand"] + self.points["rear_hand"])
        self.hands = self.speed(middle)
        tip, knob = self.points["bat_tip"], self.points["knob"]
        self.sweet = tip - SWEET_SPOT_M * unit(tip - knob)
        self.sweet_velocity = self._velocity(self.sweet)
        self.sweet_speed = self.curve(np.linalg.norm(self.sweet_velocity, axis=1))
        self.twist = self.curve(np.degrees(x_factor(self.points)))
        self.energy, self.center = _energy_columns(movement)

    def curve(self, values: Array) -> Curve:
        """Return values on the dense clock."""
        return Curve(self.time, values)

    def _velocity(self, points: Array) -> Array:
        """Velocity, m/s. No difference reaches across the impact at time zero."""
        velocity: Array = np.gradient(points, 1 / RATE_HZ, axis=0)
        first = int(np.searchsorted(self.time, -0.5 / RATE_HZ))
        velocity[first] = velocity[first - 1]
        return velocity

    def speed(self, points: Array) -> Curve:
        """Return the speed of a point, m/s."""
        return self.curve(np.linalg.norm(self._velocity(points), axis=1))

    def _turn(self, end: str, start: str) -> Array:
        """Rotation speed of a line, deg/s."""
        line = unit(self.points[end] - self.points[start])
        rate: Array = np.degrees(np.linalg.norm(self._velocity(line), axis=1))
        return rate

    def bend(self, first: str, joint: str, last: str) -> Curve:
        """Return the bend of a joint in degrees, 0 = straight."""
        a = unit(self.points[joint] - self.points[first])
        b = unit(self.points[last] - self.points[joint])
        return self.curve(np.degrees(np.arccos(np.clip(dot(a, b), -1.0, 1.0))))

    def place(self, point: Array, when: float) -> Array:
        """Return where a point is at an instant, shape (3,)."""
        return np.array([np.interp(when, self.time, point[:, i]) for i in range(3)])


def _energy_columns(
    movement: BallStrike,
) -> tuple[dict[str, Curve], tuple[Curve, Curve, Curve]]:
    """Return curves of momentum, energy and body speed, and the center of mass.

    The three coordinates of the latter in meters.
    """
    length = -START_S + END_S
    fine = dataclasses.replace(
        movement,
        rate_hz=ENERGY_RATE_HZ,
        frames=round(length * ENERGY_RATE_HZ),
        contact_s=-START_S,
    )
    columns = momentum_energy(fine, Options(bat_columns=movement.has_bat))
    time = fine.time_s + START_S

    def column(name: str) -> Array:
        return np.asarray(columns[name], dtype=np.float64)

    found: dict[str, Curve] = {}
    for name, segments in MOMENTUM.items():
        if name == "bat" and not movement.has_bat:
            continue
        vector = sum(
            np.stack([column(f"{s}_angular_momentum_{axis}") for axis in "xyz"], axis=1)
            for s in segments
        )
        found[f"L_{name}"] = Curve(time, np.linalg.norm(vector, axis=1))
    for name, group in ENERGY.items():
        if name != "bat" or movement.has_bat:
            found[f"KE_{name}"] = Curve(time, column(f"{group}_kinetic_energy"))
    center = np.stack([column(f"center_of_mass_{axis}") for axis in "xyz"], axis=1)
    velocity = np.gradient(center, time, axis=0)
    found["com_speed"] = Curve(time, np.linalg.norm(velocity, axis=1))
    x, y, z = (Curve(time, center[:, i]) for i in range(3))
    return found, (x, y, z)


def _find_events(dense: _Dense) -> Events:
    """Return the events by their definitions, on exact curves."""
    time = dense.time
    peak, top = dense.rates["pelvis"].top(-0.4, 0.05)
    before = np.flatnonzero(
        (time < top) & (dense.pelvis_signed.values < 0.15 * peak) & (time > top - 0.8)
    )
    first_move = float(time[before[-1]])
    earlier = (time <= first_move) & (time >= first_move - 1.0)
    load = float(time[earlier][int(dense.opening.values[earlier].argmin())])
    fall = np.gradient(dense.points["lead_ankle"][:, 2], 1 / RATE_HZ)
    falling = np.where(time < -0.05, fall, 0.0)
    fastest = int(falling.argmin())
    quiet = np.flatnonzero(np.abs(fall[fastest:]) < 0.2)
    return Events(
        load=load,
        first_move=first_move,
        foot_down=float(time[fastest + int(quiet[0])]),
        hand_peak=dense.hands.top(-0.2, 0.05)[1],
        bat_peak=dense.sweet_speed.top(-0.1, 0.05)[1] if dense.has_bat else None,
    )


@lru_cache(maxsize=512)
def truth_of(number: int, kind: Kind) -> Truth:
    """Return what is true of swing `number` of a kind."""
    dense = _Dense(movement_of(number, kind))
    events = _find_events(dense)
    references = {"contact": 0.0, "hand_peak": events.hand_peak}
    if events.bat_peak is not None:
        references["bat_peak"] = events.bat_peak
    return Truth(
        events,
        {
            rule: _Values(dense, events, rule, when).all()
            for rule, when in references.items()
        },
        heading_deg=_heading(dense) if dense.has_bat else None,
    )


def _heading(dense: _Dense) -> float:
    """Return where the sweet spot goes just before contact, degrees from y."""
    before = int(np.searchsorted(dense.time, -1.5 / RATE_HZ))
    x, y, _ = dense.sweet_velocity[before]
    return float(np.degrees(np.arctan2(-x, y)))


class _Values:
    """The true value of each metric for one reference."""

    def __init__(
        self, dense: _Dense, events: Events, rule: str, reference: float
    ) -> None:
        self.dense = dense
        self.events = events
        self.rule = rule
        self.reference = reference
        # At the impact itself two speeds are true; the one before it is meant.
        self.at_reference = (
            reference - 1.5 / RATE_HZ if rule == "contact" else reference
        )
        self.end = reference + (0.03 if rule == "hand_peak" else 0.0)

    def all(self) -> dict[str, float]:
        """Return all values by metric."""
        values = {
            **self._turn_rates(),
            **self._rotation(),
            **self._posture(),
            **self._travel(),
            **self._hands(),
            **self._timing(),
            **self._energy(),
        }
        if self.dense.has_bat and self.rule != "hand_peak":
            values |= self._bat()
        return values

    def _before_ms(self, when: float) -> float:
        return (self.reference - when) * 1000.0

    def _turn_rates(self) -> dict[str, float]:
        dense, start = self.dense, self.events.first_move
        peaks: dict[str, float] = {}
        centers: dict[str, float] = {}
        for name, rate in dense.rates.items():
            end = self.end
            if name == "bat" and self.rule == "bat_peak":
                end += 0.01
            last = dense.bat_last if name == "bat" else END_S
            peaks[name], _ = rate.top(start, end)
            centers[name] = rate.center(start, end, last)
        values = {f"t_peak_{name}": self._before_ms(at) for name, at in centers.items()}
        for name, value in peaks.items():
            key = "hand" if name == "hand_omega" else name
            values[f"peak_{key}_omega"] = value
        pairs = [("pelvis", "torso"), ("torso", "lead_arm")]
        if "bat" in peaks:
            pairs.append(("lead_arm", "bat"))
            values["gain_bat_torso"] = peaks["bat"] / peaks["torso"]
            values["gain_bat_hand"] = peaks["bat"] / peaks["hand_omega"]
        for first, second in pairs:
            short = f"{first}_{second}".replace("lead_", "")
            values[f"gap_{short}"] = (centers[second] - centers[first]) * 1000.0
        values["gain_torso_pelvis"] = peaks["torso"] / peaks["pelvis"]
        values["gain_arm_torso"] = peaks["lead_arm"] / peaks["torso"]
        values["gain_hand_arm"] = peaks["hand_omega"] / peaks["lead_arm"]
        now = dense.pelvis_signed.at(self.reference)
        values["decel_pelvis"] = (1.0 - now / peaks["pelvis"]) * 100.0
        return values

    def _forward(self) -> Array:
        points, down = self.dense.points, self.events.foot_down
        line = self.dense.place(points["lead_ankle"] - points["rear_ankle"], down)
        level = np.array([line[0], line[1], 0.0])
        answer: Array = level / np.linalg.norm(level)
        return answer

    def _rotation(self) -> dict[str, float]:
        dense, down = self.dense, self.events.foot_down
        forward = self._forward()
        zero = np.arctan2(-forward[0], forward[1])
        values: dict[str, float] = {}
        for part, (lead, rear) in (
            ("pelvis", LINES["pelvis"]),
            ("torso", LINES["torso"]),
        ):
            line = dense.points[lead] - dense.points[rear]
            heading = np.unwrap(np.arctan2(-line[:, 0], line[:, 1])) - zero
            angle = dense.curve(np.degrees(heading))
            values[f"{part}_rot_fd"] = angle.at(down)
            values[f"{part}_rot_ref"] = angle.at(self.reference)
            values[f"{part}_turn_fd_ref"] = angle.at(self.reference) - angle.at(down)
        twist = dense.twist
        values["x_factor_fd"] = twist.at(down)
        values["x_factor_ref"] = twist.at(self.reference)
        most, when = twist.top(self.events.load, self.reference)
        values["x_factor_max"] = most
        values["t_x_factor_max"] = self._before_ms(when)
        after, _ = twist.top(self.events.first_move, self.reference)
        values["x_factor_stretch"] = after - twist.at(self.events.first_move)
        return values

    def _posture(self) -> dict[str, float]:
        dense, points = self.dense, self.dense.points
        down = self.events.foot_down
        knee = dense.bend("lead_hip", "lead_knee", "lead_ankle")
        elbow = dense.bend("rear_shoulder", "rear_elbow", "rear_wrist")
        trunk = unit(points["mid_shoulder"] - points["mid_hip"])
        across = points["lead_shoulder"] - points["rear_shoulder"]
        across = unit(across * np.array([1.0, 1.0, 0.0]))
        ahead = np.stack([across[:, 1], -across[:, 0], 0 * across[:, 0]], axis=1)
        up = trunk[:, 2]
        side = dense.curve(np.degrees(np.arcsin(-dot(trunk, across))))
        forward = dense.curve(np.degrees(np.arctan2(dot(trunk, ahead), up)))
        straightening = Curve(knee.time, -knee.slope().values)
        return {
            "lead_knee_flex_fd": knee.at(down),
            "lead_knee_flex_ref": knee.at(self.reference),
            "lead_knee_ext": knee.at(down) - knee.at(self.reference),
            "lead_knee_ext_rate": straightening.top(down, self.reference)[0],
            "rear_elbow_flex_fd": elbow.at(down),
            "side_bend_ref": side.at(self.reference),
            "side_bend_max": side.top(self.events.load, self.reference)[0],
            "fwd_bend_fd": forward.at(down),
            "fwd_bend_ref": forward.at(self.reference),
        }

    def _travel(self) -> dict[str, float]:
        dense, points, events = self.dense, self.dense.points, self.events
        down, forward = events.foot_down, self._forward()
        feet = dense.place(points["lead_ankle"] - points["rear_ankle"], down)
        spread = float(np.hypot(feet[0], feet[1]))
        ankle = points["lead_ankle"]
        step = dense.place(ankle, down) - ankle[0]
        leg = dense.build.thigh_m + dense.build.shank_m
        head, hips = points["skull_base"], points["mid_hip"]
        swung = dense.place(head, self.reference) - dense.place(head, events.first_move)
        at_down = dense.place(hips, down)
        away = np.linalg.norm(head - dense.place(head, events.load), axis=1)
        furthest, _ = dense.curve(away).top(events.load, self.reference)
        return {
            "head_excursion": furthest,
            "stride_spread_pct": spread / dense.build.height_m * 100.0,
            "stride_spread_leg": spread / leg * 100.0,
            "stride_travel_pct": float(np.hypot(step[0], step[1]))
            / dense.build.height_m
            * 100.0,
            "head_fwd": float(swung @ forward),
            "head_drop": -float(swung[2]),
            "pelvis_fwd": float((at_down - hips[0]) @ forward),
            "pelvis_fwd_fd_ref": float(
                (dense.place(hips, self.reference) - at_down) @ forward
            ),
        }

    def _hands(self) -> dict[str, float]:
        dense, start, end = self.dense, self.events.first_move, self.reference + 0.03
        return {
            "peak_hand_speed": dense.hands.top(start, end)[0],
            "peak_hand_speed_lead": dense.speed(dense.points["lead_hand"]).top(
                start, end
            )[0],
            "peak_hand_speed_rear": dense.speed(dense.points["rear_hand"]).top(
                start, end
            )[0],
            "t_peak_hand": self._before_ms(self.events.hand_peak),
        }

    def _bat(self) -> dict[str, float]:
        dense, reference = self.dense, self.reference
        time, velocity = dense.time, dense.sweet_velocity
        level = np.hypot(velocity[:, 0], velocity[:, 1])
        climb = np.degrees(np.arctan2(velocity[:, 2], level))
        last = (time > reference - 0.010) & (time <= self.at_reference)
        forward = self._forward()
        zero = np.degrees(np.arctan2(-forward[0], forward[1]))
        heading = np.degrees(np.unwrap(np.arctan2(-velocity[:, 0], velocity[:, 1])))
        pull = dense.curve(heading).at(self.at_reference) - zero
        path = dense.sweet[(time > reference - 0.040) & (time <= reference)]
        _, axes = np.linalg.eigh(np.cov(path.T))
        tip = dense.points["bat_tip"]
        swung = tip[(time >= self.events.first_move) & (time <= reference)]
        end = self.at_reference + (0.01 if self.rule == "bat_peak" else 0.0)
        return self._bat_and_body() | {
            "bat_speed_max": dense.sweet_speed.top(self.events.first_move, end)[0],
            "bat_speed_ref": dense.sweet_speed.at(self.at_reference),
            "attack_angle": float(climb[last].mean()),
            "attack_direction": (pull + 180.0) % 360.0 - 180.0,
            "swing_tilt": float(np.degrees(np.arccos(abs(axes[2, 0])))),
            "bat_path_length": float(
                np.linalg.norm(np.diff(swung, axis=0), axis=1).sum()
            ),
        }

    def _bat_and_body(self) -> dict[str, float]:
        dense, when = self.dense, self.reference
        forward, points = self._forward(), self.dense.points
        spot = dense.place(dense.sweet, when)
        hip = dense.place(points["lead_hip"], when)
        center = np.array([one.at(when) for one in dense.center])
        bat = unit(points["bat_tip"] - points["knob"])
        down = unit(points["mid_hip"] - points["mid_shoulder"])
        between = dense.curve(np.degrees(np.arccos(dot(bat, down))))
        pitch = dense.curve(np.degrees(np.arctan2(bat[:, 2], np.hypot(*bat.T[:2]))))
        return {
            "contact_depth_hip": float((spot - hip) @ forward),
            "contact_depth_com": float((spot - center) @ forward),
            "vertical_bat_angle": pitch.at(when),
            "bat_torso_fm": between.at(self.events.first_move),
            "bat_torso_ref": between.at(when),
        }

    def _timing(self) -> dict[str, float]:
        events, reference = self.events, self.reference
        return {
            "time_to_ref": self._before_ms(events.first_move),
            "tempo": (events.foot_down - events.load) / (reference - events.foot_down),
            "tempo_load_fd": (events.foot_down - events.load) * 1000.0,
            "tempo_fd_ref": self._before_ms(events.foot_down),
        }

    def _energy(self) -> dict[str, float]:
        curves, start = self.dense.energy, self.events.first_move
        values: dict[str, float] = {}
        for name, curve in curves.items():
            if name == "com_speed":
                values["com_speed_max"] = curve.top(START_S, self.reference + 0.15)[0]
                continue
            peak, _ = curve.top(start, self.end)
            values[f"peak_{name}"] = peak
            last = self.dense.bat_last if name.endswith("bat") else END_S
            values[f"t_peak_{name}"] = self._before_ms(
                curve.center(start, self.end, last)
            )
            if name.startswith("KE_"):
                group = name.removeprefix("KE_")
                rise = curve.slope().top(start, self.at_reference - 0.002)
                values[f"KE_rate_max_{group}"] = rise[0]
                values[f"KE_per_kg_{group}"] = peak / self.dense.build.mass_kg
        for kind in ("L", "KE"):
            for top, bottom in (
                ("torso", "pelvis" if kind == "L" else "lower"),
                ("arms", "torso"),
                ("bat", "arms"),
            ):
                if f"{kind}_{top}" in curves:
                    values[f"{kind}_ratio_{top}_{bottom}"] = (
                        values[f"peak_{kind}_{top}"] / values[f"peak_{kind}_{bottom}"]
                    )
        lower = curves["KE_lower"]
        values["KE_lower_drop"] = (
            1.0 - lower.at(self.reference) / values["peak_KE_lower"]
        ) * 100.0
        if "KE_bat" in curves:
            at = self.at_reference
            values["KE_share_bat_ref"] = (
                curves["KE_bat"].at(at) / curves["KE_total"].at(at) * 100.0
            )
        return values
