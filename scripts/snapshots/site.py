"""The product in this process, with settings that do not depend on the machine.

Nothing here or in its neighbors imports a module of the product: models are found by
their labels and pages by their addresses, so that the same scripts run on the code
before and after its modules move.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "dashboard.example"
PASSWORD = "a password of the snapshot"  # noqa: S105  # of invented users
COACH, LIMITED, STAFF, SUPERUSER = "coach", "limited", "staff", "superuser"
USERS = (COACH, LIMITED, STAFF, SUPERUSER)
TEAM = "Varsity"

SETTINGS = {
    "SECRET_KEY": "key-of-the-snapshot-" + "0123456789" * 4,
    "ALLOWED_HOSTS": HOST,
    "DEBUG": "0",
    "HTTPS": "0",
    "LOG_LEVEL": "CRITICAL",
    "FACILITY_NAME": "Snapshot Baseball",
    "FACILITY_TIME_ZONE": "America/Chicago",
    "METRICS_TOKEN": "metrics-of-the-snapshot",
    # The clock stands still, so all calls fall into one minute.
    "API_TOKEN_CALLS_PER_MINUTE": "1000000",
    # One request after the other gives rows the same ids in each database.
    "SYNC_MAX_REQUESTS": "1",
    "SYNC_PROCESSES": "0",
    "REBOOT_BASE_URL": "http://127.0.0.1:9",
    "REBOOT_USERNAME": "demo-user",
    "REBOOT_PASSWORD": "demo-password",
}


def start_django(data: Path, **given: str) -> None:
    """Set Django up on the database in the folder `data`.

    Every variable that `.env.example` names is set, so that neither the environment
    nor a file `.env` has a say.
    """
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name in re.findall(r"^([A-Z_]+)=", example, re.MULTILINE):
        os.environ[name] = ""
        os.environ.pop(f"{name}_FILE", None)
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    os.environ |= SETTINGS | {"VAR_DIR": str(data)} | given
    os.environ["DJANGO_SETTINGS_MODULE"] = "reboot_site.settings"
    from django.conf import settings

    # No collected files are needed, and names of static files have no hash.
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    import django

    django.setup()
    # Wrong passwords and missing pages are asked for on purpose; crashes are told.
    logging.disable(logging.WARNING)


def model(label: str) -> Any:
    """The model of a label such as "athletes.Player"."""
    from django.apps import apps

    return apps.get_model(label)


def rows(label: str) -> Any:
    """All rows of a model, hidden ones too, in the order of their ids."""
    return model(label)._base_manager.order_by("pk")


def client_of(username: str) -> Any:
    """A browser in which this user is logged in; "" for nobody."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME=HOST, raise_request_exception=False)
    if username:
        user = get_user_model()._base_manager.get(username=username)
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client
