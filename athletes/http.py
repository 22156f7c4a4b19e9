"""Requests as our views see them, and answers as pages or fragments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class PageRequest(HttpRequest):
    """A request behind the login, with htmx's headers read."""

    htmx: HtmxDetails
    user: User  # the middleware lets nobody else in


def page_number(request: HttpRequest) -> int:
    """The page that the query names; the first where it names none that there is."""
    text = request.GET.get("page", "")
    # Long numbers are nobody's: Python refuses to read some, databases to count so far.
    is_number = text.isascii() and text.isdigit() and len(text) < 7
    return max(1, int(text)) if is_number else 1


def wants_fragment(request: PageRequest) -> bool:
    """Whether htmx asks for a part; a page restored from history is whole.

    A boosted link asks for a part only if it says where the part goes.
    """
    htmx = request.htmx
    if not htmx or htmx.history_restore_request:
        return False
    return not htmx.boosted or htmx.target is not None


def page_or_fragment(
    request: PageRequest,
    page: str,
    fragment: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """One URL, two answers; caches must keep them apart."""
    template = fragment if wants_fragment(request) else page
    response = render(request, template, dict(context), status=status)
    patch_vary_headers(response, ("HX-Request",))
    return response
