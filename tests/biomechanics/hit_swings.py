"""Invented swings that meet a ball: the bat loses speed between two frames."""

from dataclasses import dataclass

import numpy as np

from tests.biomechanics import synthetic
from tests.biomechanics.synthetic import BAT_M

CONTACT_S = 1.5


@dataclass
class HitSwing:
    """Columns of a swing that meets a ball, and what is true at the impact."""

    columns: dict
    impact_s: float
    attack_angle: float
    bat_speed: float

    def lose_bat(self, first, last):
        """Empty the bat's points in frames `first` to `last`, both included."""
        for name in ("bhandle", "bhead"):
            for axis in "xyz":
                self.columns[f"{name}_{axis}"][first : last + 1] = np.nan
        return self

    @property
    def last_clean(self):
        """The last frame before the impact."""
        return int(np.flatnonzero(self.columns["time"] <= self.impact_s)[-1])


def hit_swing(
    *, rate_hz=240.0, loss=0.35, impact_s=0.0035, phase=0.3, noise_m=0.0, seed=0
):
    """A swing whose bat turns slower by `loss` from `impact_s` after contact on.

    A ball touches the bat for a millisecond: the speed changes in its middle.
    """
    clock = np.arange(round(2.2 * rate_hz) + 1) / rate_hz
    columns = synthetic.make_swing(rate_hz=rate_hz, contact_s=CONTACT_S).columns
    t = clock - CONTACT_S + phase / rate_hz

    def points(t):
        kink_s = impact_s + 0.0005
        bent = np.where(t > kink_s, kink_s + (1.0 - loss) * (t - kink_s), t)
        body, slower = synthetic.body(t), synthetic.body(bent)
        line = (slower["bhead"] - slower["bhandle"]) / BAT_M
        return body | {"bhead": body["bhandle"] + line * BAT_M}

    placed = points(t)
    if noise_m:
        rng = np.random.default_rng(seed)
        placed = {
            name: value + rng.normal(0.0, noise_m, value.shape)
            for name, value in placed.items()
        }
    columns |= synthetic.to_columns(placed, clock)
    fine = np.linspace(impact_s - 0.010, impact_s - 1e-6, 2001)
    exact = points(fine)
    sweet = exact["bhead"] - 0.1524 * (exact["bhead"] - exact["bhandle"]) / BAT_M
    velocity = np.gradient(sweet, fine, axis=0)
    climb = np.degrees(np.arctan2(velocity[:, 2], np.hypot(*velocity[:, :2].T)))
    return HitSwing(
        columns,
        CONTACT_S + impact_s - phase / rate_hz,
        float(climb.mean()),
        float(np.linalg.norm(velocity[-2])),
    )
