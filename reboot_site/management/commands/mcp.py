"""Answers an assistant over stdin and stdout, with the rights of an API token."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from ninja.errors import HttpError

from accounts.api import token_of


class Command(BaseCommand):
    """The command `mcp`."""

    help = (
        "Answers an AI assistant over stdin and stdout (Model Context Protocol), "
        "read-only, with the rights of the API token in MCP_TOKEN. Off without one."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer until the assistant hangs up."""
        secret = settings.MCP_TOKEN
        if not secret:
            raise CommandError(
                "MCP is off. To turn it on, make a token (manage.py create_api_token) "
                "and set MCP_TOKEN to it.",
                returncode=2,
            )
        try:
            from reboot_site.mcp import server
        except ModuleNotFoundError as error:
            raise CommandError(
                f"{error.name} is not installed: pip install --require-hashes -r "
                "requirements-mcp.txt",
                returncode=2,
            ) from error
        try:
            token_of(secret)
        except HttpError as error:
            raise CommandError(f"MCP_TOKEN: {error}", returncode=2) from error
        server(secret).run("stdio")
