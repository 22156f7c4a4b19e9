"""What the vendor's name of an export file says: whose it is, of which session.

The dashboard gives ``YYYYMMDD_session_{number}_{mocap}_{org_player_id}_{movement}_{data
type}.csv``. On its way browsers, clouds and mail programs add to a name ("Copy of …",
"… (1)", "…__1_", a time in front) and change its case, its hyphens or its ending; so
the parts are looked for inside the name, not at fixed places.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

# What may stand between the parts once a name was passed on.
_GAP = r"[_+ \-]+"
_START = re.compile(
    rf"(?<!\d)(?P<year>\d{{4}})[-_]?(?P<month>\d{{2}})[-_]?(?P<day>\d{{2}}){_GAP}"
    rf"session{_GAP}"
    rf"(?P<number>[^_+ \-]+)(?:{_GAP}|$)"
)
_TYPES = (
    r"(?:inverse[_+ \-]kinematics|momentum[_+ \-]energy|metadata|metrics|ik|me"
    r"|(?:hitting|pitching)[_+ \-][a-z_+ \-]*metrics"
    r"|ik[_+ \-]at[_+ \-]time[_+ \-]points)"
)
# Every movement of the vendor is one or more words; sport and action for hitters.
_MOVEMENT = r"(?:(?:baseball|softball|cricket)[_+ \-][a-z]+|[a-z]+(?:-[a-z]+)*)"
_OF_PLAYER = re.compile(
    rf"[^_+ ]+[_+ ]+(?P<player>.+?)[_+ ]+{_MOVEMENT}[_+ ]+{_TYPES}(?![a-z])"
)
#: The same with a data type that we do not know.
_OF_PLAYER_LOOSELY = re.compile(
    r"[^_+ ]+[_+ ]+(?P<player>.+)[_+ ]+[a-z]+(?:-[a-z]+)+[_+ ]+[a-z]+(?:-[a-z]+)*"
    r"(?![a-z])"
)
_ENDINGS = re.compile(
    r"(?:\.(?:csv|gz|parquet|zip|txt|xlsx?|download|crdownload|part|tmp))+$"
)
_DASHES = re.compile("[\u2010-\u2015\u2212]")
#: Ids of fewer signs may stand in a name by chance.
_LONG_ID = 16


@dataclass(frozen=True)
class FileName:
    """What a file's name says; empty or None where it says nothing.

    ``player`` is the vendor's id of the athlete in small letters, as far as the name
    kept its spelling.
    """

    date: dt.date | None = None
    number: str = ""
    player: str = ""


def read_file_name(name: str) -> FileName:
    """Return what the vendor's name of a file says, whatever was added to it."""
    text = _plain(name)
    found = _read(text)
    if found.player:
        return found
    # Perhaps dots stand between the parts. They may be of an id too, or of an ending.
    dotted = _read(_ENDINGS.sub("", text).replace(".", "_"))
    return dotted if dotted.player or found == FileName() else found


def _read(text: str) -> FileName:
    """Return what a name in small letters and plain signs says."""
    start = _START.search(text)
    if start is None:
        return FileName()
    rest = text[start.end() :]
    found = _OF_PLAYER.match(rest) or _OF_PLAYER_LOOSELY.match(rest)
    return FileName(
        date=_date(start),
        number=start["number"].partition(".")[0][:50],
        player="" if found is None else found["player"].strip("_+ "),
    )


def id_key(identifier: str) -> str:
    """Return an id as it is compared: without case, hyphens and the like."""
    return "".join(sign for sign in identifier.casefold() if sign.isalnum())


def id_in_name(name: str, keys: Collection[str]) -> str | None:
    """Return the key (`id_key`) of the athlete whom a file's name tells of.

    The athlete's place in the name decides, whoever stands there. Where nobody of
    ``keys`` stands there, and in names that have lost that place, the long ones of
    ``keys`` are looked for. None when the name tells of nobody.
    """
    player = read_file_name(name).player
    told = id_key(player)
    # The system that recorded may have a name of several words, which come before.
    words = re.split(r"[_+ ]+", player)
    for first in range(len(words)):
        key = id_key("".join(words[first:]))
        if key in keys:
            return key
    text = id_key(_plain(name))
    found = [key for key in keys if len(key) >= _LONG_ID and key in text]
    return max(found, key=len) if found else told or None


def dates_and_numbers(names: Iterable[str]) -> set[tuple[dt.date | None, str]]:
    """Return the sessions that some files' names tell of, each as date and number."""
    told = (read_file_name(name) for name in names)
    return {(each.date, each.number) for each in told if each.date or each.number}


def _plain(name: str) -> str:
    """Return a name without folders, in small letters and plain signs."""
    text = unicodedata.normalize("NFKC", unquote(name)).replace("\\", "/")
    text = PurePosixPath(text).name.casefold()
    return _DASHES.sub("-", text)


def _date(start: re.Match[str]) -> dt.date | None:
    try:
        return dt.date(int(start["year"]), int(start["month"]), int(start["day"]))
    except ValueError:
        return None
