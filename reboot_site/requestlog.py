"""One log line for each request, and an id that joins it with all others of it."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import ApiToken
from reboot_site import metrics
from reboot_site.logs import milliseconds_since, request_id

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
# What a proxy gives; anything else could write lines of its own into the log.
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestLogMiddleware:
    """Outermost, so that refused requests and static files have their line too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on and write its line of the log."""
        began = time.perf_counter()
        given = request.headers.get(HEADER, "")
        current = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        mark = request_id.set(current)
        try:
            response = self.get_response(request)
            response[HEADER] = current
            spent_ms = milliseconds_since(began)
            route = route_of(request)
            metrics.count_request(
                # Methods are free text; a stranger must not fill memory with them.
                method=request.method if request.method in _METHODS else "other",
                route=route,
                status=response.status_code,
                seconds=spent_ms / 1000.0,
            )
            logger.info(
                "%s %s %d %.1f ms",
                request.method,
                route,
                response.status_code,
                spent_ms,
                extra={
                    "method": request.method,
                    "route": route,
                    "status": response.status_code,
                    "ms": spent_ms,
                    **_caller(request),
                },
            )
            return response
        finally:
            request_id.reset(mark)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_of(request: HttpRequest) -> str:
    """The pattern that was matched; the path itself may hold what nobody may read."""
    match = request.resolver_match
    if match is not None:
        return f"/{match.route}"
    if request.path_info.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
        return "static"
    return "none"


def _caller(request: HttpRequest) -> dict[str, Any]:
    """Return the ids of the caller, as far as they are known without a query."""
    principal = getattr(request, "auth", None)
    if isinstance(principal, ApiToken):
        return {"token_id": principal.pk}
    user = getattr(request, "_cached_user", None)
    return {"user_id": getattr(user, "pk", None)}
