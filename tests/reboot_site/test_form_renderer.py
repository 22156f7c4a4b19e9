"""What is drawn without templates is what Django's templates draw, to the byte."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import SafeString

from reboot_site.form_renderer import FormRenderer

HOSTILE = '<b>"O\'Neil" & co</b>'
WIDGETS: list[tuple[str, forms.Widget, Any]] = [
    ("text", forms.TextInput(attrs={"maxlength": 300, "data-x": HOSTILE}), HOSTILE),
    ("empty", forms.TextInput(), None),
    ("nothing", forms.TextInput(), ""),
    ("number", forms.NumberInput(attrs={"step": 0.1}), 1234.5),
    ("hidden", forms.HiddenInput(), 7),
    ("email", forms.EmailInput(attrs={"required": True, "disabled": False}), "a@b.c"),
    ("url", forms.URLInput(), "https://x.test/?a=1&b=2"),
    ("password", forms.PasswordInput(), "secret"),
    ("date", forms.DateInput(), dt.date(2026, 3, 1)),
    ("checkbox", forms.CheckboxInput(), True),
    ("file", forms.FileInput(), None),
    ("safe", forms.TextInput(attrs={"title": SafeString("a&amp;b")}), "x"),
    ("area", forms.Textarea(attrs={"rows": 2}), HOSTILE),
    ("none", forms.Select(), ""),
    ("one", forms.Select(choices=[("", "Any"), ("a", HOSTILE), (3, "Three")]), "a"),
    ("number chosen", forms.Select(choices=[(3, "Three"), (4, 4000)]), 4),
    (
        "groups",
        forms.Select(
            attrs={"id": "s", "hx-get": "/x/?a=1&b=2"},
            choices=[
                ("x", "X"),
                (HOSTILE, [("y", "Y"), ("z", SafeString("<i>Z</i>"))]),
            ],
        ),
        "y",
    ),
    ("several", forms.SelectMultiple(choices=[("a", "A"), ("b", "B")]), ["a", "b"]),
    ("known", forms.NullBooleanSelect(), True),
    ("radio", forms.RadioSelect(choices=[("a", "A"), ("b", HOSTILE)]), "b"),
]


@pytest.mark.parametrize(
    ("widget", "value"), [pytest.param(w, v, id=name) for name, w, v in WIDGETS]
)
def test_a_widget_is_drawn_as_its_template_draws_it(
    widget: forms.Widget, value: Any
) -> None:
    drawn = widget.render(HOSTILE, value, renderer=FormRenderer())
    assert drawn == widget.render(HOSTILE, value, renderer=DjangoTemplates())
    assert "<b>" not in drawn


def test_selects_and_inputs_need_no_template() -> None:
    """Otherwise the comparison above would compare templates with themselves."""

    class WithoutTemplates(FormRenderer):
        def get_template(self, template_name: str) -> Any:
            raise AssertionError(f"{template_name} was loaded")

    renderer = WithoutTemplates()
    for name, widget, value in WIDGETS:
        if name not in {"area", "radio", "number chosen"}:
            assert widget.render("name", value, renderer=renderer)


def test_forms_of_the_site_are_drawn_so(settings: Any) -> None:
    assert isinstance(forms.renderers.get_default_renderer(), FormRenderer)
