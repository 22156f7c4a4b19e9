"""Movements and their frames into the database, a whole file at a time."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from athletes.bulk_sql import update_rows
from athletes.frames import carrying, presence
from athletes.frames.packing import PackedMovement
from athletes.models import (
    BiomechanicsData,
    DataType,
    Movement,
    Session,
)
from biomechanics.analysis_types import json_safe
from biomechanics.vendor_contact import VendorEvents

# Blobs of one statement: a statement holds them a few times over in memory.
_FRAMES_PER_INSERT = 8


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How many movements of one file were new, changed or the same when it was stored.

    `changed_ids` are the movements whose frames are new or other than before, and
    whose numbers therefore have to be computed again; `moved_ids` those that are gone
    or back, so that the averages of their session are others.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    movements_created: int = 0
    changed_ids: tuple[int, ...] = ()
    moved_ids: tuple[int, ...] = ()

    @property
    def seen(self) -> int:
        """Return how many movements the file holds."""
        return self.created + self.updated + self.unchanged


def store_frames(
    *,
    session_pk: int,
    data_type: str,
    movements: Iterable[PackedMovement],
    is_whole_session: bool = True,
) -> StoreCounts:
    """Store the frames of one file, all of its movements or none, and count them.

    The same file again writes nothing. A movement that an earlier file of this
    type held and this one does not is marked missing, not deleted. Movements
    keep the position they were first given; new ones follow in the file's order.

    A caller that has more to write in the same transaction opens it and writes after
    this call: an error of either takes both back.

    Parameters
    ----------
    session_pk
        The athlete's part of the session, by our key.
    movements
        Each with an id of its own.
    is_whole_session
        Off for a file that says nothing about movements which it does not hold.

    Raises
    ------
    ValueError
        There is no movement, or two have one id, or one has none.
    """
    incoming: dict[str, PackedMovement] = {}
    for movement in movements:
        if not movement.org_movement_id:
            raise ValueError("A movement of the file has no id; give it one.")
        if movement.org_movement_id in incoming:
            raise ValueError("The file holds one movement in two places; join them.")
        incoming[movement.org_movement_id] = movement
    if not incoming:
        raise ValueError("The file holds no movement.")
    with transaction.atomic(savepoint=False):
        return _write_frames(
            session_pk, DataType(data_type).value, incoming, is_whole_session
        )


def _write_frames(
    session_pk: int,
    data_type: str,
    incoming: Mapping[str, PackedMovement],
    is_whole_session: bool,
) -> StoreCounts:
    """Write new and changed frames of one file, and count them by movement."""
    now = timezone.now()
    movements, created, is_gone = _movements_of(session_pk, incoming)
    rows = {
        row.movement_id: row
        for row in BiomechanicsData.objects.filter(
            movement_id__in=[movement.pk for movement in movements.values()],
            data_type=data_type,
        ).only("movement", "content_sha256", "repairs", "missing_since")
    }
    held = carrying.Held()
    if data_type == DataType.INVERSE_KINEMATICS:
        held = carrying.hold(_replaced(incoming, movements, rows))
    new: list[BiomechanicsData] = []
    changed: list[int] = []
    updated = 0
    for item in incoming.values():
        movement_id = movements[item.org_movement_id].pk
        row = rows.get(movement_id)
        values = _frame_values(item)
        if row is None:
            new.append(
                BiomechanicsData(movement_id=movement_id, data_type=data_type, **values)
            )
            changed.append(movement_id)
        elif row.content_sha256 != values["content_sha256"]:
            # Not by the row: its frames are deferred, and only these fields change.
            BiomechanicsData.objects.filter(pk=row.pk).update(**values, updated_at=now)
            changed.append(movement_id)
            updated += 1
        elif row.repairs != values["repairs"]:
            BiomechanicsData.objects.filter(pk=row.pk).update(
                repairs=values["repairs"], updated_at=now
            )
            updated += 1
    BiomechanicsData.objects.bulk_create(new, batch_size=_FRAMES_PER_INSERT)
    present = [movements[name].pk for name in incoming]
    _mark_missing(rows.values(), set(present), now, is_whole_session)
    carrying.carry(held)
    if data_type == DataType.INVERSE_KINEMATICS and is_whole_session:
        known = [
            movement.pk
            for movement in sorted(movements.values(), key=lambda m: m.position)
            if movement.pk in rows and rows[movement.pk].missing_since is None
        ]
        carrying.recognize(session_pk, known, present)
    moved = _settle(session_pk, movements, names=incoming, is_gone=is_gone)
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
        changed_ids=tuple(changed),
        moved_ids=tuple(sorted(moved)),
    )


def _replaced(
    incoming: Mapping[str, PackedMovement],
    movements: Mapping[str, Movement],
    rows: Mapping[int, BiomechanicsData],
) -> list[int]:
    """The movements that have other frames in the file than those stored."""
    found = []
    for name, item in incoming.items():
        row = rows.get(movements[name].pk)
        if row is not None and row.content_sha256 != item.frames.sha256:
            found.append(row.movement_id)
    return found


def _movements_of(
    session_pk: int,
    names: Iterable[str],
    metadata: Mapping[str, dict[str, Any]] | None = None,
) -> tuple[dict[str, Movement], int, bool]:
    """Return all movements of an athlete's part of a session, and how many are new.

    The third is whether the part itself is marked gone. Movements are by the vendor's
    id; those of `names` that there are not yet are created, with their `metadata`. A
    folded part (athletes.identity.merging) has its movements in the row that shows it,
    where their names say whose they are.

    The lock makes files of one session wait for each other, so that two of them
    neither create the same movement nor give two movements one position. SQLite has
    one writer at a time and needs no lock.
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
    return movements, len(new), part.missing_since is not None


def _settle(
    session_pk: int,
    movements: Mapping[str, Movement],
    names: Collection[str],
    *,
    is_gone: bool,
) -> set[int]:
    """Mark what is gone of a part, clear what is back; `names` are in the new file.

    Nothing is asked where the file holds all that there is, as in a first sync, unless
    the part was marked gone while its file was under way.
    """
    is_marked = any(movement.missing_since for movement in movements.values())
    if len(names) == len(movements) and not is_marked and not is_gone:
        return set()
    return presence.settle([session_pk])


def _frame_values(movement: PackedMovement) -> dict[str, Any]:
    """Return the fields of a row that follow from the file."""
    packed = movement.frames
    return {
        "frames": packed.data,
        "header_size": packed.header_size,
        "byte_size": len(packed.data),
        "frame_count": packed.frame_count,
        "column_count": packed.column_count,
        "content_sha256": packed.sha256,
        "repairs": list(movement.repairs),
    }


def _mark_missing(
    rows: Iterable[BiomechanicsData],
    present: set[int],
    now: dt.datetime,
    is_whole_session: bool,
) -> None:
    """Mark the frames that the newest file lacks, and clear what has come back."""
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
    if gone:
        BiomechanicsData.objects.filter(pk__in=gone).update(missing_since=now)


def store_movement_metadata(
    *,
    session_pk: int,
    rows: Mapping[str, Mapping[str, Any]],
    is_whole_session: bool = True,
) -> StoreCounts:
    """Store what the metadata export says of each movement, and count the movements.

    ``rows`` are by the vendor's id of the movement. A movement that is only known from
    here is created; it has no frames yet. It is gone when the list no longer names it.
    For the transaction and `is_whole_session` see `store_frames`.
    """
    values = {name: json_safe(dict(row)) for name, row in rows.items()}
    with transaction.atomic(savepoint=False):
        movements, created, is_gone = _movements_of(session_pk, values, values)
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
        if is_whole_session:
            presence.note_listed(session_pk, values)
        moved = _settle(session_pk, movements, names=values, is_gone=is_gone)
    return StoreCounts(
        created=created,
        updated=len(changed),
        unchanged=len(values) - len(changed) - created,
        movements_created=created,
        moved_ids=tuple(sorted(moved)),
    )


def vendor_events(row: Mapping[str, Any] | None) -> VendorEvents | None:
    """Return the events that a row of processed metrics names; None without a row."""
    if not row:
        return None
    impact, peak_velocity, foot_down = (
        float(value) if isinstance(value := row.get(name), int | float) else None
        for name in ("impact_event", "peak_velocity_event", "foot_down_event")
    )
    return VendorEvents(impact, peak_velocity, foot_down)


def store_vendor_metrics(
    *,
    session_pk: int,
    rows: Mapping[str, Mapping[str, Any]],
) -> StoreCounts:
    """Store the vendor's processed metrics of each movement, and count the movements.

    As `store_movement_metadata`. The numbers of a movement whose events changed are to
    be computed again: these are the `changed_ids`.
    """
    values = {name: json_safe(dict(row)) for name, row in rows.items()}
    with transaction.atomic(savepoint=False):
        movements, created, is_gone = _movements_of(session_pk, values)
        stored = dict(
            Movement.objects.of_part(session_pk)
            .order_by()
            .values_list("pk", "vendor_metrics")
        )
        before = {name: stored.get(movements[name].pk) or {} for name in values}
        changed = [name for name, row in values.items() if before[name] != row]
        outdated = [
            movements[name].pk
            for name in changed
            if vendor_events(before[name]) != vendor_events(values[name])
        ]
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        update_rows(
            "movements",
            {"id": "bigint", "vendor_metrics": "jsonb", "updated_at": "timestamptz"},
            [[movements[name].pk, json.dumps(values[name]), now] for name in changed],
        )
        Movement.objects.filter(pk__in=outdated).exclude(method_version="").update(
            method_version=""
        )
        # This list does not tell who is gone, but what it begins goes with its part.
        moved = presence.settle([session_pk]) if is_gone and created else set()
    return StoreCounts(
        created=created,
        updated=max(0, len(changed) - created),
        unchanged=len(values) - max(len(changed), created),
        movements_created=created,
        changed_ids=tuple(outdated),
        moved_ids=tuple(sorted(moved)),
    )
