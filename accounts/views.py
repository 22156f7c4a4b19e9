"""Logging in and out, passwords and own settings."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import PasswordResetForm
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.forms import UnitsForm
from accounts.models import User
from accounts.services import log_out_everywhere

# Enough for a mistyped address, too few to fill somebody's mailbox.
RESETS_PER_HOUR = 5
HOUR_S = 3600

login = auth_views.LoginView.as_view(redirect_authenticated_user=True)


@require_POST
def logout_everywhere(request: HttpRequest) -> HttpResponse:
    """End all sessions of this user, the present one too."""
    log_out_everywhere(cast(User, request.user))
    request.session.flush()
    return redirect(settings.LOGOUT_REDIRECT_URL)


@require_POST
def units(request: HttpRequest) -> HttpResponse:
    """Choose units, then go back to the page that ``next`` names."""
    user = cast(User, request.user)
    form = UnitsForm(request.POST, instance=user)
    if form.is_valid():
        user.save(update_fields=["units"])
    else:
        messages.error(request, "There are no such units; nothing was changed.")
    return HttpResponseRedirect(_next_page(request))


def _next_page(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)


class PasswordResetView(auth_views.PasswordResetView):
    """Answers the same whether the address is known, unknown or asked for often."""

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        if not _mail_is_set_up():
            return self.render_to_response(self.get_context_data(form=form))
        address = form.cleaned_data["email"].lower()
        digest = hashlib.sha256(address.encode()).hexdigest()
        if _count_of_hour(f"password-reset:{digest}") <= RESETS_PER_HOUR:
            return super().form_valid(form)
        return HttpResponseRedirect(str(self.success_url))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"mail_is_set_up": _mail_is_set_up()}


def _mail_is_set_up() -> bool:
    """Whether mail leaves; else the link to a new password would be in the log.

    The page then says that staff can set a new password.
    """
    return not settings.EMAIL_BACKEND.endswith("console.EmailBackend")


def _count_of_hour(key: str) -> int:
    """Count one more, and say how many there were within the hour."""
    cache.add(key, 0, HOUR_S)
    try:
        return cache.incr(key)
    except ValueError:  # it ended between the two
        return 1
