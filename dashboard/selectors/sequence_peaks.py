"""The peaks of the kinematic sequence: what a chart marks on its curves, and in words.

Values and times are those of the metrics, never read off a drawn curve; of several
swings they are the means of the swings' own peaks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from athletes.analysis.event_rules import event_time
from athletes.analysis.metric_reading import reading_of
from biomechanics.sequence import PEAK_LETTERS, TIME_METRICS
from biomechanics.session_statistics import (
    LEAST_SWINGS_FOR_SPREAD,
    average,
    joint_order,
    standard_deviation,
)
from biomechanics.units import MS_PER_S
from dashboard import charts
from dashboard.phrases import list_in_words
from dashboard.selectors.aligned_curves import Alignment


@dataclass(frozen=True)
class Segment:
    """A part of the sequence: its curve, its metrics, and what it is called."""

    series: str
    part: str
    peak_metric: str
    name: str
    short: str


#: The parts of the kinematic sequence by the letter of their peak.
SEGMENTS: dict[str, Segment] = {
    "P": Segment("pelvis_omega", "pelvis", "peak_pelvis_omega", "Pelvis", "Pelvis"),
    "T": Segment("torso_omega", "torso", "peak_torso_omega", "Torso", "Torso"),
    "A": Segment(
        "lead_arm_omega", "lead_arm", "peak_lead_arm_omega", "Lead arm", "Arm"
    ),
    "B": Segment("bat_omega", "bat", "peak_bat_omega", "Bat", "Bat"),
}
_UNIT = "°/s"


@dataclass(frozen=True)
class SwingPeak:
    """The peak of one part in one swing: deg/s, and seconds before the reference."""

    value: float
    before_s: float


@dataclass(frozen=True)
class PeakRow:
    """One part's peak over swings, on the axis of the chart; SD of three or more."""

    name: str
    part: str
    series: str
    value: float
    sd: float | None
    at: float
    at_sd: float | None
    n: int


@dataclass(frozen=True)
class SequencePeaks:
    """The peaks of one swing or of several, with their order in words.

    `ties` are the stretches, on the axis, of peaks too close to tell apart; `order` is
    empty where a peak of the body is missing. Both are of the swings that have all
    peaks of the order: `order_of` says how many these are where that is not all.
    `peaks_of` says so of the rows, where they leave swings out.
    """

    rows: tuple[PeakRow, ...] = ()
    ties: tuple[tuple[float, float], ...] = ()
    order: str = ""
    order_of: str = ""
    tie_words: str = ""
    peaks_of: str = ""

    @property
    def marks(self) -> list[charts.Peak]:
        """The peaks as a chart marks them."""
        return [
            charts.Peak(
                row.series,
                row.part,
                row.name,
                row.at,
                row.value,
                _UNIT,
                row.sd,
                row.at_sd,
            )
            for row in self.rows
        ]


def peaks_of(metrics: Mapping[str, Any]) -> dict[str, SwingPeak]:
    """The peaks of a swing by letter, from its stored metrics.

    One that failed a check, or whose time did, is left out.
    """
    found = {}
    for letter, segment in SEGMENTS.items():
        value = reading_of(segment.peak_metric, metrics)
        before = reading_of(TIME_METRICS[letter], metrics)
        if value.flagged or before.flagged:
            continue
        if isinstance(value.value, float | int) and isinstance(
            before.value, float | int
        ):
            found[letter] = SwingPeak(value.value, before.value / MS_PER_S)
    return found


def sequence_peaks(
    swings: Sequence[tuple[Mapping[str, Any], Mapping[str, SwingPeak]]],
    alignment: Alignment,
) -> SequencePeaks:
    """The peaks of swings on an axis; each swing as its events and its peaks."""
    places: dict[str, list[float]] = {letter: [] for letter in PEAK_LETTERS}
    values: dict[str, list[float]] = {letter: [] for letter in PEAK_LETTERS}
    own: list[dict[str, float]] = []
    for events, peaks in swings:
        clock, reference_s = alignment.clock(events), event_time(events, "reference")
        if clock is None or reference_s is None:
            continue
        own.append({letter: -peak.before_s for letter, peak in peaks.items()})
        for letter, peak in peaks.items():
            at = (reference_s - peak.before_s - clock[0]) * clock[1]
            places[letter].append(at)
            values[letter].append(peak.value)
    rows = {
        letter: PeakRow(
            name=SEGMENTS[letter].name,
            part=SEGMENTS[letter].part,
            series=SEGMENTS[letter].series,
            value=height,
            sd=standard_deviation(values[letter]),
            at=place,
            at_sd=standard_deviation(places[letter]),
            n=len(places[letter]),
        )
        for letter in PEAK_LETTERS
        if (height := average(values[letter])) is not None
        and (place := average(places[letter])) is not None
    }
    if not {"P", "T", "A"} <= rows.keys():
        return SequencePeaks(tuple(rows.values()))
    letters, whole = _with_all(own, tuple(rows))
    if not whole:
        return SequencePeaks(tuple(rows.values()))
    groups, times = joint_order(whole, letters)
    ties = [group for group in groups if len(group) > 1]
    return SequencePeaks(
        rows=tuple(rows.values()),
        ties=tuple(
            (min(rows[one].at for one in tie), max(rows[one].at for one in tie))
            for tie in ties
        ),
        order=" › ".join(_group_words(group) for group in groups),
        order_of=_order_of(own, whole, without_bat="B" in rows and "B" not in letters),
        tie_words=" ".join(_tie_words(tie, times) for tie in ties),
    )


def _with_all(
    swings: Sequence[Mapping[str, float]], letters: tuple[str, ...]
) -> tuple[tuple[str, ...], list[Mapping[str, float]]]:
    """The letters of the order, and the swings that have all of them.

    Means over different swings have no order. A bat that few swings have is left out of
    it, and so is the order where few have all of the body.
    """
    body = tuple(letter for letter in letters if letter != "B")
    least = min(LEAST_SWINGS_FOR_SPREAD, len(swings))
    bodies = [one for one in swings if one.keys() >= set(body)]
    whole = [one for one in bodies if one.keys() >= set(letters)]
    if len(whole) >= least and 2 * len(whole) >= len(bodies):
        return letters, whole
    return body, bodies if len(bodies) >= least else []


def _order_of(
    swings: Sequence[Mapping[str, float]],
    whole: Sequence[Mapping[str, float]],
    *,
    without_bat: bool,
) -> str:
    """Of which swings the order is, and without what; empty where it is of all."""
    words = []
    if len(whole) < len(swings):
        words.append(
            f"Sequence of {len(whole)} of {len(swings)} swings: the others are missing "
            "a peak."
        )
    if without_bat:
        with_bat = sum("B" in one for one in swings)
        words.append(
            "Without the bat, whose peak is known in "
            f"{with_bat} of {len(swings)} swings."
        )
    return " ".join(words)


def _group_words(group: Sequence[str]) -> str:
    """`Pelvis`, or a tie in parentheses: `(Torso, Arm)`."""
    names = ", ".join(SEGMENTS[letter].short for letter in group)
    return names if len(group) == 1 else f"({names})"


def _tie_words(tie: Sequence[str], times_s: Mapping[str, float]) -> str:
    """How close the peaks of a tie are: `Torso and arm peak within 6 ms: …`."""
    names = [SEGMENTS[letter].short.lower() for letter in tie]
    apart = max(times_s[one] for one in tie) - min(times_s[one] for one in tie)
    return (
        f"{list_in_words(names).capitalize()} peak within "
        f"{math.ceil(apart * MS_PER_S - 1e-6)} ms: too close to call."
    )
