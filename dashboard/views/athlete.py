"""The page of one athlete."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from athletes import access
from athletes.http import PageRequest, page_number, page_or_fragment
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from dashboard import charts
from dashboard.forms import NoteForm
from dashboard.selectors.athlete_page import Trend, athlete_page
from dashboard.selectors.by_hand import uploads_of_athlete
from dashboard.selectors.duplicates_page import identities
from dashboard.selectors.notes import note_box
from dashboard.views.pictures import asked_picture


@require_safe
def athlete(request: PageRequest, pk: int) -> HttpResponse:
    """The athlete's facts, findings, numbers over time and among others, and sessions.

    `metric` chooses the trend, `mixed` joins what rests on different things, `side`
    (`right`, `left`) which swing of a switch hitter it is about, `among` (`age`,
    `level`, `all`) whom the numbers are held against, `page` goes back in the sessions.
    """
    try:
        player = access.get_player_or_404(request.user, pk)
    except Http404:
        kept = access.merged_into(request.user, pk)
        if kept is None:
            raise
        return redirect("dashboard:athlete", pk=kept)
    page = athlete_page(
        player,
        access.visible_sessions(request.user),
        metric=request.GET.get("metric", ""),
        mixed=request.GET.get("mixed") == "1",
        side=request.GET.get("side", ""),
        among=request.GET.get("among", ""),
        page=page_number(request),
        system=request.user.units,
        seen=access.compared_with(request.user),
    )
    trend_figure = _trend_figure(page.trend, request.user.units)
    trend_title = page.trend.name if page.trend else ""
    picture = asked_picture(request, {"trend-chart": (trend_title, trend_figure)})
    if picture is not None:
        return picture
    context = {
        "page": page,
        "player": player,
        "by_hand": uploads_of_athlete(player),
        "trend_figure": trend_figure,
        "trend_title": trend_title,
        "trend_caption": page.trend.basis.label
        if page.trend and page.trend.basis and not page.trend.mixed
        else "",
        "sessions_summary": f"page {page.page_number} of {page.page_count}",
        "sessions_previous": _sessions_url(request, page.page_number - 1)
        if page.page_number > 1
        else "",
        "sessions_next": _sessions_url(request, page.page_number + 1)
        if page.page_number < page.page_count
        else "",
        "crumbs": [("Athletes", "/athletes/"), (player.full_name, "")],
        "note_box": note_box(player),
        "note_form": NoteForm(),
        "may_edit": access.may_edit(request.user),
        "may_administer": access.may_administer(request.user),
        "identities": identities(player)
        if access.may_administer(request.user)
        else None,
    }
    return page_or_fragment(
        request, "dashboard/athlete.html", "dashboard/_numbers.html", context
    )


def _sessions_url(request: PageRequest, number: int) -> str:
    """The URL of another page of the athlete's sessions."""
    query = request.GET.copy()
    query["page"] = str(number)
    return f"?{query.urlencode()}#sessions"


def _trend_figure(trend: Trend | None, system: str) -> charts.Json | None:
    """The trend as a chart, if there are dates to draw it over."""
    if trend is None:
        return None
    definition = trend.definition
    lines = [
        charts.TrendLine(
            label=basis.label,
            dates=[point.date for point in points if point.date],
            means=[point.mean for point in points if point.date],
            spreads=[
                point.sd if point.n >= LEAST_SWINGS_FOR_SPREAD else None
                for point in points
                if point.date
            ],
            counts=[point.n for point in points if point.date],
        )
        for basis, points in trend.lines
    ]
    lines = [line for line in lines if line.dates]
    if not lines:
        return None
    return charts.trend_chart(
        lines,
        name=trend.short,
        unit=definition.unit,
        system=system,
        decimals=definition.decimals,
        band=trend.band if not trend.mixed else None,
        # Lines of other setups stand beside each other: a goal is for one of them.
        goals=[
            (shown.low, shown.high, shown.goal.by, shown.words) for shown in trend.goals
        ]
        if not trend.mixed
        else (),
    )
