"""The chart of a sheet: three rates of turn of the session's counted swings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from athletes import display
from athletes.analysis.event_rules import commonest, event_rules
from athletes.analysis.means_by_side import side_of
from athletes.analysis.metric_reading import reading_of
from athletes.display import number_of
from athletes.frames.curves import Curves, load_curves
from athletes.models import Movement, Session
from biomechanics import curves as curve_tools
from biomechanics.definitions import SERIES
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from biomechanics.units import MS_PER_S
from dashboard.selectors.aligned_curves import (
    Alignment,
    curve_on_event,
    mean_offset_s,
    on_axis,
    zero_label,
)
from dashboard.selectors.session_averages import sequence_counts
from sharing import drawing

# Each curve with the number of the table that is its peak.
CHART_SERIES = (
    ("pelvis_omega", "Pelvis", "peak_pelvis_omega"),
    ("torso_omega", "Torso", "peak_torso_omega"),
    ("lead_arm_omega", "Lead arm", "peak_lead_arm_omega"),
)


@dataclass(frozen=True)
class CountedSwings:
    """The swings that a sheet is of, and how many counted ones it is not of."""

    swings: Sequence[Movement] = ()
    setup: str = ""
    other_side: int = 0
    other_setup: int = 0


def counted_swings(
    session: Session | None, side: str | None, setup: str | None = None
) -> CountedSwings:
    """Counted swings of one side and setup of the session.

    Without a `side` it is all of them, and so it is where none is known to be of it:
    the numbers may be older than the telling apart of sides.
    """
    if session is None:
        return CountedSwings()
    movements = session.movements.present().in_session_order()
    fields = movements.defer("verdict", "metadata", "vendor_metrics", "quality_reasons")
    counted = [movement for movement in fields if movement.is_counted]
    for swing in counted:
        swing.session = session
    # Of a session with several setups the sheet is of one: nothing joins them.
    setups = Counter(swing.setup for swing in counted)
    if setup not in setups:
        setup = max(setups, key=lambda one: setups[one], default=session.condition)
    every = [swing for swing in counted if swing.setup == setup]
    own = [swing for swing in every if side is None or side_of(swing) == side] or every
    return CountedSwings(
        own, setup or "", len(every) - len(own), len(counted) - len(every)
    )


def order_line(swings: Sequence[Movement]) -> str:
    """The most common kinematic sequence in a sentence; empty where none is known."""
    orders = [reading_of("seq_order", swing.metrics).value for swing in swings]
    shares = sequence_counts(order for order in orders if isinstance(order, str))
    if not shares:
        return ""
    most = shares[0]
    kind = ""
    if len({share.has_bat for share in shares}) > 1:
        kind = " with a bat" if most.has_bat else " without a bat"
    return (
        f"Kinematic sequence: {most.words} in {most.count} of "
        f"{number_of(most.total, 'swing')}{kind} (parentheses = too close to call)."
    )


def draw_turn_rates(
    swings: Sequence[Movement], units: str, means: Mapping[str, float | None]
) -> tuple[drawing.Drawing, drawing.Drawing] | None:
    """The rates from before first move to after the reference, mean ± SD; one query.

    Drawn twice: for the sheet, and for the screen of a phone.

    Of one or two swings it is the first one's own curve. None without any curve.
    `means` holds the averages of the table by metric: what is written at the peaks.
    """
    usable, _ = on_axis(swings, Alignment("reference"))
    stored = load_curves([swing.pk for swing in usable])
    usable = [swing for swing in usable if swing.pk in stored]
    # Curves that meet on differently found events would be spread by that alone.
    rules = {swing.pk: event_rules(swing).get("reference", "") for swing in usable}
    rule = commonest(rules.values())
    usable = [swing for swing in usable if rules[swing.pk] == rule]
    shown = [
        curve
        for name, label, peak in CHART_SERIES
        if (curve := _mean_curve(name, label, usable, stored, units, means.get(peak)))
        is not None
    ]
    if not shown:
        return None
    enough = len(usable) >= LEAST_SWINGS_FOR_SPREAD
    zero = zero_label(rule, "reference")
    unit = shown[0].unit
    marks = _events(usable if enough else usable[:1], zero)
    wide, narrow = (
        drawing.draw(
            shown,
            marks,
            title="Rotation speeds",
            caption=f"average ± SD of {_of_swings(shown, len(usable))}, "
            f"aligned on {zero}"
            if enough
            else f"swing {usable[0].position} alone, aligned on {zero}",
            x_title=f"Time from {zero} (ms)",
            y_title=f"Rotation speed ({unit})",
            plane=plane,
        )
        for plane in (drawing.SHEET, drawing.PHONE)
    )
    return wide, narrow


def _of_swings(shown: Sequence[drawing.MeanCurve], swings: int) -> str:
    """Over how many swings the means are: `8 swings`, or `5 of 8 swings`.

    The fewest where the curves differ: `at least 5 of 8 swings`.
    """
    counts = {curve.n for curve in shown}
    of = number_of(swings, "swing")
    if counts == {swings}:
        return of
    return f"{'' if len(counts) == 1 else 'at least '}{min(counts)} of {of}"


def _mean_curve(
    name: str,
    label: str,
    swings: Sequence[Movement],
    stored: Mapping[int, Curves],
    units: str,
    peak: float | None,
) -> drawing.MeanCurve | None:
    """One series over the swings that have it, in the reader's units.

    `peak` is the average of their peaks in the stored unit.
    """
    having = [swing for swing in swings if name in stored[swing.pk].values]
    if not having:
        return None
    aligned = curve_tools.align(
        [
            curve_on_event(stored[swing.pk], name, swing.events, "reference")
            for swing in having
        ]
    )
    enough = len(having) >= LEAST_SWINGS_FOR_SPREAD
    # Of one swing its own curve; of two there is no mean worth the name.
    mean = aligned.mean if enough else aligned.rows[0]
    if not np.isfinite(mean).any():
        return None
    factor = display.unit_factor(SERIES[name].unit, units)
    every = slice(None, None, 2)  # 4 ms is finer than paper shows
    return drawing.MeanCurve(
        part=SERIES[name].part,
        name=label,
        x_ms=aligned.grid[every] * MS_PER_S,
        mean=mean[every] * factor,
        sd=aligned.sd[every] * factor if enough else None,
        unit=display.unit_label(SERIES[name].unit, units),
        n=int(aligned.kept.sum()) if enough else 1,
        peak_mean=None if peak is None or not enough else peak * factor,
    )


def _events(swings: Sequence[Movement], zero: str) -> list[drawing.EventMark]:
    """First move and foot down at their mean places, and time zero."""
    found = [drawing.EventMark(0.0, zero)]
    for name, label in (("first_move", "first move"), ("foot_down", "foot down")):
        offset_s = mean_offset_s((swing.events for swing in swings), name, "reference")
        if offset_s is not None:
            found.append(drawing.EventMark(offset_s * MS_PER_S, label))
    return found
