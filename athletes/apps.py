"""The settings of the Django app `athletes`."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class AthletesConfig(AppConfig):
    """The app of athletes, their sessions, movements and numbers."""

    name = "athletes"

    def ready(self) -> None:
        """Load the admin when Django starts, and follow changes after migrations."""
        # Django finds an admin.py by itself; these are the modules of a package.
        from athletes.admin import (  # noqa: F401
            movements,
            notes,
            players,
            sessions,
            uploads,
        )

        post_migrate.connect(_follow_changes, sender=self)


def _follow_changes(using: str, **_: Any) -> None:
    """Make the triggers that write changes down, where they are missing."""
    from athletes.feed import triggers

    triggers.install(connections[using])
