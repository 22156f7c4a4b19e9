"""Where an athlete's headline numbers lie among those of the facility's athletes.

The numbers that are compared are kept by `athletes.analysis.peer_numbers`; here they
are read for pages, and here stands what the word percentile means on them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from athletes.analysis.peer_numbers import EVERYONE, PeerBasis
from athletes.models import PeerCount, PeerGroup, PeerNumber

LEAST_ATHLETES = 20
"""Among fewer athletes no percentile is shown."""
EXACT_FROM = 100
"""Among fewer athletes the place is said as a count: the 95 % interval of a percentile
in the middle is ±22 points of 20 athletes and ±10 of 100."""


@dataclass(frozen=True)
class Term:
    """The definition of a term that is not a metric.

    `parts` holds a heading and a sentence each.
    """

    id: str
    name: str
    plain: str
    parts: tuple[tuple[str, str], ...]


DEFINITION = Term(
    id="facility_percentile",
    name="Percentile within the facility",
    plain="The share of the facility's athletes with a lower number. It shows where a "
    "number falls, not whether it is good: for most numbers, more isn't better.",
    parts=(
        (
            "How it is computed",
            "The athletes whose number is lower, plus half of those whose number is "
            "the same (the athlete too), in percent of all in the group (mid-rank).",
        ),
        (
            "Which number",
            "Each athlete's average over the included swings of their latest session "
            "with three or more, if that session is no more than a year older than "
            "their latest session overall.",
        ),
        (
            "Who is in the group",
            "All athletes of the facility whose number has the same setup, events, "
            "measured points, source and method version. Where too few have the "
            "setup, all setups are combined, and the page says so. Athletes Reboot "
            "Motion no longer lists are not in the group. For a coach limited to "
            "teams: the athletes they can see, since an exact rank among others would "
            "reveal something about them.",
        ),
        (
            "Age",
            "Athletes of the same age (in two-year bands, wider from 19 on) where "
            "there are enough; otherwise all ages, and the page says so. Age is on "
            "the day of the session.",
        ),
        (
            "Level",
            "Where staff have recorded the athlete's level, the group can be those who "
            "are at that level today, on the same basis. A number may be from before "
            "the athlete reached the level.",
        ),
        (
            "Side",
            "Right- and left-handed hitters are together: numbers are computed so "
            "that both sides read the same. For a switch hitter it is the average "
            "over all swings of the latest session; if that has swings from both "
            "sides, no percentile is shown.",
        ),
        (
            "Minimum group size",
            f"{LEAST_ATHLETES} athletes. With fewer, no percentile is shown. With "
            f"fewer than {EXACT_FROM}, the place is given as a count, because a "
            "percentile could be off by ten or more.",
        ),
        (
            "Middle half",
            "The values at a quarter, half (the median) and three quarters of the "
            "group, by nearest rank: each is the smallest value that at least that "
            "share of the group is at or below.",
        ),
        ("Updated", "Whenever data changes."),
    ),
)


Seen = QuerySet[Any, Any]
"""Athletes, or the column of their keys: a part of another query."""


@dataclass(frozen=True)
class Rank:
    """The place of one athlete in a group: its size, and how many lie below and level.

    `equal` counts the athlete too.
    """

    n: int
    below: int
    equal: int

    @property
    def percentile(self) -> float | None:
        """The percentile by mid-rank, 0 to 100; None among too few athletes.

        The athletes below plus half of those level, in percent of all: so an athlete
        alone in the middle of the group is at 50. None below `LEAST_ATHLETES`.
        """
        if self.n < LEAST_ATHLETES:
            return None
        return 100 * (self.below + self.equal / 2) / self.n


@dataclass(frozen=True)
class Peers:
    """The rank of one athlete's number among all athletes, and in their age band."""

    group_id: int
    everyone: Rank
    same_age: Rank | None
    band: int | None


def peers_of(
    player_id: int,
    keys: Iterable[PeerBasis],
    *,
    seen: Seen | None = None,
    of_ages: bool = True,
) -> dict[PeerBasis, Peers]:
    """The ranks of an athlete's numbers, by what the numbers rest on; three queries.

    A basis is missing where the athlete has no number on it that is compared. With
    `seen` the comparison is with these athletes alone, in two queries: counts that
    include anybody else would let a coach narrow down numbers they may not see.
    Without `of_ages` these are not counted by age, which takes half of the time.
    """
    wanted = set(keys)
    own = {
        row.pk: row
        for row in PeerNumber.objects.filter(
            player_id=player_id, group__metric__in={key[0] for key in wanted}
        ).select_related("group")
        if _basis_of(row.group) in wanted
    }
    if not own:
        return {}
    if seen is not None:
        return _peers_among(seen, own, of_ages=of_ages)
    mine = PeerNumber.objects.filter(pk__in=own)
    before = Q(group__counts__bucket__lt=F("bucket"))
    sums = {}
    everyone = Q(group__counts__audience=EVERYONE)
    same_age = Q(group__counts__audience=F("age_band"))
    for name, of in (("all", everyone), ("age", same_age)):
        sums[f"{name}_n"] = Sum("group__counts__n", filter=of, default=0)
        sums[f"{name}_below"] = Sum("group__counts__n", filter=of & before, default=0)
    counted = mine.filter(everyone | same_age)
    totals = {row["pk"]: row for row in counted.values("pk").annotate(**sums)}
    lower = Q(group__numbers__value__lt=F("value"))
    level = Q(group__numbers__value=F("value"))
    of_age = Q(group__numbers__age_band=F("age_band"))
    beside = mine.filter(group__numbers__bucket=F("bucket")).values("pk")
    near = {
        row["pk"]: row
        for row in beside.annotate(
            all_lower=Count("group__numbers__value", filter=lower),
            all_level=Count("group__numbers__value", filter=level),
            age_lower=Count("group__numbers__value", filter=lower & of_age),
            age_level=Count("group__numbers__value", filter=level & of_age),
        )
    }
    # Another writer may have taken the athlete out between two of these queries.
    return {
        _basis_of(row.group): Peers(
            group_id=row.group_id,
            everyone=_rank("all", totals[pk], near[pk]),
            same_age=None
            if row.age_band is None
            else _rank("age", totals[pk], near[pk]),
            band=row.age_band,
        )
        for pk, row in own.items()
        if pk in totals and pk in near
    }


def _peers_among(
    seen: Seen, own: Mapping[int, PeerNumber], *, of_ages: bool
) -> dict[PeerBasis, Peers]:
    """The ranks of an athlete's numbers (`own`, by key) among the `seen` alone."""
    other = "group__numbers__value"
    lower, level = Q(**{f"{other}__lt": F("value")}), Q(**{other: F("value")})
    counts = {
        "all_n": Count(other),
        "all_below": Count(other, filter=lower),
        "all_level": Count(other, filter=level),
    }
    if of_ages:
        of_age = Q(group__numbers__age_band=F("age_band"))
        counts |= {
            "age_n": Count(other, filter=of_age),
            "age_below": Count(other, filter=lower & of_age),
            "age_level": Count(other, filter=level & of_age),
        }
    # One row for each number: its own three or six counts, not those of all numbers.
    mine = PeerNumber.objects.filter(pk__in=own, group__numbers__player__in=seen)
    found = {row["pk"]: row for row in mine.values("pk").annotate(**counts)}

    def rank(name: str, pk: int) -> Rank:
        row: Mapping[str, Any] = found.get(pk, {})
        n, below, equal = (
            row.get(f"{name}_{place}", 0) for place in ("n", "below", "level")
        )
        return Rank(n=n, below=below, equal=equal)

    return {
        _basis_of(row.group): Peers(
            group_id=row.group_id,
            everyone=rank("all", pk),
            same_age=rank("age", pk) if of_ages and row.age_band is not None else None,
            band=row.age_band,
        )
        for pk, row in own.items()
    }


def size_among(group_id: int, seen: Seen) -> int:
    """How many of the `seen` have a number in a group."""
    return PeerNumber.objects.filter(group_id=group_id, player__in=seen).count()


def _rank(name: str, total: Mapping[str, Any], near: Mapping[str, Any]) -> Rank:
    return Rank(
        n=total[f"{name}_n"],
        below=total[f"{name}_below"] + near[f"{name}_lower"],
        equal=near[f"{name}_level"],
    )


def _basis_of(group: PeerGroup) -> PeerBasis:
    return (
        group.metric,
        group.condition,
        group.basis,
        group.source,
        group.method_version,
    )


def quartiles(
    group_id: int, audience: int, *, seen: Seen | None = None
) -> tuple[float, float, float] | None:
    """The values at a quarter, half and three quarters of a group; four queries.

    By nearest rank: the smallest value that at least so many lie at or below. None
    among fewer than `LEAST_ATHLETES`. With `seen` among these athletes alone, in one
    query: nothing is counted of them beforehand.
    """
    numbers = PeerNumber.objects.filter(group_id=group_id)
    if seen is not None:
        numbers = numbers.filter(player__in=seen)
    if audience != EVERYONE:
        numbers = numbers.filter(age_band=audience)
    if seen is not None:
        return _quartiles_of(sorted(numbers.values_list("value", flat=True)))
    kept = PeerCount.objects.filter(group_id=group_id, audience=audience)
    counts = list(kept.order_by("bucket").values_list("bucket", "n"))
    total = sum(n for _, n in counts)
    if total < LEAST_ATHLETES:
        return None
    found = [
        _at_rank(numbers, counts, math.ceil(total * quarter / 4))
        for quarter in (1, 2, 3)
    ]
    # A number may have gone since the counts were read.
    first, middle, third = found
    if first is None or middle is None or third is None:
        return None
    return first, middle, third


def _quartiles_of(values: Sequence[float]) -> tuple[float, float, float] | None:
    """The quartiles of all values of a group, which are in order."""
    n = len(values)
    if n < LEAST_ATHLETES:
        return None
    first, middle, third = (values[math.ceil(n * part / 4) - 1] for part in (1, 2, 3))
    return first, middle, third


def _at_rank(
    numbers: QuerySet[PeerNumber], counts: Sequence[tuple[int, int]], rank: int
) -> float | None:
    """The value at place `rank` from the lowest, read from its stretch alone.

    `counts` holds stretches with their counts, in order. None where the number has
    gone since they were read.
    """
    passed = 0
    for bucket, n in counts:
        if passed + n >= rank:
            place = rank - passed - 1
            inside = numbers.filter(bucket=bucket).order_by("value")
            return inside.values_list("value", flat=True)[place : place + 1].first()
        passed += n
    return None
