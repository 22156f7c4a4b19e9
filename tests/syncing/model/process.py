"""One process of a run, stepped by hand: its parts are the engine's own."""

from collections import Counter, deque

from athletes.models import Player, Session
from syncing.choices import Phase
from syncing.client.errors import RebootError
from syncing.engine import liveness
from syncing.engine import run as engine_run
from syncing.engine.context import RunContext
from syncing.engine.exports import _ExportThreads, _make_due, pending
from syncing.engine.movement_types import discover_hitting_id, known_hitting_id
from syncing.engine.players import sync_players
from syncing.engine.runs import release_claims, requeue_run
from syncing.engine.session_details import read_details
from syncing.engine.session_list import list_sessions
from syncing.engine.stopping import FatalError, StopRun, fatal_from
from syncing.models import (
    AnalysisJob,
    ExportJob,
    RequestSlot,
    RunHelper,
    SyncLog,
    VendorSession,
    WorkerHeartbeat,
)
from tests.syncing.model import spec
from tests.syncing.model.watch import Actor

#: A process that ran here and has ended.
GONE = liveness.mark().rpartition(":")[0] + ":1"
ELSEWHERE = "elsewhere:1:1"
PHASES = ("types", "players", "listing", "details", "exports", "finish")


class RunFacts:
    """What the model counts of one run."""

    def __init__(self, log, requests):
        self.pk, self.requests_before = log.pk, requests
        self.outcomes = Counter()
        self.errors = 0
        #: Off once a process died with counts that it had not written.
        self.is_exact = True


class Process:
    """A leader or a helper. `taken` jobs are claimed, `items` wait to be handled."""

    def __init__(self, machine, log, facts, *, is_helper, here=True):
        self.machine, self.watch, self.vendor = machine, machine.watch, machine.vendor
        self.log_pk, self.facts, self.is_helper = log.pk, facts, is_helper
        self.ctx = RunContext(log, is_helper=is_helper, in_queue=True)
        self.limit = machine.limit
        self.number = len(self.watch.processes)
        self.watch.processes[self.ctx.worker] = self
        self.phase = 0
        self.taken, self.items = deque(), deque()
        self.is_frozen = self.is_killed = self.has_ended = False
        self.last_beat = machine.clock.passed
        self.answered = False
        self.asked_to_wait_s = 0.0
        self.had_some = True
        #: Requests in a row that the vendor did not answer; None where nobody knows.
        self.in_vain = 0
        #: The phase that the run's row has to tell.
        self.begun = ""
        self._since = len(self.vendor.app.told)
        self.parts = None
        self.served = {}
        self.was_silent = False
        self.here, self.fatal = here, None
        mark = liveness.mark() if here else ELSEWHERE
        if is_helper:
            self.row = RunHelper.objects.create(
                run=log, worker=self.ctx.worker, process=mark,
                heartbeat_at=machine.clock.now(),
            )  # fmt: skip
            self.phase = PHASES.index("exports")
            self.parts = _ExportThreads(self.ctx, known_hitting_id())
        else:
            SyncLog.objects.filter(pk=log.pk).update(process=mark)
        self.beat()

    def __str__(self):
        return f"{'helper' if self.is_helper else 'leader'} {self.number}"

    # What the watch asks

    @property
    def is_alive(self):
        return not (self.is_killed or self.has_ended)

    @property
    def is_lost(self):
        return self.may_be_taken_for_dead() or self.was_silent

    @property
    def hand(self):
        return self.parts._claims._claimed

    @property
    def vendor_answered(self):
        return self.answered or any(
            map(_is_answer, self.vendor.app.told[self._since :])
        )

    def may_be_taken_for_dead(self):
        silent_s = self.machine.clock.passed - self.last_beat
        return not self.is_alive or silent_s > spec.SILENCE_S

    def note_end(self, old, new):
        if new["data_type"] in spec.OPTIONAL and (
            new["state"] == "no_data" or new["stored_at"] == old["stored_at"]
        ):
            return  # neither counted nor told of
        if new["state"] == "no_data" or (
            new["state"] == "stored" and new["stored_at"] == old["stored_at"]
        ):
            self.facts.outcomes["no_data"] += 1
        elif new["state"] == "stored":
            again = old["stored_at"] is not None
            self.facts.outcomes["again" if again else "created"] += 1

    def note_failure(self, new, expected):
        if expected.is_told:
            self.facts.outcomes["failed"] += 1
            self.facts.errors += 1

    # Steps

    def step(self, kind, work, job=None):
        """Do one step; a reason to end ends the process as `run_sync` would."""
        self._since = len(self.vendor.app.told)
        ending, is_over = None, False
        with self.watch.acting(Actor(kind, self, job)):
            try:
                work()
            except StopRun:
                is_over = True
            except FatalError as error:
                ending, is_over = error, True
            except RebootError as error:
                ending, is_over = fatal_from(error, "talking to Reboot Motion"), True
            self.machine.raise_what_happened_meanwhile()
        self.answered = self.vendor_answered
        self._since = len(self.vendor.app.told)
        self.fatal = ending
        if is_over:
            self.end(ending)

    @property
    def told(self):
        """What the vendor answered in this step, logins left out."""
        told = self.vendor.app.told[self._since :]
        return [entry for entry in told if entry[0] != "token"]

    def beat(self):
        """What the heartbeat's thread does every second."""
        with self.watch.acting(Actor("beat", self)):
            before = self.ctx.stop.is_set()
            self.ctx.tend()
            silent_s = self.machine.clock.passed - self.last_beat
            self.was_silent = self.was_silent or silent_s > spec.SILENCE_S
            if not self.ctx.stop.is_set() or self.ctx.stop_reason == "cancel":
                self.last_beat = self.machine.clock.passed
        if not before and self.ctx.stop_reason != "lost":
            self._leases_are_renewed()
        self._reasons_to_stop_are_known()

    def _leases_are_renewed(self):
        now = self.machine.now()
        for job in self.watch.jobs.values():
            if job["claimed_by"] == self.ctx.worker:
                self.watch.need(
                    job["claimed_until"] == spec.after(now, spec.LEASE_S),
                    f"{self}: the lease of job {job['pk']} was not renewed",
                )

        slots = self.ctx.slots
        for slot in RequestSlot.objects.filter(holder=self.ctx.worker):
            self.watch.need(
                slot.held_until == spec.after(now, spec.SLOT_LEASE_S),
                f"{self}: the lease of slot {slot.number} was not renewed",
            )
            used = slots._idle.get(slot.number)
            self.watch.need(
                slot.number in slots._busy
                or (used is not None and self.machine.clock.passed - used <= 1.0),
                f"{self} keeps slot {slot.number}, which it does not use",
            )

    def _progress_is_told(self, log):
        """The page of a run shows the phase it is in, and how far it is."""
        if not self.is_helper and self.begun:
            self.watch.need(
                log.phase == self.begun, f"{self} is in {self.begun}, not {log.phase}"
            )
            entry = log.progress.get(self.begun)
            self.watch.need(entry is not None, f"{self}: {log.progress}")
        for name, entry in log.progress.items():
            total = entry.get("total")
            self.watch.need(
                entry["done"] >= 0 and (total is None or total >= 0), f"{name}: {entry}"
            )

    def _reasons_to_stop_are_known(self):
        log = SyncLog.objects.get(pk=self.log_pk)
        ours = log.status == "running" and (
            self.is_helper or log.owner == self.ctx.worker
        )
        if self.is_helper:
            self.watch.need(
                self.was_silent
                or log.status != "running"
                or RunHelper.objects.filter(worker=self.ctx.worker).exists(),
                f"{self} was taken for dead, and lives",
            )
            ours = ours and RunHelper.objects.filter(worker=self.ctx.worker).exists()
        self.watch.need(
            ours or self.ctx.stop.is_set(), f"{self} goes on with a run that is over"
        )
        self.watch.need(
            log.cancel_requested_at is None or self.ctx.stop.is_set(),
            f"{self} goes on with a canceled run",
        )
        if ours and log.cancel_requested_at is None:
            self.watch.need(
                not self.ctx.stop.is_set()
                or self.ctx.stop_reason in {"stalled", "time", "error"},
                f"{self} stops without a reason: {self.ctx.stop_reason}",
            )
        if ours:
            self._progress_is_told(log)
            beat = WorkerHeartbeat.objects.first()
            self.watch.need(
                beat is not None and beat.beat_at == self.machine.now(),
                f"the worker of {self} shows no sign of life",
            )
            self.watch.need(
                log.heartbeat_at == self.machine.now(), f"{self} isn't responding"
            )

    def lead(self):
        """The next phase of a run, before and after its files."""
        name = PHASES[self.phase]
        if name == "exports":
            if self.parts is None:
                self.step("exports", self._begin_exports)
            elif self.is_idle():
                self.step("exports", self._finish_exports)
            return
        self.step(name, getattr(self, f"_{name}"))

    def _next(self):
        self.phase += 1

    def _types(self):
        self.ctx.check()
        self.begun = "movement_types"
        discover_hitting_id(self.ctx)
        self._check_list("lookups")
        self._next()

    def _players(self):
        self.ctx.check()
        self.begun = "players"
        before = self._snapshot(Player)
        sync_players(self.ctx)
        self._check_list("players")
        self._check_counts("players", before, Player)
        self._next()

    def _listing(self):
        self.ctx.check()
        self.begun = "sessions"
        list_sessions(self.ctx)
        self._check_list("sessions")
        self._next()

    def _snapshot(self, model):
        """Rows and counts before a phase."""
        names = [f.attname for f in model._meta.concrete_fields]
        manager = getattr(model, "everyone", model.objects)
        names.remove("updated_at")
        return (
            {row["id"]: row for row in manager.values(*names)},
            self._counts(),
        )

    def _counts(self):
        """Counts of the run by its row, and by what is not written yet."""
        log = SyncLog.objects.get(pk=self.log_pk)
        tally = self.ctx._tally.counts
        return {
            kind: Counter(log.counts.get(kind, {})) + Counter(tally.get(kind, {}))
            for kind in ("players", "sessions", "movements", "exports")
        }

    def _check_counts(self, kind, before, model):
        """What was created, changed and left as it was is counted as such."""
        if self.machine.something_happened or not self.facts.is_exact:
            return
        rows, counts = before
        now_rows, now_counts = self._snapshot(model)
        met = {
            "created": len(now_rows.keys() - rows.keys()),
            "updated": sum(rows[pk] != now_rows[pk] for pk in rows.keys() & now_rows),
        }
        told = {name: now_counts[kind][name] - counts[kind][name] for name in met}
        if kind == "players":
            # Those who are gone are changed and not counted.
            met["updated"] -= sum(
                rows[pk]["missing_since"] is None
                and now_rows[pk]["missing_since"] is not None
                for pk in rows.keys() & now_rows
            )
            # Of a merged family the head may come back with one of its records.
            told["updated"] = (
                max(told["updated"], met["updated"])
                if any(row["merged_into_id"] for row in now_rows.values())
                else told["updated"]
            )
        self.watch.need(met == told, f"{kind}: {met} were written, {told} are told")
        sums = now_counts[kind]
        total = sum(sums[n] for n in ("created", "updated", "unchanged", "failed"))
        self.watch.need(sums["seen"] == total, f"{kind} are counted {dict(sums)}")

    def _check_list(self, route):
        """A list that could not be read is told; one entry of it as well."""
        told = [entry for entry in self.told if entry[0] == route]
        _, kind, status, _ = told[-1]
        is_bad = status != 200 or kind in {"html", "html-200", "cut-body", "nothing"}
        self.facts.errors += is_bad + self.vendor.app.bad[route]
        found = self.errors()
        self.watch.need(
            found == self.facts.errors or not self.facts.is_exact,
            f"{found} errors are told of {route}, and {self.facts.errors} were met",
        )

    def errors(self):
        """Errors of the run by its row, and by what is not written yet."""
        log = SyncLog.objects.get(pk=self.log_pk)
        return log.error_count + self.ctx._tally.error_count

    def _details(self):
        self.ctx.check()
        self.begun = "details"
        began, before = self.machine.now(), _listed()
        waiting = {
            pk
            for pk, row in before.items()
            if row["missing_since"] is None
            and (row["needs_detail"] or _is_past(row["next_check_at"], began))
        }
        self.in_vain = None  # details count too
        rows, counts = self._snapshot(Session)
        read_details(self.ctx, known_hitting_id())
        self._check_details(waiting, before, began)
        self._check_parts(waiting, rows, counts)
        self._next()

    def _check_details(self, waiting, before, began):
        """Each session that waited was read, or has its next try."""
        now = self.machine.now()
        for pk, row in _listed().items():
            if pk not in waiting or pk not in before:
                continue
            old = before[pk]
            if row["last_error"]:
                tries = old["checks"] if old["last_error"] else 0
                self.watch.need(row["checks"] == tries + 1, f"detail {pk}: tries {row}")
                self._check_next(row, spec.DETAIL_S[min(tries, 3)], began, now)
                self.facts.errors += 1
                self.facts.outcomes["unread"] += 1
                continue
            self.watch.need(not row["needs_detail"], f"session {pk} was not read")
            looks = 0 if old["last_error"] else old["checks"]
            unknown = not row["verdict"] or "unknown" in row["participants"].values()
            if unknown and looks < len(spec.NO_DATA_S):
                self._check_next(row, spec.NO_DATA_S[looks], began, now)
            else:
                self.watch.need(
                    row["next_check_at"] is None, f"session {pk} looked at again: {row}"
                )
        found = self.errors()
        self.watch.need(
            found == self.facts.errors or not self.facts.is_exact,
            f"{found} errors are told of details, and {self.facts.errors} were met",
        )

    def _check_parts(self, waiting, rows, counts):
        """Parts that are new, and sessions without any, are counted as such."""
        if self.machine.something_happened or not self.facts.is_exact:
            return
        now_rows, now_counts = self._snapshot(Session)
        read = [
            row
            for pk, row in _listed().items()
            if pk in waiting and not row["last_error"]
        ]
        met = {
            "created": len(now_rows.keys() - rows.keys()),
            "skipped": sum(
                "hitting" not in row["participants"].values() for row in read
            ),
        }
        told = {
            name: now_counts["sessions"][name] - counts["sessions"][name]
            for name in met
        }
        self.watch.need(met == told, f"{met} parts were written, {told} are told")
        sums = now_counts["sessions"]
        total = sum(sums[n] for n in ("created", "updated", "unchanged", "failed"))
        self.watch.need(sums["seen"] == total, f"sessions are counted {dict(sums)}")

    def _check_next(self, row, wait_s, began, now):
        at = row["next_check_at"]
        self.watch.need(
            at is not None
            and spec.after(began, wait_s) <= at <= spec.after(now, wait_s),
            f"the next look at {row} is not in {wait_s} s",
        )

    def _begin_exports(self):
        self.ctx.check()
        self.begun = "exports"
        _make_due(self.ctx)
        self.ctx.begin_phase(Phase.EXPORTS, pending(self.ctx).count())
        self.parts = _ExportThreads(self.ctx, known_hitting_id())

    def is_idle(self):
        return not (self.taken or self.items or self.hand)

    def files_are_counted(self):
        """As many files wait as the process believes."""
        waiting = [item for item in self.items if not isinstance(item, int)]
        found = (self.parts._waiting_files, self.parts._waiting_bytes)
        met = (len(waiting), sum(item.size for item in waiting))
        self.watch.need(found == met, f"{self} counts files {found}, {met} wait")

    def claim(self):
        """Take one job, if any is due."""

        def work():
            self.had_some = True
            self.ctx.check()
            self.had_some = bool(self.hand)
            job = self.parts._claims.next()
            if job is not None:
                self.taken.append(job)

        self.machine.clock.advance(0.25)
        self.step("claim", work)

    def fetch(self):
        """Ask for the file of a claimed job, and download it."""
        job = self.taken.popleft()

        def work():
            self.ctx.check()
            self.asked_to_wait_s = 0.0
            served = len(self.vendor.app.served)
            try:
                self.parts.fetch(job)
            finally:
                if any(kind == "pending-slow" for _, kind, _, _ in self.told[-1:]):
                    self.asked_to_wait_s = 90.0
                while not self.parts._files.empty():
                    self.items.append(self.parts._files.get())
            for item in self.items:
                if not isinstance(item, int) and item.job is job:
                    self.served[job.pk] = self.vendor.app.served[served:]
            self._check_answer(job)

        before, row = self.in_vain, self.watch.jobs.get(job.pk)
        self.step("fetch", work, job.pk)
        if row is not None and row["claimed_by"] == self.ctx.worker:
            self._vendor_is_not_asked_in_vain(job, before)
        if self.is_alive:
            self.files_are_counted()

    def _vendor_is_not_asked_in_vain(self, job, before):
        """After some failures in a row the run ends, and not before."""
        row = ExportJob.objects.filter(pk=job.pk).first()
        if self.machine.something_happened or row is None:
            self.in_vain = None
            return
        if row.data_type in spec.OPTIONAL and row.error_code not in {"", "not_ready"}:
            return  # it ends no run
        code = "" if row.state in {"stored", "no_data"} else row.error_code
        if code == "not_ready" or row.state in {
            "downloading", "processing", "stored", "no_data",
        }:  # fmt: skip
            self.in_vain = 0
        elif before is None:
            return
        elif code in {"unavailable", "forbidden", "forbidden_host"}:
            self.in_vain = before + 1
        most = spec.most_in_vain(self.limit)
        if self.is_alive:
            self.watch.need(
                self.in_vain < most, f"{self.in_vain} in vain, and it goes on"
            )
        elif self.fatal is not None and self.fatal.code in {"unavailable", "forbidden"}:
            self.watch.need(
                self.in_vain >= most, f"the run ends after {self.in_vain} in vain"
            )

    def _check_answer(self, job):
        """What became of the job is what the vendor's last answer says."""
        told = self.told
        row = (
            ExportJob.objects.filter(pk=job.pk)
            .values("state", "claimed_by", "error_code", "data_type")
            .first()
        )
        if row is None or not told or self.machine.something_happened:
            return
        route, kind, status, _ = told[-1]
        code = row["error_code"]
        is_optional = row["data_type"] in spec.OPTIONAL
        if (
            route == "download"
            and status == 200
            and kind in {None, "truncated", "slow"}
        ):
            # The code of an earlier answer stays until the file is stored.
            expected = row["state"] == "downloading" and bool(row["claimed_by"])
        elif is_optional and code and code != "not_ready":
            # Whatever was answered is no failure; a file that was left before and is
            # asked for again keeps the code while the vendor prepares it, and until
            # what came instead of the file is looked at.
            expected = row["state"] in {"no_data", "processing"} or (
                (route, status, row["state"]) == ("download", 200, "downloading")
            )
        elif kind in {"no-data", "empty"} or (kind is None and status == 404):
            expected = row["state"] in {"no_data", "stored"}
        elif kind in {"pending", "pending-slow", "away"} or (
            kind is None and status == 202
        ):
            expected = row["state"] == "processing" or code == "not_ready"
        elif kind is None and status == 403:
            expected = code in {"forbidden", "expired_link"}
        elif kind in spec.CODES:
            expected = code in spec.CODES[kind] or row["state"] == "downloading"
        else:
            expected = True
        self.watch.need(
            expected,
            f"job {job.pk} is {row} after {kind or status} from {route}",
        )

    def handle(self):
        """Store a file that was downloaded, or compute what waits."""
        item = self.items.popleft()
        if isinstance(item, int):
            self.step("numbers", lambda: self.parts.handle(item))
            return
        job = item.job

        def work():
            before = dict(self.watch.jobs.get(job.pk) or {})
            self.parts.handle(item)
            while not self.parts._files.empty():
                self.items.append(self.parts._files.get())
            row = ExportJob.objects.filter(pk=job.pk).values().first()
            if row is not None:
                self.machine.note_stored(self, job, before, row)

        self.step("handle", work, job.pk)
        if self.is_alive:
            self.files_are_counted()

    def look_for_the_end(self):
        """Whether no job is left; gives up what was tried too often."""

        def work():
            self.ctx.check()
            tried = {
                pk
                for pk, job in self.watch.jobs.items()
                if self.machine.is_tried_too_often(job)
            }
            self.machine.clock.advance(2.5)
            self.parts._is_finished()
            self.machine.note_given_up(self, tried)

        self.step("end", work)

    # Ends

    def _finish_exports(self):
        """As the threads end: what waits is computed, what is held given back."""
        self.ctx.check()
        for session_pk in list(
            AnalysisJob.objects.to_do().values_list("session_id", flat=True)
        ):
            self.parts.handle(session_pk)
        self.parts._numbers.flush()
        self.parts.release()
        self._next()

    def _finish(self):
        self.ctx.check()
        self.ctx.begin_phase(Phase.SUMMARIES)
        engine_run._refresh_touched(self.ctx)
        self._close(None)

    def end(self, fatal=None):
        """End early: because of a reason to stop, or of an error."""
        with self.watch.acting(Actor("release", self)):
            if self.parts is not None:
                self.parts.release()
            self._close(fatal)

    def _close(self, fatal):
        """What `run_sync` and a helper's task do in any case, in their order."""
        for item in self.items:
            if not isinstance(item, int):
                item.close()
        self.items.clear()
        self.taken.clear()
        reason = self.ctx.stop_reason
        if self.is_helper:
            if self.parts is not None and self.phase == PHASES.index("exports"):
                self.parts.release()
            self.ctx.flush()
            self.ctx.slots.close()
            self.has_ended = True
            RunHelper.objects.filter(pk=self.row.pk).delete()
            return
        self._wait_for_helpers(is_early=fatal is not None or bool(reason))
        release_claims(self.ctx.worker)
        self.ctx.flush()
        self.ctx.slots.close()
        self.has_ended = True
        was_ours = SyncLog.objects.filter(
            pk=self.log_pk, status="running", owner=self.ctx.worker
        ).exists()
        if reason == "time" and fatal is None and requeue_run(self.ctx.log):
            return
        ending = None
        if fatal is not None:
            ending = engine_run.Ending.of_fatal(fatal)
        elif reason:
            ending = engine_run.Ending.of_stop(self.ctx)
        engine_run._finish(self.ctx, ending)
        if was_ours:
            self._check_ending(fatal, reason)

    def _wait_for_helpers(self, *, is_early):
        """Who has nothing left to do stores what it counted before the run ends.

        A run that ends early waits for nobody, and no run for those who sleep: what
        they counted comes later.
        """
        for one in self.machine.processes:
            if not (one.is_helper and one.is_alive and one.log_pk == self.log_pk):
                continue
            if is_early or one.is_frozen or one.items:
                self.facts.is_exact = False
            else:
                with self.watch.acting(Actor("beat", one)):
                    one.ctx.flush()

    def _check_ending(self, fatal, reason):
        """The run tells how it ended, what was done, and all that failed."""
        need, facts = self.watch.need, self.facts
        log = SyncLog.objects.get(pk=self.log_pk)
        need(
            log.owner == "" and log.completed_at == self.machine.now(), "it has no end"
        )
        useful = any(
            counts.get("seen", 0) > counts.get("failed", 0)
            for counts in log.counts.values()
        )
        if fatal is not None:
            facts.errors += 1
            expected = (
                "partial"
                if useful and fatal.code != "implausible_removal"
                else "failed"
            )
            need(log.error_class == fatal.code, f"the run says {log.error_class}")
            need(log.errors[0]["message"] == fatal.message, "the run does not say why")
        elif reason:
            expected = "cancelled" if reason == "cancel" else "abandoned"
        elif log.error_count:
            expected = "partial" if useful else "failed"
            need(log.error_message, "the run does not say what failed")
        else:
            expected = "success"
            need(log.error_message == "", f"the run says {log.error_message}")
        need(log.status == expected, f"the run is {log.status} and not {expected}")
        is_done = fatal is None and not reason and expected != "failed"
        need((log.phase == "done") == is_done, f"the run stands at {log.phase}")
        for entry in log.errors:
            need(
                entry["message"] and entry["hint"] and entry["what"], f"error: {entry}"
            )
        if not facts.is_exact:
            return
        need(
            log.error_count == facts.errors,
            f"{log.error_count} errors are told, and {facts.errors} were met",
        )
        counts = log.counts["exports"]
        done = {
            "created": counts["created"],
            "again": counts["updated"] + counts["unchanged"],
            "failed": counts["failed"],
            "no_data": counts.get("no_data", 0),
        }
        met = {name: facts.outcomes[name] for name in done}
        need(done == met, f"the run counts {done}, and {met} were met")
        need(counts["seen"] == sum(done.values()), f"seen are {counts['seen']}: {done}")

    def kill(self):
        """SIGKILL: nothing is written any more."""
        self.is_killed = True
        for item in self.items:
            if not isinstance(item, int):
                item.close()
        self.items.clear()
        self.facts.is_exact = False
        if self.is_helper:
            RunHelper.objects.filter(pk=self.row.pk, process=liveness.mark()).update(
                process=GONE
            )
        else:
            SyncLog.objects.filter(
                pk=self.log_pk, owner=self.ctx.worker, process=liveness.mark()
            ).update(process=GONE)


def _is_answer(told):
    _, kind, status, _ = told
    return kind not in {"cut-before", "cut-headers"} and status // 100 in {2, 4}


def _is_past(at, now):
    return at is not None and at <= now


def _listed():
    return {row["id"]: row for row in VendorSession.objects.values()}
