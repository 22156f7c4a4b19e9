"""The clock of the sync: the only place of time in it, and replaceable as a whole."""

import ast
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncing import clock
from syncing.engine import runs
from syncing.models import ExportJob, SyncCursor, SyncLog, VendorSession
from tests.factories import make_session
from tests.syncing.clocks import START, ManualClock

ROOT = Path(__file__).resolve().parent.parent.parent
HOUR = timedelta(hours=1)

# --- One place ---------------------------------------------------------------

#: Functions that tell the machine's time, or wait by it, by their full name.
OF_TIME = {
    *(f"time.{name}" for name in ("time", "monotonic", "perf_counter", "sleep")),
    *(f"time.{name}" for name in ("time_ns", "monotonic_ns", "perf_counter_ns")),
    *(f"time.{name}" for name in ("clock_gettime", "clock_gettime_ns", "ctime")),
    *(f"time.{name}" for name in ("localtime", "gmtime", "strftime", "asctime")),
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    *("datetime.date.today", "django.utils.timezone.now"),
    *("django.db.models.functions.Now", "django.utils.timezone.localdate"),
}
#: With a time in brackets it only reckons.
UNLESS_GIVEN = {"django.utils.timezone.localtime"}
#: What is made to be waited for, for some seconds.
WAITED_FOR = {"threading.Event", "threading.Condition"}


class Module:
    """One module's source, whose names are known by where they were imported from."""

    def __init__(self, source):
        self.tree = ast.parse(source)
        self._known = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    known = alias.name if alias.asname else first
                    self._known[alias.asname or first] = known
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    name = f"{node.module}.{alias.name}"
                    self._known[alias.asname or alias.name] = name

    def full_name(self, node):
        """`time.sleep` of any name it goes by here; "" of other expressions."""
        if isinstance(node, ast.Name):
            return self._known.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            before = self.full_name(node.value)
            return before and f"{before}.{node.attr}"
        return ""

    def waited_for(self):
        """Names under which this module keeps events and conditions."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = getattr(node, "targets", None) or [node.target]
                made = isinstance(node.value, ast.Call) and node.value.func
                if made and self.full_name(made) in WAITED_FOR:
                    yield from map(last_name, targets)

    def uses_of_time(self, waited_for):
        """Places that ask the machine for the time, or wait by it."""
        found = set()
        for node in ast.walk(self.tree):
            is_use = False
            if isinstance(node, ast.Name | ast.Attribute):
                is_use = self.full_name(node) in OF_TIME
            elif isinstance(node, ast.Call):
                name = self.full_name(node.func)
                given = node.args or node.keywords
                by_django = name.startswith("django.db.models.") and any(
                    each.arg in {"auto_now", "auto_now_add"} for each in node.keywords
                )
                waits = (
                    isinstance(node.func, ast.Attribute)
                    and node.func.attr in {"wait", "wait_for"}
                    and last_name(node.func.value) in waited_for
                )
                is_use = (name in UNLESS_GIVEN and not given) or by_django or waits
            if is_use:
                found.add(f"{node.lineno}: {ast.unparse(node)}")
        return sorted(found)


def last_name(node):
    return getattr(node, "attr", None) or getattr(node, "id", "")


def modules():
    """Every module of the sync by its path, but migrations and the clock itself."""
    return {
        str(path.relative_to(ROOT)): Module(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "syncing").rglob("*.py"))
        if "migrations" not in path.parts and path != ROOT / "syncing" / "clock.py"
    }


def test_only_the_clock_asks_for_the_time_and_waits():
    read = modules()
    # Over the whole sync: one module may wait for the event of another.
    waited_for = {name for module in read.values() for name in module.waited_for()}
    found = [
        f"{path}:{use}"
        for path, module in read.items()
        for use in module.uses_of_time(waited_for)
    ]
    assert found == []
    assert len(read) > 80
    assert {"stop", "changed", "_ready", "_ended"} <= waited_for


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "import time as t\ndef f(sleep=t.sleep): pass",
        "from time import monotonic as m\nm()",
        "import time\ntime.perf_counter()",
        "import time\ntime.clock_gettime(time.CLOCK_BOOTTIME)",
        "from django.utils import timezone\ntimezone.now()",
        "from django.utils.timezone import now\nf(default=now)",
        "from django.utils import timezone\ntimezone.localtime()",
        "from django.utils import timezone\ntimezone.localdate()",
        "from datetime import UTC, datetime\ndatetime.now(UTC)",
        "import datetime\ndatetime.datetime.utcnow()",
        "from datetime import date\ndate.today()",
        "from django.db.models.functions import Now\nrows.update(at=Now())",
        "from django.db import models\nat = models.DateTimeField(auto_now=True)",
        "import threading\nstop = threading.Event()\nstop.wait(3)",
        "from threading import Condition\nself._due = Condition()\nself._due.wait()",
        "import threading\na.due: threading.Event = threading.Event()\nb.due.wait(1)",
    ],
)
def test_every_way_to_the_time_is_found(source):
    module = Module(source)
    assert len(module.uses_of_time(set(module.waited_for()))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from syncing import clock\nclock.now(), clock.time(), clock.sleep(1)",
        "from syncing import clock\nclock.wait(self.stop, 1)",
        "from django.utils import timezone\ntimezone.localtime(moment)",
        "from datetime import UTC, datetime\ndatetime.fromtimestamp(until, UTC)",
        "at = ClockedField(auto_now=True)",
        "self._process.wait()",
    ],
)
def test_what_only_reckons_or_asks_the_clock_is_let_through(source):
    assert Module(source).uses_of_time({"stop", "changed"}) == []


# --- Another clock -----------------------------------------------------------


def test_another_clock_is_in_use_for_all_threads_until_the_end():
    seen = []
    with clock.use(ManualClock()) as by_hand:
        by_hand.advance(HOUR)
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
        with clock.use(ManualClock(START + 24 * HOUR)):
            seen.append(clock.now())
        seen.append(clock.now())
    assert seen == [START + HOUR, START + 24 * HOUR, START + HOUR]
    assert abs(datetime.now(UTC) - clock.now()) < HOUR


def test_clock_is_given_back_after_an_error():
    with pytest.raises(ZeroDivisionError), clock.use(ManualClock()):
        1 / 0  # noqa: B018
    assert abs(datetime.now(UTC) - clock.now()) < HOUR


def test_all_of_a_clock_moved_by_hand_moves_together():
    with clock.use(ManualClock()) as by_hand:
        began = clock.time(), clock.monotonic(), clock.since_boot()
        by_hand.advance(30)
        clock.sleep(15)
        by_hand.fall_asleep(timedelta(minutes=2))
        now = clock.time(), clock.monotonic(), clock.since_boot()
        passed = [after - before for before, after in zip(began, now, strict=True)]
        assert passed == [165, 45, 165]
        assert clock.now() == START + timedelta(seconds=165)
        assert clock.time() == clock.now().timestamp()
    assert by_hand.slept == [15]


def test_waits_by_hand_take_no_time_and_are_kept():
    event, condition = threading.Event(), threading.Condition()
    with clock.use(ManualClock()) as by_hand:
        assert not clock.wait(event, 3600)
        with condition:
            assert not clock.wait_for_change(condition, 60)
        event.set()
        assert clock.wait(event, 7)
        with pytest.raises(AssertionError, match="never end"):
            clock.wait(threading.Event())
    assert by_hand.slept == [3600, 60]
    assert by_hand.now() == START + timedelta(seconds=3660)


def test_waits_of_the_machine_end_when_they_are_woken():
    event, condition = threading.Event(), threading.Condition()
    assert not clock.wait(event, 0.001)
    threading.Timer(0.01, event.set).start()
    assert clock.wait(event, 30)

    def wake():
        with condition:
            condition.notify_all()

    with condition:
        assert not clock.wait_for_change(condition, 0.001)
        threading.Timer(0.01, wake).start()
        assert clock.wait_for_change(condition, 30)


# --- Rows --------------------------------------------------------------------


@pytest.mark.django_db
def test_rows_of_the_sync_carry_the_time_of_its_clock():
    with clock.use(ManualClock()) as by_hand:
        log, _ = runs.open_run(trigger="command", sync_type="full")
        listed = VendorSession.objects.create(session_id="s1")
        (job,) = ExportJob.objects.bulk_create(
            [ExportJob(session=make_session(), data_type="metadata")]
        )
        cursor, _ = SyncCursor.objects.update_or_create(name="sessions")
        assert SyncLog.objects.get(pk=log.pk).created_at == START

        by_hand.advance(HOUR)
        for row in (listed, job, cursor):
            row.save(update_fields=["updated_at"])

        for row in (listed, job, cursor):
            row.refresh_from_db()
            assert row.updated_at == START + HOUR
        assert {listed.created_at, job.created_at} == {START}


@pytest.mark.django_db
def test_run_that_nobody_takes_waits_by_the_clock():
    with clock.use(ManualClock()) as by_hand:
        log, _ = runs.open_run(trigger="command", sync_type="full")
        by_hand.advance(HOUR)
        assert list(runs.queued_too_long(clock.now(), HOUR)) == []
        by_hand.advance(1)
        assert list(runs.queued_too_long(clock.now(), HOUR)) == [log]
