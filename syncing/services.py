"""The sync as pages, commands, the admin and the queue use it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from syncing.alerts import SUCCESS_MAX_AGE, is_overdue, last_success, mail_when_overdue
from syncing.engine import runs
from syncing.engine.context import HINT_OTHERWISE, HINTS
from syncing.engine.limiter import paused_until
from syncing.engine.runs import host_name
from syncing.engine.states import refresh_session_state
from syncing.models import (
    ANALYSIS_ATTEMPTS,
    OPEN_STATES,
    AnalysisJob,
    ExportJob,
    JobState,
    Phase,
    RunKind,
    RunStatus,
    SyncCursor,
    SyncLog,
    SyncType,
    Trigger,
    VendorSession,
    WorkerHeartbeat,
    run_fields,
)

if TYPE_CHECKING:
    from accounts.models import User

__all__ = [
    "SUCCESS_MAX_AGE",
    "SyncStatus",
    "backfill",
    "give_up",
    "last_success",
    "look_again",
    "request_cancel",
    "request_sync",
    "retry_jobs",
    "run_fields",
    "run_sync",
    "sync_status",
    "worker_heartbeat_age_s",
]

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Without a heartbeat for so long the workers are taken for stopped.
WORKER_SILENCE_S = 180.0
#: A host that beat within the first of these, but not within the second, is asked for
#: a sign; one that was silent for longer is taken for switched off.
_QUIET_S = (600.0, 45.0)
#: A time that is left is only said after this much was done and this long.
_ESTIMATE_AFTER_S = 5.0
_ESTIMATE_AFTER_DONE = 5


# --- Runs -------------------------------------------------------------------


def request_sync(
    *,
    trigger: str,
    user: User | None = None,
    full: bool = False,
    sync_type: str | None = None,
    since: date | None = None,
) -> tuple[SyncLog, bool]:
    """Queue a run; one that is active already is returned with False."""
    if sync_type is None:
        sync_type = SyncType.FULL if full else SyncType.INCREMENTAL
        if since is not None and not full:
            sync_type = SyncType.SINCE
    log, is_new = runs.open_run(
        trigger=trigger, sync_type=sync_type, user=user, since=since
    )
    # From a page or a program this line joins the request with the run.
    logger.info(
        "run %s: %s",
        log.pk,
        "asked for" if is_new else "asked for again, under way already",
        extra={"run_id": log.pk, "trigger": str(trigger)},
    )
    if is_new:
        enqueue(log)
    return log, is_new


def run_sync(*, log_id: int, **options: Any) -> SyncLog:
    """Do a queued run here and now; see `syncing.engine.run.run_sync`."""
    # Here, because web processes do without the libraries that read files.
    from syncing.engine.run import run_sync as run

    return run(log_id=log_id, **options)


def enqueue(log: SyncLog) -> None:
    """Wake a worker for a queued run, once the transaction is through.

    A message that is lost does not matter: the sweep sends another.
    """
    SyncLog.objects.filter(pk=log.pk).update(enqueued_at=timezone.now())
    transaction.on_commit(lambda: _send(log))


def _send(log: SyncLog) -> None:
    try:
        async_task(
            "syncing.tasks.run_sync_task", log.pk, task_name=f"sync run {log.pk}"
        )
    except broker_errors() as error:
        # The run is in the database; it is sent again when the broker is back.
        logger.warning(
            "run %s: the queue cannot be reached (%s)", log.pk, type(error).__name__
        )


def request_cancel(*, run_id: int | None = None, user: User | None = None) -> bool:
    """Ask a run (the active one unless given) to end; False when there is none."""
    active = SyncLog.objects.active().of_vendor()
    if run_id is not None:
        active = SyncLog.objects.active().filter(pk=run_id)
    log = active.first()
    return log is not None and runs.request_cancel(log, user=user)


# --- Export jobs --------------------------------------------------------------


def retry_jobs(*, job_ids: Iterable[int], user: User | None = None) -> int:
    """Try jobs again now, whatever became of them; returns how many."""
    with transaction.atomic():
        count = _reset(ExportJob.objects.filter(pk__in=list(job_ids)))
        if count:
            request_sync(trigger=Trigger.BUTTON, user=user, sync_type=SyncType.EXPORTS)
    return count


def retry_job(*, job_id: int, user: User | None = None) -> bool:
    """Try one job again now."""
    return retry_jobs(job_ids=[job_id], user=user) == 1


def retry_failed(*, user: User | None = None) -> int:
    """Try everything again that failed or was given up."""
    broken = ExportJob.objects.broken().values_list("pk", flat=True)
    return retry_jobs(job_ids=broken, user=user)


def unread_sessions() -> QuerySet[VendorSession]:
    """Sessions of the vendor's list that could not be read on their own."""
    return VendorSession.objects.filter(missing_since__isnull=True).exclude(
        last_error=""
    )


def uncomputed_sessions() -> QuerySet[AnalysisJob]:
    """Sessions whose frames are here and whose numbers could not be computed."""
    return AnalysisJob.objects.filter(wanted__gt=F("done")).exclude(last_error="")


def retry_sessions(
    *,
    unread: Iterable[int] = (),
    uncomputed: Iterable[int] = (),
    user: User | None = None,
) -> int:
    """Look at sessions again now, or compute their numbers; returns how many.

    Numbers of rows: of the vendor's sessions, and of ours.
    """
    now = timezone.now()
    with transaction.atomic():
        count = unread_sessions().filter(pk__in=list(unread)).update(next_check_at=now)
        count += (
            uncomputed_sessions()
            .filter(pk__in=list(uncomputed))
            .update(attempts=0, last_error="", updated_at=now)
        )
        if count:
            request_sync(trigger=Trigger.BUTTON, user=user, sync_type=SyncType.EXPORTS)
    return count


def give_up(*, job_ids: Iterable[int]) -> int:
    """Stop trying: nothing more until the vendor's session changes."""
    now = timezone.now()
    with transaction.atomic():
        jobs = (
            ExportJob.objects.filter(pk__in=list(job_ids))
            .exclude(state=JobState.STORED)
            .exclude(state=JobState.GIVEN_UP, next_try_at__isnull=True)
            .unclaimed(now)
        )
        sessions = set(jobs.values_list("session_id", flat=True))
        count = jobs.update(
            state=JobState.GIVEN_UP,
            given_up_at=now,
            next_try_at=None,
            claimed_by="",
            claimed_until=None,
            updated_at=now,
        )
        for session_pk in sessions:
            refresh_session_state(session_pk)
    return count


def backfill(
    *,
    session_ids: Iterable[int] | None = None,
    player_ids: Iterable[int] | None = None,
    start: date | None = None,
    end: date | None = None,
    user: User | None = None,
) -> int:
    """Ask for files anew by session, athlete or days; returns the number of jobs.

    Ids are ours, of `sessions` and `players`. At least one of the filters is needed.
    """
    jobs = ExportJob.objects.all()
    if session_ids is not None:
        wanted = list(session_ids)
        jobs = jobs.filter(
            Q(session_id__in=wanted) | Q(session__folded_into_id__in=wanted)
        )
    if player_ids is not None:
        athletes = list(player_ids)
        jobs = jobs.filter(
            Q(session__player_id__in=athletes)
            | Q(session__folded_into__player_id__in=athletes)
        )
    if start is not None:
        jobs = jobs.filter(session__session_date__gte=start)
    if end is not None:
        jobs = jobs.filter(session__session_date__lte=end)
    if session_ids is None and player_ids is None and start is None and end is None:
        raise ValueError("Name sessions, athletes or days to ask for again.")
    with transaction.atomic():
        sessions = set(jobs.values_list("session__session_id", flat=True))
        # An empty hash lets a file be read again although it is the same.
        count = _reset(jobs, sha256="")
        if count:
            VendorSession.objects.filter(
                session_id__in=sessions, missing_since__isnull=True
            ).update(needs_detail=True)
            request_sync(trigger=Trigger.BUTTON, user=user, sync_type=SyncType.EXPORTS)
    return count


def look_again(*, session_ids: Iterable[str], user: User | None = None) -> int:
    """Ask who took part in the vendor's sessions, and for all their files, anew.

    Ids are the vendor's; sessions that nobody of ours took part in are asked too.
    Returns how many sessions there are.
    """
    wanted = list(session_ids)
    with transaction.atomic():
        count = VendorSession.objects.filter(
            session_id__in=wanted, missing_since__isnull=True
        ).update(needs_detail=True)
        _reset(ExportJob.objects.filter(session__session_id__in=wanted), sha256="")
        if count:
            request_sync(trigger=Trigger.BUTTON, user=user, sync_type=SyncType.EXPORTS)
    return count


def _reset(jobs: Any, **values: Any) -> int:
    now = timezone.now()
    ids = list(jobs.unclaimed(now).values_list("pk", "session_id"))
    count = ExportJob.objects.filter(pk__in=[pk for pk, _ in ids]).update(
        state=JobState.WANTED,
        next_try_at=now,
        given_up_at=None,
        attempts=0,
        polls=0,
        requested_at=None,
        no_data_answers=0,
        last_error="",
        error_code="",
        claimed_by="",
        claimed_until=None,
        updated_at=now,
        **values,
    )
    for session_pk in {session_pk for _, session_pk in ids}:
        refresh_session_state(session_pk)
    return count


# --- What the panel shows -------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """One phase as a bar."""

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
    """Jobs that failed for one reason."""

    code: str
    message: str
    hint: str
    count: int
    job_ids: list[int]
    next_try_at: datetime | None


@dataclass(frozen=True)
class Waiting:
    """Files in one state, or sessions, that somebody or something has to act on."""

    state: str
    label: str
    count: int
    next_try_at: datetime | None
    unit: str = "file"

    @property
    def is_due(self) -> bool:
        return self.next_try_at is None or self.next_try_at <= timezone.now()


@dataclass(frozen=True)
class SyncStatus:
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
    worker_heartbeat_age_s: float | None = None
    worker_is_alive: bool = False
    #: None: the broker does not answer.
    queue_length: int | None = 0
    last_success_at: datetime | None = None
    success_is_overdue: bool = False


def sync_status(*, with_jobs: bool = True) -> SyncStatus:
    """Everything the panel shows, from a handful of queries."""
    now = timezone.now()
    run = SyncLog.objects.of_vendor().order_by("-id").first()
    last_success_at = last_success()
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
    return SyncStatus(
        sentence=_SILENT
        if is_silent
        else _sentence(run, progress, is_alive, failed_jobs + unread + uncomputed),
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
        worker_heartbeat_age_s=age_s,
        worker_is_alive=is_alive,
        queue_length=_asked_of_redis(queue_length),
        last_success_at=last_success_at,
        success_is_overdue=is_overdue(now, last_success_at),
    )


def worker_ages_s() -> dict[str, float]:
    """Seconds since the queue of each host last worked, by the host's name."""
    now = timezone.now()
    beats = WorkerHeartbeat.objects.order_by("host").values_list("host", "beat_at")
    return {host: max(0.0, (now - at).total_seconds()) for host, at in beats}


def worker_heartbeat_age_s(*, any_host: bool = False) -> float | None:
    """Seconds since the queue of this (or any) host last worked; None: never."""
    ages_s = worker_ages_s()
    if any_host:
        return min(ages_s.values(), default=None)
    return ages_s.get(host_name())


def silent_hosts(ages_s: dict[str, float]) -> list[str]:
    """Hosts whose queue should work and does not."""
    return [host for host, age_s in ages_s.items() if age_s > WORKER_SILENCE_S]


def say_goodbye() -> None:
    """This host's queue was stopped on purpose: it is not silent, it is gone."""
    WorkerHeartbeat.objects.filter(host=host_name()).delete()


def another_host_is_quiet() -> bool:
    """Whether a host that worked lately has shown nothing for most of a minute."""
    now = timezone.now()
    since, until = (now - timedelta(seconds=age_s) for age_s in _QUIET_S)
    beats = WorkerHeartbeat.objects.exclude(host=host_name())
    return beats.filter(beat_at__gte=since, beat_at__lt=until).exists()


def queue_length() -> int:
    """Tasks that wait for a worker, as far as the broker can tell."""
    from django_q.brokers import get_broker

    return int(get_broker().queue_size() or 0)


def _asked_of_redis(ask: Callable[[], T]) -> T | None:
    """The answer, or None: the page is there to say what does not work."""
    try:
        return ask()
    except broker_errors():
        return None


def broker_errors() -> tuple[type[Exception], ...]:
    """What asking a queue outside of the database raises when it is away.

    For an `except` clause. Redis' client is imported only where one is set.
    """
    if not settings.REDIS_URL:
        return ()
    from redis import RedisError

    return (RedisError,)


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
    """Time left of the last long phase, or None while nobody can honestly say.

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
    "The process that ran this gives no sign of life. What it stored is kept; the next "
    "sync takes up what is left."
)


def _sentence(
    run: SyncLog | None, progress: Progress | None, is_alive: bool, failing: int
) -> str:
    if run is None:
        return "Nothing was ever synced."
    if run.status == RunStatus.QUEUED:
        if not is_alive:
            return "Waiting for a worker, but none gives a sign of life: start one."
        if run.started_at is not None:
            return "Waiting for a worker to go on."
        return "Waiting for a worker to begin."
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
        complete = "The last sync went well; what failed before it still waits."
    endings: dict[str, str] = {
        RunStatus.SUCCESS: complete,
        RunStatus.PARTIAL: "The last sync ended with parts missing.",
        RunStatus.FAILED: "The last sync failed.",
        RunStatus.CANCELLED: "The last sync was cancelled.",
        RunStatus.ABANDONED: "The last sync was cut off; the next one goes on.",
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
                "Vendor has not finished the session",
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


# --- Housekeeping, called by tasks --------------------------------------------

#: A queued run that no worker took up is enqueued again after this long.
QUEUE_PATIENCE = timedelta(seconds=90)
#: After so many runs in a row that were cut off, a person has to look.
MAX_ABANDONED = 3
#: After a run that failed as a whole the sweep leaves the vendor alone for so long.
REST_AFTER_FAILURE = timedelta(hours=1)
_FULL_WANTED = "full-run-wanted"


def sweep() -> dict[str, int]:
    """Mend what died: enqueue lost runs, replace abandoned ones, work due jobs."""
    now = timezone.now()
    abandoned = runs.abandon_dead_runs()
    runs.release_dead_helpers()
    lost = _enqueue_lost(now)
    started = 0
    if _full_run_is_wanted() and not SyncLog.objects.active().of_vendor().exists():
        _, is_new = request_sync(trigger=Trigger.SCHEDULE, full=True)
        started += is_new
    last = SyncLog.objects.of_vendor().order_by("-id").first()
    if last is not None and not last.is_active:
        if (
            last.status == RunStatus.ABANDONED
            and runs.last_abandoned_in_a_row() < MAX_ABANDONED
        ):
            _, is_new = request_sync(
                trigger=Trigger.SWEEP, sync_type=last.sync_type, since=last.since
            )
            started += is_new
        elif not _failed_lately(last, now) and _something_is_due(now):
            _, is_new = request_sync(trigger=Trigger.SWEEP, sync_type=SyncType.EXPORTS)
            started += is_new
    return {
        "abandoned": len(abandoned),
        "enqueued": lost,
        "started": started,
        "mailed": int(mail_when_overdue(now)),
    }


def _failed_lately(last: SyncLog, now: datetime) -> bool:
    """Whether a wrong login or a vendor that is away ended the last run just now.

    What was due then still is, and another try in five minutes ends as that one.
    """
    return (
        last.status in {RunStatus.FAILED, RunStatus.PARTIAL}
        and bool(last.error_class)
        and last.completed_at is not None
        and now - last.completed_at < REST_AFTER_FAILURE
    )


def want_full_run() -> None:
    """Have a full run begin when the one under way, which is smaller, has ended."""
    SyncCursor.objects.update_or_create(
        name=_FULL_WANTED, defaults={"value": timezone.now()}
    )


def _full_run_is_wanted() -> bool:
    """Whether one was asked for, and none has begun since."""
    wanted = SyncCursor.objects.filter(name=_FULL_WANTED).first()
    if wanted is None:
        return False
    if SyncLog.objects.filter(
        sync_type=SyncType.FULL, created_at__gte=wanted.value
    ).exists():
        wanted.delete()
        return False
    return True


def take_over() -> int:
    """Begin at once anew what died, where that can be known; returns how many runs."""
    runs.release_dead_helpers()
    abandoned = runs.abandon_dead_runs()
    if abandoned:
        sweep()
    else:
        _enqueue_lost(timezone.now())
    return len(abandoned)


def _enqueue_lost(now: datetime) -> int:
    """Send again what a broker lost, or a worker that died with it in its hands."""
    lost = list(runs.queued_too_long(now, QUEUE_PATIENCE))
    for log in lost:
        enqueue(log)
    return len(lost)


def _something_is_due(now: datetime) -> bool:
    return (
        ExportJob.objects.due(now).unclaimed(now).exists()
        or VendorSession.objects.filter(
            missing_since__isnull=True, next_check_at__lte=now
        ).exists()
        # One that failed is left to the next sync; one whose worker died is not.
        or AnalysisJob.objects.filter(
            wanted__gt=F("done"), last_error="", attempts__lt=ANALYSIS_ATTEMPTS
        )
        .filter(Q(claimed_until__isnull=True) | Q(claimed_until__lt=now))
        .exists()
    )


def active_run(kind: str = RunKind.VENDOR) -> SyncLog | None:
    """The run that is queued or running."""
    return SyncLog.objects.active().filter(kind=kind).first()
