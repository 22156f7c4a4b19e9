"""Invented swings with known answers.

A body built from turn rates that are sums of bell-shaped pulses: peaks, times and
angles are known before any point is placed. Axes as delivered: z up, y to the
pitcher, a right-handed hitter faces +x.
"""

from dataclasses import dataclass, field

import numpy as np
import scipy

ROOT_2PI = np.sqrt(2.0 * np.pi)
HIPS_M, SHOULDERS_M = 0.18, 0.38
UPPER_ARM_M, FOREARM_M = 0.30, 0.27
THIGH_M = SHANK_M = 0.43
BAT_M = 0.84
SIDED = ("hjc", "sjc", "ejc", "wjc", "kjc", "ajc")


@dataclass(frozen=True)
class Pulse:
    """A bell-shaped turn rate: deg/s at its top, seconds from contact, seconds wide."""

    peak: float
    at_s: float
    sigma_s: float

    def rate(self, t):
        return self.peak * np.exp(-0.5 * ((t - self.at_s) / self.sigma_s) ** 2)

    def angle(self, t):
        half = self.peak * self.sigma_s * ROOT_2PI / 2
        return half * (
            1.0 + scipy.special.erf((t - self.at_s) / (self.sigma_s * np.sqrt(2.0)))
        )


# Peaks near published medians; widths so that the total turns are those of a swing.
PULSES = {
    "pelvis": (Pulse(720, -0.080, 0.064), Pulse(-70, -0.45, 0.080)),
    "torso": (Pulse(920, -0.060, 0.056), Pulse(-90, -0.42, 0.080)),
    "arm": (Pulse(1200, -0.040, 0.045),),
    "forearm": (Pulse(1400, -0.025, 0.042),),
    "bat": (Pulse(2500, -0.005, 0.036),),
}
START_DEG = {
    "pelvis": 0.0,
    "torso": 0.0,
    "arm": -115.0,
    "forearm": -150.0,
    "bat": -170.0,
}
FOOT_DOWN_S = -0.19
FOOT_LIFT_M = 0.14
FOOT_FALL_S = 0.24


@dataclass
class Swing:
    """Columns of one invented movement, and what is true of it."""

    columns: dict
    energetics: dict
    truth: dict = field(default_factory=dict)
    contact_s: float = 0.0


def rate_of(name, t, pulses=PULSES):
    return sum(pulse.rate(t) for pulse in pulses[name])


def angle_of(name, t, pulses=PULSES):
    return START_DEG[name] + sum(pulse.angle(t) for pulse in pulses[name])


def _around(axis, start, degrees):
    """Unit vectors: `start`, square to `axis`, turned about it."""
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    start = np.asarray(start, float)
    start = start - axis * (start @ axis)
    start = start / np.linalg.norm(start)
    other = np.cross(axis, start)
    a = np.radians(degrees)
    return np.cos(a)[:, None] * start + np.sin(a)[:, None] * other


def _joint(a, c, first, second, toward):
    """Middle joint of two bones, bent `toward`; straight when out of reach."""
    line = c - a
    size = np.linalg.norm(line, axis=1, keepdims=True)
    along = line / size
    part = np.clip((first**2 - second**2 + size**2) / (2 * size), 0, None)
    high = np.sqrt(np.clip(first**2 - part**2, 0, None))
    side = toward - along * (toward * along).sum(axis=1, keepdims=True)
    side = side / np.linalg.norm(side, axis=1, keepdims=True)
    return a + along * part + side * high


def body(t, pulses=PULSES, tilt_deg=25.0):
    """Points of a right-handed hitter at times `t` from contact."""
    up = np.array([0.0, 0.0, 1.0])
    pelvis = _around(up, [0, 1, 0], angle_of("pelvis", t, pulses))
    torso = _around(up, [0, 1, 0], angle_of("torso", t, pulses))
    tilt = np.radians(tilt_deg)
    plane = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    arm = _around(plane, [0, 1, 0], angle_of("arm", t, pulses))
    forearm = _around(plane, [0, 1, 0], angle_of("forearm", t, pulses))
    bat = _around(plane, [0, 1, 0], angle_of("bat", t, pulses))
    hips = np.array([0.0, 0.0, 0.90]) + np.zeros((t.size, 3))
    chest = np.array([0.03, 0.0, 1.40]) + np.zeros((t.size, 3))
    p = {
        "lhjc": hips + pelvis * HIPS_M / 2,
        "rhjc": hips - pelvis * HIPS_M / 2,
        "lsjc": chest + torso * SHOULDERS_M / 2,
        "rsjc": chest - torso * SHOULDERS_M / 2,
        "skullbase": chest + np.array([0.03, 0.0, 0.22]),
    }
    facing = np.cross(pelvis, up)
    p["lejc"] = p["lsjc"] + arm * UPPER_ARM_M
    p["lwjc"] = p["lejc"] + forearm * FOREARM_M
    p["rwjc"] = p["lwjc"] + np.array([0.05, 0.0, 0.06])
    p["rejc"] = _joint(
        p["rsjc"], p["rwjc"], UPPER_ARM_M, FOREARM_M, np.zeros((t.size, 3)) - up
    )
    phase = np.clip((t - FOOT_DOWN_S) / FOOT_FALL_S, -1, 0)
    rise = np.clip((t - FOOT_DOWN_S + FOOT_FALL_S) / 0.35, -1, 0)
    height = FOOT_LIFT_M * np.where(
        t < FOOT_DOWN_S - FOOT_FALL_S,
        0.5 + 0.5 * np.cos(np.pi * rise),
        0.5 - 0.5 * np.cos(np.pi * phase),
    )
    step = 0.5 - 0.5 * np.cos(np.pi * np.clip((t - FOOT_DOWN_S + 0.3) / 0.3, 0, 1))
    p["lajc"] = np.stack([0 * t + 0.02, 0.16 + 0.22 * step, 0.09 + height], axis=1)
    p["rajc"] = np.array([0.02, -0.26, 0.09]) + np.zeros((t.size, 3))
    for side in "lr":
        p[side + "kjc"] = _joint(
            p[side + "hjc"], p[side + "ajc"], THIGH_M, SHANK_M, facing
        )
    p["bhandle"] = 0.5 * (p["lwjc"] + p["rwjc"])
    p["bhead"] = p["bhandle"] + bat * BAT_M
    return p


def bend(a, b, c):
    first, second = b - a, c - b
    cosine = (first * second).sum(axis=1) / (
        np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    )
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def left_handed(points):
    """The true left-handed twin: mirrored in x, left and right exchanged."""
    answer = {}
    for name, value in points.items():
        other = name
        if name[1:] in SIDED and name[0] in "lr":
            other = ("r" if name[0] == "l" else "l") + name[1:]
        answer[other] = value * np.array([-1.0, 1.0, 1.0])
    return answer


def to_columns(points, t):
    columns = {"time": np.array(t, float)}
    for name, value in points.items():
        for place, axis in enumerate("xyz"):
            columns[f"{name}_{axis}"] = value[:, place].copy()
    return columns


def points_of(columns):
    names = {name[:-2] for name in columns if name.endswith("_x")}
    return {
        name: np.stack([columns[f"{name}_{axis}"] for axis in "xyz"], axis=1)
        for name in sorted(names)
    }


def moved(columns, matrix=None, factor=1.0, offset=0.0, names=None):
    """The same columns with all points, or those of `names`, moved and scaled."""
    answer = dict(columns)
    for name, value in points_of(columns).items():
        if names is not None and name not in names:
            continue
        value = value * factor
        if matrix is not None:
            value = value @ np.asarray(matrix).T
        value = value + offset
        for place, axis in enumerate("xyz"):
            answer[f"{name}_{axis}"] = value[:, place]
    return answer


def dense_truth(pulses=PULSES):
    """Peaks and times from the rates themselves, events from the exact points."""
    t = np.arange(-0.8, 0.3, 1e-4)
    truth = {}
    for name in pulses:
        rate = rate_of(name, t, pulses)
        truth[f"peak_{name}"] = rate.max()
        truth[f"t_{name}"] = t[rate.argmax()]
    p = body(t, pulses)
    hands = 0.5 * (p["lwjc"] + p["rwjc"])
    speed = np.linalg.norm(np.gradient(hands, t, axis=0), axis=1)
    truth["hand_speed"], truth["t_hand"] = speed.max(), t[speed.argmax()]
    sweet = p["bhead"] - 0.1524 * (p["bhead"] - p["bhandle"]) / BAT_M
    velocity = np.gradient(sweet, t, axis=0)
    speed = np.linalg.norm(velocity, axis=1)
    truth["bat_speed"], truth["t_bat_speed"] = speed.max(), t[speed.argmax()]
    at = speed.argmax()
    truth["attack_angle"] = np.degrees(
        np.arctan2(velocity[at, 2], np.hypot(*velocity[at, :2]))
    )
    pelvis = rate_of("pelvis", t, pulses)
    top = pelvis.argmax()
    truth["t_first_move"] = t[np.flatnonzero(pelvis[:top] < 0.15 * pelvis[top])[-1]]
    before = t < truth["t_first_move"]
    truth["t_load"] = t[before][angle_of("pelvis", t[before], pulses).argmin()]
    height = np.gradient(p["lajc"][:, 2], t)
    fall = height.argmin()
    truth["t_foot_down"] = t[fall + np.flatnonzero(np.abs(height[fall:]) < 0.2)[0]]
    truth["x_factor"] = angle_of("pelvis", t, pulses) - angle_of("torso", t, pulses)
    truth["t"] = t
    return truth


def make_swing(
    *,
    rate_hz=240.0,
    hand="right",
    noise_m=0.0,
    unit="rad",
    torso="relative",
    bat=True,
    seed=0,
    contact_s=1.5,
    length_s=2.2,
    pulses=PULSES,
    second_swing=False,
    vendor_clock=False,
    tilt_deg=25.0,
):
    """Columns of one swing; see the module for the body behind them."""
    clock = np.arange(round(length_s * rate_hz) + 1) / rate_hz
    t = clock - contact_s
    if second_swing:
        # The same swing again 1.8 s later: the body goes back to its stance between.
        part = np.clip((t - 0.3) / 0.7, 0, 1)[:, None]
        part = part * part * (3 - 2 * part)
        points = {
            name: first * (1 - part) + second * part
            for (name, first), second in zip(
                body(t, pulses, tilt_deg).items(),
                body(t - 1.8, pulses, tilt_deg).values(),
                strict=True,
            )
        }
    else:
        points = body(t, pulses, tilt_deg)
    angles = {
        "pelvis_rot": angle_of("pelvis", t, pulses),
        "torso_rot": angle_of("torso", t, pulses)
        - (angle_of("pelvis", t, pulses) if torso == "relative" else 0.0),
    }
    if hand == "left":
        points = left_handed(points)
        angles = {
            "pelvis_rot": 180.0 - angles["pelvis_rot"],
            "torso_rot": -angles["torso_rot"]
            if torso == "relative"
            else 180.0 - angles["torso_rot"],
        }
    for side, word in (("l", "left"), ("r", "right")):
        angles[f"{word}_knee"] = bend(
            *(points[side + n] for n in ("hjc", "kjc", "ajc"))
        )
        angles[f"{word}_elbow"] = bend(
            *(points[side + n] for n in ("sjc", "ejc", "wjc"))
        )
    if noise_m:
        rng = np.random.default_rng(seed)
        points = {
            name: value + rng.normal(0.0, noise_m, value.shape)
            for name, value in points.items()
        }
    if not bat:
        points = {n: v for n, v in points.items() if n not in ("bhandle", "bhead")}
    columns = to_columns(points, clock)
    factor = 1.0 if unit == "deg" else np.pi / 180.0
    columns |= {name: value * factor for name, value in angles.items()}
    truth = dense_truth(pulses)
    if vendor_clock:
        columns["time_from_max_hand"] = t - truth["t_hand"]
        foot = truth["t_foot_down"]
        columns["norm_time"] = 100.0 * (t - foot) / (truth["t_hand"] - foot)
    return Swing(
        columns=columns,
        energetics=make_energetics(clock, t),
        truth=truth,
        contact_s=contact_s,
    )


ENERGY_PEAKS = {
    "lowerhalf": (180.0, -0.06),
    "torso": (150.0, -0.035),
    "arms": (120.0, -0.02),
    "bat": (290.0, -0.002),
}
MOMENTUM_PEAKS = {
    "lowertorso": (1.5, -0.07),
    "torso": (6.8, -0.05),
    "larm": (3.0, -0.03),
    "rarm": (2.0, -0.03),
    "bat": (12.0, -0.003),
}


def make_energetics(clock, t, spike=True):
    """Bell-shaped energies and momenta, and one impossible spike after the swing."""
    columns = {"time": np.array(clock, float)}
    total = 60.0 + 0 * t
    for name, (peak, at) in ENERGY_PEAKS.items():
        value = peak * np.exp(-0.5 * ((t - at) / 0.05) ** 2)
        columns[f"{name}_kinetic_energy"] = value
        total = total + value
    columns["total_kinetic_energy"] = total
    if spike:
        columns["bat_kinetic_energy"] = columns["bat_kinetic_energy"] + np.where(
            np.abs(t - 0.4) < 0.003, 22000.0, 0.0
        )
    for name, (peak, at) in MOMENTUM_PEAKS.items():
        value = peak * np.exp(-0.5 * ((t - at) / 0.05) ** 2)
        for axis, share in zip("xyz", (0.36, 0.48, 0.8), strict=True):
            columns[f"{name}_angular_momentum_{axis}"] = share * value
        columns[f"{name}_angular_momentum_mag"] = value
    for axis, value in zip(
        "xyz", (0 * t, 0.15 * np.tanh(t / 0.3), 1 + 0 * t), strict=True
    ):
        columns[f"center_of_mass_{axis}"] = value
    columns["mass_total"] = 80.0 + 0 * t
    return columns


def walk_through(rate_hz=240.0, length_s=2.4):
    """A hitter who walks into the box: nothing is swung."""
    t = np.arange(round(length_s * rate_hz) + 1) / rate_hz
    quiet = {
        name: tuple(Pulse(p.peak * 0.06, p.at_s, 0.2) for p in value)
        for name, value in PULSES.items()
    }
    points = body(t - 1.5, quiet)
    walk = np.stack([0 * t, 0.4 * t, 0.02 * np.sin(6 * t)], axis=1)
    return to_columns({name: value + walk for name, value in points.items()}, t)
