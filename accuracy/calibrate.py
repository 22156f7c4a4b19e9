"""Fit the constants of the uncertainties on swings of known truth.

Other hitters than those that docs/accuracy.md reports, so that what it says of the
share of errors within one stated uncertainty is a check. Events come first, because
the uncertainty of a number takes theirs.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from scipy import optimize

from accuracy.measure import WHOLE_TURN
from accuracy.swings import (
    KINDS,
    RATES_HZ,
    Array,
    Kind,
    MadeSwing,
    clean_swing,
    with_noise,
)
from accuracy.truth import Truth, truth_of
from biomechanics import error_constants
from biomechanics.basis import parts_of
from biomechanics.definitions import METRICS
from biomechanics.find_events import EventClues, event_noise
from biomechanics.measurement_error import RATE_HZ, model_of, size_of
from biomechanics.metrics import uncertainty
from biomechanics.metrics.compute import measure_swing
from biomechanics.observe import observe
from biomechanics.observed_swing import ObservedSwing

FILE = Path(error_constants.__file__)
NUMBERS = range(100, 124)
"""Invented hitters to fit on."""
NOISE_MM = (0.0, 1.0, 2.0, 3.0, 5.0)
ENERGY_NOISE = 0.002
"""Noise on momentum and energy for a millimeter on the points, of the highest value."""
WITHIN = 0.70
"""Share of the errors that shall lie within one stated uncertainty, a little more than
of normal ones."""
WITHIN_OF_ENERGY = 0.72
"""The same for momentum and energy, whose errors are mostly one small bias."""
BAR_FROM_HZ = 200.0
FEWEST = 12
TINY = 1e-9
EVENTS = ("load", "first_move", "foot_down", "hand_peak", "bat_peak")


@dataclass(frozen=True)
class Sample:
    """One error, and what its uncertainty is made of.

    Attributes
    ----------
    known : float
        Variance that is known of the swing itself.
    size : float
        By what the part of the rule is multiplied.
    noise : float
        By what the part of the noise is multiplied.
    noisy : bool
        Noise was added.
    """

    reference: str
    kind: Kind
    rate_hz: float
    error: float
    known: float
    size: float
    noise: float
    noisy: bool


Samples = dict[str, list[Sample]]


def swings(numbers: Iterable[int]) -> Iterator[tuple[MadeSwing, Truth, bool]]:
    """Return the swings to fit on: every kind, rate and noise, and whether noisy."""
    for number, kind, rate_hz, noise_mm in product(numbers, KINDS, RATES_HZ, NOISE_MM):
        clean = clean_swing(number, kind, "right", rate_hz)
        noisy = with_noise(clean, noise_mm, number)
        shaken = _with_energy_noise(noisy, noise_mm, number)
        yield shaken, truth_of(number, kind), noise_mm > 0.0


def _with_energy_noise(swing: MadeSwing, noise_mm: float, seed: int) -> MadeSwing:
    """Return the swing with noise on momentum, energy and center of mass too."""
    if not noise_mm:
        return swing
    rng = np.random.default_rng((seed, round(swing.rate_hz), 9))

    def shaken(name: str, values: Array) -> Array:
        if name.startswith("center_of_mass"):
            return values + rng.normal(0.0, noise_mm / 1000.0, values.shape)
        if not name.endswith(("_energy", "_x", "_y", "_z")):
            return values
        size = ENERGY_NOISE * noise_mm * float(np.nanmax(np.abs(values)))
        return values + rng.normal(0.0, size, values.shape)

    return dataclasses.replace(
        swing,
        energetics={name: shaken(name, v) for name, v in swing.energetics.items()},
    )


def _observed(swing: MadeSwing) -> ObservedSwing:
    return observe(
        swing.kinematics,
        swing.energetics,
        bats=swing.hand,
        contact_time_s=None,
        overrides={},
        forward_axis=None,
    )


def event_samples(numbers: Iterable[int]) -> Samples:
    """Return the errors of the events; their noise has the slope in it already."""
    found: Samples = defaultdict(list)
    for swing, truth, noisy in swings(numbers):
        seen = _observed(swing)
        motion, events = seen.hitter.motion, seen.events
        for name in EVENTS:
            key = "peak_hand_speed" if name == "hand_peak" else name
            event = events.found.get(key)
            right = getattr(truth.events, name)
            if event is None or event.position is None or right is None:
                continue
            if event.confidence == "low" and name != "bat_peak":
                continue
            if name == "bat_peak" and events.reference_rule != "bat_peak":
                continue
            clues = EventClues(
                hitter=seen.hitter,
                hand_peak=seen.hands.peak,
                bat=seen.bat,
                pelvis_rate=seen.turn_rates.pelvis,
                vertical=seen.vertical,
                vendor=seen.vendor,
                contact_time_s=None,
            )
            _, cause = event_noise(clues, key, event)
            found[f"event:{name}"].append(
                Sample(
                    events.reference_class,
                    swing.kind,
                    swing.rate_hz,
                    motion.time(event.position) - swing.contact_s - right,
                    0.0,
                    1.0,
                    cause,
                    noisy,
                )
            )
    return found


def metric_samples(numbers: Iterable[int]) -> Samples:
    """Return the errors of all metrics that would be counted."""
    found: Samples = defaultdict(list)
    for swing, truth, noisy in swings(numbers):
        seen = _observed(swing)
        measure = measure_swing(seen, height_m=swing.height_m, mass_kg=swing.mass_kg)
        noises = uncertainty.Noises(measure)
        for metric_id, right in truth.of(seen.events.reference_rule).items():
            value = measure.values.by_id.get(metric_id)
            if value is None or value.flagged or not isinstance(value.value, float):
                continue
            error = value.value - right
            if metric_id in WHOLE_TURN:
                error = (error + 180.0) % 360.0 - 180.0
            found[metric_id].append(
                Sample(
                    seen.events.reference_class,
                    swing.kind,
                    swing.rate_hz,
                    error,
                    measure.values.variance.get(metric_id, 0.0),
                    size_of(metric_id, value.value),
                    noises.of(METRICS[metric_id]),
                    noisy,
                )
            )
    return found


def fit(
    samples: list[Sample], within: float, *, from_hz: float = BAR_FROM_HZ
) -> tuple[float, float, float]:
    """Return rule, noise and step of one metric, so that enough lie within.

    The likelihood of heavy-tailed errors (Student's t, four degrees of freedom) sets
    what each cause has for its share; the share of errors within one uncertainty, at
    frame rates of `from_hz` and more where there are enough, sets the size.
    """
    error = np.array([one.error for one in samples])
    known = np.array([one.known for one in samples])
    rate = RATE_HZ / np.array([one.rate_hz for one in samples])
    parts = np.stack(
        [
            np.array([one.size for one in samples]) ** 2,
            np.array([one.noise for one in samples]) ** 2 * rate,
            rate**4,
        ]
    )
    scale = float(np.median(np.abs(error))) + 1e-9
    typical = np.maximum(parts.mean(axis=1), 1e-12)

    def variance(x: Array) -> Array:
        total: Array = known + np.exp(2.0 * x) / typical @ parts
        return total

    def cost(x: Array) -> float:
        v = variance(x)
        return float((0.5 * np.log(v) + 2.5 * np.log1p(error**2 / (4.0 * v))).mean())

    there = parts.max(axis=1) > TINY
    low = math.log(scale * 1e-3)
    best = optimize.minimize(
        cost,
        np.full(3, math.log(scale * 0.7)),
        method="L-BFGS-B",
        bounds=[(low, math.log(scale * 50.0))] * 3,
    )
    constants = np.exp(best.x) / np.sqrt(typical)
    constants[(np.exp(best.x) < scale * 2e-3) | ~there] = 0.0
    fast = np.array([one.rate_hz > from_hz for one in samples])
    if np.count_nonzero(fast) < FEWEST:
        fast[:] = True
    # Rule and step have their size where there is no noise, noise where there is.
    quiet = np.array([not one.noisy for one in samples])
    for rows, chosen in ((fast & quiet, (0, 2)), (fast & ~quiet, (1,))):
        if np.count_nonzero(rows) >= FEWEST:
            constants = _sized(
                constants, chosen, error[rows], known[rows], parts[:, rows], within
            )
    rule, noise, step = (float(f"{c:.3g}") for c in constants)
    return rule, noise, step


def _sized(
    constants: Array,
    chosen: tuple[int, ...],
    error: Array,
    known: Array,
    parts: Array,
    within: float,
) -> Array:
    """Return the constants, those of the `chosen` causes so large that enough lie in.

    The smallest that puts the share `within` of the errors within one uncertainty; of
    known causes alone too many may lie within already.
    """
    for factor in np.geomspace(0.02, 10.0, 250):
        now = constants.copy()
        now[list(chosen)] *= factor
        if (np.abs(error) <= np.sqrt(known + now**2 @ parts)).mean() >= within:
            break
    return now


def fit_all(samples: Samples) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return the constants of each metric or event by its reference."""
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for name, rows in samples.items():
        within = WITHIN
        if name in METRICS and METRICS[name].group in ("momentum", "energy"):
            within = WITHIN_OF_ENERGY
        groups: dict[str, list[Sample]] = defaultdict(list)
        for row in rows:
            groups[row.reference].append(row)
        models = {
            reference: fit(group, within, from_hz=from_hz)
            for reference, found_so in sorted(groups.items())
            for group, from_hz in [_of_reference(reference, found_so)]
            if len(group) >= FEWEST and _rests_on_reference(name)
        }
        found[name] = models | {"any": fit(rows, within)}
    return found


def _of_reference(reference: str, samples: list[Sample]) -> tuple[list[Sample], float]:
    """Return the samples that speak for a reference, and the least rate of its bar.

    Where a ball may have been met unseen, swings that met one do: peak bat speed then
    comes some milliseconds before contact. Half of the invented swings are dry, and
    theirs would make it look sure. Slow files are what the reference is of.
    """
    if reference != "unseen_ball":
        return samples, BAR_FROM_HZ
    return [one for one in samples if one.kind == "hit"], 0.0


def _rests_on_reference(name: str) -> bool:
    """Return whether a metric or event is another one with another reference."""
    if name.startswith("event:"):
        return name == "event:bat_peak"
    return "reference" in parts_of(name)


def write(constants: dict[str, dict[str, tuple[float, float, float]]]) -> None:
    """Write the module of constants; `ruff format` sets its lines."""
    head = FILE.read_text(encoding="utf-8").partition("CONSTANTS:")[0]
    lines = [f"{head}CONSTANTS: dict[str, dict[str, tuple[float, float, float]]] = {{"]
    for name, models in constants.items():
        lines.append(f'    "{name}": {{')
        lines += [f'        "{key}": {value!r},' for key, value in models.items()]
        lines.append("    },")
    FILE.write_text("\n".join([*lines, "}"]) + "\n", encoding="utf-8")


def run() -> None:
    """Fit events, then metrics, and write the constants."""
    events = fit_all(event_samples(NUMBERS))
    _use(events)
    constants = events | fit_all(metric_samples(NUMBERS))
    write(constants)


def _use(constants: dict[str, dict[str, tuple[float, float, float]]]) -> None:
    """Take constants for those of the module, for the rest of this process."""
    error_constants.CONSTANTS.clear()
    error_constants.CONSTANTS.update(constants)
    model_of.cache_clear()
