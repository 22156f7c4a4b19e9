"""What keeps data from being stored, told apart by what somebody has to do about it.

Libraries report all of it as the same few errors, with a code of the database or of the
operating system somewhere inside.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import Error, InterfaceError, OperationalError


@dataclass(frozen=True)
class Outage:
    """One kind of outage: its code, what happened, and what to do."""

    code: str
    message: str
    hint: str
    #: Whether it may be over in a moment, without anybody's doing.
    is_passing: bool


DISK_FULL = Outage(
    "disk_full",
    "The disk is full, on this server or the database's.",
    "Free up space, then start again; everything stored before is kept.",
    is_passing=False,
)
DATABASE_AWAY = Outage(
    "database_away",
    "The database isn't responding.",
    "Check that it is running, and DATABASE_URL; everything stored before is kept.",
    is_passing=True,
)
DATABASE_LOCKED = Outage(
    "database_locked",
    "Another program keeps the database locked.",
    "Stop anything else writing to it (a shell, a copy, another sync), then start "
    "again.",
    is_passing=True,
)
OUTAGES = (DISK_FULL, DATABASE_AWAY, DATABASE_LOCKED)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
#: PostgreSQL's classes 08 (connection), 57P (shutdown) and 53 (resources) are away;
#: its code of a full disk is one of the last.
_STATE_FULL = "53100"
_STATES_AWAY = ("08", "57P", "53")
_STATE_LOCKED = "55P03"
#: Low byte of SQLite's result codes; a file that may not grow is a failed write.
_SQLITE = {
    sqlite3.SQLITE_BUSY: DATABASE_LOCKED,
    sqlite3.SQLITE_LOCKED: DATABASE_LOCKED,
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_CANTOPEN: DATABASE_AWAY,
}
_SQLITE_FULL = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC}


def outage_of(error: BaseException | None) -> Outage | None:
    """Return what an error says about disk or database; None for any other error."""
    for found in _chain(error):
        if isinstance(found, OSError) and found.errno in _FULL:
            return DISK_FULL
        if isinstance(found, sqlite3.Error):
            code = getattr(found, "sqlite_errorcode", None)
            if code in _SQLITE_FULL:
                return DISK_FULL
            if code is not None and (outage := _SQLITE.get(code & 0xFF)):
                return outage
        state = getattr(found, "sqlstate", None)
        if isinstance(state, str):
            if state == _STATE_FULL:
                return DISK_FULL
            if state == _STATE_LOCKED:
                return DATABASE_LOCKED
            if state.startswith(_STATES_AWAY):
                return DATABASE_AWAY
        elif _has_no_connection(found):
            return DATABASE_AWAY
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, the innermost last."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _has_no_connection(error: BaseException) -> bool:
    """Whether PostgreSQL could not be asked at all: there is no code of it then."""
    cause = error.__cause__
    if isinstance(error, InterfaceError):
        # The driver's word for wrong use of it too, as of a cursor that is closed.
        if "connection" not in str(error):
            return False
    elif not isinstance(error, OperationalError):
        return False
    return not isinstance(cause, sqlite3.Error) and (
        getattr(cause, "sqlstate", None) is None
    )


def passing_outage(error: Error) -> Outage | None:
    """Return an outage of the database that may be over in a moment, or None."""
    outage = outage_of(error)
    return outage if outage is not None and outage.is_passing else None
