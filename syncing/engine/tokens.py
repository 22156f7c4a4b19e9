"""One access token for all workers, kept in the shared cache.

The cache may be a table or Redis, which other people can read and back up, so the
token is sealed with a key that comes from SECRET_KEY (accounts.keys). The password is
never stored, only a keyed hash of it in the name of the entry, so that a changed
password does not go on with the old token.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from accounts.keys import LostKeyError, seal, unseal
from syncing import clock
from syncing.client.tokens import ApiKey, Credentials, Token

_PURPOSE = "vendor-token"
#: A worker that dies while it fetches must not stop the others for longer. The cache
#: counts by the machine's time; only the waiting goes by the sync's clock.
_LOCK_S = 30
#: How long a process uses its own copy before it looks again.
_COPY_S = 5.0


class CacheTokenStore:
    """Keeps the vendor's token, sealed, in Django's cache."""

    def __init__(self, credentials: Credentials) -> None:
        secret = credentials.key if isinstance(credentials, ApiKey) else ""
        if not isinstance(credentials, ApiKey):
            secret = f"{credentials.username}\n{credentials.password}"
        self._suffix = salted_hmac(
            "syncing.tokens.credentials", secret, algorithm="sha256"
        ).hexdigest()[:24]
        self._copies: dict[str, tuple[float, Token]] = {}
        self._guard = threading.Lock()
        self._fetching = threading.Lock()

    def get(self, key: str) -> Token | None:
        """Return the stored token; None when there is none, or none that opens."""
        with self._guard:
            copy = self._copies.get(key)
        if copy is not None and clock.monotonic() - copy[0] < _COPY_S:
            return copy[1]
        plain = _opened(cache.get(self._name(key)))
        if plain is None:
            return None
        values = json.loads(plain)
        token = Token(values["token"], values["renew_at"], values["expires_at"])
        with self._guard:
            self._copies[key] = (clock.monotonic(), token)
        return token

    def put(self, key: str, token: Token) -> None:
        """Store a token for all workers until it expires."""
        plain = json.dumps(
            {
                "token": token.access_token,
                "renew_at": token.renew_at,
                "expires_at": token.expires_at,
            }
        )
        life_s = max(1, int(token.expires_at - clock.time()))
        cache.set(self._name(key), seal(plain, _PURPOSE), timeout=life_s)
        with self._guard:
            self._copies[key] = (clock.monotonic(), token)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Let one worker at a time in, as far as the cache can promise it."""
        name = f"{self._name(key)}-lock"
        with self._fetching:
            deadline = clock.monotonic() + _LOCK_S
            mine = cache.add(name, 1, timeout=_LOCK_S)
            while not mine and clock.monotonic() < deadline:
                clock.sleep(0.1)
                mine = cache.add(name, 1, timeout=_LOCK_S)
            with self._guard:
                # Another worker may have put a new one meanwhile.
                self._copies.pop(key, None)
            try:
                yield
            finally:
                if mine:
                    cache.delete(name)

    def _name(self, key: str) -> str:
        return f"{key}-{self._suffix}"


def _opened(sealed: object) -> str | None:
    """Return the plain text; None when it is not ours, altered, or of a lost key."""
    if not isinstance(sealed, str):
        return None
    try:
        return unseal(sealed, _PURPOSE)
    except LostKeyError:
        return None  # a new token is fetched
