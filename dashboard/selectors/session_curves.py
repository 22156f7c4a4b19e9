"""The curves of a session: every swing, and mean ± SD of one series."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.text import capfirst

from athletes import display
from athletes.analysis.event_rules import commonest
from athletes.display import number_of
from athletes.frames.curves import Curves, load_curves
from biomechanics import curves as curve_tools
from biomechanics.definitions import SeriesDefinition
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from dashboard import charts, phrases
from dashboard.selectors.aligned_curves import (
    Alignment,
    available_series,
    axis_words,
    choose_series,
    curve_on_event,
    event_marks,
    on_axis,
    zero_label,
)
from dashboard.selectors.session_groups import Grouping
from dashboard.selectors.session_page import SessionPage
from dashboard.selectors.session_sequence import SessionSequence, session_sequences
from dashboard.selectors.session_strip import StripTile, strip_of
from dashboard.selectors.swing_rows import SwingRow

# The table has a row at each multiple of so many ms, or so much percent.
TABLE_STEP = {"ms": 50, "%": 10}


#: The series that stands below the sequence, which has the rotation speeds already.
AFTER_SEQUENCE = "x_factor"


@dataclass(frozen=True)
class CurveTableCell:
    """Mean and SD of the curves at one instant, in stored units."""

    mean: float | None
    sd: float | None
    n: int


@dataclass(frozen=True)
class CurveTableRow:
    """The curves' table at one place of the axis, with a cell for each mean."""

    at: int
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
    x_unit: str = "ms"

    @property
    def unit(self) -> str:
        """The unit in which the table's values are stored."""
        return self.series.unit

    @property
    def decimals(self) -> int:
        """Decimals that the table's values are printed with."""
        return self.series.decimals


@dataclass(frozen=True, eq=False)
class SessionPictures:
    """All that a session page draws."""

    strip: tuple[StripTile, ...]
    sequences: tuple[SessionSequence, ...]
    curves: SessionCurves
    available: tuple[SeriesDefinition, ...]


def session_pictures(
    page: SessionPage, *, series: str = "", align: str = "", system: str = "imperial"
) -> SessionPictures:
    """Strip and charts of the session; one query for all curves.

    An unknown `series` falls back to separation, no `align` means the reference.
    """
    stored = load_curves([swing.id for swing in page.swings])
    available = available_series(stored.values())
    return SessionPictures(
        strip=strip_of(page, stored),
        sequences=session_sequences(
            page.swings, stored, align or "reference", page.grouping_shown
        ),
        curves=session_curves(
            page.swings,
            stored,
            choose_series(series, available, AFTER_SEQUENCE),
            align or "reference",
            system,
            grouping=page.grouping_shown,
        ),
        available=available,
    )


def session_curves(
    swings: Sequence[SwingRow],
    stored: Mapping[int, Curves],
    series: SeriesDefinition,
    align: str,
    system: str,
    *,
    grouping: Grouping,
) -> SessionCurves:
    """Every counted swing thin, their mean thick, one SD as a band.

    There is a mean for each group by `grouping`, and none over several.
    """
    alignment = Alignment(align)
    on = _on_one_rule(swings, stored, series, alignment)
    zero_words = zero_label(on.rule, alignment.event)
    groups = _groups(on.swings, stored, series.id, alignment, grouping)
    # A head that promises a mean and a spread only where both are drawn.
    has_band = any(group.has_band for group in groups)
    title = f"{series.name}, average ± SD" if has_band else series.name
    if not on.swings:
        return SessionCurves(
            series,
            align,
            None,
            title,
            "",
            "No included swing has this curve and event. Choose another series or "
            f"event, or include a swing. {on.left_out_words}".strip(),
            (),
        )
    label = display.unit_label(series.unit, system)
    window = alignment.window(swing.events for swing in on.swings)
    chart = charts.Chart(
        lines=_lines(groups, alignment, series, system),
        x_title=axis_words(alignment, zero_words),
        y_title=charts.axis_title(series.name, label),
        x_unit=alignment.unit,
        y_unit=label,
        marks=_marks(groups, alignment),
        x_range=window,
        legend=_legend(groups, series.part),
        zero=zero_words,
    )
    return SessionCurves(
        series=series,
        align=align,
        figure=chart.to_json(),
        title=title,
        caption=f"{_how_many(groups)}, "
        + (
            "in percent of the swing"
            if alignment.is_percent
            else f"aligned on {zero_words}"
        ),
        note=(_note(groups, series, system) + on.left_out_words).strip(),
        table=_table(groups, alignment),
        groups=tuple(_within(group.label) for group in groups),
        x_unit=alignment.unit,
    )


@dataclass(frozen=True)
class _OnOneRule:
    """Counted swings whose event was found by one rule, and how many others are not."""

    swings: list[SwingRow]
    rule: str
    by_another_rule: int
    without_place: Mapping[str, int]
    unsure_words: str

    @property
    def left_out_words(self) -> str:
        """How many swings are left out, and why; empty where none is."""
        words = ""
        if self.by_another_rule:
            words += (
                f"{number_of(self.by_another_rule, 'swing')} excluded: the event was "
                "found there by a different rule. "
            )
        for why, count in self.without_place.items():
            words += f"{number_of(count, 'swing')} excluded: {why}. "
        if self.unsure_words:
            words += f"In this swing {self.unsure_words}."
        return words.strip()


def _on_one_rule(
    swings: Sequence[SwingRow],
    stored: Mapping[int, Curves],
    series: SeriesDefinition,
    alignment: Alignment,
) -> _OnOneRule:
    """Counted swings that have the curve and a place on the axis, by one rule.

    Curves that meet on differently found events would be spread by that alone.
    """
    having = [
        swing
        for swing in swings
        if swing.counted and swing.id in stored and series.id in stored[swing.id].values
    ]
    usable, without_place = on_axis(having, alignment)
    event = alignment.event
    rule = commonest(swing.rules.get(event, "") for swing in usable)
    same = [swing for swing in usable if swing.rules.get(event, "") == rule]
    return _OnOneRule(
        swings=same,
        rule=rule,
        by_another_rule=len(usable) - len(same),
        without_place=without_place,
        unsure_words=alignment.unsure_words(same[0].events) if len(same) == 1 else "",
    )


@dataclass(frozen=True, eq=False)
class _Group:
    """Counted swings with one mean; `letter` is the dash of its line."""

    swings: Sequence[SwingRow]
    aligned: curve_tools.Aligned
    label: str = ""
    letter: str = ""

    @property
    def has_band(self) -> bool:
        """Whether there are swings enough for a mean and its spread."""
        return len(self.swings) >= LEAST_SWINGS_FOR_SPREAD

    @property
    def n(self) -> int:
        """Over how many swings the mean is: clips may be too short for it."""
        return int(self.aligned.kept.sum())


def _groups(
    swings: Sequence[SwingRow],
    stored: Mapping[int, Curves],
    series: str,
    alignment: Alignment,
    grouping: Grouping,
) -> tuple[_Group, ...]:
    """The groups of the swings that have any, on one axis; one where there is one."""
    window = alignment.window(swing.events for swing in swings)

    def group(own: Sequence[SwingRow], label: str = "", letter: str = "") -> _Group:
        curves = [
            curve_on_event(stored[swing.id], series, swing.events, alignment.event)
            for swing in own
        ]
        return _Group(own, alignment.align(curves, window), label, letter)

    found = []
    parts = grouping.groups(swing.part for swing in swings)
    for part, letter in zip(parts, charts.LETTERS, strict=False):
        own = [swing for swing in swings if grouping.of(swing.part) == part]
        if not grouping.is_apart:
            letter = ""
        found.append(group(own, capfirst(grouping.words(part)), letter))
    return tuple(found) or (group(swings),)


def _lines(
    groups: Sequence[_Group],
    alignment: Alignment,
    series: SeriesDefinition,
    system: str,
) -> list[charts.Line]:
    """A thin line of each swing, then mean and band of each group that has them."""
    factor = display.unit_factor(series.unit, system)
    label = display.unit_label(series.unit, system)
    x0, dx = alignment.step(groups[0].aligned)
    lines = [
        charts.Line(
            key="swings"
            if group.has_band or not group.letter
            else f"each-{group.letter}",
            part=series.part,
            name=f"Swing {swing.position}"
            + (f", {_within(group.label)}" if group.label else ""),
            x0=x0,
            dx=dx,
            y=row * factor,
            # Faint only beside a mean that stands out from them.
            role="single" if group.has_band else "line",
            hidden=group.has_band,
            letter="" if group.has_band else group.letter,
            unit=label,
        )
        for group in groups
        for swing, row in zip(group.swings, group.aligned.rows, strict=True)
    ]
    for group in groups:
        if group.has_band:
            lines += charts.band_lines(
                key=f"mean{group.letter}",
                part=series.part,
                name=f"Average, {_within(group.label)}" if group.label else "Average",
                x0=x0,
                dx=dx,
                mean=group.aligned.mean * factor,
                sd=group.aligned.sd * factor,
                unit=label,
                letter=group.letter,
                n=group.n,
            )
    return lines


def _legend(groups: Sequence[_Group], part: str) -> list[charts.LegendItem]:
    """The boxes that switch means and single swings; none for swings alone."""
    if not any(group.has_band for group in groups) and len(groups) == 1:
        return []
    items = []
    for group in groups:
        of = f"{group.label}, " if group.label else ""
        if group.has_band:
            text = f"{of}average ± SD" if of else "Average ± SD"
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
        items.append(charts.LegendItem("swings", "Each swing", part, hidden=True))
    return items


def _how_many(groups: Sequence[_Group]) -> str:
    """How many swings are drawn, by group: `5 swings batting left`.

    Where the mean is over fewer, also over how many: `8 swings (average of 5)`.
    """
    return phrases.list_in_words(
        [
            number_of(len(group.swings), "swing")
            + (f" {_within(group.label)}" if group.label else "")
            + (
                f" (average of {group.n})"
                if group.has_band and group.n < len(group.swings)
                else ""
            )
            for group in groups
        ]
    )


def _note(
    groups: Sequence[_Group],
    series: SeriesDefinition,
    system: str,
) -> str:
    """What the band is, and how wide it is."""
    if not any(group.has_band for group in groups):
        return (
            "The average and its spread are drawn from three or more included swings. "
        )
    widths = [
        (group.label, width)
        for group in groups
        if group.has_band
        and (
            width := curve_tools.band_width(group.aligned, low=-math.inf, high=math.inf)
        )
        is not None
    ]
    note = "The band is a guide only: peaks are measured per swing, then averaged. "
    short = sum(len(group.swings) - group.n for group in groups if group.has_band)
    if short:
        note += (
            f"{number_of(short, 'swing')} drawn but not in the average: the clip is "
            "too short. "
        )
    if widths:
        spreads = phrases.list_in_words(
            [
                "± "
                + display.value_text(
                    width, series.unit, system, decimals=series.decimals
                )
                + (f" {_within(label)}" if label else "")
                for label, width in widths
            ]
        )
        note += f"Average width of the band: {spreads}. "
    return note


def _marks(groups: Sequence[_Group], alignment: Alignment) -> list[charts.Mark]:
    """The mean places of all events, of each group where there are several."""
    marks: list[charts.Mark] = []
    for group in groups:
        several = len(groups) > 1
        marks += event_marks(
            alignment,
            [swing.events for swing in group.swings],
            rule=commonest(swing.rules.get("reference", "") for swing in group.swings),
            sign=_sign(group.label) if several else "",
            letter=group.letter,
        )
    return marks


def _sign(label: str) -> str:
    """A group in a word at its lines: `Left` of `Batting left`, a setup as it is."""
    return capfirst(label.removeprefix("Batting "))


def _table(groups: Sequence[_Group], alignment: Alignment) -> tuple[CurveTableRow, ...]:
    """Means of all groups at round places, as the table below the chart shows them."""
    return tuple(
        CurveTableRow(
            at=at,
            cells=tuple(
                CurveTableCell(
                    mean=charts.finite(float(group.aligned.mean[place])),
                    sd=charts.finite(float(group.aligned.sd[place])),
                    n=group.n,
                )
                for group in groups
            ),
        )
        for at, place in alignment.round_places(
            groups[0].aligned, TABLE_STEP[alignment.unit]
        )
    )


def _within(label: str) -> str:
    """A label as it stands within a sentence; an abbreviation stays one."""
    return label[:1].lower() + label[1:]
