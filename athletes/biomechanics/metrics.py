"""The numbers of one swing, each with unit, window and, when missing, a reason."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from athletes.biomechanics import axes, bat, momentum, sequence, signals
from athletes.biomechanics.definitions import METRICS
from athletes.biomechanics.events import Found
from athletes.biomechanics.motion import ENERGY_CUTOFF_HZ
from athletes.biomechanics.reading import (
    AFTER_BAT_PEAK_S,
    AFTER_HAND_PEAK_S,
    REFERENCE_WORDS,
    START_BACK_S,
    Reading,
    leg_length,
)
from athletes.biomechanics.results import FloatArray, MetricValue
from athletes.biomechanics.signals import Peak
from athletes.biomechanics.units import MS_PER_S

EVENT_WORDS = {
    "load": "load",
    "first_move": "first move",
    "foot_down": "foot down",
    "reference": "the reference",
    "peak_hand_speed": "peak hand speed",
}
FOOT_DOWN_WORDS = {
    "vendor_norm_time": "the vendor's",
    "ankle_settles": "lead ankle at rest",
    "manual": "set by hand",
}
# What still means something when the turn was a throw.
ONE_HANDED = frozenset(
    {
        "peak_pelvis_omega",
        "peak_torso_omega",
        "t_peak_pelvis",
        "t_peak_torso",
        "gap_pelvis_torso",
        "gain_torso_pelvis",
        "decel_pelvis",
        "pelvis_rot_fd",
        "pelvis_rot_ref",
        "torso_rot_fd",
        "torso_rot_ref",
        "pelvis_turn_fd_ref",
        "torso_turn_fd_ref",
        "x_factor_fd",
        "x_factor_ref",
        "x_factor_max",
        "t_x_factor_max",
        "stride_spread_pct",
        "stride_spread_leg",
        "stride_travel_pct",
        "lead_knee_flex_fd",
        "lead_knee_flex_ref",
        "lead_knee_ext",
        "lead_knee_ext_rate",
        "side_bend_ref",
        "side_bend_max",
        "fwd_bend_fd",
        "fwd_bend_ref",
        "head_fwd",
        "head_drop",
        "pelvis_fwd",
        "pelvis_fwd_fd_ref",
        "com_speed_max",
        "time_to_ref",
        "tempo",
        "tempo_load_fd",
        "tempo_fd_ref",
    }
)


def window_text(metric_id: str, rule: str | None, foot_down: str | None) -> str:
    """Return a metric's window, naming what reference and foot down stand for.

    Values taken at another event are other numbers, however alike their names.
    """
    text = METRICS[metric_id].window
    notes = []
    if rule is not None and "reference" in text:
        notes.append(f"reference = {REFERENCE_WORDS[rule]}")
    if foot_down is not None and "foot down" in text:
        notes.append(f"foot down = {FOOT_DOWN_WORDS[foot_down]}")
    return f"{text} ({'; '.join(notes)})" if notes else text


class Sheet:
    """Collects metric values; every value goes through its definition."""

    def __init__(self, rule: str | None, foot_down: str | None) -> None:
        self.rule = rule
        self.foot_down = foot_down
        self.values: dict[str, MetricValue] = {}

    def put(
        self,
        metric_id: str,
        value: float | str | None,
        reason: str | None = None,
        *,
        flagged: bool = False,
    ) -> None:
        """Set one metric; a number outside its plausible range is flagged, not cut."""
        definition = METRICS[metric_id]
        if isinstance(value, float | int) and not isinstance(value, bool):
            value = float(value)
            if not math.isfinite(value):
                value, reason = None, reason or "could not be computed"
        if value is None:
            reason = reason or "could not be computed"
        elif isinstance(value, float) and definition.plausible is not None:
            least, most = definition.plausible
            if not least <= value <= most:
                flagged = True
                reason = (
                    f"outside {least:g} to {most:g} {definition.unit}: probably a "
                    "tracking fault"
                )
        self.values[metric_id] = MetricValue(
            value=value,
            unit=definition.unit,
            reason=reason,
            flagged=flagged and value is not None,
            window=window_text(metric_id, self.rule, self.foot_down),
        )

    def number(self, metric_id: str) -> float | None:
        """Return a number already set, ``None`` if missing."""
        value = self.values.get(metric_id)
        return value.value if value and isinstance(value.value, float) else None

    def reason(self, *metric_ids: str) -> str | None:
        """Return why the first missing one of these is missing."""
        for metric_id in metric_ids:
            value = self.values.get(metric_id)
            if value is not None and value.value is None:
                return value.reason
        return None


def empty_metrics(reason: str) -> dict[str, MetricValue]:
    """Return every metric as missing for one reason."""
    return {
        metric_id: MetricValue(None, item.unit, reason, False, item.window)
        for metric_id, item in METRICS.items()
    }


def compute_metrics(
    reading: Reading, *, height_m: float | None, mass_kg: float | None
) -> dict[str, MetricValue]:
    """Return all metrics of a reading, in the order of `definitions.METRICS`."""
    if reading.kind == "not_swing":
        return empty_metrics(reading.kind_reason or "this is not a swing")
    foot_down = reading.events["foot_down"]
    sheet = Sheet(
        reading.reference_rule,
        None if foot_down.position is None else foot_down.rule,
    )
    taker = _Taker(reading, sheet, height_m, mass_kg)
    for step in (
        taker.turn_rates,
        taker.order,
        taker.rotation,
        taker.legs,
        taker.posture,
        taker.hands,
        taker.bat,
        taker.timing,
        taker.momentum,
        taker.energy,
    ):
        step()
    if reading.kind == "one_handed":
        reason = reading.kind_reason or "not a bat swing"
        for metric_id in METRICS:
            if metric_id not in ONE_HANDED:
                sheet.put(metric_id, None, reason)
    return {metric_id: sheet.values[metric_id] for metric_id in METRICS}


def _no_event(found: Found | None, name: str) -> str:
    words = EVENT_WORDS[name]
    if found is None or found.reason is None:
        return f"{words} was not found"
    return f"{words} was not found: {found.reason}"


class _Taker:
    """Takes numbers from one reading onto one sheet."""

    def __init__(
        self,
        reading: Reading,
        sheet: Sheet,
        height_m: float | None,
        mass_kg: float | None,
    ) -> None:
        self.r = reading
        self.sheet = sheet
        self.height_m = height_m
        self.mass_kg = mass_kg
        self.peaks: dict[str, Peak] = {}
        self.ref = reading.position("reference")
        self.fd = reading.position("foot_down")
        self.fm = reading.position("first_move")
        self.load = reading.position("load")
        self.start: float | None = None
        if self.ref is not None:
            self.start = max(
                float(reading.low), self.ref - START_BACK_S * reading.rate_hz
            )

    # -- helpers --------------------------------------------------------------

    def missing_event(self, *names: str) -> str | None:
        """Return the reason if one of the events has no time."""
        for name in names:
            if self.r.position(name) is None:
                return _no_event(self.r.events.get(name), name)
        return None

    def before_ref_ms(self, position: float) -> float:
        """Return how long before the reference a position lies."""
        if self.ref is None:
            raise ValueError("there is no reference to measure from")
        return (self.ref - position) / self.r.rate_hz * MS_PER_S

    def peak(
        self,
        key: str,
        metric_id: str,
        time_id: str | None,
        series: FloatArray,
        window: tuple[int, int] | None,
        points: Sequence[str],
        *,
        limit: int | None = None,
        open_end: bool = False,
        reason: str | None = None,
    ) -> None:
        """Put value and time of a peak.

        Parameters
        ----------
        open_end : bool
            The window ends at an impact: rising there is no fault.
        """
        if reason is None and window is None:
            reason = self.missing_event("reference", "first_move")
        found = None
        if reason is None and window is not None:
            found = signals.find_peak(series, *window, limit=limit)
            if found is None:
                reason = (
                    self.r.why(points, *window)
                    or "it could not be followed through the swing"
                )
        if found is None:
            self.sheet.put(metric_id, None, reason)
            if time_id is not None:
                self.sheet.put(time_id, None, reason)
            return
        edge = found.at_edge and not (
            open_end and window is not None and found.index == window[1]
        )
        why = "still rising at the edge of its window: a bound, not a peak"
        self.peaks[key] = found
        self.sheet.put(metric_id, found.value, why if edge else None, flagged=edge)
        if time_id is not None:
            self.sheet.put(
                time_id,
                self.before_ref_ms(found.position),
                why if edge else None,
                flagged=edge,
            )

    def at(
        self,
        metric_id: str,
        series: FloatArray | None,
        event: str,
        points: Sequence[str],
        *,
        reason: str | None = None,
    ) -> float | None:
        """Put and return the value of a curve at an event."""
        reason = self.missing_event(event) or reason
        position = self.r.position(event)
        value = None
        if reason is None and series is not None and position is not None:
            value = signals.value_at(series, position)
            if value is None:
                reason = self.r.why(points, position, position)
        self.sheet.put(metric_id, value, reason)
        return value

    def ratio(
        self, metric_id: str, top: str, bottom: str, *, factor: float = 1.0
    ) -> None:
        """Put the ratio of two metrics; a flagged part makes the ratio flagged."""
        a, b = self.sheet.number(top), self.sheet.number(bottom)
        if a is None or b is None or b <= 0.0:
            self.sheet.put(metric_id, None, self.sheet.reason(top, bottom))
            return
        flagged = any(self.sheet.values[name].flagged for name in (top, bottom))
        self.sheet.put(
            metric_id,
            factor * a / b,
            "one of its parts is not plausible" if flagged else None,
            flagged=flagged,
        )

    # -- groups ---------------------------------------------------------------

    def turn_rates(self) -> None:
        """Peaks of turn rates and their times."""
        r = self.r
        window = r.sequence_window()
        hips, shoulders = ("lhjc", "rhjc"), ("lsjc", "rsjc")
        self.peak(
            "P", "peak_pelvis_omega", "t_peak_pelvis", r.pelvis_rate, window, hips
        )
        self.peak(
            "T", "peak_torso_omega", "t_peak_torso", r.torso_rate, window, shoulders
        )
        for key, metric, time, limb, ends in (
            ("A", "peak_lead_arm_omega", "t_peak_lead_arm", "lead_arm", ("sjc", "ejc")),
            (
                "F",
                "peak_lead_forearm_omega",
                "t_peak_lead_forearm",
                "lead_forearm",
                ("ejc", "wjc"),
            ),
        ):
            self.peak(
                key,
                metric,
                time,
                r.limb_rate(limb),
                window,
                [r.lead(end) for end in ends],
            )
        self.peak(
            "H",
            "peak_hand_omega",
            "t_peak_hand_omega",
            r.limb_rate("hand"),
            window,
            [r.lead("wjc")],
            reason="no point of the hand beyond the wrist was tracked"
            if r.motion.hand_is == "wrists"
            else None,
        )
        self.peak(
            "B",
            "peak_bat_omega",
            "t_peak_bat",
            r.pelvis_rate if r.bat is None else r.bat.rate,
            self.bat_window(),
            (),
            limit=None if r.bat is None else r.bat.last - 1,
            open_end=r.reference_rule == "contact",
            reason=r.bat_reason,
        )
        pelvis = self.peaks.get("P")
        drop, reason = None, self.sheet.reason("peak_pelvis_omega")
        if pelvis is not None and self.ref is not None:
            now = signals.value_at(r.pelvis_rate, self.ref)
            if now is not None and self.ref >= pelvis.index:
                drop = (pelvis.value - now) / pelvis.value * 100.0
            else:
                reason = "the pelvis peaks after the reference"
        self.sheet.put("decel_pelvis", drop, reason)
        for metric, top, bottom in (
            ("gain_torso_pelvis", "peak_torso_omega", "peak_pelvis_omega"),
            ("gain_arm_torso", "peak_lead_arm_omega", "peak_torso_omega"),
            ("gain_hand_arm", "peak_hand_omega", "peak_lead_arm_omega"),
            ("gain_bat_hand", "peak_bat_omega", "peak_hand_omega"),
            ("gain_bat_torso", "peak_bat_omega", "peak_torso_omega"),
        ):
            self.ratio(metric, top, bottom)

    def bat_window(self) -> tuple[int, int] | None:
        """First move to the reference, a little on when no impact is known.

        The peak of bat speed is the reference then, and its highest sample may lie a
        sample or two after the centroid that gives its time.
        """
        if self.fm is None or self.ref is None:
            return None
        end = self.ref
        if self.r.reference_rule == "bat_peak":
            end += AFTER_BAT_PEAK_S * self.r.rate_hz
        elif self.r.reference_rule == "hand_peak":
            end += AFTER_HAND_PEAK_S * self.r.rate_hz
        return self.r.window(self.fm, end)

    def order(self) -> None:
        """Order of the peaks and gaps between them."""
        rate = self.r.rate_hz
        ids = {
            "P": "t_peak_pelvis",
            "T": "t_peak_torso",
            "A": "t_peak_lead_arm",
            "B": "t_peak_bat",
        }
        for metric, before, after in (
            ("gap_pelvis_torso", "P", "T"),
            ("gap_torso_arm", "T", "A"),
            ("gap_arm_bat", "A", "B"),
        ):
            first, second = self.peaks.get(before), self.peaks.get(after)
            if first is None or second is None:
                self.sheet.put(metric, None, self.sheet.reason(ids[before], ids[after]))
                continue
            flagged = any(self.sheet.values[ids[k]].flagged for k in (before, after))
            self.sheet.put(
                metric,
                (second.position - first.position) / rate * MS_PER_S,
                "one of the peaks lies at the edge of its window" if flagged else None,
                flagged=flagged,
            )
        lost = self.sheet.reason("t_peak_pelvis", "t_peak_torso", "t_peak_lead_arm")
        edge = any(
            self.sheet.values[ids[key]].flagged for key in ids if key in self.peaks
        )
        if lost is not None or edge:
            self.sheet.put(
                "seq_order",
                None,
                lost or "one of the peaks lies at the edge of its window",
            )
            return
        self.sheet.put(
            "seq_order",
            sequence.sequence_order(
                {
                    key: self.peaks[key].position / rate
                    for key in sequence.LETTERS
                    if key in self.peaks
                }
            ),
        )

    def rotation(self) -> None:
        """Rotation to the stride line, turn, separation."""
        r, sheet = self.r, self.sheet
        no_axis = (
            str(r.findings["vertical"].text)
            if r.vertical is None
            else str(r.findings["forward"].text)
            if r.forward is None
            else None
        )
        for part, points in (
            ("pelvis", ("lhjc", "rhjc")),
            ("torso", ("lsjc", "rsjc")),
        ):
            angle = r.rotation(part)
            at_fd = self.at(
                f"{part}_rot_fd", angle, "foot_down", points, reason=no_axis
            )
            at_ref = self.at(
                f"{part}_rot_ref", angle, "reference", points, reason=no_axis
            )
            if angle is None and r.vertical is not None:
                # A turn needs no zero: any level direction does.
                heading = r.heading(part)
                at_fd, at_ref = (
                    None
                    if (at := r.position(event)) is None
                    else signals.value_at(heading, at)
                    for event in ("foot_down", "reference")
                )
            sheet.put(
                f"{part}_turn_fd_ref",
                None if at_fd is None or at_ref is None else at_ref - at_fd,
                self.missing_event("reference", "foot_down")
                or sheet.reason(f"{part}_rot_fd", f"{part}_rot_ref"),
            )
        x = r.separation
        four = ("lhjc", "rhjc", "lsjc", "rsjc")
        self.at("x_factor_fd", x, "foot_down", four)
        self.at("x_factor_ref", x, "reference", four)
        top = None
        reason = self.missing_event("reference", "load")
        if reason is None and self.load is not None and self.ref is not None:
            window = r.window(self.load, self.ref)
            top = signals.find_extreme(x, *window)
            reason = r.why(four, *window) if top is None else None
        sheet.put("x_factor_max", None if top is None else top[0], reason)
        sheet.put(
            "t_x_factor_max",
            None if top is None else self.before_ref_ms(top[1]),
            reason,
        )
        growth = None
        reason = self.missing_event("reference", "first_move")
        if reason is None and self.fm is not None and self.ref is not None:
            window = r.window(self.fm, self.ref)
            after = signals.find_extreme(x, *window)
            at_start = signals.value_at(x, self.fm)
            if after is not None and at_start is not None:
                growth = max(after[0], at_start) - at_start
            else:
                reason = r.why(four, *window)
        sheet.put("x_factor_stretch", growth, reason)
        zero, reason = None, sheet.reason("x_factor_max")
        if top is not None and self.ref is not None:
            if top[0] <= 0.0:
                reason = "the pelvis never gets ahead of the shoulders"
            else:
                position = signals.first_fall_through(
                    x, 0.0, math.ceil(top[1]), r.window(0, self.ref)[1]
                )
                if position is None:
                    reason = "the shoulders have not caught up by the reference"
                else:
                    zero = self.before_ref_ms(position)
        sheet.put("x_factor_zero", zero, reason)

    def legs(self) -> None:
        """Feet, lead knee, rear elbow."""
        r, sheet = self.r, self.sheet
        lead_ankle, rear_ankle = r.limbs[r.lead("ajc")], r.limbs[r.rear("ajc")]
        ankles = (r.lead("ajc"), r.rear("ajc"))
        reason = self.missing_event("foot_down")
        spread = travel = None
        if r.vertical is None:
            reason = reason or r.findings["vertical"].text
        elif self.fd is not None and self.start is not None:
            line = signals.rows_at(lead_ankle - rear_ankle, self.fd)
            here = signals.rows_at(lead_ankle, self.fd)
            there = signals.rows_at(lead_ankle, self.start)
            if line is not None:
                spread = _size(axes.horizontal(line, r.vertical))
            if here is not None and there is not None:
                travel = _size(axes.horizontal(here - there, r.vertical))
            if spread is None or travel is None:
                reason = r.why(ankles, self.start, self.fd)
        leg = leg_length(r)
        sheet.put(
            "stride_spread_leg",
            None if spread is None or leg is None else spread / leg * 100.0,
            reason or r.why([r.lead("kjc")], 0, 0),
        )
        no_height = None
        if r.motion.scale is None:
            no_height = r.motion.scale_finding.text
        elif self.height_m is None:
            no_height = "the athlete's height is not known"
        for metric, value in (
            ("stride_spread_pct", spread),
            ("stride_travel_pct", travel),
        ):
            sheet.put(
                metric,
                None
                if value is None or no_height is not None or self.height_m is None
                else value / self.height_m * 100.0,
                reason or no_height,
            )
        knee = r.flexion("lead", "knee")
        chain = [r.lead(name) for name in ("hjc", "kjc", "ajc")]
        at_fd = self.at("lead_knee_flex_fd", knee, "foot_down", chain)
        at_ref = self.at("lead_knee_flex_ref", knee, "reference", chain)
        sheet.put(
            "lead_knee_ext",
            None if at_fd is None or at_ref is None else at_fd - at_ref,
            sheet.reason("lead_knee_flex_fd", "lead_knee_flex_ref"),
        )
        rate, reason = None, self.missing_event("foot_down", "reference")
        if reason is None and self.fd is not None and self.ref is not None:
            window = r.window(self.fd, self.ref)
            top = signals.find_extreme(
                -signals.derivative(knee, sampling_rate_hz=r.rate_hz), *window
            )
            rate = None if top is None else top[0]
            reason = r.why(chain, *window) if top is None else None
        sheet.put("lead_knee_ext_rate", rate, reason)
        self.at(
            "rear_elbow_flex_fd",
            r.flexion("rear", "elbow"),
            "foot_down",
            [r.rear(name) for name in ("sjc", "ejc", "wjc")],
        )

    def posture(self) -> None:
        """Bends of the trunk, travel of head and pelvis, body speed."""
        r, sheet = self.r, self.sheet
        no_up = r.findings["vertical"].text if r.vertical is None else None
        points = ("lhjc", "rhjc", "lsjc", "rsjc")
        sideways, ahead = r.bend("side"), r.bend("forward")
        self.at("side_bend_ref", sideways, "reference", points, reason=no_up)
        self.at("fwd_bend_fd", ahead, "foot_down", points, reason=no_up)
        self.at("fwd_bend_ref", ahead, "reference", points, reason=no_up)
        top, reason = None, self.missing_event("reference", "load") or no_up
        if (
            reason is None
            and sideways is not None
            and self.load is not None
            and self.ref is not None
        ):
            window = r.window(self.load, self.ref)
            top = signals.find_extreme(sideways, *window)
            reason = r.why(points, *window) if top is None else None
        sheet.put("side_bend_max", None if top is None else top[0], reason)

        head = r.body.mid_shoulder if "head" in r.motion.absent else r.trunk["head"]
        no_unit = r.motion.scale_finding.text if r.motion.scale is None else None
        no_forward = no_up or (
            r.findings["forward"].text if r.forward is None else None
        )
        note = (
            "measured at the middle of the shoulders: no head was tracked"
            if "head" in r.motion.absent
            else None
        )
        self.travel(
            "head_fwd",
            head,
            "first_move",
            "reference",
            r.forward,
            no_unit or no_forward,
            note,
        )
        down = None if r.vertical is None else -r.vertical
        self.travel(
            "head_drop", head, "first_move", "reference", down, no_unit or no_up, note
        )
        self.travel(
            "pelvis_fwd",
            r.body.mid_hip,
            "start",
            "foot_down",
            r.forward,
            no_unit or no_forward,
            None,
        )
        self.travel(
            "pelvis_fwd_fd_ref",
            r.body.mid_hip,
            "foot_down",
            "reference",
            r.forward,
            no_unit or no_forward,
            None,
        )

        speed = r.com_speed()
        value, reason = None, self.missing_event("reference")
        if speed is None:
            reason = "the file has no centre of mass"
        elif self.ref is not None and self.start is not None:
            found = signals.find_peak(
                speed, *r.window(self.start, self.ref + 0.15 * r.rate_hz)
            )
            value = None if found is None else found.value
            reason = None if found else "the centre of mass has gaps"
        sheet.put("com_speed_max", value, reason)

    def travel(
        self,
        metric_id: str,
        points: FloatArray,
        start: str,
        end: str,
        direction: FloatArray | None,
        reason: str | None,
        note: str | None,
    ) -> None:
        """Put the way of a point along a direction between two events."""
        names = [name for name in (start, end) if name != "start"]
        reason = self.missing_event("reference", *names) or reason
        value = None
        first = self.start if start == "start" else self.r.position(start)
        last = self.r.position(end)
        if (
            reason is None
            and direction is not None
            and first is not None
            and last is not None
        ):
            a, b = signals.rows_at(points, first), signals.rows_at(points, last)
            if a is not None and b is not None:
                value = float((b - a) @ direction)
            else:
                reason = "the point is missing at one of the events"
        self.sheet.put(metric_id, value, note if value is not None else reason)

    def hands(self) -> None:
        """Hand speed and smoothness."""
        r, sheet = self.r, self.sheet
        window = None
        if self.fm is not None and self.ref is not None:
            window = r.window(self.fm, self.ref + AFTER_HAND_PEAK_S * r.rate_hz)
        no_unit = r.motion.scale_finding.text if r.motion.scale is None else None
        kind = "hand" if r.motion.hand_is == "hands" else "wjc"
        left, right = "l" + kind, "r" + kind
        for metric, series, points in (
            ("peak_hand_speed", r.hand_speed, (left, right)),
            ("peak_hand_speed_lead", r.lead_hand_speed, (r.lead(kind),)),
            ("peak_hand_speed_rear", r.rear_hand_speed, (r.rear(kind),)),
        ):
            self.peak(metric, metric, None, series, window, points, reason=no_unit)
        position = r.position("peak_hand_speed")
        sheet.put(
            "t_peak_hand",
            None
            if position is None or self.ref is None
            else 0.0
            if r.reference_rule == "hand_peak"
            else self.before_ref_ms(position),
            self.missing_event("reference", "peak_hand_speed"),
        )
        value, reason = None, self.missing_event("first_move", "peak_hand_speed")
        if self.fm is not None and position is not None:
            value = _log_dimensionless_jerk(
                r.hand_speed, self.fm, position, sampling_rate_hz=r.rate_hz
            )
            reason = r.why((left, right), self.fm, position)
        sheet.put("hand_smoothness", value, reason)

    def bat(self) -> None:
        """Speed, direction, plane and path of the bat."""
        r, sheet, moving = self.r, self.sheet, self.r.bat
        ids = (
            "bat_speed_max",
            "bat_speed_ref",
            "attack_angle",
            "attack_direction",
            "swing_tilt",
            "bat_path_length",
        )
        if moving is None:
            for metric_id in ids:
                sheet.put(metric_id, None, r.bat_reason or "no bat was tracked")
            return
        no_unit = r.motion.scale_finding.text if r.motion.scale is None else None
        no_up = r.findings["vertical"].text if r.vertical is None else None
        no_ref = self.missing_event("reference")
        early = None
        if r.reference_rule in ("hand_peak", "manual") and no_ref is None:
            early = (
                "the reference is peak hand speed, long before the bat is at its "
                "fastest"
                if r.reference_rule == "hand_peak"
                else None
            )
        no_spot = (
            "the sweet spot needs a length unit" if moving.sweet_spot is None else None
        )
        self.peak(
            "bat_speed",
            "bat_speed_max",
            None,
            r.hand_speed if moving.speed is None else moving.speed,
            self.bat_window(),
            (),
            limit=moving.last,
            open_end=r.reference_rule == "contact",
            reason=no_unit or no_spot or early,
        )
        self.at(
            "bat_speed_ref",
            moving.speed,
            "reference",
            (),
            reason=no_unit or no_spot or early,
        )
        angle = direction = tilt = None
        if self.ref is not None and r.vertical is not None and early is None:
            angle = bat.attack_angle(
                moving,
                reference=self.ref,
                vertical=r.vertical,
                sampling_rate_hz=r.rate_hz,
            )
            tilt = bat.swing_tilt(
                moving,
                reference=self.ref,
                vertical=r.vertical,
                sampling_rate_hz=r.rate_hz,
            )
            if r.forward is not None:
                direction = bat.attack_direction(
                    moving,
                    reference=self.ref,
                    vertical=r.vertical,
                    forward=r.forward,
                    hand=r.hand,
                )
        common = no_ref or no_up or no_spot or early
        lost = "the bat is lost just before the reference"
        sheet.put("attack_angle", angle, None if angle is not None else common or lost)
        sheet.put(
            "attack_direction",
            direction,
            None
            if direction is not None
            else common or (r.findings["forward"].text if r.forward is None else lost),
        )
        sheet.put(
            "swing_tilt",
            tilt,
            None if tilt is not None else common or "fewer than four samples in 40 ms",
        )
        length = None
        reason = self.missing_event("reference", "first_move") or no_unit or early
        if moving.tip is None:
            reason = reason or "the tip of the bat was not tracked"
        elif reason is None and self.fm is not None and self.ref is not None:
            length = bat.path_length(moving.tip, start=self.fm, end=self.ref)
            reason = None if length is not None else lost
        sheet.put("bat_path_length", length, reason)

    def timing(self) -> None:
        """Durations between events."""
        per_ms = MS_PER_S / self.r.rate_hz

        def between(metric_id: str, first: str, last: str) -> float | None:
            a, b = self.r.position(first), self.r.position(last)
            reason = self.missing_event(first, last)
            value = None if a is None or b is None else (b - a) * per_ms
            if value is not None and value < 0.0:
                value, reason = (
                    None,
                    (f"{EVENT_WORDS[first]} lies after {EVENT_WORDS[last]}"),
                )
            self.sheet.put(metric_id, value, reason)
            return value

        between("time_to_ref", "first_move", "reference")
        early = between("tempo_load_fd", "load", "foot_down")
        late = between("tempo_fd_ref", "foot_down", "reference")
        self.sheet.put(
            "tempo",
            early / late if early is not None and late else None,
            self.sheet.reason("tempo_load_fd", "tempo_fd_ref"),
        )

    # -- momentum and energy ---------------------------------------------------

    def _me_window(self) -> tuple[int, int] | None:
        if self.fm is None or self.ref is None:
            return None
        return self.r.window(self.fm, self.ref + AFTER_HAND_PEAK_S * self.r.rate_hz)

    def _me_reason(self, key: str) -> str | None:
        if key.endswith("_bat") and self.r.bat_reason is not None:
            hidden = momentum.bat_out_of_range
            anchor = self.r.position("peak_hand_speed")
            if anchor is not None:
                rate = self.r.rate_hz
                found = hidden(
                    self.r.energetics,
                    low=math.floor(anchor - 0.2 * rate),
                    high=math.ceil(anchor + 0.1 * rate),
                )
                if found is not None:
                    return found
        return self.r.energetics.missing.get(key)

    def _me_peaks(
        self, kind: str, groups: Sequence[str], series: Callable[[str], FloatArray]
    ) -> None:
        window = self._me_window()
        for group in groups:
            key = f"{kind}_{group}"
            reason = self._me_reason(key)
            self.peak(
                key,
                f"peak_{key}",
                f"t_peak_{key}",
                self.r.pelvis_rate if reason else series(group),
                window,
                (),
                reason=reason,
            )

    def momentum(self) -> None:
        """Angular momentum."""
        values = self.r.energetics.momentum
        groups = ("pelvis", "torso", "arms", "bat")
        self._me_peaks("L", groups, lambda group: values[group])
        for metric, top, bottom in (
            ("L_ratio_torso_pelvis", "torso", "pelvis"),
            ("L_ratio_arms_torso", "arms", "torso"),
            ("L_ratio_bat_arms", "bat", "arms"),
        ):
            self.ratio(metric, f"peak_L_{top}", f"peak_L_{bottom}")
        lost = next(
            (
                reason
                for group in groups
                if (reason := self._me_reason(f"L_{group}")) is not None
            ),
            None,
        )
        for group in groups:
            found = self.peaks.get(f"L_{group}")
            share, reason = None, lost or self.sheet.reason(f"peak_L_{group}")
            if reason is None and found is not None:
                parts = [float(values[name][found.index]) for name in groups]
                total = sum(parts)
                share = (
                    float(values[group][found.index]) / total * 100.0
                    if math.isfinite(total) and total > 0
                    else None
                )
            self.sheet.put(f"L_share_{group}", share, reason)

    def energy(self) -> None:
        """Kinetic energy."""
        r, sheet = self.r, self.sheet
        values = r.energetics.energy
        groups = ("lower", "torso", "arms", "bat", "total")
        self._me_peaks("KE", groups, lambda group: values[group])
        for metric, top, bottom in (
            ("KE_ratio_torso_lower", "torso", "lower"),
            ("KE_ratio_arms_torso", "arms", "torso"),
            ("KE_ratio_bat_arms", "bat", "arms"),
        ):
            self.ratio(metric, f"peak_KE_{top}", f"peak_KE_{bottom}")
        share = None
        reason = (
            self._me_reason("KE_bat")
            or self._me_reason("KE_total")
            or self.missing_event("reference")
        )
        if reason is None and self.ref is not None:
            part = signals.value_at(values["bat"], self.ref)
            whole = signals.value_at(values["total"], self.ref)
            if part is None or not whole:
                reason = "energy is missing at the reference"
            elif part > whole:
                reason = "the bat is given more energy than the whole"
            else:
                share = part / whole * 100.0
        sheet.put("KE_share_bat_ref", share, reason)
        window = None
        if self.fm is not None and self.ref is not None:
            window = r.window(self.fm, self.ref)
        wanted = [group for group in groups if self._me_reason(f"KE_{group}") is None]
        rates: dict[str, FloatArray] = {}
        if wanted:
            block = momentum.energy_rate(
                np.column_stack([values[group] for group in wanted]),
                clock=r.clock,
                cutoff_hz=ENERGY_CUTOFF_HZ,
            )
            rates = {group: block[:, place] for place, group in enumerate(wanted)}
        mass = self.mass_kg or r.energetics.mass_kg
        for group in groups:
            reason = self._me_reason(f"KE_{group}") or self.missing_event(
                "reference", "first_move"
            )
            fastest: float | None = None
            if reason is None and window is not None:
                extreme = signals.find_extreme(rates[group], *window)
                fastest = None if extreme is None else extreme[0]
                reason = "energy has gaps in the swing" if extreme is None else None
            sheet.put(f"KE_rate_max_{group}", fastest, reason)
            peak = sheet.values[f"peak_KE_{group}"]
            sheet.put(
                f"KE_per_kg_{group}",
                None
                if not isinstance(peak.value, float) or mass is None
                else peak.value / mass,
                peak.reason
                if not isinstance(peak.value, float) or peak.flagged
                else None
                if mass is not None
                else "the athlete's mass is not known",
                flagged=peak.flagged,
            )
        drop, reason = None, sheet.reason("peak_KE_lower")
        lower = self.peaks.get("KE_lower")
        if lower is not None and self.ref is not None:
            now = signals.value_at(values["lower"], self.ref)
            if now is not None and lower.index <= self.ref:
                drop = (lower.value - now) / lower.value * 100.0
            else:
                reason = "the lower half peaks after the reference"
        sheet.put("KE_lower_drop", drop, reason)


def _size(vector: FloatArray) -> float:
    return float(np.sqrt(vector @ vector))


def _log_dimensionless_jerk(
    speed: FloatArray, start: float, end: float, *, sampling_rate_hz: float
) -> float | None:
    """Log dimensionless jerk of a speed between two positions; nearer 0 = smoother.

    ``−ln((t₂ − t₁)³ / v_peak² · ∫ (d²v/dt²)² dt)`` (doi 10.1186/s12984-015-0090-9).
    """
    low, high = math.ceil(start), math.floor(end)
    if high - low < 5:
        return None
    jerk = signals.derivative(
        signals.derivative(speed, sampling_rate_hz=sampling_rate_hz),
        sampling_rate_hz=sampling_rate_hz,
    )[low : high + 1]
    top = float(speed[low : high + 1].max())
    squares = jerk**2
    area = float((0.5 * (squares[1:] + squares[:-1])).sum()) / sampling_rate_hz
    lasting = (high - low) / sampling_rate_hz
    size = lasting**3 / top**2 * area if top > 0 else math.nan
    return -math.log(size) if math.isfinite(size) and size > 0 else None
