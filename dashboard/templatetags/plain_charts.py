"""Template tags that say and draw a chart without a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.http import QueryDict
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from dashboard.plain_charts import table, words
from dashboard.plain_charts.kept import KeptByContent
from dashboard.templatetags.display import reader_system

register = template.Library()

_words = KeptByContent(lambda figure, _: words.summary(figure), most=256)
_table_drawn = KeptByContent(
    lambda figure, title: render_to_string(
        "components/chart_steps.html", {"figure": figure, "title": title}
    ),
    most=256,
)


@register.simple_tag
def chart_words(figure: Mapping[str, Any]) -> str:
    """The chart in one sentence, with values and units."""
    return _words(figure)


@register.simple_tag
def chart_steps(figure: Mapping[str, Any]) -> table.StepTable | None:
    """The chart as a table at equal steps; None where that says nothing."""
    return table.step_table(figure)


@register.simple_tag
def chart_table(figure: Mapping[str, Any], title: str) -> SafeString:
    """The component `chart_steps`: the chart as a table, drawn once for each chart."""
    return _table_drawn(figure, title)


@register.simple_tag(takes_context=True)
def picture_url(context: Context, chart: str, **looks: Any) -> str:
    """The address of a chart's still picture: that of the page, and which chart.

    A view that answers a form names the page itself as `page_path`.
    """
    request = context.get("request")
    query = QueryDict(mutable=True) if request is None else request.GET.copy()
    query["picture"] = chart
    for name, value in looks.items():
        query[name] = str(value)
    path = context.get("page_path") or getattr(request, "path", "")
    return f"{path}?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def sparkline_words(
    context: Context,
    values: Sequence[float],
    band: tuple[float, float] | None,
    definition: Any,
) -> str:
    """What a small line of a metric's session averages shows, in words."""
    if len(values) == 0:
        return ""
    return words.sparkline_words(
        values,
        definition.unit,
        reader_system(context),
        decimals=definition.decimals,
        band=band,
    )


@register.simple_tag
def turn_rate_words(lines: Sequence[Mapping[str, Any]]) -> str:
    """The peaks of the small curves of a swing in words; they are in °/s."""
    return words.small_chart_words(lines, "°/s")
