"""Sessions: the list, then each session on its own, then who swung in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from athletes.identity import tombstones
from athletes.identity.session_parts import add_part
from athletes.models import Player, Session
from syncing.choices import ExportType, JobState, Phase, SyncType
from syncing.client.errors import (
    AuthenticationError,
    ConfigurationError,
    ForbiddenError,
    RebootError,
    UnavailableError,
    UnexpectedShapeError,
)
from syncing.client.types import RebootParticipant, RebootSession, parse_player
from syncing.engine.context import HOPELESS, RunContext, fatal_from
from syncing.engine.players import refuse_implausible, search_text
from syncing.engine.pool import side_by_side
from syncing.engine.raw import digest, store_raw
from syncing.mapping import (
    HITTING_SLUG,
    HoldsSwings,
    holds_swings,
    is_done,
    map_player,
    map_session,
    read_moment,
)
from syncing.models import ExportJob, RawPayload, SyncCursor, VendorSession

CURSOR = "sessions"
#: Changes that the vendor's database showed late, or that moved between pages.
OVERLAP = timedelta(hours=1)
CHUNK = 100

HITTING, OTHER, UNKNOWN = "hitting", "other", "unknown"


# --- The list ---------------------------------------------------------------


def list_sessions(ctx: RunContext) -> None:
    """Note which sessions are to be looked into, and move the cursor with that."""
    ctx.begin_phase(Phase.SESSIONS)
    is_full = ctx.log.sync_type == SyncType.FULL
    cursor = SyncCursor.objects.filter(name=CURSOR).first()
    before = None if cursor is None else cursor.value
    since = _asked_since(ctx, before)
    ctx.set_cursor(before=before)

    def bad(error: UnexpectedShapeError) -> None:
        ctx.count("sessions", "failed")
        ctx.record_error(
            what="Reading a session",
            about="an entry of the session list",
            is_general=True,
            message=error.message,
            code=error.code,
            hint="The other sessions were read. Ask the vendor about that entry.",
        )

    newest: datetime | None = None
    seen: set[str] = set()
    try:
        source = ctx.client.sessions(updated_since=since, on_bad_record=bad)
        for chunk in _chunks(source):
            ctx.check()
            if is_full:
                seen.update(item.id for item in chunk)
            moments = [
                moment
                for item in chunk
                if (moment := read_moment(item.updated_at)) is not None
            ]
            newest = max([*moments, *([newest] if newest else [])], default=None)
            _note(ctx, chunk, look_again=is_full)
            ctx.advance(Phase.SESSIONS, len(chunk))
    except RebootError as error:
        if isinstance(error, HOPELESS):
            raise fatal_from(error, "listing sessions") from error
        # The cursor stays, so that the next run asks for the same again.
        ctx.record_error(
            what="Listing sessions",
            about="the session list",
            is_general=True,
            message=error.message,
            code=error.code,
        )
        return
    if is_full:
        _mark_missing(ctx, seen)
    _move_cursor(ctx, before, newest)


def _asked_since(ctx: RunContext, cursor: datetime | None) -> datetime | None:
    if ctx.log.sync_type == SyncType.FULL:
        return None
    if ctx.log.since is not None:
        return datetime.combine(ctx.log.since, datetime.min.time(), tzinfo=UTC)
    return None if cursor is None else cursor - OVERLAP


def _move_cursor(
    ctx: RunContext, before: datetime | None, newest: datetime | None
) -> None:
    """Forward only, and only when this run saw everything since the old place.

    The rows that the cursor covers were written before, each with its own mark that
    it is still to be looked into; so nothing is lost if the run ends here.
    """
    if newest is None:
        return
    # A record dated in the future must not hide what is changed until then.
    newest = min(newest, timezone.now())
    if ctx.log.sync_type == SyncType.SINCE:
        since = _asked_since(ctx, before)
        if before is None or since is None or since > before:
            return
    if before is not None and newest <= before:
        return
    with transaction.atomic():
        SyncCursor.objects.update_or_create(name=CURSOR, defaults={"value": newest})
        ctx.set_cursor(after=newest)


def _chunks(source: Iterator[RebootSession]) -> Iterator[list[RebootSession]]:
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def _note(ctx: RunContext, chunk: list[RebootSession], *, look_again: bool) -> None:
    """Mark what is new or changed; everything in one transaction."""
    with transaction.atomic():
        changed = store_raw(
            RawPayload.Kind.SESSION, {item.id: item.raw for item in chunk}
        )
        known = {
            row.session_id: row
            for row in VendorSession.objects.filter(
                session_id__in=[item.id for item in chunk]
            )
        }
        new, different, unchanged = [], [], []
        now = timezone.now()
        for item in chunk:
            row = known.get(item.id)
            if row is None:
                new.append(
                    VendorSession(
                        session_id=item.id,
                        vendor_updated_at=read_moment(item.updated_at),
                    )
                )
            elif item.id in changed or look_again or row.missing_since is not None:
                row.needs_detail = True
                row.missing_since = None
                row.vendor_updated_at = read_moment(item.updated_at)
                row.checks = 0
                row.updated_at = now
                different.append(row)
            elif not row.needs_detail:
                unchanged.append(item.id)
        VendorSession.objects.bulk_create(new)
        VendorSession.objects.bulk_update(
            different,
            [
                "needs_detail",
                "missing_since",
                "vendor_updated_at",
                "checks",
                "updated_at",
            ],
        )
        rows = Session.objects.filter(
            session_id__in=unchanged, missing_since__isnull=True
        ).count()
    ctx.count("sessions", "unchanged", rows)


def _mark_missing(ctx: RunContext, seen: set[str]) -> None:
    listed = VendorSession.objects.filter(missing_since__isnull=True)
    gone = [
        session_id
        for session_id in listed.values_list("session_id", flat=True)
        if session_id not in seen
    ]
    if not ctx.accept_removals:
        refuse_implausible(len(gone), listed.count(), "sessions")
    now = timezone.now()
    for start in range(0, len(gone), 500):
        part = gone[start : start + 500]
        with transaction.atomic():
            VendorSession.objects.filter(session_id__in=part).update(
                missing_since=now, needs_detail=False, next_check_at=None
            )
            rows = Session.objects.filter(
                session_id__in=part, missing_since__isnull=True
            )
            player_ids = set(rows.values_list("player_id", flat=True))
            rows.update(missing_since=now, updated_at=now)
        ctx.summaries.touch(player_ids)
    ctx.summaries.flush()


# --- Each session on its own -------------------------------------------------


def read_details(ctx: RunContext, hitting_id: int) -> None:
    """Look into every session that is new, changed, or due for another look."""
    now = timezone.now()
    waiting = VendorSession.objects.filter(missing_since__isnull=True).filter(
        Q(needs_detail=True) | Q(next_check_at__lte=now)
    )
    ids = list(
        waiting.order_by("-vendor_updated_at", "-id").values_list("id", flat=True)
    )
    ctx.begin_phase(Phase.DETAILS, len(ids))

    def work(capture_id: int) -> None:
        read_detail(ctx, capture_id, hitting_id)
        ctx.advance(Phase.DETAILS)

    if ids:
        threads = min(len(ids), settings.SYNC_MAX_REQUESTS)
        try:
            side_by_side(ctx, ids, work, threads=threads)
        finally:
            ctx.summaries.flush()


def read_detail(ctx: RunContext, capture_id: int, hitting_id: int) -> None:
    """Learn who took part in one session, and write rows for those who hit."""
    capture = VendorSession.objects.filter(pk=capture_id).first()
    if capture is None:  # erased with its athlete since it was listed
        return
    try:
        detail = ctx.client.session(capture.session_id)
        ctx.note_answer()
        participants = detail.players
        if participants is None or (not participants and detail.num_players):
            raise UnexpectedShapeError(
                'GET /session/{id}: field "players" does not say who took part.',
                fields=("players",),
            )
        verdicts = _verdicts(ctx, capture, detail, participants, hitting_id)
    except ForbiddenError as error:
        # The lists were answered, so it may be about this session alone.
        _detail_failed(ctx, capture, error)
        ctx.note_unavailable(error)
        return
    except (AuthenticationError, ConfigurationError) as error:
        raise fatal_from(error, "reading a session") from error
    except RebootError as error:
        _detail_failed(ctx, capture, error)
        if isinstance(error, UnavailableError):
            ctx.note_unavailable(error)
        return
    if detail.unreadable_players:
        ctx.record_error(
            what="Reading who took part",
            about=f"session {capture.session_id}",
            message=f"{detail.unreadable_players} entries of the participants hold no "
            "org_player_id, so nothing can be asked for them.",
            code="unexpected_shape",
            hint="The others were read. Ask the vendor about this session.",
            session_pk=_row_of(capture),
        )
    _write_detail(ctx, capture, detail, verdicts, hitting_id)


def _detail_failed(ctx: RunContext, capture: VendorSession, error: RebootError) -> None:
    waits = ctx.tempo.detail_s
    # Looks in vain at a session that has no data yet are another count.
    tries = capture.checks if capture.last_error else 0
    capture.last_error = error.message
    capture.checks = tries + 1
    capture.next_check_at = timezone.now() + timedelta(
        seconds=waits[min(tries, len(waits) - 1)]
    )
    capture.save(update_fields=["last_error", "checks", "next_check_at", "updated_at"])
    ctx.count("sessions", "failed")
    ctx.record_error(
        what="Reading a session",
        about=f"session {capture.session_id}",
        message=error.message,
        code=error.code,
        session_pk=_row_of(capture),
    )


def _row_of(capture: VendorSession) -> int | None:
    """A row that shows the session, if anybody's part in it is stored."""
    rows = Session.objects.filter(session_id=capture.session_id).order_by("id")
    return rows.values_list("pk", flat=True).first()


def _verdicts(
    ctx: RunContext,
    capture: VendorSession,
    detail: RebootSession,
    participants: tuple[RebootParticipant, ...],
    hitting_id: int,
) -> dict[str, str]:
    """For each participant whether he hit, as far as anybody can tell.

    The counts of the session decide where they can. A session of several kinds and
    several people, or one that tells no kind, is settled per person by asking for the
    list of his movements: an answer without data means that he did not hit.
    """
    is_alone = len(participants) == 1
    erased = tombstones.load()
    everybody = [
        item.org_player_id
        for item in participants
        if not erased.has(item.org_player_id, item.id)
    ]
    verdict = holds_swings(detail)
    kinds = [slug for slug, n in (detail.total_movements or {}).items() if n > 0]
    if verdict is HoldsSwings.NO:
        return dict.fromkeys(everybody, OTHER)
    if verdict is HoldsSwings.YES and (len(kinds) < 2 or is_alone):
        return dict.fromkeys(everybody, HITTING)
    return {
        org_player_id: HITTING
        if capture.participants.get(org_player_id) == HITTING
        else _ask(ctx, detail, org_player_id, hitting_id)
        for org_player_id in everybody
    }


def _ask(
    ctx: RunContext, detail: RebootSession, org_player_id: str, hitting_id: int
) -> str:
    reply = ctx.client.request_export(
        session_id=detail.id,
        org_player_id=org_player_id,
        movement_type_id=hitting_id,
        data_type=ExportType.METADATA.value,
    )
    if reply.state != "no_data":
        return HITTING
    return UNKNOWN


def _write_detail(
    ctx: RunContext,
    capture: VendorSession,
    detail: RebootSession,
    verdicts: dict[str, str],
    hitting_id: int,
) -> None:
    """Everything that one detail says, in one transaction."""
    hitters = [key for key, verdict in verdicts.items() if verdict == HITTING]
    fingerprint = _fingerprint(detail)
    values = {
        **map_session(detail).fields,
        "movement_type_id": hitting_id,
        "movement_type_name": HITTING_SLUG,
    }
    with transaction.atomic():
        store_raw(RawPayload.Kind.SESSION_DETAIL, {detail.id: detail.raw})
        players = _players(detail, hitters)
        outcomes, sessions, has_others = _upsert_rows(detail.id, players, values)
        touched = _mark_absent(detail.id, set(hitters)) if has_others else set()
        new_jobs = _want_exports(
            sessions,
            fingerprint,
            values["vendor_updated_at"],
            known=[
                session
                for session, outcome in zip(sessions, outcomes, strict=True)
                if outcome != "created"
            ],
        )
        _conclude(ctx, capture, detail, verdicts, fingerprint)
        changed = {
            player.merged_into_id or player.pk
            for player, outcome in zip(players, outcomes, strict=True)
            if outcome != "unchanged"
        }
    ctx.summaries.touch(changed | touched)
    for outcome in outcomes:
        ctx.count("sessions", outcome)
    if not hitters:
        ctx.count("sessions", "skipped", seen=False)
    ctx.count("exports", "requested", new_jobs, seen=False)


def _conclude(
    ctx: RunContext,
    capture: VendorSession,
    detail: RebootSession,
    verdicts: dict[str, str],
    fingerprint: str,
) -> None:
    found = set(verdicts.values())
    if HITTING in found:
        capture.verdict = VendorSession.Verdict.HITTING
    elif UNKNOWN in found or (not verdicts and not is_done(detail)):
        capture.verdict = VendorSession.Verdict.UNKNOWN
    else:
        capture.verdict = VendorSession.Verdict.OTHER
    waits = ctx.tempo.no_data_s
    if capture.last_error:
        # Those were tries that failed.
        capture.checks = 0
    if (
        UNKNOWN in found or capture.verdict == VendorSession.Verdict.UNKNOWN
    ) and capture.checks < len(waits):
        capture.next_check_at = timezone.now() + timedelta(
            seconds=waits[capture.checks]
        )
        capture.checks += 1
    else:
        capture.next_check_at = None
    capture.participants = verdicts
    capture.fingerprint = fingerprint
    capture.needs_detail = False
    capture.last_error = ""
    capture.save(
        update_fields=[
            "verdict",
            "next_check_at",
            "checks",
            "participants",
            "fingerprint",
            "needs_detail",
            "last_error",
            "updated_at",
        ]
    )


def _fingerprint(detail: RebootSession) -> str:
    """What makes us fetch files again when it changes."""
    return digest(
        [
            detail.updated_at,
            detail.status,
            detail.num_movements,
            detail.raw.get("completed_movements"),
            dict(detail.total_movements or {}),
        ]
    )


def _players(detail: RebootSession, hitters: list[str]) -> list[Player]:
    """Records of the participants; one that the list did not hold is created.

    They are held until their rows are written: nobody merges them meanwhile.
    """
    held = (
        Player.everyone.select_for_update(no_key=True)
        .filter(org_player_id__in=hitters)
        .order_by("pk")
    )
    known = {player.org_player_id: player for player in held}
    new = []
    for participant in detail.players or ():
        org_player_id = participant.org_player_id
        if org_player_id in hitters and org_player_id not in known:
            player = Player(
                **map_player(parse_player(participant.raw, "GET /session/{id}")).fields
            )
            player.search_text = search_text(player)
            new.append(player)
    if new:
        Player.objects.bulk_create(new, ignore_conflicts=True)
        known = {player.org_player_id: player for player in held.all()}
    return [known[org_player_id] for org_player_id in hitters]


def _upsert_rows(
    session_id: str, players: list[Player], values: dict[str, Any]
) -> tuple[list[str], list[Session], bool]:
    """What became of each row, the rows, and whether there are others not missing."""
    stored = list(Session.objects.filter(session_id=session_id))
    # By the record whose id the vendor used, which a merge leaves as it is.
    known = {row.recorded_as_id or row.player_id: row for row in stored}
    outcomes, rows = [], []
    for player in players:
        row = known.get(player.pk)
        if row is None:
            row = add_part(session_id, player, values)
            outcomes.append("created")
        else:
            different = [
                name
                for name, value in {**values, "missing_since": None}.items()
                if getattr(row, name) != value
            ]
            for name in different:
                setattr(row, name, values.get(name))
            if different:
                row.save(update_fields=[*different, "updated_at"])
            outcomes.append("updated" if different else "unchanged")
        rows.append(row)
    written = {row.pk for row in rows}
    has_others = any(
        row.missing_since is None for row in stored if row.pk not in written
    )
    return outcomes, rows, has_others


def _mark_absent(session_id: str, hitters: set[str]) -> set[int]:
    """Rows of people whom the session no longer names; returns their athletes."""
    named = Player.everyone.filter(org_player_id__in=hitters)
    absent = (
        Session.objects.filter(session_id=session_id, missing_since__isnull=True)
        .exclude(player__in=named, recorded_as__isnull=True)
        .exclude(recorded_as__in=named)
        # It shows the part of a record that took part.
        .exclude(
            pk__in=Session.objects.filter(
                session_id=session_id, player__in=named
            ).values("folded_into")
        )
    )
    player_ids = set(absent.values_list("player_id", flat=True))
    if player_ids:
        now = timezone.now()
        absent.update(missing_since=now, updated_at=now)
    return player_ids


def _want_exports(
    sessions: list[Session],
    fingerprint: str,
    vendor_updated_at: datetime | None,
    *,
    known: list[Session],
) -> int:
    """One job per file; asked for again when the vendor's session is another.

    Those of the sessions that were `known` before may have jobs.
    """
    now = timezone.now()
    wanted: dict[str, Any] = {
        "state": JobState.WANTED,
        "attempts": 0,
        "polls": 0,
        "requested_at": None,
        "no_data_answers": 0,
        "next_try_at": now,
        "given_up_at": None,
        "last_error": "",
        "error_code": "",
        "vendor_updated_at": vendor_updated_at,
        "fetched_for": fingerprint,
        "updated_at": now,
    }
    again, stored = 0, set()
    if known:
        jobs = ExportJob.objects.filter(session__in=known)
        again = jobs.exclude(fetched_for=fingerprint).update(**wanted)
        stored = set(jobs.values_list("session_id", "data_type"))
    new = [
        ExportJob(session=session, data_type=data_type, **wanted)
        for session in sessions
        for data_type in ExportType.values
        if (session.pk, data_type) not in stored
    ]
    ExportJob.objects.bulk_create(new)
    return again + len(new)
