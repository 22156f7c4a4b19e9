"""The optional second factor: codes of an app, and recovery codes for a lost phone."""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from base64 import b32encode
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import django_otp
import segno
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import load_backend, login
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP

from accounts import limits
from accounts.audit import record
from accounts.keys import LostKeyError
from accounts.models import Action, Authenticator, RecoveryCode, User
from accounts.services import end_sessions

ISSUER = "Swing dashboard"
#: Bytes of a key, as RFC 4226 recommends for SHA-1.
KEY_BYTES = 20
RECOVERY_CODES = 10
CODE_LENGTH = 6
#: Between the right password and the code.
PATIENCE_S = 600

_PENDING = "login_waits_for_code"
_BY_PROVIDER = "second_factor_by_provider"
_FRESH = "signed_on_afresh"
#: In the session of whoever comes after somebody who logged out in this browser.
WAS_LOGGED_OUT = "was_logged_out"
_NEW_KEY = "authenticator_key"


class WrongCodeError(Exception):
    """A code was not accepted; the text tells the user why."""


def is_login_locked(request: HttpRequest, user: User) -> bool:
    """Whether wrong passwords and codes have locked the login (django-axes)."""
    return not AxesProxyHandler.is_allowed(request, {"username": user.get_username()})


def is_required_of(user: User) -> bool:
    """Whether the facility wants a second factor of this user."""
    may_administer = user.is_staff or user.is_superuser
    return may_administer and settings.STAFF_NEED_SECOND_FACTOR


# --- Login: the password was right, the code is to come ---------------------------


def begin_login(request: HttpRequest, user: User, *, backend: str) -> None:
    """Note in the session that this user's password was right; logs nobody in."""
    request.session.flush()
    request.session[_PENDING] = {
        "user": user.pk,
        "backend": backend,
        # A new password, or a logout everywhere, ends this too.
        "hash": user.get_session_auth_hash(),
        "at": time.time(),
    }


def pending_user(request: HttpRequest) -> User | None:
    """The user who still has to give a code in this session; None for none, or late."""
    noted = request.session.get(_PENDING)
    if noted is None or not 0 <= time.time() - noted["at"] <= PATIENCE_S:
        return None
    # The backend decides who may log in at all, as at every other request.
    user = load_backend(noted["backend"]).get_user(noted["user"])
    if not isinstance(user, User):
        return None
    if not constant_time_compare(noted["hash"], user.get_session_auth_hash()):
        return None
    return user


def complete_login(request: HttpRequest, user: User, code: str) -> bool:
    """Log in with a code; True when it was a recovery code.

    Raises WrongCodeError.
    """
    backend = request.session[_PENDING]["backend"]
    was_recovery = use_code(request, user, code)
    login(request, user, backend=backend)
    mark_verified(request, user)
    return was_recovery


def mark_verified(request: HttpRequest, user: User) -> None:
    """Note in the session that the second factor was shown."""
    request.session.pop(_PENDING, None)
    device = Authenticator.objects.filter(user=user).first()
    if device is not None:
        django_otp.login(request, device)


def mark_verified_by_provider(request: HttpRequest, was_shown: bool) -> None:
    """Note in the session whether single sign-on has asked for a second factor."""
    request.session[_BY_PROVIDER] = was_shown


def mark_fresh(request: HttpRequest, user: User) -> None:
    """Note in the session that the provider has just asked this user who they are."""
    request.session[_FRESH] = {"user": user.pk, "at": time.time()}


def is_fresh(request: HttpRequest, user: User) -> bool:
    """Whether the provider asked a moment ago; for who has no password to enter."""
    noted = request.session.get(_FRESH)
    if noted is None or noted["user"] != user.pk:
        return False
    return 0 <= time.time() - float(noted["at"]) <= PATIENCE_S


def is_verified(request: HttpRequest) -> bool:
    """Whether this session showed the second factor that its user has now.

    One that was turned off since, or replaced, does not count. The provider's does
    while the settings say so.
    """
    by_provider = settings.OIDC_SECOND_FACTOR_AMR or settings.OIDC_SECOND_FACTOR_ACR
    if by_provider and request.session.get(_BY_PROVIDER) is True:
        return True
    shown = request.session.get(DEVICE_ID_SESSION_KEY)
    if shown is None or not isinstance(request.user, User):
        return False
    device = Authenticator.objects.filter(user=request.user).first()
    return device is not None and shown == device.persistent_id


# --- Codes ------------------------------------------------------------------------


def use_code(request: HttpRequest, user: User, code: str) -> bool:
    """Accept a code of the app or a recovery code; True when it was the latter.

    A wrong one counts as a wrong password does, so both lock the login together.
    """
    code = code.replace(" ", "")
    is_recovery = len(code) > CODE_LENGTH
    wait_s = limits.begin(request, user.get_username())
    if wait_s:
        raise WrongCodeError(f"Too many wrong codes: wait {wait_s} s.")
    # What is wrong comes back as a value: an exception would undo the counting.
    with transaction.atomic():
        problem = _use_recovery_code(user, code) if is_recovery else _use(user, code)
    if problem is None:
        limits.take_back(request)
        return is_recovery
    if isinstance(problem, _Wait):
        limits.take_back(request)
    else:
        user_login_failed.send(
            sender=__name__,
            credentials={"username": user.get_username()},
            request=request,
        )
    raise WrongCodeError(problem)


class _Wait(str):
    """The code was not checked, because the user has to wait first."""


def _use_recovery_code(user: User, code: str) -> str | None:
    # Deleting tells whether it was there: of two logins at once one succeeds.
    kept = RecoveryCode.objects.filter(user=user, digest=_digest(code))
    if not kept.delete()[0]:
        return "That recovery code doesn't exist or was already used."
    record(Action.RECOVERY_CODE_USED, by=user, subject=user, left=codes_left(user))
    return None


def _use(user: User, code: str) -> str | None:
    device = Authenticator.objects.select_for_update().filter(user=user).first()
    if device is None:
        return _Wait("The second factor was turned off in the meantime; log in again.")
    is_allowed, why = device.verify_is_allowed()
    if not is_allowed:
        wait_s = (why["locked_until"] - timezone.now()).total_seconds()
        return _Wait(f"Too many wrong codes: wait {max(1, math.ceil(wait_s))} s.")
    try:
        is_right = device.verify_token(code)
    except LostKeyError:
        return _Wait(
            "Codes can no longer be checked because the server's key was replaced. "
            "Use a recovery code, or ask staff to reset your second factor."
        )
    if is_right:
        return None
    return (
        "The code is wrong or was already used. Wait for the next one; if none works, "
        "check that the phone's clock is set automatically."
    )


def _digest(code: str) -> str:
    plain = code.replace("-", "").lower()
    return hashlib.sha256(plain.encode()).hexdigest()


def codes_left(user: User) -> int:
    """Recovery codes that can still be used."""
    return RecoveryCode.objects.filter(user=user).count()


def new_codes(user: User) -> list[str]:
    """Replace the recovery codes and return them; they cannot be read again."""
    codes = []
    for _ in range(RECOVERY_CODES):
        plain = b32encode(secrets.token_bytes(10)).decode().lower()
        codes.append("-".join(plain[i : i + 4] for i in range(0, 16, 4)))
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, digest=_digest(code)) for code in codes
        )
    return codes


# --- Turning it on and off --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """A key that is not in force yet, in the forms in which an app takes it."""

    key: bytes

    @property
    def typed(self) -> str:
        """The key in groups of four, to be typed."""
        text = b32encode(self.key).decode()
        return " ".join(text[i : i + 4] for i in range(0, len(text), 4))

    def url(self, user: User) -> str:
        """otpauth:// as authenticator apps read it."""
        label = quote(f"{ISSUER}:{user.get_username()}")
        values = {"secret": b32encode(self.key).decode(), "issuer": ISSUER}
        return f"otpauth://totp/{label}?{urlencode(values, quote_via=quote)}"

    def picture(self, user: User) -> str:
        """The URL as a QR code in a data URI: no inline markup, no other host."""
        code = segno.make(self.url(user), error="m", micro=False)
        # White in the dark theme too: many apps do not read inverted codes.
        return code.svg_data_uri(scale=5, border=4, dark="#000", light="#fff")


def offer(request: HttpRequest) -> Offer:
    """The key that this session is setting up; the same until it is confirmed."""
    sealed = request.session.get(_NEW_KEY)
    if sealed is not None:
        try:
            return Offer(Authenticator.opened(sealed))
        except LostKeyError:
            pass  # SECRET_KEY was replaced in between: begin with another one
    key = secrets.token_bytes(KEY_BYTES)
    request.session[_NEW_KEY] = Authenticator.sealed(key)
    return Offer(key)


def turn_on(request: HttpRequest, user: User, code: str) -> list[str]:
    """Put the offered key in force; returns the recovery codes.

    Other sessions of the user end: they began without a code. The present one goes on
    when the caller renews its hash.
    """
    key = offer(request).key
    clock = TOTP(key)
    clock.time = time.time()
    plain = code.replace(" ", "")
    if not (plain.isascii() and plain.isdecimal() and len(plain) == CODE_LENGTH):
        raise WrongCodeError("Enter the 6 digits the app shows.")
    if not clock.verify(int(plain), tolerance=1):
        raise WrongCodeError(
            "The code doesn't match this key. Check that the phone's clock is set "
            "automatically, and enter the code it shows now."
        )
    with transaction.atomic():
        Authenticator.objects.create(
            user=user,
            name="authenticator",
            sealed_key=Authenticator.sealed(key),
            drift=clock.drift,
            last_step=clock.t(),
        )
        codes = new_codes(user)
        record(Action.SECOND_FACTOR_ON, by=user, subject=user)
        end_sessions(user)
    del request.session[_NEW_KEY]
    return codes


@transaction.atomic
def turn_off(user: User) -> None:
    """End the second factor; the caller has asked for password and code."""
    _forget(user)
    record(Action.SECOND_FACTOR_OFF, by=user, subject=user)


@transaction.atomic
def reset(user: User, *, by: User | None) -> bool:
    """Take a lost second factor from a user; False when there was none.

    Their sessions end: whoever has the phone may have one.
    """
    if not _forget(user):
        return False
    record(Action.SECOND_FACTOR_RESET, by=by, subject=user)
    end_sessions(user)
    return True


def _forget(user: User) -> bool:
    RecoveryCode.objects.filter(user=user).delete()
    return bool(Authenticator.objects.filter(user=user).delete()[0])
