"""Read when the vendor saw contact, from the frame numbers of its processed metrics."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from biomechanics.analysis_types import Finding, FloatArray

AGREES_WITHIN_S = 0.015
"""How far the vendor's frame of peak speed may lie from the peak it is checked
against. The vendor's dominant-hand peak and ours lie up to about 10 ms apart."""


@dataclass(frozen=True, slots=True)
class VendorEvents:
    """Events of one row of ``hitting-processed-metrics``, as frames counted from 0.

    Attributes
    ----------
    impact, peak_velocity, foot_down : float or None
        ``impact_event``, ``peak_velocity_event`` and ``foot_down_event``; ``None``
        where the file has no value.
    """

    impact: float | None = None
    peak_velocity: float | None = None
    foot_down: float | None = None


def find_vendor_contact(
    events: VendorEvents,
    time_s: FloatArray,
    *,
    peaks_s: Iterable[float],
    foot_down_s: float | None,
) -> Finding:
    """Return the vendor's contact on the clock of the file, or why it is not used.

    The frame numbers count the rows of another file of the vendor's (the processed
    series), which has no clock. That they count the rows of the inverse kinematics
    too is therefore checked: read so, the frame of peak speed must lie at a peak of
    hand or bat speed, and foot down at the vendor's own.

    Parameters
    ----------
    events : VendorEvents
    time_s : ndarray, shape (n_rows,)
        ``time`` of the inverse kinematics, row by row as delivered.
    peaks_s : iterable of float
        When the hands or the bat were fastest: zero of the vendor's
        ``time_from_max_hand``, and our own peaks.
    foot_down_s : float or None
        Zero of the vendor's ``norm_time``.

    Returns
    -------
    Finding
        Its value is the time of contact in seconds, ``None`` when there is none to
        use.
    """
    evidence: dict[str, object] = {"source": "hitting-processed-metrics"}
    evidence |= {
        name: value
        for name, value in (
            ("impact_event", events.impact),
            ("peak_velocity_event", events.peak_velocity),
            ("foot_down_event", events.foot_down),
        )
        if value is not None
    }

    def unused(why: str) -> Finding:
        return Finding(None, f"Reboot Motion's contact is not used: {why}.", evidence)

    if events.impact is None:
        return Finding(None, "Reboot Motion's file names no contact.", evidence)
    contact_s = _time_of(events.impact, time_s)
    if contact_s is None:
        return unused(
            f"its frame {events.impact:g} is not a frame of this clip "
            f"({len(time_s)} frames, counted from 0)"
        )
    if events.peak_velocity is None:
        return unused("the file has no frame of peak speed to check its frames by")
    peak_s = _time_of(events.peak_velocity, time_s)
    off: list[float] = []
    if peak_s is not None:
        off = sorted((peak - peak_s for peak in peaks_s), key=abs)
    if not off:
        return unused("its frames cannot be checked against a peak of this clip")
    evidence["peak_off_ms"] = round(off[0] * 1000, 1)
    if abs(off[0]) > AGREES_WITHIN_S:
        return unused(
            f"its frame of peak speed is {abs(off[0]) * 1000:.0f} ms from the "
            "nearest peak of hand or bat speed, so its frames are not those of this "
            "file"
        )
    if events.foot_down is not None and foot_down_s is not None:
        mark_s = _time_of(events.foot_down, time_s)
        apart_s = math.inf if mark_s is None else abs(mark_s - foot_down_s)
        if apart_s > AGREES_WITHIN_S:
            return unused(
                "its frame of foot down is not where its time columns put foot down"
            )
    return Finding(
        contact_s,
        f"Reboot Motion puts contact at frame {events.impact:g}; its frame of peak "
        f"speed fits this file to {abs(off[0]) * 1000:.0f} ms.",
        evidence,
    )


def _time_of(frame: float, time_s: FloatArray) -> float | None:
    """Return the time of a row, ``None`` if there is no such row."""
    if not (math.isfinite(frame) and frame == int(frame) and 0 <= frame < len(time_s)):
        return None
    time = float(time_s[int(frame)])
    return time if np.isfinite(time) else None
