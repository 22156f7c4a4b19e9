"""The rows of one session: its athletes, their parts in it, and files to fetch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from athletes.identity.session_parts import add_part, mark_parts
from athletes.models import Player, Session
from athletes.names import search_text
from athletes.querysets import SessionQuerySet
from syncing import clock
from syncing.choices import ExportType, JobState
from syncing.client.types import RebootSession, parse_player
from syncing.engine.session_numbers import want_numbers
from syncing.engine.session_state import refresh_session_state
from syncing.mapping import Mapped, map_player
from syncing.models import ExportJob


def participating_players(detail: RebootSession, hitters: list[str]) -> list[Player]:
    """Return the athletes who hit, created where the list did not hold them.

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
            player.search_text = search_text(player.first_name, player.last_name)
            new.append(player)
    if new:
        Player.objects.bulk_create(new, ignore_conflicts=True)
        known = {player.org_player_id: player for player in held.all()}
    return [known[org_player_id] for org_player_id in hitters]


def upsert_parts(
    session_id: str, players: list[Player], values: Mapped
) -> tuple[list[str], list[Session], bool]:
    """Store each athlete's part in a session; a value that cannot be read is kept.

    Returns what happened to each row ("created", "updated", "unchanged"), the rows, and
    whether the session has other rows that are not marked as missing.
    """
    stored = list(Session.objects.filter(session_id=session_id))
    # By the record whose id the vendor used, which a merge leaves as it is.
    known = {row.recorded_as_id or row.player_id: row for row in stored}
    # What cannot be read is taken from the others' parts of the same session.
    new_values = values.fields | {
        problem.name: getattr(stored[0], problem.name)
        for problem in values.problems
        if stored
    }
    outcomes, rows = [], []
    for player in players:
        row = known.get(player.pk)
        if row is None:
            row = add_part(session_id, player, new_values)
            outcomes.append("created")
        else:
            different = [
                name
                for name, value in values.readable.items()
                if getattr(row, name) != value
            ]
            for name in different:
                setattr(row, name, values.readable[name])
            if different:
                row.save(update_fields=[*different, "updated_at"])
            is_back = row.missing_since is not None
            if is_back:
                mark_gone(Session.objects.filter(pk=row.pk), None)
                row.refresh_from_db()
            outcomes.append("updated" if different or is_back else "unchanged")
        rows.append(row)
    written = {row.pk for row in rows}
    has_others = any(
        row.missing_since is None for row in stored if row.pk not in written
    )
    return outcomes, rows, has_others


def mark_absent(session_id: str, hitters: set[str]) -> set[int]:
    """Mark the parts of athletes whom the session no longer names; return those.

    Not the part of an athlete whom it never named: a person added that by hand.
    """
    named = Player.everyone.filter(org_player_id__in=hitters).values_list("pk")
    absent = (
        Session.objects.filter(
            Exists(
                ExportJob.objects.filter(session=OuterRef("pk")).exclude(fetched_for="")
            ),
            session_id=session_id,
        )
        # By the record whose id the vendor used, which is never null: nothing is ever
        # outside of a list with a null in it.
        .annotate(record=Coalesce("recorded_as_id", "player_id"))
        .exclude(record__in=[pk for (pk,) in named])
    )
    return mark_gone(absent, clock.now())


def mark_gone(rows: SessionQuerySet, since: datetime | None) -> set[int]:
    """Mark parts that the vendor no longer has, or has again; return the athletes.

    `since` is None for those that it has again. Called inside a transaction.
    """
    shared = Q(folded__isnull=False) | Q(folded_into__isnull=False)
    together = rows.filter(missing_since__isnull=since is not None).filter(shared)
    heads = {part.whole_id for part in together}
    player_ids = mark_parts(rows, since)
    for shown_pk in sorted(heads):
        # Twins are settled with the numbers, which lock the athlete's records first.
        want_numbers(shown_pk)
        refresh_session_state(shown_pk)
    return player_ids


def want_exports(
    sessions: list[Session],
    fingerprint: str,
    vendor_updated_at: datetime | None,
    *,
    known: list[Session],
) -> int:
    """Create one job per file, or renew it when the session changed; return how many.

    Those of the sessions that were `known` before may have jobs.
    """
    now = clock.now()
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
