"""Template tags of what is put aside to compare."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from dashboard.selectors.compare_keys import SIDE_KEYS, ItemKey
from dashboard.selectors.compare_tray import kept_words, tray_of
from dashboard.templatetags.drawn import drawn_around

register = template.Library()


@register.inclusion_tag("components/compare_tray.html", takes_context=True)
def compare_tray(context: Context) -> dict[str, Any]:
    """What the user has put aside, at the foot of the page."""
    request = context["request"]
    return {"tray": tray_of(request.user, request.session)}


@register.simple_tag(takes_context=True)
def add_to_comparison(
    context: Context,
    kind: str,
    pk: int,
    name: str,
    number: int | None = None,
    side: str = "",
    series: str = "",
    words: bool = False,
) -> SafeString:
    """A button that puts a swing, session or athlete aside, or takes it out again.

    `name` and `number` say what, for who does not see the place of the button; with
    `words` the button says what it does. `series` is the curve that the comparison
    begins with.
    """
    # Of both sides together, or apart, the comparison chooses one.
    key = str(ItemKey(kind, pk, side if side in SIDE_KEYS else ""))
    kept = kept_words(context["request"].session)
    return drawn_around(
        "add_to_comparison",
        {
            "key": key,
            "value": f"{key} {series}".strip(),
            "name": name if number is None else f"{name} {number}",
        },
        words=words,
        is_in=key in kept,
    )
