"""Erasing an athlete for good, in an order in which an interruption loses nothing.

First the tombstone, so that no sync brings anybody back while we are at it; then what
only names the athlete; then the sessions, one after another, so that no lock is held
for long; last the athlete. Whatever ends this in between, `finish_erasures` finds the
athlete by the tombstone and goes on. A run of the sync that was under way may write
something back; the sweep that is queued here, and the hourly one, take that away too.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django_q.models import Task
from django_q.tasks import async_task

from accounts.audit import Principal, forget_player, record
from accounts.models import Action
from athletes.analysis import peer_numbers
from athletes.api import kept_files
from athletes.bulk_sql import in_batches
from athletes.identity import tombstones
from athletes.identity.session_parts import family
from athletes.identity.tombstones import ErasedAthletes
from athletes.models import (
    Goal,
    HandUpload,
    Movement,
    Note,
    Player,
    Session,
    Tag,
    Tombstone,
    UploadState,
)
from privacy import records
from privacy.archives import delete_archives
from privacy.models import Archive
from privacy.selectors import Stored, stored_about
from sharing.comparisons import forget_athletes as forget_comparisons
from syncing import clock, staging
from syncing.engine.raw import digest
from syncing.models import RawPayload, SyncLog, VendorSession
from syncing.queueresults import UNREADABLE
from webhooks.services import forget as forget_deliveries

logger = logging.getLogger(__name__)

#: Only a run that was under way writes something back, and none lasts so long.
_RECENT = timedelta(days=3)
#: Shorter texts are in too many others.
_LEAST_NAME = 3
ERASED = "(erased)"


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What erasing an athlete takes away, and notes that a person has to look at."""

    stored: list[Stored]
    archives: int
    teams: list[str]
    mentions: list[Note]
    goal_mentions: list[Goal]


def plan(player: Player) -> ErasurePlan:
    """Return what `erase` would take away, without taking it."""
    return ErasurePlan(
        stored=stored_about(player),
        archives=Archive.objects.filter(player=player).count(),
        teams=list(player.teams.values_list("name", flat=True)),
        mentions=list(_mentions(player)[:50]),
        goal_mentions=list(_goal_mentions(player)[:50]),
    )


def _mentions(player: Player) -> models.QuerySet[Note]:
    """Notes on others that name this athlete: free text, so a person decides."""
    others = Note.objects.exclude(session__player=player).exclude(player=player)
    notes = others.select_related("session")
    if len(player.last_name) < _LEAST_NAME:
        return notes.none()
    return notes.filter(text__icontains=player.last_name).order_by("-id")


def _goal_mentions(player: Player) -> models.QuerySet[Goal]:
    """Goals of others whose note names this athlete."""
    goals = Goal.objects.exclude(player=player)
    if len(player.last_name) < _LEAST_NAME:
        return goals.none()
    return goals.filter(note__icontains=player.last_name).order_by("-id")


def erase(*, player: Player, by: Principal | None) -> None:
    """Take away everything that is stored about an athlete, for good."""
    with transaction.atomic():
        for each in _records(player):
            tombstones.add_tombstone(each)
        record(Action.ATHLETE_ERASED, by=by, player_id=player.pk)
        # What is interrupted from here on is finished by the queue.
        transaction.on_commit(
            lambda: async_task(
                "privacy.tasks.sweep_erased_task", task_name="finish erasing"
            )
        )
    purge(player)


def _records(player: Player) -> list[Player]:
    """The athlete, and the records of the vendor that were merged into it."""
    return list(Player.everyone.filter(pk__in=family(player.pk)).order_by("pk"))


def purge(player: Player) -> None:
    """Take away the rows and files of one athlete who has a tombstone."""
    player_id = player.pk
    delete_archives(list(Archive.objects.filter(player__in=_records(player))))
    _forget_staged(player)
    with transaction.atomic():
        _forget_mentions(player)
    found = _records(player)
    tags = set(Tag.objects.filter(players__in=found).values_list("pk", flat=True))
    tags |= set(
        Tag.objects.filter(sessions__player__in=found).values_list("pk", flat=True)
    )
    for session in Session.objects.filter(player=player).order_by("pk"):
        # Those that are made meanwhile go when this is committed (athletes.apps).
        kept_files.forget([session.pk])
        with transaction.atomic():
            session.delete()
    with transaction.atomic():
        peer_numbers.withdraw([player_id])
        player.delete()
        # A word that nobody else has may be the athlete's nickname.
        Tag.objects.filter(pk__in=tags, players=None, sessions=None).delete()
    _overwrite()
    logger.info("Athlete %s was erased with all that was stored about them.", player_id)


def finish_erasures() -> int:
    """Take away what is left of, or came back about, erased athletes."""
    erased = tombstones.load_erased()
    if not erased:
        return 0
    count = 0
    ids = Player.objects.values_list("pk", "org_player_id", "reboot_player_id")
    for pk, organization, vendor in list(ids.iterator()):
        if erased.has(organization, vendor):
            player = Player.objects.filter(pk=pk).first()
            # Who erased them, or another sweep, may have finished it meanwhile.
            if player is not None:
                purge(player)
                count += 1
    if Tombstone.objects.filter(erased_at__gte=timezone.now() - _RECENT).exists():
        count += _sweep_vendor(erased)
    return count


# --- What only names the athlete -------------------------------------------------


def _forget_mentions(player: Player) -> None:
    erased = tombstones.load_erased()
    found = _records(player)
    sessions = Session.objects.filter(player__in=found)
    session_ids = set(sessions.values_list("session_id", flat=True))
    # The vendor's sessions that nobody else here has a part in.
    own = session_ids - set(
        Session.objects.filter(session_id__in=session_ids)
        .exclude(player__in=found)
        .values_list("session_id", flat=True)
    )
    ids, names = [], []
    for each in found:
        ids += [text for text in (each.org_player_id, each.reboot_player_id) if text]
        names += [each.full_name, f"{each.last_name}, {each.first_name}"]
    names = [text for text in names if len(text.strip(", ")) >= _LEAST_NAME]
    forget_comparisons([one.pk for one in found], names)
    _forget_payloads(erased, ids, own, session_ids)
    for each in found:
        _forget_participation(each.org_player_id, own)
    movements = Movement.objects.filter(session__player__in=found)
    specific = {
        text
        for pair in movements.values_list("org_movement_id", "name_at_vendor")
        for text in pair
        if len(text) >= 6
    }
    _blank_texts([*ids, *names, *own, *specific])
    _blank_file_names([*ids, *names, *(each.last_name for each in found)])
    _forget_admin_log(player.pk, [*ids, *names])
    _forget_task_results([*ids, *names, *own])
    forget_player(player.pk, subjects=_subjects(player.pk))
    for each in found:
        if each.pk != player.pk:
            forget_player(each.pk)
        forget_deliveries(
            player_id=each.pk,
            session_ids=sessions.filter(player=each).values_list("pk", flat=True),
        )


def _forget_staged(player: Player) -> None:
    """Delete files that were uploaded for an athlete and not stored."""
    found = _records(player)
    texts = [
        text
        for each in found
        for text in (each.org_player_id, each.reboot_player_id, each.last_name)
        if text
    ]
    staging.forget([each.pk for each in found], texts)


def _subjects(player_id: int) -> Iterator[tuple[str, set[int]]]:
    for kind in records.athlete_tables():
        if not kind.model._meta.auto_created:
            pks = set(kind.rows(player_id).values_list("pk", flat=True))
            yield kind.model._meta.label_lower, pks


def _holding(
    rows: models.QuerySet[Any], field: str, texts: Iterable[str]
) -> models.QuerySet[Any]:
    """Rows whose JSON or text in `field` holds one of the texts somewhere."""
    wanted = Q(pk__in=[])
    for text in texts:
        wanted |= Q(_text__contains=text)
        escaped = json.dumps(text)[1:-1]
        if escaped != text:  # SQLite keeps JSON with escapes
            wanted |= Q(_text__contains=escaped)
    found: models.QuerySet[Any] = rows.annotate(_text=Cast(field, TextField()))
    return found.filter(wanted)


def _forget_payloads(
    erased: ErasedAthletes, ids: list[str], own: set[str], session_ids: set[str]
) -> None:
    RawPayload.objects.filter(kind=RawPayload.Kind.PLAYER, vendor_id__in=ids).delete()
    of_sessions = RawPayload.objects.exclude(kind=RawPayload.Kind.PLAYER)
    for part in in_batches(own):
        of_sessions.filter(vendor_id__in=part).delete()
    for row in _holding(of_sessions, "payload", ids):
        _redact(erased, row)


def _redact(erased: ErasedAthletes, row: RawPayload) -> bool:
    """Take erased athletes out of a payload, or delete it where that is not enough."""
    payload = erased.redact(row.payload)
    if payload == row.payload:
        if not _speaks_of(erased, payload):
            return False
        row.delete()
    elif _speaks_of(erased, payload):
        row.delete()
    else:
        # Hashed as the next sync will hash it: without these entries.
        RawPayload.objects.filter(pk=row.pk).update(
            payload=payload, sha256=digest(payload)
        )
    return True


def _speaks_of(erased: ErasedAthletes, payload: Any) -> bool:
    if isinstance(payload, dict):
        return any(_speaks_of(erased, value) for value in payload.values())
    if isinstance(payload, list):
        return any(_speaks_of(erased, value) for value in payload)
    return erased.names_value(payload)


def _forget_participation(org_player_id: str, own: set[str]) -> None:
    for part in in_batches(own):
        VendorSession.objects.filter(session_id__in=part).delete()
    for row in VendorSession.objects.filter(participants__has_key=org_player_id):
        row.participants.pop(org_player_id)
        # Another sweep may have deleted it meanwhile.
        VendorSession.objects.filter(pk=row.pk).update(
            participants=row.participants, updated_at=clock.now()
        )


def _blank_texts(texts: list[str]) -> None:
    """Take names and ids out of the sync's messages."""
    # The longest first: an id may be a part of another text.
    texts = sorted(set(texts), key=len, reverse=True)
    if not texts:
        return

    def without(value: Any) -> Any:
        return _replaced(value, texts)

    _rewrite(SyncLog, "errors", without, Q(error_count__gt=0))
    _rewrite(SyncLog, "error_message", without, ~Q(error_message=""))
    _rewrite(VendorSession, "last_error", without, ~Q(last_error=""))


def _blank_file_names(texts: Iterable[str]) -> None:
    """Take names and ids out of the names of files that are others' by now.

    A session that came by hand may have been moved to another athlete. File names
    spell ids with other signs between their parts, and only whole words are an id.
    """
    spelled = []
    for text in sorted(set(texts), key=len, reverse=True):
        parts = re.findall(r"[^\W_]+", text)
        if parts and len("".join(parts)) >= _LEAST_NAME:
            spelled.append(r"[\W_]*".join(map(re.escape, parts)))
    if not spelled:
        return
    wanted = re.compile(rf"(?<![^\W_])(?:{'|'.join(spelled)})(?![^\W_])", re.I)

    def without(files: Any) -> Any:
        return [one | {"name": wanted.sub(ERASED, one["name"])} for one in files]

    _rewrite(HandUpload, "files", without, ~Q(state=UploadState.STAGED))


def _rewrite(
    model: type[models.Model],
    field: str,
    change: Callable[[Any], Any],
    among: Q,
) -> None:
    rows = model._default_manager.filter(among).values_list("pk", field)
    for pk, value in list(rows):
        changed = change(value)
        if changed != value:
            model._default_manager.filter(pk=pk).update(**{field: changed})


def _replaced(value: Any, texts: list[str]) -> Any:
    if isinstance(value, str):
        for text in texts:
            value = value.replace(text, ERASED)
        return value
    if isinstance(value, list):
        return [_replaced(item, texts) for item in value]
    if isinstance(value, dict):
        return {key: _replaced(item, texts) for key, item in value.items()}
    return value


def _forget_admin_log(player_id: int, texts: list[str]) -> None:
    """Delete entries of the admin's own history that name the athlete."""
    gone = {
        ContentType.objects.get_for_model(kind.model).pk: kind
        for kind in records.athlete_tables()
    }
    entries = LogEntry.objects.filter(content_type__in=gone)
    pks: dict[int, set[str]] = {}
    doomed = []
    for pk, content_type, object_id in entries.values_list(
        "pk", "content_type_id", "object_id"
    ):
        if content_type not in pks:
            found = gone[content_type].rows(player_id).values_list("pk", flat=True)
            pks[content_type] = {str(found_pk) for found_pk in found}
        if object_id in pks[content_type]:
            doomed.append(pk)
    for field in ("object_repr", "change_message"):
        doomed += _holding(LogEntry.objects.all(), field, texts).values_list(
            "pk", flat=True
        )
    for part in in_batches(doomed):
        LogEntry.objects.filter(pk__in=part).delete()


def _forget_task_results(texts: list[str]) -> None:
    """Delete results of failed tasks that name the athlete.

    A task that failed may have said why in the database's words, with values.
    """
    for task in Task.objects.filter(success=False):
        result = str(task.result)
        # What cannot be read may name them too.
        if result == UNREADABLE or any(text in result for text in texts):
            task.delete()


def _sweep_vendor(erased: ErasedAthletes) -> int:
    """Take away what a sync under way wrote back about erased athletes; count it."""
    count = 0
    names = RawPayload.objects.filter(kind=RawPayload.Kind.PLAYER).values_list(
        "pk", "vendor_id"
    )
    back = [pk for pk, vendor_id in names.iterator() if erased.names(vendor_id)]
    for part in in_batches(back):
        count += RawPayload.objects.filter(pk__in=part).delete()[0]
    details = RawPayload.objects.exclude(kind=RawPayload.Kind.PLAYER).filter(
        fetched_at__gte=clock.now() - _RECENT
    )
    for row in details.iterator(200):
        count += _redact(erased, row)
    sessions = VendorSession.objects.exclude(participants={})
    for pk, participants in sessions.values_list("pk", "participants").iterator():
        kept = {
            key: value for key, value in participants.items() if not erased.names(key)
        }
        if kept != participants:
            VendorSession.objects.filter(pk=pk).update(participants=kept)
            count += 1
    return count


def _overwrite() -> None:
    """Empty SQLite's log, which still holds the deleted pages.

    The pages themselves are overwritten at once (secure_delete).

    PostgreSQL overwrites by its own vacuum; docs/privacy.md says what that means.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
