"""The curves of a session: every swing, and mean ± SD of one series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from athletes import display
from athletes.analysis.event_rules import commonest, event_time
from athletes.analysis.means_by_side import SIDES
from athletes.display import number_of
from athletes.frames.curves import Curves, load_curves
from athletes.phrases import side_in_words
from biomechanics import curves as curve_tools
from biomechanics.curves import AFTER_S, BEFORE_S
from biomechanics.definitions import SeriesDefinition
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from biomechanics.units import MS_PER_S
from dashboard import charts, phrases
from dashboard.selectors.aligned_curves import (
    available_series,
    choose_series,
    curve_on_event,
    mean_offset_s,
    zero_label,
)
from dashboard.selectors.session_page import SessionPage
from dashboard.selectors.session_strip import StripTile, strip_of
from dashboard.selectors.swing_rows import SwingRow

TABLE_STEP_MS = 50


@dataclass(frozen=True)
class CurveTableCell:
    """Mean and SD of the curves at one instant, in stored units."""

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
    curves: SessionCurves
    available: tuple[SeriesDefinition, ...]


def session_pictures(
    page: SessionPage, *, series: str = "", align: str = "", system: str = "imperial"
) -> SessionPictures:
    """Strip and chart of the session; one query for all curves.

    An unknown `series` falls back to torso rotation, no `align` means the reference.
    """
    stored = load_curves([swing.id for swing in page.swings])
    available = available_series(stored.values())
    return SessionPictures(
        strip=strip_of(page, stored),
        curves=session_curves(
            page.swings,
            stored,
            choose_series(series, available),
            align or "reference",
            system,
            apart=page.is_apart,
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
    apart: bool = False,
) -> SessionCurves:
    """Every counted swing thin, their mean thick, one SD as a band.

    With `apart` there is a mean for each side that a switch hitter swings from.
    """
    counted, rule, others = _on_one_rule(swings, stored, series, align)
    zero_words = zero_label(rule, align)
    groups = _groups(counted, stored, series.id, align, apart=apart)
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
    label = display.unit_label(series.unit, system)
    chart = charts.Chart(
        lines=_lines(groups, series, system),
        x_title=charts.axis_title(f"Time from {zero_words}", "ms"),
        y_title=charts.axis_title(series.name, label),
        y_unit=label,
        # Events have one place on the mean only where there is one mean.
        marks=[charts.Mark("zero", 0.0, zero_words)]
        if len(groups) > 1
        else _mean_marks(counted, align),
        x_range=(-BEFORE_S * MS_PER_S, AFTER_S * MS_PER_S),
        legend=_legend(groups, series.part),
    )
    note = _note(groups, series, zero_words, system)
    if others:
        note += (
            f"{number_of(others, 'swing')} left out: the event was found there "
            "by another rule."
        )
    return SessionCurves(
        series=series,
        align=align,
        figure=chart.to_json(),
        title=title,
        caption=f"{_how_many(groups)}, aligned on {zero_words}",
        note=note.strip(),
        table=_table(groups),
        groups=tuple(group.label for group in groups),
    )


def _on_one_rule(
    swings: Sequence[SwingRow],
    stored: Mapping[int, Curves],
    series: SeriesDefinition,
    align: str,
) -> tuple[list[SwingRow], str, int]:
    """Counted swings with one event rule, that rule, and how many have another one.

    Curves that meet on differently found events would be spread by that alone.
    """
    usable = [
        swing
        for swing in swings
        if swing.counted
        and swing.id in stored
        and series.id in stored[swing.id].values
        and event_time(swing.events, align) is not None
    ]
    rule = commonest(swing.rules.get(align, "") for swing in usable)
    same = [swing for swing in usable if swing.rules.get(align, "") == rule]
    return same, rule, len(usable) - len(same)


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


def _groups(
    swings: Sequence[SwingRow],
    stored: Mapping[int, Curves],
    series: str,
    align: str,
    *,
    apart: bool,
) -> tuple[_Group, ...]:
    """All swings as one group, or those of each side that has any."""

    def group(own: Sequence[SwingRow], label: str = "", letter: str = "") -> _Group:
        curves = [
            curve_on_event(stored[swing.id], series, swing.events, align)
            for swing in own
        ]
        return _Group(own, curve_tools.align(curves), label, letter)

    found = []
    for side, letter in zip(SIDES, charts.LETTERS, strict=False):
        own = [swing for swing in swings if swing.side == side]
        if apart and own:
            found.append(group(own, side_in_words(side).capitalize(), letter))
    return tuple(found) or (group(swings),)


def _lines(
    groups: Sequence[_Group], series: SeriesDefinition, system: str
) -> list[charts.Line]:
    """A thin line of each swing, then mean and band of each group that has them."""
    factor = display.unit_factor(series.unit, system)
    label = display.unit_label(series.unit, system)
    grid = groups[0].aligned.grid
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
        for group in groups
        for swing, row in zip(group.swings, group.aligned.rows, strict=True)
    ]
    for group in groups:
        if group.has_band:
            lines += charts.band_lines(
                key=f"mean{group.letter}",
                part=series.part,
                name=f"Mean, {group.label.lower()}" if group.label else "Mean",
                x0=x0,
                dx=dx,
                mean=group.aligned.mean * factor,
                sd=group.aligned.sd * factor,
                unit=label,
                letter=group.letter,
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
    """How many swings are drawn, by group: `5 swings batting left`."""
    return phrases.list_in_words(
        [
            number_of(len(group.swings), "swing")
            + (f" {group.label.lower()}" if group.label else "")
            for group in groups
        ]
    )


def _note(
    groups: Sequence[_Group],
    series: SeriesDefinition,
    zero_words: str,
    system: str,
) -> str:
    """What the band is, and how wide it is before time zero."""
    if not any(group.has_band for group in groups):
        return "A mean and its spread are drawn from three counted swings on. "
    widths = [
        (group.label, width)
        for group in groups
        if group.has_band
        and (width := curve_tools.band_width(group.aligned, low=-BEFORE_S, high=0.0))
        is not None
    ]
    note = "The band is for looking: peaks are taken per swing and then averaged. "
    if widths:
        spreads = phrases.list_in_words(
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


def _mean_marks(swings: Sequence[SwingRow], align: str) -> tuple[charts.Mark, ...]:
    """Marks at time zero and at the mean times of first move and foot down."""
    zero_words = zero_label(swings[0].rules.get(align, ""), align)
    marks = [charts.Mark("zero", 0.0, zero_words)]
    for name, label in (("first_move", "FM"), ("foot_down", "FD")):
        offset_s = mean_offset_s((swing.events for swing in swings), name, align)
        if name == align or offset_s is None:
            continue
        at_ms = offset_s * MS_PER_S
        if -BEFORE_S * MS_PER_S <= at_ms <= AFTER_S * MS_PER_S:
            marks.append(charts.Mark(name, at_ms, label, "mean of the swings"))
    return tuple(marks)


def _table(groups: Sequence[_Group]) -> tuple[CurveTableRow, ...]:
    """Means of all groups at every 50 ms, as the table below the chart shows them."""
    every = max(1, round(TABLE_STEP_MS / MS_PER_S / curve_tools.STEP_S))
    grid = groups[0].aligned.grid
    return tuple(
        CurveTableRow(
            time_ms=round(float(grid[place]) * MS_PER_S),
            cells=tuple(
                CurveTableCell(
                    mean=charts.finite(float(group.aligned.mean[place])),
                    sd=charts.finite(float(group.aligned.sd[place])),
                    n=int(group.aligned.kept.sum()),
                )
                for group in groups
            ),
        )
        for place in range(0, len(grid), every)
    )
