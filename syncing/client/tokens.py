"""Credentials, and the token that a password login buys."""

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
                "The vendor's login is incomplete: set REBOOT_USERNAME and "
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
                "REBOOT_API_KEY is empty or holds blanks, line ends or characters "
                "outside ASCII: copy it again from the vendor's dashboard."
            )


Credentials = PasswordLogin | ApiKey


def credentials_from(
    *, username: str = "", password: str = "", api_key: str = ""
) -> Credentials:
    """The key when there is one, else the login; neither is a clear error."""
    if api_key.strip():
        return ApiKey(api_key.strip())
    return PasswordLogin(username.strip(), password)


def is_header_safe(text: str) -> bool:
    return bool(text) and all("!" <= character <= "~" for character in text)


@dataclass(frozen=True)
class Token:
    """An access token with the times (seconds since 1970) that matter."""

    access_token: str = field(repr=False)
    renew_at: float
    expires_at: float


class TokenStore(Protocol):
    """Where workers share one token. ``key`` holds no secret.

    ``lock`` lets one worker at a time fetch a token. It may be best effort: two
    fetches at once cost a request, nothing more.
    """

    def get(self, key: str) -> Token | None: ...

    def put(self, key: str, token: Token) -> None: ...

    def lock(self, key: str) -> AbstractContextManager[object]: ...


class MemoryTokenStore:
    """Shares a token between the threads of one process."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: str) -> Token | None:
        with self._guard:
            return self._tokens.get(key)

    def put(self, key: str, token: Token) -> None:
        with self._guard:
            self._tokens[key] = token

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield


def token_key(base_url: str, login: PasswordLogin) -> str:
    """A name for the token in a shared store: one per address and user.

    The password stays out of it: a quick hash of one can be tried offline.
    """
    text = f"{base_url}\n{login.username}"
    return "reboot-token-" + hashlib.sha256(text.encode()).hexdigest()[:32]
