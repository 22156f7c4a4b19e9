"""Numbers, dates and small pictures as pages print them."""

import datetime as dt
import random
import re
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.safestring import SafeString

from athletes import display
from athletes.analysis.changes import MetricChange
from athletes.analysis.metric_reading import MetricReading
from biomechanics.definitions import METRICS

COACH = SimpleNamespace(units="imperial")
METRIC_COACH = SimpleNamespace(units="metric")


def rendered(source, **context):
    page = Template("{% load display %}" + source)
    return page.render(Context({"user": COACH} | context))


def text_of(html):
    import re

    return re.sub(r"<[^>]+>", "", html).strip()


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "imperial", "metric"),
    [
        (31.2928, "m/s", 1, "70.0 mph", "31.3 m/s"),
        (0.8128, "m", 2, "32.0 in", "81 cm"),
        (45.36, "kg", 1, "100.0 lb", "45.4 kg"),
        (640.4, "deg/s", 0, "640°/s", "640°/s"),
        (-3.06, "deg", 1, "−3.1°", "−3.1°"),
        (42.0, "%", 0, "42%", "42%"),
        (1234.5, "J", 0, "1,234 J", "1,234 J"),
        (1.3, "ratio", 2, "1.30", "1.30"),
        ("pelvis, torso", "text", 0, "pelvis, torso", "pelvis, torso"),
        (14, "", None, "14", "14"),
    ],
)
def test_value_is_printed_in_the_units_of_the_reader(
    value, unit, decimals, imperial, metric
):
    printed = [
        display.value_text(value, unit, system, decimals=decimals)
        for system in ("imperial", "metric")
    ]
    assert printed == [imperial, metric]


def test_rounded_zero_has_no_sign():
    assert display.number_text(-0.04, 1) == "0.0"
    assert display.number_text(0.04, 1, signed=True) == "0.0"
    assert display.number_text(0.06, 1, signed=True) == "+0.1"


@pytest.mark.parametrize("missing", [None, "", float("nan"), float("inf")])
def test_missing_value_is_a_dash(missing):
    assert display.value_text(missing, "m/s") == "–"


@pytest.mark.parametrize(
    ("height_ft", "imperial", "metric"),
    [
        (6.0, "6 ft 0 in", "183 cm"),
        (5.99, "6 ft 0 in", "183 cm"),
        (5.5, "5 ft 6 in", "168 cm"),
    ],
)
def test_height_never_has_twelve_inches(height_ft, imperial, metric):
    assert display.height_text(height_ft, "imperial") == imperial
    assert display.height_text(height_ft, "metric") == metric


def test_weight_is_printed_in_both_systems():
    assert display.weight_text(180.4, "imperial") == "180 lb"
    assert display.weight_text(180.4, "metric") == "82 kg"


@pytest.mark.parametrize(
    ("day", "age"),
    [
        (dt.date(2026, 2, 28), 17),
        (dt.date(2026, 3, 1), 18),
        (dt.date(2008, 2, 29), 0),
        (dt.date(2007, 1, 1), None),
    ],
)
def test_age_counts_whole_years_from_a_leap_day(day, age):
    assert display.age_on(dt.date(2008, 2, 29), day) == age


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-1, "in the future"),
        (0, "today"),
        (1, "yesterday"),
        (13, "13 days ago"),
        (14, "2 weeks ago"),
        (61, "2 months ago"),
        (730, "2 years ago"),
    ],
)
def test_days_ago_are_said_in_words(days, words):
    today = dt.date(2026, 3, 1)
    assert display.days_ago_text(today - dt.timedelta(days=days), today) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (3 * 86400, "3 days")],
)
def test_time_since_a_moment(seconds, words):
    now = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    assert display.since_text(now - dt.timedelta(seconds=seconds), now) == words


def test_reading_carries_unit_spread_and_flag():
    reading = MetricReading(
        METRICS["peak_hand_speed"], 10.0, flagged=True, reason="Outside.", n=5, sd=0.5
    )
    html = rendered("{% reading r %}", r=reading)
    assert text_of(html) == "22.4mph ± 1.1"
    assert "value--flagged" in html
    assert 'title="Outside."' in html
    assert text_of(rendered("{% reading r %}", r=reading, user=METRIC_COACH)) == (
        "10.0m/s ± 0.5"
    )


def test_spread_of_two_swings_is_not_shown():
    reading = MetricReading(METRICS["peak_hand_speed"], 10.0, n=2, sd=0.5)
    assert text_of(rendered("{% reading r %}", r=reading)) == "22.4mph"


def test_missing_reading_says_why():
    reading = MetricReading(
        METRICS["bat_speed_max"], None, reason="No <bat> in this file."
    )
    html = rendered("{% reading r %}", r=reading)
    assert "missing: No &lt;bat&gt; in this file." in html
    assert "<bat>" not in html


def test_page_without_account_sets_its_own_units():
    html = rendered("{% value 10.0 'm/s' 1 %}", user=None, units="metric")
    assert text_of(html) == "10.0m/s"


@pytest.mark.parametrize(
    ("before", "now", "needed", "texts"),
    [
        # What adds up keeps its digits.
        (37.0, 39.0, None, ("37°", "39°", "+2°")),
        # 39 − 38 is not 2: one digit more.
        (38.6, 37.0, None, ("39°", "37°", "−2°")),
        (37.6, 39.4, None, ("37.6°", "39.4°", "+1.8°")),
        (39.4, 37.6, None, ("39.4°", "37.6°", "−1.8°")),
        # Where that does not add up either, the difference is that of the numbers.
        (37.46, 39.64, None, ("37.5°", "39.6°", "+2.1°")),
        (37.45, 38.53, None, ("37.5°", "38.5°", "+1.0°")),
        (-0.4, 0.4, None, ("−0.4°", "0.4°", "+0.8°")),
        # Clear, and inside: seen in the digits.
        (20.0, 20.4, 0.3, ("20.0°", "20.4°", "+0.4°")),
        (20.0, 22.4, 2.45, ("20.0°", "22.4°", "+2.4°")),
        (20.0, 20.0, 0.0, ("20°", "20°", "0°")),
        (20.0, 20.0001, 0.0, ("20.00°", "20.00°", "0.00°")),
    ],
)
def test_printed_difference_is_that_of_the_printed_numbers(before, now, needed, texts):
    shown = display.printed_difference(
        before, now, "deg", "metric", decimals=0, needed=needed
    )
    assert tuple(map(str, (shown.before, shown.now, shown.delta))) == texts


@pytest.mark.parametrize(
    ("before", "now", "needed", "texts"),
    [
        # Not clear: 0.339 where it takes 0.344.
        (20.0, 20.339, 0.344, ("+0.34°", "0.35°")),
        (20.339, 20.0, 0.344, ("−0.34°", "0.35°")),
        # Clear: there is 0.3498, of which the printed numbers leave 0.34.
        (20.0051, 20.3549, 0.3475, ("+0.34°", "0.34°")),
        (20.0, 20.339, 0.332, ("+0.34°", "0.33°")),
        # Nothing that can be printed is more than nothing.
        (20.0, 20.0, 0.001, ("0.00°", "0.00°")),
    ],
)
def test_what_is_needed_is_printed_on_its_side_of_the_difference(
    before, now, needed, texts
):
    shown = display.difference_with(
        before, now, "deg", "metric", decimals=2, needed=needed
    )
    assert (str(shown.delta), str(shown.needed)) == texts


def number_in(text):
    return Decimal(text.replace("−", "-").replace("+", "").replace(",", ""))


@pytest.mark.parametrize("system", ["imperial", "metric"])
@pytest.mark.parametrize(("unit", "decimals"), [("m/s", 1), ("deg/s", 0), ("m", 2)])
def test_printed_differences_add_up_whatever_the_numbers(system, unit, decimals):
    rng = random.Random(4)
    digits = set()
    for _ in range(2000):
        before, now = rng.uniform(-40, 40), rng.uniform(-40, 40)
        needed = rng.choice([None, rng.uniform(0, 80)])
        shown = display.printed_difference(
            before, now, unit, system, decimals=decimals, needed=needed
        )
        first, second, delta = (
            number_in(part.number) for part in (shown.before, shown.now, shown.delta)
        )
        assert second - first == delta
        if needed is not None:
            limit = number_in(shown.needed.number)
            assert (abs(delta) >= limit) == (abs(now - before) >= needed)
        digits.add(-delta.as_tuple().exponent)
    assert len(digits) <= 3


def test_dates_and_ages_in_templates():
    day = dt.date(2026, 3, 1)
    assert 'datetime="2026-03-01"' in rendered("{{ d|day }}", d=day)
    assert text_of(rendered("{{ d|day }}", d=day)) == "Mar 1, 2026"
    assert "No session yet." in rendered("{{ d|day:'No session yet.' }}", d=None)
    assert rendered("{{ b|age_on:d }}", b=dt.date(2009, 3, 2), d=day) == "16"


def changed(verdict, **fields):
    values = {"now": 31.0, "n_now": 6, "before": 30.0, "delta": 1.0, "needed": 0.9}
    return MetricChange(METRICS["bat_speed_max"], verdict, **(values | fields))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            changed("real", sessions_before=3, n_before=18),
            "+2.2mph vs. last 3 sessions · needs ±2.0mph",
        ),
        (changed("real", delta=-1.0, now=29.0), "−2.2mph needs ±2.0mph"),
        (
            changed("no_clear_change", needed=1.2),
            "About the same+2.2mph · needs ±2.7mph",
        ),
        (
            changed(
                "unknown", needed=None, reason="Too few.", reason_code="not_enough"
            ),
            "Not enough yetToo few.",
        ),
    ],
)
def test_change_badge_says_the_verdict_and_what_it_needs(change, words):
    html = rendered("{% include 'components/change_badge.html' %}", change=change)
    assert " ".join(text_of(html).split()) == words
    assert ("<svg" in html) == bool(change.real)


def test_change_numbers_of_nothing_before_are_dashes():
    change = changed("unknown", before=None, delta=None, needed=None, reason="First.")
    html = rendered("{% change_number c 'before' %}", c=change)
    assert "missing: First." in html


def test_sparkline_breaks_at_missing_values_and_ends_in_a_dot():
    html = rendered("{% sparkline v %}", v=[1.0, 2.0, None, 3.0, float("nan"), 5.0])
    assert html.count("<polyline") == 3
    assert 'x1="100.0" y1="0.0"' in html
    assert rendered("{% sparkline v %}", v=[1.0, None]) == ""


def test_sparkline_of_equal_values_runs_through_the_middle():
    assert 'points="0.0,15.0 100.0,15.0"' in rendered("{% sparkline v %}", v=[2, 2])


def test_sparkline_of_a_tile_without_usual_variation_has_no_band():
    assert "<rect" not in rendered("{% sparkline v band %}", v=[23.8, 23.7])
    assert "<rect" not in rendered("{% sparkline v band %}", v=[1.0, 2.0], band=None)


def test_sparkline_without_a_band_does_not_make_a_plunge_of_a_tenth():
    html = rendered("{% sparkline v %}", v=[23.8, 23.7])
    first, last = (
        float(point.split(",")[1])
        for point in re.search(r'points="([^"]+)"', html)[1].split()
    )
    assert last > first
    assert last - first == pytest.approx(30 * 0.1 / 2.38, abs=0.15)


def test_sparkline_holds_all_of_the_usual_variation():
    html = rendered("{% sparkline v band %}", v=[23.8, 23.7], band=(22.0, 26.0))
    assert '<rect class="sparkline__band" x="0" width="100" y="0.0" height="30.0"' in (
        html
    )
    # A tenth of four degrees is not the whole height.
    assert 'points="0.0,16.5 100.0,17.3"' in html
    html = rendered("{% sparkline v band %}", v=[20.0, 30.0], band=(22.0, 24.0))
    assert 'y="18.0" height="6.0"' in html
    assert 'points="0.0,30.0 100.0,0.0"' in html


def test_mini_chart_draws_each_part_in_its_class():
    lines = [
        {"part": "pelvis", "values": [0.0, 10.0]},
        {"part": "torso", "values": [5.0, None]},
    ]
    html = rendered("{% mini_chart lines events %}", lines=lines, events=[0.25])
    assert 'points="0.0,50.0 100.0,0.0" class="part-pelvis"' in html
    assert 'points="0.0,25.0 0.0,25.0" class="part-torso"' in html
    assert '<line x1="25.0" x2="25.0"' in html


def test_query_string_keeps_what_is_not_changed():
    request = RequestFactory().get("/athletes/?q=a%26b&sort=name&after=7")
    html = rendered("{% with_query sort='-swings' after=None %}", request=request)
    assert html.replace("&amp;", "&") == "?q=a%26b&sort=-swings"


@pytest.mark.parametrize(
    ("path", "current"),
    [("/athletes/", True), ("/athletes/7/", True), ("/athletes/compare/", False)],
)
def test_navigation_marks_the_section_of_the_page(path, current):
    html = rendered(
        "{% nav_current '/athletes/' but='/athletes/compare/' %}",
        request=RequestFactory().get(path),
    )
    assert ("aria-current" in html) == current


@pytest.mark.parametrize(
    ("pairs", "decimals"),
    [
        ([(38.0, 39.0, None)], 0),
        # Either needs a digit more, and so both get it.
        ([(38.0, 39.0, None), (37.6, 39.4, None)], 1),
        # On the wrong side of what is needed.
        ([(38.0, 39.4, None), (38.0, 40.4, 2.44)], 2),
        ([], 0),
    ],
)
def test_digits_are_enough_for_every_difference_of_a_row(pairs, decimals):
    assert (
        display.decimals_that_add_up(pairs, "deg", "imperial", decimals=0) == decimals
    )


def test_a_difference_with_given_digits_is_that_of_the_printed_numbers():
    shown = display.difference_with(37.6, 39.4, "deg", "imperial", decimals=0)
    assert [str(shown.before), str(shown.now), str(shown.delta)] == [
        "38°",
        "39°",
        "+1°",
    ]
    shown = display.difference_with(
        30.0, 31.0, "m/s", "imperial", decimals=1, needed=0.5
    )
    assert [str(shown.delta), str(shown.needed)] == ["+2.2 mph", "1.1 mph"]


def test_texts_of_values_are_escaped():
    reading = MetricReading(
        METRICS["attack_angle"], 90.0, flagged=True, reason='"a" & <b>'
    )
    page = rendered(
        "{% reading shown %}{% value none reason=why %}{% value text %}",
        shown=reading,
        none=None,
        why="<i>",
        text="<u>",
    )
    assert 'title="&quot;a&quot; &amp; &lt;b&gt;"' in page
    assert 'title="&lt;i&gt;"' in page
    assert "missing: &lt;i&gt;" in page
    assert "&lt;u&gt;" in page


def test_a_component_is_drawn_once_for_each_of_its_words():
    source = '{% component "definition_link" name="attack_angle" label=label %}'
    included = (
        '{% include "components/definition_link.html" '
        'with name="attack_angle" label=label only %}'
    )
    for label in ("A & B", SafeString("A & B"), "A & C"):
        assert rendered(source, label=label) == rendered(included, label=label)
