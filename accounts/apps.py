"""The accounts app: users, teams, API tokens, the audit trail."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Connects what happens at logins."""

    name = "accounts"

    def ready(self) -> None:
        """Import the modules that connect themselves by being imported."""
        from accounts import attempts, receivers  # noqa: F401  # connects them
