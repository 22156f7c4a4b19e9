"""Momentum and energy of every segment, from masses and the velocities of the model.

Limb segments are rods: spin about their own length is left out. Pelvis, trunk and
head turn about all three axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.body import (
    BAT_CENTER,
    BAT_GYRATION,
    SEGMENT_CENTER,
    SEGMENT_GYRATION,
    SEGMENT_MASS,
    STEP_S,
    TRUNK_GYRATION_M,
    Array,
    Build,
    Skeleton,
    dot,
    unit,
)

# Rods: segment, proximal point, distal point.
RODS = {
    "upper_arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "hand": ("wrist", "hand"),
    "thigh": ("hip", "knee"),
    "shank": ("knee", "ankle"),
    "foot": ("heel", "big_toe"),
}


@dataclass(frozen=True)
class Segment:
    """One rigid body, or the sum of several."""

    mass_kg: float
    center: Array  # (n, 3) m
    velocity: Array  # (n, 3) m/s
    spin: Array  # (n, 3) angular momentum about its own center, kg m2/s
    trans_energy: Array  # J
    rot_energy: Array  # J

    @property
    def kinetic_energy(self) -> Array:
        """Return the kinetic energy of the segment in J: moving and turning."""
        return self.trans_energy + self.rot_energy


def _middle(before: Array, after: Array) -> Array:
    return (after - before) / (2 * STEP_S)


def _rod(
    ends: list[tuple[Array, Array]], mass_kg: float, center: float, gyration: float
) -> Segment:
    """A rod from its proximal and distal ends before, at and after each frame."""
    places = [near + center * (far - near) for near, far in ends]
    lines = [unit(far - near) for near, far in ends]
    length = float(np.median(np.linalg.norm(ends[1][1] - ends[1][0], axis=1)))
    inertia = mass_kg * (gyration * length) ** 2
    velocity = _middle(places[0], places[2])
    turning = _middle(lines[0], lines[2])
    return Segment(
        mass_kg,
        places[1],
        velocity,
        inertia * np.cross(lines[1], turning),
        0.5 * mass_kg * dot(velocity, velocity),
        0.5 * inertia * dot(turning, turning),
    )


def _solid(
    frames: list[Array], places: list[Array], mass_kg: float, gyration: Array
) -> Segment:
    turning = _middle(frames[0], frames[2]) @ np.swapaxes(frames[1], 1, 2)
    omega = np.stack([turning[:, 2, 1], turning[:, 0, 2], turning[:, 1, 0]], axis=1)
    own = np.einsum("nji,nj->ni", frames[1], omega)
    spin_own = mass_kg * gyration**2 * own
    velocity = _middle(places[0], places[2])
    return Segment(
        mass_kg,
        places[1],
        velocity,
        np.einsum("nij,nj->ni", frames[1], spin_own),
        0.5 * mass_kg * dot(velocity, velocity),
        0.5 * dot(own, spin_own),
    )


def segments(
    skeletons: tuple[Skeleton, Skeleton, Skeleton], build: Build, *, bat: bool
) -> dict[str, Segment]:
    """Return every rigid body by name (``lead_thigh``, ``pelvis``, ``bat`` …)."""
    scale = build.height_m / 1.8
    mass = build.mass_kg
    bodies: dict[str, Segment] = {}
    for name in ("pelvis", "trunk", "head"):
        frames = [
            s.pelvis_frame if name == "pelvis" else s.trunk_frame for s in skeletons
        ]
        places = [_solid_center(name, s, scale) for s in skeletons]
        gyration = scale * np.array(TRUNK_GYRATION_M[name])
        bodies[name] = _solid(frames, places, SEGMENT_MASS[name] * mass, gyration)
    for side in ("lead", "rear"):
        for name, (near, far) in RODS.items():
            ends = [
                (s.points[f"{side}_{near}"], s.points[f"{side}_{far}"])
                for s in skeletons
            ]
            bodies[f"{side}_{name}"] = _rod(
                ends,
                SEGMENT_MASS[name] * mass,
                SEGMENT_CENTER[name],
                SEGMENT_GYRATION[name],
            )
    if bat:
        ends = [(s.points["knob"], s.points["bat_tip"]) for s in skeletons]
        bodies["bat"] = _rod(ends, build.bat_mass_kg, BAT_CENTER, BAT_GYRATION)
    return bodies


def _solid_center(name: str, skeleton: Skeleton, scale: float) -> Array:
    points = skeleton.points
    if name == "pelvis":
        up = skeleton.pelvis_frame[:, :, 2]
        return points["mid_hip"] + 0.04 * scale * up
    if name == "trunk":
        return points["mid_hip"] + 0.60 * (points["mid_shoulder"] - points["mid_hip"])
    up = skeleton.trunk_frame[:, :, 2]
    return points["skull_base"] + 0.05 * scale * up


def together(parts: list[Segment]) -> Segment:
    """Several bodies as one: sums, and the spin about their common center."""
    mass = sum(part.mass_kg for part in parts)
    center = np.sum([p.mass_kg * p.center for p in parts], axis=0) / mass
    velocity = np.sum([p.mass_kg * p.velocity for p in parts], axis=0) / mass
    spin = np.sum(
        [
            p.spin + p.mass_kg * np.cross(p.center - center, p.velocity - velocity)
            for p in parts
        ],
        axis=0,
    )
    # Energies are plain sums over the bodies, so that kinetic = trans + rot.
    return Segment(
        mass,
        center,
        velocity,
        spin,
        np.sum([p.trans_energy for p in parts], axis=0),
        np.sum([p.rot_energy for p in parts], axis=0),
    )


def orbit(segment: Segment, center: Array, velocity: Array) -> Array:
    """Angular momentum of a segment's center about the body's center of mass."""
    return segment.mass_kg * np.cross(
        segment.center - center, segment.velocity - velocity
    )
