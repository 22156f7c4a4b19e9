"""Registers what the queue does by the clock."""

from typing import Any

from django.core.management.base import BaseCommand

from syncing import schedules


class Command(BaseCommand):
    """Registers the schedules of the product."""

    help = "Register the schedules; times that staff changed stay as they are."

    def handle(self, *args: Any, **options: Any) -> None:
        """Register them, and print how many are new."""
        created = schedules.register()
        if options["verbosity"] > 0:
            self.stdout.write(
                f"{len(schedules.PLANS)} schedules registered, {len(created)} new."
            )
