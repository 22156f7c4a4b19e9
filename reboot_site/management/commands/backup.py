"""The command `manage.py backup FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reboot_site.backups import BackupError, backup


class Command(BaseCommand):
    """Writes the whole database into one new file while the product runs."""

    help = "Write the whole database into a new file, while the site is running."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file to write."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the backup and print its size."""
        try:
            size = backup(options["file"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['file']}: {size / 1e6:.1f} MB")
