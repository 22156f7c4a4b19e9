"""Each athlete's newest headline numbers, kept so that percentiles are quick to read.

What is compared is each athlete's newest session average of the same metric, setup,
basis (`biomechanics.basis`), source and version of the method: what trends do not mix.
Beside that it is kept over all setups (`ANY_SETUP`), for setups that few have. A number
counts from `LEAST_SWINGS` on and for `MOST_DAYS` before the athlete's newest session.
`peer_numbers` holds these averages, and `peer_counts` how many of them lie in each
small stretch of values, so that `athletes.analysis.percentiles` adds up a few hundred
counts and looks into one stretch, however many athletes there are.

Whoever changes what a session average rests on, the day or the setup of a session, a
date of birth, or whether the vendor lists an athlete, calls `refresh`; services do it
with the athlete's other summaries. `rebuild` computes everything from nothing.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from athletes.bulk_sql import add_to_rows, in_batches, insert_rows
from athletes.display import age_on
from athletes.kept_questions import kept_question_of_keys
from athletes.models import PeerCount, PeerGroup, PeerNumber, Player, SessionMetric
from athletes.querysets import of_present_session
from biomechanics.basis import setup_in, without_setup
from biomechanics.definitions import METRICS, NUMERIC_HEADLINES

#: Width of a stretch of values, by unit: about a twentieth of the spread between
#: athletes, so that few counts are added and few numbers stand in one stretch.
_WIDTHS = {"deg": 0.5, "deg/s": 4.0, "m/s": 0.1, "ms": 2.0}
# Larger values are in the last stretch: the column of the database has a limit.
_LAST_BUCKET = 1_000_000

#: The setup of groups in which all setups are together.
ANY_SETUP = "any"
#: An average over fewer swings is not compared with others'.
LEAST_SWINGS = 3
#: Numbers older than the athlete's newest session by more are not of today.
MOST_DAYS = 365

#: The audience of counts over all ages; the others are bands of ages.
EVERYONE = 0
#: First year of each band of ages; the last band is open.
_BAND_STARTS = (0, 11, 13, 15, 17, 19, 23)
AGE_BANDS = tuple(range(1, len(_BAND_STARTS) + 1))

_AT_ONCE = 500


#: What numbers must share to be compared: metric, setup, basis, source and version of
#: the method.
PeerBasis = tuple[str, str, str, str, str]


def bucket_of(metric: str, value: float) -> int:
    """The number of the stretch that a value lies in; it grows with the value."""
    place = math.floor(value / _WIDTHS[METRICS[metric].unit])
    return max(-_LAST_BUCKET, min(_LAST_BUCKET, place))


def age_band(born: dt.date | None, day: dt.date | None) -> int | None:
    """The number of the band that an age on `day` is in; None without a known age."""
    years = None if born is None or day is None else age_on(born, day)
    if years is None:
        return None
    return sum(start <= years for start in _BAND_STARTS)


def band_words(band: int) -> str:
    """The ages of a band in words: `13 to 14`, `10 and under`, `23 and over`."""
    if band == AGE_BANDS[0]:
        return f"{_BAND_STARTS[1] - 1} and under"
    if band == AGE_BANDS[-1]:
        return f"{_BAND_STARTS[-1]} and over"
    return f"{_BAND_STARTS[band - 1]} to {_BAND_STARTS[band] - 1}"


def refresh(player_ids: Iterable[int]) -> int:
    """Bring these athletes' numbers up to date; returns how many numbers changed."""
    ids = sorted(set(player_ids))
    return sum(_refresh(part) for part in in_batches(ids))


def withdraw(player_ids: Iterable[int]) -> None:
    """Take these athletes out of all percentiles.

    Called in the transaction in which they are deleted or merged into others.
    """
    with transaction.atomic():
        ids = lock_players(player_ids)
        rows = PeerNumber.objects.filter(player_id__in=ids)
        change: Counter[_Cell] = Counter()
        for row in rows:
            _add(change, row, -1)
        rows.delete()
        _add_to_counts(change)


def rebuild() -> None:
    """Compute the numbers and counts of all athletes, whatever was stored."""
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
    _count_all()


@dataclass(frozen=True, order=True, slots=True)
class _Cell:
    """The place of one count: group, audience and stretch of values.

    Ordered, so that all writers lock in one order.
    """

    group_id: int
    audience: int
    bucket: int


def lock_players(player_ids: Iterable[int]) -> list[int]:
    """Lock these athletes until the transaction ends; returns the ids that exist.

    One writer at a time then changes an athlete's counts. Hidden records are locked
    too: an athlete who was merged into another one is taken out.
    """
    return list(
        Player._base_manager.select_for_update(no_key=True)
        .filter(pk__in=list(player_ids))
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _refresh(player_ids: Sequence[int]) -> int:
    """Bring a few hundred athletes up to date in one transaction."""
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
        insert_rows(
            "peer_numbers",
            _NUMBER_COLUMNS,
            [[getattr(row, name) for name in _NUMBER_COLUMNS] for row in new],
        )
        if moved:
            PeerNumber.objects.bulk_update(
                moved, ["value", "bucket", "age_band"], batch_size=200
            )
        _add_to_counts(change)
        return len(gone) + len(new) + len(moved)


_NUMBER_COLUMNS = {
    "player_id": "bigint",
    "group_id": "bigint",
    "value": "double precision",
    "bucket": "integer",
    "age_band": "smallint",
}


def _content(row: PeerNumber) -> tuple[float, int, int | None]:
    """What may change in a row that stays."""
    return (row.value, row.bucket, row.age_band)


def _add(change: Counter[_Cell], row: PeerNumber, by: int) -> None:
    """Note that the counts of a number change by `by`, for all ages and for its own."""
    change[_Cell(row.group_id, EVERYONE, row.bucket)] += by
    if row.age_band is not None:
        change[_Cell(row.group_id, row.age_band, row.bucket)] += by


def _numbers_of(player_ids: Sequence[int]) -> dict[tuple[int, int], PeerNumber]:
    """The rows that should be stored for these athletes, by athlete and group.

    An athlete whom the vendor no longer lists has none.
    """
    listed = {pk: (born, last) for pk, born, last in _listed_of(player_ids)}
    found: dict[tuple[int, PeerBasis], tuple[dt.date | None, float]] = {}
    # The newest comes last, and stays for all setups together; of a session with
    # several setups that of most swings.
    for player_id, day, _, _, mean, *key in sorted(
        _newest_of(list(listed)),
        key=lambda row: (row[1] or dt.date.min, *row[2:4], *row[5:]),
    ):
        _, last = listed[player_id]
        if day and last and (last - day).days > MOST_DAYS:
            continue
        metric, condition, basis, *rest = key
        setup = setup_in(basis)
        if setup is not None:
            condition, basis = setup, without_setup(basis)
        rest = [basis, *rest]
        found[player_id, (metric, condition, *rest)] = day, mean
        found[player_id, (metric, ANY_SETUP, *rest)] = day, mean
    groups = _groups({key for _, key in found})
    return {
        (player_id, groups[key]): PeerNumber(
            player_id=player_id,
            group_id=groups[key],
            value=value,
            bucket=bucket_of(key[0], value),
            age_band=age_band(listed[player_id][0], day),
        )
        for (player_id, key), (day, value) in found.items()
    }


@kept_question_of_keys
def _listed_of(player_ids: Collection[int]) -> QuerySet[Any, Any]:
    listed: QuerySet[Any, Any] = Player.objects.filter(
        pk__in=player_ids, missing_since__isnull=True
    ).values_list("pk", "date_of_birth", "last_session_on")
    return listed


@kept_question_of_keys
def _newest_of(player_ids: Collection[int]) -> QuerySet[Any, Any]:
    """The newest average of each athlete and key."""
    return (
        SessionMetric.objects.filter(
            of_present_session("session__"),
            session__player_id__in=player_ids,
            metric__in=NUMERIC_HEADLINES,
            n__gte=LEAST_SWINGS,
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
        .values_list(
            "session__player_id",
            "session__session_date",
            "session_id",
            "n",
            "mean",
            *_KEY_COLUMNS,
        )
    )


_KEY_COLUMNS = (
    "metric",
    "session__condition",
    "basis",
    "session__mocap_type_name",
    "method_version",
)
_KEY_FIELDS = ("metric", "condition", "basis", "source", "method_version")


def _groups(keys: set[PeerBasis]) -> dict[PeerBasis, int]:
    """The id of the group of each basis; groups that are missing are created."""

    def known() -> dict[PeerBasis, int]:
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


_COUNT_COLUMNS = {
    "group_id": "bigint",
    "audience": "smallint",
    "bucket": "integer",
    "n": "integer",
}


def _add_to_counts(change: Mapping[_Cell, int]) -> None:
    """Add to the counts, always in one order: two writers then never wait in a ring."""
    cells = sorted((cell, by) for cell, by in change.items() if by)
    add_to_rows(
        "peer_counts",
        _COUNT_COLUMNS,
        [(cell.group_id, cell.audience, cell.bucket, by) for cell, by in cells],
        key=("group_id", "audience", "bucket"),
    )
    # A count of 0 would look like a stretch in which athletes are.
    emptied = {cell.group_id for cell, by in cells if by < 0}
    if emptied:
        PeerCount.objects.filter(group_id__in=emptied, n=0).delete()


def _count_all() -> None:
    """Count all numbers from nothing, while other writers wait."""
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
