"""When a process that works on a run has to stop, and what it does not wait for."""

import threading
from datetime import timedelta

import pytest

from syncing import clock
from syncing.engine import runs
from syncing.engine.context import RunContext
from syncing.engine.pool import Crew
from syncing.engine.stopping import StopRun
from syncing.models import ExportJob, RunHelper, SyncLog
from tests.factories import make_session
from tests.syncing.client.scripted import ScriptedServer, answer
from tests.syncing.clocks import ManualClock


@pytest.fixture
def by_hand():
    with clock.use(ManualClock()) as by_hand:
        yield by_hand


def start_run(**options):
    """A run that this process leads, without the thread that tends it."""
    log, _ = runs.open_run(trigger="command", sync_type="full")
    return RunContext(runs.claim_run(log.pk), **options)


# --- Leases that nobody renewed ----------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("passes", [ManualClock.fall_asleep, ManualClock.advance])
def test_process_that_was_away_stops_before_others_take_its_jobs(by_hand, passes):
    """A laptop that slept, or a database out of reach: its leases ran out meanwhile."""
    ctx = start_run()
    ctx.tend()
    passes(by_hand, 30)
    ctx.check()
    ctx.tend()
    passes(by_hand, 30)
    ctx.check()
    passes(by_hand, 1)
    with pytest.raises(StopRun, match="stalled"):
        ctx.check()


@pytest.mark.django_db
def test_leases_are_renewed_from_the_time_of_the_clock(by_hand):
    ctx = start_run()
    job = ExportJob.objects.create(
        session=make_session(), data_type="metadata", claimed_by=ctx.worker
    )
    by_hand.advance(timedelta(hours=5))
    ctx.tend()

    job.refresh_from_db()
    assert job.claimed_until == by_hand.now() + ctx.tempo.lease
    assert SyncLog.objects.get().heartbeat_at == by_hand.now()


@pytest.mark.django_db
def test_helper_without_its_row_stops(by_hand):
    ctx = start_run()
    helper = RunContext(ctx.log, is_helper=True)
    row = RunHelper.objects.create(run=ctx.log, worker=helper.worker)
    helper.tend()
    helper.check()
    row.delete()
    helper.tend()
    with pytest.raises(StopRun, match="lost"):
        helper.check()


@pytest.mark.django_db
def test_time_budget_ends_by_the_clock(by_hand):
    ctx = start_run(time_budget_s=600)
    by_hand.advance(600)
    ctx.tend()
    ctx.check()
    by_hand.advance(1)
    ctx.tend()
    with pytest.raises(StopRun, match="time"):
        ctx.check()


# --- Waits that break off ----------------------------------------------------


@pytest.fixture
def ctx():
    return RunContext(SyncLog(pk=1, owner="us"))


def test_wait_of_a_run_breaks_off_when_it_is_to_end(ctx, by_hand):
    ctx.sleep(5)
    assert by_hand.slept == [5]
    ctx.end("cancel")
    with pytest.raises(StopRun, match="cancel"):
        ctx.sleep(3600)
    assert by_hand.slept == [5]


@pytest.mark.django_db
def test_client_of_a_run_does_not_wait_for_its_next_try_when_it_is_to_end(
    ctx, by_hand, settings
):
    def end_and_fail(out):
        ctx.end("cancel")
        out.write(answer({}, "503 Service Unavailable"))

    with ScriptedServer(end_and_fail) as server:
        settings.REBOOT_BASE_URL = server.url
        settings.REBOOT_API_KEY = "demo-api-key"
        with pytest.raises(StopRun, match="cancel"):
            ctx.client.movement_types()
    assert len(server.requests) == 1
    assert by_hand.slept == []


# --- Threads -----------------------------------------------------------------


@pytest.fixture
def slow_answer():
    """An answer of the vendor that comes at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def test_thread_in_a_slow_answer_is_left_behind_when_the_run_stops(ctx, slow_answer):
    crew = Crew(ctx, grace_s=0.2)
    crew.start(lambda: slow_answer.wait(60), name="slow", count=2)
    ctx.end("cancel")
    crew.join()
    assert [thread.is_alive() for thread in crew._threads] == [True, True]


def test_threads_are_waited_for_while_the_run_goes_on(ctx, slow_answer):
    done = []

    def work():
        slow_answer.wait(60)
        done.append(True)

    crew = Crew(ctx, grace_s=0)
    crew.start(work, name="slow", count=2)
    threading.Timer(0.3, slow_answer.set).start()
    crew.join()
    assert done == [True, True]
