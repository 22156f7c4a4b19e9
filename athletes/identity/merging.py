"""Makes two records of the vendor one athlete, and takes that back.

The merged record stays in `players`, hidden behind the kept one, because the vendor
goes on to know both ids: its files must be asked for with the id under which it
recorded them (`Session.recorded_as`), and its list must not split the athlete again.

Sessions move to the kept athlete. Where both records took part in one session of the
vendor, the kept athlete's row shows both parts: the other row is **folded** into it.
It stays, hidden, to ask for its own files; its movements move over and carry the
vendor's id of the athlete in theirs, since two parts may name movements alike.

Undoing puts back what the merge changed and nothing else: what the vendor recorded
under the merged id goes back to it with all that people did to it since; what was
changed on the kept athlete himself since then stays with him.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import F, Max, Q
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.audit import record
from accounts.models import Action, User
from athletes.analysis import peer_numbers
from athletes.analysis.session_summary import refresh_session_summary
from athletes.analysis.summaries import (
    PROFILE_FIELDS,
    recompute_later,
    refresh_player_summaries,
)
from athletes.identity import duplicates
from athletes.models import (
    AthleteMerge,
    BiomechanicsData,
    DataState,
    DataType,
    Movement,
    Note,
    Player,
    Session,
    SessionMetric,
)

#: What two records may say differently.
FACTS = (
    "first_name",
    "last_name",
    "date_of_birth",
    "height_ft",
    "weight_lbs",
    "dominant_hand_hitting",
    "dominant_hand_throwing",
)
#: What people say of a session, and what a fold fills in where nothing was said.
_SAID = ("condition", "bat")

#: Rows that belong to the record and not to the person, or that are moved here by
#: name, or that follow from others.
_NOT_MOVED = frozenset(
    {
        "athletes.athletemerge",
        "athletes.duplicatepair",
        "athletes.movement",
        "athletes.namekey",
        "athletes.note",
        "athletes.peernumber",
        "athletes.player",
        "athletes.session",
        "athletes.sessionmetric",
        # Files are asked of the vendor for each part by itself.
        "syncing.analysisjob",
        "syncing.exportjob",
    }
)


# --- Merging ----------------------------------------------------------------------


def merge(
    *,
    kept: Player,
    merged: Player,
    from_merged: Collection[str] = (),
    by: User | None,
) -> AthleteMerge:
    """Make `merged` a part of `kept`.

    `from_merged` names the facts that are taken over; the sync then leaves them alone,
    as it does with corrected ones. All others stay as the kept record has them.

    Raises
    ------
    django.core.exceptions.ValidationError
        When one of the two is merged already, or both are the same.
    """
    unknown = set(from_merged) - set(FACTS)
    if unknown:
        raise ValidationError(f"There is no fact “{sorted(unknown)[0]}”.")
    with transaction.atomic():
        kept, merged = _locked(kept.pk, merged.pk)
        aliases = family(merged.pk)[1:]
        # While he is still one of those who are compared.
        peer_numbers.withdraw([merged.pk])
        Player.everyone.filter(pk__in=[merged.pk, *aliases]).update(merged_into=kept)
        entry = AthleteMerge.objects.create(kept=kept, merged=merged, created_by=by)
        moved = _bring_sessions(kept, merged)
        _note_changes(
            entry,
            aliases=aliases,
            facts=_take_facts(kept, merged, from_merged),
            links=_copy_links(kept, merged),
            rows=_move_rows(Player, merged.pk, kept.pk),
        )
        _outdate(kept, moved, is_changed=_profile(kept) != _profile(merged))
        _conclude(entry, Action.ATHLETE_MERGED, by)
    return entry


def _locked(kept_pk: int, merged_pk: int) -> tuple[Player, Player]:
    """Both rows, held against whoever writes sessions for them."""
    if kept_pk == merged_pk:
        raise ValidationError("These are one record already.")
    rows = {
        player.pk: player
        for player in Player.everyone.select_for_update()
        .filter(pk__in=[kept_pk, merged_pk])
        .order_by("pk")
    }
    if len(rows) < 2 or any(player.merged_into_id for player in rows.values()):
        raise ValidationError(
            "One of the two was merged or erased meanwhile. Look at the list again."
        )
    return rows[kept_pk], rows[merged_pk]


def _note_changes(entry: AthleteMerge, **changes: Any) -> None:
    entry.refresh_from_db(fields=["changes"])
    entry.changes |= changes
    entry.save(update_fields=["changes"])


def _conclude(entry: AthleteMerge, action: Action, by: User | None) -> None:
    for player_id, other in (
        (entry.kept_id, entry.merged_id),
        (entry.merged_id, entry.kept_id),
    ):
        record(action, by=by, subject=entry, player_id=player_id, other=other)
    ids = (entry.kept_id, entry.merged_id)
    refresh_player_summaries(ids)
    waiting = Movement.objects.filter(session__player__in=ids, method_version="")
    recompute_later(set(waiting.values_list("session__player_id", flat=True)))


def _profile(player: Player) -> list[Any]:
    return [getattr(player, name) for name in sorted(PROFILE_FIELDS)]


def _outdate(player: Player, session_pks: Collection[int], *, is_changed: bool) -> None:
    """Numbers that rest on another height, weight or side are computed again."""
    if is_changed:
        Movement.objects.filter(session__in=session_pks).update(
            method_version="", updated_at=timezone.now()
        )


# --- Facts ------------------------------------------------------------------------


def _take_facts(
    kept: Player, merged: Player, names: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Write the chosen facts to `kept`; what they were, and whether it is corrected."""
    changes = {}
    corrected = set(kept.corrected_fields)
    before = _profile(kept)
    for name in FACTS:
        if name not in names or getattr(kept, name) == getattr(merged, name):
            continue
        changes[name] = {
            "before": _plain(getattr(kept, name)),
            "after": _plain(getattr(merged, name)),
            "was_corrected": name in corrected,
        }
        setattr(kept, name, getattr(merged, name))
        corrected.add(name)
    if changes:
        kept.corrected_fields = sorted(corrected)
        kept.save(
            update_fields=[*changes, "corrected_fields", "search_text", "updated_at"]
        )
        sessions = Session.objects.filter(player=kept)
        _outdate(
            kept,
            list(sessions.values_list("pk", flat=True)),
            is_changed=_profile(kept) != before,
        )
    return changes


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _give_facts_back(kept: Player, changes: dict[str, dict[str, Any]]) -> None:
    """Facts that the merge set, where nobody has set them again since."""
    corrected = set(kept.corrected_fields)
    before = _profile(kept)
    names = []
    for name, change in changes.items():
        if _plain(getattr(kept, name)) != change["after"]:
            continue
        value = change["before"]
        if name == "date_of_birth" and value is not None:
            value = dt.date.fromisoformat(value)
        setattr(kept, name, value)
        if not change["was_corrected"]:
            corrected.discard(name)
        names.append(name)
    if names:
        kept.corrected_fields = sorted(corrected)
        kept.save(
            update_fields=[*names, "corrected_fields", "search_text", "updated_at"]
        )
        sessions = Session.objects.filter(player=kept)
        _outdate(
            kept,
            list(sessions.values_list("pk", flat=True)),
            is_changed=_profile(kept) != before,
        )


# --- Teams, tags, and whatever else names an athlete ------------------------------


def _copy_links(kept: Player, merged: Player) -> dict[str, list[int]]:
    """Put `kept` into each team and under each tag of `merged`, who keeps his."""
    added = {}
    for name in _links(Player):
        ours = set(getattr(kept, name).values_list("pk", flat=True))
        theirs = set(getattr(merged, name).values_list("pk", flat=True))
        new = sorted(theirs - ours)
        getattr(kept, name).add(*new)
        added[name] = new
    return added


def _take_links_back(kept: Player, added: dict[str, list[int]]) -> None:
    """Out of what the merge brought, unless another merged record has it too."""
    for name, pks in added.items():
        others = set()
        for alias in Player.everyone.filter(merged_into=kept):
            others |= set(getattr(alias, name).values_list("pk", flat=True))
        getattr(kept, name).remove(*(set(pks) - others))


def _links(model: type[models.Model]) -> Iterator[str]:
    for relation in model._meta.related_objects:
        if isinstance(relation, models.ManyToManyRel):
            name = relation.get_accessor_name()
            if name is not None:
                yield name


def _references(
    model: type[models.Model],
) -> Iterator[tuple[str, models.Field[Any, Any]]]:
    """Columns of other tables that name a row of `model`, whoever added them."""
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        child = relation.related_model
        if child._meta.auto_created or child._meta.label_lower in _NOT_MOVED:
            continue
        yield f"{child._meta.label_lower}.{relation.field.name}", relation.field


def _move_rows(model: type[models.Model], old: int, new: int) -> dict[str, list[Any]]:
    """Let rows that name `old` name `new`; which ones did.

    A row that `new` has one like already, where only one may be, stays where it is.
    """
    moved: dict[str, list[Any]] = {}
    for label, field in _references(model):
        rows = field.model._base_manager
        for pk in list(
            rows.filter(**{field.name: old}).order_by("pk").values_list("pk", flat=True)
        ):
            try:
                with transaction.atomic():
                    rows.filter(pk=pk).update(**{field.name: new})
            except IntegrityError:
                continue
            moved.setdefault(label, []).append(pk)
    return moved


def _move_rows_back(
    model: type[models.Model], moved: dict[str, list[Any]], old: int, new: int
) -> None:
    for label, field in _references(model):
        field.model._base_manager.filter(
            **{"pk__in": moved.get(label, []), field.name: new}
        ).update(**{field.name: old})


# --- Sessions ---------------------------------------------------------------------


def _bring_sessions(kept: Player, merged: Player) -> list[int]:
    """Give the sessions of `merged` to `kept`; returns the rows that show them."""
    own = Session.objects.filter(player=merged, folded_into__isnull=True)
    shared = set(
        Session.objects.filter(
            player=kept, session_id__in=own.values("session_id")
        ).values_list("session_id", flat=True)
    )
    now = timezone.now()
    alone = list(
        own.exclude(session_id__in=shared).order_by("pk").values_list("pk", flat=True)
    )
    for part in _parts(alone):
        rows = Session.objects.filter(pk__in=part)
        rows.filter(recorded_as__isnull=True).update(recorded_as=merged)
        rows.update(player=kept, updated_at=now)
    for session_id in sorted(shared):
        alone += regroup(session_id, family(kept.pk))
    return alone


def family(kept_pk: int) -> list[int]:
    """The athlete and the records merged into him."""
    return [
        kept_pk,
        *Player.everyone.filter(merged_into=kept_pk)
        .order_by("pk")
        .values_list("pk", flat=True),
    ]


def regroup(session_id: str, player_pks: Collection[int]) -> list[int]:
    """Show all parts that an athlete's records have in one session as one row.

    Of the rows of each athlete the one recorded under his own id shows the others; a
    record that is an athlete again shows his own. Called inside a transaction, after
    records were merged or separated, or after another part of a session came.
    Returns the rows that show something.
    """
    rows = list(
        Session.objects.select_for_update(no_key=True)
        .filter(session_id=session_id, player_id__in=player_pks)
        .order_by("pk")
    )
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
    return shown


def _seat(
    session_id: str, rows: Iterable[Session], wanted: dict[int, tuple[int, int | None]]
) -> None:
    """Write whose part each row is; two of them may change places."""
    moving = [
        row for row in rows if (row.player_id, row.recorded_as_id) != wanted[row.pk]
    ]
    for row in moving:
        # Out of the way: an athlete has one row in a session at any moment.
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
    """The merge that made the record of a folded row a part of another one."""
    return AthleteMerge.objects.get(merged_id=row.player_id, undone_at__isnull=True)


def _fold(row: Session, into: Session) -> None:
    """Show the part of `row` in `into`, and hide `row`."""
    now = timezone.now()
    # The same swing under both ids is shown once; its twin stays in the hidden row.
    twins = set(
        BiomechanicsData.objects.filter(
            movement__session=row,
            data_type=DataType.INVERSE_KINEMATICS,
            content_sha256__in=BiomechanicsData.objects.filter(
                movement__session=into
            ).values("content_sha256"),
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
    into.refresh_from_db(fields=[*_SAID, "data_state", "data_synced"])
    said = {}
    for name in _SAID:
        ours, theirs = getattr(into, name), getattr(row, name)
        if theirs and not ours:
            said[name] = {"before": ours, "after": theirs}
            setattr(into, name, theirs)
    state = joint_state([into.data_state, row.data_state])
    said["data_state"] = {"before": into.data_state, "after": state}
    synced = into.data_synced or row.data_synced
    said["data_synced"] = {"before": into.data_synced, "after": synced}
    into.data_state, into.data_synced = state, synced
    into.save(update_fields=[*_SAID, "data_state", "data_synced", "updated_at"])
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
        "said": said,
        "rows": _move_rows(Session, row.pk, into.pk),
    }
    _note_changes(entry, folds=folds)


def _unfold(row: Session) -> None:
    """Give `row` its part back, with what people did to its swings since."""
    entry = _merge_of(row)
    folds = entry.changes["folds"]
    fold = folds.pop(str(row.pk))
    into = Session.objects.get(folded=row)
    now = timezone.now()
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
    _move_rows_back(Session, fold["rows"], row.pk, into.pk)
    Session.objects.filter(pk=row.pk).update(folded_into=None, updated_at=now)
    row.folded_into_id = None
    _note_changes(entry, folds=folds)


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


# --- Taking it back ---------------------------------------------------------------


def separate(*, entry: AthleteMerge, by: User | None) -> None:
    """Undo a merge.

    Raises
    ------
    django.core.exceptions.ValidationError
        When it is undone already, or a later merge has to be undone first.
    """
    with transaction.atomic():
        entry = get_object_or_404(AthleteMerge.objects.select_for_update(), pk=entry.pk)
        if entry.undone_at is not None:
            raise ValidationError("This merge is undone already.")
        rows = {
            player.pk: player
            for player in Player.everyone.select_for_update()
            .filter(pk__in=[entry.kept_id, entry.merged_id])
            .order_by("pk")
        }
        kept, merged = rows[entry.kept_id], rows[entry.merged_id]
        if kept.merged_into_id is not None:
            raise ValidationError(
                "The athlete was merged into another one since. Undo that first."
            )
        everybody = family(kept.pk)
        aliases = entry.changes["aliases"]
        leaving = [merged.pk, *aliases]
        shared = set(
            Session.objects.filter(
                player_id__in=everybody, folded_into__isnull=False
            ).values_list("session_id", flat=True)
        )
        Player.everyone.filter(pk__in=aliases).update(merged_into=merged)
        Player.everyone.filter(pk=merged.pk).update(merged_into=None, compared_at=None)
        _take_links_back(kept, entry.changes["links"])
        _move_rows_back(Player, entry.changes["rows"], merged.pk, kept.pk)
        _give_facts_back(kept, entry.changes["facts"])
        moved = _return_sessions(kept, merged, leaving, shared)
        for session_id in sorted(shared):
            regroup(session_id, everybody)
        moved += Session.objects.filter(
            player=merged, session_id__in=shared
        ).values_list("pk", flat=True)
        _outdate(merged, moved, is_changed=_profile(kept) != _profile(merged))
        entry.refresh_from_db()
        entry.undone_at = timezone.now()
        entry.undone_by = by
        entry.save(update_fields=["undone_at", "undone_by"])
        _conclude(entry, Action.ATHLETES_SEPARATED, by)
    duplicates.compare_these([merged.pk])


def _return_sessions(
    kept: Player, merged: Player, leaving: Collection[int], shared: Collection[str]
) -> list[int]:
    """Give back what the vendor keeps under the leaving ids."""
    rows = Session.objects.filter(player=kept, recorded_as__in=leaving).exclude(
        session_id__in=shared
    )
    pks = list(rows.order_by("pk").values_list("pk", flat=True))
    for part in _parts(pks):
        given = Session.objects.filter(pk__in=part)
        given.update(player=merged, updated_at=timezone.now())
        given.filter(recorded_as=merged).update(recorded_as=None)
    return pks


def _parts(pks: list[int], size: int = 500) -> Iterator[list[int]]:
    for start in range(0, len(pks), size):
        yield pks[start : start + size]


# --- What the vendor says of one part ----------------------------------------------


def find_part(session_id: str, player: Player) -> Session | None:
    """The row of what the vendor keeps under this record's id in a session."""
    return (
        Session.objects.filter(session_id=session_id)
        .filter(Q(player=player, recorded_as__isnull=True) | Q(recorded_as=player))
        .first()
    )


def add_part(session_id: str, player: Player, values: dict[str, Any]) -> Session:
    """A new row for what the vendor keeps under this record's id in a session.

    It is the athlete's row of that session, or folded into the one he has. Called
    inside a transaction that holds `player`.
    """
    head = player.merged_into_id or player.pk
    # Records of the athlete that have a row there; most athletes have one record.
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
