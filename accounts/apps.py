"""The accounts app: users, teams, API tokens, the audit trail."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Connects what happens at logins and loads the administration's modules."""

    name = "accounts"

    def ready(self) -> None:
        """Import the modules that register themselves by being imported."""
        from accounts import attempts, receivers  # noqa: F401  # connects them

        # Django finds an admin.py by itself; these are the modules of a package.
        from accounts.admin import (  # noqa: F401
            audit,
            logins,
            teams,
            tokens,
            users,
        )
