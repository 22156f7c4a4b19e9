from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import attempts, receivers  # noqa: F401  # connects them

        # Django finds an admin.py by itself; these are the modules of a package.
        from accounts.admin import (  # noqa: F401
            audit,
            logins,
            teams,
            tokens,
            users,
        )
