"""Import of export files that a person downloaded from the vendor's dashboard.

They take the same way as those of the sync (`syncing.engine.incoming`). Every file is
read to its last row before anything is written; one that cannot be used refuses them
all, so that a person never has to find out which half arrived.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from athletes.analysis.run import analyze_session
from athletes.analysis.summaries import refresh_player_summaries
from athletes.identity import tombstones
from athletes.identity.session_parts import add_part, find_part, settle_twins
from athletes.models import HandUpload, Movement, Player, Session, UploadState
from athletes.names import search_words
from athletes.querysets import PlayerQuerySet
from syncing import clock, journal, preview
from syncing.choices import ExportType, JobState, Phase, RunKind, RunStatus, SyncType
from syncing.engine.incoming import (
    IncomingFiles,
    NeedsEachMovementError,
    read_limits,
    store_incoming,
    use_stored_ids,
)
from syncing.engine.movement_types import known_hitting_id
from syncing.engine.runs import claim_run, open_run
from syncing.engine.session_state import refresh_session_state
from syncing.filenames import dates_and_numbers, id_in_name, id_key
from syncing.ids import id_text
from syncing.listeners import tell_stored
from syncing.models import ExportJob, SyncLog
from syncing.reader.contents import RowsFile
from syncing.reader.errors import ExportFileError
from syncing.reader.packing import read_and_pack

if TYPE_CHECKING:
    from accounts.models import User

HITTING = "baseball-hitting"


class ImportRefusedError(Exception):
    """Files that were not imported; nothing was written, the text says what to do."""


@dataclass(frozen=True)
class GivenFile:
    """One file that a person gave; its name is shown, never trusted."""

    name: str
    file: BinaryIO


@dataclass(frozen=True)
class NewAthlete:
    """An athlete whom no sync has brought, and who is to be begun."""

    first_name: str
    last_name: str
    date_of_birth: dt.date | None = None


@dataclass
class ImportResult:
    """What an import stored: counts of movements, and repairs that were made."""

    run: SyncLog
    session: Session
    upload: HandUpload
    movements: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repairs: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass
class _FilesOfType:
    """All given files of one data type: what they hold, their hash and size."""

    incoming: IncomingFiles = field(default_factory=IncomingFiles)
    sha256: str = ""
    size: int = 0


def import_files(
    files: Sequence[GivenFile],
    *,
    org_player_id: str,
    session_id: str,
    session_date: dt.date | None = None,
    new_athlete: NewAthlete | None = None,
    upload: HandUpload | None = None,
    trigger: str,
    user: User | None = None,
) -> ImportResult:
    """Store what `files` hold as an athlete's part of a session, and return counts.

    A session that no sync has brought yet is begun here, and so is an athlete, but
    only as a `new_athlete` with a name: an unknown id is a mistyped one more often
    than not. The next sync recognizes both by the vendor's ids and fills in the rest.
    What was stored is noted in `upload` (`syncing.undoing`), which is a new one unless
    its files were staged before.

    Raises
    ------
    ImportRefusedError
        Before anything is written: a file cannot be used or another import is
        under way. Its text says what to do.
    """
    if not files:
        raise ImportRefusedError("No file was given. Choose at least one export file.")
    if not org_player_id.strip() or not session_id.strip():
        raise ImportRefusedError("Enter the Reboot IDs of the athlete and the session.")
    org_player_id = id_text(org_player_id) or org_player_id
    check_athlete(org_player_id, new_athlete)
    names = [given.name for given in files]
    refuse_another_athlete(names, org_player_id.strip())
    date_in_names, number_in_names = session_in_names(names)
    files_by_type = _read_all(files, org_player_id=org_player_id, session_id=session_id)
    warnings = _warnings(
        files_by_type,
        part=_part(org_player_id.strip(), session_id.strip()),
        date=session_date or date_in_names,
        new_athlete=new_athlete,
    )
    with transaction.atomic():
        # Together: nobody else takes up an import that this process opened and lost.
        log, is_new = open_run(
            trigger=trigger, sync_type=SyncType.UPLOAD, user=user, kind=RunKind.UPLOAD
        )
        claimed = claim_run(log.pk) if is_new else None
    if claimed is None:
        raise ImportRefusedError(
            "Another upload is running. Wait for it to finish, then try again; none "
            "of your files were stored."
        )
    try:
        result = _store_all(
            files_by_type,
            log=claimed,
            org_player_id=org_player_id.strip(),
            session_id=session_id.strip(),
            session_date=session_date or date_in_names,
            session_num=number_in_names,
            new_athlete=new_athlete,
            upload=upload or HandUpload(created_by=user, files=files_json(files)),
        )
    except BaseException as error:
        _finish(
            claimed,
            status=RunStatus.FAILED,
            error_message=f"The upload was interrupted ({type(error).__name__}). Try "
            "again; files already stored are recognized.",
            error_class=type(error).__name__[:100],
        )
        raise
    _finish(claimed, status=RunStatus.SUCCESS, phase=Phase.DONE)
    result.warnings = warnings
    return result


def check_athlete(org_player_id: str, new_athlete: NewAthlete | None) -> None:
    """Refuse an id that nobody has, unless a new athlete is meant, and the reverse.

    Raises
    ------
    ImportRefusedError
        Its text says what to do.
    """
    erased = tombstones.load_erased()
    spelled = {org_player_id, org_player_id.lower(), org_player_id.upper()}
    if any(erased.names_value(text) for text in spelled):
        raise ImportRefusedError(
            "The athlete with this ID was permanently erased and can't be added again."
        )
    is_known = Player.everyone.filter(org_player_id=org_player_id).exists()
    if new_athlete is None:
        if not is_known:
            raise ImportRefusedError(
                f"No athlete has the ID {org_player_id}. Correct it; for an athlete "
                "not synced yet, choose a new athlete and enter the name."
            )
        return
    if is_known:
        raise ImportRefusedError(
            f"The ID {org_player_id} belongs to a stored athlete: choose them instead "
            "of a new one."
        )
    key = id_key(org_player_id)
    for other in Player.everyone.values_list("org_player_id", flat=True).iterator():
        if id_key(other) == key:
            raise ImportRefusedError(
                f"The ID {org_player_id} belongs to a stored athlete, {other}, spelled "
                "differently: choose them instead of a new one."
            )
    if not (new_athlete.first_name.strip() and new_athlete.last_name.strip()):
        raise ImportRefusedError("A new athlete needs a first and a last name.")


def files_json(files: Sequence[GivenFile]) -> list[dict[str, Any]]:
    """Return the names of files as an upload keeps them."""
    return [{"name": given.name[:300]} for given in files]


def _finish(log: SyncLog, **values: str) -> None:
    """Write how the run of an import ended."""
    now = clock.now()
    SyncLog.objects.filter(pk=log.pk).update(
        **values, completed_at=now, heartbeat_at=now, owner=""
    )


def summary(given: GivenFile) -> dict[str, Any]:
    """Return what one file holds, to preview where it would be stored.

    Raises
    ------
    ImportRefusedError
        The file cannot be used; the text says why.
    """
    try:
        result = read_and_pack(
            given.file, data_type=None, known_movement_id=None, limits=read_limits()
        )
    except ExportFileError as error:
        raise ImportRefusedError(f"{given.name}: {error.message}") from error
    _refuse_kind(given, result.kind)
    if isinstance(result, RowsFile):
        held = [(row.org_movement_id, "") for row in result.rows]
    else:
        if result.failures:
            raise ImportRefusedError(f"{given.name}: {result.failures[0].message}")
        held = [(one.org_movement_id, one.frames.sha256) for one in result.movements]
    return {
        "name": given.name[:300],
        "kind": str(result.kind),
        "repairs": list(result.repairs),
        "movements": [{"name": name, "sha256": sha256} for name, sha256 in held],
    }


def _refuse_kind(given: GivenFile, kind: str) -> None:
    if kind not in ExportType.values:
        raise ImportRefusedError(
            f"{given.name}: these are {kind} data. Choose an export of "
            "inverse kinematics, of momentum and energy, of metadata, or of "
            "hitting-processed-metrics."
        )


def _read_all(
    files: Sequence[GivenFile], *, org_player_id: str, session_id: str
) -> dict[str, _FilesOfType]:
    """Return what the files hold by data type; refuse them all when one is no use."""
    limits = read_limits()
    files_by_type: dict[str, _FilesOfType] = {}
    known = _known_movements(org_player_id.strip(), session_id.strip())
    for given in files:
        try:
            result = read_and_pack(
                given.file, data_type=None, known_movement_id=None, limits=limits
            )
        except ExportFileError as error:
            raise ImportRefusedError(f"{given.name}: {error.message}") from error
        _refuse_kind(given, result.kind)
        files_of_type = files_by_type.setdefault(str(result.kind), _FilesOfType())
        try:
            files_of_type.incoming.add(result, lambda: known)
        except ExportFileError as error:
            raise ImportRefusedError(f"{given.name}: {error.message}") from error
        except NeedsEachMovementError as error:
            raise ImportRefusedError(
                f"{given.name}: the file names no movement (org_movement_id). Download "
                "the export of the whole session instead."
            ) from error
        if files_of_type.incoming.failures:
            failure = files_of_type.incoming.failures[0]
            raise ImportRefusedError(f"{given.name}: {failure.message}")
        given.file.seek(0)
        digest = hashlib.sha256(files_of_type.sha256.encode())
        while block := given.file.read(1_000_000):
            digest.update(block)
            files_of_type.size += len(block)
        files_of_type.sha256 = digest.hexdigest()
    return files_by_type


def refuse_another_athlete(names: Sequence[str], org_player_id: str) -> None:
    """Refuse files whose names tell of a known athlete who is not the one given.

    Nothing else in a file says whose it is.

    Raises
    ------
    ImportRefusedError
        Its text names the file, and the athlete's id.
    """
    heads: dict[str, int] = {}
    spelled: dict[str, str] = {}
    for org_id, reboot_id, pk, head in Player.everyone.values_list(
        "org_player_id", "reboot_player_id", "pk", "merged_into"
    ):
        for identifier in filter(None, (reboot_id, org_id)):
            heads[id_key(identifier)] = head or pk
            spelled[id_key(identifier)] = identifier
    given = id_key(org_player_id)
    for name in names:
        told = id_in_name(name, {*heads, given})
        if told is None or told == given or told not in heads:
            continue
        if heads[told] != heads.get(given):
            raise ImportRefusedError(
                f"{name}: by its name this is a file of another athlete "
                f"({spelled[told]}). Give that ID, or choose the right file."
            )


def session_in_names(names: Sequence[str]) -> tuple[dt.date | None, str]:
    """Return date and number of the one session that files' names tell of."""
    told = sorted(dates_and_numbers(names), key=str)
    if len(told) > 1:
        raise ImportRefusedError(
            "Their names show files from different sessions: "
            + " and ".join(f"{date}, number {number}" for date, number in told)
            + ". Upload the files of one session at a time."
        )
    return told[0] if told else (None, "")


def _warnings(
    files_by_type: dict[str, _FilesOfType],
    *,
    part: Session | None,
    date: dt.date | None,
    new_athlete: NewAthlete | None,
) -> list[str]:
    """Return what is odd about files that are about to be stored."""
    today = timezone.localtime(clock.now()).date()
    hashes = {
        movement.frames.sha256
        for files in files_by_type.values()
        for movement in files.incoming.movements
    }
    part_pk = None if part is None else part.pk
    said = [
        preview.words_for(place)
        for place in preview.elsewhere(hashes, session_pk=part_pk, viewer=None)
    ]
    said += preview.date_warnings((part and part.session_date) or date, today)
    if new_athlete is not None:
        said += preview.name_warnings(
            new_athlete.first_name,
            new_athlete.last_name,
            new_athlete.date_of_birth,
            today=today,
            among=alike(new_athlete, Player.objects.all()),
        )
    return said


def alike(new: NewAthlete, among: PlayerQuerySet) -> PlayerQuerySet:
    """Return stored athletes with whom a new one shares the beginning of a name."""
    words = search_words(f"{new.first_name} {new.last_name}")
    wanted = Q(pk__in=[])
    for word in words:
        wanted |= Q(search_text__contains=word[:3])
    return among.filter(wanted).in_name_order()[:500]


def _part(org_player_id: str, session_id: str) -> Session | None:
    """Return the row of an athlete's part of a session, if there is one."""
    player = Player.everyone.filter(org_player_id=org_player_id).first()
    return None if player is None else find_part(session_id, player)


def _known_movements(org_player_id: str, session_id: str) -> list[str]:
    """Return the vendor's ids of the movements of an athlete's part of a session."""
    part = _part(org_player_id, session_id)
    if part is None:
        return []
    return [item.vendor_name for item in Movement.objects.of_part(part.pk)]


def _store_all(
    files_by_type: dict[str, _FilesOfType],
    *,
    log: SyncLog,
    org_player_id: str,
    session_id: str,
    session_date: dt.date | None,
    session_num: str,
    new_athlete: NewAthlete | None,
    upload: HandUpload,
) -> ImportResult:
    """Store the files of each data type, compute the numbers, and count."""
    with transaction.atomic():
        staged = HandUpload.objects.filter(pk=upload.pk, state=UploadState.STAGED)
        if upload.pk and not staged.update(state=UploadState.STORING):
            raise ImportRefusedError(
                "These files are already stored or were discarded."
            )
        begun = {} if new_athlete is None else vars(new_athlete)
        players = Player.everyone.select_for_update(no_key=True)
        player, is_new_player = players.get_or_create(
            org_player_id=org_player_id, defaults=begun
        )
        if is_new_player and new_athlete is None:
            raise ImportRefusedError("The athlete was just erased.")
        session = find_part(session_id, player)
        is_new_session = session is None
        if session is None:
            session = add_part(
                session_id,
                player,
                {
                    "session_date": session_date,
                    "session_num": session_num,
                    "movement_type_id": known_hitting_id(),
                    "movement_type_name": HITTING,
                },
            )
        if session.session_date is None and session_date is not None:
            session.session_date = session_date
            session.save(update_fields=["session_date", "updated_at"])
            upload.before["session_date"] = session_date.isoformat()
        upload.state = UploadState.STORING
        upload.player = player
        upload.choice = {}
        upload.session = session
        upload.created |= {
            "player": player.pk if is_new_player else None,
            "session": session.pk if is_new_session else None,
        }
        upload.stored_at = clock.now()
        upload.save()
    result = ImportResult(run=log, session=session, upload=upload)
    for data_type, files_of_type in files_by_type.items():
        incoming = files_of_type.incoming
        # Before it is noted what they replace.
        use_stored_ids(incoming, session.pk)
        with (
            transaction.atomic(),
            journal.noted(upload, session, data_type, incoming),
        ):
            counts = store_incoming(
                incoming,
                session_pk=session.pk,
                data_type=data_type,
                # One file of several may be a part of the session only.
                is_whole_session=False,
            )
            _settle_job(session, data_type, files_of_type, log)
        result.created += counts.created
        result.updated += counts.updated
        result.unchanged += counts.unchanged
        result.movements = max(result.movements, counts.seen)
        result.repairs += incoming.repairs
    HandUpload.objects.filter(pk=upload.pk).update(state=UploadState.STORED)
    upload.state = UploadState.STORED
    refresh_session_state(session.pk)
    shown = Session.objects.get(pk=session.whole_id)
    settle_twins(shown.pk)
    analyze_session(shown.pk)
    refresh_player_summaries([shown.player_id])
    with transaction.atomic():
        # Again: only now the numbers are there.
        refresh_session_state(session.pk)
        tell_stored(shown.pk)
    _count(log, result)
    return result


def _settle_job(
    session: Session, data_type: str, files: _FilesOfType, log: SyncLog
) -> None:
    """Note that the file is here: the sync asks again when the vendor changes it."""
    ExportJob.objects.update_or_create(
        session=session,
        data_type=data_type,
        defaults={
            "state": JobState.STORED,
            "stored_at": clock.now(),
            "sha256": files.sha256,
            "bytes": files.size,
            "rows": files.incoming.row_count,
            "movements": files.incoming.movement_count,
            "repairs": files.incoming.repairs,
            "next_try_at": None,
            "last_error": "",
            "error_code": "",
            "last_run": log,
        },
    )


def _count(log: SyncLog, result: ImportResult) -> None:
    """Write what an import stored into its run."""
    counts = log.counts
    changed = bool(result.created or result.updated)
    counts["sessions"] |= {"seen": 1, "updated" if changed else "unchanged": 1}
    counts["movements"] |= {
        "seen": result.movements,
        "created": result.created,
        "updated": result.updated,
        "unchanged": result.unchanged,
    }
    log.counts = counts
    log.biomechanics_synced = result.created + result.updated
    log.sessions_synced = int(changed)
    log.records_synced = log.biomechanics_synced + log.sessions_synced
    log.save(
        update_fields=[
            "counts",
            "biomechanics_synced",
            "sessions_synced",
            "records_synced",
        ]
    )
