"""Puts our administration in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """The administration with our login and start page."""

    default_site = "reboot_site.adminsite.StaffSite"
