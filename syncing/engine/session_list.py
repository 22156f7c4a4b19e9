"""The vendor's list of sessions: which to look into, and which are gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from athletes.models import Session
from syncing import clock
from syncing.choices import Phase, SyncType
from syncing.client.errors import RebootError, UnexpectedShapeError
from syncing.client.pagination import in_chunks
from syncing.client.types import RebootSession
from syncing.engine.context import RunContext
from syncing.engine.players import CHUNK, refuse_implausible, told_already
from syncing.engine.raw import store_raw
from syncing.engine.session_rows import mark_gone
from syncing.engine.stopping import RUN_ENDING_ERRORS, fatal_from
from syncing.mapping import read_moment
from syncing.models import RawPayload, SyncCursor, VendorSession

CURSOR = "sessions"
#: Changes that the vendor's database showed late, or that moved between pages.
OVERLAP = timedelta(hours=1)


def list_sessions(ctx: RunContext) -> None:
    """Mark the sessions to look into, and move the cursor past them."""
    ctx.begin_phase(Phase.SESSIONS)
    is_full = ctx.log.sync_type == SyncType.FULL
    cursor = SyncCursor.objects.filter(name=CURSOR).first()
    before = None if cursor is None else cursor.value
    since = _asked_since(ctx, before)
    ctx.set_cursor(before=before)
    seen: set[str] = set()

    def bad(error: UnexpectedShapeError) -> None:
        ctx.count("sessions", "failed")
        ctx.record_error(
            what="Reading a session",
            about="an entry in the session list",
            is_general=True,
            message=error.message,
            code=error.code,
            hint="The other sessions were read. Ask Reboot Motion about that entry.",
        )
        if error.entry_id is not None:
            # It is listed all the same.
            seen.add(error.entry_id)

    newest: datetime | None = None
    try:
        source = ctx.client.sessions(updated_since=since, on_bad_record=bad)
        for chunk in in_chunks(source, CHUNK):
            ctx.check()
            seen.update(item.id for item in chunk)
            moments = [
                moment
                for item in chunk
                if (moment := read_moment(item.updated_at)) is not None
            ]
            newest = max([*moments, *([newest] if newest else [])], default=None)
            _note(ctx, chunk, look_again=is_full)
            ctx.advance(Phase.SESSIONS, len(chunk))
        if is_full and _unlisted(seen):
            # Only what a second reading lacks too is gone: the list may have changed
            # while it was read.
            again = ctx.client.sessions(on_bad_record=told_already)
            seen.update(item.id for item in again)
    except RebootError as error:
        if isinstance(error, RUN_ENDING_ERRORS):
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
    if since is None and not ctx.accept_removals:
        gone, stored = len(_unlisted(seen)), _listed().count()
        refuse_implausible(ctx, gone, stored, "sessions", is_empty=not seen)
    if is_full:
        _mark_missing(ctx, seen)
    _move_cursor(ctx, before, newest)


def _asked_since(ctx: RunContext, cursor: datetime | None) -> datetime | None:
    """Return the time since which changes are asked for; None for everything."""
    if ctx.log.sync_type == SyncType.FULL:
        return None
    if ctx.log.since is not None:
        return datetime.combine(ctx.log.since, datetime.min.time(), tzinfo=UTC)
    return None if cursor is None else cursor - OVERLAP


def _move_cursor(
    ctx: RunContext, before: datetime | None, newest: datetime | None
) -> None:
    """Move the cursor forward if this run saw all that changed since its old place.

    The rows that the cursor covers were written before, each with its own mark that
    it is still to be looked into; so nothing is lost if the run ends here.
    """
    if newest is None:
        return
    # A record dated in the future must not hide what is changed until then.
    newest = min(newest, clock.now())
    if ctx.log.sync_type == SyncType.SINCE:
        since = _asked_since(ctx, before)
        if before is None or since is None or since > before:
            return
    if before is not None and newest <= before:
        return
    with transaction.atomic():
        SyncCursor.objects.update_or_create(name=CURSOR, defaults={"value": newest})
        ctx.set_cursor(after=newest)


def _note(ctx: RunContext, chunk: list[RebootSession], *, look_again: bool) -> None:
    """Mark the sessions that are new or changed, in one transaction."""
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
        now = clock.now()
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


def _listed() -> QuerySet[VendorSession]:
    """Return the sessions that are not marked as missing."""
    return VendorSession.objects.filter(missing_since__isnull=True)


def _unlisted(seen: set[str]) -> list[str]:
    """Return the sessions that are not among those seen, nor marked as missing."""
    return [
        session_id
        for session_id in _listed().values_list("session_id", flat=True)
        if session_id not in seen
    ]


def _mark_missing(ctx: RunContext, seen: set[str]) -> None:
    """Mark the sessions, and the rows of them, that the vendor no longer lists."""
    gone = _unlisted(seen)
    now = clock.now()
    for part in in_chunks(gone, 500):
        with transaction.atomic():
            VendorSession.objects.filter(session_id__in=part).update(
                missing_since=now, needs_detail=False, next_check_at=None
            )
            player_ids = mark_gone(Session.objects.filter(session_id__in=part), now)
        ctx.summaries.touch(player_ids)
    ctx.summaries.flush()
