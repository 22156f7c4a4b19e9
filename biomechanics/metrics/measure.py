"""What taking numbers from one reading needs: events, windows, peaks, ratios."""

from collections.abc import Sequence

from biomechanics import peaks
from biomechanics.analysis_types import FloatArray
from biomechanics.events import Found
from biomechanics.metrics.values import EVENT_WORDS, Sheet
from biomechanics.observed_swing import (
    AFTER_BAT_PEAK_S,
    AFTER_HAND_PEAK_S,
    START_BACK_S,
    Reading,
)
from biomechanics.peaks import Peak
from biomechanics.units import MS_PER_S


def _no_event(found: Found | None, name: str) -> str:
    words = EVENT_WORDS[name]
    if found is None or found.reason is None:
        return f"{words} was not found"
    return f"{words} was not found: {found.reason}"


class Taker:
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
            found = peaks.find_peak(series, *window, limit=limit)
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
            value = peaks.value_at(series, position)
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
