"""The momentum-energy file: segments and groups of them, as 344 columns."""

from __future__ import annotations

import numpy as np

from simulator import dynamics
from simulator.body import Array, unit
from simulator.columns import (
    Columns,
    Options,
    clock_columns,
    mirrored_in_room,
    side_letters,
)
from simulator.dynamics import Segment
from simulator.swings import Movement
from simulator.words import words

SIDE_SEGMENTS = {
    "ar": "upper_arm",
    "fa": "forearm",
    "ha": "hand",
    "th": "thigh",
    "sk": "shank",
    "ft": "foot",
}
BODY_SEGMENTS = (
    "lowertorso",
    "torso",
    "rhe",
    "bat",
    *(f"{side}{name}" for side in "lr" for name in SIDE_SEGMENTS),
)
GROUPS = words("larm rarm arms lleg rleg legs lowerhalf upperhalf total")

# A tracking fault: so much energy (J) in two frames long after the swing.
SPIKE_J = 22_000.0
SPIKE_AFTER_CONTACT_S = 0.4


def _members(*, bat: bool) -> dict[str, tuple[str, ...]]:
    """The rigid bodies behind each name; a body stands for itself."""
    members: dict[str, tuple[str, ...]] = {
        name: (name,) for name in BODY_SEGMENTS if bat or name != "bat"
    }
    for side in "lr":
        members[f"{side}arm"] = (f"{side}ar", f"{side}fa", f"{side}ha")
        members[f"{side}leg"] = (f"{side}th", f"{side}sk", f"{side}ft")
    members["arms"] = members["larm"] + members["rarm"]
    members["legs"] = members["lleg"] + members["rleg"]
    members["lowerhalf"] = ("lowertorso", *members["legs"])
    members["upperhalf"] = ("torso", "rhe", *members["arms"])
    members["total"] = members["lowerhalf"] + members["upperhalf"]
    if bat:
        members["total"] += ("bat",)
    return members


def _bodies(movement: Movement, sides: dict[str, str]) -> dict[str, Segment]:
    """The rigid bodies under the vendor's names."""
    found = dynamics.segments(
        movement.skeletons(), movement.build, bat=movement.has_bat
    )
    bodies = {
        "lowertorso": found["pelvis"],
        "torso": found["trunk"],
        "rhe": found["head"],
    }
    if movement.has_bat:
        bodies["bat"] = found["bat"]
    for side, letter in sides.items():
        for short, name in SIDE_SEGMENTS.items():
            bodies[f"{letter}{short}"] = found[f"{side}_{name}"]
    return bodies


class _Quantities:
    """Momentum and energy of every name, turned into the file's frame."""

    def __init__(self, movement: Movement, options: Options) -> None:
        bodies = _bodies(movement, side_letters(movement, options.lefty))
        members = _members(bat=movement.has_bat)
        flip = -1.0 if mirrored_in_room(movement, options.lefty) else 1.0
        polar = np.array([flip, 1.0, 1.0])  # mirror of a velocity
        axial = np.array([1.0, flip, flip])  # mirror of a turning
        # Angular momentum is about the athlete's own center of mass, bat excluded.
        body = dynamics.together([b for name, b in bodies.items() if name != "bat"])
        self.mass_kg = body.mass_kg
        self.center: Array = body.center * polar
        self.local: dict[str, Array] = {}
        self.remote: dict[str, Array] = {}
        self.linear: dict[str, Array] = {}
        self.trans: dict[str, Array] = {}
        self.rot: dict[str, Array] = {}
        for name, parts in members.items():
            group = dynamics.together([bodies[part] for part in parts])
            orbits = [
                dynamics.orbit(bodies[part], body.center, body.velocity)
                for part in parts
            ]
            spins = [bodies[part].spin for part in parts]
            self.local[name] = np.sum(spins, axis=0) * axial
            self.remote[name] = np.sum(orbits, axis=0) * axial
            self.linear[name] = group.mass_kg * group.velocity * polar
            self.trans[name] = group.trans_energy
            self.rot[name] = group.rot_energy
        if movement.energy_spike and movement.has_bat:
            at = round((movement.contact_s + SPIKE_AFTER_CONTACT_S) * movement.rate_hz)
            self.trans["bat"] = self.trans["bat"].copy()
            self.trans["bat"][at : at + 2] = SPIKE_J
        whole = self.local["total"] + self.remote["total"]
        top = int(np.argmax(np.linalg.norm(whole, axis=1)))
        self.direction: Array = unit(whole[top : top + 1])[0]


def momentum_energy(movement: Movement, options: Options) -> Columns:
    """The columns of one movement's momentum-energy file."""
    found = _Quantities(movement, options)
    frames = movement.frames
    nothing = np.full(frames, np.nan)
    no_vector = np.full((frames, 3), np.nan)
    columns: Columns = {"index": np.arange(frames, dtype=float)}

    def put_vector(name: str, vector: Array) -> None:
        for axis, letter in enumerate("xyz"):
            columns[f"{name}_{letter}"] = vector[:, axis]

    for name in (*BODY_SEGMENTS, *GROUPS):
        vector = no_vector
        if name in found.local:
            vector = found.local[name] + found.remote[name]
        put_vector(f"{name}_angular_momentum", vector)
        columns[f"{name}_angular_momentum_mag"] = np.linalg.norm(vector, axis=1)
        columns[f"{name}_angular_momentum_proj"] = vector @ found.direction
    for name in BODY_SEGMENTS:
        put_vector(f"{name}_local_angular_momentum", found.local.get(name, no_vector))
        put_vector(f"{name}_remote_angular_momentum", found.remote.get(name, no_vector))
    for name in ("bat", "lowertorso", "torso", *GROUPS):
        put_vector(f"{name}_linear_momentum", found.linear.get(name, no_vector))
    for name in (*BODY_SEGMENTS, *GROUPS):
        trans = found.trans.get(name, nothing)
        rot = found.rot.get(name, nothing)
        columns[f"{name}_kinetic_energy"] = trans + rot
        columns[f"{name}_trans_energy"] = trans
        columns[f"{name}_rot_energy"] = rot
    put_vector("center_of_mass", found.center)
    columns["mass_total"] = np.full(frames, found.mass_kg)
    columns["time"] = movement.time_s
    clocks = clock_columns(movement)
    columns.update(clocks)
    columns["org_movement_id"] = [movement.org_movement_id] * frames
    columns["movement_id"] = [movement.movement_id] * frames
    event: list[str | None] = [None] * frames
    event[int(np.argmin(np.abs(clocks["time_from_max_hand"])))] = "max_hand"
    columns["event"] = event
    if options.bat_columns:
        return columns
    return {n: v for n, v in columns.items() if not n.startswith("bat_")}
