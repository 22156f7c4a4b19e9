"""Merging two records of the vendor into one athlete, and undoing that.

The merged record stays in `players`, hidden behind the kept one, because the vendor
goes on to know both ids: its files must be requested with the id under which it
recorded them (`Session.recorded_as`), and its list must not split the athlete again.

Sessions move to the kept athlete. Where both records took part in one session of the
vendor, one row shows both parts (`athletes.identity.session_parts`).

Undoing puts back what the merge changed and nothing else: what the vendor recorded
under the merged id goes back to it with all that people did to it since; what was
changed on the kept athlete since then stays there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.audit import record
from accounts.models import Action, User
from athletes.analysis import peer_numbers, usual_scatter
from athletes.analysis.same_recording import note_same_recording
from athletes.analysis.summaries import (
    PROFILE_FIELDS,
    follow_profile,
    recompute_later,
    refresh_player_summaries,
)
from athletes.bulk_sql import in_batches
from athletes.identity import duplicates
from athletes.identity.moved_rows import (
    copy_links,
    move_rows,
    move_rows_back,
    take_links_back,
)
from athletes.identity.session_parts import family, note_changes, regroup
from athletes.listeners import ATHLETE_GONE, tell_ids
from athletes.models import (
    CORRECTABLE_FIELDS,
    AthleteMerge,
    Movement,
    Player,
    Session,
)

# --- Merging ----------------------------------------------------------------------


def merge(
    *,
    kept: Player,
    merged: Player,
    from_merged: Collection[str] = (),
    by: User | None,
) -> AthleteMerge:
    """Merge one record of an athlete into another; returns what undoing it needs.

    `from_merged` names the facts (`CORRECTABLE_FIELDS`) that are taken over; the sync
    then leaves them alone, as it does with corrected ones. All others stay as the kept
    record has them.

    Raises
    ------
    django.core.exceptions.ValidationError
        When one of the two is merged already, or both are the same.
    """
    unknown = set(from_merged) - set(CORRECTABLE_FIELDS)
    if unknown:
        raise ValidationError(f"Unknown fact “{sorted(unknown)[0]}”.")
    with transaction.atomic():
        kept, merged = _locked(kept.pk, merged.pk)
        aliases = family(merged.pk)[1:]
        # Before the merge: percentiles look for athletes that are not hidden.
        peer_numbers.withdraw([merged.pk])
        usual_scatter.withdraw([merged.pk])
        Player.everyone.filter(pk__in=[merged.pk, *aliases]).update(merged_into=kept)
        entry = AthleteMerge.objects.create(kept=kept, merged=merged, created_by=by)
        moved = _bring_sessions(kept, merged)
        note_changes(
            entry,
            aliases=aliases,
            facts=_take_facts(kept, merged, from_merged),
            links=copy_links(kept, merged),
            rows=move_rows(Player, merged.pk, kept.pk),
        )
        _follow(moved, _profile(merged), _profile(kept))
        _conclude(entry, Action.ATHLETE_MERGED, by)
        tell_ids(ATHLETE_GONE, [merged.pk])
    return entry


def separate(*, entry: AthleteMerge, by: User | None) -> None:
    """Undo a merge: the merged record is an athlete again.

    Raises
    ------
    django.core.exceptions.ValidationError
        When it is undone already, or a later merge has to be undone first.
    """
    with transaction.atomic():
        entry = get_object_or_404(AthleteMerge.objects.select_for_update(), pk=entry.pk)
        if entry.undone_at is not None:
            raise ValidationError("This merge was already undone.")
        rows = {
            player.pk: player
            for player in Player.everyone.select_for_update()
            .filter(pk__in=[entry.kept_id, entry.merged_id])
            .order_by("pk")
        }
        kept, merged = rows[entry.kept_id], rows[entry.merged_id]
        if kept.merged_into_id is not None:
            raise ValidationError(
                "The athlete has since been merged into another one. Undo that first."
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
        take_links_back(kept, entry.changes["links"])
        move_rows_back(Player, entry.changes["rows"], merged.pk, kept.pk)
        _give_facts_back(kept, entry.changes["facts"])
        moved = _return_sessions(kept, merged, leaving, shared)
        for session_id in sorted(shared):
            regroup(session_id, everybody)
        moved += Session.objects.filter(
            player=merged, session_id__in=shared
        ).values_list("pk", flat=True)
        _follow(moved, _profile(kept), _profile(merged))
        # What was shown once is here twice again.
        for pk in moved:
            note_same_recording(pk)
        entry.refresh_from_db()
        entry.undone_at = timezone.now()
        entry.undone_by = by
        entry.save(update_fields=["undone_at", "undone_by"])
        _conclude(entry, Action.ATHLETES_SEPARATED, by)
    duplicates.compare_these([merged.pk])


def _locked(kept_pk: int, merged_pk: int) -> tuple[Player, Player]:
    """Both rows, locked against whoever writes sessions for them."""
    if kept_pk == merged_pk:
        raise ValidationError("These are already one record.")
    rows = {
        player.pk: player
        for player in Player.everyone.select_for_update()
        .filter(pk__in=[kept_pk, merged_pk])
        .order_by("pk")
    }
    if len(rows) < 2 or any(player.merged_into_id for player in rows.values()):
        raise ValidationError(
            "One of the two was merged or erased in the meantime. Check the list again."
        )
    return rows[kept_pk], rows[merged_pk]


def _conclude(entry: AthleteMerge, action: Action, by: User | None) -> None:
    """Record what was done, and bring the numbers of both athletes up to date."""
    for player_id, other in (
        (entry.kept_id, entry.merged_id),
        (entry.merged_id, entry.kept_id),
    ):
        record(action, by=by, subject=entry, player_id=player_id, other=other)
    ids = (entry.kept_id, entry.merged_id)
    refresh_player_summaries(ids)
    waiting = Movement.objects.filter(session__player__in=ids, method_version="")
    recompute_later(set(waiting.values_list("session__player_id", flat=True)))


def _profile(player: Player) -> dict[str, Any]:
    """The facts from which the numbers of a swing are computed."""
    return {name: getattr(player, name) for name in sorted(PROFILE_FIELDS)}


def _follow(
    session_ids: Iterable[int], before: Mapping[str, Any], now: Mapping[str, Any]
) -> None:
    """Let sessions follow what somebody decided about the athlete's profile."""
    changed = {name for name in PROFILE_FIELDS if before[name] != now[name]}
    if changed:
        follow_profile(session_ids, changed=changed, since=None)


# --- Sessions ---------------------------------------------------------------------


def _bring_sessions(kept: Player, merged: Player) -> list[int]:
    """Give the sessions of `merged` to `kept`.

    Returns the keys of the rows that show them.
    """
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
    for part in in_batches(alone):
        rows = Session.objects.filter(pk__in=part)
        rows.filter(recorded_as__isnull=True).update(recorded_as=merged)
        rows.update(player=kept, updated_at=now)
    for session_id in sorted(shared):
        alone += regroup(session_id, family(kept.pk))
    return alone


def _return_sessions(
    kept: Player, merged: Player, leaving: Collection[int], shared: Collection[str]
) -> list[int]:
    """Give back the sessions that the vendor keeps under the `leaving` ids.

    Sessions that both records took part in (`shared`) are regrouped by the caller.
    Returns the keys of the rows.
    """
    rows = Session.objects.filter(player=kept, recorded_as__in=leaving).exclude(
        session_id__in=shared
    )
    pks = list(rows.order_by("pk").values_list("pk", flat=True))
    for part in in_batches(pks):
        given = Session.objects.filter(pk__in=part)
        given.update(player=merged, updated_at=timezone.now())
        given.filter(recorded_as=merged).update(recorded_as=None)
    return pks


# --- Facts ------------------------------------------------------------------------


def _take_facts(
    kept: Player, merged: Player, names: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Copy the chosen facts to `kept`.

    Returns for each its value before and after, and whether it was corrected already.
    """
    changes = {}
    corrected = set(kept.corrected_fields)
    before = _profile(kept)
    for name in CORRECTABLE_FIELDS:
        if name not in names or getattr(kept, name) == getattr(merged, name):
            continue
        changes[name] = {
            "before": _plain(getattr(kept, name)),
            "after": _plain(getattr(merged, name)),
            "was_corrected": name in corrected,
        }
        setattr(kept, name, getattr(merged, name))
        corrected.add(name)
    _save_facts(kept, changes, corrected, before)
    return changes


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _give_facts_back(kept: Player, changes: dict[str, dict[str, Any]]) -> None:
    """Put back the facts that a merge changed, unless somebody changed them since."""
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
    _save_facts(kept, names, corrected, before)


def _save_facts(
    kept: Player, names: Collection[str], corrected: set[str], before: Mapping[str, Any]
) -> None:
    """Save the changed facts of an athlete; numbers that rest on them become old.

    `before` is the profile as it was.
    """
    if not names:
        return
    kept.corrected_fields = sorted(corrected)
    kept.save(update_fields=[*names, "corrected_fields", "search_text", "updated_at"])
    sessions = Session.objects.filter(player=kept).order_by("pk")
    _follow(sessions.values_list("pk", flat=True), before, _profile(kept))
