"""Say of every number how sure it is, and withhold what is too unsure to show."""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from biomechanics import peaks, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.basis import parts_of
from biomechanics.definitions import METRICS, MetricDefinition
from biomechanics.hitter import Hitter
from biomechanics.measurement_error import (
    END_CLOSE_S,
    END_FACTOR,
    END_WITHIN_S,
    RATE_HZ,
    ROLES,
    left_at_end,
    model_of,
    most_uncertain,
    scale_of,
    shaken_weights,
    size_of,
    with_room,
)
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.metrics.values import MetricValues
from biomechanics.momentum import Energetics
from biomechanics.ranges import within
from biomechanics.sequence import GAP_METRICS
from biomechanics.units import MS_PER_S

_HIPS, _SHOULDERS = ("lhjc", "rhjc"), ("lsjc", "rsjc")
_OF_BOTH_LINES = ("gap_pelvis_torso", "gain_torso_pelvis")
HIPS_COUNT = 0.8
"""Share of the hips in what noise turns the lines of hips and shoulders against each
other: theirs is half as long, and turns by twice as much."""
BAT_COUNTS = 2.0
"""What noise of the bat counts beside that of the trunk in the angle between them: its
filter lets four times the frequencies through (bat alone shaken, invented swings)."""
PER_MILLE = 1000.0
PER_M_OF_ANKLE = {"deg": 140.0, "%": 115.0, "deg/s": 350.0}
"""What an angle with a shank of 0.41 m, its rate and a share of a leg change with a
meter by which an ankle is off."""
BY_ITS_CAUSES = frozenset({"stride_direction"})
"""Numbers with no fitted constants: noise and event are all that makes them unsure."""
REPEATED_COUNTS = 1.5
"""What the share of frames that only repeat the one before takes off the frame rate;
half of it at most: beside such a frame the time between frames is twice as long."""
CENTER_NOISE_LEFT = 0.33
"""Of the noise of the center of mass, what its filter leaves at `RATE_HZ` (invented
swings); less by the square root of the rate."""


def put_uncertainties(measure: SwingMeasurer, *, scaled: bool = True) -> None:
    """Set the uncertainty of every number; see `measurement_error`.

    A number that is less sure than its limit becomes missing and says so.

    Parameters
    ----------
    scaled : bool
        False only to fit the scales.
    """
    values, hitter = measure.values, measure.hitter
    reference, motion = measure.swing.events.reference_class, hitter.motion
    repeated = motion.repeated_frames / motion.count
    rate_hz = hitter.rate_hz * max(0.5, 1.0 - REPEATED_COUNTS * repeated)
    noises = Noises(measure)
    at_end = _factor_at_end(measure)
    flat_tops = flat_tops_ms(measure, noises)
    shaken = shaken_variances(measure, rate_hz=rate_hz)
    for metric_id, found in values.by_id.items():
        if not isinstance(found.value, float):
            continue
        model = model_of(metric_id, reference)
        if model is None:
            if metric_id in BY_ITS_CAUSES:
                known = values.variance.get(metric_id, 0.0)
                known += (motion.ankle_off_m * PER_M_OF_ANKLE[found.unit]) ** 2
                values.set_uncertainty(metric_id, math.sqrt(known))
                _withhold(values, metric_id)
            continue
        near = at_end if "reference" in parts_of(metric_id) else 1.0
        scale = scale_of(metric_id, reference, hitter.rate_hz) if scaled else 1.0
        if scaled and repeated:
            # What is fitted is that of files that hold all their frames.
            scale = max(scale, scale_of(metric_id, reference)) * (1.0 + repeated)
        # What is found on the swing itself is never made less.
        variance = values.variance.get(metric_id, 0.0) * max(scale, 1.0) ** 2
        variance += scale**2 * model.variance(
            value=near * size_of(metric_id, found.value),
            noise_mm=noises.of(METRICS[metric_id]),
            rate_hz=rate_hz,
        )
        variance += flat_tops.get(metric_id, 0.0) ** 2 + shaken.get(metric_id, 0.0)
        if near > 1.0:
            variance += (near * left_at_end(metric_id, found.value)) ** 2
        if motion.ankle_off_m and _rests_on_ankle(METRICS[metric_id], hitter):
            per_m = PER_M_OF_ANKLE.get(found.unit, 0.0)
            variance += (motion.ankle_off_m * per_m) ** 2
        if metric_id == "contact_depth_com":
            center_mm = noises.of(METRICS["com_speed_max"])
            left_m = CENTER_NOISE_LEFT * center_mm / 1000.0
            variance += left_m**2 * RATE_HZ / hitter.rate_hz
        values.set_uncertainty(metric_id, math.sqrt(variance))
        _withhold(values, metric_id)
    direction, side = values.by_id["attack_direction"], values.by_id["attack_side"]
    if direction.value is None and side.value is not None:
        values.put("attack_side", None, direction.reason)


def shaken_variances(measure: SwingMeasurer, *, rate_hz: float) -> dict[str, float]:
    """Return the variance of each metric by the noise of each point for itself."""
    metrics, weights = shaken_weights(measure.swing.events.reference_class)
    noise_mm = with_room(np.array(role_noises_mm(measure.hitter)))
    found = weights @ noise_mm**2 * (RATE_HZ / rate_hz)
    return dict(zip(metrics, found.tolist(), strict=True))


def role_noises_mm(hitter: Hitter) -> list[float]:
    """Return the noise of each point of `ROLES`, mm; 0 for one that is not there."""
    wrists = hitter.motion.hand_is == "wrists"
    noises = []
    for role in ROLES:
        which, _, joint = role.rpartition(" ")
        if joint == "hand" and wrists:
            joint = "wjc"
        name = {"lead": hitter.lead, "rear": hitter.rear}.get(which, str)(joint)
        noise = hitter.noise_mm((name,))
        noises.append(noise if math.isfinite(noise) else 0.0)
    return noises


def flat_tops_ms(measure: SwingMeasurer, noises: "Noises") -> dict[str, float]:
    """Return how far noise moves the times of peaks by the shape of each, ms.

    By metric of times and delays. It counts beside what is fitted on invented swings,
    whose peaks are sharper than those of people.
    """
    rate_hz, reference = measure.hitter.rate_hz, measure.swing.events.reference_class
    of_peak: dict[str, float] = {}
    found: dict[str, float] = {}
    for key, curve in measure.peak_curves.items():
        model = model_of(curve.metric_id, reference)
        if model is None:
            continue
        noise_mm = noises.of(METRICS[curve.metric_id])
        error = peaks.time_error(
            curve.series,
            measure.peaks[key],
            curve.window,
            limit=curve.limit,
            noise=model.noise * noise_mm * math.sqrt(RATE_HZ / rate_hz),
        )
        of_peak[key] = error / rate_hz * MS_PER_S
        found[curve.time_id] = of_peak[key]
    for metric_id, pair in GAP_METRICS.items():
        found[metric_id] = math.hypot(*(of_peak.get(key, 0.0) for key in pair))
    return found


def _factor_at_end(measure: SwingMeasurer) -> float:
    """Return how many times as much a filter leaves open so near to the clip's end."""
    if measure.reference is None:
        return 1.0
    hitter = measure.hitter
    left_s = (hitter.motion.count - 1 - measure.reference) / hitter.rate_hz
    if left_s >= END_WITHIN_S:
        return 1.0
    return END_FACTOR * max(1.0, END_CLOSE_S / max(left_s, 1.0 / hitter.rate_hz))


def _withhold(values: MetricValues, metric_id: str) -> None:
    """Make a number missing that is less sure than its limit.

    An implausible one is shown, so that a person sees what is wrong.
    """
    limit, found = most_uncertain(metric_id), values.by_id[metric_id]
    error = found.uncertainty
    if limit is None or error is None or error <= limit:
        return
    if isinstance(found.value, float) and not within(
        found.value, METRICS[metric_id].plausible
    ):
        return
    unit = "" if found.unit in ("ratio", "text") else f" {found.unit}"
    values.put(
        metric_id,
        None,
        f"uncertain by ±{error:.2g}{unit}, more than {limit:.2g}{unit}",
    )


class Noises:
    """The noise behind each metric of one swing.

    Millimeters for what is read from points; thousandths of the highest value for
    momentum and energy.
    """

    def __init__(self, measure: SwingMeasurer) -> None:
        self._hitter = measure.hitter
        moving = measure.swing.bat
        self._bat_mm = 0.0 if moving is None else moving.noise_mm
        self._energy = measure.swing.energetics
        self._known: dict[object, float] = {}
        self._shares: dict[str, dict[str, float]] = {}

    def of(self, item: MetricDefinition) -> float:
        """Return the noise behind one metric."""
        key: object
        if item.group in ("momentum", "energy"):
            kind = "L" if item.group == "momentum" else "KE"
            groups = tuple(word for word in item.id.split("_") if word != kind)
            key = (kind, *groups)
            if key not in self._known:
                self._known[key] = self._energy_noise(kind, groups)
        elif item.id == "com_speed_max":
            key = item.id
            if key not in self._known:
                self._known[key] = _center_noise(self._energy)
        else:
            points = points_of(item, self._hitter)
            of_lines = item.part == "separation" or item.id in _OF_BOTH_LINES
            key = (points, item.part == "bat", of_lines, item.id == "bat_torso_fm")
            if key not in self._known:
                joints = self._hitter.noise_mm(points) if points else 0.0
                if of_lines:
                    joints = math.hypot(
                        math.sqrt(HIPS_COUNT) * self._hitter.noise_mm(_HIPS),
                        math.sqrt(1.0 - HIPS_COUNT) * self._hitter.noise_mm(_SHOULDERS),
                    )
                bat = self._bat_mm if item.part == "bat" else 0.0
                if item.id == "bat_torso_fm":
                    bat *= BAT_COUNTS
                self._known[key] = math.hypot(joints, bat)
        return self._known[key]

    def _energy_noise(self, kind: str, groups: tuple[str, ...]) -> float:
        """Return the noise of some curves together, thousandths of the highest."""
        if kind not in self._shares:
            energy = self._energy
            curves = energy.momentum if kind == "L" else energy.energy
            self._shares[kind] = _shares_of_top(curves)
        shares = self._shares[kind]
        found = [shares[group] for group in groups if group in shares]
        return math.sqrt(sum(one**2 for one in found) / len(found)) if found else 0.0


def points_of(item: MetricDefinition, hitter: Hitter) -> tuple[str, ...]:
    """Return the joint centers that a metric is read from, beside the bat."""
    kind = "hand" if hitter.motion.hand_is == "hands" else "wjc"
    return _points_of(item.id, hitter.hand > 0, kind)


@lru_cache(maxsize=1024)
def _points_of(metric_id: str, left_leads: bool, kind: str) -> tuple[str, ...]:
    """Return the points of `points_of`, by what they depend on."""
    item, front, back = METRICS[metric_id], *(("l", "r") if left_leads else ("r", "l"))
    arm = tuple(front + name for name in ("sjc", "ejc", "wjc"))
    trunk = _HIPS + _SHOULDERS
    by_part: dict[str, tuple[str, ...]] = {
        "pelvis": _HIPS,
        "torso": _SHOULDERS,
        "separation": trunk,
        "lead_arm": arm,
        "hands": (front + kind, back + kind),
        "legs": tuple(front + name for name in ("hjc", "kjc", "ajc")),
        "head": ("head",),
    }
    by_metric: dict[str, tuple[str, ...]] = {
        "peak_lead_arm_omega": arm[:2],
        "peak_lead_forearm_omega": arm[1:],
        "t_peak_lead_arm": arm[:2],
        "t_peak_lead_forearm": arm[1:],
        "gap_pelvis_torso": trunk,
        "gap_torso_arm": _SHOULDERS + arm[:2],
        "gap_arm_bat": arm[:2],
        "gain_torso_pelvis": trunk,
        "gain_arm_torso": _SHOULDERS + arm[:2],
        "gain_bat_torso": _SHOULDERS,
        "rear_elbow_flex_fd": tuple(back + name for name in ("sjc", "ejc", "wjc")),
        "stride_spread_pct": ("lajc", "rajc"),
        "stride_spread_leg": ("lajc", "rajc"),
        "stride_travel_pct": (front + "ajc",),
        "side_bend_ref": trunk,
        "side_bend_max": trunk,
        "fwd_bend_fd": trunk,
        "fwd_bend_ref": trunk,
        "peak_hand_speed_lead": (front + kind,),
        "peak_hand_speed_rear": (back + kind,),
        "contact_depth_hip": (front + "hjc",),
        "bat_torso_fm": trunk,
        "bat_torso_ref": trunk,
        "time_to_ref": (),
        "tempo_load_fd": (),
        "tempo_fd_ref": (),
    }
    points = by_metric.get(item.id, by_part.get(item.part, ()))
    if "C" in item.robustness and "forward" in item.formula:
        points += ("lajc", "rajc")
    return points


def _rests_on_ankle(item: MetricDefinition, hitter: Hitter) -> bool:
    """Return whether a metric is read from an ankle."""
    return any(name.endswith("ajc") for name in points_of(item, hitter))


def _shares_of_top(curves: Mapping[str, FloatArray]) -> dict[str, float]:
    """Return the noise of each curve (n,) in thousandths of its highest value."""
    if not curves:
        return {}
    values = np.array(list(curves.values())).T
    tops = np.where(np.isfinite(values), values, 0.0).max(axis=0, initial=0.0)
    noises = signals.rough_noise(values)
    return {
        name: noise / top * PER_MILLE if top > 0.0 else 0.0
        for name, noise, top in zip(curves, noises.tolist(), tops.tolist(), strict=True)
    }


def _center_noise(energy: Energetics) -> float:
    """Return the noise of one coordinate of the center of mass, mm."""
    if energy.center_of_mass is None:
        return 0.0
    noise = signals.rough_noise(energy.center_of_mass)
    return math.sqrt(float((noise**2).mean())) * 1000.0
