"""Counts what is stored about one athlete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Sum
from django.db.models.functions import Length

from accounts.models import Action, AuditEntry, Team
from athletes.identity.session_parts import family
from athletes.models import (
    AthleteLevel,
    AthleteScatter,
    BiomechanicsData,
    EventCorrection,
    GapDismissal,
    Goal,
    InclusionDecision,
    Movement,
    MovementCurves,
    Note,
    PeerNumber,
    Player,
    SameRecording,
    Session,
    SessionMetric,
    SetAside,
    Tag,
)
from privacy import records
from privacy.models import Archive
from syncing.models import AnalysisJob, ExportJob, RawPayload, VendorSession

_ACCESSES_SHOWN = 50
#: What lets somebody see or carry away an athlete's data.
ACCESS_ACTIONS = (
    Action.DATA_EXPORTED,
    Action.SHEET_VIEWED,
    Action.SHARE_CREATED,
    Action.SHARE_OPENED,
    Action.SHARE_REVOKED,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """One kind of data: what it is, how much, and where it came from."""

    name: str
    what: str
    source: str
    count: int
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One time that somebody took or shared data of the athlete."""

    at: datetime
    actor: str
    action: str
    detail: str


@dataclass(frozen=True, slots=True)
class StoredPage:
    """Everything that the page "What is stored" shows."""

    stored: list[Stored]
    facts: list[str]
    first_at: datetime
    last_at: datetime
    total_bytes: int
    archives: list[Archive]
    accesses: list[Access]
    is_under_way: bool


VENDOR, COMPUTED, PEOPLE = "Reboot Motion's sync", "computed here", "people here"

#: Models that the page describes in words; others are counted by their table.
_TOLD = (
    Player,
    Session,
    Movement,
    BiomechanicsData,
    MovementCurves,
    SessionMetric,
    PeerNumber,
    AthleteScatter,
    Note,
    Goal,
    AthleteLevel,
    EventCorrection,
    GapDismissal,
    SameRecording,
    InclusionDecision,
    SetAside,
    ExportJob,
    AnalysisJob,
    Tag.players.through,
    Tag.sessions.through,
    Team.players.through,
)

_FACTS = {
    "first_name": "first name",
    "last_name": "last name",
    "date_of_birth": "date of birth",
    "height_ft": "height",
    "weight_lbs": "weight",
    "dominant_hand_hitting": "batting side",
    "dominant_hand_throwing": "throwing hand",
    "org_player_id": "organization ID",
    "reboot_player_id": "Reboot Motion ID",
}


def stored_page(player: Player, *, with_accesses: bool) -> StoredPage:
    """Count what is stored about an athlete; who fetched it is for staff."""
    stored = stored_about(player)
    archives = list(Archive.objects.filter(player=player)[:10])
    return StoredPage(
        stored=stored,
        facts=[words for name, words in _FACTS.items() if getattr(player, name)],
        first_at=player.created_at,
        last_at=player.updated_at,
        total_bytes=sum(item.bytes or 0 for item in stored),
        archives=archives,
        accesses=_accesses(player.pk) if with_accesses else [],
        is_under_way=any(archive.is_under_way for archive in archives),
    )


def stored_about(player: Player) -> list[Stored]:
    """Return each kind of data with its number of rows, and bytes of large kinds."""
    return [item for item in kinds_of(player) if item.count]


def kinds_of(player: Player) -> list[Stored]:
    """Return all kinds of data that there may be, also those without rows."""
    return [
        *_measured(player),
        *_added_by_people(player),
        *_kept_of_the_sync(player),
        *_other_rows(player),
    ]


def _measured(player: Player) -> list[Stored]:
    """The athlete's facts, sessions and swings, and what is computed from them."""
    of_movement = {"movement__session__player": player}
    frames = BiomechanicsData.objects.filter(**of_movement)
    curves = MovementCurves.objects.filter(**of_movement)
    sessions = Session.objects.filter(player=player)
    return [
        Stored("Profile", "name, birth date, height, weight, hands, IDs", VENDOR, 1),
        Stored("Sessions", "day, kind, setup, bat", VENDOR, sessions.count()),
        Stored(
            "Movements",
            "swings with events, numbers and quality",
            COMPUTED,
            Movement.objects.filter(session__player=player).count(),
        ),
        _with_bytes(
            "Frames",
            "joint positions and angles, frame by frame",
            VENDOR,
            frames.aggregate(n=Count("id"), size=Sum("byte_size")),
        ),
        _with_bytes(
            "Curves",
            "the curves that swing pages draw",
            COMPUTED,
            curves.aggregate(n=Count("id"), size=Sum(Length("data"))),
        ),
        Stored(
            "Session numbers",
            "averages and spreads",
            COMPUTED,
            SessionMetric.objects.filter(session__player=player).count(),
        ),
        Stored(
            "Numbers compared with other athletes",
            "the latest of each kind",
            COMPUTED,
            PeerNumber.objects.filter(player=player).count(),
        ),
        Stored(
            "Usual variation",
            "how much numbers vary from swing to swing and day to day",
            COMPUTED,
            AthleteScatter.objects.filter(player=player).count(),
        ),
    ]


def _added_by_people(player: Player) -> list[Stored]:
    """Notes, tags, corrections and teams that people here gave the athlete."""
    of_movement = {"movement__session__player": player}
    tags = Tag.objects.filter(players=player).count()
    tags += Tag.sessions.through.objects.filter(session__player=player).count()
    return [
        Stored(
            "Notes",
            "free text on the athlete, sessions and swings",
            PEOPLE,
            Note.objects.filter(Q(session__player=player) | Q(player=player)).count(),
        ),
        Stored(
            "Goals",
            "target values with dates and notes",
            PEOPLE,
            Goal.objects.filter(player=player).count(),
        ),
        Stored(
            "Levels",
            "the playing level, and from when on",
            PEOPLE,
            AthleteLevel.objects.filter(player=player).count(),
        ),
        Stored("Tags", "tags on the athlete and their sessions", PEOPLE, tags),
        Stored(
            "Moved events",
            "with their reasons",
            PEOPLE,
            EventCorrection.objects.filter(**of_movement).count(),
        ),
        Stored(
            "Swings included or excluded",
            "with their reasons",
            PEOPLE,
            InclusionDecision.objects.filter(**of_movement).count(),
        ),
        Stored(
            "Dismissed missing data",
            "missing data that needs no attention, with the reasons",
            PEOPLE,
            GapDismissal.objects.filter(session__player=player).count(),
        ),
        Stored(
            "Duplicate recordings",
            "sessions with the same frames, and which one is used",
            PEOPLE,
            SameRecording.objects.filter(session__player=player).count(),
        ),
        Stored(
            "Decisions set aside",
            "because Reboot Motion sent new frames of the swing",
            PEOPLE,
            SetAside.objects.filter(**of_movement).count(),
        ),
        Stored("Teams", "teams the athlete is on", PEOPLE, player.teams.count()),
    ]


def _kept_of_the_sync(player: Player) -> list[Stored]:
    """What was asked of the vendor about the athlete, and the vendor's answers."""
    sessions = Session.objects.filter(player=player)
    records_of = Player.everyone.filter(pk__in=family(player.pk))
    raw = RawPayload.objects.filter(
        kind=RawPayload.Kind.PLAYER, vendor_id__in=records_of.values("org_player_id")
    ).count()
    named = VendorSession.objects.filter(
        session_id__in=sessions.values("session_id")
    ).count()
    return [
        Stored(
            "File requests",
            "files requested from Reboot Motion, what arrived, what was computed",
            VENDOR,
            ExportJob.objects.filter(session__player=player).count()
            + AnalysisJob.objects.filter(session__player=player).count(),
        ),
        Stored("Reboot Motion's answers", "as received", VENDOR, raw + named),
    ]


#: Tables of which there are few rows, by their models: what is in them.
_OTHERS = {
    "athletes.AthleteMerge": ("Merges", "records merged into this one, and by whom"),
    "athletes.ReplacedFrames": ("Replaced frames", "what an upload replaced"),
    "athletes.HandUpload": ("Manual uploads", "files uploaded for the athlete"),
    "sharing.ShareLink": ("Share links", "links to the athlete's sheets"),
    "sharing.SavedItem": ("Saved comparisons", "parts that are about the athlete"),
}


def _other_rows(player: Player) -> list[Stored]:
    """Rows of all other tables; without words here they are named as their models."""
    return [
        Stored(
            *_OTHERS.get(
                kind.model._meta.label,
                (str(kind.model._meta.verbose_name_plural).capitalize(), "other rows"),
            ),
            PEOPLE,
            kind.rows(player.pk).count(),
        )
        for kind in records.athlete_tables()
        if kind.model not in _TOLD
    ]


def _with_bytes(name: str, what: str, source: str, found: dict[str, int]) -> Stored:
    return Stored(name, what, source, found["n"], found["size"] or 0)


def _accesses(player_id: int) -> list[Access]:
    entries = AuditEntry.objects.filter(
        player_number__in=family(player_id), action__in=ACCESS_ACTIONS
    )[:_ACCESSES_SHOWN]
    return [
        Access(
            at=entry.at,
            actor=entry.actor or "the system",
            action=entry.get_action_display(),
            detail=", ".join(
                str(entry.detail[key])
                for key in ("what", "step", "data_type", "format")
                if entry.detail.get(key)
            ),
        )
        for entry in entries
    ]
