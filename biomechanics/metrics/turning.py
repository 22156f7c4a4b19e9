"""Measure rotation speeds of the segments: peaks, gains, delays and order."""

from biomechanics import peaks
from biomechanics.metrics.measure import SwingMeasurer
from biomechanics.sequence import (
    GAP_METRICS,
    PEAK_LETTERS,
    TIME_METRICS,
    sequence_order,
)
from biomechanics.units import MS_PER_S


def put_turn_rates(measure: SwingMeasurer) -> None:
    """Measure peaks of rotation speed in deg/s, their times, and gains between them."""
    _put_peaks_of_body(measure)
    _put_peak_of_bat(measure)
    swing = measure.swing
    pelvis = measure.peaks.get("P")
    drop, reason = None, measure.values.reason("peak_pelvis_omega")
    if pelvis is not None and measure.reference is not None:
        now = peaks.value_at(swing.turn_rates.pelvis, measure.reference)
        if now is not None and measure.reference >= pelvis.index:
            drop = (pelvis.value - now) / pelvis.value * 100.0
        else:
            reason = "the pelvis peaks after contact"
    measure.values.put("decel_pelvis", drop, reason)
    if pelvis is not None:
        measure.add_event_error(
            "decel_pelvis", swing.turn_rates.pelvis / pelvis.value * 100.0, "reference"
        )
    for metric, top, bottom in (
        ("gain_torso_pelvis", "peak_torso_omega", "peak_pelvis_omega"),
        ("gain_arm_torso", "peak_lead_arm_omega", "peak_torso_omega"),
        ("gain_bat_torso", "peak_bat_omega", "peak_torso_omega"),
    ):
        measure.put_ratio(metric, top, bottom)


def _put_peaks_of_body(measure: SwingMeasurer) -> None:
    """Measure the peaks of pelvis, torso, lead arm and forearm."""
    swing, hitter = measure.swing, measure.hitter
    window = swing.events.sequence_window(hitter)
    hips, shoulders = ("lhjc", "rhjc"), ("lsjc", "rsjc")
    measure.put_peak(
        "P", "peak_pelvis_omega", "t_peak_pelvis", swing.turn_rates.pelvis, window, hips
    )
    measure.put_peak(
        "T",
        "peak_torso_omega",
        "t_peak_torso",
        swing.turn_rates.torso,
        window,
        shoulders,
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
        measure.put_peak(
            key,
            metric,
            time,
            hitter.limb_rate(limb),
            window,
            [hitter.lead(end) for end in ends],
        )


BETWEEN_BAT_PEAKS_MS = 1.0
"""Between peak bat speed and the peak of the bat's turn, where a ball cut both short
unseen: both then come as much too early (120 frames a second, invented swings)."""


def _put_peak_of_bat(measure: SwingMeasurer) -> None:
    """Measure the peak of the bat's rotation speed."""
    swing = measure.swing
    unseen = swing.events.reference_class == "unseen_ball"
    # Where its speed still rises when it is last seen, its turn may as well.
    fastest = swing.events.found.get("bat_peak")
    by_hands = swing.events.reference_rule == "hand_peak"
    measure.put_peak(
        "B",
        "peak_bat_omega",
        "t_peak_bat",
        swing.turn_rates.pelvis if swing.bat is None else swing.bat.rate,
        measure.tracked_bat_window(),
        (),
        limit=None if swing.bat is None else swing.bat.last,
        open_end=measure.at_contact,
        reason=swing.bat_reason,
        reference_error_ms=BETWEEN_BAT_PEAKS_MS if unseen else None,
    )
    if by_hands and swing.bat is not None:
        why: str | None = None
        if fastest is None:
            why = "the bat's highest speed was not found"
        elif fastest.position is None:
            why = fastest.reason
        for metric_id in ("peak_bat_omega", "t_peak_bat"):
            if why is not None:
                measure.values.flag(metric_id, why)


def put_order(measure: SwingMeasurer) -> None:
    """Measure the delays between peaks in ms, and set the kinematic sequence."""
    rate, values = measure.hitter.rate_hz, measure.values
    at_edge = "one of the peaks is at the edge of its window"
    for metric, (before, after) in GAP_METRICS.items():
        times = TIME_METRICS[before], TIME_METRICS[after]
        first, second = measure.peaks.get(before), measure.peaks.get(after)
        if first is None or second is None:
            values.put(metric, None, values.reason(*times))
            continue
        flagged = any(values.by_id[time].flagged for time in times)
        values.put(
            metric,
            (second.position - first.position) / rate * MS_PER_S,
            at_edge if flagged else None,
            flagged=flagged,
        )
    lost = values.reason("t_peak_pelvis", "t_peak_torso", "t_peak_lead_arm")
    edge = any(
        values.by_id[time].flagged
        for letter, time in TIME_METRICS.items()
        if letter in measure.peaks
    )
    if lost is not None or edge:
        values.put("seq_order", None, lost or at_edge)
        return
    values.put(
        "seq_order",
        sequence_order(
            {
                letter: measure.peaks[letter].position / rate
                for letter in PEAK_LETTERS
                if letter in measure.peaks
            }
        ),
    )
