"""Writes over several rows of the domain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.models import User
from athletes import analysis, peers, timeseries
from athletes.biomechanics.results import EVENT_NAMES, json_safe
from athletes.models import (
    BiomechanicsData,
    DataState,
    DataType,
    EventCorrection,
    Inclusion,
    InclusionDecision,
    Movement,
    Player,
    Session,
    SessionMetric,
)
from athletes.timeseries import Array, PackedFrames, PreparedFrames

# Blobs of one statement: a statement holds them a few times over in memory.
_FRAMES_PER_INSERT = 8


@dataclass(frozen=True, slots=True)
class IncomingMovement:
    """One movement out of an export file, ready to be stored.

    `columns` by canonical name, `originals` the names as the file spelt them,
    `repairs` what the reader had to mend, in plain words. In place of columns there
    may be frames that were `packed` elsewhere.
    """

    org_movement_id: str
    columns: Mapping[str, Array] = field(default_factory=dict)
    repairs: Sequence[Any] = ()
    originals: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    packed: PackedFrames | None = None


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """What storing one file came to, counted in movements of that file.

    `changed_ids` are the movements whose frames are new or other than before, and
    whose numbers therefore have to be computed again.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    movements_created: int = 0
    movements_missing: int = 0
    movements_returned: int = 0
    changed_ids: tuple[int, ...] = ()

    @property
    def seen(self) -> int:
        return self.created + self.updated + self.unchanged


@dataclass(slots=True)
class _Prepared:
    """A movement of the file; `packed` is None when these frames are stored."""

    org_movement_id: str
    sha256: str
    repairs: list[Any]
    packed: PackedFrames | None


def store_frames(
    *,
    session_pk: int,
    data_type: str,
    movements: Iterable[IncomingMovement],
    is_whole_session: bool = True,
    confirm: Callable[[], None] | None = None,
) -> StoreCounts:
    """Store the frames of one file: all of its movements, or none.

    The same file again writes nothing. A movement that an earlier file of this
    type held and this one does not is marked missing, not deleted; with
    `is_whole_session` off the file says nothing about other movements. Movements
    keep the position they were first given; new ones follow in the file's order.

    `movements` may be a generator: each is packed as it comes, so that only the
    packed bytes of a large file are in memory, and the transaction begins when the
    file has been read to its end. `confirm` is called at its end: what it raises
    takes everything back.
    """
    data_type = DataType(data_type).value
    hashes: dict[str, str] | None = None
    incoming: dict[str, _Prepared] = {}
    for movement in movements:
        if movement.org_movement_id in incoming:
            raise ValueError("The file holds one movement in two places; join them.")
        if movement.packed is not None:
            incoming[movement.org_movement_id] = _of_packed(movement, movement.packed)
            continue
        if hashes is None:
            hashes = _stored_hashes(session_pk, data_type)
        incoming[movement.org_movement_id] = _prepared(
            movement, hashes.get(movement.org_movement_id)
        )
    if not incoming:
        raise ValueError("The file holds no movement.")
    with transaction.atomic():
        counts = _write_frames(session_pk, data_type, incoming, is_whole_session)
        if confirm is not None:
            confirm()
        return counts


def _stored_hashes(session_pk: int, data_type: str) -> dict[str, str]:
    """Hashes of the stored frames of one type, by the vendor's id of the movement."""
    return {
        vendor_name or name: sha256
        for name, vendor_name, sha256 in BiomechanicsData.objects.filter(
            movement__in=Movement.objects.of_part(session_pk), data_type=data_type
        )
        .order_by()
        .values_list(
            "movement__org_movement_id", "movement__name_at_vendor", "content_sha256"
        )
    }


def _prepared(movement: IncomingMovement, stored_sha256: str | None) -> _Prepared:
    """Packed, unless the same frames are stored already."""
    frames = PreparedFrames(
        movement.columns, originals=movement.originals, units=movement.units
    )
    return _Prepared(
        org_movement_id=movement.org_movement_id,
        sha256=frames.sha256,
        repairs=json_safe(list(movement.repairs)),
        packed=None if frames.sha256 == stored_sha256 else frames.pack(),
    )


def _of_packed(movement: IncomingMovement, packed: PackedFrames) -> _Prepared:
    return _Prepared(
        org_movement_id=movement.org_movement_id,
        sha256=packed.sha256,
        repairs=json_safe(list(movement.repairs)),
        packed=packed,
    )


def _write_frames(
    session_pk: int,
    data_type: str,
    incoming: Mapping[str, _Prepared],
    is_whole_session: bool,
) -> StoreCounts:
    now = timezone.now()
    movements, created = _movements_of(session_pk, incoming)
    rows = {
        row.movement_id: row
        for row in BiomechanicsData.objects.filter(
            movement_id__in=[movement.pk for movement in movements.values()],
            data_type=data_type,
        ).only("movement", "content_sha256", "repairs", "missing_since")
    }
    new: list[BiomechanicsData] = []
    changed: list[int] = []
    updated = 0
    for item in incoming.values():
        movement_id = movements[item.org_movement_id].pk
        row = rows.get(movement_id)
        if row is None and item.packed is None:
            raise RuntimeError(
                "Frames were deleted while the same ones were being stored; "
                "store the file again."
            )
        if row is None and item.packed is not None:
            new.append(_row_of(movement_id, data_type, item, item.packed))
            changed.append(movement_id)
        elif (
            row is not None
            and item.packed is not None
            and row.content_sha256 != item.sha256
        ):
            # Not by the row: its frames are deferred, and only these fields change.
            BiomechanicsData.objects.filter(pk=row.pk).update(
                **_frame_values(item, item.packed), updated_at=now
            )
            changed.append(movement_id)
            updated += 1
        elif row is not None and row.repairs != item.repairs:
            BiomechanicsData.objects.filter(pk=row.pk).update(
                repairs=item.repairs, updated_at=now
            )
            updated += 1
    BiomechanicsData.objects.bulk_create(new, batch_size=_FRAMES_PER_INSERT)
    present = {movements[name].pk for name in incoming}
    missing, returned = _mark_missing(
        rows.values(), present, movements.values(), now, is_whole_session
    )
    # Numbers of other frames are not of any version, until computed again. Whoever
    # gives a movement its version holds the session meanwhile, as we do.
    outdated = {m.pk for m in movements.values() if m.method_version}
    if outdated := outdated.intersection(changed):
        Movement.objects.filter(pk__in=outdated).update(
            method_version="", updated_at=now
        )
    return StoreCounts(
        created=len(new),
        updated=updated,
        unchanged=len(incoming) - len(new) - updated,
        movements_created=created,
        movements_missing=missing,
        movements_returned=returned,
        changed_ids=tuple(changed),
    )


def _movements_of(
    session_pk: int,
    names: Iterable[str],
    metadata: Mapping[str, dict[str, Any]] | None = None,
) -> tuple[dict[str, Movement], int]:
    """All movements of one part of a session by vendor id, those of `names` created.

    A folded part (athletes.merging) has its movements in the row that shows it, where
    their names say whose they are. The lock makes files of one session wait for each
    other, so that two of them neither create the same movement nor give two movements
    one position. SQLite has one writer at a time and needs no lock. `metadata` is kept
    with the created ones.
    """
    metadata = metadata or {}
    part = Session.objects.select_for_update(no_key=True).get(pk=session_pk)
    shown_pk = part.whole_id
    if shown_pk != session_pk:
        Session.objects.select_for_update(no_key=True).only("pk").get(pk=shown_pk)
    found = list(
        Movement.objects.filter(session_id__in={session_pk, shown_pk}).only(
            "org_movement_id",
            "name_at_vendor",
            "folded_from",
            "session",
            "position",
            "missing_since",
            "method_version",
        )
    )
    movements = {
        movement.vendor_name: movement
        for movement in found
        if (movement.folded_from_id or movement.session_id) == session_pk
    }
    position = max((m.position for m in found if m.session_id == shown_pk), default=0)
    new = [
        Movement(
            session_id=shown_pk,
            position=position + place,
            metadata=metadata.get(name, {}),
            **(
                {"org_movement_id": name} if shown_pk == session_pk else part.fold(name)
            ),
        )
        for place, name in enumerate(
            (name for name in names if name not in movements), start=1
        )
    ]
    for movement in Movement.objects.bulk_create(new):
        movements[movement.vendor_name] = movement
    return movements, len(new)


def _frame_values(item: _Prepared, packed: PackedFrames) -> dict[str, Any]:
    return {
        "frames": packed.data,
        "header_size": packed.header_size,
        "byte_size": len(packed.data),
        "frame_count": packed.frame_count,
        "column_count": packed.column_count,
        "content_sha256": packed.sha256,
        "repairs": item.repairs,
    }


def _row_of(
    movement_id: int, data_type: str, item: _Prepared, packed: PackedFrames
) -> BiomechanicsData:
    return BiomechanicsData(
        movement_id=movement_id, data_type=data_type, **_frame_values(item, packed)
    )


def _mark_missing(
    rows: Iterable[BiomechanicsData],
    present: set[int],
    movements: Iterable[Movement],
    now: dt.datetime,
    is_whole_session: bool,
) -> tuple[int, int]:
    """Mark what the newest file lacks, and clear what has come back.

    A movement is missing once no newest file of any of its data types holds it:
    one type alone may lack a movement that the other has.
    """
    rows = list(rows)
    gone = [
        row.pk
        for row in rows
        if is_whole_session
        and row.movement_id not in present
        and row.missing_since is None
    ]
    back = [
        row.pk
        for row in rows
        if row.movement_id in present and row.missing_since is not None
    ]
    if back:
        BiomechanicsData.objects.filter(pk__in=back).update(missing_since=None)
    returned = [m.pk for m in movements if m.missing_since and m.pk in present]
    if returned:
        Movement.objects.filter(pk__in=returned).update(
            missing_since=None, updated_at=now
        )
    missing = 0
    if gone:
        BiomechanicsData.objects.filter(pk__in=gone).update(missing_since=now)
        missing = (
            Movement.objects.filter(biomechanics__in=gone, missing_since__isnull=True)
            .exclude(
                pk__in=BiomechanicsData.objects.filter(
                    missing_since__isnull=True
                ).values("movement_id")
            )
            .update(missing_since=now, updated_at=now)
        )
    return missing, len(returned)


def store_movement_metadata(
    *,
    session_pk: int,
    rows: Mapping[str, Mapping[str, Any]],
    confirm: Callable[[], None] | None = None,
) -> StoreCounts:
    """Keep what the metadata export says of each movement, by vendor id.

    A movement that is only known from here is created; it has no frames yet.
    `confirm` as in `store_frames`.
    """
    values = {name: json_safe(dict(row)) for name, row in rows.items()}
    with transaction.atomic():
        movements, created = _movements_of(session_pk, values, values)
        changed = []
        if created < len(movements):
            stored = {
                vendor_name or name: metadata
                for name, vendor_name, metadata in Movement.objects.of_part(session_pk)
                .order_by()
                .values_list("org_movement_id", "name_at_vendor", "metadata")
            }
            changed = [name for name, row in values.items() if stored.get(name) != row]
        now = timezone.now()
        for name in changed:
            movements[name].metadata = values[name]
            movements[name].updated_at = now
        if changed:
            Movement.objects.bulk_update(
                [movements[name] for name in changed],
                ["metadata", "updated_at"],
                batch_size=200,
            )
        if confirm is not None:
            confirm()
    return StoreCounts(
        created=created,
        updated=len(changed),
        unchanged=len(values) - len(changed) - created,
        movements_created=created,
    )


# --- What pages sort athletes by -------------------------------------------------

_PLAYERS_AT_ONCE = 500
_PLAYER_SUMMARY = (
    "last_session_on",
    "session_count",
    "swing_count",
    "data_state",
    "latest_hand_speed_m_per_s",
    "latest_bat_speed_m_per_s",
)


def refresh_player_summaries(player_ids: Iterable[int]) -> int:
    """Bring the columns that lists sort by up to date; how many athletes changed.

    To be called after sessions of these athletes came, went, got new numbers or
    another day or condition. Where they lie among all athletes follows.
    """
    ids = sorted(set(player_ids))
    changed = 0
    for start in range(0, len(ids), _PLAYERS_AT_ONCE):
        changed += _refresh_players(ids[start : start + _PLAYERS_AT_ONCE])
    peers.refresh(ids)
    return changed


def _refresh_players(ids: Sequence[int]) -> int:
    def sessions_in(*states: DataState) -> Count:
        return Count("sessions", filter=Q(sessions__data_state__in=states))

    players: Iterable[Any] = (
        Player.objects.filter(pk__in=ids)
        .annotate(
            found_last=Max("sessions__session_date"),
            found_sessions=Count("sessions"),
            found_swings=Coalesce(Sum("sessions__swing_count"), 0),
            waiting=sessions_in(DataState.WAITING),
            failed=sessions_in(DataState.FAILED),
            partial=sessions_in(DataState.PARTIAL),
            complete=sessions_in(DataState.COMPLETE),
            found_hand=_latest_mean("peak_hand_speed"),
            found_bat=_latest_mean("bat_speed_max"),
        )
        .only("pk", *_PLAYER_SUMMARY)
        .order_by()
    )
    changed = []
    for player in players:
        found = (
            player.found_last,
            player.found_sessions,
            player.found_swings,
            _joint_state(player),
            player.found_hand,
            player.found_bat,
        )
        if found != tuple(getattr(player, name) for name in _PLAYER_SUMMARY):
            for name, value in zip(_PLAYER_SUMMARY, found, strict=True):
                setattr(player, name, value)
            changed.append(player)
    if changed:
        with transaction.atomic():
            # One statement over several rows takes them as they lie; two writers that
            # share two athletes would wait for each other.
            peers.lock_players(player.pk for player in changed)
            # updated_at stays: it tells when the athlete's own facts changed.
            Player.objects.bulk_update(changed, _PLAYER_SUMMARY)
    return len(changed)


def _latest_mean(metric: str) -> Subquery:
    """Mean of the newest session that has the metric."""
    rows = SessionMetric.objects.filter(
        session__player=OuterRef("pk"), metric=metric
    ).order_by(
        F("session__session_date").desc(nulls_last=True), "-session_id", "-n", "id"
    )
    return Subquery(rows.values("mean")[:1])


def _joint_state(player: Any) -> str:
    """How complete the frames of all sessions of an athlete are, in one word."""
    if not player.found_sessions:
        return DataState.NONE
    if player.waiting:
        return DataState.WAITING
    if player.partial or (player.failed and player.complete):
        return DataState.PARTIAL
    if player.failed:
        return DataState.FAILED
    return DataState.COMPLETE if player.complete else DataState.NO_DATA


# --- Decisions of people ----------------------------------------------------------


def set_inclusion(
    *, movement: Movement, inclusion: str, reason: str, user: User
) -> Movement:
    """Count a movement in or out, or leave it to its quality again; with a history.

    Means of the session and the athlete's summary follow at once.
    """
    if inclusion not in Inclusion.values:
        raise ValidationError({"inclusion": f"“{inclusion}” is not a choice."})
    reason = _reason(reason, needed=inclusion != Inclusion.AUTOMATIC)
    with transaction.atomic():
        movement = _locked(movement)
        if (movement.inclusion, movement.inclusion_reason) == (inclusion, reason):
            return movement
        movement.inclusion = inclusion
        movement.inclusion_reason = reason
        movement.save(update_fields=["inclusion", "inclusion_reason", "updated_at"])
        InclusionDecision.objects.create(
            movement=movement, inclusion=inclusion, reason=reason, created_by=user
        )
        analysis.summarise(movement.session_id)
        refresh_player_summaries([movement.session.player_id])
    return movement


def save_conditions(session: Session) -> None:
    """Store condition and bat of a session, and nothing else of it.

    Numbers of another condition are other numbers: where the athlete lies among all
    follows at once.
    """
    with transaction.atomic():
        # Only these: the sync may be writing the same row.
        session.save(update_fields=["condition", "bat", "updated_at"])
        peers.refresh([session.player_id])


def move_event(
    *, movement: Movement, event: str, time_s: float, reason: str, user: User
) -> EventCorrection:
    """Put an event of a movement where a person sees it.

    `time_s` is on the clock of the file. The automatic time is kept, an earlier
    correction of the same event becomes history, and every number that depends on
    the event is computed again before this returns.
    """
    if event not in EVENT_NAMES:
        raise ValidationError({"event": f"There is no event “{event}”."})
    reason = _reason(reason, needed=False)
    with transaction.atomic():
        movement = _locked(movement)
        _check_time(movement, time_s)
        automatic = (movement.automatic_events.get(event) or {}).get("time_s")
        _undo(movement, event, user)
        correction = EventCorrection.objects.create(
            movement=movement,
            event=event,
            time_s=time_s,
            automatic_time_s=automatic,
            reason=reason,
            created_by=user,
        )
        _analyse_again(movement)
    return correction


def undo_event(*, movement: Movement, event: str, user: User) -> EventCorrection:
    """Take back the correction of an event; the automatic time holds again."""
    with transaction.atomic():
        movement = _locked(movement)
        correction = _undo(movement, event, user)
        if correction is None:
            raise ValidationError({"event": "This event has not been moved."})
        _analyse_again(movement)
    return correction


def _locked(movement: Movement) -> Movement:
    """The movement as it is now, its session locked as all writers here do."""
    # The athlete may have been erased since the page was asked for.
    get_object_or_404(
        Session.objects.select_for_update(no_key=True).only("pk"),
        pk=movement.session_id,
    )
    return get_object_or_404(Movement.objects.select_related("session"), pk=movement.pk)


def _undo(movement: Movement, event: str, user: User) -> EventCorrection | None:
    correction = movement.event_corrections.filter(
        event=event, undone_at__isnull=True
    ).first()
    if correction is not None:
        correction.undone_by = user
        correction.undone_at = timezone.now()
        correction.save(update_fields=["undone_by", "undone_at"])
    return correction


def _check_time(movement: Movement, time_s: float) -> None:
    clock = timeseries.load_columns(
        [movement.pk], DataType.INVERSE_KINEMATICS, ["time"]
    ).get(movement.pk, {})
    times = clock.get("time")
    if times is None or not np.isfinite(times).any():
        raise ValidationError(
            {"time_s": "This movement has no frames in which an event could be."}
        )
    first, last = float(np.nanmin(times)), float(np.nanmax(times))
    if not first <= time_s <= last:  # also refuses NaN
        raise ValidationError(
            {"time_s": f"The time must lie between {first:.3f} and {last:.3f} s."}
        )


def _analyse_again(movement: Movement) -> None:
    counts = analysis.analyse_movements([movement.pk])
    if counts.failed:
        # Nothing of this transaction stays, so the numbers from before hold on.
        raise ValidationError(
            "With the event at this time the numbers could not be computed."
        )
    refresh_player_summaries([movement.session.player_id])


def _reason(reason: str, *, needed: bool) -> str:
    reason = reason.strip()
    if needed and not reason:
        raise ValidationError({"reason": "Say why, for those who come after."})
    limit = 300
    if len(reason) > limit:
        raise ValidationError({"reason": f"At most {limit} characters."})
    return reason


#: What the numbers of a swing take from the athlete's profile.
PROFILE_FIELDS = frozenset({"height_ft", "weight_lbs", "dominant_hand_hitting"})


def outdate_numbers(
    *, player_ids: Iterable[int] = (), session_ids: Iterable[int] = ()
) -> set[int]:
    """Mark the numbers of these athletes or sessions as old.

    Because a profile changed, or because somebody wants them computed again.

    Returns the sessions (our ids) that are to be computed again; the next
    `analyse_session` of each does it, and so does `recompute_metrics`.
    """
    movements = Movement.objects.filter(
        Q(session__player_id__in=list(player_ids)) | Q(session_id__in=list(session_ids))
    )
    sessions = set(movements.order_by().values_list("session_id", flat=True))
    movements.update(method_version="", updated_at=timezone.now())
    return sessions
