"""The curves of a session: one small picture per swing, and mean ± SD of one series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from athletes import display
from athletes.analysis.event_rules import commonest, event_time
from athletes.analysis.means_by_side import SIDES, side_key
from athletes.analysis.session_summary import nearest_to_mean
from athletes.frames.curves import Curves, load_curves
from athletes.phrases import rule_name, side_in_words
from biomechanics import curves as curve_tools
from biomechanics.definitions import SERIES, SeriesDefinition
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from biomechanics.units import MS_PER_S
from dashboard import charts, phrases
from dashboard.selectors.session_page import SessionPage, SwingRow

STRIP_SERIES = ("pelvis_omega", "torso_omega", "lead_arm_omega")
STRIP_POINTS = 48
DEFAULT_SERIES = "torso_omega"
TABLE_STEP_MS = 50
BEFORE_S, AFTER_S = curve_tools.BEFORE_S, curve_tools.AFTER_S


@dataclass(frozen=True)
class StripTile:
    """One swing in the strip; `side_words` only where there are both sides."""

    swing: SwingRow
    lines: tuple[dict[str, Any], ...]
    events: tuple[float, ...]
    is_typical: bool
    side_words: str


@dataclass(frozen=True)
class CurveTableCell:
    """Mean of the curves at one instant."""

    mean: float | None
    sd: float | None
    n: int


@dataclass(frozen=True)
class CurveTableRow:
    """The curves' table at one instant, with a cell for each mean that is drawn."""

    time_ms: int
    cells: tuple[CurveTableCell, ...]


@dataclass(frozen=True)
class SessionCurves:
    """The chart of the session, with its words and its table."""

    series: SeriesDefinition
    align: str
    figure: charts.Json | None
    title: str
    caption: str
    note: str
    table: tuple[CurveTableRow, ...]
    # Of each cell of the table, which swings it is over; nothing where it is of all.
    groups: tuple[str, ...] = ("",)

    @property
    def unit(self) -> str:
        return self.series.unit

    @property
    def decimals(self) -> int:
        return self.series.decimals


@dataclass(frozen=True, eq=False)
class SessionPictures:
    """All that a session page draws."""

    strip: tuple[StripTile, ...]
    curves: SessionCurves
    available: tuple[SeriesDefinition, ...]


def session_pictures(
    page: SessionPage, *, series: str = "", align: str = "", system: str = "imperial"
) -> SessionPictures:
    """Strip and chart of the session; one query for all curves."""
    ids = [swing.id for swing in page.swings]
    stored = load_curves(ids)
    available = tuple(
        definition
        for name, definition in SERIES.items()
        if any(name in item.values for item in stored.values())
    )
    names = [definition.id for definition in available]
    if series not in names:
        series = DEFAULT_SERIES if DEFAULT_SERIES in names or not names else names[0]
    return SessionPictures(
        strip=_strip(page, stored),
        curves=session_curves(
            page.swings,
            stored,
            SERIES[series],
            align or "reference",
            system,
            apart=page.is_apart,
        ),
        available=available,
    )


def _strip(page: SessionPage, stored: Mapping[int, Curves]) -> tuple[StripTile, ...]:
    typical = {page.representative_id}
    if page.side_choices and not page.is_together:
        # What is kept is nearest to the mean of all swings, of both sides.
        typical = {
            nearest_to_mean(
                {
                    swing.id: event_time(swing.events, "reference")
                    for swing in page.swings
                    if swing.counted and side_key(swing.side) == part.key
                },
                stored,
            )
            for part in page.parts
        }
    return tuple(
        _tile(
            swing,
            stored.get(swing.id),
            is_typical=swing.id in typical,
            side_words=swing.side_words if page.side_choices else "",
        )
        for swing in page.swings
    )


def _tile(
    swing: SwingRow, curves: Curves | None, *, is_typical: bool, side_words: str
) -> StripTile:
    zero = event_time(swing.events, "reference")
    if curves is None or zero is None:
        return StripTile(swing, (), (), is_typical, side_words)
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
    return StripTile(swing, tuple(lines), tuple(marks), is_typical, side_words)


def session_curves(
    swings: Sequence[SwingRow],
    stored: Mapping[int, Curves],
    series: SeriesDefinition,
    align: str,
    system: str,
    *,
    apart: bool = False,
) -> SessionCurves:
    """Every counted swing thin, their mean thick, one SD as a band.

    With `apart` there is a mean for each side that a switch hitter swings from.
    """
    usable = [
        swing
        for swing in swings
        if swing.counted
        and swing.id in stored
        and series.id in stored[swing.id].values
        and event_time(swing.events, align) is not None
    ]
    # Curves that meet on differently found events would be spread by that alone.
    rule = commonest(swing.rules.get(align, "") for swing in usable)
    counted = [swing for swing in usable if swing.rules.get(align, "") == rule]
    zero_words = zero_label(rule, align)
    groups = _groups(counted, apart=apart)
    # A head that promises a mean and a spread only where both are drawn.
    has_band = any(group.has_band for group in groups)
    title = f"{series.name}, mean ± SD" if has_band else series.name
    if not counted:
        return SessionCurves(
            series,
            align,
            None,
            title,
            "",
            "No counted swing has this curve and this event. Choose another series "
            "or event, or count a swing in.",
            (),
        )
    factor = display.unit_factor(series.unit, system)
    label = display.unit_label(series.unit, system)
    aligned = [_aligned(group.swings, stored, series.id, align) for group in groups]
    grid = aligned[0].grid
    x0 = float(grid[0]) * MS_PER_S
    dx = float(grid[1] - grid[0]) * MS_PER_S
    lines = [
        charts.Line(
            key="swings"
            if group.has_band or not group.letter
            else f"each-{group.letter}",
            part=series.part,
            name=f"Swing {swing.position}"
            + (f", {group.label.lower()}" if group.label else ""),
            x0=x0,
            dx=dx,
            y=row * factor,
            # Faint only beside a mean that stands out from them.
            role="single" if group.has_band else "line",
            letter="" if group.has_band else group.letter,
            unit=label,
        )
        for group, one in zip(groups, aligned, strict=True)
        for swing, row in zip(group.swings, one.rows, strict=True)
    ]
    for group, one in zip(groups, aligned, strict=True):
        if group.has_band:
            lines += charts.band_lines(
                key=f"mean{group.letter}",
                part=series.part,
                name=f"Mean, {group.label.lower()}" if group.label else "Mean",
                x0=x0,
                dx=dx,
                mean=one.mean * factor,
                sd=one.sd * factor,
                unit=label,
                letter=group.letter,
            )
    chart = charts.Chart(
        lines=lines,
        x_title=charts.axis_title(f"Time from {zero_words}", "ms"),
        y_title=charts.axis_title(series.name, label),
        y_unit=label,
        # Where an event lies on the mean is said of one side alone.
        marks=[charts.Mark("zero", 0.0, zero_words)]
        if len(groups) > 1
        else _mean_marks(counted, align),
        x_range=(-BEFORE_S * MS_PER_S, AFTER_S * MS_PER_S),
        legend=_legend(groups, series.part),
    )
    note = _note(groups, aligned, series, zero_words, system)
    if others := len(usable) - len(counted):
        note += (
            f"{phrases.number_of(others, 'swing')} left out: the event was found there "
            "by another rule."
        )
    return SessionCurves(
        series=series,
        align=align,
        figure=chart.to_json(),
        title=title,
        caption=f"{_how_many(groups)}, aligned on {zero_words}",
        note=note.strip(),
        table=_table(aligned),
        groups=tuple(group.label for group in groups),
    )


@dataclass(frozen=True)
class _Group:
    """Counted swings with one mean; `letter` is the dash of its line."""

    swings: Sequence[SwingRow]
    label: str = ""
    letter: str = ""

    @property
    def has_band(self) -> bool:
        return len(self.swings) >= LEAST_SWINGS_FOR_SPREAD


def _groups(swings: Sequence[SwingRow], *, apart: bool) -> tuple[_Group, ...]:
    """All swings as one, or those of each side; none of them empty."""
    if not apart:
        return (_Group(swings),)
    found = []
    for side in SIDES:
        own = [swing for swing in swings if swing.side == side]
        if own:
            label = side_in_words(side).capitalize()
            found.append(_Group(own, label, charts.LETTERS[SIDES.index(side)]))
    return tuple(found) or (_Group(swings),)


def _aligned(
    swings: Sequence[SwingRow], stored: Mapping[int, Curves], series: str, align: str
) -> curve_tools.Aligned:
    return curve_tools.align(
        [
            curve_tools.Curve(
                time_s=stored[swing.id].time_s,
                values=stored[swing.id].values[series],
                zero_s=event_time(swing.events, align),
            )
            for swing in swings
        ]
    )


def _legend(groups: Sequence[_Group], part: str) -> list[charts.LegendItem]:
    if not any(group.has_band for group in groups) and len(groups) == 1:
        return []
    items = []
    for group in groups:
        of = f"{group.label}, " if group.label else ""
        if group.has_band:
            text = f"{of}mean ± SD" if of else "Mean ± SD"
            items.append(
                charts.LegendItem(f"mean{group.letter}", text, part, group.letter)
            )
        else:
            items.append(
                charts.LegendItem(
                    f"each-{group.letter}", f"{of}each swing", part, group.letter
                )
            )
    if any(group.has_band for group in groups):
        items.append(charts.LegendItem("swings", "Each swing", part))
    return items


def _how_many(groups: Sequence[_Group]) -> str:
    return phrases.joined(
        [
            phrases.number_of(len(group.swings), "swing")
            + (f" {group.label.lower()}" if group.label else "")
            for group in groups
        ]
    )


def _note(
    groups: Sequence[_Group],
    aligned: Sequence[curve_tools.Aligned],
    series: SeriesDefinition,
    zero_words: str,
    system: str,
) -> str:
    if not any(group.has_band for group in groups):
        return "A mean and its spread are drawn from three counted swings on. "
    widths = [
        (group.label, width)
        for group, one in zip(groups, aligned, strict=True)
        if group.has_band
        and (width := curve_tools.band_width(one, low=-BEFORE_S, high=0.0)) is not None
    ]
    note = "The band is for looking: peaks are taken per swing and then averaged. "
    if widths:
        spreads = phrases.joined(
            [
                "± "
                + display.value_text(
                    width, series.unit, system, decimals=series.decimals
                )
                + (f" {label.lower()}" if label else "")
                for label, width in widths
            ]
        )
        note += f"Width of the band up to {zero_words}: {spreads}. "
    return note


def zero_label(rule: str, align: str) -> str:
    """What time zero is called; the reference by the rule that found it."""
    if align != "reference":
        return align.replace("_", " ")
    return rule_name(rule) if rule else "reference"


def _mean_marks(swings: Sequence[SwingRow], align: str) -> tuple[charts.Mark, ...]:
    """Mean places of foot down and first move against the event aligned on."""
    zero_words = zero_label(swings[0].rules.get(align, ""), align)
    marks = [charts.Mark("zero", 0.0, zero_words)]
    for name, label in (("first_move", "FM"), ("foot_down", "FD")):
        if name == align:
            continue
        offsets = [
            at - zero
            for swing in swings
            if (at := event_time(swing.events, name)) is not None
            and (zero := event_time(swing.events, align)) is not None
        ]
        if offsets:
            at_ms = float(np.mean(offsets)) * MS_PER_S
            if -BEFORE_S * MS_PER_S <= at_ms <= AFTER_S * MS_PER_S:
                marks.append(charts.Mark(name, at_ms, label, "mean of the swings"))
    return tuple(marks)


def _table(aligned: Sequence[curve_tools.Aligned]) -> tuple[CurveTableRow, ...]:
    every = max(1, round(TABLE_STEP_MS / MS_PER_S / curve_tools.STEP_S))
    grid = aligned[0].grid
    return tuple(
        CurveTableRow(
            time_ms=round(float(grid[place]) * MS_PER_S),
            cells=tuple(
                CurveTableCell(
                    mean=charts.finite(float(one.mean[place])),
                    sd=charts.finite(float(one.sd[place])),
                    n=int(one.count[place]),
                )
                for one in aligned
            ),
        )
        for place in range(0, len(grid), every)
    )
