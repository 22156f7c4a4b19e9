"""System checks: settings that would fail late or quietly."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@register(Tags.security)
def check_vendor(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that the vendor's address and credentials are set and usable."""
    found: list[CheckMessage] = []
    parts = urlsplit(settings.REBOOT_BASE_URL)
    is_local = parts.hostname in LOOPBACK
    if parts.scheme == "http" and not is_local:
        found.append(
            Error(
                "REBOOT_BASE_URL is not https: the password and athletes' data would "
                "be sent unencrypted.",
                hint="Use https:// in REBOOT_BASE_URL.",
                id="reboot_site.E001",
            )
        )
    if is_local and settings.HTTPS:
        found.append(
            Warning(
                "REBOOT_BASE_URL points to this machine: data would come from a "
                "simulator.",
                hint="Set REBOOT_BASE_URL to Reboot Motion's address.",
                id="reboot_site.W001",
            )
        )
    if settings.REBOOT_USERNAME and not (
        settings.REBOOT_PASSWORD or settings.REBOOT_API_KEY
    ):
        found.append(
            Error(
                "REBOOT_USERNAME is set without REBOOT_PASSWORD.",
                hint="Set both, or REBOOT_API_KEY alone.",
                id="reboot_site.E002",
            )
        )
    return found


@register(Tags.security, deploy=True)
def check_webhooks(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that webhooks cannot lead to this machine where people work."""
    if settings.WEBHOOKS_ALLOW_LOOPBACK:
        return [
            Warning(
                "WEBHOOKS_ALLOW_LOOPBACK is on: staff can make the dashboard call "
                "services on its own machine.",
                hint="Unset it, unless you are testing webhooks.",
                id="reboot_site.W003",
            )
        ]
    return []


@register()
def check_queue(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that a task is cut off before the queue gives it out again."""
    cluster = settings.Q_CLUSTER
    if cluster["timeout"] >= cluster["retry"]:
        return [
            Error(
                "Q_CLUSTER: timeout must be below retry, or tasks run twice.",
                id="reboot_site.E003",
            )
        ]
    return []


@register(Tags.database)
def check_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that SQLite, one file on one disk, is not used by several hosts."""
    if settings.DATABASE_URL.startswith("sqlite") and settings.REDIS_URL:
        return [
            Warning(
                "REDIS_URL suggests several hosts, but SQLite serves one: each host "
                "would have its own data.",
                hint="Set DATABASE_URL to a PostgreSQL server.",
                id="reboot_site.W002",
            )
        ]
    return []
