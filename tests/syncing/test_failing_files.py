"""What happens to files that cannot be fetched or read: tried again, or given up."""

import pytest
from django.utils import timezone

from athletes.models import BiomechanicsData, DataState, Movement, Session
from simulator.faults import FaultPlan
from syncing.choices import JobState, RunStatus
from syncing.engine.claims import Claims
from syncing.engine.context import RunContext
from syncing.engine.exports import _ExportThreads
from syncing.models import ExportJob, SyncLog
from tests.syncing.conftest import FAST

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("bad-truncated", {"truncated_file", "damaged_parquet", "not_a_table"}),
        ("bad-html", {"html_instead_of_data"}),
        ("bad-missing-columns", {"missing_column"}),
        ("bad-text-column", {"text_in_number_column"}),
    ],
)
def test_broken_file_makes_the_run_partial_and_leaves_the_others(
    start_vendor, run_sync, damage, code
):
    vendor = start_vendor(sessions=3, scenario="plain")
    broken = vendor.world.listed_sessions()[0].id
    vendor.world.damage_session(broken, damage)
    log = run_sync()

    assert log.status == RunStatus.PARTIAL
    assert {error["code"] for error in log.errors} <= code
    assert log.errors[0]["object"].startswith(
        tuple(ExportJob.data_type.field.choices[i][0] for i in range(3))
    )
    assert log.errors[0]["hint"]
    states = dict(Session.objects.values_list("session_id", "data_state"))
    assert states.pop(broken) == DataState.FAILED
    assert set(states.values()) == {DataState.COMPLETE}
    assert not BiomechanicsData.objects.filter(
        movement__session__session_id=broken
    ).exists()

    vendor.world.damage_session(broken, None)
    log = run_sync()
    assert log.status == RunStatus.SUCCESS
    assert set(Session.objects.values_list("data_state", flat=True)) == {
        DataState.COMPLETE
    }


def test_frames_out_of_order_are_repaired_and_told(start_vendor, run_sync):
    start_vendor(sessions=1, scenario="plain,bad-out-of-order")
    log = run_sync()

    assert log.status == RunStatus.SUCCESS
    repairs = list(BiomechanicsData.objects.values_list("repairs", flat=True))
    assert repairs
    assert all("rows_sorted" in found for found in repairs)


def test_two_swings_under_one_id_are_fetched_one_by_one(start_vendor, run_sync):
    vendor = start_vendor(sessions=2, scenario="plain", swings=3)
    session = vendor.world.listed_sessions()[0]
    vendor.world.damage_session(session.id, "bad-same-id")
    log = run_sync()

    row = Session.objects.get(session_id=session.id)
    truth = vendor.world.movements(session, row.player.org_player_id)
    assert [m.org_movement_id for m in row.movements.order_by("position")] == [
        m.org_movement_id for m in truth
    ]
    assert (log.status, log.errors) == (RunStatus.SUCCESS, [])


def test_the_other_swings_of_a_file_with_a_bad_one_get_their_numbers(
    start_vendor, run_sync
):
    vendor = start_vendor(sessions=1, scenario="plain", swings=3)
    session_id = vendor.world.listed_sessions()[0].id
    vendor.world.damage_session(session_id, "bad-one-swing")
    log = run_sync()
    frames = required().exclude(data_type="metadata")
    assert set(frames.values_list("state", "error_code")) == {
        (JobState.FAILED, "conflicting_rows")
    }
    assert log.status == RunStatus.PARTIAL
    bad, *others = Movement.objects.order_by("position")
    assert (bad.metrics, bad.biomechanics.count()) == ({}, 0)
    assert len(others) == 2
    for other in others:
        assert other.metrics["peak_pelvis_omega"]["value"] > 300
        assert other.is_swing

    vendor.world.damage_session(session_id, None)
    run_sync()
    assert set(ExportJob.objects.values_list("state", flat=True)) == {JobState.STORED}
    bad.refresh_from_db()
    assert bad.metrics["peak_pelvis_omega"]["value"] > 300


def test_job_is_given_up_in_the_end_and_says_so(start_vendor, run_sync):
    vendor = start_vendor(sessions=1, scenario="plain")
    vendor.world.damage_session(vendor.world.listed_sessions()[0].id, "bad-html")
    for _ in range(FAST.max_attempts):
        run_sync()

    jobs = required().filter(error_code="html_instead_of_data")
    assert {job.state for job in jobs} == {JobState.GIVEN_UP}
    assert all(days_until(job.next_try_at) == 7 for job in jobs)
    assert all(job.last_error.startswith("Given up after") for job in jobs)
    assert run_sync().status == RunStatus.SUCCESS


def required():
    """The jobs of files whose lack is a failure."""
    return ExportJob.objects.exclude(data_type="hitting-processed-metrics")


def days_until(moment):
    return round((moment - timezone.now()).total_seconds() / 86400)


def test_what_was_given_up_is_asked_for_now_and_then(start_vendor, run_sync):
    vendor = start_vendor(sessions=1, scenario="plain")
    session_id = vendor.world.listed_sessions()[0].id
    vendor.world.damage_session(session_id, "bad-html")
    run_sync()
    broken = required().filter(error_code="html_instead_of_data")
    last_try = {"attempts": FAST.max_attempts - 1, "next_try_at": timezone.now()}
    broken.update(**last_try)
    assert run_sync(trigger="schedule").error_count == broken.count() > 0
    since = set(broken.values_list("given_up_at", flat=True))

    # Nobody is told of the same file once more.
    broken.update(next_try_at=timezone.now())
    vendor.log.reset()
    log = run_sync(trigger="schedule")
    assert vendor.log.routes["data_export"] >= broken.count()
    assert (log.status, log.error_count) == (RunStatus.SUCCESS, 0)
    assert {job.state for job in broken} == {JobState.GIVEN_UP}
    assert {days_until(job.next_try_at) for job in broken} == {28}
    assert set(broken.values_list("given_up_at", flat=True)) == since

    vendor.world.damage_session(session_id, None)
    broken.update(next_try_at=timezone.now())
    run_sync(trigger="schedule")
    assert set(required().values_list("state", "error_code", "given_up_at")) == {
        (JobState.STORED, "", None)
    }
    assert Movement.objects.filter(is_swing=True).exists()


def test_a_given_up_job_that_kills_its_worker_is_not_asked_for_again(
    start_vendor, run_sync
):
    start_vendor(sessions=1, scenario="plain")
    run_sync()
    # As a claim of a job that was given up leaves it when its worker is killed.
    ExportJob.objects.filter(data_type="metadata").update(
        state=JobState.REQUESTED,
        attempts=FAST.max_attempts,
        given_up_at=timezone.now(),
        next_try_at=timezone.now(),
    )
    run_sync()
    job = ExportJob.objects.get(data_type="metadata")
    assert (job.state, job.next_try_at) == (JobState.GIVEN_UP, None)


def test_a_run_that_is_cut_keeps_the_next_try_of_what_was_given_up(
    start_vendor, run_sync
):
    start_vendor(sessions=1, scenario="plain")
    run_sync()
    due = timezone.now()
    ExportJob.objects.update(
        state=JobState.GIVEN_UP,
        attempts=FAST.max_attempts,
        given_up_at=due,
        next_try_at=due,
    )
    ctx = RunContext(SyncLog.objects.get(), tempo=FAST)
    # A thread that finds nothing to claim for the moment does not end it.
    assert not _ExportThreads(ctx, 1)._is_finished()
    assert set(ExportJob.objects.values_list("error_code", "next_try_at")) == {
        ("", due)
    }
    claims = Claims(ctx)
    claimed = [claims.next() for _ in range(3)]
    assert {job.attempts for job in claimed} == {FAST.max_attempts}
    claims.release()
    assert set(
        ExportJob.objects.values_list("state", "attempts", "claimed_by", "next_try_at")
    ) == {(JobState.GIVEN_UP, FAST.max_attempts - 1, "", due)}
    assert Claims(ctx).next() is not None


def test_job_whose_worker_always_dies_is_given_up(start_vendor, run_sync):
    start_vendor(sessions=1, scenario="plain")
    run_sync()
    ExportJob.objects.filter(data_type="metadata").update(
        state=JobState.REQUESTED,
        attempts=FAST.max_attempts,
        next_try_at="2026-01-01T00:00Z",
    )
    log = run_sync()

    job = ExportJob.objects.get(data_type="metadata")
    assert (job.state, job.error_code) == (JobState.GIVEN_UP, "worker_died")
    assert log.status == RunStatus.PARTIAL


def test_scheduled_run_leaves_failed_jobs_until_they_are_due(start_vendor, run_sync):
    vendor = start_vendor(sessions=1, scenario="plain")
    vendor.world.damage_session(vendor.world.listed_sessions()[0].id, "bad-html")
    run_sync()
    vendor.log.reset()
    log = run_sync(trigger="schedule")

    assert vendor.log.routes["data_export"] == 0
    assert log.status == RunStatus.SUCCESS


def test_link_to_an_unknown_host_is_refused_and_named(start_vendor, run_sync):
    start_vendor(sessions=1, scenario="plain,links-other-host")
    log = run_sync()

    assert log.status == RunStatus.PARTIAL
    assert {error["code"] for error in log.errors} == {"forbidden_host"}
    assert "localhost" in log.errors[0]["message"]


def test_outage_of_a_week_gives_no_file_up(start_vendor, run_sync, settings):
    start_vendor(sessions=2, scenario="plain")
    run_sync()
    url = settings.REBOOT_BASE_URL
    settings.REBOOT_BASE_URL = "http://127.0.0.1:9"
    last_try = {"attempts": FAST.max_attempts - 1, "next_try_at": timezone.now()}
    jobs = ExportJob.objects.filter(data_type="momentum-energy")
    jobs.update(state=JobState.FAILED, error_code="unavailable", **last_try)
    for _ in range(2):
        log = run_sync(trigger="sweep", sync_type="exports")
        assert log.status in {RunStatus.FAILED, RunStatus.PARTIAL}
        assert set(jobs.values_list("state", "attempts")) == {
            ("failed", FAST.max_attempts - 1)
        }
        assert not jobs.filter(next_try_at__lte=timezone.now()).exists()
        jobs.update(next_try_at=timezone.now())

    settings.REBOOT_BASE_URL = url
    assert run_sync(sync_type="exports").status == RunStatus.SUCCESS
    assert set(jobs.values_list("state", flat=True)) == {"stored"}


def test_file_that_fails_while_others_come_is_given_up(start_vendor, run_sync):
    vendor = start_vendor(sessions=1, scenario="plain")
    run_sync()
    vendor.app.set_faults(
        FaultPlan(
            probability=1.0,
            kinds=("500",),
            routes=("data_export",),
            max_in_a_row=10**6,
        )
    )
    job = required().first()
    ExportJob.objects.filter(pk=job.pk).update(
        state=JobState.FAILED,
        attempts=FAST.max_attempts - 1,
        next_try_at=timezone.now(),
    )
    run_sync()
    job.refresh_from_db()
    assert job.state == JobState.GIVEN_UP
    assert "Given up after 10 tries" in job.last_error
