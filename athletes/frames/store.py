"""Writes over several rows of the domain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from athletes.frames.format import Array, PackedFrames
from athletes.frames.packing import PreparedFrames
from athletes.models import (
    BiomechanicsData,
    DataType,
    Movement,
    Session,
)
from biomechanics.analysis_types import json_safe

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

    A folded part (athletes.identity.merging) has its movements in the row that shows
    it, where their names say whose they are.
    The lock makes files of one session wait for each
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


# --- Decisions of people ----------------------------------------------------------
