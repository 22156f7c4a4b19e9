"""The command `manage.py restore FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reboot_site.backups import BackupError, restore


class Command(BaseCommand):
    """Replaces the database with a backup."""

    help = (
        "Replace the database with a backup. Stop web and worker first, and run "
        "manage.py migrate afterward."
    )
    # An empty database has no tables to be checked.
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the backup, and whether a filled database may be replaced."""
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--force",
            action="store_true",
            help="replace a database that isn't empty",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore the backup and say what to run next."""
        try:
            restore(options["file"], is_forced=options["force"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Restored. Now run: manage.py migrate")
