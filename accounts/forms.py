"""Forms for the login, passwords, the second factor and units."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
)
from django.http import HttpRequest

from accounts import limits
from accounts.models import User


class UnitsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form in which users choose their units and paper."""

    class Meta:
        model = User
        fields = ("units", "paper")


class LoginForm(AuthenticationForm):
    """User name and password; a wrong password is counted."""

    is_for_superusers = False

    def confirm_login_allowed(self, user: Any) -> None:
        """Refuse everybody but superusers where single sign-on is the only way in."""
        super().confirm_login_allowed(user)
        if settings.OIDC_ONLY and not user.is_superuser:
            self.is_for_superusers = True
            raise forms.ValidationError("Sign in with single sign-on.")

    def clean(self) -> dict[str, Any]:
        """Check name and password; a right password is not counted as a try."""
        cleaned: dict[str, Any] = super().clean()
        if self.request is not None and self.user_cache is not None:
            limits.take_back(self.request)
        return cleaned


def _code_field(help_text: str) -> forms.CharField:
    return forms.CharField(
        label="Code",
        max_length=30,
        help_text=help_text,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )


class CodeForm(forms.Form):
    """The code that a login with second factor asks for after the password."""

    code = _code_field("The 6-digit code from the app, or a recovery code.")


class _PasswordForm(forms.Form):
    """Asks once more for the password: tablets are left lying about, logged in.

    Users without one have shown the provider of single sign-on who they are.
    """

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, user: User, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.request = request
        self.user = user
        if not user.has_usable_password():
            del self.fields["password"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not _is_password_of(self.user, password, self.request):
            raise forms.ValidationError("Wrong password.")
        return password


def _is_password_of(user: User, password: str, request: HttpRequest) -> bool:
    # By the way of the login, so that wrong ones are counted and lock it.
    found = authenticate(request, username=user.get_username(), password=password)
    if found != user:
        return False
    limits.take_back(request)
    return True


class OwnPasswordForm(PasswordChangeForm):
    """The form for a new password; wrong old ones are counted as at the login."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        """Return the old password.

        Raises a validation error when it is wrong; wrong ones count as failed
        logins.
        """
        password: str = self.cleaned_data["old_password"]
        if not _is_password_of(self.user, password, self.request):
            raise forms.ValidationError(
                self.error_messages["password_incorrect"], code="password_incorrect"
            )
        return password


class TurnOnForm(_PasswordForm):
    """The form that turns the second factor on: password and a first code."""

    code = _code_field("The 6-digit code the app shows for this key.")


class ConfirmForm(_PasswordForm):
    """The form before changes of the second factor: password and a code."""

    code = _code_field("The 6-digit code from the app, or a recovery code.")
