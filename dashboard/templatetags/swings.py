"""Template tags of swings and of what is decided about them.

A session of twenty swings has twenty tiles, each with two forms, that differ in a few
texts: they are put together from pieces (`drawn_around`).
"""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from dashboard.phrases import EXCLUDE_REASONS
from dashboard.selectors.session_strip import StripTile
from dashboard.selectors.swing_rows import SwingRow
from dashboard.templatetags.comparison import add_to_comparison
from dashboard.templatetags.display import address, mini_chart
from dashboard.templatetags.drawn import drawn_around
from dashboard.templatetags.plain_charts import turn_rate_words

register = template.Library()


def _form_parts(context: Context, swing: SwingRow) -> dict[str, Any]:
    """What decides the look of the forms about a swing."""
    return {
        "counted": swing.counted,
        "inclusion": swing.inclusion,
        "decided": bool(context.get("decided")),
        "exclude_reasons": EXCLUDE_REASONS,
    }


def _form_texts(context: Context, swing: SwingRow) -> dict[str, str]:
    """What the forms about a swing say and send."""
    return {
        "id": str(swing.id),
        "position": str(swing.position),
        "decide_url": address("dashboard:swing_inclusion", swing.id),
        "here": context["request"].get_full_path(),
        "csrf_token": str(context["csrf_token"]),
        "reason": swing.inclusion_reason,
    }


@register.simple_tag(takes_context=True)
def inclusion_form(context: Context, swing: SwingRow, place: str = "") -> SafeString:
    """The forms that exclude or include a swing."""
    texts = _form_texts(context, swing)
    parts = _form_parts(context, swing)
    return drawn_around("inclusion_form", texts, place=place, **parts)


@register.simple_tag(takes_context=True)
def swing_tile(context: Context, tile: StripTile) -> SafeString:
    """A swing in the strip of its session."""
    swing, fastest = tile.swing, tile.fastest
    has_chart = bool(tile.lines)
    chart: SafeString | str = ""
    if has_chart:
        chart = mini_chart(tile.lines, tile.events, turn_rate_words(tile.lines))
    texts = _form_texts(context, swing) | {
        "url": address("dashboard:swing", swing.id),
        "zero_words": tile.zero_words,
        "fastest": fastest.definition.name if fastest else "",
        "among": str(fastest.among) if fastest else "",
        "chart": chart,
        "side": tile.side_words,
        "compare": add_to_comparison(
            context, "swing", swing.id, "swing", number=swing.position
        ),
    }
    return drawn_around(
        "swing_tile",
        texts,
        **_form_parts(context, swing),
        may_edit=bool(context.get("may_edit")),
        has_reason=bool(swing.inclusion_reason),
        has_chart=has_chart,
        has_side=bool(tile.side_words),
        is_typical=tile.is_typical,
        is_fastest=fastest is not None,
        grade=swing.grade,
    )
