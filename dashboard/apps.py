"""The dashboard app: pages and template tags, no models."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """Registers the pages' template tags."""

    name = "dashboard"
