"""Where frames are stored already: the same recording under another name.

The vendor may hand out one recording under two sessions, and a person may upload it for
another athlete. Frames are recognized by the hash of their content.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from athletes.bulk_sql import in_batches
from athletes.models import BiomechanicsData


@dataclass(frozen=True, slots=True)
class StoredFrames:
    """One place where frames are stored, by our keys."""

    movement_id: int
    session_id: int
    player_id: int
    data_type: str


def same_frames(hashes: Iterable[str]) -> dict[str, list[StoredFrames]]:
    """Return for each hash of content where such frames are stored.

    A hash that is stored nowhere has no entry. Of a folded part the row counts that
    shows it. Nothing is left out by who may see it: ask `athletes.access`.
    """
    places: dict[str, list[StoredFrames]] = defaultdict(list)
    for batch in in_batches(sorted(set(hashes))):
        rows = BiomechanicsData.objects.filter(content_sha256__in=batch).order_by("id")
        for row in rows.select_related("movement__session").only(
            "content_sha256", "data_type", "movement__session__player_id"
        ):
            session = row.movement.session
            places[row.content_sha256].append(
                StoredFrames(
                    row.movement_id, session.pk, session.player_id, row.data_type
                )
            )
    return dict(places)
