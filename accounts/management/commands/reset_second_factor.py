"""Take a lost second factor from a user, where nobody can do it in the admin."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.second_factor import reset


class Command(BaseCommand):
    """Turns the second factor of a user off: `reset_second_factor USERNAME`."""

    help = "Turn the second factor of a user off and end their sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare whose second factor is taken off."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the second factor off, end all sessions, and record it."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError("That user doesn't exist.")
        if not reset(user, by=None):
            raise CommandError("This user has no second factor.")
        self.stdout.write("The second factor is off; all sessions of the user ended.")
