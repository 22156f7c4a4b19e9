"""Slots, sealed tokens, schedules and the data of the panel."""

import threading
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone
from django_q.models import Schedule, Task

from athletes.analysis.run import analyze_session
from athletes.identity import merging
from athletes.models import DataState, Movement, Session
from syncing import clock, schedules, services, tasks
from syncing.choices import ExportType, JobState, RunStatus, SyncType
from syncing.client.tokens import PasswordLogin, Token
from syncing.engine.asking import movement_in_name
from syncing.engine.request_slots import RequestSlots
from syncing.engine.session_state import refresh_session_state, session_state
from syncing.engine.summaries import Summaries
from syncing.engine.tokens import CacheTokenStore
from syncing.models import ExportJob, RequestSlot, SyncLog, VendorSession
from syncing.status import sync_state, worker_heartbeat_age_s
from tests.factories import make_frames, make_movement, make_session
from tests.syncing.clocks import ManualClock

pytestmark = pytest.mark.django_db(transaction=True)


# --- Slots ------------------------------------------------------------------


def side_by_side(holders, *, threads, rounds):
    """Most requests at once over all holders, each used by some threads."""
    lock = threading.Lock()
    now, most, served = [0], [0], []

    def work(number):
        slots = holders[number % len(holders)]
        try:
            for _ in range(rounds):
                with slots.gate("GET /players"):
                    with lock:
                        now[0] += 1
                        most[0] = max(most[0], now[0])
                        served.append(number % len(holders))
                    time.sleep(0.01)
                    with lock:
                        now[0] -= 1
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        for slots in holders:
            slots.tend()
        time.sleep(0.05)
    return most[0], served


def test_slots_bound_requests_over_several_processes():
    holders = [RequestSlots(3), RequestSlots(3)]
    most, served = side_by_side(holders, threads=8, rounds=10)

    assert most == 3
    assert (served.count(0), served.count(1)) == (40, 40)
    for slots in holders:
        slots.close()
    assert not RequestSlot.objects.exclude(holder="").exists()


def test_slots_of_a_dead_process_are_free_when_the_lease_ends():
    with clock.use(ManualClock()) as by_hand:
        dead = RequestSlots(1)
        dead._take()
        slots = RequestSlots(1)
        with slots.gate("GET /players"):
            # A quarter of a second is the longest wait between two looks.
            assert 60 < sum(by_hand.slept) <= 60.25


def test_pause_that_the_vendor_asks_for_reaches_other_processes():
    with clock.use(ManualClock()) as by_hand:
        one, other = RequestSlots(2), RequestSlots(2)
        one.pause(90)
        other.tend()
        with other.gate("GET /players"):
            assert 90 <= sum(by_hand.slept) <= 90.25


# --- Tokens -------------------------------------------------------------------


def token(life_s=3600.0):
    now = time.time()
    return Token(
        "secret-token-text", renew_at=now + life_s - 60, expires_at=now + life_s
    )


def test_token_is_shared_and_not_readable_in_the_cache():
    login = PasswordLogin("someone", "password-of-someone")
    CacheTokenStore(login).put("key", token())

    assert CacheTokenStore(login).get("key").access_token == "secret-token-text"
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM django_cache")
        stored = repr(cursor.fetchall())
    assert "secret-token-text" not in stored
    assert "password-of-someone" not in stored


def test_token_of_another_password_is_not_used():
    CacheTokenStore(PasswordLogin("someone", "old-password")).put("key", token())

    assert CacheTokenStore(PasswordLogin("someone", "new-password")).get("key") is None


def test_altered_or_foreign_token_is_as_good_as_none(settings):
    cache.clear()
    login = PasswordLogin("someone", "password-of-someone")
    token = Token("the-access-token", time.time() + 60, time.time() + 90)
    CacheTokenStore(login).put("key", token)

    def found():
        # Another worker: it has no copy of its own.
        return CacheTokenStore(login).get("key")

    name = f"key-{CacheTokenStore(login)._suffix}"
    sealed = cache.get(name)
    assert found() == token
    for other in (sealed[:-4] + "AAAA", "not base64 at all", 12):
        cache.set(name, other)
        assert found() is None
    cache.set(name, sealed)
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key"
    cache.set(f"key-{CacheTokenStore(login)._suffix}", sealed)
    assert found() is None
    settings.SECRET_KEY_FALLBACKS = [former]
    assert found() == token


def test_one_worker_at_a_time_fetches_a_token():
    cache.clear()
    store = CacheTokenStore(PasswordLogin("someone", "password-of-someone"))
    other = CacheTokenStore(PasswordLogin("someone", "password-of-someone"))
    order = []

    def second():
        try:
            with other.lock("key"):
                order.append("second")
        finally:
            connections.close_all()

    with store.lock("key"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


# --- Schedules ------------------------------------------------------------------


def test_schedules_are_registered_once_and_not_at_once():
    assert len(schedules.register()) == len(schedules.PLANS)
    assert schedules.register() == []
    daily = Schedule.objects.get(name="Sync every day")
    assert daily.next_run > timezone.now()
    assert Schedule.objects.count() == len(schedules.PLANS)


def test_time_that_staff_changed_stays(settings):
    schedules.register()
    Schedule.objects.filter(name="Sync every day").update(
        cron="15 22 * * *", func="old.name", repeats=0
    )
    schedules.register()

    daily = Schedule.objects.get(name="Sync every day")
    assert (daily.cron, daily.repeats) == ("15 22 * * *", 0)
    assert daily.func == "syncing.tasks.scheduled_sync_task"


def test_scheduled_task_starts_a_run_and_is_content_with_one_under_way():
    tasks.scheduled_sync_task(full=True)
    log = SyncLog.objects.get()
    assert (log.trigger, log.sync_type) == ("schedule", SyncType.FULL)
    assert "active already" in tasks.scheduled_sync_task()


def test_old_results_are_pruned():
    now = timezone.now()
    for name, days in (("old", 10), ("new", 1)):
        Task.objects.create(
            id=name,
            name=name,
            func="x",
            started=now,
            stopped=now - timedelta(days=days),
        )
    tasks.prune_task()

    assert list(Task.objects.values_list("id", flat=True)) == ["new"]


# --- Jobs and the panel ------------------------------------------------------------


def make_job(**fields):
    session = fields.pop("session", None) or make_session()
    given = {"data_type": "inverse-kinematics", "state": JobState.FAILED}
    given |= {"next_try_at": timezone.now() + timedelta(hours=1), "attempts": 3}
    return ExportJob.objects.create(session=session, **(given | fields))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], DataState.WAITING),
        (["wanted", "wanted"], DataState.WAITING),
        (["stored", "wanted"], DataState.PARTIAL),
        (["stored", "stored"], DataState.COMPLETE),
        (["stored", "no_data"], DataState.PARTIAL),
        (["no_data", "no_data"], DataState.NO_DATA),
        (["failed", "stored"], DataState.PARTIAL),
        (["given_up", "no_data"], DataState.FAILED),
    ],
)
def test_session_state_follows_its_jobs(states, expected):
    assert session_state(states) == expected


def test_data_are_synced_once_their_numbers_are_there():
    session = make_job(state=JobState.STORED).session
    swing = make_frames(movement=make_movement(session=session)).movement

    def says():
        refresh_session_state(session.pk)
        session.refresh_from_db()
        return session.data_state, session.data_synced

    assert says() == (DataState.COMPLETE, False)
    analyze_session(session.pk)
    assert says() == (DataState.COMPLETE, True)
    # Frames that come later leave it: the swing says that it waits for its numbers.
    Movement.objects.filter(pk=swing.pk).update(method_version="")
    assert says() == (DataState.COMPLETE, True)


def test_records_that_are_separated_tell_the_state_of_their_own_files():
    """Also where files settled while one row stood for both records."""
    one, two = make_session(), make_session()
    Session.objects.filter(pk=two.pk).update(session_id=one.session_id)
    jobs = {
        session.pk: ExportJob.objects.create(
            session=session,
            data_type=ExportType.INVERSE_KINEMATICS,
            state=JobState.REQUESTED,
        )
        for session in (one, two)
    }
    entry = merging.merge(kept=one.player, merged=two.player, by=None)
    one.refresh_from_db()
    assert one.data_state == DataState.WAITING
    ExportJob.objects.filter(pk=jobs[one.pk].pk).update(state=JobState.FAILED)
    refresh_session_state(one.pk)
    one.refresh_from_db()
    assert one.data_state == DataState.WAITING  # for the other record's file

    merging.separate(entry=entry, by=None)
    states = Session.objects.values_list("pk", "data_state", "data_gap")
    assert sorted(states) == [
        (one.pk, DataState.FAILED, "inverse-kinematics:failed"),
        (two.pk, DataState.WAITING, ""),
    ]


def test_two_files_that_settle_at_once_see_each_other():
    one = make_job(state=JobState.DOWNLOADING)
    other = make_job(
        session=one.session, data_type="momentum-energy", state=JobState.DOWNLOADING
    )
    begins = threading.Event()

    def settle(job):
        ExportJob.objects.filter(pk=job.pk).update(state=JobState.STORED)
        refresh_session_state(job.session_id)

    def settle_other():
        begins.set()
        with transaction.atomic():
            settle(other)
        connection.close()

    thread = threading.Thread(target=settle_other)
    with transaction.atomic():
        settle(one)
        thread.start()
        assert begins.wait(10)
        # It reads what there is, or waits.
        thread.join(0.5)
    thread.join(20)
    one.session.refresh_from_db()
    assert one.session.data_state == DataState.COMPLETE


def test_retry_makes_a_job_due_and_starts_a_run():
    job = make_job(state=JobState.GIVEN_UP, next_try_at=None)

    assert services.retry_jobs(job_ids=[job.pk]) == 1
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.WANTED, 0)
    assert job.next_try_at <= timezone.now()
    assert SyncLog.objects.get().sync_type == SyncType.EXPORTS


def test_retry_leaves_a_job_that_is_being_worked():
    job = make_job(
        state=JobState.DOWNLOADING,
        claimed_by="somebody",
        claimed_until=timezone.now() + timedelta(minutes=1),
    )
    assert services.retry_jobs(job_ids=[job.pk]) == 0
    assert not SyncLog.objects.exists()


def test_give_up_stops_trying():
    job = make_job()

    assert services.give_up(job_ids=[job.pk]) == 1
    job.refresh_from_db()
    assert (job.state, job.next_try_at) == (JobState.GIVEN_UP, None)
    job.session.refresh_from_db()
    assert job.session.data_state == DataState.FAILED


def test_backfill_takes_days_athletes_and_sessions():
    early = make_job(session=make_session(session_date=date(2026, 1, 5)))
    late = make_job(session=make_session(session_date=date(2026, 2, 5)))
    VendorSession.objects.create(session_id=late.session.session_id, needs_detail=False)

    assert services.backfill(start=date(2026, 2, 1), end=date(2026, 2, 28)) == 1
    early.refresh_from_db()
    late.refresh_from_db()
    assert (early.state, late.state) == (JobState.FAILED, JobState.WANTED)
    assert VendorSession.objects.get().needs_detail
    assert services.backfill(player_ids=[early.session.player_id]) == 1
    assert services.backfill(session_ids=[early.session_id, late.session_id]) == 2
    with pytest.raises(ValueError, match="Choose sessions"):
        services.backfill()


def test_backfill_fetches_files_again(start_vendor, run_sync):
    vendor = start_vendor(sessions=2, scenario="plain")
    run_sync()
    vendor.log.reset()
    row = Session.objects.first()
    services.backfill(session_ids=[row.pk])
    log = SyncLog.objects.active().get()
    services.run_sync(log_id=log.pk)

    assert vendor.log.routes["data_export"] == 4
    assert vendor.log.routes["session"] == 1


def test_status_before_any_run():
    status = sync_state()
    assert status.sentence == "Nothing has been synced yet."
    assert (status.run, status.is_active, status.progress) == (None, False, None)


def test_status_says_that_no_worker_lives():
    services.request_sync(trigger="button")
    assert "none is running" in sync_state().sentence

    tasks.heartbeat_task()
    status = sync_state()
    assert status.sentence == "Waiting for a worker to start."
    assert status.worker_is_alive
    assert worker_heartbeat_age_s() < 5
    assert status.queue_length == 1


def test_status_tells_time_left_only_when_it_can():
    now = timezone.now()
    log, _ = services.request_sync(trigger="button")
    began = int(now.timestamp()) - 100
    SyncLog.objects.filter(pk=log.pk).update(
        status=RunStatus.RUNNING,
        phase="exports",
        heartbeat_at=now,
        started_at=now,
        progress={"exports": {"done": 2, "total": 60, "began": began}},
    )
    status = sync_state()
    assert status.remaining_s is None
    assert status.sentence == "Downloading swing data: 2 of 60."

    SyncLog.objects.update(
        progress={"exports": {"done": 20, "total": 60, "began": began}}
    )
    status = sync_state()
    assert status.remaining_s == pytest.approx(200, rel=0.1)
    assert status.progress.percent == 33


def test_status_groups_failures_and_tells_what_waits():
    session = make_session()
    make_job(session=session, error_code="not_a_table", last_error="No table.")
    make_job(
        session=session,
        data_type="momentum-energy",
        error_code="not_a_table",
        last_error="No table.",
    )
    make_job(state=JobState.NO_DATA)
    status = sync_state()

    (group,) = status.failures
    assert (group.code, group.count, group.message) == ("not_a_table", 2, "No table.")
    assert {item.state: item.count for item in status.waiting} == {
        "failed": 2,
        "no_data": 1,
    }
    assert status.failed_jobs == 2


def test_is_overdue_after_a_day():
    old = datetime(2026, 1, 1, tzinfo=UTC)
    SyncLog.objects.create(trigger="schedule", status="success", completed_at=old)
    assert sync_state().is_overdue
    SyncLog.objects.create(
        trigger="schedule", status="success", completed_at=timezone.now()
    )
    assert not sync_state().is_overdue


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/x/007_IMG-1234-0001_ik.csv.gz?X-Amz-Key=1", "IMG-1234-0001"),
        ("https://h/x/000_a%2C%20b%23c_momentum-energy.parquet", "a, b#c"),
        ("https://h/x/whole-session.parquet", None),
        (
            "https://h/x/20251220_session_7_rebootmotion_22222222-2222-4222-8222-"
            "222222222222_baseball-hitting_inverse-kinematics.parquet",
            None,
        ),
    ],
)
def test_movement_is_read_from_the_name_of_its_file(url, expected):
    assert movement_in_name(url) == expected


# --- Summaries ----------------------------------------------------------------


def with_a_session():
    """An athlete whose summary does not yet know of the session."""
    player = make_session().player
    assert player.session_count == 0
    return player


def test_summaries_are_refreshed_when_it_is_time_and_at_the_end():
    first, second = with_a_session(), with_a_session()
    summaries = Summaries(every_s=3600)
    summaries.touch([first.pk])
    summaries.touch([second.pk])
    first.refresh_from_db()
    assert first.session_count == 0
    summaries.flush()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.session_count, second.session_count) == (1, 1)

    third = with_a_session()
    Summaries(every_s=0).touch([third.pk])
    third.refresh_from_db()
    assert third.session_count == 1


def test_summaries_that_could_not_be_refreshed_stay_due():
    player = with_a_session()
    summaries = Summaries(every_s=3600)
    summaries.touch([player.pk])
    with connection.execute_wrapper(refuse), pytest.raises(DatabaseError):
        summaries.flush()
    summaries.flush()
    player.refresh_from_db()
    assert player.session_count == 1


def refuse(execute, sql, params, many, context):
    raise DatabaseError("the database is away")
