"""A state machine over the export jobs and runs of the sync.

Hypothesis chooses what the vendor answers and changes, what processes and people do,
and how time goes by. Most steps are small and in one thread, so that an example is
the same whenever it is repeated; what happens to others in the middle of a request is
done while the vendor holds its answer back.
"""

import datetime as dt
from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections, transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
)

from athletes.identity.merging import merge, separate
from athletes.models import AthleteMerge, BiomechanicsData, Movement, Player, Session
from athletes.tasks import recompute_player
from privacy.erasing import erase, finish_erasures
from simulator.population import SLUG_OF_TYPE
from syncing import clock as product_clock
from syncing import services, sweeping
from syncing.choices import JobState
from syncing.engine import runs
from syncing.models import (
    AnalysisJob,
    ExportJob,
    MovementType,
    RunHelper,
    SyncCursor,
    SyncLog,
    VendorSession,
)
from tests.syncing.model import spec
from tests.syncing.model.clock import ModelClock
from tests.syncing.model.process import GONE, Process, RunFacts
from tests.syncing.model.watch import Actor, Watch, reference
from tests.syncing.model.whole import WholeRun

KINDS = st.sampled_from(["one", "one", "two", "mixed", "pitching", "empty", "later"])
INDEX = st.integers(0, 7)
TRIGGERS = st.sampled_from(["command", "schedule", "button"])
TYPES = st.sampled_from(["incremental", "incremental", "full", "exports"])
SECONDS = st.sampled_from([0.3, 1.0, 3.0, 7.0, 21.0, 40.0])
HOUR, DAY = 3700.0, 86500.0
LONG_SECONDS = st.sampled_from(
    [50.0, 100.0, 700.0, HOUR, 2 * HOUR, 6 * HOUR, DAY, 3 * DAY, 8 * DAY, 29 * DAY]
)
DAMAGE = st.sampled_from(
    [
        "bad-truncated",
        "bad-html",
        "bad-missing-columns",
        "bad-same-id",
        "bad-one-swing",
        "bad-out-of-order",
        "refused",
    ]
)
EXPORT_ANSWERS = st.sampled_from([
    "pending", "pending", "pending-slow", "no-data", "no-data", "empty", "nothing",
    "400", "403", "404", "500", "503", "429", "cut-before", "cut-body", "html",
    "broken-off", "away", "other-host", "expired-token", "422-format",
])  # fmt: skip
DOWNLOAD_ANSWERS = st.sampled_from(
    ["truncated", "expired-link", "500", "cut-headers", "cut-body", "html-200", "503"]
)
LIST_ANSWERS = st.sampled_from(
    ["500", "503", "cut-body", "400", "403", "html", "nothing", "expired-token"]
)
DETAIL_ANSWERS = st.sampled_from(["500", "404", "403", "400", "html", "503"])
LIST_ROUTES = st.sampled_from(["players", "sessions", "lookups"])
ANSWERS = st.one_of(
    st.tuples(st.just("data_export"), st.lists(EXPORT_ANSWERS, min_size=1, max_size=3)),
    st.tuples(st.just("download"), st.lists(DOWNLOAD_ANSWERS, min_size=1, max_size=3)),
    st.tuples(st.just("session"), st.lists(DETAIL_ANSWERS, min_size=1, max_size=2)),
    st.tuples(LIST_ROUTES, st.lists(LIST_ANSWERS, min_size=1, max_size=1)),
)
HICCUPS = st.one_of(
    st.tuples(
        st.sampled_from(["players", "sessions", "session", "data_export", "lookups"]),
        st.sampled_from(["500", "429", "503", "cut-before", "cut-headers"]),
    ),
    st.tuples(
        st.just("download"), st.sampled_from(["500", "cut-before", "cut-headers"])
    ),
)
SCENARIOS = st.sampled_from(
    [
        "",
        "export-location=1",
        "export-polled=1",
        "export-status=2",
        "missing-fields",
        "wrapped",
        "no-movement-id",
        "export-single-key",
        "export-one-url",
        "offset-ignored",
    ]
)
#: As often as the client asks before it gives a call up.
CALL = 5
#: Errors that are answers: the client does not ask again.
FINAL = {
    "pending", "pending-slow", "no-data", "empty", "nothing", "400", "403", "404",
    "html", "away", "other-host", "expired-token", "422-format", "truncated",
    "expired-link",
}  # fmt: skip
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


def _measures(athlete):
    """Height, weight and hands, where the vendor's text is plain."""
    found = {pair["key"]: pair["value"] for pair in athlete.attributes}
    hands = {"RHA": "right", "LHA": "left", "SHA": "switch"}
    measures = {}
    for name in ("height_ft", "weight_lbs"):
        if found.get(name, "").replace(".", "").isdecimal():
            measures[name] = float(found[name])
    for name, key in (
        ("hitting", "dom_hand_hitting"),
        ("throwing", "dom_hand_throwing"),
    ):
        if found.get(key) in hands:
            measures[f"dominant_hand_{name}"] = hands[found[key]]
    return measures


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

    def pick(self, among, index):
        return among[index % len(among)] if among else None

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
            self._add_session(number, number + 1, kind)
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
            process = self.pick(self.running(), index)
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
        process = self.pick(found, index)
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
        process = self.pick(alive, index)
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
        process = self.pick(found, index)
        if process is None:
            return
        self.vendor.app.prepared["data_export"].clear()
        each = 1 if kind == "403" else CALL
        self.vendor.app.prepare("data_export", "pending", *[kind] * calls * each)
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
                "again",
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
        if what == "sweep":
            self.do_sweep()
        elif what == "open":
            self.open(trigger, sync_type, True)
        elif what == "begin":
            self.begin_next(True)
        elif what == "cancel":
            self.do_cancel()
        elif what == "again":
            self.do_retry(index)
        elif what == "give up":
            self.do_give_up(index)
        elif what == "download":
            self.do_download(index)
        elif what == "merge":
            self.do_merge(index, second)
        elif what == "separate":
            self.do_separate()
        elif what == "erase" and second < 3:
            self.do_erase(index)

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
                self._add_session(index, number, kind)
        elif what in {"rename", "height", "hand", "leave", "come back", "join"}:
            self._change_athlete(what, self.pick(world.athletes, index), number)
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
            session = self.pick(world.sessions, index)
            session.damage = {"damage": damage, "mend": None}.get(what, session.damage)
            self._change_session(what, session, number)

    def _add_session(self, first, second, kind):
        athletes = [a.org_player_id for a in self.world.listed_athletes()]
        if not athletes:
            return
        chosen = [self.pick(athletes, first)]
        if kind in {"two", "mixed"} and self.pick(athletes, second) not in chosen:
            chosen.append(self.pick(athletes, second))
        slug = "baseball-pitching" if kind == "pitching" else "baseball-hitting"
        session_id = self.world.add_session(chosen, slug=slug, swings=1 + second % 2)
        session = self.world.session(session_id)
        if kind == "mixed":
            session.is_mixed = True
            if len(chosen) > 1:
                session.no_data_for = {chosen[1]} if first % 2 else set()
        if kind == "empty":
            session.is_empty = True
        if kind == "later":
            self.world.delay_data(session_id, 3600.0 * (1 + second))

    def _change_session(self, what, session, number):
        world = self.world
        if what == "return":
            world.list_again(session.id)
        elif session.removed:
            return
        elif what == "revise":
            world.revise(session.id)
        elif what == "swings":
            world.count_swings(session.id, 1 + number % 2)
        elif what == "number":
            world.rename_session(session.id, number)
        elif what == "touch":
            world.touch_session(session.id)
        elif what == "remove":
            world.remove_session(session.id)
        elif what == "data":
            world.give_data(session.id)
        elif what == "people":
            athletes = [a.org_player_id for a in world.listed_athletes()]
            if athletes:
                chosen = {self.pick(athletes, number), self.pick(athletes, number // 2)}
                world.take_part(session.id, sorted(chosen))

    def _change_athlete(self, what, athlete, number):
        world, key = self.world, athlete.org_player_id
        if what == "come back":
            world.return_player(key)
        elif what == "join":
            if len(world.athletes) < 7:
                world.add_player("Invented", f"Person {number}", "2001-02-03")
        elif athlete.removed:
            return
        elif what == "rename":
            world.rename_player(key, "Renamed", f"Person {number}")
        elif what == "height":
            world.set_attribute(key, "height_ft", f"5.{number}00")
        elif what == "hand":
            world.set_attribute(key, "dom_hand_hitting", "LHA" if number % 2 else "RHA")
        elif what == "leave":
            world.remove_player(key)

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
        elif what == "sweep":
            self.do_sweep()
        elif what == "others":
            self._others_claim(actor)
        elif what == "cancel":
            self.do_cancel()
        elif what == "erase":
            self.do_erase(index)
        elif what == "merge":
            self.do_merge(index, index + 1)
        elif what == "retry":
            self.do_retry(index)
        elif self.world.sessions:
            session = self.pick(self.world.sessions, index)
            self._change_session(what, session, index)

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
        job = self.pick(sorted(self.watch.jobs), index)
        if job is not None:
            with self.watch.acting(Actor("person")):
                services.retry_jobs(job_ids=[job])

    def do_give_up(self, index):
        job = self.pick(sorted(self.watch.jobs), index)
        if job is not None:
            with self.watch.acting(Actor("person")):
                services.give_up(job_ids=[job])

    def do_download(self, index):
        session = self.pick(list(Session.objects.order_by("session_id", "pk")), index)
        if session is not None:
            with self.watch.acting(Actor("person")):
                services.backfill(session_ids=[session.pk])

    def do_merge(self, first, second):
        players = list(Player.objects.order_by("org_player_id"))
        one, other = self.pick(players, first), self.pick(players, second)
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
        rows = self.pick(shared, index)
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
        player = self.pick(list(Player.objects.order_by("org_player_id")), index)
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
        served = process.served.get(job.pk, [])
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
                f"job {job.pk} is {row['state']} after a good file",
            )
        if stored and whole and job.data_type in spec.FRAMES and served:
            whole_file = reference(self.vendor.app, served[-1])
            found = self._stored(key)
            need(
                found == whole_file,
                f"the frames of job {job.pk} are {found} and not {whole_file}",
            )
        if job.data_type in spec.FRAMES:
            found = self._stored(key)
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
        stale = Movement.objects.of_part(session.pk).filter(
            method_version="",
            missing_since=None,
            biomechanics__data_type="inverse-kinematics",
            biomechanics__missing_since=None,
        )
        self.watch.need(not stale.exists(), f"session {session.pk} has no numbers")

    def _stored(self, key):
        movements = Movement.objects.of_part(key[0])
        return {
            frames.movement.vendor_name: frames.content_sha256
            for frames in BiomechanicsData.objects.filter(
                movement__in=movements, data_type=key[1], missing_since=None
            )
            .select_related("movement")
            .defer("frames")
        }

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
        watch, world = self.watch, self.world
        watch.nobody_holds_anything()
        watch.numbers_are_of_the_frames()
        self._nothing_of_the_erased()
        watch.need(not RunHelper.objects.exists(), "helpers are left")
        self._athletes_are_the_vendors(world)
        self._sessions_are_the_vendors(world)
        self._lists_are_the_vendors(world)
        self._files_are_the_vendors(world)

    def _athletes_are_the_vendors(self, world):
        need = self.watch.need
        listed = {a.org_player_id: a for a in world.listed_athletes()}
        ours = {p.org_player_id: p for p in Player.everyone.all()}
        for org_player_id, athlete in listed.items():
            if org_player_id in self.erased:
                continue
            player = ours.get(org_player_id)
            need(player is not None, f"athlete {athlete.number} is not here")
            need(player.missing_since is None, f"athlete {athlete.number} is missing")
            self._same_fields(
                player,
                reboot_player_id=athlete.id,
                first_name=athlete.first_name,
                last_name=athlete.last_name,
                search_text=f"{athlete.first_name} {athlete.last_name}".lower(),
                date_of_birth=athlete.date_of_birth
                and dt.date.fromisoformat(athlete.date_of_birth),
                vendor_updated_at=athlete.updated_at,
                **_measures(athlete),
            )
        for player in ours.values():
            family = {
                player.pk,
                *Player.everyone.filter(merged_into=player).values_list(
                    "pk", flat=True
                ),
            }
            names = {p.org_player_id for p in ours.values() if p.pk in family}
            need(
                (player.missing_since is None) == bool(names & listed.keys()),
                f"athlete {player.pk} missing since {player.missing_since}",
            )

    def _sessions_are_the_vendors(self, world):
        need = self.watch.need
        listed = {s.id: s for s in world.listed_sessions()}
        rows = {row.session_id: row for row in VendorSession.objects.all()}
        for session_id in listed:
            need(session_id in rows, f"session {session_id} is not listed")
        for session_id, row in rows.items():
            need(
                (row.missing_since is None) == (session_id in listed),
                f"session {session_id} missing since {row.missing_since}",
            )
            need(
                row.missing_since or not row.last_error,
                f"session {session_id}: {row.last_error}",
            )
            need(
                session_id not in listed or not row.needs_detail,
                f"session {session_id} was not read",
            )
        removed = {a.org_player_id for a in world.athletes if a.removed}
        for session_id, session in listed.items():
            hitters = set()
            for org_player_id in set(session.athletes) - self.erased - removed:
                if (
                    session.slug == "baseball-hitting"
                    and org_player_id not in session.no_data_for
                ):
                    hitters.add(org_player_id)
            shown = {
                row.vendor_player_id
                for row in Session.objects.filter(
                    session_id=session_id, missing_since=None
                ).select_related("player", "recorded_as")
            }
            rows = Session.objects.filter(session_id=session_id)
            if rows.exclude(folded_into=None).exists():
                continue  # one row shows the parts of several records
            # Where the counts do not tell, a vendor who did not say "no data" once
            # is believed for good.
            doubtful = set()
            if getattr(session, "is_mixed", False) or getattr(
                session, "is_empty", False
            ):
                doubtful = set(session.athletes) - self.erased - removed
            need(
                hitters <= shown <= hitters | doubtful,
                f"session {session_id} shows {shown} and not {hitters}",
            )
        for row in Session.objects.filter(missing_since=None):
            need(row.session_id in listed, f"row {row.pk} of a session that is gone")
            session = listed[row.session_id]
            self._same_fields(
                row,
                session_date=session.session_date,
                session_num=str(session.session_num),
                session_type_name={1: "practice", 2: "game"}[session.session_type_id],
                vendor_status=session.status,
                vendor_updated_at=session.updated_at,
                movement_type_name="baseball-hitting",
                movement_type_id=1,
            )
        for row in Session.objects.select_related("player"):
            folded = row.folded_into_id is not None
            need(
                folded or row.player.merged_into_id is None,
                f"row {row.pk} belongs to an athlete that was merged",
            )

    def _same_fields(self, row, **fields):
        for name, value in fields.items():
            found = getattr(row, name)
            self.watch.need(
                found == value, f"{row._meta.model_name} {row.pk}: {name} is {found!r}"
            )

    def _lists_are_the_vendors(self, world):
        """The vendor's list, the cursor behind it, and its kinds of movements."""
        need = self.watch.need
        listed = {s.id: s for s in world.listed_sessions()}
        for row in VendorSession.objects.filter(missing_since=None):
            session = listed[row.session_id]
            self._same_fields(row, vendor_updated_at=session.updated_at)
            hits = session.slug == "baseball-hitting"
            known = set(row.participants.values())
            need(
                not known or ("hitting" in known) == (row.verdict == "hitting"),
                f"session {row.session_id} is {row.verdict} by {row.participants}",
            )
            need(hits or row.verdict == "other", f"{row.session_id} is {row.verdict}")
        newest = max((s.updated_at for s in listed.values()), default=None)
        cursor = SyncCursor.objects.filter(name="sessions").first()
        if newest is not None:
            need(
                cursor is not None and cursor.value >= min(newest, self.now()),
                f"the cursor is at {cursor and cursor.value}, the list at {newest}",
            )
        kinds = dict(MovementType.objects.values_list("vendor_id", "slug"))
        need(kinds == SLUG_OF_TYPE, f"kinds of movements are {kinds}")

    def _files_are_the_vendors(self, world):
        need = self.watch.need
        listed = {s.id: s for s in world.listed_sessions()}
        for row in Session.objects.filter(missing_since=None).select_related(
            "player", "recorded_as"
        ):
            session = listed[row.session_id]
            jobs = {job.data_type: job for job in ExportJob.objects.filter(session=row)}
            need(set(jobs) == set(spec.TYPES), f"row {row.pk} has jobs {set(jobs)}")
            has_data = world.has_data(session, row.vendor_player_id, "baseball-hitting")
            truth = self.vendor.app.truth(session.id, row.vendor_player_id)
            for data_type, job in jobs.items():
                by_hand = (
                    job.state == "given_up"
                    and job.next_try_at is None
                    and job.given_up_at
                )
                need(
                    job.state == ("stored" if has_data else "no_data") or by_hand,
                    f"job {job.pk} is {job.state} ({job.last_error}) in the end",
                )
                if job.state != "stored" or data_type not in spec.FRAMES:
                    continue
                found = self._stored((row.pk, data_type))
                need(
                    set(found) == set(truth),
                    f"row {row.pk} has {set(found)} of {truth}",
                )

    def __repr__(self):
        return "SyncMachine()"
