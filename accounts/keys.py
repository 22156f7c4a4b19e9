"""Keys that come from SECRET_KEY, and which of them made what is stored.

What is stored under a key is lost with it. So each stored value names its key, and a
replaced SECRET_KEY goes on in SECRET_KEY_FALLBACKS.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

_ID_LENGTH = 12
_LOST = (
    "Stored data was signed with a SECRET_KEY that is no longer known. Add the old "
    "key to SECRET_KEY_FALLBACKS."
)


class LostKeyError(RuntimeError):
    """Something stored was made with a SECRET_KEY that is not known any more."""


def derived_key(secret: str, purpose: str) -> bytes:
    """Derive a key for one purpose; it reveals neither `secret` nor other keys."""
    return hmac.digest(secret.encode(), f"accounts.keys.{purpose}".encode(), "sha256")


def key_id(secret: str, purpose: str) -> str:
    """Return a name of the key that reveals nothing of it."""
    return derived_key(secret, f"{purpose}.id").hex()[:_ID_LENGTH]


def present_key(purpose: str) -> tuple[str, bytes]:
    """Return the name and the key with which things are made now."""
    secret = settings.SECRET_KEY
    return key_id(secret, purpose), derived_key(secret, purpose)


def find_key(wanted: str, purpose: str) -> bytes:
    """The key of that name, from the present SECRET_KEY or a former one."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if hmac.compare_digest(key_id(secret, purpose), wanted):
            return derived_key(secret, purpose)
    raise LostKeyError(_LOST)


def seal(plain: str, purpose: str) -> str:
    """Encrypt and authenticate a text (Fernet), to be stored."""
    return _fernet(purpose).encrypt(plain.encode()).decode()


def unseal(sealed: str, purpose: str) -> str:
    """Decrypt a sealed text; LostKeyError when it was altered or its key is unknown."""
    try:
        return _fernet(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise LostKeyError(_LOST) from error


def _fernet(purpose: str) -> MultiFernet:
    """Seals with the present SECRET_KEY, opens with former ones too."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    keys = [urlsafe_b64encode(derived_key(s, f"{purpose}.seal")) for s in secrets]
    return MultiFernet([Fernet(key) for key in keys])
