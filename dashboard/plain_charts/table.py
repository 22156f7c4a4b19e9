"""A chart as a table at readable steps of its own axis, with its own zero."""

from __future__ import annotations

import math
from dataclasses import dataclass

from athletes.display import MISSING, number_text
from dashboard.plain_charts.reading import Curve, Json, decimals_of, read_chart

# More rows are no table to read.
_MOST_ROWS = 20
_STEPS = (10.0, 20.0, 25.0, 50.0, 100.0, 200.0, 500.0, 1000.0)


@dataclass(frozen=True)
class TableColumn:
    """The head of a curve's column, with the piece of its line."""

    name: str
    unit: str
    part: str
    letter: str


@dataclass(frozen=True)
class StepTable:
    """The values of all curves at equal steps of the axis, as texts."""

    head: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def step_table(figure: Json) -> StepTable | None:
    """The curves of a chart at round places of its axis, those hidden at first too.

    None where the chart is not over time or percent, or has single curves alone.
    """
    chart = read_chart(figure)
    lines = [
        one
        for one in chart.curves
        if not one.is_band and one.role != "single" and one.name
    ]
    if chart.is_dated or chart.is_path or not lines:
        return None
    low, high = chart.ends
    step = next((one for one in _STEPS if (high - low) / one <= _MOST_ROWS), _STEPS[-1])
    places = [
        step * place
        for place in range(math.ceil(low / step), math.floor(high / step) + 1)
    ]
    return StepTable(
        head=f"Time ({chart.x_unit})" if chart.x_unit == "ms" else chart.x_unit,
        columns=tuple(
            TableColumn(chart.name_of(one), one.unit, one.part, one.letter)
            for one in lines
        ),
        rows=tuple(
            (number_text(at, 0), tuple(_text(one, at) for one in lines))
            for at in places
        ),
    )


def _text(curve: Curve, at: float) -> str:
    value = curve.at(at)
    return MISSING if value is None else number_text(value, decimals_of(curve.unit))
