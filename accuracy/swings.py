"""Invented swings whose every joint center is known at every instant.

The body, the bat and the masses are those of `simulator`; a ball that slows the bat
down is added here. Each swing is one of an invented hitter, chosen by a number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from biomechanics.swing import ENERGETIC_COLUMNS, KINEMATIC_COLUMNS
from biomechanics.vendor_clock import CLOCK_COLUMNS
from simulator import population
from simulator.body import Curves, Pose
from simulator.columns import Options, inverse_kinematics
from simulator.momentum import momentum_energy
from simulator.swings import Movement

Array = npt.NDArray[np.float64]
Columns = dict[str, Array]
Kind = Literal["hit", "dry", "no_bat"]
Hand = Literal["right", "left"]

KINDS: tuple[Kind, ...] = ("hit", "dry", "no_bat")
HANDS: tuple[Hand, ...] = ("right", "left")
RATES_HZ = (120.0, 240.0, 300.0, 360.0)
NOISE_MM = (0.0, 1.0, 2.0, 5.0)
ENERGY_NOISE = 0.002
"""Noise on momentum and energy for a millimeter on the points, of the highest value."""
IMPACT_S = 0.001
"""The ball leaves a bat about a millisecond after they meet."""
BEFORE_CONTACT_S = 1.25
AFTER_CONTACT_S = 0.45
_SEED = 20


@dataclass(frozen=True)
class BallStrike(Movement):
    """A swing in which the bat turns slower by a share from contact on."""

    slowing: float = 0.0

    def curves(self) -> Curves:
        """Return the pose by the time from contact, in seconds."""
        plain = super().curves()
        if not self.slowing:
            return plain

        def pose(t: Array) -> Pose:
            # The bat's own clock runs slower after the impact.
            part = np.clip(t / IMPACT_S, 0.0, None)
            ramp = np.where(part < 1.0, 0.5 * part**2, part - 0.5) * IMPACT_S
            late = plain(t - self.slowing * ramp)
            return dataclasses.replace(plain(t), bat_direction=late.bat_direction)

        return pose


@dataclass(frozen=True)
class MadeSwing:
    """Columns of one invented swing, as the analysis reads them.

    Attributes
    ----------
    kinematics, energetics : dict of str to ndarray, shape (n_frames,)
    contact_s : float
        When the ball was met, or would have been, on the clock of the file.
    """

    kinematics: Columns
    energetics: Columns
    hand: Hand
    kind: Kind
    rate_hz: float
    contact_s: float
    height_m: float
    mass_kg: float


def movement_of(number: int, kind: Kind) -> BallStrike:
    """Return the motion of swing `number`: its shape, and how much a ball slows it.

    The same number gives the same motion in every kind.
    """
    hitter = population.hitter(_SEED, number)
    rng = np.random.default_rng((_SEED, number))
    slowing = float(rng.uniform(0.12, 0.29))
    shape = dataclasses.replace(
        hitter.shape, bat_peak_s=float(rng.uniform(-0.004, 0.004))
    )
    return BallStrike(
        org_movement_id="invented",
        movement_id="invented",
        kind="swing",
        bats="R",
        build=hitter.build,
        shape=shape,
        rate_hz=240.0,
        frames=1,
        contact_s=BEFORE_CONTACT_S,
        noise_seed=(0,),
        has_bat=kind != "no_bat",
        slowing=slowing if kind == "hit" else 0.0,
    )


@lru_cache(maxsize=64)
def clean_swing(
    number: int, kind: Kind, hand: Hand, rate_hz: float, *, vendor_clock: bool = False
) -> MadeSwing:
    """Return a swing without noise at a frame rate.

    Contact lies anywhere between two frames, another place for each number and rate.

    Parameters
    ----------
    vendor_clock : bool
        The file has the vendor's own clock, which says when the foot came down.
    """
    base = movement_of(number, kind)
    phase = np.random.default_rng((_SEED, number, round(rate_hz))).uniform()
    contact_s = (np.ceil(BEFORE_CONTACT_S * rate_hz) + phase) / rate_hz
    movement = dataclasses.replace(
        base,
        bats="R" if hand == "right" else "L",
        rate_hz=rate_hz,
        frames=int(np.ceil((contact_s + AFTER_CONTACT_S) * rate_hz)),
        contact_s=float(contact_s),
    )
    options = Options(bat_columns=kind != "no_bat")
    return MadeSwing(
        kinematics=_wanted(
            inverse_kinematics(movement, options), KINEMATIC_COLUMNS, vendor_clock
        ),
        energetics=_wanted(
            momentum_energy(movement, options), ENERGETIC_COLUMNS, vendor_clock
        ),
        hand=hand,
        kind=kind,
        rate_hz=rate_hz,
        contact_s=float(contact_s),
        height_m=base.build.height_m,
        mass_kg=base.build.mass_kg,
    )


def _wanted(
    columns: Mapping[str, object], names: tuple[str, ...], vendor_clock: bool
) -> Columns:
    """Return what the analysis reads, with or without the vendor's clock."""
    return {
        name: np.asarray(columns[name], dtype=np.float64)
        for name in names
        if name in columns and (vendor_clock or name not in CLOCK_COLUMNS)
    }


def with_noise(swing: MadeSwing, noise_mm: float, seed: int) -> MadeSwing:
    """Return the swing with white noise on all that is delivered.

    On every coordinate of every point and of the center of mass so many millimeters,
    and on each column of momentum and energy `ENERGY_NOISE` of its highest value.
    """
    if not noise_mm:
        return swing
    rng = np.random.default_rng((seed, round(swing.rate_hz), round(noise_mm * 1000)))
    noisy = {
        name: values + rng.normal(0.0, noise_mm / 1000.0, values.shape)
        if name.endswith(("_x", "_y", "_z"))
        else values
        for name, values in swing.kinematics.items()
    }
    return dataclasses.replace(
        swing,
        kinematics=noisy,
        energetics={
            name: _shaken(rng, name, values, noise_mm)
            for name, values in swing.energetics.items()
        },
    )


def _shaken(
    rng: np.random.Generator, name: str, values: Array, noise_mm: float
) -> Array:
    """Return a column of the momentum and energy file with its noise."""
    if name.startswith("center_of_mass"):
        return values + rng.normal(0.0, noise_mm / 1000.0, values.shape)
    if not name.endswith(("_energy", "_x", "_y", "_z")):
        return values
    size = ENERGY_NOISE * noise_mm * float(np.nanmax(np.abs(values)))
    return values + rng.normal(0.0, size, values.shape)
