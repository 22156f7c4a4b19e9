from django.apps import AppConfig


class RebootSiteConfig(AppConfig):
    name = "reboot_site"
    verbose_name = "Dashboard"

    def ready(self) -> None:
        from django.conf import settings

        from reboot_site import checks, crashes  # noqa: F401  # registers the checks

        crashes.start(settings.SENTRY_DSN)
