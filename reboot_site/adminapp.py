"""Puts our administration in the place of Django's."""

from axes.apps import AppConfig as AxesConfig
from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """The administration with our login and start page."""

    default_site = "reboot_site.adminsite.StaffSite"


class LoginsConfig(AxesConfig):  # type: ignore[misc]
    """django-axes under a heading that says what it keeps."""

    verbose_name = "Logins"
