"""What an upload would store where, and what a person should look at before it does."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import date_format

from athletes.access import Viewer, visible_sessions
from athletes.analysis.same_frames import same_frames
from athletes.identity.name_similarity import identity_of, likeness
from athletes.models import BiomechanicsData, Movement, Player, Session
from syncing.choices import ExportType
from syncing.filenames import read_file_name
from syncing.ids import one_spelling

#: Markerless capture of swings is younger.
_FIRST_DAY = dt.date(2010, 1, 1)
#: Athletes of a facility are at least so old.
_YOUNGEST_YEARS = 3
_OLDEST_YEARS = 100
#: Words that are typed to try a form.
_NOT_NAMES = {"test", "athlete", "player", "unknown", "new", "name", "none", "x", "xx"}
_PLAIN_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.\- ])*")


@dataclass(frozen=True)
class Elsewhere:
    """A session that has some of the same frames already.

    ``session`` is None where it may not be seen by who asks.
    """

    session: Session | None
    movements: int


@dataclass(frozen=True)
class KindPreview:
    """What the files of one kind bring into a session, as counts of movements."""

    kind: str
    movements: int
    new: int
    changed: int
    same: int


@dataclass
class Preview:
    """What would be stored, and what is odd about it; ``warnings`` want a tick."""

    kinds: list[KindPreview]
    elsewhere: list[Elsewhere] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def changes_nothing(self) -> bool:
        """Whether all of it is stored in this session already."""
        return all(kind.same == kind.movements for kind in self.kinds)


def preview(
    files: Sequence[Mapping[str, Any]],
    *,
    session: Session | None,
    date: dt.date | None,
    today: dt.date,
    viewer: Viewer,
) -> Preview:
    """Return what storing files would do.

    Parameters
    ----------
    files
        What they hold, as `syncing.imports.summary` says it.
    session
        The athlete's part of the session, if it is stored already.
    date
        The day of the session as it will be.
    viewer
        Who asks: sessions that they may not see are not named.
    """
    found = Preview(kinds=_kinds(files, session))
    hashes = [one["sha256"] for file in files for one in file["movements"]]
    found.elsewhere = elsewhere(
        [sha256 for sha256 in hashes if sha256],
        session_pk=None if session is None else session.pk,
        viewer=viewer,
    )
    for place in found.elsewhere:
        found.warnings.append(words_for(place))
    found.warnings += date_warnings(date, today)
    told = {
        one.date for one in (read_file_name(file["name"]) for file in files) if one.date
    }
    if date is not None and told and told != {date}:
        days = " and ".join(_day(day) for day in sorted(told))
        found.warnings.append(
            f"The file names say {days}, but the session is from {_day(date)}."
        )
    return found


def elsewhere(
    hashes: Collection[str], *, session_pk: int | None, viewer: Viewer | None
) -> list[Elsewhere]:
    """Return the other sessions that hold the same frames, those with most first.

    ``viewer`` None sees everything: a command on the server.
    """
    movements: dict[int, set[int]] = {}
    for places in same_frames(hashes).values():
        for place in places:
            if place.session_id != session_pk:
                movements.setdefault(place.session_id, set()).add(place.movement_id)
    sessions = Session.objects.all() if viewer is None else visible_sessions(viewer)
    seen = sessions.select_related("player").in_bulk(list(movements))
    hidden = movements.keys() - seen.keys()
    found = [Elsewhere(session, len(movements[pk])) for pk, session in seen.items()]
    found.sort(key=lambda place: -place.movements)
    if hidden:
        found.append(Elsewhere(None, sum(len(movements[pk]) for pk in hidden)))
    return found


def words_for(place: Elsewhere) -> str:
    """Say where the same frames are stored already."""
    swings = "1 recording" if place.movements == 1 else f"{place.movements} recordings"
    if place.session is None:
        return f"{swings} of these files are already stored elsewhere."
    session = place.session
    day = "undated" if session.session_date is None else _day(session.session_date)
    return (
        f"{swings} of these files are already stored: {session.player.full_name} · "
        f"{day}. If you store them here too, the same swings count twice."
    )


def _day(date: dt.date) -> str:
    return date_format(date, "M j, Y")


def date_warnings(date: dt.date | None, today: dt.date) -> list[str]:
    """Return what is odd about the day of a session."""
    if date is None:
        return ["The session will have no date: lists show it last."]
    if date > today:
        return [f"The date {_day(date)} is in the future."]
    if date < _FIRST_DAY:
        return [f"The date {_day(date)} is long ago."]
    return []


def name_warnings(
    first_name: str,
    last_name: str,
    born: dt.date | None,
    *,
    today: dt.date,
    among: Iterable[Player],
) -> list[str]:
    """Return what is odd about a new athlete's name and birth date.

    ``among`` are athletes whom the new one may be.
    """
    said = []
    for name in (first_name, last_name):
        plain = name.strip()
        if (
            not _PLAIN_NAME.fullmatch(plain)
            or len(plain) < 2
            or plain.casefold() in _NOT_NAMES
            or len({*plain.casefold()}) == 1
        ):
            said.append(f"“{plain}” does not look like a name.")
    if first_name.strip().casefold() == last_name.strip().casefold():
        said.append("First and last name are the same.")
    if born is not None:
        years = (today - born).days / 365.25
        if not _YOUNGEST_YEARS <= years <= _OLDEST_YEARS:
            said.append(f"The birth date {_day(born)} can't be a hitter's.")
    new = identity_of(0, first_name, last_name, born)
    for player in among:
        other = identity_of(
            player.pk, player.first_name, player.last_name, player.date_of_birth
        )
        if likeness(new, other) is not None:
            year = f", born {player.date_of_birth.year}" if player.date_of_birth else ""
            said.append(
                f"{player.full_name}{year} is already stored: the same athlete?"
            )
    return said


def _kinds(
    files: Sequence[Mapping[str, Any]], session: Session | None
) -> list[KindPreview]:
    """Hold what files say against what is stored in the session."""
    stored: dict[tuple[str, str], str] = {}
    known: dict[str, Movement] = {}
    if session is not None:
        movements = Movement.objects.of_part(session.pk).only(
            "org_movement_id", "name_at_vendor", "metadata", "vendor_metrics"
        )
        known = {item.vendor_name: item for item in movements}
        names = {item.pk: name for name, item in known.items()}
        for pk, kind, sha256 in BiomechanicsData.objects.filter(
            movement__in=names
        ).values_list("movement", "data_type", "content_sha256"):
            stored[kind, names[pk]] = sha256
    counts: dict[str, Counter[str]] = {}
    for file in files:
        kind = file["kind"]
        count = counts.setdefault(kind, Counter())
        spelled = one_spelling([one["name"] for one in file["movements"]], known)
        for one in file["movements"]:
            # A file of the one movement names none.
            name = spelled[one["name"]] or (
                next(iter(known)) if len(known) == 1 else ""
            )
            count["movements"] += 1
            count[_state(kind, name, one["sha256"], stored, known)] += 1
    return [
        KindPreview(
            str(ExportType(kind).label),
            count["movements"],
            count["new"],
            count["changed"],
            count["same"],
        )
        for kind, count in counts.items()
    ]


def _state(
    kind: str,
    name: str,
    sha256: str,
    stored: Mapping[tuple[str, str], str],
    known: Mapping[str, Movement],
) -> str:
    """Say whether one movement of a file is new, changed or the same."""
    if sha256:
        before = stored.get((kind, name))
        return "new" if before is None else "same" if before == sha256 else "changed"
    movement = known.get(name)
    field = "metadata" if kind == ExportType.METADATA else "vendor_metrics"
    return "changed" if movement is not None and getattr(movement, field) else "new"
