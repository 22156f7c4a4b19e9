"""How sure a number is: one standard deviation of its measurement, from its causes.

The variance of a number is a sum: what filter and rule leave open (`rule`), the noise
of the points it is read from (`noise`), the time between frames (`step`), and for each
event it is read at, the slope there times the event's own uncertainty. The first three
have a constant for each metric and event, in `error_constants`: fitted by
`python -m accuracy calibrate` on invented swings of known truth, other ones than those
that docs/accuracy.md reports. What is fitted has a scale, see `scale_of`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from biomechanics.analysis_types import FloatArray
from biomechanics.definitions import METRICS
from biomechanics.error_constants import CONSTANTS, SCALES, SHAKEN
from biomechanics.points import PLACES

RATE_HZ = 240.0
"""The constants are those of this frame rate."""
BY_SIZE = frozenset({"deg/s", "m/s", "J", "J/kg", "W", "kg·m²/s", "ratio"})
"""Units in which the part of filter and rule grows with the value."""
LEAST_RULE = {
    "deg": 0.02,
    "ms": 0.2,
    "%": 0.015,
    "m": 0.0001,
}
LEAST_SHARE, LEAST_SHARE_DELIVERED = 0.001, 0.0005
"""Least that filter and rule leave open, by unit, and as a share of a value for the
units of `BY_SIZE`: invented swings are smoother than people. Curves that are delivered
as they are, of momentum, energy and center of mass, are only filtered and read: there
less is left open."""
ROLES = (
    *(f"lead {joint}" for joint in ("hjc", "sjc", "ejc", "wjc", "kjc", "ajc", "hand")),
    *(f"rear {joint}" for joint in ("hjc", "sjc", "ejc", "wjc", "kjc", "ajc", "hand")),
    "head",
)
"""Points whose noise counts for itself, by the side; see `shaken_weights`."""
ROOM_FROM_MM, ROOM_TO_MM, MOST_ROOM = 2.0, 6.0, 1.7
"""Noise of one point counts so much more from the second on, and less in between: of
the numbers of a file that shakes, one in a few hundred is off by three of its standard
deviations by chance, and what noise does differs from body to body by a third."""
SLOW_HZ = 150.0
"""Up to this frame rate an uncertainty has a scale of its own."""
LEAST_OF_NOISE = 0.8
"""Noise of the points counts with one reference as with all, within what a fit of a few
swings leaves open."""
END_WITHIN_S, END_FACTOR = 0.040, 4.0
"""A filter has nothing to go by beyond the end of a clip: what it leaves open is so
many times as large where the reference lies so near to it (invented swings)."""
LEAST_AT_END = {"deg": 0.06, "ms": 0.25, "%": 0.04, "m": 0.0003}
LEAST_SHARE_AT_END = 0.003
"""What it leaves open there, before it is multiplied, at least."""
END_CLOSE_S = 0.030
"""Nearer than this it grows as the time that is left shrinks."""
MOST_SHARE = 0.1
"""A number less sure than this share of its usual range is withheld: about half of the
spread between hitters."""


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Constants of one metric's or event's uncertainty.

    Attributes
    ----------
    rule : float
        In the unit; as a share of the value for the units of `BY_SIZE`.
    noise : float
        In the unit, for a millimeter of noise at `RATE_HZ`; less by the square root
        of the rate. Of an event that is read off a slope, by that slope.
    step : float
        In the unit, at `RATE_HZ`; less by the square of the rate.
    """

    rule: float
    noise: float
    step: float

    def variance(self, *, value: float, noise_mm: float, rate_hz: float) -> float:
        """Return the variance of a number of size `value`."""
        return (
            (self.rule * value) ** 2
            + (self.noise * noise_mm) ** 2 * (RATE_HZ / rate_hz)
            + self.step**2 * (RATE_HZ / rate_hz) ** 4
        )


@lru_cache(maxsize=1024)
def model_of(name: str, reference: str) -> ErrorModel | None:
    """Return the constants of a metric or event, ``None`` where none were fitted.

    Parameters
    ----------
    name : str
        A metric, or ``event:`` and an event.
    reference : str
        ``contact``, ``bat_peak``, ``unseen_ball`` or ``hand_peak``.
    """
    found = CONSTANTS.get(name, {})
    constants = found.get(reference) or found.get("any")
    if constants is None:
        return None
    rule, noise, step = constants
    noise = max(noise, LEAST_OF_NOISE * found["any"][1])
    if name in METRICS:
        unit = METRICS[name].unit
        share = LEAST_SHARE
        if METRICS[name].needs == "energetics":
            share = LEAST_SHARE_DELIVERED
        least = share if unit in BY_SIZE else LEAST_RULE[unit]
        rule = max(rule, least)
    return ErrorModel(rule, noise, step)


@lru_cache(maxsize=16)
def shaken_weights(reference: str) -> tuple[tuple[str, ...], FloatArray]:
    """Return by how much the noise of each single point counts in each metric.

    Fitted by shaking one point of an invented swing at a time: a metric that hangs on
    one short line is as noisy as the noisier end of it, however quiet the others are.

    Returns
    -------
    metrics : tuple of str
    weights : ndarray, shape (n_metrics, n_roles)
        Squared, in the unit of the metric for a millimeter at `RATE_HZ`.
    """
    weights = np.zeros((len(SHAKEN), len(ROLES)))
    for row, models in enumerate(SHAKEN.values()):
        for role, weight in (models.get(reference) or models["any"]).items():
            weights[row, ROLES.index(role)] = weight**2
    return tuple(SHAKEN), weights


def with_room(noise_mm: FloatArray) -> FloatArray:
    """Return the noise of points with the room that much of it needs, mm."""
    part = (noise_mm - ROOM_FROM_MM) / (ROOM_TO_MM - ROOM_FROM_MM)
    answer: FloatArray = noise_mm * (1.0 + (MOST_ROOM - 1.0) * np.clip(part, 0.0, 1.0))
    return answer


def scale_of(name: str, reference: str, rate_hz: float = RATE_HZ) -> float:
    """Return what the fitted part of a metric's uncertainty is multiplied by.

    Constants are fitted for each frame rate and noise at once, on few hitters; the
    scale is then set on others, so that about 0.7 of the errors lie within one stated
    uncertainty and the worst within 2.8 of them: it may be larger than the share asks
    for. What is found on the swing itself, by its events and gaps, it never makes less.
    Slow files (`SLOW_HZ`) have a factor of their own on top.
    """
    found = SCALES.get(name, {})
    slow = found.get("slow", 1.0) if rate_hz <= SLOW_HZ else 1.0
    return slow * (found.get(reference) or found.get("any", 1.0))


def size_of(metric_id: str, value: float) -> float:
    """Return by what the part of filter and rule is multiplied."""
    return abs(value) if METRICS[metric_id].unit in BY_SIZE else 1.0


def left_at_end(metric_id: str, value: float) -> float:
    """Return what a filter leaves open at least at the end of a clip, in the unit."""
    unit = METRICS[metric_id].unit
    if unit in BY_SIZE:
        return LEAST_SHARE_AT_END * abs(value)
    return LEAST_AT_END[unit]


def most_uncertain(metric_id: str) -> float | None:
    """Return the uncertainty beyond which a metric is withheld, ``None`` without."""
    limits = METRICS[metric_id].usual
    return None if limits is None else MOST_SHARE * (limits[1] - limits[0])


def noise_of(noise_m: FloatArray, points: Iterable[str]) -> float:
    """Return the noise of some points together, mm: the root of their mean square.

    Parameters
    ----------
    noise_m : ndarray, shape (n_points,)
        Of one coordinate of each of `points.POINTS`, meters.
    """
    chosen = noise_m[[PLACES[name] for name in points]]
    if chosen.size == 0:
        return 0.0
    known = chosen[~np.isnan(chosen)]
    if known.size == 0:
        return math.nan
    return math.sqrt(float((known**2).sum()) / known.size) * 1000.0


def event_error_s(
    name: str, reference: str, *, noise: float, rate_hz: float
) -> float | None:
    """Return one standard deviation of an event in seconds, ``None`` where not known.

    Parameters
    ----------
    name, reference : str
        See `model_of`.
    noise : float
        See `find_events.event_noise`.
    """
    model = model_of(f"event:{name}", reference)
    if model is None:
        return None
    return math.sqrt(model.variance(value=1.0, noise_mm=noise, rate_hz=rate_hz))
