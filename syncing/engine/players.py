"""Athletes of the vendor's list, compared with ours before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from athletes.analysis import peer_numbers
from athletes.analysis.summaries import (
    PROFILE_FIELDS,
    PROFILE_REACHES_DAYS,
    follow_profile,
    is_correction,
)
from athletes.identity import tombstones
from athletes.models import COMPARED_FIELDS, Player, Session
from athletes.names import search_text
from syncing import clock
from syncing.choices import Phase, SyncType
from syncing.client.errors import RebootError, UnexpectedShapeError
from syncing.client.pagination import in_chunks
from syncing.client.types import RebootPlayer
from syncing.engine.context import RunContext
from syncing.engine.raw import store_raw
from syncing.engine.stopping import RUN_ENDING_ERRORS, FatalError, fatal_from
from syncing.mapping import FIELD_WORDS, Mapped, map_player
from syncing.models import AnalysisJob, RawPayload

CHUNK = 100
#: An answer that drops more than this share of what is stored is not believed …
IMPLAUSIBLE_SHARE = 0.30
#: … unless it is about fewer objects than this.
IMPLAUSIBLE_COUNT = 5
#: What decides with whom an athlete is compared, or whether they are.
_GROUPING_FIELDS = frozenset({"date_of_birth", "missing_since"})


def sync_players(ctx: RunContext) -> None:
    """Read and store all athletes; a full run marks those no longer listed."""
    ctx.begin_phase(Phase.PLAYERS)
    seen: set[str] = set()

    def bad(error: UnexpectedShapeError) -> None:
        ctx.count("players", "failed")
        ctx.record_error(
            what="Reading an athlete",
            about="an entry in the athlete list",
            is_general=True,
            message=error.message,
            code=error.code,
            hint="The other athletes were read. Ask Reboot Motion about that entry.",
        )
        if error.entry_id is not None:
            # It is listed all the same.
            seen.add(error.entry_id)

    try:
        source = ctx.client.players(on_bad_record=bad)
        for chunk in in_chunks(source, CHUNK):
            ctx.check()
            seen.update(player.org_player_id for player in chunk)
            _store(ctx, chunk)
            ctx.advance(Phase.PLAYERS, len(chunk))
        if ctx.log.sync_type == SyncType.FULL and _unlisted(seen):
            # Only who a second reading lacks too is gone: the list may have changed
            # while it was read.
            again = ctx.client.players(on_bad_record=told_already)
            seen.update(player.org_player_id for player in again)
    except RebootError as error:
        if isinstance(error, RUN_ENDING_ERRORS):
            raise fatal_from(error, "reading athletes") from error
        ctx.record_error(
            what="Reading athletes",
            about="the athlete list",
            is_general=True,
            message=error.message,
            code=error.code,
        )
        return
    if not ctx.accept_removals:
        _check_size(ctx, seen)
    if ctx.log.sync_type == SyncType.FULL:
        _mark_missing(ctx, seen)


def told_already(error: UnexpectedShapeError) -> None:
    """Pass by an entry that the first reading of a list told of."""


def _store(ctx: RunContext, chunk: list[RebootPlayer]) -> None:
    with transaction.atomic():
        erased = tombstones.load_erased()
        chunk = [item for item in chunk if not erased.has(item.org_player_id, item.id)]
        mapped = {item.org_player_id: map_player(item) for item in chunk}
        kept = _kept_values(mapped)
        created, updated, unchanged = upsert_players(mapped)
        store_raw(
            RawPayload.Kind.PLAYER,
            {item.org_player_id: item.raw for item in chunk},
            {vendor_id: found.problems for vendor_id, found in mapped.items()},
        )
    for pk, names in kept.items():
        tell_kept(ctx, f"athlete {pk}", names)
    ctx.count("players", "created", created)
    ctx.count("players", "updated", updated)
    ctx.count("players", "unchanged", unchanged)


def _kept_values(mapped: Mapping[str, Mapped]) -> dict[int, list[str]]:
    """Return whose stored values are kept, as the new ones cannot be read: the names.

    Only what nobody was told of yet. Where staff corrected a value, it is theirs.
    """
    bad = {vendor_id: found for vendor_id, found in mapped.items() if found.problems}
    told = problems_told(RawPayload.Kind.PLAYER, bad)
    kept = {}
    for player in Player.everyone.filter(org_player_id__in=list(bad)):
        names = [
            problem.name
            for problem in bad[player.org_player_id].problems
            if problem.as_json() not in told.get(player.org_player_id, ())
            and problem.name not in player.corrected_fields
            and getattr(player, problem.name) not in {None, ""}
        ]
        if names:
            kept[player.pk] = names
    return kept


def problems_told(kind: str, vendor_ids: Iterable[str]) -> dict[str, list[Any]]:
    """Return the problems that are stored already, by the vendor's id."""
    rows = RawPayload.objects.filter(kind=kind, vendor_id__in=list(vendor_ids))
    found = rows.values_list("vendor_id", "problems")
    return {vendor_id: problems or [] for vendor_id, problems in found}


def tell_kept(
    ctx: RunContext, about: str, names: list[str], *, session_pk: int | None = None
) -> None:
    """Tell that stored values were kept; the text that came is not in the message.

    It may be a date of birth, and what a run tells outlives an erased athlete.
    """
    words = ", ".join(f'"{FIELD_WORDS.get(name, name)}"' for name in names)
    ctx.record_error(
        what="Reading a value",
        about=about,
        message=f"Reboot Motion's {words} can no longer be read, so the stored value "
        "was kept.",
        code="unreadable_value",
        session_pk=session_pk,
    )


def upsert_players(mapped: Mapping[str, Mapped]) -> tuple[int, int, int]:
    """Store athletes; return how many were created, changed and left as they were.

    A stored value is kept where the vendor's cannot be read.
    """
    known = {
        player.org_player_id: player
        for player in Player.everyone.filter(org_player_id__in=list(mapped))
    }
    now = clock.now()
    new: list[Player] = []
    changed: list[Player] = []
    remeasured: dict[tuple[frozenset[str], bool], list[int]] = {}
    regrouped: list[int] = []
    names: set[str] = set()
    for org_player_id, values in mapped.items():
        player = known.get(org_player_id)
        if player is None:
            player = Player(**values.fields)
            player.search_text = search_text(player.first_name, player.last_name)
            new.append(player)
            continue
        different = changed_fields(player, values.readable)
        if player.missing_since is not None:
            different["missing_since"] = None
        if not different:
            continue
        before = {name: getattr(player, name) for name in different}
        for name, value in different.items():
            setattr(player, name, value)
        player.search_text = search_text(player.first_name, player.last_name)
        player.updated_at = now
        if COMPARED_FIELDS.intersection(different):
            player.compared_at = None
            names.add("compared_at")
        names.update(different)
        changed.append(player)
        facts = PROFILE_FIELDS.intersection(different)
        # What was wrong is wrong of every session; what has changed is not.
        wrong = frozenset(
            name
            for name in ("height_ft", "weight_lbs")
            if name in facts and is_correction(name, before[name], player, now.date())
        )
        for names_of_one_kind, is_wrong in ((wrong, True), (facts - wrong, False)):
            if names_of_one_kind:
                same = remeasured.setdefault((names_of_one_kind, is_wrong), [])
                same.append(player.pk)
        if _GROUPING_FIELDS.intersection(different):
            regrouped.append(player.pk)
    Player.objects.bulk_create(new)
    if changed:
        Player.everyone.bulk_update(
            changed, sorted({*names, "search_text", "updated_at"}), batch_size=100
        )
    # An athlete is listed as long as one of their records is.
    Player.objects.filter(
        missing_since__isnull=False,
        aliases__in=[player.pk for player in known.values() if player.merged_into_id],
    ).update(missing_since=None)
    since = now.date() - timedelta(days=PROFILE_REACHES_DAYS)
    for (facts, is_wrong), ids in remeasured.items():
        sessions = Session.objects.filter(player__in=ids).order_by("pk")
        pks = sessions.values_list("pk", flat=True)
        _want_numbers(
            follow_profile(pks, changed=facts, since=None if is_wrong else since)
        )
    if regrouped:
        peer_numbers.refresh(regrouped)
    return len(new), len(changed), len(mapped) - len(new) - len(changed)


def _want_numbers(session_pks: Collection[int]) -> None:
    """Have numbers computed again that depend on a changed height or side."""
    for session_pk in session_pks:
        AnalysisJob.objects.get_or_create(session_id=session_pk)
    AnalysisJob.objects.filter(session_id__in=session_pks).update(
        wanted=F("wanted") + 1, attempts=0, updated_at=clock.now()
    )


def changed_fields(player: Player, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the vendor's values that differ from ours and may be written."""
    kept = set(player.corrected_fields)
    return {
        name: value
        for name, value in fields.items()
        if name not in kept and getattr(player, name) != value
    }


def _unlisted(seen: set[str]) -> list[int]:
    """Return the records that are not among those seen, nor marked as missing."""
    listed = Player.everyone.filter(missing_since__isnull=True)
    records = list(listed.values_list("id", "org_player_id", "merged_into"))
    heads = {head for _, org_player_id, head in records if org_player_id in seen}
    return [
        pk
        for pk, org_player_id, _ in records
        # An athlete is listed as long as one of their records is.
        if org_player_id not in seen and pk not in heads
    ]


def _check_size(ctx: RunContext, seen: set[str]) -> None:
    """Tell of a list that lacks too many of those who were listed once."""
    # Who came by hand alone was never listed, and has nothing that only lists tell.
    listed = Player.everyone.filter(missing_since__isnull=True).exclude(
        reboot_player_id="", vendor_updated_at__isnull=True
    )
    records = listed.values_list("id", flat=True)
    gone = len(set(_unlisted(seen)).intersection(records))
    refuse_implausible(ctx, gone, len(records), "athletes", is_empty=not seen)


def _mark_missing(ctx: RunContext, seen: set[str]) -> None:
    for part in in_chunks(_unlisted(seen), 500):
        with transaction.atomic():
            Player.everyone.filter(id__in=part).update(missing_since=clock.now())
            peer_numbers.refresh(part)


def refuse_implausible(
    ctx: RunContext, gone: int, stored: int, name: str, *, is_empty: bool
) -> None:
    """Tell of a list that is empty, or lost too much at once to be believed.

    A full run ends there; another one marks nothing as missing and goes on.
    """
    is_empty = is_empty and stored > 0
    is_cut = gone >= IMPLAUSIBLE_COUNT and gone > IMPLAUSIBLE_SHARE * stored
    if not is_empty and not is_cut:
        return
    is_full = ctx.log.sync_type == SyncType.FULL
    told = f"Reboot Motion's list no longer includes {gone} of our {stored} {name}. "
    told += f"That is more than {IMPLAUSIBLE_SHARE:.0%} at once"
    if is_empty:
        told = f"Reboot Motion's list is empty, while {stored} {name} are stored here"
    told += ", so nothing was marked as missing"
    told += " and the run stopped." if is_full else "."
    hint = (
        "Check that the login or key in the settings belongs to your organization: "
        "log in to Reboot Motion's dashboard with it and check that they are there. "
        "If they are, wait until Reboot Motion's list is complete again. If they were "
        "really removed, run manage.py sync --full --accept-removals."
    )
    if is_full:
        raise FatalError(
            told, code="implausible_removal", hint=hint, what=f"comparing {name}"
        )
    ctx.record_error(
        what=f"Comparing {name}",
        about=f"the list of {name}",
        is_general=True,
        message=told,
        code="implausible_removal",
        hint=hint,
    )
