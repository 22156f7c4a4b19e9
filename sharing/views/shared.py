"""The two pages that a share link opens without a login: one sheet and its PDF."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from sharing import links, throttle
from sharing.pdf_response import pdf_response
from sharing.sheet import Sheet, paper_for

SharedView = Callable[[HttpRequest, links.OpenedLink, str], HttpResponse]


def _guarded(view: SharedView) -> Callable[[HttpRequest, str], HttpResponse]:
    """The view behind a share link: throttled, kept by nobody, and silent on why not.

    Unknown, expired, revoked and lost links answer alike.
    """

    @login_not_required
    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, token: str) -> HttpResponse:
        wait = throttle.wait_s(request)
        if wait is not None:
            response = render(request, "sharing/gone.html", {"wait": wait}, status=429)
            response["Retry-After"] = str(wait)
        else:
            shared = links.find(token)
            response = (
                render(request, "sharing/gone.html", status=404)
                if shared is None
                else view(request, shared, token)
            )
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        # The address is the key: no other host and no other page is told of it.
        response["Referrer-Policy"] = "no-referrer"
        response["Cache-Control"] = "private, no-store"
        return response

    return answer


def _sheet(request: HttpRequest, shared: links.OpenedLink) -> Sheet:
    """The sheet with the side and units that the address asks for."""
    return shared.sheet(request.GET.get("side", ""), request.GET.get("units", ""))


@_guarded
def page(request: HttpRequest, shared: links.OpenedLink, token: str) -> HttpResponse:
    """The sheet; `side` (`right`, `left`) chooses a switch hitter's swings.

    `units` (`imperial`, `metric`) are the reader's: in the address, because a stranger
    is given no cookie.
    """
    if request.method == "GET":
        links.count(shared, "page")
    sheet = _sheet(request, shared)
    paper = shared.paper(sheet.units)
    context = {
        "sheet": sheet,
        "link": shared.link,
        "pdf_url": reverse("shared_pdf", args=[token]),
        "asked_units": sheet.units if sheet.units != shared.link.units else "",
        "other_units": "imperial" if sheet.units == "metric" else "metric",
        "paper": paper,
        "other_paper": "a4" if paper == "letter" else "letter",
    }
    return render(request, "sharing/shared.html", context)


@_guarded
def pdf(request: HttpRequest, shared: links.OpenedLink, token: str) -> HttpResponse:
    """The sheet as PDF; `paper` is a4 or letter, side and units are as on the page."""
    if request.method == "GET":
        links.count(shared, "PDF")
    sheet = _sheet(request, shared)
    paper = paper_for(request.GET.get("paper", ""), shared.paper(sheet.units))
    return pdf_response(sheet, paper)
