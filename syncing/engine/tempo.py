"""How fast the sync goes: its waits, limits of tries, and leases."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from syncing.client.http import RetryPolicy


@dataclass(frozen=True)
class Tempo:
    """Waits, numbers of tries and leases of the sync; tests make them short."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    #: Waits between polls of an export that is being prepared.
    poll_s: tuple[float, ...] = (2, 4, 8, 15, 30, 60)
    #: After this long of preparing, the job failed and is tried again later.
    poll_deadline: timedelta = timedelta(minutes=30)
    #: Waits after failures; those up to `patience_s` are waited for by the run.
    failure_s: tuple[float, ...] = (3, 20, 600, 3600, 6 * 3600, 24 * 3600)
    #: When a session that could not be read is looked at again.
    detail_s: tuple[float, ...] = (600, 3600, 6 * 3600, 24 * 3600)
    #: The same after a file that cannot be read: a few tries at once, then hours.
    bad_file_s: tuple[float, ...] = (1, 3, 6, 6 * 3600, 24 * 3600)
    patience_s: float = 60.0
    #: When "no data" is asked again: hours, then days, then weeks.
    no_data_s: tuple[float, ...] = (
        2 * 3600,
        6 * 3600,
        24 * 3600,
        3 * 24 * 3600,
        7 * 24 * 3600,
        14 * 24 * 3600,
        28 * 24 * 3600,
    )
    #: When an export that the organization is not offered is asked for once more.
    refused_s: float = 28 * 24 * 3600
    #: The same after one answer that may be a passing fault; a later run asks then, and
    #: only when it is answered so again, the refusal is believed.
    maybe_refused_s: float = 2 * 3600
    #: How long a file that nothing waits for may be prepared before it is left.
    optional_deadline: timedelta = timedelta(minutes=2)
    max_attempts: int = 10
    #: When what was given up is asked for once more, and from then on.
    given_up_s: tuple[float, float] = (7 * 24 * 3600, 28 * 24 * 3600)
    lease: timedelta = timedelta(seconds=90)
    #: Files to fetch from which processes are started to read them.
    processes_from: int = 48
    heartbeat_s: float = 1.0


DEFAULT_TEMPO = Tempo()
