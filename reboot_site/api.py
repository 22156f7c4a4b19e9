"""The JSON API as a whole: its parts, its errors and its documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, Literal

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.docs import DocsBase
from ninja.openapi.schema import OpenAPISchema
from pydantic import Field

from accounts.api import (
    AUTH,
    LOGIN_NEEDED,
    JsonAnswer,
    TooManyCallsError,
    problem,
)
from athletes.api.exports import router as exports_router
from athletes.api.lists import router as lists_router
from athletes.api.routes import router as athletes_router
from reboot_site import views
from reboot_site.middleware import API_ROOTS
from reboot_site.openapi import complete
from reboot_site.version import VERSION
from syncing.api import router as syncing_router

DESCRIPTION = """\
Athletes, sessions and swings of this facility, and the sync that imports them.

Send `Authorization: Bearer …` with a token created by staff, or use a browser session;
changes in a browser session need the CSRF token in `X-CSRFToken`.
`id` is the ID in this dashboard; `session_id`, `org_player_id` and `org_movement_id`
are Reboot Motion's. Times are ISO 8601 with a zone. Missing values are `null`.
Every error (400 and up) is `{"detail": …}`. Reads carry an `ETag`; send it back in
`If-None-Match` and an unchanged answer is a `304` without a body.
"""


class Documentation(DocsBase):
    """Swagger UI from our own static files, under the strict content policy."""

    def render_page(
        self, request: HttpRequest, api: NinjaAPI, **kwargs: Any
    ) -> HttpResponse:
        """Return the interactive documentation, drawn without the internet."""
        options = {
            "url": self.get_openapi_url(api, kwargs),
            "layout": "BaseLayout",
            "deepLinking": True,
            # A token typed into a shared tablet must not stay there.
            "persistAuthorization": False,
            # Would send the document to a host on the internet.
            "validatorUrl": None,
        }
        return render(request, "api/docs.html", {"api": api, "options": options})


def _behind_login(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let only callers with a login or a token read the documentation."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            caller = next(filter(None, (auth(request) for auth in AUTH)), None)
        except HttpError as error:
            return api.on_exception(request, error)
        if caller is not None:
            answer: HttpResponseBase = view(request, *args, **kwargs)
            return answer
        if request.accepts("text/html") and "text/html" in request.headers.get(
            "Accept", ""
        ):
            return redirect_to_login(request.get_full_path())
        return api.on_exception(request, AuthenticationError())

    return guarded


class DashboardApi(NinjaAPI):
    """Mounted at the root, where the home page stands, so without a root view."""

    _document: OpenAPISchema | None = None

    def get_root_path(self, path_params: dict[str, Any]) -> str:
        """Return the root: the JSON paths stand at the top of the site."""
        return "/"

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the OpenAPI document, made once for each process."""
        # It cannot change while the process lives.
        if self._document is None:
            self._document = super().get_openapi_schema(**options)
            complete(self._document)
        return self._document


api = DashboardApi(
    title="Swing dashboard",
    version=VERSION,
    description=DESCRIPTION,
    auth=AUTH,
    docs=Documentation(),
    docs_decorator=_behind_login,
    urls_namespace="api",
)
api.add_router("", athletes_router)
api.add_router("", lists_router)
api.add_router("", exports_router)
api.add_router("", syncing_router)


class WorkerState(StrEnum):
    """Whether a host that runs the queue is responding."""

    RUNNING = "running"
    SILENT = "silent"
    NEVER_SEEN = "never_seen"
    UNKNOWN = "unknown"


class HealthState(StrEnum):
    """Whether requests can be answered."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Worker(Schema):
    """How the queue's hosts are doing, by their heartbeats."""

    state: WorkerState
    heartbeat_age_s: float | None = Field(
        description="From the host that reported last."
    )
    hosts: int = Field(description="Hosts whose queue should be running.")
    silent_hosts: int
    queue_length: int | None


class HealthOut(Schema):
    """Whether the service is healthy, and if not, what to do."""

    status: HealthState
    detail: str | None = Field(description="What is wrong and what to do.")
    migrations_missing: int | None
    worker: Worker | None


class Alive(Schema):
    """The answer of a running process, even while the database is down."""

    status: Literal["alive"]


_HEALTH = {200: HealthOut, 503: HealthOut}


@api.get(
    "/health", auth=None, response=_HEALTH, operation_id="health", tags=["service"]
)
def health(request: HttpRequest) -> HttpResponse:
    """200 when pages can be rendered here, else 503 with what to do."""
    return views.health_answer()


@api.get(
    "/health/ready",
    auth=None,
    response=_HEALTH,
    operation_id="health_ready",
    tags=["service"],
)
def health_ready(request: HttpRequest) -> HttpResponse:
    """Whether requests may be sent here: the same as /health."""
    return views.health_answer()


@api.get(
    "/health/live",
    auth=None,
    response=Alive,
    operation_id="health_live",
    tags=["service"],
)
def health_live(request: HttpRequest) -> HttpResponse:
    """200 while the process answers, whatever the database does."""
    return JsonAnswer({"status": "alive"})


# --- Errors -------------------------------------------------------------------


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if isinstance(error, AuthenticationError) and error.message == "Unauthorized":
        answer = problem(401, LOGIN_NEEDED)
    else:
        answer = problem(error.status_code, error.message)
    if error.status_code == 401:
        answer["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyCallsError):
        answer["Retry-After"] = str(error.wait_s)
    return answer


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(404, str(error) or None)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    # Without what was sent: it may be somebody's name.
    return problem(
        422,
        [
            {
                "type": fault["type"],
                "loc": [str(part) for part in fault["loc"]],
                "msg": fault["msg"],
            }
            for fault in error.errors
        ],
    )


@api.exception_handler(Exception)
def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    raise error  # Django reports it; the middleware gives the answer its shape


@csrf_exempt
@login_not_required
@_behind_login
def _no_such_path(request: HttpRequest, *parts: str) -> HttpResponse:
    return problem(404, "That path doesn't exist.")


# --- URLs -----------------------------------------------------------------------


def _urls() -> list[URLPattern]:
    """Our operations, and a JSON 404 for whatever else begins like one of them."""
    patterns = [
        pattern
        for pattern in api.urls[0]
        if isinstance(pattern, URLPattern) and pattern.name != "api-root"
    ]
    for pattern in patterns:
        # The operations ask for a login themselves, for they also take tokens.
        pattern.callback = _marked_public(pattern.callback)
    roots = "|".join(re.escape(root) for root in sorted(API_ROOTS))
    return [*patterns, re_path(rf"^({roots})(/.*)?$", _no_such_path, name="unknown")]


def _marked_public(view: Callable[..., Any]) -> Callable[..., Any]:
    @csrf_exempt  # a session's CSRF token is checked by AUTH
    @login_not_required
    @wraps(view)
    def public(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = view(request, *args, **kwargs)
        return answer

    return public


urlpatterns = _urls()
app_name = "api"
