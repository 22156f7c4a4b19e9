"""Second factor for staff, where the facility wants it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.api import problem
from accounts.models import User
from accounts.second_factor import is_required_of, is_verified

#: What is open to staff whose second factor is still to be set up.
_OPEN = {
    *("second_factor", "second_factor_on", "logout", "logout_everywhere", "login"),
    *("single_sign_on", "single_sign_on_callback"),
}
_SECOND_FACTOR_NEEDED = (
    "Staff need a second factor here: set it up under /accounts/second-factor/."
)


class SecondFactorMiddleware:
    """Leads staff without a second factor to the page that sets it up.

    Only with STAFF_NEED_SECOND_FACTOR. Whoever has one is asked for it by the login,
    whatever this setting says. Programs with tokens are not concerned.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; `process_view` decides."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """Send staff without a second factor to its page, where one is required."""
        if not settings.STAFF_NEED_SECOND_FACTOR:
            return None
        match = request.resolver_match
        if match is not None and match.view_name in _OPEN:
            return None
        user = request.user
        if not isinstance(user, User) or not is_required_of(user):
            return None
        if is_verified(request):
            return None
        if request.headers.get("HX-Request") == "true" and request.method == "GET":
            return HttpResponse(status=204)  # parts of the page that sets it up
        accepts_html = "text/html" in request.headers.get("Accept", "")
        if request.method != "GET" or not accepts_html:
            return problem(403, _SECOND_FACTOR_NEEDED)
        messages.info(request, "Staff log in with a second factor here: turn it on.")
        return redirect("second_factor")
