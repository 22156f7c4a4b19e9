"""Measure one swing: values at events, peaks in windows, ratios."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biomechanics import axes, peaks
from biomechanics.analysis_types import FloatArray
from biomechanics.basis import STRIDE_LINE
from biomechanics.events import (
    AFTER_HAND_PEAK_S,
    CONTACT_NEAR_IMPACT_S,
    FoundEvent,
)
from biomechanics.metrics.values import EVENT_WORDS, MetricValues
from biomechanics.observed_swing import ObservedSwing
from biomechanics.peaks import Peak
from biomechanics.units import DEG_PER_RAD, MS_PER_S

AFTER_BAT_PEAK_S = 0.010
START_BACK_S = 1.5


def _no_event(found: FoundEvent | None, name: str) -> str:
    """Return why an event has no time, as part of a sentence."""
    words = EVENT_WORDS[name]
    if found is None or found.reason is None:
        return f"{words} was not found"
    return f"{words} was not found: {found.reason}"


@dataclass(frozen=True, slots=True, eq=False)
class PeakCurve:
    """The curve in which a peak was found, samples (n,), and where.

    Attributes
    ----------
    metric_id, time_id : str
        Metrics of the peak's value and time.
    limit : int or None
        Last sample that the time may use.
    """

    metric_id: str
    time_id: str
    series: FloatArray
    window: tuple[int, int]
    limit: int | None


class SwingMeasurer:
    """What measures one swing and collects the values.

    Attributes
    ----------
    swing : ObservedSwing
    hitter : Hitter
    values : MetricValues
    height_m, mass_kg : float or None
        Of the athlete.
    peaks : dict of str to Peak
        Peaks found so far.
    peak_curves : dict of str to PeakCurve
        Where each of them was found.
    reference, foot_down, first_move, load : float or None
        Samples of the events.
    start : float or None
        Sample 1.5 s before the reference, or the first usable one.
    """

    def __init__(
        self,
        swing: ObservedSwing,
        values: MetricValues,
        height_m: float | None,
        mass_kg: float | None,
    ) -> None:
        self.swing = swing
        self.hitter = swing.hitter
        self.values = values
        self.height_m = height_m
        self.mass_kg = mass_kg
        self.peaks: dict[str, Peak] = {}
        self.peak_curves: dict[str, PeakCurve] = {}
        self.reference = swing.events.position("reference")
        self.foot_down = swing.events.position("foot_down")
        self.first_move = swing.events.position("first_move")
        self.load = swing.events.position("load")
        self._stride_heading: FloatArray | None = None
        self.start: float | None = None
        if self.reference is not None:
            self.start = max(
                float(self.hitter.low),
                self.reference - START_BACK_S * self.hitter.rate_hz,
            )

    @property
    def no_unit(self) -> str | None:
        """The reason why lengths are not in meters, ``None`` when they are."""
        motion = self.hitter.motion
        return motion.scale_finding.text if motion.scale is None else None

    @property
    def no_vertical(self) -> str | None:
        """The reason why it is not known which way is up, ``None`` when it is."""
        found = self.swing.findings["vertical"]
        return found.text if self.swing.vertical is None else None

    @property
    def no_forward(self) -> str | None:
        """The reason why there is no forward direction, ``None`` when there is one."""
        found = self.swing.findings["forward"]
        return self.no_vertical or (found.text if self.swing.forward is None else None)

    def missing_event(self, *names: str) -> str | None:
        """Return why one of the events has no time, ``None`` if all have one."""
        for name in names:
            if self.swing.events.position(name) is None:
                return _no_event(self.swing.events.found.get(name), name)
        return None

    def before_reference_ms(self, position: float) -> float:
        """Return how long before the reference a sample lies, ms.

        Raises
        ------
        ValueError
            There is no reference.
        """
        if self.reference is None:
            raise ValueError("There is no reference; check for it before measuring.")
        return (self.reference - position) / self.hitter.rate_hz * MS_PER_S

    def put_peak(
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
        doubt: str | None = None,
        reference_error_ms: float | None = None,
    ) -> None:
        """Set value and time of a peak, and keep it in `peaks`.

        Parameters
        ----------
        key : str
            Name in `peaks`.
        metric_id, time_id : str
            Metrics of the value and of its time before the reference.
        series : ndarray, shape (n,)
        window : (int, int) or None
            First and last sample; ``None`` when its events are missing.
        points : sequence of str
            Points behind the curve, by which a gap is explained.
        limit : int, optional
            Last sample that the time of the peak may use.
        open_end : bool
            The window ends at an impact: rising there is no fault.
        reason : str, optional
            Why the curve cannot be measured.
        doubt : str, optional
            Why the value is shown but flagged.
        reference_error_ms : float, optional
            How unsure the time is of the reference; without it as the reference is.
        """
        if reason is None and window is None:
            reason = self.missing_event("reference", "first_move")
        found = None
        if reason is None and window is not None:
            found = peaks.find_peak(series, *window, limit=limit)
            if found is None:
                reason = (
                    self.hitter.why_missing(points, *window)
                    or "it could not be followed through the swing"
                )
        if found is None:
            self.values.put(metric_id, None, reason)
            if time_id is not None:
                self.values.put(time_id, None, reason)
            return
        edge = found.at_edge and not (
            open_end and window is not None and found.index == window[1]
        )
        why = "still rising at the edge of its window: the true peak may be higher"
        self.peaks[key] = found
        if window is not None and time_id is not None:
            self.peak_curves[key] = PeakCurve(metric_id, time_id, series, window, limit)
        self.values.put(
            metric_id,
            found.value,
            why if edge else doubt,
            flagged=edge or doubt is not None,
        )
        if open_end and window is not None and self.reference is not None:
            self.values.add_variance(metric_id, self._after_last(series, found, window))
        if time_id is not None:
            if reference_error_ms is None:
                reference_error_ms = self.error_ms("reference")
            self.values.add_variance(time_id, reference_error_ms)
            self.values.put(
                time_id,
                self.before_reference_ms(found.position),
                why if edge else None,
                flagged=edge,
            )

    def _after_last(
        self, series: FloatArray, found: Peak, window: tuple[int, int]
    ) -> float:
        """Return what a curve that rises to an impact gains after its last sample."""
        last = window[1]
        if found.index != last or last < 1 or self.reference is None:
            return 0.0
        rise = float(series[last] - series[last - 1])
        error = self.swing.events.error_s("reference") * self.hitter.rate_hz
        return max(rise, 0.0) * math.hypot(max(self.reference - last, 0.0), error)

    def put_value_at(
        self,
        metric_id: str,
        series: FloatArray | None,
        event: str,
        points: Sequence[str],
        *,
        reason: str | None = None,
    ) -> float | None:
        """Set and return the value of a curve at an event; see `put_peak`."""
        reason = self.missing_event(event) or reason
        position = self.swing.events.position(event)
        value = None
        if reason is None and series is not None and position is not None:
            value = peaks.value_at(series, position)
            if value is None:
                reason = self.hitter.why_missing(points, position, position)
        self.values.put(metric_id, value, reason)
        self.add_event_error(metric_id, series, event)
        return value

    def error_ms(self, event: str) -> float:
        """Return one standard deviation of an event, ms."""
        return self.swing.events.error_s(event) * MS_PER_S

    def add_event_error(
        self, metric_id: str, series: FloatArray | None, event: str
    ) -> None:
        """Add to a number what its curve changes within the error of its event."""
        position = self.swing.events.position(event)
        if series is None or position is None:
            return
        error = self.swing.events.error_s(event) * self.hitter.rate_hz
        # Half a sample on both sides at least: the slope, not the last digit.
        reach = max(error, 0.5)
        ends = [
            value
            for at in (position - reach, position + reach)
            if (value := peaks.value_at(series, at)) is not None
        ]
        middle = peaks.value_at(series, position)
        if middle is None or not ends:
            return
        change = max(abs(value - middle) for value in ends)
        self.values.add_variance(metric_id, change * error / reach)

    def add_error_at_reference(
        self, metric_id: str, series: FloatArray | None, position: float
    ) -> None:
        """Add what a curve that still grows at the reference changes within its error.

        Nothing where the largest value, at sample `position`, lies more than a sample
        before it.
        """
        if self.reference is not None and position > self.reference - 1.0:
            self.add_event_error(metric_id, series, "reference")

    def add_forward_error(self, *metric_ids: str, per_degree: float = 1.0) -> None:
        """Add what the stride line turns within the error of foot down, degrees.

        Nothing where forward is not the stride line.

        Parameters
        ----------
        per_degree : float
            How much the numbers change with a degree of forward.
        """
        heading = self._heading_of_stride()
        if heading is None:
            return
        for metric_id in metric_ids:
            self.add_event_error(metric_id, heading * per_degree, "foot_down")

    def _heading_of_stride(self) -> FloatArray | None:
        """Return the angle of the line of the feet to forward in degrees, shape (n,).

        ``None`` where forward is not that line.
        """
        swing, up = self.swing, self.swing.vertical
        source = swing.findings["forward"].evidence.get("source", STRIDE_LINE)
        if up is None or swing.forward is None or source != STRIDE_LINE:
            return None
        if self._stride_heading is None:
            lead, rear = self.hitter.lead("ajc"), self.hitter.rear("ajc")
            feet = self.hitter.limbs[lead] - self.hitter.limbs[rear]
            line = axes.horizontal(feet, up)
            side = np.cross(up, swing.forward)
            angle = np.arctan2(line @ side, line @ swing.forward)
            self._stride_heading = angle * DEG_PER_RAD
        return self._stride_heading

    def put_ratio(self, metric_id: str, top: str, bottom: str) -> None:
        """Set `top` ÷ `bottom` of two metrics; a flagged part flags the ratio."""
        a, b = self.values.number(top), self.values.number(bottom)
        if a is None or b is None or b <= 0.0:
            self.values.put(metric_id, None, self.values.reason(top, bottom))
            return
        flagged = any(self.values.by_id[name].flagged for name in (top, bottom))
        self.values.put(
            metric_id,
            a / b,
            "one of its inputs is not plausible" if flagged else None,
            flagged=flagged,
        )
        for name, part in ((top, a), (bottom, b)):
            known = math.sqrt(self.values.variance.get(name, 0.0))
            self.values.add_variance(metric_id, known / part * (a / b) if part else 0.0)

    @property
    def at_contact(self) -> bool:
        """Whether the reference is a contact, however it is known."""
        if self.swing.events.reference_rule in ("contact", "bat_impact"):
            return True
        instant = self.bat_instant()
        return instant is not None and instant != self.reference

    def bat_instant(self) -> float | None:
        """Return the sample at which the bat is read for the reference.

        The impact that the bat itself shows, where the reference is that contact; a
        contact given on the clock of frames may lie a frame after it.
        """
        moving = self.swing.bat
        impact = None if moving is None else moving.impact.impact
        if self.reference is None or impact is None:
            return self.reference
        near = CONTACT_NEAR_IMPACT_S * self.hitter.rate_hz
        if abs(self.reference - impact.position) <= near:
            return impact.position
        return self.reference

    def bat_window(self) -> tuple[int, int] | None:
        """Return first move to the reference, a little on when no impact is known.

        The peak of bat speed is the reference then, and its highest sample may lie a
        sample or two after the centroid that gives its time.
        """
        if self.first_move is None or self.reference is None:
            return None
        end = self.reference
        if self.swing.events.reference_rule == "bat_peak":
            end += AFTER_BAT_PEAK_S * self.hitter.rate_hz
        elif self.swing.events.reference_rule == "hand_peak":
            end += AFTER_HAND_PEAK_S * self.hitter.rate_hz
        return self.hitter.window(self.first_move, end)

    def tracked_bat_window(self) -> tuple[int, int] | None:
        """Return `bat_window` up to the last frame that is clean of an impact."""
        window, moving = self.bat_window(), self.swing.bat
        if window is None or moving is None:
            return window
        instant = self.bat_instant()
        if instant is not None and instant != self.reference:
            window = self.hitter.window(window[0], instant)
        return window[0], min(window[1], moving.clean)

    def window_past_reference(self) -> tuple[int, int] | None:
        """Return first move to 30 ms after the reference, ``None`` without them."""
        if self.first_move is None or self.reference is None:
            return None
        return self.hitter.window(
            self.first_move, self.reference + AFTER_HAND_PEAK_S * self.hitter.rate_hz
        )

    def find_extreme(
        self,
        series: FloatArray | None,
        start: str,
        end: str,
        points: Sequence[str],
        *,
        reason: str | None = None,
    ) -> tuple[tuple[float, float] | None, str | None]:
        """Return the largest value of a curve between two events, or why there is none.

        The events themselves count, which lie between samples: what still grows at the
        reference is there no less than at the reference.

        Returns
        -------
        extreme : (float, float) or None
            Value and sample.
        reason : str or None
        """
        reason = self.missing_event(end, start) or reason
        first, last = self.swing.events.position(start), self.swing.events.position(end)
        if reason is not None or series is None or first is None or last is None:
            return None, reason
        window = self.hitter.window(first, last)
        found = peaks.find_extreme(series, *window)
        if found is None:
            return None, self.hitter.why_missing(points, *window)
        ends = [
            (value, at)
            for at in (first, last)
            if window[0] - 1 < at < window[1] + 1
            and (value := peaks.value_at(series, at)) is not None
        ]
        return max(found, *ends), None
