"""The privacy app: archives, erasure, and how long data are kept."""

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    """Names the app."""

    name = "privacy"
