"""List the tokens of programs, or revoke one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import ApiToken
from accounts.services import revoke_token


class Command(BaseCommand):
    """Lists API tokens, and revokes them."""

    help = (
        "Lists active tokens, one per line: ID, start, name, scope, team, creator, "
        "last use, expiry. With --all also inactive ones; with --revoke ID it revokes "
        "one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what to list or revoke."""
        parser.add_argument(
            "--all", action="store_true", help="also revoked and expired ones"
        )
        parser.add_argument("--revoke", type=int, metavar="ID", help="ID from the list")

    def handle(self, *args: Any, **options: Any) -> None:
        """List the tokens or revoke one."""
        if options["revoke"] is not None:
            self._revoke(options["revoke"])
            return
        tokens = ApiToken.objects.select_related("team", "created_by").order_by("pk")
        working = set(ApiToken.objects.usable().values_list("pk", flat=True))
        for token in tokens:
            if not options["all"] and token.pk not in working:
                continue
            self.stdout.write(
                "\t".join(
                    [
                        str(token.pk),
                        f"{token.prefix}…",
                        token.name,
                        token.scope,
                        token.team.name if token.team else "all athletes",
                        str(token.created_by or "command"),
                        _when(token.last_used_at, "never used"),
                        _when(token.expires_at, "never expires"),
                        "active" if token.pk in working else "inactive",
                    ]
                )
            )

    def _revoke(self, pk: int) -> None:
        token = ApiToken.objects.filter(pk=pk).first()
        if token is None:
            raise CommandError(f"There is no token {pk}; see them without --revoke.")
        if not revoke_token(token):
            raise CommandError(f"Token {pk} was revoked before.")
        self.stdout.write(f"Token {pk} ({token.name}) is revoked.")


def _when(at: Any, otherwise: str) -> str:
    return at.isoformat(timespec="minutes") if at else otherwise
