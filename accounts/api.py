"""Logins, answers and errors that all paths of the JSON API share."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Schema
from ninja.errors import AuthenticationError, AuthorizationError, HttpError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf
from pydantic import Field

from accounts.audit import Principal
from accounts.models import ApiToken, User
from accounts.services import find_token
from accounts.throttle import Throttle

LOGIN_NEEDED = (
    "Log in, or send a token: Authorization: Bearer … "
    "(staff create tokens in the admin or with create_api_token)."
)


class ApiRequest(HttpRequest):
    """A request whose login or token was accepted by `AUTH`."""

    auth: Principal


class TooManyCallsError(HttpError):
    """Raised when a token has called too often."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(429, f"Too many requests: try again in {wait_s} s.")
        self.wait_s = wait_s


@lru_cache(maxsize=4)
def _throttle(limit: int) -> Throttle:
    return Throttle(limit)


def uncount(token: ApiToken) -> None:
    """Do not count the call that was just answered against the token's limit."""
    _throttle(settings.API_TOKEN_CALLS_PER_MINUTE).take_back(token.digest)


def token_of(secret: str) -> ApiToken:
    """Return the API token with this secret, and count one call of it.

    Raises `AuthenticationError` for one that does not work, and `TooManyCallsError`
    above the limit.
    """
    found = find_token(secret)
    if found is None:
        raise AuthenticationError(message="The token is unknown, expired or revoked.")
    wait_s = _throttle(settings.API_TOKEN_CALLS_PER_MINUTE).wait_s(found.digest)
    if wait_s is not None:
        raise TooManyCallsError(wait_s)
    return found


class BearerToken(HttpBearer):
    """``Authorization: Bearer …`` with a token that staff made."""

    def __call__(self, request: HttpRequest) -> ApiToken | None:
        """Return the token of the request; None without an Authorization header."""
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, secret = header.partition(" ")
        # A wrong token is an error even beside a valid session: the program
        # meant to be somebody else.
        if scheme.lower() != self.openapi_scheme:
            raise AuthenticationError(message="Use the Bearer scheme.")
        return self.authenticate(request, secret.strip())

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        """Return the API token of the request.

        Raises `AuthenticationError`, answered with 401, for one that does not
        work.
        """
        return token_of(token)


class SessionLogin(APIKeyCookie):
    """A browser session; what changes state also needs the CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> User | None:
        """Return the user who is logged in; None without a login.

        Raises `AuthorizationError` when a request that changes state has no
        CSRF token.
        """
        # Who is not logged in is told that, not that a CSRF token is missing.
        if not isinstance(request.user, User) or not request.user.is_active:
            return None
        if check_csrf(request) is not None:
            raise AuthorizationError(message="The X-CSRFToken header is missing.")
        return request.user

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        """Return the user who is logged in with a browser; None without a login."""
        return self(request)


AUTH = [BearerToken(), SessionLogin()]


def require_sync(caller: Principal, *, full: bool = False) -> None:
    """Refuse (403) who may not start a sync: tokens to read with, and some coaches."""
    if isinstance(caller, ApiToken):
        if not caller.may_sync():
            raise AuthorizationError(message="The token needs the scope sync.")
    elif not caller.is_staff and full:
        raise AuthorizationError(message="Only staff can start a full sync.")
    elif not (caller.is_staff or caller.may_start_sync):
        raise AuthorizationError(
            message="Your account can't start a sync. Ask staff to turn it on."
        )


# --- Answers ------------------------------------------------------------------


class Fault(Schema):
    """Where a value of the request is wrong."""

    type: str
    loc: list[str | int]
    msg: str


class Problem(Schema):
    """The answer with any status from 400 up."""

    detail: str | list[Fault] = Field(
        description="A sentence, or for 422 the list of wrong values."
    )


_PROBLEMS: dict[int, Any] = dict.fromkeys(
    (400, 401, 403, 404, 413, 422, 429, 500, 503), Problem
)


def answers(schema: Any, *, status: int = 200) -> dict[int, Any]:
    """Return the answers to document for an operation: its own, and shared errors."""
    return {status: schema} | _PROBLEMS


class JsonAnswer(HttpResponse):
    """Plain values as JSON: times with zone, never NaN.

    Rows go straight out: building them through response schemas costs more than
    half of the requests a second; tests hold the answers against the schemas.
    """

    options: ClassVar[int] = orjson.OPT_SERIALIZE_NUMPY

    def __init__(self, data: Any, *, status: int = 200) -> None:
        super().__init__(
            orjson.dumps(data, option=self.options),
            content_type="application/json",
            status=status,
        )


def problem(status: int, detail: Any = None) -> JsonAnswer:
    """Return an error as JSON: `detail` says why, by default in the words of HTTP."""
    return JsonAnswer({"detail": detail or HTTPStatus(status).phrase}, status=status)
