"""Values to store, made from the vendor's objects.

A value that cannot be read becomes None and is named in ``problems``; a value that is
absent becomes None and is not. Nothing is guessed, clipped or defaulted. Whoever has a
stored value keeps it where the new one has a problem (``readable``).
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from syncing import clock
from syncing.client.types import RebootPlayer, RebootSession

HITTING_SLUG = "baseball-hitting"

#: What a session's ``status`` says when nothing more will come (case is folded).
DONE_STATUSES = frozenset({"processed", "complete", "completed"})

HEIGHT_FT = (2.0, 8.5)
WEIGHT_LBS = (25.0, 600.0)
EARLIEST_BIRTH_YEAR = 1900

#: Our fields in words, for who is told of a value that cannot be read.
FIELD_WORDS = {
    "first_name": "first name",
    "last_name": "last name",
    "date_of_birth": "date of birth",
    "height_ft": "height",
    "weight_lbs": "weight",
    "dominant_hand_hitting": "bats",
    "dominant_hand_throwing": "throws",
    "session_date": "session date",
    "session_num": "session number",
    "session_type_name": "session type",
    "mocap_type_name": "capture system",
    "vendor_status": "status",
    "vendor_updated_at": "time of the last change",
}

_ABSENT = frozenset({"", "n/a", "na", "nan", "none", "null", "-"})

_HANDS = {
    "right": ("rha", "r", "right", "rh", "right-handed"),
    "left": ("lha", "l", "left", "lh", "left-handed"),
    "switch": ("sha", "s", "switch", "sh", "b", "both", "switch-handed"),
}
_HAND_OF = {word: hand for hand, words in _HANDS.items() for word in words}

_NUMBER = re.compile(r"[+-]?\d{1,6}(?:\.\d{1,12})?", re.ASCII)
_FEET_UNIT = re.compile(r"(\d{1,2}(?:\.\d{1,12})?)\s*(?:ft|feet|foot|')", re.ASCII)
_POUNDS_UNIT = re.compile(r"(\d{1,4}(?:\.\d{1,12})?)\s*(?:lbs?|pounds?)\.?", re.ASCII)
# "5 11", "5-11", 5'11", 5' 11", "5 ft 11 in", "5ft11": two whole numbers with nothing
# between them that could be a decimal mark.
_FEET_AND_INCHES = re.compile(
    r"(\d)\s*(?:\s|-|ft\.?|feet|foot|')\s*(\d{1,2}(?:\.\d{1,2})?)"
    r"\s*(?:in\.?|inches|inch|''|\")?",
    re.ASCII,
)
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:$|[T ])", re.ASCII)


@dataclass(frozen=True)
class Problem:
    """A value that cannot be used: our field, why, and the text as it came."""

    name: str
    code: str
    text: str = field(repr=False)

    def as_json(self) -> dict[str, str]:
        """Return the problem as it is stored."""
        return {"field": self.name, "code": self.code, "text": self.text}


@dataclass(frozen=True)
class Mapped:
    """Values by our fields' names, and what could not be read."""

    fields: dict[str, Any]
    problems: tuple[Problem, ...] = ()

    @property
    def readable(self) -> dict[str, Any]:
        """The values without those that have a problem."""
        bad = {problem.name for problem in self.problems}
        return {name: v for name, v in self.fields.items() if name not in bad}


class HoldsSwings(StrEnum):
    """Whether a session holds swings, as far as its own answer tells."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def map_player(player: RebootPlayer, *, today: date | None = None) -> Mapped:
    """Return the values of one athlete.

    The vendor's attributes are texts under keys; some answers carry them flat and
    mostly empty, so those are only looked at where the attribute is absent.
    """
    problems: list[Problem] = []

    def attribute(key: str, flat: str) -> str | None:
        for value in (player.attributes.get(key), player.raw.get(flat)):
            text = _present(value)
            if text is not None:
                return text
        return None

    def hand(key: str, name: str) -> str | None:
        text = attribute(key, name)
        if text is None:
            return None
        found = _HAND_OF.get(text.casefold().replace(" ", "-"))
        if found is None:
            problems.append(Problem(name, "unreadable", text))
        return found

    height_ft = weight_lbs = None
    text = attribute("height_ft", "height_ft")
    if text is not None:
        height_ft, problem = read_height_ft(text)
        problems += [Problem("height_ft", problem, text)] if problem else []
    text = attribute("weight_lbs", "weight_lbs")
    if text is not None:
        weight_lbs, problem = read_weight_lbs(text)
        problems += [Problem("weight_lbs", problem, text)] if problem else []

    date_of_birth = None
    text = _present(player.date_of_birth_text)
    if text is not None:
        date_of_birth = read_day(text)
        latest = today or clock.now().date()
        if date_of_birth is None:
            problems.append(Problem("date_of_birth", "unreadable", text))
        elif not (
            date_of_birth.year >= EARLIEST_BIRTH_YEAR and date_of_birth <= latest
        ):
            date_of_birth = None
            problems.append(Problem("date_of_birth", "implausible", text))

    fields = {
        "org_player_id": player.org_player_id,
        "reboot_player_id": player.id or "",
        "first_name": _fit(player.first_name, 200, "first_name", problems),
        "last_name": _fit(player.last_name, 200, "last_name", problems),
        "date_of_birth": date_of_birth,
        "height_ft": height_ft,
        "weight_lbs": weight_lbs,
        "dominant_hand_hitting": hand("dom_hand_hitting", "dominant_hand_hitting"),
        "dominant_hand_throwing": hand("dom_hand_throwing", "dominant_hand_throwing"),
        "vendor_updated_at": _moment(player.updated_at, problems),
    }
    return Mapped(fields, tuple(problems))


def map_session(session: RebootSession) -> Mapped:
    """Return the values of one session, equal for all who took part.

    The movement type is the service's to set: the list hardly ever tells it.
    """
    problems: list[Problem] = []
    session_date = None
    text = _present(session.session_date)
    if text is not None:
        session_date = read_day(text)
        if session_date is None:
            problems.append(Problem("session_date", "unreadable", text))
    fields = {
        "session_id": session.id,
        "session_date": session_date,
        "session_num": _fit(session.session_num, 50, "session_num", problems),
        "session_type_name": _fit(
            session.session_type, 100, "session_type_name", problems
        ),
        "mocap_type_name": _fit(session.mocap_type, 100, "mocap_type_name", problems),
        "vendor_status": _fit(session.status, 50, "vendor_status", problems).casefold(),
        "vendor_updated_at": _moment(session.updated_at, problems),
    }
    return Mapped(fields, tuple(problems))


def holds_swings(session: RebootSession) -> HoldsSwings:
    """Return whether a session holds swings, as far as its own answer tells.

    ``total_movements`` decides; ``movement_type`` is mostly empty and only believed
    when it names something. An unknown is settled by asking for an export.
    """
    counts = {_slug(slug): n for slug, n in (session.total_movements or {}).items()}
    if counts.get(HITTING_SLUG, 0) > 0:
        return HoldsSwings.YES
    if any(count > 0 for count in counts.values()):
        return HoldsSwings.NO if is_done(session) else HoldsSwings.UNKNOWN
    if session.movement_type:
        same = _slug(session.movement_type) == HITTING_SLUG
        return HoldsSwings.YES if same else HoldsSwings.NO
    # All counts zero, or none given: a session still being made says that too.
    if counts and is_done(session):
        return HoldsSwings.NO
    return HoldsSwings.UNKNOWN


def is_done(session: RebootSession) -> bool:
    """Whether the vendor says that processing has ended."""
    return (session.status or "").strip().casefold() in DONE_STATUSES


def read_height_ft(text: str) -> tuple[float | None, str | None]:
    """Return decimal feet from text, with the problem when there is one.

    The vendor writes decimal feet (``"6.000"``). Two numbers such as ``5 11`` can only
    be feet and inches. ``511``, ``71`` or ``180`` could be several things: None.
    """
    text = text.strip().casefold().replace("’", "'").replace("″", '"')
    text = text.replace("′", "'").replace("”", '"')
    plain = _NUMBER.fullmatch(text) or _FEET_UNIT.fullmatch(text)
    pair = _FEET_AND_INCHES.fullmatch(text)
    if plain is not None:
        height = float(plain.group(plain.re.groups))
    elif pair is not None and float(pair.group(2)) < 12.0:
        height = int(pair.group(1)) + float(pair.group(2)) / 12.0
    else:
        return None, "unreadable"
    if HEIGHT_FT[0] <= height <= HEIGHT_FT[1]:
        return height, None
    return None, "implausible"


def read_weight_lbs(text: str) -> tuple[float | None, str | None]:
    """Return pounds from text, with the problem when there is one."""
    text = text.strip().casefold()
    match = _NUMBER.fullmatch(text) or _POUNDS_UNIT.fullmatch(text)
    if match is None:
        return None, "unreadable"
    weight = float(match.group(match.re.groups))
    if WEIGHT_LBS[0] <= weight <= WEIGHT_LBS[1]:
        return weight, None
    return None, "implausible"


def read_day(text: str) -> date | None:
    """Return the day as it is written, with or without a time; never shifted."""
    match = _ISO_DAY.match(text.strip())
    if match is None:
        return None
    try:
        return date(int(match.group(1)), int(match.group(2)), int(match.group(3)))
    except ValueError:
        return None


def read_moment(text: str | None) -> datetime | None:
    """Return an ISO time as an aware datetime; without a zone it is taken as UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def _present(value: object) -> str | None:
    """Return a value as text; None when it is absent."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return json.dumps(value)
    text = str(value).strip()
    return None if text.casefold() in _ABSENT else text


def _fit(text: str | None, length: int, name: str, problems: list[Problem]) -> str:
    """Return text as its column can hold it; what had to be cut ends in "…"."""
    text = (text or "").strip()
    if len(text) <= length:
        return text
    problems.append(Problem(name, "too_long", text))
    return text[: length - 1].rstrip() + "…"


def _moment(text: str | None, problems: list[Problem]) -> datetime | None:
    moment = read_moment(text)
    if moment is None and (bad := _present(text)) is not None:
        problems.append(Problem("vendor_updated_at", "unreadable", bad))
    return moment


def _slug(text: str) -> str:
    return re.sub(r"[\s_]+", "-", text.strip().casefold())
