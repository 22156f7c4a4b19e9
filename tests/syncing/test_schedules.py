"""Times: the facility's zone, set in the admin, and made up once when they were missed.

The queue's own scheduler decides, on rows whose time lies in the past.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.scheduler import scheduler

from syncing import schedules, services, sweeping, tasks
from syncing.choices import RunStatus, SyncType
from syncing.models import SyncLog
from tests.factories import make_staff
from tests.syncing.conftest import ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)

DAILY, WEEKLY = "Sync every day", "Full sync every week"
SYNC = "syncing.tasks.scheduled_sync_task"


def miss(days, *names):
    """Register; the named schedules were last due so many days ago, others not."""
    schedules.register()
    Schedule.objects.update(next_run=timezone.now() + timedelta(hours=1))
    due = timezone.now() - timedelta(days=days)
    Schedule.objects.filter(name__in=names).update(next_run=due)


def queued(func):
    return [row.task["kwargs"] for row in OrmQ.objects.all() if row.func() == func]


@pytest.mark.parametrize("days", [0.01, 1.5, 9, 400])
def test_missed_days_are_made_up_once(days):
    miss(days, DAILY)
    for _ in range(3):
        scheduler()

    assert len(queued(SYNC)) == 1
    daily = Schedule.objects.get(name=DAILY)
    assert timezone.now() < daily.next_run <= timezone.now() + timedelta(days=1)


def test_minutes_that_passed_while_nothing_ran_are_one_minute():
    miss(3, "Heartbeat of the queue", "Clean up waiting work")
    scheduler()

    assert OrmQ.objects.count() == 2
    assert not Schedule.objects.filter(next_run__lt=timezone.now()).exists()


def test_day_and_week_missed_together_are_one_full_run():
    miss(8, DAILY, WEEKLY)
    scheduler()
    rows = [row.task for row in OrmQ.objects.order_by("id") if row.func() == SYNC]
    assert len(rows) == 2
    OrmQ.objects.all().delete()
    for row in rows:
        tasks.scheduled_sync_task(**row["kwargs"])

    assert SyncLog.objects.get().sync_type == SyncType.FULL


def test_week_that_comes_during_a_smaller_run_is_made_up_after_it():
    log, _ = services.request_sync(trigger="schedule")
    SyncLog.objects.filter(pk=log.pk).update(
        status=RunStatus.RUNNING, started_at=timezone.now(), heartbeat_at=timezone.now()
    )
    tasks.scheduled_sync_task(full=True)
    assert sweeping.sweep()["started"] == 0

    SyncLog.objects.filter(pk=log.pk).update(
        status=RunStatus.SUCCESS, completed_at=timezone.now()
    )
    assert sweeping.sweep()["started"] == 1
    late = SyncLog.objects.active().get()
    assert (late.sync_type, late.trigger) == (SyncType.FULL, "schedule")
    SyncLog.objects.filter(pk=late.pk).update(
        status=RunStatus.SUCCESS, completed_at=timezone.now()
    )
    assert sweeping.sweep()["started"] == 0


def test_one_that_is_switched_off_makes_up_nothing():
    miss(5, DAILY)
    Schedule.objects.filter(name=DAILY).update(repeats=0)
    scheduler()

    assert queued(SYNC) == []


# --- In processes of their own ------------------------------------------------------


def environment(settings, **values):
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DEBUG": "0",
        "HTTPS": "0",
        "REDIS_URL": "",
        "SECRET_KEY": settings.SECRET_KEY,
        "REBOOT_BASE_URL": settings.REBOOT_BASE_URL,
        "REBOOT_USERNAME": settings.REBOOT_USERNAME,
        "REBOOT_PASSWORD": settings.REBOOT_PASSWORD,
        "REBOOT_API_KEY": "",
        **values,
    }


@pytest.mark.parametrize("zone", ["America/Chicago", "Australia/Brisbane"])
@pytest.mark.processes
def test_cron_is_read_in_the_zone_of_the_facility(settings, zone):
    """Read once when the queue is imported: only another process can tell."""
    miss(6, DAILY)
    code = "from django_q.scheduler import scheduler; scheduler()"
    subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=ROOT,
        env=environment(settings, FACILITY_TIME_ZONE=zone),
        check=True,
        timeout=120,
    )
    daily = Schedule.objects.get(name=DAILY)
    assert daily.next_run.astimezone(ZoneInfo(zone)).strftime("%H:%M") == "04:30"
    assert len(queued(SYNC)) == 1


#: The queue's guard looks at the schedules when its cycles add up to half a minute. In
#: one cycle of that length it looks as soon as it starts; the workers do not wait.
CLUSTER = """
from django.core.management import call_command
from django_q.conf import Conf
Conf.GUARD_CYCLE = 30
call_command("qcluster")
"""


@pytest.fixture
def start_cluster(settings):
    """Start a cluster that looks at the schedules at once."""
    started = []

    def end():
        for cluster in started:
            with suppress(ProcessLookupError):
                os.killpg(cluster.pid, signal.SIGKILL)
            cluster.wait()

    def start():
        end()  # the one before
        cluster = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", CLUSTER],
            cwd=ROOT,
            env=environment(settings, LOG_LEVEL="ERROR"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(cluster)

    yield start
    end()


@pytest.mark.slow
@pytest.mark.processes
def test_cluster_that_was_down_for_days_syncs_once(start_cluster, start_vendor):
    vendor = start_vendor(sessions=2, scenario="plain")
    names = [DAILY, "Clean up waiting work", "Heartbeat of the queue"]
    miss(5, *names)
    deadline = time.monotonic() + 120
    start_cluster()
    while not SyncLog.objects.filter(status=RunStatus.SUCCESS).exists():
        assert time.monotonic() < deadline, list(SyncLog.objects.values())
        time.sleep(0.1)
    while not Task.objects.filter(func=SYNC).exists():
        assert time.monotonic() < deadline, "the queue did not note its success"
        time.sleep(0.1)
    # What a killed cluster was at stays in the queue, locked for its time.
    while OrmQ.objects.exists():
        assert time.monotonic() < deadline, "the first cluster did not do its work"
        time.sleep(0.1)
    # The schedules are looked at again; this one shows that they were.
    Schedule.objects.exclude(name__in=[*names, WEEKLY]).update(
        next_run=timezone.now() - timedelta(seconds=1)
    )
    start_cluster()
    while not Task.objects.filter(func="privacy.tasks.prune_task").exists():
        assert time.monotonic() < deadline, "the scheduler did not look again"
        time.sleep(0.1)
    while queued(SYNC):
        assert time.monotonic() < deadline, "a sync was left in the queue"
        time.sleep(0.1)

    assert Task.objects.filter(func=SYNC).count() == 1
    assert SyncLog.objects.count() == 1
    assert vendor.log.routes["lookups"] == 1


# --- In the admin ---------------------------------------------------------------------


def edit_in_admin(client, **changes):
    schedule = Schedule.objects.get(name=DAILY)
    next_run = timezone.localtime(schedule.next_run)
    fields = {
        "name": schedule.name,
        "func": schedule.func,
        "schedule_type": schedule.schedule_type,
        "repeats": schedule.repeats,
        "cron": schedule.cron,
        "next_run_0": next_run.strftime("%Y-%m-%d"),
        "next_run_1": next_run.strftime("%H:%M:%S"),
    }
    # As the page has them, hidden, to know whether somebody changed the time.
    fields |= {f"initial-next_run_{n}": fields[f"next_run_{n}"] for n in (0, 1)}
    path = f"/admin/django_q/schedule/{schedule.pk}/change/"
    return client.post(path, fields | changes)


@pytest.fixture
def staff(client):
    schedules.register()
    client.force_login(make_staff(is_superuser=True))
    return client


def test_time_set_in_the_admin_holds_from_the_next_day_on(staff):
    """The queue alone would call it once more at the old time."""
    assert edit_in_admin(staff, cron="15 22 * * *").status_code == 302

    daily = Schedule.objects.get(name=DAILY)
    assert daily.cron == "15 22 * * *"
    at = timezone.localtime(daily.next_run)
    assert at.strftime("%H:%M") == "22:15"
    assert timezone.now() < daily.next_run <= timezone.now() + timedelta(days=1)


def test_next_time_that_staff_chose_is_kept(staff):
    chosen = (timezone.localtime() + timedelta(days=3)).replace(microsecond=0)
    edit_in_admin(
        staff,
        cron="15 22 * * *",
        next_run_0=chosen.strftime("%Y-%m-%d"),
        next_run_1=chosen.strftime("%H:%M:%S"),
    )
    assert Schedule.objects.get(name=DAILY).next_run == chosen


def test_switching_off_leaves_the_time(staff):
    before = Schedule.objects.get(name=DAILY).next_run
    edit_in_admin(staff, repeats=0)

    daily = Schedule.objects.get(name=DAILY)
    assert (daily.repeats, daily.next_run) == (0, before.replace(microsecond=0))


@pytest.mark.parametrize("cron", ["61 4 * *", "0 4 30 2 *", ""])
def test_cron_that_makes_no_sense_is_refused(staff, cron):
    """A day that never comes would stop the queue's scheduler, all times with it."""
    response = edit_in_admin(staff, cron=cron)

    assert response.status_code == 200
    assert Schedule.objects.get(name=DAILY).cron == "30 4 * * *"


def test_admin_says_which_zone_it_is(staff, settings):
    pk = Schedule.objects.get(name=DAILY).pk
    page = staff.get(f"/admin/django_q/schedule/{pk}/change/").content.decode()
    assert f"time of {settings.TIME_ZONE}" in page


@pytest.mark.parametrize(
    ("kind", "status", "full", "expected"),
    [
        ("", "", False, False),
        ("incremental", "success", False, True),
        ("incremental", "success", True, False),
        ("full", "partial", False, True),
        ("incremental", "failed", False, False),
    ],
)
def test_hour_that_comes_twice_syncs_once(kind, status, full, expected):
    """In Berlin 02:30 of 2026-10-25 comes at 00:30 and again at 01:30 UTC."""
    zone = ZoneInfo("Europe/Berlin")
    first, second = (
        datetime(2026, 10, 25, hour, 30, 5, tzinfo=UTC).astimezone(zone)
        for hour in (0, 1)
    )
    assert not tasks.ran_before_clocks_were_set_back(first, full=full)
    if kind:
        SyncLog.objects.create(trigger="schedule", sync_type=kind, status=status)
        SyncLog.objects.update(created_at=first)

    assert tasks.ran_before_clocks_were_set_back(second, full=full) is expected
    assert not tasks.ran_before_clocks_were_set_back(
        second + timedelta(days=1), full=full
    )


def test_hour_that_a_change_of_clocks_skips_is_not_lost():
    zone = ZoneInfo("America/Chicago")
    from croniter import croniter

    # 2026-03-08 has no 02:30 there.
    saturday = datetime(2026, 3, 7, 12, 0, tzinfo=zone)
    times = croniter("30 2 * * *", saturday)
    first, second = times.get_next(datetime), times.get_next(datetime)
    assert first.date().isoformat() == "2026-03-08"
    assert second.date().isoformat() == "2026-03-09"
