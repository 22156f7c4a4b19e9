"""Functions that the queue calls. Queued rows hold their dotted names: keep them."""

from __future__ import annotations


def make_archive_task(archive_id: int) -> str:
    """Make the archive that somebody asked for."""
    # Here, because web processes do without the libraries that write files.
    from privacy.archives import make_archive

    return make_archive(archive_id)


def sweep_erased_task() -> int:
    """Take away what is left of erased athletes, or was written back by a sync."""
    from privacy.erasing import finish_erasures

    return finish_erasures()


def measure_storage_task() -> int:
    """Measure how much disk each kind of data takes; returns the bytes."""
    from privacy.storage import measure

    return sum(measure().sizes.values())


def prune_task() -> dict[str, int]:
    """Delete what has been kept long enough."""
    from privacy.retention import prune

    return prune()
