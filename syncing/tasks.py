"""The tasks that the queue calls. Queued rows hold these dotted names: keep them.

Arguments are ids only. Each task may come twice, late, or not at all.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from athletes.feed.order import settle_waiting
from syncing import clock, services, status, sweeping
from syncing.choices import RunStatus, SyncType, Trigger
from syncing.engine import liveness
from syncing.engine.context import RunContext
from syncing.engine.hosts import beat
from syncing.engine.movement_types import known_hitting_id
from syncing.engine.stopping import StopRun
from syncing.models import RunHelper, SyncLog

#: Share of the queue's time limit after which a run goes on in another task.
_BUDGET_SHARE = 0.6
#: How often a heartbeat is passed on to reach a host that was quiet.
_MOST_HOPS = 12
#: In a queue of one worker a run begins nothing new after this long and goes to the
#: end of the queue, so that archives, sheets and the like are made in between.
_TURN_S = 30.0
#: Results of tasks are kept this long, to be looked at.
_KEEP_RESULTS = timedelta(days=7)


def run_sync_task(log_id: int) -> str:
    """Work a queued run for as long as a task may take, and queue the rest."""
    if not SyncLog.objects.filter(pk=log_id).exists():
        return "gone"  # a message that came very late
    log = services.run_sync(
        log_id=log_id,
        time_budget_s=_budget_s(),
        turn_s=_TURN_S if _workers() == 1 else None,
        in_queue=True,
        on_exports=_call_help,
    )
    if log.status == RunStatus.QUEUED:
        services.enqueue(log)
    else:
        settle_waiting()
    return log.status


def help_exports_task(log_id: int, hops: int = 0) -> str:
    """Work export jobs beside the process that leads the run.

    Unless that would take the last worker of this host: then another host may have the
    task, and nobody can say which one takes it.
    """
    from syncing.engine.exports import fetch_exports

    log = SyncLog.objects.filter(pk=log_id).first()
    if log is None or log.status != RunStatus.RUNNING:
        return "over"
    if _busy_here() + 1 >= _workers():
        if hops < _MOST_HOPS and _hosts() > 1:
            _ask_for_help(log_id, hops + 1)
        return "no worker to spare"
    ctx = RunContext(log, time_budget_s=_budget_s(), in_queue=True, is_helper=True)
    helper = RunHelper.objects.create(
        run=log,
        worker=ctx.worker,
        process=liveness.mark(),
        heartbeat_at=clock.now(),
    )
    try:
        with ctx:
            try:
                fetch_exports(ctx, known_hitting_id())
            finally:
                ctx.flush()
    except StopRun:
        if SyncLog.objects.filter(pk=log_id, status=RunStatus.ABANDONED).exists():
            sweeping.sweep()
        return ctx.stop_reason
    finally:
        RunHelper.objects.filter(pk=helper.pk).delete()
    return "done"


def scheduled_sync_task(full: bool = False) -> str:
    """Begin the daily or weekly sync, unless one is under way."""
    if ran_before_clocks_were_set_back(timezone.localtime(clock.now()), full=full):
        return "done before the clocks were set back"
    log, is_new = services.request_sync(trigger=Trigger.SCHEDULE, full=full)
    if full and log.sync_type != SyncType.FULL:
        sweeping.want_full_run()
    return f"run {log.pk} {'queued' if is_new else 'was active already'}"


def ran_before_clocks_were_set_back(now: datetime, *, full: bool) -> bool:
    """Whether this hour comes a second time, and its sync ran the first time.

    The queue's scheduler calls in both of them.
    """
    if not now.fold:
        return False
    first = now.replace(fold=0).astimezone(UTC)
    kinds = [SyncType.FULL] if full else [SyncType.FULL, SyncType.INCREMENTAL]
    return (
        SyncLog.objects.filter(
            trigger=Trigger.SCHEDULE,
            sync_type__in=kinds,
            created_at__range=(first - timedelta(minutes=5), now),
        )
        .exclude(status__in=[RunStatus.FAILED, RunStatus.ABANDONED])
        .exists()
    )


def sweep_task() -> dict[str, int]:
    """Take up again what was lost; return the counts."""
    counts = sweeping.sweep()
    # Where no program follows changes, nobody else gives them places.
    settle_waiting()
    return counts


def heartbeat_task(hops: int = 0) -> None:
    """Show that this host's queue works, and take over from what died here.

    Nobody can say which host takes a task. Where one was quiet for longer the task is
    sent once more, and the hosts whose hands are free get it in turn.
    """
    beat()
    sweeping.take_over()
    if hops < _MOST_HOPS and status.another_host_is_quiet():
        async_task("syncing.tasks.heartbeat_task", hops + 1, task_name="heartbeat")


def prune_task() -> int:
    """Delete old results of tasks, which the queue would keep forever."""
    from django_q.models import Task

    count, _ = Task.objects.filter(stopped__lt=clock.now() - _KEEP_RESULTS).delete()
    return int(count)


def _budget_s() -> float:
    return _BUDGET_SHARE * float(settings.Q_CLUSTER["timeout"])


def _workers() -> int:
    return int(settings.Q_CLUSTER["workers"])


def _hosts() -> int:
    """Return the number of hosts whose queue works, this one at least."""
    ages_s = status.worker_ages_s()
    return max(1, len(ages_s) - len(status.silent_hosts(ages_s)))


def _busy_here() -> int:
    """Return how many workers of this host are at work on a run."""
    here = {"process__startswith": f"{liveness.place()}:"}
    return (
        SyncLog.objects.filter(status=RunStatus.RUNNING, **here).count()
        + RunHelper.objects.filter(**here).count()
    )


def _call_help(log: SyncLog) -> None:
    """Let other workers of the queue take a share of the files.

    One worker of each host stays free: what people ask for meanwhile, such as an
    archive, does not wait for the end of the run.
    """
    if log.sync_type == SyncType.UPLOAD:
        return
    for _ in range(_hosts() * (_workers() - 1) - 1):
        _ask_for_help(log.pk)


def _ask_for_help(log_id: int, hops: int = 0) -> None:
    async_task(
        "syncing.tasks.help_exports_task",
        log_id,
        hops,
        task_name=f"help sync run {log_id}",
    )
