"""What goes out of a team's sight: who leaves it, and what becomes another's.

Rows that are told are written down when it happens (FeedLeft). What comes later to an
athlete who left, or to a session that is another's, is no business of the team.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q

from athletes.models import FeedKind, FeedLeft, FeedRow, Player, TeamLeaving

#: Rows that one call writes, more or less.
BATCH = 10_000
_CHUNK = 800

Key = tuple[str, int]
Parents = dict[Key, int | None]


def parents_of(keys: Iterable[Key]) -> Parents:
    """What rows of the order belong to by now, and the sessions of those movements."""
    found: Parents = {}
    wanted: dict[str, set[int]] = defaultdict(set)
    for kind, row_id in keys:
        wanted[kind].add(row_id)
    _read_parents(FeedKind.MOVEMENT, wanted[FeedKind.MOVEMENT], found)
    sessions = {parent for parent in found.values() if parent is not None}
    _read_parents(FeedKind.SESSION, wanted[FeedKind.SESSION] | sessions, found)
    return found


def _read_parents(kind: FeedKind, row_ids: set[int], found: Parents) -> None:
    for pks in _chunks(row_ids):
        rows = FeedRow.objects.filter(kind=kind, row_id__in=pks)
        for row_id, parent_id in rows.values_list("row_id", "parent_id"):
            found[kind, row_id] = parent_id


def _chunks(values: Iterable[int]) -> Iterable[list[int]]:
    every = sorted(values)
    for start in range(0, len(every), _CHUNK):
        yield every[start : start + _CHUNK]


def _player_of(key: Key, parents: Parents) -> int | None:
    """The athlete of a row."""
    kind, row_id = key
    if kind == FeedKind.PLAYER:
        return row_id
    parent = parents.get(key)
    if kind == FeedKind.SESSION or parent is None:
        return parent
    return parents.get((FeedKind.SESSION, parent))


def _teams_of(player_ids: set[int]) -> dict[int, set[int]]:
    """The teams of athletes, and those that were left and not told yet."""
    teams: dict[int, set[int]] = defaultdict(set)
    members = Player.teams.through.objects
    for pks in _chunks(player_ids):
        for rows in (members, TeamLeaving.objects):
            found = rows.filter(player_id__in=pks)
            for player_id, team_id in found.values_list("player_id", "team_id"):
                teams[player_id].add(team_id)
    return teams


def tell_moved(times: dict[Key, dt.datetime], before: Parents, last: int) -> int:
    """Write down what is another athlete's now, and return the last place.

    Parameters
    ----------
    times
        The rows that changed, and when.
    before
        What they belonged to before this change (`parents_of`).
    """
    after = parents_of(times)
    moved: dict[Key, tuple[int, int | None]] = {}
    for key in times:
        old, new = _player_of(key, before), _player_of(key, after)
        if key[0] != FeedKind.PLAYER and old is not None and old != new:
            moved[key] = (old, new)
    if not moved:
        return last
    teams = _teams_of({pk for pair in moved.values() for pk in pair if pk is not None})
    rows = []
    for key, (old, new) in moved.items():
        others = set() if new is None else teams[new]
        for team_id in teams[old] - others:
            last += 1
            rows.append(
                FeedLeft(
                    team_id=team_id,
                    kind=key[0],
                    row_id=key[1],
                    parent_id=before[key],
                    player_id=old,
                    place=last,
                    left_at=times[key],
                )
            )
    _store(rows)
    return last


def tell_left(new: dict[Key, dt.datetime], last: int) -> tuple[int, bool]:
    """Write down the rows of athletes who left teams; the last place, and if more wait.

    Call it when all notes in sight have places.

    Parameters
    ----------
    new
        Rows that have their first place since a moment ago, and when they came.
    """
    written = 0
    for leaving in TeamLeaving.objects.order_by("pk"):
        if written >= BATCH:
            return last, True
        rows = []
        for row in _rows_of(leaving.player_id):
            if new.get((row.kind, row.row_id), leaving.left_at) > leaving.left_at:
                continue
            if row.gone == "":
                last += 1
            rows.append(
                FeedLeft(
                    team_id=leaving.team_id,
                    kind=row.kind,
                    row_id=row.row_id,
                    parent_id=row.parent_id,
                    player_id=leaving.player_id,
                    # What was gone already is told where it was told before.
                    place=row.place if row.gone else last,
                    gone=row.gone,
                    left_at=row.gone_at or leaving.left_at,
                )
            )
        _store(rows)
        written += 1 + len(rows)
        leaving.delete()
    return last, False


def _rows_of(player_id: int) -> list[FeedRow]:
    """The athlete's rows of the order: themselves, sessions and movements."""
    sessions = FeedRow.objects.filter(kind=FeedKind.SESSION, parent_id=player_id)
    return list(
        FeedRow.objects.filter(
            Q(kind=FeedKind.PLAYER, row_id=player_id)
            | Q(kind=FeedKind.SESSION, parent_id=player_id)
            | Q(kind=FeedKind.MOVEMENT, parent_id__in=sessions.values("row_id"))
        ).order_by("place")
    )


def _store(rows: list[FeedLeft]) -> None:
    FeedLeft.objects.bulk_create(
        rows,
        batch_size=1_000,
        update_conflicts=True,
        unique_fields=["team_id", "kind", "row_id"],
        update_fields=["parent_id", "player_id", "place", "gone", "left_at"],
    )
