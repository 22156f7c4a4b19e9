"""Requests as the views receive them, and answers as whole pages or parts of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class PageRequest(HttpRequest):
    """A request of a logged-in user, with the headers that htmx sends."""

    htmx: HtmxDetails
    user: User  # the middleware lets nobody else in


def page_number(request: HttpRequest) -> int:
    """The number of the page in the address; 1 where it is missing or not a number."""
    text = request.GET.get("page", "")
    # No list has so many pages: Python refuses to read very long numbers, and databases
    # to count so far.
    is_number = text.isascii() and text.isdigit() and len(text) < 7
    return max(1, int(text)) if is_number else 1


def wants_fragment(request: PageRequest) -> bool:
    """Whether htmx asks for a part of the page and not for all of it.

    A page restored from history is whole. A boosted link asks for a part only if it
    names where the part goes.
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
    """The page, or for htmx the part of it; caches are told to keep the two apart."""
    template = fragment if wants_fragment(request) else page
    response = render(request, template, dict(context), status=status)
    patch_vary_headers(response, ("HX-Request",))
    return response
