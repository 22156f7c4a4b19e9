"""Charts without a script: in a sentence, as a table, as a still picture."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from dashboard import charts
from dashboard.plain_charts import picture, svg, table, words
from tests.design_tokens import DARK, LIGHT

SVG = "{http://www.w3.org/2000/svg}"


def hill(peak, at_ms, x0=-600.0, dx=2.0, count=376):
    """A curve that is `peak` high at one instant and falls to both sides."""
    x = x0 + dx * np.arange(count)
    return np.maximum(0.0, peak * (1.0 - np.abs(x - at_ms) / 300.0))


def line(key, part, name, y, **more):
    return charts.Line(
        key=key, part=part, name=name, x0=-600.0, dx=2.0, y=y, unit="°/s", **more
    )


def sequence(**more):
    """Pelvis, torso and lead arm, one after another, from −600 to 150 ms."""
    series = (
        ("pelvis_omega", "pelvis", "Pelvis", 640.0, -86.0),
        ("torso_omega", "torso", "Torso", 880.0, -60.0),
        ("lead_arm_omega", "lead_arm", "Lead arm", 1170.0, -40.0),
    )
    return charts.Chart(
        lines=[
            line(key, part, f"{name} rotation speed", hill(peak, at))
            for key, part, name, peak, at in series
        ],
        legend=[charts.LegendItem(key, name, part) for key, part, name, _, _ in series],
        x_title="Time from contact (ms)",
        y_title="Rotation speed (°/s)",
        y_unit="°/s",
        marks=[charts.Mark("zero", 0.0, "Contact")],
        x_range=(-600.0, 150.0),
        zero="contact",
        **more,
    ).to_json()


def test_sequence_says_each_peak_with_its_time():
    assert words.summary(sequence()) == (
        "Pelvis peaks at 640°/s, 86 ms before contact; "
        "torso 880°/s, 60 ms; lead arm 1,170°/s, 40 ms."
    )


def test_marked_peaks_are_told_as_they_are_marked():
    figure = sequence(
        peaks=[
            charts.Peak("pelvis_omega", "pelvis", "Pelvis", -86.4, 652.0, "°/s", 21, 4),
            charts.Peak("lead_arm_omega", "lead_arm", "Lead arm", 3.0, 1180.0, "°/s"),
            charts.Peak("bat_omega", "bat", "Bat", 2.0, 1900.0, "°/s"),
        ]
    )
    # The bat's curve is not drawn, so its peak is not told.
    assert words.summary(figure) == (
        "Pelvis peaks at 652°/s ± 21°/s, 86 ± 4 ms before contact; "
        "lead arm 1,180°/s, 3 ms after contact."
    )
    dots = list(drawn(figure).iter(f"{SVG}circle"))
    assert [dot.get("fill") for dot in dots] == [
        LIGHT["--part-pelvis"],
        LIGHT["--part-lead-arm"],
    ]


def test_path_says_how_high_it_is():
    figure = {
        "data": [
            {
                "key": "hand",
                "part": "hands",
                "name": "Lead hand",
                "unit": "in",
                "x": [0.0, 5.0, 3.0],
                "y": [42.64, 55.0, None],
            }
        ],
        "layout": {},
        "meta": {"x_unit": "in", "y_unit": "in"},
    }
    assert words.summary(figure) == "Lead hand 42.6 to 55.0 in high."
    assert table.step_table(figure) is None


def test_events_of_two_sides_have_one_name_and_a_letter_each():
    figure = charts.Chart(
        [line("a", "torso", "A", hill(800.0, 0.0), letter="a")],
        "t",
        "y",
        marks=[
            charts.Mark("foot_down", -160.0, "Foot down", sign="A", letter="a"),
            charts.Mark("foot_down", -140.0, "Foot down", sign="B", letter="b"),
            charts.Mark("zero", 0.0, "Contact"),
        ],
    ).to_json()
    said = texts(drawn(figure))
    assert said.count("Foot down") == 1
    assert "A B" in said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (8.0, "8 ms after contact"),
        (0.0, "at contact"),
        (-598.0, "598 ms before contact"),
    ],
)
def test_peak_is_told_before_at_or_after_contact(at, said):
    figure = charts.Chart(
        [line("bat", "bat", "Bat", hill(1900.0, at))],
        "t",
        "y",
        y_unit="°/s",
        zero="contact",
    ).to_json()
    assert words.summary(figure) == f"Bat peaks at 1,900°/s, {said}."


def test_peak_is_looked_for_where_the_chart_shows():
    figure = charts.Chart(
        [line("bat", "bat", "Bat", hill(1900.0, 100.0))],
        "t",
        "y",
        x_range=(-600.0, 0.0),
        zero="contact",
    ).to_json()
    assert words.summary(figure) == "Bat peaks at 1,267°/s, at contact."


def test_hidden_curves_are_not_told():
    figure = charts.Chart(
        [
            line("a", "pelvis", "Pelvis", hill(600.0, 0.0)),
            line("b", "torso", "Torso", hill(800.0, 0.0), hidden=True),
        ],
        "t",
        "y",
        zero="contact",
    ).to_json()
    assert words.summary(figure) == "Pelvis peaks at 600°/s, at contact."


def test_angle_says_from_where_to_where_and_its_value_at_contact():
    x = -600.0 + 2.0 * np.arange(376)
    figure = charts.Chart(
        [
            charts.Line(
                "pelvis_rotation",
                "pelvis",
                "Pelvis rotation",
                -600.0,
                2.0,
                y=x / 10.0,
                unit="°",
            )
        ],
        "t",
        "y",
        zero="contact",
    ).to_json()
    assert words.summary(figure) == ("Pelvis rotation from −60° to 15°, 0° at contact.")


def test_difference_of_nothing_is_the_same_throughout():
    figure = charts.Chart(
        [line("b", "torso", "B − A", np.zeros(376), letter="b")],
        "t",
        "y",
        zero="contact",
    ).to_json()
    assert words.summary(figure) == "B − A 0°/s throughout."


def test_mean_says_its_spread_and_how_many_swings():
    mean = hill(880.0, -60.0)
    lines = [
        line("swings", "torso", f"Swing {number}", mean + number, role="single")
        for number in (1, 2, 3)
    ]
    lines += charts.band_lines(
        key="mean",
        part="torso",
        name="Average",
        x0=-600.0,
        dx=2.0,
        mean=mean,
        sd=np.full(376, 42.0),
        unit="°/s",
    )
    figure = charts.Chart(lines, "t", "y", y_unit="°/s", zero="contact").to_json()
    assert words.summary(figure) == (
        "The average curve peaks at 880°/s ± 42°/s, 60 ms before contact; "
        "over 3 swings."
    )
    # The clip of one was too short for the mean.
    lines = [replace(one, n=2) if one.role != "single" else one for one in lines]
    figure = charts.Chart(lines, "t", "y", y_unit="°/s", zero="contact").to_json()
    assert words.summary(figure).endswith("; over 2 of 3 swings.")


def test_peak_of_a_mean_is_not_told_as_one_of_a_swing():
    def mean(letter, name, n):
        return charts.band_lines(
            key=letter,
            part="torso",
            name=name,
            x0=-600.0,
            dx=2.0,
            mean=hill(880.0, -60.0),
            sd=np.full(376, np.nan),
            unit="°/s",
            letter=letter,
            n=n,
        )

    lines = [*mean("a", "A Rowan Pike", 5), *mean("b", "B swing 3", 1)]
    figure = charts.Chart(lines, "t", "y", y_unit="°/s", zero="contact").to_json()
    assert words.summary(figure) == (
        "The average curve of A Rowan Pike peaks at 880°/s, 60 ms before contact; "
        "B swing 3 880°/s, 60 ms; over 5 swings and 1 swing."
    )
    lines = mean("meana", "Average, batting left", 4)
    legend = [charts.LegendItem("meana", "Batting left, average ± SD", "torso", "a")]
    figure = charts.Chart(
        lines, "t", "y", y_unit="°/s", zero="contact", legend=legend
    ).to_json()
    assert words.summary(figure).startswith(
        "The average curve batting left peaks at 880"
    )


def test_percent_axis_counts_the_swing():
    figure = charts.Chart(
        [
            charts.Line(
                "a",
                "torso",
                "A Rowan Pike",
                0.0,
                1.0,
                y=np.array([0.0, 5.0, 2.0]),
                letter="a",
                unit="mph",
            )
        ],
        "t",
        "y",
        x_unit="%",
        zero="contact",
    ).to_json()
    assert words.summary(figure) == "A Rowan Pike peaks at 5.0 mph, at 1% of the swing."


def trend(system="imperial", band=(26.0, 28.2)):
    return charts.trend_chart(
        [
            charts.TrendLine(
                label="Contact",
                dates=[dt.date(2026, 3, 3), dt.date(2026, 5, 2), dt.date(2026, 10, 21)],
                means=[26.4, 27.1, 27.75],
                spreads=[0.4, None, 0.5],
                counts=[6, 2, 7],
            )
        ],
        name="Bat speed",
        unit="m/s",
        system=system,
        decimals=1,
        band=band,
    )


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ("imperial", "latest 62.1 mph, usual 58 to 63."),
        ("metric", "latest 27.8 m/s, usual 26.0 to 28.2."),
    ],
)
def test_trend_says_when_the_latest_and_what_is_usual(system, said):
    assert words.summary(trend(system)) == (
        f"3 sessions from Mar 3 to Oct 21, 2026; {said}"
    )


def test_chart_without_values_says_so():
    figure = charts.Chart(
        [line("a", "bat", "Bat", np.full(3, np.nan))], "t", "y"
    ).to_json()
    assert words.summary(figure) == "No values to draw."


def test_small_pictures_say_their_numbers():
    means = [26.06, 26.8, 27.78]
    assert words.sparkline_words(
        means, "m/s", "imperial", decimals=1, band=(25.93, 28.16)
    ) == ("3 sessions: first 58.3 mph, latest 62.1 mph, usual 58 to 63")
    assert words.sparkline_words(means, "m/s", "metric", decimals=1) == (
        "3 sessions: first 26.1 m/s, latest 27.8 m/s"
    )
    lines = [
        {"part": "pelvis", "values": [10.0, 640.2, None]},
        {"part": "lead_arm", "values": [1170.0]},
    ]
    assert words.small_chart_words(lines, "°/s") == (
        "Peaks: pelvis 640°/s and lead arm 1,170°/s"
    )


def test_table_has_the_values_of_the_chart_at_its_own_zero():
    found = table.step_table(sequence())
    assert found is not None
    assert found.head == "Time (ms)"
    assert [(one.name, one.unit) for one in found.columns] == [
        ("Pelvis", "°/s"),
        ("Torso", "°/s"),
        ("Lead arm", "°/s"),
    ]
    rows = dict(found.rows)
    assert list(rows)[:2] == ["−600", "−550"]
    # 640 · (1 − 86 / 300), and so on.
    assert rows["0"] == ("457", "704", "1,014")


def test_table_says_where_a_curve_has_no_value():
    figure = charts.Chart(
        [line("a", "bat", "Bat", np.full(376, np.nan))], "t", "y"
    ).to_json()
    found = table.step_table(figure)
    assert found is not None
    assert {cells for _, cells in found.rows} == {("–",)}


def drawn(figure, **looks):
    return ET.fromstring(picture.still_picture(figure, "Kinematic sequence", **looks))


def texts(root):
    return [one.text for one in root.iter(f"{SVG}text")]


def test_picture_draws_curves_with_the_dash_and_color_of_their_part():
    root = drawn(sequence())
    lines = {
        one.get("stroke"): one.get("stroke-dasharray")
        for one in root.iter(f"{SVG}polyline")
    }
    assert lines == {
        LIGHT["--part-pelvis"]: None,
        LIGHT["--part-torso"]: "11 5",
        LIGHT["--part-lead-arm"]: "2 3",
    }
    said = texts(root)
    for word in ("Pelvis", "Torso", "Lead arm", "Contact", "1,000"):
        assert word in said
    assert "Time from contact (ms)" in said
    assert "Rotation speed (°/s)" in said
    assert root.find(f"{SVG}title").text == "Kinematic sequence"


def test_picture_puts_a_peak_where_its_axes_say():
    root = drawn(sequence())
    highest = min(
        (
            tuple(float(part) for part in point.split(","))
            for one in root.iter(f"{SVG}polyline")
            for point in one.get("points").split()
        ),
        key=lambda point: point[1],
    )
    at = {
        one.text: float(one.get("x"))
        for one in root.iter(f"{SVG}text")
        if one.get("text-anchor") == "middle"
    }
    per_ms = (at["0"] - at["−600"]) / 600.0
    assert (highest[0] - at["0"]) / per_ms == pytest.approx(-40.0, abs=3.0)


def test_picture_has_a_band_and_no_line_for_what_is_switched_off():
    figure = charts.Chart(
        [
            *charts.band_lines(
                key="mean",
                part="torso",
                name="Average",
                x0=-600.0,
                dx=2.0,
                mean=hill(800.0, 0.0),
                sd=np.full(376, 40.0),
                unit="°/s",
            ),
            line("b", "pelvis", "Pelvis", hill(600.0, 0.0), hidden=True),
        ],
        "t",
        "y",
    ).to_json()
    root = drawn(figure, theme="dark", narrow=True)
    (band,) = root.iter(f"{SVG}polygon")
    assert band.get("fill") == DARK["--part-torso"]
    assert band.get("fill-opacity") == "0.18"
    (mean,) = root.iter(f"{SVG}polyline")
    assert mean.get("stroke-width") == "3.0"
    assert root.get("width") == "360"


def test_picture_of_a_trend_has_points_bars_and_days():
    root = drawn(trend())
    assert len(list(root.iter(f"{SVG}circle"))) == 3
    assert {"Mar 3", "May 2", "Oct 21", "Bat speed (mph)"} <= set(texts(root))


def test_picture_keeps_names_as_text():
    figure = charts.Chart(
        [
            line("a", "torso", "A <script>", hill(1.0, 0.0), letter="a"),
            line("b", "torso", 'B "&', hill(1.0, 0.0), letter="b"),
        ],
        "t",
        "y",
    ).to_json()
    root = drawn(figure)
    assert {"A <script>", 'B "&'} <= set(texts(root))
    assert not list(root.iter(f"{SVG}script"))


def test_colors_are_those_of_the_tokens():
    for theme, tokens in (("light", LIGHT), ("dark", DARK)):
        for name, color in svg.COLORS[theme].items():
            assert tokens[f"--{name}"] == color, (theme, name)
