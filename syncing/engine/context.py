"""What the threads of one process share while they work on one run."""

from __future__ import annotations

import logging
import math
import threading
import uuid
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.urls import reverse

from syncing import clock
from syncing.choices import Phase, RunStatus
from syncing.client.errors import RebootError
from syncing.client.http import Exchange
from syncing.client.reboot import RebootClient
from syncing.engine.hosts import beat
from syncing.engine.request_slots import RequestSlots
from syncing.engine.runs import (
    STALL_LIMIT_S,
    abandon_dead_runs,
    release_dead_helpers,
)
from syncing.engine.stopping import StopRun, fatal_from
from syncing.engine.summaries import Summaries
from syncing.engine.tally import MAX_ERRORS, Tally, advanced
from syncing.engine.tempo import DEFAULT_TEMPO, Tempo
from syncing.engine.tokens import CacheTokenStore
from syncing.engine.vendor import make_client, vendor_credentials
from syncing.hints import HINT_OTHERWISE, HINTS
from syncing.models import (
    AnalysisJob,
    ExportJob,
    RunHelper,
    SyncLog,
)

logger = logging.getLogger(__name__)

#: How often the leader of a run looks for helpers that died.
_LOOK_FOR_DEAD_S = 2.0


class _ClockOfRun(clock.ClockInUse):
    """The clock in use, whose waits break off when the run is to end."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx

    def sleep(self, seconds: float) -> None:
        """Wait some seconds; raise `StopRun` when the run is to end meanwhile."""
        self._ctx.sleep(seconds)


class RunContext:
    """One process's part in a run: client, counts, heartbeat, and reasons to stop."""

    def __init__(
        self,
        log: SyncLog,
        *,
        tempo: Tempo = DEFAULT_TEMPO,
        time_budget_s: float | None = None,
        turn_s: float | None = None,
        in_queue: bool = False,
        is_helper: bool = False,
        accept_removals: bool = False,
        on_progress: Callable[[SyncLog], None] | None = None,
    ) -> None:
        self.log = log
        self.tempo = tempo
        # Claims of jobs carry this name; a helper has one of its own.
        self.worker = uuid.uuid4().hex if is_helper else log.owner
        self.is_helper = is_helper
        self.accept_removals = accept_removals
        self.in_queue = in_queue
        self.stop = threading.Event()
        self.stop_reason = ""
        self.phase: str = log.phase
        self.slots = RequestSlots(
            settings.SYNC_MAX_REQUESTS, holder=self.worker, check=self.check
        )
        self.summaries = Summaries()
        self._requests_written = 0
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._tally = Tally()
        # Phases that began since the row was last written.
        self._begun: dict[str, dict[str, int | None]] = {}
        self._on_progress = on_progress
        self._deadline = (
            None if time_budget_s is None else clock.monotonic() + time_budget_s
        )
        self._turn_ends_at = math.inf if turn_s is None else clock.monotonic() + turn_s
        # When the claims were last renewed; counts while there is somebody to do so.
        self._renewed_at = math.inf
        self._looked_for_dead_at = -_LOOK_FOR_DEAD_S
        self._ended = threading.Event()
        self._beats: threading.Thread | None = None
        self._client: RebootClient | None = None
        self._unavailable_in_a_row = 0

    # The vendor

    @property
    def client(self) -> RebootClient:
        """The vendor's client of this process, made at first use."""
        with self._lock:
            if self._client is None:
                credentials = vendor_credentials()
                self._client = make_client(
                    credentials=credentials,
                    token_store=CacheTokenStore(credentials),
                    gate=self.slots.gate,
                    clock=_ClockOfRun(self),
                    on_exchange=self._on_exchange,
                    retry=self.tempo.retry,
                )
            return self._client

    def _on_exchange(self, exchange: Exchange) -> None:
        if exchange.status in {429, 503} and exchange.retry_after_s:
            self.slots.pause(exchange.retry_after_s)

    def note_unavailable(self, error: RebootError) -> None:
        """Count a failed request; end the run when the vendor fails at everything."""
        with self._lock:
            self._unavailable_in_a_row += 1
            count = self._unavailable_in_a_row
        if count >= max(6, 2 * settings.SYNC_MAX_REQUESTS):
            raise fatal_from(error, "downloading swing data")

    def note_answer(self) -> None:
        """Start counting failed requests again: the vendor answered one."""
        with self._lock:
            self._unavailable_in_a_row = 0

    @property
    def vendor_answers(self) -> bool:
        """Whether the vendor answered any request of this run in earnest."""
        if self._client is None:
            return False
        return any(
            status.startswith(("2", "4"))
            for counts in self._client.requests_sent.by_route().values()
            for status in counts
        )

    # Stopping

    @property
    def time_left_s(self) -> float | None:
        """Seconds of the time budget that are left; None without one."""
        if self._deadline is None:
            return None
        return max(0.0, self._deadline - clock.monotonic())

    @property
    def turn_is_over(self) -> bool:
        """Whether nothing new is to be begun, as other tasks wait for this worker."""
        return clock.monotonic() >= self._turn_ends_at

    def check(self) -> None:
        """Raise `StopRun` when the run is to end."""
        if clock.since_boot() - self._renewed_at > STALL_LIMIT_S:
            # Asleep, or cut off from the database: others may have taken up our jobs.
            self.end("stalled")
        if self.stop.is_set():
            raise StopRun(self.stop_reason)

    def sleep(self, seconds: float) -> None:
        """Wait some seconds; raise `StopRun` when the run is to end meanwhile."""
        if clock.wait(self.stop, seconds):
            raise StopRun(self.stop_reason)

    def end(self, reason: str) -> None:
        """Have all threads of this process stop, for the reason given first."""
        with self._lock:
            self.stop_reason = self.stop_reason or reason
        self.stop.set()

    # Counting

    def count(self, kind: str, outcome: str, n: int = 1, *, seen: bool = True) -> None:
        """Count objects of a kind by their outcome, such as "created"."""
        if n <= 0:
            return
        with self._lock:
            counts = self._tally.counts[kind]
            counts[outcome] = counts.get(outcome, 0) + n
            if seen:
                counts["seen"] += n

    def count_frames(self, n: int) -> None:
        """Count stored blobs of frames."""
        with self._lock:
            self._tally.frames += n

    def record_error(
        self,
        *,
        what: str,
        about: str,
        message: str,
        code: str,
        hint: str = "",
        session_pk: int | None = None,
        is_general: bool = False,
    ) -> None:
        """Keep an error for the page of the run: what failed, where, and what to do.

        What is general is about no athlete in particular; the rest is shown only to
        who may see the session, and without one to who sees everybody.
        """
        entry = {
            "what": what,
            "object": about,
            "message": message,
            "hint": hint or HINTS.get(code, HINT_OTHERWISE),
            "code": code,
            "url": ""
            if session_pk is None
            else reverse("dashboard:session", args=[session_pk]),
            "is_general": is_general,
        }
        logger.warning(
            "Sync run %s: %s (%s) failed (%s). The run's page says what to do.",
            self.log.pk,
            what,
            about,
            code,
            extra={"run_id": self.log.pk, "code": code},
        )
        with self._lock:
            self._tally.error_count += 1
            if len(self._tally.errors) < MAX_ERRORS:
                self._tally.errors.append(entry)

    def begin_phase(
        self, phase: str, total: int | None = None, *, goes_on: bool = False
    ) -> None:
        """Start a phase with its number of objects, and store that.

        With `goes_on` those that an earlier task of this run has done count too.
        """
        before = self.log.progress.get(phase) if goes_on else None
        done = (before or {}).get("done") or 0
        began = (before or {}).get("began") or int(clock.time())
        with self._lock:
            self.phase = phase
            self._tally.steps.pop(phase, None)
            self._begun[phase] = {
                "done": done,
                "total": None if total is None else done + total,
                "began": began,
            }
        logger.info(
            "Sync run %s starts a step: %s.",
            self.log.pk,
            Phase(phase).label,
            extra={"run_id": self.log.pk, "phase": str(phase)},
        )
        self.flush()

    def advance(self, phase: str, n: int = 1) -> None:
        """Count objects of a phase that are done, by the leader and by helpers."""
        with self._lock:
            self._tally.steps[phase] = self._tally.steps.get(phase, 0) + n

    def set_cursor(
        self, *, before: datetime | None = None, after: datetime | None = None
    ) -> None:
        """Store where the run's cursor was, or where it moved to."""
        values = {"cursor_before": before, "cursor_after": after}
        given = {name: value for name, value in values.items() if value is not None}
        if given:
            SyncLog.objects.filter(pk=self.log.pk).update(**given)

    # Signs of life

    def __enter__(self) -> RunContext:
        self._renewed_at = clock.since_boot()
        self._beats = threading.Thread(
            target=self._beat, name=f"run-{self.log.pk}-heartbeat", daemon=True
        )
        self._beats.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ended.set()
        self._renewed_at = math.inf
        if self._beats is not None:
            # Real time: it may be waiting for the database.
            self._beats.join(timeout=30)
        self.slots.close()

    def _beat(self) -> None:
        """Tend the run every second."""
        try:
            while not clock.wait(self._ended, self.tempo.heartbeat_s):
                self.tend()
        finally:
            connections.close_all()

    def tend(self) -> None:
        """Renew leases, free what the dead hold, write counts; end at the deadline."""
        try:
            self.slots.tend()
            self._renew_claims()
            self._free_the_dead()
            self.flush()
        except DatabaseError as error:
            # One missed beat is nothing; a lost database ends the run by itself, in
            # the threads that work.
            logger.warning(
                "Sync run %s could not store its heartbeat (%s) and will retry. If "
                "this keeps happening, check the database.",
                self.log.pk,
                type(error).__name__,
            )
            connections.close_all()
        if self._deadline is not None and clock.monotonic() > self._deadline:
            self.end("time")

    def _renew_claims(self) -> None:
        """Renew the leases of this process's jobs; learn when it was taken for dead."""
        began = clock.since_boot()
        now = clock.now()
        until = now + self.tempo.lease
        if self.is_helper and not (
            RunHelper.objects.filter(worker=self.worker).update(heartbeat_at=now)
        ):
            # Taken for dead, and our jobs are with others.
            self.end("lost")
            return
        with transaction.atomic():
            mine = ExportJob.objects.filter(claimed_by=self.worker)
            if connection.features.has_select_for_update_skip_locked:
                # A row that is locked is being settled: waiting for it while others
                # wait for us could go round in a circle.
                free = mine.order_by("pk").select_for_update(skip_locked=True)
                mine = ExportJob.objects.filter(
                    pk__in=list(free.values_list("pk", flat=True))
                )
            mine.update(claimed_until=until)
        AnalysisJob.objects.filter(claimed_by=self.worker).update(claimed_until=until)
        self._renewed_at = began

    def _free_the_dead(self) -> None:
        """Free what dead helpers hold; helpers look for a dead leader instead."""
        if clock.since_boot() - self._looked_for_dead_at < _LOOK_FOR_DEAD_S:
            return
        self._looked_for_dead_at = clock.since_boot()
        if self.is_helper:
            abandon_dead_runs()
        else:
            release_dead_helpers()

    def flush(self) -> None:
        """Store counts and a heartbeat in the run's row; learn if it is to stop."""
        with self._flushing:
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            tally, self._tally = self._tally, Tally()
            phase = self.phase
            begun, self._begun = self._begun, {}
            sent = 0 if self._client is None else self._client.requests_sent.total
        new_requests = sent - self._requests_written
        now = clock.now()
        try:
            with transaction.atomic():
                log = SyncLog.objects.select_for_update().get(pk=self.log.pk)
                is_ours = log.status == RunStatus.RUNNING and (
                    self.is_helper or log.owner == self.worker
                )
                log.requests += new_requests
                tally.add_to(log)
                fields = [
                    "requests",
                    "counts",
                    "errors",
                    "error_count",
                    "biomechanics_synced",
                    "players_synced",
                    "sessions_synced",
                    "records_synced",
                ]
                if is_ours:
                    log.heartbeat_at = now
                    log.progress = advanced(log.progress, begun, tally.steps)
                    fields += ["heartbeat_at", "progress"]
                    if not self.is_helper:
                        log.phase = phase
                        fields.append("phase")
                log.save(update_fields=fields)
        except BaseException:
            # Not written: keep it for the next time.
            with self._lock:
                newer, self._tally = self._tally, tally
                for name in self._begun:
                    tally.steps.pop(name, None)
                self._tally.add(newer)
                self._begun = {**begun, **self._begun}
            raise
        self._requests_written = sent
        self.log = log
        if self.in_queue:
            beat()
        if not is_ours:
            self.end("lost")
        elif log.cancel_requested_at is not None:
            self.end("cancel")
        if self._on_progress is not None:
            self._on_progress(log)
