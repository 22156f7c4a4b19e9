"""The webhooks app: other programs are told what happened."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Names the app."""

    name = "webhooks"
