"""The mean kinematic sequence of a session: its four curves with their spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from athletes.analysis.event_rules import commonest
from athletes.display import number_of
from athletes.frames.curves import Curves
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from dashboard import charts
from dashboard.selectors.aligned_curves import (
    Alignment,
    axis_words,
    curve_on_event,
    event_marks,
    on_axis,
    zero_label,
)
from dashboard.selectors.sequence_peaks import (
    SEGMENTS,
    Segment,
    SequencePeaks,
    sequence_peaks,
)
from dashboard.selectors.session_groups import Grouping
from dashboard.selectors.swing_rows import SwingRow

_UNIT = "°/s"


@dataclass(frozen=True, eq=False)
class SessionSequence:
    """The chart of one side's sequence, or of the only side's, with what it says."""

    chart_id: str
    figure: charts.Json
    title: str
    caption: str
    peaks: SequencePeaks
    x_unit: str


def session_sequences(
    swings: Sequence[SwingRow],
    stored: Mapping[int, Curves],
    align: str,
    grouping: Grouping,
) -> tuple[SessionSequence, ...]:
    """The sequence of the counted swings, of each group by `grouping`.

    Of swings that have a place on the axis, by an event that one rule found.
    """
    alignment = Alignment(align)
    usable, _ = on_axis(
        (swing for swing in swings if swing.counted and swing.id in stored), alignment
    )
    rule = commonest(swing.rules.get(alignment.event, "") for swing in usable)
    usable = [one for one in usable if one.rules.get(alignment.event, "") == rule]
    found = []
    for group in grouping.groups(swing.part for swing in usable):
        own = [swing for swing in usable if grouping.of(swing.part) == group]
        drawn = _sequence(
            own, stored, alignment, rule, grouping.key(group), grouping.words(group)
        )
        if drawn is not None:
            found.append(drawn)
    return tuple(found)


def _sequence(
    swings: Sequence[SwingRow],
    stored: Mapping[int, Curves],
    alignment: Alignment,
    rule: str,
    key: str,
    words: str,
) -> SessionSequence | None:
    """The chart of these swings; None where none has any of the curves."""
    window = alignment.window(swing.events for swing in swings)
    lines: list[charts.Line] = []
    legend = []
    for segment in SEGMENTS.values():
        own = [swing for swing in swings if segment.series in stored[swing.id].values]
        drawn = _lines(segment, own, stored, alignment, window)
        if drawn:
            lines += drawn
            legend.append(charts.LegendItem(segment.series, segment.name, segment.part))
    if not lines:
        return None
    zero = zero_label(rule, alignment.event)
    has_mean = len(swings) >= LEAST_SWINGS_FOR_SPREAD
    reference = commonest(_reference_rule(swing) for swing in swings)
    # Peaks end at contact and times count from it, whatever the axis is aligned on.
    same = [swing for swing in swings if _reference_rule(swing) == reference]
    # Of two swings there is no mean worth the name.
    peaks = (
        sequence_peaks([(one.events, one.peaks) for one in same], alignment)
        if len(same) >= LEAST_SWINGS_FOR_SPREAD or len(swings) == 1
        else SequencePeaks()
    )
    if peaks.rows and len(same) < len(swings):
        peaks = replace(peaks, peaks_of=_peaks_of(len(same), len(swings)))
    # The bands lie below all lines.
    lines.sort(key=lambda line: line.role != "band")
    chart = charts.Chart(
        lines=lines,
        legend=legend,
        x_title=axis_words(alignment, zero),
        y_title=charts.axis_title("Rotation speed", _UNIT),
        x_unit=alignment.unit,
        y_unit=_UNIT,
        marks=event_marks(
            alignment,
            [swing.events for swing in swings],
            rule=reference,
        ),
        x_range=window,
        zero=zero,
        peaks=peaks.marks,
        ties=peaks.ties,
    )
    on = "in percent of the swing" if alignment.is_percent else f"aligned on {zero}"
    return SessionSequence(
        chart_id="-".join(filter(None, ("session-sequence", key))),
        figure=chart.to_json(),
        title=f"Kinematic sequence{', average ± SD' if has_mean else ''}"
        + (f", {words}" if words else ""),
        caption=f"{number_of(len(swings), 'swing')}{_fewer(lines, len(swings))}, {on}",
        peaks=peaks,
        x_unit=alignment.unit,
    )


def _reference_rule(swing: SwingRow) -> str:
    """The rule that found the swing's contact, or what stands in for it."""
    return swing.rules.get("reference", "")


def _peaks_of(same: int, swings: int) -> str:
    """Of how many swings the peaks are, and why not of all."""
    return (
        f"Peaks of {same} of {number_of(swings, 'swing')}: in the others contact was "
        "found by a different rule."
    )


def _fewer(lines: Sequence[charts.Line], swings: int) -> str:
    """Over how many swings the averages are, if not all: ` (averages of 5 to 7)`.

    Clips may be too short for a mean, and not all have every part.
    """
    counts = sorted({line.n for line in lines if line.role == "mean"})
    if not counts or counts[0] == swings:
        return ""
    if len(counts) == 1:
        return f" (averages of {counts[0]})"
    return f" (averages of {counts[0]} to {counts[-1]})"


def _lines(
    segment: Segment,
    swings: Sequence[SwingRow],
    stored: Mapping[int, Curves],
    alignment: Alignment,
    window: tuple[float, float] | None,
) -> list[charts.Line]:
    """Mean and band of one part, or each swing's curve where there are few."""
    if not swings:
        return []
    aligned = alignment.align(
        [
            curve_on_event(
                stored[swing.id], segment.series, swing.events, alignment.event
            )
            for swing in swings
        ],
        window,
    )
    x0, dx = alignment.step(aligned)
    if np.isfinite(aligned.mean).any():
        return charts.band_lines(
            key=segment.series,
            part=segment.part,
            name=segment.name,
            x0=x0,
            dx=dx,
            mean=aligned.mean,
            sd=aligned.sd,
            unit=_UNIT,
            n=int(aligned.kept.sum()),
        )
    return [
        charts.Line(
            key=segment.series,
            part=segment.part,
            name=segment.name
            if len(swings) == 1
            else f"{segment.name}, swing {swing.position}",
            x0=x0,
            dx=dx,
            y=row,
            unit=_UNIT,
        )
        for swing, row in zip(swings, aligned.rows, strict=True)
    ]
