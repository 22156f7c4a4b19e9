"""How a start ends that cannot succeed: in one line that says what to do."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from reboot_site.logs import redact

#: What a program ends with that did not begin: a setting has to be corrected first.
EXIT_STATUS = 2


@contextmanager
def refusing_wrong_settings(
    *, status: int = EXIT_STATUS, before: Callable[[str], None] = lambda message: None
) -> Iterator[None]:
    """End this process in one line, without a traceback, where a setting is wrong.

    It is for whoever starts the process to mend, and not a fault of the program. What
    is to happen `before` gets the message.
    """
    try:
        yield
    except ImproperlyConfigured as error:
        message = f"A setting is wrong: {error}"
    except Exception as error:
        message = database_trouble(error)
        if not message or "--traceback" in sys.argv:
            raise
    else:
        return
    message = " ".join(message.split())
    before(message)
    sys.stderr.write(f"{message}\n")
    sys.exit(status)


def database_trouble(error: Exception) -> str:
    """Return what to do about a database, or a disk, that cannot be used.

    Empty for any other error.
    """
    from django.db import Error

    from syncing.outages import outage_of

    if isinstance(error, OSError):
        full = outage_of(error)
        return f"{full.message} {full.hint}" if full else ""
    if not isinstance(error, Error):
        return ""
    state = getattr(error.__cause__, "sqlstate", None)
    name = getattr(error.__cause__, "sqlite_errorname", "")
    text = redact(str(error).strip().partition("\n")[0])
    # 42P01 and 42703: no such table, no such column.
    if state in {"42P01", "42703"} or text.startswith(("no such table", "no such col")):
        return (
            f"The database is missing tables of this version ({text}): run python "
            "manage.py "
            "migrate, then start again."
        )
    if outage := outage_of(error):
        return f"{outage.message.removesuffix('.')} ({text}). {outage.hint}"
    if name.startswith(("SQLITE_READONLY", "SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return (
            f"The database cannot be used ({text}). Check the file named in "
            "DATABASE_URL, and that this account can write to it."
        )
    return ""


def refuse_without_tables() -> None:
    """Refuse to work on a database that lacks tables of this version.

    Raises `ImproperlyConfigured`. Names of migrations are read from the disk: loading
    them all would keep memory, in a process that asks for them once.
    """
    from django.apps import apps
    from django.conf import settings
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    applied = set(MigrationRecorder(connection).applied_migrations())
    missing = {
        (app.label, file.stem)
        for app in apps.get_app_configs()
        if Path(app.path).parent == settings.BASE_DIR
        for file in Path(app.path, "migrations").glob("[0-9]*.py")
    } - applied
    if missing:
        raise ImproperlyConfigured(
            f"The database in DATABASE_URL is missing {len(missing)} migrations of "
            "this version: run python manage.py migrate, then start again."
        )


def make_folder(folder: Path, *, setting: str) -> None:
    """Make a folder of the product where there is none.

    Raises `ImproperlyConfigured`, naming the setting, when that is not allowed, or when
    nothing may be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except ValueError:
        reason = "its name contains a NUL character"
    if reason:
        raise ImproperlyConfigured(
            f"{setting}: {folder} cannot be written ({reason}). Give the folder to the "
            "account that runs the product, or name another one."
        )


def address(host: str, port: int) -> str:
    """Return host and port in one text, with the brackets that IPv6 needs."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_port(host: str, port: int) -> None:
    """Check that a server could listen there.

    Raises `ImproperlyConfigured`, naming PORT or BIND_HOST, when it could not.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, where = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except PermissionError as error:
        raise ImproperlyConfigured(
            f"PORT {port} needs rights this account doesn't have. Set PORT to 8000, "
            "for example, and put a proxy in front for the other one."
        ) from error
    except socket.gaierror as error:
        raise ImproperlyConfigured(
            f"BIND_HOST {host!r} isn't an address of this machine. Set it to 127.0.0.1 "
            "for this machine alone, or to 0.0.0.0 or :: for all addresses."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ImproperlyConfigured(
                f"PORT {port} is in use by another program. Stop that program, or set "
                "a different port, such as "
                f"PORT={port + 10 if port < 65000 else 8000}."
            ) from error
        raise ImproperlyConfigured(
            f"BIND_HOST {host!r} isn't an address of this machine ({error.strerror}). "
            "Set "
            "it to 127.0.0.1 for this machine alone, or to 0.0.0.0 or :: for all "
            "addresses."
        ) from error
