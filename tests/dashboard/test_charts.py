"""Figures as dictionaries: what the scripts on the page read."""

from __future__ import annotations

import base64
import datetime as dt
import json

import numpy as np
import pytest

from dashboard import charts
from tests.dashboard.page_contents import unpacked_figure


def decoded(array):
    assert array["dtype"] == "f4"
    return np.frombuffer(base64.b64decode(array["bdata"]), dtype="<f4")


def test_typed_array_holds_the_values_as_float32_with_gaps():
    values = decoded(charts.typed([1.5, np.nan, -2.25]))
    assert values[0] == 1.5
    assert np.isnan(values[1])
    assert values[2] == -2.25


def test_line_gives_start_and_step_instead_of_times():
    line = charts.Line(
        key="pelvis_omega",
        part="pelvis",
        name="Pelvis",
        x0=-600.0,
        dx=1000 / 240,
        y=np.arange(4.0),
        unit="°/s",
    ).to_json()
    assert (line["x0"], line["dx"]) == (-600.0, 4.166667)
    assert "x" not in line
    assert "role" not in line
    assert decoded(line["y"]).tolist() == [0.0, 1.0, 2.0, 3.0]


def test_chart_of_one_clock_takes_part_in_the_shared_cursor_and_others_do_not():
    line = charts.Line(key="a", part="bat", name="A", x0=0, dx=1, y=np.zeros(2))
    with_clock = charts.Chart([line], "x", "y", time_zero_s=1.25, time_per_x_s=0.001)
    without = charts.Chart([line], "x", "y")
    assert with_clock.to_json()["meta"]["time_zero_s"] == 1.25
    assert "time_zero_s" not in without.to_json()["meta"]


def test_chart_is_json_without_nan():
    band = charts.band_lines(
        key="mean",
        part="torso",
        name="Mean",
        x0=0,
        dx=2,
        mean=np.array([1.0, np.nan]),
        sd=np.array([0.5, np.nan]),
        unit="°/s",
    )
    chart = charts.Chart(
        band, "x", "y", marks=[charts.Mark("foot_down", -148.0, "FD", "settles", True)]
    )
    text = json.dumps(chart.to_json(), allow_nan=False)
    assert json.loads(text)["events"][0] == {
        "name": "foot_down",
        "time": -148.0,
        "label": "FD",
        "rule": "settles",
        "movable": True,
    }


def test_band_is_mean_plus_and_minus_one_spread():
    band, mean = charts.band_lines(
        key="mean",
        part="torso",
        name="Mean",
        x0=0,
        dx=2,
        mean=np.array([10.0, 20.0]),
        sd=np.array([1.0, 2.0]),
        unit="",
    )
    assert (band.role, mean.role) == ("band", "mean")
    assert band.lower.tolist() == [9.0, 18.0]
    assert band.upper.tolist() == [11.0, 22.0]


def test_mean_of_too_few_swings_has_no_band():
    lines = charts.band_lines(
        key="a",
        part="torso",
        name="A",
        x0=0,
        dx=2,
        mean=np.array([1.0]),
        sd=np.array([np.nan]),
        unit="",
    )
    assert [line.role for line in lines] == ["mean"]


@pytest.mark.parametrize(
    ("low", "high", "start", "kept"),
    [
        (-2, 2, -2.0, [8, 9, 10, 11, 12]),
        (-99, -9, -10.0, [0, 1]),
        (-np.inf, np.inf, -10, range(21)),
        (50, 60, 50, []),
    ],
)
def test_trim_keeps_what_lies_between(low, high, start, kept):
    x0, values = charts.trim(-10.0, 1.0, np.arange(21.0), low, high)
    assert (x0, values.tolist()) == (start, [float(v) for v in kept])


def test_thinned_values_keep_the_peak_that_every_tenth_would_miss():
    values = np.zeros(100)
    values[57] = 9.0
    picked = charts.thinned(values, 10)
    assert len(picked) == 10
    assert max(picked) == 9.0


@pytest.mark.parametrize("length", [1, 2, 47, 48, 49, 95, 181, 360])
def test_thinned_values_are_the_largest_of_each_stretch(length):
    rng = np.random.default_rng(length)
    values = rng.normal(0.0, 500.0, length)
    values[rng.random(length) < 0.3] = np.nan
    values[rng.random(length) < 0.05] = np.inf
    expected = []
    for stretch in np.array_split(values, min(48, length)):
        known = [float(one) for one in stretch if np.isfinite(one)]
        expected.append(round(max(known, key=abs), 2) if known else None)
    assert charts.thinned(values, 48) == expected


def test_thinned_values_keep_gaps():
    values = np.array([1.0, 2.0, np.nan, np.nan])
    assert charts.thinned(values, 2) == [2.0, None]


def test_trend_converts_to_the_units_of_the_reader():
    line = charts.TrendLine(
        "tee",
        [dt.date(2026, 3, 1), dt.date(2026, 3, 8)],
        [30.0, 31.0],
        [0.5, None],
        [5, 2],
    )
    figure = charts.trend_chart(
        [line],
        name="Bat speed",
        unit="m/s",
        system="imperial",
        decimals=1,
        band=(29.0, 31.0),
    )
    noise, trend = figure["data"]
    assert trend["y"] == pytest.approx([67.108, 69.345], abs=2e-3)
    assert trend["error_y"] == pytest.approx([1.118, 0.0], abs=2e-3)
    assert trend["text"] == ["5 swings", "2 swings"]
    assert trend["x"] == ["2026-03-01", "2026-03-08"]
    assert noise["lower"] == pytest.approx([64.87, 64.87], abs=1e-2)
    assert figure["layout"]["yaxis"]["title"]["text"] == "Bat speed (mph)"


def test_figure_holds_frames_row_by_row_in_millimeters():
    points = np.arange(2 * 3 * 3, dtype=float).reshape(2, 3, 3) / 8
    points[0, 1, 2] = np.nan
    points[1, 0, 0] = 40.0
    figure = charts.figure3d(
        charts.Skeleton(
            names=["lajc", "lbtoe", "head"],
            points=points,
            bones=[(0, 1, "legs")],
            start_s=0.5,
            dt_s=1 / 240,
            head=2,
            front_foot=(0, 1),
        ),
        events={"foot_down": (0.75, "Foot down")},
        zero_s=1.0,
        first_s=0.75,
        reference_label="contact",
    )
    assert (figure["n_frames"], figure["n_points"], figure["head"]) == (2, 3, 2)
    sent = unpacked_figure(figure["points"])
    missing = charts.FIGURE_MISSING
    assert (figure["points"]["dtype"], figure["points"]["by"]) == ("v2", 9)
    # The second frame is its difference to the first, in numbers of two bytes.
    steps = sent.reshape(2, 9)[1].tolist()
    sent = np.cumsum(sent.reshape(2, 9), axis=0, dtype="<i2").ravel()
    # Of those the small ones take one byte, the others three.
    large = [abs(step) > 127 for step in [*sent[:9].tolist(), *steps]]
    packed = base64.b64decode(figure["points"]["bdata"])
    assert len(packed) == 18 + 2 * sum(large)
    assert steps[1] == sent[10] - sent[1]
    assert sent[:9].tolist() == [0, 125, 250, 375, 500, missing, 750, 875, 1000]
    # What is farther away than two bytes can say is missing, not somewhere else.
    assert sent[9:11].tolist() == [missing, 1250]
    assert figure["first_s"] == 0.75
    assert figure["front_foot"] == [0, 1]
    assert figure["chest"] == [None, None, None, None]
    assert figure["events"] == [
        {"name": "foot_down", "time_s": 0.75, "label": "Foot down"}
    ]


def test_axis_of_one_day_counts_days_and_not_hours():
    def axis(*days):
        line = charts.TrendLine(
            label="",
            dates=[dt.date(2026, 3, day) for day in days],
            means=[70.0] * len(days),
            spreads=[None] * len(days),
            counts=[1] * len(days),
        )
        figure = charts.trend_chart(
            [line], name="Bat speed", unit="m/s", system="metric", decimals=1
        )
        return figure["layout"]["xaxis"]

    one = axis(4)
    assert one["range"] == ["2026-03-03", "2026-03-05"]
    assert one["dtick"] == "D1"
    assert axis(1, 20) == {"type": "date"}
