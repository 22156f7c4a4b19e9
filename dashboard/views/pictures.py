"""Still pictures of charts, for browsers that run no script."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import Http404, HttpRequest, HttpResponse

from dashboard import charts
from dashboard.plain_charts.picture import still_picture

#: Charts of a page by the id they have there: what each is called, and its JSON.
PageCharts = Mapping[str, tuple[str, charts.Json | None]]


def asked_picture(request: HttpRequest, drawn: PageCharts) -> HttpResponse | None:
    """The picture of the chart that `picture` names; None where none is asked for.

    `theme` (`dark`) chooses the colors and `narrow` the width of a phone.

    Raises
    ------
    django.http.Http404
        When the page has no such chart.
    """
    name = request.GET.get("picture")
    if name is None:
        return None
    title, figure = drawn.get(name, ("", None))
    if figure is None:
        raise Http404("This page has no such chart.")
    svg = still_picture(
        figure,
        title,
        theme="dark" if request.GET.get("theme") == "dark" else "light",
        narrow="narrow" in request.GET,
    )
    return HttpResponse(svg, content_type="image/svg+xml")
