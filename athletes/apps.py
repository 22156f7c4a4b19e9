"""The settings of the Django app `athletes`."""

from django.apps import AppConfig


class AthletesConfig(AppConfig):
    """The app of athletes, their sessions, movements and numbers."""

    name = "athletes"

    def ready(self) -> None:
        """Load the admin when Django starts."""
        # Django finds an admin.py by itself; these are the modules of a package.
        from athletes.admin import (  # noqa: F401
            movements,
            notes,
            players,
            sessions,
            uploads,
        )
