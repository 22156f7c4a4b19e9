"""Puts our administration in the place of Django's, where anybody may see it."""

import importlib
import sys
from pathlib import Path

from axes.apps import AppConfig as AxesConfig
from django.contrib.admin.apps import SimpleAdminConfig

#: Django finds an admin.py by itself; these are the modules of packages.
_MODULES = (
    *("accounts.admin.audit", "accounts.admin.logins", "accounts.admin.teams"),
    *("accounts.admin.tokens", "accounts.admin.users"),
    *("athletes.admin.levels", "athletes.admin.movements", "athletes.admin.notes"),
    *("athletes.admin.players", "athletes.admin.sessions", "athletes.admin.uploads"),
)


def load() -> None:
    """Import all that registers itself with the administration, if it is not yet."""
    from django.contrib import admin

    admin.autodiscover()
    for module in _MODULES:
        importlib.import_module(module)


def _is_a_sync() -> bool:
    """Whether this is `manage.py sync`, which shows no page.

    The modules of the administration are a fifth of what it would load. Where it asks
    for the address of a page after all, the addresses load them.
    """
    return Path(sys.argv[0]).name == "manage.py" and sys.argv[1:2] == ["sync"]


class StaffAdminConfig(SimpleAdminConfig):
    """The administration with our login and start page."""

    default_site = "reboot_site.adminsite.StaffSite"

    def ready(self) -> None:
        """Load the administration when Django starts, but not for a sync."""
        super().ready()
        if not _is_a_sync():
            load()


class LoginsConfig(AxesConfig):  # type: ignore[misc]
    """django-axes under a heading that says what it keeps."""

    verbose_name = "Logins"
