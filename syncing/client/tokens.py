"""Credentials for the vendor's API, and the token that a password login buys."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from syncing.client.errors import ConfigurationError


@dataclass(frozen=True)
class PasswordLogin:
    """A user of the vendor's API; the password buys a token of 24 hours."""

    username: str = field(repr=False)
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.username.strip() or not self.password:
            raise ConfigurationError(
                "Reboot Motion's login is incomplete: set REBOOT_USERNAME and "
                "REBOOT_PASSWORD, or REBOOT_API_KEY."
            )


@dataclass(frozen=True)
class ApiKey:
    """A long-lived key made in the vendor's dashboard."""

    key: str = field(repr=False)

    def __post_init__(self) -> None:
        # The HTTP library would refuse such a header with the key in its message.
        if not is_header_safe(self.key):
            raise ConfigurationError(
                "REBOOT_API_KEY is empty or contains spaces, line breaks or non-ASCII "
                "characters: copy it again from Reboot Motion's dashboard."
            )


Credentials = PasswordLogin | ApiKey


def credentials_from(
    *, username: str = "", password: str = "", api_key: str = ""
) -> Credentials:
    """Return the key when there is one, else the login; raise without either."""
    if api_key.strip():
        return ApiKey(api_key.strip())
    return PasswordLogin(username.strip(), password)


def is_header_safe(text: str) -> bool:
    """Whether the text can stand in a header: visible ASCII characters alone."""
    return bool(text) and all("!" <= character <= "~" for character in text)


@dataclass(frozen=True)
class Token:
    """An access token with the times (seconds since 1970) that matter."""

    access_token: str = field(repr=False)
    renew_at: float
    expires_at: float


class TokenStore(Protocol):
    """A place where workers share one token. ``key`` holds no secret.

    ``lock`` lets one worker at a time fetch a token. It may be best effort: two
    fetches at once cost a request, nothing more.
    """

    def get(self, key: str) -> Token | None:
        """Return the stored token; None when there is none."""

    def put(self, key: str, token: Token) -> None:
        """Store a token for all workers."""

    def lock(self, key: str) -> AbstractContextManager[object]:
        """Let one worker at a time into the ``with`` block."""


class MemoryTokenStore:
    """Shares a token between the threads of one process."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: str) -> Token | None:
        """Return the stored token; None when there is none."""
        with self._guard:
            return self._tokens.get(key)

    def put(self, key: str, token: Token) -> None:
        """Store a token for all threads of this process."""
        with self._guard:
            self._tokens[key] = token

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Let one thread at a time into the ``with`` block."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield


def token_key(base_url: str, login: PasswordLogin) -> str:
    """Return the name of the token in a shared store: one per address and user.

    The password stays out of it: a quick hash of one can be tried offline.
    """
    text = f"{base_url}\n{login.username}"
    return "reboot-token-" + hashlib.sha256(text.encode()).hexdigest()[:32]
