"""The sharing app: sheets, share links and saved comparisons."""

from django.apps import AppConfig


class SharingConfig(AppConfig):
    """Connects what happens when a part of a saved comparison is deleted."""

    name = "sharing"

    def ready(self) -> None:
        """Connect the receivers."""
        from sharing import receivers  # noqa: F401  # connects them
