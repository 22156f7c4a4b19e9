from django.apps import AppConfig


class AthletesConfig(AppConfig):
    name = "athletes"

    def ready(self) -> None:
        # Django finds an admin.py by itself; these are the modules of a package.
        from athletes.admin import movements, notes, players, sessions  # noqa: F401
