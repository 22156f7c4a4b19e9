"""The vendor's client as the settings describe it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings

from syncing.client.http import Exchange, Gate, RetryPolicy
from syncing.client.reboot import RebootClient
from syncing.client.tokens import Credentials, TokenStore, credentials_from
from syncing.clock import Clock

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def vendor_credentials() -> Credentials:
    """Return the key when one is set, else the login; raise without either."""
    return credentials_from(
        username=settings.REBOOT_USERNAME,
        password=settings.REBOOT_PASSWORD,
        api_key=settings.REBOOT_API_KEY,
    )


def make_client(
    *,
    credentials: Credentials,
    token_store: TokenStore,
    gate: Gate,
    clock: Clock,
    on_exchange: Callable[[Exchange], None],
    retry: RetryPolicy,
) -> RebootClient:
    """Return a client for the threads of this process."""
    parts = urlsplit(settings.REBOOT_BASE_URL)
    # Only this machine is spoken to without TLS: a simulator runs here.
    plain = [parts.netloc] if parts.hostname in LOOPBACK else []
    return RebootClient(
        base_url=settings.REBOOT_BASE_URL,
        credentials=credentials,
        token_store=token_store,
        gate=gate,
        clock=clock,
        on_exchange=on_exchange,
        retry=retry,
        download_hosts=list(_host_patterns(settings.REBOOT_DOWNLOAD_HOSTS)),
        plain_http_hosts=plain,
    )


def _host_patterns(hosts: list[str]) -> list[str]:
    """Return the client's patterns for the hosts of the setting."""
    found = []
    for host in hosts:
        if host.startswith("."):
            found += ["*." * depth + host[1:] for depth in range(1, 6)]
        else:
            found.append(host)
    return found
