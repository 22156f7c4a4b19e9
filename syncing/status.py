"""Where the sync stands: run, queue, failures and workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Count, Min, Q, QuerySet

from reboot_site.cache import redis_errors
from syncing import clock
from syncing.alerts import (
    WORKER_SILENCE,
    is_overdue,
    last_ends,
    last_whole_status,
)
from syncing.choices import OPEN_STATES, JobState, Phase, RunStatus, SyncType
from syncing.engine import runs
from syncing.engine.hosts import host_name
from syncing.engine.request_slots import paused_until
from syncing.hints import HINT_OTHERWISE, HINTS
from syncing.models import (
    AnalysisJob,
    ExportJob,
    SyncLog,
    VendorSession,
    WorkerHeartbeat,
)

T = TypeVar("T")
#: Without a heartbeat for so long the workers are taken for stopped.
WORKER_SILENCE_S = WORKER_SILENCE.total_seconds()
#: A host that beat within the first of these, but not within the second, is asked for
#: a sign; one that was silent for longer is taken for switched off.
_QUIET_S = (600.0, 45.0)
#: A time that is left is only said after this much was done and this long.
_ESTIMATE_AFTER_S = 5.0
_ESTIMATE_AFTER_DONE = 5


def unread_sessions() -> QuerySet[VendorSession]:
    """Sessions of the vendor's list that could not be read on their own."""
    return VendorSession.objects.filter(missing_since__isnull=True).exclude(
        last_error=""
    )


def uncomputed_sessions() -> QuerySet[AnalysisJob]:
    """Sessions whose frames are here and whose numbers could not be computed."""
    return AnalysisJob.objects.outdated().exclude(last_error="")


@dataclass(frozen=True)
class Progress:
    """How far one phase is, as a bar shows it."""

    phase: str
    label: str
    done: int
    total: int | None

    @property
    def percent(self) -> int | None:
        """Whole percent, rounded down so that 100 means done."""
        if not self.total:
            return None
        return min(100, int(100 * self.done / self.total))


@dataclass(frozen=True)
class FailureGroup:
    """The jobs that failed for one reason."""

    code: str
    message: str
    hint: str
    count: int
    job_ids: list[int]
    next_try_at: datetime | None


@dataclass(frozen=True)
class Waiting:
    """Files in one state, or sessions, that wait for something."""

    state: str
    label: str
    count: int
    next_try_at: datetime | None
    unit: str = "file"

    @property
    def is_due(self) -> bool:
        """Whether the next try is due now."""
        return self.next_try_at is None or self.next_try_at <= clock.now()


@dataclass(frozen=True)
class SyncState:
    """Where the sync stands, for the panel and the home page."""

    sentence: str
    run: SyncLog | None
    is_active: bool
    is_cancelling: bool
    #: It runs by its row, and was silent for longer than one that lives.
    is_silent: bool
    progress: Progress | None
    #: The vendor asked for a pause that lasts until then.
    paused_until: datetime | None
    remaining_s: float | None
    waiting: list[Waiting] = field(default_factory=list)
    failures: list[FailureGroup] = field(default_factory=list)
    failed_jobs: int = 0
    unread_sessions: int = 0
    uncomputed_sessions: int = 0
    worker_is_alive: bool = False
    #: None: the broker does not answer.
    queue_length: int | None = 0
    last_success_at: datetime | None = None
    #: How the newest whole sync that has ended did so; None before the first.
    last_whole_status: str | None = None
    #: When a whole sync last got through all its steps, if not without errors.
    last_pass_at: datetime | None = None
    #: Whether a day has passed since then.
    is_overdue: bool = False
    #: Whether syncs got through, and for a day none of them without errors.
    lacks_data: bool = False


def sync_state(*, with_jobs: bool = True) -> SyncState:
    """Return where the sync stands, from a handful of queries."""
    now = clock.now()
    run = SyncLog.objects.of_vendor().order_by("-id").first()
    last = last_ends()
    has_old_data = is_overdue(now, last.through)
    last_whole = last_whole_status()
    age_s = worker_heartbeat_age_s(any_host=True)
    is_alive = age_s is not None and age_s <= WORKER_SILENCE_S
    progress = None if run is None or not run.is_active else _progress(run)
    is_silent = run is not None and runs.is_silent(run, now)
    remaining_s = None
    if run is not None and not is_silent:
        remaining_s = _remaining_s(run, progress, now)
    failed_jobs = ExportJob.objects.broken().count()
    unread = uncomputed = 0
    if with_jobs or (run is not None and run.status == RunStatus.SUCCESS):
        unread = unread_sessions().count()
        uncomputed = uncomputed_sessions().count()
    paused = None
    if run is not None and run.status == RunStatus.RUNNING:
        paused = _asked_of_redis(paused_until)
    return SyncState(
        sentence=_SILENT
        if is_silent
        else _sentence(
            run, progress, is_alive, failed_jobs + unread + uncomputed, last_whole
        ),
        run=run,
        is_active=run is not None and run.is_active,
        is_cancelling=run is not None
        and run.is_active
        and run.cancel_requested_at is not None,
        is_silent=is_silent,
        progress=progress,
        paused_until=paused,
        remaining_s=remaining_s,
        waiting=_waiting() if with_jobs else [],
        failures=_failures() if with_jobs else [],
        failed_jobs=failed_jobs,
        unread_sessions=unread,
        uncomputed_sessions=uncomputed,
        worker_is_alive=is_alive,
        queue_length=_asked_of_redis(queue_length),
        last_success_at=last.success,
        last_pass_at=last.through,
        last_whole_status=last_whole,
        is_overdue=has_old_data,
        lacks_data=not has_old_data and is_overdue(now, last.success),
    )


def worker_ages_s() -> dict[str, float]:
    """Return seconds since the queue of each host last worked, by host."""
    now = clock.now()
    beats = WorkerHeartbeat.objects.order_by("host").values_list("host", "beat_at")
    return {host: max(0.0, (now - at).total_seconds()) for host, at in beats}


def worker_heartbeat_age_s(*, any_host: bool = False) -> float | None:
    """Return seconds since the queue of this (or any) host worked; None: never."""
    ages_s = worker_ages_s()
    if any_host:
        return min(ages_s.values(), default=None)
    return ages_s.get(host_name())


def silent_hosts(ages_s: dict[str, float]) -> list[str]:
    """Return the hosts whose queue should work and does not."""
    return [host for host, age_s in ages_s.items() if age_s > WORKER_SILENCE_S]


def say_goodbye() -> None:
    """Delete this host's heartbeat: its queue was stopped on purpose."""
    WorkerHeartbeat.objects.filter(host=host_name()).delete()


def another_host_is_quiet() -> bool:
    """Whether a host that worked lately has shown nothing for most of a minute."""
    now = clock.now()
    since, until = (now - timedelta(seconds=age_s) for age_s in _QUIET_S)
    beats = WorkerHeartbeat.objects.exclude(host=host_name())
    return beats.filter(beat_at__gte=since, beat_at__lt=until).exists()


def queue_length() -> int:
    """Return how many tasks wait for a worker, as far as the broker can tell."""
    from django_q.brokers import get_broker

    return int(get_broker().queue_size() or 0)


def _asked_of_redis(ask: Callable[[], T]) -> T | None:
    """Return the answer, or None when the broker is away."""
    try:
        return ask()
    except redis_errors():
        return None


def _progress(run: SyncLog) -> Progress | None:
    entry = run.progress.get(run.phase)
    if entry is None:
        return None
    done, total = entry["done"] or 0, entry["total"]
    if total is not None:
        # Files that a person asked for meanwhile are done beyond the number.
        total = max(total, done)
    return Progress(run.phase, Phase(run.phase).label, done, total)


def _remaining_s(
    run: SyncLog, progress: Progress | None, now: datetime
) -> float | None:
    """Return seconds left of fetching files; None while nobody can honestly say.

    Only fetching files takes long, and its pace is known once some were fetched.
    """
    if (
        run.status != RunStatus.RUNNING
        or progress is None
        or progress.phase != Phase.EXPORTS
        or not progress.total
        or progress.done < _ESTIMATE_AFTER_DONE
    ):
        return None
    began = run.progress[run.phase].get("began")
    if began is None:
        return None
    spent_s = now.timestamp() - float(began)
    if spent_s < _ESTIMATE_AFTER_S:
        return None
    left = max(0, progress.total - progress.done)
    return spent_s / progress.done * left


_SILENT = (
    "The process running this isn't responding. Everything it stored is kept; the "
    "next sync continues."
)


def _sentence(
    run: SyncLog | None,
    progress: Progress | None,
    is_alive: bool,
    failing: int,
    last_whole: str | None,
) -> str:
    if run is None:
        return "Nothing has been synced yet."
    if run.status == RunStatus.QUEUED:
        if not is_alive:
            return "Waiting for a worker, but none is running: start one."
        if run.started_at is not None:
            return "Waiting for a worker to continue."
        return "Waiting for a worker to start."
    if run.status == RunStatus.RUNNING:
        if run.cancel_requested_at is not None:
            return "Stopping."
        if progress is None:
            return "Starting."
        if progress.total:
            return f"{progress.label}: {progress.done} of {progress.total}."
        if progress.done:
            return f"{progress.label}: {progress.done} so far."
        return f"{progress.label}."
    complete = "The last sync was complete."
    if failing:
        # Not yet due for another try, or given up.
        complete = "The last sync succeeded; earlier failures are still waiting."
        if run.sync_type == SyncType.EXPORTS:
            complete = (
                "Files that were due have arrived; failed ones are still waiting."
            )
    elif run.sync_type == SyncType.EXPORTS:
        complete = "The waiting files have arrived."
        if last_whole != RunStatus.SUCCESS:
            complete += (
                " The last full sync was not complete; the next one checks again."
            )
    endings: dict[str, str] = {
        RunStatus.SUCCESS: complete,
        RunStatus.PARTIAL: "The last sync ended with parts missing.",
        RunStatus.FAILED: "The last sync failed.",
        RunStatus.CANCELLED: "The last sync was canceled.",
        RunStatus.ABANDONED: "The last sync was interrupted; the next one continues.",
    }
    return endings[run.status]


def _waiting() -> list[Waiting]:
    states = [*OPEN_STATES, JobState.FAILED]
    rows = (
        ExportJob.objects.filter(session__missing_since__isnull=True)
        .filter(
            Q(state__in=states) | Q(state=JobState.NO_DATA, next_try_at__isnull=False)
        )
        .order_by()
        .values("state")
        .annotate(count=Count("id"), next=Min("next_try_at"))
    )
    found = {row["state"]: row for row in rows}
    waiting = [
        Waiting(
            state,
            JobState(state).label,
            found[state]["count"],
            found[state]["next"],
        )
        for state in JobState.values
        if state in found
    ]
    sessions = VendorSession.objects.filter(
        missing_since__isnull=True, next_check_at__isnull=False, last_error=""
    ).aggregate(count=Count("id"), next=Min("next_check_at"))
    if sessions["count"]:
        waiting.append(
            Waiting(
                "session",
                "Reboot Motion has not finished the session",
                sessions["count"],
                sessions["next"],
                "session",
            )
        )
    return waiting


def _failures() -> list[FailureGroup]:
    groups: dict[str, list[tuple[int, str, datetime | None]]] = {}
    rows = ExportJob.objects.broken().order_by("-updated_at")
    for pk, code, message, next_try_at in rows.values_list(
        "id", "error_code", "last_error", "next_try_at"
    )[:2000]:
        groups.setdefault(code, []).append((pk, message, next_try_at))
    return sorted(
        (
            FailureGroup(
                code=code,
                message=entries[0][1],
                hint=HINTS.get(code, HINT_OTHERWISE),
                count=len(entries),
                job_ids=[pk for pk, _, _ in entries],
                next_try_at=min((at for _, _, at in entries if at), default=None),
            )
            for code, entries in groups.items()
        ),
        key=lambda group: -group.count,
    )
