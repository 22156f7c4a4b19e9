"""One whole run, the same for command, button, queue and schedule."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import Error as DatabaseFault
from django.db import connections, transaction
from django.db.models import Max

from accounts.keys import LostKeyError
from athletes.analysis.summaries import refresh_player_summaries
from athletes.identity import tombstones
from athletes.identity.duplicates import MOST_A_SYNC, compare_waiting
from athletes.models import Session
from syncing import clock
from syncing.choices import Phase, RunStatus, SyncType
from syncing.client.errors import RebootError
from syncing.engine.claims import is_work_left, pending
from syncing.engine.context import RunContext
from syncing.engine.exports import fetch_exports
from syncing.engine.movement_types import discover_hitting_id, known_hitting_id
from syncing.engine.players import sync_players
from syncing.engine.runs import claim_run, release_claims, requeue_run
from syncing.engine.session_details import are_details_left, read_details
from syncing.engine.session_list import list_sessions
from syncing.engine.stopping import FatalError, StopRun, fatal_from
from syncing.engine.tally import MAX_ERRORS
from syncing.engine.tempo import DEFAULT_TEMPO, Tempo
from syncing.listeners import tell_end
from syncing.models import RunHelper, SyncLog
from syncing.outages import OUTAGES, Outage, outage_of, passing_outage

logger = logging.getLogger(__name__)

_ORDER = list(Phase)

#: At the end of a run, helpers that live get this long to come to an end.
HELPER_PATIENCE_S = 120.0
#: A run that lost its database waits so long for it, shorter than others wait before
#: they take it for dead; and so often.
DATABASE_PATIENCE_S = 30.0
MAX_OUTAGES = 5
#: Ends after which nobody may go on as if the run had been of some use.
FAILED_ALL_THE_SAME = {"implausible_removal", *(outage.code for outage in OUTAGES)}
#: How often at most a run takes up what its helpers left.
MAX_ROUNDS = 3


def run_sync(
    *,
    log_id: int,
    tempo: Tempo = DEFAULT_TEMPO,
    time_budget_s: float | None = None,
    turn_s: float | None = None,
    in_queue: bool = False,
    accept_removals: bool = False,
    on_progress: Callable[[SyncLog], None] | None = None,
    on_exports: Callable[[SyncLog], None] | None = None,
) -> SyncLog:
    """Work a queued run from where it stands, and store how it ended.

    With a time budget the run goes back into the queue when the time is up, and the
    next call goes on; so it does when its turn is over, but what was begun is ended
    first. `on_exports` is told when the files are about to be fetched, so
    that other workers can be called to help. A run that is not queued (any more) is
    returned as it is.
    """
    log = claim_run(log_id)
    if log is None:
        return SyncLog.objects.get(pk=log_id)

    def begin(log: SyncLog, time_budget_s: float | None) -> RunContext:
        return RunContext(
            log,
            tempo=tempo,
            time_budget_s=time_budget_s,
            turn_s=turn_s,
            in_queue=in_queue,
            on_progress=on_progress,
            accept_removals=accept_removals,
        )

    ctx = begin(log, time_budget_s)
    outages = 0
    ending: Ending | None = None
    try:
        while True:
            try:
                _work(ctx, on_exports)
                break
            except DatabaseFault as error:
                outages += 1
                outage = passing_outage(error)
                if outage is None or outages > MAX_OUTAGES or not _is_back(ctx, outage):
                    raise
                ctx = begin(ctx.log, ctx.time_left_s)
    except DatabaseFault as error:
        outage = outage_of(error)
        if outage is None:
            ending = Ending.of_fault(error)
            raise
        ending = Ending.of_fatal(
            FatalError(
                outage.message, code=outage.code, hint=outage.hint, what="storing data"
            )
        )
    except StopRun:
        # First, so that a run whose requeuing fails does not end as if it were whole.
        ending = Ending.of_stop(ctx)
        if ctx.stop_reason == "time" and requeue_run(ctx.log):
            return SyncLog.objects.get(pk=log_id)
    except FatalError as error:
        ending = Ending.of_fatal(error)
    except RebootError as error:
        ending = Ending.of_fatal(fatal_from(error, "talking to Reboot Motion"))
    except KeyboardInterrupt:
        ending = Ending(
            RunStatus.CANCELLED, "Stopped from the keyboard; finished work is kept."
        )
        raise
    except SystemExit as error:
        # A stop signal, or the time limit of the queue: the sweep goes on.
        ending = Ending(
            RunStatus.ABANDONED,
            "The run was interrupted by a stop signal or its time limit. Everything "
            "stored is kept, and the next run continues.",
            type(error).__name__,
        )
        raise
    except BaseException as error:
        ending = Ending.of_fault(error)
        raise
    finally:
        finished = _finish(ctx, ending)
    return finished


class Ending:
    """How a run ended when it did not get through all its steps."""

    def __init__(self, status: str, message: str, error_class: str = "") -> None:
        self.status = status
        self.message = message
        self.error_class = error_class
        self.entry: dict[str, str | bool] | None = None

    @classmethod
    def of_stop(cls, ctx: RunContext) -> Ending | None:
        """Return how a stopped run ended; None when it is no longer ours."""
        if ctx.stop_reason == "cancel":
            return cls(RunStatus.CANCELLED, "Canceled; finished work is kept.")
        if ctx.stop_reason == "lost":
            return None
        return cls(
            RunStatus.ABANDONED,
            "The run was stopped early. Everything stored is kept, and the next run "
            "continues.",
            "StopRun",
        )

    @classmethod
    def of_fault(cls, error: BaseException) -> Ending:
        """Return how a run ended because of an error that nobody foresaw."""
        return cls(
            RunStatus.FAILED,
            f"The run ended because of a bug "
            f"({type(error).__name__}); its log has the details.",
            type(error).__name__,
        )

    @classmethod
    def of_fatal(cls, error: FatalError) -> Ending:
        """Return how a run ended that could not go on."""
        ending = cls(RunStatus.FAILED, error.message, error.code)
        ending.entry = {
            "what": error.what[:1].upper() + error.what[1:],
            "object": "the whole run",
            "message": error.message,
            "hint": error.hint,
            "code": error.code,
            "is_general": True,
        }
        return ending


def _work(ctx: RunContext, on_exports: Callable[[SyncLog], None] | None) -> None:
    """Do the steps of a run, and let go of what this process holds."""
    with ctx:
        try:
            _steps(ctx, on_exports)
        finally:
            # Whatever happens from here on, nobody has to wait for our leases.
            release_claims(ctx.worker)
            ctx.flush()


def _is_back(ctx: RunContext, outage: Outage) -> bool:
    """Wait a while for the database; whether it is back and the run still ours.

    Transactions that were open are undone. What the run held is free again, so that it
    goes on like one that was queued in between, with what it had counted.
    """
    logger.warning(
        "Sync run %s lost its database connection (%s) and is waiting for it.",
        ctx.log.pk,
        outage.code,
        extra={"run_id": ctx.log.pk, "code": outage.code},
    )
    deadline = clock.monotonic() + DATABASE_PATIENCE_S
    while True:
        connections.close_all()
        try:
            release_claims(ctx.worker, with_slots=True)
            ctx.flush()
        except DatabaseFault as error:
            if passing_outage(error) is None or clock.monotonic() > deadline:
                return False
            clock.sleep(1.0)
            continue
        ctx.log.refresh_from_db()
        return ctx.log.status == RunStatus.RUNNING and ctx.log.owner == ctx.worker


def _steps(ctx: RunContext, on_exports: Callable[[SyncLog], None] | None) -> None:
    """Do the phases of a run that are still to be done."""
    log = ctx.log
    try:
        tombstones.load_erased()
    except LostKeyError as error:
        raise FatalError(
            str(error),
            code="configuration",
            hint="Without it, the sync would import erased athletes again.",
            what="Checking for erased athletes",
        ) from error
    # A run that goes on in another task does not repeat what it has finished.
    reached = _ORDER.index(Phase(log.phase))
    if log.sync_type != SyncType.EXPORTS:
        if reached <= _ORDER.index(Phase.MOVEMENT_TYPES):
            discover_hitting_id(ctx)
        if reached <= _ORDER.index(Phase.PLAYERS):
            sync_players(ctx)
        if reached <= _ORDER.index(Phase.SESSIONS):
            list_sessions(ctx)
    hitting_id = known_hitting_id()
    if reached <= _ORDER.index(Phase.DETAILS):
        read_details(ctx, hitting_id)
        _give_way(ctx, is_work_left=are_details_left())
    if reached <= _ORDER.index(Phase.EXPORTS):
        if on_exports is not None:
            on_exports(log)
        fetch_exports(ctx, hitting_id)
        _give_way(ctx, is_work_left=pending(ctx).exists() or is_work_left())
        for _ in range(MAX_ROUNDS):
            _wait_for_helpers(ctx)
            if not is_work_left():
                break
            # A helper died with it, or gave it back.
            fetch_exports(ctx, hitting_id, is_first=False)
    ctx.begin_phase(Phase.SUMMARIES)
    _refresh_touched(ctx)
    compare_waiting(MOST_A_SYNC)


def _give_way(ctx: RunContext, *, is_work_left: bool) -> None:
    """Go back into the queue when the turn is over and something is left to do."""
    if ctx.turn_is_over and is_work_left:
        ctx.end("time")
        ctx.check()


def _wait_for_helpers(ctx: RunContext) -> None:
    """Wait for helpers to finish their last file and store their counts.

    The rows of those that died meanwhile are deleted by the heartbeat.
    """
    helpers = RunHelper.objects.filter(run=ctx.log)
    deadline = clock.monotonic() + HELPER_PATIENCE_S
    while helpers.exists() and clock.monotonic() < deadline:
        ctx.sleep(0.1)


def _refresh_touched(ctx: RunContext) -> None:
    """Refresh athletes whose sessions changed since the last finished run.

    Each change has its athlete refreshed; this mends what a run that was
    killed between the two has left. Rows of `athletes` are touched by others than the
    sync and carry the machine's time: a clock of a test that is behind it has more of
    them refreshed, never fewer. Those whom a run without helpers has refreshed since
    are left out; a helper's rows carry the time of another machine.
    """
    last = (
        SyncLog.objects.of_vendor()
        .filter(status__in=[RunStatus.SUCCESS, RunStatus.PARTIAL], pk__lt=ctx.log.pk)
        .order_by("-id")
        .first()
    )
    touched = Session.objects.all()
    if last is not None and last.started_at is not None:
        touched = touched.filter(updated_at__gte=last.started_at)
    newest = touched.order_by().values_list("player_id").annotate(Max("updated_at"))
    refresh_player_summaries(
        pk
        for pk, changed_at in newest
        if ctx.in_queue or not ctx.summaries.is_refreshed(pk, changed_at)
    )


def _finish(ctx: RunContext, ending: Ending | None) -> SyncLog:
    """Store how the run ended, unless it is no longer ours; return its row."""
    now = clock.now()
    with transaction.atomic():
        log = SyncLog.objects.select_for_update().get(pk=ctx.log.pk)
        if log.status != RunStatus.RUNNING or log.owner != ctx.worker:
            return log
        if ending is None:
            log.status, log.error_message = _outcome(log)
        else:
            log.status, log.error_message = ending.status, ending.message
            log.error_class = ending.error_class[:100]
            if ending.status == RunStatus.FAILED and _was_useful(log):
                log.status = RunStatus.PARTIAL
                if ending.error_class in FAILED_ALL_THE_SAME:
                    log.status = RunStatus.FAILED
            if ending.entry is not None:
                log.errors = [ending.entry, *log.errors][:MAX_ERRORS]
                log.error_count += 1
        log.completed_at = now
        log.heartbeat_at = now
        log.owner = ""
        if log.status in {RunStatus.SUCCESS, RunStatus.PARTIAL} and ending is None:
            log.phase = Phase.DONE
        log.save(
            update_fields=[
                "status",
                "error_message",
                "error_class",
                "errors",
                "error_count",
                "completed_at",
                "heartbeat_at",
                "owner",
                "phase",
            ]
        )
        tell_end(log)
    logger.info(
        "Sync run %s has ended: %s.",
        log.pk,
        log.status,
        extra={"run_id": log.pk, "status": str(log.status), "requests": log.requests},
    )
    return log


def _was_useful(log: SyncLog) -> bool:
    """Whether the run got as far as reading anything."""
    return any(
        counts.get("seen", 0) > counts.get("failed", 0)
        for counts in log.counts.values()
    )


def _outcome(log: SyncLog) -> tuple[str, str]:
    """Return status and message of a run that got through all its steps."""
    if not log.error_count:
        return RunStatus.SUCCESS, ""
    if not _was_useful(log):
        return RunStatus.FAILED, log.errors[0]["message"]
    more = log.error_count - 1
    message = f"{log.errors[0]['what']} ({log.errors[0]['object']}): "
    message += log.errors[0]["message"]
    if more:
        message += f" And {more} more, listed with the run."
    return RunStatus.PARTIAL, message
