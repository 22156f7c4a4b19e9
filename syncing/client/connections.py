"""What a request is sent over: the shared session, credentials and time limits.

Nothing here names the vendor's objects; `syncing.client.http` sends the requests.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

#: Hosts whose settings are remembered.
MOST_HOSTS = 64


class _QueryRedactor(logging.Filter):
    """Cuts queries off the addresses that urllib3 logs: a presigned query is a key."""

    _query = re.compile(r"\?[^\s\"']*")

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut queries out of the arguments of a log line, and let the line through."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                self._query.sub("?…", argument)
                if isinstance(argument, str)
                else argument
                for argument in record.args
            )
        return True


# A filter works on the logger that a line is written to, not on its parents.
for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_QueryRedactor())


@dataclass(frozen=True)
class Request:
    """One HTTP request of the client; ``route`` names it without ids, for messages."""

    route: str
    method: str
    url: str = field(repr=False)
    params: Mapping[str, object] | None = field(default=None, repr=False)
    body: Mapping[str, object] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Timeouts:
    """Seconds that a request may take to connect, to stay silent, and in all."""

    connect_s: float = 10.0
    #: The longest silence while reading.
    read_s: float = 60.0
    #: The longest a JSON answer may take in all.
    body_s: float = 120.0


class HeaderAuth(AuthBase):
    """Sets headers on a request.

    Passing any such object also keeps requests from reading ``~/.netrc``, which would
    replace our header.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the headers on a request, and return it."""
        request.headers.update(self._headers)
        return request

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._headers)})"


class NoAuth(AuthBase):
    """Sends no credentials at all, whatever the session or the machine holds."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Take every credential off a request, and return it."""
        for name in ("Authorization", "x-api-key", "Cookie"):
            request.headers.pop(name, None)
        return request


class _Session(requests.Session):
    """Looks for proxies and certificates in the environment once for each host.

    requests does so for every call, which takes a fifth of the call's processor time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[tuple[Any, ...], Any] = {}

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Return proxies and certificates for an address, from memory if known."""
        if proxies:
            return super().merge_environment_settings(
                url, proxies, stream, verify, cert
            )
        key = (*urlsplit(url)[:2], stream, verify, cert)
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= MOST_HOSTS:
                self._found.clear()
            found = super().merge_environment_settings(
                url, proxies, stream, verify, cert
            )
            self._found[key] = found
        return {**found}


def new_session(pool_size: int = 32) -> requests.Session:
    """Return a session that many threads may share: no cookies, a pool for all."""
    session = _Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=8, pool_maxsize=pool_size, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
