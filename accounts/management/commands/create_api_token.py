"""Make a token for a program; it is shown once and stored as a hash."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Scope, Team
from accounts.services import create_token


class Command(BaseCommand):
    """Prints a new API token; only its hash is stored."""

    help = (
        "Prints a new API token, alone on stdout. It cannot be shown again: only "
        "its hash is stored."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the name, the scope, the end and the team of the token."""
        parser.add_argument("name", help="which program uses it")
        parser.add_argument(
            "--scope",
            choices=Scope.values,
            default=Scope.READ,
            help="sync also reads (default: read)",
        )
        parser.add_argument("--team", help="limit it to the athletes of this team")
        parser.add_argument(
            "--expires-days",
            type=int,
            help="expires after this many days (default: never)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token and print it alone on stdout."""
        name = options["name"].strip()
        if not 0 < len(name) <= 100:
            raise CommandError("The name must have 1 to 100 characters.")
        days = options["expires_days"]
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError("--expires-days must be between 1 and 36500.")
        _, secret = create_token(
            name=name,
            scope=options["scope"],
            team=self._team(options["team"]),
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        self.stdout.write(secret)
        self.stderr.write("Keep it safe: it cannot be shown again.")

    @staticmethod
    def _team(name: str | None) -> Team | None:
        if name is None:
            return None
        team = Team.objects.filter(name=name).first()
        if team is None:
            known = ", ".join(Team.objects.values_list("name", flat=True)[:20])
            raise CommandError(
                f"There is no team {name!r}. Teams: {known or 'none yet'}."
            )
        return team
