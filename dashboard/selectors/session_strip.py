"""The strip of a session: one small picture of each swing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from athletes.analysis.event_rules import event_time
from athletes.analysis.marked_swings import Fastest, typical_swing
from athletes.frames.curves import Curves
from biomechanics.curves import AFTER_S, BEFORE_S
from biomechanics.definitions import SERIES
from dashboard import charts
from dashboard.selectors.aligned_curves import zero_label
from dashboard.selectors.session_groups import Part
from dashboard.selectors.session_page import SessionPage
from dashboard.selectors.swing_rows import SwingRow

STRIP_SERIES = ("pelvis_omega", "torso_omega", "lead_arm_omega")
STRIP_POINTS = 48


@dataclass(frozen=True)
class StripTile:
    """One swing in the strip; `side_words` say its side and setup where needed.

    `fastest` says by which speed it is the fastest, and among how many; None where it
    is not.
    """

    swing: SwingRow
    lines: tuple[dict[str, Any], ...]
    events: tuple[float, ...]
    is_typical: bool
    fastest: Fastest | None
    side_words: str

    @property
    def zero_words(self) -> str:
        """What contact is called, by the rule of the swing."""
        return zero_label(self.swing.rules.get("reference", ""), "reference")


def strip_of(page: SessionPage, stored: Mapping[int, Curves]) -> tuple[StripTile, ...]:
    """A tile for each swing of the page; `stored` holds curves by movement id."""
    typical = {
        typical_swing(
            {swing.id: swing.events for swing in own},
            {swing.id: swing.rules.get("reference", "") for swing in own},
            stored,
        )
        for own in _counted_by_part(page)
    }
    fastest = {one.movement_id: one for one in page.fastest}
    return tuple(
        _tile(
            swing,
            stored.get(swing.id),
            is_typical=swing.id in typical,
            fastest=fastest.get(swing.id),
            side_words=page.words_of(swing),
        )
        for swing in page.swings
    )


def _counted_by_part(page: SessionPage) -> Iterable[list[SwingRow]]:
    """The counted swings of each side and setup that the page shows."""
    by_part: dict[Part, list[SwingRow]] = {}
    for swing in page.swings:
        if swing.counted:
            by_part.setdefault(swing.part, []).append(swing)
    return by_part.values()


def _tile(
    swing: SwingRow,
    curves: Curves | None,
    *,
    is_typical: bool,
    fastest: Fastest | None,
    side_words: str,
) -> StripTile:
    zero = event_time(swing.events, "reference")
    if curves is None or zero is None:
        return StripTile(swing, (), (), is_typical, fastest, side_words)
    lines = []
    for name in STRIP_SERIES:
        if name not in curves.values:
            continue
        _, values = charts.trim(
            float(curves.time_s[0]) - zero,
            curves.step_s,
            curves.values[name],
            -BEFORE_S,
            AFTER_S,
        )
        lines.append(
            {"part": SERIES[name].part, "values": charts.thinned(values, STRIP_POINTS)}
        )
    marks = []
    for name in ("foot_down", "reference"):
        at = event_time(swing.events, name)
        if at is not None and -BEFORE_S <= at - zero <= AFTER_S:
            marks.append((at - zero + BEFORE_S) / (BEFORE_S + AFTER_S))
    return StripTile(swing, tuple(lines), tuple(marks), is_typical, fastest, side_words)
