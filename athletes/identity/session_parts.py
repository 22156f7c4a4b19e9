"""The parts that one athlete's records have in one session of the vendor.

Where two records of an athlete took part in the same session, one row shows both parts:
the other row is **folded** into it. It stays, hidden, to ask for its own files; its
movements move over and carry the vendor's id of the athlete in their names, since two
parts may name movements alike.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from athletes.analysis.same_recording import note_others_of, withdraw
from athletes.analysis.session_summary import refresh_session_summary
from athletes.frames import presence
from athletes.identity.moved_rows import move_rows, move_rows_back
from athletes.listeners import SESSION_GONE, SESSION_REGROUPED, tell_ids
from athletes.models import (
    AthleteMerge,
    BiomechanicsData,
    DataState,
    DataType,
    Movement,
    Note,
    Player,
    SameRecording,
    Session,
    SessionMetric,
)
from athletes.querysets import SessionQuerySet

#: What people state about a session and a fold fills in where nothing was stated. Not
#: the setup: its swings keep theirs, and nobody said it of the others.
_STATED = ("bat",)


def find_part(session_id: str, player: Player) -> Session | None:
    """The row for the part that the vendor keeps under this record's id, if any."""
    return (
        Session.objects.filter(session_id=session_id)
        .filter(Q(player=player, recorded_as__isnull=True) | Q(recorded_as=player))
        .first()
    )


def add_part(session_id: str, player: Player, values: dict[str, Any]) -> Session:
    """Create the row for the part that the vendor keeps under this record's id.

    It becomes the athlete's row of that session, or is folded into the one that is
    there. Called inside a transaction that has locked `player`.
    """
    head = player.merged_into_id or player.pk
    # Records of the athlete that have a row in this session; most have one record.
    taken = set(
        Session.objects.filter(session_id=session_id)
        .filter(Q(player=head) | Q(player__merged_into=head))
        .values_list("player_id", flat=True)
    )
    seat = (
        next(pk for pk in (head, player.pk, *family(head)) if pk not in taken)
        if taken
        else head
    )
    row = Session.objects.create(
        player_id=seat,
        recorded_as=None if seat == player.pk else player,
        **{**values, "session_id": session_id},
    )
    if taken:
        regroup(session_id, family(head))
        row.refresh_from_db()
    return row


def mark_parts(rows: SessionQuerySet, since: dt.datetime | None) -> set[int]:
    """Mark parts of sessions that the vendor no longer has, or that it has again.

    Their movements are gone, or back, with them, and so are the averages over these.
    Called inside a transaction. Where records of one athlete share the session,
    `settle_twins` has to follow.

    Parameters
    ----------
    rows
        The parts; those that carry the mark already are left alone.
    since
        Since when they are gone; None: the vendor has them again.

    Returns
    -------
    set of int
        The athletes whose sessions changed, by our keys.
    """
    is_marked = since is not None
    parts = list(
        rows.filter(missing_since__isnull=is_marked)
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))
        .only("pk", "player_id", "folded_into_id")
    )
    pks = [part.pk for part in parts]
    Session.objects.filter(pk__in=pks).update(
        missing_since=since, updated_at=timezone.now()
    )
    presence.settle(pks)
    # Whichever counted instead of these, or they instead of it: asked again.
    pairs = SameRecording.objects.exclude(decided_at=None).filter(
        Q(session__in=pks) | Q(other__in=pks)
    )
    twins = withdraw(pairs)
    note_others_of(pks)
    for shown_pk in sorted({part.whole_id for part in parts} | twins):
        refresh_session_summary(shown_pk)
    if is_marked:
        whole = Session.objects.filter(pk__in={part.whole_id for part in parts})
        there = set(whole.present().values_list("pk", flat=True))
        tell_ids(SESSION_GONE, {part.whole_id for part in parts} - there)
    # A folded part is its record's; what it shows is the athlete's.
    return set(
        Player.objects.filter(
            Q(sessions__in=[*pks, *twins]) | Q(sessions__folded__in=pks)
        ).values_list("pk", flat=True)
    )


def family(kept_pk: int) -> list[int]:
    """The key of the athlete and those of the records merged into them."""
    return [
        kept_pk,
        *Player.everyone.filter(merged_into=kept_pk)
        .order_by("pk")
        .values_list("pk", flat=True),
    ]


def regroup(session_id: str, player_pks: Collection[int]) -> list[int]:
    """Show all parts that an athlete's records have in one session as one row.

    The row recorded under the athlete's own id shows the others; a record that was
    separated again shows its own. Called inside a transaction, after records were
    merged or separated, or after another part of a session arrived.
    Returns the keys of the rows that show something.
    """
    rows = list(
        Session.objects.select_for_update(no_key=True)
        .filter(session_id=session_id, player_id__in=player_pks)
        .order_by("pk")
    )
    were_folded = {row.pk for row in rows if row.folded_into_id is not None}
    for row in rows:
        if row.folded_into_id is not None:
            _unfold(row)
    into = dict(
        Player.everyone.filter(pk__in=player_pks).values_list("pk", "merged_into")
    )
    parts: dict[int, list[tuple[bool, int, Session]]] = defaultdict(list)
    for row in rows:
        source = row.recorded_as_id or row.player_id
        root = into[source] or source
        parts[root].append((source != root, source, row))
    wanted: dict[int, tuple[int, int | None]] = {}
    for root, members in parts.items():
        members.sort(key=lambda member: (*member[:2], member[2].pk))
        for place, (_, source, row) in enumerate(members):
            player = source if place else root
            wanted[row.pk] = player, None if source == player else source
    _seat(session_id, rows, wanted)
    shown = []
    for members in parts.values():
        first = members[0][2]
        for _, _, row in members[1:]:
            _fold(row, first)
        refresh_session_summary(first.pk)
        shown.append(first.pk)
    folded = {row.pk for members in parts.values() for _, _, row in members[1:]}
    tell_ids(SESSION_GONE, folded - were_folded)
    # Only who knows the files of each part can say what is complete.
    tell_ids(SESSION_REGROUPED, [row.pk for row in rows])
    return shown


def settle_twins(shown_pk: int) -> bool:
    """Show what the vendor has made another swing, and hide what has become the same.

    A swing that two records have alike is shown once. The vendor may correct the files
    of one of them alone: then there are two swings, or one again. Called when the files
    of a session have arrived, before its numbers are computed; returns whether swings
    changed their place.
    """
    if not Session.objects.filter(folded_into=shown_pk).exists():
        return False
    with transaction.atomic():
        head = Session.objects.get(pk=shown_pk)
        # As whoever merges or separates records does, so that neither meets the other.
        records = Player.everyone.select_for_update().filter(
            Q(pk=head.player_id) | Q(merged_into=head.player_id)
        )
        players = list(records.order_by("pk").values_list("pk", flat=True))
        if _twins_are_hidden(shown_pk):
            return False
        regroup(head.session_id, players)
    return True


def _twins_are_hidden(shown_pk: int) -> bool:
    """Whether each swing of a row and of those folded into it is shown just once."""
    parts: dict[int, set[str]] = defaultdict(set)
    hidden: set[str] = set()
    frames = BiomechanicsData.objects.filter(data_type=DataType.INVERSE_KINEMATICS)
    for folded_from, hashed, is_shown in (
        frames.filter(
            Q(movement__session=shown_pk) | Q(movement__session__folded_into=shown_pk),
            movement__missing_since__isnull=True,
        )
        .annotate(is_shown=Q(movement__session=shown_pk))
        .values_list("movement__folded_from", "content_sha256", "is_shown")
    ):
        if is_shown:
            parts[folded_from or shown_pk].add(hashed)
        else:
            hidden.add(hashed)
    shown: set[str] = set().union(*parts.values())
    return hidden <= shown and sum(map(len, parts.values())) == len(shown)


def _seat(
    session_id: str, rows: Iterable[Session], wanted: dict[int, tuple[int, int | None]]
) -> None:
    """Write the athlete and the recording id of each row, as `wanted` by its key.

    Two rows may change places.
    """
    moving = [
        row for row in rows if (row.player_id, row.recorded_as_id) != wanted[row.pk]
    ]
    for row in moving:
        # A temporary name, because an athlete may have only one row in a session.
        Session.objects.filter(pk=row.pk).update(session_id=f"moving {row.pk}")
    for row in moving:
        row.player_id, row.recorded_as_id = wanted[row.pk]
        Session.objects.filter(pk=row.pk).update(
            session_id=session_id,
            player_id=row.player_id,
            recorded_as_id=row.recorded_as_id,
            updated_at=timezone.now(),
        )


def _merge_of(row: Session) -> AthleteMerge:
    """The merge because of which this row is folded."""
    return AthleteMerge.objects.get(merged_id=row.player_id, undone_at__isnull=True)


def _fold(row: Session, into: Session) -> None:
    """Move what `row` shows to `into`, and hide `row`."""
    now = timezone.now()
    # One of two that are shown once from now on must not be excluded for the other.
    both = SameRecording.objects.filter(session__in=[row, into], other__in=[row, into])
    withdraw(both)
    both.delete()
    # The same swing under both ids is shown once; its twin stays in the hidden row.
    # One that the vendor no longer sends hides none that it does.
    shown = BiomechanicsData.objects.filter(
        movement__session=into, movement__missing_since__isnull=True
    )
    twins = set(
        BiomechanicsData.objects.filter(
            movement__session=row,
            data_type=DataType.INVERSE_KINEMATICS,
            content_sha256__in=shown.values("content_sha256"),
        ).values_list("movement_id", flat=True)
    )
    offset = (
        Movement.objects.filter(session=into).aggregate(last=Max("position"))["last"]
        or 0
    )
    movements = Movement.objects.filter(session=row).exclude(pk__in=twins)
    for pk, name in movements.values_list("pk", "org_movement_id"):
        Movement.objects.filter(pk=pk).update(
            session=into,
            position=F("position") + offset,
            updated_at=now,
            **row.fold(name),
        )
    notes = Note.objects.filter(session=row).exclude(movement__in=twins)
    note_pks = sorted(notes.values_list("pk", flat=True))
    notes.update(session=into)
    tags = set(row.tags.values_list("pk", flat=True))
    tags -= set(into.tags.values_list("pk", flat=True))
    into.tags.add(*tags)
    into.refresh_from_db(fields=[*_STATED, "condition", "data_state", "data_synced"])
    said = {}
    for name in _STATED:
        ours, theirs = getattr(into, name), getattr(row, name)
        if theirs and not ours:
            said[name] = {"before": ours, "after": theirs}
            setattr(into, name, theirs)
    state = joint_state([into.data_state, row.data_state])
    said["data_state"] = {"before": into.data_state, "after": state}
    synced = into.data_synced or row.data_synced
    said["data_synced"] = {"before": into.data_synced, "after": synced}
    into.data_state, into.data_synced = state, synced
    set_up = []
    if row.condition != into.condition:
        # Its swings were hit as their own part says.
        own = Movement.objects.filter(folded_from=row, condition__isnull=True)
        set_up = sorted(own.values_list("pk", flat=True))
        Movement.objects.filter(pk__in=set_up).update(condition=row.condition)
    into.save(update_fields=[*_STATED, "data_state", "data_synced", "updated_at"])
    SessionMetric.objects.filter(session=row).delete()
    Session.objects.filter(pk=row.pk).update(
        folded_into=into, swing_count=0, summary={}, updated_at=now
    )
    entry = _merge_of(row)
    folds = entry.changes.get("folds", {})
    folds[str(row.pk)] = {
        "offset": offset,
        "notes": note_pks,
        "tags": sorted(tags),
        "set_up": set_up,
        "said": said,
        "rows": move_rows(Session, row.pk, into.pk),
    }
    note_changes(entry, folds=folds)


def _unfold(row: Session) -> None:
    """Move what belongs to `row` back to it, as people have left it since."""
    entry = _merge_of(row)
    folds = entry.changes["folds"]
    fold = folds.pop(str(row.pk))
    into = Session.objects.get(folded=row)
    now = timezone.now()
    # They follow their own session again; what a person said since stays.
    Movement.objects.filter(
        pk__in=fold.get("set_up", []), folded_from=row, condition=row.condition
    ).update(condition=None)
    Movement.objects.filter(folded_from=row).update(
        session=row,
        folded_from=None,
        org_movement_id=F("name_at_vendor"),
        name_at_vendor="",
        position=F("position") - fold["offset"],
        updated_at=now,
    )
    Note.objects.filter(
        Q(pk__in=fold["notes"]) | Q(movement__session=row), session=into
    ).update(session=row)
    into.tags.remove(*fold["tags"])
    changed = []
    for name, change in fold["said"].items():
        if getattr(into, name) == change["after"] != change["before"]:
            setattr(into, name, change["before"])
            changed.append(name)
    into.save(update_fields=[*changed, "updated_at"])
    move_rows_back(Session, fold["rows"], row.pk, into.pk)
    Session.objects.filter(pk=row.pk).update(folded_into=None, updated_at=now)
    row.folded_into_id = None
    note_changes(entry, folds=folds)


def joint_state(states: Iterable[str]) -> str:
    """How complete the frames of several parts of one session are.

    A part without data takes nothing away: the athlete swung under the other id.
    """
    found = set(states)
    if len(found) > 1:
        found.discard(DataState.NO_DATA)
    if len(found) == 1:
        return found.pop()
    return DataState.WAITING if DataState.WAITING in found else DataState.PARTIAL


def note_changes(entry: AthleteMerge, **changes: Any) -> None:
    """Add to what a merge remembers for undoing it."""
    entry.refresh_from_db(fields=["changes"])
    entry.changes |= changes
    entry.save(update_fields=["changes"])
