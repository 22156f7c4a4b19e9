"""Columns of the vendor's files: which are new, gone, or hold another kind of value."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from syncing import clock
from syncing.engine.raw import digest
from syncing.models import ColumnLayout

logger = logging.getLogger(__name__)


class Layouts:
    """The columns of the files of one run: each layout is compared once.

    Nearly all files of a run have one of a few layouts, and what is noted a second time
    changes nothing; but to find that out, all that is stored is read.
    """

    def __init__(self) -> None:
        self._noted: set[tuple[str, str, frozenset[tuple[str, str]]]] = set()

    def note(self, data_type: str, mocap_type: str, kinds: Mapping[str, str]) -> None:
        """Do `note_columns`, unless this run has done so with the same."""
        key = (data_type, mocap_type, frozenset(kinds.items()))
        if key not in self._noted:
            note_columns(data_type, mocap_type, kinds)
            self._noted.add(key)


def note_columns(data_type: str, mocap_type: str, kinds: Mapping[str, str]) -> None:
    """Store the columns of a file where they are not known yet, and what changed.

    Told of once: a layout that was met before is known, also when another came in
    between. A column without any value tells no kind.
    """
    names_sha256 = digest(sorted(kinds))
    known = list(
        ColumnLayout.objects.filter(
            data_type=data_type, mocap_type=mocap_type
        ).order_by("-first_seen_at", "-id")
    )
    same = next((each for each in known if each.names_sha256 == names_sha256), None)
    if same is None:
        changes = _changes(known[0].kinds, kinds) if known else {}
        layout = ColumnLayout(
            data_type=data_type,
            mocap_type=mocap_type,
            names_sha256=names_sha256,
            kinds=dict(kinds),
            changes=changes,
            first_seen_at=clock.now(),
        )
        # Another process may have met it at the same time.
        ColumnLayout.objects.bulk_create([layout], ignore_conflicts=True)
        if changes:
            logger.warning(
                "The columns of %s files changed: %d new, %d gone. The Syncing page "
                "lists them.",
                data_type,
                len(changes["appeared"]),
                len(changes["vanished"]),
            )
        return
    # A column of both kinds is told of when the second one comes, and then never more.
    merged = {
        name: " ".join(sorted({*same.kinds.get(name, "").split(), *kind.split()}))
        for name, kind in kinds.items()
    }
    if merged == same.kinds:
        return
    changed = _changes(same.kinds, kinds)
    if changed["changed"]:
        same.changes, same.noted_at, same.noted_by = changed, None, None
        logger.warning(
            "%d columns of %s files contain a different type of value. The Syncing "
            "page lists them.",
            len(changed["changed"]),
            data_type,
        )
    same.kinds = merged
    same.save(update_fields=["kinds", "changes", "noted_at", "noted_by"])


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, list[str]]:
    return {
        "appeared": sorted(now.keys() - before.keys()),
        "vanished": sorted(before.keys() - now.keys()),
        "changed": sorted(
            name
            for name in now.keys() & before.keys()
            if now[name]
            and before[name]
            and not {*now[name].split()} <= {*before[name].split()}
        ),
    }
