"""Fit the constants of the uncertainties on swings of known truth.

Other hitters than those that docs/accuracy.md reports, so that what it says of the
share of errors within one stated uncertainty is a check. First each point is shaken
alone, which tells how much its noise counts in each metric. Then the constants are
fitted to what that and the events leave open. Then, on others again, one
scale for each metric and reference sets how much of the errors the whole uncertainty
holds, as far as the worst of them allows. The constants of events stay
as they are: the uncertainty of a number takes theirs, and a fit by frame rate and noise
gives load 23 ms where nothing shakes, because noise moves it by the slope of a curve
that is flat there. Those of load and first move were chosen so that of 746 swings of 50
hitters with up to 8 mm of noise none is off by more than three uncertainties. Those of
the bat stay too: it turns more evenly in these swings than in those of another
generator (tests/biomechanics/hit_swings.py), which bound them.
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
    HANDS,
    KINDS,
    NOISE_MM,
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
from biomechanics.error_constants import CONSTANTS
from biomechanics.measurement_error import (
    RATE_HZ,
    ROLES,
    model_of,
    shaken_weights,
    size_of,
)
from biomechanics.metrics import uncertainty
from biomechanics.metrics.compute import measure_swing
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.observe import observe
from biomechanics.observed_swing import ObservedSwing
from biomechanics.quality import judge

FILE = Path(error_constants.__file__)
NUMBERS = range(100, 120)
"""Invented hitters to fit on."""
SCALE_NUMBERS = range(120, 146)
"""Others, on which it is then looked how the uncertainties fit, and scaled."""
SCALE_WITHIN, SCALE_WITHIN_BIAS, SCALE_NARROW = 0.70, 0.80, 1.12
"""Share of the errors that a scaled uncertainty shall hold. Where errors are mostly one
bias, the size that holds 0.8 of them is less than the last of these times that which
holds 0.6: then it shall hold the second, as a little less holds half of other ones."""
SCALE_MOST, SCALE_MOST_ONCE = 2.8, 3.0
"""So many scaled uncertainties off is the worst error at most: this comes first. The
second is for the one hitter in whom it is worst: of some hundred errors one is as large
by chance."""
SCALES = (0.5, 2.0)
"""A scale lies between these: one hitter who is unlike the others sets none."""
SLOW_SCALES = (0.6, 1.5)
SHAKEN_MM = (3.0, 6.0)
"""Noise of the one point that is shaken."""
SHAKEN_SHARE = 0.1
"""A point counts for itself where its weight is so much of the largest of a metric."""
SCALE_FEWEST = 150
REFERENCES = ("contact", "bat_peak", "unseen_ball", "hand_peak")
WITHIN, WITHIN_QUIET = 0.70, 0.75
"""Share of the errors of each frame rate and noise that shall lie within one stated
uncertainty, a little more than of normal ones; without noise errors are mostly one
small bias, and its few large ones count more."""
MOST, MOST_QUIET = 2.6, 2.2
"""So many uncertainties off is the worst error at most."""
WORST_COUNTS = 4.0
"""What a worst error beyond that weighs beside a wrong share: too small an uncertainty
is worse than too large a one."""
BAR_FROM_HZ, SLOW_COUNTS = 200.0, 0.3
"""What slower files weigh beside faster ones."""
FEWEST, FEWEST_IN_CELL = 12, 8
LEAST_STARTS = ((1.0, 0.3, 0.3), (0.3, 1.0, 0.3), (0.3, 0.3, 1.0))


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
    noise_mm : float
        Noise that was added.
    """

    reference: str
    kind: Kind
    rate_hz: float
    error: float
    known: float
    size: float
    noise: float
    noise_mm: float


Samples = dict[str, list[Sample]]


@dataclass(frozen=True)
class ScaledError:
    """One error, in stated uncertainties without a scale."""

    rate_hz: float
    off: float
    number: int = 0


def swings(numbers: Iterable[int]) -> Iterator[tuple[MadeSwing, Truth, float]]:
    """Return the swings to fit on: every kind, rate and noise, and the noise in mm."""
    for number, kind, rate_hz, noise_mm in product(numbers, KINDS, RATES_HZ, NOISE_MM):
        clean = clean_swing(number, kind, HANDS[number % len(HANDS)], rate_hz)
        yield with_noise(clean, noise_mm, number), truth_of(number, kind), noise_mm


def _observed(swing: MadeSwing) -> ObservedSwing:
    return observe(
        swing.kinematics,
        swing.energetics,
        bats=swing.hand,
        contact_time_s=None,
        overrides={},
        forward_axis=None,
    )


def metric_samples(numbers: Iterable[int]) -> Samples:
    """Return the errors of all metrics that would be counted."""
    found: Samples = defaultdict(list)
    for swing, truth, noise_mm in swings(numbers):
        seen = _observed(swing)
        measure = measure_swing(seen, height_m=swing.height_m, mass_kg=swing.mass_kg)
        noises = uncertainty.Noises(measure)
        known = known_variances(measure, noises)
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
                    known.get(metric_id, 0.0),
                    size_of(metric_id, value.value),
                    noises.of(METRICS[metric_id]),
                    noise_mm,
                )
            )
    return found


def known_variances(
    measure: SwingMeasurer, noises: uncertainty.Noises, *, shaken: bool = True
) -> dict[str, float]:
    """Return what is known of each variance without the constants.

    Parameters
    ----------
    shaken : bool
        Count what the noise of single points makes of it, too.
    """
    known = defaultdict(float, measure.values.variance)
    for name, top in uncertainty.flat_tops_ms(measure, noises).items():
        known[name] += top**2
    if shaken:
        rate_hz = measure.hitter.rate_hz
        for name, part in uncertainty.shaken_variances(
            measure, rate_hz=rate_hz
        ).items():
            known[name] += part
    return known


def _with_point_shaken(swing: MadeSwing, point: str, noise_mm: float) -> MadeSwing:
    """Return the swing with noise on one point alone, and on what stands for it."""
    alike: tuple[str, ...] = (point,)
    if point == "head":
        alike = ("head", "skullbase", "leye", "reye")
    elif point.endswith("hand"):
        alike = (point, point[0] + "thumb", point[0] + "pinky")
    rng = np.random.default_rng((round(swing.rate_hz), round(noise_mm)))
    changed = {
        name: values + rng.normal(0.0, noise_mm / 1000.0, values.shape)
        for name, values in swing.kinematics.items()
        if name[:-2] in alike
    }
    return dataclasses.replace(swing, kinematics=swing.kinematics | changed)


def fit_shaken(numbers: Iterable[int]) -> dict[str, dict[str, dict[str, float]]]:
    """Return how much each metric changes with a millimeter of noise on one point.

    By metric, reference and role, beyond what the events and flat tops say of it.
    """
    squares: dict[tuple[str, str, str], list[tuple[float, float]]] = defaultdict(list)
    for number, kind in product(numbers, KINDS):
        rate_hz = [rate for rate in RATES_HZ if rate > BAR_FROM_HZ][number % 3]
        clean = clean_swing(number, kind, HANDS[number % len(HANDS)], rate_hz)
        seen = _observed(clean)
        plain = measure_swing(seen, height_m=clean.height_m, mass_kg=clean.mass_kg)
        for role, noise_mm in product(ROLES, SHAKEN_MM):
            which, _, joint = role.rpartition(" ")
            sides = {"lead": seen.hitter.lead, "rear": seen.hitter.rear}
            point = sides.get(which, str)(joint)
            other = _observed(_with_point_shaken(clean, point, noise_mm))
            if other.events.reference_class != seen.events.reference_class:
                continue
            measure = measure_swing(
                other, height_m=clean.height_m, mass_kg=clean.mass_kg
            )
            known = known_variances(measure, uncertainty.Noises(measure), shaken=False)
            at_rate = noise_mm**2 * RATE_HZ / rate_hz
            for name, value in measure.values.by_id.items():
                before = plain.values.by_id[name].value
                if (
                    name not in CONSTANTS
                    or value.flagged
                    or not isinstance(value.value, float)
                    or not isinstance(before, float)
                ):
                    continue
                off = value.value - before
                if name in WHOLE_TURN:
                    off = (off + 180.0) % 360.0 - 180.0
                key = name, seen.events.reference_class, role
                squares[key].append((off**2 - known[name], at_rate))
    return _weights_of(squares)


def _weights_of(
    squares: dict[tuple[str, str, str], list[tuple[float, float]]],
) -> dict[str, dict[str, dict[str, float]]]:
    """Return weights by metric, reference and role; the largest of references as any.

    Parameters
    ----------
    squares
        Square of the error that is not known, and of the noise.
    """
    weights: dict[str, dict[str, dict[str, float]]] = {}
    for (name, reference, role), rows in squares.items():
        unknown, noise = np.array(rows).sum(axis=0)
        weight = math.sqrt(max(float(unknown / noise), 0.0))
        weights.setdefault(name, {}).setdefault(reference, {})[role] = weight
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, models in weights.items():
        roles = {role for model in models.values() for role in model}
        every = {
            role: max(model.get(role, 0.0) for model in models.values())
            for role in ROLES
            if role in roles
        }
        least = SHAKEN_SHARE * max(every.values())
        kept = models | {"any": every} if _rests_on_reference(name) else {"any": every}
        if least > 0.0:
            found[name] = {
                reference: {
                    role: float(f"{weight:.3g}")
                    for role, weight in model.items()
                    if weight >= least
                }
                for reference, model in kept.items()
            }
    return found


class _Cells:
    """The errors of one metric by frame rate and noise, side by side."""

    def __init__(self, samples: list[Sample]) -> None:
        groups: dict[tuple[float, float], list[Sample]] = defaultdict(list)
        for one in samples:
            groups[one.rate_hz, one.noise_mm].append(one)
        kept = {k: v for k, v in groups.items() if len(v) >= FEWEST_IN_CELL}
        kept = kept or {(BAR_FROM_HZ, 0.0): samples}
        self.count = np.array([len(group) for group in kept.values()])
        shape = len(kept), int(self.count.max())
        self.error, self.known, self.size, self.noise = (
            np.full(shape, np.inf if name == "error" else 0.0)
            for name in ("error", "known", "size", "noise")
        )
        for place, group in enumerate(kept.values()):
            row = place, slice(len(group))
            self.error[row] = [abs(one.error) for one in group]
            self.known[row] = [one.known for one in group]
            self.size[row] = [one.size for one in group]
            self.noise[row] = [one.noise for one in group]
        rate_hz, noise_mm = np.array(list(kept)).T
        self.rate = (RATE_HZ / rate_hz)[:, None]
        self.weight = np.where(rate_hz > BAR_FROM_HZ, 1.0, SLOW_COUNTS)
        quiet = noise_mm == 0.0
        self.most = np.where(quiet, MOST_QUIET, MOST)
        within = np.where(quiet, WITHIN_QUIET, WITHIN)
        self.at = np.maximum(np.ceil(within * self.count).astype(int) - 1, 0)

    def cost(self, logs: Array) -> float:
        """Return how far shares and worst errors are from what they shall be."""
        rule, noise, step = np.exp(np.clip(logs, -40.0, 40.0))
        variance = (
            self.known
            + (rule * self.size) ** 2
            + (noise * self.noise) ** 2 * self.rate
            + step**2 * self.rate**4
        )
        ordered = np.sort(self.error / np.sqrt(variance + 1e-30), axis=1)
        rows = np.arange(self.count.size)
        inside = np.clip(np.log(ordered[rows, self.at] + 1e-6), -2.0, 2.0)
        worst = np.log(np.maximum(ordered[rows, self.count - 1] / self.most, 1.0))
        return float((self.weight * (inside**2 + WORST_COUNTS * worst**2)).sum())


def fit(samples: list[Sample]) -> tuple[float, float, float]:
    """Return rule, noise and step of one metric, so that enough errors lie within.

    For each frame rate and noise the share `WITHIN` shall lie within one uncertainty,
    and none beyond `MOST` of them. What changes nothing is left at nothing.
    """
    cells = _Cells(samples)
    scale = float(np.median([abs(one.error) for one in samples])) + 1e-12
    size = float(np.mean([one.size for one in samples])) + 1e-12
    noise = float(np.mean([one.noise for one in samples]))
    found = [
        optimize.minimize(
            cells.cost,
            np.log([scale * a / size, scale * b / max(noise, 1e-6), scale * c]),
            method="Nelder-Mead",
            options={"maxiter": 160, "xatol": 0.02, "fatol": 1e-3},
        )
        for a, b, c in LEAST_STARTS
    ]
    best = min(found, key=lambda one: float(one.fun))
    logs = np.array(best.x)
    for place in range(logs.size):
        without = logs.copy()
        without[place] = -40.0
        if cells.cost(without) <= cells.cost(logs) + 1e-3:
            logs = without
    rule, shaken, step = (
        0.0 if one < -39.0 else float(f"{math.exp(one):.3g}") for one in logs
    )
    return rule, shaken, step


def fit_all(samples: Samples) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return the constants of each metric by its reference."""
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for name, rows in samples.items():
        groups: dict[str, list[Sample]] = defaultdict(list)
        for row in rows:
            groups[row.reference].append(row)
        every = fit(rows)
        models = {
            reference: fit(group)
            for reference, found_so in sorted(groups.items())
            for group in [_of_reference(reference, found_so)]
            if len(group) >= FEWEST and _rests_on_reference(name)
        }
        if "unseen_ball" in models:
            # Where few swings speak for it, it is not surer than all others.
            a, b, c = (
                max(pair) for pair in zip(models["unseen_ball"], every, strict=True)
            )
            models["unseen_ball"] = a, b, c
        found[name] = models | {"any": every}
    return found


def _of_reference(reference: str, samples: list[Sample]) -> list[Sample]:
    """Return the samples that speak for a reference.

    Where a ball may have been met unseen, swings that met one do: peak bat speed then
    comes some milliseconds before contact. Half of the invented swings are dry, and
    theirs would make it look sure.
    """
    if reference != "unseen_ball":
        return samples
    return [one for one in samples if one.kind == "hit"]


def _rests_on_reference(name: str) -> bool:
    """Return whether a metric is another one with another reference."""
    return "reference" in parts_of(name)


def scale_errors(numbers: Iterable[int]) -> dict[tuple[str, str], list[ScaledError]]:
    """Return how many stated uncertainties off numbers are, without a scale.

    By metric and reference.
    """
    found: dict[tuple[str, str], list[ScaledError]] = defaultdict(list)
    every = ((number, one) for number in numbers for one in swings([number]))
    for number, (swing, truth, _) in every:
        seen = _observed(swing)
        measure = measure_swing(seen, height_m=swing.height_m, mass_kg=swing.mass_kg)
        uncertainty.put_uncertainties(measure, scaled=False)
        reference = seen.events.reference_class
        quality = judge(
            seen, measure.values.by_id, bats=swing.hand, height_m=swing.height_m
        )
        of_dry = reference == "unseen_ball" and swing.kind != "hit"
        if quality.grade == "poor" or of_dry:
            continue
        for metric_id, right in truth.of(seen.events.reference_rule).items():
            value = measure.values.by_id.get(metric_id)
            if (
                value is None
                or value.flagged
                or not isinstance(value.value, float)
                or not value.uncertainty
            ):
                continue
            error = value.value - right
            if metric_id in WHOLE_TURN:
                error = (error + 180.0) % 360.0 - 180.0
            found[metric_id, reference].append(
                ScaledError(swing.rate_hz, abs(error) / value.uncertainty, number)
            )
    return found


def scale_of(
    errors: list[ScaledError], *, limits: tuple[float, float] = SCALES
) -> float:
    """Return what uncertainties are multiplied by so that they hold enough errors.

    Those of slow files say nothing of it, unless there are no others.
    """
    fast = [one for one in errors if one.rate_hz > BAR_FROM_HZ] or errors
    off = np.array([one.off for one in fast])
    few, inside, many = np.quantile(off, (0.6, SCALE_WITHIN, 0.8))
    if many < SCALE_NARROW * few:
        inside = np.quantile(off, SCALE_WITHIN_BIAS)
    worst: dict[int, float] = defaultdict(float)
    for one in fast:
        worst[one.number] = max(worst[one.number], one.off)
    once, most = sorted([0.0, *worst.values()])[:-3:-1]
    scale = max(float(inside), most / SCALE_MOST, once / SCALE_MOST_ONCE)
    return float(f"{min(max(scale, limits[0]), limits[1]):.3g}")


def fit_scales(
    errors: dict[tuple[str, str], list[ScaledError]],
) -> dict[str, dict[str, float]]:
    """Return the scale of each metric by its reference."""
    scales: dict[str, dict[str, float]] = {}
    by_metric: dict[str, list[ScaledError]] = defaultdict(list)
    for (name, _), rows in errors.items():
        by_metric[name] += rows
    for name, rows in by_metric.items():
        if len(rows) >= SCALE_FEWEST:
            scales[name] = {"any": scale_of(rows)}
    for (name, reference), rows in errors.items():
        if name in scales and len(rows) >= SCALE_FEWEST:
            scales[name][reference] = scale_of(rows)
    for name, models in scales.items():
        # Where no swing of a reference speaks for it, it is not made surer.
        if not _rests_on_reference(name):
            scales[name] = {"any": models["any"]}
        else:
            models["any"] = max(1.0, models["any"])
            # Its constants are never smaller than those of all together.
            models.setdefault("unseen_ball", 1.0)
        slow = [
            dataclasses.replace(one, off=one.off / (models.get(ref) or models["any"]))
            for ref in REFERENCES
            for one in errors.get((name, ref), [])
            if one.rate_hz <= BAR_FROM_HZ
        ]
        if len(slow) >= SCALE_FEWEST:
            scales[name]["slow"] = scale_of(slow, limits=SLOW_SCALES)
    return scales


def is_kept(name: str) -> bool:
    """Return whether the constants of a metric or event stay as they are."""
    return name.startswith("event:") or METRICS[name].needs == "bat"


def write(
    constants: dict[str, dict[str, tuple[float, float, float]]],
    scales: dict[str, dict[str, float]],
    shaken: dict[str, dict[str, dict[str, float]]],
) -> None:
    """Write the module of constants; `ruff format` sets its lines."""
    head = FILE.read_text(encoding="utf-8").partition("CONSTANTS:")[0]
    lines = [f"{head}CONSTANTS: dict[str, dict[str, tuple[float, float, float]]] = {{"]
    for name, models in constants.items():
        lines.append(f'    "{name}": {{')
        lines += [f'        "{key}": {value!r},' for key, value in models.items()]
        lines.append("    },")
    lines += ["}", "", "SCALES: dict[str, dict[str, float]] = {"]
    lines += [f'    "{name}": {models!r},' for name, models in scales.items()]
    lines += ["}", "", "SHAKEN: dict[str, dict[str, dict[str, float]]] = {"]
    lines += [f'    "{name}": {models!r},' for name, models in shaken.items()]
    FILE.write_text("\n".join([*lines, "}"]) + "\n", encoding="utf-8")


def run(*, only_scales: bool = False) -> None:
    """Fit the metrics on some hitters and their scales on others; write both."""
    constants, shaken = error_constants.CONSTANTS, error_constants.SHAKEN
    if not only_scales:
        found = fit_shaken(NUMBERS)
        shaken.clear()
        shaken.update(found)
        shaken_weights.cache_clear()
        kept = {name: models for name, models in constants.items() if is_kept(name)}
        fitted = fit_all(metric_samples(NUMBERS)) | kept
        constants.clear()
        constants.update(fitted)
        model_of.cache_clear()
    write(constants, fit_scales(scale_errors(SCALE_NUMBERS)), shaken)
