"""Which addresses the client may call, with what and over what.

Our credentials go to the vendor's API alone. Files are fetched without them, from its
own address and from the hosts on a list, and over https except where plain HTTP is
allowed by name.
"""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from syncing.client.errors import ConfigurationError, ForbiddenHostError

#: Hosts of export links. ``*`` stands for one label of a name.
DOWNLOAD_HOSTS = (
    "reboot-motion-data-exports.s3.amazonaws.com",
    "reboot-motion-data-exports.s3.*.amazonaws.com",
)


class Addresses:
    """The address of the vendor's API, and the rules for links to its files.

    Parameters
    ----------
    base_url
        Address of the vendor's API.
    download_hosts
        Hosts of files; ``*`` stands for one label of a name.
    plain_http_hosts
        Hosts (``127.0.0.1`` or ``127.0.0.1:8001``) that may be spoken to without TLS
        and may serve files, for the simulator.

    Raises
    ------
    ConfigurationError
        When ``base_url`` is no address, holds credentials or lacks https.
    """

    def __init__(
        self,
        base_url: str,
        *,
        download_hosts: Collection[str] = DOWNLOAD_HOSTS,
        plain_http_hosts: Collection[str] = (),
    ) -> None:
        self._plain_http_hosts = frozenset(host.lower() for host in plain_http_hosts)
        self._download_hosts = tuple(host.lower() for host in download_hosts)
        self.base_url = self._checked_base_url(base_url)

    def is_own(self, url: str) -> bool:
        """Whether the address is at the vendor's API: same scheme, host and port."""
        return _origin(url) == _origin(self.base_url)

    def check_link(self, url: str) -> None:
        """Raise `ForbiddenHostError` for a link from which no file may be fetched."""
        parts = _parts(url)
        host = "" if parts is None else (parts.hostname or "").lower()
        if (
            parts is not None
            and parts.username is None
            and (self._may_be_plain(url) or self.is_own(url))
        ):
            return
        if (
            parts is not None
            and parts.scheme == "https"
            and parts.username is None
            and parts.port in {None, 443}
            and any(_host_matches(host, pattern) for pattern in self._download_hosts)
        ):
            return
        named = host if host and len(host) < 100 else "an unreadable address"
        raise ForbiddenHostError(
            f"GET export file: the link leads to {named}, which is not on the list of "
            "download hosts (or not over https), and was not followed. If Reboot "
            "Motion "
            "has moved its files, add the host to the setting."
        )

    def _checked_base_url(self, base_url: str) -> str:
        text = base_url.strip().rstrip("/")
        parts = _parts(text)
        if parts is None or not parts.hostname or parts.query or parts.fragment:
            raise ConfigurationError(
                "REBOOT_BASE_URL isn't an address such as "
                "https://api.rebootmotion.com. Correct it."
            )
        if parts.username is not None or parts.password is not None:
            raise ConfigurationError(
                "REBOOT_BASE_URL contains a username or password: put them in "
                "REBOOT_USERNAME and REBOOT_PASSWORD."
            )
        if parts.scheme == "https" or self._may_be_plain(text):
            return text
        raise ConfigurationError(
            f"REBOOT_BASE_URL must begin with https:// ({parts.hostname} would receive "
            "the password unencrypted)."
        )

    def _may_be_plain(self, url: str) -> bool:
        parts = _parts(url)
        if parts is None or parts.scheme not in {"http", "https"}:
            return False
        host = (parts.hostname or "").lower()
        return (
            host in self._plain_http_hosts
            or f"{host}:{parts.port}" in self._plain_http_hosts
        )


def _parts(url: str) -> Any:
    """The parts of an address; None when it cannot be taken apart."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = _parts(url)
    if parts is None:
        return ("", "", None)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return (parts.scheme, (parts.hostname or "").lower(), port)


def _host_matches(host: str, pattern: str) -> bool:
    labels, wanted = host.split("."), pattern.split(".")
    return len(labels) == len(wanted) and all(
        want in {"*", label} for label, want in zip(labels, wanted, strict=True)
    )
