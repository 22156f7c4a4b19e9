"""Logging in and out, passwords and own settings."""

from __future__ import annotations

import hashlib
from typing import Any, cast
from urllib.parse import urlencode

from axes.helpers import get_lockout_response
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts import devices, second_factor
from accounts.audit import record
from accounts.forms import (
    CodeForm,
    ConfirmForm,
    LoginForm,
    OwnPasswordForm,
    TurnOnForm,
    UnitsForm,
)
from accounts.later import later
from accounts.models import Action, Authenticator, User
from accounts.services import log_out_everywhere
from accounts.throttle import count_calls

# Enough for a mistyped address, too few to fill somebody's mailbox.
RESETS_PER_HOUR = 5
HOUR_S = 3600


class LoginView(auth_views.LoginView):
    """The login page: asks for the password, then for a code where one is set up."""

    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the page's data, with the link to single sign-on where it is on.

        Where it is the only way in, the form stays for superusers, who find it at
        ``?local=1``.
        """
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if not settings.OIDC_ISSUER:
            return context
        target = self.get_redirect_url()
        return context | {
            "sign_on": with_next("single_sign_on", target),
            "sign_on_name": settings.OIDC_NAME,
            "is_sign_on_only": settings.OIDC_ONLY,
            "hides_form": settings.OIDC_ONLY and "local" not in self.request.GET,
            "local": f"?{urlencode({'local': 1, 'next': target})}",
        }

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Log in, or ask for a code first where there is a second factor."""
        user = form.get_user()
        if not user.has_second_factor():
            response = super().form_valid(form)
            devices.remember(self.request, response, user)
            return response
        second_factor.begin_login(self.request, user, backend=user.backend)
        return redirect(with_next("login_code", self.get_redirect_url()))


def with_next(name: str, target: str) -> str:
    """Address of a page that leads on to `target`."""
    url = reverse(name)
    return f"{url}?{urlencode({'next': target})}" if target else url


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login_code(request: HttpRequest) -> HttpResponse:
    """Ask for a code of the app, or a recovery code, after a right password."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(_next_page(request))
    user = second_factor.pending_user(request)
    if user is None:
        messages.info(request, "Log in again: the code wasn't entered in time.")
        return redirect(settings.LOGIN_URL)
    if second_factor.is_login_locked(request, user):
        locked: HttpResponse = get_lockout_response(
            request, credentials={"username": user.get_username()}
        )
        return locked
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            was_recovery = second_factor.complete_login(
                request, user, form.cleaned_data["code"]
            )
        except second_factor.WrongCodeError as error:
            form.add_error("code", str(error))
        else:
            if was_recovery:
                left = second_factor.codes_left(user)
                messages.warning(
                    request,
                    f"That recovery code is used up; {left} are left. Create new ones "
                    "under Second factor in your menu.",
                )
            done = HttpResponseRedirect(_next_page(request))
            devices.remember(request, done, user)
            return done
    context = {"form": form, "next": request.POST.get("next", request.GET.get("next"))}
    return render(
        request,
        "registration/login_code.html",
        context,
        status=422 if form.errors else 200,
    )


class LogoutView(auth_views.LogoutView):
    """Ends the session here; whoever signs on next in this browser is asked who it is.

    The provider may still have the session of who has just left a shared tablet.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Log out, and note for single sign-on that somebody was here."""
        response = super().post(request, *args, **kwargs)
        _note_logout(request)
        return _clearing(response)


def _clearing(response: Any) -> Any:
    """The answer to a logout: the browser keeps no page to go back to."""
    response["Clear-Site-Data"] = '"cache"'
    return response


def _note_logout(request: HttpRequest) -> None:
    if settings.OIDC_ISSUER:
        request.session[second_factor.WAS_LOGGED_OUT] = True


@require_safe
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Show whether the second factor is on, with links to change it."""
    user = cast(User, request.user)
    return render(
        request,
        "registration/second_factor.html",
        {
            "device": Authenticator.objects.filter(user=user).first(),
            "codes_left": second_factor.codes_left(user),
            "is_required": second_factor.is_required_of(user),
        },
    )


@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor_on(request: HttpRequest) -> HttpResponse:
    """Show a key, and put it in force once a code proves that the app has it."""
    user = cast(User, request.user)
    if user.has_second_factor():
        return redirect("second_factor")
    if elsewhere := _confirm_elsewhere(request, user):
        return elsewhere
    form = TurnOnForm(request.POST or None, request=request, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            codes = second_factor.turn_on(request, user, form.cleaned_data["code"])
        except second_factor.WrongCodeError as error:
            form.add_error("code", str(error))
        else:
            update_session_auth_hash(request, user)
            second_factor.mark_verified(request, user)
            shown = _show_codes(request, codes, is_new=True)
            # It ended all sessions, and with them what devices were known.
            devices.remember(request, shown, user)
            return shown
    key = second_factor.offer(request)
    context = {"form": form, "picture": key.picture(user), "typed": key.typed}
    return render(
        request,
        "registration/second_factor_on.html",
        context,
        status=422 if form.errors else 200,
    )


@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor_off(request: HttpRequest) -> HttpResponse:
    """Turn the second factor off, with password and code."""
    user = cast(User, request.user)
    if not user.has_second_factor():
        return redirect("second_factor")
    if second_factor.is_required_of(user):
        raise PermissionDenied("Staff log in with a second factor here.")
    if elsewhere := _confirm_elsewhere(request, user):
        return elsewhere
    form = ConfirmForm(request.POST or None, request=request, user=user)
    if _is_confirmed(request, form):
        second_factor.turn_off(user)
        messages.success(request, "The second factor is off.")
        return redirect("second_factor")
    return _confirm_page(request, form, "registration/second_factor_off.html")


@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Replace the recovery codes, with password and code."""
    user = cast(User, request.user)
    if not user.has_second_factor():
        return redirect("second_factor")
    if elsewhere := _confirm_elsewhere(request, user):
        return elsewhere
    form = ConfirmForm(request.POST or None, request=request, user=user)
    if _is_confirmed(request, form):
        codes = second_factor.new_codes(user)
        record(Action.RECOVERY_CODES_MADE, by=user, subject=user)
        return _show_codes(request, codes, is_new=False)
    return _confirm_page(request, form, "registration/recovery_codes.html")


def _confirm_elsewhere(request: HttpRequest, user: User) -> HttpResponse | None:
    """Lead a user without a password to the provider, which has to ask who it is.

    None for a user who is asked for a password here, or has just been asked there.
    """
    if user.has_usable_password() or second_factor.is_fresh(request, user):
        return None
    if not settings.OIDC_ISSUER:
        messages.info(request, "Your account has no password. Ask staff to set one.")
        return redirect("second_factor")
    if request.method == "POST":
        # A form may not lead to another site, so the next step is a link.
        messages.info(request, "That took too long. Start again.")
        return redirect("second_factor")
    query = urlencode({"again": 1, "next": request.path})
    return redirect(f"{reverse('single_sign_on')}?{query}")


def _is_confirmed(request: HttpRequest, form: ConfirmForm) -> bool:
    # A code is good once: it is looked at when the password was right.
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        second_factor.use_code(request, form.user, form.cleaned_data["code"])
    except second_factor.WrongCodeError as error:
        form.add_error("code", str(error))
        return False
    return True


def _confirm_page(
    request: HttpRequest, form: ConfirmForm, template: str
) -> HttpResponse:
    return render(request, template, {"form": form}, status=422 if form.errors else 200)


def _show_codes(
    request: HttpRequest, codes: list[str], *, is_new: bool
) -> HttpResponse:
    # On this page alone: a message would lie in the session or a cookie.
    context = {"codes": codes, "is_new": is_new}
    return render(request, "registration/recovery_codes_shown.html", context)


@require_POST
def logout_everywhere(request: HttpRequest) -> HttpResponse:
    """End all sessions of this user, the present one too."""
    log_out_everywhere(cast(User, request.user))
    request.session.flush()
    _note_logout(request)
    return cast(HttpResponse, _clearing(redirect(settings.LOGOUT_REDIRECT_URL)))


@require_POST
def units(request: HttpRequest) -> HttpResponse:
    """Choose units or paper, then go back to the page that ``next`` names."""
    user = cast(User, request.user)
    kept = {"units": user.units, "paper": user.paper}
    form = UnitsForm(kept | request.POST.dict(), instance=user)
    if form.is_valid():
        user.save(update_fields=["units", "paper"])
    else:
        messages.error(request, "Unknown units or paper; nothing was changed.")
    return HttpResponseRedirect(_next_page(request))


def _next_page(request: HttpRequest) -> str:
    return next_page(request, request.POST.get("next", request.GET.get("next", "")))


def next_page(request: HttpRequest, target: str) -> str:
    """Return `target` where it is an address of this site, and the home page else."""
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)


class PasswordChangeView(auth_views.PasswordChangeView):
    """The page on which users change their password; their other sessions end."""

    form_class = OwnPasswordForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Send whoever has no password home: they log in by single sign-on."""
        if not cast(User, request.user).has_usable_password():
            messages.info(request, "Your account has no password to change.")
            return redirect("home")
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Give the form the request, whose address wrong passwords count for."""
        return super().get_form_kwargs() | {"request": self.request}

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        """Set the new password and record it."""
        response = super().form_valid(form)
        user = cast(User, self.request.user)
        record(Action.PASSWORD_CHANGED, by=user, subject=user)
        return response


class PasswordResetConfirmView(auth_views.PasswordResetConfirmView):
    """The page on which the link of a mail lets somebody set a new password."""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        """Set the new password, record it, and remember this browser."""
        response = super().form_valid(form)
        # Nobody is logged in here: it was whoever had the mail.
        record(Action.PASSWORD_RESET, by=AnonymousUser(), subject=form.user)
        # Whoever has the mail can log in here, however many strangers guess.
        devices.remember(self.request, response, form.user)
        return response


class PasswordResetView(auth_views.PasswordResetView):
    """Answers the same whether the address is known, unknown or asked for often.

    And as quickly: whose address it is, is looked up when the answer is on its way.
    """

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        """Send the mail in the background; the answer is the same for any address."""
        if not _mail_is_set_up():
            return self.render_to_response(self.get_context_data(form=form))
        address = form.cleaned_data["email"].lower()
        digest = hashlib.sha256(address.encode()).hexdigest()
        asked = count_calls(f"password-reset:{digest}", lifetime_s=HOUR_S)
        if asked <= RESETS_PER_HOUR:
            later("password reset email", lambda: self._send(form, address))
        return HttpResponseRedirect(str(self.success_url))

    def _send(self, form: PasswordResetForm, address: str) -> None:
        for user in form.get_users(address):
            record(Action.PASSWORD_RESET_ASKED, by=AnonymousUser(), subject=user)
        super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the page's data, with whether mail is set up at all."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"mail_is_set_up": _mail_is_set_up()}


def _mail_is_set_up() -> bool:
    """Whether mail leaves; else the link to a new password would be in the log.

    The page then says that staff can set a new password.
    """
    return not settings.EMAIL_BACKEND.endswith("console.EmailBackend")
