"""Turn rates of the segments, their peaks, order and gaps."""

from biomechanics import peaks, sequence
from biomechanics.metrics.measure import Taker
from biomechanics.units import MS_PER_S


def turn_rates(take: Taker) -> None:
    """Peaks of turn rates and their times."""
    r = take.r
    window = r.sequence_window()
    hips, shoulders = ("lhjc", "rhjc"), ("lsjc", "rsjc")
    take.peak("P", "peak_pelvis_omega", "t_peak_pelvis", r.pelvis_rate, window, hips)
    take.peak("T", "peak_torso_omega", "t_peak_torso", r.torso_rate, window, shoulders)
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
        take.peak(
            key,
            metric,
            time,
            r.limb_rate(limb),
            window,
            [r.lead(end) for end in ends],
        )
    take.peak(
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
    take.peak(
        "B",
        "peak_bat_omega",
        "t_peak_bat",
        r.pelvis_rate if r.bat is None else r.bat.rate,
        take.bat_window(),
        (),
        limit=None if r.bat is None else r.bat.last - 1,
        open_end=r.reference_rule == "contact",
        reason=r.bat_reason,
    )
    pelvis = take.peaks.get("P")
    drop, reason = None, take.sheet.reason("peak_pelvis_omega")
    if pelvis is not None and take.ref is not None:
        now = peaks.value_at(r.pelvis_rate, take.ref)
        if now is not None and take.ref >= pelvis.index:
            drop = (pelvis.value - now) / pelvis.value * 100.0
        else:
            reason = "the pelvis peaks after the reference"
    take.sheet.put("decel_pelvis", drop, reason)
    for metric, top, bottom in (
        ("gain_torso_pelvis", "peak_torso_omega", "peak_pelvis_omega"),
        ("gain_arm_torso", "peak_lead_arm_omega", "peak_torso_omega"),
        ("gain_hand_arm", "peak_hand_omega", "peak_lead_arm_omega"),
        ("gain_bat_hand", "peak_bat_omega", "peak_hand_omega"),
        ("gain_bat_torso", "peak_bat_omega", "peak_torso_omega"),
    ):
        take.ratio(metric, top, bottom)


def order(take: Taker) -> None:
    """Order of the peaks and gaps between them."""
    rate = take.r.rate_hz
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
        first, second = take.peaks.get(before), take.peaks.get(after)
        if first is None or second is None:
            take.sheet.put(metric, None, take.sheet.reason(ids[before], ids[after]))
            continue
        flagged = any(take.sheet.values[ids[k]].flagged for k in (before, after))
        take.sheet.put(
            metric,
            (second.position - first.position) / rate * MS_PER_S,
            "one of the peaks lies at the edge of its window" if flagged else None,
            flagged=flagged,
        )
    lost = take.sheet.reason("t_peak_pelvis", "t_peak_torso", "t_peak_lead_arm")
    edge = any(take.sheet.values[ids[key]].flagged for key in ids if key in take.peaks)
    if lost is not None or edge:
        take.sheet.put(
            "seq_order",
            None,
            lost or "one of the peaks lies at the edge of its window",
        )
        return
    take.sheet.put(
        "seq_order",
        sequence.sequence_order(
            {
                key: take.peaks[key].position / rate
                for key in sequence.LETTERS
                if key in take.peaks
            }
        ),
    )
