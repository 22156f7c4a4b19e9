"""What a process did for a run since it was last written to the run's row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from syncing.models import SyncLog, empty_counts

#: Errors kept one by one in a run; the rest are counted.
MAX_ERRORS = 100


@dataclass
class Tally:
    """Counts, errors and steps that are not yet in the row of the run."""

    counts: dict[str, dict[str, int]] = field(default_factory=empty_counts)
    frames: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    error_count: int = 0
    #: {phase: how many of its objects were done}
    steps: dict[str, int] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Add the counts, errors and steps of another tally to this one."""
        for name, n in other.steps.items():
            self.steps[name] = self.steps.get(name, 0) + n
        for kind, counts in other.counts.items():
            for name, n in counts.items():
                self.counts[kind][name] = self.counts[kind].get(name, 0) + n
        self.frames += other.frames
        self.errors = [*self.errors, *other.errors][:MAX_ERRORS]
        self.error_count += other.error_count

    def add_to(self, log: SyncLog) -> None:
        """Add the counts and errors to a run, without saving its row."""
        for kind, counts in self.counts.items():
            stored = log.counts.setdefault(kind, {})
            for name, n in counts.items():
                stored[name] = stored.get(name, 0) + n
        log.errors = [*log.errors, *self.errors][:MAX_ERRORS]
        log.error_count += self.error_count
        log.biomechanics_synced += self.frames

        def written(kind: str) -> int:
            return int(
                log.counts[kind].get("created", 0) + log.counts[kind].get("updated", 0)
            )

        log.players_synced = written("players")
        log.sessions_synced = written("sessions")
        log.records_synced = (
            log.players_synced + log.sessions_synced + log.biomechanics_synced
        )


def advanced(
    stored: dict[str, dict[str, int | None]],
    begun: dict[str, dict[str, int | None]],
    steps: dict[str, int],
) -> dict[str, dict[str, int | None]]:
    """Return the stored progress with the phases begun and the steps done since."""
    progress = {name: dict(entry) for name, entry in {**stored, **begun}.items()}
    for name, n in steps.items():
        entry = progress.setdefault(name, {"done": 0, "total": None})
        entry["done"] = (entry["done"] or 0) + n
    return progress
