"""Each session on its own: who took part in it, and whether they hit."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet

from athletes.frames import carrying
from athletes.identity import tombstones
from athletes.models import Session
from syncing import clock
from syncing.choices import ExportType, Phase
from syncing.client.errors import (
    AuthenticationError,
    ConfigurationError,
    ForbiddenError,
    RebootError,
    UnavailableError,
    UnexpectedShapeError,
)
from syncing.client.types import RebootParticipant, RebootSession
from syncing.engine.context import RunContext
from syncing.engine.players import problems_told, tell_kept
from syncing.engine.pool import side_by_side
from syncing.engine.raw import digest, store_raw
from syncing.engine.session_numbers import want_numbers
from syncing.engine.session_rows import (
    mark_absent,
    participating_players,
    upsert_parts,
    want_exports,
)
from syncing.engine.stopping import fatal_from
from syncing.mapping import (
    HITTING_SLUG,
    HoldsSwings,
    Mapped,
    holds_swings,
    is_done,
    map_session,
)
from syncing.models import RawPayload, VendorSession

HITTING, OTHER, UNKNOWN = "hitting", "other", "unknown"


def read_details(ctx: RunContext, hitting_id: int) -> None:
    """Look into every session that is new, changed, or due for another look."""
    # A run that goes on does not ask again at once for what has just failed in it.
    waiting = _left() if Phase.DETAILS in ctx.log.progress else _waiting()
    ids = list(
        waiting.order_by("-vendor_updated_at", "-id").values_list("id", flat=True)
    )
    ctx.begin_phase(Phase.DETAILS, len(ids), goes_on=True)

    def work(listed_id: int) -> None:
        read_detail(ctx, listed_id, hitting_id)
        ctx.advance(Phase.DETAILS)

    if ids:
        threads = min(len(ids), settings.SYNC_MAX_REQUESTS)
        try:
            side_by_side(ctx, ids, work, threads=threads)
        finally:
            ctx.summaries.flush()


def _waiting() -> QuerySet[VendorSession]:
    return VendorSession.objects.filter(missing_since__isnull=True).filter(
        Q(needs_detail=True) | Q(next_check_at__lte=clock.now())
    )


def _left() -> QuerySet[VendorSession]:
    return _waiting().exclude(last_error__gt="", next_check_at__gt=clock.now())


def are_details_left() -> bool:
    """Whether a session is to be read that did not fail a moment ago."""
    return _left().exists()


def read_detail(ctx: RunContext, listed_id: int, hitting_id: int) -> None:
    """Read who took part in one session, and store rows for those who hit."""
    listed = VendorSession.objects.filter(pk=listed_id).first()
    if listed is None:  # erased with its athlete since it was listed
        return
    try:
        detail = ctx.client.session(listed.session_id)
        ctx.note_answer()
        participants = detail.players
        if participants is None or (not participants and detail.num_players):
            raise UnexpectedShapeError(
                'GET /session/{id}: field "players" does not say who took part.',
                fields=("players",),
            )
        verdicts = _verdicts(ctx, listed, detail, participants, hitting_id)
    except ForbiddenError as error:
        # The lists were answered, so it may be about this session alone.
        _detail_failed(ctx, listed, error)
        ctx.note_unavailable(error)
        return
    except (AuthenticationError, ConfigurationError) as error:
        raise fatal_from(error, "reading a session") from error
    except RebootError as error:
        _detail_failed(ctx, listed, error)
        if isinstance(error, UnavailableError):
            ctx.note_unavailable(error)
        return
    if detail.unreadable_players:
        ctx.record_error(
            what="Reading who took part",
            about=f"session {listed.session_id}",
            message=f"{detail.unreadable_players} participants have no org_player_id, "
            "so their data can't be requested.",
            code="unexpected_shape",
            hint="The others were read. Ask Reboot Motion about this session.",
            session_pk=_row_of(listed),
        )
    try:
        _write_detail(ctx, listed, detail, verdicts, hitting_id)
    except DatabaseError:
        # Erased with its athlete while the request was under way: nothing is stored.
        if VendorSession.objects.filter(pk=listed_id).exists():
            raise


def _detail_failed(ctx: RunContext, listed: VendorSession, error: RebootError) -> None:
    """Store that a session could not be read, and when to look again."""
    waits = ctx.tempo.detail_s
    # Looks in vain at a session that has no data yet are another count.
    tries = listed.checks if listed.last_error else 0
    wait = timedelta(seconds=waits[min(tries, len(waits) - 1)])
    is_there = VendorSession.objects.filter(pk=listed.pk).update(
        last_error=error.message,
        checks=tries + 1,
        next_check_at=clock.now() + wait,
        updated_at=clock.now(),
    )
    if not is_there:  # erased with its athlete while the request was under way
        return
    ctx.count("sessions", "failed")
    ctx.record_error(
        what="Reading a session",
        about=f"session {listed.session_id}",
        message=error.message,
        code=error.code,
        session_pk=_row_of(listed),
    )


def _row_of(listed: VendorSession) -> int | None:
    """Return the id of one of our rows that shows the session, or None."""
    rows = Session.objects.filter(session_id=listed.session_id).order_by("id")
    return rows.values_list("pk", flat=True).first()


def _verdicts(
    ctx: RunContext,
    listed: VendorSession,
    detail: RebootSession,
    participants: tuple[RebootParticipant, ...],
    hitting_id: int,
) -> dict[str, str]:
    """Return for each participant whether they hit, as far as anybody can tell.

    The counts of the session decide where they can. A session of several kinds and
    several people, or one that tells no kind, is settled per person by asking for the
    list of their movements: an answer without data means that they did not hit.
    """
    is_alone = len(participants) == 1
    erased = tombstones.load_erased()
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
        if listed.participants.get(org_player_id) == HITTING
        else _ask(ctx, detail, org_player_id, hitting_id)
        for org_player_id in everybody
    }


def _ask(
    ctx: RunContext, detail: RebootSession, org_player_id: str, hitting_id: int
) -> str:
    """Ask for the movements of one participant, and return whether they hit."""
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
    listed: VendorSession,
    detail: RebootSession,
    verdicts: dict[str, str],
    hitting_id: int,
) -> None:
    """Store everything that one detail says, in one transaction."""
    hitters = [key for key, verdict in verdicts.items() if verdict == HITTING]
    fingerprint = _fingerprint(detail)
    mapped = map_session(detail)
    kind = {"movement_type_id": hitting_id, "movement_type_name": HITTING_SLUG}
    values = Mapped({**mapped.fields, **kind}, mapped.problems)
    with transaction.atomic():
        kept = _kept_values(detail.id, mapped)
        store_raw(
            RawPayload.Kind.SESSION_DETAIL,
            {detail.id: detail.raw},
            {detail.id: mapped.problems},
        )
        players = participating_players(detail, hitters)
        outcomes, sessions, has_others = upsert_parts(detail.id, players, values)
        touched = mark_absent(detail.id, set(hitters)) if has_others else set()
        for shown_pk in carrying.take_back([session.pk for session in sessions]):
            want_numbers(shown_pk)
        new_jobs = want_exports(
            sessions,
            fingerprint,
            mapped.fields["vendor_updated_at"],
            known=[
                session
                for session, outcome in zip(sessions, outcomes, strict=True)
                if outcome != "created"
            ],
        )
        _conclude(ctx, listed, detail, verdicts, fingerprint)
        changed = {
            player.merged_into_id or player.pk
            for player, outcome in zip(players, outcomes, strict=True)
            if outcome != "unchanged"
        }
    if kept:
        tell_kept(ctx, f"session {detail.id}", kept, session_pk=_row_of(listed))
    ctx.summaries.touch(changed | touched)
    for outcome in outcomes:
        ctx.count("sessions", outcome)
    if not hitters:
        ctx.count("sessions", "skipped", seen=False)
    ctx.count("exports", "requested", new_jobs, seen=False)


def _kept_values(session_id: str, mapped: Mapped) -> list[str]:
    """Return the fields whose stored values are kept, if nobody was told of that."""
    if not mapped.problems:
        return []
    told = problems_told(RawPayload.Kind.SESSION_DETAIL, [session_id])
    parts = list(Session.objects.filter(session_id=session_id))
    return [
        problem.name
        for problem in mapped.problems
        if problem.as_json() not in told.get(session_id, ())
        and any(getattr(part, problem.name) not in {None, ""} for part in parts)
    ]


def _conclude(
    ctx: RunContext,
    listed: VendorSession,
    detail: RebootSession,
    verdicts: dict[str, str],
    fingerprint: str,
) -> None:
    """Store whether the session holds swings, and when to look again."""
    found = set(verdicts.values())
    if HITTING in found:
        listed.verdict = VendorSession.Verdict.HITTING
    elif UNKNOWN in found or (not verdicts and not is_done(detail)):
        listed.verdict = VendorSession.Verdict.UNKNOWN
    else:
        listed.verdict = VendorSession.Verdict.OTHER
    waits = ctx.tempo.no_data_s
    if listed.last_error:
        # Those were tries that failed.
        listed.checks = 0
    if (
        UNKNOWN in found or listed.verdict == VendorSession.Verdict.UNKNOWN
    ) and listed.checks < len(waits):
        listed.next_check_at = clock.now() + timedelta(seconds=waits[listed.checks])
        listed.checks += 1
    else:
        listed.next_check_at = None
    listed.participants = verdicts
    listed.fingerprint = fingerprint
    listed.needs_detail = False
    listed.last_error = ""
    listed.save(
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
    """Return a hash of what has files fetched again when it changes."""
    return digest(
        [
            detail.updated_at,
            detail.status,
            detail.num_movements,
            detail.raw.get("completed_movements"),
            dict(detail.total_movements or {}),
        ]
    )
