"""Definitions: complete, in plain words, without a verdict; documents agree."""

import ast
import re
from pathlib import Path

import pytest

from biomechanics import definitions, ranges, units
from biomechanics.definitions import GROUPS, HEADLINES, METRICS, SERIES

ROOT = Path(__file__).resolve().parents[2]
UNITS = {
    "deg",
    "deg/s",
    "ms",
    "m",
    "m/s",
    "J",
    "J/kg",
    "W",
    "kg·m²/s",
    "%",
    "ratio",
    "text",
}
JUDGING = re.compile(
    r"\b(ideal|elite|correct|wrong|broken|efficien\w*|leak|injur\w*|better|good|bad)\b"
    r"|transferred",
    re.IGNORECASE,
)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda item: item.id)
def test_metric_is_fully_defined(metric):
    for text in (
        metric.name,
        metric.short,
        metric.plain,
        metric.formula,
        metric.window,
        metric.source,
        metric.method_version,
    ):
        assert text.strip()
    assert metric.plain.endswith(".")
    assert metric.unit in UNITS
    assert metric.group in GROUPS
    assert set(metric.robustness) <= set("ABCDEF")
    assert not JUDGING.search(f"{metric.name} {metric.plain}")
    if metric.direction == "higher":
        assert metric.unit == "m/s"
    if metric.plausible is not None:
        assert metric.usual is not None
        (low, high), (least, most) = metric.usual, metric.plausible
        assert least <= low < high <= most


def test_every_number_that_is_measured_has_ranges_and_no_other():
    assert set(ranges.RANGES) == {
        name
        for name, item in METRICS.items()
        if item.unit != "text" and not item.retired
    }


@pytest.mark.parametrize(
    ("value", "is_in"), [(1.0, True), (3.0, True), (0.99, False), (3.01, False)]
)
def test_ends_of_a_range_belong_to_it(value, is_in):
    assert ranges.within(value, (1.0, 3.0)) is is_in
    assert ranges.within(value, None)


def test_as_many_metrics_as_the_documents_say():
    assert len(METRICS) == 114
    assert sum(item.needs == "bat" for item in METRICS.values()) == 17


def test_only_hand_and_bat_speeds_say_higher():
    higher = {name for name, item in METRICS.items() if item.direction == "higher"}
    assert higher == {
        "peak_hand_speed",
        "peak_hand_speed_lead",
        "peak_hand_speed_rear",
        "bat_speed_max",
        "bat_speed_ref",
    }


def test_headlines_are_at_most_twelve_and_ranked():
    assert len(HEADLINES) <= 12
    ranks = [METRICS[name].headline for name in HEADLINES]
    assert ranks == list(range(1, len(HEADLINES) + 1))


def test_every_metric_that_is_computed_has_a_definition():
    words = {
        node.value
        for path in (ROOT / "biomechanics/metrics").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = {
        word
        for word in words
        if re.fullmatch(
            r"(peak|t_peak|gap|gain|x_factor|lead_knee|bat|head)_\w*[a-z]", word
        )
    }
    series = {"bat_speed", "bat_peak", "bat_impact"}
    assert len(named) > 20
    assert named - series - set(METRICS) - {"peak_hand_speed"} == set()


def test_documents_name_every_metric_and_series():
    text = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = {
        cells[0]: cells
        for line in text.splitlines()
        if line.startswith("| `")
        for cells in [[cell.strip(" `") for cell in line.strip("|").split("|")]]
    }
    assert set(rows) == set(METRICS) | set(SERIES)
    for name, item in METRICS.items():
        assert rows[name][1:4] == [item.name, item.unit, item.window], name
        assert rows[name][6:8] == [
            "" if limits is None else f"{limits[0]:g} to {limits[1]:g}"
            for limits in (item.usual, item.plausible)
        ], name
    assert definitions.METHOD_VERSION in text


def test_units_convert_by_their_exact_factors():
    assert pytest.approx(100.0) == units.MPH_PER_M_PER_S * 44.704
    assert units.ft_to_m(10.0) == pytest.approx(3.048)
    assert units.lb_to_kg(170.0) == pytest.approx(77.1107029)
