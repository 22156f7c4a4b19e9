"""Where an athlete's headline numbers lie among those of the facility's athletes.

What is compared is each athlete's newest session mean on one basis: the same metric,
condition, event rule, source and version of the method, the mixing guard of a trend.
These numbers, and how many of them lie in each small stretch of values, are kept by
what writes: a page adds up a few hundred counts and looks into one stretch, however
many athletes there are.

Whoever changes what a session mean rests on, the day or the condition of a session, a
date of birth, or whether the vendor lists an athlete, calls `refresh`; services do it
with the athlete's other summaries. `rebuild` makes everything anew.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber

from athletes.models import PeerCount, PeerGroup, PeerNumber, Player, SessionMetric
from athletes.querysets import PlayerQuerySet
from biomechanics.definitions import HEADLINES, METRICS

LEAST_ATHLETES = 20
"""Among fewer no percentile is said."""

PEER_METRICS = tuple(name for name in HEADLINES if METRICS[name].unit != "text")

#: Width of a stretch by unit: about a twentieth of the spread between athletes, so
#: that few counts are added and few numbers stand in one stretch.
_WIDTHS = {"deg": 0.5, "deg/s": 4.0, "m/s": 0.1, "ms": 2.0}
# Beyond, everything is in the last stretch: a column of the database has an end.
_LAST_BUCKET = 1_000_000

EVERYONE = 0
#: First year of each band; the last is open.
_BAND_STARTS = (0, 11, 13, 15, 17, 19, 23)
AGE_BANDS = tuple(range(1, len(_BAND_STARTS) + 1))

_AT_ONCE = 500


@dataclass(frozen=True)
class Term:
    """What a number that is no metric means; `parts` are heads and sentences."""

    id: str
    name: str
    plain: str
    parts: tuple[tuple[str, str], ...]


DEFINITION = Term(
    id="facility_percentile",
    name="Percentile within the facility",
    plain="How many of the facility's athletes have a lower number. It says where a "
    "number lies, not whether it is good: of most numbers more is not better.",
    parts=(
        (
            "How it is computed",
            "The athletes whose number is lower, plus half of those whose number is "
            "the same (the athlete too), in per cent of all in the group (mid-rank).",
        ),
        (
            "Which number",
            "Of each athlete the mean over the counted swings of the newest session.",
        ),
        (
            "Who is in the group",
            "All athletes of the facility whose number rests on the same: condition, "
            "reference event, source and version of the method. Who the vendor no "
            "longer lists is not. For a coach limited to teams: those of them whom he "
            "may see, since an exact place among others would tell about them.",
        ),
        (
            "Age",
            "Where enough athletes are of the same age, two years together and more "
            "from 19 on, they are the group; else all ages together, and the page "
            "says so. The age is that at the newest session.",
        ),
        (
            "Side",
            "Right- and left-handed hitters are together: numbers are computed so "
            "that both sides read the same. A switch hitter counts with the mean over "
            "all swings of the newest session; where that has swings of both sides, no "
            "percentile is said of him.",
        ),
        (
            "From how many on",
            f"{LEAST_ATHLETES} athletes. Among fewer none is shown.",
        ),
        (
            "Middle half",
            "Values at a quarter, half and three quarters of the group by nearest "
            "rank: the smallest that at least so many lie at or below.",
        ),
        ("Kept fresh", "With every write; never by the clock alone."),
    ),
)

Key = tuple[str, str, str, str, str]


def bucket_of(metric: str, value: float) -> int:
    """The stretch that a value lies in; a larger value is never in an earlier one."""
    place = math.floor(value / _WIDTHS[METRICS[metric].unit])
    return max(-_LAST_BUCKET, min(_LAST_BUCKET, place))


def age_band(born: dt.date | None, day: dt.date | None) -> int | None:
    """The band of the age on a day; None where the age is not known."""
    if born is None or day is None or day < born:
        return None
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return sum(start <= years for start in _BAND_STARTS)


def band_words(band: int) -> str:
    """`13 to 14`, `10 and under`, `23 and over`."""
    if band == AGE_BANDS[0]:
        return f"{_BAND_STARTS[1] - 1} and under"
    if band == AGE_BANDS[-1]:
        return f"{_BAND_STARTS[-1]} and over"
    return f"{_BAND_STARTS[band - 1]} to {_BAND_STARTS[band] - 1}"


# --- Kept by what writes ---------------------------------------------------------


def refresh(player_ids: Iterable[int]) -> int:
    """Bring these athletes' numbers up to date; how many of the numbers changed."""
    ids = sorted(set(player_ids))
    return sum(_refresh(part) for part in _parts(ids))


def withdraw(player_ids: Iterable[int]) -> None:
    """Take these athletes out, in the transaction in which they are deleted."""
    with transaction.atomic():
        ids = lock_players(player_ids)
        rows = PeerNumber.objects.filter(player_id__in=ids)
        change: Counter[_Cell] = Counter()
        for row in rows:
            _add(change, row, -1)
        rows.delete()
        _count(change)


def rebuild() -> None:
    """Numbers and counts of everybody anew, whatever was stored."""
    last = 0
    while True:
        ids = list(
            Player._base_manager.filter(pk__gt=last)
            .order_by("pk")
            .values_list("pk", flat=True)[:_AT_ONCE]
        )
        if not ids:
            break
        _refresh(ids)
        last = ids[-1]
    _recount()


@dataclass(frozen=True, order=True, slots=True)
class _Cell:
    """What one count is about; ordered, so that all writers lock in one order."""

    group_id: int
    audience: int
    bucket: int


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def lock_players(player_ids: Iterable[int]) -> list[int]:
    """The athletes there are, each held by one writer until his counts are right.

    Hidden ones too: who was merged into another is taken out.
    """
    return list(
        Player._base_manager.select_for_update(no_key=True)
        .filter(pk__in=list(player_ids))
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _refresh(player_ids: Sequence[int]) -> int:
    with transaction.atomic():
        ids = lock_players(player_ids)
        wanted = _numbers_of(ids)
        stored = {
            (row.player_id, row.group_id): row
            for row in PeerNumber.objects.filter(player_id__in=ids)
        }
        change: Counter[_Cell] = Counter()
        gone = [row for key, row in stored.items() if key not in wanted]
        new = [row for key, row in wanted.items() if key not in stored]
        moved = []
        for key, row in wanted.items():
            old = stored.get(key)
            if old is not None and _content(old) != _content(row):
                _add(change, old, -1)
                _add(change, row, +1)
                row.pk = old.pk
                moved.append(row)
        for row in gone:
            _add(change, row, -1)
        for row in new:
            _add(change, row, +1)
        if gone:
            PeerNumber.objects.filter(pk__in=[row.pk for row in gone]).delete()
        _insert(new)
        if moved:
            PeerNumber.objects.bulk_update(
                moved, ["value", "bucket", "age_band"], batch_size=200
            )
        _count(change)
        return len(gone) + len(new) + len(moved)


_NUMBER_COLUMNS = ("player_id", "group_id", "value", "bucket", "age_band")


def _insert(rows: Sequence[PeerNumber]) -> None:
    """Store new numbers; a column at a time where the database takes arrays.

    `bulk_create` spends most of its time on writing out a placeholder for each value.
    """
    if not rows:
        return
    into = f"INSERT INTO peer_numbers ({', '.join(_NUMBER_COLUMNS)}) "
    values = [[getattr(row, name) for name in _NUMBER_COLUMNS] for row in rows]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                into + "SELECT * FROM unnest(%s::bigint[], %s::bigint[], "  # noqa: S608
                "%s::double precision[], %s::integer[], %s::smallint[])",
                [list(column) for column in zip(*values, strict=True)],
            )
        else:
            cursor.executemany(into + "VALUES (%s, %s, %s, %s, %s)", values)


def _content(row: PeerNumber) -> tuple[float, int, int | None]:
    return (row.value, row.bucket, row.age_band)


def _add(change: Counter[_Cell], row: PeerNumber, by: int) -> None:
    change[_Cell(row.group_id, EVERYONE, row.bucket)] += by
    if row.age_band is not None:
        change[_Cell(row.group_id, row.age_band, row.bucket)] += by


def _numbers_of(player_ids: Sequence[int]) -> dict[tuple[int, int], PeerNumber]:
    """What should be stored of these athletes, by athlete and group.

    One that the vendor no longer lists is not compared with.
    """
    listed = {
        pk: age_band(born, day)
        for pk, born, day in Player.objects.filter(
            pk__in=player_ids, missing_since__isnull=True
        ).values_list("pk", "date_of_birth", "last_session_on")
    }
    newest = (
        SessionMetric.objects.filter(
            session__player_id__in=list(listed),
            session__folded_into__isnull=True,
            metric__in=PEER_METRICS,
        )
        .annotate(
            recency=Window(
                RowNumber(),
                partition_by=[
                    F("session__player_id"),
                    *(F(name) for name in _KEY_COLUMNS),
                ],
                order_by=[
                    F("session__session_date").desc(nulls_last=True),
                    F("session_id").desc(),
                ],
            )
        )
        .filter(recency=1)
        .values_list("session__player_id", "mean", *_KEY_COLUMNS)
    )
    found: dict[tuple[int, Key], float] = {
        (player_id, tuple(key)): mean for player_id, mean, *key in newest
    }
    groups = _groups({key for _, key in found})
    return {
        (player_id, groups[key]): PeerNumber(
            player_id=player_id,
            group_id=groups[key],
            value=value,
            bucket=bucket_of(key[0], value),
            age_band=listed[player_id],
        )
        for (player_id, key), value in found.items()
    }


_KEY_COLUMNS = (
    "metric",
    "session__condition",
    "event_rule",
    "session__mocap_type_name",
    "method_version",
)
_KEY_FIELDS = ("metric", "condition", "event_rule", "source", "method_version")


def _groups(keys: set[Key]) -> dict[Key, int]:
    """Ids of the groups, made where there are none."""

    def known() -> dict[Key, int]:
        rows = PeerGroup.objects.filter(
            metric__in={key[0] for key in keys},
            method_version__in={key[4] for key in keys},
        ).values_list("pk", *_KEY_FIELDS)
        return {tuple(key): pk for pk, *key in rows}

    found = known()
    missing = sorted(keys - found.keys())
    if missing:
        PeerGroup.objects.bulk_create(
            [PeerGroup(**dict(zip(_KEY_FIELDS, key, strict=True))) for key in missing],
            ignore_conflicts=True,
        )
        found = known()
    return found


def _count(change: Mapping[_Cell, int]) -> None:
    """Add to the counts, always in one order: two writers then never wait in a ring."""
    cells = sorted((cell, by) for cell, by in change.items() if by)
    into = "INSERT INTO peer_counts (group_id, audience, bucket, n) "
    added = (
        " ON CONFLICT (group_id, audience, bucket)"
        " DO UPDATE SET n = peer_counts.n + excluded.n"
    )
    values = [(cell.group_id, cell.audience, cell.bucket, by) for cell, by in cells]
    with connection.cursor() as cursor:
        if values and connection.vendor == "postgresql":
            cursor.execute(
                into + "SELECT * FROM unnest(%s::bigint[], %s::smallint[], "  # noqa: S608
                "%s::integer[], %s::integer[])" + added,
                [list(column) for column in zip(*values, strict=True)],
            )
        elif values:
            cursor.executemany(into + "VALUES (%s, %s, %s, %s)" + added, values)
    # An empty count would say that somebody was there.
    emptied = {cell.group_id for cell, by in cells if by < 0}
    if emptied:
        PeerCount.objects.filter(group_id__in=emptied, n=0).delete()


def _recount() -> None:
    """Counts from the numbers themselves, while other writers wait with theirs."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE peer_counts IN SHARE ROW EXCLUSIVE MODE")
        PeerCount.objects.all().delete()
        cursor.execute(
            "INSERT INTO peer_counts (group_id, audience, bucket, n) "
            "SELECT group_id, %s, bucket, COUNT(*) FROM peer_numbers "
            "GROUP BY group_id, bucket",
            [EVERYONE],
        )
        cursor.execute(
            "INSERT INTO peer_counts (group_id, audience, bucket, n) "
            "SELECT group_id, age_band, bucket, COUNT(*) FROM peer_numbers "
            "WHERE age_band IS NOT NULL GROUP BY group_id, age_band, bucket"
        )


# --- Read by pages ----------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """How many athletes there are, and how many lie below and at one of them."""

    n: int
    below: int
    equal: int

    @property
    def percentile(self) -> float | None:
        """Mid-rank, 0 to 100: who is below, and half of who is level, himself too.

        None among fewer than `LEAST_ATHLETES`.
        """
        if self.n < LEAST_ATHLETES:
            return None
        return 100 * (self.below + self.equal / 2) / self.n


@dataclass(frozen=True)
class Peers:
    """One athlete's number among everyone's, and among those of his age."""

    group_id: int
    everyone: Share
    same_age: Share | None
    band: int | None


def peers_of(
    player_id: int, keys: Iterable[Key], *, seen: PlayerQuerySet | None = None
) -> dict[Key, Peers]:
    """Where the athlete's numbers on these bases lie; three queries.

    A basis is missing where the athlete has no number on it that is compared. With
    `seen` these athletes alone are compared with, and two queries do: counts that
    hold anybody else would let him be bounded by those who are known.
    """
    wanted = set(keys)
    own = {
        row.pk: row
        for row in PeerNumber.objects.filter(
            player_id=player_id, group__metric__in={key[0] for key in wanted}
        ).select_related("group")
        if _key(row.group) in wanted
    }
    if not own:
        return {}
    # One athlete has one age, so these are all the same.
    band = next(iter(own.values())).age_band
    if seen is not None:
        return _peers_among(seen, own, band)
    audiences = {"all": EVERYONE} | ({} if band is None else {"age": band})
    mine = PeerNumber.objects.filter(pk__in=own)
    before = Q(group__counts__bucket__lt=F("bucket"))
    sums = {}
    for name, audience in audiences.items():
        of = Q(group__counts__audience=audience)
        sums[f"{name}_n"] = Sum("group__counts__n", filter=of, default=0)
        sums[f"{name}_below"] = Sum("group__counts__n", filter=of & before, default=0)
    counted = mine.filter(group__counts__audience__in=audiences.values())
    totals = {row["pk"]: row for row in counted.values("pk").annotate(**sums)}
    lower = Q(group__numbers__value__lt=F("value"))
    level = Q(group__numbers__value=F("value"))
    of_age = Q(group__numbers__age_band=band)
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
    # Another writer may have taken him out between two of these queries.
    return {
        _key(row.group): Peers(
            group_id=row.group_id,
            everyone=_share("all", totals[pk], near[pk]),
            same_age=None if band is None else _share("age", totals[pk], near[pk]),
            band=band,
        )
        for pk, row in own.items()
        if pk in totals and pk in near
    }


def _peers_among(
    seen: PlayerQuerySet, own: Mapping[int, PeerNumber], band: int | None
) -> dict[Key, Peers]:
    """The same, counted over the numbers of these athletes and of no others."""
    counts: dict[str, Count] = {}
    of_age = Q() if band is None else Q(age_band=band)
    for pk, row in own.items():
        for name, who in (("all", Q()), ("age", of_age)):
            here = who & Q(group_id=row.group_id)
            for place, which in (
                ("n", here),
                ("below", here & Q(value__lt=row.value)),
                ("level", here & Q(value=row.value)),
            ):
                counts[f"{name}_{place}_{pk}"] = Count("pk", filter=which)
    groups = [row.group_id for row in own.values()]
    found = _numbers_among(seen).filter(group__in=groups).aggregate(**counts)

    def share(name: str, pk: int) -> Share:
        n, below, equal = (
            found[f"{name}_{place}_{pk}"] for place in ("n", "below", "level")
        )
        return Share(n=n, below=below, equal=equal)

    return {
        _key(row.group): Peers(
            group_id=row.group_id,
            everyone=share("all", pk),
            same_age=None if band is None else share("age", pk),
            band=band,
        )
        for pk, row in own.items()
    }


def _numbers_among(seen: PlayerQuerySet) -> QuerySet[PeerNumber]:
    return PeerNumber.objects.filter(player__in=seen.order_by().values("pk"))


def _share(name: str, total: Mapping[str, Any], near: Mapping[str, Any]) -> Share:
    return Share(
        n=total[f"{name}_n"],
        below=total[f"{name}_below"] + near[f"{name}_lower"],
        equal=near[f"{name}_level"],
    )


def _key(group: PeerGroup) -> Key:
    return (
        group.metric,
        group.condition,
        group.event_rule,
        group.source,
        group.method_version,
    )


def quartiles(
    group_id: int, audience: int, *, seen: PlayerQuerySet | None = None
) -> tuple[float, float, float] | None:
    """Values at a quarter, half and three quarters of a group; four queries.

    The nearest rank: the smallest value that at least so many lie at or below. None
    among fewer than `LEAST_ATHLETES`. With `seen` among these athletes alone.
    """
    all_numbers = PeerNumber.objects.all() if seen is None else _numbers_among(seen)
    numbers = all_numbers.filter(group_id=group_id)
    if audience != EVERYONE:
        numbers = numbers.filter(age_band=audience)
    if seen is None:
        kept = PeerCount.objects.filter(group_id=group_id, audience=audience)
        counts = list(kept.order_by("bucket").values_list("bucket", "n"))
    else:
        rows = numbers.values("bucket").annotate(n=Count("pk"))
        counts = list(rows.order_by("bucket").values_list("bucket", "n"))
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


def _at_rank(
    numbers: QuerySet[PeerNumber], counts: Sequence[tuple[int, int]], rank: int
) -> float | None:
    """The value of which `rank` are at or below it, found in its stretch alone."""
    passed = 0
    for bucket, n in counts:
        if passed + n >= rank:
            place = rank - passed - 1
            inside = numbers.filter(bucket=bucket).order_by("value")
            return inside.values_list("value", flat=True)[place : place + 1].first()
        passed += n
    return None
