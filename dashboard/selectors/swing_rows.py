"""One recorded movement as a line of a session's table and a tile of its strip."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from athletes.analysis.event_rules import event_rules
from athletes.analysis.means_by_side import side_of
from athletes.analysis.metric_reading import MetricReading, reading_of
from athletes.models import Movement
from athletes.phrases import reason_texts, setup_words, side_in_words
from biomechanics.definitions import HEADLINES
from dashboard.selectors.sequence_peaks import SwingPeak, peaks_of
from dashboard.selectors.session_groups import Part


@dataclass(frozen=True)
class SwingRow:
    """One movement with its headline numbers, quality and whether it is counted."""

    id: int
    position: int
    side: str
    grade: str
    reasons: tuple[str, ...]
    counted: bool
    inclusion: str
    inclusion_reason: str
    gone_since: dt.datetime | None
    # The movement as which a gone one is sent now.
    became_id: int | None
    order: str
    events: Mapping[str, Any]
    rules: Mapping[str, str]
    readings: tuple[MetricReading, ...]
    #: How it was hit: its own setup, or that of its session.
    setup: str
    #: The peaks of the kinematic sequence, by letter.
    peaks: Mapping[str, SwingPeak]

    @property
    def side_words(self) -> str:
        """The side that the swing was taken from: `batting left`."""
        return side_in_words(self.side)

    @property
    def part(self) -> Part:
        """The part of a session that it is averaged in."""
        return Part(self.side, self.setup)

    @property
    def setup_words(self) -> str:
        """How the swing was hit: `tee`."""
        return setup_words(self.setup)

    def reading(self, metric: str) -> MetricReading | None:
        """One headline number of the swing by its id; None for any other id."""
        return next((item for item in self.readings if item.metric == metric), None)


def swing_row(movement: Movement) -> SwingRow:
    """The movement as a row; no query."""
    order = reading_of("seq_order", movement.metrics).value
    return SwingRow(
        id=movement.pk,
        position=movement.position,
        side=side_of(movement),
        grade=movement.quality_grade or "",
        reasons=reason_texts(movement.quality_reasons),
        counted=movement.is_counted,
        inclusion=movement.inclusion,
        inclusion_reason=movement.inclusion_reason,
        gone_since=movement.missing_since,
        became_id=movement.became_id,
        order=order if isinstance(order, str) else "",
        events=movement.events,
        rules=event_rules(movement),
        setup=movement.setup,
        readings=tuple(reading_of(name, movement.metrics) for name in HEADLINES),
        peaks=peaks_of(movement.metrics),
    )
