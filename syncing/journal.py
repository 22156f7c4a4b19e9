"""What an upload by hand began and replaced, written down so that it can be undone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder

from athletes.models import (
    BiomechanicsData,
    DataType,
    HandUpload,
    Movement,
    ReplacedFrames,
    Session,
)
from syncing.choices import ExportType
from syncing.models import ExportJob

if TYPE_CHECKING:
    from syncing.engine.incoming import IncomingFiles

#: The column of a movement in which a file of one row for each movement is kept.
ROW_FIELDS = {
    ExportType.METADATA.value: "metadata",
    ExportType.HITTING_METRICS.value: "vendor_metrics",
}
#: What frames consist of, in their table and in that of replaced ones.
FRAME_FIELDS = (
    *("frames", "header_size", "byte_size", "frame_count", "column_count"),
    *("content_sha256", "repairs", "missing_since"),
)
#: What an upload writes into a job.
JOB_FIELDS = (
    *("state", "stored_at", "sha256", "bytes", "rows", "movements", "repairs"),
    *("next_try_at", "last_error", "error_code", "last_run_id"),
)


def hash_of(value: Any) -> str:
    """Return a hash of what a file said of a movement."""
    text = json.dumps(value or {}, sort_keys=True, cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return a value as JSON keeps it."""
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


@contextmanager
def noted(
    upload: HandUpload, session: Session, data_type: str, incoming: IncomingFiles
) -> Iterator[None]:
    """Note what storing the files of one data type changes, inside its transaction.

    The transaction is the caller's: what is stored and the note of it are kept together
    or not at all.
    """
    # As whoever stores does, so that nothing changes in between.
    Session.objects.select_for_update(no_key=True).only("pk").get(pk=session.pk)
    movements = Movement.objects.of_part(session.pk).order_by()
    before = {item.vendor_name: item.pk for item in movements.only(*_NAMES)}
    job = ExportJob.objects.filter(session=session, data_type=data_type).first()
    upload.before.setdefault("jobs", {})[data_type] = (
        None
        if job is None
        else plain({name: getattr(job, name) for name in JOB_FIELDS})
    )
    if data_type in DataType.values:
        had = _note_frames(upload, before, data_type, incoming)
    else:
        _note_rows(upload, before, ROW_FIELDS[data_type], incoming)
        had = set()
    yield
    after = {item.vendor_name: item.pk for item in movements.only(*_NAMES)}
    upload.created.setdefault("movements", []).extend(
        sorted(set(after.values()) - set(before.values()))
    )
    if data_type in DataType.values:
        for movement in incoming.movements:
            pk = after[movement.org_movement_id]
            row = [pk, data_type, movement.frames.sha256]
            upload.contents.append(row)
            if pk not in had:
                upload.created.setdefault("frames", []).append(row)
    else:
        stored = dict(
            Movement.objects.filter(
                pk__in=[after[name] for name in incoming.rows]
            ).values_list("pk", ROW_FIELDS[data_type])
        )
        upload.contents += [
            [pk, data_type, hash_of(value)] for pk, value in sorted(stored.items())
        ]
    upload.save(update_fields=["before", "created", "contents"])


_NAMES = ("org_movement_id", "name_at_vendor")


def _note_frames(
    upload: HandUpload, before: dict[str, int], data_type: str, incoming: IncomingFiles
) -> set[int]:
    """Keep frames that other ones are about to replace; return who has any."""
    hashes = {
        before[movement.org_movement_id]: movement.frames.sha256
        for movement in incoming.movements
        if movement.org_movement_id in before
    }
    rows = BiomechanicsData.objects.filter(movement__in=hashes, data_type=data_type)
    had = dict(rows.values_list("movement_id", "content_sha256"))
    upload.before.setdefault("missing", []).extend(
        [pk, data_type, since.isoformat()]
        for pk, since in rows.values_list("movement_id", "missing_since")
        if since is not None and had[pk] == hashes[pk]
    )
    other = [pk for pk, sha256 in had.items() if hashes[pk] != sha256]
    for pk in other:
        # One at a time: each is some hundred kilobytes.
        row = rows.get(movement=pk)
        ReplacedFrames.objects.create(
            upload=upload,
            movement_id=pk,
            data_type=data_type,
            **{name: getattr(row, name) for name in FRAME_FIELDS},
        )
    return set(had)


def _note_rows(
    upload: HandUpload, before: dict[str, int], field: str, incoming: IncomingFiles
) -> None:
    """Keep what movements say before a file of rows says something else."""
    known = [before[name] for name in incoming.rows if name in before]
    upload.before.setdefault(field, {}).update(
        {
            str(pk): value
            for pk, value in Movement.objects.filter(pk__in=known).values_list(
                "pk", field
            )
        }
    )
