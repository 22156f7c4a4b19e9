"""Reads DATABASE_URL, and says what to correct where it cannot mean a database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from reboot_site.startup import make_folder

_FORMS = "sqlite:///path or postgres://user:password@host:5432/name"
_SQLITE = "django.db.backends.sqlite3"
_POSTGRESQL = "django.db.backends.postgresql"


def database(url: str, *, base: Path, setting: str = "DATABASE_URL") -> dict[str, Any]:
    """Return Django's settings of the database that `url` names.

    Parameters
    ----------
    url
        One of the two forms; a relative path of a SQLite file is one below `base`.
    base
        The product's folder.
    setting
        The setting to name in messages: another one where `url` was made of it.

    Raises
    ------
    ImproperlyConfigured
        For any other form, and for a file that cannot be written. The message never
        holds the address, in which there may be a password.
    """
    try:
        parts = urlsplit(url)
        # Connections are kept: without, the queue does a fifth of the work.
        found: dict[str, Any] = dict(
            dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)
        )
    except (ValueError, dj_database_url.ParseError) as error:
        raise ImproperlyConfigured(_advice(url)) from error
    if found["ENGINE"] == _POSTGRESQL:
        # What follows an unwritten "#" or "/" of a password is lost without a word.
        if parts.fragment or not found["NAME"] or "/" in found["NAME"]:
            raise ImproperlyConfigured(_advice(url))
        found["ENGINE"] = "reboot_site.postgresql"
    elif found["ENGINE"] == _SQLITE:
        if parts.netloc or not parts.path.strip("/") or parts.query or parts.fragment:
            raise ImproperlyConfigured(
                f"{setting} does not name a file: write sqlite:///path with three "
                "slashes, or four where the path begins at the root, as in "
                "sqlite:////var/lib/dashboard/dashboard.sqlite3, and nothing after it."
            )
        path = base / found["NAME"]
        make_folder(path.parent, setting=setting)
        if path.is_dir() or (path.exists() and not os.access(path, os.R_OK | os.W_OK)):
            raise ImproperlyConfigured(
                f"{setting}: {path} is not a file this account can write. Give it to "
                "the account that runs the product, or name another one."
            )
        found["NAME"] = str(path)
    else:
        raise ImproperlyConfigured(_advice(url))
    return found


def _advice(url: str) -> str:
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme in {"postgres", "postgresql", "pgsql"}:
        return (
            "DATABASE_URL cannot be read: write "
            "postgres://user:password@host:5432/name, and in user and password %23 for "
            "#, %2F for /, %3A for :, %3F for ?, %40 for @, %5B for [ and %25 for %."
        )
    return f"DATABASE_URL must be {_FORMS}, and no other kind of database."
