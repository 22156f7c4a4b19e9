"""Selects and inputs of forms, drawn without a template for each option.

A choice of series has fifty options, and Django draws each with two templates. What is
drawn here is the same to the byte; whatever is not, its templates draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.functional import Promise
from django.utils.html import conditional_escape

_WIDGETS = "django/forms/widgets/"
_OPTION = f"{_WIDGETS}select_option.html"
#: Their templates are all nothing but `input.html`.
_INPUTS = frozenset(
    f"{_WIDGETS}{name}.html"
    for name in (
        *("input", "text", "number", "email", "url", "password", "hidden"),
        *("date", "datetime", "time", "checkbox", "file"),
    )
)


class FormRenderer(DjangoTemplates):
    """Django's own templates, and their most frequent ones as Python."""

    def render(
        self, template_name: str, context: dict[str, Any], request: Any = None
    ) -> str:
        """The widget as its template draws it."""
        widget = context.get("widget")
        drawn: str | None = None
        if widget is not None:
            if template_name == f"{_WIDGETS}select.html":
                drawn = _select(widget)
            elif template_name in _INPUTS:
                drawn = _input(widget)
        return (
            super().render(template_name, context, request) if drawn is None else drawn
        )


def _text(value: Any) -> str:
    """A value as `{{ value|stringformat:'s' }}` writes it."""
    return conditional_escape(value if isinstance(value, str) else str(value))


def _attributes(attrs: Mapping[str, Any]) -> str:
    """The attributes of a widget; what is False is left out, what is True is bare."""
    return "".join(
        f" {_text(name)}" if value is True else f' {_text(name)}="{_text(value)}"'
        for name, value in attrs.items()
        if value is not False
    )


def _input(widget: Mapping[str, Any]) -> str:
    value = widget["value"]
    has_value = value is not None
    return (
        f'<input type="{_text(widget["type"])}" name="{_text(widget["name"])}"'
        + (f' value="{_text(value)}"' if has_value else "")
        + f"{_attributes(widget['attrs'])}>"
    )


def _select(widget: Mapping[str, Any]) -> str | None:
    """The select; None where an option or its label is not like those of Django."""
    lines = [f'<select name="{_text(widget["name"])}"{_attributes(widget["attrs"])}>']
    for group, options, _ in widget["optgroups"]:
        if group:
            lines.append(f'\n  <optgroup label="{_text(group)}">')
        for option in options:
            label = option["label"]
            # Templates write numbers and dates in their own way.
            if option["template_name"] != _OPTION or not isinstance(
                label, (str, Promise)
            ):
                return None
            lines.append(
                f'\n  <option value="{_text(option["value"])}"'
                f"{_attributes(option['attrs'])}>{_text(label)}</option>\n"
            )
        if group:
            lines.append("\n  </optgroup>")
    lines.append("\n</select>")
    return "".join(lines)
