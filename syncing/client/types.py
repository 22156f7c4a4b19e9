"""The vendor's objects as frozen dataclasses, and how they are read from JSON.

What we use is read strictly: a missing id is an error that names endpoint and field.
What we do not use stays in ``raw``. Personal fields are kept out of every ``repr``, so
that an object in a log line or a traceback names nobody.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from syncing.client.errors import UnexpectedShapeError
from syncing.ids import id_text

Json = dict[str, Any]

#: As long as an id may be; a longer one names nothing that could be found again.
LONGEST_ID = 200
LONGEST_SLUG = 100


@dataclass(frozen=True)
class RebootPlayer:
    """One athlete of the vendor's list."""

    org_player_id: str
    id: str | None
    first_name: str | None = field(repr=False)
    last_name: str | None = field(repr=False)
    date_of_birth_text: str | None = field(repr=False)
    attributes: Mapping[str, str] = field(repr=False)
    updated_at: str | None
    raw: Json = field(repr=False, compare=False)


@dataclass(frozen=True)
class RebootParticipant:
    """One athlete who took part in a session, as its detail names them."""

    org_player_id: str
    id: str | None
    raw: Json = field(repr=False, compare=False)


@dataclass(frozen=True)
class RebootSession:
    """A capture session; ``players`` is None where the answer does not say who."""

    id: str
    session_date: str | None
    session_num: str | None
    status: str | None
    session_type: str | None
    mocap_type: str | None
    movement_type: str | None
    total_movements: Mapping[str, int] | None
    num_movements: int | None
    num_players: int | None
    updated_at: str | None
    players: tuple[RebootParticipant, ...] | None
    #: Participants without an ``org_player_id``: nothing can be asked for them.
    unreadable_players: int
    raw: Json = field(repr=False, compare=False)


@dataclass(frozen=True)
class RebootMovementType:
    """A kind of movement, such as hitting, with its id at the vendor."""

    id: int
    slug: str
    name: str | None
    raw: Json = field(repr=False, compare=False)


ExportState = Literal["ready", "pending", "no_data"]
NoDataReason = Literal["nothing_found", "empty_list", "not_offered"]


@dataclass(frozen=True)
class ExportReply:
    """The answer to an export request.

    ``ready`` comes with links (presigned: used at once, never stored or logged),
    ``pending`` with a time to wait and perhaps a ``status_url``, ``no_data`` with the
    reason.
    """

    state: ExportState
    download_urls: tuple[str, ...] = field(default=(), repr=False)
    status_url: str | None = field(default=None, repr=False)
    retry_after_s: float | None = None
    reason: NoDataReason | None = None


@dataclass(frozen=True)
class Download:
    """Size and hash of a file that was downloaded."""

    size: int
    sha256: str


def parse_player(item: object, route: str) -> RebootPlayer:
    """Return an athlete from an entry of the list; raise when it has no id."""
    raw = _object(item, route)
    return RebootPlayer(
        org_player_id=_required_id(raw, "org_player_id", route),
        id=id_text(raw.get("id")),
        first_name=_text(raw, "first_name", route),
        last_name=_text(raw, "last_name", route),
        date_of_birth_text=_text(raw, "date_of_birth", route),
        attributes=_attributes(raw, route),
        updated_at=_text(raw, "updated_at", route),
        raw=raw,
    )


def parse_session(item: object, route: str) -> RebootSession:
    """Return a session from its JSON; raise when it has no id."""
    raw = _object(item, route)
    players, unreadable = _participants(raw, route)
    return RebootSession(
        id=_required_id(raw, "id", route),
        session_date=_text(raw, "session_date", route),
        session_num=_text(raw, "session_num", route),
        status=_text(raw, "status", route),
        session_type=_slug(raw.get("session_type")),
        mocap_type=_slug(raw.get("mocap_type")),
        movement_type=_slug(raw.get("movement_type")),
        total_movements=_counts(raw.get("total_movements")),
        num_movements=_whole(raw.get("num_movements")),
        num_players=_whole(raw.get("num_players")),
        updated_at=_text(raw, "updated_at", route),
        players=players,
        unreadable_players=unreadable,
        raw=raw,
    )


def parse_movement_type(item: object, route: str) -> RebootMovementType:
    """Return a kind of movement from its JSON; raise when it has no id or slug."""
    raw = _object(item, route)
    return RebootMovementType(
        id=_required_whole(raw, "id", route),
        slug=_required_slug(raw, route),
        name=_text(raw, "name", route),
        raw=raw,
    )


def _object(item: object, route: str) -> Json:
    if isinstance(item, dict):
        return item
    raise UnexpectedShapeError(
        f"{route}: an entry is not an object. Reboot Motion's answer has changed or is "
        "damaged; this entry was not used."
    )


def _shape(route: str, name: str, what: str) -> UnexpectedShapeError:
    return UnexpectedShapeError(
        f'{route}: field "{name}" {what}. '
        "Reboot Motion's answer has changed or is damaged; this entry was not used.",
        fields=(name,),
    )


def _text(raw: Json, name: str, route: str) -> str | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _shape(route, name, "is neither text nor a number")
    return str(value)


def _required_id(raw: Json, name: str, route: str) -> str:
    value = id_text(raw.get(name))
    if value is None:
        raise _shape(route, name, "is missing or empty")
    if len(value) > LONGEST_ID:
        raise _shape(route, name, f"is longer than {LONGEST_ID} characters")
    return value


def _required_slug(raw: Json, route: str) -> str:
    value = raw.get("slug")
    if not isinstance(value, str) or not value.strip():
        raise _shape(route, "slug", "is missing or empty")
    if len(value.strip()) > LONGEST_SLUG:
        raise _shape(route, "slug", f"is longer than {LONGEST_SLUG} characters")
    return value.strip()


def _whole(value: object) -> int | None:
    """Return a count or an id from a number or digits; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) < 19 and value.strip().isdecimal():
        return int(value)
    return None


def _required_whole(raw: Json, name: str, route: str) -> int:
    value = _whole(raw.get(name))
    if value is None:
        raise _shape(route, name, "is missing or not a whole number")
    return value


def _slug(value: object) -> str | None:
    """Return the slug of ``{id, name, slug}``; some answers hold bare text or an id."""
    if isinstance(value, dict):
        for name in ("slug", "name"):
            inner = value.get(name)
            if isinstance(inner, str) and inner.strip():
                return inner.strip()
        return None
    if isinstance(value, str) and value.strip():
        return value.strip()
    return None


def _counts(value: object) -> Mapping[str, int] | None:
    if not isinstance(value, dict):
        return None
    counts = {str(slug): _whole(count) for slug, count in value.items()}
    return {slug: count for slug, count in counts.items() if count is not None}


def _attributes(raw: Json, route: str) -> Mapping[str, str]:
    value = raw.get("attributes")
    if value is None:
        return {}
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [
            (entry["key"], entry.get("value"))
            for entry in value
            if isinstance(entry, dict) and isinstance(entry.get("key"), str)
        ]
    else:
        raise _shape(route, "attributes", "is neither a list nor an object")
    return {
        str(key): str(inner)
        if isinstance(inner, str | int | float) and not isinstance(inner, bool)
        # Nobody can read it, and it is told.
        else json.dumps(inner)
        for key, inner in pairs
        if inner is not None
    }


def _participants(
    raw: Json, route: str
) -> tuple[tuple[RebootParticipant, ...] | None, int]:
    value = raw.get("players")
    if value is None:
        return None, 0
    if not isinstance(value, list):
        raise _shape(route, "players", "is not a list")
    found: dict[str, RebootParticipant] = {}
    unreadable = 0
    for entry in value:
        try:
            inner = _object(entry, route)
            org_player_id = _required_id(inner, "org_player_id", route)
            player = RebootParticipant(org_player_id, id_text(inner.get("id")), inner)
        except UnexpectedShapeError:
            unreadable += 1
        else:
            found.setdefault(org_player_id, player)
    return tuple(found.values()), unreadable
