"""A state machine over the export jobs and runs of the sync.

Hypothesis chooses what the vendor answers and changes, what processes and people do,
and how time goes by. Most steps are small and in one thread, so that an example is
the same whenever it is repeated; what happens to others in the middle of a request is
done while the vendor holds its answer back.
"""

from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.db.models import Exists, OuterRef
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
)

from athletes.identity.merging import merge, separate
from athletes.models import (
    AthleteMerge,
    BiomechanicsData,
    Movement,
    Player,
    Session,
)
from athletes.tasks import recompute_player
from privacy.erasing import erase, finish_erasures
from syncing import clock as product_clock
from syncing import services, sweeping
from syncing.choices import JobState
from syncing.engine import runs
from syncing.models import (
    AnalysisJob,
    ExportJob,
    RunHelper,
    SyncLog,
    VendorSession,
)
from tests.syncing.model import spec
from tests.syncing.model.changes import (
    ANSWERS,
    CALL,
    DAMAGE,
    EXPORT_ANSWERS,
    FINAL,
    HICCUPS,
    INDEX,
    KINDS,
    LONG_SECONDS,
    SCENARIOS,
    SECONDS,
    TRIGGERS,
    TYPES,
    add_session,
    change_athlete,
    change_session,
    pick,
)
from tests.syncing.model.clock import ModelClock
from tests.syncing.model.ending import SameAsTheVendor, stored_frames
from tests.syncing.model.process import GONE, Process, RunFacts
from tests.syncing.model.watch import Actor, Watch, reference
from tests.syncing.model.whole import WholeRun

TABLES = [
    model
    for label in ("athletes", "syncing", "privacy", "webhooks", "django_q", "sharing")
    for model in apps.get_app_config(label).get_models(include_auto_created=True)
    if model._meta.managed and not model._meta.proxy
]


def wipe():
    """Empty the tables, quicker than a flush."""
    with transaction.atomic(), connection.cursor() as cursor:
        names = [model._meta.db_table for model in TABLES]
        for name in (*names, "accounts_auditentry", "django_admin_log"):
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608
    cache.clear()


class SyncMachine(RuleBasedStateMachine):
    """One vendor, one database, and some processes that come and go."""

    vendor = None  # set by the test, for all examples

    def __init__(self):
        super().__init__()
        wipe()
        self.clock = ModelClock()
        self.clock.on_wait = self.pass_time
        self._in_use = product_clock.use(self.clock)
        self._in_use.__enter__()
        self.limit = settings.SYNC_MAX_REQUESTS = 1
        settings.SYNC_PROCESSES = 0
        self.watch = Watch(self.clock)
        self.processes = []
        self.facts = {}
        self.erased = set()
        self.something_happened = False
        self._failure = None
        self._passing = False
        self.transitions = 0

    # Time

    def now(self):
        return self.clock._epoch + timedelta(seconds=self.clock.passed)

    def pass_time(self, seconds):
        """Let time pass; the heartbeats of those who live beat meanwhile."""
        if self._passing:
            self.clock.advance(seconds)
            return
        self._passing = True
        try:
            while seconds > 0:
                part = min(seconds, 15.0)
                self.clock.advance(part)
                seconds -= part
                for process in self.running():
                    if self.clock.passed - process.last_beat >= 1.0:
                        process.beat()
        finally:
            self._passing = False

    def running(self):
        return [p for p in self.processes if p.is_alive and not p.is_frozen]

    # The vendor

    @property
    def world(self):
        return self.vendor.app.world

    @initialize(
        players=st.integers(2, 4),
        kinds=st.lists(KINDS, min_size=1, max_size=3),
        start=st.sampled_from(["new", "exports", "helped", "synced", "merged"]),
        here=st.booleans(),
    )
    def begin(self, players, kinds, start, here):
        self.vendor.app.begin(self.clock, players)
        for number, kind in enumerate(kinds):
            add_session(self.world, number, number + 1, kind)
        if start == "new":
            return
        self.open("schedule", "incremental", here)
        process = self.processes[-1]
        if start in {"synced", "merged"}:
            self.finish(process)
        while process.is_alive and process.parts is None:
            process.lead()
        if start == "helped":
            self.help(here)
        elif start == "merged":
            self.two_records_are_one(0, swap=not here, alone=here)

    # What processes do

    @rule(index=INDEX, count=st.integers(1, 3), here=st.booleans())
    def work(self, index, count, here):
        """The next steps of a process; without one, a run is begun."""
        self._work(index, count, here)

    @rule(index=INDEX, count=st.integers(1, 12))
    def work_on(self, index, count):
        self._work(index, count, True)

    @rule(count=st.integers(1, 3), first=INDEX)
    def work_in_turns(self, count, first):
        for place in range(count * 2):
            self._work(first + place, 1, True)

    def _work(self, index, count, here):
        if not self.running():
            self.begin_next(here)
        for _ in range(count):
            process = pick(self.running(), index)
            if process is not None:
                self.something_happened = False
                self._next_step(process)

    def _next_step(self, process):
        """What the threads of a process would do next."""
        if process.parts is None or process.phase != 4:
            process.lead()
        elif process.items:
            process.handle()
        elif process.taken:
            process.fetch()
        else:
            process.claim()
            if process.is_alive and not process.taken:
                process.look_for_the_end()
                if not process.is_alive or self._is_waited_for():
                    return
                if process.is_helper:
                    process.end()
                else:
                    process.lead()

    @rule(
        index=INDEX,
        what=st.sampled_from(["claim", "claim", "fetch", "handle", "end", "lead"]),
    )
    def one_step(self, index, what):
        found = [p for p in self.running() if p.parts is not None and p.phase == 4]
        process = pick(found, index)
        self.something_happened = False
        if process is None:
            return
        if what == "claim":
            process.claim()
        elif what == "fetch" and process.taken:
            process.fetch()
        elif what == "handle" and process.items:
            process.handle()
        elif what == "end":
            process.look_for_the_end()
        elif what == "lead" and process.is_idle() and not process.is_helper:
            process.lead()

    @rule(
        index=INDEX,
        here=st.booleans(),
        what=st.sampled_from(["help", "help", "freeze", "kill", "wake", "beat", "end"]),
    )
    def process_comes_or_goes(self, index, here, what):
        alive = [p for p in self.processes if p.is_alive]
        process = pick(alive, index)
        if what == "help":
            self.help(here)
        elif process is None:
            return
        elif what == "freeze":
            process.is_frozen = True
        elif what == "kill":
            process.kill()
        elif what == "wake":
            for one in alive:
                one.is_frozen = False
        elif what == "end" and process.is_helper and process.is_idle():
            process.end()
        elif not process.is_frozen:
            self.clock.advance(1.0)
            process.beat()

    def help(self, here):
        """Let a process join the run that is at its files, if there is one."""
        alive = [p for p in self.processes if p.is_alive]
        leads = any(p.parts is not None and not p.is_helper for p in alive)
        log = SyncLog.objects.filter(status="running").first()
        if log is None or not leads or len(alive) >= 4:
            return None
        helper = Process(self, log, self.facts[log.pk], is_helper=True, here=here)
        self.processes.append(helper)
        return helper

    @rule(here=st.booleans(), seconds=st.sampled_from([0.3, 3.0, 40.0]))
    def helper_lives_on(self, here, seconds):
        """A process helps, and others look for the dead meanwhile."""
        if self.help(here) is not None:
            self.pass_time(seconds)
            self.do_sweep()

    @rule(
        here=st.booleans(),
        kind=st.sampled_from(["500", "503", "cut-before"]),
        calls=st.integers(1, 7),
    )
    def helper_meets_silence(self, here, kind, calls):
        """The vendor answers none of the first requests of a process."""
        helper = self.help(here)
        if helper is None:
            return
        self.vendor.app.prepared["data_export"].clear()
        self.vendor.app.prepare("data_export", *[kind] * calls * CALL)
        self._fetch_some(helper, calls)

    @rule(
        index=INDEX,
        kind=st.sampled_from(["500", "503", "cut-before", "403"]),
        calls=st.sampled_from([4, 5, 5, 6]),
    )
    def vendor_is_away_after_an_answer(self, index, kind, calls):
        """One request is answered, so many are not, and then all are again."""
        found = [p for p in self.running() if p.parts is not None and p.phase == 4]
        process = pick(found, index)
        if process is None:
            return
        self.vendor.app.prepared["data_export"].clear()
        # After the first 403 the token is renewed, and the request sent again.
        answers = calls + 1 if kind == "403" else calls * CALL
        self.vendor.app.prepare("data_export", "pending", *[kind] * answers)
        self._fetch_some(process, calls + 2)

    def _fetch_some(self, process, count):
        """Let one process ask for so many files, tries again among them."""
        self.something_happened = False
        for _ in range(10 * count):
            if not count or not process.is_alive or process.is_frozen:
                return
            if process.items:
                process.handle()
            elif process.taken:
                process.fetch()
                count -= 1
            else:
                process.claim()
                if process.is_alive and not process.taken:
                    self.pass_time(5.0)

    # Whole runs, with their threads

    @rule(
        trigger=TRIGGERS,
        sync_type=TYPES,
        how=st.sampled_from(
            ["plain", "plain", "helper", "cancel", "budget", "accept", "processes"]
        ),
        index=INDEX,
    )
    def a_whole_run(self, trigger, sync_type, how, index):
        for process in self.processes:
            if process.is_alive and process.is_frozen:
                process.kill()
        for process in self.running():
            self.something_happened = False
            self.finish(process)
        # The silence of one that was killed elsewhere has to be waited for.
        self.clock.advance(100.0)
        self.do_sweep()
        self.vendor.app.meanwhile.clear()
        self.vendor.app.set_scenario("")
        run = WholeRun(self, trigger=trigger, sync_type=sync_type, how=how, index=index)
        run.go()
        self.vendor.app.meanwhile.clear()

    # What people and the clock do

    @rule(
        what=st.sampled_from(
            [
                "sweep",
                "sweep",
                "open",
                "begin",
                "cancel",
                "retry",
                "give up",
                "download",
                "merge",
                "merge",
                "separate",
                "erase",
            ]
        ),
        index=INDEX,
        second=INDEX,
        trigger=TRIGGERS,
        sync_type=TYPES,
    )
    def somebody_does(self, what, index, second, trigger, sync_type):
        if what == "open":
            self.open(trigger, sync_type, True)
        elif what == "begin":
            self.begin_next(True)
        elif what != "erase" or second < 3:
            self._do(what, index, second)

    def _do(self, what, index, second):
        """What a person or the schedule does; whether it is one of these deeds."""
        deeds = {
            "sweep": self.do_sweep,
            "cancel": self.do_cancel,
            "retry": lambda: self.do_retry(index),
            "give up": lambda: self.do_give_up(index),
            "download": lambda: self.do_download(index),
            "merge": lambda: self.do_merge(index, second),
            "separate": self.do_separate,
            "erase": lambda: self.do_erase(index),
        }
        if what in deeds:
            deeds[what]()
        return what in deeds

    @rule(seconds=SECONDS)
    def time_passes(self, seconds):
        self.pass_time(seconds)

    @rule(seconds=LONG_SECONDS)
    def a_long_time_passes(self, seconds):
        """Nobody who lives waits so long: processes end before, or sleep."""
        if self.running():
            self.pass_time(40.0)
        else:
            self.clock.advance(seconds)

    @rule(count=st.integers(1, 5))
    def syncs_go_by(self, count):
        """Again and again: the time of the next try comes, the queue sweeps, a run."""
        for _ in range(count):
            for process in self.running():
                self.something_happened = False
                self.finish(process)
            self.clock.advance(self._until_the_next_try())
            self.do_sweep()
            self.begin_next(True)

    def _until_the_next_try(self):
        times = [
            job["next_try_at"]
            for job in self.watch.jobs.values()
            if job["next_try_at"] is not None
        ]
        times += VendorSession.objects.exclude(next_check_at=None).values_list(
            "next_check_at", flat=True
        )
        later = [(at - self.now()).total_seconds() for at in times if at > self.now()]
        # An hour after a run that failed as a whole the sweep goes on.
        return max(3601.0, min(later, default=0.0) + 1.0)

    def open(self, trigger, sync_type, here):
        with self.watch.acting(Actor("open")):
            runs.open_run(trigger=trigger, sync_type=sync_type)
        self.begin_next(here)

    def begin_next(self, here):
        """Take up the queued run, if there is one."""
        with self.watch.acting(Actor("open")):
            log = SyncLog.objects.filter(status="queued").first()
            claimed = None if log is None else runs.claim_run(log.pk)
        if log is None:
            return
        need = self.watch.need
        need(claimed is not None, f"run {log.pk} cannot be claimed")
        need(runs.claim_run(log.pk) is None, f"run {log.pk} is claimed twice")
        facts = self.facts.get(log.pk)
        if facts is None:
            facts = self.facts[log.pk] = RunFacts(log, len(self.vendor.app.told))
        self.processes.append(Process(self, claimed, facts, is_helper=False, here=here))

    # What the vendor does

    @rule(answers=ANSWERS)
    def vendor_will_answer(self, answers):
        """The next answers of one route: faults, refusals, things not ready."""
        route, kinds = answers
        for kind in kinds:
            times = 1 if kind in FINAL else CALL
            if (route, kind) == ("download", "expired-link"):
                times = 4
            self.vendor.app.prepare(route, *[kind] * times)

    @rule(
        kind=st.sampled_from(["503", "cut-before", "403"]),
        calls=st.sampled_from([5, 6, 7]),
        route=st.sampled_from(["data_export", "data_export", "session", "download"]),
    )
    def vendor_is_away(self, kind, calls, route):
        """So many calls in a row get no answer."""
        if route == "download" and kind == "403":
            kind = "503"
        self.vendor.app.prepared[route].clear()
        each = 1 if kind == "403" else CALL
        self.vendor.app.prepare(route, *[kind] * calls * each)

    @rule(kinds=st.lists(EXPORT_ANSWERS, min_size=1, max_size=3))
    def vendor_will_answer_exports(self, kinds):
        self.vendor_will_answer(("data_export", kinds))

    @rule(
        what=st.sampled_from(
            [
                "add",
                "revise",
                "revise",
                "swings",
                "touch",
                "number",
                "remove",
                "return",
                "data",
                "people",
                "damage",
                "damage",
                "mend",
                "rename",
                "height",
                "hand",
                "leave",
                "come back",
                "join",
                "speak",
                "speak",
                "heal",
                "hiccup",
                "unreadable",
                "refuse",
            ]
        ),
        index=INDEX,
        number=INDEX,
        kind=KINDS,
        damage=DAMAGE,
        scenario=SCENARIOS,
        hiccup=HICCUPS,
    )
    def vendor_changes(self, what, index, number, kind, damage, scenario, hiccup):
        app, world = self.vendor.app, self.world
        if what == "add":
            if len(world.sessions) < 4:
                add_session(world, index, number, kind)
        elif what in {"rename", "height", "hand", "leave", "come back", "join"}:
            change_athlete(world, what, pick(world.athletes, index), number)
        elif what == "speak":
            app.set_scenario(scenario)
        elif what == "heal":
            app.heal()
        elif what == "hiccup":
            # One fault that the next try mends.
            app.prepare(*hiccup)
        elif what == "unreadable":
            app.bad["players" if index % 2 else "sessions"] = (1, 104)[number % 2]
        elif what == "refuse":
            app.revoke_tokens()
            cache.clear()
            app.prepare("token", "401")
        elif world.sessions:
            session = pick(world.sessions, index)
            session.damage = {"damage": damage, "mend": None}.get(what, session.damage)
            change_session(world, what, session, number)

    # In the middle of a request

    @rule(
        route=st.sampled_from(
            ["data_export", "data_export", "download", "session", "players", "sessions"]
        ),
        what=st.sampled_from(
            [
                "sleep",
                "sleep-long",
                "sleep-long",
                "sweep",
                "cancel",
                "erase",
                "revise",
                "remove",
                "merge",
                "others",
                "retry",
            ]
        ),
        index=INDEX,
    )
    def meanwhile(self, route, what, index):
        """While the next request to this route is under way, something happens."""

        def act():
            try:
                self.something_happened = True
                self._happen(what, index)
            except BaseException as error:
                self._failure = error
            finally:
                connections.close_all()

        self.vendor.app.meanwhile[route] = act

    def raise_what_happened_meanwhile(self):
        self.watch.need(
            not self.vendor.app.impolite, f"a request {self.vendor.app.impolite}"
        )
        error, self._failure = self._failure or self.vendor.app.broken, None
        if error is not None:
            raise error

    def _happen(self, what, index):
        actor = self.watch.actor.process
        if what in {"sleep", "sleep-long"}:
            # The machine of this process sleeps; others go on, and take over.
            if actor is not None:
                actor.is_frozen = True
            self.pass_time(20.0 if what == "sleep" else 100.0)
            if what == "sleep-long":
                self.do_sweep()
            self._others_claim(actor)
            if actor is not None:
                actor.is_frozen = False
        elif what == "others":
            self._others_claim(actor)
        elif self._do(what, index, index + 1):
            return
        elif self.world.sessions:
            session = pick(self.world.sessions, index)
            change_session(self.world, what, session, index)

    def _others_claim(self, actor):
        for process in self.running():
            if process is not actor and process.parts is not None and not process.taken:
                process.claim()

    # What people do

    def do_sweep(self):
        with self.watch.acting(Actor("sweep")):
            sweeping.sweep()
        for process in self.processes:
            if process.is_killed and not process.is_helper:
                log = SyncLog.objects.get(pk=process.log_pk)
                is_noticed = log.owner != process.ctx.worker or log.status != "running"
                silent_s = self.clock.passed - process.last_beat
                self.watch.need(
                    is_noticed or (log.process != GONE and silent_s <= spec.SILENCE_S),
                    f"the run of dead {process} goes on",
                )
            if process.is_helper and not process.has_ended:
                row = RunHelper.objects.filter(pk=process.row.pk).first()
                silent_s = self.clock.passed - process.last_beat
                is_dead = silent_s > spec.SILENCE_S or (
                    process.is_killed and process.here
                )
                self.watch.need(
                    row is None if is_dead else row is not None or process.is_lost,
                    f"{process}, silent for {silent_s} s, has the row {row}",
                )

    def do_cancel(self):
        with self.watch.acting(Actor("cancel")):
            services.request_cancel()

    def do_retry(self, index):
        job = pick(sorted(self.watch.jobs), index)
        if job is not None:
            with self.watch.acting(Actor("person")):
                services.retry_jobs(job_ids=[job])

    def do_give_up(self, index):
        job = pick(sorted(self.watch.jobs), index)
        if job is not None:
            with self.watch.acting(Actor("person")):
                services.give_up(job_ids=[job])

    def do_download(self, index):
        session = pick(list(Session.objects.order_by("session_id", "pk")), index)
        if session is not None:
            with self.watch.acting(Actor("person")):
                services.backfill(session_ids=[session.pk])

    def do_merge(self, first, second):
        players = list(Player.objects.order_by("org_player_id"))
        one, other = pick(players, first), pick(players, second)
        if one is None or one == other:
            return
        self._merge(one, other)

    def _merge(self, kept, merged):
        with self.watch.acting(Actor("merge")):
            entry = merge(kept=kept, merged=merged, by=None)
            self._outdated_numbers_are_computed(entry)

    def _outdated_numbers_are_computed(self, entry):
        """The queue's tasks after a merge; those of the sync do it for files alone."""
        recompute_player(entry.kept_id)
        recompute_player(entry.merged_id)

    @rule(index=INDEX, swap=st.booleans(), alone=st.booleans())
    def two_records_are_one(self, index, swap, alone):
        """Two athletes of one session are merged, and then its files change.

        `alone`: no more than those of the record that is not shown any more.
        """
        listed = [session.id for session in self.world.listed_sessions()]
        found = {}
        for row in Session.objects.filter(
            session_id__in=listed, player__in=Player.objects.all()
        ).order_by("session_id", "pk"):
            found.setdefault(row.session_id, []).append(row)
        shared = [rows[:2] for rows in found.values() if len(rows) > 1]
        rows = pick(shared, index)
        if rows is None:
            return
        kept, merged = reversed(rows) if swap else rows
        self._merge(kept.player, merged.player)
        if alone:
            self._new_files_of_what_is_folded(merged.session_id)
        else:
            self.world.revise(merged.session_id)
            self.open("command", "incremental", True)

    def _new_files_of_what_is_folded(self, *session_ids):
        """Files change without a word, and somebody asks for those of one record."""
        for session_id in session_ids:
            session = self.world.session(session_id)
            session.revision = (session.revision + 1) % 3
        parts = ExportJob.objects.filter(
            session__session_id__in=session_ids, session__folded_into__isnull=False
        )
        with self.watch.acting(Actor("person")):
            services.retry_jobs(job_ids=parts.values_list("pk", flat=True))
        self.begin_next(True)

    def do_separate(self):
        entry = AthleteMerge.objects.filter(undone_at=None).order_by("-pk").first()
        if entry is not None and entry.kept.merged_into_id is None:
            with self.watch.acting(Actor("merge")):
                separate(entry=entry, by=None)
                self._outdated_numbers_are_computed(entry)

    def do_erase(self, index):
        if len(self.erased) >= 2:
            return
        player = pick(list(Player.objects.order_by("org_player_id")), index)
        if player is None:
            return
        gone = [player, *Player.everyone.filter(merged_into=player)]
        with self.watch.acting(Actor("erase")):
            erase(player=player, by=None)
            self._forget_frames()
        self.erased.update(one.org_player_id for one in gone)
        self._nothing_of_the_erased()

    def _forget_frames(self):
        left = set(Session.objects.values_list("pk", flat=True))
        self.watch.frames = {k: v for k, v in self.watch.frames.items() if k[0] in left}

    def _nothing_of_the_erased(self):
        for org_player_id in self.erased:
            self.watch.is_erased(org_player_id)

    # What the model expects of stored files

    def note_stored(self, process, job, before, row):
        """The frames of a part are those of the files that were just stored."""
        key = (job.session_id, job.data_type)
        # A part that broke off is asked for again: what came last of it counts.
        served = process.served.get(job.pk, [])
        served = list({one.name: one for one in served}.values())
        kinds = {one.damage for one in served}
        if before.get("claimed_by") != process.ctx.worker:
            return
        stored = row["state"] == "stored" and row["stored_at"] == self.now()
        whole = kinds <= {None, "slow"}
        need = self.watch.need
        no_names = {"movement_id_missing", "unexpected_status"}
        if served and whole and not self.something_happened:
            need(
                stored or row["error_code"] in no_names or row["state"] == "wanted",
                f"job {job.pk} is {row['state']} ({row['error_code']}) after a good "
                f"file: {row['last_error']}",
            )
        if stored and whole and job.data_type in spec.FRAMES and served:
            whole_file = reference(self.vendor.app, served[-1])
            found = stored_frames(key)
            need(
                found == whole_file,
                f"the frames of job {job.pk} are {found} and not {whole_file}",
            )
        if job.data_type in spec.FRAMES:
            found = stored_frames(key)
            if stored:
                need(found, f"job {job.pk} is stored without frames")
                need(
                    kinds
                    <= {
                        None,
                        "slow",
                        "bad-out-of-order",
                        "bad-same-id",
                        "bad-one-swing",
                    },
                    f"job {job.pk} is stored from a file with {kinds}",
                )
            if found:
                self.watch.frames[key] = found
        self._numbers_are_computed(process, job)
        if stored:
            need(
                row["movements"] == len(reference(self.vendor.app, served[-1]))
                or not whole,
                f"job {job.pk} counts {row['movements']} movements",
            )

    def _numbers_are_computed(self, process, job):
        """Once no file of a session is left, its numbers are of its frames."""
        session = Session.objects.filter(pk=job.session_id).first()
        if session is None or self.something_happened or process.ctx.stop.is_set():
            return
        soon = spec.after(self.now(), spec.PATIENCE_S)
        for one in ExportJob.objects.filter(
            session_id__in={
                session.whole_id,
                *Session.objects.filter(folded_into=session.whole_id).values_list(
                    "pk", flat=True
                ),
            }
        ):
            waits = one.state == "failed" or one.state in spec.OPEN
            held = one.claimed_until is not None and one.claimed_until >= self.now()
            if held or (waits and one.next_try_at and one.next_try_at <= soon):
                return
        found = AnalysisJob.objects.filter(pk=session.whole_id).first()
        if found is None or found.claimed_by or found.last_error:
            return
        self.watch.need(
            found.done == found.wanted or found.attempts >= 6,
            f"numbers of session {found.pk}: {found.done} of {found.wanted}",
        )
        # What both records of an athlete have is shown once; its twin has no numbers.
        shown = BiomechanicsData.objects.filter(
            movement__session=OuterRef("movement__session__folded_into"),
            content_sha256=OuterRef("content_sha256"),
            missing_since=None,
        )
        part = Movement.objects.of_part(session.pk)
        stale = BiomechanicsData.objects.filter(
            movement__in=part.filter(method_version="", missing_since=None),
            data_type="inverse-kinematics",
            missing_since=None,
        ).exclude(Exists(shown))
        self.watch.need(not stale.exists(), f"session {session.pk} has no numbers")

    def is_tried_too_often(self, job):
        now = self.now()
        held = job["claimed_until"] is not None and job["claimed_until"] >= now
        return (
            job["attempts"] >= spec.TRIES
            and job["state"] not in {"given_up", "stored"}
            and job["session__missing_since"] is None
            and job["next_try_at"] is not None
            and job["next_try_at"] <= now
            and not held
        )

    def note_given_up(self, process, tried):
        for job in ExportJob.objects.filter(pk__in=tried):
            if job.data_type in spec.OPTIONAL:
                self.watch.need(
                    job.state == JobState.NO_DATA and job.error_code,
                    f"optional job {job.pk} is {job.state} after all tries",
                )
                continue
            self.watch.need(
                job.state == JobState.GIVEN_UP
                and job.next_try_at is None
                and job.error_code
                and job.last_error.startswith("Given up after"),
                f"job {job.pk} was tried {job.attempts} times and is {job.state}",
            )
            process.facts.errors += 1
            process.facts.outcomes["failed"] += 1

    # The end: all comes to rest, and everything is as the vendor has it

    def teardown(self):
        try:
            if not self.watch.is_broken:
                self.come_to_rest()
        finally:
            for process in self.processes:
                if process.ctx._client is not None:
                    process.ctx._client.close()
                for item in process.items:
                    if not isinstance(item, int):
                        item.close()
            self._in_use.__exit__(None, None, None)

    def come_to_rest(self):
        self.vendor.app.heal()
        for process in self.processes:
            if process.is_alive:
                process.is_frozen = False
        self.something_happened = True
        self.pass_time(1.0)
        for process in list(self.running()):
            self.finish(process)
        self.clock.advance(100.0)
        self.do_sweep()
        finish_erasures()
        self._forget_frames()
        # What was given up, and what had no data, is asked for again by then.
        self.clock.advance(29 * spec.DAY)
        self.do_sweep()
        for _ in range(2):
            self.begin_next(True)
            for process in list(self.running()):
                self.finish(process)
        self._files_of_merged_records_change()
        with self.watch.acting(Actor("open")):
            log, _ = runs.open_run(trigger="command", sync_type="full")
        self.begin_next(True)
        self.processes[-1].ctx.accept_removals = True
        self.finish(self.processes[-1])
        log.refresh_from_db()
        self.watch.need(
            log.status == "success",
            f"a run without faults is {log.status} {log.errors[:1]}",
        )
        self.everything_is_as_the_vendor_has_it()

    def _files_of_merged_records_change(self):
        """What is new in them is for a run to compute, where it is shown."""
        listed = {session.id for session in self.world.listed_sessions()}
        folded = Session.objects.exclude(folded_into=None)
        ids = listed & set(folded.values_list("session_id", flat=True))
        self._new_files_of_what_is_folded(*sorted(ids))
        for process in list(self.running()):
            self.finish(process)

    def finish(self, process):
        """Let one process go on to its end; those whom it waits for work as well."""
        for _ in range(400):
            if not process.is_alive:
                return
            before = self.clock.passed
            self._next_step(process)
            is_stuck = process.is_idle() if process.parts is not None else False
            if is_stuck and self.clock.passed - before > 2.0:
                self.pass_time(5.0)
                for other in self.running():
                    if other is not process:
                        self._next_step(other)
        self.watch.need(False, f"{process} does not come to an end")

    def _is_waited_for(self):
        soon = spec.after(self.now(), spec.PATIENCE_S)
        return any(
            job["session__missing_since"] is None
            and job["next_try_at"] is not None
            and (
                job["state"] in spec.OPEN
                or (job["state"] == "failed" and job["next_try_at"] <= soon)
                or (
                    job["state"] in {"no_data", "given_up"}
                    and job["next_try_at"] <= self.now()
                )
            )
            for job in self.watch.jobs.values()
        )

    def everything_is_as_the_vendor_has_it(self):
        self.watch.nobody_holds_anything()
        self.watch.numbers_are_of_the_frames()
        self._nothing_of_the_erased()
        self.watch.need(not RunHelper.objects.exists(), "helpers are left")
        same = SameAsTheVendor(
            self.vendor.app, self.watch.need, erased=self.erased, now=self.now()
        )
        same.athletes()
        same.sessions()
        same.lists()
        same.files()

    def __repr__(self):
        return "SyncMachine()"
