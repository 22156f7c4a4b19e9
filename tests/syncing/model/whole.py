"""Whole runs with all their threads, by the model's clock."""

import threading

from django.conf import settings
from django.db import connections
from django.test import override_settings

from athletes.models import BiomechanicsData
from syncing import services, tasks
from syncing.engine import runs
from syncing.engine.tempo import Tempo
from syncing.models import ExportJob, RunHelper, SyncLog
from tests.syncing.model import spec
from tests.syncing.model.watch import Actor

LIMIT = 3


class WholeRun:
    """One run from request to end, perhaps with a helper, a cancel or a time limit."""

    def __init__(self, machine, *, trigger, sync_type, how, index):
        self.machine, self.watch, self.vendor = machine, machine.watch, machine.vendor
        self.trigger, self.sync_type = trigger, sync_type
        self.how, self.index = how, index
        self.was_cancelled = False
        self.total_at_cancel = 0
        self.error = None

    def go(self):
        """Run it; return the row of the run."""
        with self.watch.acting(Actor("whole")):
            log = self._go()
        return log

    def _go(self):
        log, _ = runs.open_run(trigger=self.trigger, sync_type=self.sync_type)
        self.began = self.machine.now()
        # Of a run that was put back into the queue some was done before.
        self.is_fresh = log.started_at is None
        self.before = ExportJob.objects.in_bulk()
        requests = self.vendor.log
        requests.most_in_flight = 0
        total = requests.total
        self._arm(log)
        settings.SYNC_MAX_REQUESTS = LIMIT
        settings.SYNC_PROCESSES = 1 if self.how == "processes" else 0
        options = {"tempo": Tempo(processes_from=1)}
        if self.how == "budget":
            options["time_budget_s"] = 1.5
        if self.how == "helper":
            options["on_exports"] = self._help
        self.helper = None
        try:
            with self.machine.clock:
                for _ in range(50):
                    ended = services.run_sync(
                        log_id=log.pk,
                        accept_removals=self.how == "accept",
                        **options,
                    )
                    if ended.status != "queued":
                        break
                    options.pop("time_budget_s", None)
                if self.helper is not None:
                    self.helper.join(60)
        finally:
            settings.SYNC_MAX_REQUESTS = self.machine.limit
            settings.SYNC_PROCESSES = 0
        if self.error is not None:
            raise self.error
        self._check(SyncLog.objects.get(pk=log.pk), requests.total - total)
        return ended

    def _arm(self, log):
        """What happens while a request of the run is under way."""
        if self.how == "cancel":

            def cancel():
                try:
                    self.total_at_cancel = self.vendor.log.total
                    self.was_cancelled = services.request_cancel(run_id=log.pk)
                finally:
                    connections.close_all()

            routes = ("players", "sessions", "session", "data_export", "download")
            self.vendor.app.meanwhile = {routes[self.index % 5]: cancel}

    def _help(self, log):
        def help_it():
            try:
                # A worker for the leader, one for the helper, and one to spare.
                cluster = {**settings.Q_CLUSTER, "workers": 3}
                with override_settings(Q_CLUSTER=cluster):
                    tasks.help_exports_task(log.pk)
            except BaseException as error:
                self.error = error
            finally:
                connections.close_all()

        self.helper = threading.Thread(target=help_it, daemon=True)
        self.helper.start()

    def _check(self, log, requests):
        need = self.watch.need
        need(log.status in spec.ENDS, f"a whole run is {log.status}")
        need(log.owner == "" and log.completed_at is not None, "a run has no end")
        need(
            self.vendor.log.most_in_flight <= LIMIT,
            f"{self.vendor.log.most_in_flight} requests at once",
        )
        self.watch.nobody_holds_anything()
        need(not RunHelper.objects.exists(), "helpers are left")
        if self.is_fresh:
            # Who stops does not wait for long for an answer that is under way.
            unheard = LIMIT if self.was_cancelled else 0
            need(
                requests - unheard <= log.requests <= requests,
                f"{log.requests} requests of {requests}",
            )
        if self.was_cancelled:
            after = self.vendor.log.total - self.total_at_cancel
            # Canceled during its last requests, a run may be complete before it looks.
            is_done = log.status == "success" and after <= LIMIT
            stopped = log.status in {"cancelled", "failed", "partial"}
            need(stopped or is_done, f"it went on for {after} requests")
        else:
            need(log.status != "cancelled", "nobody canceled it")
        useful = any(c.get("seen", 0) > c.get("failed", 0) for c in log.counts.values())
        if log.status in {"success", "partial", "failed"}:
            expected = "success"
            if log.error_count:
                expected = "partial" if useful else "failed"
            if log.error_class == "implausible_removal":
                expected = "failed"
            need(log.status == expected, f"the run is {log.status} and not {expected}")
        need(bool(log.error_message) == (log.status != "success"), "no reason is told")
        counts = log.counts["exports"]
        names = ("created", "updated", "unchanged", "failed", "no_data")
        done = sum(counts.get(name, 0) for name in names)
        need(counts["seen"] == done, f"exports are counted {counts}")
        if self.is_fresh:
            self._check_counts(log)

    def _check_counts(self, log):
        """Files are counted once, by what became of them."""
        need, counts = self.watch.need, log.counts["exports"]
        stored = {"created": 0, "again": 0}
        jobs = ExportJob.objects.filter(stored_at__gte=self.began)
        for job in jobs.exclude(last_error__startswith="The vendor no longer"):
            old = self.before.get(job.pk)
            is_new = old is None or old.stored_at is None
            stored["created" if is_new else "again"] += 1
        told = {
            "created": counts["created"],
            "again": counts["updated"] + counts["unchanged"],
        }
        if self.how != "helper" and log.status != "abandoned":
            need(stored == told, f"{stored} were stored, and {told} are told")
        failed = ExportJob.objects.filter(
            state="failed", last_run=log, updated_at__gte=self.began
        )
        late = [
            job
            for job in failed
            if (job.next_try_at - job.updated_at).total_seconds() > spec.PATIENCE_S
        ]
        need(len(late) <= counts["failed"], f"{len(late)} failed: {counts}")
        need(counts["failed"] <= log.error_count, f"errors: {log.error_count}")
        frames = BiomechanicsData.objects.filter(movement__session__isnull=False)
        need(
            log.biomechanics_synced >= 0 and frames.count() >= 0,
            "frames are not counted",
        )
        for name, entry in log.progress.items():
            total = entry.get("total")
            if log.status == "success" and total is not None and name == "details":
                need(entry["done"] == total, f"{name}: {entry}")


__all__ = ["WholeRun"]
