"""Opaque texts that say where a program goes on in the order of changes."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

_LARGEST = 2**63 - 1


class CursorError(ValueError):
    """Raised when a text is no cursor, or one of another question."""


@dataclass(frozen=True)
class Cursor:
    """A place in the order, and what was asked.

    Signed by nobody: it gives no rights, and has to work after a change of keys.
    """

    #: Hash of path, filters and teams: a cursor fits one question.
    asked: str
    #: The last place that was told.
    place: int = 0
    #: Which order places are of: a restored database gives them again.
    epoch: str = ""
    #: Up to the place `until`, only what changed since then, in microseconds.
    since: int | None = None
    until: int = 0
    #: On the way through all athletes by name: the last one told.
    after: int | None = None

    def __str__(self) -> str:
        """The text that programs send back."""
        text = json.dumps(asdict(self), separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @property
    def since_time(self) -> dt.datetime | None:
        """The time of `since`."""
        if self.since is None:
            return None
        return _EPOCH + dt.timedelta(microseconds=self.since)


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def in_microseconds(when: dt.datetime) -> int:
    """The time as a whole number, as `Cursor.since` holds it."""
    return (when - _EPOCH) // dt.timedelta(microseconds=1)


def fingerprint(*asked: Any) -> str:
    """A short hash of what was asked."""
    text = json.dumps(asked, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_cursor(text: str, *, asked: str, last: int, epoch: str) -> Cursor:
    """The cursor of a text.

    Parameters
    ----------
    asked
        The fingerprint of the present question.
    last, epoch
        The last place that was given, and by which order.

    Raises
    ------
    CursorError
        With what to do, when it is no cursor, or was given for another question, or by
        a database that was put back to an older state.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        cursor = Cursor(**found)
        numbers = (cursor.place, cursor.until, cursor.since or 0, cursor.after or 0)
        is_sound = isinstance(cursor.asked, str) and all(
            type(number) is int and abs(number) <= _LARGEST for number in numbers
        )
        _ = cursor.since_time
    except (ValueError, TypeError, OverflowError, binascii.Error):
        is_sound = False
    if not is_sound:
        raise CursorError("use the value of `next`, unchanged")
    if cursor.asked != asked:
        raise CursorError(
            "it belongs to a different path, filters or teams; start over without it"
        )
    if cursor.epoch != epoch or max(cursor.place, cursor.until) > last:
        raise CursorError(
            "the data has since been restored to an older state; start over without it"
        )
    return cursor
