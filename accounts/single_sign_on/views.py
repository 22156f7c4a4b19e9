"""The way to the provider and back."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from accounts import devices, second_factor
from accounts.addresses import client_address, network_of
from accounts.audit import record
from accounts.models import Action, User
from accounts.single_sign_on import people, provider
from accounts.single_sign_on.refusals import (
    Reason,
    RefusedError,
    in_words,
    status_of,
)
from accounts.throttle import count_calls
from accounts.views import next_page, with_next

logger = logging.getLogger(__name__)

BACKEND = "accounts.backends.SingleSignOnBackend"
#: Between leaving for the provider and coming back.
PATIENCE_S = 600
WINDOW_S = 900
#: From one network in a quarter of an hour; a facility's coaches may share one.
STARTS_PER_NETWORK = 120

_BEGUN = "single_sign_on"


@login_not_required
@require_safe
def begin(request: HttpRequest) -> HttpResponse:
    """Lead to the provider; with `again` it has to ask who is there.

    A link, not a form: the content security policy lets forms lead nowhere else.
    """
    is_again = request.GET.get("again") == "1"
    name = f"single-sign-on:{_network(request)}"
    try:
        _refuse_too_many(request)
        if count_calls(name, lifetime_s=WINDOW_S) > STARTS_PER_NETWORK:
            raise RefusedError(Reason.TOO_OFTEN)
        begun = provider.begin(
            _callback_url(request),
            asks_again=bool(request.session.get(second_factor.WAS_LOGGED_OUT)),
            must_be_fresh=is_again,
        )
    except RefusedError as refused:
        return _refused(request, refused)
    request.session[_BEGUN] = {
        "state": begun.state,
        "nonce": begun.nonce,
        "code_verifier": begun.code_verifier,
        "next": request.GET.get("next", ""),
        "is_again": is_again,
        "at": time.time(),
    }
    return HttpResponseRedirect(begun.url)


@login_not_required
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Come back from the provider: log in, ask for a code first, or say why not."""
    # Once, whatever becomes of it.
    begun = request.session.pop(_BEGUN, None)
    try:
        _refuse_too_many(request)
        claims = _claims(request, begun)
        user = people.sign_in(claims)
    except RefusedError as refused:
        return _refused(request, refused)
    was_verified = _shows_second_factor(claims)
    if user.has_second_factor() and not was_verified:
        second_factor.begin_login(request, user, backend=BACKEND)
        answer = HttpResponseRedirect(with_next("login_code", begun["next"]))
    else:
        login(request, user, backend=BACKEND)
        answer = HttpResponseRedirect(next_page(request, begun["next"]))
        devices.remember(request, answer, user)
    second_factor.mark_verified_by_provider(request, was_verified)
    if begun["is_again"]:
        second_factor.mark_fresh(request, user)
    request.session.pop(second_factor.WAS_LOGGED_OUT, None)
    return answer


@sensitive_variables()
def _claims(request: HttpRequest, begun: dict[str, Any] | None) -> dict[str, Any]:
    state = request.GET.get("state", "")
    if begun is None or not constant_time_compare(begun["state"], state):
        raise RefusedError(Reason.STATE)
    if not 0 <= time.time() - begun["at"] <= PATIENCE_S:
        raise RefusedError(Reason.STATE)
    # Who answers; not every provider says so here (RFC 9207).
    if request.GET.get("iss", settings.OIDC_ISSUER) != settings.OIDC_ISSUER:
        raise RefusedError(Reason.ISSUER)
    if "error" in request.GET or not request.GET.get("code"):
        raise RefusedError(Reason.DENIED)
    claims = provider.claims_of(
        request.GET["code"],
        callback_url=_callback_url(request),
        state=state,
        nonce=begun["nonce"],
        code_verifier=begun["code_verifier"],
    )
    if begun["is_again"]:
        asked_at = claims.get("auth_time")
        is_number = isinstance(asked_at, int | float)
        if not is_number or asked_at < begun["at"] - provider.LEEWAY_S:
            raise RefusedError(Reason.NOT_FRESH)
    return claims


def _shows_second_factor(claims: dict[str, Any]) -> bool:
    """Whether the provider asked for what the settings take for a second factor."""
    methods = claims.get("amr")
    if isinstance(methods, list):
        for method in methods:
            if method in settings.OIDC_SECOND_FACTOR_AMR:
                return True
    return claims.get("acr") in settings.OIDC_SECOND_FACTOR_ACR


def _refuse_too_many(request: HttpRequest) -> None:
    refusals = cache.get(_refusals_of(request), 0)
    if refusals >= settings.LOGIN_FAILURES_PER_NETWORK:
        raise RefusedError(Reason.TOO_OFTEN)


def _refused(request: HttpRequest, refused: RefusedError) -> HttpResponse:
    """Log, record and explain a refusal; those beyond the limit are only explained."""
    reason = refused.reason
    if reason != Reason.TOO_OFTEN:
        count_calls(_refusals_of(request), lifetime_s=WINDOW_S)
        logger.warning(
            "Single sign-on was refused: %s. What to do is in docs/accounts.md.",
            reason.value,
            extra={"user_id": refused.user.pk if refused.user else None},
        )
        by = request.user if isinstance(request.user, User) else AnonymousUser()
        record(Action.SIGN_ON_REFUSED, by=by, subject=refused.user, reason=reason.value)
    context = {
        "text": in_words(reason),
        "can_try_again": reason != Reason.TOO_OFTEN,
        "name": settings.OIDC_NAME,
    }
    page = render(
        request,
        "registration/sign_on_refused.html",
        context,
        status=status_of(reason),
    )
    if reason == Reason.TOO_OFTEN:
        page["Retry-After"] = str(WINDOW_S)
    return page


def _refusals_of(request: HttpRequest) -> str:
    return f"single-sign-on-refused:{_network(request)}"


def _network(request: HttpRequest) -> str:
    return network_of(client_address(request)) or "unknown"


def _callback_url(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("single_sign_on_callback"))
