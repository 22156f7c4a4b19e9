"""Records that may be one athlete, side by side, for staff."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from athletes.identity.duplicates import MOST_NAMESAKES
from athletes.kept_questions import kept_question
from athletes.models import (
    CORRECTABLE_FIELDS,
    AthleteMerge,
    DuplicatePair,
    Likeness,
    Movement,
    Player,
    Session,
)
from athletes.phrases import capture_system
from dashboard.selectors.paging import COUNT_LIMIT

PAGE_SIZE = 25
DECIDED_SHOWN = 25
SHARED_SHOWN = 10

#: What each kind of likeness means, as the page of a merge says it.
LIKENESS_WORDS: dict[str, str] = {
    Likeness.SAME_ID: "The Reboot ID is the same number, once written as a decimal "
    "(660001.0).",
    Likeness.SAME: "The same name and the same birth date.",
    Likeness.SWAPPED: "The same names in a different order, and the same birth date.",
    Likeness.SIMILAR: "Similar names (a typo, nickname or part of the name) and the "
    "same birth date. Twins can look like this too.",
    Likeness.SAME_DATE_TYPO: "The same name; the birth dates differ by one digit, or "
    "day and month are swapped.",
    Likeness.SAME_NO_DATE: "The same name; a birth date is missing.",
    Likeness.SWAPPED_NO_DATE: "The same names in a different order; a birth date is "
    "missing.",
    Likeness.SIMILAR_NO_DATE: "One name is the same and the other similar; a birth "
    "date is missing.",
    Likeness.SAME_OTHER_DATE: f"The same uncommon name (at most {MOST_NAMESAKES} "
    "athletes have it), but different birth dates.",
}


@dataclass(frozen=True)
class DuplicateRecord:
    """One of two records of an athlete, with what tells whom it is about."""

    player: Player
    teams: tuple[str, ...]
    first_on: dt.date | None
    sources: tuple[str, ...]


@dataclass(frozen=True)
class PairLine:
    """Two records and why they are named together."""

    pair: DuplicatePair
    one: DuplicateRecord
    other: DuplicateRecord

    @property
    def reason(self) -> str:
        """Why the two are named together, as the page says it."""
        return self.pair.get_likeness_display()

    @property
    def records(self) -> tuple[DuplicateRecord, DuplicateRecord]:
        """The record that one would keep comes first: the one with more sessions."""
        by_size = sorted(
            (self.one, self.other),
            key=lambda record: (-record.player.session_count, record.player.pk),
        )
        return by_size[0], by_size[1]


@dataclass(frozen=True)
class DuplicatesPage:
    """Pairs that wait, and what was decided of late."""

    lines: tuple[PairLine, ...]
    total: int
    number: int
    has_next: bool
    dismissed: tuple[DuplicatePair, ...]
    merges: tuple[AthleteMerge, ...]

    @property
    def total_text(self) -> str:
        """How many pairs wait, in words."""
        return pairs_text(self.total)


def pairs_text(count: int) -> str:
    """The number of pairs in words: `3 pairs`, or `more than 10,000 pairs`."""
    if count > COUNT_LIMIT:
        return f"more than {COUNT_LIMIT:,} pairs"
    return f"{count:,} pair{'' if count == 1 else 's'}"


def count_waiting() -> int:
    """How many pairs wait for a decision, counted up to a limit."""
    waiting = DuplicatePair.objects.waiting().order_by()
    return waiting.values("pk")[: COUNT_LIMIT + 1].count()


def duplicates_page(number: int = 1) -> DuplicatesPage:
    """The likeliest pairs first; the same number of queries however many there are."""
    waiting = (
        DuplicatePair.objects.waiting()
        .select_related("first", "second")
        .order_by("rank", "id")
    )
    start = (number - 1) * PAGE_SIZE
    pairs = list(waiting[start : start + PAGE_SIZE + 1])
    shown = pairs[:PAGE_SIZE]
    records = records_of(
        [player for pair in shown for player in (pair.first, pair.second)]
    )
    return DuplicatesPage(
        lines=tuple(
            PairLine(pair, records[pair.first_id], records[pair.second_id])
            for pair in shown
        ),
        total=count_waiting(),
        number=number,
        has_next=len(pairs) > PAGE_SIZE,
        dismissed=tuple(
            DuplicatePair.objects.of_separate()
            .filter(dismissed_at__isnull=False)
            .select_related("first", "second", "dismissed_by")
            .order_by("-dismissed_at", "-id")[:DECIDED_SHOWN]
        ),
        merges=tuple(
            AthleteMerge.objects.filter(undone_at__isnull=True)
            .select_related("kept__merged_into", "merged", "created_by")
            .order_by("-id")[:DECIDED_SHOWN]
        ),
    )


def records_of(players: Iterable[Player]) -> dict[int, DuplicateRecord]:
    """Teams, first session and sources of each athlete, by id; two queries."""
    by_id = {player.pk: player for player in players}
    spans: dict[int, dict[str, Any]] = {}
    sources: dict[int, set[str]] = {}
    for row in (
        Session.objects.filter(player__in=by_id, missing_since=None)
        .order_by()
        .values("player_id", "mocap_type_name")
        .annotate(first_on=Min("session_date"))
    ):
        spans.setdefault(row["player_id"], {"first_on": None})
        known = spans[row["player_id"]]["first_on"]
        days = [day for day in (known, row["first_on"]) if day is not None]
        spans[row["player_id"]]["first_on"] = min(days, default=None)
        if row["mocap_type_name"]:
            sources.setdefault(row["player_id"], set()).add(
                capture_system(row["mocap_type_name"])
            )
    teams: dict[int, list[str]] = {}
    for player_id, name in (
        Player.objects.filter(pk__in=by_id, teams__isnull=False)
        .order_by("teams__name")
        .values_list("pk", "teams__name")
    ):
        teams.setdefault(player_id, []).append(name)
    return {
        pk: DuplicateRecord(
            player=player,
            teams=tuple(teams.get(pk, ())),
            first_on=spans.get(pk, {}).get("first_on"),
            sources=tuple(sorted(sources.get(pk, ()))),
        )
        for pk, player in by_id.items()
    }


# --- Two records, compared ----------------------------------------------------------


@dataclass(frozen=True)
class MergeFact:
    """One fact of both records, and whether it has to be chosen."""

    name: str
    label: str
    kept: Any
    merged: Any
    is_corrected: bool

    @property
    def differs(self) -> bool:
        """Whether the two records say different things."""
        return bool(self.kept != self.merged)

    @property
    def takes_merged(self) -> bool:
        """Whether the merged record's value is ticked at first, being the only one."""
        return self.differs and self.kept in (None, "")


@dataclass(frozen=True)
class MergePage:
    """Two records side by side, and what merging the second into the first changes."""

    kept: DuplicateRecord
    merged: DuplicateRecord
    pair: DuplicatePair | None
    reason: str
    facts: tuple[MergeFact, ...]
    shared: tuple[str, ...]
    shared_days: tuple[dt.date | None, ...]
    notes: tuple[int, int]
    new_teams: tuple[str, ...]

    @property
    def conflicts(self) -> tuple[MergeFact, ...]:
        """The facts that have to be chosen."""
        return tuple(fact for fact in self.facts if fact.differs)


_LABELS = {
    "first_name": "First name",
    "last_name": "Last name",
    "date_of_birth": "Born",
    "height_ft": "Height",
    "weight_lbs": "Weight",
    "dominant_hand_hitting": "Bats",
    "dominant_hand_throwing": "Throws",
}


def merge_page(kept: Player, merged: Player) -> MergePage:
    """Both records with all that tells whether they are one athlete."""
    records = records_of([kept, merged])
    low, high = sorted((kept.pk, merged.pk))
    pair = DuplicatePair.objects.filter(first=low, second=high).first()
    theirs = Session.objects.filter(player=merged, folded_into__isnull=True)
    both = list(
        Session.objects.filter(player=kept, session_id__in=theirs.values("session_id"))
        .order_by("-session_date", "-id")
        .values_list("session_id", "session_date")
    )
    counts = {
        row["pk"]: row["found"]
        for row in Player.objects.filter(pk__in=records)
        .order_by()
        .values("pk")
        .annotate(found=Count("sessions__notes"))
    }
    return MergePage(
        kept=records[kept.pk],
        merged=records[merged.pk],
        pair=pair,
        reason=LIKENESS_WORDS[pair.likeness] if pair is not None else "",
        facts=tuple(
            MergeFact(
                name=name,
                label=_LABELS[name],
                kept=getattr(kept, name),
                merged=getattr(merged, name),
                is_corrected=name in kept.corrected_fields,
            )
            for name in CORRECTABLE_FIELDS
        ),
        shared=tuple(session_id for session_id, _ in both),
        shared_days=tuple(day for _, day in both[:SHARED_SHOWN]),
        notes=(counts[kept.pk], counts[merged.pk]),
        new_teams=tuple(
            team
            for team in records[merged.pk].teams
            if team not in records[kept.pk].teams
        ),
    )


# --- On an athlete's page -------------------------------------------------------------


@dataclass(frozen=True)
class LikelyDuplicate:
    """Another record that may be the same athlete."""

    pair: DuplicatePair
    player: Player

    @property
    def reason(self) -> str:
        """Why it may be the same athlete, as the page says it."""
        return self.pair.get_likeness_display()


@dataclass(frozen=True)
class Identities:
    """An athlete's possible and merged other records, for staff."""

    likely: tuple[LikelyDuplicate, ...]
    merges: tuple[AthleteMerge, ...]


@kept_question
def _pairs_of(player_id: int) -> QuerySet[DuplicatePair]:
    pairs = DuplicatePair.objects.waiting().filter(
        Q(first=player_id) | Q(second=player_id)
    )
    return pairs.prefetch_related("first", "second").order_by("rank", "id")[:5]


@kept_question
def _merges_of(player_id: int) -> QuerySet[AthleteMerge]:
    merges = AthleteMerge.objects.filter(kept=player_id, undone_at__isnull=True)
    return merges.prefetch_related("merged", "created_by").order_by("-id")


def identities(player: Player) -> Identities:
    """Records that may be the same athlete, and those merged into them.

    Two queries, and two more for each of the two that there are.
    """
    return Identities(
        likely=tuple(
            LikelyDuplicate(
                pair, pair.second if pair.first_id == player.pk else pair.first
            )
            for pair in _pairs_of(player.pk)
        ),
        merges=tuple(_merges_of(player.pk)),
    )


def sessions_given_back(entry: AthleteMerge) -> tuple[int, dt.date | None]:
    """How many sessions undoing the merge gives back, and the day of the newest."""
    ids = [entry.merged_id, *entry.changes.get("aliases", [])]
    rows = Session.objects.filter(Q(recorded_as__in=ids) | Q(player__in=ids))
    found = rows.aggregate(n=Count("id"), newest=Max("session_date"))
    return found["n"], found["newest"]


def swings_given_back(entry: AthleteMerge) -> int:
    """How many movements undoing the merge gives back with its sessions."""
    ids = [entry.merged_id, *entry.changes.get("aliases", [])]
    return Movement.objects.filter(
        Q(session__recorded_as__in=ids) | Q(folded_from__player__in=ids)
    ).count()
