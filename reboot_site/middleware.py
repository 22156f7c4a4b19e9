"""Rules for all requests: headers, logins, body sizes, and the JSON paths' shape."""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote, urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    UnreadablePostError,
)
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import (
    get_conditional_response,
    patch_cache_control,
    patch_vary_headers,
)
from django.views.defaults import bad_request
from django_htmx.http import HttpResponseClientRedirect

from accounts.api import LOGIN_NEEDED, problem, uncount
from accounts.models import ApiToken
from athletes.access import may_administer

# First parts of the JSON paths; nothing else may begin so.
API_ROOTS = frozenset(
    {
        "definitions",
        "docs",
        "exports",
        "health",
        "movements",
        "openapi.json",
        "players",
        "sessions",
        "stats",
        "sync",
    }
)

#: Asked by balancers, which send an address of the private network as Host.
HEALTH_PATHS = frozenset({"/health", "/health/live", "/health/ready"})


def is_api_path(path: str) -> bool:
    """Whether this path answers programs with JSON, not people with pages."""
    return path.lstrip("/").split("/", 1)[0] in API_ROOTS


PERMISSIONS_POLICY = (
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), "
    "microphone=(), payment=(), usb=()"
)


class HostMiddleware(CommonMiddleware):
    """Refuses unknown hosts (ALLOWED_HOSTS), except where the health is asked for.

    Those answers are the same for everybody and name no host, so that a wrong one does
    no harm; a balancer sends what it pleases and cannot be told the right one.
    """

    def process_request(
        self, request: HttpRequest
    ) -> HttpResponsePermanentRedirect | None:
        """Look at the host, and lead to the right address, as Django does."""
        if request.path_info in HEALTH_PATHS:
            return None
        return super().process_request(request)


class ReadableTextMiddleware:
    """Answers 400 where a query, a cookie or a form holds a NUL character.

    PostgreSQL takes it in no text, and nobody types it: here, once, instead of in every
    form, search and filter. Django has replaced by then what is no UTF-8.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 400 for a NUL in query or cookie and 404 for one in the path."""
        query = unquote(request.META.get("QUERY_STRING", ""))
        if "\0" in request.path_info:
            raise Http404  # nothing has such an address
        if "\0" in query:
            return self._refused(request)
        # Of cookies the session alone is looked up.
        if any("\0" in value for value in request.COOKIES.values()):
            return self._refused(request)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """Refuse a form that holds a NUL, which PostgreSQL cannot store."""
        # By now the size of the body was looked at, and the CSRF check reads it too.
        try:
            sent = list(request.POST.lists())
        except UnreadablePostError:  # the client has gone, and nobody is at fault
            return bad_request(request, BadRequest())
        for name, values in sent:
            if "\0" in name or any("\0" in value for value in values):
                return self._refused(request)
        return None

    @staticmethod
    def _refused(request: HttpRequest) -> HttpResponse:
        if is_api_path(request.path_info):
            return problem(400, "A NUL character (%00) is not allowed.")
        return bad_request(request, BadRequest())


class BodySizeMiddleware:
    """Refuses a body that is too large before anything of it is read.

    Django bounds fields and leaves files to the views, which are asked too late: the
    CSRF check has then read the whole body, and its files lie on the disk, whoever
    sent them. Large ones are for staff where export files are added by hand.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 413 for a body above its limit, else pass the request on."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        # A body without a length is empty for Django.
        size = _length(request)
        if size <= limit:
            return self.get_response(request)
        if request.path_info == reverse("syncing:upload"):
            if may_administer(request.user):
                limit = settings.UPLOAD_MAX_BYTES
            if size <= limit:
                return self.get_response(request)
        if is_api_path(request.path_info):
            return problem(413, f"A request body can have up to {limit:,} bytes.")
        return render(request, "413.html", {"limit": limit}, status=413)


def _length(request: HttpRequest) -> int:
    # Servers have looked at it; what is no number all the same is empty for Django.
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text[:20]) if text.isascii() and text.isdigit() else 0


class PersonalPagesMiddleware:
    """Keep personal pages out of caches and switch off device features."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on and add the headers that pages need."""
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if not response.has_header("Cache-Control"):
            # A shared tablet must not show the last coach's pages after logout.
            patch_cache_control(response, private=True, no_store=True)
        return response


class CompressedPagesMiddleware(GZipMiddleware):
    """Pages, JSON and streamed tables travel compressed to whoever asks.

    A page goes to two fifths, a table of numbers to less than that. Other files are
    left as they are: some compress themselves, others are read in parts. Each
    answer gets a random length, which is Django's guard against guessing a page's
    secrets from its size (BREACH); JSON holds none, and no cookie but the session's
    leads there.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress the answer if it is a page, JSON, or a table that is streamed."""
        kind = response.headers.get("Content-Type", "")
        is_table = kind.startswith("text/csv") and response.streaming
        is_in_parts = response.has_header("Accept-Ranges")
        if is_in_parts or not (
            is_table or kind.startswith(("text/html", "application/json"))
        ):
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed


class LoginMiddleware(LoginRequiredMiddleware):
    """Sends people to the login page and tells programs 401."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[object, ...],
        view_kwargs: dict[str, object],
    ) -> HttpResponseBase | None:
        """Ask for a login, and of public views not even who it is.

        Those also have to answer while the database is away.
        """
        if not getattr(view_func, "login_required", True):
            return None
        answer: HttpResponseBase | None = super().process_view(
            request, view_func, view_args, view_kwargs
        )
        return answer

    def handle_no_permission(  # type: ignore[override]  # Django knows redirects only
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        """Answer who is not logged in: 401 for JSON, the login page otherwise."""
        if is_api_path(request.path_info):
            answer = problem(401, LOGIN_NEEDED)
            answer["WWW-Authenticate"] = "Bearer"
            return answer
        if request.headers.get("X-Poll") == "1":
            # Nobody asked for it just now: what is typed on the page must stay.
            return HttpResponse(status=401)
        if request.headers.get("HX-Request") == "true":
            # Otherwise the login form would appear inside a table. After the login
            # the whole page is shown again, not the part that was asked for.
            page = urlsplit(request.headers.get("HX-Current-URL", ""))
            target = urlunsplit(("", "", page.path or "/", page.query, ""))
            login = redirect_to_login(target, self.get_login_url(view_func))
            return HttpResponseClientRedirect(login.url)
        redirect: HttpResponseBase = super().handle_no_permission(request, view_func)
        return redirect


class ApiMiddleware:
    """One error shape, HEAD, ETags and cache rules for the JSON paths.

    Stands outside whatever may refuse a request, so that a refused host, a wrong
    method or a crash answers a program in the shape that it knows.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on and give JSON answers their common shape and headers."""
        if not is_api_path(request.path_info):
            return self.get_response(request)
        is_preflight = request.method == "OPTIONS" and _PREFLIGHT in request.headers
        if is_preflight and _is_known_origin(request):
            return _for_other_origins(request, HttpResponse(status=204))
        return _for_other_origins(request, self._answer(request))

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        is_head = request.method == "HEAD"
        if is_head:
            request.method = "GET"
        response = self.get_response(request)
        if response.status_code >= 400:
            response = _shaped(response)
        self._set_caching(request, response)
        if request.method == "GET" and response.status_code == 200:
            response = _with_etag(request, response)
        token = getattr(request, "auth", None)
        if response.status_code == 304 and isinstance(token, ApiToken):
            uncount(token)
        return _without_body(response) if is_head else response

    @staticmethod
    def _set_caching(request: HttpRequest, response: HttpResponseBase) -> None:
        patch_vary_headers(response, ("Authorization", "Cookie"))
        if "Authorization" in request.headers:
            # A program may keep what it asked for, and asks again with the ETag.
            response["Cache-Control"] = "private, no-cache"
        else:
            # A browser on a shared tablet may not.
            response["Cache-Control"] = "private, no-store"


_PREFLIGHT = "Access-Control-Request-Method"


def _is_known_origin(request: HttpRequest) -> bool:
    return request.headers.get("Origin") in settings.CORS_ORIGINS


def _for_other_origins(
    request: HttpRequest, response: HttpResponseBase
) -> HttpResponseBase:
    """Let pages of `CORS_ORIGINS` read the answer.

    They come with a token. Credentials are not allowed, so that a browser sends such a
    page nothing that its user's cookie would open.
    """
    if settings.CORS_ORIGINS:
        patch_vary_headers(response, ("Origin",))
    if not _is_known_origin(request):
        return response
    response["Access-Control-Allow-Origin"] = request.headers["Origin"]
    if response.status_code == 204:
        response["Access-Control-Allow-Methods"] = "GET, HEAD, POST"
        response["Access-Control-Allow-Headers"] = (
            "Authorization, If-None-Match, If-Range, Range"
        )
        response["Access-Control-Max-Age"] = "3600"
    else:
        response["Access-Control-Expose-Headers"] = (
            "Content-Length, Content-Range, ETag, Link, Next-Cursor, Next-More, "
            "Retry-After"
        )
    return response


def _shaped(response: HttpResponseBase) -> HttpResponseBase:
    if response.headers.get("Content-Type", "").startswith("application/json"):
        return response
    status = response.status_code
    detail = HTTPStatus(status).phrase
    if status == 405:
        allowed = response.headers.get("Allow", "").replace("GET", "GET, HEAD")
        response.headers["Allow"] = allowed
        detail = f"This path doesn't accept this method; it accepts {allowed}."
    answer = problem(status, detail)
    for name, value in response.items():
        if name not in {"Content-Type", "Content-Length"}:
            answer[name] = value
    answer.cookies = response.cookies
    return answer


def _with_etag(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if not isinstance(response, HttpResponse):
        return response  # what streams has set its own
    if not response.has_header("ETag"):
        digest = hashlib.sha256(response.content).hexdigest()[:32]
        response["ETag"] = f'"{digest}"'
    etag = response["ETag"]
    return get_conditional_response(request, etag=etag, response=response) or response


def _without_body(response: HttpResponseBase) -> HttpResponse:
    answer = HttpResponse(status=response.status_code)
    for name in list(answer.headers):
        del answer[name]
    for name, value in response.items():
        answer[name] = value
    if isinstance(response, HttpResponse):
        answer["Content-Length"] = str(len(response.content))
    answer.cookies = response.cookies
    return answer
