"""The measured accuracy beside a metric's definition."""

import json
import re

import pytest

from biomechanics.definitions import METRICS
from dashboard.selectors import measured_accuracy
from tests.dashboard.page_contents import text_of

pytestmark = pytest.mark.django_db


def test_definition_shows_the_errors_that_were_measured(client, coach):
    stored = json.loads(measured_accuracy.FILE.read_text(encoding="utf-8"))
    rates = stored["metrics"]["x_factor_max"]["hit"]
    text = text_of(client.get("/athletes/definitions/x_factor_max/"))
    assert "How accurate it is" in text
    assert f"method {stored['method_version']}" in text
    for rate, found in rates.items():
        shown = [f"{abs(found[name]):.1f}" for name in ("bias", "sd", "worst")]
        row = rf"{rate}\D+{shown[0]}\D+{shown[1]}\D+{shown[2]}\D+{found['n']}\b"
        assert re.search(row, text), (rate, shown)


def test_speed_errors_are_in_the_units_of_the_reader(client, coach):
    found = measured_accuracy.measured_accuracy(METRICS["bat_speed_max"]).rows[0]
    text = text_of(client.get("/athletes/definitions/bat_speed_max/"))
    assert f"{abs(found.sd) * 3600 / 1609.344:.2f}" in text


def test_definition_without_a_truth_shows_no_table(client, coach):
    text = text_of(client.get("/athletes/definitions/seq_order/"))
    assert "How accurate it is" not in text
    assert measured_accuracy.measured_accuracy(METRICS["seq_order"]) is None
