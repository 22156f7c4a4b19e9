"""Components that are drawn once are the same as drawn each time."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string

from dashboard.templatetags.drawn import drawn, drawn_around

HOSTILE = "<script>'\"&</script>"


@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize("is_in", [True, False])
@pytest.mark.parametrize("name", ["Ann Example", HOSTILE, "", "\uf8e0\uf8e1"])
def test_a_button_is_as_its_template_draws_it(
    words: bool, is_in: bool, name: str
) -> None:
    for key in ("swing-1", "athlete-22", HOSTILE):
        texts = {"key": key, "value": f"{key} x_factor", "name": name}
        parts = {"words": words, "is_in": is_in}
        expected = render_to_string("components/add_to_comparison.html", texts | parts)
        assert drawn_around("add_to_comparison", texts, **parts) == expected


def test_a_component_is_drawn_anew_for_other_words() -> None:
    good, poor = (drawn("quality_mark", grade=grade) for grade in ("good", "poor"))
    assert "Good" in good
    assert "Poor" in poor
    assert drawn("quality_mark", grade="good") == good
